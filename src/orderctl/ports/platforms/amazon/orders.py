"""Reading Amazon's orders: two versions of the Orders API behind the one form the reading engine asks for.

Pages follow tokens that hold their place. Amazon counts nothing, so a window is complete at its last page. The list
calls are very slow by quota (one in three minutes, or in one), so pages are as large as they may be.

The one invariant: what a role or a restricted token would open and the seller did not grant is left out and told;
it never stops the reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol

from orderctl.model.errors import Refused, Temporary, Unauthorized
from orderctl.model.instant import write_instant
from orderctl.model.text import Text
from orderctl.ports.http import unreadable, write_json
from orderctl.ports.platforms.amazon.gateway import OLDER, Gateway, Grant, Operation, number_setting
from orderctl.ports.platforms.port import By, Page, RawRow, Window, raw_row
from orderctl.ports.platforms.reading import Entry, Listed, Lister, Reach

SEARCH = Operation("searchOrders", "GET", "/orders/2026-01-01/orders", 0.0056, 20)
ORDER = Operation("getOrder", "GET", "/orders/2026-01-01/orders/{orderId}", 0.5, 30)
V0_LIST = Operation("v0 getOrders", "GET", "/orders/v0/orders", 0.0167, 20)
V0_ORDER = Operation("v0 getOrder", "GET", "/orders/v0/orders/{orderId}", 0.5, 30)
V0_ITEMS = Operation("v0 getOrderItems", "GET", "/orders/v0/orders/{orderId}/orderItems", 0.5, 30)

PERSONAL = ("BUYER", "RECIPIENT")
INCLUDED = (*PERSONAL, "PROCEEDS", "PROMOTION", "CANCELLATION", "FULFILLMENT", "PACKAGES", "PAYMENT")
ELEMENTS = {
    V0_LIST: ("buyerInfo", "shippingAddress"),
    V0_ORDER: ("buyerInfo", "shippingAddress"),
    V0_ITEMS: ("buyerInfo",),
}
PAGE_SIZE = "100"
WINDOW_S = 7 * 86_400  # every window costs a list call, a month must not cost thirty
OVERLAP_S = 300
LAG_S = 180  # the end of a window lies two minutes back or is refused; a third for a clock that runs ahead
BACK_DAYS, MOST_BACK_DAYS = 30, 730
BATCH = 20
ID = re.compile(r"[0-9A-Z]{3}-[0-9]{7}-[0-9]{7}")
CHANNELS = {"MERCHANT": "MFN", "AMAZON": "AFN"}


class Backend(Lister, Protocol):
    """One version of the Orders API."""

    def order(self, ref: str, *, now: str) -> RawRow | None:
        """Read one order; None if there is none."""
        ...

    @property
    def withheld(self) -> bool:
        """Whether personal data was asked for and refused."""
        ...

    def warnings(self) -> tuple[Text, ...]:
        """Give what is to be told since the last time."""
        ...


def backend_of(gateway: Gateway) -> Backend:
    """Give the version of the API the shop is read by."""
    return Older(gateway) if gateway.version == OLDER else Current(gateway)


def fetch_orders(backend: Backend, refs: Sequence[str], *, now: str) -> Iterator[Page]:
    """Read orders by id. There is no call for many at once, so this goes at the pace of single ones."""
    for begin in range(0, len(refs), BATCH):
        records, missing = [], []
        for ref in refs[begin : begin + BATCH]:
            record = backend.order(ref, now=now)
            if record is None:
                missing.append(ref)
            else:
                records.append(record)
        yield Page(records, missing=tuple(missing), warnings=backend.warnings())


class _Common:
    """What both versions share: how far to look back, and telling once that personal data is withheld."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._wants = gateway.shop.settings.get("personal_data") != "false"
        self.withheld = False
        self._told = False
        days = min(number_setting(gateway.shop, "history_days", BACK_DAYS), MOST_BACK_DAYS)
        self.reach = Reach(window_s=WINDOW_S, overlap_s=OVERLAP_S, lag_s=LAG_S, back_days=days)

    def count(self, window: Window, by: By) -> int | None:  # noqa: ARG002 - there is no count here
        return None

    def start(self, window: Window, by: By, total: int | None) -> str | None:  # noqa: ARG002
        return ""

    def warnings(self) -> tuple[Text, ...]:
        if not self.withheld or self._told:
            return ()
        self._told = True
        return (
            Text(
                "shop {shop}: the app may not see names, addresses and phones (role Direct-to-Consumer Delivery)",
                shop=self._gateway.shop.id,
            ),
        )

    def _row(
        self, ref: str, form: str, changed: object, source: str, order: dict[str, Any], now: str
    ) -> RawRow:
        row = raw_row(
            self._gateway.shop,
            ref=ref,
            form=form,
            now=now,
            updated_at=instant_of(changed),
            source=source,
            payload=write_json(order),
        )
        if self._gateway.in_sandbox:
            row["facts"] = '{"sandbox":true}'
        return row


