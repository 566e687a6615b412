"""Telling Taobao that an order left, once.

The platform refuses a second shipping of the same lines, so "already shipped" is looked at: our number means it was
us (success), another number means somebody else was faster (a person must see it).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files

from orderctl.model.errors import Refused
from orderctl.model.text import Text
from orderctl.ports.platforms.port import ShipRequest, Shop
from orderctl.ports.platforms.taobao.gateway import Gateway
from orderctl.ports.platforms.taobao.orders import read_lines

SEND = "taobao.logistics.offline.send"


def load_couriers() -> dict[str, str]:
    """Give the table from our courier codes to the platform's."""
    table: dict[str, str] = json.loads(files(__package__).joinpath("couriers.json").read_text("utf-8"))
    return table


def courier_code(shop: Shop, courier: str, table: Mapping[str, str]) -> str:
    """Give the platform's code of a courier: the shop's own setting `courier.CODE`, else the table's."""
    found = shop.settings.get(f"courier.{courier}") or table.get(courier)
    if not found:
        raise Refused(
            Text(
                "shop {shop}: no code for courier '{courier}' at this platform", shop=shop.id, courier=courier
            ),
            hint=Text("set courier.{courier} for the shop", courier=courier),
            code="courier_unknown",
        )
    return found


def plan_send(request: ShipRequest, code: str) -> dict[str, str]:
    """Give the parameters of the call. Raises: Refused if a line would go in pieces, which it cannot express."""
    params = {"tid": request.order_ref, "out_sid": request.number, "company_code": code}
    if request.whole:
        return params
    if any(line.quantity < line.of for line in request.lines):
        raise Refused(
            Text("order {order}: this platform ships a line only as a whole", order=request.order_ref),
            code="partial_line",
        )
    return params | {"is_split": "1", "sub_tid": ",".join(sorted(line.line_ref for line in request.lines))}


def send_shipment(gateway: Gateway, request: ShipRequest, table: Mapping[str, str]) -> dict[str, str | None]:
    """Tell the platform; see `Platform.ship`."""
    params = plan_send(request, courier_code(gateway.shop, request.courier, table))
    try:
        answer = gateway.call(SEND, params, changes=True)
    except Refused as refusal:
        if refusal.code != "already_shipped":
            raise
        found = lookup(gateway, request)
        if found is None:
            raise
        return found
    shipping = answer.get("shipping")
    if not (isinstance(shipping, dict) and shipping.get("is_success") in (True, "true")):
        raise Refused(
            Text("{operation}: refused ({code})", operation=SEND, code="is_success"), code="is_success"
        )
    return _result(request)


def lookup(gateway: Gateway, request: ShipRequest) -> dict[str, str | None] | None:
    """Read the lines as they stand: all ours with our number is success, none shipped is None.

    Raises: Refused (`shipped_elsewhere`) if one of them left with another number.
    """
    _, lines = read_lines(gateway, request.order_ref)
    wanted = {line.line_ref for line in request.lines}
    numbers = {
        str(line.get("invoice_no") or "")
        for line in lines
        if not wanted or str(line.get("oid_str") or line.get("oid")) in wanted
    }
    if numbers == {request.number}:
        return _result(request)
    if numbers - {"", request.number}:
        raise Refused(
            Text("order {order}: it was already shipped with another number", order=request.order_ref),
            hint=Text("look at the order in the shop's back office before doing anything"),
            code="shipped_elsewhere",
        )
    return None


def _result(request: ShipRequest) -> dict[str, str | None]:
    """Give the same result whether we heard it from the platform or found it there afterwards."""
    return {"state": "shipped", "number": request.number, "dispatch": None}
