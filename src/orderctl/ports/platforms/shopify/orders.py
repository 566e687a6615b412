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
from orderctl.ports.platforms.port import By, Page, RawRow, Window, raw_row
from orderctl.ports.platforms.reading import Entry, Listed, Reach
from orderctl.ports.platforms.shopify import queries
from orderctl.ports.platforms.shopify.gateway import Gateway, gid, number_of, shaped
from orderctl.ports.platforms.shopify.shapes import Nodes, OrderCount, OrderHead, OrderLines, OrderPage

FORMAT = "shopify/graphql"
WINDOW_S = 7 * 86_400
BACK_DAYS = 59  # read_orders alone shows sixty days
OVERLAP_S = 300
LAG_S = 60
PAGE_SIZE = 10  # with so many lines each just below the 1000 points a query may cost
LINES = 20
LINES_MORE = 100
TIME_FIELDS: dict[By, str] = {"updated": "updated_at", "created": "created_at"}


class Reader:
    """Reads orders of one shop; remembers the page size the platform found affordable. See `reading.Lister`."""

    reach = Reach(WINDOW_S, OVERLAP_S, LAG_S, BACK_DAYS)

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._size = PAGE_SIZE

    def count(self, window: Window, by: By) -> int:
        return self._gateway.call(
            "OrderCount", queries.ORDER_COUNT, OrderCount, filter=_filter(window, by)
        ).orders_count.count

    def start(self, window: Window, by: By, total: int | None) -> str | None:
        del window, by
        return "" if total else None

    def page(self, window: Window, by: By, place: str) -> Listed:
        while True:
            try:
                found = self._gateway.call(
                    "OrderPage",
                    queries.ORDER_PAGE,
                    OrderPage,
                    first=self._size,
                    after=place or None,
                    filter=_filter(window, by),
                    lines=LINES,
                ).orders
                break
            except Refused as refusal:
                self._halve(refusal)
        more = found.page_info.has_next_page and found.page_info.end_cursor != place
        entries = [_entry(order, window, by) for order in found.nodes]
        return Listed(entries, found.page_info.end_cursor if more else None)

    def records(self, entries: Sequence[Entry], *, by: By, now: str) -> list[RawRow]:
        del by
        return [self._record(entry.body, now=now, source="OrderPage") for entry in entries]

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


def _filter(window: Window, by: By) -> str:
    term = TIME_FIELDS[by]
    return f"{term}:>='{window.since}' AND {term}:<='{window.until}'"


def _entry(order: dict[str, Any], window: Window, by: By) -> Entry:
    """Read a list entry's id and time of change.

    Raises: Refused if it lies before the window, so that the filter cannot have been obeyed.
    """
    head = shaped(order, OrderHead, "OrderPage")
    at = instant_of(head.updated_at if by == "updated" else head.created_at)
    if at is not None and at < window.since:
        raise Refused(Text("shopify: the platform did not obey the time filter"), code="filter_ignored")
    return Entry(head.id, head.updated_at, order)
