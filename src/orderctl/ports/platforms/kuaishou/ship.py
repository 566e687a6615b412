"""Telling Kuaishou that an order left, once.

The platform's refusals say little, so the order is read first: what left already with our number is not told again,
and what must not leave (refund, hold, state) is refused here, by name. A whole order goes by one call, gifts and parts
of a quantity by another, further parcels are appended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orderctl.model.errors import Refused
from orderctl.model.text import Text
from orderctl.ports.platforms.couriers import courier_code
from orderctl.ports.platforms.kuaishou.gateway import Gateway
from orderctl.ports.platforms.kuaishou.meaning import GONE, OTHER_WAYS, OVER, REFUND_OPEN, WAIT_SHIP, number
from orderctl.ports.platforms.kuaishou.orders import is_waiting, listed_of, oid_of, part, read_order
from orderctl.ports.platforms.port import ShipLine, ShipRequest, Shop

DELIVER = "open.seller.order.goods.deliver"
SPLIT = "open.order.goods.split.deliver"
APPEND = "open.seller.order.goods.logistics.append"
UPDATE = "open.seller.order.logistics.update"

Result = dict[str, str | None]


def send_shipment(gateway: Gateway, request: ShipRequest) -> Result:
    """Tell the platform; see `Platform.ship`."""
    courier = _courier(gateway.shop, request.courier)
    order = read_order(gateway, request.order_ref)
    told = numbers_of(order)
    if request.number not in told:
        check(order, request)
        method, param = plan_send(order, request, courier, gateway.shop)
        try:
            gateway.call(method, param, changes=True)
        except Refused as refusal:
            if refusal.code not in ("not_ours", "not_shippable"):
                raise
            _compare(gateway, request, refusal)
    for further in request.more:
        if further not in told:
            param = {"oid": int(request.order_ref), "expressCode": courier, "expressNo": further}
            gateway.call(APPEND, param, changes=True)
    return _result(request, "shipped")


def _compare(gateway: Gateway, request: ShipRequest, refusal: Refused) -> None:
    """Read a refused order again: fine if it has our number by now. Raises: Refused, by the name of the reason."""
    order = read_order(gateway, request.order_ref)
    if request.number not in numbers_of(order):
        check(order, request)
        raise Refused(refusal.text, code="not_shippable") from None


def plan_send(
    order: Mapping[str, Any], request: ShipRequest, courier: int, shop: Shop
) -> tuple[str, dict[str, object]]:
    """Say which method with which parameters tells the first parcel. Raises: Refused (`partial_line`)."""
    settings = shop.settings
    lines = request.lines
    main = [line for line in lines if line.line_ref == request.order_ref]
    if main and settings.get("gifts", "tell") == "skip":
        lines = tuple(main)
    entire = bool(main) and all(line.quantity >= line.of for line in main) and not _left_before(order)
    if entire and len(lines) == 1:
        param = {"orderId": int(request.order_ref), "expressNo": request.number, "expressCode": courier}
        return DELIVER, param
    whole = all(line.quantity >= line.of for line in lines)
    if not whole and part(order, "orderBaseInfo").get("enableSplitDeliveryOrder") in (False, "false"):
        raise Refused(
            Text("order {order}: this platform ships a line only as a whole", order=request.order_ref),
            code="partial_line",
        )

    def status(line: ShipLine) -> int:
        done = line.quantity >= line.of
        return int(settings.get("split_done") or 1) if done else int(settings.get("split_open") or 0)

    goods = [{"oid": int(line.line_ref), "deliveryNum": line.quantity} for line in lines]
    parcel = {"expressCode": courier, "expressNo": request.number, "deliveryGoodsInfoList": goods}
    return SPLIT, {
        "mainOrderId": int(request.order_ref),
        "deliveryItemInfoList": [parcel],
        "deliveryStatus": [
            {"oid": int(line.line_ref), "confirmDeliveryStatus": status(line)} for line in lines
        ],
    }


def _left_before(order: Mapping[str, Any]) -> bool:
    """Say whether a part of the order's quantity left already."""
    return bool(listed_of(order.get("orderLogisticsInfo")))


def check(order: Mapping[str, Any], request: ShipRequest) -> None:
    """Let pass what may leave. Raises: Refused, by the name of what forbids it."""
    base = part(order, "orderBaseInfo")
    code = None
    if any(_open(refund) for refund in listed_of(order.get("orderRefundList"))) and not _is_over(order):
        code, text = "refunding", Text("order {order}: a refund is open", order=request.order_ref)
    elif (
        listed_of(base.get("disableDeliveryReasonCode"))
        or listed_of(base.get("orderRiskEventInfo"))
        or number(base.get("riskCode") or 0) != 0
    ):
        code, text = "held", Text("order {order}: the platform holds it", order=request.order_ref)
    if code:
        raise Refused(text, code=code)
    states = [_state(order, line.line_ref) for line in request.lines]
    if all(state == WAIT_SHIP for state in states):
        return
    if any(state in GONE for state in states):
        raise _elsewhere(request)
    raise Refused(
        Text("order {order}: it is in a state that cannot be shipped", order=request.order_ref),
        code="not_shippable",
    )


