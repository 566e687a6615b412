"""Reading Douyin's orders: one list with numbered pages from 0, complete in itself; details only for single orders.

The list is read oldest change first. Its `update_time` follows the main status alone: notes, flags and some
after-sale changes do not move an order, so what acts on orders asks for them by number before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from orderctl.model.errors import Refused, Temporary
from orderctl.ports.http import unreadable, write_json
from orderctl.ports.platforms.douyin.gateway import Gateway, epoch, instant_of
from orderctl.ports.platforms.port import By, Page, RawRow, Window, raw_row
from orderctl.ports.platforms.reading import Entry, Listed, Reach, one_by_one

FORMAT = "douyin/order"
LIST = "order.searchList"
DETAIL = "order.orderDetail"
PAGE_SIZE = 100
REACH = Reach(
    window_s=7 * 86_400,  # the platform names no widest window
    overlap_s=600,
    lag_s=60,
    back_days=89,  # it lists 90 days
    split_above=1_000,  # its pages end at 10,000 orders
)


class Orders:
    """The list of one shop's orders. A place is the number of a page."""

    reach = REACH

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def count(self, window: Window, by: By) -> int:
        """Give how many orders the platform counts in a window."""
        return self._read(window, by, 0, 1)[0]

    def start(self, window: Window, by: By, total: int | None) -> str | None:  # noqa: ARG002 - the list is the same
        """Give the last page, where reading begins."""
        return str((total - 1) // PAGE_SIZE) if total else None

    def page(self, window: Window, by: By, place: str) -> Listed:
        """Read one page; the one before it is next."""
        number = int(place)
        _, orders = self._read(window, by, number, PAGE_SIZE)
        entries = [Entry(str(o["order_id"]), instant_of(o.get("update_time")), o) for o in orders]
        return Listed(entries, str(number - 1) if number else None)

    def records(self, entries: Sequence[Entry], *, by: By, now: str) -> list[RawRow]:  # noqa: ARG002 - no details
        """Make raw rows; the list leaves nothing out that a shipment needs."""
        return [_row(self._gateway, entry.body, source=LIST, now=now) for entry in entries]

    def _read(self, window: Window, by: By, number: int, size: int) -> tuple[int, list[dict[str, Any]]]:
        kind = "update_time" if by == "updated" else "create_time"
        answer = self._gateway.call(
            LIST,
            {
                f"{kind}_start": epoch(window.since),
                f"{kind}_end": epoch(window.until),
                "order_by": kind,
                "order_asc": True,
                "page": number,
                "size": size,
            },
        )
        total, found = str(answer.get("total") or 0), answer.get("shop_order_list") or []
        if not total.isdecimal() or not isinstance(found, list):
            failure = unreadable(LIST)
            raise Temporary(failure.text, code=failure.code)
        return int(total), [o for o in found if isinstance(o, dict) and o.get("order_id")]


def _row(gateway: Gateway, order: dict[str, Any], *, source: str, now: str) -> RawRow:
    row = raw_row(
        gateway.shop,
        ref=str(order["order_id"]),
        form=FORMAT,
        now=now,
        updated_at=instant_of(order.get("update_time")),
        source=source,
        payload=write_json(order),
    )
    if counts := gateway.shop.settings.get("bundle_counts"):
        row["facts"] = write_json({"bundle_counts": counts})
    return row


def fetch_orders(gateway: Gateway, refs: Sequence[str], *, now: str) -> Iterator[Page]:
    """Read orders one by one: the platform has no call for several."""

    def ask(ref: str) -> RawRow | None:
        order = read_order(gateway, ref)
        return None if order is None else _row(gateway, order, source=DETAIL, now=now)

    return one_by_one(ask, refs)


def read_order(gateway: Gateway, ref: str) -> dict[str, Any] | None:
    """Read one order as it stands now; None if the shop has no such order."""
    try:
        found = gateway.call(DETAIL, {"shop_order_id": ref}).get("shop_order_detail")
    except Refused as refusal:
        if refusal.code != "order_not_found":
            raise
        return None
    return found if isinstance(found, dict) and found.get("order_id") else None
