"""The login of the Kuaishou stand-in: the seller's page, and codes and refresh tokens that turn into tokens.

The one invariant: a code works once and for two minutes; a refresh token inherits the life of the one before it, and
that one dies five minutes after it was used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from orderctl.sandbox.answer import Answer, Request, as_json, as_text
from orderctl.sandbox.store import Store
from orderctl.sandbox.texts import digest

PLATFORM = "kuaishou"
SHOP = "kuaishou-demo"
APP_KEY = "ks600000000000000001"
APP_SECRET = "sandbox-kuaishou-app-secret"
SIGN_SECRET = "sandbox-kuaishou-sign-secret"
MESSAGE_SECRET = "c2FuZGJveC1rdWFpc2hvdQ=="
ACCESS_TOKEN = "sandbox-kuaishou-access"
REFRESH_TOKEN = "sandbox-kuaishou-refresh"
SELLER = "fakeseller0001"
SCOPES = ("merchant_order", "merchant_refund", "merchant_logistics", "merchant_item", "user_info")

CODE_SECONDS = 120
ACCESS_SECONDS = 172_800
REFRESH_SECONDS = 180 * 86_400
OLD_REFRESH_SECONDS = 300

INVALID_REQUEST = 100200100
UNAUTHORIZED_CLIENT = 100200101
ACCESS_DENIED = 100200102
INVALID_GRANT = 100200105
INVALID_SCOPE = 100200106
SERVER = 100200500
MESSAGES = {
    INVALID_REQUEST: "invalid_request", UNAUTHORIZED_CLIENT: "unauthorized_client", ACCESS_DENIED: "access_denied",
    INVALID_GRANT: "invalid_grant", INVALID_SCOPE: "invalid_scope", SERVER: "server",
}  # fmt: skip


def keep_first_tokens(store: Store, now: float) -> None:
    """Remember the tokens that everybody may use, unless they are known."""
    with store.transaction():
        if store.get("kuaishou.tokens") is not None:
            return
        scope = ",".join(SCOPES)
        store.keep_token(ACCESS_TOKEN, PLATFORM, SHOP, "access", scope, now + 365 * 86_400)
        store.keep_token(REFRESH_TOKEN, PLATFORM, SHOP, "refresh", scope, now + REFRESH_SECONDS)
        store.put("kuaishou.tokens", 0)


def failed(code: int) -> Answer:
    """Write a refusal of the token pages."""
    return as_json({"result": code, "error": MESSAGES[code], "error_msg": MESSAGES[code]})


def authorize(store: Store, now: float, request: Request) -> Answer:
    """GET /oauth/authorize: the seller says yes at once, to the scopes that were asked for."""
    query = request.query
    asked = [scope for scope in query.get("scope", "").split(",") if scope]
    if (
        query.get("app_id") != APP_KEY
        or query.get("response_type") != "code"
        or not query.get("redirect_uri")
    ):
        return as_text("app_id, response_type=code and redirect_uri are needed", 400)
    if not asked or not set(asked) <= set(SCOPES):
        return as_text("unknown scope", 400)
    with store.transaction():
        code = digest("kuaishou code", store.count("kuaishou.codes"), now)[:24]
        store.keep_token(code, PLATFORM, SHOP, "code", ",".join(asked), now + CODE_SECONDS)
        store.put("kuaishou.revoked", value=False)
    back = query["redirect_uri"]
    if not back.startswith(("http://127.0.0.1", "http://localhost")):
        return as_text(f"<p>code: <code>{code}</code></p>")
    sent = urlencode({"code": code, "state": query.get("state", "")})
    return Answer(302, b"", headers={"Location": f"{back}{'&' if '?' in back else '?'}{sent}"})


def token_page(store: Store, now: float, request: Request) -> Answer:
    """Serve /oauth2/access_token (GET, a code) and /oauth2/refresh_token (POST, a refresh token)."""
    refreshing = request.path.endswith("/refresh_token")
    form = request.form()
    kind, given = ("refresh", "refresh_token") if refreshing else ("code", "code")
    if request.verb != ("POST" if refreshing else "GET") or form.get("grant_type") != given:
        return failed(INVALID_REQUEST)
    if form.get("app_id") != APP_KEY or form.get("app_secret") != APP_SECRET:
        return failed(UNAUTHORIZED_CLIENT)
    if refreshing and store.get("kuaishou.revoked"):
        return failed(ACCESS_DENIED)
    found = exchange(store, now, kind, form.get(given, ""))
    return failed(INVALID_GRANT) if found is None else as_json(found)


def exchange(store: Store, now: float, kind: str, given: str) -> Mapping[str, Any] | None:
    """Turn a code or a refresh token into a pair of tokens; None if it is unknown or too old."""
    with store.transaction():
        found = store.token(given, PLATFORM, kind)
        if found is None or found.expires <= now:
            return None
        if kind == "code":
            store.forget_token(given)
        number = store.count("kuaishou.tokens")
        access, refresh = (digest(what, number, given)[:40] for what in ("access", "refresh"))
        ends = found.expires if kind == "refresh" else now + REFRESH_SECONDS
        if kind == "refresh":
            old = min(found.expires, now + OLD_REFRESH_SECONDS)
            store.keep_token(given, PLATFORM, found.shop, "refresh", found.scope, old)
        store.keep_token(access, PLATFORM, found.shop, "access", found.scope, now + ACCESS_SECONDS)
        store.keep_token(refresh, PLATFORM, found.shop, "refresh", found.scope, ends)
    answer: dict[str, Any] = {
        "result": 1, "access_token": access, "refresh_token": refresh, "open_id": SELLER,
        "expires_in": ACCESS_SECONDS, "token_type": "bearer", "scopes": found.scope.split(","),
    }  # fmt: skip
    return answer | ({"refresh_token_expires_in": int(ends - now)} if kind == "refresh" else {})
