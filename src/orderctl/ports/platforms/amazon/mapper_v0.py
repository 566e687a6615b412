"""Orders as Orders API v0 gives them, their lines beside them under `OrderItems`.

`ItemPrice` is the price of the whole line; texts stand where one would expect booleans; a line of quantity 0 was
cancelled. A pending order has neither address nor money.

Source: the model ordersV0 of Amazon's selling-partner-api-models.
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
    yes,
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
from orderctl.ports.platforms.amazon.marketplaces import BY_COUNTRY

FORMAT = "amazon/order-v0"
_MONEY = pl.Struct(texts("CurrencyCode Amount"))
_PRICES = (
    *("ItemPrice", "ItemTax", "ShippingPrice", "ShippingTax", "ShippingDiscount", "ShippingDiscountTax"),
    *("PromotionDiscount", "PromotionDiscountTax", "CODFee", "CODFeeDiscount"),
)
_ADDRESS = {
    "name": "Name",
    "company": "CompanyName",
    "line1": "AddressLine1",
    "line2": "AddressLine2",
    "line3": "AddressLine3",
    "city": "City",
    "district": "District",
    "town": "Municipality",
    "state": "StateOrRegion",
    "postcode": "PostalCode",
    "country": "CountryCode",
    "phone": "Phone",
}
_TIMES = {
    "placed_at": "PurchaseDate",
    "updated": "LastUpdateDate",
    "ship_by": "LatestShipDate",
    "starts_at": "EarliestShipDate",
}
_CONSTRAINTS = {
    "PalletDelivery": "pallet",
    "SignatureConfirmation": "signature",
    "RecipientIdentityVerification": "identity_check",
    "RecipientAgeVerification": "age_check",
}
_ITEM = pl.Struct(
    {
        **texts(
            "OrderItemId SellerSKU ASIN Title QuantityOrdered QuantityShipped IsGift IsTransparency IossNumber"
        ),
        **texts("SerialNumberRequired"),
        **dict.fromkeys(_PRICES, _MONEY),
        "BuyerInfo": pl.Struct(
            {
                **texts("GiftMessageText GiftWrapLevel"),
                "GiftWrapPrice": _MONEY,
                "GiftWrapTax": _MONEY,
                "BuyerCustomizedInfo": pl.Struct(texts("CustomizedURL")),
            }
        ),
        "BuyerRequestedCancel": pl.Struct(texts("IsBuyerRequestedCancel BuyerCancelReason")),
        "ShippingConstraints": pl.Struct(texts(" ".join(_CONSTRAINTS))),
    }
)
_FLAGS = {
    "IsPrime": "prime",
    "IsPremiumOrder": "premium",
    "IsBusinessOrder": "business",
    "IsISPU": "in-store-pick-up",
    "IsReplacementOrder": "replacement",
    "IsAccessPointOrder": "access-point",
    "IsGlobalExpressEnabled": "global-express",
    "HasRegulatedItems": "regulated",
}
_ORDER = pl.Struct(
    {
        **texts(
            "AmazonOrderId PurchaseDate LastUpdateDate OrderStatus FulfillmentChannel SalesChannel ShipServiceLevel"
            " PaymentMethod MarketplaceId ShipmentServiceLevelCategory OrderType EarliestShipDate LatestShipDate"
            " EasyShipShipmentStatus ElectronicInvoiceStatus"
        ),
        **texts(" ".join(_FLAGS)),
        "OrderTotal": _MONEY,
        "PaymentExecutionDetail": pl.List(pl.Struct({**texts("PaymentMethod"), "Payment": _MONEY})),
        "ShippingAddress": pl.Struct(texts(" ".join([*_ADDRESS.values(), "County"]))),
        "BuyerInfo": pl.Struct(
            {
                **texts("BuyerEmail"),
                "BuyerTaxInfo": pl.Struct({"TaxClassifications": pl.List(pl.Struct(texts("Name Value")))}),
            }
        ),
        "DeliveryPreferences": pl.Struct(texts("DropOffLocation AddressInstructions")),
        "OrderItems": pl.List(_ITEM),
    }
)
STATUS = {
    **dict.fromkeys(["PendingAvailability", "Pending"], "wait_pay"),
    "Unshipped": "wait_ship",
    "PartiallyShipped": "partly_shipped",
    **dict.fromkeys(["Shipped", "InvoiceUnconfirmed"], "shipped"),
    **dict.fromkeys(["Canceled", "Unfulfillable"], "closed"),
}
_INVOICE_LACKS = ("NotFound", "Processing", "Errored")


def _amount(money: pl.Expr) -> pl.Expr:
    """Give the amount of money that is in the currency of its order; of another it is none of the order's."""
    return pl.when(money.struct.field("CurrencyCode") == pl.col("currency")).then(
        money.struct.field("Amount")
    )


