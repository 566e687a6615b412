"""Signed calls to Kuaishou's gateway: one method, one JSON text of parameters, one JSON answer.

The one invariant: the text that is signed is the text that is sent. Signing uses `sign_secret`; only the login uses
`app_secret`. Times are Unix milliseconds.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from typing import Any
from urllib.parse import urlencode

from orderctl.model.errors import ConfigError, Temporary, Unauthorized
from orderctl.model.instant import parse_instant, write_instant
from orderctl.model.text import Text
from orderctl.ports.http import Http, Request, parse_json, write_json
from orderctl.ports.platforms.kuaishou.meaning import classify
from orderctl.ports.platforms.port import Shop, Tokens, shift

PRODUCTION = "https://openapi.kwaixiaodian.com"
AUTHORIZE = "https://open.kwaixiaodian.com/oauth/authorize"
SCOPES = ("merchant_order", "merchant_refund", "merchant_logistics", "merchant_item", "user_info")
SIGNED = ("access_token", "appkey", "method", "param", "signMethod", "timestamp", "version")
"""What is signed, in the order it is signed in."""
CALLS_PER_S = 10.0
RENEW_BEFORE_S = 3_600
REFRESH_LIFE_S = 180 * 86_400
FORM = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}


def millis(instant: str) -> int:
    """Write an instant as the platform's milliseconds."""
    return int(parse_instant(instant).timestamp()) * 1000


