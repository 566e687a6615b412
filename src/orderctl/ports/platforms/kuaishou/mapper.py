"""Kuaishou's orders as the API gives them, in our words: one order is one article, with what is sent along.

All amounts are fen, all times Unix milliseconds (0: has not happened). The total is what the merchant gets before
commission (`totalFee + expressFee`): what left the buyer's pocket may be less, by what the platform bears, and is not
told here. So a discount of the platform is no term of the total, and what lies between price and total is the seller's.

Source: the platform's field descriptions of open.order.cursor.list and open.order.detail, read 2026-11.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.instant import from_epoch
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
    note,
    payload,
    recipient,
    texts,
    translate,
    unread,
    with_list,
    yes,
)
from orderctl.model.regions import placed
from orderctl.model.schema import PROBLEM
from orderctl.ports.platforms.kuaishou.lines import (
    ITEM,
    REFUND,
    STATUS,
    SUB,
    asked,
    fen,
    main_lines,
    sub_lines,
)

FORMAT = "kuaishou/order"
SCHEME = "kuaishou/cipher"
FLAGS = ("red", "grey", "yellow", "green", "blue", "purple")
_BASE = pl.Struct(
    {
        **texts(
            "oid status payTime createTime updateTime buyerOpenId expressFee discountFee totalFee remark preSale"
            " promiseTimeStampOfDelivery validPromiseShipmentTimeStamp cpsType coType riskCode priorityDelivery"
            " remindShipmentSign"
        ),
        "disableDeliveryReasonCode": pl.List(pl.String()),
        "orderRiskEventInfo": pl.List(pl.String()),
    }
)
_NOTE = pl.Struct(texts("createTime note flagTagCode"))
_STEP = pl.Struct(texts("paymentFee payTime"))
DTYPE = pl.Struct(
    {
        "orderBaseInfo": _BASE,
        "orderItemInfo": ITEM,
        "subOrderInfo": pl.List(SUB),
        "orderRefundList": pl.List(REFUND),
        "orderAddress": pl.Struct(
            texts(
                "province city district town consignee mobile address encryptedConsignee desensitiseConsignee"
                " encryptedMobile desensitiseMobile encryptedAddress desensitiseAddress"
            )
        ),
        "orderNote": pl.Struct({"orderNoteInfo": pl.List(_NOTE)}),
        "orderDeliveryInfo": pl.Struct(texts("openAddressId deliveryNum splitDeliveryOrder")),
        "orderPaymentStepInfos": pl.List(_STEP),
    }
)
_AMOUNTS = {
    "goods_fee": "totalFee",
    "postage_minor": "expressFee",
    "discount": "discountFee",
}
_TIMES = {
    "placed_at": "createTime",
    "paid_at": "payTime",
    "changed": "updateTime",
    "valid_promise": "validPromiseShipmentTimeStamp",
    "first_promise": "promiseTimeStampOfDelivery",
}
_MONEY = (
    *("goods_minor", "postage_minor", "tax_added_minor", "adjust_minor", "discount_seller_minor"),
    *("discount_platform_minor", "total_minor", "received_minor", "due_minor", "refunded_minor"),
)


def _base(name: str) -> pl.Expr:
    return payload("orderBaseInfo").struct.field(name)


def _item(name: str) -> pl.Expr:
    return payload("orderItemInfo").struct.field(name)


def _address(name: str) -> pl.Expr:
    return given(payload("orderAddress").struct.field(name))


def instant(told: pl.Expr) -> pl.Expr:
    """Read Unix milliseconds as an instant; null for 0 and for what is no time."""
    return from_epoch(told.str.strip_chars().cast(pl.Int64, strict=False) // 1000)


def _read(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the orders with their texts read: amounts, times, states, quantities."""
    back = fen(pl.col("parts").str.json_path_match("$.refund.refundFee"))
    found = frame.select(
        *ENVELOPE,
        "payload",
        row=pl.int_range(pl.len(), dtype=pl.UInt32).set_sorted(),
        # what we do not know is treated as waiting and held, so that a person looks at it
        state=translate(given(_base("status")), STATUS).fill_null("wait_ship"),
        pieces=count(_item("num")),
        before=count(payload("orderDeliveryInfo").struct.field("deliveryNum")).fill_null(0),
        unit=fen(_item("price")),
        back=back,
        **{name: fen(_base(theirs)) for name, theirs in _AMOUNTS.items()},
        **{name: instant(_base(theirs)) for name, theirs in _TIMES.items()},
    )
    refunds = asked(found, payload("orderRefundList"))
    found = found.join(refunds, on="row", how="left", maintain_order="left").with_columns(
        pl.col("asked").fill_null("none"),
        quantity=pl.col("pieces").fill_null(0),
        total_minor=pl.col("goods_fee") + pl.col("postage_minor"),
    )
    waiting = pl.col("state") == "wait_ship"
    left = pl.when(waiting).then(pl.min_horizontal("before", "quantity")).otherwise(0)
    # money went back, but not all of it: the goods are still the buyer's
    partly = (
        (pl.col("asked") == "refunded")
        & (pl.col("back") < pl.col("total_minor"))
        & (pl.col("state") != "closed")
    )
    return found.with_columns(
        left=left,
        status=pl.when(waiting & (left > 0)).then(pl.lit("partly_shipped")).otherwise("state"),
        refund=pl.when(partly.fill_null(False)).then(pl.lit("partly")).otherwise("asked"),
    )  # fmt: skip


