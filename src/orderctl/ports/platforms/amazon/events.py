"""Amazon's notifications, as they lie in the seller's own queue (SQS).

They are not signed: whoever may write to the queue is decided by the queue. What can be checked is that a message is
for this seller. Messages come twice, late and out of order, so each only says which order to read anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from orderctl.ports.http import parse_json
from orderctl.ports.platforms.port import Shop, bad_signature, unreadable_event

ORDER_CHANGE = "ORDER_CHANGE"
DEEPEST = 4


def event_orders(shop: Shop, body: bytes) -> tuple[str, ...]:
    """Give the orders a message speaks of; none for messages about other things. See `Platform.event_orders`.

    The body may be the notification itself, or the answer of `receive-message` with any number of them.
    """
    try:
        found = list(_notifications(parse_json(body), 0))
    except ValueError:
        raise unreadable_event(shop) from None
    if not found:
        raise unreadable_event(shop)
    refs: dict[str, None] = {}
    for notification in found:
        if _kind(notification) != ORDER_CHANGE:
            continue
        change = _inside(_inside(notification, "Payload"), "OrderChangeNotification")
        ref = change.get("AmazonOrderId") or change.get("amazonOrderId")
        if not isinstance(ref, str) or not ref:
            raise unreadable_event(shop)
        seller = change.get("SellerId") or change.get("sellerId")
        if seller != shop.setting("seller_id"):
            raise bad_signature(shop)
        refs[ref] = None
    return tuple(refs)


def _notifications(found: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    """Give the notifications inside what a queue hands out: `Messages`, each with its `Body` as text."""
    if depth > DEEPEST:
        return
    if _kind(found):
        yield found
    messages = found.get("Messages")
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, dict):
            yield from _notifications(message, depth + 1)
    for name in ("Body", "body", "Message", "detail"):
        inner = found.get(name)
        if isinstance(inner, str):
            inner = json.loads(inner)
        if isinstance(inner, dict):
            yield from _notifications(inner, depth + 1)


def _kind(found: Mapping[str, Any]) -> object:
    return found.get("NotificationType") or found.get("notificationType")


def _inside(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = found.get(name) or found.get(name[0].lower() + name[1:])
    return inner if isinstance(inner, dict) else {}
