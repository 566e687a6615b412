"""The gateway of the Taobao stand-in: who may call, is the call well formed, and how answers and errors look.

The one invariant: no method runs before signature, clock, session, permission, quota and arguments are in order, in
this sequence, and every refusal is HTTP 200 with the platform's error envelope.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from orderctl.sandbox.answer import Answer, Request, as_json, as_text
from orderctl.sandbox.store import Store
from orderctl.sandbox.taobao_orders import GMT8, digest

APP_KEY = "12345678"
APP_SECRET = "sandbox-taobao-secret"
SESSION = "sandbox-taobao-session"
READ_ONLY_SESSION = "sandbox-taobao-readonly"
REFRESH_TOKEN = "sandbox-taobao-refresh"
SHOP = "tb-demo"
SELLER_ID = "2200000000001"

CLOCK_SECONDS = 600
CODE_SECONDS = 600
TOKEN_SECONDS = 365 * 86_400
DAY = 86_400

SINGULAR = {
    "trades": "trade", "orders": "order", "promotion_details": "promotion_detail", "service_tags": "service_tag",
    "logistics_infos": "logistics_info", "logistics_companies": "logistics_company", "tid_list": "string",
}  # fmt: skip
"""The inner name of each wrapped list."""


class TopError(Exception):
    """A refusal in the platform's envelope."""

    def __init__(self, code: int, msg: str, sub_code: str | None = None, sub_msg: str | None = None) -> None:
        super().__init__(msg)
        self.envelope = {"code": code, "msg": msg}
        if sub_code:
            self.envelope["sub_code"] = sub_code
        if sub_msg:
            self.envelope["sub_msg"] = sub_msg


def missing(name: str) -> TopError:
    """Say that an argument of the method is missing."""
    return TopError(40, f"Missing required arguments:{name}", "isv.missing-parameter:" + name)


def invalid(name: str, why: str) -> TopError:
    """Say that an argument of the method is wrong."""
    return TopError(41, f"Invalid arguments:{name}", "isv.invalid-parameter:" + name, why)


@dataclass(frozen=True)
class Call:
    """One accepted call of a method; `now` is epoch seconds."""

    store: Store
    now: float
    shop: str
    params: Mapping[str, str]
    disturb: str | None

    def need(self, name: str) -> str:
        """Give a required argument."""
        value = self.params.get(name, "")
        if not value:
            raise missing(name)
        return value

    def number(self, name: str, default: int | None = None) -> int:
        """Give an argument that is a whole number."""
        text = self.params.get(name, "") if default is not None else self.need(name)
        if not text:
            return default or 0
        if not text.isascii() or not text.isdigit():
            raise invalid(name, "a whole number is needed")
        return int(text)

    def moment(self, name: str) -> int | None:
        """Give an argument that is Beijing time, as epoch seconds; None if it is absent."""
        text = self.params.get(name, "")
        return int(read_time(name, text)) if text else None


