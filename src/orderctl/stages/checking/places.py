"""Places that the division table does not have: no shipment to China will ever name them so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

import polars as pl

from orderctl.model.regions import PROVINCES
from orderctl.model.regions.divisions import former_names, regions
from orderctl.model.text import Text
from orderctl.stages.checking.finding import Lint
from orderctl.stages.conditions.facts import Kind, comparable
from orderctl.stages.conditions.places import written_as
from orderctl.stages.conditions.tree import Comparison, Condition, atoms
from orderctl.stages.rules.book import RuleBook

LEVELS = ("province", "city", "district")
_CHINESE = re.compile(r"^[\u4e00-\u9fff]+$")
_LIKE = 0.5  # of two characters one is right
_ANYWHERE = ""


@dataclass(frozen=True)
class _Known:
    """The names of each level as rules compare them, each with where it lies, and the names people look for."""

    names: Mapping[str, Mapping[str, frozenset[str]]]
    full: Mapping[str, tuple[str, ...]]
    short: Mapping[str, Mapping[str, tuple[str, ...]]]


def places(book: RuleBook) -> Iterator[Lint]:
    """Find names of regions in entries and conditions that are none, each with the nearest one."""
    tables = book.tables
    for table in (tables.not_served, tables.notices, tables.transit, tables.performance):
        told = pl.any_horizontal(pl.col(name).is_not_null() for name in LEVELS if name in table.columns)
        for entry in table.filter(told).iter_rows(named=True):
            yield from _of_entry(entry)
    for loc, when in _conditions(book):
        asked = [a for a in atoms(when) if isinstance(a, Comparison)]
        if any(test.fact == "country" and test.values != ("CN",) for test in asked):
            continue  # there a place may be called anything
        for test in asked:
            yield from _of_test(book.place(*loc, "when", test.fact), test)


def _conditions(book: RuleBook) -> Iterator[tuple[tuple[str | int, ...], Condition]]:
    """Give the conditions of all rules, each with where its rule stands."""
    for section in ("tags", "warehouses", "couriers", "templates", "holds", "gifts", "cards"):
        for number, rule in enumerate(getattr(book.rules, section)):
            if rule.when is not None:
                yield (section, number), rule.when
    if book.rules.waves is not None:
        for part in ("rules", "sizes"):
            for number, one in enumerate(getattr(book.rules.waves, part)):
                if one.when is not None:
                    yield ("waves", part, number), one.when


def _of_entry(entry: Mapping[str, Any]) -> Iterator[Lint]:
    above: str | None = None
    for level in LEVELS:
        name = entry.get(level)
        if name is None or not _CHINESE.match(name):
            above = None
            continue
        lies = _lies_in(level, name)
        if not lies:
            yield _unknown(entry["place"], level, name)
        elif above is not None and not {above, _ANYWHERE} & lies:
            text = Text(
                "{name} is not in {above}: no shipment is there", name=name, above=entry[_above(level)]
            )
            yield Lint(entry["place"], "place_elsewhere", "error", text)
        above = _one_form(level, name) if lies else None


def _of_test(place: str, test: Comparison) -> Iterator[Lint]:
    """Names in a condition; a district or town is asked for by all the ways it may be written."""
    if test.fact not in LEVELS or test.op not in ("eq", "ne", "in", "not_in"):
        return
    names = [str(value) for value in test.values if _CHINESE.match(str(value))]
    if test.fact == "district":
        unknown = [name for name in names[:1] if not any(_lies_in("district", n) for n in names)]
    else:
        unknown = [name for name in names if not _lies_in(test.fact, name)]
    for name in unknown:
        yield _unknown(place, test.fact, name)


def _unknown(place: str, level: str, name: str) -> Lint:
    text = Text("there is no {level} {name} in the division table", level=_LEVEL_WORDS[level], name=name)
    same = _known().short[level].get(name, ())
    near = same or get_close_matches(name, _known().full[level], n=1, cutoff=_LIKE)
    below = _lies_in("district", name) - {_ANYWHERE} if level == "city" and not same else frozenset[str]()
    if below:
        text = Text("{text}: it is a district of {above}", text=text, above=", ".join(sorted(below)))
    elif near:
        text = Text("{text} ({hint})", text=text, hint=Text("did you mean '{word}'?", word=near[0]))
    return Lint(place, "place_unknown", "warning", text)


_LEVEL_WORDS = {"province": Text("province"), "city": Text("city"), "district": Text("district")}


def _above(level: str) -> str:
    return LEVELS[LEVELS.index(level) - 1]


@cache
def _one_form(level: str, name: str) -> str:
    if level == "district":
        return name
    kind: Kind = "province" if level == "province" else "city"
    return str(pl.select(comparable(pl.lit(name), kind)).item())


@cache
def _lies_in(level: str, name: str) -> frozenset[str]:
    """Give where a region of this name lies, in the form rules compare; empty if there is none."""
    known = _known().names[level]
    written = written_as("district", name) if level == "district" else (_one_form(level, name),)
    return frozenset[str]().union(*(known.get(one, frozenset()) for one in written))


@cache
def _known() -> _Known:
    table = regions().with_columns(
        comparable(pl.col("city"), "city"), comparable(pl.col("province"), "province"), written="name"
    )
    names: dict[str, dict[str, set[str]]] = {level: {} for level in LEVELS}
    full: dict[str, list[str]] = {level: [] for level in LEVELS}
    full["province"] += [province.short for province in PROVINCES]
    short: dict[str, dict[str, tuple[str, ...]]] = {level: {} for level in LEVELS}
    for row in table.iter_rows(named=True):
        level = LEVELS[row["level"] - 1]
        above = "中国" if level == "province" else row[_above(level)]
        names[level].setdefault(row[level], set()).add(above)
        full[level] += [name for name in (row["short"], row["written"]) if name]
        short[level].setdefault(row["short"], (row["written"],))
        if level == "city":  # a unit directly under a province is its own city, and told as its district too
            names["district"].setdefault(row["written"], set()).add(row["city"])
    for former in former_names()["name"]:  # some addresses still say so
        for level in LEVELS[1:]:
            names[level].setdefault(_one_form(level, former), set()).add(_ANYWHERE)
    return _Known(
        {level: {name: frozenset(at) for name, at in of.items()} for level, of in names.items()},
        {level: tuple(dict.fromkeys(of)) for level, of in full.items()},
        short,
    )
