"""The order export of Kuaishou's back office: one row is one order, one order is one article. Yuan, Beijing time.

No public file could be read, so every heading is looked for under the names sellers' programs know it by. Gifts,
ciphertexts and the id of the address are not in it. Discounts are not told as such: they are what lies between the
price of the goods and what is paid for them.

Source: common knowledge of the back office, as collected in the project's fact sheet (November 2026).
"""

from __future__ import annotations

import polars as pl

from orderctl.model.instant import BEIJING
from orderctl.model.mapper import (
    ENVELOPE,
    HOLD,
    LINES,
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
    with_amounts,
    with_list,
    with_times,
)
from orderctl.model.regions import placed, split_addresses
from orderctl.model.schema import PROBLEM
from orderctl.ports.tables.layout import Layout

FORMAT = "kuaishou/export-csv"
COLUMNS: dict[str, tuple[str, ...]] = {
    "订单编号": ("订单号",),
    "订单创建时间": ("下单时间", "创建时间"),
    "订单支付时间": ("支付时间", "付款时间"),
    "承诺发货时间": ("最晚发货时间",),
    "发货时间": (),
    "订单状态": (),
    "实付款": ("实付金额", "实付款(元)"),
    "运费": ("快递费", "邮费"),
    "商品名称": ("商品标题",),
    "商品规格": ("规格", "规格名称"),
    "商品ID": ("商品编号",),
    "SKU编码": ("商家编码", "规格编码", "SKU商家编码"),
    "商品单价": ("单价", "商品价格"),
    "成交数量": ("数量", "购买数量", "商品数量"),
    "退款状态": ("售后状态",),
    "买家留言": ("留言",),
    "订单备注": ("卖家备注", "商家备注", "备注"),
    "收货人姓名": ("收货人", "收件人", "收件人姓名"),
    "收货人电话": ("收货电话", "收件人电话", "收货人手机号", "手机号"),
    "收货地址": ("收件地址", "详细地址"),
    "省": ("省份",),
    "市": ("城市",),
    "区": ("区县",),
    "街道": ("乡镇街道",),
    "快递公司": ("物流公司",),
    "快递单号": ("运单号", "物流单号"),
    "渠道": (),
    "推广者ID": (),
}
LAYOUTS = (
    Layout(
        format=FORMAT,
        platform="kuaishou",
        columns=COLUMNS,
        needs=("订单编号", "订单创建时间", "订单状态", "实付款", "商品名称", "成交数量"),
        order="订单编号",
        ids=("订单编号",),
        codes=("商品ID", "快递单号", "推广者ID"),
        times=("订单创建时间", "订单支付时间", "承诺发货时间", "发货时间"),
        notes=("买家留言", "订单备注"),
    ),
)

STATUS = {
    **dict.fromkeys(["待付款", "待支付"], "wait_pay"),
    "待发货": "wait_ship",
    "部分发货": "partly_shipped",
    **dict.fromkeys(["已发货", "待收货", "已收货"], "shipped"),
    **dict.fromkeys(["交易成功", "已完成"], "completed"),
    **dict.fromkeys(["交易关闭", "交易失败", "已关闭", "已取消"], "closed"),
}
REFUND = {
    **dict.fromkeys(["无售后", "无退款", "无", "售后关闭", "退款关闭", "售后取消", "商家拒绝", "商家已拒绝"], "none"),
    **dict.fromkeys(["退款成功", "售后成功", "售后完成", "已退款"], "refunded"),
    **dict.fromkeys(["售后中", "退款中", "售后处理中", "待商家处理", "待买家退货", "待商家收货", "平台介入"], "requested"),
}  # fmt: skip
_GONE = ("shipped", "completed")
_OPEN = ("wait_pay", "wait_ship", "partly_shipped")
_AMOUNTS = {"total_minor": "实付款", "postage_minor": "运费", "unit": "商品单价"}
_TIMES = {"placed_at": "订单创建时间", "paid_at": "订单支付时间", "ship_by": "承诺发货时间"}
_MONEY = (
    *("goods_minor", "postage_minor", "tax_added_minor", "adjust_minor", "discount_seller_minor"),
    *("discount_platform_minor", "total_minor", "received_minor", "due_minor", "refunded_minor"),
)


def _head(name: str) -> pl.Expr:
    return payload("head").struct.field(name)


