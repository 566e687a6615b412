"""The stand-in of Taobao: who may call, and is the call well formed.

The one invariant: no method runs before signature, clock, session, permission, quota and arguments are in order, in
this sequence, and every refusal is HTTP 200 with the platform's error envelope.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, ClassVar

from orderctl.sandbox.answer import Answer, Request
from orderctl.sandbox.people import Person
from orderctl.sandbox.standins import Shop
from orderctl.sandbox.store import Order, Store
from orderctl.sandbox.taobao import orders, tokens
from orderctl.sandbox.taobao.calls import Call, Method, read_time, signature
from orderctl.sandbox.taobao.envelopes import TopError, write
from orderctl.sandbox.taobao.shipping import METHODS
from orderctl.sandbox.taobao.tokens import APP_KEY, APP_SECRET, DAY

PATHS = ("/router/rest", "/oauth/authorize", "/oauth/token")
LISTS = frozenset({"taobao.trades.sold.get", "taobao.trades.sold.increment.get"})
CLOCK_SECONDS = 600
NOT_GRANTED = frozenset({
    "taobao.top.oaid.decrypt", "taobao.trades.sold.history.get", "taobao.trades.sold.query",
    "alibaba.ascp.logistics.offline.send", "cainiao.waybill.ii.get",
})  # fmt: skip
"""Methods that exist but are not in this application's permission pack."""


