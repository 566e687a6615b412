"""Push messages of Douyin: who sent them, and which orders they speak of.

Messages arrive at least once and in any order, so nothing in them is believed but the order's number; the order is
then read anew.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from orderctl.model.errors import Refused
from orderctl.model.text import Text

FAMILIES = ("1", "2")
"""Tags have three digits; those of orders begin with 1, those of after-sales with 2. What happened does not matter."""
BLANKS = re.compile(rb"\s+")


def sign_event(key: str, secret: str, body: bytes) -> str:
    """Give the signature of a message: the MD5 of its bytes between key and secret, lower-case hex."""
    return hashlib.md5(key.encode() + body + secret.encode(), usedforsecurity=False).hexdigest()


def read_events(
    headers: Mapping[str, str], body: bytes, *, key: str, secret: str, shop_id: str | None
) -> tuple[str, ...]:
    """Verify a message and give the orders of this shop it speaks of, each once; see `Platform.event_orders`.

    One address serves all shops of an app: messages that name another shop are none of ours. A signature over the
    body without its blanks counts too, since senders are said to differ in that.
    """
    told = headers.get("event-sign", "").strip().lower()
    forms = (body, BLANKS.sub(b"", body))
    signed = any(hmac.compare_digest(sign_event(key, secret, form).encode(), told.encode()) for form in forms)
    if not signed or headers.get("app-id", key).strip() != key:
        raise Refused(
            Text("{operation}: the platform did not sign this", operation="event"), code="signature"
        )
    try:
        messages = json.loads(body)
        found = [ref for message in messages for ref in _orders(message, shop_id)]
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise Refused(
            Text("{operation}: the answer cannot be read", operation="event"), code="unreadable"
        ) from None
    return tuple(dict.fromkeys(found))


def _orders(message: dict[str, Any], shop_id: str | None) -> Iterator[str]:
    data = message.get("data")
    tag = str(message.get("tag"))
    if len(tag) != 3 or not tag.startswith(FAMILIES) or not data:
        return
    order = json.loads(data) if isinstance(data, str) else data
    shop = str(order.get("shop_id") or "")
    if order.get("p_id") and not (shop_id and shop and shop != shop_id):
        yield str(order["p_id"])
