"""Calls to the Selling Partner API for one shop: the login's access token, and restricted tokens where v0 needs them.

The one invariant: a token travels in one header and nowhere else. The access token is kept encrypted for all runs;
a restricted token opens people's addresses, so it lives in this object only and is never written anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from platform import python_version
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode

from orderctl.model.errors import ConfigError, Refused, Temporary, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.http import Answer, Http, Request, parse_json
from orderctl.ports.platforms.amazon.marketplaces import REGIONS, parse_marketplaces
from orderctl.ports.platforms.amazon.meaning import classify, classify_login
from orderctl.ports.platforms.port import Shop, Tokens, shift

LOGIN_URL = "https://api.amazon.com/auth/o2/token"
CURRENT, OLDER = "2026-01-01", "v0"
RATE_HEADER = "x-amzn-ratelimit-limit"
RENEW_BEFORE_S = 60
RESTRICTED_KEPT = 50
AGENT = f"orderctl/1.0 (Language=Python/{python_version()})"


@dataclass(frozen=True)
class Operation:
    """One operation of the API: `path` may hold `{orderId}`; the rate is Amazon's default for it."""

    name: str
    method: str
    path: str
    per_second: float
    burst: int


RESTRICTED_TOKEN = Operation(
    "createRestrictedDataToken", "POST", "/tokens/2021-03-01/restrictedDataToken", 1, 10
)


@dataclass(frozen=True)
class Grant:
    """Data that only a restricted token opens: which operation, which of its elements, for one order or for all."""

    operation: Operation
    elements: tuple[str, ...]
    order: str = ""

    def resource(self) -> dict[str, Any]:
        """Write it as one of `restrictedResources`."""
        path = self.operation.path.replace("{orderId}", self.order) if self.order else self.operation.path
        return {"method": self.operation.method, "path": path, "dataElements": list(self.elements)}


@dataclass
class Restricted:
    """A restricted token, and the instant it ends."""

    token: str = field(repr=False)
    expires_at: str


