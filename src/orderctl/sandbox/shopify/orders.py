"""Makes orders as Shopify keeps them, and changes them as buyers and sellers do.

The one invariant: the record under `body` has the field names of the GraphQL type Order; amounts are integer minor
units of the shop's currency under names ending in "Set", and become money bags only when read.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

from orderctl.sandbox import people
from orderctl.sandbox.people import GOODS, Good, Person, invent_person
from orderctl.sandbox.store import Order
from orderctl.sandbox.texts import utc

CASES = {
    "sf-demo": (
        "us", "same as first", "de", "jp", "cn", "unpaid", "test", "cancelled", "many lines", "on hold",
        "formula note", "emoji note", "unmapped", "two locations", "partly shipped", "shipped", "refunded", "digital",
        "no fulfilment order", "scheduled", "other currency", "partly refunded", "by a service", "authorized",
        "returning", "same as first", "cod",
    ),
    "sf-cny": (
        "cn", "same as first", "wish sf", "wish no yto", "shanghai", "xinjiang", "unmapped", "gift", "cancelled",
        "unpaid", "many lines", "dongguan",
    ),
}  # fmt: skip
PLACE_OF = {"shanghai": people.SHANGHAI, "xinjiang": people.XINJIANG, "dongguan": people.DONGGUAN}
NOTE_OF = {
    "formula note": people.NASTY_NOTE, "emoji note": people.EMOJI_NOTE, "wish sf": "要顺丰", "us": "Leave with concierge",
    "wish no yto": "不要发圆通，谢谢", "gift": "送人的，请附贺卡：乔迁之喜",
}  # fmt: skip
FINANCIAL_OF = {
    "unpaid": "PENDING", "authorized": "AUTHORIZED", "refunded": "REFUNDED", "partly refunded": "PARTIALLY_REFUNDED",
    "cod": "PENDING",
}  # fmt: skip
COD = "Cash on Delivery (COD)"
TIP_OF = {"emoji note": 300}
DUTIES_OF = {"de": 450}
ATTRIBUTES_OF = {
    "gift": (("gift_note", "Happy housewarming"),), "emoji note": (("_hidden", "1"), ("delivery date", "any")),
}  # fmt: skip
RATES = {"USD": {"CAD": "1.37", "EUR": "0.92", "JPY": "150"}, "CNY": {"HKD": "1.08"}}
DIGITS = {"JPY": 0}
LOCATIONS = (
    ("gid://shopify/Location/70000000001", "Main warehouse"),
    ("gid://shopify/Location/70000000002", "Annex"),
)
OWNER = {"sf-demo": 1, "sf-cny": 2}


def bag(minor: int, currency: str, presentment: str) -> dict[str, Any]:
    """Write an amount as a money bag: decimal text in shop currency and in the buyer's."""
    amount = Decimal(minor).scaleb(-2)
    rate = Decimal(RATES[currency][presentment]) if presentment != currency else Decimal(1)
    return {
        "shopMoney": {"amount": decimal_text(amount, currency), "currencyCode": currency},
        "presentmentMoney": {"amount": decimal_text(amount * rate, presentment), "currencyCode": presentment},
    }


def decimal_text(amount: Decimal, currency: str) -> str:
    """Write a decimal with at least one digit after the point, as the platform does; yen have none."""
    digits = DIGITS.get(currency, 2)
    text = f"{amount:.{digits}f}"
    return text[:-1] if digits == 2 and text.endswith("0") else text


def with_money(value: Any, currency: str, presentment: str) -> Any:
    """Turn every amount in a stored record into a money bag."""
    if isinstance(value, list):
        return [with_money(item, currency, presentment) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: bag(item, currency, presentment) if key.endswith("Set") and isinstance(item, int)
        else with_money(item, currency, presentment)
        for key, item in value.items()
    }  # fmt: skip


