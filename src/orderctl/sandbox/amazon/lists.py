"""The lists and single orders of the Amazon stand-in, in both versions.

The one invariant: a page token says after which order to go on, so orders that change between two pages can come
twice and never pull others out of sight.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from orderctl.sandbox.amazon import views
from orderctl.sandbox.amazon.errors import denied, invalid, not_found
from orderctl.sandbox.amazon.orders import JP, MARKETS, STATUSES
from orderctl.sandbox.answer import Request
from orderctl.sandbox.store import Order, Store
from orderctl.sandbox.texts import digest, utc

TWO_MINUTES = 120
TOKEN_SECONDS = 86_400
ITEMS_PER_PAGE = 50
MOST_MARKETS = 50
ID = re.compile(r"[0-9A-Z]{3}-[0-9]{7}-[0-9]{7}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
INCLUDED = (
    "BUYER", "RECIPIENT", "PROCEEDS", "EXPENSE", "PROMOTION", "CANCELLATION", "FULFILLMENT", "PACKAGES", "TAX",
    "PAYMENT", "FULFILLMENT_ORDERS",
)  # fmt: skip
PERSONAL = ("BUYER", "RECIPIENT")
TWO_YEARS = 2 * 365 * 86_400
KEPT_LONGER = (JP,)
"""Marketplaces whose orders are listed however old they are."""
NOT_WITH_SELLER_ORDER = (
    "FulfillmentChannels", "OrderStatuses", "PaymentMethods", "LastUpdatedAfter", "LastUpdatedBefore",
)  # fmt: skip
V0_CHANNELS = {"MFN": "MERCHANT", "AFN": "AMAZON"}
PARAMS = frozenset({
    "createdAfter", "createdBefore", "lastUpdatedAfter", "lastUpdatedBefore", "marketplaceIds", "fulfillmentStatuses",
    "fulfilledBy", "maxResultsPerPage", "paginationToken", "includedData",
})  # fmt: skip
V0_PARAMS = frozenset({
    "CreatedAfter", "CreatedBefore", "LastUpdatedAfter", "LastUpdatedBefore", "MarketplaceIds", "OrderStatuses",
    "FulfillmentChannels", "PaymentMethods", "MaxResultsPerPage", "NextToken", "AmazonOrderIds", "SellerOrderId",
})  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One admitted call: whose it is, which marketplaces that seller has, and what may be seen."""

    store: Store
    now: float
    shop: str
    markets: tuple[str, ...]
    request: Request
    personal: bool
    opened: frozenset[str]

    @property
    def query(self) -> Mapping[str, str]:
        """Give the parameters."""
        return self.request.query


@dataclass(frozen=True)
class Asked:
    """What a list asks for: the column of time, the window in epoch seconds, and conditions in SQL."""

    column: str
    since: float
    until: float
    where: str
    params: tuple[Any, ...]


def search_orders(call: Call) -> dict[str, Any]:
    """GET /orders/2026-01-01/orders."""
    _known(call.query, PARAMS)
    included = included_data(call)
    asked = _asked(call, ("createdAfter", "createdBefore", "lastUpdatedAfter", "lastUpdatedBefore"), "marketplaceIds",
                   statuses=_listed(call.query, "fulfillmentStatuses", STATUSES),
                   by=_listed(call.query, "fulfilledBy", ("MERCHANT", "AMAZON")))  # fmt: skip
    kept = {
        k: v
        for k, v in call.query.items()
        if k not in ("paginationToken", "maxResultsPerPage", "includedData")
    }
    rows, token = _page(
        call, asked, _size(call.query, "maxResultsPerPage"), call.query.get("paginationToken"), kept
    )
    found: dict[str, Any] = {
        "orders": [views.current(o.body, included, call.now) for o in call.request.disturbed(rows)]
    }
    if token:
        found["pagination"] = {"nextToken": token}
    name = "lastUpdatedBefore" if asked.column == "modified" else "createdBefore"
    return found | {name: utc(asked.until)}


def get_order(call: Call, ref: str) -> dict[str, Any]:
    """GET /orders/2026-01-01/orders/{orderId}."""
    _known(call.query, frozenset({"includedData"}))
    included = included_data(call)
    return views.current(_find(call, ref).body, included, call.now)


