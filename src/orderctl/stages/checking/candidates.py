"""Couriers of a rule that are never taken because none of them delivers there, or that its `rank` can never weigh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from orderctl.model.text import Text
from orderctl.stages.checking.chains import MOST_ENTRIES, entries_of, holding, named
from orderctl.stages.checking.finding import Lint
from orderctl.stages.checking.reach import ALWAYS
from orderctl.stages.checking.worlds import impossible
from orderctl.stages.conditions.tree import AnyOf
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.sections.couriers import CourierRule, CourierUse, Rank

Entry = Mapping[str, Any]


def candidates(book: RuleBook) -> Iterator[Lint]:
    """Find the couriers under `use` that are never taken, and what their rule weighs them by in vain."""
    refused = book.tables.not_served.to_dicts()
    for number, rule in enumerate(book.rules.couriers):
        yield from _twice(book, number, rule)
        yield from _refused(book, number, rule, refused)
        if rule.rank is not None:
            yield from _unweighed(book, number, rule, rule.rank)
            yield from _idle(book, number, rule, rule.rank)


def _twice(book: RuleBook, number: int, rule: CourierRule) -> Iterator[Lint]:
    """Of two that cost the same and share their room the first is taken."""
    same = [(use.courier, use.service, use.account, use.tariff) for use in rule.candidates]
    for at, use in enumerate(rule.candidates):
        if same[at] in same[:at]:
            text = Text("'{name}': {courier} stands there twice", name=rule.name, courier=named(use))
            yield Lint(book.place("couriers", number, "use", at), "courier_twice", "warning", text)


def _refused(book: RuleBook, number: int, rule: CourierRule, refused: Sequence[Entry]) -> Iterator[Lint]:
    """Find couriers that deliver nowhere where their rule matches."""
    asked = [entries_of(use, [e for e in refused if e["courier"] == use.courier]) for use in rule.chain]
    if sum(map(len, asked)) > MOST_ENTRIES:
        return
    wanted, zone = rule.when or ALWAYS, book.rules.timezone
    if not any(asked) or impossible(wanted):
        return
    never = [impossible(wanted, (AnyOf(tuple(holding(e, zone) for e in its)),)) for its in asked]
    if all(never):
        text = Text(
            "'{name}': none of its couriers delivers where it matches, so all that it takes is blocked",
            name=rule.name,
        )
        yield Lint(book.place("couriers", number, "use"), "never_served", "error", text)
        return
    for at, use in enumerate(rule.candidates):
        if never[at]:
            text = Text(
                "'{name}': {courier} is never taken: it does not deliver where the rule matches",
                name=rule.name,
                courier=named(use),
            )
            yield Lint(book.place("couriers", number, "use", at), "never_served", "warning", text)


def _unweighed(book: RuleBook, number: int, rule: CourierRule, rank: Rank) -> Iterator[Lint]:
    """Find candidates that never have a sum, because nothing tells what counts."""
    for at, use in enumerate(rule.candidates):
        told = {
            "price": rank.price == 0 or _priced(book, use, rank.currency),
            "day": rank.day == 0
            or rank.unknown_days is not None
            or bool(_of(book.tables.transit, use))
            or _measured(book, use, rank, "days"),
            "exception": rank.exception == 0
            or rank.unknown_exception_percent is not None
            or _measured(book, use, rank, "exception"),
        }
        lacks = [name for name, known in told.items() if not known]
        if lacks:
            text = Text(
                "'{name}': {courier} is never weighed and comes after those that are: nothing tells its {lacks}",
                name=rule.name,
                courier=named(use),
                lacks=", ".join(lacks),
            )
            yield Lint(book.place("couriers", number, "use", at), "never_weighed", "warning", text)


def _priced(book: RuleBook, use: CourierUse, currency: str) -> bool:
    """Tell whether a tariff in the currency of the rule may be that of `use`; one it names that is missing is told elsewhere."""
    tariffs = book.rules.tariffs
    if use.tariff is not None:
        fit = [t for t in tariffs if t.id == use.tariff]
        return not fit or any(t.currency == currency for t in fit)
    fit = [t for t in tariffs if t.courier == use.courier and t.service in (None, use.service)]
    return any(t.currency == currency for t in fit)


def _of(table: pl.DataFrame, use: CourierUse) -> list[dict[str, Any]]:
    return [
        e
        for e in table.filter(pl.col("courier") == use.courier).to_dicts()
        if e["service"] in (None, use.service)
    ]


def _measured(book: RuleBook, use: CourierUse, rank: Rank, what: str) -> bool:
    found = _of(book.tables.performance, use)
    return any(e[what] is not None and e["parcels"] >= rank.enough_parcels for e in found)


def _idle(book: RuleBook, number: int, rule: CourierRule, rank: Rank) -> Iterator[Lint]:
    """Find what a rule weighs its couriers by although it is nothing for all of them."""
    if len(rule.candidates) == 1:
        text = Text("'{name}' has one courier: 'rank' weighs it against nobody", name=rule.name)
        yield Lint(book.place("couriers", number, "rank"), "rank_idle", "warning", text)
        return
    waits = any(
        limit.courier == use.courier
        and limit.account in (None, use.account)
        and (limit.cut_off or limit.closed)
        for use in rule.candidates
        for limit in book.rules.limits
    )
    points = any(e["penalty"] for use in rule.candidates for e in _of(book.tables.notices, use))
    for name, counts, section in (("late", waits, "limits"), ("penalty", points, "notices")):
        if getattr(rank, name) and not counts:
            text = Text(
                "'{name}' weighs '{what}', but {section} tell nothing of its couriers",
                name=rule.name,
                what=name,
                section=section,
            )
            yield Lint(book.place("couriers", number, "rank", name), "rank_idle", "warning", text)
