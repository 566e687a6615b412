"""Sessions of the Taobao stand-in: codes and refresh tokens turn into them, at the web pages and by method.

The one invariant: a code works once and for ten minutes; a refresh token stays the same.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from orderctl.sandbox.answer import Answer, Request, as_json, as_text
from orderctl.sandbox.store import Store
from orderctl.sandbox.taobao.calls import Call
from orderctl.sandbox.taobao.envelopes import TopError
from orderctl.sandbox.texts import digest

APP_KEY = "12345678"
APP_SECRET = "sandbox-taobao-secret"
SESSION = "sandbox-taobao-session"
READ_ONLY_SESSION = "sandbox-taobao-readonly"
REFRESH_TOKEN = "sandbox-taobao-refresh"
SHOP = "tb-demo"
SELLER_ID = "2200000000001"

CODE_SECONDS = 600
DAY = 86_400
TOKEN_SECONDS = 365 * DAY


def keep_first_tokens(store: Store, now: float) -> None:
    """Remember the tokens that everybody may use, unless they are known."""
    with store.transaction():
        if store.get("taobao.sessions") is not None:
            return
        for token, kind, scope in (
            (SESSION, "access", "read write"),
            (READ_ONLY_SESSION, "access", "read"),
            (REFRESH_TOKEN, "refresh", "read write"),
        ):
            store.keep_token(token, "taobao", SHOP, kind, scope, now + TOKEN_SECONDS)
        store.put("taobao.sessions", 0)


def authorize(store: Store, now: float, request: Request) -> Answer:
    """GET /oauth/authorize: the seller says yes at once."""
    query = request.query
    if (
        query.get("response_type") != "code"
        or query.get("client_id") != APP_KEY
        or not query.get("redirect_uri")
    ):
        return as_text("response_type=code, client_id and redirect_uri are needed", 400)
    with store.transaction():
        code = digest("code", store.count("taobao.codes"), now)[:24]
        store.keep_token(code, "taobao", SHOP, "code", "read write", now + CODE_SECONDS)
    back = query["redirect_uri"]
    if not back.startswith(("http://127.0.0.1", "http://localhost")):
        return as_text(f"<p>code: <code>{code}</code></p>")
    sent = urlencode({"code": code, "state": query.get("state", "")})
    return Answer(302, b"", headers={"Location": f"{back}{'&' if '?' in back else '?'}{sent}"})


def token_page(store: Store, now: float, request: Request) -> Answer:
    """POST /oauth/token: a code or a refresh token for a session."""
    form = request.form()
    if form.get("client_id") != APP_KEY or form.get("client_secret") != APP_SECRET:
        return as_json(
            {"error": "invalid_client", "error_description": "client_id or client_secret is wrong"}, 400
        )
    kind = {"authorization_code": "code", "refresh_token": "refresh"}.get(form.get("grant_type", ""))
    if kind is None or request.verb != "POST":
        return as_json({"error": "unsupported_grant_type"}, 400)
    token = exchange(store, now, kind, form.get("code" if kind == "code" else "refresh_token", ""))
    if token is None:
        return as_json({"error": "invalid_grant", "error_description": f"{kind} is invalid or expired"}, 400)
    return as_json(token)


def exchange(store: Store, now: float, kind: str, given: str) -> dict[str, Any] | None:
    """Turn a code (once) or a refresh token into a new session; None if it is unknown or too old."""
    with store.transaction():
        found = store.token(given, "taobao", kind)
        if found is None or found.expires <= now:
            return None
        if kind == "code":
            store.forget_token(given)
        session = f"sandbox-session-{digest('session', store.count('taobao.sessions'), given)[:24]}"
        refresh = given if kind == "refresh" else REFRESH_TOKEN
        store.keep_token(session, "taobao", found.shop, "access", found.scope, now + TOKEN_SECONDS)
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
