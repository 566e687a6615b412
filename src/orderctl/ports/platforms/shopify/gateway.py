"""Calls to one shop's GraphQL endpoint, with a fixed token or one that is made from client id and secret.

The one invariant: the wait between calls comes from the bucket the answers describe, not from numbers of our own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from orderctl.model.errors import Refused, Temporary, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.http import Http, Request, http_failure, parse_json, unreadable
from orderctl.ports.platforms.port import Shop, Tokens, shift
from orderctl.ports.platforms.shopify.meaning import classify, points_left, throttle_s, withheld

T = TypeVar("T")
VERSION = "2026-10"
CALLS_PER_S = 10.0
RENEW_BEFORE_S = 300


class Gateway:
    """The endpoint of one shop. `warnings` are sentences about what the shop gave differently than asked."""

    def __init__(self, shop: Shop, http: Http, tokens: Tokens) -> None:
        self.shop = shop
        self._http = http
        self._tokens = tokens
        self._base = (shop.base_url or f"https://{shop.setting('domain')}").rstrip("/")
        self._version = shop.settings.get("api_version") or VERSION
        self._renewing = Lock()
        self._warnings: dict[str, Text] = {}
        self._left: int | None = None
        if not shop.settings.get("token"):
            shop.setting("client_id")
            shop.setting("client_secret")

    def call(
        self, operation: str, query: str, shape: type[T], *, changes: bool = False, **variables: object
    ) -> T:
        """Send a query or mutation and give its `data` in the form `shape`.

        Raises: what `Http.call` raises; a refused token that we made ourselves is made anew once.
        """
        token = self._token()
        try:
            data = self._send(operation, query, token, variables, changes=changes)
        except Unauthorized as failure:
            if failure.code != "http_401" or self.shop.settings.get("token"):
                raise
            token = self._token(instead_of=token)
            data = self._send(operation, query, token, variables, changes=changes)
        return shaped(data, shape, operation, changes=changes)

    def take_warnings(self) -> tuple[Text, ...]:
        """Give the warnings since the last time, each once."""
        found, self._warnings = tuple(self._warnings.values()), {}
        return found

    def expires_at(self) -> str | None:
        """Give when the token we made ends; None for a fixed one, which does not."""
        if self.shop.settings.get("token"):
            return None
        return (self._tokens.token(self.shop.id) or {}).get("expires_at")

    def points_left(self) -> dict[str, int]:
        """Give what the bucket of query costs held after the last answer."""
        return {} if self._left is None else {"graphql": self._left}

    def refresh(self) -> None:
        """Make a new token. Raises: Unauthorized if the shop has a fixed one, or refuses."""
        if self.shop.settings.get("token"):
            raise Unauthorized(
                Text("shop {shop}: this login cannot be renewed", shop=self.shop.id), code="no_refresh_token"
            )
        self._make_token()

    def _send(
        self, operation: str, query: str, token: str, variables: Mapping[str, object], *, changes: bool
    ) -> dict[str, Any]:
        body = {"query": query, "variables": dict(variables), "operationName": operation}
        request = Request(
            "POST",
            f"{self._base}/admin/api/{self._version}/graphql.json",
            f"shopify {operation}",
            app=self._base,
            limit="graphql",
            headers={"X-Shopify-Access-Token": token, "Content-Type": "application/json"},
            content=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
            per_second=CALLS_PER_S,
        )
        answer = self._http.call(
            request, changes=changes, classify=partial(classify, operation=request.operation)
        )
        found = parse_json(answer.content)
        self._http.hold(request, throttle_s(found))
        self._left = points_left(found)
        self._note(answer.headers.get("x-shopify-api-version"), withheld(found))
        data: dict[str, Any] = found["data"]
        return data

    def _note(self, version: str | None, fields: str) -> None:
        if version and version != self._version:
            self._warnings["version"] = Text(
                "shop {shop}: the platform answers in API version {got} instead of {asked}",
                shop=self.shop.id,
                got=version,
                asked=self._version,
            )
        if fields:
            self._warnings["withheld"] = Text(
                "shop {shop}: the app may not see {fields} (protected customer data)",
                shop=self.shop.id,
                fields=fields,
            )

    def _token(self, *, instead_of: str = "") -> str:
        fixed = self.shop.settings.get("token")
        if fixed:
            return fixed
        with self._renewing:
            kept = self._tokens.token(self.shop.id) or {}
            fresh = kept.get("expires_at", "") > shift(self._http.instant(), RENEW_BEFORE_S)
            if fresh and kept.get("access_token") and kept["access_token"] != instead_of:
                return kept["access_token"]
            return self._make_token()

    def _make_token(self) -> str:
        settings = self.shop.settings
        form = {
            "grant_type": "client_credentials",
            "client_id": settings["client_id"],
            "client_secret": settings["client_secret"],
        }
        request = Request(
            "POST",
            f"{self._base}/admin/oauth/access_token",
            "shopify access_token",
            app=self._base,
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            content=urlencode(form).encode(),
            per_second=1,
        )
        try:
            # Asking again only makes another token: nothing anybody would mind.
            answer = self._http.call(
                request, changes=False, classify=lambda s, h, _: http_failure(s, h, "shopify access_token")
            )
            found = parse_json(answer.content)
            token = str(found["access_token"])
            expires_in_s = int(found.get("expires_in") or 0)
        except Refused as refusal:
            raise Unauthorized(refusal.text, code=refusal.code) from None
        except (ValueError, KeyError):
            raise Unauthorized(
                Text("the platform's answer to the login holds no token"), code="no_token"
            ) from None
        expires_at = shift(self._http.instant(), expires_in_s)
        self._tokens.save_token(self.shop.id, {"access_token": token, "expires_at": expires_at})
        return token


def shaped(data: object, shape: type[T], operation: str, *, changes: bool = False) -> T:
    """Give `data` in the form `shape`.

    Raises: OutcomeUnknown if it does not fit and the call changed something; else Temporary.
    """
    try:
        return msgspec.convert(data, shape)
    except msgspec.ValidationError:
        failure = unreadable(f"shopify {operation}")
        raise failure if changes else Temporary(failure.text, code=failure.code) from None


def gid(kind: str, ref: str) -> str:
    """Give the platform's global id of a thing, from its number or from the global id itself."""
    return ref if ref.startswith("gid://") else f"gid://shopify/{kind}/{ref}"


def number_of(found: object) -> str:
    """Give the number at the end of a global id."""
    return str(found).rsplit("/", 1)[-1]
