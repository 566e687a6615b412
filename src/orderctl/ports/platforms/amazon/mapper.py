"""Orders as Orders API 2026-01-01 gives them.

Money comes as breakdowns by type, of the order and of its lines; those of the order count where both are told.
Units still to ship are told as such, and nothing else is relied on: a cancelled line may keep its ordered quantity.

Source: the model orders_2026-01-01 of Amazon's selling-partner-api-models.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.mapper import (
    MONEY_FIELDS,
    Mapper,
    count,
    given,
    payload,
    texts,
    translate,
    with_amounts,
    with_instants,
)
from orderctl.ports.platforms.amazon.build import (
    COD,
    LINES,
    bad,
    default_currency,
    heads_of,
    lines_of,
    to_orders,
)

FORMAT = "amazon/order"
_MONEY = pl.Struct(texts("amount currencyCode"))
_WINDOW = pl.Struct(texts("earliestDateTime latestDateTime"))
_DETAIL = pl.Struct({**texts("subtype"), "value": _MONEY})
_PART = pl.Struct({**texts("type"), "subtotal": _MONEY, "detailedBreakdowns": pl.List(_DETAIL)})
_ADDRESS = {
    "name": "name",
    "company": "companyName",
    "line1": "addressLine1",
    "line2": "addressLine2",
    "line3": "addressLine3",
    "city": "city",
    "district": "districtOrCounty",
    "town": "municipality",
    "state": "stateOrRegion",
    "postcode": "postalCode",
    "country": "countryCode",
    "phone": "phone",
}
_CONSTRAINTS = {
    "palletDelivery": "pallet",
    "signatureConfirmation": "signature",
    "recipientIdentityVerification": "identity_check",
    "recipientAgeVerification": "age_check",
}
_ITEM = pl.Struct(
    {
        **texts("orderItemId quantityOrdered"),
        "programs": pl.List(pl.String()),
        "product": pl.Struct(
            {
                **texts("asin title sellerSku"),
                "price": pl.Struct({"unitPrice": _MONEY}),
                "customization": pl.Struct(texts("customizedUrl")),
            }
        ),
        "proceeds": pl.Struct({"proceedsTotal": _MONEY, "breakdowns": pl.List(_PART)}),
        "cancellation": pl.Struct({"cancellationRequest": pl.Struct(texts("requester cancelReason"))}),
        "fulfillment": pl.Struct(
            {
                **texts("quantityFulfilled quantityUnfulfilled"),
                "packing": pl.Struct(
                    {
                        "giftOption": pl.Struct(texts("giftMessage giftWrapLevel")),
                        "serialNumberRequirement": pl.Struct(texts("requirementType")),
                    }
                ),
                "shipping": pl.Struct(
                    {
                        "shippingConstraints": pl.Struct(texts(" ".join(_CONSTRAINTS))),
                        "internationalShipping": pl.Struct(texts("iossNumber")),
                    }
                ),
            }
        ),
    }
)
_ORDER = pl.Struct(
    {
        **texts("orderId createdTime lastUpdatedTime"),
        "programs": pl.List(pl.String()),
        "associatedOrders": pl.List(pl.Struct(texts("orderId associationType"))),
        "salesChannel": pl.Struct(texts("channelName marketplaceId")),
        "buyer": pl.Struct(texts("buyerEmail")),
        "recipient": pl.Struct(
            {
                "deliveryAddress": pl.Struct(texts(" ".join(_ADDRESS.values()))),
                "deliveryPreference": pl.Struct(texts("dropOffLocation addressInstruction")),
            }
        ),
        "proceeds": pl.Struct({"grandTotal": _MONEY, "breakdowns": pl.List(_PART)}),
        "payment": pl.Struct(
            {"paymentExecutions": pl.List(pl.Struct({**texts("paymentMethod"), "paymentAmount": _MONEY}))}
        ),
        "fulfillment": pl.Struct(
            {
                **texts("fulfillmentStatus fulfilledBy fulfillmentServiceLevel"),
                "shipByWindow": _WINDOW,
                "labelPrintingWindow": pl.Struct(texts("earliestDateTime")),
            }
        ),
        "packages": pl.List(pl.Struct({"packageStatus": pl.Struct(texts("status"))})),
        "orderItems": pl.List(_ITEM),
    }
)
STATUS = {
    **dict.fromkeys(["PENDING_AVAILABILITY", "PENDING"], "wait_pay"),
    "UNSHIPPED": "wait_ship",
    "PARTIALLY_SHIPPED": "partly_shipped",
    "SHIPPED": "shipped",
    **dict.fromkeys(["CANCELLED", "UNFULFILLABLE"], "closed"),
}
_PROGRAMS = {"AMAZON_BUSINESS": "business", "AMAZON_EASY_SHIP": "easy-ship", "FBM_SHIP_PLUS": "ship-plus"}
_TYPES = {
    "ITEM": "goods",
    "SHIPPING": "postage",
    **dict.fromkeys(["GIFT_WRAP", "COD_FEE", "DELIVERY_TIP", "OTHER"], "fees"),
    "TAX": "tax",
    "DISCOUNT": "discount",
}
_SUMS = ("goods", "postage", "fees", "tax", "discount")


def _of(*path: str) -> pl.Expr:
    found = payload(path[0])
    for name in path[1:]:
        found = found.struct.field(name)
    return found


def _amount(money: pl.Expr) -> pl.Expr:
    """Give the amount of money that is in the currency of its order; of another it is none of the order's."""
    return pl.when(money.struct.field("currencyCode") == pl.col("currency")).then(
        money.struct.field("amount")
    )


