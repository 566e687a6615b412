"""The webhooks of the Shopify stand-in: an order in the shape of the old REST interface, signed by the app.

The one invariant: the signature is over the very bytes of the body, so nobody may write it anew on the way.
"""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from orderctl.sandbox.standins import Shop
from orderctl.sandbox.store import Order
from orderctl.sandbox.texts import digest, utc, yuan

VERSION = "2026-10"


def webhook(order: Order, shop: Shop, secret: str) -> dict[str, Any]:
    """Give the headers and the body of a webhook about an order as it is now."""
    body = json.dumps(rest_order(order, shop), ensure_ascii=False)
    signed = hmac.new(secret.encode(), body.encode(), "sha256").digest()
    event = digest("webhook", order.shop, order.ref, order.modified)
    headers = {
        "Content-Type": "application/json", "X-Shopify-Topic": topic(order), "X-Shopify-API-Version": VERSION,
        "X-Shopify-Hmac-Sha256": b64encode(signed).decode(), "X-Shopify-Shop-Domain": f"{shop.name}.example.com",
        "X-Shopify-Webhook-Id": event[:32], "X-Shopify-Event-Id": event[11:],
        "X-Shopify-Triggered-At": utc(order.modified),
    }  # fmt: skip
    return {"headers": headers, "body": body}


def topic(order: Order) -> str:
    """Name what happened last, as far as the order shows it."""
    if order.body["cancelledAt"]:
        return "orders/cancelled"
    return "orders/fulfilled" if order.fulfilment == "fulfilled" else "orders/updated"


def rest_order(order: Order, shop: Shop) -> dict[str, Any]:
    """Give an order in REST shape: ids are numbers, times have the shop's offset."""
    body = order.body

    def local(at: int) -> str:
        return datetime.fromtimestamp(at, ZoneInfo(shop.zone)).isoformat()

    return {
        "id": int(order.ref), "admin_graphql_api_id": f"gid://shopify/Order/{order.ref}", "name": body["name"],
        "test": body["test"], "created_at": local(order.created), "updated_at": local(order.modified),
        "currency": body["currencyCode"], "total_price": yuan(body["totalPriceSet"]), "note": body["note"],
        "financial_status": order.financial, "source_name": body["sourceName"],
        "line_items": [
            {"id": int(line["id"].rsplit("/", 1)[-1]), "sku": line["sku"], "quantity": line["quantity"]}
            for line in body["lineItems"]
        ],
    }  # fmt: skip
