"""Reading Shopify's orders completely, page by page, oldest change first.

Pages follow an opaque cursor over the sort key, so orders that change meanwhile move to the end and into the next
window; nothing shifts. A misspelt filter would be ignored by the platform and everything returned, so what comes
back is checked against the window.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from orderctl.model.errors import Refused
from orderctl.model.instant import write_instant
from orderctl.model.text import Text
from orderctl.ports.http import write_json
from orderctl.ports.platforms.port import (
    By,
    Certificate,
    Page,
    RawRow,
    Window,
    cut_windows,
    history_s,
    plan_fetch,
    raw_row,
    write_cursor,
)
from orderctl.ports.platforms.shopify import queries
from orderctl.ports.platforms.shopify.gateway import Gateway, gid, number_of, shaped
from orderctl.ports.platforms.shopify.shapes import Nodes, OrderCount, OrderHead, OrderLines, OrderPage

FORMAT = "shopify/graphql"
WINDOW_S = 7 * 86_400
BACK_DAYS = 59  # read_orders alone shows sixty days
OVERLAP_S = 300
LAG_S = 60
PASSES = 3
PAGE_SIZE = 10  # with so many lines each just below the 1000 points a query may cost
LINES = 20
LINES_MORE = 100
TIME_FIELDS: dict[By, str] = {"updated": "updated_at", "created": "created_at"}


class Reader:
    """Reads orders of one shop; remembers the page size the platform found affordable."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._size = PAGE_SIZE

    def fetch(
        self, *, now: str, cursor: str | None, since: str | None, until: str | None, by: By
    ) -> Iterator[Page]:
        """Read windows of at most a week; see `Platform.fetch`."""
        plan = plan_fetch(
            now=now,
            cursor=cursor,
            since=since,
            until=until,
            by=by,
            overlap_s=OVERLAP_S,
            lag_s=LAG_S,
            back_s=history_s(self._gateway.shop, BACK_DAYS),
        )
        for window in cut_windows(plan.since, plan.until, WINDOW_S):
            yield from self._window(window, by=by, now=now, moves=plan.moves)

    def fetch_orders(self, refs: Sequence[str], *, now: str) -> Iterator[Page]:
        """Read orders by id, as many at once as a page holds."""
        begin = 0
        while begin < len(refs):
            asked = refs[begin : begin + self._size]
            ids = [gid("Order", ref) for ref in asked]
            try:
                answer = self._gateway.call("OrdersById", queries.ORDERS_BY_ID, Nodes, ids=ids, lines=LINES)
            except Refused as refusal:
                self._halve(refusal)
                continue
            orders = [node for node in answer.nodes if node]
            records = [self._record(order, now=now, source="OrdersById") for order in orders]
            got = {record["platform_ref"] for record in records}
            missing = tuple(ref for ref in asked if number_of(ref) not in got)
            yield Page(records, missing=missing, warnings=self._gateway.take_warnings())
            begin += len(asked)

    def _window(self, window: Window, *, by: By, now: str, moves: bool) -> Iterator[Page]:
        term = TIME_FIELDS[by]
        terms = f"{term}:>='{window.since}' AND {term}:<='{window.until}'"
        seen: dict[str, str] = {}
        expected = 0
        for _ in range(PASSES):
            for orders in self._pages(terms):
                fresh = [order for order in orders if _newer(order, seen, window, by)]
                if fresh:
                    records = [self._record(order, now=now, source="OrderPage") for order in fresh]
                    yield Page(records, warnings=self._gateway.take_warnings())
            answer = self._gateway.call("OrderCount", queries.ORDER_COUNT, OrderCount, filter=terms)
            expected = answer.orders_count.count
            if len(seen) >= expected:
                break
        cursor = write_cursor(window.until) if moves else None
        certificate = Certificate(window, expected, len(seen))
        yield Page([], cursor=cursor, certificate=certificate, warnings=self._gateway.take_warnings())

    def _pages(self, terms: str) -> Iterator[list[dict[str, Any]]]:
        after: str | None = None
        while True:
            try:
                found = self._gateway.call(
                    "OrderPage",
                    queries.ORDER_PAGE,
                    OrderPage,
                    first=self._size,
                    after=after,
                    filter=terms,
                    lines=LINES,
                ).orders
            except Refused as refusal:
                self._halve(refusal)
                continue
            yield found.nodes
            if not found.page_info.has_next_page or found.page_info.end_cursor == after:
                return
            after = found.page_info.end_cursor

    def _halve(self, refusal: Refused) -> None:
        """Go on with half the page size if the query was too dear, else give the refusal on."""
        if refusal.code != "max_cost" or self._size == 1:
            raise refusal
        self._size //= 2

    def _record(self, order: dict[str, Any], *, now: str, source: str) -> RawRow:
        head = shaped(order, OrderHead, source)
        page = head.line_items
        nodes = list(page.nodes)
        while page.page_info.has_next_page:
            part = self._gateway.call(
                "OrderLines",
                queries.ORDER_LINES,
                OrderLines,
                id=head.id,
                after=page.page_info.end_cursor,
                lines=LINES_MORE,
            ).order
            if part is None:
                break  # deleted meanwhile; the count of lines tells the audit
            page = part.line_items
            nodes += page.nodes
        if len(nodes) > len(head.line_items.nodes):
            more = {"hasNextPage": page.page_info.has_next_page, "endCursor": page.page_info.end_cursor}
            order = order | {"lineItems": {"pageInfo": more, "nodes": nodes}}
        return raw_row(
            self._gateway.shop,
            ref=head.ref,
            form=FORMAT,
            now=now,
            updated_at=instant_of(head.updated_at),
            source=source,
            payload=write_json(order),
        )


def instant_of(text: object) -> str | None:
    """Read a time with zone as an instant; None where it is missing or no time."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return write_instant(moment) if moment.tzinfo else None


def _newer(order: dict[str, Any], seen: dict[str, str], window: Window, by: By) -> bool:
    """Note the order, and say whether this state of it was not met before.

    Raises: Refused if it lies before the window, so that the filter cannot have been obeyed.
    """
    head = shaped(order, OrderHead, "OrderPage")
    at = instant_of(head.updated_at if by == "updated" else head.created_at)
    if at is not None and at < window.since:
        raise Refused(Text("shopify: the platform did not obey the time filter"), code="filter_ignored")
    updated = head.updated_at or ""
    if head.id in seen and seen[head.id] >= updated:
        return False
    seen[head.id] = updated
    return True
