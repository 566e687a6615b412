"""A shop at Douyin, as an app of the seller or of a service sees it.

Settings: `app_key`, `app_secret`; for a self-use app `shop_id` (and `test_shop`: 1 for a test shop), for a service
app `service_id` and a login. Optional: `sign_method` (hmac-sha256; md5 is being withdrawn), `calls_per_second` (8,
for each operation), `history_days` (89: how far back a first fetch reaches), `courier.CODE` (the platform's code of
a courier), `address_id`, `after_sale_address_id`, `store_id` (told with a shipment where the shop has no defaults),
`bundle_counts` (each: the parts of a bundle are counted for one bundle; all: for all bundles of the line).

The list follows an order's main status only: a changed note or flag, and some after-sale changes, are seen when the
order is next asked for by number, as every action does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from orderctl.model.errors import Unauthorized
from orderctl.ports.http import Http
from orderctl.ports.platforms.douyin import events, orders, ship
from orderctl.ports.platforms.douyin.gateway import Gateway, epoch
from orderctl.ports.platforms.port import By, Page, RawRow, ShipRequest, Shop, Standing, Tokens, shift
from orderctl.ports.platforms.reading import read

COMPANIES = "order.logisticsCompanyList"


class Douyin:
    """One shop at Douyin."""

    name: ClassVar[str] = "douyin"
    ship_settling_s: ClassVar[int] = 60

    def __init__(self, shop: Shop, http: Http, tokens: Tokens) -> None:
        self._shop = shop
        self._http = http
        self._tokens = tokens
        self._gateway = Gateway(shop, http, tokens)

    def identify(self) -> str:
        return self._gateway.kept().get("shop_id") or self._shop.setting("shop_id")

    def standing(self) -> Standing:
        return standing(self._gateway, self.identify(), self._http.instant())

    def fetch(
        self,
        *,
        now: str,
        cursor: str | None = None,
        since: str | None = None,
        until: str | None = None,
        by: By = "updated",
    ) -> Iterator[Page]:
        lister = orders.Orders(self._gateway)
        return read(lister, self._shop, now=now, cursor=cursor, since=since, until=until, by=by)

    def fetch_orders(self, refs: Sequence[str], *, now: str) -> Iterator[Page]:
        return orders.fetch_orders(self._gateway, refs, now=now)

    def same_recipient(self, records: Sequence[RawRow]) -> dict[str, str]:  # noqa: ARG002 - orders carry a key
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
        kept = self._tokens.token(self._shop.id) or {}
        shop_id = self._shop.settings.get("shop_id") or kept.get("shop_id")
        gateway = self._gateway
        return events.read_events(headers, body, key=gateway.key, secret=gateway.secret, shop_id=shop_id)

    def login_url(self, state: str, redirect: str) -> str:  # noqa: ARG002 - the app's own callback gets the code
        return self._gateway.login_url(state)

    def exchange(self, code: str, redirect: str) -> None:  # noqa: ARG002 - this platform does not ask for it again
        self._gateway.exchange(code)

    def refresh(self) -> None:
        self._gateway.refresh()


def standing(gateway: Gateway, shop_id: str, now: str) -> Standing:
    """Try a call of each kind the work needs, and name those the app may not make."""
    asked = {
        orders.LIST: {
            "update_time_start": epoch(shift(now, -3_600)),
            "update_time_end": epoch(now),
            "page": 0,
            "size": 1,
        },
        COMPANIES: {},
    }
    missing = []
    for method, params in asked.items():
        try:
            gateway.call(method, params)
        except Unauthorized as failure:
            if failure.code != "permission":
                raise
            missing.append(method)
    return Standing(shop_id, gateway.kept().get("expires_at"), tuple(missing))
