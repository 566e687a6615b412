"""Opening the shops of the configuration: connector, token store, HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from orderctl.cli.config import ShopConfig, resolve
from orderctl.cli.session import Session
from orderctl.model.errors import UsageError
from orderctl.model.text import Text
from orderctl.ports.http import Http
from orderctl.ports.ledger import Ledger
from orderctl.ports.platforms import clients, load
from orderctl.ports.platforms.port import Platform, Shop


class LedgerTokens:
    """The ledger's encrypted tokens, as a connector keeps them."""

    def __init__(self, ledger: Ledger, session: Session) -> None:
        self._ledger = ledger
        self._session = session

    def token(self, shop: str) -> Mapping[str, str] | None:
        """Give the token of a shop, or None."""
        found = self._ledger.token(shop)
        return None if found is None else {k: str(v) for k, v in found.items() if v is not None}

    def save_token(self, shop: str, token: Mapping[str, str]) -> None:
        """Keep the token of a shop."""
        self._ledger.save_token(shop, dict(token), self._session.clock())


def settings_of(session: Session, where: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Give settings with their secrets resolved."""
    return {k: resolve(v, base=session.base, where=f"{where}.settings.{k}") for k, v in settings.items()}


def has_api(shop: ShopConfig) -> bool:
    """Say whether a shop is reached by its API, rather than fed by export files alone."""
    return shop.platform in clients() and bool(shop.settings)


def open_shop(session: Session, ledger: Ledger, name: str, http: Http | None = None) -> Platform:
    """Open the connector of one shop, on the run's connections or on `http`.

    Raises: UsageError for a shop nobody configured; ConfigError.
    """
    shop = session.config.shops.get(name)
    if shop is None:
        known = ", ".join(session.config.shops) or "-"
        raise UsageError(
            Text("no shop {name} in the configuration (there are: {known})", name=name, known=known)
        )
    described = Shop(name, shop.platform, shop.base_url, settings_of(session, f"shops.{name}", shop.settings))
    return load(shop.platform)(described, http or session.http, LedgerTokens(ledger, session))
