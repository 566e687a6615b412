"""Telling Taobao that an order left, once.

The platform refuses a second shipping of the same lines, so "already shipped" is looked at: our number means it was
us (success), another number means somebody else was faster (a person must see it).
"""

from __future__ import annotations

from typing import Any

from orderctl.model.errors import Refused
from orderctl.model.text import Text
from orderctl.ports.platforms.couriers import courier_code
from orderctl.ports.platforms.port import ShipRequest
from orderctl.ports.platforms.taobao.gateway import Gateway
from orderctl.ports.platforms.taobao.orders import read_lines

SEND = "taobao.logistics.offline.send"
RESEND = "taobao.logistics.consign.resend"


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


def send_shipment(gateway: Gateway, request: ShipRequest) -> dict[str, str | None]:
    """Tell the platform; see `Platform.ship`. It takes one number: of several parcels the first."""
    params = plan_send(request, courier_code(gateway.shop, request.courier))
    try:
        answer = gateway.call(SEND, params, changes=True)
    except Refused as refusal:
        if refusal.code != "already_shipped":
            raise
        found = lookup(gateway, request)
        if found is None:
            raise
        return found
    _check(answer, SEND)
    return _result(request)


def correct(gateway: Gateway, request: ShipRequest, before: str) -> dict[str, str | None]:
    """Replace a number; see `Platform.amend`. The platform allows it within fifty days."""
    found = lookup_correction(gateway, request, before)
    if found is None:
        params = plan_send(request, courier_code(gateway.shop, request.courier))
        _check(gateway.call(RESEND, params, changes=True), RESEND)
        found = _result(request, "corrected")
    return found


def lookup_correction(gateway: Gateway, request: ShipRequest, before: str) -> dict[str, str | None] | None:
    """Tell whether the lines have the corrected number. Raises: Refused if they have neither."""
    numbers = _numbers(gateway, request)
    if numbers == {request.number}:
        return _result(request, "corrected")
    if numbers - {before, request.number}:
        raise _elsewhere(request)
    return None


def _check(answer: dict[str, Any], operation: str) -> None:
    shipping = answer.get("shipping")
    if not (isinstance(shipping, dict) and shipping.get("is_success") in (True, "true")):
        raise Refused(
            Text("{operation}: refused ({code})", operation=operation, code="is_success"), code="is_success"
        )


def lookup(gateway: Gateway, request: ShipRequest) -> dict[str, str | None] | None:
    """Read the lines as they stand: all ours with our number is success, none shipped is None.

    Raises: Refused (`shipped_elsewhere`) if one of them left with another number.
    """
    numbers = _numbers(gateway, request)
    if numbers == {request.number}:
        return _result(request)
    if numbers - {"", request.number}:
        raise _elsewhere(request)
    return None


def _numbers(gateway: Gateway, request: ShipRequest) -> set[str]:
    """Read the numbers the request's lines left with, "" standing for those that did not."""
    _, lines = read_lines(gateway, request.order_ref)
    wanted = {line.line_ref for line in request.lines}
    return {
        str(line.get("invoice_no") or "")
        for line in lines
        if not wanted or str(line.get("oid_str") or line.get("oid")) in wanted
    }


def _elsewhere(request: ShipRequest) -> Refused:
    return Refused(
        Text("order {order}: it was already shipped with another number", order=request.order_ref),
        hint=Text("look at the order in the shop's back office before doing anything"),
        code="shipped_elsewhere",
    )


def _result(request: ShipRequest, state: str = "shipped") -> dict[str, str | None]:
    """Give the same result whether we heard it from the platform or found it there afterwards."""
    untold = {"untold": ",".join(request.more)} if request.more and state == "shipped" else {}
    return {"state": state, "number": request.number, "dispatch": None, **untold}
