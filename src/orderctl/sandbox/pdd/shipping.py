"""The shipping methods of the Pinduoduo stand-in.

The one invariant: an order is shipped at most once, and as a whole; a second number replaces the first only when
that is asked for. Refusals are texts: nobody outside knows a list of codes.
"""

from __future__ import annotations

import json
import re
from typing import Any

from orderctl.sandbox.pdd.calls import Call, PddError, wrong
from orderctl.sandbox.pdd.orders import mark_shipped, wrote
from orderctl.sandbox.store import Order

SF = 44
COMPANIES = (
    (44, "顺丰快递", "SF", 1, r"^(SF\d{13}|\d{12})$"),
    (1, "申通快递", "STO", 1, r"^(77|88)\d{13}$"),
    (85, "圆通快递", "YTO", 1, r"^(YT\d{13}|\d{18})$"),
    (115, "中通快递", "ZTO", 1, r"^(73|75|76|78)\d{12}$"),
    (118, "邮政EMS", "EMS", 1, r"^(\d{13}|E[A-Z]\d{9}CN)$"),
    (120, "京东快递", "JD", 1, r"^JD[A-Z0-9-]{11,18}$"),
    (121, "韵达快递", "YUNDA", 1, r"^(31|43|46)\d{13}$"),
    (132, "邮政快递包裹", "YZXB", 1, r"^(98|99)\d{11}$"),
    (344, "极兔速递", "JTSD", 1, r"^JT\d{13}$"),
    (131, "德邦快递", "DB", 1, r"^DPK\d{12,13}$"),
    (119, "天天快递", "TT", 0, r"^\d{12}$"),
    (117, "优速快递", "YS", 1, r"^\d{12}$"),
)
"""Number, name, code, whether it may be used, and the form of its waybill numbers."""
PATTERNS = {number: re.compile(pattern, re.ASCII) for number, _, _, usable, pattern in COMPANIES if usable}
LISTS_OF = {1: "extra_delivery_list", 2: "resend_delivery_list", 3: "gift_delivery_list"}
PARCELS_MAX = 10


def companies(call: Call) -> dict[str, Any]:
    """pdd.logistics.companies.get: the live list."""
    call.known()
    return {
        "logistics_companies": [
            {"id": number, "logistics_company": name, "code": code, "available": usable}
            for number, name, code, usable, _ in COMPANIES
        ]
    }


def check_number(call: Call, order: Order, courier: int, number: str) -> None:
    """Refuse a courier that may not be used, a number that is not its, and one that somebody else's parcel bears."""
    if courier not in PATTERNS:
        call.refuse(order.ref, "快递公司不存在或已停用")
    tags = {tag["name"] for tag in order.body["order_tag_list"] if tag["value"]}
    if "has_sf_express_service" in tags and courier != SF:
        call.refuse(order.ref, "订单已购买顺丰加价服务，快递公司必须为顺丰")
    if not PATTERNS[courier].fullmatch(number):
        call.refuse(order.ref, "运单号不正确")
    if call.store.bearer(call.shop, number) not in (None, order.body["_group"]):
        call.refuse(order.ref, "运单号已使用")


def check_state(call: Call, order: Order) -> None:
    """Refuse what cannot leave."""
    body = order.body
    if body["order_status"] != 1:
        call.refuse(order.ref, "订单已发货，请勿重复操作")
    if body["refund_status"] in (2, 3):
        call.refuse(order.ref, "订单存在处理中的售后，不能发货")
    if body["refund_status"] == 4 or body["confirm_status"] != 1:
        call.refuse(order.ref, "订单状态不允许发货")
    if body["risk_control_status"]:
        call.refuse(order.ref, "订单审核中，不能发货")
    if any(tag["name"] == "ship_hold" and tag["value"] for tag in body["order_tag_list"]):
        call.refuse(order.ref, "订单已暂停发货")
    step = body["step_order_info"]
    if step and step["step_trade_status"] != 2:
        call.refuse(order.ref, "定金订单尾款未支付，订单状态不允许发货")


def units(order: Order) -> list[dict[str, Any]]:
    """Give what leaves with an order."""
    items = [*order.body["item_list"]]
    gifts = order.body["gift_list"] if order.body["gift_order_status"] != 1 else []
    names = [*("1" for _ in items), *("2" for _ in gifts)]
    return [
        {"line": name, "quantity": item["goods_count"], "sku": item["outer_id"]}
        for name, item in zip(names, [*items, *gifts], strict=True)
    ]


def send(call: Call) -> dict[str, Any]:
    """pdd.logistics.online.send: the first number of an order, or another one in its place."""
    call.known(
        "order_sn", "logistics_id", "tracking_number", "redelivery_type", "refund_address_id", "feature"
    )
    ref, number = call.need("order_sn"), call.need("tracking_number")
    courier, again = call.number("logistics_id"), call.number("redelivery_type", range(1, 3), 1) == 2
    with call.store.transaction(keep=PddError):
        order = call.order(ref)
        before = order.body["tracking_number"]
        if not again:
            check_state(call, order)
        elif order.body["order_status"] == 1:
            call.refuse(ref, "订单未发货，不能修改运单号")
        check_number(call, order, courier, number)
        mark_shipped(order, courier, number, call.now)
        call.store.save(order, call.now)
        call.store.take_number(call.shop, number, order.body["_group"])
        if not again:
            call.book("ship", ref, number, {"company": courier, "lines": units(order)})
        elif before != number:
            call.book("amend", ref, number, {"company": courier, "before": before, "lines": units(order)})
        else:
            call.book("repeated", ref, number, {"company": courier})
    return {"is_success": True}


def read_parcels(call: Call) -> list[tuple[int, str]]:
    """Read the list of further parcels."""
    try:
        found = json.loads(call.need("extra_track_list"))
        parcels = [(int(one["shipping_id"]), str(one["tracking_number"])) for one in found]
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        raise wrong("extra_track_list") from None
    if not 0 < len(parcels) <= PARCELS_MAX:
        raise wrong("extra_track_list", "数量超过限制")
    return parcels


def add_parcels(call: Call) -> dict[str, Any]:
    """pdd.order.upload.extra.logistics: further parcels of an order that has left."""
    call.known("order_sn", "extra_track_list", "extra_track_type")
    ref, kind = call.need("order_sn"), call.number("extra_track_type", range(1, 4))
    parcels = read_parcels(call)
    with call.store.transaction(keep=PddError):
        order = call.order(ref)
        if order.body["order_status"] == 1:
            call.refuse(ref, "订单未发货，订单状态不允许上传额外运单")
        listed = order.body[LISTS_OF[kind]]
        known = {order.body["tracking_number"], *(one["tracking_number"] for one in listed)}
        for courier, number in parcels:
            check_number(call, order, courier, number)
            if number in known:
                call.refuse(ref, "运单号重复")
            known.add(number)
            listed.append({"logistics_id": courier, "tracking_number": number})
            call.store.take_number(call.shop, number, order.body["_group"])
        wrote(order, call.now)
        call.store.save(order, call.now)
        numbers = [number for _, number in parcels]
        # what is in them left with the parcels before: no piece counts twice
        lines = [{**line, "quantity": 0} for line in units(order)]
        call.book("ship", ref, numbers[0], {"numbers": numbers, "type": kind, "lines": lines})
    return {"success": True}
