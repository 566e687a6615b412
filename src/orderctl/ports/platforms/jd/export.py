"""JD's export of orders (订单管理, 订单导出): one row per line, yuan, Beijing time, recipients masked.

The amounts of an order stand on each of its rows. The file tells no time of change, no promise to ship, no discounts
one by one and no OAID.

Source: headings seen in public importers.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.instant import BEIJING
from orderctl.model.mapper import (
    ENVELOPE,
    HOLD,
    WISH,
    Entry,
    Mapper,
    count,
    finding,
    finish,
    given,
    hold,
    note,
    payload,
    privacy,
    recipient,
    translate,
    unread,
    wish,
    with_amounts,
    with_list,
    with_times,
)
from orderctl.model.regions import split_addresses
from orderctl.model.schema import PROBLEM
from orderctl.ports.platforms.jd.lines import OF_ORDER, gather_lines, items_of
from orderctl.ports.platforms.jd.places import PREFECTURES
from orderctl.ports.platforms.jd.states import (
    CANCELLED,
    LOCKED,
    MONEY,
    NO_INVOICE,
    PAUSED,
    STATUS,
    with_money,
)
from orderctl.ports.tables.layout import Layout

FORMAT = "jd/export-csv"
_HEAD: dict[str, tuple[str, ...]] = {
    "订单号": ("订单编号",),
    "支付方式": (),
    "下单时间": (),
    "订单金额": (),
    "结算金额": (),
    "余额支付": (),
    "应付金额": (),
    "订单状态": (),
    "下单帐号": ("下单账号",),
    "客户姓名": (),
    "客户地址": (),
    "联系电话": (),
    "订单备注": (),
    "发票类型": (),
    "发票抬头": (),
    "商家备注": (),
    "商家备注等级": ("商家备注等级（等级1-5为由高到低）",),
    "运费金额": ("运费",),
    "付款确认时间": (),
}
_KEPT = (
    *(
        "订单类型",
        "发票内容",
        "增值税发票",
        "订单完成时间",
        "订单来源",
        "订单渠道",
        "送装服务",
        "服务费",
        "仓库ID",
    ),
    *("仓库名称", "是否为品牌闪购订单", "是否为toplife订单", "普通发票纳税编号"),
)
_LINE: dict[str, tuple[str, ...]] = {
    "商品ID": ("商品编号",),
    "商品名称": (),
    "订购数量": (),
    "京东价": (),
    "货号": (),
    "商家SKUID": ("商家SKU",),
}
LAYOUTS = (
    Layout(
        format=FORMAT,
        platform="jd",
        columns={**_HEAD, **dict.fromkeys(_KEPT, ()), **_LINE},
        needs=("订单号", "商品ID", "订购数量", "京东价", "订单状态", "结算金额"),
        order="订单号",
        ids=("订单号",),
        rows="line",
        codes=("商品ID",),
        times=("下单时间", "付款确认时间", "订单完成时间"),
        notes=("订单备注", "商家备注"),
        lines=tuple(_LINE),
    ),
)
_STATES = {
    **dict.fromkeys(["等待付款", "未付款", "待付款"], "NOT_PAY"),
    **dict.fromkeys(["等待出库", "等待发货"], "WAIT_SELLER_STOCK_OUT"),
    **dict.fromkeys(["等待确认收货", "已出库", "已发货"], "WAIT_GOODS_RECEIVE_CONFIRM"),
    **dict.fromkeys(["完成", "已完成"], "FINISHED_L"),
    **dict.fromkeys(["取消", "已取消", "删除", "已删除"], CANCELLED),
    **dict.fromkeys(["锁定", "已锁定"], LOCKED),
    **dict.fromkeys(["暂停", "已暂停"], "PAUSE"),
    "配送退货": "DELIVERY_RETURN",
}
"""The back office's words, in those of the API. A word in brackets before the state counts more than the state."""
_AMOUNTS = {
    "goods": ("goods_minor", "订单金额"),
    "seller_gets": ("discount_seller_minor", "结算金额"),
    "postage": ("postage_minor", "运费金额"),
    "pays": ("total_minor", "应付金额"),
    "balance": ("total_minor", "余额支付"),
}
_TIMES = {"placed_at": "下单时间", "paid_at": "付款确认时间"}
_WEST = "吉林|湖北|湖南|四川|贵州|云南|甘肃|青海|新疆"
"""The provinces that have autonomous prefectures; elsewhere 巴州 and the like are districts."""


def _head(name: str) -> pl.Expr:
    return payload("head").struct.field(name)


def _bare(name: str) -> pl.Expr:
    """Give a cell without the quotes the back office puts around it once more."""
    return given(_head(name).str.strip_chars("\"' \t"))