def make(
    shop: str,
    currency: str,
    seed: int,
    number: int,
    dice: Random,
    *,
    at: int,
    case: str | None,
    like: dict[str, Any] | None,
) -> Order:
    """Make one order; see the module for what `body` holds. `like` is an order of the same recipient."""
    serial = 5_900_000_000_000 + OWNER[shop] * 10_000_000_000 + number * 4_096 + 11
    source = Random(f"{seed}|{shop}|first") if case in ("us", "same as first", "cn") else dice
    lines = make_lines(serial, currency, case, dice)
    presentment = {"other currency": "CAD", "jp": "JPY" if currency == "USD" else currency}.get(
        case or "", currency
    )
    financial = FINANCIAL_OF.get(case or "", "PENDING" if case is None and dice.random() < 0.05 else "PAID")
    address = like["shippingAddress"] if like else make_address(shop, case, source)
    email = like["email"] if like else f"buyer{1 if case == 'same as first' else number}@example.com"
    body: dict[str, Any] = {
        "id": f"gid://shopify/Order/{serial}", "legacyResourceId": str(serial), "name": f"#{1000 + number}",
        "confirmationNumber": f"X{serial % 10**8:08d}", "test": case == "test", "createdAt": utc(at),
        "processedAt": utc(at - 1), "updatedAt": utc(at + 30), "closedAt": None, "closed": False,
        "cancelledAt": utc(at + 25) if case == "cancelled" else None,
        "cancelReason": "CUSTOMER" if case == "cancelled" else None, "displayFinancialStatus": financial,
        "displayFulfillmentStatus": "UNFULFILLED",
        "returnStatus": "RETURN_REQUESTED" if case == "returning" else "NO_RETURN",
        "requiresShipping": case != "digital", "taxesIncluded": currency == "CNY", "currencyCode": currency,
        "presentmentCurrencyCode": presentment, "email": email, "phone": None,
        "note": make_note(shop, case, dice), "tags": ["wholesale"] if dice.random() < 0.1 else [], "poNumber": None,
        "sourceName": "web", "customerLocale": "zh-CN" if currency == "CNY" else "en",
        "customAttributes": [{"key": key, "value": value} for key, value in ATTRIBUTES_OF.get(case or "", ())],
        "risk": {"recommendation": "ACCEPT"}, "discountCodes": [], "shippingAddress": address,
        "shippingLine": None if address is None else make_shipping_line(currency, address),
        "lineItems": lines, "fulfillments": [],
    }  # fmt: skip
    body |= make_money(lines, financial, currency, at, dice, case)
    body["fulfillmentOrders"] = make_fulfilment_orders(serial, lines, case, at, body)
    if case in ("shipped", "partly shipped"):
        part = body["fulfillmentOrders"][0]
        items = part["lineItems"][:1] if case == "partly shipped" else part["lineItems"]
        tracking = [{"company": "UPS", "number": f"1Z0000000{number:09d}", "url": None}]
        taken = {part["id"]: {item["id"]: item["remainingQuantity"] for item in items}}
        fulfil(body, taken, tracking, at + 20, serial * 10)
    return to_row(shop, body, at, at + 30)


def to_row(shop: str, body: dict[str, Any], created: int, modified: int) -> Order:
    """Give the stored order with the columns that searches use."""
    order = Order(
        "shopify", shop, body["legacyResourceId"], int(body["legacyResourceId"]), created, modified, body
    )
    refresh(order)
    return order


def refresh(order: Order) -> None:
    """Bring the searched columns in line with the record."""
    body = order.body
    order.status = "cancelled" if body["cancelledAt"] else "closed" if body["closed"] else "open"
    order.financial, order.fulfilment = (
        body["displayFinancialStatus"].lower(),
        body["displayFulfillmentStatus"].lower(),
    )
    order.name, order.test = body["name"], body["test"]
    order.parts = tuple(part["id"] for part in (*body["fulfillmentOrders"], *body["fulfillments"]))


def make_note(shop: str, case: str | None, dice: Random) -> str | None:
    """Give the buyer's note."""
    if case in NOTE_OF:
        return NOTE_OF[case]
    if case is None and shop == "sf-cny" and dice.random() < 0.25:
        return dice.choice(people.NOTES + people.WISHES)
    return None


def make_address(shop: str, case: str | None, dice: Random) -> dict[str, Any] | None:
    """Give a plain shipping address, Chinese or abroad; none where nothing is shipped."""
    if case == "digital":
        return None
    if shop == "sf-cny" or case == "cn":
        return chinese_address(invent_person(dice, PLACE_OF.get(case or "")))
    country = (
        {"de": "DE", "jp": "JP"}.get(case or "", "US")
        if case
        else dice.choice(["US", "US", "US", "DE", "JP"])
    )
    first, last, company, one, two, city, province, code, postcode, country_name, phone = dice.choice(
        people.ABROAD[country]
    )
    one = (
        one
        if case in ("us", "same as first", "de", "jp")
        else f"{dice.randint(1, 9999)} {one.split(' ', 1)[-1]}"
    )
    return {
        "firstName": first, "lastName": last, "name": f"{first} {last}", "company": company, "address1": one,
        "address2": two, "city": city, "province": province, "provinceCode": code, "zip": postcode,
        "country": country_name, "countryCodeV2": country, "phone": phone,
    }  # fmt: skip


def chinese_address(who: Person) -> dict[str, Any]:
    """Give a Chinese address in this platform's boxes: no district of its own, first name before last name."""
    place = who.place
    return {
        "firstName": who.name[1:], "lastName": who.name[0], "name": f"{who.name[1:]} {who.name[0]}", "company": None,
        "address1": f"{place.district}{place.town}{who.street}", "address2": None, "city": place.city,
        "province": place.province, "provinceCode": place.iso, "zip": place.postcode, "country": "China",
        "countryCodeV2": "CN", "phone": f"+86 {who.mobile}",
    }  # fmt: skip