def _open(refund: object) -> bool:
    """Say whether a request for refund is open; a state we do not know counts as open."""
    if not isinstance(refund, dict) or number(refund.get("handlingWay")) in OTHER_WAYS:
        return False
    state = number(refund.get("refundStatus"))
    return state in REFUND_OPEN or state is None


def _is_over(order: Mapping[str, Any]) -> bool:
    return number(part(order, "orderBaseInfo").get("status")) in OVER


def _subs(order: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Give the gifts and parts of an order by their numbers."""
    found = [sub for sub in listed_of(order.get("subOrderInfo")) if isinstance(sub, dict)]
    return {str(part(sub, "subOrderBaseInfo").get("oid")): sub for sub in found}


def _state(order: Mapping[str, Any], line_ref: str) -> int | None:
    """Give the state of the order's goods, or of the gift with a number of its own."""
    sub = _subs(order).get(line_ref)
    base = part(sub, "subOrderBaseInfo") if sub else part(order, "orderBaseInfo")
    return number(base.get("status"))


def parcels_of(order: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Give every parcel the platform knows of, with the number of the order or gift it belongs to."""
    found = [(oid_of(order), parcel) for parcel in listed_of(order.get("orderLogisticsInfo"))]
    for oid, sub in _subs(order).items():
        found += [(oid, parcel) for parcel in listed_of(sub.get("subOrderLogisticsInfo"))]
    return [(oid, parcel) for oid, parcel in found if isinstance(parcel, dict)]


def numbers_of(order: Mapping[str, Any]) -> set[str]:
    """Give the tracking numbers of all parcels the platform knows of."""
    return {str(parcel.get("expressNo") or "") for _, parcel in parcels_of(order)} - {""}


def lookup(gateway: Gateway, request: ShipRequest) -> Result | None:
    """Read the order as it stands: all our numbers there is success, something left to tell is None.

    Raises: Refused (`shipped_elsewhere`) if it left with another number.
    """
    order = read_order(gateway, request.order_ref)
    told = numbers_of(order)
    if told >= set(request.numbers):
        return _result(request, "shipped")
    gone = any(_state(order, line.line_ref) in GONE for line in request.lines)
    if request.number not in told and gone and not is_waiting(order):
        raise _elsewhere(request)
    return None


def correct(gateway: Gateway, request: ShipRequest, before: str) -> Result:
    """Replace a number; see `Platform.amend`."""
    courier = _courier(gateway.shop, request.courier)
    order = read_order(gateway, request.order_ref)
    if request.number not in numbers_of(order):
        owner, parcel = _parcel(order, request, before)
        param: dict[str, object] = {
            "orderId": int(owner),
            "expressCode": courier,
            "expressNo": request.number,
        }
        if parcel.get("logisticsId"):
            param["logisticsId"] = parcel["logisticsId"]
        gateway.call(UPDATE, param, changes=True)
    return _result(request, "corrected")


def lookup_correction(gateway: Gateway, request: ShipRequest, before: str) -> Result | None:
    """Tell whether the order has the corrected number. Raises: Refused if it has neither."""
    order = read_order(gateway, request.order_ref)
    if request.number in numbers_of(order):
        return _result(request, "corrected")
    _parcel(order, request, before)
    return None


def _parcel(order: Mapping[str, Any], request: ShipRequest, before: str) -> tuple[str, Mapping[str, Any]]:
    """Find the parcel with the number `before`. Raises: Refused if there is none."""
    for owner, parcel in parcels_of(order):
        if str(parcel.get("expressNo")) == before:
            return owner, parcel
    if numbers_of(order):
        raise _elsewhere(request)
    raise Refused(
        Text("order {order}: nothing was shipped yet whose number could be corrected", order=oid_of(order)),
        code="not_shippable",
    )


def _courier(shop: Shop, courier: str) -> int:
    """Give the platform's whole number of a courier. Raises: Refused (`courier_unknown`)."""
    found = number(courier_code(shop, courier))
    if found is None:
        raise Refused(
            Text("shop {shop}: the code of courier '{courier}' is no number", shop=shop.id, courier=courier),
            hint=Text("set courier.{courier} for the shop", courier=courier),
            code="courier_unknown",
        )
    return found


def _elsewhere(request: ShipRequest) -> Refused:
    return Refused(
        Text("order {order}: it was already shipped with another number", order=request.order_ref),
        hint=Text("look at the order in the shop's back office before doing anything"),
        code="shipped_elsewhere",
    )


def _result(request: ShipRequest, state: str) -> Result:
    """Give the same result whether we heard it from the platform or found it there afterwards."""
    return {"state": state, "number": request.number, "dispatch": None}