def _read(frame: pl.DataFrame) -> pl.DataFrame:
    word = given(_head("订单状态").str.replace_all(r"\s", ""))
    mark, state = word.str.extract(r"^[(（](.*?)[)）]", 1), word.str.replace(r"^[(（].*?[)）]", "")
    # a mark we do not know must not be passed over for the state behind it
    theirs = pl.when(mark.is_not_null()).then(translate(mark, _STATES)).otherwise(translate(state, _STATES))
    status = translate(theirs, STATUS)
    found = frame.select(
        *ENVELOPE,
        "payload",
        row=pl.int_range(pl.len(), dtype=pl.UInt32).set_sorted(),
        word=word,
        theirs=theirs,
        known=theirs.is_not_null(),
        status=pl.when((theirs == LOCKED) & (translate(state, _STATES) == "WAIT_GOODS_RECEIVE_CONFIRM"))
        .then(pl.lit("shipped"))
        .otherwise(status.fill_null("wait_ship")),
        cod=_head("支付方式").str.contains("货到付款", literal=True).fill_null(False),
        address=_bare("客户地址"),
    )
    found = with_amounts(found, {name: _head(text) for name, (_, text) in _AMOUNTS.items()})
    found = with_times(found, {name: _time(text) for name, text in _TIMES.items()}, BEIJING)
    nothing = pl.lit(None, dtype=pl.Int64)
    return with_money(found.with_columns(seller_off=nothing, listed=nothing))


def _time(name: str) -> pl.Expr:
    text = given(_head(name))
    return pl.when(~text.str.starts_with("0001-01-01")).then(text)


def _lines(frame: pl.DataFrame) -> pl.DataFrame:
    nothing = pl.lit(None, dtype=pl.String)
    return items_of(frame, "lines", "京东价").select(
        *OF_ORDER,
        "unit",
        sku=given(pl.col("商品ID").str.strip_chars("\"' \t")),
        item=nothing,
        merchant_code=pl.col("商家SKUID"),
        title=pl.col("商品名称"),
        spec=nothing,
        price_text=pl.col("京东价"),
        pieces=count(pl.col("订购数量")),
        gift=pl.lit(False),
        refund=pl.lit("none"),
        left=pl.lit(None, dtype=pl.Int64),
        off=pl.lit(None, dtype=pl.Int64),
    )


def _with_recipients(frame: pl.DataFrame) -> pl.DataFrame:
    short = rf"^((?:{_WEST})(?:省|维吾尔自治区)?\s*)({'|'.join(PREFECTURES)})"
    before, name = pl.col("address").str.extract(short, 1), pl.col("address").str.extract(short, 2)
    rest = pl.col("address").str.slice(before.str.len_chars() + name.str.len_chars())
    full = pl.concat_str(before, name.replace(PREFECTURES), rest)
    parts = split_addresses(frame.select(pl.coalesce(full, "address")).to_series())
    who, phone = _bare("客户姓名"), _bare("联系电话")
    virtual = r"^(1\d{10})-(\d{1,6})$"  # a privacy number with its extension
    ours = recipient(
        name=who,
        phone=pl.coalesce(phone.str.extract(virtual, 1), phone),
        phone_ext=phone.str.extract(virtual, 2),
        country=pl.lit("CN"),
        **{
            n: pl.col(n)
            for n in ("province", "province_code", "city", "district", "town", "street", "postcode")
        },
        original=pl.col("address"),
        privacy=privacy(who, phone, pl.col("address")),
    )
    return frame.with_columns(
        frame.select("payload", "address").hstack(parts).select(recipient=ours)["recipient"]
    )


def _holds() -> list[Entry]:
    theirs = pl.col("theirs")
    return [
        (~pl.col("known"), hold("unknown_status", pl.col("word"))),
        (theirs == LOCKED, hold("locked", LOCKED)),
        (theirs.is_in(PAUSED), hold("held", theirs)),
    ]


def _problems() -> list[Entry]:
    found = [
        unread("amount_unreadable", {ours: (_head(text), name)}) for name, (ours, text) in _AMOUNTS.items()
    ]
    return [
        *[entry for entries in found for entry in entries],
        *unread("time_unreadable", {name: (_time(text), name) for name, text in _TIMES.items()}),
        (pl.col("bad_quantity"), finding("amount_unreadable", "lines.quantity")),
        (pl.col("bad_unit"), finding("amount_unreadable", "lines.unit_price_minor")),
        (~pl.col("known"), finding("unknown_value", "订单状态", pl.col("word"))),
    ]


def _to_orders(frame: pl.DataFrame) -> pl.DataFrame:
    base = _read(frame)
    account, level = given(_head("下单帐号")), given(_head("商家备注等级"))
    known = _with_recipients(
        base.join(gather_lines(_lines(base)), on="row", how="left", maintain_order="left")
    ).with_columns(
        platform_ref=pl.coalesce(given(_head("订单号")), "platform_ref"),
        currency=pl.lit("CNY"),
        refund_open=pl.col("line_asks").fill_null(False) | (pl.col("theirs") == LOCKED).fill_null(False),
        buyer_ref=pl.when(~account.str.contains(r"\*")).then(account),
        buyer_note=note(_head("订单备注")),
        seller_note=note(_head("商家备注")),
        seller_flag=pl.when(~level.is_in(["0", "无"])).then(level),
    )
    kind = given(_head("发票类型"))
    title = pl.coalesce(given(_head("发票抬头")), kind)
    wishes = [(~kind.str.contains(NO_INVOICE), wish("invoice", title, title))]
    known = with_list(known, "holds", _holds(), HOLD)
    known = with_list(known, "problems", _problems(), PROBLEM)
    return finish(with_list(known, "wishes", wishes, WISH))


MAPPER = Mapper(
    FORMAT,
    pl.Struct(
        {
            "head": pl.Struct(dict.fromkeys(_HEAD, pl.String())),
            "lines": pl.List(pl.Struct(dict.fromkeys(_LINE, pl.String()))),
        }
    ),
    _to_orders,
    MONEY,
)