def _sums(parts: pl.DataFrame, key: str) -> pl.DataFrame:
    """Give the sums of breakdowns by `key`: `_SUMS`, `postage_off`, and whether one could not be read.

    Args:
        parts: `key`, `currency` and `part`, one breakdown a row.
    """
    rows = parts.drop_nulls("part").unnest("part").with_row_index("nth")
    read = with_amounts(rows, {"minor": _amount(pl.col("subtotal"))}, pl.col("currency"))
    kind = translate(pl.col("type"), _TYPES).fill_null("fees")
    size = (
        pl.when(kind == "discount").then(pl.col("minor").abs()).otherwise("minor")
    )  # its sign is nowhere told
    details = rows.filter(pl.col("type") == "DISCOUNT").select("nth", "currency", detail="detailedBreakdowns")
    details = details.explode("detail").drop_nulls("detail").unnest("detail")
    details = with_amounts(
        details.filter(pl.col("subtype") == "SHIPPING"), {"off": _amount(pl.col("value"))}, pl.col("currency")
    )
    off = details.group_by("nth").agg(pl.col("off").abs().sum())
    read = read.join(off, on="nth", how="left", maintain_order="left").with_columns(kind=kind, size=size)
    mine = {name: pl.col("size").filter(pl.col("kind") == name) for name in _SUMS}
    return read.group_by(key, maintain_order=True).agg(
        *[pl.when(own.len() > 0).then(own.sum()).alias(name) for name, own in mine.items()],
        postage_off=pl.col("off").sum(),
        bad_part=(
            given(pl.col("subtotal").struct.field("amount")).is_not_null() & pl.col("minor").is_null()
        ).any(),
    )


def _traits() -> pl.Expr:
    """Give what the goods of a line ask for when they are packed and shipped."""
    product, fulfilled = pl.col("product").struct, pl.col("fulfillment").struct
    limits = fulfilled.field("shipping").struct.field("shippingConstraints").struct
    found = [
        *[
            pl.when(limits.field(theirs) == "MANDATORY").then(pl.lit(ours))
            for theirs, ours in _CONSTRAINTS.items()
        ],
        pl.when(pl.col("programs").list.contains("TRANSPARENCY")).then(pl.lit("transparency")),
        pl.when(
            fulfilled.field("packing")
            .struct.field("serialNumberRequirement")
            .struct.field("requirementType")
            .is_not_null()
        ).then(pl.lit("serial_number")),
        pl.when(given(product.field("customization").struct.field("customizedUrl")).is_not_null()).then(
            pl.lit("customized")
        ),
    ]
    return pl.concat_list(found).list.drop_nulls()


def _lines(base: pl.DataFrame) -> pl.DataFrame:
    items = base.select("row", "currency", item=payload("orderItems")).explode("item").drop_nulls("item")
    items = items.unnest("item").with_row_index("at")
    if not items.height:
        return LINES.to_frame()
    product, fulfilled = pl.col("product").struct, pl.col("fulfillment").struct
    unit = product.field("price").struct.field("unitPrice")
    items = with_amounts(items, {"unit": _amount(unit)}, pl.col("currency"))
    parts = items.select("at", "currency", part=pl.col("proceeds").struct.field("breakdowns")).explode("part")
    items = items.join(_sums(parts, "at"), on="at", how="left", maintain_order="left")
    gift = fulfilled.field("packing").struct.field("giftOption").struct
    ordered = count(pl.col("quantityOrdered"))
    wrapped = (
        given(gift.field("giftMessage")).is_not_null() | given(gift.field("giftWrapLevel")).is_not_null()
    )
    request = pl.col("cancellation").struct.field("cancellationRequest").struct.field("requester")
    return lines_of(
        items,
        row=pl.col("row"),
        line_ref=pl.col("orderItemId"),
        sku=given(product.field("sellerSku")),
        asin=given(product.field("asin")),
        title=given(product.field("title")),
        ordered=ordered,
        shipped=count(fulfilled.field("quantityFulfilled")),
        left=count(fulfilled.field("quantityUnfulfilled")),
        goods=pl.col("goods"),
        unit=pl.col("unit"),
        postage=pl.col("postage") - pl.col("postage_off").fill_null(0),
        postage_off=pl.col("postage_off"),
        fees=pl.col("fees"),
        tax=pl.col("tax"),
        discount=pl.when(pl.col("goods").is_not_null()).then(
            pl.col("discount").fill_null(0) - pl.col("postage_off").fill_null(0)
        ),
        is_gift=wrapped,
        gift_message=given(gift.field("giftMessage")),
        gift_wrap=given(gift.field("giftWrapLevel")),
        ioss=given(
            fulfilled.field("shipping").struct.field("internationalShipping").struct.field("iossNumber")
        ),
        cancel_asked=request == "BUYER",
        traits=_traits(),
        bad_amount=(given(unit.struct.field("amount")).is_not_null() & pl.col("unit").is_null())
        | pl.col("bad_part").fill_null(False),
        bad_quantity=ordered.is_null(),
    )


