"""The platforms we speak to, by name. To add one: its folder and one line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from orderctl.model.errors import ConfigError
from orderctl.model.text import Text

if TYPE_CHECKING:
    from orderctl.ports.platforms.port import Platform

PLATFORMS = {
    "shopify": "orderctl.ports.platforms.shopify.client:Shopify",
    "taobao": "orderctl.ports.platforms.taobao.client:Taobao",
}


def load(platform: str) -> type[Platform]:
    """Give the connector class of a platform. Raises: ConfigError for a name nobody registered."""
    if platform not in PLATFORMS:
        known = ", ".join(sorted(PLATFORMS))
        raise ConfigError(Text("unknown platform '{name}' (known: {known})", name=platform, known=known))
    module, _, name = PLATFORMS[platform].partition(":")
    found: type[Platform] = getattr(import_module(module), name)
    return found
