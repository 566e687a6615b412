"""Taobao's and Tmall's exports of sold goods: an order report and an item report, joined by the order's number.

Yuan, Beijing time; recipients are masked. Discounts are not told as such: they are what lies between the prices of
the items and what is due for them.
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
    line,
    note,
    payload,
    privacy,
    recipient,
    to_ship,
    translate,
    unread,
    wish,
    with_amounts,
    with_list,
    with_times,
)
from orderctl.model.regions import split_addresses
from orderctl.model.schema import PROBLEM
from orderctl.ports.platforms.taobao.export_columns import FORMAT, HEAD, LINE
from orderctl.ports.platforms.taobao.export_columns import LAYOUTS as LAYOUTS
from orderctl.ports.platforms.taobao.mapper import FLAGS as NUMBERED_FLAGS

STATUS = {
    "等待买家付款": "wait_pay",
    "买家已付款等待卖家发货": "wait_ship",
    "等待卖家发货": "wait_ship",
    "卖家部分发货": "partly_shipped",
    "卖家已发货等待买家确认": "shipped",
    "等待买家确认收货": "shipped",
    "交易成功": "completed",
    "交易关闭": "closed",
    "付款后交易关闭": "closed",
    "付款前交易关闭": "closed",
}
REFUND = {
    **dict.fromkeys(["没有申请退款", "无退款", "未申请退款", "退款关闭"], "none"),
    **dict.fromkeys(["退款成功", "已退款"], "refunded"),
    **dict.fromkeys(["买家已经申请退款等待卖家同意", "卖家已经同意退款等待买家退货"], "requested"),
    **dict.fromkeys(["买家已经退货等待卖家确认收货", "卖家拒绝退款", "退款中", "退款处理中"], "requested"),
}
FLAGS = {
    "红": "red",
    "橙": "orange",
    "黄": "yellow",
    "绿": "green",
    "蓝": "blue",
    "紫": "purple",
    "灰": "grey",
}
_OPEN = ("wait_pay", "wait_ship", "partly_shipped")
_UNPAID = "未付|未支付|待付"
_AMOUNTS = {
    "due_goods": "买家应付货款",
    "postage_minor": "买家应付邮费",
    "total": "总金额",
    "paid": "买家实际支付金额",
    "refunded_minor": "退款金额",
}
_TIMES = {"placed_at": "订单创建时间", "paid_at": "订单付款时间", "ship_by": "应发货时间"}
_MONEY = (
    *("goods_minor", "postage_minor", "tax_added_minor", "adjust_minor", "discount_seller_minor"),
    *("discount_platform_minor", "total_minor", "received_minor", "due_minor", "refunded_minor"),
)


def _head(name: str) -> pl.Expr:
    return payload("head").struct.field(name)


def _word(text: pl.Expr) -> pl.Expr:
    """Give a state without the commas that come in either width, or not at all."""
    return given(text).str.replace_all(r"[，,、\s]", "")


def _lines(frame: pl.DataFrame) -> pl.DataFrame:
    """Give a row per line, its texts read, with what it must know of its order."""
    found = frame.select(
        "row", "platform_ref", "total_minor", "postage_minor", order_status="status", source=payload("lines")
    ).filter(pl.col("source").list.len() > 0)
    found = found.with_columns(pieces=pl.col("source").list.len()).explode("source").unnest("source")
    read = {
        "unit": "价格",
        "line_paid": "买家实际支付金额",
        "line_due": "买家应付货款",
        "line_back": "退款金额",
    }
    found = with_amounts(found, {name: pl.col(text) for name, text in read.items()})
    asked = _word(pl.col("退款状态"))
    state = translate(_word(pl.col("订单状态")), STATUS)
    return found.with_columns(
        place=pl.int_range(1, pl.len() + 1).over("row"),
        ordered=count(pl.col("购买数量")),
        state=pl.coalesce(state, "order_status"),
        strange_refund=pl.when(~asked.is_in(list(REFUND))).then(asked),
        refund=pl.when(state == "closed").then(pl.lit("refunded"))
        # an answer we do not know is taken for an open request: nothing leaves
        .when(asked.is_not_null()).then(translate(asked, REFUND).fill_null("requested"))
        .otherwise(pl.lit("none")),
    ).with_columns(quantity=pl.col("ordered").fill_null(0))  # fmt: skip


def _share(column: str) -> pl.Expr:
    """Give a line's part of the order, without postage, where the parts of all lines are the order.

    What stands at the only line of an order holds the postage, as at the API; among several it does not.
    """
    value, postage = pl.col(column), pl.col("postage_minor").fill_null(0)
    with_postage = (pl.col("pieces") == 1) & (value == pl.col("total_minor"))
    part = pl.when(with_postage).then(value - postage).otherwise(value)
    whole = (pl.col("total_minor") - postage).first().over("row")
    return pl.when(part.sum().over("row") == whole).then(part)


def _gathered(lines: pl.DataFrame) -> pl.DataFrame:
    """Give a row per order: its `lines` in our words, and the sums and findings over them.

    A line's part of the order is what was paid for it, and while nothing was, what is due; null where these do not
    add up. A line without a price, for which nothing is due, is a gift.
    """
    quantity = pl.col("quantity")
    refunded = pl.when(pl.col("refund") == "refunded").then(quantity).otherwise(0)
    shipped = pl.when(pl.col("state").is_in(["shipped", "completed"])).then(quantity).otherwise(0)
    free = (pl.col("unit") == 0) & (pl.coalesce("line_due", "line_paid").fill_null(0) == 0)
    numbered = pl.concat_str("platform_ref", pl.col("place").cast(pl.String), separator="-")
    # a line without a number of its own: the only one of an order carries the order's
    fallback = pl.when(pl.col("pieces") == 1).then("platform_ref").otherwise(numbered)
    ours = line(
        line_ref=pl.coalesce(given(pl.col("子订单编号")), fallback),
        item_ref=given(pl.col("商品ID")),
        merchant_code=pl.coalesce(given(pl.col("外部系统编号")), given(pl.col("商家编码"))),
        title=given(pl.col("标题")),
        spec=given(pl.col("商品属性")),
        quantity=quantity,
        quantity_refunded=refunded,
        quantity_shipped=shipped,
        quantity_to_ship=to_ship(quantity, refunded, shipped, pl.col("order_status").is_in(_OPEN)),
        unit_price_minor=pl.col("unit"),
        paid_minor=pl.coalesce(_share("line_paid"), _share("line_due")),
        refund=pl.col("refund"),
        kind=pl.when(free.fill_null(False)).then(pl.lit("gift")).otherwise(pl.lit("goods")),
    )
    rows = lines.select(
        "row", "strange_refund", line=ours,
        price=pl.col("unit") * pl.col("ordered"),
        state=translate(_word(pl.col("订单状态")), STATUS),
        asks=pl.col("refund") == "requested",
        partial=pl.col("state") == "partly_shipped",
        created=given(pl.col("订单创建时间")), settled=given(pl.col("订单付款时间")),
        bad_quantity=pl.col("ordered").is_null(),
        bad_unit=given(pl.col("价格")).is_not_null() & pl.col("unit").is_null(),
    )  # fmt: skip
    return rows.group_by("row", maintain_order=True).agg(
        lines=pl.col("line"),
        goods_minor=pl.when(pl.col("price").null_count() == 0).then(pl.col("price").sum()),
        strange_refund=pl.col("strange_refund").drop_nulls().first(),
        refund_open=pl.col("asks").any(),
        partial=pl.col("partial").any(),
        bad_quantity=pl.col("bad_quantity").any(),
        bad_unit=pl.col("bad_unit").any(),
    )


def _read(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the orders with their texts read; without an order report the rows of the items tell state and times."""
    items = payload("lines").list

    def of_items(name: str) -> pl.Expr:
        return items.eval(given(pl.element().struct.field(name))).list.drop_nulls().list.first()

    own_number = pl.coalesce(given(_head("订单编号")), of_items("订单编号"), "platform_ref")
    found = frame.select(
        *(name for name in ENVELOPE if name != "platform_ref"),
        "payload",
        platform_ref=own_number,
        row=pl.int_range(pl.len(), dtype=pl.UInt32),
        word=_word(pl.coalesce(given(_head("订单状态")), of_items("订单状态"))),
        created=pl.coalesce(given(_head("订单创建时间")), of_items("订单创建时间")),
        settled=pl.coalesce(given(_head("订单付款时间")), of_items("订单付款时间")),
        # a new address stands beside the old one
        address=pl.coalesce(given(_head("修改后的收货地址")), given(_head("收货地址"))),
    )
    found = with_amounts(found, {name: _head(text) for name, text in _AMOUNTS.items()})
    times = {"placed_at": pl.col("created"), "paid_at": pl.col("settled"), "ship_by": _head("应发货时间")}
    found = with_times(found, times, BEIJING)
    return found.with_columns(
        status=translate(pl.col("word"), STATUS).fill_null("wait_ship"),
        total_minor=pl.coalesce("total", "paid"),
    )


