"""Amazon, through the Selling Partner API.

Settings: `seller_id` (the merchant token of the account), `marketplaces` (`US, CA`; all in one region), `client_id`,
`client_secret`, `refresh_token` (of a self-authorised app) or a login with `application_id` (`draft_app`: true while
the app is a draft). Optional:

* `orders_api` (2026-01-01, or v0, which ends in March 2027), `history_days` (30: how far back a first fetch reaches),
  `fulfilled_by` (MERCHANT: leave out what Amazon ships, which saves calls), `personal_data` (false: ask for none),
  `included_data` (the blocks to ask 2026-01-01 for), `restricted_paths` (specific: one restricted token for each
  order, where Amazon takes no generic path);
* `courier.CODE[.COUNTRY]` (Amazon's carrier code, or `Other:Name`), `method.CODE[.COUNTRY]` (the shipping method as
  Seller Central shows it), `supply_source`;
* `sandbox` (true: Amazon's static sandbox; its orders are held as tests), `token_url`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import ClassVar

from orderctl.model.errors import Refused
from orderctl.ports.http import Http
from orderctl.ports.platforms.amazon import events, ship
from orderctl.ports.platforms.amazon.gateway import Gateway
from orderctl.ports.platforms.amazon.orders import backend_of, fetch_orders
from orderctl.ports.platforms.port import By, Page, RawRow, ShipRequest, Shop, Standing, Tokens
from orderctl.ports.platforms.reading import read

NO_ORDER = "000-0000000-0000000"
ROLE = "Direct-to-Consumer Delivery (restricted)"


class Amazon:
    """One seller at Amazon, in one region."""

    name: ClassVar[str] = "amazon"
    ship_settling_s: ClassVar[int] = 600
    """What was confirmed shows after minutes; telling it again is harmless."""

    def __init__(self, shop: Shop, http: Http, tokens: Tokens) -> None:
        self._gateway = Gateway(shop, http, tokens)
        self._backend = backend_of(self._gateway)

    def identify(self) -> str:
        """Give the seller's id. The Orders API never tells it, so it is the one of the settings."""
        return self._gateway.shop.setting("seller_id")

    def standing(self) -> Standing:
        # an order that cannot exist costs nothing, and Amazon looks at roles before it looks for orders
        with suppress(Refused):
            self._backend.order(NO_ORDER, now=self._gateway.http.instant())
        missing = (ROLE,) if self._backend.withheld else ()
        return Standing(self.identify(), None, missing)  # the access token renews itself

    def fetch(
        self,
        *,
        now: str,
        cursor: str | None = None,
        since: str | None = None,
        until: str | None = None,
        by: By = "updated",
    ) -> Iterator[Page]:
        return read(
            self._backend, self._gateway.shop, now=now, cursor=cursor, since=since, until=until, by=by
        )

    def fetch_orders(self, refs: Sequence[str], *, now: str) -> Iterator[Page]:
        return fetch_orders(self._backend, refs, now=now)

    def same_recipient(self, records: Sequence[RawRow]) -> dict[str, str]:  # noqa: ARG002 - recipients are plain here
        return {}

    def ship(self, request: ShipRequest) -> dict[str, str | None]:
        return ship.send_shipment(self._gateway, request)

    def lookup_ship(self, request: ShipRequest) -> dict[str, str | None] | None:
        return ship.lookup(self._gateway, request)

    def amend(self, request: ShipRequest, before: str) -> dict[str, str | None]:
        return ship.amend(self._gateway, request, before)

    def lookup_amend(self, request: ShipRequest, before: str) -> dict[str, str | None] | None:
        return ship.lookup_amend(self._gateway, request, before)

    def event_orders(self, headers: Mapping[str, str], body: bytes) -> tuple[str, ...]:  # noqa: ARG002 - unsigned
        return events.event_orders(self._gateway.shop, body)

    def login_url(self, state: str, redirect: str) -> str:  # noqa: ARG002 - the app registered its address
        return self._gateway.login_page(state)

    def exchange(self, code: str, redirect: str) -> None:
        self._gateway.exchange(code, redirect)

    def refresh(self) -> None:
        self._gateway.refresh()