def read_time(name: str, text: str) -> float:
    """Read `yyyy-MM-dd HH:mm:ss` in GMT+8, and nothing else."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text, re.ASCII):
        try:
            return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=GMT8).timestamp()
        except ValueError:
            pass
    raise invalid(name, "yyyy-MM-dd HH:mm:ss is needed")


@dataclass(frozen=True)
class Method:
    """How one method is run and who may call it."""

    run: Callable[[Call], dict[str, Any]]
    session: bool = True
    writes: bool = False


def signature(params: Mapping[str, str], secret: str, method: str) -> str | None:
    """Sign received parameters; None for an unknown sign method. Entries with an empty name or value do not count."""
    text = "".join(k + v for k, v in sorted(params.items()) if k and v and k != "sign").encode()
    key = secret.encode()
    if method == "md5":
        return hashlib.md5(key + text + key).hexdigest().upper()
    if method == "hmac":
        return hmac.new(key, text, hashlib.md5).hexdigest().upper()
    if method == "hmac-sha256":
        return hmac.new(key, text, hashlib.sha256).hexdigest().upper()
    return None


class TaobaoGate:
    """The stand-in of the platform; `methods` is the table of what it can do."""

    pages = frozenset({"taobao.trades.sold.get", "taobao.trades.sold.increment.get"})

    def __init__(self, store: Store, now: Callable[[], float], methods: Mapping[str, Method]) -> None:
        self._store, self._now, self._methods = store, now, methods
        with store.transaction():
            if store.get("taobao.sessions") is None:
                expires = now() + TOKEN_SECONDS
                for token, kind, scope in (
                    (SESSION, "access", "read write"),
                    (READ_ONLY_SESSION, "access", "read"),
                    (REFRESH_TOKEN, "refresh", "read write"),
                ):
                    self._keep_token(token, kind, scope, expires)
                store.put("taobao.sessions", 0)

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
        return self._write(params, {"error_response": error.envelope})

    def answer(self, request: Request) -> Answer:
        """Serve the gateway and the authorisation pages."""
        if request.path.endswith("/oauth/authorize"):
            return self._authorize(request)
        if request.path.endswith("/oauth/token"):
            return self._token(request)
        params = request.form()
        try:
            return self._write(params, self._call(request, params))
        except TopError as error:
            return self._write(params, {"error_response": error.envelope})

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
        method = self._methods.get(name)
        if method is None and name in NOT_GRANTED:
            raise TopError(11, "Insufficient isv permissions", "isv.permission-api-package-not-granted")
        if method is None:
            raise TopError(22, "Invalid method", "isv.invalid-method")
        shop = self._check_session(params, method, now) if method.session else ""
        self._spend_quota(now)
        body = method.run(Call(self._store, now, shop, params, request.disturb))
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
        token = params.get("session", "")
        if not token:
            raise TopError(26, "Missing session")
        found = self._store.rows(
            "SELECT shop, scope, expires FROM tokens WHERE token = ? AND platform = 'taobao' AND kind = 'access'",
            (token,),
        )
        if not found:
            raise TopError(27, "Invalid session", "invalid-sessionkey", "SessionKey非法")
        shop, scope, expires = found[0]
        if expires <= now:
            raise TopError(27, "Invalid session", "session-expired", "SessionKey已过期")
        if method.writes and "write" not in scope.split():
            raise TopError(12, "Insufficient user permissions", "isv.w1-expired")
        return str(shop)

    def _spend_quota(self, now: float) -> None:
        with self._store.transaction():
            left = self._store.get("taobao.quota")
            if left is None:
                return
            if left <= 0:
                ban = DAY - int(now + 8 * 3600) % DAY
                raise TopError(
                    7,
                    "App Call Limited",
                    "accesscontrol.limited-by-app-access-count",
                    f"This ban will last for {ban} more seconds",
                )
            self._store.put("taobao.quota", left - 1)

    def _write(self, params: Mapping[str, str], value: dict[str, Any]) -> Answer:
        root, body = next(iter(value.items()))
        body = {**body, "request_id": "15q" + digest(root, self._now())[:9].lower()}
        if params.get("format", "xml") != "json":
            text = f'<?xml version="1.0" encoding="utf-8" ?>{to_xml(root, wrapped(body))}'
            return as_text(text, media_type="text/xml;charset=UTF-8")
        if params.get("simplify") == "true":
            return as_json({root: body} if root == "error_response" else body)
        return as_json({root: wrapped(body)})

    def _keep_token(self, token: str, kind: str, scope: str, expires: float) -> None:
        self._store.write(
            "INSERT OR REPLACE INTO tokens VALUES (?, 'taobao', ?, ?, ?, ?)",
            (token, SHOP, kind, scope, expires),
        )

    def _authorize(self, request: Request) -> Answer:
        query = request.query
        if (
            query.get("response_type") != "code"
            or query.get("client_id") != APP_KEY
            or not query.get("redirect_uri")
        ):
            return as_text("response_type=code, client_id and redirect_uri are needed", 400)
        with self._store.transaction():
            code = digest("code", self._store.count("taobao.codes"), self._now())[:24]
            self._keep_token(code, "code", "read write", self._now() + CODE_SECONDS)
        back = query["redirect_uri"]
        if not back.startswith(("http://127.0.0.1", "http://localhost")):
            return as_text(f"<p>code: <code>{code}</code></p>")
        sent = urlencode({"code": code, "state": query.get("state", "")})
        return Answer(302, b"", headers={"Location": f"{back}{'&' if '?' in back else '?'}{sent}"})

    def _token(self, request: Request) -> Answer:
        form = request.form()
        if form.get("client_id") != APP_KEY or form.get("client_secret") != APP_SECRET:
            return as_json(
                {"error": "invalid_client", "error_description": "client_id or client_secret is wrong"}, 400
            )
        kind = {"authorization_code": "code", "refresh_token": "refresh"}.get(form.get("grant_type", ""))
        if kind is None or request.verb != "POST":
            return as_json({"error": "unsupported_grant_type"}, 400)
        given = form.get("code" if kind == "code" else "refresh_token", "")
        token = exchange(self._store, self._now(), kind, given)
        if token is None:
            return as_json(
                {"error": "invalid_grant", "error_description": f"{kind} is invalid or expired"}, 400
            )
        return as_json(token)


NOT_GRANTED = frozenset({
    "taobao.top.oaid.decrypt", "taobao.trades.sold.history.get", "taobao.trades.sold.query",
    "alibaba.ascp.logistics.offline.send", "cainiao.waybill.ii.get",
})  # fmt: skip
"""Methods that exist but are not in this application's permission pack."""


