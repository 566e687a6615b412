"""Telling Amazon that an order left, once, and correcting the number afterwards.

A package has a number of our own inside its order, computed from its tracking number: telling the same package again
edits it, so a repetition after half a success, or after silence, changes nothing. Both versions of the Orders API
ship by the same call, which belongs to v0 and stays.

Amazon refuses with few codes, so after a refusal the order is read to say why; an order that already left with our
number is success.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from orderctl.model.couriers import courier_name
from orderctl.model.errors import OutcomeUnknown, Refused
from orderctl.model.text import Text
from orderctl.ports.platforms.amazon.gateway import Gateway, Operation
from orderctl.ports.platforms.amazon.marketplaces import MARKETPLACES
from orderctl.ports.platforms.amazon.meaning import NO_PACKAGE
from orderctl.ports.platforms.amazon.orders import ORDER, V0_ITEMS, V0_ORDER
from orderctl.ports.platforms.couriers import load_couriers
from orderctl.ports.platforms.port import ShipRequest, Shop, shift

CONFIRM = Operation("confirmShipment", "POST", "/orders/v0/orders/{orderId}/shipmentConfirmation", 2, 10)
OTHER = "Other"
SHIPPED_BEFORE_S = 60  # the ship date may not lie in the future, and our clock may run ahead
NOT_OURS = {"AMAZON_EASY_SHIP", "FBM_SHIP_PLUS", "IN_STORE_PICK_UP"}
CLOSED = {"CANCELLED", "UNFULFILLABLE", "CANCELED"}
UNPAID = {"PENDING", "PENDING_AVAILABILITY", "PENDINGAVAILABILITY"}
WITHDRAWN = "CANCELLED"


@dataclass(frozen=True)
class Parcel:
    """One package: our number for it inside the order, its tracking number, and pieces by line."""

    reference: str
    number: str
    items: Mapping[str, int]


@dataclass(frozen=True)
class State:
    """How an order stands at Amazon; `parcels` is None where the version of the API does not show them."""

    marketplace: str
    status: str
    by_amazon: bool
    left: Mapping[str, int]
    parcels: Sequence[Parcel] | None = None
    programs: frozenset[str] = field(default_factory=frozenset)


def reference_of(number: str) -> str:
    """Give the package's number inside its order: a positive whole number as text, always the same for `number`."""
    return str(int(sha256(number.encode()).hexdigest()[:12], 16) % 999_999_999 + 1)


