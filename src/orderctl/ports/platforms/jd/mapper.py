"""JD's orders as the classic gateway gives them, in our words. Times are Beijing wall clock, amounts yuan as text.

Source: JOS descriptions of jingdong.pop.order.search and .get, as collected in the project's fact sheet (2026-11).
"""

from __future__ import annotations

import polars as pl

from orderctl.model.instant import BEIJING, from_epoch
from orderctl.model.mapper import (
    ENVELOPE,
    HOLD,
    WISH,
    Entry,
    Mapper,
    count,
    exact,
    finding,
    finish,
    given,
    hold,
    note,
    payload,
    texts,
    translate,
    unread,
    wish,
    with_amounts,
    with_list,
    with_times,
)
from orderctl.model.schema import PROBLEM
from orderctl.ports.platforms.jd.addressees import with_recipients
from orderctl.ports.platforms.jd.lines import OF_ORDER, gather_lines, items_of
from orderctl.ports.platforms.jd.states import (
    ANY_TIME,
    LOCKED,
    MONEY,
    NO_INVOICE,
    OTHER_WAY,
    PAUSED,
    STATUS,
    with_money,
)

FORMAT = "jd/order"
_LINE = pl.Struct(texts("skuId wareId outerSkuId skuName jdPrice itemTotal"))
_ORDER = pl.Struct(
    {
        **texts(
            "orderId payType orderState orderTotalPrice orderSellerPrice sellerDiscount freightPrice orderPayment"
            " balanceUsed orderStartTime paymentConfirmTime modified orderRemark venderRemark deliveryType invoiceInfo"
            " pin open_id_buyer xid_buyer logisticsId waybill storeOrder scDT"
        ),
        "consigneeInfo": pl.Struct(
            texts("fullname mobile telephone province city county town fullAddress oaid")
        ),
        "invoiceEasyInfo": pl.Struct(texts("invoiceTitle")),
        "itemInfoList": pl.List(_LINE),
        "couponDetailList": pl.List(pl.Struct(texts("skuId couponPrice"))),
        "partialLogisticsInfoModel": pl.List(pl.Struct(texts("shipmentId waybillId"))),
    }
)
_AMOUNTS = {
    "goods": "orderTotalPrice",
    "seller_gets": "orderSellerPrice",
    "seller_off": "sellerDiscount",
    "postage": "freightPrice",
    "pays": "orderPayment",
    "balance": "balanceUsed",
}
_OURS = {
    "goods": "goods_minor",
    "seller_gets": "discount_seller_minor",
    "seller_off": "discount_seller_minor",
    "postage": "postage_minor",
    "pays": "total_minor",
    "balance": "total_minor",
}


def _time(name: str) -> pl.Expr:
    """Give a time's text, which is the beginning of time where there is none."""
    text = given(payload(name))
    return pl.when(~text.str.starts_with("0001-01-01")).then(text)


def _promised() -> pl.Expr:
    """Give the promised ship time where it comes as milliseconds."""
    return payload("scDT").str.extract(r"^(\d{13})$", 1).cast(pl.Int64)


_TIMES = {
    "placed_at": _time("orderStartTime"),
    "paid_at": _time("paymentConfirmTime"),
    "modified": _time("modified"),
    "due": pl.when(_promised().is_null()).then(_time("scDT")),
}


