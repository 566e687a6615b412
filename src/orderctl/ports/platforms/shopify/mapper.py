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
    WISH,
    Entry,
    Mapper,
    count,
    finding,
    finish,
    first_balanced,
    given,
    hold,
    line,
    note,
    payload,
    recipient,
    texts,
    to_ship,
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

_BAG = pl.Struct({"shopMoney": pl.Struct(texts("amount"))})
_PAIR = pl.Struct(texts("key value"))
_LINE = pl.Struct(
    {
        **texts("id sku title variantTitle quantity currentQuantity unfulfilledQuantity requiresShipping"),
        "originalUnitPriceSet": _BAG,
        "discountedTotalSet": _BAG,
        "discountAllocations": pl.List(pl.Struct({"allocatedAmountSet": _BAG})),
        "customAttributes": pl.List(_PAIR),
        "variant": pl.Struct(texts("id")),
        "product": pl.Struct(texts("id")),
    }
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
        **dict.fromkeys(_BAGS.values(), _BAG),
        "tags": pl.List(pl.String()),
        "paymentGatewayNames": pl.List(pl.String()),
        "customAttributes": pl.List(_PAIR),
        "customer": pl.Struct(texts("id")),
        "risk": pl.Struct(texts("recommendation")),
        "shippingAddress": pl.Struct(
            texts(
                "firstName lastName name company address1 address2 city province provinceCode zip countryCodeV2 phone"
            )
        ),
        "shippingLine": pl.Struct(texts("title code")),
        "transactions": pl.List(pl.Struct(texts("kind status processedAt"))),
        "lineItems": pl.Struct({"pageInfo": pl.Struct(texts("hasNextPage")), "nodes": pl.List(_LINE)}),
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
_OPEN = ("wait_pay", "wait_ship", "partly_shipped")
_LIVE_WORK = ("OPEN", "IN_PROGRESS", "SCHEDULED", "ON_HOLD")
_TIMES = {
    "created": "createdAt",
    "processed": "processedAt",
    "updated": "updatedAt",
}
_FAMILY_FIRST = r"[\p{Han}\p{Hangul}]"


def _number(gid: pl.Expr) -> pl.Expr:
    """Give the digits at the end of a global id: the form exports and older interfaces use."""
    return given(gid).str.extract(r"(\d+)$", 1)


def _amount(bag: pl.Expr) -> pl.Expr:
    return bag.struct.field("shopMoney").struct.field("amount")


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
        found, {name: _amount(payload(bag)) for name, bag in _BAGS.items()}, pl.col("currency")
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


def _lines(frame: pl.DataFrame) -> pl.DataFrame:
    """Give a row per line, its texts read, with what it must know of its order."""
    named = frame.select("row", "currency", "status", node=payload("lineItems").struct.field("nodes"))
    found = named.filter(pl.col("node").list.len() > 0).explode("node").unnest("node")
    allocated = pl.col("discountAllocations")
    found = with_amounts(
        found,
        {
            "unit": _amount(pl.col("originalUnitPriceSet")),
            "discounted": _amount(pl.col("discountedTotalSet")),
        },
        pl.col("currency"),
    ).with_columns(
        ordered=count(pl.col("quantity")),
        kept=count(pl.col("currentQuantity")),
        left=count(pl.col("unfulfilledQuantity")),
        extra=pl.lit(None, dtype=pl.String),
        shares=pl.lit(None, dtype=pl.Int64),
    )
    if found.select(allocated.list.len().max()).item():
        share = found.select("row", "currency", at=pl.int_range(pl.len()), share=allocated).explode("share")
        share = with_amounts(
            share, {"minor": _amount(pl.col("share").struct.field("allocatedAmountSet"))}, pl.col("currency")
        )
        sums = share.group_by("at", maintain_order=True).agg(pl.col("minor").sum())
        found = found.with_columns(shares=sums["minor"])
    found = found.with_columns(shares=pl.when(allocated.is_not_null()).then(pl.col("shares").fill_null(0)))
    if found.select(pl.col("customAttributes").list.len().max()).item():
        pair = pl.element().struct
        # names that begin with _ are meant to stay hidden
        shown = pl.when(~pair.field("key").str.starts_with("_")).then(
            pair.field("key") + ": " + pair.field("value")
        )
        found = found.with_columns(
            extra=pl.col("customAttributes").list.eval(shown).list.drop_nulls().list.join("; ")
        )
    return found.with_columns(quantity_=pl.col("ordered").fill_null(0))


def _gathered(lines: pl.DataFrame) -> pl.DataFrame:
    """Give a row per order: its `lines` in our words, and the sums over them.

    `discountedTotalSet` leaves out discounts on the whole order; the allocations have them all. Without those a
    line's payment is known only if the order has no other discount: that is judged later, by `line_discounts`.
    """
    ordered, kept, left = pl.col("quantity_"), pl.col("kept").fill_null(pl.col("quantity_")), pl.col("left")
    refunded = (ordered - kept).clip(lower_bound=0)
    shipped = (kept - left.fill_null(kept)).clip(lower_bound=0)
    service = (pl.col("requiresShipping") == "false").fill_null(False)
    variant = given(pl.col("variantTitle"))
    full = pl.col("unit") * ordered
    ours = line(
        line_ref=_number(pl.col("id")),
        platform_sku=_number(pl.col("variant").struct.field("id")),
        item_ref=_number(pl.col("product").struct.field("id")),
        merchant_code=given(pl.col("sku")),
        title=given(pl.col("title")),
        spec=given(
            pl.concat_str(
                pl.when(variant != "Default Title").then(variant),
                given(pl.col("extra")),
                separator="; ",
                ignore_nulls=True,
            )
        ),
        quantity=ordered,
        quantity_refunded=refunded,
        quantity_shipped=shipped,
        quantity_to_ship=to_ship(ordered, refunded, shipped, pl.col("status").is_in(_OPEN) & ~service),
        unit_price_minor=pl.col("unit"),
        paid_minor=pl.coalesce(full - pl.col("shares"), "discounted"),
        refund=pl.when((refunded > 0) & (refunded >= ordered)).then(pl.lit("refunded"))
        .when(refunded > 0).then(pl.lit("partly")).otherwise(pl.lit("none")),
        kind=pl.when(service).then(pl.lit("service")).otherwise(pl.lit("goods")),
    )  # fmt: skip
    bad = given(_amount(pl.col("originalUnitPriceSet"))).is_not_null() & pl.col("unit").is_null()
    rows = lines.select(
        "row",
        ours.alias("line"),
        full=full,
        current=pl.col("unit") * kept,
        discount=full - pl.col("discounted"),
        told=pl.col("shares").is_not_null(),
        bad_quantity=pl.col("ordered").is_null(),
        bad_unit_price_minor=bad,
    )
    whole = {name: pl.col(name).null_count() == 0 for name in ("full", "current", "discount")}
    return rows.group_by("row", maintain_order=True).agg(
        lines=pl.col("line"),
        goods_all=pl.when(whole["full"]).then(pl.col("full").sum()),
        goods_kept=pl.when(whole["current"]).then(pl.col("current").sum()),
        line_discounts=pl.when(whole["discount"]).then(pl.col("discount").sum()),
        told=pl.col("told").all(),
        bad_quantity=pl.col("bad_quantity").any(),
        bad_unit_price_minor=pl.col("bad_unit_price_minor").any(),
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
    asian = called.str.contains(_FAMILY_FIRST) & pl.col("first").is_not_null() & pl.col("last").is_not_null()
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
            {ours: (_amount(payload(_BAGS[read])), read) for ours, read in amounts.items()},
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
    frame = with_list(
        frame, "wishes", [(title.is_not_null(), wish("service", pl.coalesce(code, title), title))], WISH
    )
    typed = payload("customAttributes")
    if not frame.select(typed.list.len().max()).item():
        return frame
    pair = pl.element().struct
    key, value = pair.field("key"), given(pair.field("value"))
    shown = pl.when(~key.str.starts_with("_") & value.is_not_null()).then(
        wish("attribute", value, pl.concat_str(key, pl.lit(": "), value))
    )
    more = typed.list.eval(shown).list.drop_nulls().fill_null([])
    return frame.with_columns(wishes=pl.concat_list("wishes", more))


def _orders(frame: pl.DataFrame) -> pl.DataFrame:
    base = _status(_read(frame))
    lines = _gathered(_lines(base))
    known = _money(base.join(lines, on="row", how="left", maintain_order="left"))
    bought = payload("displayFinancialStatus").is_in(["PAID", "PARTIALLY_REFUNDED", "REFUNDED"])
    ref = pl.coalesce(given(payload("legacyResourceId")), _number(payload("id")), "platform_ref")
    known = known.with_columns(
        _recipients(base),
        platform_ref=ref,
        placed_at=pl.coalesce("processed", "created"),
        # a payment by hand has no transaction of its own: then the order's business date
        paid_at=pl.coalesce("settled_at", pl.when(bought).then("processed")),
        updated_at=pl.coalesce("updated", "updated_at"),
        buyer_ref=_number(payload("customer").struct.field("id")),
        buyer_note=note(payload("note")),
        tags=payload("tags"),
    )
    known = with_list(known, "holds", _holds(), HOLD)
    known = with_list(known, "problems", _problems(), PROBLEM)
    return finish(_wishes(known))


GRAPHQL = Mapper("shopify/graphql", _ORDER, _orders, MONEY_FIELDS)