class Current(_Common):
    """Orders API 2026-01-01: items always come along, addresses need a role and no further token."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway)
        asked = gateway.shop.settings.get("included_data")
        self._included = tuple(asked.replace(" ", "").split(",")) if asked else INCLUDED
        self._wants = self._wants and bool(set(self._included) & set(PERSONAL))

    def page(self, window: Window, by: By, place: str) -> Listed:
        names = (
            ("createdAfter", "createdBefore")
            if by == "created"
            else ("lastUpdatedAfter", "lastUpdatedBefore")
        )
        query = {
            names[0]: window.since,
            names[1]: window.until,
            "marketplaceIds": ",".join(p.id for p in self._gateway.places),
            "maxResultsPerPage": PAGE_SIZE,
        }
        if self._gateway.shop.settings.get("fulfilled_by"):
            query["fulfilledBy"] = self._gateway.shop.settings["fulfilled_by"]
        if place:
            query["paginationToken"] = place
        found = _page(lambda: self._ask(SEARCH, query=query), place)
        orders = _listed(found, "orders", "orderId", SEARCH)
        entries = [Entry(o["orderId"], instant_of(o.get("lastUpdatedTime")), o) for o in orders]
        pages = found.get("pagination")
        token = pages.get("nextToken") if isinstance(pages, dict) else None
        return Listed(entries, str(token) if token else None, self.warnings())

    def records(self, entries: Sequence[Entry], *, by: By, now: str) -> list[RawRow]:  # noqa: ARG002
        return [self._record(entry.body, SEARCH.name, now) for entry in entries]

    def order(self, ref: str, *, now: str) -> RawRow | None:
        found = self.read(ref)
        return None if found is None else self._record(found, ORDER.name, now)

    def read(self, ref: str) -> dict[str, Any] | None:
        """Give one order as it comes; None if there is none."""
        found = _one(lambda: self._ask(ORDER, order=ref), ref)
        if found is None:
            return None
        # the model leaves open whether a single order comes wrapped
        order = found.get("order", found)
        return _listed({"orders": [order]}, "orders", "orderId", ORDER)[0]

    def _ask(
        self, operation: Operation, *, order: str = "", query: dict[str, str] | None = None
    ) -> dict[str, Any]:
        def call(names: Sequence[str]) -> dict[str, Any]:
            asked = {**(query or {}), "includedData": ",".join(names)}
            return self._gateway.call(operation, order=order, query=asked)

        others = [name for name in self._included if name not in PERSONAL]
        if not self._wants or self.withheld:
            return call(others)
        try:
            return call(self._included)
        except Unauthorized as failure:
            if failure.code != "http_403":
                raise
        self.withheld = True
        try:
            return call(others)
        except Unauthorized:
            self.withheld = False  # no role was the matter
            raise

    def _record(self, order: dict[str, Any], source: str, now: str) -> RawRow:
        return self._row(order["orderId"], "amazon/order", order.get("lastUpdatedTime"), source, order, now)


class Older(_Common):
    """Orders API v0: items are a call of their own, and what names people needs a restricted token."""

    def page(self, window: Window, by: By, place: str) -> Listed:
        names = (
            ("CreatedAfter", "CreatedBefore")
            if by == "created"
            else ("LastUpdatedAfter", "LastUpdatedBefore")
        )
        query = {
            "MarketplaceIds": ",".join(p.id for p in self._gateway.places),
            names[0]: window.since,
            names[1]: window.until,
            "MaxResultsPerPage": PAGE_SIZE,
        }
        asked = self._gateway.shop.settings.get("fulfilled_by")
        if asked:
            query["FulfillmentChannels"] = ",".join(CHANNELS.get(name, name) for name in asked.split(","))
        if place:
            query["NextToken"] = place
        found = _payload(_page(lambda: self._ask(V0_LIST, query=query), place), V0_LIST)
        orders = _listed(found, "Orders", "AmazonOrderId", V0_LIST)
        entries = [Entry(o["AmazonOrderId"], instant_of(o.get("LastUpdateDate")), o) for o in orders]
        token = found.get("NextToken")
        return Listed(entries, str(token) if token else None, self.warnings())

    def records(self, entries: Sequence[Entry], *, by: By, now: str) -> list[RawRow]:  # noqa: ARG002
        return [self._record(entry.body, V0_LIST.name, now) for entry in entries]

    def order(self, ref: str, *, now: str) -> RawRow | None:
        found = _one(lambda: self._ask(V0_ORDER, order=ref), ref)
        if found is None:
            return None
        order = _listed({"Orders": [_payload(found, V0_ORDER)]}, "Orders", "AmazonOrderId", V0_ORDER)[0]
        return self._record(order, V0_ORDER.name, now)

    def items(self, ref: str) -> list[dict[str, Any]]:
        """Read all lines of an order."""
        items: list[dict[str, Any]] = []
        token = ""
        while True:
            query = {"NextToken": token} if token else {}
            found = _payload(self._ask(V0_ITEMS, order=ref, query=query), V0_ITEMS)
            items += _listed(found, "OrderItems", "OrderItemId", V0_ITEMS)
            before, token = token, str(found.get("NextToken") or "")
            if not token:
                return items
            if token == before:
                raise Refused(Text("the platform's list leads back to the same page"), code="page_repeats")

    def _ask(
        self, operation: Operation, *, order: str = "", query: dict[str, str] | None = None
    ) -> dict[str, Any]:
        if not self._wants or self.withheld:
            return self._gateway.call(operation, order=order, query=query)
        try:
            return self._gateway.call(
                operation, order=order, query=query, grants=self._grants(operation, order)
            )
        except Unauthorized as failure:
            if failure.code != "http_403":
                raise
        self.withheld = True
        try:
            return self._gateway.call(operation, order=order, query=query)
        except Unauthorized:
            self.withheld = False  # no role was the matter
            raise

    def _grants(self, operation: Operation, order: str) -> tuple[Grant, ...]:
        """Give what to ask a restricted token for: every operation at once, or this one call alone."""
        if self._gateway.shop.settings.get("restricted_paths") == "specific":
            return (Grant(operation, ELEMENTS[operation], order),)
        return tuple(Grant(one, elements) for one, elements in ELEMENTS.items())

    def _record(self, order: dict[str, Any], source: str, now: str) -> RawRow:
        ref = order["AmazonOrderId"]
        whole = order | {"OrderItems": self.items(ref)}
        return self._row(ref, "amazon/order-v0", order.get("LastUpdateDate"), source, whole, now)


def instant_of(text: object) -> str | None:
    """Read a time with zone as an instant; None where it is missing or no time."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return write_instant(moment) if moment.tzinfo else None


