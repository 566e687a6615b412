"""Shopify orders as the GraphQL Admin API gives them, in our words.

Money is always the shop's own currency, never what the buyer saw. Amounts are those before returns: the ordered
quantities with `totalPriceSet`; what was given back stands in `refunded_minor` and in the lines.

Source: GraphQL Admin API schemas 2025-10 to 2026-10.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.mapper import (
    ENVELOPE,
    HOLD,
    MONEY_FIELDS,
    Entry,
    Mapper,
    finding,
    finish,
    first_balanced,
    given,
    hold,
    note,
    payload,
    recipient,
    texts,
    translate,
    unread,
    wish,
    with_amounts,
    with_instants,
    with_list,
    yes,
)
from orderctl.model.regions import placed, province_of_code
from orderctl.model.schema import PROBLEM
from orderctl.ports.platforms.shopify.lines import (
    BAG,
    LINE,
    PAIR,
    amount_of,
    digits_of,
    gather_lines,
    read_lines,
)

_WORK = pl.Struct(
    {
        **texts("status requestStatus fulfillAt fulfillBy"),
        "deliveryMethod": pl.Struct(texts("methodType")),
        "fulfillmentHolds": pl.List(pl.Struct(texts("reason"))),
    }
)
_BAGS = {
    "whole": "totalPriceSet",
    "current": "currentTotalPriceSet",
    "received_minor": "totalReceivedSet",
    "refunded_minor": "totalRefundedSet",
    "postage_minor": "totalShippingPriceSet",
    "discount_seller_minor": "totalDiscountsSet",
    "tax": "totalTaxSet",
    "tip": "totalTipReceivedSet",
    "duties": "originalTotalDutiesSet",
}
_ORDER = pl.Struct(
    {
        **texts(
            "id legacyResourceId name test createdAt processedAt updatedAt closed closedAt cancelledAt"
            " displayFinancialStatus displayFulfillmentStatus returnStatus taxesIncluded currencyCode email phone note"
        ),
        **dict.fromkeys(_BAGS.values(), BAG),
        "tags": pl.List(pl.String()),
        "paymentGatewayNames": pl.List(pl.String()),
        "customAttributes": pl.List(PAIR),
        "customer": pl.Struct(texts("id")),
        "risk": pl.Struct(texts("recommendation")),
        "shippingAddress": pl.Struct(
            texts(
                "firstName lastName name company address1 address2 city province provinceCode zip countryCodeV2 phone"
            )
        ),
        "shippingLine": pl.Struct(texts("title code")),
        "transactions": pl.List(pl.Struct(texts("kind status processedAt"))),
        "lineItems": pl.Struct({"pageInfo": pl.Struct(texts("hasNextPage")), "nodes": pl.List(LINE)}),
        "fulfillmentOrders": pl.Struct({"nodes": pl.List(_WORK)}),
    }
)

FINANCIAL = {
    **dict.fromkeys(["REFUNDED", "VOIDED", "EXPIRED"], "closed"),
    **dict.fromkeys(["PENDING", "PARTIALLY_PAID"], "wait_pay"),
    # many shops take the money when they ship: authorized counts as paid
    **dict.fromkeys(["PAID", "PARTIALLY_REFUNDED", "AUTHORIZED"], "wait_ship"),
}
FULFILLMENT = {
    "FULFILLED": "shipped",
    "FULFILLMENT_NOT_REQUIRED": "completed",
    "PARTIALLY_FULFILLED": "partly_shipped",
    **dict.fromkeys(["UNFULFILLED", "OPEN", "IN_PROGRESS", "PENDING_FULFILLMENT"], "wait_ship"),
    **dict.fromkeys(["REQUEST_DECLINED", "RESTOCKED", "SCHEDULED", "ON_HOLD"], "wait_ship"),
}
RETURNS = {
    **dict.fromkeys(["NO_RETURN", "RETURNED", "RETURN_FAILED"], "none"),
    **dict.fromkeys(["RETURN_REQUESTED", "IN_PROGRESS", "INSPECTION_COMPLETE"], "requested"),
}
_LIVE_WORK = ("OPEN", "IN_PROGRESS", "SCHEDULED", "ON_HOLD")
_TIMES = {
    "created": "createdAt",
    "processed": "processedAt",
    "updated": "updatedAt",
}
FAMILY_FIRST = r"[\p{Han}\p{Hangul}]"


def _read(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the orders with their texts read: amounts, times, what the fulfillment orders say."""
    works = payload("fulfillmentOrders").struct.field("nodes")
    work = pl.element().struct
    live, taken = (
        work.field("status").is_in(_LIVE_WORK),
        work.field("requestStatus").is_in(["SUBMITTED", "ACCEPTED"]),
    )
    on_hold = work.field("status") == "ON_HOLD"
    paid = pl.element().struct.field("kind").is_in(["SALE", "CAPTURE"]) & (
        pl.element().struct.field("status") == "SUCCESS"
    )
    method = work.field("deliveryMethod").struct.field("methodType")
    reason = work.field("fulfillmentHolds").list.eval(pl.element().struct.field("reason")).list.join(", ")
    found = frame.select(
        *ENVELOPE,
        "payload",
        row=pl.int_range(pl.len(), dtype=pl.UInt32).set_sorted(),
        currency=given(payload("currencyCode")),
        live=works.list.eval(live).list.sum().fill_null(0),
        taken=works.list.eval(live & taken).list.sum().fill_null(0),
        parcels=works.list.eval(live & (method.is_null() | (method == "SHIPPING"))).list.sum().fill_null(0),
        methods=works.list.eval(pl.when(live).then(method)).list.drop_nulls().list.unique().list.sort().list.join(", "),
        on_hold=works.list.eval(on_hold).list.any().fill_null(False),
        reasons=works.list.eval(pl.when(on_hold).then(reason)).list.drop_nulls().list.join(", "),
        planned=works.list.eval(work.field("status") == "SCHEDULED").list.any().fill_null(False),
        starts=works.list.eval(pl.when(work.field("status") == "SCHEDULED").then(work.field("fulfillAt"))).list.min(),
        promised=works.list.eval(pl.when(live).then(work.field("fulfillBy"))).list.min(),
        settled=payload("transactions").list.eval(pl.when(paid).then(pl.element().struct.field("processedAt"))).list.min(),
    )  # fmt: skip
    found = with_amounts(
        found, {name: amount_of(payload(bag)) for name, bag in _BAGS.items()}, pl.col("currency")
    )
    times = {name: payload(theirs) for name, theirs in _TIMES.items()}
    others = {"starts_at": pl.col("starts"), "ship_by": pl.col("promised"), "settled_at": pl.col("settled")}
    return with_instants(found, {**times, **others})