def _money(frame: pl.DataFrame) -> pl.DataFrame:
    cod = _head("运送方式").str.contains("货到付款", literal=True).fill_null(False)
    gap = pl.col("goods_minor") - pl.col("due_goods")
    stages, paid = given(_head("分阶段订单信息")), pl.col("paid")
    deposit = stages.str.contains(_UNPAID).fill_null(False)
    nothing_paid = (pl.col("status") == "wait_pay") | (cod & (pl.col("status") != "completed"))
    received = (
        pl.when(deposit & ~stages.str.contains("定金(?:未|待)"))
        .then(pl.when(paid > 0).then(paid))  # a deposit whose amount the file does not tell is not nothing
        .when(nothing_paid)
        .then(0)
        .otherwise(paid)
    )
    total, zero = pl.col("total_minor"), pl.lit(0, dtype=pl.Int64)
    return frame.with_columns(
        discount_seller_minor=gap.clip(lower_bound=0),
        adjust_minor=(-gap).clip(lower_bound=0),  # the seller raised the price
        discount_platform_minor=zero,
        tax_added_minor=zero,
        received_minor=received,
        due_minor=pl.when(pl.col("status") == "closed")
        .then(0)
        .otherwise((total - received).clip(lower_bound=0)),
        payment=pl.when(cod)
        .then(pl.lit("cod"))
        .when(deposit)
        .then(pl.lit("deposit"))
        .otherwise(pl.lit("prepaid")),
    )