def _page(call: Callable[[], dict[str, Any]], place: str) -> dict[str, Any]:
    """Read a page. A token that is not taken any more is refused as any other bad input is."""
    try:
        return call()
    except Refused as refusal:
        if place and refusal.code == "InvalidInput":
            raise Refused(refusal.text, code="page_expired") from None
        raise


def _one(call: Callable[[], dict[str, Any]], ref: str) -> dict[str, Any] | None:
    """Read one order; None if there is none, which for a text that is no order's id is said as a bad input."""
    try:
        return call()
    except Refused as refusal:
        if refusal.code == "not_found" or (refusal.code == "InvalidInput" and not ID.fullmatch(ref)):
            return None
        raise


def _payload(found: dict[str, Any], operation: Operation) -> dict[str, Any]:
    payload = found.get("payload")
    if not isinstance(payload, dict):
        raise _unreadable(operation)
    return payload


def _listed(found: dict[str, Any], name: str, key: str, operation: Operation) -> list[dict[str, Any]]:
    """Give the records of a list; each has its id as text."""
    listed = found.get(name)
    if not isinstance(listed, list):
        raise _unreadable(operation)
    for record in listed:
        if not isinstance(record, dict) or not isinstance(record.get(key), str):
            raise _unreadable(operation)
    return listed


def _unreadable(operation: Operation) -> Temporary:
    failure = unreadable(f"amazon {operation.name}")
    return Temporary(failure.text, code=failure.code)
