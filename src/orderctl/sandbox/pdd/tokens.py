"""Logins at the Pinduoduo stand-in: codes and refresh tokens turn into access tokens.

The one invariant: a new login ends all tokens of the login before. Renewing gives the same end as before: it does
not prolong anything, as the platform's document says, unless the control word `prolong` is set.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from orderctl.sandbox.answer import Answer, Request, as_text
from orderctl.sandbox.pdd.calls import Call, PddError
from orderctl.sandbox.store import Store
from orderctl.sandbox.texts import digest

CLIENT_ID = "5d0example0client0id0of0a0sandbox"
CLIENT_SECRET = "sandbox-pdd-secret"
SHOPS = {"pdd-demo": ("593000001", "样例拼多多店"), "pdd-group": ("593000002", "样例合单店")}
CODE_S = 600
DAY = 86_400
TOKEN_S = 30 * DAY
SCOPES = [
    *("pdd.order.list.get", "pdd.order.number.list.increment.get", "pdd.order.basic.list.get"),
    *("pdd.order.information.get", "pdd.order.status.get", "pdd.order.note.update", "pdd.mall.info.get"),
    *("pdd.logistics.online.send", "pdd.order.upload.extra.logistics"),
]


def first_token(shop: str) -> str:
    """Name the token that everybody may use."""
    return f"sandbox-token-{shop}"


def keep_first_tokens(store: Store, now: float) -> None:
    """Remember the first tokens, unless they are known."""
    with store.transaction():
        if store.get("pdd.logins") is None:
            for shop in SHOPS:
                store.keep_token(first_token(shop), "pdd", shop, "access", "", now + TOKEN_S)
            store.put("pdd.logins", 0)


def authorize(store: Store, now: float, request: Request) -> Answer:
    """GET /service-market/auth: the seller of the first shop (or of `shop`) says yes at once."""
    query = request.query
    shop = query.get("shop", "pdd-demo")
    asked = query.get("response_type") == "code" and query.get("client_id") == CLIENT_ID
    if not asked or not query.get("redirect_uri") or shop not in SHOPS:
        return as_text("response_type=code, client_id and redirect_uri are needed", 400)
    with store.transaction():
        code = digest("pdd code", store.count("pdd.codes"), now)[:32]
        store.keep_token(code, "pdd", shop, "code", "", now + CODE_S)
    back = query["redirect_uri"]
    if not back.startswith(("http://127.0.0.1", "http://localhost")):
        return as_text(f"<p>code: <code>{code}</code></p>")
    sent = urlencode({"code": code, "state": query.get("state", "")})
    return Answer(302, b"", headers={"Location": f"{back}{'&' if '?' in back else '?'}{sent}"})


def create_token(call: Call) -> dict[str, Any]:
    """pdd.pop.auth.token.create: a code, once, for a token."""
    call.known("code")
    code = call.need("code")
    with call.store.transaction():
        found = call.store.token(code, "pdd", "code")
        if found is None or found.expires <= call.now:
            raise PddError(10002, "code无效或已过期")
        call.store.write("DELETE FROM tokens WHERE platform = 'pdd' AND shop = ?", (found.shop,))
        return _grant(call, found.shop, call.now + TOKEN_S)


def refresh_token(call: Call) -> dict[str, Any]:
    """pdd.pop.auth.token.refresh: another token, which ends when the one before would have."""
    call.known("refresh_token")
    given = call.need("refresh_token")
    with call.store.transaction():
        found = call.store.token(given, "pdd", "refresh")
        if found is None or found.expires <= call.now:
            raise PddError(10014, "refresh_token无效或已过期")
        prolonged = call.store.get("pdd.prolong", False)
        ends = call.now + TOKEN_S if prolonged else float(found.scope)
        call.store.forget_token(given)
        return _grant(call, found.shop, ends)


def _grant(call: Call, shop: str, ends: float) -> dict[str, Any]:
    number = call.store.count("pdd.logins")
    access = digest("pdd access", number, shop, call.now)
    refresh = digest("pdd refresh", number, shop, call.now)
    call.store.keep_token(access, "pdd", shop, "access", "", ends)
    call.store.keep_token(refresh, "pdd", shop, "refresh", str(ends), ends + 30 * DAY)
    owner, title = SHOPS[shop]
    left, renewable = int(ends - call.now), int(ends + 30 * DAY - call.now)
    return {
        "access_token": access, "expires_in": left, "expires_at": int(ends), "refresh_token": refresh,
        "refresh_token_expires_in": renewable, "refresh_token_expires_at": int(ends + 30 * DAY),
        "owner_id": owner, "owner_name": title, "scope": SCOPES,
        **{f"{kind}_expires_in": left for kind in ("r1", "r2", "w1", "w2")},
        **{f"{kind}_expires_at": int(ends) for kind in ("r1", "r2", "w1", "w2")},
    }  # fmt: skip