def v0_orders(call: Call) -> dict[str, Any]:
    """GET /orders/v0/orders."""
    query = call.query
    _known(query, V0_PARAMS)
    if not query.get("MarketplaceIds"):
        raise invalid("MarketplaceIds is required.")
    if "AmazonOrderIds" in query:
        refs = query["AmazonOrderIds"].split(",")
        if len(refs) > 50:
            raise invalid("AmazonOrderIds holds at most 50 ids.")
        found = [call.store.find("amazon", call.shop, ref) for ref in refs]
        orders = [o for o in found if o and (o.name in KEPT_LONGER or o.created >= call.now - TWO_YEARS)]
        return {"payload": {"Orders": [views.v0_order(o.body, call.opened, call.now) for o in orders]}}
    words = {v: k for k, v in views.V0_STATUS.items()} | {"InvoiceUnconfirmed": "SHIPPED"}
    asked = _asked(call, ("CreatedAfter", "CreatedBefore", "LastUpdatedAfter", "LastUpdatedBefore"), "MarketplaceIds",
                   statuses=[words[s] for s in _listed(query, "OrderStatuses", tuple(words))],
                   by=[V0_CHANNELS[c] for c in _listed(query, "FulfillmentChannels", tuple(V0_CHANNELS))])  # fmt: skip
    asked = _narrowed(asked, query)
    kept = {k: v for k, v in query.items() if k not in ("NextToken", "MaxResultsPerPage")}
    rows, token = _page(call, asked, _size(query, "MaxResultsPerPage"), query.get("NextToken"), kept)
    heads = [views.v0_order(o.body, call.opened, call.now) for o in call.request.disturbed(rows)]
    payload: dict[str, Any] = {"Orders": heads}
    if token:
        payload["NextToken"] = token
    name = "LastUpdatedBefore" if asked.column == "modified" else "CreatedBefore"
    return {"payload": payload | {name: utc(asked.until)}}


def _narrowed(asked: Asked, query: Mapping[str, str]) -> Asked:
    """Add the filters that only v0 has. Raises: ApiError for those that exclude each other."""
    terms, params = [asked.where], [*asked.params]
    if query.get("SellerOrderId"):
        for name in NOT_WITH_SELLER_ORDER:
            if query.get(name):
                raise invalid(f"{name} cannot be given with SellerOrderId.")
        terms.append("ref = ?")
        params.append(query["SellerOrderId"])
    if methods := _listed(query, "PaymentMethods", ("COD", "CVS", "Other")):
        cash = [{"COD": 1, "CVS": 2, "Other": 0}[method] for method in methods]
        terms.append(f"json_extract(body, '$.cod') IN ({', '.join('?' * len(cash))})")
        params += cash
    return replace(asked, where=" AND ".join(terms), params=tuple(params))


def v0_order(call: Call, ref: str) -> dict[str, Any]:
    """GET /orders/v0/orders/{orderId}."""
    _known(call.query, frozenset())
    return {"payload": views.v0_order(_find(call, ref).body, call.opened, call.now)}


def v0_items(call: Call, ref: str) -> dict[str, Any]:
    """GET /orders/v0/orders/{orderId}/orderItems."""
    _known(call.query, frozenset({"NextToken"}))
    body = _find(call, ref).body
    begin = 0
    if call.query.get("NextToken"):
        begin = int(read_token(call, call.query["NextToken"], {"items": ref})[1])
    lines = body["lines"][begin : begin + ITEMS_PER_PAGE]
    payload: dict[str, Any] = {
        "AmazonOrderId": ref, "OrderItems": [views.v0_item(body, line, call.opened, call.now) for line in lines],
    }  # fmt: skip
    if begin + ITEMS_PER_PAGE < len(body["lines"]):
        payload["NextToken"] = write_token(call, {"items": ref}, (0, begin + ITEMS_PER_PAGE))
    return {"payload": payload}


def included_data(call: Call) -> list[str]:
    """Give the blocks asked for. Raises: ApiError; without the role even asking for personal data is refused."""
    names = _listed(call.query, "includedData", INCLUDED)
    if not call.personal and set(names) & set(PERSONAL):
        raise denied("The application has no role for the requested data.")
    return names


def read_time(name: str, text: str) -> float:
    """Read a time with zone as epoch seconds. Raises: ApiError."""
    try:
        if not TIME.fullmatch(text):
            raise ValueError(text)
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise invalid(f"{name} is not a time in ISO 8601 with zone.") from None


