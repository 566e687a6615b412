"""Tokens of the Douyin stand-in: for a code, for the shop of a self-use app, for a refresh token.

The one invariant: a shop has one pair of tokens. It is renewed to itself until its last hour; in that hour a new pair
begins and the old one lives an hour more; after its end the old one is dead.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from orderctl.sandbox.answer import Answer, Request, as_text
from orderctl.sandbox.douyin.calls import Call, DoudianError, Method
from orderctl.sandbox.store import Store
from orderctl.sandbox.texts import digest

APP_KEY = "7000000000000000001"
APP_SECRET = "sandbox-douyin-secret"
SERVICE_ID = "sandbox-douyin-service"
SHOP, SHOP_ID, TITLE = "douyin-demo", "10000001", "样例家居旗舰店"

HOUR, DAY = 3_600, 86_400
CODE_S, ACCESS_S, REFRESH_S = 600, 7 * DAY, 14 * DAY
PAIR = "douyin.pair"
REVOKED = "douyin.revoked"


def refuse(why: str) -> DoudianError:
    """Say that there is no token for this."""
    return DoudianError(50_001, f"dop.token-generate-failed:{why}")


def authorize(store: Store, now: float, request: Request) -> Answer:
    """GET /authorize: the seller says yes at once; the code goes to the app's own callback, or is shown."""
    query = request.query
    if query.get("service_id") != SERVICE_ID:
        return as_text("service_id is unknown", 400)
    with store.transaction():
        code = digest("douyin code", store.count("douyin.codes"), now)[:32]
        store.keep_token(code, "douyin", SHOP, "code", "", now + CODE_S)
    sent = urlencode({"code": code, "state": query.get("state", "")})
    return Answer(302, b"", headers={"Location": f"http://127.0.0.1:9/callback?{sent}"})


def new_pair(store: Store, now: float) -> None:
    """Give the shop a new pair of tokens."""
    number = store.count("douyin.pairs")
    access = digest("douyin access", number, now)[:36]
    refresh = digest("douyin refresh", number, now)[:36]
    store.keep_token(access, "douyin", SHOP, "access", "", now + ACCESS_S)
    store.keep_token(refresh, "douyin", SHOP, "refresh", access, now + REFRESH_S)
    store.put(PAIR, [access, refresh])


def present(store: Store, now: float) -> dict[str, Any]:
    """Give the shop's pair as an answer."""
    access, refresh = store.get(PAIR)
    token = store.token(access, "douyin")
    left = max(0, int(token.expires - now)) if token else 0
    return {
        "access_token": access,
        "expires_in": left,
        "refresh_token": refresh,
        "scope": "SCOPE",
        "shop_id": int(SHOP_ID),
        "shop_name": TITLE,
        "authority_id": "",
        "auth_subject_type": "",
    }


def create(call: Call) -> dict[str, Any]:
    """token.create: for a code, once; for a self-use app, as often as it asks."""
    kind = call.text("grant_type")
    with call.store.transaction():
        if kind == "authorization_code":
            found = call.store.token(call.text("code"), "douyin", "code")
            if found is None:
                raise refuse("code-invalid")
            if found.expires <= call.now:
                raise refuse("code-expired")
            call.store.forget_token(call.text("code"))
            call.store.put(REVOKED, value=False)
            new_pair(call.store, call.now)
        elif kind == "authorization_self":
            if call.text("shop_id") != SHOP_ID or call.store.get(REVOKED):
                raise refuse("no-authorization")
            pair = call.store.get(PAIR)
            token = call.store.token(pair[0], "douyin") if pair else None
            if token is None or token.expires - call.now <= HOUR:
                new_pair(call.store, call.now)
        else:
            raise refuse("code-invalid")
        return present(call.store, call.now)


def refresh(call: Call) -> dict[str, Any]:
    """token.refresh: the same pair, or a new one near and after its end."""
    given = call.text("refresh_token")
    with call.store.transaction():
        found = call.store.token(given, "douyin", "refresh")
        if call.text("grant_type") != "refresh_token" or found is None or call.store.get(REVOKED):
            raise refuse("no-authorization")
        if found.expires <= call.now:
            raise refuse("token-expired")
        pair = call.store.get(PAIR)
        access = call.store.token(found.scope, "douyin")
        left = access.expires - call.now if access else 0
        if given == pair[1] and left <= HOUR:
            new_pair(call.store, call.now)
            if left > 0:
                call.store.keep_token(found.scope, "douyin", SHOP, "access", "", call.now + HOUR)
                call.store.keep_token(given, "douyin", SHOP, "refresh", found.scope, call.now + HOUR)
            else:
                call.store.forget_token(given)
        return present(call.store, call.now)


METHODS = {
    "token.create": Method(
        create,
        frozenset({"code", "grant_type", "shop_id", "test_shop", "auth_id", "auth_subject_type"}),
        token=False,
    ),
    "token.refresh": Method(refresh, frozenset({"grant_type", "refresh_token"}), token=False),
}
