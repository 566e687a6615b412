"""Pinduoduo's orders as the API gives them, in our words. Lists and details have one form: `pdd/order`.

All times are Beijing wall clock, all amounts yuan, as numbers. A refund is of the order, not of a line.

Source: the platform's description of its order details (updated 2025-11-11) and public SDKs, read 2026-11.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.instant import BEIJING
from orderctl.model.mapper import (
    ENVELOPE,
    HOLD,
    MONEY_FIELDS,
    WISH,
    Entry,
    Mapper,
    exact,
    finding,
    finish,
    first_balanced,
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
    yes,
)
from orderctl.model.schema import PROBLEM
from orderctl.ports.platforms.pdd.lines import BY_ITSELF, ITEM, WITH_ORDER, gather_lines, read_lines
from orderctl.ports.platforms.pdd.recipients import map_recipients

_FEES = ("home_install_value", "delivery_home_value", "delivery_install_value")
_ORDER = {
    **texts(
        "order_sn created_time pay_time confirm_time updated_at last_ship_time pre_sale_time confirm_status"
        " group_status order_status refund_status after_sales_status risk_control_status is_lucky_flag trade_type"
        " is_pre_sale goods_amount platform_discount seller_discount capital_free_discount duo_duo_pay_reduction"
        " postage pay_amount buyer_memo remark remark_tag remark_tag_name country province city town receiver_name"
        " receiver_name_mask receiver_phone receiver_phone_mask receiver_address receiver_address_mask"
        " contact_mobile open_address_id open_address_id_2 free_sf delivery_one_day duoduo_wholesale self_contained"
        " shipping_type yyps_date yyps_time invoice_status gift_order_status is_stock_out stock_out_handle_status"
    ),
    **texts(" ".join(_FEES)),
    "step_order_info": pl.Struct(texts("advanced_paid_fee step_paid_fee step_trade_status")),
    "service_fee_detail": pl.List(pl.Struct(texts("service_fee"))),
    "order_tag_list": pl.List(pl.Struct(texts("name value"))),
    "consolidate_info": pl.Struct(texts("consolidate_type")),
    "item_list": pl.List(ITEM),
    "gift_list": pl.List(ITEM),
}
_AMOUNTS = {
    "total_minor": "pay_amount",
    "goods_minor": "goods_amount",
    "postage_minor": "postage",
    "discount_seller": "seller_discount",
    "by_platform": "platform_discount",
    "by_group": "capital_free_discount",
    "by_payment": "duo_duo_pay_reduction",
    **{name.removesuffix("_value"): name for name in _FEES},
}
_TIMES = {
    "placed_at": "created_time",
    "paid_at": "pay_time",
    "modified": "updated_at",
    "due": "last_ship_time",
    "presale_due": "pre_sale_time",
}
STATUS = {"1": "wait_ship", "2": "shipped", "3": "completed"}
REFUND = {"1": "none", "2": "requested", "3": "requested", "4": "refunded"}
AFTER_SALES = tuple(str(n) for n in (*range(19), 21, 22, 24, 25, 27, 31, 32, 33))
ASKED = ("2", "3", "4", "5", "6", "7", "8", "31", "33")
"""Somebody wants money back, whatever `refund_status` says yet."""
FLAGS = {"1": "red", "2": "yellow", "3": "green", "4": "blue", "5": "purple"}
_SIGNS = {"discount_platform_minor": -1, "adjust_minor": 1}


def _tag(name: str) -> pl.Expr:
    """True where the order has a tag of the platform, told in the list of tags or by a field of that name."""
    listed = pl.col("tagged").list.contains(name).fill_null(False)
    return listed | yes(payload(name)) if name in _ORDER else listed


def _state() -> dict[str, pl.Expr]:
    """Give the life cycle and the refund of an order; what we do not know waits, or counts as an open request."""
    order, confirmed = given(payload("order_status")), given(payload("confirm_status"))
    asked, after = given(payload("refund_status")), given(payload("after_sales_status"))
    told = translate(asked, REFUND).fill_null(pl.when(asked.is_not_null()).then(pl.lit("requested")))
    waits = ~order.is_in(["2", "3"]).fill_null(False)
    # a refund of part of the money leaves the order open: before shipping a person must look at it
    paid_back = (told == "none") & (after == "10")
    refund = (
        pl.when((told == "none") & after.is_in(ASKED) | paid_back & waits)
        .then(pl.lit("requested"))
        .when(paid_back)
        .then(pl.lit("partly"))
        .otherwise(told.fill_null("none"))
    )
    return {
        "refund": refund,
        "status": pl.when((told == "refunded") | (confirmed == "2"))
        .then(pl.lit("closed"))
        .when(confirmed == "0")
        .then(pl.lit("wait_pay"))
        .otherwise(translate(order, STATUS).fill_null("wait_ship")),
        "gone": order.is_in(["2", "3"]).fill_null(False),
    }


def _read(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the orders with their texts read: amounts, times, states, tags."""
    fees = payload("service_fee_detail").list.eval(
        exact(pl.element().struct.field("service_fee"), "CNY").fill_null(0)
    )
    tags = payload("order_tag_list").list.eval(
        pl.when(yes(pl.element().struct.field("value"))).then(pl.element().struct.field("name"))
    )
    step = payload("step_order_info").struct
    found = frame.select(
        *ENVELOPE,
        "payload",
        row=pl.int_range(pl.len(), dtype=pl.UInt32).set_sorted(),
        tagged=tags.list.drop_nulls(),
        fees=pl.when(fees.list.len() > 0).then(fees.list.sum()),
        step=pl.when(payload("trade_type") == "1").then(
            given(step.field("step_trade_status")).fill_null("0")
        ),
        **_state(),
    ).with_columns(
        is_service=_tag("ship_additional_order"),
        gift_kind=pl.when(given(payload("gift_order_status")) == "1")
        .then(pl.lit(BY_ITSELF))
        .otherwise(pl.lit(WITH_ORDER)),
    )
    found = with_amounts(found, {name: payload(theirs) for name, theirs in _AMOUNTS.items()})
    paid = {"deposit": step.field("advanced_paid_fee"), "steps": step.field("step_paid_fee")}
    found = with_amounts(found, paid)
    return with_times(found, {name: payload(theirs) for name, theirs in _TIMES.items()}, BEIJING)


