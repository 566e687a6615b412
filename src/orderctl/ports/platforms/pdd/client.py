"""Pinduoduo, as a seller's own app sees it.

Settings: `client_id`, `client_secret`; `access_token` (a fixed one) or a login kept in the token store. Optional, all
with defaults:

- `authorize_url` (the service market's page; the older one is https://mms.pinduoduo.com/open.html)
- `calls_per_second` (8, each method)
- `history_days` (89: how far back a first fetch reaches)
- `owner_id` (the shop's id, where the app may not ask for it)
- `courier.CODE` (the platform's number of a courier)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from orderctl.model.errors import Refused, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.http import Http
from orderctl.ports.platforms.pdd import orders, ship
from orderctl.ports.platforms.pdd.gateway import Gateway
from orderctl.ports.platforms.port import By, Page, RawRow, ShipRequest, Shop, Standing, Tokens, no_events
from orderctl.ports.platforms.reading import parse_cursor, read

MALL = "pdd.mall.info.get"
NEEDED = (orders.CHANGED, orders.CONFIRMED, orders.DETAIL, ship.SEND, ship.EXTRA)


class Pdd:
    """One shop at Pinduoduo."""

    name: ClassVar[str] = "pdd"
    ship_settling_s: ClassVar[int] = 60

    def __init__(self, shop: Shop, http: Http, tokens: Tokens) -> None:
        self._gateway = Gateway(shop, http, tokens)
        self._couriers = ship.Couriers(self._gateway)

    def identify(self) -> str:
        return identify(self._gateway)

    def standing(self) -> Standing:
        shop_id = self.identify()
        kept = self._gateway.kept()
        granted = kept.get("scopes")
        missing = tuple(m for m in NEEDED if m not in granted.split()) if granted else ()
        return Standing(shop_id, kept.get("expires_at"), missing)

    def fetch(
        self,
        *,
        now: str,
        cursor: str | None = None,
        since: str | None = None,
        until: str | None = None,
        by: By = "updated",
    ) -> Iterator[Page]:
        first = by == "updated" and not (since or until or parse_cursor(cursor))
        lister = orders.Orders(self._gateway, by, first=first)
        return read(lister, self._gateway.shop, now=now, cursor=cursor, since=since, until=until, by=by)

    def fetch_orders(self, refs: Sequence[str], *, now: str) -> Iterator[Page]:
        return orders.fetch_orders(self._gateway, refs, now=now)

    def same_recipient(self, records: Sequence[RawRow]) -> dict[str, str]:
        del records  # every order carries what proves it
        return {}

    def ship(self, request: ShipRequest) -> dict[str, str | None]:
        return ship.send_shipment(self._gateway, request, self._couriers)

    def lookup_ship(self, request: ShipRequest) -> dict[str, str | None] | None:
        return ship.lookup(self._gateway, request)

    def amend(self, request: ShipRequest, before: str) -> dict[str, str | None]:
        return ship.correct(self._gateway, request, before, self._couriers)

    def lookup_amend(self, request: ShipRequest, before: str) -> dict[str, str | None] | None:
        return ship.lookup_correction(self._gateway, request, before, self._couriers)

    def event_orders(self, headers: Mapping[str, str], body: bytes) -> tuple[str, ...]:
        del (
            headers,
            body,
        )  # its messages come over a connection of their own, which only its Java library speaks
        raise no_events(self._gateway.shop)

    def login_url(self, state: str, redirect: str) -> str:
        return self._gateway.login_url(state, redirect)

    def exchange(self, code: str, redirect: str) -> None:
        del redirect  # this platform does not ask for it again
        self._gateway.exchange(code)

    def refresh(self) -> None:
        self._gateway.refresh()


def identify(gateway: Gateway) -> str:
    """Give the shop's id as the platform says it; where the app may not ask, that of the login or the setting."""
    try:
        mall = gateway.call(MALL, {}).get("mall_id")
        if mall:
            return str(mall)
    except (Refused, Unauthorized) as failure:
        if isinstance(failure, Unauthorized) and failure.code != "permission":
            raise
    told = gateway.kept().get("seller_id") or gateway.shop.settings.get("owner_id")
    if not told:
        raise Refused(
            Text("shop {shop}: the platform does not say whose it is", shop=gateway.shop.id),
            hint=Text("set owner_id for the shop"),
            code="nobody",
        )
    return told
