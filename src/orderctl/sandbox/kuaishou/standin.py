"""The stand-in of Kuaishou's shop: who may call, and is the call well formed.

The one invariant: no method runs before common parameters, clock, signature, token, rate and day's quota are in order,
in this sequence, and every refusal is HTTP 200 with the platform's envelope.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, ClassVar

from orderctl.sandbox.answer import Answer, Request
from orderctl.sandbox.buckets import Bucket
from orderctl.sandbox.kuaishou import messages, orders, tokens
from orderctl.sandbox.kuaishou.calls import Call, signature
from orderctl.sandbox.kuaishou.envelopes import (
    BAD_COMMON,
    BAD_SIGN,
    GATE,
    NO_TOKEN,
    QPS,
    QUOTA,
    REVOKED,
    TOKEN_EXPIRED,
    TOKEN_UNKNOWN,
    KsError,
    ill,
    invalid,
    well,
)
from orderctl.sandbox.kuaishou.shipping import METHODS, book_refused
from orderctl.sandbox.people import Person
from orderctl.sandbox.standins import Shop
from orderctl.sandbox.store import Order, Store

ROOT = "/kuaishou"
LISTS = frozenset({"open.order.cursor.list"})
COMMON = ("appkey", "method", "version", "param", "access_token", "timestamp", "signMethod", "sign")
CLOCK_SECONDS = 600
LIST_RATE = 300.0
HOUR_MS = 3_600_000


class Kuaishou:
    """The platform, with one shop."""

    name: ClassVar[str] = "kuaishou"
    shops: ClassVar[tuple[Shop, ...]] = (Shop("kuaishou", tokens.SHOP, 10, title="样例小店"),)
    lists: ClassVar[frozenset[str]] = LISTS
    pages: ClassVar[frozenset[str]] = LISTS
    words: ClassVar[frozenset[str]] = frozenset({"quota", "window", "revoke"})

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store, self._now = store, now
        self._rate = Bucket(LIST_RATE, LIST_RATE)
        tokens.keep_first_tokens(store, now())

    def path(self, shop: Shop) -> str:
        """Every shop calls the same gateway; the token says which one it is."""
        return ROOT

    def settings(self, shop: Shop) -> dict[str, str]:
        """Give credentials that work, and a rate for a platform on the same machine."""
        return {
            "app_key": tokens.APP_KEY, "app_secret": tokens.APP_SECRET, "sign_secret": tokens.SIGN_SECRET,
            "access_token": tokens.ACCESS_TOKEN, "message_secret": tokens.MESSAGE_SECRET, "calls_per_second": "200",
        }  # fmt: skip

    def serves(self, path: str) -> bool:
        """Every method has a path of its own below the root."""
        return path.startswith(ROOT + "/")

    def operation(self, request: Request) -> tuple[str, str]:
        """Name the method called; calls that differ only in clock, token and signature have the same subject."""
        params = request.form()
        if "/oauth" in request.path:
            return "kuaishou:" + request.path.rsplit("/", 1)[-1], hashlib.sha256(request.body).hexdigest()
        told = (params.get("method", ""), params.get("param", ""))
        return told[0] or "kuaishou:unnamed", hashlib.sha256(repr(told).encode()).hexdigest()

    def refusal(self, kind: str, request: Request) -> Answer:
        """Say that the call may come again."""
        if "/oauth" in request.path:
            return tokens.failed(tokens.SERVER)
        code = GATE if kind == "temporary" else QPS
        return ill(KsError(code, "Exceed qps limit"), self._now())

    def answer(self, request: Request) -> Answer:
        """Serve the gateway and the pages of the login."""
        now = self._now()
        if request.path == f"{ROOT}/oauth/authorize":
            return tokens.authorize(self._store, now, request)
        if request.path in (f"{ROOT}/oauth2/access_token", f"{ROOT}/oauth2/refresh_token"):
            return tokens.token_page(self._store, now, request)
        try:
            return well(self._call(request, now), now)
        except KsError as error:
            return ill(error, now)

    def control(self, word: str, value: Any, now: float) -> None:
        """`quota`: calls left today. `window`: the widest window in hours, while a season is busy. `revoke`: true.

        None lifts a limit; a new login lifts the last.
        """
        if word == "revoke":
            if value is not True:
                raise ValueError(f"{value!r} takes no permission back: true does")
            self._store.put("kuaishou.revoked", value=True)
        elif word == "window":
            self._store.limit("kuaishou.window", value)
            if value:
                self._store.put("kuaishou.window", value * HOUR_MS)
        else:
            self._store.limit("kuaishou.quota", value)

    def _call(self, request: Request, now: float) -> Any:
        params = request.form()
        self._check_common(request, params, now)
        shop = self._check_token(params.get("access_token"), now)
        method = METHODS[params["method"]]
        if params["method"] in LISTS and not self._rate.take(1, now):
            raise KsError(QPS, "Exceed qps limit")
        if not self._store.spend("kuaishou.quota"):
            raise KsError(QUOTA, f"Exceed quota limit, KEY[{tokens.APP_KEY}]")
        try:
            param = json.loads(params["param"])
        except ValueError:
            raise invalid("param") from None
        if not isinstance(param, dict):
            raise invalid("param")
        call = Call(self._store, now, shop, params["method"], param, request)
        try:
            return method.run(call)
        except KsError as error:
            if method.verb == "POST" and not error.booked:
                book_refused(call, None, error.code)
            raise

    def _check_common(self, request: Request, params: Mapping[str, str], now: float) -> None:
        for name in COMMON:
            if not params.get(name) and name != "access_token":
                raise KsError(BAD_COMMON, f"missing {name}")
        if params["appkey"] != tokens.APP_KEY or params["version"] != "1":
            raise KsError(BAD_COMMON, "appkey or version")
        method = METHODS.get(params["method"])
        if method is None or request.path != f"{ROOT}/{params['method'].replace('.', '/')}":
            raise KsError(BAD_COMMON, "method not found")
        media = request.headers.get("content-type", "")
        if request.verb != method.verb or (
            request.verb == "POST" and not media.startswith("application/x-www-form-urlencoded")
        ):
            raise KsError(BAD_COMMON, "http method or content type")
        stamp = params["timestamp"]
        if (
            not (stamp.isascii() and stamp.isdigit() and len(stamp) == 13)
            or abs(int(stamp) / 1000 - now) > CLOCK_SECONDS
        ):
            raise KsError(BAD_COMMON, "timestamp")
        signed = signature(params, tokens.SIGN_SECRET)
        if signed is None or not hmac.compare_digest(signed.encode(), params["sign"].encode()):
            raise KsError(BAD_SIGN, "sign error")

    def _check_token(self, given: str | None, now: float) -> str:
        if not given:
            raise KsError(NO_TOKEN, "access_token is missing")
        token = self._store.token(given, "kuaishou")
        if token is None:
            raise KsError(TOKEN_UNKNOWN, "access_token is unknown")
        if self._store.get("kuaishou.revoked"):
            raise KsError(REVOKED, "authorization is revoked")
        if token.expires <= now:
            raise KsError(TOKEN_EXPIRED, "access_token is expired")
        return token.shop

    def cases(self, shop: Shop) -> Sequence[str]:
        """Name the awkward cases."""
        return orders.CASES

    def make(
        self, shop: Shop, seed: int, number: int, dice: Random, *, at: int, case: str | None, like: Order | None
    ) -> Order:  # fmt: skip
        """Make one order."""
        person = orders.recipient(like.body) if like else None
        return orders.make(shop.name, shop.title, seed, number, dice, at=at, case=case, person=person)

    def touch(self, order: Order, changes: Mapping[str, Any], seed: int, now: float) -> bool:
        """Change an order as a buyer or seller would. Raises: ValueError for a change nobody can make."""
        orders.touch(order, changes, seed, now)
        return True

    def unseal(self, order: Order, seal: str) -> Person | None:
        """Give who lives behind the id of an order's address."""
        known = order.body["orderDeliveryInfo"]["openAddressId"]
        return orders.recipient(order.body) if seal == known else None

    def event(self, order: Order) -> Mapping[str, Any]:
        """Give the message about an order."""
        return messages.push(order)
