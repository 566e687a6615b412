"""Reading Kuaishou's orders: a list with a cursor and an end mark, details one by one.

The platform counts nothing: a window was read when the end mark came. A list entry is enough, but for gifts of which
it names only the number, and for how much of a refund was paid back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orderctl.model.errors import Refused, Temporary
from orderctl.model.text import Text
from orderctl.ports.http import unreadable, write_json
from orderctl.ports.platforms.kuaishou.gateway import Gateway, instant_of, millis
from orderctl.ports.platforms.kuaishou.meaning import REFUND_WAYS, REFUNDED, WAIT_SHIP, number
from orderctl.ports.platforms.port import By, Page, RawRow, Window, raw_row
from orderctl.ports.platforms.reading import Entry, Listed, Reach, one_by_one, side_by_side

FORMAT = "kuaishou/order"
LIST = "open.order.cursor.list"
DETAIL = "open.order.detail"
REFUND = "open.seller.order.refund.detail"
NO_MORE = "nomore"
ALL = 1
OLDEST_FIRST = 2
DAY_S = 86_400
WINDOW_DAYS = 7
BACK_DAYS = 89  # the list reaches ninety days back
OVERLAP_S = 600
LAG_S = 120
PAGE_SIZE = 50
CLOSED = 80
NEEDED = ("orderItemInfo", "orderAddress", "orderDeliveryInfo")
"""Blocks without which an order cannot be judged."""


class Orders:
    """The list of one shop's orders; see `reading.Lister`. A place is the platform's cursor, empty at the start."""

    reach = Reach(WINDOW_DAYS * DAY_S, OVERLAP_S, LAG_S, BACK_DAYS)

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._size = int(gateway.shop.settings.get("page_size") or PAGE_SIZE)
        self._sort = int(gateway.shop.settings.get("sort") or OLDEST_FIRST)

    def count(self, window: Window, by: By) -> None:
        del window, by

    def start(self, window: Window, by: By, total: int | None) -> str:
        del window, by, total
        return ""

    def page(self, window: Window, by: By, place: str) -> Listed:
        param = {
            "orderViewStatus": ALL,
            "pageSize": self._size,
            "sort": self._sort,
            "queryType": 2 if by == "updated" else 1,
            "beginTime": millis(window.since),
            "endTime": millis(window.until),
            "cpsType": 0,
            "cursor": place,
        }
        try:
            answer = self._gateway.call(LIST, param)
        except Refused as refusal:
            if place and refusal.code == "bad_parameter":  # nothing but the cursor can have become wrong
                raise Refused(refusal.text, code="page_expired") from None
            raise
        cursor = answer.get("cursor")
        if not isinstance(cursor, str) or not cursor:
            failure = unreadable(LIST)  # neither an end nor a way on: the rest must not be taken for read
            raise Temporary(failure.text, code=failure.code)
        listed = listed_of(answer.get("orderList"))
        bodies = [unified(body) for body in listed if isinstance(body, dict)]
        entries = [Entry(oid, _changed(body), body) for body in bodies if (oid := oid_of(body))]
        warnings: tuple[Text, ...] = ()
        if len(entries) < len(listed):
            lost = len(listed) - len(entries)
            warnings = (
                Text("{operation}: {count} entries without an order number", operation=LIST, count=lost),
            )
        return Listed(entries, None if cursor == NO_MORE else cursor, warnings)

    def records(self, entries: Sequence[Entry], *, by: By, now: str) -> list[RawRow]:
        del by
        return side_by_side(lambda entry: self._record(entry, now), entries)

    def _record(self, entry: Entry, now: str) -> RawRow:
        body, source = entry.body, LIST
        if needs_detail(body):
            body, source = body | read_order(self._gateway, entry.ref), DETAIL
        return _row(self._gateway, entry.ref, body, source=source, now=now)


def fetch_orders(gateway: Gateway, refs: Sequence[str], *, now: str) -> Iterator[Page]:
    """Read orders one by one: the platform has no call for several."""

    def ask(ref: str) -> RawRow | None:
        try:
            body = read_order(gateway, ref)
        except Refused as refusal:
            if refusal.code != "order_not_found":
                raise
            return None
        return _row(gateway, ref, body, source=DETAIL, now=now)

    return one_by_one(ask, refs)


def read_order(gateway: Gateway, ref: str) -> dict[str, Any]:
    """Read one order as it stands. Raises: Refused (`order_not_found`) if the shop has no such order."""
    missing = Text("{operation}: this shop has no order {order}", operation=DETAIL, order=ref)
    if number(ref) is None:
        raise Refused(missing, code="order_not_found")
    try:
        body = unified(gateway.call(DETAIL, {"oid": int(ref)}))
    except Refused as refusal:
        if refusal.code not in ("not_ours", "bad_parameter"):
            raise
        raise Refused(missing, code="order_not_found") from None
    if oid_of(body) != ref:
        raise Refused(missing, code="order_not_found")
    return body


def unified(body: Mapping[str, Any]) -> dict[str, Any]:
    """Give an order in the one shape its versions differ from: names of blocks, and elements of unknown form.

    The list of requests for refund and the notes have two names each; reasons not to ship may be more than codes.
    """
    found = dict(body)
    for name, other in (("orderRefundList", "orderDetailRefundList"), ("orderNote", "orderNoteInfo")):
        if other in found:
            moved = found.pop(other)
            found[name] = found.get(name) or moved
    if isinstance(found.get("orderNote"), list):
        found["orderNote"] = {"orderNoteInfo": found["orderNote"]}
    base = found.get("orderBaseInfo")
    if isinstance(base, dict):
        base = dict(base)
        for name in ("disableDeliveryReasonCode", "orderRiskEventInfo"):
            if isinstance(base.get(name), list):
                base[name] = [e if isinstance(e, str | int) else write_json(e) for e in base[name]]
        found["orderBaseInfo"] = base
    return found


def needs_detail(body: Mapping[str, Any]) -> bool:
    """Say whether a list entry leaves out what we need: a block, or what a gift is."""
    subs = [sub for sub in listed_of(body.get("subOrderInfo")) if isinstance(sub, dict)]
    return any(not body.get(name) for name in NEEDED) or any(not sub.get("subOrderItemInfo") for sub in subs)


def paid_back(body: Mapping[str, Any]) -> str | None:
    """Name the refund whose amount must be asked for: one that was paid although the order goes on."""
    if number(part(body, "orderBaseInfo").get("status")) == CLOSED:
        return None  # an order ends so when all of it was paid back
    for refund in listed_of(body.get("orderRefundList")):
        way = number(refund.get("handlingWay"))
        if number(refund.get("refundStatus")) == REFUNDED and way in REFUND_WAYS and refund.get("refundId"):
            return str(refund["refundId"])
    return None


def part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Give a block of an order, empty where it is missing."""
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def listed_of(value: object) -> list[Any]:
    """Give a list, empty where there is none."""
    return value if isinstance(value, list) else []


