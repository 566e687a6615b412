"""Telling JD that an order, or a part of one, left, through the SP-API.

The order is read before it is told: a line is named to the platform by an id that only it knows, and what left already
with our number is not told again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orderctl.model.errors import Refused
from orderctl.model.text import Text
from orderctl.ports.platforms.couriers import courier_code
from orderctl.ports.platforms.jd.rest import Rest
from orderctl.ports.platforms.jd.rest_orders import RestOrders, parts_of, progress_of
from orderctl.ports.platforms.jd.ship import (
    Result,
    covers,
    exchanged,
    found_corrected,
    found_shipped,
    line_refs,
    result,
    why_not,
)
from orderctl.ports.platforms.port import ShipRequest

PATH = "/sp-order/v0/orders/{orderId}/shipments"


class RestShipping:
    """Shipping through the SP-API."""

    def __init__(self, rest: Rest, orders: RestOrders) -> None:
        self._rest = rest
        self._orders = orders

    def send(self, request: ShipRequest) -> Result:
        """Tell the platform; see `Platform.ship`."""
        courier = self._courier(request)
        order = self._orders.detail(request.order_ref)
        found = found_in(order, request, courier)
        if found:
            return found
        items = order.get("skuItemInfoList") or []
        whole = not parts_of(order) and covers(items, request)
        goods = [] if whole else plan_goods(items, request)
        # the goods of a dispatch of several parcels are named with the first: which parcel holds what is not known here
        packages: list[dict[str, Any]] = [
            {"companyId": int(courier), "waybillCode": one}
            for one in (request.numbers if whole else request.numbers[:1])
        ]
        if goods:
            packages[0]["outboundGoodsFacetDTOList"] = goods
        try:
            self._tell("POST", request.order_ref, packages)
        except Refused as refusal:
            if refusal.code != "already_shipped":
                raise
            order = self._orders.detail(request.order_ref)
            found = found_in(order, request, courier)
            if found is None:
                raise why_not(progress_of(order), request) from None
            return found
        return result(request, "shipped", () if whole else request.more)

    def lookup(self, request: ShipRequest) -> Result | None:
        """Read the order as it stands: see `found_in`."""
        return found_in(self._orders.detail(request.order_ref), request, self._courier(request))

    def amend(self, request: ShipRequest, before: str) -> Result:
        """Correct a number; see `Platform.amend`."""
        order = self._orders.detail(request.order_ref)
        found = found_corrected(progress_of(order) if order else None, request, before)
        if found:
            return found
        self._tell("PUT", request.order_ref, plan_correction(order, request, before, self._courier(request)))
        return result(request, "corrected")

    def lookup_amend(self, request: ShipRequest, before: str) -> Result | None:
        """Tell whether the corrected number is there."""
        return found_corrected(self._orders.progress(request.order_ref), request, before)

    def _courier(self, request: ShipRequest) -> str:
        found = courier_code(self._rest.shop, request.courier)
        if not found.isdecimal():
            raise Refused(
                Text(
                    "shop {shop}: 'courier.{courier}' is no number",
                    shop=self._rest.shop.id,
                    courier=request.courier,
                ),
                code="courier_unknown",
            )
        return found

    def _tell(self, verb: str, ref: str, packages: list[dict[str, Any]]) -> None:
        told: dict[str, Any] = {"orderId": int(ref), "packageInfoList": packages}
        kind = self._rest.shop.settings.get("shipment_type")
        if kind:
            told["shipmentType"] = int(kind) if kind.isdecimal() else kind
        self._rest.call(verb, PATH, places={"orderId": ref}, body={"orderShipmentDTO": told}, changes=True)


def found_in(order: Mapping[str, Any], request: ShipRequest, courier: str) -> Result | None:
    """Say whether an order left with our number; see `found_shipped`."""
    return found_shipped(progress_of(dict(order)) if order else None, request, courier)


def plan_goods(items: object, request: ShipRequest) -> list[dict[str, Any]]:
    """Give what goes with a dispatch in the platform's words. Raises: Refused for a line the order does not have."""
    named = line_refs(items)
    goods = []
    for line in request.lines:
        item = named.get(line.line_ref)
        if item is None:
            raise Refused(
                Text("order {order}: it has no line {line}", order=request.order_ref, line=line.line_ref),
                code="partial_line",
            )
        goods.append({"skuId": item["skuId"], "skuUuid": item.get("skuUuid"), "skuNum": line.quantity})
    return goods


def plan_correction(
    order: dict[str, Any], request: ShipRequest, before: str, courier: str
) -> list[dict[str, Any]]:
    """Give the packages of a correction: the one part that bore the number, or all of an order that left whole."""
    for part in parts_of(order):
        if before in str(part.get("waybillCode") or "").split(",") and part.get("shipmentId"):
            package = {"companyId": int(courier), "waybillCode": request.number}
            return [package | {"shipmentId": part["shipmentId"]}]
    couriers, waybill = exchanged(progress_of(order), before, request.number, courier)
    return [
        {"companyId": int(one), "waybillCode": number}
        for one, group in zip(couriers.split("|"), waybill.split("|"), strict=True)
        for number in group.split(",")
    ]
