"""The condition language: what stands under `when`, as a small tree of plain values.

Everything here is checked when the rules are read (names, operators, values, regular expressions, SQL), so that
compiling and matching cannot fail later. Evaluation is three-valued; see `compiled`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import ValidationInfo

from orderctl.model.instant import write_instant
from orderctl.model.text import Text
from orderctl.model.yamlfile import Loc, Wrong, nearest, reject
from orderctl.stages.rules.facts_table import DTYPES, FACTS, LINE_FACTS, Fact, Kind, Known, LineFact, known_at

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
_WORDS: tuple[Kind, ...] = ("text", "texts", "province", "city")
_EVERY: tuple[Kind, ...] = (*_COMPARED, *_WORDS, "flag")


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
    "any": Operator(_WORDS, "words", "contains any of the words", "含任一关键词"),
    "all": Operator(_WORDS, "words", "contains all of the words", "含全部关键词"),
    "none": Operator(_WORDS, "words", "contains none of the words", "不含任何关键词"),
    "contains": Operator(_WORDS, "words", "contains the word (or any of a list)", "含关键词"),
    "starts_with": Operator(_WORDS, "words", "starts with the word (or any of a list)", "以…开头"),
    "ends_with": Operator(_WORDS, "words", "ends with the word (or any of a list)", "以…结尾"),
    "pattern": Operator(_WORDS, "pattern", "matches the regular expression somewhere", "匹配正则表达式"),
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
_KIND_WORDS: dict[Kind, Text] = {
    "text": Text("a text"),
    "texts": Text("a list of texts"),
    "province": Text("a province"),
    "city": Text("a city"),
    "whole": Text("a whole number"),
    "instant": Text("a time"),
    "flag": Text("true or false"),
}
# Nodes of a polars expression whose value for a row depends on other rows.
_NOT_ROWWISE = {
    "Agg",
    "Over",
    "Window",
    "Rolling",
    "Len",
    "SubPlan",
    "Explode",
    "Sort",
    "SortBy",
    "Filter",
    "Slice",
    "Gather",
}


@dataclass
class _Parser:
    """Walks the value under `when` and collects every mistake, each with its place."""

    table: Mapping[str, Fact | LineFact]
    everywhere: Mapping[str, Fact | LineFact]
    zone: str
    wrongs: list[Wrong]
    inside_line: bool = False

    def wrong(self, loc: Loc, text: Text, hint: Text | None = None, *, at_key: bool = False) -> None:
        self.wrongs.append(Wrong(text, hint, loc, at_key))

    def condition(self, value: Any, loc: Loc) -> Condition:
        if not isinstance(value, dict):
            self.wrong(loc, Text("expected a condition: facts with values"))
            return All(())
        if not value:
            self.wrong(loc, Text("an empty condition; leave out 'when' for a rule that always matches"))
        parts = tuple(self.entry(name, inner, (*loc, name)) for name, inner in value.items())
        return parts[0] if len(parts) == 1 else All(parts)

    def entry(self, name: str, value: Any, loc: Loc) -> Condition:
        if name in ("all", "any"):
            parts = self.many(value, loc)
            return All(parts) if name == "all" else AnyOf(parts)
        if name == "not":
            return Not(self.condition(value, loc))
        if name in ("any_line", "all_lines", "sum_lines", "expr"):
            if self.inside_line:
                self.wrong(
                    loc, Text("'{field}' cannot stand inside a condition over lines", field=name), at_key=True
                )
                return All(())
            if name == "expr":
                return self.sql(value, loc)
            return self.total(value, loc) if name == "sum_lines" else self.lines(name, value, loc)
        if name not in self.table:
            self.unknown_fact(name, loc)
            return All(())
        return self.tests(name, value, loc)

    def unknown_fact(self, name: str, loc: Loc) -> None:
        if name in self.everywhere:
            self.wrong(
                loc, Text("the fact '{fact}' is not known yet in this section", fact=name), at_key=True
            )
        elif name in FACTS or name in LINE_FACTS:
            where = (
                Text("over the shipment")
                if self.inside_line
                else Text("inside any_line, all_lines or sum_lines")
            )
            self.wrong(
                loc, Text("the fact '{fact}' can only be used {where}", fact=name, where=where), at_key=True
            )
        else:
            hint = nearest(name, [*self.table, *COMBINERS])
            self.wrong(loc, Text("unknown fact '{fact}'", fact=name), hint, at_key=True)

    def many(self, value: Any, loc: Loc) -> tuple[Condition, ...]:
        if not isinstance(value, list) or not value:
            self.wrong(loc, Text("expected a list of conditions"))
            return ()
        return tuple(self.condition(item, (*loc, i)) for i, item in enumerate(value))

    def over_lines(self) -> _Parser:
        return _Parser(LINE_FACTS, LINE_FACTS, self.zone, self.wrongs, inside_line=True)

    def lines(self, name: str, value: Any, loc: Loc) -> Lines:
        return Lines("any" if name == "any_line" else "all", self.over_lines().condition(value, loc))

    def total(self, value: Any, loc: Loc) -> Condition:
        whole = [n for n, f in LINE_FACTS.items() if f.kind == "whole"]
        if not isinstance(value, dict) or value.get("of") not in whole:
            found = value.get("of") if isinstance(value, dict) else None
            hint = nearest(str(found), whole) if found else None
            at: Loc = (*loc, "of") if found else loc
            self.wrong(at, Text("sum_lines needs 'of': one of {allowed}", allowed=", ".join(whole)), hint)
            return All(())
        where = self.over_lines().condition(value["where"], (*loc, "where")) if "where" in value else None
        operators = {k: v for k, v in value.items() if k not in ("of", "where")}
        tests = self.operators("sum", "whole", operators, loc)
        return Sum(value["of"], where, tests)

    def tests(self, name: str, value: Any, loc: Loc) -> Condition:
        kind = self.table[name].kind
        if not isinstance(value, dict):
            value = {"in": value} if isinstance(value, list) else {"eq": value}
            found = self.operators(name, kind, value, loc, written=False)
        else:
            found = self.operators(name, kind, value, loc)
        return found[0] if len(found) == 1 else All(found)

    def operators(
        self, name: str, kind: Kind, value: dict[str, Any], loc: Loc, *, written: bool = True
    ) -> tuple[Comparison, ...]:
        if not value:
            self.wrong(loc, Text("'{fact}' is compared with nothing", fact=name))
        tests = []
        for op, operand in value.items():
            at = (*loc, op) if written else loc
            known = OPERATORS.get(op)
            if known is None:
                self.wrong(at, Text("unknown operator '{op}'", op=op), nearest(op, OPERATORS), at_key=True)
            elif kind not in known.kinds:
                text = Text(
                    "operator '{op}' does not fit '{fact}', which is {kind}",
                    op=op,
                    fact=name,
                    kind=_KIND_WORDS[kind],
                )
                self.wrong(at, text, at_key=True)
            else:
                tests.append(Comparison(name, op, self.operand(kind, known, operand, at)))
        return tuple(tests)

    def operand(self, kind: Kind, op: Operator, value: Any, loc: Loc) -> tuple[Scalar | Span, ...]:
        if op.takes == "flag":
            return (self.value("flag", value, loc),)
        if op.takes == "pattern":
            return (self.regex(value, loc),)
        if op.takes == "words":
            found = value if isinstance(value, list) else [value]
            words = tuple(
                self.value("text", v, (*loc, i) if found is value else loc) for i, v in enumerate(found)
            )
            if not words or "" in words:
                self.wrong(loc, Text("expected a word or a list of words"))
            return words
        if op.takes == "one":
            return (self.value(kind, value, loc),)
        if not isinstance(value, list) or not value:
            self.wrong(loc, Text("expected a list"))
            return ()
        if op.takes == "two" and len(value) != 2:
            self.wrong(loc, Text("expected two values: from and to"))
        return tuple(self.value(kind, v, (*loc, i)) for i, v in enumerate(value))

    def value(self, kind: Kind, value: Any, loc: Loc) -> Scalar | Span:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is None:
            self.wrong(loc, Text("no value; write 'missing: true' to test for a missing one"))
        elif (kind == "flag" and isinstance(value, bool)) or (kind == "whole" and whole):
            found: Scalar = value
            return found
        elif kind == "instant" and (span := _span(value, self.zone)):
            return span
        elif kind in _WORDS and (whole or isinstance(value, str | Decimal)):
            return str(value)
        else:
            self.wrong(loc, Text("expected {kind}", kind=_KIND_WORDS["text" if kind == "texts" else kind]))
        return ""

    def regex(self, value: Any, loc: Loc) -> str:
        if not isinstance(value, str) or not value:
            self.wrong(loc, Text("expected a regular expression"))
            return ""
        try:
            pl.Series([""]).str.contains(value)
        except pl.exceptions.PolarsError as error:
            lines = [line for line in str(error).splitlines() if line.startswith("error:")]
            reason = lines[0].removeprefix("error: ") if lines else "?"
            self.wrong(loc, Text("not a regular expression: {reason}", reason=reason))
        return value

    def sql(self, value: Any, loc: Loc) -> Condition:
        if not isinstance(value, str):
            self.wrong(loc, Text("expected SQL"))
            return All(())
        try:
            expr = pl.sql_expr(value)
            names = sorted(set(expr.meta.root_names()))
        except pl.exceptions.PolarsError as error:
            self.wrong(loc, Text("not an SQL condition: {reason}", reason=str(error).splitlines()[0]))
            return All(())
        strangers = [n for n in names if n not in self.table]
        for name in strangers:
            self.wrong(loc, Text("unknown fact '{fact}'", fact=name), nearest(name, self.table))
        if not names:
            self.wrong(loc, Text("the SQL names no fact"))
        elif not strangers:
            self.sql_type(expr, names, loc)
        return Sql(value, tuple(names))

    def sql_type(self, expr: pl.Expr, names: Sequence[str], loc: Loc) -> None:
        if _NOT_ROWWISE & set(_keys(json.loads(expr.meta.serialize(format="json")))):
            self.wrong(
                loc, Text("the SQL must judge each shipment by itself: no aggregates, windows or queries")
            )
            return
        try:
            found = pl.DataFrame(schema={n: DTYPES[self.table[n].kind] for n in names}).select(expr)
        except pl.exceptions.PolarsError as error:
            self.wrong(loc, Text("not an SQL condition: {reason}", reason=str(error).splitlines()[0]))
            return
        if found.dtypes != [pl.Boolean]:
            self.wrong(loc, Text("the SQL must be true or false"))


def _keys(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, inner in tree.items():
            yield key
            yield from _keys(inner)
    elif isinstance(tree, list):
        for inner in tree:
            yield from _keys(inner)
    elif isinstance(tree, str):
        yield tree


_DAY = re.compile(r"^\d{4}-\d\d-\d\d$")


def _span(value: Any, zone: str) -> Span | None:
    """Give the first and last second of what was written: a day of `zone`, a wall-clock time of it, or an instant."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    last = moment + timedelta(days=1) - timedelta(seconds=1) if _DAY.match(value) else moment
    return write_instant(moment), write_instant(last)


def parse_condition(step: Known) -> Callable[[Any, ValidationInfo], Condition | None]:
    """Give a pydantic validator for `when` in a section judged when `step` has been taken."""
    table = known_at(step)

    def parse(value: Any, info: ValidationInfo) -> Condition | None:
        if value is None:
            return None
        zone = str((info.context or {}).get("zone", "Asia/Shanghai"))
        parser = _Parser(table, FACTS, zone, [])
        found = parser.condition(value, ())
        if parser.wrongs:
            reject(*parser.wrongs)
        return found

    return parse


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
