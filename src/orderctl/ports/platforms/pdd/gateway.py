"""Signed calls to Pinduoduo's gateway: one method, a flat table of texts sent as a form, one JSON answer.

The one invariant: the text that is signed is the text that is sent. Timestamps are UNIX seconds, the times inside
orders are Beijing wall-clock text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from threading import Lock
from typing import Any
from urllib.parse import urlencode

from orderctl.model.errors import Refused, Unauthorized
from orderctl.model.instant import LAST_SECOND, parse_instant, write_instant
from orderctl.model.text import Text
from orderctl.ports.http import Http, Request, parse_json, write_json
from orderctl.ports.platforms.pdd.meaning import AGAIN, classify
from orderctl.ports.platforms.port import Shop, Tokens, shift

PRODUCTION = "https://gw-api.pinduoduo.com"
GATEWAY_PATH = "/api/router"
AUTHORIZE = "https://fuwu.pinduoduo.com"
AUTHORIZE_PATH = "/service-market/auth"
BEIJING = timezone(timedelta(hours=8))
LOCAL = "%Y-%m-%d %H:%M:%S"
CALLS_PER_S = 8.0


def seconds(instant: str) -> int:
    """Write an instant as UNIX seconds, which the platform wants everywhere it asks for a time."""
    return int(parse_instant(instant).timestamp())


def instant_of(local: object) -> str | None:
    """Read the platform's wall-clock text as an instant; None where it is missing or no time."""
    try:
        moment = datetime.strptime(str(local), LOCAL).replace(tzinfo=BEIJING)
    except ValueError:
        return None
    return write_instant(moment.astimezone(UTC))


def text_of(value: object) -> str:
    """Write a parameter: texts as they are, everything else as compact JSON (`true`, `100`, `[{"a":1}]`)."""
    return value if isinstance(value, str) else write_json(value)


def sign(params: Mapping[str, str], secret: str) -> str:
    """Give the signature of `params` (without empty ones): MD5 between two secrets, upper-case hex.

    Source: the platform's API call guide, whose example is a test.
    """
    text = "".join(name + params[name] for name in sorted(params) if name != "sign" and params[name])
    return hashlib.md5((secret + text + secret).encode(), usedforsecurity=False).hexdigest().upper()


