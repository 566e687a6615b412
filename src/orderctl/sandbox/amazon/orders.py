"""Makes orders as Amazon keeps them, and changes them as buyers and sellers do.

The one invariant: the record under `body` is the stand-in's own; both versions of the API are views of it. Amounts
are integer minor units, instants epoch seconds, words those of version 2026-01-01.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from orderctl.sandbox import people
from orderctl.sandbox.people import GOODS, Good
from orderctl.sandbox.standins import Shop
from orderctl.sandbox.store import Order

DAY = 86_400
US, CA, JP = "ATVPDKIKX0DER", "A2EUQ1WTGCTBG2", "A1VC38T7YXB528"
MARKETS = {
    US: ("Amazon.com", "USD", True),
    CA: ("Amazon.ca", "CAD", True),
    JP: ("Amazon.co.jp", "JPY", False),
}
"""Name, currency, and whether prices leave the tax out."""
CASES = {
    "amazon-demo": (
        "lines", "same as first", "pending", "by amazon", "cancelled", "gift", "prime", "partly shipped", "shipped",
        "cancel asked", "cancelled line", "many lines", "emoji gift", "pick-up", "ship plus", "transparency", "business",
        "canada", "replacement", "promotion", "unmapped", "delivered", "pre-order", "same as first",
    ),
    "amazon-jp": ("lines", "same as first", "no city", "cod", "pending", "gift", "unmapped", "shipped"),
}  # fmt: skip
STATUS_OF = {
    "pending": "PENDING", "cancelled": "CANCELLED", "shipped": "SHIPPED", "delivered": "SHIPPED",
    "partly shipped": "PARTIALLY_SHIPPED",
}  # fmt: skip
PROGRAMS_OF = {
    "prime": ["PRIME"], "pick-up": ["IN_STORE_PICK_UP"], "ship plus": ["FBM_SHIP_PLUS"], "business": ["AMAZON_BUSINESS"],
    "pre-order": ["PREORDER"],
}  # fmt: skip
MESSAGE_OF = {"gift": "Happy housewarming", "emoji gift": people.EMOJI_NOTE}
SERVICES = ("STANDARD", "STANDARD", "EXPEDITED", "NEXT_DAY", "SECOND_DAY")
STATUSES = (
    "PENDING_AVAILABILITY", "PENDING", "UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED", "UNFULFILLABLE",
)  # fmt: skip


def ref_of(shop: str, number: int) -> str:
    """Give the id of the nth order: 3, 7 and 7 digits."""
    first = 111 if shop == "amazon-demo" else 250
    return f"{first + number % 7}-{number:07d}-{number * 104_729 % 10_000_000:07d}"


def make(
    shop: Shop,
    seed: int,
    number: int,
    dice: Random,
    *,
    at: int,
    case: str | None,
    like: dict[str, Any] | None,
) -> Order:
    """Make one order; see the module for what `body` holds. `like` is an order of the same recipient."""
    market = CA if case == "canada" else JP if shop.currency == "JPY" else US
    status = STATUS_OF.get(case or "") or ordinary_status(dice, case)
    source = Random(f"{seed}|{shop.name}|first") if case in ("lines", "same as first") else dice
    address = like["address"] if like else make_address(market, case, source)
    buyer = like["buyer"] if like else {
        "buyerName": address["name"],
        "buyerEmail": f"{'first' if case in ('lines', 'same as first') else f'b{number}'}sample@marketplace.amazon.example",
    }  # fmt: skip
    lines = make_lines(number, market, case, dice)
    if status == "CANCELLED":
        for line in lines:
            line["cancelled"] = line["quantity"]
    body: dict[str, Any] = {
        "id": ref_of(shop.name, number), "created": at, "updated": at + 30, "status": status,
        "by": "AMAZON" if case == "by amazon" else "MERCHANT", "market": market, "currency": MARKETS[market][1],
        "programs": PROGRAMS_OF.get(case or "", []), "service": dice.choice(SERVICES),
        "ship_by": [at + (9 if case == "pre-order" else 0) * DAY, at + (10 if case == "pre-order" else 2) * DAY],
        "deliver_by": [at + 3 * DAY, at + 7 * DAY], "buyer": buyer, "address": address, "revision": 1,
        "instruction": "Leave with concierge" if case == "lines" else None, "cod": case == "cod",
        "replaces": ref_of(shop.name, 1) if case == "replacement" else None, "lines": lines, "packages": [],
    }  # fmt: skip
    changed = at + 30
    if status in ("SHIPPED", "PARTIALLY_SHIPPED"):
        part = lines[:1] if status == "PARTIALLY_SHIPPED" else lines
        items = {line["id"]: line["quantity"] for line in part}
        package = {"ref": "1", "carrier": "UPS", "number": f"1Z0000000{number:09d}", "shipped_at": at + 120,
                   "items": items, "status": "DELIVERED" if case == "delivered" else "IN_TRANSIT", "seen_at": at}  # fmt: skip
        body["packages"].append(package)
        body["updated"] = changed = at + 200
    order = Order("amazon", shop.name, body["id"], number, at, changed, body)
    refresh(order)
    return order


def ordinary_status(dice: Random, case: str | None) -> str:
    """Give the status of an order that is no special case: mostly waiting to be shipped."""
    if case is not None or dice.random() < 0.85:
        return "UNSHIPPED"
    return dice.choice(["PENDING", "SHIPPED", "CANCELLED"])


def refresh(order: Order) -> None:
    """Bring the searched columns in line with the record."""
    order.status, order.kind, order.name = order.body["status"], order.body["by"], order.body["market"]


def make_address(market: str, case: str | None, dice: Random) -> dict[str, Any]:
    """Give an address in the boxes of version 2026-01-01; Japanese ones often have no city."""
    first, last, company, one, two, city, _, code, postcode, _, phone = dice.choice(
        people.ABROAD["JP" if market == JP else "US"]
    )
    house = dice.randint(1, 9999)
    address = {
        "name": f"{last} {first}" if market == JP else f"{first} {last}", "companyName": company,
        "addressLine1": f"{one.rsplit('町', 1)[0]}町{house}" if market == JP else f"{house} {one.split(' ', 1)[-1]}",
        "addressLine2": two, "city": city, "stateOrRegion": "東京都" if market == JP else code, "postalCode": postcode,
        "countryCode": "JP" if market == JP else "US", "phone": f"{phone} ext. 41907" if case == "lines" else phone,
        "addressType": "RESIDENTIAL",
    }  # fmt: skip
    if market == CA:
        address |= {"city": "Laval", "stateOrRegion": "Quebec", "postalCode": "H7N 2K3", "countryCode": "CA"}
    if case == "no city":
        address["city"] = None
    return address


def make_lines(number: int, market: str, case: str | None, dice: Random) -> list[dict[str, Any]]:
    """Make the lines of an order."""
    count = {"lines": 3, "many lines": 60, "partly shipped": 2, "cancelled line": 2, "cancel asked": 2}.get(
        case or "", dice.choice([1, 1, 1, 2, 3])
    )
    goods = [GOODS[k % len(GOODS)] for k in range(count)] if count > len(GOODS) else dice.sample(GOODS, count)
    if case == "unmapped":
        goods[-1] = people.UNKNOWN
    lines = [make_line(number, k, good, market, dice) for k, good in enumerate(goods)]
    first = lines[0]
    if case in MESSAGE_OF:
        first |= {"message": MESSAGE_OF[case], "wrap_level": "PREMIUM", "wrap": 80}
    if case == "cancelled line":
        first["cancelled"] = first["quantity"]
    if case == "promotion":
        first |= {"promotion": 100, "shipping": 499, "shipping_off": 499}
    if case == "replacement":
        for line in lines:
            line |= {"unit": 0, "tax": 0, "shipping": 0}
    first["transparency"] = case == "transparency"
    first["cancel_asked"] = case == "cancel asked"
    return lines


def make_line(number: int, index: int, good: Good, market: str, dice: Random) -> dict[str, Any]:
    """Make one line; its id is text, with a zero in front."""
    unit = good.usd * 3 // 2 if market == JP else good.usd
    quantity = dice.choice([1, 1, 1, 2, 3])
    shipping = 0 if index else dice.choice([0, 0, 400, 499])
    return {
        "id": f"0{number:08d}{index:05d}", "sku": good.sku, "asin": f"B0SAMPLE{good.item:02d}", "title": good.english,
        "quantity": quantity, "cancelled": 0, "unit": unit, "shipping": shipping, "shipping_off": 0, "promotion": 0,
        "tax": unit * quantity // (11 if market == JP else 16), "wrap": 0, "message": None, "wrap_level": None,
        "transparency": False, "cancel_asked": False, "ioss": None,
    }  # fmt: skip


def touch(order: Order, changes: Mapping[str, Any], seed: int, now: float) -> None:
    """Change an order as its buyer or seller would. Raises: ValueError for a change nobody can make."""
    body = order.body
    for what, value in changes.items():
        if what == "refund":
            # before it is shipped a buyer can only ask to cancel
            if value and body["status"] not in ("UNSHIPPED", "PARTIALLY_SHIPPED"):
                raise ValueError("only an order that waits to be shipped can be asked to be cancelled")
            body["lines"][0]["cancel_asked"] = bool(value)
        elif what == "status":
            word = str(value).upper()
            if word not in STATUSES:
                raise ValueError(f"no status {value!r}; known: {', '.join(STATUSES)}")
            body["status"] = word
            for line in body["lines"]:
                line["cancelled"] = line["quantity"] if word == "CANCELLED" else 0
        elif what == "address":
            dice = Random(f"{seed}|{order.ref}|{body['revision']}")
            body |= {"address": make_address(body["market"], None, dice), "revision": body["revision"] + 1}
        elif what in ("memo", "stir"):
            body["memo"] = str(value)
        elif what == "note":
            body["instruction"] = str(value) or None
        else:
            raise ValueError(f"an order has no change {what!r}: refund, status, address, memo, note, stir")
    body["updated"] = int(max(now, order.modified))
    refresh(order)