def _status(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `status`; what we do not know is treated as waiting and held, so that a person looks at it."""
    gateways = payload("paymentGatewayNames").list.join(" ").str.to_lowercase()
    is_cod = gateways.str.contains("cash on delivery", literal=True).fill_null(False)
    # a free order has no financial status: nothing is left to pay
    financial = translate(payload("displayFinancialStatus").fill_null("PAID"), FINANCIAL).fill_null(
        "wait_ship"
    )
    shipping = translate(payload("displayFulfillmentStatus"), FULFILLMENT).fill_null("wait_ship")
    over = shipping.is_in(["shipped", "completed"])
    archived = yes(payload("closed")) | given(payload("closedAt")).is_not_null()
    status = (
        pl.when(given(payload("cancelledAt")).is_not_null() | (financial == "closed")).then(pl.lit("closed"))
        .when((financial == "wait_pay") & ~is_cod & ~over).then(pl.lit("wait_pay"))
        .when((shipping == "shipped") & archived).then(pl.lit("completed"))
        .otherwise(shipping)
    )  # fmt: skip
    returns = given(payload("returnStatus"))
    asked = returns.is_not_null() & (translate(returns, RETURNS).fill_null("requested") == "requested")
    return frame.with_columns(
        status=status,
        payment=pl.when(is_cod).then(pl.lit("cod")).otherwise(pl.lit("prepaid")),
        refund_open=asked.fill_null(False),
    )


def _money(frame: pl.DataFrame) -> pl.DataFrame:
    included, tax = yes(payload("taxesIncluded")), pl.col("tax")
    zero = pl.when(tax.is_not_null()).then(pl.lit(0, dtype=pl.Int64))
    frame = frame.with_columns(
        total_minor=pl.col("whole"),
        tax_included_minor=pl.when(included).then(tax).otherwise(zero),
        tax_added_minor=pl.when(included).then(zero).otherwise(tax) + pl.col("duties").fill_null(0),
        adjust_minor=pl.col("tip").fill_null(0),
        discount_platform_minor=pl.lit(
            0, dtype=pl.Int64
        ),  # there is no platform to give one: the shop is the seller's
    )
    terms = (
        pl.col("postage_minor")
        + pl.col("tax_added_minor")
        + pl.col("adjust_minor")
        - pl.col("discount_seller_minor")
    )
    # an edited order counts removed goods in neither its total nor its price, an order with returns in both
    readings = [{"goods_minor": pl.col(name)} for name in ("goods_all", "goods_kept")]
    goods = first_balanced(pl.col("total_minor") - terms, readings, {"goods_minor": 1})
    kept = pl.col("received_minor") - pl.col("refunded_minor").fill_null(0)
    due = (
        pl.when(pl.col("status") == "closed")
        .then(0)
        .otherwise((pl.col("current") - kept).clip(lower_bound=0))
    )
    known = (pl.col("told") | (pl.col("line_discounts") == pl.col("discount_seller_minor"))).fill_null(False)
    frame = frame.with_columns(**goods, due_minor=due)
    unknown = frame.filter(~known & pl.col("lines").is_not_null()).select("row", "lines")
    if not unknown.height:
        return frame
    share = pl.element().struct.with_fields(paid_minor=pl.lit(None, dtype=pl.Int64))
    told = unknown.with_columns(_lines=pl.col("lines").list.eval(share)).drop("lines")
    joined = frame.join(told, on="row", how="left", maintain_order="left")
    return joined.with_columns(lines=pl.coalesce("_lines", "lines")).drop("_lines")


def _recipients(frame: pl.DataFrame) -> pl.Series:
    address = payload("shippingAddress").struct
    part = {
        name: given(address.field(theirs))
        for name, theirs in {
            "first": "firstName",
            "last": "lastName",
            "name": "name",
            "company": "company",
            "line1": "address1",
            "line2": "address2",
            "city": "city",
            "province": "province",
            "code": "provinceCode",
            "zip": "zip",
            "country": "countryCodeV2",
            "phone": "phone",
        }.items()
    }
    found = frame.select(**part, own_phone=given(payload("phone")), email=given(payload("email")))
    is_cn = pl.col("country") == "CN"
    nothing = pl.lit(None, dtype=pl.String)
    china = placed(
        found.select(
            province=pl.when(is_cn).then(pl.coalesce(province_of_code(pl.col("code")), "province")),
            city=pl.when(is_cn).then("city"),
            district=nothing,
            town=nothing,
        )
    ).select(pl.all().name.prefix("cn_"))
    called = pl.concat_str("last", "first")
    asian = called.str.contains(FAMILY_FIRST) & pl.col("first").is_not_null() & pl.col("last").is_not_null()
    phone = pl.coalesce("phone", "own_phone")
    extension = r"(?i)\s*(?:ext\.?|x)\s*(\d{1,6})$"
    ours = recipient(
        name=pl.when(asian).then(called).otherwise("name"),
        company=pl.col("company"),
        phone=phone.str.replace(extension, ""),
        phone_ext=phone.str.extract(extension, 1),
        email=pl.col("email"),
        country=pl.col("country"),
        province=pl.when(is_cn).then("cn_province").otherwise("province"),
        province_code=pl.when(is_cn)
        .then("cn_province_code")
        .otherwise(pl.col("code").str.replace(r"^[A-Z]{2}-", "")),
        city=pl.when(is_cn).then("cn_city").otherwise("city"),
        district=pl.col("cn_district"),
        street=pl.col("line1"),
        address_lines=pl.concat_list("line2").list.drop_nulls(),
        postcode=pl.col("zip"),
    )
    return found.hstack(china).select(recipient=ours)["recipient"]


def _holds() -> list[Entry]:
    financial, shipping = payload("displayFinancialStatus"), payload("displayFulfillmentStatus")
    risk = payload("risk").struct.field("recommendation")
    active, taken = pl.col("live") > 0, pl.col("taken")
    return [
        (yes(payload("test")), hold("test", "test")),
        (~financial.is_in(list(FINANCIAL)), hold("unknown_status", financial)),
        (~shipping.is_in(list(FULFILLMENT)), hold("unknown_status", shipping)),
        (risk.is_in(["CANCEL", "INVESTIGATE"]), hold("risk", risk)),
        (pl.col("on_hold") | (shipping == "ON_HOLD"), hold("on_hold", given(pl.col("reasons")))),
        (
            pl.col("planned") | (shipping == "SCHEDULED"),
            hold("scheduled", "SCHEDULED", until=pl.col("starts_at")),
        ),
        (active & (taken == pl.col("live")), hold("fulfilled_by_platform", "requestStatus")),
        (
            active & (taken > 0) & (taken < pl.col("live")),
            hold("partly_fulfilled_by_platform", "requestStatus"),
        ),
        (active & (pl.col("parcels") == 0), hold("no_parcel", given(pl.col("methods")))),
        (
            yes(payload("lineItems").struct.field("pageInfo").struct.field("hasNextPage")),
            hold("lines_missing", "lineItems"),
        ),
    ]


def _problems() -> list[Entry]:
    amounts = {
        "total_minor": "whole",
        **{n: n for n in ("received_minor", "refunded_minor", "postage_minor", "discount_seller_minor")},
        "tax_added_minor": "tax",
        "due_minor": "current",
    }
    financial, shipping = payload("displayFinancialStatus"), payload("displayFulfillmentStatus")
    returns = given(payload("returnStatus"))
    times = {"placed_at": "created", "paid_at": "processed", "updated_at": "updated"}
    return [
        *unread(
            "amount_unreadable",
            {ours: (amount_of(payload(_BAGS[read])), read) for ours, read in amounts.items()},
        ),
        *unread("time_unreadable", {ours: (payload(_TIMES[read]), read) for ours, read in times.items()}),
        (pl.col("bad_quantity"), finding("amount_unreadable", "lines.quantity")),
        (pl.col("bad_unit_price_minor"), finding("amount_unreadable", "lines.unit_price_minor")),
        (~financial.is_in(list(FINANCIAL)), finding("unknown_value", "displayFinancialStatus", financial)),
        (~shipping.is_in(list(FULFILLMENT)), finding("unknown_value", "displayFulfillmentStatus", shipping)),
        (~returns.is_in(list(RETURNS)), finding("unknown_value", "returnStatus", returns)),
    ]


def _wishes(frame: pl.DataFrame) -> pl.DataFrame:
    """Add what the buyer chose and typed into the shop's own fields (not the hidden ones, which begin with _)."""
    title = given(payload("shippingLine").struct.field("title"))
    code = given(payload("shippingLine").struct.field("code"))
    service = wish("service", pl.coalesce(code, title), title)
    chosen = frame.filter(title.is_not_null()).select("row", wishes=service)
    pairs = frame.select("row", pair=payload("customAttributes")).filter(pl.col("pair").list.len() > 0)
    pairs = pairs.explode("pair").unnest("pair")
    shown = ~pl.col("key").str.starts_with("_") & given(pl.col("value")).is_not_null()
    said = pl.concat_str("key", pl.lit(": "), "value")
    typed = pairs.filter(shown).select("row", wishes=wish("attribute", given(pl.col("value")), said))
    found = pl.concat([chosen, typed]).group_by("row", maintain_order=True).agg("wishes")
    return frame.join(found, on="row", how="left", maintain_order="left")


def _orders(frame: pl.DataFrame) -> pl.DataFrame:
    base = _status(_read(frame))
    lines = gather_lines(read_lines(base))
    known = _money(base.join(lines, on="row", how="left", maintain_order="left"))
    bought = payload("displayFinancialStatus").is_in(["PAID", "PARTIALLY_REFUNDED", "REFUNDED"])
    ref = pl.coalesce(given(payload("legacyResourceId")), digits_of(payload("id")), "platform_ref")
    known = known.with_columns(
        _recipients(base),
        platform_ref=ref,
        placed_at=pl.coalesce("processed", "created"),
        # a payment by hand has no transaction of its own: then the order's business date
        paid_at=pl.coalesce("settled_at", pl.when(bought).then("processed")),
        updated_at=pl.coalesce("updated", "updated_at"),
        buyer_ref=digits_of(payload("customer").struct.field("id")),
        buyer_note=note(payload("note")),
        tags=payload("tags"),
    )
    known = with_list(known, "holds", _holds(), HOLD)
    known = with_list(known, "problems", _problems(), PROBLEM)
    return finish(_wishes(known))


GRAPHQL = Mapper("shopify/graphql", _ORDER, _orders, MONEY_FIELDS)
