"""Reading JD's orders through the SP-API.

As through the classic gateway; an order is a tree of parts, of which those named in `scopeSet` are given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from orderctl.model.errors import Refused, Temporary
from orderctl.ports.http import unreadable, write_json
from orderctl.ports.platforms.jd.gateway import number
from orderctl.ports.platforms.jd.orders import PAGE_SIZE, REACH, Progress
from orderctl.ports.platforms.jd.rest import Rest, instant_of_millis, millis
from orderctl.ports.platforms.port import By, Page, RawRow, Window, raw_row, shift
from orderctl.ports.platforms.reading import Entry, Numbered, Reach, one_by_one

FORMAT = "jd/sp-order"
LIST = "/sp-order/v0/orders"
DETAIL = "/sp-order/v0/orders/{orderId}"
SCOPE = (
    "buyerRemark,consigneeInfo,finalConsigneeInfo,invoiceInfo,orderFlag,paymentInfo,promiseCalendarInfo,"
    "sellerTradePriceInfo,skuItemInfoList,specialStatusReasonInfo,stepPaymentInfo,transportInfo,venderRemarkInfo"
)


class RestOrders(Numbered):
    """The list of one shop (a `Lister`), and its orders one by one."""

    def __init__(self, rest: Rest) -> None:
        super().__init__()
        self._rest = rest
        settings = rest.shop.settings
        self.size = int(number(rest.shop, "page_size", PAGE_SIZE, 100))
        self._scope = settings.get("scope_set") or SCOPE

    @property
    def reach(self) -> Reach:
        return REACH

    def records(self, entries: Sequence[Entry], *, by: By, now: str) -> list[RawRow]:  # noqa: ARG002
        return [self._row(entry.body, source=LIST, now=now) for entry in entries]

    def by_ref(self, refs: Sequence[str], *, now: str) -> Iterator[Page]:
        """Read orders one by one (there is no call for several), in pages of twenty."""

        def ask(ref: str) -> RawRow | None:
            order = self.detail(ref)
            return self._row(order, source=DETAIL, now=now) if order else None

        return one_by_one(ask, refs)

    def detail(self, ref: str) -> dict[str, Any]:
        """Give one order as it stands; empty if there is none."""
        if not ref.isdecimal():
            return {}
        try:
            answer = self._rest.call("GET", DETAIL, places={"orderId": ref}, query={"scopeSet": self._scope})
        except Refused as refusal:
            if refusal.code != "order_not_found":
                raise
            return {}
        data = answer.get("data")
        return data if isinstance(data, dict) and data.get("orderId") else {}

    def progress(self, ref: str) -> Progress | None:
        """Tell how far an order was shipped; None if there is none."""
        order = self.detail(ref)
        return progress_of(order) if order else None

    def vender(self) -> str | None:
        """Give the merchant's id as it stands in one of the last orders; None where there is none."""
        until = self._rest.now()
        _, entries = self.listed(Window(shift(until, -30 * 86_400), until), "created", 1, count=True)
        return str(entries[0].body["venderId"]) if entries and entries[0].body.get("venderId") else None

    def listed(self, window: Window, by: By, number: int, *, count: bool) -> tuple[int, list[Entry]]:
        del count  # every page tells it
        settings = self._rest.shop.settings
        by_change = settings.get("sort_by_change") or "modifiedTime"
        query = {
            "startTime": millis(window.since),
            "endTime": millis(window.until),
            "orderStatus": settings.get("order_states") or "ALL",
            "page": str(number),
            "pageSize": str(self.size),
            "sortBy": by_change if by == "updated" else settings.get("sort_by_creation") or "createdTime",
            "sortOrder": settings.get("sort_order") or "ASC",
            "scopeSet": self._scope,
        }
        answer = self._rest.call("GET", LIST, query=query)
        paging = answer.get("paginationData")
        if not isinstance(paging, dict) or not str(paging.get("totalItems")).isdecimal():
            failure = unreadable(LIST)
            raise Temporary(failure.text, code=failure.code)
        orders = [o for o in answer.get("data") or [] if isinstance(o, dict) and o.get("orderId")]
        entries = [Entry(str(o["orderId"]), instant_of_millis(o.get("modifiedTime")), o) for o in orders]
        return int(paging["totalItems"]), entries

    def _row(self, order: dict[str, Any], *, source: str, now: str) -> RawRow:
        return raw_row(
            self._rest.shop,
            ref=str(order["orderId"]),
            form=FORMAT,
            now=now,
            updated_at=instant_of_millis(order.get("modifiedTime")),
            source=source,
            payload=write_json(order),
        )


def parts_of(order: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the dispatches of an order that left in parts."""
    parts = (order.get("transportInfo") or {}).get("partialShipmentList") or []
    return [part for part in parts if isinstance(part, dict)]


def progress_of(order: dict[str, Any]) -> Progress:
    """Read state, courier and numbers of an order."""
    transport = order.get("transportInfo") or {}
    waybill = str(transport.get("waybillCode") or "")
    told = [waybill, *(str(part.get("waybillCode") or "") for part in parts_of(order))]
    numbers = [number.strip() for text in told for number in text.replace("|", ",").split(",")]
    return Progress(
        str(order.get("orderStatus") or ""),
        str(transport.get("logisticsId") or ""),
        tuple(dict.fromkeys(number for number in numbers if number)),
        waybill,
    )