def _money(frame: pl.DataFrame) -> pl.DataFrame:
    """Add every amount of the order.

    The seller's discount is what lies between price and total; more than all discounts together it cannot be, and
    then the order is left not adding up.
    """
    goods = pl.col("unit") * pl.col("pieces")
    gap = goods - pl.col("goods_fee")
    fits = gap.is_between(0, pl.col("discount").fill_null(0))
    status, total = pl.col("status"), pl.col("total_minor")
    deposit = ((status == "wait_pay") & pl.col("steps_paid").is_not_null()).fill_null(False)
    paid = pl.col("paid_at").is_not_null()
    received = (
        pl.when(deposit)
        .then(pl.col("steps_paid"))
        .when(~paid & status.is_in(["wait_pay", "closed"]))
        .then(0)
        .when(paid)
        .then(total)
    )
    gone = pl.col("refund") == "refunded"
    refunded = (
        pl.when(gone | (pl.col("refund") == "partly"))
        .then(pl.coalesce(pl.col("back"), pl.when(gone & (status == "closed")).then(received)))
        .when(payload("orderRefundList").list.len() == 0)
        .then(0)
    )
    return frame.with_columns(
        goods_minor=goods,
        discount_seller_minor=pl.when(fits).then(gap).otherwise("discount"),
        discount_platform_minor=pl.lit(0, dtype=pl.Int64),
        tax_added_minor=pl.lit(0, dtype=pl.Int64),
        adjust_minor=pl.lit(0, dtype=pl.Int64),
        received_minor=received,
        refunded_minor=refunded,
        due_minor=pl.when(status == "closed")
        .then(0)
        .otherwise((total - received).clip(lower_bound=0)),
        payment=pl.when(deposit).then(pl.lit("deposit")).otherwise(pl.lit("prepaid")),
        paid=pl.col("goods_fee"),
    )  # fmt: skip


def _steps(frame: pl.DataFrame) -> pl.DataFrame:
    """Add what was paid of an order that is paid in steps; null where no step was."""
    steps = frame.select("row", step=payload("orderPaymentStepInfos")).filter(pl.col("step").list.len() > 0)
    done = steps.explode("step").unnest("step").filter(instant(pl.col("payTime")).is_not_null())
    paid = done.group_by("row", maintain_order=True).agg(steps_paid=fen(pl.col("paymentFee")).sum())
    return frame.join(paid, on="row", how="left", maintain_order="left")


def _recipients(frame: pl.DataFrame) -> pl.Series:
    where = frame.select(
        **{
            part: payload("orderAddress").struct.field(part)
            for part in ("province", "city", "district", "town")
        }
    )
    name = pl.coalesce(_address("consignee"), _address("desensitiseConsignee"))
    phone = pl.coalesce(_address("mobile"), _address("desensitiseMobile"))
    street = pl.coalesce(_address("address"), _address("desensitiseAddress"))
    street = pl.when(~street.str.contains(r"^\*+$")).then(street)
    key = given(payload("orderDeliveryInfo").struct.field("openAddressId"))
    ciphers = pl.struct(
        name=_address("encryptedConsignee"),
        phone=_address("encryptedMobile"),
        address=_address("encryptedAddress"),
    )
    shut = pl.any_horizontal(
        _address(f"encrypted{part}").is_not_null() for part in ("Consignee", "Mobile", "Address")
    )
    masked = pl.any_horizontal(part.str.contains(r"\*") for part in (name, phone, street)).fill_null(False)
    seal = pl.struct(scheme=pl.lit(SCHEME), ref=key, blob=ciphers.struct.json_encode())
    ours = recipient(
        name=name,
        phone=phone,
        country=pl.lit("CN"),
        **{part: pl.col(part) for part in ("province", "province_code", "city", "district", "town")},
        street=street,
        privacy=pl.when(shut)
        .then(pl.lit("sealed"))
        .when(masked)
        .then(pl.lit("masked"))
        .otherwise(pl.lit("plain")),
        sealed=pl.when(shut).then(seal),
        match_key=key,
        match_kind=pl.when(key.is_not_null()).then(pl.lit("address_id")).otherwise(pl.lit("none")),
    )
    return frame.select("payload").hstack(placed(where)).select(recipient=ours)["recipient"]  # fmt: skip


