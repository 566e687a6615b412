"""A seller's first day: two back-office exports of 2,000 orders, a catalogue, and no SKU map. Everything is invented.

The exports are as messy as real ones: merchant codes right, with a prefix, in lower case or missing; packs told in the
option; sets of several articles; one article under several titles. `truth` is what the seller knows in his head.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import xlsxwriter

KINDS = (  # stem, name, grams, colours or kinds, sizes
    ("SOCK", "精梳棉中筒袜", 45, ("白", "黑", "灰", "藏青", "豆沙粉"), ("均码", "大码")),
    ("BOAT", "隐形船袜", 25, ("白", "黑", "肤色"), ("均码",)),
    ("TEE", "重磅纯棉T恤", 220, ("白", "黑", "雾蓝", "卡其"), ("M", "L", "XL", "2XL")),
    ("MUG", "陶瓷马克杯", 380, ("白", "蓝", "墨绿"), ("350ml", "500ml")),
    ("TEA", "明前龙井", 95, ("特级", "一级"), ("50g", "100g", "250g")),
    ("TOWEL", "长绒棉毛巾", 110, ("米白", "浅灰", "雾粉"), ("34x74", "70x140")),
    ("CASE", "磨砂手机壳", 40, ("黑", "透明", "樱花粉"), ("15", "15Pro", "16", "16Pro")),
    ("CUP", "双层玻璃杯", 260, ("圆底", "方底"), ("300ml", "450ml")),
    ("BAG", "帆布托特包", 180, ("本白", "黑", "橄榄绿"), ("小号", "大号")),
    ("PEN", "速干中性笔", 12, ("黑", "蓝", "红"), ("0.5mm", "0.38mm")),
    ("SLIP", "居家拖鞋", 310, ("灰", "藏青", "米白"), ("36-37", "38-39", "40-41", "42-43")),
    ("NOTE", "点阵笔记本", 210, ("黑", "墨绿", "砖红"), ("A5", "B5")),
)
COLOURS = {
    "白": "WHT", "黑": "BLK", "灰": "GRY", "藏青": "NVY", "豆沙粉": "PNK", "肤色": "NUD", "雾蓝": "BLU",
    "卡其": "KHK", "蓝": "BLU", "墨绿": "GRN", "特级": "A1", "一级": "A2", "米白": "CRM", "浅灰": "LGR",
    "雾粉": "PNK", "透明": "CLR", "樱花粉": "SAK", "圆底": "RND", "方底": "SQR", "本白": "NAT",
    "橄榄绿": "OLV", "红": "RED", "砖红": "BRK",
}  # fmt: skip
SIZES = {"均码": "F", "大码": "XL", "小号": "S", "大号": "L", "34x74": "S", "70x140": "L"}
PUFFS = ("【官方正品】{}秋冬新款", "{} 男女同款百搭", "2026新款{}高级感ins风", "{}")
SETS = (
    ("SET-TEATIME", "下午茶礼盒(龙井50g+白马克杯)", "SET-TEATIME"),
    ("SET-DESK", "办公三件套(黑笔+点阵本+白杯)", None),
)
PARTS = {"SET-TEATIME": 2, "SET-DESK": 3}
PLACES = (
    ("浙江省", "杭州市", "余杭区", "五常街道样例路{}号"), ("上海市", "上海市", "浦东新区", "张江镇样例路{}弄2号"),
    ("四川省", "成都市", "武侯区", "浆洗街样例巷{}号"), ("广东省", "深圳市", "南山区", "粤海街道样例大道{}号"),
    ("北京市", "北京市", "朝阳区", "望京街道样例园{}号楼"), ("新疆维吾尔自治区", "喀什地区", "喀什市", "样例路{}号"),
    ("广东省", "东莞市", "", "长安镇样例工业区{}栋"), ("河南省", "郑州市", "金水区", "花园路街道样例路{}号"),
)  # fmt: skip
PACKS = (("两双装", 2), ("5双装", 5), ("3条装", 3))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Listing:
    """One variant as a platform knows it, and what the seller knows of it: `sku` times `pieces`."""

    title: str
    spec: str
    code: str | None
    item: str
    price: int
    sku: str
    pieces: int = 1

    @property
    def sends(self) -> int:
        """How many pieces of ours one of theirs is, the parts of a set counted."""
        return self.pieces * PARTS.get(self.sku, 1)


@dataclass(frozen=True)
class Buyer:
    """One invented person."""

    nick: str
    name: str
    phone: str
    place: tuple[str, str, str, str]


@dataclass(frozen=True)
class Shop:
    """The files of the first day, and the answers."""

    catalogue: Sequence[tuple[str, str, int]]
    taobao: Sequence[Listing]
    pdd: Sequence[Listing]
    orders: int
    sent: Mapping[str, int]
    """By the platform's number of an order: how many pieces of ours are to be sent."""

    @property
    def truth(self) -> Mapping[str, tuple[str, int]]:
        """Give what the seller answers when he reads `title | spec`."""
        return {f"{one.title} | {one.spec}": (one.sku, one.pieces) for one in (*self.taobao, *self.pdd)}


