"""Taobao and Tmall trades as the API gives them, in our words.

The two list forms of the API are two formats: `taobao/trade` (lists wrapped once more, `orders: {order: [...]}`)
and `taobao/trade-simplified` (asked for with `simplify=true`). All times are Beijing wall clock, all amounts yuan.

Source: TOP API descriptions of taobao.trades.sold.increment.get and taobao.trade.fullinfo.get, read 2026-11.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.instant import BEIJING, from_local
from orderctl.model.mapper import (
    ENVELOPE,
    HOLD,
    MONEY_FIELDS,
    WISH,
    Entry,
    Mapper,
    bad_amounts,
    bad_times,
    count,
    finding,
    finish,
    first_balanced,
    given,
    hold,
    line,
    note,
    payload,
    privacy,
    recipient,
    texts,
    to_ship,
    translate,
    wish,
    with_list,
    yes,
)
from orderctl.model.money import minor
from orderctl.model.regions import levels
from orderctl.model.schema import PROBLEM

_LINE = pl.Struct(
    texts(
        "oid oid_str title num_iid sku_id outer_iid outer_sku_id sku_properties_name num price payment"
        " divide_order_fee part_mjz_discount discount_fee adjust_fee refund_status status delivery_time is_free_gift"
    )
)
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
_GONE = ("WAIT_BUYER_CONFIRM_GOODS", "TRADE_BUYER_SIGNED", "TRADE_FINISHED")
_CLOSED = ("TRADE_CLOSED", "TRADE_CLOSED_BY_TAOBAO")
REFUND = {
    "NO_REFUND": "none",
    "CLOSED": "none",  # the request was withdrawn
    "SUCCESS": "refunded",
    "WAIT_SELLER_AGREE": "requested",
    "WAIT_BUYER_RETURN_GOODS": "requested",
    "WAIT_SELLER_CONFIRM_GOODS": "requested",
    "SELLER_REFUSE_BUYER": "requested",
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
_OPEN = ("wait_pay", "wait_ship", "partly_shipped")
_SIGNS = {"discount_seller_minor": -1, "discount_platform_minor": -1, "adjust_minor": 1}


def _time(text: pl.Expr) -> pl.Expr:
    return from_local(text, BEIJING)


def _lines(frame: pl.DataFrame, orders: pl.Expr) -> pl.DataFrame:
    """Give a row per line: the text fields, what is read of them, and the trade's number of lines and postage."""
    named = frame.select(
        "row", "status", "postage_minor", "total_minor", pieces=orders.list.len(), source=orders
    ).filter(pl.col("pieces") > 0)
    found = named.explode("source").rename({"status": "trade_status"}).unnest("source")
    refund = translate(given(pl.col("refund_status")), REFUND)
    found = found.with_columns(
        quantity=count(pl.col("num")).fill_null(0),
        unit=minor(pl.col("price")),
        share=minor(pl.col("divide_order_fee")),
        alone=minor(pl.col("payment")) - minor(pl.col("part_mjz_discount")).fill_null(0),
        line_discount=minor(pl.col("discount_fee")).fill_null(0),
        line_adjust=minor(pl.col("adjust_fee")).fill_null(0),
        is_closed=pl.col("status").is_in(_CLOSED).fill_null(False),
        is_gone=pl.col("status").is_in(_GONE).fill_null(False),
        asked=refund,
        line_due=_time(pl.col("delivery_time")),
    )
    return found.with_columns(
        refunded=pl.when(pl.col("is_closed")).then(pl.lit("refunded"))
        # an answer we do not know is taken for an open request: nothing leaves
        .when(given(pl.col("refund_status")).is_not_null()).then(refund.fill_null("requested"))
        .otherwise(pl.lit("none"))
    )  # fmt: skip


def _paid() -> tuple[pl.Expr, pl.Expr]:
    """What was paid for a line: (its share, whether all shares of the trade are known).

    The only line of a trade is said to cost the whole payment, postage included: that is taken off.
    """
    value = pl.coalesce("share", "alone")
    with_postage = (pl.col("pieces") == 1) & (value == pl.col("total_minor"))
    paid = pl.when(with_postage).then(value - pl.col("postage_minor").fill_null(0)).otherwise(value)
    told = pl.col("share").is_not_null()
    adds_up = paid.sum().over("row") == (
        pl.col("total_minor") - pl.col("postage_minor").fill_null(0)
    ).first().over("row")
    return paid, told | adds_up