def _notes(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the newest words of the seller, and the newest flag; the list is in no order."""
    entries = frame.select("row", entry=payload("orderNote").struct.field("orderNoteInfo"))
    told = (
        entries.filter(pl.col("entry").list.len() > 0)
        .explode("entry")
        .unnest("entry")
        .with_columns(at=pl.col("createTime").cast(pl.Int64, strict=False).fill_null(0))
        .sort("row", "at", maintain_order=True)
    )
    words, flag = note(pl.col("note")), given(pl.col("flagTagCode"))
    newest = told.group_by("row", maintain_order=True).agg(
        seller_note=words.filter(given(pl.col("note")).is_not_null()).last(),
        seller_flag=flag.str.strip_suffix("_order").str.strip_suffix("_flag_tag").drop_nulls().last(),
    )
    return frame.join(newest, on="row", how="left", maintain_order="left")


def _holds() -> list[Entry]:
    status, risk = given(_base("status")), given(_base("riskCode"))
    co_type = given(_base("coType"))
    forbidden, events = _base("disableDeliveryReasonCode"), _base("orderRiskEventInfo")
    return [
        (~status.is_in(list(STATUS)).fill_null(False), hold("unknown_status", status)),
        (forbidden.list.len() > 0, hold("shipping_forbidden", forbidden.list.join(","))),
        (risk.is_not_null() & (risk != "0"), hold("risk", risk)),
        (events.list.len() > 0, hold("risk", "orderRiskEventInfo")),
        (co_type.is_not_null() & (co_type != "0"), hold("no_parcel", co_type)),
        (pl.col("before") > pl.col("quantity"), hold("shipped_quantity_unknown", "deliveryNum")),
    ]


def _problems() -> list[Entry]:
    amounts = {
        "total_minor": (_base("totalFee"), "goods_fee"),
        "postage_minor": (_base("expressFee"), "postage_minor"),
        "discount_seller_minor": (_base("discountFee"), "discount"),
        "lines.unit_price_minor": (_item("price"), "unit"),
    }
    ours = {"changed": "updated_at", "valid_promise": "ship_by", "first_promise": "ship_by"}
    times = [
        unread("time_unreadable", {ours.get(name, name): (_base(theirs), name)})
        for name, theirs in _TIMES.items()
    ]
    status, flag = given(_base("status")), pl.col("seller_flag")
    return [
        *unread("amount_unreadable", amounts),
        *[entry for entries in times for entry in entries],
        (pl.col("pieces").is_null() | pl.col("bad_sub"), finding("amount_unreadable", "lines.quantity")),
        (~status.is_in(list(STATUS)).fill_null(False), finding("unknown_value", "status", status)),
        (
            pl.col("strange_refund").is_not_null(),
            finding("unknown_value", "lines.refund", pl.col("strange_refund")),
        ),
        (pl.col("strange_sub").is_not_null(), finding("unknown_value", "lines.status", pl.col("strange_sub"))),
        (~flag.is_in(FLAGS), finding("unknown_value", "seller_flag", flag)),
    ]  # fmt: skip


def _tags() -> pl.Expr:
    reminded = given(_base("remindShipmentSign"))
    found = {
        "presale": yes(_base("preSale")),
        "commission": given(_base("cpsType")) == "2",
        "priority": yes(_base("priorityDelivery")),
        "reminded": reminded.is_not_null() & ~reminded.is_in(["0", "false"]),
    }
    told = pl.concat_list(pl.when(where.fill_null(False)).then(pl.lit(name)) for name, where in found.items())
    none = pl.lit([], dtype=pl.List(pl.String))
    return pl.concat_list(told, pl.col("refund_tags").fill_null(none)).list.drop_nulls()


def _to_orders(frame: pl.DataFrame) -> pl.DataFrame:
    base = _read(frame)
    subs = sub_lines(base, payload("subOrderInfo"))
    known = _money(_steps(_notes(base))).join(subs, on="row", how="left", maintain_order="left")
    known = known.with_columns(
        _recipients(base),
        platform_ref=pl.coalesce(given(_base("oid")), "platform_ref"),
        currency=pl.lit("CNY"),
        refund_open=(pl.col("refund") == "requested") & ~pl.col("state").is_in(["completed", "closed"]),
        updated_at=pl.coalesce("changed", "updated_at"),
        ship_by=pl.coalesce("valid_promise", "first_promise"),
        buyer_ref=given(_base("buyerOpenId")),
        buyer_note=note(_base("remark")),
        tags=_tags(),
    )
    nothing = pl.lit([], dtype=LINES)
    lines = pl.concat_list(main_lines(payload("orderItemInfo")), pl.col("subs").fill_null(nothing))
    known = known.with_columns(lines=lines)
    known = with_list(known, "holds", _holds(), HOLD)
    return finish(with_list(known, "problems", _problems(), PROBLEM))


ORDER = Mapper(FORMAT, DTYPE, _to_orders, _MONEY)