def make_lines(serial: int, currency: str, case: str | None, dice: Random) -> list[dict[str, Any]]:
    """Make the lines of an order, before order discounts."""
    count = (
        35
        if case == "many lines"
        else 2
        if case in ("us", "partly shipped", "two locations")
        else dice.randint(1, 3)
    )
    goods = [GOODS[k % len(GOODS)] for k in range(count)] if count > len(GOODS) else dice.sample(GOODS, count)
    if case == "unmapped":
        goods[0] = people.UNKNOWN
    lines = [make_line(serial, k, good, dice.choice([1, 1, 2, 3]), currency) for k, good in enumerate(goods)]
    if case == "gift":
        lines[0]["customAttributes"] = [
            {"key": "_bundle", "value": "b1"},
            {"key": "engraving", "value": "样例"},
        ]
    if case == "digital":
        lines = [
            lines[0] | {"requiresShipping": False, "isGiftCard": True, "sku": None, "title": "Gift card"}
        ]
    if case in ("refunded", "partly refunded"):
        for line in lines if case == "refunded" else lines[:1]:
            kept = 0 if case == "refunded" else line["quantity"] - 1
            line |= {"currentQuantity": kept, "unfulfilledQuantity": kept}
    return lines


def make_line(serial: int, index: int, good: Good, quantity: int, currency: str) -> dict[str, Any]:
    """Make one line."""
    price = good.usd if currency == "USD" else good.cny
    product = min(one.item for one in (*GOODS, good) if one.english == good.english)
    return {
        "id": f"gid://shopify/LineItem/{serial * 100 + index}", "sku": good.sku,
        "title": good.english if currency == "USD" else good.title, "variantTitle": good.variant, "quantity": quantity,
        "currentQuantity": quantity, "unfulfilledQuantity": quantity, "requiresShipping": True, "isGiftCard": False,
        "originalUnitPriceSet": price, "discountedTotalSet": price * quantity, "discountAllocations": [],
        "customAttributes": [],
        "variant": {"id": f"gid://shopify/ProductVariant/{43_000_000_000 + good.item}", "barcode": None},
        "product": {"id": f"gid://shopify/Product/{8_100_000_000 + product}"},
    }  # fmt: skip


def make_money(
    lines: list[dict[str, Any]], financial: str, currency: str, at: int, dice: Random, case: str | None
) -> dict[str, Any]:
    """Give the amounts of an order and its transactions.

    total = goods - discount + shipping + added tax + duties + tip; the discount is a code's, on the whole order.
    """
    goods = sum(line["discountedTotalSet"] for line in lines)
    kept = sum(line["originalUnitPriceSet"] * line["currentQuantity"] for line in lines)
    discount = dice.choice([0, 0, 0, 400]) if goods > 2000 and kept == goods else 0
    shipping = dice.choice([0, 500, 800])
    tax = (goods - discount) * 7 // 100 if currency == "USD" else 0
    tip, duties = TIP_OF.get(case or "", 0), DUTIES_OF.get(case or "")
    total = goods - discount + shipping + tax + (duties or 0) + tip
    if discount:
        spread(lines, discount)
    refunded = {"REFUNDED": total, "PARTIALLY_REFUNDED": goods - kept}.get(financial, 0)
    paid = 0 if financial in ("PENDING", "AUTHORIZED") else total
    kind = {"PENDING": None, "AUTHORIZED": "AUTHORIZATION"}.get(financial, "SALE")
    if case == "cod":
        kind = "SALE"
    transactions = (
        []
        if kind is None
        else [
            {
                "id": lines[0]["id"].replace("LineItem", "OrderTransaction"),
                "kind": kind,
                "status": "PENDING" if case == "cod" else "SUCCESS",
                "processedAt": utc(at + 3),
                "gateway": COD if case == "cod" else "bogus",
                "amountSet": total,
            }
        ]
    )
    return {
        "totalPriceSet": total, "currentTotalPriceSet": total - refunded, "subtotalPriceSet": goods - discount,
        "totalReceivedSet": paid, "totalRefundedSet": refunded, "totalShippingPriceSet": shipping,
        "totalDiscountsSet": discount, "totalTaxSet": tax, "totalTipReceivedSet": tip, "originalTotalDutiesSet": duties,
        "transactions": transactions, "paymentGatewayNames": [one["gateway"] for one in transactions],
        "discountCodes": ["WELCOME"] if discount else [],
    }  # fmt: skip


