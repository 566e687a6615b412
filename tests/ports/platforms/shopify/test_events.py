"""Webhooks count only when they are signed, and only say which order to read anew."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode

import pytest

from orderctl.model.errors import Refused
from orderctl.ports.platforms.port import Shop
from orderctl.ports.platforms.shopify.events import event_orders

SHOP = Shop("sf-demo", "shopify", settings={"client_id": "x", "client_secret": "hush"})


def signed(body: bytes, topic: str = "orders/updated") -> dict[str, str]:
    digest = hmac.new(b"hush", body, hashlib.sha256).digest()
    return {"x-shopify-hmac-sha256": b64encode(digest).decode(), "x-shopify-topic": topic}


def test_the_vector_of_the_fact_sheet() -> None:
    headers = {
        "x-shopify-hmac-sha256": "VnKUjZsLuN5iZWjn5EntcBVCF9kMN43LglzCE1/GSeY=",
        "x-shopify-topic": "orders/create",
    }
    assert event_orders(SHOP, headers, b'{"id":1}') == ("1",)


@pytest.mark.parametrize("topic", ["fulfillments/create", "refunds/create"])
def test_messages_about_parts_name_their_order(topic: str) -> None:
    body = b'{"id":77,"order_id":5900000000001}'
    assert event_orders(SHOP, signed(body, topic), body) == ("5900000000001",)


@pytest.mark.parametrize("header", ["", "AAAA", "VnKUjZsLuN5iZWjn5EntcBVCF9kMN43LglzCE1/GSeY=", "é"])
def test_what_the_platform_did_not_sign_is_refused(header: str) -> None:
    with pytest.raises(Refused) as refused:
        event_orders(SHOP, {"x-shopify-hmac-sha256": header, "x-shopify-topic": "orders/create"}, b'{"id":2}')
    assert refused.value.code == "signature"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id":null}', b'{"id":"1"}', b'{"id":true}', b"\xff"])
def test_what_names_no_order_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        event_orders(SHOP, signed(body), body)
    assert refused.value.code == "unreadable"
