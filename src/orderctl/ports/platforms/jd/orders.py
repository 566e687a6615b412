"""Reading JD's orders through the classic gateway.

The list holds every field that is asked for, so no detail calls are needed; the fields that are not named are not
given. It tells how many orders a window holds beside its first page, so that page is kept and not asked for twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from orderctl.model.errors import Refused, Temporary
from orderctl.ports.http import unreadable, write_json
from orderctl.ports.platforms.jd.gateway import Gateway, number
from orderctl.ports.platforms.port import By, Page, RawRow, Window, raw_row, shift
from orderctl.ports.platforms.reading import Entry, Numbered, Reach, one_by_one
from orderctl.ports.platforms.wallclock import beijing, instant_of

FORMAT = "jd/order"
FIELDS = (
    "orderId,venderId,orderType,payType,orderTotalPrice,orderSellerPrice,orderPayment,freightPrice,sellerDiscount,"
    "balanceUsed,orderState,orderStateRemark,deliveryType,invoiceInfo,invoiceEasyInfo,invoiceCode,vatInfo,orderRemark,"
    "venderRemark,orderStartTime,orderEndTime,modified,paymentConfirmTime,consigneeInfo,itemInfoList,couponDetailList,"
    "returnOrder,pin,open_id_buyer,xid_buyer,waybill,logisticsId,outBoundDate,partialLogisticsInfoModel,parentOrderId,"
    "directParentOrderId,orderSource,storeOrder,storeId,idSopShipmenttype,orderMarkDesc,orderExt,popSignMap"
)
DISPATCH_FIELDS = "orderId,orderState,logisticsId,waybill,partialLogisticsInfoModel,itemInfoList,modified"
PROMISE_FIELD = "scDT"
BY_CREATION, BY_CHANGE = "1", "0"
ASCENDING = "0"
PAGE_SIZE = 50
REACH = Reach(window_s=86_400, overlap_s=600, lag_s=120, back_days=89)
"""The list by change reaches three months back; a wider window (a month) is allowed, a day is what programs use."""


@dataclass(frozen=True)
class Progress:
    """How far an order was shipped, as the platform knows it now."""

    state: str
    courier: str
    numbers: tuple[str, ...]
    waybill: str


class Orders(Numbered):
    """The list of one shop (a `Lister`), and its orders one by one."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self._gateway = gateway
        settings = gateway.shop.settings
        self._sealed = (settings.get("receiver") or "masked") == "cipher"
        self.size = int(number(gateway.shop, "page_size", PAGE_SIZE, 100))
        promise = settings.get("promise") or PROMISE_FIELD
        self._fields = FIELDS if promise == "none" else f"{FIELDS},{promise}"

    @property
    def reach(self) -> Reach:
        return REACH

    @property
    def _list_method(self) -> str:
        return "jingdong.pop.order.enSearch" if self._sealed else "jingdong.pop.order.search"

    @property
    def _detail_method(self) -> str:
        return "jingdong.pop.order.enGet" if self._sealed else "jingdong.pop.order.get"

    def records(self, entries: Sequence[Entry], *, by: By, now: str) -> list[RawRow]:  # noqa: ARG002
        return [self._row(entry.body, source=self._list_method, now=now) for entry in entries]

    def by_ref(self, refs: Sequence[str], *, now: str) -> Iterator[Page]:
        """Read orders one by one: there is no call for several."""

        def ask(ref: str) -> RawRow | None:
            order = self.detail(ref, self._fields)
            return self._row(order, source=self._detail_method, now=now) if order else None

        return one_by_one(ask, refs)

    def detail(self, ref: str, fields: str) -> dict[str, Any]:
        """Give one order as it stands; empty if there is none."""
        if not ref.isdecimal():
            return {}
        params = self._wrapped({"order_id": ref, "optional_fields": fields})
        try:
            answer = self._gateway.call(self._detail_method, params)
        except Refused as refusal:
            if refusal.code != "order_not_found":
                raise
            return {}
        info = (answer.get("orderDetailInfo") or {}).get("orderInfo")
        return info if isinstance(info, dict) and info.get("orderId") else {}

    def progress(self, ref: str) -> Progress | None:
        """Tell how far an order was shipped; None if there is none."""
        order = self.detail(ref, DISPATCH_FIELDS)
        return progress_of(order) if order else None

    def vender(self) -> str | None:
        """Give the merchant's id as it stands in one of the last orders; None where there is none."""
        until = self._gateway.now()
        since = beijing(shift(until, -30 * 86_400))
        answer = self._gateway.call(
            self._list_method,
            self._wrapped(
                {
                    "start_date": since,
                    "end_date": beijing(until),
                    "order_state": self._states,
                    "optional_fields": "orderId,venderId",
                    "page": "1",
                    "page_size": "1",
                    "sortType": ASCENDING,
                    "dateType": BY_CREATION,
                }
            ),
        )
        orders = (answer.get("searchorderinfo_result") or {}).get("orderInfoList") or []
        return str(orders[0]["venderId"]) if orders and orders[0].get("venderId") else None

    @property
    def _states(self) -> str:
        return self._gateway.shop.settings.get("order_states") or "ALL"

    def listed(self, window: Window, by: By, number: int, *, count: bool) -> tuple[int, list[Entry]]:
        del count  # every page tells it
        params = {
            "start_date": beijing(window.since),
            "end_date": beijing(window.until),
            "order_state": self._states,
            "optional_fields": self._fields,
            "page": str(number),
            "page_size": str(self.size),
            "sortType": ASCENDING,
            "dateType": BY_CREATION if by == "created" else BY_CHANGE,
        }
        try:
            answer = self._gateway.call(self._list_method, self._wrapped(params))
        except Refused as refusal:
            if refusal.code != "order_not_found":
                raise
            return 0, []
        result = answer.get("searchorderinfo_result")
        if not isinstance(result, dict) or not str(result.get("orderTotal")).isdecimal():
            failure = unreadable(self._list_method)
            raise Temporary(failure.text, code=failure.code)
        orders = [o for o in result.get("orderInfoList") or [] if isinstance(o, dict) and o.get("orderId")]
        entries = [Entry(str(order["orderId"]), instant_of(order.get("modified")), order) for order in orders]
        return int(result["orderTotal"]), entries

    def _wrapped(self, params: dict[str, Any]) -> dict[str, Any]:
        """Put the parameters where the shop's settings say: flat, or inside the container of the newer schema."""
        settings = self._gateway.shop.settings
        if settings.get("source_id"):
            params |= {"source_id": settings["source_id"]}
        container = settings.get("container")
        return {container: params} if container else params

    def _row(self, order: dict[str, Any], *, source: str, now: str) -> RawRow:
        return raw_row(
            self._gateway.shop,
            ref=str(order["orderId"]),
            form=FORMAT,
            now=now,
            updated_at=instant_of(order.get("modified")),
            source=source,
            payload=write_json(order),
        )


def progress_of(order: dict[str, Any]) -> Progress:
    """Read state, courier and numbers of an order; couriers are divided by `|`, numbers of one courier by `,`."""
    waybill = str(order.get("waybill") or "")
    parts = order.get("partialLogisticsInfoModel") or []
    told = [waybill, *(str(part.get("waybillId") or "") for part in parts if isinstance(part, dict))]
    numbers = [number.strip() for text in told for number in re.split(r"[|,]", text)]
    return Progress(
        str(order.get("orderState") or ""),
        str(order.get("logisticsId") or ""),
        tuple(dict.fromkeys(number for number in numbers if number)),
        waybill,
    )
