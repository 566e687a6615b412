"""The formats of raw records we can read, and the export files we recognise, gathered from the manifests."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from orderctl.model.mapper import Mapper
from orderctl.ports.platforms import NAMES, manifest, resolve
from orderctl.ports.tables.layout import Layout
from orderctl.ports.tables.mapped import MAPPER


@cache
def layouts() -> tuple[Layout, ...]:
    """Give the layouts of all exports that are recognised by their headings."""
    names = [name for name in NAMES if manifest(name).EXPORT]
    modules = [import_module(f"{manifest(name).__name__}.export") for name in names]
    return tuple(layout for module in modules for layout in module.LAYOUTS)


@cache
def mappers() -> dict[str, Mapper]:
    """Give every mapper by the format it reads; `map/1` is what a column map makes of any table."""
    found = {form: resolve(name, where) for name in NAMES for form, where in manifest(name).MAPPERS.items()}
    return dict(sorted(found.items())) | {"map/1": MAPPER}
