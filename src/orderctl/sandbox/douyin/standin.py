"""The stand-in of Douyin: who may call, and is the call well formed.

The one invariant: no method runs before form, app, clock, signature, token, grant, quota and parameters are in order,
in this sequence.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from random import Random
from typing import Any, ClassVar

from orderctl.sandbox.answer import Answer, Request
from orderctl.sandbox.douyin import messages, orders, reading, shipping, tokens
from orderctl.sandbox.douyin.calls import Call, DoudianError, Method, invalid, missing, signature, write
from orderctl.sandbox.people import Person
from orderctl.sandbox.standins import Shop
from orderctl.sandbox.store import Order, Store
from orderctl.sandbox.texts import GMT8

CLOCK_SECONDS = 600
LISTS = frozenset({"order.searchList"})
METHODS: Mapping[str, Method] = {**tokens.METHODS, **reading.METHODS, **shipping.METHODS}
NOT_GRANTED = frozenset({
    "order.batchDecrypt", "order.batchSensitive", "order.batchEncrypt", "afterSale.List", "logistics.newCreateOrder",
})  # fmt: skip
"""Methods that exist but are not in this application's permission pack."""


def read_clock(text: str) -> float:
    """Read epoch seconds, or `yyyy-MM-dd HH:mm:ss` in GMT+8."""
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return float(text)
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=GMT8).timestamp()
    except ValueError:
        raise DoudianError(40_003, "isv.timestamp-format-error") from None


