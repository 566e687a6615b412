"""JD, as a seller's own app sees it.

Settings: `app_key`, `app_secret`; `access_token` (a fixed token) or a login kept in the token store.
Optional: `api` (`jos`, the classic gateway; or `sp`, the SP-API), `receiver` (`masked`; or `cipher` for the methods that
give ciphertexts), `calls_per_second` (5), `quota_pause_s` (300: silence after "call limit reached"), `history_days` (89),
`page_size` (50), `order_states` (`ALL`), `promise` (`scDT`: the field of the promised ship time; `none`), `container`
(name of the object around the parameters of the list; none), `source_id`, `amend_method`
(`360buy.order.sop.waybill.update`; `none`), `parts` (`sp`: parts of orders are shipped through the SP-API; `none`),
`same_recipient` (`sp`: asked through the SP-API; `none`), `courier.CODE`,
`words.CODE` (further words, joined by |, by which a business error is recognised as CODE).
Of the SP-API: `scope_set`, `sort_by_change` (`modifiedTime`), `sort_by_creation` (`createdTime`), `sort_order` (`ASC`),
`shipment_type` (not sent).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar

from orderctl.model.errors import ConfigError, Refused, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.http import Http
from orderctl.ports.platforms.jd import recipients
from orderctl.ports.platforms.jd.gateway import Gateway
from orderctl.ports.platforms.jd.login import Login
from orderctl.ports.platforms.jd.orders import Orders
from orderctl.ports.platforms.jd.rest import Rest
from orderctl.ports.platforms.jd.rest_orders import RestOrders
from orderctl.ports.platforms.jd.rest_ship import RestShipping
from orderctl.ports.platforms.jd.ship import Shipping
from orderctl.ports.platforms.port import By, Page, RawRow, ShipRequest, Shop, Standing, Tokens, no_events
from orderctl.ports.platforms.reading import read

VENDER = "jingdong.seller.vender.info.get"
CARRIERS = "/sp-order/v0/carriers"
NOT_ALLOWED = ("permission", "cloud")


class Jd:
    """One shop at JD."""

    name: ClassVar[str] = "jd"
    ship_settling_s: ClassVar[int] = 60

    def __init__(self, shop: Shop, http: Http, tokens: Tokens) -> None:
        self.shop = shop
        self._login = Login(shop, http, tokens)
        self._gateway = Gateway(http, self._login)
        self._rest = Rest(http, self._login)
        self._orders: Orders | RestOrders
        self._shipping: Shipping | RestShipping
        rest_orders = RestOrders(self._rest)
        parts = RestShipping(self._rest, rest_orders)
        if self._chosen("api", "jos", "sp") == "jos":
            orders, in_parts = Orders(self._gateway), self._chosen("parts", "sp", "none") == "sp"
            self._orders, self._shipping = (
                orders,
                Shipping(self._gateway, orders, parts if in_parts else None),
            )
        else:
            in_parts = True
            self._orders, self._shipping = rest_orders, parts
        self._chosen("receiver", "masked", "cipher")
        self._asks = self._chosen("same_recipient", "sp", "none") == "sp"
        self._uses_rest = in_parts or self._asks

    def identify(self) -> str:
        """Give the merchant's id (venderId); it also stands in every order, for apps that may not ask for it."""
        try:
            found = self._gateway.call(VENDER, {}).get("vender_info_result")
            if isinstance(found, dict) and found.get("vender_id"):
                return str(found["vender_id"])
        except (Refused, Unauthorized) as failure:
            if isinstance(failure, Unauthorized) and failure.code not in NOT_ALLOWED:
                raise
        vender = self._orders.vender()
        if vender is None:
            raise Refused(
                Text("shop {shop}: the platform does not say whose it is", shop=self.shop.id), code="nobody"
            )
        return vender

    def standing(self) -> Standing:
        missing = ["orders"] if _is_refused(self._orders.vender) else []
        if self._uses_rest and _is_refused(lambda: self._rest.call("GET", CARRIERS)):
            missing.append("sp-order")
        return Standing(self.identify(), expires_at=self._login.expires_at(), missing=tuple(missing))

    def fetch(
        self,
        *,
        now: str,
        cursor: str | None = None,
        since: str | None = None,
        until: str | None = None,
        by: By = "updated",
    ) -> Iterator[Page]:
        return read(self._orders, self.shop, now=now, cursor=cursor, since=since, until=until, by=by)

    def fetch_orders(self, refs: Sequence[str], *, now: str) -> Iterator[Page]:
        return self._orders.by_ref(refs, now=now)

    def same_recipient(self, records: Sequence[RawRow]) -> dict[str, str]:
        return recipients.same_recipient(self._rest, records) if self._asks else {}

    def ship(self, request: ShipRequest) -> dict[str, str | None]:
        return self._shipping.send(request)

    def lookup_ship(self, request: ShipRequest) -> dict[str, str | None] | None:
        return self._shipping.lookup(request)

    def amend(self, request: ShipRequest, before: str) -> dict[str, str | None]:
        return self._shipping.amend(request, before)

    def lookup_amend(self, request: ShipRequest, before: str) -> dict[str, str | None] | None:
        return self._shipping.lookup_amend(request, before)

    def event_orders(self, headers: Mapping[str, str], body: bytes) -> tuple[str, ...]:  # noqa: ARG002
        raise no_events(self.shop)

    def login_url(self, state: str, redirect: str) -> str:
        return self._login.url(state, redirect)

    def exchange(self, code: str, redirect: str) -> None:  # noqa: ARG002 - this platform does not ask for it again
        self._login.exchange(code)

    def refresh(self) -> None:
        self._login.refresh()

    def _chosen(self, name: str, *known: str) -> str:
        """Give a setting of few values, the first by default. Raises: ConfigError for another."""
        found = self.shop.settings.get(name) or known[0]
        if found not in known:
            raise ConfigError(
                Text(
                    "shop {shop}: unknown {name} '{value}' (known: {known})",
                    shop=self.shop.id,
                    name=name,
                    value=found,
                    known=", ".join(known),
                )
            )
        return found


def _is_refused(ask: Callable[[], object]) -> bool:
    """Say whether the app may not ask this. Raises: Unauthorized for any other reason, Refused, Temporary."""
    try:
        ask()
    except Unauthorized as failure:
        if failure.code not in NOT_ALLOWED:
            raise
        return True
    return False
