"""Taobao and Tmall, as a seller's own app sees them.

Settings: `app_key`, `app_secret`; `session` (a fixed token) or a login kept in the token store; optional
`sign_method` (hmac-sha256), `calls_per_second` (8), `types` (trade types to list),
`history_days` (89: how far back a first fetch reaches), `details` (`notes`: no detail call only for the promised date), `courier.CODE`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from orderctl.model.errors import Refused, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.http import Http
from orderctl.ports.platforms.port import (
    By,
    Page,
    RawRow,
    ShipRequest,
    Shop,
    Standing,
    Tokens,
    no_events,
)
from orderctl.ports.platforms.reading import read
from orderctl.ports.platforms.taobao import orders, recipients, ship
from orderctl.ports.platforms.taobao.gateway import Gateway, listed


class Taobao:
    """One shop at Taobao."""

    name: ClassVar[str] = "taobao"
    ship_settling_s: ClassVar[int] = 60

    def __init__(self, shop: Shop, http: Http, tokens: Tokens) -> None:
        self._gateway = Gateway(shop, http, tokens)

    def identify(self) -> str:
        return identify(self._gateway)

    def standing(self) -> Standing:
        return Standing(identify(self._gateway), expires_at=self._gateway.expires_at())

    def fetch(
        self,
        *,
        now: str,
        cursor: str | None = None,
        since: str | None = None,
        until: str | None = None,
        by: By = "updated",
    ) -> Iterator[Page]:
        sold = orders.Sold(self._gateway)
        return read(sold, self._gateway.shop, now=now, cursor=cursor, since=since, until=until, by=by)

    def fetch_orders(self, refs: Sequence[str], *, now: str) -> Iterator[Page]:
        return orders.fetch_orders(self._gateway, refs, now=now)

    def same_recipient(self, records: Sequence[RawRow]) -> dict[str, str]:
        return recipients.same_recipient(self._gateway, records)

    def ship(self, request: ShipRequest) -> dict[str, str | None]:
        return ship.send_shipment(self._gateway, request)

    def lookup_ship(self, request: ShipRequest) -> dict[str, str | None] | None:
        return ship.lookup(self._gateway, request)

    def amend(self, request: ShipRequest, before: str) -> dict[str, str | None]:
        return ship.correct(self._gateway, request, before)

    def lookup_amend(self, request: ShipRequest, before: str) -> dict[str, str | None] | None:
        return ship.lookup_correction(self._gateway, request, before)

    def event_orders(self, headers: Mapping[str, str], body: bytes) -> tuple[str, ...]:  # noqa: ARG002
        raise no_events(self._gateway.shop)  # its messages come over a lasting connection only

    def login_url(self, state: str, redirect: str) -> str:
        return self._gateway.login_url(state, redirect)

    def exchange(self, code: str, redirect: str) -> None:  # noqa: ARG002 - this platform does not ask for it again
        self._gateway.exchange(code)

    def refresh(self) -> None:
        self._gateway.refresh()


def identify(gateway: Gateway) -> str:
    """Give the seller's user id; for apps that may not ask for it, the seller's name out of one of the orders."""
    try:
        user = gateway.call("taobao.user.seller.get", {"fields": "user_id,nick"}).get("user")
        if isinstance(user, dict) and user.get("user_id"):
            return str(user["user_id"])
    except (Refused, Unauthorized) as failure:
        if isinstance(failure, Unauthorized) and failure.code != "permission":
            raise
    answer = gateway.call(
        orders.CREATED, {"fields": "tid,seller_nick", "page_size": "1", "use_has_next": "true"}
    )
    nicks = [t.get("seller_nick") for t in listed(answer.get("trades"), "trade") if isinstance(t, dict)]
    if not nicks or not nicks[0]:
        raise Refused(
            Text("shop {shop}: the platform does not say whose it is", shop=gateway.shop.id), code="nobody"
        )
    return f"nick:{nicks[0]}"
