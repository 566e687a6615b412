"""How orders of the Shopify stand-in change: by shipping, and by what buyers and sellers do.

The one invariant: fulfilment orders, lines and the order's own status always tell the same story.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from orderctl.sandbox.shopify.orders import hold, make_address, refresh
from orderctl.sandbox.shopify.search import FINANCIAL
from orderctl.sandbox.store import Order
from orderctl.sandbox.texts import utc


def touch(order: Order, changes: Mapping[str, Any], seed: int, now: float) -> None:
    """Change an order as a buyer or seller would. Raises: ValueError for a change nobody can make."""
    body = order.body
    for what, value in changes.items():
        if what == "refund" and value is True:
            refund_everything(body)
        elif what == "status" and value == "cancelled":
            body |= {"cancelledAt": utc(now), "cancelReason": "CUSTOMER"}
            close_fulfilment_orders(body, "CANCELLED")
        elif what == "status" and value == "ON_HOLD":
            body["displayFulfillmentStatus"] = "ON_HOLD"
            for part in body["fulfillmentOrders"]:
                part |= {"status": "ON_HOLD", "fulfillmentHolds": [hold(order.number)]}
        elif what == "status" and str(value).lower() in FINANCIAL:
            body["displayFinancialStatus"] = str(value).upper()
        elif what == "address":
            dice = Random(f"{seed}|{order.ref}|{order.modified}")
            body["shippingAddress"] = make_address(order.shop, None, dice)
        elif what in ("memo", "note", "stir"):
            body["note"] = str(value)
        else:
            raise ValueError(
                f"an order has no change {what!r} to {value!r}: refund, status, address, memo, note, stir"
            )
    body["updatedAt"] = utc(max(now, order.modified))
    refresh(order)


def refund_everything(body: dict[str, Any]) -> None:
    """Give all money back; nothing remains to be shipped."""
    for line in body["lineItems"]:
        line |= {"currentQuantity": 0, "unfulfilledQuantity": 0}
    body |= {
        "displayFinancialStatus": "REFUNDED",
        "totalRefundedSet": body["totalPriceSet"],
        "currentTotalPriceSet": 0,
    }
    close_fulfilment_orders(body, "CLOSED")


def close_fulfilment_orders(body: dict[str, Any], status: str) -> None:
    """End what is not shipped yet."""
    for part in body["fulfillmentOrders"]:
        part["status"] = status
        for item in part["lineItems"]:
            item["remainingQuantity"] = 0
