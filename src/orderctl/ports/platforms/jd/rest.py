"""Signed calls to JD's newer gateway (SP-API): one address each, JSON there and back.

The one invariant: the text that is signed is the text that is sent. Times are milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from orderctl.model.instant import parse_instant, write_instant
from orderctl.ports.http import Http, Request, parse_json, write_json
from orderctl.ports.platforms.jd.gateway import calls_per_second, sign, words_of
from orderctl.ports.platforms.jd.login import Login
from orderctl.ports.platforms.jd.meaning import classify_rest

PRODUCTION = "https://api-cn.jd.com/rest"
LAST_MS = 253_402_300_799_999


def millis(instant: str) -> str:
    """Write an instant as milliseconds since 1970."""
    return str(int(parse_instant(instant).timestamp()) * 1000)


def instant_of_millis(value: object) -> str | None:
    """Read milliseconds since 1970 as an instant; None where they are missing or no time."""
    text = str(value)
    if not text.isdecimal() or not 0 < int(text) <= LAST_MS:
        return None
    return write_instant(datetime.fromtimestamp(int(text) // 1000, UTC))


class Rest:
    """The SP-API for one shop."""

    def __init__(self, http: Http, login: Login) -> None:
        self.shop = login.shop
        self._http = http
        self._login = login
        self._base = (f"{self.shop.base_url.rstrip('/')}/rest" if self.shop.base_url else PRODUCTION).rstrip(
            "/"
        )
        self._rate = calls_per_second(self.shop)
        self._words = words_of(self.shop)

    def now(self) -> str:
        """Give the present instant."""
        return self._http.instant()

    def call(
        self,
        verb: str,
        path: str,
        *,
        places: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        changes: bool = False,
    ) -> dict[str, Any]:
        """Call `path`, its `{name}` filled from `places`, and give the whole answer.

        Raises: what `Http.call` raises, of the meaning `classify_rest` gives it.
        """
        where, asked = dict(places or {}), {name: v for name, v in (query or {}).items() if v}
        text = write_json(body) if body else ""
        return self._login.with_token(
            lambda token: self._send(verb, path, where, asked, text, token, changes=changes)
        )

    def _send(
        self,
        verb: str,
        path: str,
        where: Mapping[str, str],
        asked: Mapping[str, str],
        text: str,
        token: str,
        *,
        changes: bool,
    ) -> dict[str, Any]:
        headers = {
            "X-JOS-App-Key": self._login.key,
            "X-JOS-Access-Token": token,
            "X-JOS-Timestamp": millis(self._http.instant()),
        }
        signature = sign({**headers, **asked, **where, "body": text}, self._login.secret)
        filled = path.format_map({name: quote(value, safe="") for name, value in where.items()})
        operation = f"{verb} {path.removeprefix('/sp-order/v0')}"
        request = Request(
            verb,
            f"{self._base}{filled}" + (f"?{urlencode(asked)}" if asked else ""),
            operation,
            app=self._login.key,
            limit="jd",
            headers={
                **headers,
                "X-JOS-Sign": signature,
                "X-JOS-Request-Identity": "vender",
                "Content-Type": "application/json",
            },
            content=text.encode(),
            per_second=self._rate,
        )
        meaning = partial(classify_rest, operation=operation, words=self._words)
        return parse_json(self._http.call(request, changes=changes, classify=meaning).content)
