"""Taobao and Tmall, as a seller's own app sees them.

Settings: `app_key`, `app_secret`; `session` (a fixed token) or a login kept in the token store; optional
`sign_method` (hmac-sha256), `calls_per_second` (8), `types` (trade types to list),
`details` (`notes`: no detail call only for the promised date), `courier.CODE`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from orderctl.model.errors import Refused
from orderctl.model.text import Text
from orderctl.ports.http import Http
from orderctl.ports.platforms.port import By, Page, RawRow, ShipRequest, Shop, Tokens
from orderctl.ports.platforms.taobao import orders, recipients, ship
from orderctl.ports.platforms.taobao.gateway import Gateway


class Taobao:
    """One shop at Taobao."""

    name: ClassVar[str] = "taobao"
    ship_settling_s: ClassVar[int] = 60

    def __init__(self, shop: Shop, http: Http, tokens: Tokens) -> None:
        self._gateway = Gateway(shop, http, tokens)
        self._couriers = ship.load_couriers()

    def identify(self) -> str:
        user = self._gateway.call("taobao.user.seller.get", {"fields": "user_id,nick"}).get("user")
        found = user.get("user_id") if isinstance(user, dict) else None
        if not found:
            raise Refused(Text("{operation}: the answer names no seller", operation="taobao.user.seller.get"))
        return str(found)

    def fetch(
        self,
        *,
        now: str,
        cursor: str | None = None,
        since: str | None = None,
        until: str | None = None,
        by: By = "updated",
    ) -> Iterator[Page]:
        return orders.fetch(self._gateway, now=now, cursor=cursor, since=since, until=until, by=by)

    def fetch_orders(self, refs: Sequence[str], *, now: str) -> Iterator[Page]:
        return orders.fetch_orders(self._gateway, refs, now=now)

    def same_recipient(self, records: Sequence[RawRow]) -> dict[str, str]:
        return recipients.same_recipient(self._gateway, records)

    def ship(self, request: ShipRequest) -> dict[str, str | None]:
        return ship.send_shipment(self._gateway, request, self._couriers)

    def lookup_ship(self, request: ShipRequest) -> dict[str, str | None] | None:
        return ship.lookup(self._gateway, request)

    def login_url(self, state: str, redirect: str) -> str:
        return self._gateway.login_url(state, redirect)

    def exchange(self, code: str, redirect: str) -> None:  # noqa: ARG002 - this platform does not ask for it again
        self._gateway.exchange(code)

    def refresh(self) -> None:
        self._gateway.refresh()
