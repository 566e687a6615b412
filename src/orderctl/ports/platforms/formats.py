"""The formats of raw records we can read, and the export files we recognise, gathered from the manifests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TypeVar

import polars as pl

from orderctl.model.mapper import Mapper
from orderctl.ports.platforms import NAMES, manifest, resolve
from orderctl.ports.tables.layout import Layout

Kind = TypeVar("Kind")
_BY_MAP = "map/1"


@cache
def layouts() -> tuple[Layout, ...]:
    """Give the layouts of all exports that are recognised by their headings."""
    names = [name for name in NAMES if manifest(name).EXPORT]
    modules = [import_module(f"{manifest(name).__name__}.export") for name in names]
    return tuple(layout for module in modules for layout in module.LAYOUTS)


@cache
def _places() -> dict[str, tuple[str, str]]:
    return {form: (name, where) for name in NAMES for form, where in manifest(name).MAPPERS.items()}


@cache
def _mapper(form: str) -> Mapper:
    if form == _BY_MAP:
        from orderctl.ports.tables.mapped import MAPPER

        return MAPPER
    found: Mapper = resolve(*_places()[form])
    return found


@dataclass(frozen=True)
class _Lazily(Mapping[str, Kind]):
    """Something of each format, made when it is asked for: a batch has few of them, and each loads much."""

    make: Callable[[str], Kind]

    def __getitem__(self, form: str) -> Kind:
        if form not in self:
            raise KeyError(form)
        return self.make(form)

    def __contains__(self, form: object) -> bool:
        return form == _BY_MAP or form in _places()

    def __iter__(self) -> Iterator[str]:
        return iter([*sorted(_places()), _BY_MAP])

    def __len__(self) -> int:
        return len(_places()) + 1


def mappers() -> Mapping[str, Mapper]:
    """Give every mapper by the format it reads; `map/1` is what a column map makes of any table."""
    return _Lazily(_mapper)


def payload_types() -> Mapping[str, pl.Struct]:
    """Give the type of the payload of every format."""
    return _Lazily(lambda form: _mapper(form).dtype)