class Taobao:
    """The platform, with one shop."""

    name: ClassVar[str] = "taobao"
    shops: ClassVar[tuple[Shop, ...]] = (Shop("taobao", tokens.SHOP, 45, title="样例旗舰店"),)
    lists: ClassVar[frozenset[str]] = LISTS
    pages: ClassVar[frozenset[str]] = LISTS
    words: ClassVar[frozenset[str]] = frozenset({"quota"})

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store, self._now = store, now
        tokens.keep_first_tokens(store, now())

    def path(self, shop: Shop) -> str:
        """Every shop calls the same router; the session says which one it is."""
        return "/taobao/router/rest"

    def settings(self, shop: Shop) -> dict[str, str]:
        """Give credentials that work, and a rate for a platform on the same machine."""
        return {
            "app_key": APP_KEY, "app_secret": APP_SECRET, "session": tokens.SESSION, "calls_per_second": "2000",
        }  # fmt: skip

    def serves(self, path: str) -> bool:
        """The router and the authorisation pages, also without the leading `/taobao`."""
        return path.removeprefix("/taobao") in PATHS

    def operation(self, request: Request) -> tuple[str, str]:
        """Name the method called; calls that differ only in clock and signature have the same subject."""
        params = request.form()
        if not request.path.endswith("/router/rest"):
            return "taobao:" + request.path.rsplit("/", 1)[-1], ""
        kept = sorted(item for item in params.items() if item[0] not in ("timestamp", "sign"))
        return params.get("method") or "taobao:unnamed", hashlib.sha256(repr(kept).encode()).hexdigest()

    def refusal(self, kind: str, request: Request) -> Answer:
        """Say that the call may come again."""
        params = request.form()
        error = TopError(
            7,
            "App Call Limited",
            "accesscontrol.limited-by-api-access-count",
            "This ban will last for 1 more seconds",
        )
        if kind == "temporary":
            error = TopError(15, "Remote service error", "isp.top-remote-connection-timeout", "HSF timeout")
            if params.get("method", "").startswith("taobao.logistics."):
                error = TopError(
                    15, "Remote service error", "isv.logistics-offline-service-error:S01", "系统异常，请重试"
                )
        return write(params, {"error_response": error.envelope}, self._now())

    def answer(self, request: Request) -> Answer:
        """Serve the router and the authorisation pages."""
        if request.path.endswith("/oauth/authorize"):
            return tokens.authorize(self._store, self._now(), request)
        if request.path.endswith("/oauth/token"):
            return tokens.token_page(self._store, self._now(), request)
        params = request.form()
        try:
            value = self._call(request, params)
        except TopError as error:
            value = {"error_response": error.envelope}
        return write(params, value, self._now())

    def control(self, word: str, value: Any, now: float) -> None:
        """`quota`: how many calls are left today; None lifts the limit."""
        self._store.limit("taobao.quota", value)

    def _call(self, request: Request, params: Mapping[str, str]) -> dict[str, Any]:
        now = self._now()
        if request.verb not in ("GET", "POST"):
            raise TopError(9, "Http Action Not Allowed")
        if request.verb == "POST" and not request.headers.get("content-type", "").startswith(
            "application/x-www-form-urlencoded"
        ):
            raise TopError(3, "Upload Fail", sub_msg="only application/x-www-form-urlencoded is served")
        name = params.get("method", "")
        self._check_common(params, now)
        method = METHODS.get(name)
        if method is None and name in NOT_GRANTED:
            raise TopError(11, "Insufficient isv permissions", "isv.permission-api-package-not-granted")
        if method is None:
            raise TopError(22, "Invalid method", "isv.invalid-method")
        shop = self._check_session(params, method, now) if method.session else ""
        if not self._store.spend("taobao.quota"):
            ban = f"This ban will last for {DAY - int(now + 8 * 3600) % DAY} more seconds"
            raise TopError(7, "App Call Limited", "accesscontrol.limited-by-app-access-count", ban)
        body = method.run(Call(self._store, now, shop, params, request))
        return {name.removeprefix("taobao.").replace(".", "_") + "_response": body}

    def _check_common(self, params: Mapping[str, str], now: float) -> None:
        if not params.get("method"):
            raise TopError(21, "Missing method")
        if not params.get("app_key"):
            raise TopError(28, "Missing app key")
        if params["app_key"] != APP_KEY:
            raise TopError(29, "Invalid app key", "isv.appkey-not-exists")
        if not params.get("timestamp"):
            raise TopError(30, "Missing timestamp")
        try:
            skew = abs(read_time("timestamp", params["timestamp"]) - now)
        except TopError:
            raise TopError(31, "Invalid timestamp") from None
        if skew > CLOCK_SECONDS:
            raise TopError(
                31, "Invalid timestamp", "isv.invalid-timestamp", "more than 10 minutes away from GMT+8"
            )
        if not params.get("v"):
            raise TopError(32, "Missing version")
        if params["v"] != "2.0":
            raise TopError(33, "Invalid version")
        if params.get("format", "xml") not in ("json", "xml"):
            raise TopError(23, "Invalid format")
        if not params.get("sign"):
            raise TopError(24, "Missing signature")
        signed = signature(params, APP_SECRET, params.get("sign_method", ""))
        if signed is None or not hmac.compare_digest(signed, params["sign"]):
            raise TopError(25, "Invalid signature", "isv.invalid-signature")

    def _check_session(self, params: Mapping[str, str], method: Method, now: float) -> str:
        if not params.get("session"):
            raise TopError(26, "Missing session")
        token = self._store.token(params["session"], "taobao")
        if token is None:
            raise TopError(27, "Invalid session", "invalid-sessionkey", "SessionKey非法")
        if token.expires <= now:
            raise TopError(27, "Invalid session", "session-expired", "SessionKey已过期")
        if method.writes and "write" not in token.scope.split():
            raise TopError(12, "Insufficient user permissions", "isv.w1-expired")
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
        """Make one trade."""
        person = orders.recipient(like.body) if like else None
        return orders.make(shop.name, shop.title, seed, number, dice, at=at, case=case, person=person)

    def touch(self, order: Order, changes: Mapping[str, Any], seed: int, now: float) -> bool:
        """Change a trade as a buyer or seller would. Raises: ValueError for a change nobody can make."""
        orders.touch(order, changes, seed, now)
        return True

    def unseal(self, order: Order, seal: str) -> Person | None:
        """Give who is behind the OAID of a trade."""
        return orders.recipient(order.body) if order.body["oaid"] == seal else None

    def event(self, order: Order) -> Mapping[str, Any] | None:
        """Its messages come over a connection of their own, not by HTTP."""
        return None