def _recipients(frame: pl.DataFrame) -> pl.Series:
    parts = split_addresses(frame["address"])
    name, mobile = given(_head("收货人姓名")), given(_head("联系手机"))
    virtual = r"^(1\d{10})-(\d{1,6})$"  # a privacy number with its extension
    there = pl.col("address").is_not_null() | name.is_not_null()
    ours = recipient(
        name=name,
        phone=pl.coalesce(mobile.str.extract(virtual, 1), mobile, given(_head("联系电话"))),
        phone_ext=mobile.str.extract(virtual, 2),
        country=pl.when(there).then(pl.lit("CN")),
        **{
            n: pl.col(n)
            for n in ("province", "province_code", "city", "district", "town", "street", "postcode")
        },
        original=pl.col("address"),
        privacy=privacy(name, mobile, pl.col("address")),
    )
    return frame.select("payload", "address").hstack(parts).select(recipient=ours)["recipient"]


def _flag() -> pl.Expr:
    """Give the colour of the flag: by its Chinese name or by the number of the API; another word as it stands."""
    text = given(_head("备注标签"))
    named = translate(text.str.extract(f"([{''.join(FLAGS)}])", 1), FLAGS)
    return pl.coalesce(named, translate(text, NUMBERED_FLAGS), text)


def _holds() -> list[Entry]:
    word, stages, trouble = pl.col("word"), given(_head("分阶段订单信息")), given(_head("异常信息"))
    return [
        (~word.is_in(list(STATUS)).fill_null(False), hold("unknown_status", word)),
        (stages.str.contains(_UNPAID), hold("presale", stages)),
        (trouble.is_not_null(), hold("abnormal", trouble)),
        (pl.col("partial"), hold("shipped_quantity_unknown", word)),
    ]


def _problems() -> list[Entry]:
    ours = {"due_goods": "discount_seller_minor", "total": "total_minor", "paid": "received_minor"}
    found = [unread("amount_unreadable", {ours.get(n, n): (_head(text), n)}) for n, text in _AMOUNTS.items()]
    times = {
        "placed_at": (pl.col("created"), "placed_at"),
        "paid_at": (pl.col("settled"), "paid_at"),
        "ship_by": (_head("应发货时间"), "ship_by"),
    }
    word = pl.col("word")
    return [
        *[entry for entries in found for entry in entries],
        *unread("time_unreadable", times),
        (pl.col("bad_quantity"), finding("amount_unreadable", "lines.quantity")),
        (pl.col("bad_unit"), finding("amount_unreadable", "lines.unit_price_minor")),
        (~word.is_in(list(STATUS)).fill_null(False), finding("unknown_value", "订单状态", word)),
        (
            pl.col("strange_refund").is_not_null(),
            finding("unknown_value", "退款状态", pl.col("strange_refund")),
        ),
    ]


def _to_orders(frame: pl.DataFrame) -> pl.DataFrame:
    base = _read(frame)
    nick, invoice = given(_head("买家会员名")), given(_head("发票抬头"))
    known = _money(
        base.join(_gathered(_lines(base)), on="row", how="left", maintain_order="left")
    ).with_columns(
        _recipients(base),
        currency=pl.lit("CNY"),
        refund_open=pl.col("refund_open").fill_null(False),
        buyer_ref=pl.when(~nick.str.contains(r"\*")).then(nick),
        buyer_note=note(_head("买家留言")),
        seller_note=note(_head("订单备注")),
        seller_flag=_flag(),
    )
    known = with_list(known, "holds", _holds(), HOLD)
    known = with_list(known, "problems", _problems(), PROBLEM)
    wishes = [(invoice.is_not_null(), wish("invoice", invoice, invoice))]
    return finish(with_list(known, "wishes", wishes, WISH))


MAPPER = Mapper(
    FORMAT,
    pl.Struct(
        {
            "head": pl.Struct(dict.fromkeys(HEAD, pl.String())),
            "lines": pl.List(pl.Struct(dict.fromkeys(LINE, pl.String()))),
        }
    ),
    _to_orders,
    _MONEY,
)
