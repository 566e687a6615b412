"""Telling Shopify that an order left, once.

Nothing here trusts memory: the order's fulfilments are read first, what already left with our number is taken off,
and only the rest is told, one call per location. So a repetition after half a success tells just the other half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from orderctl.model.couriers import courier_name
from orderctl.model.errors import OutcomeUnknown, Refused, Temporary
from orderctl.model.text import Text
from orderctl.ports.http import unreadable
from orderctl.ports.platforms.couriers import load_couriers
from orderctl.ports.platforms.port import ShipRequest
from orderctl.ports.platforms.shopify import queries
from orderctl.ports.platforms.shopify.gateway import Gateway, gid, number_of
from orderctl.ports.platforms.shopify.meaning import field_path
from orderctl.ports.platforms.shopify.shapes import (
    Amended,
    Created,
    FulfilmentOrder,
    Items,
    PageInfo,
    Payload,
    Place,
    Shipped,
    ShippedItem,
    ShippedLines,
    ToShip,
    ToShipLines,
)

SHIPPABLE = frozenset({"OPEN", "IN_PROGRESS"})
OURS = frozenset({"UNSUBMITTED", "REJECTED", "CANCELLATION_ACCEPTED", "CLOSED", ""})
WITHDRAWN = frozenset({"CANCELLED", "ERROR", "FAILURE"})


@dataclass
class Done:
    """What already left of an order: quantities by line under our number, and whether other numbers exist."""

    cancelled: bool
    ids: list[str] = field(default_factory=list)
    quantities: dict[str, int] = field(default_factory=dict)
    others: bool = False


def read_done(gateway: Gateway, request: ShipRequest) -> Done:
    """Read what already left of the order."""
    order = gateway.call("Shipped", queries.SHIPPED, Shipped, id=gid("Order", request.order_ref)).order
    if order is None:
        raise Refused(
            Text("order {order}: the platform knows no such order", order=request.order_ref),
            code="order_not_found",
        )
    done = Done(cancelled=order.cancelled_at is not None)
    for fulfilment in order.fulfillments:
        if fulfilment.status in WITHDRAWN:
            continue
        if request.number not in [tracking.number for tracking in fulfilment.tracking_info]:
            done.others = True
            continue
        done.ids.append(fulfilment.id)
        for item in _shipped_items(gateway, fulfilment.id):
            line = number_of(item.line_item.id)
            done.quantities[line] = done.quantities.get(line, 0) + (item.quantity or 0)
    return done


def _shipped_items(gateway: Gateway, fulfilment: str) -> list[ShippedItem]:
    items: list[ShippedItem] = []
    page = PageInfo(has_next_page=True)
    while page.has_next_page:
        found = gateway.call(
            "ShippedLines", queries.SHIPPED_LINES, ShippedLines, id=fulfilment, after=page.end_cursor
        ).fulfillment
        if found is None:
            break
        items += found.fulfillment_line_items.nodes
        page = found.fulfillment_line_items.page_info
    return items


def still_to_tell(request: ShipRequest, done: Done) -> dict[str, int]:
    """Give the quantities by line that the platform does not know yet. Pure."""
    rest = {number_of(line.line_ref): line.quantity for line in request.lines}
    left = {line: quantity - done.quantities.get(line, 0) for line, quantity in rest.items()}
    return {line: quantity for line, quantity in left.items() if quantity > 0}


def lookup(gateway: Gateway, request: ShipRequest) -> dict[str, str | None] | None:
    """Tell whether all lines of the request left with its number."""
    done = read_done(gateway, request)
    return _result(request, done.ids) if done.ids and not still_to_tell(request, done) else None


def send_shipment(gateway: Gateway, request: ShipRequest) -> dict[str, str | None]:
    """Tell the platform, with the numbers of all parcels; see `Platform.ship`."""
    if not all(number_of(line.line_ref).isdigit() for line in request.lines):
        raise Refused(
            Text(
                "order {order}: its lines are those of a file, which the platform does not know",
                order=request.order_ref,
            ),
            hint=Text("give it the number in the shop's back office, or fetch the order anew"),
            code="lines_of_file",
        )
    done = read_done(gateway, request)
    left = still_to_tell(request, done)
    if done.ids and not left:
        return _result(request, done.ids)
    plan = plan_fulfilments(left, _fulfilment_orders(gateway, request), request, done)
    ids = list(done.ids)
    for entries in plan.values():
        try:
            ids.append(_create(gateway, request, entries))
        except Refused as refusal:
            if not ids:
                raise
            raise OutcomeUnknown(
                Text("order {order}: only part of it could be reported as shipped", order=request.order_ref),
                hint=Text("look at the order in the shop's back office before doing anything"),
                code="partly_shipped",
            ) from refusal
    return _result(request, ids)


def plan_fulfilments(
    left: Mapping[str, int], orders: Sequence[FulfilmentOrder], request: ShipRequest, done: Done
) -> dict[str, list[dict[str, Any]]]:
    """Divide quantities by line among fulfilment orders: location to the entries of one call. Pure.

    Raises: Refused or Temporary that says why something cannot be shipped.
    """
    plan: dict[str, list[dict[str, Any]]] = {}
    lacking = dict(left)
    for order in orders:
        items = []
        for item in order.line_items.nodes if _usable(order) else ():
            line = number_of(item.line_item.id)
            quantity = min(lacking.get(line, 0), item.remaining_quantity)
            if quantity > 0:
                lacking[line] -= quantity
                items.append({"id": item.id, "quantity": quantity})
        if items:
            place = order.assigned_location or Place()
            location = place.location.id if place.location else place.name or ""
            entry = {"fulfillmentOrderId": order.id, "fulfillmentOrderLineItems": items}
            plan.setdefault(location, []).append(entry)
    if any(lacking.values()) or not plan:
        raise _why_not({line for line, quantity in lacking.items() if quantity}, orders, request, done)
    return plan


def _usable(order: FulfilmentOrder) -> bool:
    method = order.delivery_method.method_type if order.delivery_method else None
    return (
        order.status in SHIPPABLE
        and (order.request_status or "") in OURS
        and method in (None, "SHIPPING")
        and "CREATE_FULFILLMENT" in {action.action for action in order.supported_actions}
    )


def _why_not(
    lines: set[str], orders: Sequence[FulfilmentOrder], request: ShipRequest, done: Done
) -> Refused | Temporary:
    ref = request.order_ref
    if done.cancelled:
        return Refused(Text("order {order}: it was cancelled", order=ref), code="not_shippable")
    if not orders:
        return Temporary(
            Text("order {order}: the platform has not prepared it for shipping yet", order=ref),
            code="not_ready",
        )
    concerned = {
        order.status
        for order in orders
        for item in order.line_items.nodes
        if number_of(item.line_item.id) in lines and item.remaining_quantity
    }
    if "ON_HOLD" in concerned:
        return Refused(Text("order {order}: it is on hold at the platform", order=ref), code="held")
    if "SCHEDULED" in concerned:
        return Refused(
            Text("order {order}: it is scheduled for later at the platform", order=ref), code="held"
        )
    if done.others:
        return Refused(
            Text("order {order}: it was already shipped with another number", order=ref),
            hint=Text("look at the order in the shop's back office before doing anything"),
            code="shipped_elsewhere",
        )
    if concerned:
        return Refused(
            Text("order {order}: somebody else ships it, or the app may not", order=ref),
            code="not_shippable",
        )
    return Refused(Text("order {order}: nothing of it is left to ship", order=ref), code="not_shippable")


def _fulfilment_orders(gateway: Gateway, request: ShipRequest) -> list[FulfilmentOrder]:
    orders: list[FulfilmentOrder] = []
    page = PageInfo(has_next_page=True)
    while page.has_next_page:
        found = gateway.call(
            "ToShip", queries.TO_SHIP, ToShip, id=gid("Order", request.order_ref), after=page.end_cursor
        ).order
        if found is None:
            break
        orders += found.fulfillment_orders.nodes
        page = found.fulfillment_orders.page_info
    for order in orders:
        while order.line_items.page_info.has_next_page:
            more = gateway.call(
                "ToShipLines",
                queries.TO_SHIP_LINES,
                ToShipLines,
                id=order.id,
                after=order.line_items.page_info.end_cursor,
            ).fulfillment_order
            if more is None:
                break
            order.line_items = Items(
                order.line_items.nodes + more.line_items.nodes, more.line_items.page_info
            )
    return orders


def _tracking(gateway: Gateway, request: ShipRequest) -> dict[str, Any]:
    """Give numbers, courier and address for the buyer; an unknown courier goes by its English name."""
    company = gateway.shop.settings.get(f"courier.{request.courier}")
    company = company or load_couriers("shopify").get(request.courier)
    tracking: dict[str, Any] = {"company": company or courier_name(request.courier, "en")}
    if request.more:
        return tracking | {"numbers": list(request.numbers)}
    url = {"url": request.tracking_url} if request.tracking_url else {}
    return tracking | {"number": request.number} | url


def _create(gateway: Gateway, request: ShipRequest, entries: list[dict[str, Any]]) -> str:
    settings = gateway.shop.settings
    found = gateway.call(
        "Ship",
        queries.SHIP,
        Created,
        changes=True,
        fulfillment={
            "notifyCustomer": settings.get("notify_customer") == "true",
            "trackingInfo": _tracking(gateway, request),
            "lineItemsByFulfillmentOrder": entries,
        },
    ).fulfillment_create
    return _accepted(found, request, "Ship")


def _accepted(found: Payload, request: ShipRequest, operation: str) -> str:
    """Give the id of the dispatch a mutation made or changed. Raises: Refused, OutcomeUnknown."""
    if found.user_errors:
        named = ", ".join(sorted({field_path(error.field) for error in found.user_errors} - {""})) or "?"
        raise Refused(
            Text(
                "order {order}: the platform refuses the shipment ({fields})",
                order=request.order_ref,
                fields=named,
            ),
            code="bad_number" if "tracking" in named.lower() else "user_errors",
        )
    if found.fulfillment is None:
        raise unreadable(f"shopify {operation}")
    return found.fulfillment.id


def correct(gateway: Gateway, request: ShipRequest, before: str) -> dict[str, str | None]:
    """Replace a number on every dispatch that bears it; see `Platform.amend`."""
    wrong = read_done(gateway, replace(request, number=before))
    for fulfilment in wrong.ids:
        found = gateway.call(
            "Amend",
            queries.AMEND,
            Amended,
            changes=True,
            fulfillment=fulfilment,
            tracking=_tracking(gateway, request),
            notify=gateway.shop.settings.get("notify_customer") == "true",
        )
        _accepted(found.fulfillment_tracking_info_update, request, "Amend")
    done = wrong.ids or read_done(gateway, request).ids
    if not done:
        raise Refused(
            Text("order {order}: no dispatch bears the number to be corrected", order=request.order_ref),
            code="shipped_elsewhere" if wrong.others else "not_shippable",
        )
    return _result(request, done, "corrected")


def lookup_correction(gateway: Gateway, request: ShipRequest, before: str) -> dict[str, str | None] | None:
    """Tell whether the number was replaced everywhere."""
    if read_done(gateway, replace(request, number=before)).ids:
        return None
    done = read_done(gateway, request)
    return _result(request, done.ids, "corrected") if done.ids else None


def _result(request: ShipRequest, ids: list[str], state: str = "shipped") -> dict[str, str | None]:
    """Give the same result whether we heard it from the platform or found it there afterwards."""
    dispatch = ",".join(sorted(number_of(i) for i in ids))
    return {"state": state, "number": request.number, "dispatch": dispatch}
