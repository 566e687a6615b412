"""Signed calls to JD's classic gateway (JOS): one method, its parameters as one JSON text, one JSON answer.

The one invariant: the text that is signed is the text that is sent. Times are Beijing wall-clock text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from orderctl.model.errors import ConfigError
from orderctl.model.text import Text
from orderctl.ports.http import Http, Request, parse_json, write_json
from orderctl.ports.platforms.jd.login import Login
from orderctl.ports.platforms.jd.meaning import QUOTA_PAUSE_S, WORDS, Words, classify, response_of
from orderctl.ports.platforms.port import Shop
from orderctl.ports.platforms.wallclock import beijing

PRODUCTION = "https://api.jd.com"
GATEWAY_PATH = "/routerjson"
BODY = "360buy_param_json"
CALLS_PER_S = 5.0


def sign(params: Mapping[str, str], secret: str) -> str:
    """Give the signature of `params` (without empty ones): MD5 in upper-case hex, the secret on both sides.

    Source: JOS developer guide. The SP-API signs in the same way.
    """
    text = "".join(name + params[name] for name in sorted(params) if name != "sign" and params[name])
    return hashlib.md5((secret + text + secret).encode(), usedforsecurity=False).hexdigest().upper()


def number(shop: Shop, name: str, default: float, at_most: float) -> float:
    """Give a setting that is a positive number. Raises: ConfigError."""
    try:
        found = float(shop.settings.get(name) or default)
    except ValueError:
        found = 0.0
    if not 0 < found <= at_most:
        raise ConfigError(
            Text(
                "shop {shop}: '{name}' is no number above 0, up to {most}",
                shop=shop.id,
                name=name,
                most=f"{at_most:g}",
            )
        )
    return found


def calls_per_second(shop: Shop) -> float:
    """Give the rate all calls of the app keep to. Raises: ConfigError."""
    return number(shop, "calls_per_second", CALLS_PER_S, 1000)


def words_of(shop: Shop) -> Words:
    """Give the words by which business errors are recognised, those of the shop's settings `words.CODE` first."""
    return {
        code: "|".join(filter(None, (shop.settings.get(f"words.{code}"), ours)))
        for code, ours in WORDS.items()
    }


class Gateway:
    """The classic gateway for one shop."""

    def __init__(self, http: Http, login: Login) -> None:
        self.shop = login.shop
        self._http = http
        self._login = login
        self._base = (self.shop.base_url or PRODUCTION).rstrip("/").removesuffix(GATEWAY_PATH)
        self._rate = calls_per_second(self.shop)
        self._words = words_of(self.shop)
        self._pause_s = number(self.shop, "quota_pause_s", QUOTA_PAUSE_S, 86_400)

    def now(self) -> str:
        """Give the present instant."""
        return self._http.instant()

    def call(self, method: str, params: Mapping[str, Any], *, changes: bool = False) -> dict[str, Any]:
        """Call a method in the name of the seller and give what stands inside its `..._responce`.

        Raises: what `Http.call` raises, of the meaning `classify` gives it.
        """
        text = write_json(dict(sorted(params.items())))
        return self._login.with_token(lambda token: self._send(method, text, token, changes=changes))

    def _send(self, method: str, text: str, token: str, *, changes: bool) -> dict[str, Any]:
        sent = {
            BODY: text,
            "access_token": token,
            "app_key": self._login.key,
            "method": method,
            "timestamp": f"{beijing(self._http.instant())}.000+0800",
            "v": "2.0",
        }
        sent["sign"] = sign(sent, self._login.secret)
        request = Request(
            "POST",
            self._base + GATEWAY_PATH,
            method,
            app=self._login.key,
            limit="jd",  # the platform counts all calls of an app together
            headers={"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"},
            content=urlencode(sent).encode(),
            per_second=self._rate,
        )
        meaning = partial(classify, operation=method, words=self._words, pause_s=self._pause_s)
        answer = self._http.call(request, changes=changes, classify=meaning)
        return response_of(parse_json(answer.content)) or {}