def _in_camel_case(word: pl.Expr) -> pl.Expr:
    """Write NEXT_DAY as v0 and the reports do: NextDay."""
    return (
        word.str.to_lowercase()
        .str.replace_all("_", " ", literal=True)
        .str.to_titlecase()
        .str.replace_all(" ", "")
    )


def _programs() -> pl.Expr:
    """Give what the order takes part in, in one way of writing."""
    name = pl.element()
    plain = name.replace(_PROGRAMS).str.to_lowercase().str.replace_all("_", "-", literal=True)
    replaces = payload("associatedOrders").list.eval(
        pl.element().struct.field("associationType").str.starts_with("REPLACEMENT")
    )
    replacement = pl.when(replaces.list.any()).then(pl.lit("replacement"))
    return pl.concat_list(payload("programs").list.eval(plain).fill_null([]), replacement).list.drop_nulls()


_TIMES = {
    "placed_at": ("createdTime",),
    "updated": ("lastUpdatedTime",),
    "ship_by": ("fulfillment", "shipByWindow", "latestDateTime"),
    "starts_at": ("fulfillment", "shipByWindow", "earliestDateTime"),
    "label_from": ("fulfillment", "labelPrintingWindow", "earliestDateTime"),
}


def _read(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the orders with their texts read: amounts, times, and the sums of their breakdowns."""
    grand, market = _of("proceeds", "grandTotal"), given(_of("salesChannel", "marketplaceId"))
    pays, pay = payload("payment").struct.field("paymentExecutions"), pl.element().struct
    at_door = pl.when(pay.field("paymentMethod").str.contains(COD))
    base = frame.with_columns(
        row=pl.int_range(pl.len(), dtype=pl.UInt32),
        marketplace=market,
        currency=pl.coalesce(given(grand.struct.field("currencyCode")), default_currency(market)),
        cod_text=pays.list.eval(at_door.then(pay.field("paymentAmount").struct.field("amount")))
        .list.drop_nulls()
        .list.first(),
        pay_method=pays.list.eval(at_door.then(pl.lit("COD"))).list.drop_nulls().list.first(),
    )
    amounts = {"total": _amount(grand), "cod": pl.col("cod_text")}
    base = with_instants(
        with_amounts(base, amounts, pl.col("currency")), {name: _of(*path) for name, path in _TIMES.items()}
    )
    whole = base.select("row", "currency", part=_of("proceeds", "breakdowns")).explode("part")
    sums = _sums(whole, "row").select("row", "bad_part", *[pl.col(n).alias(f"whole_{n}") for n in _SUMS])
    return base.join(sums, on="row", how="left", maintain_order="left")


def _to_orders(frame: pl.DataFrame) -> pl.DataFrame:
    base = _read(frame)
    word, by = given(_of("fulfillment", "fulfillmentStatus")), given(_of("fulfillment", "fulfilledBy"))
    status = translate(word, STATUS)
    state = pl.element().struct.field("packageStatus").struct.field("status")
    parcels = payload("packages").list.eval(state == "DELIVERED")
    arrived = ((status == "shipped") & (parcels.list.len() > 0) & parcels.list.all()).fill_null(False)
    foreign = (_of("salesChannel", "channelName") == "NON_AMAZON").fill_null(False)
    unread = bad({"total": _of("proceeds", "grandTotal", "amount"), "cod": pl.col("cod_text")})
    bad_part = pl.when(pl.col("bad_part").fill_null(False)).then(pl.lit("whole_goods"))
    as_read = (
        "marketplace",
        "currency",
        "total",
        "cod",
        "pay_method",
        *_TIMES,
        *(f"whole_{n}" for n in _SUMS),
    )
    heads = heads_of(
        base,
        ref=given(payload("orderId")),
        word=word,
        status=pl.when(arrived).then(pl.lit("completed")).otherwise(status),
        channel=by,
        by_amazon=(by == "AMAZON").fill_null(False) | foreign,
        service=_in_camel_case(given(_of("fulfillment", "fulfillmentServiceLevel"))),
        email=given(_of("buyer", "buyerEmail")),
        instruction=_of("recipient", "deliveryPreference", "addressInstruction"),
        drop_off=given(_of("recipient", "deliveryPreference", "dropOffLocation")),
        programs=_programs(),
        **{name: pl.col(name) for name in as_read},
        **{ours: given(_of("recipient", "deliveryAddress", theirs)) for ours, theirs in _ADDRESS.items()},
        bad_amounts=pl.concat_list(unread, bad_part).list.drop_nulls(),
        bad_times=bad({name: _of(*path) for name, path in _TIMES.items()}),
    )
    return to_orders(frame, heads, _lines(base))


MAPPER = Mapper(FORMAT, _ORDER, _to_orders, MONEY_FIELDS)