def spread(lines: list[dict[str, Any]], discount: int) -> None:
    """Lay a discount on the whole order over its lines by their value, to the last cent.

    `discountedTotalSet` of a line stays without it, as on the platform.
    """
    goods, above, told = sum(line["discountedTotalSet"] for line in lines), 0, 0
    for line in lines:
        above += line["discountedTotalSet"]
        share = discount * above // goods - told
        told += share
        if share:
            line["discountAllocations"] = [{"allocatedAmountSet": share}]


def make_shipping_line(currency: str, address: dict[str, Any]) -> dict[str, Any]:
    """Give the shipping service the buyer chose."""
    title = (
        "标准快递"
        if currency == "CNY"
        else "Expedited Parcel"
        if address["countryCodeV2"] == "US"
        else "International"
    )
    return {"title": title, "code": title, "carrierIdentifier": None, "source": "shopify"}


def make_fulfilment_orders(
    serial: int, lines: list[dict[str, Any]], case: str | None, at: int, body: dict[str, Any]
) -> list[dict[str, Any]]:
    """Make the fulfilment orders: one per location and delivery method; a very fresh order has none yet."""
    groups = [lines[:1], lines[1:]] if case == "two locations" else [lines]
    made = []
    for index, group in enumerate(groups):
        number = serial * 10 + index
        items = [
            {"id": f"gid://shopify/FulfillmentOrderLineItem/{number * 100 + k}", "totalQuantity": line["quantity"],
             "remainingQuantity": line["unfulfilledQuantity"], "_line": line["id"]}
            for k, line in enumerate(group)
        ]  # fmt: skip
        location = LOCATIONS[index]
        status = {
            "on hold": "ON_HOLD",
            "scheduled": "SCHEDULED",
            "cancelled": "CANCELLED",
            "refunded": "CLOSED",
        }.get(case or "", "OPEN")
        if status in ("CANCELLED", "CLOSED"):
            items = [item | {"remainingQuantity": 0} for item in items]
        made.append({
            "id": f"gid://shopify/FulfillmentOrder/{number}", "status": status,
            "requestStatus": "SUBMITTED" if case == "by a service" else "UNSUBMITTED",
            "fulfillAt": utc(at + (7 * 86_400 if case == "scheduled" else 0)), "fulfillBy": None,
            "createdAt": utc(at + 5), "updatedAt": utc(at + 5),
            "assignedLocation": {"name": location[1], "location": {"id": location[0], "name": location[1]}},
            "deliveryMethod": {"id": f"gid://shopify/DeliveryMethod/{number}", "presentedName": None,
                               "methodType": "NONE" if case == "digital" else "SHIPPING"},
            "fulfillmentHolds": [hold(number)] if case == "on hold" else [], "lineItems": items,
        })  # fmt: skip
    if case in ("on hold", "scheduled"):
        body["displayFulfillmentStatus"] = {"on hold": "ON_HOLD", "scheduled": "SCHEDULED"}[case]
    return made


def hold(number: int) -> dict[str, Any]:
    """Give one hold of a fulfilment order."""
    return {
        "id": f"gid://shopify/FulfillmentHold/{number}",
        "reason": "INCORRECT_ADDRESS",
        "reasonNotes": "asked buyer",
    }


def fulfil(
    body: dict[str, Any],
    take: dict[str, dict[str, int]],
    tracking: list[dict[str, Any]],
    at: float,
    number: int,
) -> dict[str, Any]:
    """Ship quantities (by fulfilment order and line of it) and give the new fulfilment; nothing is checked here."""
    lines = {line["id"]: line for line in body["lineItems"]}
    shipped = []
    for order in body["fulfillmentOrders"]:
        for item in order["lineItems"]:
            quantity = take.get(order["id"], {}).get(item["id"], 0)
            if quantity:
                item["remainingQuantity"] -= quantity
                lines[item["_line"]]["unfulfilledQuantity"] -= quantity
                shipped.append(
                    {
                        "id": item["id"].replace("OrderLineItem", "LineItem"),
                        "quantity": quantity,
                        "_line": item["_line"],
                    }
                )
        if order["id"] in take:
            left = sum(item["remainingQuantity"] for item in order["lineItems"])
            order |= {"status": "IN_PROGRESS" if left else "CLOSED", "updatedAt": utc(at)}
    fulfilment = {
        "id": f"gid://shopify/Fulfillment/{number}", "legacyResourceId": str(number), "status": "SUCCESS",
        "displayStatus": "FULFILLED", "name": f"{body['name']}.{len(body['fulfillments']) + 1}",
        "createdAt": utc(at), "updatedAt": utc(at), "trackingInfo": tracking,
        "totalQuantity": sum(item["quantity"] for item in shipped), "fulfillmentLineItems": shipped,
    }  # fmt: skip
    body["fulfillments"].append(fulfilment)
    left = any(line["unfulfilledQuantity"] for line in body["lineItems"])
    body["displayFulfillmentStatus"] = "PARTIALLY_FULFILLED" if left else "FULFILLED"
    return fulfilment
