"""Signed calls to Douyin's gateway: one method, one JSON object, one JSON answer; and the tokens behind them.

The one invariant: the bytes that are signed are the bytes that are sent. The business parameters are the body; all
else, signature included, stands in the query.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from typing import Any
from urllib.parse import urlencode

from orderctl.model.errors import ConfigError, Refused, Temporary, Unauthorized
from orderctl.model.instant import parse_instant, write_instant
from orderctl.model.text import Text
from orderctl.ports.http import Http, Request, parse_json
from orderctl.ports.platforms.douyin.meaning import classify
from orderctl.ports.platforms.port import Shop, Tokens, shift

PRODUCTION = "https://openapi-fxg.jinritemai.com"
AUTHORIZE = "https://fuwu.jinritemai.com/authorize"
CREATE, REFRESH = "token.create", "token.refresh"
CALLS_PER_S = 8.0
LATE_S = 3_000
"""In its last hour a token can be traded for a new one and lives on beside it; ten minutes of that are left alone."""
OLDEST_EPOCH = 1_000_000_000
UNSAFE = str.maketrans("", "", "\u2028\u2029")  # encoders disagree on how these two are written


def write_params(params: Mapping[str, Any]) -> str:
    """Write business parameters the way they are signed: sorted at every level, compact, nothing escaped."""
    text = json.dumps(params, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.translate(UNSAFE)


def sign(key: str, secret: str, method: str, timestamp: str, params: str, kind: str) -> str:
    """Give the signature of a call by `hmac-sha256` or `md5`, lower-case hex; `params` is the text of the body.

    Raises: ConfigError for another kind. Source: the platform's API guide, signature algorithm.
    """
    parts = {"app_key": key, "method": method, "param_json": params, "timestamp": timestamp, "v": "2"}
    text = (secret + "".join(name + value for name, value in parts.items()) + secret).encode()
    if kind == "hmac-sha256":
        return hmac.new(secret.encode(), text, "sha256").hexdigest()
    if kind == "md5":
        return hashlib.md5(text, usedforsecurity=False).hexdigest()
    raise ConfigError(
        Text("unknown sign_method '{name}' (known: {known})", name=kind, known="hmac-sha256, md5")
    )


def instant_of(seconds: object) -> str | None:
    """Read the platform's seconds since 1970 as an instant; None where nothing happened yet (0)."""
    text = str(seconds)
    if not text.isdecimal() or not 0 < int(text) < 253_402_300_800:
        return None
    return write_instant(datetime.fromtimestamp(int(text), UTC))


def epoch(instant: str) -> int:
    """Write an instant as the platform's seconds since 1970."""
    return int(parse_instant(instant).timestamp())


