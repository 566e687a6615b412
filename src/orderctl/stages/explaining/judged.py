"""Rules judged on one shipment: whether each matches, and which of its conditions kept it from matching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from orderctl.model.text import Text
from orderctl.stages.choosing.choose import Rule
from orderctl.stages.conditions.compiled import missing_facts, predicate
from orderctl.stages.conditions.tree import (
    All,
    AnyOf,
    Atom,
    Comparison,
    Condition,
    Lines,
    Not,
    Sql,
    Sum,
    atoms,
)
from orderctl.stages.rules.sections.cards import CardRule
from orderctl.stages.rules.sections.gifts import GiftRule
from orderctl.stages.rules.sections.tags import TagRule
from orderctl.stages.rules.sections.waves import WaveRule

Verdict = Literal["match", "no", "unknown"]
Truth = bool | None


@dataclass(frozen=True)
class Looked:
    """One rule that was looked at, and the first of its conditions that kept it from matching."""

    rule: str
    place: str
    verdict: Verdict
    because: Text | None


@dataclass(frozen=True)
class StepExplained:
    """One step: what came out, how (rule, committed, pinned, ...), and the rules looked at in order.

    `then` is the rule that decided when a committed shipment was bound; it is not judged again;
    `refused` names the couriers that do not deliver there; `told` is what else there is to say.
    """

    step: str
    outcome: str | None
    reason: str | None
    looked: tuple[Looked, ...]
    then: str | None = None
    refused: str | None = None
    told: tuple[Text, ...] = ()


def look(rule: Rule | GiftRule | CardRule | TagRule | WaveRule, place: str, facts: pl.DataFrame) -> Looked:
    """Judge one rule on a facts frame of one row; `place` is where it stands in its file."""
    if rule.when is None:
        return Looked(rule.name, place, "match", None)
    tests = list(dict.fromkeys(atoms(rule.when)))
    row = facts.select("row", *(predicate(atom).alias(f"atom {n}") for n, atom in enumerate(tests))).row(0)
    known: dict[Atom, Truth] = dict(zip(tests, row[1:], strict=True))
    whole = _truth(rule.when, known)
    if whole:
        return Looked(rule.name, place, "match", None)
    atom, negated = _blamed(rule.when, known)
    because = _because(atom, facts, negated=negated, unknown=whole is None)
    return Looked(rule.name, place, "unknown" if whole is None else "no", because)


def _truth(condition: Condition, known: Mapping[Atom, Truth]) -> Truth:
    if isinstance(condition, Not):
        inner = _truth(condition.part, known)
        return None if inner is None else not inner
    if isinstance(condition, All | AnyOf):
        parts = [_truth(part, known) for part in condition.parts]
        decides = isinstance(condition, AnyOf)  # one true decides an "any", one false an "all"
        if decides in parts:
            return decides
        return None if None in parts else not decides
    return known[condition]


def _blamed(condition: Condition, known: Mapping[Atom, Truth], *, negated: bool = False) -> tuple[Atom, bool]:
    """Give the first atom that made `condition` what it is, and whether it stands under a `not`."""
    if isinstance(condition, Not):
        return _blamed(condition.part, known, negated=not negated)
    if isinstance(condition, All | AnyOf):
        own = _truth(condition, known)
        part = next(p for p in condition.parts if _truth(p, known) == own)
        return _blamed(part, known, negated=negated)
    return condition, negated


def _because(atom: Atom, facts: pl.DataFrame, *, negated: bool, unknown: bool) -> Text:
    wanted = f"not {written_condition(atom)}" if negated else written_condition(atom)
    if unknown:
        missing = facts.select("row", missing=missing_facts(atom))["missing"][0]
        return Text("{facts} is missing, the rule wants {wanted}", facts=missing or "?", wanted=wanted)
    if isinstance(atom, Comparison):
        return Text(
            "{fact} is {value}, the rule wants {wanted}",
            fact=atom.fact,
            value=_value(facts[atom.fact][0]),
            wanted=wanted,
        )
    if isinstance(atom, Sql):
        values = ", ".join(f"{name}={_value(facts[name][0])}" for name in atom.facts)
        return Text("{values}, the rule wants {wanted}", values=values, wanted=wanted)
    return Text("its lines do not fit: the rule wants {wanted}", wanted=wanted)


def _value(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, pl.Series):
        return "[" + ", ".join("-" if v is None else str(v) for v in value) + "]"
    return str(value)


def written_condition(condition: Condition) -> str:
    """Write a condition in the words of the rules file, on one line."""
    if isinstance(condition, Comparison):
        values = [
            v[0]
            if isinstance(v, tuple) and v[0] == v[1]
            else "..".join(v)
            if isinstance(v, tuple)
            else str(v)
            for v in condition.values
        ]
        return f"{condition.fact} {condition.op} {', '.join(values)}"
    if isinstance(condition, Not):
        return f"not ({written_condition(condition.part)})"
    if isinstance(condition, All | AnyOf):
        word = " and " if isinstance(condition, All) else " or "
        return "(" + word.join(written_condition(part) for part in condition.parts) + ")"
    if isinstance(condition, Lines):
        return f"{'any_line' if condition.how == 'any' else 'all_lines'} {written_condition(condition.part)}"
    if isinstance(condition, Sum):
        where = f" where {written_condition(condition.where)}" if condition.where else ""
        tests = " and ".join(f"{t.op} {', '.join(map(str, t.values))}" for t in condition.tests)
        return f"sum of {condition.of}{where} {tests}"
    return condition.text
