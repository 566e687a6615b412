"""JD's orders as the SP-API gives them, in our words. Times are milliseconds since 1970, amounts yuan as numbers.

Source: the generated SDK of the SP-API (2026-03) and public descriptions of listOrders and getOrder, read 2026-11.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.instant import from_epoch
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
    is_set,
    note,
    payload,
    texts,
    translate,
    unread,
    wish,
    with_amounts,
    with_list,
    yes,
)
from orderctl.model.schema import PROBLEM
from orderctl.ports.platforms.jd.addressees import with_recipients
from orderctl.ports.platforms.jd.lines import OF_ORDER, gather_lines, items_of
from orderctl.ports.platforms.jd.states import (
    ANY_TIME,
    LOCKED,
    MONEY,
    OTHER_WAY,
    PAUSED,
    STATUS,
    with_money,
)

FORMAT = "jd/sp-order"
_AFTER_SALE = pl.Struct(texts("afsOrderId afsOrderStatusDesc refundStatusDesc"))
_ITEM = pl.Struct(
    {
        **texts("skuId skuUuid productId outerSkuId skuName skuSpec jdPrice num giftRefUuid"),
        "afsInfoList": pl.List(_AFTER_SALE),
    }
)
_PART = pl.Struct({**texts("waybillCode"), "skuList": pl.List(pl.Struct(texts("skuId skuUuid num")))})
_ORDER = pl.Struct(
    {
        **texts("orderId orderStatus createdTime modifiedTime xidBuyer"),
        "buyerRemark": pl.Struct(texts("remark")),
        "venderRemarkInfo": pl.Struct(texts("remark flagId flagDesc")),
        "paymentInfo": pl.Struct(
            texts("paymentType paymentTypeDesc paymentConfirmTime shouldPayAmount actualPayAmount freightFee")
        ),
        "sellerTradePriceInfo": pl.Struct(
            texts("totalOriginalPriceAmount totalSellerDiscountAmount totalSellerReceivableAmount")
        ),
        "consigneeInfo": pl.Struct(
            texts("fullName mobile telephone provinceName cityName countyName townName fullAddress oaid")
        ),
        "orderFlag": pl.Struct(
            texts("preSaleOrder eclpOrder clpsOrder globalOrder consolidatorOrder xinJiangConsolidatorOrder")
        ),
        "stepPaymentInfo": pl.Struct(texts("stepOrderStatus payBargainReal payBalanceReal")),
        "promiseCalendarInfo": pl.Struct(texts("promisePickTime")),
        "specialStatusReasonInfo": pl.Struct(texts("reason")),
        "invoiceInfo": pl.Struct(texts("invoiceTitle")),
        "transportInfo": pl.Struct(
            {
                **texts("logisticsId waybillCode deliveryTypeDesc"),
                "partialShipmentList": pl.List(_PART),
            }
        ),
        "skuItemInfoList": pl.List(_ITEM),
    }
)


def _in(part: str, name: str) -> pl.Expr:
    return payload(part).struct.field(name)


_AMOUNTS = {
    "goods": ("goods_minor", _in("sellerTradePriceInfo", "totalOriginalPriceAmount")),
    "seller_off": ("discount_seller_minor", _in("sellerTradePriceInfo", "totalSellerDiscountAmount")),
    "seller_gets": ("discount_seller_minor", _in("sellerTradePriceInfo", "totalSellerReceivableAmount")),
    "postage": ("postage_minor", _in("paymentInfo", "freightFee")),
    "should_pay": ("total_minor", _in("paymentInfo", "shouldPayAmount")),
    "did_pay": ("total_minor", _in("paymentInfo", "actualPayAmount")),
    "deposit": ("received_minor", _in("stepPaymentInfo", "payBargainReal")),
}
_TIMES = {
    "placed_at": payload("createdTime"),
    "paid_at": _in("paymentInfo", "paymentConfirmTime"),
    "modified": payload("modifiedTime"),
    "ship_by": _in("promiseCalendarInfo", "promisePickTime"),
}
_NOW_OURS = {"modified": "updated_at"}
WITHDRAWN = "取消|关闭|撤销|驳回|拒绝"
GIVEN_BACK = "退款成功|已退款|已完成"
FLAGS = {
    "灰": "grey",
    "红": "red",
    "橙": "orange",
    "黄": "yellow",
    "绿": "green",
    "蓝": "blue",
    "紫": "purple",
}


def _instant(text: pl.Expr) -> pl.Expr:
    """Read milliseconds since 1970; null where there are none."""
    return from_epoch(text.str.extract(r"^(\d{1,15})$", 1).cast(pl.Int64) // 1000)


def _read(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the orders with their texts read: state, amounts, times."""
    theirs = given(payload("orderStatus"))
    parts = (_in("transportInfo", "partialShipmentList").list.len() > 0).fill_null(False)
    status = translate(theirs, STATUS)
    left = given(_in("transportInfo", "waybillCode")).is_not_null()
    paid_in_part = given(_in("stepPaymentInfo", "stepOrderStatus")).is_not_null() & (theirs == "NOT_PAY")
    kind = pl.concat_str(
        _in("paymentInfo", "paymentType"),
        _in("paymentInfo", "paymentTypeDesc"),
        separator="-",
        ignore_nulls=True,
    )
    found = frame.select(
        *ENVELOPE,
        *("payload", "facts"),
        row=pl.int_range(pl.len(), dtype=pl.UInt32).set_sorted(),
        theirs=theirs,
        known=status.is_not_null(),
        # what we do not know is treated as waiting and held, so that a person looks at it
        status=pl.when((theirs == LOCKED) & left & ~parts)
        .then(pl.lit("shipped"))
        .when((status == "wait_ship") & parts)
        .then(pl.lit("partly_shipped"))
        .otherwise(status.fill_null("wait_ship")),
        cod=given(kind).str.contains(r"^1(?:-|$)|货到付款").fill_null(False),
        presale=(yes(_in("orderFlag", "preSaleOrder")) | paid_in_part)
        & (theirs == "NOT_PAY").fill_null(False),
        **{name: _instant(text) for name, text in _TIMES.items()},
    )
    found = with_amounts(found, {name: text for name, (_, text) in _AMOUNTS.items()})
    known = with_money(
        found.with_columns(
            pays=pl.coalesce("should_pay", "did_pay"),
            balance=pl.lit(None, dtype=pl.Int64),
            listed=pl.lit(None, dtype=pl.Int64),
        )
    )
    received = pl.when("presale").then(pl.col("deposit").fill_null(0)).otherwise("received_minor")
    return known.with_columns(
        received_minor=received,
        due_minor=pl.when("presale").then(pl.col("total_minor") - received).otherwise("due_minor"),
        payment=pl.when(pl.col("presale") & (received > 0)).then(pl.lit("deposit")).otherwise("payment"),
    )