def _read(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the orders with their texts read: amounts, times, states, quantities."""
    found = with_amounts(
        frame.select(*ENVELOPE, "payload"), {name: _head(text) for name, text in _AMOUNTS.items()}
    )
    found = with_times(found, {name: _head(text) for name, text in _TIMES.items()}, BEIJING)
    asked = given(_head("退款状态"))
    # what we do not know is treated as waiting and held, and an unknown after-sale state as an open request
    return found.with_columns(
        state=given(_head("订单状态")),
        asked=asked,
        pieces=count(_head("成交数量")),
        refund=translate(asked, REFUND)
        .fill_null(pl.when(asked.is_not_null()).then(pl.lit("requested")))
        .fill_null("none"),
    ).with_columns(
        status=translate(pl.col("state"), STATUS).fill_null("wait_ship"),
        quantity=pl.col("pieces").fill_null(0),
    )


def _money(frame: pl.DataFrame) -> pl.DataFrame:
    goods, total, postage = pl.col("unit") * pl.col("pieces"), pl.col("total_minor"), pl.col("postage_minor")
    gap = goods - (total - postage)
    unpaid = pl.col("paid_at").is_null() & pl.col("status").is_in(["wait_pay", "closed"])
    received = pl.when(unpaid).then(0).otherwise(total)
    return frame.with_columns(
        goods_minor=goods,
        discount_seller_minor=gap.clip(lower_bound=0),  # paid more than they cost: left not adding up
        discount_platform_minor=pl.lit(0, dtype=pl.Int64),
        tax_added_minor=pl.lit(0, dtype=pl.Int64),
        adjust_minor=pl.lit(0, dtype=pl.Int64),
        received_minor=received,
        # an order ends so when all of it was paid back; how much of any other was, is not told
        refunded_minor=pl.when((pl.col("status") == "closed") & (pl.col("refund") == "refunded")).then(received),
        due_minor=pl.when(pl.col("status") == "closed")
        .then(0)
        .otherwise((total - received).clip(lower_bound=0)),
    )  # fmt: skip


def _line() -> pl.Expr:
    quantity, status, refund = pl.col("quantity"), pl.col("status"), pl.col("refund")
    refunded = pl.when(refund == "refunded").then(quantity).otherwise(0)
    shipped = pl.when(status.is_in(_GONE)).then(quantity).otherwise(0)
    return line(
        line_ref=pl.col("platform_ref"),
        item_ref=given(_head("商品ID")),
        merchant_code=given(_head("SKU编码")),
        title=given(_head("商品名称")),
        spec=given(_head("商品规格")),
        quantity=quantity,
        quantity_refunded=refunded,
        quantity_shipped=shipped,
        quantity_to_ship=to_ship(quantity, refunded, shipped, status.is_in(_OPEN)),
        unit_price_minor=pl.col("unit"),
        paid_minor=pl.col("total_minor") - pl.col("postage_minor"),
        refund=refund,
    )


def _recipients(frame: pl.DataFrame) -> pl.Series:
    """Build the recipients: regions in columns of their own, or at the head of the address."""
    own = {"province": "省", "city": "市", "district": "区", "town": "街道"}
    address = frame.select("payload", text=given(_head("收货地址")), apart=given(_head("省")).is_not_null())
    parts = split_addresses(address["text"])
    columns = placed(address.select(**{name: _head(text) for name, text in own.items()}))
    regions = address.hstack(parts).hstack(columns.rename({n: f"own_{n}" for n in columns.columns}))
    name, phone = given(_head("收货人姓名")), given(_head("收货人电话"))
    virtual = r"^(1\d{10})-(\d{1,6})$"  # a privacy number with its extension
    street = pl.when("apart").then("text").otherwise("street")
    there = name.is_not_null() | phone.is_not_null() | pl.col("text").is_not_null()
    ours = recipient(
        name=name,
        phone=pl.coalesce(phone.str.extract(virtual, 1), phone),
        phone_ext=phone.str.extract(virtual, 2),
        country=pl.when(there).then(pl.lit("CN")),
        **{part: pl.when("apart").then(f"own_{part}").otherwise(part) for part in columns.columns},
        street=pl.when(~street.str.contains(r"^\*+$")).then(street),
        postcode=pl.when(~pl.col("apart")).then("postcode"),
        original=pl.when(~pl.col("apart")).then("text"),
        privacy=privacy(name, phone, pl.col("text")),
    )
    return regions.select(recipient=ours)["recipient"]


def _holds() -> list[Entry]:
    state = pl.col("state")
    return [
        (~state.is_in(list(STATUS)).fill_null(False), hold("unknown_status", state)),
        (state == "部分发货", hold("shipped_quantity_unknown", state)),
    ]


def _problems() -> list[Entry]:
    state, asked = pl.col("state"), pl.col("asked")
    ours = {"unit": "lines.unit_price_minor"}
    amounts = [
        unread("amount_unreadable", {ours.get(n, n): (_head(text), n)}) for n, text in _AMOUNTS.items()
    ]
    return [
        *[entry for entries in amounts for entry in entries],
        *unread("time_unreadable", {name: (_head(text), name) for name, text in _TIMES.items()}),
        (pl.col("pieces").is_null(), finding("amount_unreadable", "lines.quantity")),
        (~state.is_in(list(STATUS)).fill_null(False), finding("unknown_value", "订单状态", state)),
        (~asked.is_in(list(REFUND)), finding("unknown_value", "退款状态", asked)),
    ]  # fmt: skip


def _to_orders(frame: pl.DataFrame) -> pl.DataFrame:
    base = _read(frame).with_columns(platform_ref=pl.coalesce(given(_head("订单编号")), "platform_ref"))
    over = pl.col("status").is_in(["completed", "closed"])
    known = _money(base).with_columns(
        _recipients(base),
        lines=pl.concat_list(_line()).cast(LINES),
        currency=pl.lit("CNY"),
        payment=pl.lit("prepaid"),
        refund_open=(pl.col("refund") == "requested") & ~over,
        buyer_note=note(_head("买家留言")),
        seller_note=note(_head("订单备注")),
    )
    known = with_list(known, "holds", _holds(), HOLD)
    return finish(with_list(known, "problems", _problems(), PROBLEM))


MAPPER = Mapper(
    FORMAT, pl.Struct({"head": pl.Struct(dict.fromkeys(COLUMNS, pl.String()))}), _to_orders, _MONEY
)
