"""Shopify's webhooks: signed with the app's secret over the very bytes of the body.

A webhook tells of an order in another form than the API gives, may come twice, late and out of order; so it only says
which order to read anew.

Source: the platform's webhook document, as collected in the project's fact sheet (November 2026).
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping

from orderctl.ports.http import parse_json
from orderctl.ports.platforms.port import Shop, bad_signature, unreadable_event


def event_orders(shop: Shop, headers: Mapping[str, str], body: bytes) -> tuple[str, ...]:
    """Verify a webhook and give the number of its order. See `Platform.event_orders`.

    The key is the shop's `webhook_secret`, else its `client_secret`.
    """
    secret = shop.settings.get("webhook_secret") or shop.setting("client_secret")
    signed = b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())
    if not hmac.compare_digest(signed, headers.get("x-shopify-hmac-sha256", "").strip().encode()):
        raise bad_signature(shop)
    try:
        found = parse_json(body)
    except ValueError:
        raise unreadable_event(shop) from None
    topic = headers.get("x-shopify-topic", "")
    ref = found.get("id") if topic.startswith("orders/") else found.get("order_id")
    if not isinstance(ref, int) or isinstance(ref, bool):
        raise unreadable_event(shop)
    return (str(ref),)