def _refund() -> pl.Expr:
    """Give a line's refund by the words of its after-sales: an open one counts before what is settled."""
    one = pl.element().struct
    said = pl.concat_str(
        one.field("afsOrderStatusDesc"), one.field("refundStatusDesc"), separator=" ", ignore_nulls=True
    )
    ours = (
        pl.when(said.str.contains(GIVEN_BACK))
        .then(pl.lit("refunded"))
        .when(said.str.contains(WITHDRAWN))
        .then(pl.lit("none"))
        # a word we do not know is taken for an open request: nothing leaves
        .otherwise(pl.lit("requested"))
    )
    words = pl.col("afsInfoList").list.eval(ours)
    return (
        pl.when(words.list.contains(pl.lit("requested")).fill_null(False))
        .then(pl.lit("requested"))
        .when(words.list.contains(pl.lit("refunded")).fill_null(False))
        .then(pl.lit("refunded"))
        .otherwise(pl.lit("none"))
    )


def _lines(frame: pl.DataFrame) -> pl.DataFrame:
    """Give a row per line, with what it must know of its order and how many of it left."""
    found = items_of(frame, "skuItemInfoList", "jdPrice").select(
        *OF_ORDER,
        "unit",
        key=pl.coalesce(given(pl.col("skuUuid")), given(pl.col("skuId"))),
        sku=given(pl.col("skuId")),
        item=pl.col("productId"),
        merchant_code=pl.col("outerSkuId"),
        title=pl.col("skuName"),
        spec=pl.col("skuSpec"),
        price_text=pl.col("jdPrice"),
        pieces=count(pl.col("num")),
        gift=given(pl.col("giftRefUuid")).is_not_null(),
        refund=_refund(),
        off=pl.lit(None, dtype=pl.Int64),
    )
    return found.join(_left(frame), on=["row", "key"], how="left", maintain_order="left")


def _left(frame: pl.DataFrame) -> pl.DataFrame:
    """Give how many pieces of each line left with the order's parts."""
    parts = _in("transportInfo", "partialShipmentList")
    found = frame.filter(parts.list.len() > 0).select("row", part=parts).explode("part")
    skus = found.select("row", sku=pl.col("part").struct.field("skuList")).filter(
        pl.col("sku").list.len() > 0
    )
    rows = skus.explode("sku").select(
        "row",
        key=pl.coalesce(
            given(pl.col("sku").struct.field("skuUuid")), given(pl.col("sku").struct.field("skuId"))
        ),
        left=count(pl.col("sku").struct.field("num")),
    )
    return rows.group_by("row", "key").agg(pl.col("left").sum())


