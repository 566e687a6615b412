"""Telling Douyin that an order left, once, and correcting the number.

Nothing here trusts memory: the order is read first, what already left with our numbers is taken off, and only the
rest is told. So telling again after silence, or after the half, is harmless; and the call that lists parcels carries
an id of its own, under which the platform takes it once.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from orderctl.model.errors import Refused, Temporary
from orderctl.model.identity import digest
from orderctl.model.text import Text
from orderctl.ports.platforms.couriers import courier_code
from orderctl.ports.platforms.douyin.gateway import Gateway
from orderctl.ports.platforms.douyin.orders import read_order
from orderctl.ports.platforms.douyin.packs import Left, read_left
from orderctl.ports.platforms.port import ShipRequest

WHOLE = "order.logisticsAdd"
PARCELS = "order.logisticsAddMultiPack"
EDIT = "order.logisticsEdit"
EDIT_PARCEL = "order.logisticsEditByPack"
ADDRESSES = ("address_id", "after_sale_address_id", "store_id")
LOOK = Text("look at the order in the shop's back office before doing anything")

Result = dict[str, str | None]


def send_shipment(gateway: Gateway, request: ShipRequest) -> Result:
    """Tell the platform; see `Platform.ship`."""
    company = courier_code(gateway.shop, request.courier)
    left = _read(gateway, request)
    known = {pack.number for pack in left.packs}
    rest = still_to_tell(request, left)
    if not rest:
        return _result(request, known)
    method, params = plan_send(request, left, rest, company)
    if method == WHOLE:
        params |= {name: gateway.shop.settings[name] for name in ADDRESSES if gateway.shop.settings.get(name)}
    try:
        gateway.call(method, params, changes=True)
    except Refused as refusal:
        if refusal.code != "already_shipped":
            raise
        left = _read(gateway, request)
        if still_to_tell(request, left):
            raise (_elsewhere(request) if left.packs else _unsettled(request)) from None
        return _result(request, {pack.number for pack in left.packs})
    sent = {pack["logistics_code"] for pack in params.get("pack_list", [params])}
    return _result(request, known | sent)


def lookup(gateway: Gateway, request: ShipRequest) -> Result | None:
    """Read the order as it stands: all of the request in our parcels is success, else None.

    Raises: Refused (`shipped_elsewhere`) if too much of it left with another number.
    """
    left = _read(gateway, request)
    if still_to_tell(request, left):
        return None
    return _result(request, {pack.number for pack in left.packs})


def _read(gateway: Gateway, request: ShipRequest) -> Left:
    order = read_order(gateway, request.order_ref)
    if order is None:
        raise Refused(
            Text("order {order}: the platform knows no such order", order=request.order_ref),
            code="order_not_found",
        )
    return read_left(order)


def still_to_tell(request: ShipRequest, left: Left) -> dict[str, int]:
    """Give the quantities by line of the request that are in none of its parcels yet. Pure.

    Raises: Refused if other parcels leave no room for them.
    """
    ours = left.sent(request.numbers, ours=True)
    others = left.sent(request.numbers, ours=False)
    rest: dict[str, int] = {}
    for line in request.lines:
        if line.line_ref not in left.ordered:
            raise Refused(
                Text("order {order}: it has no line {line}", order=request.order_ref, line=line.line_ref),
                code="order_not_found",
            )
        missing = line.quantity - ours[line.line_ref]
        if missing <= 0:
            continue
        if others[line.line_ref] and missing > left.ordered[line.line_ref] - others[line.line_ref]:
            raise _elsewhere(request)
        rest[line.line_ref] = missing
    return rest


def plan_send(
    request: ShipRequest, left: Left, rest: Mapping[str, int], company: str
) -> tuple[str, dict[str, Any]]:
    """Choose the call and its parameters. Pure.

    One parcel with all that is open goes with the simple call, anything else with the one that lists parcels.
    """
    if left.status == "105":
        raise Refused(
            Text("order {order}: the platform has not released it yet", order=request.order_ref), code="held"
        )
    everything = request.whole and all(rest.get(line, 0) >= n for line, n in left.open.items())
    if everything and not left.packs and not request.more:
        return WHOLE, {
            "order_id": request.order_ref,
            "company_code": company,
            "logistics_code": request.number,
        }
    told = {pack.number for pack in left.packs}
    numbers = [number for number in request.numbers if number not in told] or [request.number]
    packs = [
        {
            "shipped_order_info": [
                {"shipped_order_id": line, "shipped_num": quantity} for line, quantity in inside.items()
            ],
            "logistics_code": number,
            "company_code": company,
        }
        for number, inside in divide(rest, numbers).items()
    ]
    return PARCELS, {
        "order_id": request.order_ref,
        "request_id": digest(request.order_ref, company, *request.numbers, *sorted(rest.items()))[:32],
        "pack_list": packs,
    }


def divide(rest: Mapping[str, int], numbers: list[str]) -> dict[str, dict[str, int]]:
    """Divide the pieces of a dispatch among its parcels. Pure.

    The platform wants to know what is in each parcel, we know only that there are several: each further parcel is
    said to hold one piece, from the last line backwards, and the first all others. Parcels beyond the number of
    pieces cannot be told.
    """
    pieces = [line for line, quantity in rest.items() for _ in range(quantity)]
    first = max(1, len(pieces) - len(numbers) + 1)
    shares = [pieces[:first], *([piece] for piece in pieces[first:])]
    return {
        number: {line: share.count(line) for line in dict.fromkeys(share)}
        for number, share in zip(numbers, shares, strict=False)
    }


def correct(gateway: Gateway, request: ShipRequest, before: str) -> Result:
    """Replace the number `before` by the request's; see `Platform.amend`."""
    company = courier_code(gateway.shop, request.courier)
    left = _read(gateway, request)
    wrong = [pack for pack in left.packs if pack.number == before]
    if not wrong:
        if any(pack.number == request.number for pack in left.packs):
            return _corrected(request)
        raise _elsewhere(request) if left.packs else _nothing(request)
    for pack in wrong:
        params = {
            "order_id": request.order_ref,
            "company_code": company,
            "logistics_code": request.number,
        }
        if len(left.packs) > 1:
            gateway.call(EDIT_PARCEL, params | {"pack_id": pack.pack_id}, changes=True)
        else:
            gateway.call(EDIT, params, changes=True)
    return _corrected(request)


