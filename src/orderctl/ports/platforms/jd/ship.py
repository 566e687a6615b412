"""Telling JD that an order left, once, through the classic gateway.

The gateway ships an order as a whole; parts of one leave through the SP-API. It refuses a second shipping, so "already
shipped" is looked at: our number means it was us (success), another number means somebody else was faster.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from orderctl.model.errors import Refused
from orderctl.model.text import Text
from orderctl.ports.http import unreadable
from orderctl.ports.platforms.couriers import courier_code
from orderctl.ports.platforms.jd.gateway import Gateway
from orderctl.ports.platforms.jd.meaning import results_of
from orderctl.ports.platforms.jd.orders import DISPATCH_FIELDS, Orders, Progress, progress_of
from orderctl.ports.platforms.port import ShipRequest

SEND = "jingdong.pop.order.shipment"
AMEND = "360buy.order.sop.waybill.update"
LOOK = "look at the order in the shop's back office before doing anything"
REFUNDING = frozenset({"LOCKED"})
HELD = frozenset({"PAUSE", "POP_ORDER_PAUSE", "WAIT_SEND_CODE", "ZanTing"})
TO_SHIP = frozenset({"WAIT_SELLER_STOCK_OUT", "WAIT_SELLER_DELIVERY", "DengDaiChuKu", "DengDaiFaHuo"})
SHIPPED = frozenset({"WAIT_GOODS_RECEIVE_CONFIRM", "DengDaiQueRenShouHuo", "FINISHED_L", "WanCheng"})
OWN_DELIVERY = "1274"
"""The courier "own delivery": the platform does not keep its numbers."""

Result = dict[str, str | None]


def result(request: ShipRequest, state: str, untold: Sequence[str] = ()) -> Result:
    """Give the same result whether we heard it from the platform or found it there afterwards.

    `untold` are numbers of the dispatch that the platform has no place for.
    """
    told: Result = {"state": state, "number": request.number, "dispatch": None}
    return told | {"untold": ",".join(untold)} if untold else told


def found_shipped(progress: Progress | None, request: ShipRequest, courier: str) -> Result | None:
    """Say whether an order left with our number; None if it did not leave, or only parts of it with other numbers.

    Raises: Refused (`order_not_found`; `shipped_elsewhere` if it left with another number).
    """
    if progress is None:
        raise Refused(
            Text("order {order}: the platform knows no such order", order=request.order_ref),
            code="order_not_found",
        )
    if request.number in progress.numbers:
        return result(request, "shipped", [n for n in request.more if n not in progress.numbers])
    if progress.state in TO_SHIP:
        return None
    gone = progress.state in SHIPPED
    if gone and courier == OWN_DELIVERY and progress.courier == OWN_DELIVERY:
        return result(request, "shipped")
    if progress.numbers or gone:
        raise Refused(
            Text("order {order}: it was already shipped with another number", order=request.order_ref),
            hint=Text(LOOK),
            code="shipped_elsewhere",
        )
    return None


def why_not(progress: Progress | None, request: ShipRequest) -> Refused:
    """Say why an order that did not leave cannot be shipped."""
    state = progress.state if progress else ""
    if state in REFUNDING:
        text, code = "order {order}: the buyer wants to cancel or be refunded", "refunding"
    elif state in HELD:
        text, code = "order {order}: the platform holds it", "held"
    else:
        text, code = "order {order}: its state does not allow shipping", "not_shippable"
    return Refused(Text(text, order=request.order_ref), hint=Text(LOOK), code=code)


class Parts(Protocol):
    """Whoever can ship parts of an order."""

    def send(self, request: ShipRequest) -> Result:
        """Tell the platform; see `Platform.ship`."""
        ...

    def amend(self, request: ShipRequest, before: str) -> Result:
        """Correct a number; see `Platform.amend`."""
        ...


class Shipping:
    """Shipping through the classic gateway; what it cannot do goes to `parts`, where there are any."""

    def __init__(self, gateway: Gateway, orders: Orders, parts: Parts | None) -> None:
        self._gateway = gateway
        self._orders = orders
        self._parts = parts

    def send(self, request: ShipRequest) -> Result:
        """Tell the platform; see `Platform.ship`. The order is read first: the gateway would ship all there is."""
        courier = self._courier(request)
        order = self._orders.detail(request.order_ref, DISPATCH_FIELDS)
        progress = progress_of(order) if order else None
        found = found_shipped(progress, request, courier)
        if found:
            return found
        if (progress and progress.numbers) or not covers(order.get("itemInfoList"), request):
            return self._send_part(request)
        params = {"orderId": request.order_ref, "logiCoprId": courier, "logiNo": ",".join(request.numbers)}
        try:
            answer = self._gateway.call(SEND, params, changes=True)
        except Refused as refusal:
            if refusal.code != "already_shipped":
                raise
            progress = self._orders.progress(request.order_ref)
            found = found_shipped(progress, request, courier)
            if found is None:
                raise why_not(progress, request) from None
            return found
        if not results_of(answer):
            raise unreadable(SEND)  # it does not say that it succeeded
        return result(request, "shipped")

    def _send_part(self, request: ShipRequest) -> Result:
        if self._parts:
            return self._parts.send(request)
        raise Refused(
            Text("order {order}: this gateway ships an order only as a whole", order=request.order_ref),
            hint=Text("set parts: sp for the shop to ship parts of orders"),
            code="partial_line",
        )

    def lookup(self, request: ShipRequest) -> Result | None:
        """Read the order as it stands: see `found_shipped`."""
        return found_shipped(self._orders.progress(request.order_ref), request, self._courier(request))

    def amend(self, request: ShipRequest, before: str) -> Result:
        """Correct a number; see `Platform.amend`. The text of all numbers is told anew, with the one exchanged."""
        method = self._gateway.shop.settings.get("amend_method") or AMEND
        if method == "none":
            raise Refused(Text("this platform has no way to correct a number"), code="no_amend")
        progress = self._orders.progress(request.order_ref)
        found = found_corrected(progress, request, before)
        if found or progress is None:
            return found or result(request, "corrected")
        if before not in re.split(r"[|,]", progress.waybill) and self._parts:
            return self._parts.amend(request, before)  # it belongs to a part
        couriers, waybill = exchanged(progress, before, request.number, self._courier(request))
        params = {"order_id": request.order_ref, "logistics_id": couriers, "waybill": waybill}
        self._gateway.call(method, params, changes=True)
        return result(request, "corrected")

    def lookup_amend(self, request: ShipRequest, before: str) -> Result | None:
        """Tell whether the corrected number is there."""
        return found_corrected(self._orders.progress(request.order_ref), request, before)

    def _courier(self, request: ShipRequest) -> str:
        return courier_code(self._gateway.shop, request.courier)


def line_refs(items: object) -> dict[str, dict[str, Any]]:
    """Name the lines as the mapper does: the SKU's id, and "-2" and so on where it stands again, dearest first."""
    known = [i for i in items if isinstance(i, dict) and i.get("skuId")] if isinstance(items, list) else []
    named: dict[str, dict[str, Any]] = {}
    for item in sorted(known, key=_price, reverse=True):
        ref = sku = str(item["skuId"])
        again = 1
        while ref in named:
            again += 1
            ref = f"{sku}-{again}"
        named[ref] = item
    return named


