"""Kuaishou's messages: the sheet's vector, who made them, and which orders they speak of."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from orderctl.model.errors import ConfigError, Refused
from orderctl.ports.platforms.kuaishou.client import Kuaishou
from orderctl.ports.platforms.kuaishou.events import opened
from orderctl.ports.platforms.port import Shop
from tests.ports.http.rehearsal import TokensInMemory, http_over

SECRET = "ZmFrZWZha2VmYWtlZmFrZQ=="
BODY = b"WT3OvQ3gy7smru8hh59iAlTnozK72IDNxTHBRFYdPxpQsWz5xT80YT3YqHEARqjC7pXOE0PBXfm+NEfzKE7tpM4+VZBfJACXWtJ6TCBlSJw="
PLAIN = b'{"event":"kwaishop_order_paySuccess","bizId":2632400000000001,"test":false}'
KEY = "ks600000000000000001"


def shop(**settings: str) -> Kuaishou:
    known = {
        "app_key": KEY,
        "app_secret": "a",
        "sign_secret": "b",
        "access_token": "c",
        "message_secret": SECRET,
    }
    http, _ = http_over(lambda _: pytest.fail("sent"))
    return Kuaishou(Shop("s", "kuaishou", None, known | settings), http, TokensInMemory())


def shut(plain: bytes, secret: str = SECRET) -> bytes:
    padder = PKCS7(128).padder()
    padded = padder.update(plain) + padder.finalize()
    encryptor = Cipher(AES(base64.b64decode(secret)), CBC(bytes(16))).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize())


def message(**changes: Any) -> bytes:
    known = {
        "eventId": "fake-event-1", "msgId": "fake-msg-1", "bizId": 2632400000000001, "userId": 1000001,
        "openId": "fakeseller0001", "appKey": KEY, "event": "kwaishop_order_paySuccess",
        "info": '{"oid":2632400000000001,"sellerId":1000001,"status":30,"updateTime":1795137012000}',
        "createTime": 1795137012500, "updateTime": 1795137012000, "test": False,
    }  # fmt: skip
    return shut(json.dumps(known | changes).encode())


def test_the_vector() -> None:
    assert opened(base64.b64decode(SECRET), BODY) == json.loads(PLAIN)
    assert shut(PLAIN) == BODY
    assert shop().event_orders({"content-type": "text/plain"}, BODY) == ("2632400000000001",)


@pytest.mark.parametrize("size", [16, 24, 32])
def test_the_size_of_the_key_chooses_the_cipher(size: int) -> None:
    secret = base64.b64encode(bytes(range(size))).decode()
    assert shop(message_secret=secret).event_orders({}, shut(PLAIN, secret)) == ("2632400000000001",)


def test_which_orders_a_message_speaks_of() -> None:
    assert shop().event_orders({}, message()) == ("2632400000000001",)
    assert shop().event_orders({}, message(bizId=9, info='{"oid":"2632400000000002"}')) == (
        "2632400000000002",
    )
    assert shop().event_orders({}, message(info="")) == ("2632400000000001",)
    assert shop().event_orders({}, message(test=True)) == ()
    refund = "kwaishop_aftersales_addRefund"
    assert shop().event_orders({}, message(event=refund, info='{"oid":2632400000000003}')) == (
        "2632400000000003",
    )
    assert shop().event_orders({}, message(event=refund, info='{"refundId":1}')) == ()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"no base64!", base64.b64encode(bytes(range(64))), BODY[:-8] + b"AAAAAAA=", shut(b"not json"), shut(b"[]"),
        message(appKey="another app"), shut(PLAIN, base64.b64encode(b"another-key-0000").decode()),
    ],
)  # fmt: skip
def test_what_the_platform_did_not_make(body: bytes) -> None:
    with pytest.raises(Refused) as caught:
        shop().event_orders({}, body)
    assert caught.value.code == "signature"


@pytest.mark.parametrize("changes", [{"event": None}, {"info": "{no json"}, {"info": '{"oid":"x"}'}])
def test_what_cannot_be_understood(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        shop().event_orders({}, message(**changes))
    assert caught.value.code == "unreadable"


@pytest.mark.parametrize("secret", ["", "???", "c2hvcnQ="])
def test_a_secret_that_is_none(secret: str) -> None:
    with pytest.raises(ConfigError):
        shop(message_secret=secret).event_orders({}, BODY)
