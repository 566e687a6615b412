"""Who gives waybill numbers, by name. To add one: its folder and one line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from orderctl.model.errors import ConfigError
from orderctl.model.text import Text

if TYPE_CHECKING:
    from orderctl.ports.couriers.port import Issuer

ISSUERS = {
    "kuaidi100": "orderctl.ports.couriers.kuaidi100.client:Kuaidi100",
    "number_range": "orderctl.ports.couriers.number_range:NumberRange",
}


def load(issuer: str) -> type[Issuer]:
    """Give the connector class of an issuer. Raises: ConfigError for a name nobody registered."""
    if issuer not in ISSUERS:
        known = ", ".join(sorted(ISSUERS))
        raise ConfigError(Text("unknown issuer '{name}' (known: {known})", name=issuer, known=known))
    module, _, name = ISSUERS[issuer].partition(":")
    found: type[Issuer] = getattr(import_module(module), name)
    return found
