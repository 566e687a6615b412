"""The formats of raw records we can read, by name. To add one: its mapper and one line here."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from orderctl.model.mapper import Mapper
from orderctl.ports.tables.layout import Layout

MAPPERS = {
    "douyin/export-csv": "orderctl.ports.platforms.douyin.export:MAPPER",
    "map/1": "orderctl.ports.tables.mapped:MAPPER",
    "pdd/export-csv": "orderctl.ports.platforms.pdd.export:MAPPER",
    "shopify/export-csv": "orderctl.ports.platforms.shopify.export:MAPPER",
    "shopify/graphql": "orderctl.ports.platforms.shopify.mapper:GRAPHQL",
    "taobao/export-csv": "orderctl.ports.platforms.taobao.export:MAPPER",
    "taobao/trade": "orderctl.ports.platforms.taobao.mapper:TRADE",
    "taobao/trade-simplified": "orderctl.ports.platforms.taobao.mapper:TRADE_SIMPLIFIED",
}

EXPORTS = ("taobao", "pdd", "douyin", "shopify")
"""Platforms whose export files are recognised, in the order in which they are tried."""


@cache
def layouts() -> tuple[Layout, ...]:
    """Give the layouts of all exports that are recognised by their headings."""
    modules = [import_module(f"orderctl.ports.platforms.{platform}.export") for platform in EXPORTS]
    return tuple(layout for module in modules for layout in module.LAYOUTS)


@cache
def mappers() -> dict[str, Mapper]:
    """Give every mapper by the format it reads."""
    found: dict[str, Mapper] = {}
    for form, where in MAPPERS.items():
        module, _, name = where.partition(":")
        found[form] = getattr(import_module(module), name)
    return found
