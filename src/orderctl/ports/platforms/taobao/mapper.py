"""Taobao and Tmall trades as the API gives them, in our words.

The two list forms of the API are two formats: `taobao/trade` (lists wrapped once more, `orders: {order: [...]}`)
and `taobao/trade-simplified` (asked for with `simplify=true`). All times are Beijing wall clock, all amounts yuan.

Source: TOP API descriptions of taobao.trades.sold.increment.get and taobao.trade.fullinfo.get, read 2026-11.
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
    privacy,
    recipient,
    texts,
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
from orderctl.ports.platforms.taobao.lines import LINE, gather_lines, read_lines

_PROMOTION = pl.Struct(texts("discount_fee"))
_TRADE = {
    **texts(
        "tid tid_str type status created modified pay_time delivery_time payment total_fee post_fee discount_fee"
        " adjust_fee platform_subsidy_fee order_tax_fee step_trade_status step_paid_fee buyer_nick buyer_open_uid"
        " buyer_message seller_memo seller_flag is_sh_ship top_hold team_buy_hold share_group_hold rx_audit_status"
        " receiver_name receiver_country receiver_state receiver_city receiver_district receiver_town"
        " receiver_address receiver_zip receiver_mobile receiver_phone oaid"
    ),
    "logistics_agreement": pl.Struct(texts("logistics_service_msg")),
}

STATUS = {
    "TRADE_CLOSED": "closed",
    "TRADE_CLOSED_BY_TAOBAO": "closed",
    "TRADE_FINISHED": "completed",
    "TRADE_BUYER_SIGNED": "completed",
    "TRADE_NO_CREATE_PAY": "wait_pay",
    "WAIT_BUYER_PAY": "wait_pay",
    "PAY_PENDING": "wait_pay",
    "WAIT_PRE_AUTH_CONFIRM": "wait_pay",
    "WAIT_SELLER_SEND_GOODS": "wait_ship",
    "PAID_FORBID_CONSIGN": "wait_ship",
    "SELLER_CONSIGNED_PART": "partly_shipped",
    "WAIT_BUYER_CONFIRM_GOODS": "shipped",
}
_STEPS = (
    *("FRONT_NOPAID_FINAL_NOPAID", "FRONT_PAID_FINAL_NOPAID"),
    *("FRONT_PAID_FINAL_PAID", "FRONT_PAID_FRONT_FORFEITED"),
)
FLAGS = {"0": "grey", "1": "red", "2": "yellow", "3": "green", "4": "blue", "5": "purple"}
COUNTRIES = {
    "中国": "CN",
    "中国大陆": "CN",
    "China": "CN",
    "香港": "HK",
    "中国香港": "HK",
    "澳门": "MO",
    "台湾": "TW",
}
_SIGNS = {"discount_seller_minor": -1, "discount_platform_minor": -1, "adjust_minor": 1}


def _discounts() -> dict[str, pl.Expr]:
    """Choose what the overlapping discount fields mean: the reading under which the trade adds up.

    A trade's `discount_fee` holds, by time and kind of trade, all discounts or only those on the whole trade; the
    list of promotions holds all or nothing. The platform's subsidy is inside or beside them.
    """
    trade, listed, subsidy = pl.col("discount"), pl.col("promoted"), pl.col("subsidy").fill_null(0)
    both = trade + pl.col("discount_sum").fill_null(0)
    by_lines = (pl.col("adjust") == 0) & (pl.col("pieces") > 1)
    adjust = pl.when(by_lines).then("adjust_sum").otherwise("adjust").fill_null(0)
    readings = [
        {"discount_seller_minor": d - inside, "discount_platform_minor": subsidy, "adjust_minor": adjust}
        for d in (trade, both, listed)
        for inside in (subsidy, pl.lit(0))
    ]
    rest = pl.col("total_minor") - pl.col("goods_minor") - pl.col("postage_minor") - pl.col("tax_added_minor")
    chosen = first_balanced(rest, readings, _SIGNS)
    return {**chosen, "discount_seller_minor": pl.coalesce(chosen["discount_seller_minor"], listed - subsidy)}


def _problems(lines: pl.DataFrame) -> list[Entry]:
    amounts = {
        "total_minor": (payload("payment"), "total_minor"),
        "goods_minor": (payload("total_fee"), "goods"),
        "postage_minor": (payload("post_fee"), "postage_minor"),
        "discount_seller_minor": (payload("discount_fee"), "discount"),
        "discount_platform_minor": (payload("platform_subsidy_fee"), "subsidy"),
        "tax_added_minor": (payload("order_tax_fee"), "tax"),
        "adjust_minor": (payload("adjust_fee"), "adjust"),
        "received_minor": (payload("step_paid_fee"), "step_paid"),
    }
    times = {
        "placed_at": (payload("created"), "placed_at"),
        "paid_at": (payload("pay_time"), "paid_at"),
        "updated_at": (payload("modified"), "modified"),
        "ship_by": (payload("delivery_time"), "trade_due"),
    }
    status, step, flag = payload("status"), given(payload("step_trade_status")), given(payload("seller_flag"))
    country = given(payload("receiver_country"))
    unread_lines = [name for name in lines.columns if name.startswith("bad_")]
    return [
        *unread("amount_unreadable", amounts),
        *unread("time_unreadable", times),
        *[(pl.col(n), finding("amount_unreadable", "lines." + n.removeprefix("bad_"))) for n in unread_lines],
        (~status.is_in(list(STATUS)).fill_null(False), finding("unknown_value", "status", status)),
        (~step.is_in(_STEPS), finding("unknown_value", "step_trade_status", step)),
        (~flag.is_in(list(FLAGS)), finding("unknown_value", "seller_flag", flag)),
        (
            pl.col("strange_refund").is_not_null(),
            finding("unknown_value", "lines.refund", pl.col("strange_refund")),
        ),
        (
            country.is_not_null() & pl.col("country").is_null(),
            finding("unknown_value", "recipient.country", country),
        ),
    ]


def _holds() -> list[Entry]:
    status, step = payload("status"), given(payload("step_trade_status"))
    unpaid = step.is_in(["FRONT_NOPAID_FINAL_NOPAID", "FRONT_PAID_FINAL_NOPAID"])
    return [
        (~status.is_in(list(STATUS)).fill_null(False), hold("unknown_status", status)),
        (status == "PAID_FORBID_CONSIGN", hold("shipping_forbidden", "PAID_FORBID_CONSIGN")),
        (yes(payload("top_hold")), hold("held", "top_hold")),
        (yes(payload("team_buy_hold")), hold("group_buy", "team_buy_hold")),
        (yes(payload("share_group_hold")), hold("group_buy", "share_group_hold")),
        (yes(payload("is_sh_ship")), hold("shipping_forbidden", "is_sh_ship")),
        (given(payload("rx_audit_status")) == "0", hold("prescription", "rx_audit_status")),
        (unpaid, hold("presale", step)),
        (~unpaid & (step != "FRONT_PAID_FINAL_PAID"), hold("presale_failed", step)),
        (pl.col("partial"), hold("shipped_quantity_unknown", "SELLER_CONSIGNED_PART")),
    ]


def _recipients(frame: pl.DataFrame) -> pl.Series:
    where = frame.select(
        province=payload("receiver_state"),
        city=payload("receiver_city"),
        district=payload("receiver_district"),
        town=payload("receiver_town"),
    )
    mobile, oaid = given(payload("receiver_mobile")), given(payload("oaid"))
    name, street = given(payload("receiver_name")), given(payload("receiver_address"))
    virtual = r"^(1\d{10})-(\d{1,6})$"  # a privacy number with its extension
    group = given(pl.col("facts").str.json_path_match("$.same_recipient"))
    zipped = given(payload("receiver_zip"))
    sealed = pl.struct(scheme=pl.lit("taobao/oaid"), ref=oaid, blob=pl.lit(None, dtype=pl.String))
    ours = recipient(
        name=name,
        phone=pl.coalesce(mobile.str.extract(virtual, 1), mobile, given(payload("receiver_phone"))),
        phone_ext=mobile.str.extract(virtual, 2),
        country=pl.col("country"),
        **{part: pl.col(part) for part in ("province", "province_code", "city", "district", "town")},
        street=street,
        postcode=pl.when(zipped != "000000").then(zipped),
        privacy=pl.when(oaid.is_not_null()).then(pl.lit("sealed")).otherwise(privacy(name, mobile, street)),
        sealed=pl.when(oaid.is_not_null()).then(sealed),
        match_key=group,
        match_kind=pl.when(group.is_not_null()).then(pl.lit("asked")).otherwise(pl.lit("none")),
    )
    return (
        frame.select("payload", "facts", "country").hstack(placed(where)).select(recipient=ours)["recipient"]
    )


def _country() -> pl.Expr:
    name = given(payload("receiver_country"))
    code = pl.when(name.str.contains("^[A-Z]{2}$")).then(name).otherwise(translate(name, COUNTRIES))
    return pl.when(name.is_null()).then(pl.lit("CN")).otherwise(code)


def _money(frame: pl.DataFrame) -> pl.DataFrame:
    """Add every amount of the order; `frame` has the texts read as numbers and the sums over the lines."""
    frame = frame.with_columns(
        goods_minor=pl.coalesce("goods", "goods_sum"), tax_added_minor=pl.col("tax").fill_null(0)
    ).with_columns(**_discounts())
    theirs, step = payload("status"), given(payload("step_trade_status"))
    is_cod = (payload("type") == "cod").fill_null(False)
    deposit = step.is_in(["FRONT_NOPAID_FINAL_NOPAID", "FRONT_PAID_FINAL_NOPAID"]).fill_null(False)
    total, status = pl.col("total_minor"), pl.col("status")
    nothing_paid = (status == "wait_pay") | (theirs == "TRADE_CLOSED_BY_TAOBAO")
    received = (
        pl.when(deposit).then("step_paid")
        .when(is_cod).then(pl.when(status == "completed").then(total).otherwise(0))
        .when(nothing_paid).then(0)
        .when(theirs.is_in(list(STATUS))).then(total)
    )  # fmt: skip
    return frame.with_columns(
        received_minor=received,
        due_minor=pl.when(status == "closed").then(0).otherwise((total - received).clip(lower_bound=0)),
        payment=pl.when(is_cod)
        .then(pl.lit("cod"))
        .when(deposit)
        .then(pl.lit("deposit"))
        .otherwise(pl.lit("prepaid")),
    )


def _read(frame: pl.DataFrame, orders: pl.Expr, promotions: pl.Expr) -> pl.DataFrame:
    """Give the trades with their texts read: amounts, times, status, the number of lines."""
    # what we do not know is treated as waiting and held, so that a person looks at it
    found = frame.select(
        *ENVELOPE,
        *("payload", "facts"),
        row=pl.int_range(pl.len(), dtype=pl.UInt32).set_sorted(),
        status=translate(payload("status"), STATUS).fill_null("wait_ship"),
        pieces=orders.list.len().fill_null(0),
        country=_country(),
        promoted=pl.when(promotions.list.len() > 0).then(
            promotions.list.eval(exact(pl.element().struct.field("discount_fee"), "CNY")).list.sum()
        ),
    )
    amounts = {
        "total_minor": "payment",
        "postage_minor": "post_fee",
        "goods": "total_fee",
        "discount": "discount_fee",
        "adjust": "adjust_fee",
        "subsidy": "platform_subsidy_fee",
        "tax": "order_tax_fee",
        "step_paid": "step_paid_fee",
    }
    times = {
        "placed_at": "created",
        "paid_at": "pay_time",
        "modified": "modified",
        "trade_due": "delivery_time",
    }
    found = with_amounts(found, {name: payload(theirs) for name, theirs in amounts.items()})
    return with_times(found, {name: payload(theirs) for name, theirs in times.items()}, BEIJING)


def _orders(frame: pl.DataFrame, orders: pl.Expr, promotions: pl.Expr) -> pl.DataFrame:
    base = _read(frame, orders, promotions)
    lines = gather_lines(read_lines(base, orders))
    nick, flag = given(payload("buyer_nick")), given(payload("seller_flag"))
    known = _money(base.join(lines, on="row", how="left", maintain_order="left")).with_columns(
        _recipients(base),
        platform_ref=pl.coalesce(given(payload("tid_str")), given(payload("tid")), "platform_ref"),
        currency=pl.lit("CNY"),
        refund_open=pl.col("refund_open").fill_null(False),
        updated_at=pl.coalesce("modified", "updated_at"),
        ship_by=pl.min_horizontal("trade_due", "due"),
        buyer_ref=pl.coalesce(
            given(payload("buyer_open_uid")), pl.when(~nick.str.contains(r"\*")).then(nick)
        ),
        buyer_note=note(payload("buyer_message")),
        seller_note=note(payload("seller_memo")),
        seller_flag=pl.coalesce(translate(flag, FLAGS), flag),
    )
    service = given(payload("logistics_agreement").struct.field("logistics_service_msg"))
    known = with_list(known, "holds", _holds(), HOLD)
    known = with_list(known, "problems", _problems(lines), PROBLEM)
    known = with_list(known, "wishes", [(service.is_not_null(), wish("service", service, service))], WISH)
    return finish(known)


def _wrapped(frame: pl.DataFrame) -> pl.DataFrame:
    return _orders(
        frame,
        payload("orders").struct.field("order"),
        payload("promotion_details").struct.field("promotion_detail"),
    )


def _simplified(frame: pl.DataFrame) -> pl.DataFrame:
    return _orders(frame, payload("orders"), payload("promotion_details"))


_MONEY = tuple(name for name in MONEY_FIELDS if name not in ("tax_included_minor", "refunded_minor"))
TRADE = Mapper(
    "taobao/trade",
    pl.Struct(
        {
            **_TRADE,
            "orders": pl.Struct({"order": pl.List(LINE)}),
            "promotion_details": pl.Struct({"promotion_detail": pl.List(_PROMOTION)}),
        }
    ),
    _wrapped,
    _MONEY,
)
TRADE_SIMPLIFIED = Mapper(
    "taobao/trade-simplified",
    pl.Struct({**_TRADE, "orders": pl.List(LINE), "promotion_details": pl.List(_PROMOTION)}),
    _simplified,
    _MONEY,
)
