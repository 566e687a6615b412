"""JD's login, shared by both of its gateways: the token, renewed in its last day and never after.

The platform renews a token only in the last day of its life, and only so many times a month; a token that is over
needs the seller again. So a renewal is tried at most once by a process, and which of the two is needed is told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock
from typing import Any
from urllib.parse import urlencode

from orderctl.model.errors import PortError, Refused, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.http import Http, Request, parse_json
from orderctl.ports.platforms.jd.meaning import classify_login
from orderctl.ports.platforms.port import Shop, Tokens, shift

OAUTH = "https://open-oauth.jd.com"
RENEWABLE_S = 86_400
AGAIN = "log in again with orderctl auth"


class Login:
    """The access token of one shop."""

    def __init__(self, shop: Shop, http: Http, tokens: Tokens) -> None:
        self.shop = shop
        self.key = shop.setting("app_key")
        self.secret = shop.setting("app_secret")
        self._http = http
        self._tokens = tokens
        self._base = (shop.base_url or OAUTH).rstrip("/")
        self._lock = Lock()
        self._tried = False

    def token(self) -> str:
        """Give the access token: the fixed one of the configuration, or the kept one, renewed in its last day.

        Raises: Unauthorized if there is none, or it is over.
        """
        fixed = self.shop.settings.get("access_token")
        if fixed:
            return fixed
        kept = self._kept()
        if not kept.get("access_token"):
            raise Unauthorized(
                Text("shop {shop}: not logged in yet", shop=self.shop.id), hint=Text(AGAIN), code="no_token"
            )
        if self._over(kept):
            raise self._ended()
        if self._renewable(kept):
            kept = self._renewed(kept)
        return kept["access_token"]

    def with_token(self, call: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
        """Make a call with the token; once more if the token was replaced meanwhile, by another thread or host."""
        token = self.token()
        try:
            return call(token)
        except Unauthorized as failure:
            if failure.code != "token_expired" or self.token() == token:
                raise
        return call(self.token())

    def expires_at(self) -> str | None:
        """Give the instant at which the token is over; None where nobody knows."""
        return None if self.shop.settings.get("access_token") else self._kept().get("expires_at")

    def url(self, state: str, redirect: str) -> str:
        """Give the page where the seller allows this app in."""
        query = {
            "app_key": self.key,
            "response_type": "code",
            "redirect_uri": redirect,
            "state": state,
            "scope": "snsapi_base",
        }
        return f"{self._base}/oauth2/to_login?{urlencode(query)}"

    def exchange(self, code: str) -> None:
        """Trade the code of a login for a token and keep it."""
        self._ask("access_token", {"grant_type": "authorization_code", "code": code})

    def refresh(self) -> None:
        """Renew the kept token.

        Raises: Unauthorized if it is over, cannot be renewed or the platform refuses; Refused (`too_early`) if it is
        good for more than a day.
        """
        kept = self._kept()
        if not kept.get("refresh_token"):
            raise Unauthorized(
                Text("shop {shop}: this login cannot be renewed", shop=self.shop.id),
                hint=Text(AGAIN),
                code="no_refresh_token",
            )
        if self._over(kept):
            raise self._ended()
        if kept.get("expires_at") and not self._renewable(kept):
            raise Refused(
                Text(
                    "shop {shop}: the login is good until {until}, it can be renewed only in its last day",
                    shop=self.shop.id,
                    until=kept["expires_at"],
                ),
                code="too_early",
            )
        self._ask("refresh_token", {"grant_type": "refresh_token", "refresh_token": kept["refresh_token"]})

    def _renewed(self, kept: Mapping[str, str]) -> Mapping[str, str]:
        """Try the renewal once; while the token is good a failure is no reason to stop."""
        with self._lock:
            if not self._tried and self._kept().get("access_token") == kept["access_token"]:
                self._tried = True
                try:
                    self.refresh()
                except PortError:
                    return kept
            return self._kept()

    def _ask(self, what: str, params: Mapping[str, str]) -> None:
        query = {"app_key": self.key, "app_secret": self.secret, **params}
        operation = f"oauth2/{what}"
        request = Request("GET", f"{self._base}/{operation}?{urlencode(query)}", operation, app=self.key)
        answer = self._http.call(
            request, changes=False, classify=partial(classify_login, operation=operation)
        )
        self._tokens.save_token(self.shop.id, parse_token(parse_json(answer.content), self._http.instant()))

    def _kept(self) -> Mapping[str, str]:
        return self._tokens.token(self.shop.id) or {}

    def _over(self, kept: Mapping[str, str]) -> bool:
        return bool(kept.get("expires_at")) and kept["expires_at"] <= self._http.instant()

    def _renewable(self, kept: Mapping[str, str]) -> bool:
        if not (kept.get("refresh_token") and kept.get("expires_at")):
            return False
        return kept["expires_at"] <= shift(self._http.instant(), RENEWABLE_S)

    def _ended(self) -> Unauthorized:
        return Unauthorized(
            Text("shop {shop}: the login is over and cannot be renewed any more", shop=self.shop.id),
            hint=Text(AGAIN),
            code="login_over",
        )


def parse_token(answer: Mapping[str, Any], now: str) -> dict[str, str]:
    """Read a token answer as what is kept: tokens, the expiry as an instant, who allowed it and what.

    Raises: Unauthorized if there is no token in it.
    """
    if not answer.get("access_token"):
        raise Unauthorized(Text("the platform's answer to the login holds no token"), code="no_token")
    names = ("access_token", "refresh_token", "scope", "open_id", "uid", "xid")
    kept = {name: str(answer[name]) for name in names if answer.get(name)}
    if str(answer.get("expires_in", "")).isdecimal():
        kept["expires_at"] = shift(now, int(answer["expires_in"]))
    return kept
