"""Shopify, through its GraphQL Admin API.

Settings: `domain` (name.myshopify.com, unless the shop has a base address); `token`, or `client_id` and
`client_secret`; optional `api_version`,
`history_days` (59: how far back a first fetch reaches), `webhook_secret` (instead of `client_secret`),
`notify_customer` (true: the platform writes to the buyer), `courier.CODE`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from orderctl.model.errors import Refused
from orderctl.model.text import Text
from orderctl.ports.http import Http
from orderctl.ports.platforms.port import By, Page, RawRow, ShipRequest, Shop, Standing, Tokens
from orderctl.ports.platforms.reading import read
from orderctl.ports.platforms.shopify import events, queries, ship
from orderctl.ports.platforms.shopify.gateway import Gateway, number_of
from orderctl.ports.platforms.shopify.orders import Reader
from orderctl.ports.platforms.shopify.shapes import Rights, ShopAnswer

NEEDED = (
    ("read_orders", ""),
    ("write_merchant_managed_fulfillment_orders", "write_assigned_fulfillment_orders"),
)
"""Scopes the work needs, with what does as well."""


class Shopify:
    """One shop at Shopify."""

    name: ClassVar[str] = "shopify"
    ship_settling_s: ClassVar[int] = 60

    def __init__(self, shop: Shop, http: Http, tokens: Tokens) -> None:
        self._gateway = Gateway(shop, http, tokens)
        self._reader = Reader(self._gateway)

    def identify(self) -> str:
        return number_of(self._gateway.call("Shop", queries.SHOP, ShopAnswer).shop.id)

    def standing(self) -> Standing:
        found = self._gateway.call("Rights", queries.RIGHTS, Rights).current_app_installation.access_scopes
        given = {scope.handle for scope in found}
        missing = tuple(sorted(f"{a} | {b}" if b else a for a, b in NEEDED if not {a, b} & given))
        return Standing(self.identify(), self._gateway.expires_at(), missing, self._gateway.points_left())

    def fetch(
        self,
        *,
        now: str,
        cursor: str | None = None,
        since: str | None = None,
        until: str | None = None,
        by: By = "updated",
    ) -> Iterator[Page]:
        shop = self._gateway.shop
        for page in read(self._reader, shop, now=now, cursor=cursor, since=since, until=until, by=by):
            yield replace(page, warnings=self._gateway.take_warnings())

    def fetch_orders(self, refs: Sequence[str], *, now: str) -> Iterator[Page]:
        return self._reader.fetch_orders(refs, now=now)

    def same_recipient(self, records: Sequence[RawRow]) -> dict[str, str]:  # noqa: ARG002 - recipients are plain here
        return {}

    def ship(self, request: ShipRequest) -> dict[str, str | None]:
        return ship.send_shipment(self._gateway, request)

    def lookup_ship(self, request: ShipRequest) -> dict[str, str | None] | None:
        return ship.lookup(self._gateway, request)

    def amend(self, request: ShipRequest, before: str) -> dict[str, str | None]:
        return ship.correct(self._gateway, request, before)

    def lookup_amend(self, request: ShipRequest, before: str) -> dict[str, str | None] | None:
        return ship.lookup_correction(self._gateway, request, before)

    def event_orders(self, headers: Mapping[str, str], body: bytes) -> tuple[str, ...]:
        return events.event_orders(self._gateway.shop, headers, body)

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
