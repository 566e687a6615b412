"""Shopify, through its GraphQL Admin API.

Settings: `domain` (name.myshopify.com, unless the shop has a base address); `token`, or `client_id` and
`client_secret`; optional `api_version`,
`history_days` (59: how far back a first fetch reaches), `notify_customer` (true: the platform writes to the buyer), `courier.CODE`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from orderctl.model.errors import Refused
from orderctl.model.text import Text
from orderctl.ports.http import Http
from orderctl.ports.platforms.port import By, Page, RawRow, ShipRequest, Shop, Tokens
from orderctl.ports.platforms.shopify import queries, ship
from orderctl.ports.platforms.shopify.gateway import Gateway, number_of
from orderctl.ports.platforms.shopify.orders import Reader
from orderctl.ports.platforms.shopify.shapes import ShopAnswer


class Shopify:
    """One shop at Shopify."""

    name: ClassVar[str] = "shopify"
    ship_settling_s: ClassVar[int] = 60

    def __init__(self, shop: Shop, http: Http, tokens: Tokens) -> None:
        self._gateway = Gateway(shop, http, tokens)
        self._reader = Reader(self._gateway)
        self._couriers = ship.load_couriers()

    def identify(self) -> str:
        return number_of(self._gateway.call("Shop", queries.SHOP, ShopAnswer).shop.id)

    def fetch(
        self,
        *,
        now: str,
        cursor: str | None = None,
        since: str | None = None,
        until: str | None = None,
        by: By = "updated",
    ) -> Iterator[Page]:
        return self._reader.fetch(now=now, cursor=cursor, since=since, until=until, by=by)

    def fetch_orders(self, refs: Sequence[str], *, now: str) -> Iterator[Page]:
        return self._reader.fetch_orders(refs, now=now)

    def same_recipient(self, records: Sequence[RawRow]) -> dict[str, str]:  # noqa: ARG002 - recipients are plain here
        return {}

    def ship(self, request: ShipRequest) -> dict[str, str | None]:
        return ship.send_shipment(self._gateway, request, self._couriers)

    def lookup_ship(self, request: ShipRequest) -> dict[str, str | None] | None:
        return ship.lookup(self._gateway, request)

    def login_url(self, state: str, redirect: str) -> str:  # noqa: ARG002
        raise self._no_login()

    def exchange(self, code: str, redirect: str) -> None:  # noqa: ARG002
        raise self._no_login()

    def refresh(self) -> None:
        self._gateway.refresh()

    def _no_login(self) -> Refused:
        return Refused(
            Text("shop {shop}: this platform needs no login page", shop=self._gateway.shop.id),
            hint=Text("set token, or client_id and client_secret"),
            code="no_login",
        )