class Gateway:
    """The gateway for one shop: signs, carries the token, renews it in time and once more when it is refused.

    A shop with the setting `shop_id` uses a self-use app: its token needs no login, the app asks for it. Other shops
    log in with a code.
    """

    def __init__(self, shop: Shop, http: Http, tokens: Tokens) -> None:
        self.shop = shop
        self.key = shop.setting("app_key")
        self.secret = shop.setting("app_secret")
        self._http = http
        self._tokens = tokens
        self._base = (shop.base_url or PRODUCTION).rstrip("/")
        self._kind = shop.settings.get("sign_method") or "hmac-sha256"
        self._per_second = float(shop.settings.get("calls_per_second") or CALLS_PER_S)
        self._renewing = Lock()

    @property
    def is_self_use(self) -> bool:
        """Say whether the app belongs to the seller and asks for its token itself."""
        return bool(self.shop.settings.get("shop_id"))

    def call(self, method: str, params: Mapping[str, Any], *, changes: bool = False) -> dict[str, Any]:
        """Call a method in the name of the shop and give the `data` of its answer.

        Raises: what `Http.call` raises; a token the platform takes no more is replaced once.
        """
        token = self._token()
        try:
            return self._send(method, params, token, changes=changes)
        except Unauthorized as failure:
            if failure.code != "token_expired":
                raise
        return self._send(method, params, self._token(instead_of=token), changes=changes)

    def kept(self) -> Mapping[str, str]:
        """Give the token that is kept, whatever it is still worth; made first if the app can do so by itself."""
        self._token()
        return self._tokens.token(self.shop.id) or {}

    def login_url(self, state: str) -> str:
        """Give the page where the seller allows this app in. Raises: Refused for a self-use app."""
        if self.is_self_use:
            raise Refused(
                Text("shop {shop}: this platform needs no login page", shop=self.shop.id),
                hint=Text("authorise the app in the back office of the shop"),
                code="no_login",
            )
        page = f"{self._base}/authorize" if self.shop.base_url else AUTHORIZE
        return f"{page}?{urlencode({'service_id': self.shop.setting('service_id'), 'state': state})}"

    def exchange(self, code: str) -> None:
        """Trade the code of a login for a token and keep it."""
        self._keep(self._send(CREATE, {"code": code, "grant_type": "authorization_code"}, None))

    def refresh(self) -> None:
        """Renew the kept token. Raises: Unauthorized (`reauthorise`) if only the seller can help."""
        kept = (self._tokens.token(self.shop.id) or {}).get("refresh_token")
        if kept:
            try:
                self._keep(self._send(REFRESH, {"grant_type": "refresh_token", "refresh_token": kept}, None))
                return
            except (Refused, Unauthorized) as failure:
                if failure.code in ("signature", "clock"):
                    raise
                if (self._tokens.token(self.shop.id) or {}).get("refresh_token") != kept:
                    return  # another run was faster
                if not self.is_self_use:
                    raise self._lost() from None
        if not self.is_self_use:
            raise self._lost()
        self._ask()

    def _lost(self) -> Unauthorized:
        return Unauthorized(
            Text("shop {shop}: this login cannot be renewed", shop=self.shop.id),
            hint=Text("log in again with orderctl auth"),
            code="reauthorise",
        )

    def _ask(self) -> None:
        settings = self.shop.settings
        asked = {"code": "", "grant_type": "authorization_self", "shop_id": settings["shop_id"]}
        if settings.get("test_shop"):
            asked["test_shop"] = settings["test_shop"]
        self._keep(self._send(CREATE, asked, None))

    def _token(self, *, instead_of: str = "") -> str:
        """Give a token that is not about to end, another one than `instead_of`.

        Raises: Unauthorized (`no_token`) where a login is missing.
        """
        with self._renewing:
            kept = self._tokens.token(self.shop.id) or {}
            token = kept.get("access_token")
            if not token and not self.is_self_use:
                raise Unauthorized(
                    Text("shop {shop}: not logged in yet", shop=self.shop.id),
                    hint=Text("log in again with orderctl auth"),
                    code="no_token",
                )
            ends = kept.get("expires_at")
            now = self._http.instant()
            if token and token != instead_of and (not ends or ends > shift(now, LATE_S)):
                return token
            self._renew(still_good=bool(token and token != instead_of and ends and ends > now))
            if self.is_self_use and self._stored() == instead_of:
                self._ask()  # long before its end a token is renewed to itself
            return self._stored()

    def _stored(self) -> str:
        return (self._tokens.token(self.shop.id) or {}).get("access_token", "")

    def _renew(self, *, still_good: bool) -> None:
        """Renew; as long as the present token is still good, a failure is no reason to stop."""
        try:
            self.refresh()
        except (Temporary, Unauthorized) as failure:
            if not still_good or failure.code == "signature":
                raise

    def _keep(self, answer: Mapping[str, Any]) -> None:
        self._tokens.save_token(self.shop.id, parse_token(answer, self._http.instant()))

    def _send(
        self, method: str, params: Mapping[str, Any], token: str | None, *, changes: bool = False
    ) -> dict[str, Any]:
        body = write_params(params)
        timestamp = str(epoch(self._http.instant()))
        query = {
            "method": method,
            "app_key": self.key,
            **({"access_token": token} if token else {}),
            "timestamp": timestamp,
            "v": "2",
            "sign": sign(self.key, self.secret, method, timestamp, body, self._kind),
            "sign_method": self._kind,
        }
        request = Request(
            "POST",
            f"{self._base}/{method.replace('.', '/')}?{urlencode(query)}",
            method,
            app=self.key,
            headers={"Content-Type": "application/json;charset=utf-8"},
            content=body.encode(),
            per_second=self._per_second,
        )
        answer = self._http.call(request, changes=changes, classify=partial(classify, operation=method))
        found = parse_json(answer.content).get("data")
        return found if isinstance(found, dict) else {}


def parse_token(answer: Mapping[str, Any], now: str) -> dict[str, str]:
    """Read the answer to a token call as what is kept: tokens, their end as an instant, the shop's id.

    `expires_in` counts the seconds left; some documents call it a point in time, which such large numbers must be.
    Raises: Unauthorized if there is no token in it.
    """
    if not answer.get("access_token"):
        raise Unauthorized(Text("the platform's answer to the login holds no token"), code="no_token")
    kept = {"access_token": str(answer["access_token"])}
    left = str(answer.get("expires_in", ""))
    if left.isdecimal():
        ends = instant_of(left) if int(left) > OLDEST_EPOCH else shift(now, int(left))
        if ends:
            kept["expires_at"] = ends
    for name in ("refresh_token", "shop_id"):
        if answer.get(name):
            kept[name] = str(answer[name])
    return kept