class Gateway:
    """The API for one shop."""

    def __init__(self, shop: Shop, http: Http, tokens: Tokens) -> None:
        self.shop = shop
        self.http = http
        self._tokens = tokens
        self.places = parse_marketplaces(shop.setting("marketplaces"), shop.id)
        region = REGIONS[self.places[0].region]
        self.version = shop.settings.get("orders_api") or CURRENT
        if self.version not in (CURRENT, OLDER):
            raise ConfigError(
                Text(
                    "shop {shop}: orders_api is 2026-01-01 or v0, not {name}", shop=shop.id, name=self.version
                )
            )
        self.in_sandbox = shop.settings.get("sandbox") == "true"
        endpoint = region.sandbox if self.in_sandbox else region.production
        self._base = (shop.base_url or endpoint).rstrip("/")
        # a sandbox has no tokens of its own: restricted ones are taken from production even for its calls
        self._token_base = (shop.base_url or region.production).rstrip("/")
        self._login = shop.settings.get("token_url") or (
            f"{self._base}/auth/o2/token" if shop.base_url else LOGIN_URL
        )
        self._client_id = shop.setting("client_id")
        self._secret = shop.setting("client_secret")
        self._renewing = Lock()
        self._in_vain = ""  # a token that was refused although it was new
        self._restricted: dict[tuple[Grant, ...], Restricted] = {}

    def call(
        self,
        operation: Operation,
        *,
        order: str = "",
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        changes: bool = False,
        grants: tuple[Grant, ...] = (),
    ) -> dict[str, Any]:
        """Call an operation and give the answer; an empty object where there is none to give (204).

        With `grants` a restricted token is used. A refused access token is renewed once: an answer does not tell
        whether the token is over or a role is missing. Raises: what `Http.call` raises.
        """
        token = self._token()
        try:
            return self._ask(operation, token, order, query, body, changes=changes, grants=grants)
        except Unauthorized as failure:
            if token == self._in_vain or failure.code not in ("http_401", "http_403"):
                raise
        token = self._token(instead_of=token)
        try:
            return self._ask(operation, token, order, query, body, changes=changes, grants=grants)
        except Unauthorized:
            self._in_vain = token
            raise

    def refresh(self) -> None:
        """Make a new access token. Raises: Unauthorized if the login is refused."""
        with self._renewing:
            self._make_token()

    def kept(self) -> Mapping[str, str]:
        """Give what is kept of the login."""
        return self._tokens.token(self.shop.id) or {}

    def login_page(self, state: str) -> str:
        """Give the page where the seller allows this app in; Amazon sends them to the address the app registered."""
        application = self.shop.settings.get("application_id")
        if not application:
            raise Refused(
                Text("shop {shop}: this platform needs no login page", shop=self.shop.id),
                hint=Text("set refresh_token: authorise the app in Seller Central, under Develop Apps"),
                code="no_login",
            )
        query = {"application_id": application, "state": state}
        if self.shop.settings.get("draft_app") == "true":
            query["version"] = "beta"
        base = self.shop.base_url or f"https://{self.places[0].seller_central}"
        return f"{base.rstrip('/')}/apps/authorize/consent?{urlencode(query)}"

    def exchange(self, code: str, redirect: str) -> None:
        """Trade the code of a login for tokens and keep them."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}
        with self._renewing:
            self._keep(self._log_in(form))

    def _ask(
        self,
        operation: Operation,
        token: str,
        order: str,
        query: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
        *,
        changes: bool,
        grants: tuple[Grant, ...],
    ) -> dict[str, Any]:
        bearer = self._restricted_token(grants, token) if grants else token
        path = operation.path.replace("{orderId}", quote(order, safe=""))
        url = f"{self._base}{path}"
        if query:
            # a literal + would arrive as a blank
            url += "?" + urlencode(query, quote_via=quote, safe="")
        return _parsed(self._send(operation, url, bearer, body, changes=changes))

    def _send(
        self,
        operation: Operation,
        url: str,
        bearer: str,
        body: Mapping[str, Any] | None,
        *,
        changes: bool = False,
    ) -> Answer:
        headers = {"x-amz-access-token": bearer, "user-agent": AGENT, "accept": "application/json"}
        content = b""
        if body is not None:
            headers["content-type"] = "application/json"
            content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        request = Request(
            operation.method,
            url,
            f"amazon {operation.name}",
            app=f"{self._client_id} {self.shop.id}",
            headers=headers,
            content=content,
            per_second=operation.per_second,
            burst=operation.burst,
            rate_header=RATE_HEADER,
        )
        return self.http.call(
            request, changes=changes, classify=partial(classify, operation=request.operation)
        )

    def _restricted_token(self, grants: tuple[Grant, ...], token: str) -> str:
        soon = shift(self.http.instant(), RENEW_BEFORE_S)
        known = self._restricted.get(grants)
        if known is None or known.expires_at <= soon:
            body = {"restrictedResources": [grant.resource() for grant in grants]}
            url = self._token_base + RESTRICTED_TOKEN.path
            found = _parsed(self._send(RESTRICTED_TOKEN, url, token, body))
            known = Restricted(_text(found, "restrictedDataToken"), self._ends(found.get("expiresIn")))
            if len(self._restricted) >= RESTRICTED_KEPT:
                self._restricted.clear()
            self._restricted[grants] = known
        return known.token

    def _token(self, *, instead_of: str = "") -> str:
        with self._renewing:
            kept = self.kept()
            fresh = kept.get("expires_at", "") > shift(self.http.instant(), RENEW_BEFORE_S)
            if fresh and kept.get("access_token") and kept["access_token"] != instead_of:
                return kept["access_token"]
            return self._make_token()

    def _make_token(self) -> str:
        refresh_token = self.shop.settings.get("refresh_token") or self.kept().get("refresh_token")
        if not refresh_token:
            raise Unauthorized(
                Text("shop {shop}: not logged in yet", shop=self.shop.id),
                hint=Text("set refresh_token: authorise the app in Seller Central, under Develop Apps"),
                code="no_token",
            )
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self._keep(self._log_in(form))

    def _log_in(self, form: Mapping[str, str]) -> dict[str, Any]:
        sent = {**form, "client_id": self._client_id, "client_secret": self._secret}
        request = Request(
            "POST",
            self._login,
            "amazon token",
            app=self._client_id,
            headers={
                "content-type": "application/x-www-form-urlencoded;charset=UTF-8",
                "user-agent": AGENT,
                "accept": "application/json",
            },
            content=urlencode(sent).encode(),
            per_second=1,
            burst=5,
        )
        # asking again only makes another token: nothing anybody would mind, unless a code was spent
        spends = form["grant_type"] == "authorization_code"
        answer = self.http.call(
            request, changes=spends, classify=partial(classify_login, operation=request.operation)
        )
        return parse_json(answer.content)

    def _keep(self, found: dict[str, Any]) -> str:
        """Keep what a login gave; what it does not give anew (the refresh token, the seller) stays."""
        token = _text(found, "access_token")
        kept = {
            **{name: value for name, value in self.kept().items() if name in ("refresh_token", "seller_id")},
            "access_token": token,
            "expires_at": self._ends(found.get("expires_in")),
        }
        if found.get("refresh_token"):
            kept["refresh_token"] = str(found["refresh_token"])
        self._tokens.save_token(self.shop.id, kept)
        self._restricted.clear()
        return token

    def _ends(self, seconds: object) -> str:
        return shift(self.http.instant(), int(str(seconds)) if str(seconds).isdecimal() else 0)


def number_setting(shop: Shop, name: str, default: int) -> int:
    """Give a setting that is a whole number. Raises: ConfigError if it is none."""
    value = shop.settings.get(name) or str(default)
    if not value.isdecimal():
        raise ConfigError(Text("shop {shop}: '{name}' is no whole number", shop=shop.id, name=name))
    return int(value)


def _parsed(answer: Answer) -> dict[str, Any]:
    return {} if answer.status == 204 or not answer.content else parse_json(answer.content)


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise Temporary(Text("the platform's answer to the login holds no token"), code="no_token")
    return value
