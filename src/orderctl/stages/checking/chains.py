"""Couriers under `otherwise` that are never taken: those before them deliver, or where they do not, these do not either.

A finding is proved from `not_served` as it stands (`check_worlds`). A courier whose room is limited may be refused anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orderctl.model.text import Text
from orderctl.stages.checking.finding import Lint
from orderctl.stages.checking.reach import ALWAYS
from orderctl.stages.checking.worlds import impossible
from orderctl.stages.conditions.parsing import span_of
from orderctl.stages.conditions.places import ENDINGS, written_as
from orderctl.stages.conditions.tree import All, AnyOf, Comparison, Condition
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.sections.couriers import CourierRule, CourierUse

MOST_ENTRIES = 100
"""With more entries of the couriers of one rule its chain is not proved: that takes time by their square."""


def chains(book: RuleBook) -> Iterator[Lint]:
    """Find couriers that no shipment of their rule can come to."""
    entries: dict[str, list[Mapping[str, Any]]] = {}
    for entry in book.tables.not_served.iter_rows(named=True):
        entries.setdefault(entry["courier"], []).append(entry)
    for number, rule in enumerate(book.rules.couriers):
        yield from _chain(book, number, rule, entries)


def _chain(
    book: RuleBook, number: int, rule: CourierRule, entries: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Iterator[Lint]:
    first = len(rule.chain) - len(rule.otherwise)
    asked = [entries_of(use, entries.get(use.courier, ())) for use in rule.chain]
    if sum(map(len, asked)) > MOST_ENTRIES:
        return
    refused = [_refused(book, use, its) for use, its in zip(rule.chain, asked, strict=True)]
    for at, use in enumerate(rule.otherwise, start=first):
        same = [_same(one, book) for one in rule.chain[: at + 1]]
        if same[at] in same[:at]:
            text = Text("'{name}': {courier} stands there twice", name=rule.name, courier=named(use))
        elif impossible(All((rule.when or ALWAYS, *refused[:at]))):
            text = Text(
                "'{name}': {courier} is never asked: nothing says where those before it do not deliver",
                name=rule.name,
                courier=named(use),
            )
        elif refused[at] != ALWAYS and impossible(All((rule.when or ALWAYS, *refused[:at])), (refused[at],)):
            text = Text(
                "'{name}': {courier} is never taken: where those before it do not deliver, it does not either",
                name=rule.name,
                courier=named(use),
            )
        else:
            continue
        yield Lint(
            book.place("couriers", number, "otherwise", at - first), "fallback_unreachable", "warning", text
        )


def _same(use: CourierUse, book: RuleBook) -> tuple[str | None, ...]:
    """Give what two uses must have alike to be refused alike; accounts may have room of their own."""
    limited = any(x.courier == use.courier and x.account is not None for x in book.rules.limits)
    return use.courier, use.service, use.account if limited else None


def named(use: CourierUse) -> str:
    """Name a courier, and its product where it has one."""
    return f"{use.courier} {use.service}" if use.service else use.courier


def entries_of(use: CourierUse, entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Give those of the `entries` of a courier that are of its product, too."""
    return [e for e in entries if e["service"] in (None, use.service)]


def _refused(book: RuleBook, use: CourierUse, entries: Sequence[Mapping[str, Any]]) -> Condition:
    """Give the condition under which a courier cannot be taken, or one that is true wherever it may be."""
    limits = (x for x in book.rules.limits if x.courier == use.courier and x.parcels is not None)
    if any(x.account in (None, use.account) for x in limits):
        return ALWAYS
    return AnyOf(tuple(holding(entry, book.rules.timezone) for entry in entries))


def holding(entry: Mapping[str, Any], zone: str) -> Condition:
    """Give the condition under which an entry holds."""
    equal = (name for name in ("province", "city", "trait") if entry[name] is not None)
    either = (name for name in ENDINGS if entry[name] is not None)
    parts: list[Condition] = [
        *(Comparison(name, "eq", (entry[name],)) for name in equal),
        *(Comparison(name, "in", written_as(name, entry[name])) for name in either),
    ]
    if entry["keyword"] is not None:
        parts.append(Comparison("street", "contains", (entry["keyword"],)))
    for name, op in (("from", "gte"), ("until", "lte")):
        span = span_of(entry[name], zone) if entry[name] is not None else None
        if span is not None:
            parts.append(Comparison("now", op, (span,)))
    return All(tuple(parts))