def lookup_correction(gateway: Gateway, request: ShipRequest, before: str) -> Result | None:
    """Tell whether the corrected number stands at the platform and the one before stands no more."""
    numbers = {pack.number for pack in _read(gateway, request).packs}
    return _corrected(request) if request.number in numbers and before not in numbers else None


def _elsewhere(request: ShipRequest) -> Refused:
    return Refused(
        Text("order {order}: it was already shipped with another number", order=request.order_ref),
        hint=LOOK,
        code="shipped_elsewhere",
    )


def _unsettled(request: ShipRequest) -> Temporary:
    return Temporary(
        Text("order {order}: the platform does not show yet how it was shipped", order=request.order_ref),
        code="unsettled",
    )


def _nothing(request: ShipRequest) -> Refused:
    return Refused(
        Text("order {order}: nothing of it was shipped yet", order=request.order_ref), code="not_shippable"
    )


def _result(request: ShipRequest, known: Set[str]) -> Result:
    """Give the same result whether we heard it from the platform or found it there: `known` are the order's numbers.

    A number of ours that is not among them had no piece to go with.
    """
    result: Result = {"state": "shipped", "number": request.number, "dispatch": None}
    untold = [number for number in request.numbers if number not in known]
    return result | {"untold": ",".join(untold)} if untold else result


def _corrected(request: ShipRequest) -> Result:
    return {"state": "corrected", "number": request.number, "dispatch": None}
