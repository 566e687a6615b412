"""The same order in both versions of the API.

The one invariant: what a role or a restricted token does not open never leaves.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from orderctl.sandbox.amazon.orders import MARKETS
from orderctl.sandbox.texts import utc, yuan

V0_STATUS = {
    "PENDING_AVAILABILITY": "PendingAvailability", "PENDING": "Pending", "UNSHIPPED": "Unshipped",
    "PARTIALLY_SHIPPED": "PartiallyShipped", "SHIPPED": "Shipped", "CANCELLED": "Canceled",
    "UNFULFILLABLE": "Unfulfillable",
}  # fmt: skip
V0_SERVICE = {
    "STANDARD": "Standard", "EXPEDITED": "Expedited", "NEXT_DAY": "NextDay", "SECOND_DAY": "SecondDay",
}  # fmt: skip
V0_ADDRESS = {
    "name": "Name", "companyName": "CompanyName", "addressLine1": "AddressLine1", "addressLine2": "AddressLine2",
    "city": "City", "stateOrRegion": "StateOrRegion", "postalCode": "PostalCode", "countryCode": "CountryCode",
    "phone": "Phone",
}  # fmt: skip
SHOWN_TO_ALL = ("city", "stateOrRegion", "postalCode", "countryCode")
NO_ADDRESS = ("PENDING_AVAILABILITY", "PENDING", "CANCELLED", "UNFULFILLABLE")


def amount(minor: int, currency: str) -> str:
    """Write minor units as text; yen have no decimals."""
    return str(minor) if currency == "JPY" else yuan(minor)


def packages(body: dict[str, Any], now: float) -> list[dict[str, Any]]:
    """Give the packages that show already."""
    return [package for package in body["packages"] if package["seen_at"] <= now]


def shipped(body: dict[str, Any], now: float) -> dict[str, int]:
    """Give the pieces by line that have left, as far as it shows."""
    found: dict[str, int] = {}
    for package in packages(body, now):
        for line, count in package["items"].items():
            found[line] = found.get(line, 0) + count
    return found


def status(body: dict[str, Any], now: float) -> str:
    """Give the status as it shows: that of a confirmed shipment comes with a delay."""
    if body["status"] not in ("SHIPPED", "PARTIALLY_SHIPPED"):
        return str(body["status"])
    left = shipped(body, now)
    if not left:
        return "UNSHIPPED" if body["packages"] else str(body["status"])
    whole = all(left.get(line["id"], 0) >= line["quantity"] - line["cancelled"] for line in body["lines"])
    return "SHIPPED" if whole else "PARTIALLY_SHIPPED"


def total(body: dict[str, Any]) -> int:
    """Give what the buyer pays."""
    return sum(_terms(body, line)["total"] for line in body["lines"])


def _terms(body: dict[str, Any], line: dict[str, Any]) -> dict[str, int]:
    pieces = line["quantity"] - line["cancelled"]
    item = line["unit"] * pieces
    tax = line["tax"] if pieces else 0
    shipping, off = (line["shipping"], line["shipping_off"]) if pieces else (0, 0)
    wrap, promotion = (line["wrap"], line["promotion"]) if pieces else (0, 0)
    on_top = tax if MARKETS[body["market"]][2] else 0
    whole = item + shipping - off + wrap - promotion + on_top
    return {
        "item": item,
        "tax": tax,
        "shipping": shipping,
        "off": off,
        "wrap": wrap,
        "promotion": promotion,
        "total": whole,
    }


def current(body: dict[str, Any], included: Collection[str], now: float) -> dict[str, Any]:
    """Write an order as version 2026-01-01 does."""
    market, currency = body["market"], body["currency"]
    priced = body["status"] not in ("PENDING", "PENDING_AVAILABILITY")
    gone = shipped(body, now)

    def money(minor: int) -> dict[str, str]:
        return {"amount": amount(minor, currency), "currencyCode": currency}

    order: dict[str, Any] = {
        "orderId": body["id"], "createdTime": utc(body["created"]), "lastUpdatedTime": utc(body["updated"]),
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": market, "marketplaceName": MARKETS[market][0]},
        "orderItems": [_item(body, line, gone, included, money, priced=priced) for line in body["lines"]],
    }  # fmt: skip
    if body["programs"]:
        order["programs"] = body["programs"]
    if body["replaces"]:
        order["associatedOrders"] = [
            {"orderId": body["replaces"], "associationType": "REPLACEMENT_ORIGINAL_ID"}
        ]
    if "BUYER" in included and priced:
        order["buyer"] = body["buyer"]
    if "RECIPIENT" in included and body["status"] not in NO_ADDRESS:
        order["recipient"] = {"deliveryAddress": {k: v for k, v in body["address"].items() if v is not None}}
        if body["instruction"]:
            order["recipient"]["deliveryPreference"] = {"addressInstruction": body["instruction"]}
    if "FULFILLMENT" in included:
        order["fulfillment"] = _fulfillment(body, now)
    if "PROCEEDS" in included and priced:
        order["proceeds"] = {
            "grandTotal": money(total(body)),
            "breakdowns": _breakdowns(body, body["lines"], money),
        }
    if "PAYMENT" in included and priced:
        method = "CashOnDelivery" if body["cod"] else "CreditCard"
        order["payment"] = {
            "paymentExecutions": [{"paymentMethod": method, "paymentAmount": money(total(body))}]
        }
    if "PACKAGES" in included and packages(body, now):
        order["packages"] = [_package(package) for package in packages(body, now)]
    return order


def _fulfillment(body: dict[str, Any], now: float) -> dict[str, Any]:
    found: dict[str, Any] = {
        "fulfillmentStatus": status(body, now), "fulfilledBy": body["by"], "fulfillmentServiceLevel": body["service"],
    }  # fmt: skip
    if body["by"] == "MERCHANT":
        for name, key in (("shipByWindow", "ship_by"), ("deliverByWindow", "deliver_by")):
            early, late = body[key]
            found[name] = {"earliestDateTime": utc(early), "latestDateTime": utc(late)}
    return found


def _breakdowns(body: dict[str, Any], lines: list[dict[str, Any]], money: Any) -> list[dict[str, Any]]:
    terms = [_terms(body, line) for line in lines]
    sums = {
        name: sum(t[name] for t in terms) for name in ("item", "shipping", "wrap", "tax", "off", "promotion")
    }
    found = [{"type": "ITEM", "subtotal": money(sums["item"])}]
    for name, kind in (("shipping", "SHIPPING"), ("wrap", "GIFT_WRAP"), ("tax", "TAX")):
        if sums[name]:
            found.append({"type": kind, "subtotal": money(sums[name])})
    if sums["off"] or sums["promotion"]:
        parts = [("ITEM", sums["promotion"]), ("SHIPPING", sums["off"])]
        details = [{"subtype": kind, "value": money(-minor)} for kind, minor in parts if minor]
        entry = {"type": "DISCOUNT", "subtotal": money(-sums["off"] - sums["promotion"])}
        found.append(entry | ({"detailedBreakdowns": details} if len(lines) == 1 else {}))
    return found


def _item(
    body: dict[str, Any],
    line: dict[str, Any],
    gone: dict[str, int],
    included: Collection[str],
    money: Any,
    *,
    priced: bool,
) -> dict[str, Any]:
    item: dict[str, Any] = {
        "orderItemId": line["id"], "quantityOrdered": line["quantity"],
        "product": {"asin": line["asin"], "title": line["title"], "sellerSku": line["sku"]},
    }  # fmt: skip
    if line["transparency"]:
        item["programs"] = ["TRANSPARENCY"]
    if priced:
        item["product"]["price"] = {"unitPrice": money(line["unit"])}
    if priced and "PROCEEDS" in included:
        whole = money(_terms(body, line)["total"])
        item["proceeds"] = {"proceedsTotal": whole, "breakdowns": _breakdowns(body, [line], money)}
    if line["cancel_asked"] and "CANCELLATION" in included:
        item["cancellation"] = {
            "cancellationRequest": {"requester": "BUYER", "cancelReason": "no longer needed"}
        }
    if "FULFILLMENT" in included:
        left = line["quantity"] - line["cancelled"] - gone.get(line["id"], 0)
        item["fulfillment"] = {"quantityFulfilled": gone.get(line["id"], 0), "quantityUnfulfilled": left}
        if line["message"] and "BUYER" in included:
            gift = {"giftMessage": line["message"], "giftWrapLevel": line["wrap_level"]}
            item["fulfillment"]["packing"] = {"giftOption": gift}
    return item


def _package(package: dict[str, Any]) -> dict[str, Any]:
    return {
        "packageReferenceId": package["ref"], "packageStatus": {"status": package["status"]},
        "carrier": package["carrier"], "trackingNumber": package["number"], "shipTime": utc(package["shipped_at"]),
        "packageItems": [{"orderItemId": line, "quantity": count} for line, count in package["items"].items()],
    }  # fmt: skip


def v0_order(body: dict[str, Any], opened: Collection[str], now: float) -> dict[str, Any]:
    """Write the head of an order as version v0 does; `opened` are the elements of a restricted token."""
    market, currency = body["market"], body["currency"]
    gone = sum(shipped(body, now).values())
    units = sum(line["quantity"] - line["cancelled"] for line in body["lines"])
    order: dict[str, Any] = {
        "AmazonOrderId": body["id"], "PurchaseDate": utc(body["created"]), "LastUpdateDate": utc(body["updated"]),
        "OrderStatus": V0_STATUS[status(body, now)], "FulfillmentChannel": "AFN" if body["by"] == "AMAZON" else "MFN",
        "SalesChannel": MARKETS[market][0], "ShipServiceLevel": f"Std {body['service'].title()}",
        "NumberOfItemsShipped": gone, "NumberOfItemsUnshipped": units - gone,
        "PaymentMethod": "COD" if body["cod"] else "Other", "MarketplaceId": market,
        "ShipmentServiceLevelCategory": V0_SERVICE[body["service"]],
        "OrderType": "Preorder" if "PREORDER" in body["programs"] else "StandardOrder",
        "IsPrime": "PRIME" in body["programs"], "IsBusinessOrder": "AMAZON_BUSINESS" in body["programs"],
        "IsISPU": "IN_STORE_PICK_UP" in body["programs"], "IsPremiumOrder": False,
        "IsReplacementOrder": bool(body["replaces"]), "IsAccessPointOrder": False, "HasRegulatedItems": False,
    }  # fmt: skip
    priced = body["status"] not in ("PENDING", "PENDING_AVAILABILITY")
    if priced:
        order["OrderTotal"] = {"CurrencyCode": currency, "Amount": amount(total(body), currency)}
    if body["by"] == "MERCHANT":
        order |= {"EarliestShipDate": utc(body["ship_by"][0]), "LatestShipDate": utc(body["ship_by"][1])}
    if body["status"] not in NO_ADDRESS:
        shown = V0_ADDRESS if "shippingAddress" in opened else SHOWN_TO_ALL
        order["ShippingAddress"] = {
            V0_ADDRESS[k]: body["address"][k] for k in shown if body["address"].get(k)
        }
    if priced and "buyerInfo" in opened:
        order["BuyerInfo"] = {
            "BuyerEmail": body["buyer"]["buyerEmail"],
            "BuyerName": body["buyer"]["buyerName"],
        }
    return order


def v0_item(
    body: dict[str, Any], line: dict[str, Any], opened: Collection[str], now: float
) -> dict[str, Any]:
    """Write a line as version v0 does: a cancelled one has quantity 0 and no money."""
    currency, pieces = body["currency"], line["quantity"] - line["cancelled"]
    item: dict[str, Any] = {
        "ASIN": line["asin"], "SellerSKU": line["sku"], "OrderItemId": line["id"], "Title": line["title"],
        "QuantityOrdered": pieces, "QuantityShipped": shipped(body, now).get(line["id"], 0),
        "ProductInfo": {"NumberOfItems": "1"}, "IsGift": "true" if line["message"] else "false",
        "IsTransparency": line["transparency"],
        "BuyerRequestedCancel": {"IsBuyerRequestedCancel": "true" if line["cancel_asked"] else "false",
                                 "BuyerCancelReason": "no longer needed" if line["cancel_asked"] else ""},
    }  # fmt: skip
    if body["status"] in ("PENDING", "PENDING_AVAILABILITY") or not pieces:
        return item
    terms = _terms(body, line)
    names = {"ItemPrice": "item", "ItemTax": "tax", "ShippingPrice": "shipping", "ShippingDiscount": "off",
             "PromotionDiscount": "promotion"}  # fmt: skip
    for name, key in names.items():
        if terms[key] or key in ("item", "tax"):
            item[name] = {"CurrencyCode": currency, "Amount": amount(terms[key], currency)}
    if line["message"] and "buyerInfo" in opened:
        price = {"CurrencyCode": currency, "Amount": amount(line["wrap"], currency)}
        item["BuyerInfo"] = {
            "GiftMessageText": line["message"], "GiftWrapLevel": line["wrap_level"], "GiftWrapPrice": price,
        }  # fmt: skip
    return item