def _traits() -> pl.Expr:
    """Give what the goods of a line ask for when they are packed and shipped."""
    limits = pl.col("ShippingConstraints").struct
    url = pl.col("BuyerInfo").struct.field("BuyerCustomizedInfo").struct.field("CustomizedURL")
    found = [
        *[
            pl.when(limits.field(theirs) == "MANDATORY").then(pl.lit(ours))
            for theirs, ours in _CONSTRAINTS.items()
        ],
        pl.when(yes(pl.col("IsTransparency"))).then(pl.lit("transparency")),
        pl.when(yes(pl.col("SerialNumberRequired"))).then(pl.lit("serial_number")),
        pl.when(given(url).is_not_null()).then(pl.lit("customized")),
    ]
    return pl.concat_list(found).list.drop_nulls()


def _lines(base: pl.DataFrame) -> pl.DataFrame:
    items = base.select("row", "currency", item=payload("OrderItems")).explode("item").drop_nulls("item")
    if not items.height:
        return LINES.to_frame()
    items = items.unnest("item")
    buyer = pl.col("BuyerInfo").struct
    bags = {name: pl.col(name) for name in _PRICES}
    bags |= {name: buyer.field(name) for name in ("GiftWrapPrice", "GiftWrapTax")}
    items = with_amounts(items, {f"m_{n}": _amount(bag) for n, bag in bags.items()}, pl.col("currency"))
    ordered = count(pl.col("QuantityOrdered"))
    priced = pl.col("m_ItemPrice").is_not_null()

    def summed(plus: tuple[str, ...], minus: tuple[str, ...] = ()) -> pl.Expr:
        """Give a sum over the line's money; unknown where the line has no price at all."""
        parts = [pl.col(f"m_{n}").fill_null(0) for n in plus] + [
            -pl.col(f"m_{n}").fill_null(0) for n in minus
        ]
        return pl.when(priced).then(pl.sum_horizontal(parts))

    unread = [
        given(bag.struct.field("Amount")).is_not_null() & pl.col(f"m_{name}").is_null()
        for name, bag in bags.items()
    ]
    return lines_of(
        items,
        row=pl.col("row"),
        line_ref=pl.col("OrderItemId"),
        sku=given(pl.col("SellerSKU")),
        asin=given(pl.col("ASIN")),
        title=given(pl.col("Title")),
        ordered=ordered,
        shipped=count(pl.col("QuantityShipped")),
        goods=pl.col("m_ItemPrice"),
        postage=summed(("ShippingPrice",), ("ShippingDiscount",)),
        postage_off=summed(("ShippingDiscount",)),
        fees=summed(("GiftWrapPrice", "CODFee"), ("CODFeeDiscount",)),
        tax=summed(("ItemTax", "ShippingTax", "GiftWrapTax")),
        tax_off=summed(("ShippingDiscountTax", "PromotionDiscountTax")),
        discount=summed(("PromotionDiscount",)),
        is_gift=yes(pl.col("IsGift")),
        gift_message=given(buyer.field("GiftMessageText")),
        gift_wrap=given(buyer.field("GiftWrapLevel")),
        ioss=given(pl.col("IossNumber")),
        cancel_asked=yes(pl.col("BuyerRequestedCancel").struct.field("IsBuyerRequestedCancel")),
        traits=_traits(),
        bad_amount=pl.any_horizontal(unread),
        bad_quantity=ordered.is_null(),
    )


