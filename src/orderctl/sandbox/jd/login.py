"""The login of the JD stand-in: codes and refresh tokens turn into access tokens.

The one invariant: a code works once and for ten minutes; a token is renewed only in the last day before it ends, never
after, and only so often in one month.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from orderctl.sandbox.answer import Answer, Request, as_json, as_text
from orderctl.sandbox.store import Store
from orderctl.sandbox.texts import beijing, digest

APP_KEY = "sandbox-jd-app"
APP_SECRET = "sandbox-jd-secret"
TOKEN = "sandbox-jd-token"
READ_ONLY_TOKEN = "sandbox-jd-readonly"
SHOP = "jd-demo"
DAY = 86_400
CODE_SECONDS = 600
TOKEN_SECONDS = 30 * DAY
RENEWALS_A_MONTH = 10
"""That there is a limit is documented, not how high it is: this one is ours."""


def keep_first_tokens(store: Store, now: float) -> None:
    """Remember the tokens that everybody may use, unless they are known."""
    with store.transaction():
        if store.get("jd.tokens") is not None:
            return
        store.keep_token(TOKEN, "jd", SHOP, "access", "read write", now + 365 * DAY)
        store.keep_token(READ_ONLY_TOKEN, "jd", SHOP, "access", "read", now + 365 * DAY)
        store.put("jd.tokens", 0)


def page(store: Store, now: float, request: Request) -> Answer:
    """Serve one of the three addresses of the login."""
    name = request.path.rsplit("/", 1)[-1]
    form = request.form()
    if name == "to_login":
        return _allow(store, now, form)
    if name not in ("access_token", "refresh_token"):
        return _no("404", "no such page", 404)
    if form.get("app_key") != APP_KEY or form.get("app_secret") != APP_SECRET:
        return _no("1", "app_key or app_secret is wrong")
    wanted = {"access_token": "authorization_code", "refresh_token": "refresh_token"}[name]
    if form.get("grant_type") != wanted:
        return _no("2", f"grant_type={wanted} is needed")
    with store.transaction():
        if name == "access_token":
            return _exchange(store, now, form.get("code", ""))
        return _renew(store, now, form.get("refresh_token", ""))


def _allow(store: Store, now: float, form: dict[str, str]) -> Answer:
    """The seller says yes at once."""
    right = form.get("response_type") == "code" and form.get("app_key") == APP_KEY
    if not right or not form.get("redirect_uri") or form.get("scope") != "snsapi_base":
        return as_text("app_key, response_type=code, redirect_uri and scope=snsapi_base are needed", 400)
    with store.transaction():
        code = digest("code", store.count("jd.codes"), now)[:24]
        store.keep_token(code, "jd", SHOP, "code", "read write", now + CODE_SECONDS)
    back = form["redirect_uri"]
    if not back.startswith(("http://127.0.0.1", "http://localhost")):
        return as_text(f"<p>code: <code>{code}</code></p>")
    sent = urlencode({"code": code, "state": form.get("state", "")})
    return Answer(302, b"", headers={"Location": f"{back}{'&' if '?' in back else '?'}{sent}"})


def _exchange(store: Store, now: float, code: str) -> Answer:
    found = store.token(code, "jd", "code")
    if found is None or found.expires <= now:
        return _no("3", "code is invalid or expired")
    store.forget_token(code)
    return _give(store, now, found.shop, found.scope)


def _renew(store: Store, now: float, refresh: str) -> Answer:
    found = store.token(refresh, "jd", "refresh")
    if found is None:
        return _no("4", "refresh_token is invalid")
    if found.expires <= now:
        return _no("5", "the token is over: the seller must authorise again")
    if found.expires - now > DAY:
        return _no("6", "a token is renewed only in its last 24 hours")
    month, most = f"jd.renewals.{beijing(now)[:7]}", store.get("jd.renewals")
    if store.get(month, 0) >= (RENEWALS_A_MONTH if most is None else most):
        return _no("7", "the token was renewed too often this month")
    store.count(month)
    store.forget_token(refresh)
    return _give(store, now, found.shop, found.scope)


def _give(store: Store, now: float, shop: str, scope: str) -> Answer:
    """Make a new pair; the refresh token is good as long as its access token."""
    count = store.count("jd.tokens")
    access, refresh = (digest(kind, count, now)[:32] for kind in ("access", "refresh"))
    for token, kind in ((access, "access"), (refresh, "refresh")):
        store.keep_token(token, "jd", shop, kind, scope, now + TOKEN_SECONDS)
    given: dict[str, Any] = {
        "access_token": access, "expires_in": TOKEN_SECONDS, "refresh_token": refresh, "scope": "snsapi_base",
        "open_id": "oSandboxSeller", "uid": "2900000001", "time": str(int(now) * 1000), "token_type": "bearer",
        "xid": "o*AASandboxSeller",
    }  # fmt: skip
    return as_json(given)


def _no(code: str, msg: str, status: int = 200) -> Answer:
    return as_json({"code": code, "msg": msg}, status)
