"""The platforms we know, by name. To add one: its folder and its name here.

A folder's `__init__.py` is the platform's manifest and imports nothing: `CLIENT` ("module:Class", where there is an
API connector), `MAPPERS` (format of raw records to "module:NAME"), `EXPORT` (whether export.py has `LAYOUTS`) and `PARTIAL`
(whether it takes an order in several parts).
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from orderctl.model.errors import ConfigError
from orderctl.model.text import Text

if TYPE_CHECKING:
    from orderctl.ports.platforms.port import Platform

NAMES = ("taobao", "pdd", "douyin", "shopify", "jd", "kuaishou", "amazon")
"""Export files are recognised in this order."""


def manifest(platform: str) -> ModuleType:
    """Give the manifest of a platform of NAMES."""
    return import_module(f"{__name__}.{platform}")


@cache
def clients() -> dict[str, str]:
    """Give the platforms we speak to, and where their connectors are."""
    return {name: manifest(name).CLIENT for name in NAMES if hasattr(manifest(name), "CLIENT")}


def load(platform: str) -> type[Platform]:
    """Give the connector class of a platform. Raises: ConfigError for a name nobody registered."""
    if platform not in clients():
        known = ", ".join(sorted(clients()))
        raise ConfigError(Text("unknown platform '{name}' (known: {known})", name=platform, known=known))
    found: type[Platform] = resolve(platform, clients()[platform])
    return found


def resolve(platform: str, where: str) -> Any:
    """Give what a manifest names: "module:NAME" in the platform's folder."""
    module, _, name = where.partition(":")
    return getattr(import_module(f"{__name__}.{platform}.{module}"), name)
