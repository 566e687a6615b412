"""The stand-in of Pinduoduo: who may call, and is the call well formed.

The one invariant: no method runs before common parameters, clock, signature, address, token, permission and quota
are in order, in this sequence, and every refusal is HTTP 200 with the platform's error envelope.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from random import Random
from typing import Any, ClassVar

from orderctl.sandbox.answer import Answer, Request
from orderctl.sandbox.buckets import Bucket
from orderctl.sandbox.pdd import lists, orders, shipping, tokens
from orderctl.sandbox.pdd.calls import Call, Method, PddError, common, read_params, signature, write
from orderctl.sandbox.people import Person
from orderctl.sandbox.standins import Shop
from orderctl.sandbox.store import Order, Store

ROUTER, LOGIN = "/pdd/api/router", "/pdd/service-market/auth"
CLOCK_S = 600
LISTS = frozenset({"pdd.order.list.get", "pdd.order.number.list.increment.get", "pdd.order.basic.list.get"})
NOT_GRANTED = frozenset(
    {"pdd.open.decrypt.batch", "pdd.open.decrypt.mask.batch", "pdd.waybill.get", "pdd.cloud.waybill.get"}
)
"""Methods that exist but are not in this application's permission packs."""
METHODS: Mapping[str, Method] = {
    "pdd.pop.auth.token.create": Method(tokens.create_token, "pop_auth_token_create_response", session=False),
    "pdd.pop.auth.token.refresh": Method(
        tokens.refresh_token, "pop_auth_token_refresh_response", session=False
    ),
    "pdd.time.get": Method(lists.server_time, "time_get_response", session=False),
    "pdd.mall.info.get": Method(lists.mall, "mall_info_get_response"),
    "pdd.order.list.get": Method(lists.confirmed, "order_list_get_response"),
    "pdd.order.basic.list.get": Method(lists.basic, "order_basic_list_get_response"),
    "pdd.order.number.list.increment.get": Method(lists.changed, "order_sn_increment_get_response"),
    "pdd.order.information.get": Method(lists.information, "order_info_get_response"),
    "pdd.order.status.get": Method(lists.states, "order_status_get_response"),
    "pdd.order.note.update": Method(lists.note_update, "order_note_update_response"),
    "pdd.logistics.companies.get": Method(
        shipping.companies, "logistics_companies_get_response", session=False
    ),
    "pdd.logistics.online.send": Method(shipping.send, "logistics_online_send_response"),
    "pdd.order.upload.extra.logistics": Method(shipping.add_parcels, "upload_extra_logistics_response"),
}
RATES = {"pdd.order.list.get": 6_000.0, "pdd.order.number.list.increment.get": 3_000.0}
"""Calls in sixty seconds of one shop."""


