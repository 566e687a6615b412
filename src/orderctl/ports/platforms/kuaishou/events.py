"""Kuaishou's messages: Base64 of AES-CBC, which only the platform and the shop's app can make.

Key: the Base64-decoded message secret (16, 24 or 32 bytes); IV: sixteen zero bytes; padding: PKCS5.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from orderctl.model.errors import ConfigError
from orderctl.model.text import Text
from orderctl.ports.http import parse_json
from orderctl.ports.platforms.kuaishou.meaning import number
from orderctl.ports.platforms.port import Shop, bad_signature, unreadable_event

IV = bytes(16)
ABOUT_ORDERS = "kwaishop_order_"


def opened(secret: bytes, body: bytes) -> dict[str, Any]:
    """Decrypt a message. Raises: ValueError if it was not made with this key."""
    shut = base64.b64decode(b"".join(body.split()), validate=True)
    decryptor = Cipher(AES(secret), CBC(IV)).decryptor()
    unpadder = PKCS7(128).unpadder()
    padded = decryptor.update(shut) + decryptor.finalize()
    return parse_json(unpadder.update(padded) + unpadder.finalize())


def read_event(shop: Shop, app_key: str, body: bytes) -> tuple[str, ...]:
    """Give the orders a message speaks of; none for the platform's test of the address and for other subjects.

    Raises: Refused (`signature`: not made with our secret or for another app; `unreadable`), ConfigError.
    """
    try:
        secret = base64.b64decode(shop.setting("message_secret"), validate=True)
        AES(secret)
    except (binascii.Error, ValueError):
        raise ConfigError(Text("shop {shop}: 'message_secret' is no Base64 key", shop=shop.id)) from None
    try:
        found = opened(secret, body)
    except ValueError:
        raise bad_signature(shop) from None
    if str(found.get("appKey") or app_key) != app_key:
        raise bad_signature(shop)
    if not isinstance(found.get("event"), str):
        raise unreadable_event(shop)
    if found.get("test") in (True, "true"):
        return ()
    told = found.get("info")
    try:
        info = parse_json(told.encode()) if isinstance(told, str) and told else told
    except ValueError:
        raise unreadable_event(shop) from None
    oid = info.get("oid") if isinstance(info, dict) else None
    if not oid and found["event"].startswith(ABOUT_ORDERS):
        oid = found.get("bizId")
    if not oid:
        return ()
    if number(oid) is None:
        raise unreadable_event(shop)
    return (str(number(oid)),)
