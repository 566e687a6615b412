"""Entries on couriers that say nothing: over, covered by another, of a courier no rule uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import polars as pl

from orderctl.model.text import Text
from orderctl.model.yamlfile import nearest
from orderctl.stages.checking.finding import Lint
from orderctl.stages.conditions.facts import Moment, comparable
from orderctl.stages.conditions.places import ENDINGS, written_as
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.sections.reach import WHERE

_FIRST, _LAST = "0000-01-01", "9999-12-31"
Entry = Mapping[str, Any]


def entries(book: RuleBook, moment: Moment) -> Iterator[Lint]:
    """Find entries without which nothing would be decided, or told, otherwise; at a `moment` also what is over."""
    counts = any(rule.rank is not None and rule.rank.penalty for rule in book.rules.couriers)
    for section in ("not_served", "notices"):
        table: pl.DataFrame = getattr(book.tables, section)
        found = _one_form(table).to_dicts()
        yield from _unused(book, table)
        yield from _over(table, moment)
        if section == "notices":  # where penalties are added up, one that is said twice counts twice
            found = [one for one in found if not (counts and one["penalty"])]
        yield from _covered(found, said=("why", "penalty") if section == "notices" else ())
    for section in ("transit", "performance"):
        yield from _unused(book, getattr(book.tables, section))
    limits = [(book.place("limits", number), limit.courier) for number, limit in enumerate(book.rules.limits)]
    yield from _unused(book, pl.DataFrame(limits, {"place": pl.String, "courier": pl.String}, orient="row"))


def _one_form(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(
        comparable(pl.col("province"), "province"),
        comparable(pl.col("city"), "city"),
        pl.col("keyword").str.to_lowercase(),
        pl.col("from").fill_null(_FIRST),
        pl.col("until").fill_null(_LAST),
    )


def _unused(book: RuleBook, table: pl.DataFrame) -> Iterator[Lint]:
    """Find couriers that no rule uses, each once: a courier's table may have thousands of places."""
    used = {use.courier for rule in book.rules.couriers for use in rule.chain}
    if not used:
        return
    others = table.filter(~pl.col("courier").is_in(used)).group_by("courier", maintain_order=True)
    for courier, place, count in others.agg(pl.col("place").first(), pl.len()).iter_rows():
        text = Text("no courier rule uses {courier} ({count} entries)", courier=courier, count=count)
        hint = nearest(courier, used)
        if hint is not None:
            text = Text("{text} ({hint})", text=text, hint=hint)
        yield Lint(place, "entry_unused", "warning", text)


def _over(table: pl.DataFrame, moment: Moment) -> Iterator[Lint]:
    if moment.local is None:
        return
    for entry in table.filter(pl.col("until") < moment.local.date().isoformat()).iter_rows(named=True):
        text = Text(
            "this entry of {courier} is over since {day}", courier=entry["courier"], day=entry["until"]
        )
        yield Lint(entry["place"], "over", "warning", text)


def _covered(found: Sequence[Entry], said: Sequence[str]) -> Iterator[Lint]:
    """Find what holds only where another entry, that is as wide or wider, holds; of two alike the second."""
    wider: dict[tuple[Any, ...], list[int]] = {}
    for number, entry in enumerate(found):
        wider.setdefault(_key(entry, [entry[name] for name in WHERE]), []).append(number)
    for number, entry in enumerate(found):
        for above in sorted({n for key in _wider_keys(entry) for n in wider.get(key, ())}):
            if _holds_wherever(found[above], entry, said) and (
                above < number or not _holds_wherever(entry, found[above], said)
            ):
                text = Text(
                    "this entry of {courier} says nothing new: {where} covers it",
                    courier=entry["courier"],
                    where=found[above]["place"],
                )
                yield Lint(entry["place"], "covered", "warning", text)
                break


def _key(entry: Entry, values: Sequence[object]) -> tuple[Any, ...]:
    return (entry["courier"], *values)


def _wider_keys(entry: Entry) -> Iterator[tuple[Any, ...]]:
    """Give the keys of all entries that name nothing this one does not."""
    allowed = [[None] if entry[name] is None else [None, *_as_wide(name, entry[name])] for name in WHERE]
    return (_key(entry, values) for values in product(*allowed))


def _as_wide(name: str, value: str) -> list[str]:
    """Give what another entry may name so that it holds wherever `value` is."""
    if name in ENDINGS:
        names = set(written_as(name, value))
        return [value, *(short for short in names - {value} if names <= set(written_as(name, short)))]
    if name == "keyword":  # whoever lives in 样例一队 lives in a street with 一队 in its name
        return list(
            dict.fromkeys(value[a:b] for a in range(len(value)) for b in range(a + 1, len(value) + 1))
        )
    return [value]


def _holds_wherever(wide: Entry, narrow: Entry, said: Sequence[str]) -> bool:
    """Tell whether `wide` holds for the product and days of `narrow`, and says the same. The place is equal or wider."""
    if wide is narrow:
        return False
    return (
        _place_as_wide(wide, narrow)
        and wide["service"] in (None, narrow["service"])
        and bool(wide["from"] <= narrow["from"])
        and bool(wide["until"] >= narrow["until"])
        and all(wide[name] == narrow[name] for name in said)
    )


def _place_as_wide(wide: Entry, narrow: Entry) -> bool:
    return all(
        wide[name] is None or (narrow[name] is not None and wide[name] in _as_wide(name, narrow[name]))
        for name in WHERE
    )
