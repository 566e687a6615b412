"""The notifications of the Amazon stand-in, as they lie in the seller's own queue.

The one invariant: no address and no name is in them. Nothing signs them: the queue decides who may write to it.
"""

from __future__ import annotations

import json
from typing import Any

from orderctl.sandbox.amazon.tokens import APPLICATION_ID, SELLERS
from orderctl.sandbox.amazon.views import V0_STATUS
from orderctl.sandbox.store import Order
from orderctl.sandbox.texts import digest, utc


def notification(order: Order) -> dict[str, Any]:
    """Give the body of an ORDER_CHANGE about an order as it is now; a queue has no headers."""
    at, seller = utc(order.modified), SELLERS[order.shop]
    change = {
        "NotificationLevel": "OrderLevel", "SellerId": seller, "AmazonOrderId": order.ref,
        "OrderChangeType": "OrderStatusChange",
        "OrderChangeTrigger": {"TimeOfOrderChange": at, "ChangeReason": "OrderUpdate"},
        "Summary": {
            "MarketplaceId": order.body["market"], "OrderStatus": V0_STATUS[order.body["status"]],
            "PurchaseDate": utc(order.created), "FulfillmentType": "AFN" if order.kind == "AMAZON" else "MFN",
            "NumberOfItems": len(order.body["lines"]),
        },
    }  # fmt: skip
    event = digest("notification", order.ref, order.modified)
    message = {
        "NotificationVersion": "1.0", "NotificationType": "ORDER_CHANGE", "PayloadVersion": "1.0", "EventTime": at,
        "Payload": {"OrderChangeNotification": change},
        "NotificationMetadata": {
            "ApplicationId": APPLICATION_ID, "SubscriptionId": digest("subscription", seller)[:32], "PublishTime": at,
            "NotificationId": event[:32],
        },
    }  # fmt: skip
    return {"headers": {}, "body": json.dumps(message, separators=(",", ":"))}