def _read(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the orders with their texts read: state, amounts, times, the sums over the discounts."""
    theirs = given(payload("orderState"))
    parts = (payload("partialLogisticsInfoModel").list.len() > 0).fill_null(False)
    status = translate(theirs, STATUS)
    left = given(payload("waybill")).is_not_null() & given(payload("logisticsId")).is_not_null()
    found = frame.select(
        *ENVELOPE,
        *("payload", "facts"),
        row=pl.int_range(pl.len(), dtype=pl.UInt32).set_sorted(),
        theirs=theirs,
        known=status.is_not_null(),
        # what we do not know is treated as waiting and held, so that a person looks at it
        status=pl.when((theirs == LOCKED) & left)
        .then(pl.lit("shipped"))
        .when((status == "wait_ship") & parts)
        .then(pl.lit("partly_shipped"))
        .otherwise(status.fill_null("wait_ship")),
        cod=given(payload("payType")).str.contains(r"^1(?:-|$)|货到付款").fill_null(False),
        coupons=payload("couponDetailList")
        .list.eval(exact(pl.element().struct.field("couponPrice"), "CNY"))
        .list.sum(),
    )
    found = with_amounts(found, {name: payload(text) for name, text in _AMOUNTS.items()})
    found = with_times(found, _TIMES, BEIJING)
    off = pl.coalesce("seller_off", pl.col("goods") - pl.col("seller_gets"))
    return with_money(found.with_columns(listed=(pl.col("coupons") - off).clip(lower_bound=0)))


def _lines(frame: pl.DataFrame) -> pl.DataFrame:
    """Give a row per line, with what it must know of its order and its own discounts."""
    found = items_of(frame, "itemInfoList", "jdPrice").select(
        *OF_ORDER,
        "unit",
        sku=given(pl.col("skuId")),
        item=pl.col("wareId"),
        merchant_code=pl.col("outerSkuId"),
        title=pl.col("skuName"),
        spec=pl.lit(None, dtype=pl.String),
        price_text=pl.col("jdPrice"),
        pieces=count(pl.col("itemTotal")),
        gift=pl.lit(False),
        refund=pl.lit("none"),
        left=pl.lit(None, dtype=pl.Int64),
    )
    return found.join(
        _own_discounts(frame), on=["row", "sku"], how="left", maintain_order="left"
    ).with_columns(
        # without a discount of its own a line has none, unless some of the order's belong to no line
        off=pl.when(~pl.col("row").is_in(_shared(frame))).then(pl.col("off").fill_null(0))
    )


def _coupons(frame: pl.DataFrame) -> pl.DataFrame:
    listed = payload("couponDetailList")
    found = (
        frame.filter(listed.list.len() > 0).select("row", source=listed).explode("source").unnest("source")
    )
    return found.select("row", sku=given(pl.col("skuId")), off=exact(pl.col("couponPrice"), "CNY"))


def _own_discounts(frame: pl.DataFrame) -> pl.DataFrame:
    return _coupons(frame).drop_nulls("sku").group_by("row", "sku").agg(pl.col("off").sum())


def _shared(frame: pl.DataFrame) -> list[int]:
    """Name the orders with a discount that belongs to no line."""
    return _coupons(frame).filter(pl.col("sku").is_null())["row"].unique().to_list()


def _holds() -> list[Entry]:
    theirs, store = pl.col("theirs"), given(payload("storeOrder"))
    partly = pl.col("status") == "partly_shipped"
    return [
        (~pl.col("known"), hold("unknown_status", payload("orderState"))),
        (theirs == LOCKED, hold("locked", LOCKED)),
        (theirs.is_in(PAUSED), hold("held", theirs)),
        (theirs == OTHER_WAY, hold("no_parcel", theirs)),
        (partly, hold("shipped_quantity_unknown", "partialLogisticsInfoModel")),
        # an order of the platform's own warehouses
        (store.is_not_null() & (store != "0"), hold("fulfilled_by_platform", store)),
    ]


def _problems() -> list[Entry]:
    amounts = [
        unread("amount_unreadable", {_OURS[name]: (payload(text), name)}) for name, text in _AMOUNTS.items()
    ]
    times = {
        "placed_at": (_TIMES["placed_at"], "placed_at"),
        "paid_at": (_TIMES["paid_at"], "paid_at"),
        "updated_at": (_TIMES["modified"], "modified"),
        "ship_by": (_TIMES["due"], "due"),
    }
    return [
        *[entry for entries in amounts for entry in entries],
        *unread("time_unreadable", times),
        (pl.col("bad_quantity"), finding("amount_unreadable", "lines.quantity")),
        (pl.col("bad_unit"), finding("amount_unreadable", "lines.unit_price_minor")),
        (~pl.col("known"), finding("unknown_value", "orderState", payload("orderState"))),
    ]


def _wishes() -> list[Entry]:
    invoice, when = given(payload("invoiceInfo")), given(payload("deliveryType"))
    title = pl.coalesce(given(payload("invoiceEasyInfo").struct.field("invoiceTitle")), invoice)
    return [
        (~invoice.str.contains(NO_INVOICE), wish("invoice", title, title)),
        (~when.is_in(ANY_TIME), wish("deliver_on", when, when)),
    ]


def _to_orders(frame: pl.DataFrame) -> pl.DataFrame:
    base = _read(frame)
    there = payload("consigneeInfo").struct
    pin = given(payload("pin"))
    known = with_recipients(
        base.join(gather_lines(_lines(base)), on="row", how="left", maintain_order="left").with_columns(
            name=there.field("fullname"),
            mobile=there.field("mobile"),
            telephone=there.field("telephone"),
            province=there.field("province"),
            city=there.field("city"),
            district=there.field("county"),
            town=there.field("town"),
            whole=there.field("fullAddress"),
            oaid=there.field("oaid"),
        )
    ).with_columns(
        platform_ref=pl.coalesce(given(payload("orderId")), "platform_ref"),
        currency=pl.lit("CNY"),
        refund_open=pl.col("line_asks").fill_null(False) | (pl.col("theirs") == LOCKED).fill_null(False),
        updated_at=pl.coalesce("modified", "updated_at"),
        ship_by=pl.coalesce("due", from_epoch(_promised() // 1000)),
        buyer_ref=pl.coalesce(
            given(payload("xid_buyer")),
            given(payload("open_id_buyer")),
            pl.when(~pin.str.contains(r"\*")).then(pin),
        ),
        buyer_note=note(payload("orderRemark")),
        seller_note=note(payload("venderRemark")),
    )
    known = with_list(known, "holds", _holds(), HOLD)
    known = with_list(known, "problems", _problems(), PROBLEM)
    return finish(with_list(known, "wishes", _wishes(), WISH))


ORDER = Mapper(FORMAT, _ORDER, _to_orders, MONEY)
