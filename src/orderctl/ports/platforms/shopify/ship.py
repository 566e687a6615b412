"""Telling Shopify that an order left, once.

Nothing here trusts memory: the order's fulfilments are read first, what already left with our number is taken off,
and only the rest is told, one call per location. So a repetition after half a success tells just the other half.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from orderctl.model.couriers import courier_name
from orderctl.model.errors import OutcomeUnknown, Refused, Temporary
from orderctl.model.text import Text
from orderctl.ports.platforms.port import ShipRequest
from orderctl.ports.platforms.shopify import queries
from orderctl.ports.platforms.shopify.gateway import Gateway, gid, number_of
from orderctl.ports.platforms.shopify.meaning import field_path

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


def load_couriers() -> dict[str, str]:
    """Give the table from our courier codes to the names the platform links."""
    table: dict[str, str] = json.loads(files(__package__).joinpath("couriers.json").read_text("utf-8"))
    return table


def read_done(gateway: Gateway, request: ShipRequest) -> Done:
    """Read what already left of the order."""
    order = gateway.call("Shipped", queries.SHIPPED, id=gid("Order", request.order_ref))["order"]
    if not order:
        raise Refused(
            Text("order {order}: the platform knows no such order", order=request.order_ref),
            code="order_not_found",
        )
    done = Done(cancelled=bool(order.get("cancelledAt")))
    for fulfilment in order.get("fulfillments") or []:
        if fulfilment.get("status") in WITHDRAWN:
            continue
        if request.number not in [t.get("number") for t in fulfilment.get("trackingInfo") or []]:
            done.others = True
            continue
        done.ids.append(str(fulfilment["id"]))
        for item in _nodes(
            gateway, "ShippedLines", queries.SHIPPED_LINES, fulfilment["id"], "fulfillmentLineItems"
        ):
            line = number_of(item["lineItem"]["id"])
            done.quantities[line] = done.quantities.get(line, 0) + int(item["quantity"])
    return done


def still_to_tell(request: ShipRequest, done: Done) -> dict[str, int]:
    """Give the quantities by line that the platform does not know yet. Pure."""
    rest = {number_of(line.line_ref): line.quantity for line in request.lines}
    left = {line: quantity - done.quantities.get(line, 0) for line, quantity in rest.items()}
    return {line: quantity for line, quantity in left.items() if quantity > 0}


def lookup(gateway: Gateway, request: ShipRequest) -> dict[str, str | None] | None:
    """Tell whether all lines of the request left with its number."""
    done = read_done(gateway, request)
    return _result(request, done.ids) if done.ids and not still_to_tell(request, done) else None


def send_shipment(gateway: Gateway, request: ShipRequest, table: Mapping[str, str]) -> dict[str, str | None]:
    """Tell the platform; see `Platform.ship`."""
    done = read_done(gateway, request)
    left = still_to_tell(request, done)
    if done.ids and not left:
        return _result(request, done.ids)
    plan = plan_fulfilments(left, _fulfilment_orders(gateway, request), request, done)
    ids = list(done.ids)
    for entries in plan.values():
        try:
            ids.append(_create(gateway, request, entries, table))
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
    left: Mapping[str, int], orders: list[dict[str, Any]], request: ShipRequest, done: Done
) -> dict[str, list[dict[str, Any]]]:
    """Divide quantities by line among fulfilment orders: location to the entries of one call. Pure.

    Raises: Refused or Temporary that says why something cannot be shipped.
    """
    plan: dict[str, list[dict[str, Any]]] = {}
    open_quantities = dict(left)
    for order in orders:
        if not _usable(order):
            continue
        items = []
        for item in order["lineItems"]["nodes"]:
            line = number_of(item["lineItem"]["id"])
            quantity = min(open_quantities.get(line, 0), int(item["remainingQuantity"]))
            if quantity > 0:
                open_quantities[line] -= quantity
                items.append({"id": item["id"], "quantity": quantity})
        if items:
            place = order.get("assignedLocation") or {}
            key = str((place.get("location") or {}).get("id") or place.get("name"))
            entry = {"fulfillmentOrderId": order["id"], "fulfillmentOrderLineItems": items}
            plan.setdefault(key, []).append(entry)
    if any(open_quantities.values()) or not plan:
        raise _why_not({n for n, q in open_quantities.items() if q}, orders, request, done)
    return plan


def _usable(order: dict[str, Any]) -> bool:
    method = (order.get("deliveryMethod") or {}).get("methodType") or "SHIPPING"
    actions = {a.get("action") for a in order.get("supportedActions") or []}
    return (
        order.get("status") in SHIPPABLE
        and str(order.get("requestStatus") or "") in OURS
        and method == "SHIPPING"
        and "CREATE_FULFILLMENT" in actions
    )


def _why_not(
    lines: set[str], orders: list[dict[str, Any]], request: ShipRequest, done: Done
) -> Refused | Temporary:
    ref = request.order_ref
    if done.cancelled:
        return Refused(Text("order {order}: it was cancelled", order=ref), code="wrong_state")
    if not orders:
        return Temporary(
            Text("order {order}: the platform has not prepared it for shipping yet", order=ref),
            code="not_ready",
        )
    concerned = [
        o
        for o in orders
        if any(
            number_of(i["lineItem"]["id"]) in lines and int(i["remainingQuantity"])
            for i in o["lineItems"]["nodes"]
        )
    ]
    states = {str(o.get("status")) for o in concerned}
    if "ON_HOLD" in states:
        return Refused(Text("order {order}: it is on hold at the platform", order=ref), code="on_hold")
    if "SCHEDULED" in states:
        return Refused(
            Text("order {order}: it is scheduled for later at the platform", order=ref), code="scheduled"
        )
    if concerned:
        return Refused(
            Text("order {order}: somebody else ships it, or the app may not", order=ref),
            code="not_ours_to_ship",
        )
    if done.others:
        return Refused(
            Text("order {order}: it was already shipped with another number", order=ref),
            hint=Text("look at the order in the shop's back office before doing anything"),
            code="shipped_elsewhere",
        )
    return Refused(Text("order {order}: nothing of it is left to ship", order=ref), code="nothing_to_ship")


def _fulfilment_orders(gateway: Gateway, request: ShipRequest) -> list[dict[str, Any]]:
    orders: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        found = gateway.call("ToShip", queries.TO_SHIP, id=gid("Order", request.order_ref), after=after)[
            "order"
        ]
        page = (found or {}).get("fulfillmentOrders") or {"nodes": [], "pageInfo": {}}
        orders += page["nodes"]
        if not page["pageInfo"].get("hasNextPage"):
            break
        after = page["pageInfo"]["endCursor"]
    for order in orders:
        if order["lineItems"]["pageInfo"]["hasNextPage"]:
            order["lineItems"]["nodes"] = _nodes(
                gateway, "ToShipLines", queries.TO_SHIP_LINES, order["id"], "lineItems"
            )
    return orders


def _nodes(gateway: Gateway, operation: str, query: str, ref: str, connection: str) -> list[dict[str, Any]]:
    """Read all nodes of a connection of one thing."""
    nodes: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        data = gateway.call(operation, query, id=ref, after=after)
        page = (next(iter(data.values())) or {}).get(connection) or {"nodes": [], "pageInfo": {}}
        nodes += page["nodes"]
        if not page["pageInfo"].get("hasNextPage"):
            return nodes
        after = page["pageInfo"]["endCursor"]


def _create(
    gateway: Gateway, request: ShipRequest, entries: list[dict[str, Any]], table: Mapping[str, str]
) -> str:
    settings = gateway.shop.settings
    company = settings.get(f"courier.{request.courier}") or table.get(request.courier)
    tracking = {"number": request.number, "company": company or courier_name(request.courier, "en")}
    if request.tracking_url:
        tracking["url"] = request.tracking_url
    found = gateway.call(
        "Ship",
        queries.SHIP,
        changes=True,
        fulfillment={
            "notifyCustomer": settings.get("notify_customer") == "true",
            "trackingInfo": tracking,
            "lineItemsByFulfillmentOrder": entries,
        },
    )["fulfillmentCreate"]
    errors = (found or {}).get("userErrors") or []
    if errors:
        named = ", ".join(sorted({field_path(e.get("field")) for e in errors} - {""})) or "?"
        raise Refused(
            Text(
                "order {order}: the platform refuses the shipment ({fields})",
                order=request.order_ref,
                fields=named,
            ),
            code="user_errors",
        )
    fulfilment = (found or {}).get("fulfillment")
    if not fulfilment:
        raise OutcomeUnknown(
            Text("{operation}: the answer cannot be read", operation="shopify Ship"), code="unreadable"
        )
    return str(fulfilment["id"])


def _result(request: ShipRequest, ids: list[str]) -> dict[str, str | None]:
    """Give the same result whether we heard it from the platform or found it there afterwards."""
    dispatch = ",".join(sorted(number_of(i) for i in ids))
    return {"state": "shipped", "number": request.number, "dispatch": dispatch}