class Gateway:
    """The gateway for one shop: signs, carries the token, renews it once when the platform says it is over."""

    def __init__(self, shop: Shop, http: Http, tokens: Tokens) -> None:
        self.shop = shop
        self._http = http
        self._tokens = tokens
        self._client = shop.setting("client_id").strip()
        self._secret = shop.setting(
            "client_secret"
        ).strip()  # copied from the console it may end with a blank
        self._base = (shop.base_url or PRODUCTION).rstrip("/").removesuffix(GATEWAY_PATH)
        self._per_second = float(shop.settings.get("calls_per_second") or CALLS_PER_S)
        self._renewing = Lock()

    def call(
        self, method: str, params: Mapping[str, object], *, changes: bool = False, seller: bool = True
    ) -> dict[str, Any]:
        """Call a method, in the name of the `seller` or of the app alone, and give what its envelope holds.

        Raises: what `Http.call` raises; an expired token is renewed once, where the app may do so.
        """
        if not seller:
            return self._send(method, params, "", changes=changes)
        token = self.token()
        try:
            return self._send(method, params, token, changes=changes)
        except Unauthorized as failure:
            if failure.code != "token_expired" or not self._renew(token):
                raise
        return self._send(method, params, self.token(), changes=changes)

    def kept(self) -> Mapping[str, str]:
        """Give what is kept of the login; empty where there was none or the configuration has a fixed token."""
        if self.shop.settings.get("access_token"):
            return {}
        return self._tokens.token(self.shop.id) or {}

    def token(self) -> str:
        """Give the access token: the fixed one of the configuration, or the kept one. Raises: Unauthorized."""
        found = self.shop.settings.get("access_token") or self.kept().get("access_token")
        if not found:
            raise Unauthorized(
                Text("shop {shop}: not logged in yet", shop=self.shop.id), hint=AGAIN, code="no_token"
            )
        return found

    def login_url(self, state: str, redirect: str) -> str:
        """Give the page where the seller allows this app in: the service market's, or the setting's."""
        query = {
            "response_type": "code",
            "client_id": self._client,
            "redirect_uri": redirect,
            "state": state,
        }
        market = (self._base if self.shop.base_url else AUTHORIZE) + AUTHORIZE_PATH
        page = self.shop.settings.get("authorize_url") or market
        return f"{page}?{urlencode(query)}"

    def exchange(self, code: str) -> None:
        """Trade the code of a login, which lives ten minutes, for a token and keep it."""
        self._keep(self._send("pdd.pop.auth.token.create", {"code": code}, "", changes=False))

    def refresh(self) -> None:
        """Renew the kept token. Raises: Unauthorized if there is nothing to renew it with, or it is refused.

        The platform's document says that renewing does not prolong a token: the seller must then log in again.
        """
        kept = self.kept().get("refresh_token")
        if not kept:
            raise Unauthorized(
                Text("shop {shop}: this login cannot be renewed", shop=self.shop.id),
                hint=AGAIN,
                code="no_refresh_token",
            )
        try:
            answer = self._send("pdd.pop.auth.token.refresh", {"refresh_token": kept}, "", changes=False)
        except (Refused, Unauthorized) as failure:
            raise Unauthorized(failure.text, hint=AGAIN, code="login_over") from None
        self._keep(answer)

    def _renew(self, used: str) -> bool:
        with self._renewing:
            kept = self.kept()
            if not kept.get("refresh_token"):
                return False
            if kept.get("access_token") == used:
                self.refresh()
            return True  # or another thread was faster

    def _keep(self, answer: Mapping[str, Any]) -> None:
        kept = parse_token(answer, self._http.instant())
        before = {k: v for k, v in self.kept().items() if k in ("refresh_token", "refresh_expires_at")}
        self._tokens.save_token(self.shop.id, before | kept)

    def _send(
        self, method: str, params: Mapping[str, object], token: str, *, changes: bool
    ) -> dict[str, Any]:
        texts = {name: text_of(value) for name, value in params.items() if value is not None}
        sent = {
            "type": method,
            "client_id": self._client,
            "timestamp": str(seconds(self._http.instant())),
            "data_type": "JSON",
            **({"access_token": token} if token else {}),
            **{name: text for name, text in texts.items() if text},
        }
        sent["sign"] = sign(sent, self._secret)
        request = Request(
            "POST",
            self._base + GATEWAY_PATH,
            method,
            app=f"{self._client} {self.shop.id}",  # its limits are counted by shop
            headers={"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"},
            content=urlencode(sent).encode(),
            per_second=self._per_second,
        )
        answer = self._http.call(request, changes=changes, classify=partial(classify, operation=method))
        return opened(parse_json(answer.content))


def opened(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the envelope holds. Its name does not follow from the method's: there is one, whatever it is called.

    The documents put some lists of an order beside the envelope: they count as if they were in it.
    """
    beside = {name: value for name, value in answer.items() if not name.endswith("_response")}
    inside: dict[str, Any] = next(value for name, value in answer.items() if name.endswith("_response"))
    return beside | inside


def parse_token(answer: Mapping[str, Any], now: str) -> dict[str, str]:
    """Read a token answer as what is kept: tokens, ends as instants, the shop's id, what it may call (by blanks).

    Raises: Unauthorized if there is no token in it.
    """
    if not answer.get("access_token"):
        raise Unauthorized(Text("the platform's answer to the login holds no token"), code="no_token")
    kept = {"access_token": str(answer["access_token"])}
    if answer.get("refresh_token"):
        kept["refresh_token"] = str(answer["refresh_token"])
    if answer.get("owner_id"):
        kept["seller_id"] = str(answer["owner_id"])
    for ours, theirs in (("expires_at", "expires"), ("refresh_expires_at", "refresh_token_expires")):
        at, left = str(answer.get(f"{theirs}_at", "")), str(answer.get(f"{theirs}_in", ""))
        if at.isdecimal() and 0 < int(at) <= LAST_SECOND:
            kept[ours] = write_instant(datetime.fromtimestamp(int(at), UTC))
        elif left.isdecimal():
            kept[ours] = shift(now, int(left))
    scopes = answer.get("scope")
    if isinstance(scopes, list):
        kept["scopes"] = " ".join(str(scope) for scope in scopes)
    return kept
