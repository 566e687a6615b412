"""The reading methods of the Douyin stand-in.

The one invariant: ciphertexts differ at every reading and their indexes do not.
"""

from __future__ import annotations

from typing import Any

from orderctl.sandbox.douyin.calls import Call, Method, failed, invalid, missing
from orderctl.sandbox.douyin.orders import NONCE, WORDS, seals
from orderctl.sandbox.store import Order
from orderctl.sandbox.texts import digest

DAYS_90 = 90 * 86_400
DEEPEST = 10_000
LARGEST_PAGE = 100
LATEST = 99_999_999_999
"""What is more counts milliseconds, and finds nothing."""


def shown(order: Order, now: float) -> dict[str, Any]:
    """Give an order as the platform shows it."""
    body = {name: value for name, value in order.body.items() if not name.startswith("_")}
    name, mobile, street = seals(order.body, digest("nonce", order.ref, now)[:NONCE])
    body |= {"update_time": order.modified, "encrypt_post_receiver": name, "encrypt_post_tel": mobile}
    body["post_addr"] = {**body["post_addr"], "encrypt_detail": street}
    return body


def search_list(call: Call) -> dict[str, Any]:
    """order.searchList: one page, by time of creation or change."""
    page, size = call.number("page", 0) or 0, call.number("size", 10)
    if page < 0:
        raise invalid(10_035, "页码不能为负数")
    if size is None or not 1 <= size <= LARGEST_PAGE:
        raise invalid(20_008, "每页数量超过限制")
    column, window = _window(call)
    if window[0] > LATEST or window[1] > LATEST:
        return {"page": page, "total": 0, "size": size, "shop_order_list": []}
    if window[0] < call.now - DAYS_90:
        raise invalid(20_022, "只能查询90天内的订单")
    if (page + 1) * size > DEEPEST:
        raise invalid(20_013, "查询深度超过限制")
    where, params = f"platform = 'douyin' AND shop = ? AND {column} BETWEEN ? AND ?", [call.shop, *window]
    if statuses := _statuses(call):
        where += f" AND status IN ({', '.join('?' * len(statuses))})"
        params += statuses
    order_by = call.text("order_by") or "create_time"
    if order_by not in ("create_time", "update_time"):
        raise invalid(None, "order_by")
    by, way = (
        ("modified" if order_by == "update_time" else "created"),
        "ASC" if call.flag("order_asc") else "DESC",
    )
    tail = f"ORDER BY {by} {way}, number {way} LIMIT ? OFFSET ?"
    rows = call.store.select(where, [*params, size, page * size], tail)
    return {
        "page": page,
        "total": call.store.size(where, params),
        "size": size,
        "shop_order_list": [shown(order, call.now) for order in call.request.disturbed(rows)],
    }


def _window(call: Call) -> tuple[str, tuple[int, int]]:
    pairs = {
        column: (call.number(f"{name}_start"), call.number(f"{name}_end"))
        for column, name in (("modified", "update_time"), ("created", "create_time"))
    }
    for column, (since, until) in pairs.items():
        if since is not None and until is not None:
            if since > until:
                raise invalid(None, "the start lies after the end")
            return column, (since, until)
    raise invalid(20_011, "时间范围必填")


def _statuses(call: Call) -> list[str]:
    asked = call.rows("combine_status")
    if len(asked) > 1:
        raise invalid(20_012, "combine_status只支持一个元素")
    found = [one for entry in asked for one in str(entry.get("order_status") or "").split(",") if one]
    if any(not one.isdecimal() or int(one) not in WORDS for one in found):
        raise invalid(None, "order_status")
    if call.text("after_sale_status_desc") not in ("", "all"):
        raise invalid(None, "this stand-in knows after_sale_status_desc all")
    return found


def order_detail(call: Call) -> dict[str, Any]:
    """order.orderDetail: one order, however old."""
    ref = call.text("shop_order_id", missing(20_000))
    if not ref.removesuffix("A").isdecimal():
        raise invalid(20_014, "查询订单不存在")
    order = call.store.find("douyin", call.shop, ref)
    if order is None:
        if call.store.find_anywhere(ref) is not None:
            raise failed(20_015, "订单不是该店铺下的订单，无权查询")
        raise invalid(20_001, "订单不存在")
    return {"shop_order_detail": {**shown(order, call.now), "relation_order": {}, "writeoff_info": []}}


METHODS = {
    "order.searchList": Method(
        search_list,
        frozenset(
            {
                "page",
                "size",
                "order_by",
                "order_asc",
                "create_time_start",
                "create_time_end",
                "update_time_start",
                "update_time_end",
                "combine_status",
                "after_sale_status_desc",
                "presell_type",
                "order_type",
                "trade_type",
                "tracking_no",
                "product",
                "b_type",
                "abnormal_order",
                "fulfil_status",
            }
        ),
    ),
    "order.orderDetail": Method(order_detail, frozenset({"shop_order_id"})),
}