def exchange(store: Store, now: float, kind: str, given: str) -> dict[str, Any] | None:
    """Turn a code (once) or a refresh token into a new session; None if it is unknown or too old."""
    with store.transaction():
        found = store.rows(
            "SELECT scope, expires FROM tokens WHERE token = ? AND platform = 'taobao' AND kind = ?",
            (given, kind),
        )
        if not found or found[0][1] <= now:
            return None
        if kind == "code":
            store.write("DELETE FROM tokens WHERE token = ?", (given,))
        session = f"sandbox-session-{digest('session', store.count('taobao.sessions'), given)[:24]}"
        refresh = given if kind == "refresh" else REFRESH_TOKEN
        store.write(
            "INSERT INTO tokens VALUES (?, 'taobao', ?, 'access', ?, ?)",
            (session, SHOP, found[0][0], now + TOKEN_SECONDS),
        )
    return {
        "access_token": session, "token_type": "Bearer", "expires_in": TOKEN_SECONDS, "refresh_token": refresh,
        "re_expires_in": TOKEN_SECONDS, "r1_expires_in": TOKEN_SECONDS, "r2_expires_in": 3 * DAY,
        "w1_expires_in": TOKEN_SECONDS, "w2_expires_in": 1800, "taobao_user_id": SELLER_ID,
        "taobao_user_nick": "%E6%A0%B7%E4%BE%8B%E6%97%97%E8%88%B0%E5%BA%97",
    }  # fmt: skip


def create_token(call: Call) -> dict[str, Any]:
    """taobao.top.auth.token.create: the result is one JSON text."""
    return token_result(call, "code", call.need("code"))


def refresh_token(call: Call) -> dict[str, Any]:
    """taobao.top.auth.token.refresh: the result is one JSON text."""
    return token_result(call, "refresh", call.need("refresh_token"))


def token_result(call: Call, kind: str, given: str) -> dict[str, Any]:
    """Exchange and wrap. Raises: TopError if the code or refresh token is no good."""
    token = exchange(call.store, call.now, kind, given)
    if token is None:
        raise TopError(15, "Remote service error", f"isv.invalid-{kind}", f"{kind} is invalid or expired")
    return {"token_result": json.dumps(token)}


def wrapped(value: Any) -> Any:
    """Wrap every list under its singular name, as the platform does without `simplify`."""
    if not isinstance(value, dict):
        return value
    return {
        key: {SINGULAR[key]: [wrapped(one) for one in item]} if isinstance(item, list) else wrapped(item)
        for key, item in value.items()
    }  # fmt: skip


def to_xml(name: str, value: Any) -> str:
    """Write an answer as XML."""
    if isinstance(value, dict):
        parts = (
            "".join(to_xml(key, one) for one in item) if isinstance(item, list) else to_xml(key, item)
            for key, item in value.items()
        )
        return f"<{name}>{''.join(parts)}</{name}>"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{name}>{escape(''.join(c for c in text if c >= ' ' or c in chr(10) + chr(9)))}</{name}>"