def instant_of(told: object) -> str | None:
    """Read milliseconds as an instant; None for 0, for what is missing and for what is no time."""
    text = str(told).strip()
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 253_402_300_800_000):
        return None
    return write_instant(datetime.fromtimestamp(int(text) // 1000, UTC))


def sign(params: Mapping[str, str], secret: str, method: str) -> str:
    """Give the signature of `params` by `MD5` (lower-case hex) or `HMAC_SHA256` (Base64).

    Raises: ConfigError for another method. Source: the official Java demo.
    """
    named = [f"{name}={params[name]}" for name in SIGNED if name in params]
    text = "&".join([*named, f"signSecret={secret}"]).encode()
    if method == "MD5":
        return hashlib.md5(text, usedforsecurity=False).hexdigest()
    if method == "HMAC_SHA256":
        return base64.b64encode(hmac.new(secret.encode(), text, "sha256").digest()).decode()
    raise ConfigError(Text("unknown sign_method '{name}' (known: MD5, HMAC_SHA256)", name=method))


class Gateway:
    """The gateway for one shop: signs, carries the token, renews it before it ends and when the platform asks."""

    def __init__(self, shop: Shop, http: Http, tokens: Tokens) -> None:
        self.shop = shop
        self._http = http
        self._tokens = tokens
        self.app_key = shop.setting("app_key")
        self._app_secret = shop.setting("app_secret")
        self._sign_secret = shop.setting("sign_secret")
        self._base = (shop.base_url or PRODUCTION).rstrip("/")
        self._method = shop.settings.get("sign_method") or "HMAC_SHA256"
        self._per_second = float(shop.settings.get("calls_per_second") or CALLS_PER_S)
        self._renewing = Lock()

    def call(self, method: str, param: Mapping[str, object], *, changes: bool = False) -> dict[str, Any]:
        """Call a method in the name of the shop and give the answer's `data` ({} where there is none).

        What reads goes by GET, what changes by POST, as the platform wants it.
        Raises: what `Http.call` raises; a token that is over is renewed once.
        """
        token = self.token()
        try:
            return self._send(method, param, token, changes=changes)
        except Unauthorized as failure:
            if failure.code != "token_expired" or not self._renewable():
                raise
        return self._send(method, param, self.token(instead_of=token), changes=changes)

    def token(self, *, instead_of: str = "") -> str:
        """Give the access token: the fixed one of the configuration, or the kept one, renewed where it ends soon.

        Raises: Unauthorized if there is none, or the login is over.
        """
        fixed = self.shop.settings.get("access_token")
        if fixed:
            return fixed
        with self._renewing:
            kept = self.kept()
            if not kept.get("access_token"):
                raise Unauthorized(
                    Text("shop {shop}: not logged in yet", shop=self.shop.id),
                    hint=Text("log in again with orderctl auth"),
                    code="no_token",
                )
            now, ends = self._http.instant(), kept.get("expires_at") or "9999"
            refused = kept["access_token"] == instead_of
            if refused or (ends <= shift(now, RENEW_BEFORE_S) and kept.get("refresh_token")):
                try:
                    self.refresh()
                except Temporary:
                    if refused or ends <= now:
                        raise
            return self.kept()["access_token"]

    def kept(self) -> Mapping[str, str]:
        """Give what is kept of the login; empty where there was none."""
        return self._tokens.token(self.shop.id) or {}

    def login_url(self, state: str, redirect: str) -> str:
        """Give the page where the seller allows this app in."""
        query = {
            "app_id": self.app_key,
            "redirect_uri": redirect,
            "scope": self.shop.settings.get("scopes") or ",".join(SCOPES),
            "response_type": "code",
            "state": state,
        }
        page = f"{self._base}/oauth/authorize" if self.shop.base_url else AUTHORIZE
        return f"{page}?{urlencode(query)}"

    def exchange(self, code: str) -> None:
        """Trade the code of a login, which lives two minutes, for a token and keep it."""
        form = {"app_id": self.app_key, "grant_type": "code", "code": code, "app_secret": self._app_secret}
        self._keep(self._login("GET", "access_token", form), {})

    def refresh(self) -> None:
        """Renew the kept token. Raises: Unauthorized if there is nothing to renew it with, or it is refused."""
        kept = self.kept()
        if not kept.get("refresh_token"):
            raise Unauthorized(
                Text("shop {shop}: this login cannot be renewed", shop=self.shop.id),
                hint=Text("log in again with orderctl auth"),
                code="no_refresh_token",
            )
        form = {
            "grant_type": "refresh_token",
            "refresh_token": kept["refresh_token"],
            "app_id": self.app_key,
            "app_secret": self._app_secret,
        }
        try:
            answer = self._login("POST", "refresh_token", form)
        except Unauthorized:
            if self.kept().get("refresh_token") != kept["refresh_token"]:
                return  # another run was faster
            raise
        self._keep(answer, kept)

    def _renewable(self) -> bool:
        return not self.shop.settings.get("access_token") and bool(self.kept().get("refresh_token"))

    def _keep(self, answer: Mapping[str, Any], before: Mapping[str, str]) -> None:
        token = parse_token(answer, before, self._http.instant())
        self._tokens.save_token(self.shop.id, token)

    def _login(self, verb: str, page: str, form: Mapping[str, str]) -> dict[str, Any]:
        """Ask for tokens. Asking again is harmless: the refresh token before lives on for minutes."""
        url, sent = f"{self._base}/oauth2/{page}", urlencode(form)
        request = Request(
            verb,
            f"{url}?{sent}" if verb == "GET" else url,
            f"kuaishou {page}",
            app=self.app_key,
            headers=FORM if verb == "POST" else {},
            content=sent.encode() if verb == "POST" else b"",
            per_second=1,
        )
        answer = self._http.call(
            request, changes=False, classify=partial(classify, operation=request.operation)
        )
        return parse_json(answer.content)

    def _send(self, method: str, param: Mapping[str, object], token: str, *, changes: bool) -> dict[str, Any]:
        sent = {
            "appkey": self.app_key,
            "method": method,
            "version": "1",
            "param": write_json(param),
            "access_token": token,
            "timestamp": str(millis(self._http.instant())),
            "signMethod": self._method,
        }
        sent["sign"] = sign(sent, self._sign_secret, self._method)
        in_query = {"appkey": self.app_key} if changes else sent
        request = Request(
            "POST" if changes else "GET",
            f"{self._base}/{method.replace('.', '/')}?{urlencode(in_query)}",
            method,
            app=self.app_key,
            headers=FORM if changes else {},
            content=urlencode({k: v for k, v in sent.items() if k != "appkey"}).encode() if changes else b"",
            per_second=self._per_second,
        )
        answer = self._http.call(request, changes=changes, classify=partial(classify, operation=method))
        found = parse_json(answer.content).get("data")
        return found if isinstance(found, dict) else {}


def parse_token(answer: Mapping[str, Any], before: Mapping[str, str], now: str) -> dict[str, str]:
    """Read a token answer as what is kept: tokens, ends as instants, the seller's id, scopes by commas.

    A refresh token's life goes on where it was: what an answer does not tell stays as `before`, and a first one
    lives 180 days. Raises: Unauthorized if there is no token in it.
    """
    if not answer.get("access_token"):
        raise Unauthorized(Text("the platform's answer to the login holds no token"), code="no_token")
    kept = {name: before[name] for name in ("refresh_expires_at", "seller_id", "scopes") if before.get(name)}
    kept["access_token"] = str(answer["access_token"])
    kept["refresh_token"] = str(answer.get("refresh_token") or before.get("refresh_token") or "")
    if str(answer.get("expires_in", "")).isdecimal():
        kept["expires_at"] = shift(now, int(answer["expires_in"]))
    lives = str(answer.get("refresh_token_expires_in", ""))
    if lives.isdecimal():
        kept["refresh_expires_at"] = shift(now, int(lives))
    kept.setdefault("refresh_expires_at", shift(now, REFRESH_LIFE_S))
    if answer.get("open_id"):
        kept["seller_id"] = str(answer["open_id"])
    if isinstance(answer.get("scopes"), list):
        kept["scopes"] = ",".join(sorted(str(scope) for scope in answer["scopes"]))
    return {name: value for name, value in kept.items() if value}