def open_shop(folder: Path, *, orders: int = 2000, seed: int = 7) -> Shop:
    """Write `catalogue.xlsx`, `inbox/ExportOrderList.csv`, `inbox/ExportOrderDetailList.csv` and `inbox/pdd.xlsx`."""
    dice = random.Random(seed)
    catalogue = [
        (f"{stem}-{COLOURS[colour]}-{SIZES.get(size, size.upper())}", f"{name} {colour} {size}", grams)
        for stem, name, grams, colours, sizes in KINDS
        for colour in colours
        for size in sizes
    ]
    taobao, pdd = _taobao(dice), _pdd(dice)
    (folder / "inbox").mkdir(parents=True, exist_ok=True)
    _write_sheet(folder / "catalogue.xlsx", [("sku", "name", "weight_g"), *catalogue])
    people, theirs = _people(dice, orders // 2), orders * 4 // 5
    sent = {
        **_write_taobao(folder / "inbox", dice, taobao, people, theirs),
        **_write_pdd(folder / "inbox" / "pdd.xlsx", dice, pdd, people, orders - theirs),
    }
    return Shop(catalogue, taobao, pdd, orders, sent)


def _taobao(dice: random.Random) -> list[Listing]:
    listings: list[Listing] = []
    for at, (stem, name, grams, colours, sizes) in enumerate(KINDS):
        for double in range(2 if at % 3 == 0 else 1):  # the same articles under a second title
            item, title = str(680000000000 + at * 10 + double), PUFFS[(at + double) % len(PUFFS)].format(name)
            for colour in colours:
                for size in sizes:
                    sku = f"{stem}-{COLOURS[colour]}-{SIZES.get(size, size.upper())}"
                    spec, pieces = f"颜色分类:{colour};尺码:{size}", 1
                    if stem in ("SOCK", "TOWEL") and dice.random() < 0.35:
                        pack, pieces = PACKS[2] if stem == "TOWEL" else dice.choice(PACKS[:2])
                        spec = f"颜色分类:{colour}【{pack}】;尺码:{size}"
                    code = None if pieces > 1 or double else _messy(dice, sku)
                    listings.append(Listing(title, spec, code, item, (grams + 9) * 10 * pieces, sku, pieces))
    listings += [
        Listing(title, "默认", code, f"69000000000{n}", 9900, sku)
        for n, (sku, title, code) in enumerate(SETS)
    ]
    return listings


def _messy(dice: random.Random, sku: str) -> str | None:
    return dice.choice((sku, sku, f"TB-{sku}", sku.lower(), f"{sku} ", None, None, f"旧{sku}"))


def _pdd(dice: random.Random) -> list[Listing]:
    listings = []
    for at, (stem, name, grams, colours, sizes) in enumerate(KINDS[::2]):
        for colour in colours:
            size = dice.choice(sizes)
            sku = f"{stem}-{COLOURS[colour]}-{SIZES.get(size, size.upper())}"
            code = dice.choice((sku, None))
            listings.append(
                Listing(
                    f"厂家直发 {name}", f"{colour},{size}", code, str(55000000000 + at), (grams + 5) * 10, sku
                )
            )
    return listings


def _people(dice: random.Random, count: int) -> list[Buyer]:
    people = []
    for at in range(count):
        *place, street = dice.choice(PLACES)
        name = "测试" + "甲乙丙丁戊己庚辛壬癸"[at % 10] + "子丑寅卯辰巳午未申酉戌亥"[at // 10 % 12]
        where = (*place, street.format(at + 1))
        people.append(Buyer(f"测试买家{at:04}", name, f"138{at:08}", where))  # type: ignore[arg-type]
    return people


def _paid(dice: random.Random) -> datetime:
    return NOON - timedelta(seconds=dice.randrange(40 * 3600))


def _basket(dice: random.Random, listings: Sequence[Listing]) -> list[tuple[Listing, int]]:
    few = dice.choices((1, 2, 3), (75, 18, 7))[0]
    return [(one, dice.choices((1, 2, 3), (80, 15, 5))[0]) for one in dice.sample(listings, few)]


def _yuan(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _write_taobao(
    inbox: Path, dice: random.Random, listings: Sequence[Listing], people: Sequence[Buyer], count: int
) -> dict[str, int]:
    heads: list[Sequence[str]] = [(
        "订单编号", "买家会员名", "买家应付货款", "买家应付邮费", "总金额", "买家实际支付金额", "订单状态", "买家留言",
        "收货人姓名", "收货地址", "联系手机", "订单创建时间", "订单付款时间", "订单备注",
    )]  # fmt: skip
    items: list[Sequence[str]] = [(
        "子订单编号", "主订单编号", "标题", "价格", "购买数量", "商品ID", "商品属性", "商家编码", "订单状态",
        "买家应付货款", "买家实际支付金额", "退款状态",
    )]  # fmt: skip
    sent = {}
    for at in range(count):
        ref, buyer, paid = f"51000{at:014}", _customer(dice, people), _paid(dice)
        basket = _basket(dice, listings)
        total = sum(one.price * many for one, many in basket)
        sent[ref] = sum(one.sends * many for one, many in basket)
        open_pay, asked = dice.random() < 0.02, dice.random() < 0.02
        state = "等待买家付款" if open_pay else "买家已付款，等待卖家发货"
        phone, street = buyer.phone, buyer.place[3]
        if dice.random() < 0.03:  # another phone, or the address written a little differently: a suggestion
            phone, street = dice.choice(((f"139{at:08}", street), (phone, street.replace("样例", "样例小"))))
        address = " ".join((*buyer.place[:3], street))
        stamp = paid.strftime("%Y-%m-%d %H:%M:%S")
        heads.append((
            f'="{ref}"', buyer.nick, _yuan(total), "0.00", _yuan(total), _yuan(0 if open_pay else total), state,
            dice.choice(("", "", "", "发顺丰", "不要发圆通", "多垫泡沫")), buyer.name, address, f"'{phone}", stamp,
            "" if open_pay else stamp, "",
        ))  # fmt: skip
        for n, (one, many) in enumerate(basket):
            money = _yuan(one.price * many)
            items.append((
                f'="{ref if len(basket) == 1 else ref[:-1] + str(n)}{"" if len(basket) == 1 else at}"', f'="{ref}"', one.title,
                _yuan(one.price), str(many), one.item, one.spec, one.code or "", state, money,
                "0.00" if open_pay else money, "买家已经申请退款，等待卖家同意" if asked and n == 0 else "没有申请退款",
            ))  # fmt: skip
    _write_gb18030(inbox / "ExportOrderList.csv", heads)
    _write_gb18030(inbox / "ExportOrderDetailList.csv", items)
    return sent


def _customer(dice: random.Random, people: Sequence[Buyer]) -> Buyer:
    return people[min(int(dice.expovariate(3 / len(people))), len(people) - 1)]


def _write_gb18030(path: Path, rows: Sequence[Sequence[str]]) -> None:
    sink = io.StringIO()
    csv.writer(sink).writerows(rows)
    path.write_bytes(sink.getvalue().encode("gb18030"))


def _write_pdd(
    path: Path, dice: random.Random, listings: Sequence[Listing], people: Sequence[Buyer], count: int
) -> dict[str, int]:
    rows: list[Sequence[str]] = [(
        "商品", "订单号", "订单状态", "商品总价", "店铺优惠折扣", "平台优惠折扣", "邮费", "用户实付金额", "商家实收金额",
        "商品数量", "收货人", "手机", "省", "市", "区", "街道", "详细地址", "支付时间", "承诺发货时间", "商品id",
        "商品规格", "样式ID", "商家编码-规格维度", "商家备注", "买家留言", "售后状态",
    )]  # fmt: skip
    sent = {}
    for at in range(count):
        buyer, paid = _customer(dice, people), _paid(dice)
        (one, many), *_ = _basket(dice, listings)
        money, stamp = _yuan(one.price * many), paid.strftime("%Y-%m-%d %H:%M:%S")
        sent[f"261123-{at:015}"] = one.sends * many
        promise = (paid + timedelta(hours=48)).strftime("%Y-%m-%d %H:%M:%S")
        rows.append((
            one.title, f"261123-{at:015}", "待发货", money, "0", "0", "0", money, money, str(many), buyer.name,
            buyer.phone, *buyer.place[:3], "", buyer.place[3], stamp, promise, one.item, one.spec,
            str(7000000 + listings.index(one)), one.code or "", "", "", "无售后或售后取消",
        ))  # fmt: skip
    _write_sheet(path, rows)
    return sent


def _write_sheet(path: Path, rows: Sequence[Sequence[str | int]]) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
