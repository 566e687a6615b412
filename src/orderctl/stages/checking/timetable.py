"""Entries on the days and the room of couriers that never count: of names no rule uses, over, or behind another of the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from orderctl.model.text import Text
from orderctl.model.yamlfile import nearest
from orderctl.stages.checking.finding import Lint
from orderctl.stages.choosing.timetable import JOURNEY, limits_frame
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.rules.book import RuleBook

_FIRST, _LAST = "0000-01-01", "9999-12-31"
_LIMITED = ("courier", "account", "warehouse")
Entry = Mapping[str, Any]


def timetable(book: RuleBook, moment: Moment) -> Iterator[Lint]:
    """Find entries of `transit`, `performance` and `limits` that never count; at a `moment` also what is over."""
    limits = limits_frame(book.rules.limits).with_columns(
        pl.Series("place", [book.place("limits", n) for n in range(len(book.rules.limits))], dtype=pl.String)
    )
    tables = book.tables
    for table in (tables.not_served, tables.notices, tables.transit, tables.performance, limits):
        yield from _unused(book, table)
    yield from _behind(tables.performance.to_dicts(), JOURNEY, "parcels", ("days", "exception"))
    for table, names in ((tables.transit, JOURNEY), (limits, _LIMITED)):
        rows = table.with_columns(pl.col("from").fill_null(_FIRST), pl.col("until").fill_null(_LAST))
        behind = list(_behind(rows.to_dicts(), names, "until", ("courier",)))
        yield from behind
        said = {one.place for one in behind}
        yield from _over([row for row in rows.to_dicts() if row["place"] not in said], names, moment)


# ------------------------------------------------------------------------------------------ names


def _unused(book: RuleBook, table: pl.DataFrame) -> Iterator[Lint]:
    """Find products, accounts and warehouses that no rule uses, each once; couriers are told elsewhere."""
    uses = [use for rule in book.rules.couriers for use in rule.chain]
    known = {
        "service": {(use.courier, use.service) for use in uses if use.service is not None},
        "account": {(use.courier, use.account) for use in uses if use.account is not None},
    }
    of = table.filter(pl.col("courier").is_in({use.courier for use in uses}))
    for name in [name for name in known if name in table.columns]:
        for courier, value, place, count in _each(of, "courier", name):
            if (courier, value) in known[name]:
                continue
            text = Text(_SENTENCES[name], name=value, courier=courier, count=count)
            yield _lint(place, text, value, [v for c, v in known[name] if c == courier])
    warehouses = {name for rule in book.rules.warehouses for name in rule.candidates}
    if warehouses and "warehouse" in table.columns:
        for value, place, count in _each(of, "warehouse"):
            if value not in warehouses:
                text = Text("no warehouse rule uses {name} ({count} entries)", name=value, count=count)
                yield _lint(place, text, value, warehouses)


_SENTENCES = {
    "service": "no courier rule uses the service {name} of {courier} ({count} entries)",
    "account": "no courier rule uses the account {name} of {courier} ({count} entries)",
}


def _each(table: pl.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    """Give what `table` names under `names`, with the place it stands at first, and how often."""
    named = table.filter(pl.col(names[-1]).is_not_null()).group_by(names, maintain_order=True)
    return named.agg(pl.col("place").first(), pl.len()).rows()


def _lint(place: str, text: Text, word: str, known: Sequence[str] | set[str]) -> Lint:
    hint = nearest(word, sorted(known))
    return Lint(
        place,
        "entry_unused",
        "warning",
        text if hint is None else Text("{text} ({hint})", text=text, hint=hint),
    )


# ------------------------------------------------------------------------------------------ order


def _behind(rows: Sequence[Entry], names: Sequence[str], reach: str, told: Sequence[str]) -> Iterator[Lint]:
    """Find entries that another always goes before: it names and begins the same, is written first and reaches as far.

    Args:
        reach: what the other must have as much of: the last day, or how many parcels were measured.
        told: what is looked up by itself, so that one entry may be behind several.
    """
    best: dict[tuple[Any, ...], tuple[Any, str]] = {}
    for row in rows:
        keys = [(what, row["from"], *(row[name] for name in names)) for what in told if row[what] is not None]
        before = [best.get(key) for key in keys]
        first = before[0] if before else None
        if first is not None and all(one is not None and one[0] >= row[reach] for one in before):
            text = Text(
                "this entry of {courier} never counts: {where} goes before it",
                courier=row["courier"],
                where=first[1],
            )
            yield Lint(row["place"], "covered", "warning", text)
            continue
        for key, one in zip(keys, before, strict=True):
            if one is None or row[reach] > one[0]:
                best[key] = (row[reach], row["place"])


def _over(rows: Sequence[Entry], names: Sequence[str], moment: Moment) -> Iterator[Lint]:
    """Find entries that are over, or behind one that has begun since and lasts as long: that goes before them.

    What is over since one day is told once for each courier: a table keeps all cities of last year.
    """
    if moment.local is None:
        return
    today = moment.local.date().isoformat()
    best: dict[tuple[Any, ...], Entry] = {}
    later: dict[str, Entry] = {}
    for row in sorted((r for r in rows if r["from"] <= today), key=lambda r: str(r["from"]), reverse=True):
        key = tuple(row[name] for name in names)
        if key in best and best[key]["until"] >= row["until"]:
            later[row["place"]] = best[key]
        else:
            best[key] = row
    gone: dict[tuple[str, str, bool], list[Entry]] = {}
    for row in rows:
        if row["until"] < today:
            gone.setdefault((row["courier"], row["until"], False), []).append(row)
        elif row["place"] in later:
            gone.setdefault((row["courier"], later[row["place"]]["from"], True), []).append(row)
    for (courier, day, replaced), entries in gone.items():
        words = {
            "courier": courier,
            "day": day,
            "count": len(entries),
            "where": later.get(entries[0]["place"], {}).get("place"),
        }
        yield Lint(entries[0]["place"], "over", "warning", Text(GONE[replaced, len(entries) > 1], **words))


GONE = {
    (False, False): "this entry of {courier} is over since {day}",
    (False, True): "{count} entries of {courier}, this one the first, are over since {day}",
    (True, False): "this entry of {courier} never counts again: since {day} {where} goes before it",
    (
        True,
        True,
    ): "{count} entries of {courier}, this one the first, never count again: since {day} others go before them",
}
"""What is said of entries that are over: whether others have replaced them, and whether they are several."""