class Pdd:
    """The platform, with a shop whose ciphertexts hold indexes, and one whose orders carry ids for merging."""

    name: ClassVar[str] = "pdd"
    shops: ClassVar[tuple[Shop, ...]] = (
        Shop("pdd", "pdd-demo", 10, title=tokens.SHOPS["pdd-demo"][1]),
        Shop("pdd", "pdd-group", 3, title=tokens.SHOPS["pdd-group"][1]),
    )
    lists: ClassVar[frozenset[str]] = LISTS
    pages: ClassVar[frozenset[str]] = LISTS
    words: ClassVar[frozenset[str]] = frozenset({"quota", "prolong", "addresses"})

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store, self._now = store, now
        self._buckets: dict[tuple[str, str], Bucket] = {}
        tokens.keep_first_tokens(store, now())

    def path(self, shop: Shop) -> str:
        """Every shop calls the same router; the token says which one it is."""
        return "/pdd"

    def settings(self, shop: Shop) -> dict[str, str]:
        """Give credentials that work, and the rate one shop may read changes at."""
        return {
            "client_id": tokens.CLIENT_ID,
            "client_secret": tokens.CLIENT_SECRET,
            "access_token": tokens.first_token(shop.name),
            "calls_per_second": "50",
        }

    def serves(self, path: str) -> bool:
        """The router and the page of the service market."""
        return path in (ROUTER, LOGIN)

    def operation(self, request: Request) -> tuple[str, str]:
        """Name the method called; calls that differ only in clock and signature have the same subject."""
        if request.path != ROUTER:
            return "pdd:authorize", ""
        try:
            params = read_params(request)
        except PddError:
            params = {}
        kept = sorted(item for item in params.items() if item[0] not in ("timestamp", "sign"))
        subject = hashlib.sha256(repr(kept).encode("utf-8", errors="replace")).hexdigest()
        return params.get("type") or "pdd:unnamed", subject

    def refusal(self, kind: str, request: Request) -> Answer:
        """Say that the call may come again."""
        del request
        code, msg = {
            "429": (70031, "调用过于频繁，请调整调用频率"),
            "throttled": (52101, "当前接口被限流，请稍后重试"),
            "temporary": (52001, "网关业务服务错误"),
        }[kind]
        return write("error_response", PddError(code, msg).envelope, self._now())

    def answer(self, request: Request) -> Answer:
        """Serve the router and the login page."""
        if request.path == LOGIN:
            return tokens.authorize(self._store, self._now(), request)
        try:
            envelope, body = self._call(request)
        except PddError as error:
            envelope, body = "error_response", error.envelope
        return write(envelope, body, self._now())

    def control(self, word: str, value: Any, now: float) -> None:
        """`quota`: calls left today for an app in trial (None: live). `prolong`: renewing makes a login longer.

        `addresses`: from where alone calls are taken, a list of IP addresses (None: from everywhere).
        """
        del now
        if word == "quota":
            self._store.limit("pdd.quota", value)
        elif word == "addresses":
            if value is not None and not (
                isinstance(value, list) and all(isinstance(one, str) for one in value)
            ):
                raise ValueError("addresses are a list of IP addresses, or null")
            self._store.put("pdd.addresses", value and [str(ip_address(one)) for one in value])
        elif type(value) is bool:
            self._store.put("pdd.prolong", value)
        else:
            raise ValueError("prolong is true or false")

    def _call(self, request: Request) -> tuple[str, dict[str, Any]]:
        now = self._now()
        if request.verb != "POST":
            raise PddError(10000, "HTTP方法错误，仅支持POST")
        params = read_params(request)
        self._check_common(params, now)
        self._check_address(request)
        name = params["type"]
        method = METHODS.get(name)
        shop = self._check_token(params, now) if method is None or method.session else ""
        if method is None and name in NOT_GRANTED:
            raise PddError(20031, "用户没有授权访问此接口")
        if method is None:
            raise common("type")
        if not self._store.spend("pdd.quota"):
            raise PddError(70036, "应用处于测试状态，调用次数已达当日上限")
        if name in RATES and not self._bucket(name, shop).take(1, now):
            raise PddError(52101, "当前接口被限流，请稍后重试")
        call = Call(self._store, now, shop, params, request)
        try:
            return method.envelope, method.run(call)
        except PddError as error:
            call.book_refused(params.get("order_sn", ""), error)
            raise

    def _bucket(self, name: str, shop: str) -> Bucket:
        return self._buckets.setdefault((name, shop), Bucket(RATES[name], RATES[name] / 60))

    def _check_common(self, params: Mapping[str, str], now: float) -> None:
        for name in ("type", "client_id", "timestamp", "sign"):
            if not params.get(name):
                raise common(name)
        if params["client_id"] != tokens.CLIENT_ID:
            raise common("client_id")
        told = params["timestamp"]
        if not (told.isascii() and told.isdigit() and len(told) == 10 and abs(int(told) - now) <= CLOCK_S):
            raise common("timestamp")
        if params.get("data_type", "JSON") != "JSON":
            raise common("data_type")
        if params.get("version", "V1") != "V1":
            raise common("version")
        signed = signature(params, tokens.CLIENT_SECRET).encode()
        if not hmac.compare_digest(signed, params["sign"].encode("utf-8", errors="replace")):
            raise PddError(20004, "签名sign校验失败")

    def _check_address(self, request: Request) -> None:
        listed = self._store.get("pdd.addresses")
        if listed is not None and request.client not in listed:
            raise PddError(20005, "ip无权访问接口，请加入ip白名单")

    def _check_token(self, params: Mapping[str, str], now: float) -> str:
        if not params.get("access_token"):
            raise common("access_token")
        token = self._store.token(params["access_token"], "pdd")
        if token is None:
            raise PddError(10014, "access_token无效")
        if token.expires <= now:
            raise PddError(10019, "access_token已过期")
        return token.shop

    def cases(self, shop: Shop) -> Sequence[str]:
        """Name the awkward cases."""
        return orders.CASES

    def make(
        self, shop: Shop, seed: int, number: int, dice: Random,
        *, at: int, case: str | None, like: Order | None,
    ) -> Order:  # fmt: skip
        """Make one order."""
        person = orders.recipient(like.body) if like else None
        return orders.make(shop.name, seed, number, dice, at=at, case=case, person=person)

    def touch(self, order: Order, changes: Mapping[str, Any], seed: int, now: float) -> bool:
        """Change an order as a buyer or seller would. Raises: ValueError for a change nobody can make."""
        orders.touch(order, changes, seed, now)
        return True

    def unseal(self, order: Order, seal: str) -> Person | None:
        """Give who is behind a ciphertext of an order that waits to be shipped."""
        return orders.recipient(order.body) if seal and seal in orders.ciphers(order).values() else None

    def event(self, order: Order) -> Mapping[str, Any] | None:
        """Its messages come over a WebSocket that only the platform's own library speaks."""
        return None
