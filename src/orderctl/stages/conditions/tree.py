"""The condition language: what stands under `when`, as a small tree of plain values, and its table of operators.

Evaluation is three-valued (true, false, unknown): a comparison with a missing value is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from orderctl.stages.conditions.facts import Kind

Scalar = str | int | bool
Span = tuple[str, str]  # first and last instant of what was written: equal, or a whole day


@dataclass(frozen=True)
class Comparison:
    """One comparison of one fact: an atom of the language."""

    fact: str
    op: str
    values: tuple[Scalar | Span, ...]


@dataclass(frozen=True)
class All:
    """True when every part is."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    """True when one part is."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """True when the part is false; unknown when it is unknown."""

    part: Condition


@dataclass(frozen=True)
class Lines:
    """`any_line` or `all_lines`: a condition over the facts of a line."""

    how: Literal["any", "all"]
    part: Condition


@dataclass(frozen=True)
class Sum:
    """`sum_lines`: the sum of a whole-number fact over the lines that `where` holds for, compared."""

    of: str
    where: Condition | None
    tests: tuple[Comparison, ...]


@dataclass(frozen=True)
class Sql:
    """`expr`: SQL over facts."""

    text: str
    facts: tuple[str, ...]


Condition = Comparison | All | AnyOf | Not | Lines | Sum | Sql
Atom = Comparison | Lines | Sum | Sql

_COMPARED: tuple[Kind, ...] = ("whole", "instant")
WORDS: tuple[Kind, ...] = ("text", "texts", "province", "city")
_EVERY: tuple[Kind, ...] = (*_COMPARED, *WORDS, "flag")


@dataclass(frozen=True)
class Operator:
    """What an operator takes: kinds of fact, how many values, and what it means."""

    kinds: tuple[Kind, ...]
    takes: Literal["one", "list", "two", "words", "pattern", "flag"]
    en: str
    zh: str


OPERATORS: Mapping[str, Operator] = {
    "eq": Operator(_EVERY, "one", "is", "等于"),
    "ne": Operator(_EVERY, "one", "is not", "不等于"),
    "in": Operator(_EVERY, "list", "is one of", "属于"),
    "not_in": Operator(_EVERY, "list", "is none of", "不属于"),
    "lt": Operator(_COMPARED, "one", "is less than", "小于"),
    "lte": Operator(_COMPARED, "one", "is at most", "不大于"),
    "gt": Operator(_COMPARED, "one", "is more than", "大于"),
    "gte": Operator(_COMPARED, "one", "is at least", "不小于"),
    "between": Operator(_COMPARED, "two", "lies between two values, both included", "介于（含两端）"),
    "any": Operator(WORDS, "words", "contains any of the words", "含任一关键词"),
    "all": Operator(WORDS, "words", "contains all of the words", "含全部关键词"),
    "none": Operator(WORDS, "words", "contains none of the words", "不含任何关键词"),
    "contains": Operator(WORDS, "words", "contains the word (or any of a list)", "含关键词"),
    "starts_with": Operator(WORDS, "words", "starts with the word (or any of a list)", "以…开头"),
    "ends_with": Operator(WORDS, "words", "ends with the word (or any of a list)", "以…结尾"),
    "pattern": Operator(WORDS, "pattern", "matches the regular expression somewhere", "匹配正则表达式"),
    "missing": Operator(_EVERY, "flag", "true: there is no value; false: there is one", "缺失"),
}
COMBINERS: Mapping[str, tuple[str, str]] = {
    "all": ("every condition of the list holds", "全部成立"),
    "any": ("one condition of the list holds", "任一成立"),
    "not": ("the condition does not hold", "不成立"),
    "any_line": ("the condition holds for one line", "任一明细成立"),
    "all_lines": ("the condition holds for every line", "全部明细成立"),
    "sum_lines": ("{of, where, <operator>}: a sum over lines compared", "明细合计比较"),
    "expr": ("SQL over facts, true where it is true", "SQL 表达式"),
}


def atoms(condition: Condition) -> Iterator[Atom]:
    """Give the atomic tests of `condition` in the order they are written."""
    if isinstance(condition, All | AnyOf):
        for part in condition.parts:
            yield from atoms(part)
    elif isinstance(condition, Not):
        yield from atoms(condition.part)
    else:
        yield condition


def facts_of(condition: Condition) -> Iterator[str]:
    """Give the names of the shipment facts `condition` looks at; `lines` stands for facts of lines."""
    for atom in atoms(condition):
        if isinstance(atom, Comparison):
            yield atom.fact
        elif isinstance(atom, Sql):
            yield from atom.facts
        else:
            yield "lines"


def line_facts_of(condition: Condition) -> Iterator[str]:
    """Give the names of the line facts `condition` looks at."""
    for atom in atoms(condition):
        inner = (atom.part,) if isinstance(atom, Lines) else (atom.where,) if isinstance(atom, Sum) else ()
        if isinstance(atom, Sum):
            yield atom.of
        for part in inner:
            for test in atoms(part) if part else ():
                if isinstance(test, Comparison):
                    yield test.fact