def _money(frame: pl.DataFrame) -> pl.DataFrame:
    """Add every amount of the order.

    Whether services are inside the total, and whether the reduction by the platform's own payment is one more
    discount, is told in different ways: the reading under which the order adds up is taken.
    """
    by_platform = pl.col("by_platform") + pl.col("by_group").fill_null(0)
    reduced = by_platform + pl.col("by_payment").fill_null(0)
    parts = pl.sum_horizontal([pl.col(name.removesuffix("_value")) for name in _FEES])
    none = pl.lit(0, dtype=pl.Int64)
    rest = (pl.col("total_minor") - pl.col("goods_minor") - pl.col("postage_minor").fill_null(0)) + pl.col(
        "discount_seller"
    )
    readings = [
        {"discount_platform_minor": discount, "adjust_minor": fees}
        for fees in (pl.coalesce("fees", parts), parts, none)
        for discount in (by_platform, reduced)
    ]
    step, status, total = pl.col("step"), pl.col("status"), pl.col("total_minor")
    deposit = step.is_in(["0", "1"]).fill_null(False)
    unpaid = (status == "wait_pay") | (status == "closed") & pl.col("paid_at").is_null()
    received = (
        pl.when(deposit)
        .then(pl.when(step == "1").then(pl.coalesce("steps", "deposit")).otherwise(0))
        .when(unpaid)
        .then(0)
        .otherwise(total)
    )
    return frame.with_columns(
        **first_balanced(rest, readings, _SIGNS),
        discount_seller_minor=pl.col("discount_seller"),
        tax_added_minor=none,
        received_minor=received,
        due_minor=pl.when(status == "closed").then(0).otherwise((total - received).clip(lower_bound=0)),
        payment=pl.when(deposit).then(pl.lit("deposit")).otherwise(pl.lit("prepaid")),
    )


def _unknown_status() -> pl.Expr:
    return ~given(payload("order_status")).is_in(list(STATUS)).fill_null(False)


def _holds() -> list[Entry]:
    group, gift = given(payload("group_status")), given(payload("gift_order_status"))
    step, way = pl.col("step"), given(payload("shipping_type"))
    gifts = payload("gift_list").list.len() > 0
    out = yes(payload("is_stock_out")) & (given(payload("stock_out_handle_status")) == "0")
    return [
        (_unknown_status(), hold("unknown_status", given(payload("order_status")))),
        (
            given(payload("risk_control_status")).is_in(["0"]).not_(),
            hold("risk_review", "risk_control_status"),
        ),
        (_tag("ship_hold"), hold("shipping_forbidden", "ship_hold")),
        (group == "0", hold("group_buy", "group_status")),
        (group == "2", hold("shipping_forbidden", "group_status")),
        (step.is_in(["0", "1"]), hold("presale", pl.concat_str(pl.lit("step_trade_status "), step))),
        (_tag("self_contained"), hold("no_parcel", "self_contained")),
        (way == "2", hold("no_parcel", "shipping_type")),
        (_tag("same_city_distribution"), hold("no_parcel", "same_city_distribution")),
        (pl.col("is_service"), hold("no_parcel", "ship_additional_order")),
        # the platform has not decided yet whether the gift gets an order of its own
        (gifts & (gift == "0"), hold("scheduled", "gift_order_status")),
        (out, hold("out_of_stock", "stock_out_handle_status")),
    ]