def write_token(call: Call, filters: dict[str, str], place: tuple[int, int]) -> str:
    """Write a page token; as at Amazon it holds characters that must be percent-encoded."""
    body = json.dumps([digest(call.shop, sorted(filters.items())), int(call.now), *place])
    return "+/" + base64.b64encode(body.encode()).decode().rstrip("=") + "=="


def read_token(call: Call, token: str, filters: dict[str, str]) -> tuple[int, int]:
    """Give the place a token stands for. Raises: ApiError if it is none, too old, or for other filters."""
    try:
        body = token.removeprefix("+/").removesuffix("==")
        if body == token:
            raise ValueError(token)
        seal, made, first, second = json.loads(base64.b64decode(body + "=" * (-len(body) % 4)))
        if seal != digest(call.shop, sorted(filters.items())) or made + TOKEN_SECONDS < call.now:
            raise ValueError(token)
        return int(first), int(second)
    except (ValueError, TypeError):
        raise invalid("The page token is not valid for this request.") from None


def _page(
    call: Call, asked: Asked, size: int, token: str | None, filters: dict[str, str]
) -> tuple[list[Order], str | None]:
    where = (
        f"platform = 'amazon' AND shop = ? AND {asked.column} >= ? AND {asked.column} <= ? AND {asked.where}"
    )
    params: list[Any] = [call.shop, asked.since, asked.until, *asked.params]
    if token:
        at, number = read_token(call, token, filters)
        where += f" AND ({asked.column}, number) > (?, ?)"
        params += [at, number]
    rows = call.store.select(where, params, f"ORDER BY {asked.column}, number LIMIT {size + 1}")
    if len(rows) <= size:
        return rows, None
    last = rows[size - 1]
    at = last.modified if asked.column == "modified" else last.created
    return rows[:size], write_token(call, filters, (at, last.number))


def _asked(
    call: Call, names: tuple[str, str, str, str], markets: str, *, statuses: list[str], by: list[str]
) -> Asked:
    query = call.query
    after = [name for name in (names[0], names[2]) if query.get(name)]
    if len(after) != 1:
        raise invalid(f"Exactly one of {names[0]} and {names[2]} must be given.")
    begin = after[0]
    mine, other = (names[1], names[3]) if begin == names[0] else (names[3], names[1])
    if query.get(other):
        raise invalid(f"{other} cannot be given with {begin}.")
    since, until = read_time(begin, query[begin]), call.now - TWO_MINUTES
    if query.get(mine):
        until = read_time(mine, query[mine])
        if until > call.now - TWO_MINUTES or until < since:
            raise invalid("One or more request parameters are invalid.")  # it does not say which, or why
    column = "created" if begin == names[0] else "modified"
    chosen = query[markets].split(",") if query.get(markets) else list(call.markets)
    if len(chosen) > MOST_MARKETS or any(market not in MARKETS for market in chosen):
        raise invalid(f"{markets} names an unknown marketplace.")
    if any(market not in call.markets for market in chosen):
        raise denied("The seller does not take part in the marketplace.")
    terms, params = [f"name IN ({', '.join('?' * len(chosen))})"], list[Any](chosen)
    kept = ", ".join("?" * len(KEPT_LONGER))
    terms.append(f"(created >= ? OR name IN ({kept}))")
    params += [call.now - TWO_YEARS, *KEPT_LONGER]
    for field, words in (("status", statuses), ("kind", by)):
        if words:
            terms.append(f"{field} IN ({', '.join('?' * len(words))})")
            params += words
    return Asked(column, since, until, " AND ".join(terms), tuple(params))


def _known(query: Mapping[str, str], names: frozenset[str]) -> None:
    unknown = set(query) - names
    if unknown:
        raise invalid(f"Unknown parameter {min(unknown)}.")


def _listed(query: Mapping[str, str], name: str, known: tuple[str, ...]) -> list[str]:
    words = query[name].split(",") if query.get(name) else []
    for word in words:
        if word not in known:
            raise invalid(f"{name} has no value {word}.")
    return words


def _size(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "100")
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise invalid(f"{name} must be 1 to 100.")
    return int(text)


def _find(call: Call, ref: str) -> Order:
    if not ID.fullmatch(ref):
        raise invalid("The order id is not valid.")
    order = call.store.find("amazon", call.shop, ref)
    if order is None:
        raise not_found(ref)
    return order
