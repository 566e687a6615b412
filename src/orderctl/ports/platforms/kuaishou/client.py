"""The shop of Kuaishou, as a seller's own app sees it.

Settings: `app_key`, `app_secret` (the login), `sign_secret` (signatures); `access_token` (a fixed one) or a login kept
in the token store; for messages `message_secret` (Base64). Optional, all with defaults:

- `sign_method` (HMAC_SHA256, or MD5), `calls_per_second` (10, each operation), `scopes` (by commas: asked for at login)
- `page_size` (50), `sort` (2: documents say that is oldest first; the order does not matter to us)
- `history_days` (89: how far back a first fetch reaches)
- `refunds` (ask, or skip: do not ask how much of a refund was paid back; it then counts as all)
- `gifts` (tell, or skip: the platform is told of the goods alone), `split_done` (1) and `split_open` (0): what is said
  of a line of which nothing, or something, is left after a parcel
- `courier.CODE` (the platform's whole number)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from orderctl.model.errors import Refused
from orderctl.model.text import Text
from orderctl.ports.http import Http
from orderctl.ports.platforms.kuaishou import events, orders, ship
from orderctl.ports.platforms.kuaishou.gateway import Gateway, millis
from orderctl.ports.platforms.port import (
    By,
    Page,
    RawRow,
    ShipRequest,
    Shop,
    Standing,
    Tokens,
    Window,
    shift,
)
from orderctl.ports.platforms.reading import read

NEEDED_SCOPES = ("merchant_order", "merchant_logistics", "merchant_refund")
WEEK_S = 7 * 86_400
WEEKS_BACK = 12


class Kuaishou:
    """One shop at Kuaishou."""

    name: ClassVar[str] = "kuaishou"
    ship_settling_s: ClassVar[int] = 60

    def __init__(self, shop: Shop, http: Http, tokens: Tokens) -> None:
        self._gateway = Gateway(shop, http, tokens)
        self._http = http

    def identify(self) -> str:
        return identify(self._gateway, self._http.instant())

    def standing(self) -> Standing:
        kept = {} if self._gateway.shop.settings.get("access_token") else self._gateway.kept()
        granted = kept.get("scopes")
        missing = [s for s in NEEDED_SCOPES if s not in granted.split(",")] if granted else []
        if self._gateway.shop.settings.get("refunds") == "skip":
            missing = [scope for scope in missing if scope != "merchant_refund"]
        shop_id = self.identify()
        # the access token is renewed every other day; what ends the login is the token it is renewed with
        ends = self._gateway.kept().get("refresh_expires_at") if kept.get("refresh_token") else None
        return Standing(shop_id, ends or kept.get("expires_at"), tuple(missing))

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
        return read(lister, self._gateway.shop, now=now, cursor=cursor, since=since, until=until, by=by)

    def fetch_orders(self, refs: Sequence[str], *, now: str) -> Iterator[Page]:
        return orders.fetch_orders(self._gateway, refs, now=now)

    def same_recipient(self, records: Sequence[RawRow]) -> dict[str, str]:
        del records  # every order carries the id of its address
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
        del headers  # a message is proven by its encryption alone
        return events.read_event(self._gateway.shop, self._gateway.app_key, body)

    def login_url(self, state: str, redirect: str) -> str:
        return self._gateway.login_url(state, redirect)

    def exchange(self, code: str, redirect: str) -> None:
        del redirect
        self._gateway.exchange(code)

    def refresh(self) -> None:
        self._gateway.refresh()


def identify(gateway: Gateway, now: str) -> str:
    """Give the seller's open id: that of the login, which a call proves to be accepted, or that of an order."""
    for week in range(WEEKS_BACK):
        end = shift(now, -week * WEEK_S)
        answer = gateway.call(orders.LIST, _one_order(Window(shift(end, -WEEK_S), end)))
        if not gateway.shop.settings.get("access_token") and gateway.kept().get("seller_id"):
            return gateway.kept()["seller_id"]
        for order in orders.listed_of(answer.get("orderList")):
            if isinstance(order, dict) and orders.part(order, "orderBaseInfo").get("sellerOpenId"):
                return str(orders.part(order, "orderBaseInfo")["sellerOpenId"])
    raise Refused(
        Text("shop {shop}: the platform does not say whose it is", shop=gateway.shop.id), code="nobody"
    )


def _one_order(window: Window) -> dict[str, Any]:
    """Give the parameters of a list of one order changed in a window."""
    return {
        "orderViewStatus": orders.ALL,
        "pageSize": 1,
        "sort": 1,
        "queryType": 2,
        "beginTime": millis(window.since),
        "endTime": millis(window.until),
        "cpsType": 0,
        "cursor": "",
    }