def _wishes() -> list[Entry]:
    day, hours = given(payload("yyps_date")), given(payload("yyps_time"))
    booked = pl.concat_str(day, hours, separator=" ", ignore_nulls=True)
    sf = [
        (_tag(name), wish("courier", pl.lit("SF"), pl.lit(name)))
        for name in ("has_sf_express_service", "has_ship_additional", "free_sf")
    ]
    return [
        *sf,
        (day.is_not_null(), wish("deliver_on", booked, booked)),
        (
            yes(payload("invoice_status")),
            wish("invoice", pl.lit(None, dtype=pl.String), pl.lit("invoice_status")),
        ),
    ]


def _tags() -> pl.Expr:
    """Give the platform's own tags, what its flags say in our words, and the name the seller gave a remark's colour."""
    transit = payload("consolidate_info").struct.field("consolidate_type")
    after = given(payload("after_sales_status"))
    flags = {
        "lottery": given(payload("is_lucky_flag")) == "2",
        "presale": yes(payload("is_pre_sale")),
        "free_sf": yes(payload("free_sf")),
        "delivery_one_day": yes(payload("delivery_one_day")),
        "duoduo_wholesale": yes(payload("duoduo_wholesale")),
        "self_contained": yes(payload("self_contained")),
        "exchange": after.is_in(["14", "15", "16", "17", "18"]),
        "repair": after.is_in(["21", "22", "24", "25", "27"]),
        "resend": after == "32",
    }
    ours = [pl.when(set_.fill_null(False)).then(pl.lit(name)) for name, set_ in flags.items()]
    return (
        pl.concat_list(
            pl.concat_list(
                *ours, pl.lit("consolidated:") + given(transit), given(payload("remark_tag_name"))
            ),
            pl.col("tagged").fill_null(pl.lit([], dtype=pl.List(pl.String))),
        )
        .list.drop_nulls()
        .list.unique(maintain_order=True)
    )


def _problems(lines: pl.DataFrame) -> list[Entry]:
    ours = {
        **dict.fromkeys(("by_platform", "by_group", "by_payment"), "discount_platform_minor"),
        **{name.removesuffix("_value"): "adjust_minor" for name in _FEES},
        "discount_seller": "discount_seller_minor",
    }
    amounts = [
        unread("amount_unreadable", {ours.get(name, name): (payload(theirs), name)})
        for name, theirs in _AMOUNTS.items()
    ]
    fields = {"modified": "updated_at", "due": "ship_by", "presale_due": "ship_by"}
    times = [
        unread("time_unreadable", {fields.get(name, name): (payload(theirs), name)})
        for name, theirs in _TIMES.items()
    ]
    known = {
        "refund_status": tuple(REFUND),
        "after_sales_status": AFTER_SALES,
        "confirm_status": ("0", "1", "2"),
        "group_status": ("0", "1", "2"),
        "risk_control_status": ("0", "1"),
        "remark_tag": ("0", *FLAGS),
        "country": ("中国", "中国大陆"),
    }
    words = [
        (~given(payload(name)).is_in(list(values)), finding("unknown_value", name, payload(name)))
        for name, values in known.items()
    ]
    bad = [name for name in lines.columns if name.startswith("bad_")]
    return [
        *[entry for entries in (*amounts, *times) for entry in entries],
        *[(pl.col(name), finding("amount_unreadable", "lines." + name.removeprefix("bad_"))) for name in bad],
        *words,
        (_unknown_status(), finding("unknown_value", "order_status", payload("order_status"))),
    ]


def _to_orders(frame: pl.DataFrame) -> pl.DataFrame:
    base = _money(_read(frame))
    lines = gather_lines(read_lines(base))
    flag = given(payload("remark_tag"))
    known = base.join(lines, on="row", how="left", maintain_order="left").with_columns(
        map_recipients(base),
        platform_ref=pl.coalesce(given(payload("order_sn")), "platform_ref"),
        currency=pl.lit("CNY"),
        refund_open=pl.col("refund") == "requested",
        updated_at=pl.coalesce("modified", "updated_at"),
        ship_by=pl.coalesce("due", "presale_due"),
        buyer_note=note(payload("buyer_memo")),
        seller_note=note(payload("remark")),
        seller_flag=pl.when(flag != "0").then(pl.coalesce(translate(flag, FLAGS), flag)),
        tags=_tags(),
    )
    known = with_list(known, "holds", _holds(), HOLD)
    known = with_list(known, "problems", _problems(lines), PROBLEM)
    return finish(with_list(known, "wishes", _wishes(), WISH))


ORDER = Mapper(
    "pdd/order",
    pl.Struct(_ORDER),
    _to_orders,
    tuple(name for name in MONEY_FIELDS if name not in ("tax_included_minor", "refunded_minor")),
)
