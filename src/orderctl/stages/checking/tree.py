"""A condition taken apart into tests of variables, as the search for possible worlds needs it.

A variable is a fact, a sum over lines, or something that is only true, false or unknown. Invariant: the tree has the
three-valued truth of its condition, whatever the variables are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from orderctl.model.instant import parse_instant
from orderctl.stages.conditions.facts import Kind, comparable
from orderctl.stages.conditions.tree import All, AnyOf, Comparison, Condition, Not, Sum

_NEGATED = {"ne": "eq", "not_in": "in", "none": "any"}
_EACH = {"in": "eq", "any": "contains", "all": "contains"}


@dataclass(frozen=True)
class Test:
    """What a leaf asks of a variable: `op` and values, all of one fact or sum; or, for a variable of truth, nothing."""

    variable: Variable
    op: str = ""
    values: tuple[object, ...] = ()


@dataclass(frozen=True)
class Variable:
    """Something that may be one thing or another: `kind` is a kind of fact, `truth` (true, false, unknown) or `word`."""

    name: object
    kind: str


@dataclass(frozen=True)
class Node:
    """A condition as a tree of tests: `how` is all, any, not or test."""

    how: str
    parts: tuple[Node, ...] = ()
    test: Test | None = None


@lru_cache(maxsize=10_000)
def _one_form(value: str, kind: str) -> str:
    """Give a place name in the form in which short and full ones are equal."""
    if kind not in ("province", "city"):
        return value
    return str(pl.select(comparable(pl.lit(value), "province" if kind == "province" else "city")).item())


@lru_cache(maxsize=10_000)
def has_word(text: str, op: str, word: str) -> bool:
    """Tell whether a text passes a test of words (contains, starts_with, ends_with, pattern)."""
    if op == "pattern":
        return bool(pl.Series([text]).str.contains(word).item())
    low, small = text.lower(), word.lower()
    return {"contains": small in low, "starts_with": low.startswith(small), "ends_with": low.endswith(small)}[
        op
    ]


def follows(op: str, word: str, other: str, its: str) -> bool:
    """Tell whether a text of which the first test is true surely passes the second."""
    if op == "eq":
        return word == its if other == "eq" else has_word(word, other, its)
    if "pattern" in (op, other) or other == "eq":
        return (op, word) == (other, its)
    low, small = word.lower(), its.lower()
    if other == "contains":
        return small in low
    return op == other and (low.startswith(small) if op == "starts_with" else low.endswith(small))


def excludes(op: str, word: str, other: str, its: str) -> bool:
    """Tell whether no one text passes both tests."""
    low, small = word.lower(), its.lower()
    if op == other == "starts_with":
        return not (low.startswith(small) or small.startswith(low))
    return op == other == "ends_with" and not (low.endswith(small) or small.endswith(low))


def to_tree(condition: Condition, kinds: Mapping[str, Kind]) -> Node:
    """Take a condition apart; `kinds` gives the kind of every fact it may name."""
    if isinstance(condition, All | AnyOf):
        how = "all" if isinstance(condition, All) else "any"
        return Node(how, tuple(to_tree(part, kinds) for part in condition.parts))
    if isinstance(condition, Not):
        return Node("not", (to_tree(condition.part, kinds),))
    if isinstance(condition, Sum):
        total = Variable(("sum", condition.of, condition.where), "whole")
        return Node("all", tuple(_comparison(test, total) for test in condition.tests))
    if isinstance(condition, Comparison):
        return _comparison(condition, Variable(condition.fact, kinds[condition.fact]))
    return _leaf(Test(Variable(condition, "truth")))


def _leaf(test: Test) -> Node:
    return Node("test", test=test)


def _comparison(test: Comparison, of: Variable) -> Node:
    if test.op in _NEGATED:
        return Node("not", (_comparison(Comparison(test.fact, _NEGATED[test.op], test.values), of),))
    if test.op == "missing":
        absent = _leaf(Test(of, "missing"))
        return absent if test.values[0] else Node("not", (absent,))
    if of.kind in ("whole", "instant", "flag"):
        return _leaf(Test(of, test.op, test.values))
    op = _EACH.get(test.op, test.op)
    words = [_one_form(str(v), of.kind) if op == "eq" else str(v) for v in test.values]
    return Node("all" if test.op == "all" else "any", tuple(_leaf(Test(of, op, (w,))) for w in words))


def leaves(node: Node) -> Iterator[Test]:
    """Give the tests of a tree as they are written."""
    if node.test is not None:
        yield node.test
    for part in node.parts:
        yield from leaves(part)


# ------------------------------------------------------------------------------- numbers and instants


def _number(value: object) -> int:
    """Give a number or the seconds of an instant; earlier instants are smaller."""
    return int(parse_instant(value).timestamp()) if isinstance(value, str) else int(value)  # type: ignore[call-overload]


@lru_cache(maxsize=10_000)
def _spans(test: Test) -> list[tuple[int, int]]:
    """Give the values as pairs of whole numbers: first and last of what was written."""
    return [
        (_number(v[0]), _number(v[1])) if isinstance(v, tuple) else (_number(v), _number(v))
        for v in test.values
    ]


def holds(test: Test, value: int) -> bool:
    """Tell whether a number, or an instant as seconds, passes a test."""
    spans = _spans(test)
    first, last = spans[0]
    if test.op in ("eq", "in"):
        return any(low <= value <= high for low, high in spans)
    if test.op == "between":
        return first <= value <= spans[1][1]
    return {"lt": value < first, "lte": value <= last, "gt": value > last, "gte": value >= first}[test.op]


def stretches(tests: Sequence[Test], bounds: tuple[int, int] | None) -> list[int]:
    """Give one number for each stretch that the tests cannot tell apart."""
    edges = {edge for t in tests if t.op != "missing" for pair in _spans(t) for edge in pair}
    near = sorted({value + d for value in edges | {0} for d in (-1, 0, 1)} | set(bounds or ()))
    inside = [value for value in near if bounds is None or bounds[0] <= value <= bounds[1]]
    told: dict[tuple[bool, ...], int] = {}
    for value in inside:
        told.setdefault(tuple(holds(t, value) for t in tests if t.op != "missing"), value)
    return list(told.values())
