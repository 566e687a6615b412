"""Reading Pinduoduo's orders: lists by page number. An entry of a list is the whole order, so no details are asked for.

Only confirmed orders (paid, and their group complete) are listed; nobody can see those that wait for payment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from orderctl.model.errors import Refused, Temporary
from orderctl.model.text import Text
from orderctl.ports.http import unreadable, write_json
from orderctl.ports.platforms.pdd.gateway import Gateway, instant_of, seconds
from orderctl.ports.platforms.port import By, Page, RawRow, Window, raw_row, seconds_between
from orderctl.ports.platforms.reading import Entry, Listed, Reach, one_by_one

FORMAT = "pdd/order"
CHANGED = "pdd.order.number.list.increment.get"
CONFIRMED = "pdd.order.list.get"
DETAIL = "pdd.order.information.get"
LISTS = {CHANGED: "order_sn_list", CONFIRMED: "order_list"}
ALL = 5
ANY_LOTTERY = 0
DEPOSIT_FIRST = ("1", "0")
EVERY_KIND = "all"
DAY_S = 86_400
CHANGED_S = 1_800
BACK_DAYS = 89  # the lists reach three months back
OVERLAP_S = 300
LAG_S = 180
PAGE_SIZE = 100
SHORTEST_S = 120


class Orders:
    """The lists of one shop's orders; see `reading.Lister`. A place is a kind of order and a page, from 1: `1/7`.

    Changes can be listed for half an hour at a time: three months would be four thousand windows. A first reading
    (`first`) therefore goes by the time of confirmation, a day at a time; what changes meanwhile is met by the next
    reading, which begins where this one stood. So a window wider than half an hour always is one of confirmations,
    and a first reading halves none below that.

    That list is not said to hold deposit orders unless they are asked for: it is read once for each kind.
    """

    def __init__(self, gateway: Gateway, by: By, *, first: bool) -> None:
        self._gateway = gateway
        self._totals: dict[str, int] = {}
        self._only_pages: dict[str, list[Any]] = {}
        span = DAY_S if first or by == "created" else CHANGED_S
        shortest = 2 * CHANGED_S + 2 if first else SHORTEST_S
        self.reach = Reach(span, OVERLAP_S, LAG_S, BACK_DAYS, shortest_s=shortest)

    def count(self, window: Window, by: By) -> int:
        self._totals, self._only_pages = {}, {}
        for kind in DEPOSIT_FIRST if _is_confirmed(window, by) else (EVERY_KIND,):
            self._totals[kind], orders = self._list(window, by, kind, 1)
            if self._totals[kind] <= PAGE_SIZE:
                self._only_pages[kind] = orders
        return sum(self._totals.values())

    def start(self, window: Window, by: By, total: int | None) -> str | None:
        del window, by, total
        return self._last_page(list(self._totals))

    def page(self, window: Window, by: By, place: str) -> Listed:
        kind, _, number = place.partition("/")
        orders = (
            self._only_pages.pop(kind, None) if number == "1" else None
        )  # a count brings an only page along
        if orders is None:
            orders = self._list(window, by, kind, int(number))[1]
        named = [order for order in orders if isinstance(order, dict) and order.get("order_sn")]
        entries = [Entry(str(o["order_sn"]), instant_of(o.get("updated_at")), o) for o in named]
        lost = len(orders) - len(named)
        told = Text("{operation}: {count} entries without an order number", operation=_source(by), count=lost)
        if int(number) > 1:
            following: str | None = f"{kind}/{int(number) - 1}"
        else:
            kinds = list(self._totals)
            following = self._last_page(kinds[kinds.index(kind) + 1 :])
        return Listed(entries, following, (told,) if lost else ())

    def records(self, entries: Sequence[Entry], *, by: By, now: str) -> list[RawRow]:
        return [_row(self._gateway, entry.body, source=_source(by), now=now) for entry in entries]

    def _last_page(self, kinds: Sequence[str]) -> str | None:
        """Give the place of the last page of the first of these kinds that has orders."""
        return next((f"{k}/{-(-self._totals[k] // PAGE_SIZE)}" for k in kinds if self._totals[k]), None)

    def _list(self, window: Window, by: By, kind: str, number: int) -> tuple[int, list[Any]]:
        """Read one page, and how many orders the platform counts in the window."""
        confirmed = _is_confirmed(window, by)
        method, time = (CONFIRMED, "confirm_at") if confirmed else (CHANGED, "updated_at")
        params: dict[str, object] = {
            f"start_{time}": seconds(window.since),
            f"end_{time}": seconds(window.until),
            "order_status": ALL,
            "refund_status": ALL,
            "page": number,
            "page_size": PAGE_SIZE,
            **({"trade_type": kind} if confirmed else {"is_lucky_flag": ANY_LOTTERY}),
        }
        answer = self._gateway.call(method, params)
        orders, total = answer.get(LISTS[method]), str(answer.get("total_count", ""))
        if not total.isdecimal() or not isinstance(orders, list | None):
            raise Temporary(unreadable(method).text, code="unreadable")
        return int(total), orders or []


def _is_confirmed(window: Window, by: By) -> bool:
    return by == "created" or seconds_between(window.since, window.until) > CHANGED_S


def _source(by: By) -> str:
    return CHANGED if by == "updated" else CONFIRMED


def fetch_orders(gateway: Gateway, refs: Sequence[str], *, now: str) -> Iterator[Page]:
    """Read orders one by one: the platform has no call for several."""

    def ask(ref: str) -> RawRow | None:
        try:
            return _row(gateway, read_order(gateway, ref), source=DETAIL, now=now)
        except Refused as refusal:
            if refusal.code != "order_not_found":
                raise
            return None

    return one_by_one(ask, refs)


def read_order(gateway: Gateway, ref: str) -> dict[str, Any]:
    """Read one order as it stands. Raises: Refused (`order_not_found`) if the shop has no such order."""
    answer = gateway.call(DETAIL, {"order_sn": ref})
    found = answer.get("order_info")
    if not isinstance(found, dict) or str(found.get("order_sn")) != ref:
        raise Refused(
            Text("order {order}: the platform knows no such order", order=ref), code="order_not_found"
        )
    fees = answer.get(
        "service_fee_detail"
    )  # inside the order in lists, beside it in the documents of details
    return ({"service_fee_detail": fees} if fees else {}) | found


def _row(gateway: Gateway, order: dict[str, Any], *, source: str, now: str) -> RawRow:
    return raw_row(
        gateway.shop,
        ref=str(order["order_sn"]),
        form=FORMAT,
        now=now,
        updated_at=instant_of(order.get("updated_at")),
        source=source,
        payload=write_json(order),
    )