def _price(item: Mapping[str, Any]) -> Decimal:
    try:
        return Decimal(str(item.get("jdPrice")))
    except InvalidOperation:
        return Decimal(-1)


def covers(items: object, request: ShipRequest) -> bool:
    """Say whether a dispatch is all there is of an order (of which nothing left yet)."""
    pieces = {name: str(i.get("itemTotal") or i.get("num") or "0") for name, i in line_refs(items).items()}
    asked = {line.line_ref: str(line.quantity) for line in request.lines}
    return request.whole and asked == {name: count for name, count in pieces.items() if count != "0"}


def found_corrected(progress: Progress | None, request: ShipRequest, before: str) -> Result | None:
    """Say whether the number was exchanged; None if the one before still stands.

    Raises: Refused (`order_not_found`, `not_shippable`: nothing left yet, `shipped_elsewhere`: neither number is there).
    """
    if progress is None:
        raise Refused(
            Text("order {order}: the platform knows no such order", order=request.order_ref),
            code="order_not_found",
        )
    if request.number in progress.numbers and before not in progress.numbers:
        return result(request, "corrected")
    if before in progress.numbers:
        return None
    if not progress.numbers:
        raise why_not(progress, request)
    raise Refused(
        Text("order {order}: it was already shipped with another number", order=request.order_ref),
        hint=Text(LOOK),
        code="shipped_elsewhere",
    )


def exchanged(progress: Progress, before: str, number: str, courier: str) -> tuple[str, str]:
    """Give couriers and numbers of an order as the platform writes them, `before` replaced by `number` of `courier`.

    Couriers are divided by `|`, and so are their groups of numbers, divided inside by `,`. A number that changes its
    courier leaves its group for one of its own.
    """
    couriers, groups = progress.courier.split("|"), [g.split(",") for g in progress.waybill.split("|")]
    told: list[tuple[str, list[str]]] = []
    for at, group in enumerate(groups):
        carrier = couriers[at] if at < len(couriers) else courier
        if before in group and carrier != courier:
            told += [(carrier, [n for n in group if n != before]), (courier, [number])]
        else:
            told.append((carrier, [number if n == before else n for n in group]))
    left = [(carrier, group) for carrier, group in told if group]
    return "|".join(carrier for carrier, _ in left), "|".join(",".join(group) for _, group in left)
