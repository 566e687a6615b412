"""Telling Pinduoduo that an order left, once: the first number ships it, those of further parcels are added to it.

The platform ships whole orders only, and its refusals are texts without codes. So whatever it refuses, the order
itself is looked at: our number means it was us, another number that somebody else was faster, and else its state
says why it cannot leave.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orderctl.model.errors import Refused, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.platforms.couriers import courier_code, load_couriers
from orderctl.ports.platforms.pdd.gateway import Gateway
from orderctl.ports.platforms.pdd.orders import read_order
from orderctl.ports.platforms.port import ShipRequest

SEND = "pdd.logistics.online.send"
EXTRA = "pdd.order.upload.extra.logistics"
COMPANIES = "pdd.logistics.companies.get"
CHANGE = "2"
SPLIT = 1
NAMES = {
    "SF": ("顺丰",), "ZTO": ("中通",), "YTO": ("圆通",), "STO": ("申通",), "YUNDA": ("韵达",), "JT": ("极兔",),
    "JD": ("京东",), "EMS": ("EMS",), "POST": ("邮政快递", "邮政国内小包"), "DEPPON": ("德邦",), "ZJS": ("宅急送",),
    "UC": ("优速",),
}  # fmt: skip
"""How the names of couriers begin in the platform's list, which is read where an id is not on it."""
CLEAR = ("partial_line", "order_not_found")
"""Refusals that need no look at the order."""

Result = dict[str, str | None]