def oid_of(body: Mapping[str, Any]) -> str:
    """Give the number of an order; empty where it has none."""
    return str(part(body, "orderBaseInfo").get("oid") or "")


def is_waiting(body: Mapping[str, Any]) -> bool:
    """Say whether an order waits to be shipped."""
    return number(part(body, "orderBaseInfo").get("status")) == WAIT_SHIP


def _changed(body: Mapping[str, Any]) -> str | None:
    return instant_of(part(body, "orderBaseInfo").get("updateTime"))


def _row(gateway: Gateway, ref: str, body: Mapping[str, Any], *, source: str, now: str) -> RawRow:
    row = raw_row(
        gateway.shop,
        ref=ref,
        form=FORMAT,
        now=now,
        updated_at=_changed(body),
        source=source,
        payload=write_json(body),
    )
    refund = paid_back(body)
    if refund and gateway.shop.settings.get("refunds", "ask") != "skip":
        row["parts"] = write_json({"refund": _refund(gateway, refund)})
    return row


def _refund(gateway: Gateway, refund: str) -> dict[str, Any]:
    """Read a refund; empty where the platform does not tell, and the order then counts as paid back in full."""
    try:
        return gateway.call(REFUND, {"refundId": int(refund) if refund.isdecimal() else refund})
    except Refused:
        return {}
