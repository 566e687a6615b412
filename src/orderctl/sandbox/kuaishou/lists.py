"""The reading methods of the Kuaishou stand-in.

The one invariant: a cursor belongs to the parameters it was given for; it holds its place by time and number, so what
changes meanwhile moves away and shifts nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any

from orderctl.sandbox.kuaishou.calls import Call
from orderctl.sandbox.kuaishou.envelopes import (
    ENDS_BEFORE_IT_BEGINS,
    NOT_OURS,
    TOO_LONG_AGO,
    WINDOW_TOO_WIDE,
    KsError,
    invalid,
)
from orderctl.sandbox.store import Order

DAY_MS = 86_400_000
WINDOW_MS = 7 * DAY_MS
BACK_MS = 90 * DAY_MS
CREATED_BACK_S = 240 * 86_400
LARGEST_PAGE = 50
STATES = {1: None, 2: "10", 3: "30", 4: "40", 5: "50", 6: "70", 7: "80"}
DETAIL_ONLY = ("carrierType", "shopNewBuyer", "orderTaxInfo", "orderlSellerRoleInfo")
NO_MORE = "nomore"


def cursor_list(call: Call) -> dict[str, Any]:
    """open.order.cursor.list: one page."""
    call.known("orderViewStatus queryType beginTime endTime pageSize sort cpsType cursor")
    view, by = call.number("orderViewStatus", high=7), call.number("queryType", high=2)
    since, until = call.number("beginTime"), call.number("endTime")
    size, sort = call.number("pageSize", high=LARGEST_PAGE), call.number("sort", high=2)
    cps = call.number("cpsType", low=0, high=2) if "cpsType" in call.param else 0
    check_window(call, since, until)
    column = "created" if by == 1 else "modified"
    place, first, last = read_place(call), -(-since // 1000), until // 1000
    if place:
        first, last = (first, min(last, place[0])) if sort == 1 else (max(first, place[0]), last)
    where = f"platform = 'kuaishou' AND shop = ? AND {column} BETWEEN ? AND ?"
    params: list[Any] = [call.shop, first, last]
    for name, value in (("status", STATES[view]), ("kind", str(cps) if cps else None)):
        if value is not None:
            where, params = f"{where} AND {name} = ?", [*params, value]
    if by == 2:
        where, params = f"{where} AND created >= ?", [*params, int(call.now) - CREATED_BACK_S]
    direction, compared = ("DESC", "<") if sort == 1 else ("ASC", ">")
    if place:
        where, params = f"{where} AND ({column}, number) {compared} (?, ?)", [*params, *place]
    rows = call.store.select(
        where, [*params, size + 1], f"ORDER BY {column} {direction}, number {direction} LIMIT ?"
    )
    page = rows[:size]
    cursor = write_place(call, getattr(page[-1], column), page[-1].number) if len(rows) > size else NO_MORE
    shown = [listed(order) for order in call.request.disturbed(page)]
    return {"cursor": cursor, "pageSize": size, "beginTime": since, "endTime": until, "orderList": shown}


def check_window(call: Call, since: int, until: int) -> None:
    """Refuse windows the platform does not open; a busy season shrinks what it opens. Raises: KsError."""
    if until < since:
        raise KsError(ENDS_BEFORE_IT_BEGINS, "endTime无效")
    if until - since > (call.store.get("kuaishou.window") or WINDOW_MS):
        raise KsError(WINDOW_TOO_WIDE, "查询时间跨度过大")
    if since < call.now * 1000 - BACK_MS:
        raise KsError(TOO_LONG_AGO, "beginTime超出90天")


def _asked(call: Call) -> str:
    kept = sorted((name, value) for name, value in call.param.items() if name != "cursor")
    return hashlib.sha256(repr((call.shop, kept)).encode()).hexdigest()[:16]


def write_place(call: Call, at: int, number: int) -> str:
    """Give the cursor that goes on after an order."""
    return base64.urlsafe_b64encode(json.dumps([_asked(call), at, number]).encode()).decode()


def read_place(call: Call) -> tuple[int, int] | None:
    """Read the cursor; None at the start. Raises: KsError for one of other parameters, or none at all."""
    cursor = call.param.get("cursor", "")
    if not isinstance(cursor, str):
        raise invalid("cursor")
    if not cursor:
        return None
    try:
        asked, at, number = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (binascii.Error, ValueError, TypeError):
        raise invalid("cursor") from None
    if asked != _asked(call) or type(at) is not int or type(number) is not int:
        raise invalid("cursor")
    return at, number


def listed(order: Order) -> dict[str, Any]:
    """Give an order as lists show it: every other one in another version of the answer, as both are in use."""
    body = {name: value for name, value in order.body.items() if not name.startswith("_")}
    base = {name: value for name, value in body["orderBaseInfo"].items() if name not in DETAIL_ONLY}
    body["orderBaseInfo"] = base | {
        "orderSellerRoleInfo": order.body["orderBaseInfo"]["orderlSellerRoleInfo"]
    }
    if order.number % 2:
        body["orderNoteInfo"] = body.pop("orderNote")
        body["subOrderInfo"] = [
            {"subOrderId": sub["subOrderBaseInfo"]["oid"]} for sub in body["subOrderInfo"]
        ]
    return body


def detail(call: Call) -> dict[str, Any]:
    """open.order.detail: one order with everything."""
    call.known("oid")
    oid = call.number("oid")
    order = call.order(oid)
    if order.ref != str(oid):
        raise KsError(NOT_OURS, "order operation reject")  # a gift has no page of its own
    body = {name: value for name, value in order.body.items() if not name.startswith("_")}
    if order.number % 2:
        body["orderDetailRefundList"] = body.pop("orderRefundList")
    return body


def refund_detail(call: Call) -> dict[str, Any]:
    """open.seller.order.refund.detail: one request with its money."""
    call.known("refundId")
    refund_id = call.number("refundId")
    order = call.store.find("kuaishou", call.shop, str(refund_id - 50))
    found = order.body["_refunds"].get(str(refund_id)) if order else None
    if found is None:
        raise KsError(NOT_OURS, "refund operation reject")
    return dict(found)