def _holds() -> list[Entry]:
    theirs = pl.col("theirs")
    reason = given(_in("specialStatusReasonInfo", "reason"))
    parts = _in("transportInfo", "partialShipmentList")
    listed = parts.list.eval(pl.element().struct.field("skuList").list.len().fill_null(0) > 0).list.all()
    return [
        (~pl.col("known"), hold("unknown_status", payload("orderStatus"))),
        (theirs == LOCKED, hold("locked", pl.coalesce(reason, theirs))),
        (theirs.is_in(PAUSED), hold("held", pl.coalesce(reason, theirs))),
        (theirs == OTHER_WAY, hold("no_parcel", theirs)),
        (
            (pl.col("status") == "partly_shipped") & ~listed,
            hold("shipped_quantity_unknown", "partialShipmentList"),
        ),
        # orders of the platform's own warehouses
        (yes(_in("orderFlag", "eclpOrder")), hold("fulfilled_by_platform", "eclpOrder")),
        (yes(_in("orderFlag", "clpsOrder")), hold("fulfilled_by_platform", "clpsOrder")),
        (
            pl.col("presale"),
            hold("presale", pl.coalesce(given(_in("stepPaymentInfo", "stepOrderStatus")), theirs)),
        ),
    ]


def _problems() -> list[Entry]:
    found = [unread("amount_unreadable", {ours: (text, name)}) for name, (ours, text) in _AMOUNTS.items()]
    times = {_NOW_OURS.get(name, name): (text, name) for name, text in _TIMES.items()}
    return [
        *[entry for entries in found for entry in entries],
        *[
            (
                is_set(text) & ~text.str.starts_with("-") & pl.col(name).is_null(),
                finding("time_unreadable", ours),
            )
            for ours, (text, name) in times.items()
        ],
        (pl.col("bad_quantity"), finding("amount_unreadable", "lines.quantity")),
        (pl.col("bad_unit"), finding("amount_unreadable", "lines.unit_price_minor")),
        (~pl.col("known"), finding("unknown_value", "orderStatus", payload("orderStatus"))),
    ]


def _tags() -> pl.Expr:
    flags = {
        "cross_border": yes(_in("orderFlag", "globalOrder")),
        "presale": yes(_in("orderFlag", "preSaleOrder")),
        "consolidated": yes(_in("orderFlag", "consolidatorOrder"))
        | yes(_in("orderFlag", "xinJiangConsolidatorOrder")),
    }
    return pl.concat_list([pl.when(set_).then(pl.lit(tag)) for tag, set_ in flags.items()]).list.drop_nulls()


def _to_orders(frame: pl.DataFrame) -> pl.DataFrame:
    base = _read(frame)
    there = payload("consigneeInfo").struct
    flag_id, flag = given(_in("venderRemarkInfo", "flagId")), given(_in("venderRemarkInfo", "flagDesc"))
    title, when = given(_in("invoiceInfo", "invoiceTitle")), given(_in("transportInfo", "deliveryTypeDesc"))
    known = with_recipients(
        base.join(gather_lines(_lines(base)), on="row", how="left", maintain_order="left").with_columns(
            name=there.field("fullName"),
            mobile=there.field("mobile"),
            telephone=there.field("telephone"),
            province=there.field("provinceName"),
            city=there.field("cityName"),
            district=there.field("countyName"),
            town=there.field("townName"),
            whole=there.field("fullAddress"),
            oaid=there.field("oaid"),
        )
    ).with_columns(
        platform_ref=pl.coalesce(given(payload("orderId")), "platform_ref"),
        currency=pl.lit("CNY"),
        refund_open=pl.col("line_asks").fill_null(False) | (pl.col("theirs") == LOCKED).fill_null(False),
        updated_at=pl.coalesce("modified", "updated_at"),
        buyer_ref=given(payload("xidBuyer")),
        buyer_note=note(_in("buyerRemark", "remark")),
        seller_note=note(_in("venderRemarkInfo", "remark")),
        seller_flag=pl.coalesce(
            translate(flag.str.strip_suffix("色"), FLAGS), flag, pl.when(flag_id != "0").then(flag_id)
        ),
        tags=_tags(),
    )
    wishes = [
        (title.is_not_null(), wish("invoice", title, title)),
        (~when.is_in(ANY_TIME), wish("deliver_on", when, when)),
    ]
    known = with_list(known, "holds", _holds(), HOLD)
    known = with_list(known, "problems", _problems(), PROBLEM)
    return finish(with_list(known, "wishes", wishes, WISH))


ORDER = Mapper(FORMAT, _ORDER, _to_orders, MONEY)
