"""The stand-in of JD: who may call, and is the call well formed.

The one invariant: nothing runs before signature, clock, token, permission, quota and arguments are in order, in this
sequence. The classic gateway says no with HTTP 200 and its envelope, the SP-API with a status and a list of errors.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from random import Random
from typing import Any, ClassVar

from orderctl.sandbox.answer import Answer, Request, as_json
from orderctl.sandbox.jd import jos, login, orders, rest
from orderctl.sandbox.jd.login import APP_KEY, APP_SECRET
from orderctl.sandbox.jd.refusals import GatewayError
from orderctl.sandbox.jd.rest import RestError
from orderctl.sandbox.people import Person
from orderctl.sandbox.standins import Shop
from orderctl.sandbox.store import Order, Store
from orderctl.sandbox.texts import GMT8, digest

ROUTER = "/jd/routerjson"
CLOCK_SECONDS = 360
BODY = "360buy_param_json"
SYSTEM = frozenset({"method", "app_key", "access_token", "timestamp", "v", "sign", "format", BODY})
REST_LIST = "jd:GET /orders"
LISTS = frozenset({"jingdong.pop.order.search", "jingdong.pop.order.enSearch", REST_LIST})
HEADERS = {
    "x-jos-app-key": "X-JOS-App-Key",
    "x-jos-access-token": "X-JOS-Access-Token",
    "x-jos-timestamp": "X-JOS-Timestamp",
}


def signature(signed: Mapping[str, str]) -> str:
    """Sign received texts; those without a value do not count."""
    text = "".join(name + value for name, value in sorted(signed.items()) if value)
    return hashlib.md5(f"{APP_SECRET}{text}{APP_SECRET}".encode()).hexdigest().upper()


def read_timestamp(text: str) -> float:
    """Read a timestamp of the classic gateway, Beijing time unless it names its zone. Raises: ValueError."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text, re.ASCII):
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=GMT8).timestamp()
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f%z").timestamp()