def _gathered(lines: pl.DataFrame) -> pl.DataFrame:
    """Give a row per trade: its `lines` in our words, and the sums and findings over them."""
    paid, known = _paid()
    lines = lines.with_columns(paid=pl.when(known).then(paid))
    refunded = pl.when(pl.col("refunded") == "refunded").then("quantity").otherwise(0)
    shipped = pl.when("is_gone").then("quantity").otherwise(0)
    ours = line(
        line_ref=pl.coalesce(given(pl.col("oid_str")), given(pl.col("oid"))),
        platform_sku=given(pl.col("sku_id")),
        item_ref=given(pl.col("num_iid")),
        merchant_code=pl.coalesce(given(pl.col("outer_sku_id")), given(pl.col("outer_iid"))),
        title=given(pl.col("title")),
        spec=given(pl.col("sku_properties_name")),
        quantity=pl.col("quantity"),
        quantity_refunded=refunded,
        quantity_shipped=shipped,
        quantity_to_ship=to_ship(pl.col("quantity"), refunded, shipped, pl.col("trade_status").is_in(_OPEN)),
        unit_price_minor=pl.col("unit"),
        paid_minor=pl.col("paid"),
        refund=pl.col("refunded"),
        kind=pl.when(yes(pl.col("is_free_gift"))).then(pl.lit("gift")).otherwise(pl.lit("goods")),
    )
    unread = {"unit_price_minor": "price", "paid_minor": "divide_order_fee"}
    return lines.group_by("row", maintain_order=True).agg(
        lines=ours,
        goods_sum=pl.when(pl.col("unit").is_not_null().all()).then((pl.col("unit") * pl.col("quantity")).sum()),
        discount_sum=pl.col("line_discount").sum(),
        adjust_sum=pl.col("line_adjust").sum(),
        due=pl.col("line_due").min(),
        refund_open=(pl.col("refunded") == "requested").any(),
        bad_quantity=count(pl.col("num")).is_null().any(),
        partial=(pl.col("status") == "SELLER_CONSIGNED_PART").any(),
        strange_refund=pl.col("refund_status").filter(
            given(pl.col("refund_status")).is_not_null() & pl.col("asked").is_null()
        ).first(),
        **{
            f"bad_{ours_name}": (given(pl.col(theirs)).is_not_null() & minor(pl.col(theirs)).is_null()).any()
            for ours_name, theirs in unread.items()
        },
    )  # fmt: skip


def _discounts(promotions: pl.Expr) -> dict[str, pl.Expr]:
    """Choose what the overlapping discount fields mean: the reading under which the trade adds up.

    A trade's `discount_fee` holds, by time and kind of trade, all discounts or only those on the whole trade; the
    list of promotions holds all or nothing. The platform's subsidy is inside or beside them.
    """
    trade = minor(payload("discount_fee"))
    both = trade + pl.col("discount_sum").fill_null(0)
    promoted = promotions.list.eval(minor(pl.element().struct.field("discount_fee"))).list.sum()
    listed = pl.when(promotions.list.len() > 0).then(promoted)
    subsidy = minor(payload("platform_subsidy_fee")).fill_null(0)
    own_adjust = minor(payload("adjust_fee"))
    adjust = (
        pl.when((own_adjust == 0) & (pl.col("pieces") > 1)).then(pl.col("adjust_sum")).otherwise(own_adjust)
    )
    readings = [
        {
            "discount_seller_minor": d - inside,
            "discount_platform_minor": subsidy,
            "adjust_minor": adjust.fill_null(0),
        }
        for d in (trade, both, listed)
        for inside in (subsidy, pl.lit(0))
    ]
    rest = pl.col("total_minor") - pl.col("goods_minor") - pl.col("postage_minor") - pl.col("tax_added_minor")
    chosen = first_balanced(rest, readings, _SIGNS)
    return {**chosen, "discount_seller_minor": pl.coalesce(chosen["discount_seller_minor"], listed - subsidy)}


