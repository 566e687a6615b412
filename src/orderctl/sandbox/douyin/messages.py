"""The push messages of the Douyin stand-in.

The one invariant: a message says what the order's state is now; the same state is the same message, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from orderctl.sandbox.douyin import orders
from orderctl.sandbox.douyin.tokens import APP_KEY, APP_SECRET, SHOP_ID
from orderctl.sandbox.store import Order

TAGS = {
    orders.UNPAID: 100, orders.DEPOSIT: 100, orders.TO_SHIP: 101, orders.REVIEW: 110, orders.PARTLY: 102,
    orders.SHIPPED: 102, orders.FINISHED: 103, orders.CANCELLED: 106, orders.REFUNDED: 206, orders.REFUNDED_LATER: 206,
}  # fmt: skip
ASKED_BACK = 200


def push(order: Order) -> dict[str, Any]:
    """Give the headers and the body of the POST about an order as it is now."""
    tag = tag_of(order)
    data: Any = {
        "biz": order.body["biz"], "order_status": order.body["order_status"], "order_type": order.body["order_type"],
        "p_id": int(order.ref), "s_ids": [int(line["order_id"]) for line in order.body["sku_order_list"]],
        "shop_id": int(SHOP_ID), "update_time": order.modified,
    }  # fmt: skip
    if order.modified % 2:  # some versions send it as a text, some as an object
        data = json.dumps(data, separators=(",", ":"))
    message = {"tag": str(tag), "msg_id": f"{order.ref}:0:{order.modified}:{tag}", "data": data}
    body = json.dumps([message], separators=(",", ":"))
    signed = hashlib.md5(f"{APP_KEY}{body}{APP_SECRET}".encode()).hexdigest()
    headers = {"Content-Type": "application/json", "app-id": APP_KEY, "event-sign": signed}
    return {"headers": headers, "body": body}


def tag_of(order: Order) -> int:
    """Give the number of what happened last, as far as the order shows it."""
    after = {line["after_sale_info"]["after_sale_status"] for line in order.body["sku_order_list"]}
    if after & set(orders.ASKED):
        return ASKED_BACK
    return TAGS.get(order.body["order_status"], TAGS[orders.FINISHED])
