"""Signed calls to Taobao's gateway: one method, a flat table of texts, one JSON answer.

The one invariant: the text that is signed is the text that is sent. Times are Beijing wall-clock text.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from functools import partial
from threading import Lock
from typing import Any
from urllib.parse import urlencode

from orderctl.model.errors import ConfigError, Refused, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.http import Http, Request, parse_json
from orderctl.ports.platforms.port import Shop, Tokens, shift
from orderctl.ports.platforms.taobao.meaning import classify
from orderctl.ports.platforms.wallclock import beijing

PRODUCTION = "https://eco.taobao.com"
GATEWAY_PATH = "/router/rest"
AUTHORIZE = "https://oauth.taobao.com/authorize"
CALLS_PER_S = 8.0


def sign(params: Mapping[str, str], secret: str, method: str) -> str:
    """Give the signature of `params` (without empty ones) by `md5`, `hmac` or `hmac-sha256`, upper-case hex.

    Raises: ConfigError for another method. Source: TOP document 101617.
    """
    text = "".join(name + params[name] for name in sorted(params) if name != "sign" and params[name])
    if method == "md5":
        found = hashlib.md5((secret + text + secret).encode(), usedforsecurity=False).hexdigest()
    elif method in ("hmac", "hmac-sha256"):
        kind = "md5" if method == "hmac" else "sha256"
        found = hmac.new(secret.encode(), text.encode(), kind).hexdigest()
    else:
        raise ConfigError(Text("unknown sign_method '{name}' (known: md5, hmac, hmac-sha256)", name=method))
    return found.upper()


class Gateway:
    """The gateway for one shop: signs, carries the session, renews it once when the platform says it is over."""

    def __init__(self, shop: Shop, http: Http, tokens: Tokens) -> None:
        self.shop = shop
        self._http = http
        self._tokens = tokens
        self._key = shop.setting("app_key")
        self._secret = shop.setting("app_secret")
        self._base = (shop.base_url or PRODUCTION).rstrip("/").removesuffix(GATEWAY_PATH)
        self._method = shop.settings.get("sign_method") or "hmac-sha256"
        self._per_second = float(shop.settings.get("calls_per_second") or CALLS_PER_S)
        self._renewing = Lock()

    def call(self, method: str, params: Mapping[str, str], *, changes: bool = False) -> dict[str, Any]:
        """Call a method in the name of the seller and give what stands inside its `..._response`.

        Raises: what `Http.call` raises; an expired session is renewed once, where the app may do so.
        """
        session = self.session()
        try:
            return self._send(method, params, session, changes=changes)
        except Unauthorized as failure:
            if failure.code != "token_expired" or not self._renew(session):
                raise
        return self._send(method, params, self.session(), changes=changes)

    def session(self) -> str:
        """Give the access token: the fixed one of the configuration, or the kept one. Raises: Unauthorized."""
        found = self.shop.settings.get("session") or (self._tokens.token(self.shop.id) or {}).get(
            "access_token"
        )
        if not found:
            raise Unauthorized(
                Text("shop {shop}: not logged in yet", shop=self.shop.id),
                hint=Text("log in again with orderctl auth"),
                code="no_token",
            )
        return found

    def expires_at(self) -> str | None:
        """Give when the kept token ends; None for a fixed one, whose end nobody tells."""
        if self.shop.settings.get("session"):
            return None
        return (self._tokens.token(self.shop.id) or {}).get("expires_at")

    def login_url(self, state: str, redirect: str) -> str:
        """Give the page where the seller allows this app in."""
        query = {
            "response_type": "code",
            "client_id": self._key,
            "redirect_uri": redirect,
            "state": state,
            "view": "web",
        }
        page = f"{self._base}/oauth/authorize" if self.shop.base_url else AUTHORIZE
        return f"{page}?{urlencode(query)}"

    def exchange(self, code: str) -> None:
        """Trade the code of a login for a token and keep it."""
        self._keep(self._send("taobao.top.auth.token.create", {"code": code}, None))

    def refresh(self) -> None:
        """Renew the kept token. Raises: Unauthorized if there is nothing to renew it with, or it is refused."""
        kept = (self._tokens.token(self.shop.id) or {}).get("refresh_token")
        if not kept:
            raise Unauthorized(
                Text("shop {shop}: this login cannot be renewed", shop=self.shop.id),
                hint=Text("log in again with orderctl auth"),
                code="no_refresh_token",
            )
        try:
            self._keep(self._send("taobao.top.auth.token.refresh", {"refresh_token": kept}, None))
        except Refused as failure:
            raise Unauthorized(
                failure.text, hint=Text("log in again with orderctl auth"), code=failure.code
            ) from None

    def _renew(self, used: str) -> bool:
        if self.shop.settings.get("session"):
            return False
        with self._renewing:
            kept = self._tokens.token(self.shop.id) or {}
            if kept.get("access_token") != used:
                return True  # another thread was faster
            if not kept.get("refresh_token"):
                return False
            self.refresh()
            return True

    def _keep(self, answer: dict[str, Any]) -> None:
        self._tokens.save_token(self.shop.id, parse_token(answer.get("token_result"), self._http.instant()))

    def _send(
        self, method: str, params: Mapping[str, str], session: str | None, *, changes: bool = False
    ) -> dict[str, Any]:
        sent = {
            "method": method,
            "app_key": self._key,
            "timestamp": beijing(self._http.instant()),
            "v": "2.0",
            "format": "json",
            "sign_method": self._method,
            **({"session": session} if session else {}),
            **{name: value for name, value in params.items() if value},
        }
        sent["sign"] = sign(sent, self._secret, self._method)
        request = Request(
            "POST",
            self._base + GATEWAY_PATH,
            method,
            app=self._key,
            headers={"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"},
            content=urlencode(sent).encode(),
            per_second=self._per_second,
        )
        answer = self._http.call(request, changes=changes, classify=partial(classify, operation=method))
        found = next(v for k, v in parse_json(answer.content).items() if k.endswith("_response"))
        return found if isinstance(found, dict) else {}


def parse_token(result: object, now: str) -> dict[str, str]:
    """Read a token answer (JSON text) as what is kept: tokens, expiry as instants, the seller's id.

    Raises: Unauthorized if there is no token in it.
    """
    try:
        found = parse_json(result.encode()) if isinstance(result, str) else result
        if not isinstance(found, dict):
            raise ValueError("no object")
        kept = {"access_token": str(found["access_token"])}
    except (ValueError, KeyError):
        raise Unauthorized(
            Text("the platform's answer to the login holds no token"), code="no_token"
        ) from None
    for ours, theirs in (("expires_at", "expires_in"), ("refresh_expires_at", "re_expires_in")):
        if str(found.get(theirs, "")).isdigit():
            kept[ours] = shift(now, int(found[theirs]))
    for ours, theirs in (("refresh_token", "refresh_token"), ("seller_id", "taobao_user_id")):
        if found.get(theirs):
            kept[ours] = str(found[theirs])
    return kept


def listed(value: object, inner: str) -> list[Any]:
    """Unwrap a list: `{"trade": [...]}`, a plain list, or nothing at all."""
    if isinstance(value, dict):
        value = value.get(inner)
    return value if isinstance(value, list) else []