class Jd:
    """The platform, with one shop."""

    name: ClassVar[str] = "jd"
    shops: ClassVar[tuple[Shop, ...]] = (Shop("jd", login.SHOP, 10, title="样例专营店"),)
    lists: ClassVar[frozenset[str]] = LISTS
    pages: ClassVar[frozenset[str]] = LISTS
    words: ClassVar[frozenset[str]] = frozenset({"quota", "renewals"})

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store, self._now = store, now
        login.keep_first_tokens(store, now())

    def path(self, shop: Shop) -> str:
        """The classic gateway, the SP-API and the login lie below it."""
        return "/jd"

    def settings(self, shop: Shop) -> dict[str, str]:
        """Give credentials that work, and the pace for a platform on the same machine."""
        return {
            "app_key": APP_KEY, "app_secret": APP_SECRET, "access_token": login.TOKEN, "calls_per_second": "200",
            "quota_pause_s": "1",
        }  # fmt: skip

    def serves(self, path: str) -> bool:
        """Everything below its name."""
        return path == "/jd" or path.startswith("/jd/")

    def operation(self, request: Request) -> tuple[str, str]:
        """Name the method or address called; calls that differ only in clock and signature have the same subject."""
        if request.path == ROUTER:
            params = request.form()
            kept = sorted(item for item in params.items() if item[0] not in ("timestamp", "sign"))
            return params.get("method") or "jd:unnamed", _hash(kept)
        if request.path.startswith(rest.BASE):
            route, ref = rest.route(request)
            name = f"jd:{request.verb} {route.name}" if route else "jd:unnamed"
            return name, _hash([ref, sorted(request.query.items()), request.body])
        return "jd:" + request.path.rsplit("/", 1)[-1], ""

    def refusal(self, kind: str, request: Request) -> Answer:
        """Say that the call may come again."""
        if kind == "429":
            return as_json({"success": False}, 429, {"Retry-After": "1"})
        if request.path.startswith(rest.BASE):
            if kind == "throttled":
                return as_json(RestError(429, "429", "调用次数超限").envelope, 429, {"Retry-After": "1"})
            return as_json(RestError(200, "10201009999", "系统繁忙，请稍后重试").envelope)
        code = "2" if kind == "throttled" else "65"
        return as_json({"error_response": GatewayError(code).envelope})

    def answer(self, request: Request) -> Answer:
        """Serve both gateways and the login."""
        if request.path == ROUTER:
            try:
                return as_json(self._classic(request))
            except GatewayError as error:
                return as_json({"error_response": error.envelope})
        if request.path.startswith(rest.BASE):
            number = {"extension": {"requestId": digest(request.path, self._now())[:16]}}
            try:
                return as_json({"success": True, **self._rest(request), **number})
            except RestError as error:
                return as_json(error.envelope | number, error.status)
        return login.page(self._store, self._now(), request)

    def control(self, word: str, value: Any, now: float) -> None:
        """`quota`: how many calls are left; None lifts the limit. `renewals`: of logins in a month; None: as ever."""
        self._store.limit(f"jd.{word}", value)

    def _classic(self, request: Request) -> dict[str, Any]:
        now, params = self._now(), request.form()
        if request.verb not in ("GET", "POST"):
            raise GatewayError("50")
        self._check_system(params, now)
        name = params["method"]
        method = jos.METHODS.get(name)
        if method is None and name not in jos.NOT_GRANTED:
            raise GatewayError("15")
        shop, scope = self._check_token(params.get("access_token", ""), now)
        if method is None or (method.writes and "write" not in scope):
            raise GatewayError("24")
        if not self._store.spend("jd.quota"):
            raise GatewayError("2")
        arguments = jos.arguments_of(params.get(BODY, ""), method)
        return jos.wrapped(name, method.run(jos.Call(self._store, now, shop, arguments, request)))

    def _check_system(self, params: Mapping[str, str], now: float) -> None:
        if unknown := params.keys() - SYSTEM:
            raise GatewayError("50", "：" + ",".join(sorted(unknown))[:80])
        if not params.get("method"):
            raise GatewayError("14")
        if not params.get("app_key"):
            raise GatewayError("20")
        if params["app_key"] != APP_KEY:
            raise GatewayError("21")
        if not params.get("timestamp"):
            raise GatewayError("7")
        try:
            skew = abs(read_timestamp(params["timestamp"]) - now)
        except ValueError:
            raise GatewayError("8") from None
        if skew > CLOCK_SECONDS:
            raise GatewayError("8")
        if not params.get("v"):
            raise GatewayError("4")
        if params["v"] != "2.0":
            raise GatewayError("5")
        if not params.get("sign"):
            raise GatewayError("11")
        signed = {name: value for name, value in params.items() if name != "sign"}
        if not hmac.compare_digest(signature(signed).encode(), params["sign"].encode()):
            raise GatewayError("12")

    def _check_token(self, token: str, now: float) -> tuple[str, list[str]]:
        if not token:
            raise GatewayError("18")
        found = self._store.token(token, "jd")
        if found is None or found.expires <= now:
            raise GatewayError("19")
        return found.shop, found.scope.split()

    def _rest(self, request: Request) -> dict[str, Any]:
        now, headers = self._now(), request.headers
        route, ref = rest.route(request)
        if route is None:
            raise RestError(404, "404", "接口不存在")
        if headers.get("x-jos-app-key") != APP_KEY:
            raise RestError(400, "400", "app key无效，签名错误")
        stamp = headers.get("x-jos-timestamp", "")
        if not re.fullmatch(r"[0-9]{13}", stamp) or abs(int(stamp) / 1000 - now) > CLOCK_SECONDS:
            raise RestError(400, "8", "时间戳参数无效")
        body = request.body.decode("utf-8", errors="replace")
        signed = {shown: headers.get(name, "") for name, shown in HEADERS.items()} | dict(request.query)
        signed |= {"orderId": ref} if ref else {}
        signed |= {"body": body} if body not in ("", "{}") else {}
        sign = headers.get("x-jos-sign", "")
        if not hmac.compare_digest(signature(signed).encode(), sign.encode("utf-8", errors="replace")):
            raise RestError(400, "12", "签名错误")
        try:
            shop, scope = self._check_token(headers.get("x-jos-access-token", ""), now)
        except GatewayError:
            raise RestError(401, "19", "access token is missing, invalid or expired") from None
        if headers.get("x-jos-request-identity") != "vender":
            raise rest.bad("X-JOS-Request-Identity")
        if route.writes and "write" not in scope:
            raise RestError(403, "24", "应用无权访问该接口")
        if not self._store.spend("jd.quota"):
            raise RestError(429, "2", "调用次数超限")
        return route.run(rest.Call(self._store, now, shop, ref, request))

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
        return orders.make(shop.name, seed, number, dice, at=at, case=case, person=person)

    def touch(self, order: Order, changes: Mapping[str, Any], seed: int, now: float) -> bool:
        """Change an order as a buyer or seller would. Raises: ValueError for a change nobody can make."""
        orders.touch(order, changes, seed, now)
        return True

    def unseal(self, order: Order, seal: str) -> Person | None:
        """Give who is behind the OAID of an order."""
        return orders.recipient(order.body) if order.body["consigneeInfo"]["oaid"] == seal else None

    def event(self, order: Order) -> Mapping[str, Any] | None:
        """Its messages come over a connection of their own, not by HTTP."""
        return None


def _hash(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()