def _programs() -> pl.Expr:
    """Give the flags of an order in the words of its programmes."""
    lacks = payload("ElectronicInvoiceStatus").is_in(_INVOICE_LACKS) & (
        payload("MarketplaceId") == BY_COUNTRY["BR"].id
    )
    found = [
        *[pl.when(yes(payload(flag))).then(pl.lit(name)) for flag, name in _FLAGS.items()],
        pl.when(given(payload("EasyShipShipmentStatus")).is_not_null()).then(pl.lit("easy-ship")),
        pl.when(payload("OrderType").str.to_lowercase().is_in(["preorder", "backorder"])).then(
            payload("OrderType").str.to_lowercase()
        ),
        pl.when(lacks).then(pl.lit("invoice-missing")),
    ]
    return pl.concat_list(found).list.drop_nulls()


def _read(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the orders with their texts read: amounts and times."""
    total, market = payload("OrderTotal"), given(payload("MarketplaceId"))
    pays, pay = payload("PaymentExecutionDetail"), pl.element().struct
    at_door = pl.when(pay.field("PaymentMethod").str.contains(COD))
    base = frame.with_columns(
        row=pl.int_range(pl.len(), dtype=pl.UInt32),
        marketplace=market,
        currency=pl.coalesce(given(total.struct.field("CurrencyCode")), default_currency(market)),
        cod_text=pays.list.eval(at_door.then(pay.field("Payment").struct.field("Amount")))
        .list.drop_nulls()
        .list.first(),
    )
    base = with_amounts(base, {"total": _amount(total), "cod": pl.col("cod_text")}, pl.col("currency"))
    return with_instants(base, {name: payload(theirs) for name, theirs in _TIMES.items()})


def _to_orders(frame: pl.DataFrame) -> pl.DataFrame:
    base = _read(frame)
    word, channel = given(payload("OrderStatus")), given(payload("FulfillmentChannel"))
    place, buyer = payload("ShippingAddress").struct, payload("BuyerInfo").struct
    foreign = (payload("SalesChannel").str.to_lowercase() == "non-amazon").fill_null(False)
    numbers = buyer.field("BuyerTaxInfo").struct.field("TaxClassifications")
    preferences = payload("DeliveryPreferences").struct
    address = {ours: given(place.field(theirs)) for ours, theirs in _ADDRESS.items()}
    address["district"] = pl.coalesce(address["district"], given(place.field("County")))
    unread = {"total": payload("OrderTotal").struct.field("Amount"), "cod": pl.col("cod_text")}
    heads = heads_of(
        base,
        ref=given(payload("AmazonOrderId")),
        word=word,
        status=translate(word, STATUS),
        channel=channel,
        by_amazon=(channel == "AFN").fill_null(False) | foreign,
        pay_method=given(payload("PaymentMethod")),
        service=given(payload("ShipmentServiceLevelCategory")),
        email=given(buyer.field("BuyerEmail")),
        tax_id=given(numbers.list.first().struct.field("Value")),
        instruction=preferences.field("AddressInstructions"),
        drop_off=given(preferences.field("DropOffLocation")),
        programs=_programs(),
        **{name: pl.col(name) for name in ("marketplace", "currency", "total", "cod", *_TIMES)},
        **address,
        bad_amounts=bad(unread),
        bad_times=bad({name: payload(theirs) for name, theirs in _TIMES.items()}),
    )
    return to_orders(frame, heads, _lines(base))


MAPPER = Mapper(FORMAT, _ORDER, _to_orders, MONEY_FIELDS)
