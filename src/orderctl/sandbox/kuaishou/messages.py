"""The push messages of the Kuaishou stand-in: Base64 of AES-CBC, which proves who wrote them.

The one invariant: the key is the app's message secret, never the one that calls are signed with.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from orderctl.sandbox.kuaishou.tokens import APP_KEY, MESSAGE_SECRET, SELLER
from orderctl.sandbox.store import Order
from orderctl.sandbox.texts import digest

USER = 1_000_001
EVENTS = {
    10: "addOrder", 30: "paySuccess", 40: "delivering", 50: "deliverySuccess", 70: "orderSuccess", 80: "orderFail",
}  # fmt: skip


def push(order: Order) -> dict[str, Any]:
    """Give the headers and the body of the POST about an order as it is now."""
    oid, status = int(order.ref), order.body["orderBaseInfo"]["status"]
    at = order.modified * 1000
    info = {"oid": oid, "sellerId": USER, "status": status, "updateTime": at}
    event = digest("event", order.ref, order.modified)
    message = {
        "eventId": event[:20], "msgId": event[20:40], "bizId": oid, "userId": USER, "openId": SELLER,
        "appKey": APP_KEY, "event": f"kwaishop_order_{EVENTS.get(status, 'addNote')}",
        "info": json.dumps(info, separators=(",", ":")), "createTime": at + 500, "updateTime": at, "test": False,
    }  # fmt: skip
    return {
        "headers": {"Content-Type": "text/plain"},
        "body": shut(json.dumps(message, separators=(",", ":"))),
    }


def shut(text: str) -> str:
    """Encrypt a message."""
    padder = PKCS7(128).padder()
    encryptor = Cipher(AES(b64decode(MESSAGE_SECRET)), CBC(bytes(16))).encryptor()
    padded = padder.update(text.encode()) + padder.finalize()
    return b64encode(encryptor.update(padded) + encryptor.finalize()).decode()