class Couriers:
    """The platform's own list of couriers, read once: ids change, and only those that are on it may be used."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._listed: dict[str, str] | None = None

    def code(self, courier: str) -> str:
        """Give the platform's number of a courier: the shop's own setting, else as listed.

        Raises: Refused (`courier_unknown`).
        """
        shop = self._gateway.shop
        told = shop.settings.get(f"courier.{courier}")
        known = told or load_couriers(shop.platform).get(courier)
        if told or not known:
            return courier_code(shop, courier)
        listed = self._read()
        name = listed.get(known, "")
        if not listed or any(name.startswith(begins) for begins in NAMES.get(courier, ("",))):
            return known
        found = [
            number
            for number, name in listed.items()
            if any(name.startswith(begins) for begins in NAMES.get(courier, ()))
        ]
        if len(found) != 1:
            raise Refused(
                Text(
                    "shop {shop}: the platform offers no courier '{courier}'", shop=shop.id, courier=courier
                ),
                hint=Text("set courier.{courier} for the shop", courier=courier),
                code="courier_unknown",
            )
        return found[0]

    def _read(self) -> dict[str, str]:
        """Give name by number of those that may be used; empty where the platform does not tell."""
        if self._listed is None:
            try:
                answer = self._gateway.call(COMPANIES, {}, seller=False)
            except (Refused, Unauthorized):
                answer = {}
            companies = [c for c in answer.get("logistics_companies") or [] if isinstance(c, dict)]
            self._listed = {
                str(c.get("id")): str(c.get("logistics_company") or "")
                for c in companies
                if str(c.get("available")) in ("1", "True")
            }
        return self._listed


def plan_send(request: ShipRequest, code: str) -> dict[str, str]:
    """Give the parameters of the call. Raises: Refused if it would leave something behind."""
    if not request.whole:
        raise Refused(
            Text("order {order}: this platform ships an order only as a whole", order=request.order_ref),
            hint=Text("let it leave as one shipment of several parcels"),
            code="partial_line",
        )
    return {"order_sn": request.order_ref, "logistics_id": code, "tracking_number": request.number}


def send_shipment(gateway: Gateway, request: ShipRequest, couriers: Couriers) -> Result:
    """Tell the platform; see `Platform.ship`."""
    code = couriers.code(request.courier)
    told: set[str] = set()
    try:
        check(gateway.call(SEND, plan_send(request, code), changes=True), SEND)
    except Refused as refusal:
        if refusal.code in CLEAR:
            raise
        order = read_order(gateway, request.order_ref)
        if number_of(order) != request.number:
            raise reason(order, request, refusal) from None
        told = further_numbers(order)
    add_parcels(gateway, request, code, told)
    return result(request)


def add_parcels(gateway: Gateway, request: ShipRequest, code: str, told: set[str]) -> None:
    """Tell the numbers of the further parcels that are not told yet."""
    missing = [number for number in request.more if number not in told]
    if missing:
        tracks = [{"shipping_id": int(code), "tracking_number": number} for number in missing]
        params = {"order_sn": request.order_ref, "extra_track_list": tracks, "extra_track_type": SPLIT}
        check(gateway.call(EXTRA, params, changes=True), EXTRA)


def lookup(gateway: Gateway, request: ShipRequest) -> Result | None:
    """Read the order as it stands: all our numbers is success, none or not all of them is None.

    Raises: Refused (`shipped_elsewhere`) if it left with another number.
    """
    order = read_order(gateway, request.order_ref)
    number = number_of(order)
    if number and number != request.number:
        raise elsewhere(request)
    if not number or set(request.more) - further_numbers(order):
        return None
    return result(request)


def correct(gateway: Gateway, request: ShipRequest, before: str, couriers: Couriers) -> Result:
    """Replace the first number, or its courier; see `Platform.amend`.

    Numbers of further parcels can be added, but nothing takes one back.
    """
    code = couriers.code(request.courier)
    order = read_order(gateway, request.order_ref)
    number = number_of(order)
    if _is_corrected(order, request, code):
        return result(request, "corrected")
    if before in further_numbers(order) or number in request.more:
        raise Refused(
            Text(
                "order {order}: the number of a further parcel cannot be changed here",
                order=request.order_ref,
            ),
            hint=Text("change it in the shop's back office"),
            code="no_amend",
        )
    if number not in (before, request.number):
        raise elsewhere(request) if number else _not_shipped(request)
    params = {
        "order_sn": request.order_ref,
        "logistics_id": code,
        "tracking_number": request.number,
        "redelivery_type": CHANGE,
    }
    check(gateway.call(SEND, params, changes=True), SEND)
    return result(request, "corrected")


def lookup_correction(
    gateway: Gateway, request: ShipRequest, before: str, couriers: Couriers
) -> Result | None:
    """Tell whether the order has the corrected number. Raises: Refused if it has neither."""
    order = read_order(gateway, request.order_ref)
    if _is_corrected(order, request, couriers.code(request.courier)):
        return result(request, "corrected")
    if number_of(order) in ("", before, request.number, *request.more):
        return None
    raise elsewhere(request)


def _is_corrected(order: Mapping[str, Any], request: ShipRequest, code: str) -> bool:
    """Say whether an order has the number, and its courier as far as the order tells it."""
    return number_of(order) == request.number and str(order.get("logistics_id") or code) == code


def number_of(order: Mapping[str, Any]) -> str:
    """Give the number an order was shipped with; empty while it was not."""
    return str(order.get("tracking_number") or "")


def further_numbers(order: Mapping[str, Any]) -> set[str]:
    """Give the numbers of the further parcels of an order."""
    parcels = order.get("extra_delivery_list") or []
    return {str(parcel.get("tracking_number")) for parcel in parcels if isinstance(parcel, dict)}


def reason(order: Mapping[str, Any], request: ShipRequest, refusal: Refused) -> Refused:
    """Say why an order could not be shipped, by its own state; the platform's word where the state says nothing."""
    held = [
        tag.get("value")
        for tag in order.get("order_tag_list") or []
        if isinstance(tag, dict) and tag.get("name") == "ship_hold"
    ]
    ref = request.order_ref
    if number_of(order):
        return elsewhere(request)
    if str(order.get("refund_status")) in ("2", "3"):
        return Refused(Text("order {order}: a refund of it is open", order=ref), code="refunding")
    if str(order.get("refund_status")) == "4" or str(order.get("confirm_status")) == "2":
        return Refused(Text("order {order}: it was cancelled", order=ref), code="not_shippable")
    if str(order.get("risk_control_status")) == "1" or "1" in map(str, held):
        return Refused(Text("order {order}: it is on hold at the platform", order=ref), code="held")
    return refusal


def check(answer: Mapping[str, Any], operation: str) -> None:
    """Raise Refused unless the answer says yes, in one of the ways it has had."""
    told = answer.get("is_success", answer.get("success"))
    if str(told).lower() not in ("true", "1"):
        raise Refused(
            Text("{operation}: refused ({code})", operation=operation, code="is_success"), code="is_success"
        )


def elsewhere(request: ShipRequest) -> Refused:
    """Say that somebody else shipped the order."""
    return Refused(
        Text("order {order}: it was already shipped with another number", order=request.order_ref),
        hint=Text("look at the order in the shop's back office before doing anything"),
        code="shipped_elsewhere",
    )


def _not_shipped(request: ShipRequest) -> Refused:
    return Refused(
        Text("order {order}: it has not left, so there is no number to correct", order=request.order_ref),
        code="not_shippable",
    )


def result(request: ShipRequest, state: str = "shipped") -> Result:
    """Give the same result whether we heard it from the platform or found it there afterwards."""
    return {"state": state, "number": request.number, "dispatch": None}