def _problems(frame: pl.DataFrame) -> list[Entry]:
    amounts = {
        "total_minor": payload("payment"),
        "goods_minor": payload("total_fee"),
        "postage_minor": payload("post_fee"),
        "discount_seller_minor": payload("discount_fee"),
        "adjust_minor": payload("adjust_fee"),
        "received_minor": payload("step_paid_fee"),
    }
    times = {
        "placed_at": payload("created"),
        "paid_at": payload("pay_time"),
        "updated_at": payload("modified"),
        "ship_by": payload("delivery_time"),
    }
    status, step, flag = payload("status"), given(payload("step_trade_status")), given(payload("seller_flag"))
    unread_lines = [name for name in frame.columns if name.startswith("bad_")]
    return [
        *bad_amounts(amounts, minor),
        *bad_times(times, _time),
        *[
            (pl.col(name), finding("amount_unreadable", "lines." + name.removeprefix("bad_")))
            for name in unread_lines
        ],
        (~status.is_in(list(STATUS)).fill_null(False), finding("unknown_value", "status", status)),
        (~step.is_in(_STEPS), finding("unknown_value", "step_trade_status", step)),
        (~flag.is_in(list(FLAGS)), finding("unknown_value", "seller_flag", flag)),
        (
            pl.col("strange_refund").is_not_null(),
            finding("unknown_value", "lines.refund", pl.col("strange_refund")),
        ),
        (
            given(payload("receiver_country")).is_not_null() & pl.col("country").is_null(),
            finding("unknown_value", "recipient.country", payload("receiver_country")),
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


def _recipient() -> pl.Expr:
    mobile, oaid = given(payload("receiver_mobile")), given(payload("oaid"))
    name, street = given(payload("receiver_name")), given(payload("receiver_address"))
    virtual = r"^(1\d{10})-(\d{1,6})$"  # a privacy number with its extension
    country = pl.col("country")
    where = [given(payload(f"receiver_{part}")) for part in ("state", "city", "district", "town")]
    placed = levels(*where)
    group = pl.col("facts").str.json_path_match("$.same_recipient")
    zipped = given(payload("receiver_zip"))
    sealed = pl.struct(scheme=pl.lit("taobao/oaid"), ref=oaid, blob=pl.lit(None, dtype=pl.String))
    return recipient(
        name=name,
        phone=pl.coalesce(mobile.str.extract(virtual, 1), mobile, given(payload("receiver_phone"))),
        phone_ext=mobile.str.extract(virtual, 2),
        country=country,
        **placed,
        street=street,
        postcode=pl.when(zipped != "000000").then(zipped),
        privacy=pl.when(oaid.is_not_null()).then(pl.lit("sealed")).otherwise(privacy(name, mobile, street)),
        sealed=pl.when(oaid.is_not_null()).then(sealed),
        match_key=given(group),
        match_kind=pl.when(given(group).is_not_null()).then(pl.lit("asked")).otherwise(pl.lit("none")),
    )


def _country() -> pl.Expr:
    name = given(payload("receiver_country"))
    code = pl.when(name.str.contains("^[A-Z]{2}$")).then(name).otherwise(translate(name, COUNTRIES))
    return pl.when(name.is_null()).then(pl.lit("CN")).otherwise(code)


def _money(frame: pl.DataFrame, promotions: pl.Expr) -> pl.DataFrame:
    """Add every amount of the order; `frame` has the totals read before and the sums over its lines."""
    frame = frame.with_columns(
        goods_minor=pl.coalesce(minor(payload("total_fee")), "goods_sum"),
        tax_added_minor=minor(payload("order_tax_fee")).fill_null(0),
    ).with_columns(**_discounts(promotions))
    is_cod, step = payload("type") == "cod", given(payload("step_trade_status"))
    deposit = step.is_in(["FRONT_NOPAID_FINAL_NOPAID", "FRONT_PAID_FINAL_NOPAID"]).fill_null(False)
    nothing_paid = (pl.col("status") == "wait_pay") | (payload("status") == "TRADE_CLOSED_BY_TAOBAO")
    total, status = pl.col("total_minor"), pl.col("status")
    received = (
        pl.when(deposit).then(minor(payload("step_paid_fee")))
        .when(is_cod).then(pl.when(status == "completed").then(total).otherwise(0))
        .when(nothing_paid).then(0)
        .when(payload("status").is_in(list(STATUS))).then(total)
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


def _orders(frame: pl.DataFrame, orders: pl.Expr, promotions: pl.Expr) -> pl.DataFrame:
    placed, paid, modified = (_time(payload(name)) for name in ("created", "pay_time", "modified"))
    nick, flag = given(payload("buyer_nick")), given(payload("seller_flag"))
    base = frame.select(
        *ENVELOPE, "payload", "facts", pl.int_range(pl.len(), dtype=pl.UInt32).set_sorted().alias("row")
    ).with_columns(
        # what we do not know is treated as waiting and held, so that a person looks at it
        status=translate(payload("status"), STATUS).fill_null("wait_ship"),
        total_minor=minor(payload("payment")),
        postage_minor=minor(payload("post_fee")),
        pieces=orders.list.len().fill_null(0),
        country=_country(),
    )
    known = base.join(_gathered(_lines(base, orders)), on="row", how="left", maintain_order="left")
    known = _money(known, promotions).with_columns(
        platform_ref=pl.coalesce(given(payload("tid_str")), given(payload("tid")), "platform_ref"),
        currency=pl.lit("CNY"),
        refund_open=pl.col("refund_open").fill_null(False),
        placed_at=placed,
        paid_at=paid,
        updated_at=pl.coalesce(modified, "updated_at"),
        ship_by=pl.min_horizontal(_time(payload("delivery_time")), "due"),
        buyer_ref=pl.coalesce(
            given(payload("buyer_open_uid")), pl.when(~nick.str.contains(r"\*")).then(nick)
        ),
        buyer_note=note(payload("buyer_message")),
        seller_note=note(payload("seller_memo")),
        seller_flag=pl.coalesce(translate(flag, FLAGS), flag),
        recipient=_recipient(),
    )
    service = given(payload("logistics_agreement").struct.field("logistics_service_msg"))
    known = with_list(known, "holds", _holds(), HOLD)
    known = with_list(known, "problems", _problems(known), PROBLEM)
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
            "orders": pl.Struct({"order": pl.List(_LINE)}),
            "promotion_details": pl.Struct({"promotion_detail": pl.List(_PROMOTION)}),
        }
    ),
    _wrapped,
    _MONEY,
)
TRADE_SIMPLIFIED = Mapper(
    "taobao/trade-simplified",
    pl.Struct({**_TRADE, "orders": pl.List(_LINE), "promotion_details": pl.List(_PROMOTION)}),
    _simplified,
    _MONEY,
)
