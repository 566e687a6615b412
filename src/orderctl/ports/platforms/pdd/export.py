"""Pinduoduo's order export (订单查询 → 导出): one row per order, yuan, Beijing time.

Source: headings seen in public importers; buyer columns are missing or masked unless the seller may export them.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.instant import BEIJING
from orderctl.model.mapper import (
    ENVELOPE,
    HOLD,
    LINES,
    WISH,
    Entry,
    Mapper,
    count,
    finding,
    finish,
    given,
    hold,
    line,
    note,
    payload,
    recipient,
    to_ship,
    translate,
    unread,
    wish,
    with_amounts,
    with_list,
    with_times,
    yes,
)
from orderctl.model.regions import placed
from orderctl.model.schema import PROBLEM
from orderctl.ports.platforms.pdd.recipients import privacy, readable, sealed
from orderctl.ports.tables.layout import Layout

FORMAT = "pdd/export-csv"
COLUMNS: dict[str, tuple[str, ...]] = {
    "订单号": ("订单编号",),
    "订单状态": (),
    "商品": ("商品名称", "商品标题"),
    "商品总价": (),
    "店铺优惠折扣": ("商家优惠折扣", "店铺优惠"),
    "平台优惠折扣": ("平台优惠",),
    "多多支付立减金额": ("多多支付立减",),
    "邮费": ("运费",),
    "上门安装费": (),
    "送货入户费": (),
    "送货入户并安装费": (),
    "用户实付金额": ("实付金额",),
    "商家实收金额": (),
    "商品数量": ("数量",),
    "收货人": ("收件人", "收货人姓名"),
    "手机": ("联系电话", "收货人手机", "手机号"),
    "省": ("省份",),
    "市": ("城市",),
    "区": ("区县",),
    "街道": ("街道/镇", "街道镇"),
    "详细地址": ("收货地址", "地址"),
    "是否审核中": (),
    "支付时间": ("付款时间",),
    "承诺发货时间": (),
    "承诺送达时间": (),
    "发货时间": (),
    "确认收货时间": (),
    "商品id": (),
    "商品规格": ("规格",),
    "样式ID": ("skuid",),
    "商家编码-规格维度": ("商家编码", "规格编码"),
    "商家编码-商品维度": ("商品编码",),
    "商家备注": ("备注",),
    "买家留言": ("留言",),
    "售后状态": (),
    "快递单号": ("运单号",),
    "快递公司": (),
    "赠品名称": (),
    "赠品id": (),
    "赠品规格": (),
    "赠品数量": (),
    "订单成交时间": ("成交时间", "下单时间"),
    "是否抽奖或0元试用": ("是否抽奖",),
    "是否顺丰加价": (),
    "是否门店自提": (),
    "预约配送时间": (),
    "支付方式": (),
    "仓库名称": (),
    **dict.fromkeys(
        ("商品一级类目", "商品二级类目", "商品三级类目", "商品四级类目", "团ID", "团身份", "支付ID"), ()
    ),
}
LAYOUTS = (
    Layout(
        format=FORMAT,
        platform="pdd",
        columns=COLUMNS,
        needs=("订单号", "订单状态", "商品总价", "用户实付金额"),
        order="订单号",
        ids=("订单号",),
        codes=("商品id", "样式ID", "赠品id"),
        times=("支付时间", "承诺发货时间", "发货时间", "确认收货时间", "订单成交时间"),
        notes=("商家备注", "买家留言"),
    ),
)

STATUS = {
    "待付款": "wait_pay",
    "待支付": "wait_pay",
    "待发货": "wait_ship",
    "待成团": "wait_ship",
    "已发货待签收": "shipped",
    "已发货": "shipped",
    "已签收": "completed",
    "已收货": "completed",
    "交易成功": "completed",
    "未发货退款成功": "closed",
    "已发货退款成功": "closed",
    "已签收退款成功": "closed",
    "退款成功": "closed",
    "已取消": "closed",
    "交易已取消": "closed",
}
AFTER_SALE = {
    "无售后或售后取消": "none",
    "无售后": "none",
    "售后取消": "none",
    "售后关闭": "none",
    "售后处理中": "requested",
    "待商家处理": "requested",
    "退款中": "requested",
    "退款成功": "refunded",
}
_AMOUNTS = {
    "goods_minor": "商品总价",
    "discount_seller_minor": "店铺优惠折扣",
    "by_platform": "平台优惠折扣",
    "by_payment": "多多支付立减金额",
    "postage_minor": "邮费",
    "fitting": "上门安装费",
    "indoors": "送货入户费",
    "both": "送货入户并安装费",
    "total_minor": "用户实付金额",
}
_TIMES = {"ordered": "订单成交时间", "paid_at": "支付时间", "ship_by": "承诺发货时间"}
_MONEY = (
    *("goods_minor", "postage_minor", "tax_added_minor", "adjust_minor", "discount_seller_minor"),
    *("discount_platform_minor", "total_minor", "received_minor", "due_minor"),
)


def _head(name: str) -> pl.Expr:
    return payload("head").struct.field(name)


def _word(name: str) -> pl.Expr:
    """Give a state without the commas that come in either width, or not at all."""
    return given(_head(name)).str.replace_all(r"[，,、\s]", "")


def _status(frame: pl.DataFrame) -> pl.DataFrame:
    # what we do not know is treated as waiting and held, and an unknown after-sale state as an open request
    after = pl.col("after_sale")
    refund = translate(after, AFTER_SALE).fill_null(pl.when(after.is_not_null()).then(pl.lit("requested")))
    read = frame.with_columns(
        state=_word("订单状态"), after_sale=_word("售后状态"), pieces=count(given(_head("商品数量")))
    )
    return read.with_columns(
        status=translate(pl.col("state"), STATUS).fill_null("wait_ship"), after=refund.fill_null("none")
    )


def _counted(pieces: pl.Expr) -> dict[str, pl.Expr]:
    """Give what became of so many pieces: a refund is of the order, and so is what left."""
    gone = pl.col("status").is_in(["shipped", "completed"]) | pl.col("state").str.starts_with("已发货")
    back = (pl.col("status") == "closed") & (pl.col("after") == "refunded")
    back |= pl.col("state").str.contains("退款成功")
    none = pl.lit(0, dtype=pl.Int64)
    refunded = pl.when(back).then(pieces).otherwise(none)
    shipped = pl.when(gone).then(pieces).otherwise(none)
    goes = pl.col("status").is_in(["wait_pay", "wait_ship"])
    return {
        "quantity": pieces,
        "quantity_refunded": refunded,
        "quantity_shipped": shipped,
        "quantity_to_ship": to_ship(pieces, refunded, shipped, goes),
        "refund": pl.when(back).then(pl.lit("refunded")).otherwise(pl.col("after")),
    }


def _lines(frame: pl.DataFrame) -> pl.Series:
    """Give the column `lines`: the one line of an order and, where there is one, its gift; the file numbers neither."""
    quantity = pl.col("pieces").fill_null(0)
    even = (quantity > 0) & (pl.col("goods_minor") % quantity == 0)
    goods = line(
        line_ref=pl.lit("1"),
        platform_sku=given(_head("样式ID")),
        item_ref=given(_head("商品id")),
        merchant_code=pl.coalesce(given(_head("商家编码-规格维度")), given(_head("商家编码-商品维度"))),
        title=given(_head("商品")),
        spec=given(_head("商品规格")),
        unit_price_minor=pl.when(even).then(pl.col("goods_minor") // quantity),
        paid_minor=pl.col("total_minor") - pl.col("postage_minor").fill_null(0) - pl.col("adjust_minor"),
        **_counted(quantity),
    )
    gift = line(
        line_ref=pl.lit("2"),
        item_ref=given(_head("赠品id")),
        title=given(_head("赠品名称")),
        spec=given(_head("赠品规格")),
        paid_minor=pl.lit(0),
        kind=pl.lit("gift"),
        parent_line_ref=pl.lit("1"),
        **_counted(count(given(_head("赠品数量"))).fill_null(1)),
    )
    numbered = frame.with_row_index("row")
    with_gift = numbered.filter(given(_head("赠品名称")).is_not_null())
    both = pl.concat(
        [numbered.select("row", goods.alias("line")), with_gift.select("row", gift.alias("line"))]
    )
    gathered = both.sort("row", maintain_order=True).group_by("row", maintain_order=True)
    return gathered.agg(lines="line")["lines"].cast(LINES)


def _recipients(frame: pl.DataFrame) -> pl.Series:
    where = frame.select(province=_head("省"), city=_head("市"), district=_head("区"), town=_head("街道"))
    name, phone, street = (given(_head(n)) for n in ("收货人", "手机", "详细地址"))
    hidden = privacy(name, phone, street)
    ours = recipient(
        name=readable(name),
        phone=readable(phone),
        country=pl.lit("CN"),
        **{part: pl.col(part) for part in ("province", "province_code", "city", "district", "town")},
        street=readable(street),
        privacy=hidden,
        sealed=pl.when(hidden == "sealed").then(sealed(name=name, phone=phone, address=street)),
    )
    return frame.select("payload").hstack(placed(where)).select(recipient=ours)["recipient"]


def _holds() -> list[Entry]:
    state = pl.col("state")
    return [
        (~state.is_in(list(STATUS)).fill_null(False), hold("unknown_status", state)),
        (state == "待成团", hold("group_buy", state)),
        (yes(_head("是否审核中")), hold("risk_review", "是否审核中")),
        (yes(_head("是否门店自提")), hold("no_parcel", "是否门店自提")),
    ]


def _problems() -> list[Entry]:
    state, after = pl.col("state"), pl.col("after_sale")
    read = {name: (_head(text), name) for name, text in _AMOUNTS.items()}
    ours = {"by_platform": "discount_platform_minor", "by_payment": "discount_platform_minor"}
    fees = dict.fromkeys(("fitting", "indoors", "both"), "adjust_minor")
    named = [unread("amount_unreadable", {{**ours, **fees}.get(n, n): pair}) for n, pair in read.items()]
    times = {"placed_at": (_head("订单成交时间"), "ordered")}
    times |= {name: (_head(_TIMES[name]), name) for name in ("paid_at", "ship_by")}
    return [
        *[entry for entries in named for entry in entries],
        *unread("time_unreadable", times),
        (pl.col("pieces").is_null(), finding("amount_unreadable", "lines.quantity")),
        (~state.is_in(list(STATUS)).fill_null(False), finding("unknown_value", "订单状态", state)),
        (~after.is_in(list(AFTER_SALE)), finding("unknown_value", "售后状态", after)),
    ]


def _to_orders(frame: pl.DataFrame) -> pl.DataFrame:
    known = _status(frame.select(*ENVELOPE, "payload"))
    known = with_amounts(known, {name: _head(text) for name, text in _AMOUNTS.items()})
    known = with_times(known, {name: _head(text) for name, text in _TIMES.items()}, BEIJING)
    known = with_times(
        known,
        {"day": _head("订单号").str.replace(r"^(\d\d)(\d\d)(\d\d)-.*$", "20${1}-${2}-${3} 00:00:00")},
        BEIJING,
    )
    unpaid, booked = pl.col("status") == "wait_pay", given(_head("预约配送时间"))
    cancelled = (pl.col("status") == "closed") & pl.col("paid_at").is_null()
    received = pl.when(unpaid | cancelled).then(0).otherwise("total_minor")
    fees = pl.sum_horizontal(
        "fitting", "indoors", "both"
    )  # services the buyer pays for; a missing one is none
    known = known.with_columns(
        platform_ref=pl.coalesce(given(_head("订单号")), "platform_ref"),
        adjust_minor=fees,
        discount_platform_minor=pl.col("by_platform") + pl.col("by_payment").fill_null(0),
        tax_added_minor=pl.lit(0, dtype=pl.Int64),
    )
    known = known.with_columns(
        _recipients(known),
        _lines(known),
        currency=pl.lit("CNY"),
        payment=pl.lit("prepaid"),
        refund_open=pl.col("after") == "requested",
        # orders of a draw may have no time, but their number begins with the day
        placed_at=pl.coalesce("ordered", "day"),
        received_minor=received,
        due_minor=pl.when(pl.col("status") == "closed").then(0).otherwise(pl.col("total_minor") - received),
        buyer_note=note(_head("买家留言")),
        seller_note=note(_head("商家备注")),
        tags=pl.when(yes(_head("是否抽奖或0元试用"))).then(pl.lit(["lottery"])).otherwise(pl.lit([], dtype=pl.List(pl.String))),
    )  # fmt: skip
    known = with_list(known, "holds", _holds(), HOLD)
    known = with_list(known, "problems", _problems(), PROBLEM)
    wishes = [
        (yes(_head("是否顺丰加价")), wish("courier", pl.lit("SF"), pl.lit("是否顺丰加价"))),
        (booked.is_not_null(), wish("deliver_on", booked, booked)),
    ]
    return finish(with_list(known, "wishes", wishes, WISH))


MAPPER = Mapper(
    FORMAT, pl.Struct({"head": pl.Struct(dict.fromkeys(COLUMNS, pl.String()))}), _to_orders, _MONEY
)