class Douyin:
    """The platform, with one shop and one app that is both: the seller's own, and a service."""

    name: ClassVar[str] = "douyin"
    shops: ClassVar[tuple[Shop, ...]] = (Shop("douyin", tokens.SHOP, 20, title=tokens.TITLE),)
    lists: ClassVar[frozenset[str]] = LISTS
    pages: ClassVar[frozenset[str]] = LISTS
    words: ClassVar[frozenset[str]] = frozenset({"quota", "revoke"})

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store, self._now = store, now
        with store.transaction():
            if store.get(tokens.PAIR) is None:
                tokens.new_pair(store, now())

    def path(self, shop: Shop) -> str:
        """Every shop calls the same gateway; the token says which one it is."""
        return "/douyin"

    def settings(self, shop: Shop) -> dict[str, str]:
        """Give the credentials of a self-use app, and a rate for a platform on the same machine."""
        return {
            "app_key": tokens.APP_KEY, "app_secret": tokens.APP_SECRET, "shop_id": tokens.SHOP_ID,
            "calls_per_second": "200",
        }  # fmt: skip

    def serves(self, path: str) -> bool:
        """The gateway's methods, and the page where sellers allow a service in."""
        return path == "/douyin/authorize" or (path.startswith("/douyin/") and path.count("/") == 3)

    def operation(self, request: Request) -> tuple[str, str]:
        """Name the method called; calls that differ only in clock, token and signature have the same subject."""
        method = request.path.removeprefix("/douyin/").replace("/", ".")
        text = request.body + request.query.get("param_json", "").encode()
        return f"douyin:{method}" if method == "authorize" else method, hashlib.sha256(text).hexdigest()

    def refusal(self, kind: str, request: Request) -> Answer:
        """Say that the call may come again."""
        error = DoudianError(60_000, "isv.traffic-limited", "访问太频繁")
        if kind == "temporary":
            method = self.operation(request)[0]
            error = DoudianError(20_000, "isp.service-error:20004", "系统繁忙，请稍后重试")
            if method.startswith("order.logistics"):
                error = DoudianError(20_000, "isp.service-error:10005", "系统繁忙，请稍后重试")
        return write(error, self._now())

    def answer(self, request: Request) -> Answer:
        """Serve the gateway and the authorisation page."""
        if request.path == "/douyin/authorize":
            return tokens.authorize(self._store, self._now(), request)
        try:
            value = self._call(request)
        except DoudianError as error:
            value = error
        return write(value, self._now())

    def control(self, word: str, value: Any, now: float) -> None:
        """`quota`: how many calls are left; None lifts the limit. `revoke`: whether the seller shuts the app out.

        A new login lets a service in again; an app of the seller's own waits for `revoke` to be false.
        """
        if word == "quota":
            self._store.limit("douyin.quota", value)
        elif type(value) is bool:
            self._store.put(tokens.REVOKED, value)
        else:
            raise ValueError("revoke is true or false")

    def _call(self, request: Request) -> Any:
        now = self._now()
        text, query = self._text(request), request.query
        name = request.path.removeprefix("/douyin/").replace("/", ".")
        if query.get("method") != name:
            raise missing() if not query.get("method") else invalid(None, "method and path differ")
        self._check_app(query, text, now)
        method = METHODS.get(name)
        if method is None and name in NOT_GRANTED:
            raise DoudianError(30_001, "isv.app-permissions-insufficient")
        if method is None:
            raise DoudianError(70_000, "isp.api-service-off")
        shop = self._check_token(query, now) if method.token else tokens.SHOP
        if not self._store.spend("douyin.quota"):
            raise DoudianError(60_000, "isv.traffic-limited", "访问太频繁")
        try:
            params = json.loads(text)
        except (ValueError, RecursionError):
            raise invalid(None, "param_json is no JSON") from None
        if not isinstance(params, dict) or set(params) - method.knows:
            raise invalid(None, "param_json holds what this method does not know")
        return method.run(Call(self._store, now, shop, name, params, request))

    def _text(self, request: Request) -> str:
        if request.verb == "GET":
            return request.query.get("param_json", "{}")
        kind = request.headers.get("content-type", "")
        if request.verb != "POST" or not kind.startswith("application/json"):
            raise invalid(None, "POST application/json")
        return request.body.decode("utf-8", errors="replace")

    def _check_app(self, query: Mapping[str, str], text: str, now: float) -> None:
        if query.get("app_key") != tokens.APP_KEY:
            raise DoudianError(40_003, "isv.app-id-invalid")
        if not query.get("timestamp") or not query.get("sign"):
            raise DoudianError(40_001, "isv.missing-parameter")
        if query.get("v") != "2":
            raise invalid(None, "v")
        if abs(read_clock(query["timestamp"]) - now) > CLOCK_SECONDS:
            raise DoudianError(40_003, "isv.timestamp-invalid")
        signed = signature(tokens.APP_SECRET, query, text)
        if signed is None or not hmac.compare_digest(signed.encode(), query["sign"].encode()):
            raise DoudianError(40_003, "isv.signature-invalid")

    def _check_token(self, query: Mapping[str, str], now: float) -> str:
        if not query.get("access_token"):
            raise DoudianError(40_003, "isv.access-token-no-existed")
        token = self._store.token(query["access_token"], "douyin")
        if token is None:
            raise DoudianError(40_003, "isv.access-token-invalid")
        if self._store.get(tokens.REVOKED):
            raise DoudianError(30_001, "dop.authorization-closed")
        if token.expires <= now:
            raise DoudianError(40_003, "isv.access-token-expired")
        return token.shop

    def cases(self, shop: Shop) -> Sequence[str]:
        """Name the awkward cases."""
        return orders.CASES

    def make(
        self,
        shop: Shop,
        seed: int,
        number: int,
        dice: Random,
        *,
        at: int,
        case: str | None,
        like: Order | None,
    ) -> Order:
        """Make one order."""
        person = orders.recipient(like.body) if like else None
        return orders.make(seed, number, dice, shop=shop.name, at=at, case=case, person=person)

    def touch(self, order: Order, changes: Mapping[str, Any], seed: int, now: float) -> bool:
        """Change an order as a buyer or seller would; only another main status counts as a modification here."""
        return orders.touch(order, changes, seed, now)

    def unseal(self, order: Order, seal: str) -> Person | None:
        """Give who is behind a ciphertext of an order's recipient."""
        return orders.recipient(order.body) if orders.owns(order.body, seal) else None

    def event(self, order: Order) -> Mapping[str, Any]:
        """Give the message about an order."""
        return messages.push(order)