def plan_parcels(request: ShipRequest) -> list[Parcel]:
    """Divide what left among the numbers of the request. Pure.

    Which pieces lie in which parcel is not said, and Amazon counts no piece twice: they are dealt out evenly, and
    numbers beyond the number of pieces are left untold.
    """
    numbers = list(dict.fromkeys(request.numbers))
    pieces = [line.line_ref for line in request.lines for _ in range(line.quantity)]
    count = max(1, min(len(numbers), len(pieces)))
    parcels = []
    for at, number in enumerate(numbers[:count]):
        items: dict[str, int] = {}
        for ref in pieces[at * len(pieces) // count : (at + 1) * len(pieces) // count]:
            items[ref] = items.get(ref, 0) + 1
        parcels.append(Parcel(reference_of(number), number, items))
    return parcels


def carrier(shop: Shop, courier: str, marketplace: str) -> dict[str, str]:
    """Give carrier code, name and method for a courier of ours in a marketplace.

    Settings, for all marketplaces or for one: `courier.CODE[.COUNTRY]` (Amazon's code, or `Other:Name`) and
    `method.CODE[.COUNTRY]`. A courier without a code is told as `Other`, with its name.
    """
    place = MARKETPLACES.get(marketplace)
    country = place.country if place else marketplace

    def setting(kind: str) -> str | None:
        settings = shop.settings
        return settings.get(f"{kind}.{courier}.{country}") or settings.get(f"{kind}.{courier}")

    code = setting("courier") or load_couriers(shop.platform).get(courier) or OTHER
    code, _, name = code.partition(":")
    found = {"carrierCode": code.strip()}
    if found["carrierCode"] == OTHER:
        found["carrierName"] = name.strip() or courier_name(courier, "en")
    method = setting("method")
    return found | ({"shippingMethod": method} if method else {})


def plan_body(shop: Shop, parcel: Parcel, courier: str, marketplace: str, shipped_at: str) -> dict[str, Any]:
    """Give the body of the call. Pure."""
    detail: dict[str, Any] = {
        "packageReferenceId": parcel.reference,
        **carrier(shop, courier, marketplace),
        "trackingNumber": parcel.number,
        "shipDate": shipped_at,
        "orderItems": [{"orderItemId": ref, "quantity": n} for ref, n in parcel.items.items()],
    }
    source = shop.settings.get("supply_source")
    if source:
        detail["shipFromSupplySourceId"] = source
    return {"marketplaceId": marketplace, "packageDetail": detail}


def send_shipment(gateway: Gateway, request: ShipRequest) -> dict[str, str | None]:
    """Tell the platform; see `Platform.ship`."""
    parcels = plan_parcels(request)
    marketplace = gateway.places[0].id
    if len(gateway.places) > 1:
        state = read_state(gateway, request.order_ref)
        if was_told(request, state):
            return _result(request, parcels)
        marketplace = state.marketplace or marketplace
    for at, parcel in enumerate(parcels):
        try:
            _confirm(gateway, request, parcel, marketplace)
        except Refused as refusal:
            state = read_state(gateway, request.order_ref)
            if was_told(request, state):
                return _result(request, parcels)
            if at:
                raise OutcomeUnknown(
                    Text(
                        "order {order}: only part of it could be reported as shipped", order=request.order_ref
                    ),
                    hint=Text("look at the order in the shop's back office before doing anything"),
                    code="partly_shipped",
                ) from refusal
            raise why_not(refusal, request, state) from refusal
    return _result(request, parcels)


def lookup(gateway: Gateway, request: ShipRequest) -> dict[str, str | None] | None:
    """Tell whether all of the request is known to have left."""
    told = was_told(request, read_state(gateway, request.order_ref))
    return _result(request, plan_parcels(request)) if told else None


def amend(gateway: Gateway, request: ShipRequest, before: str) -> dict[str, str | None]:
    """Correct a number; see `Platform.amend`."""
    state = read_state(gateway, request.order_ref)
    if state.parcels:
        mine = [parcel for parcel in state.parcels if parcel.number == before]
        if not mine:
            found = _corrected(request, state)
            if found is None:
                raise _no_such_number(request)
            return found
        parcel = Parcel(mine[0].reference, request.number, mine[0].items)
    elif request.more:
        # nothing shows which pieces lie in which parcel, and a wrong guess would move them
        raise Refused(
            Text(
                "order {order}: Amazon does not show its parcels, so none can be corrected",
                order=request.order_ref,
            ),
            code="no_amend",
        )
    else:
        parcel = Parcel(reference_of(before), request.number, plan_parcels(request)[0].items)
    try:
        _confirm(gateway, request, parcel, state.marketplace or gateway.places[0].id)
    except Refused as refusal:
        raise why_not(refusal, request, state, correcting=True) from refusal
    return _result(request, [parcel], "corrected")


def lookup_amend(gateway: Gateway, request: ShipRequest, before: str) -> dict[str, str | None] | None:
    """Tell whether the corrected number stands and the one before is gone."""
    state = read_state(gateway, request.order_ref)
    if any(parcel.number == before for parcel in state.parcels or ()):
        return None
    return _corrected(request, state)


def _corrected(request: ShipRequest, state: State) -> dict[str, str | None] | None:
    found = [parcel for parcel in state.parcels or () if parcel.number == request.number]
    return _result(request, found[:1], "corrected") if found else None


def _no_such_number(request: ShipRequest) -> Refused:
    return Refused(
        Text("order {order}: no dispatch bears the number to be corrected", order=request.order_ref),
        code="shipped_elsewhere",
    )


def was_told(request: ShipRequest, state: State) -> bool:
    """Tell whether Amazon knows of all parcels of the request. Pure.

    Version v0 shows how many pieces left, not with which number: then it counts that so many have left.
    """
    if state.parcels is None:
        return all(
            state.left.get(line.line_ref, line.of) <= line.of - line.quantity for line in request.lines
        )
    known: dict[tuple[str, str], int] = {}
    for parcel in state.parcels:
        for ref, count in parcel.items.items():
            known[parcel.number, ref] = known.get((parcel.number, ref), 0) + count
    wanted = [(parcel.number, ref, n) for parcel in plan_parcels(request) for ref, n in parcel.items.items()]
    return bool(wanted) and all(known.get((number, ref), 0) >= n for number, ref, n in wanted)


def why_not(refusal: Refused, request: ShipRequest, state: State, *, correcting: bool = False) -> Refused:
    """Say why a shipment was refused, as far as the order's state tells. Pure."""
    ref = request.order_ref
    if state.status in CLOSED:
        return Refused(Text("order {order}: it was cancelled", order=ref), code="not_shippable")
    if state.by_amazon or state.programs & NOT_OURS:
        return Refused(
            Text("order {order}: Amazon ships it, or confirms it with the label it sells", order=ref),
            code="not_shippable",
        )
    if state.status in UNPAID:
        return Refused(
            Text("order {order}: it is still pending at the platform", order=ref), code="not_shippable"
        )
    short = any(state.left.get(line.line_ref, 0) < line.quantity for line in request.lines)
    if short and not correcting:
        return Refused(
            Text("order {order}: it was already shipped with another number", order=ref),
            hint=Text("look at the order in the shop's back office before doing anything"),
            code="shipped_elsewhere",
        )
    if correcting and refusal.code == NO_PACKAGE:
        return _no_such_number(request)
    return refusal


def read_state(gateway: Gateway, ref: str) -> State:
    """Read how an order stands, without anything personal. Raises: Refused (`order_not_found`) and what calls raise."""
    try:
        return _state_v0(gateway, ref) if gateway.version == "v0" else _state(gateway, ref)
    except Refused as refusal:
        if refusal.code != "not_found":
            raise
        raise Refused(
            Text("order {order}: the platform knows no such order", order=ref), code="order_not_found"
        ) from None


def _state(gateway: Gateway, ref: str) -> State:
    query = {"includedData": "FULFILLMENT,PACKAGES"}
    answer = gateway.call(ORDER, order=ref, query=query)
    order = _part(answer, "order") or answer
    how = _part(order, "fulfillment")
    left = {
        str(item.get("orderItemId")): _count(_part(item, "fulfillment").get("quantityUnfulfilled"))
        for item in _rows(order, "orderItems")
    }
    parcels = [
        Parcel(
            str(parcel.get("packageReferenceId")),
            str(parcel.get("trackingNumber") or ""),
            {str(i.get("orderItemId")): _count(i.get("quantity")) for i in _rows(parcel, "packageItems")},
        )
        for parcel in _rows(order, "packages")
        if _part(parcel, "packageStatus").get("status") != WITHDRAWN
    ]
    programs = order.get("programs")
    return State(
        marketplace=str(_part(order, "salesChannel").get("marketplaceId") or ""),
        status=str(how.get("fulfillmentStatus") or ""),
        by_amazon=how.get("fulfilledBy") == "AMAZON",
        left=left,
        parcels=parcels,
        programs=frozenset(map(str, programs)) if isinstance(programs, list) else frozenset(),
    )


def _state_v0(gateway: Gateway, ref: str) -> State:
    order = _part(gateway.call(V0_ORDER, order=ref), "payload")
    left: dict[str, int] = {}
    token = ""
    while True:
        query = {"NextToken": token} if token else {}
        found = _part(gateway.call(V0_ITEMS, order=ref, query=query), "payload")
        for item in _rows(found, "OrderItems"):
            rest = _count(item.get("QuantityOrdered")) - _count(item.get("QuantityShipped"))
            left[str(item.get("OrderItemId"))] = max(0, rest)
        before, token = token, str(found.get("NextToken") or "")
        if not token or token == before:
            break
    return State(
        marketplace=str(order.get("MarketplaceId") or ""),
        status=str(order.get("OrderStatus") or "").upper(),
        by_amazon=order.get("FulfillmentChannel") == "AFN",
        left=left,
        programs=frozenset(
            name
            for name, flag in {
                "AMAZON_EASY_SHIP": "EasyShipShipmentStatus",
                "IN_STORE_PICK_UP": "IsISPU",
            }.items()
            if order.get(flag)
        ),
    )


def _confirm(gateway: Gateway, request: ShipRequest, parcel: Parcel, marketplace: str) -> None:
    at = shift(gateway.http.instant(), -SHIPPED_BEFORE_S)
    body = plan_body(gateway.shop, parcel, request.courier, marketplace, at)
    gateway.call(CONFIRM, order=request.order_ref, body=body, changes=True)


def _result(request: ShipRequest, parcels: Sequence[Parcel], state: str = "shipped") -> dict[str, str | None]:
    """Give the same result whether we heard it from the platform or found it there afterwards."""
    dispatch = ",".join(parcel.reference for parcel in parcels)
    found: dict[str, str | None] = {"state": state, "number": request.number, "dispatch": dispatch}
    told = {parcel.number for parcel in parcels}
    untold = ",".join(number for number in request.more if number not in told)
    return found | ({"untold": untold} if untold and state == "shipped" else {})


def _part(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def _rows(found: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = found.get(name)
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _count(value: object) -> int:
    return int(str(value)) if str(value).isdecimal() else 0
