"""What is written under `when`, checked and made a condition.

Everything is checked here (names, operators, values, regular expressions, SQL), each mistake with its place, so that
compiling and matching cannot fail later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import ValidationInfo

from orderctl.model.instant import write_instant
from orderctl.model.text import Text
from orderctl.model.yamlfile import Loc, Wrong, nearest, reject
from orderctl.stages.conditions.facts import FACTS, LINE_FACTS, Fact, Kind, Known, LineFact, known_at
from orderctl.stages.conditions.places import ENDINGS, written_as
from orderctl.stages.conditions.sql import sql_mistake
from orderctl.stages.conditions.tree import (
    COMBINERS,
    OPERATORS,
    WORDS,
    All,
    AnyOf,
    Comparison,
    Condition,
    Lines,
    Not,
    Operator,
    Scalar,
    Span,
    Sql,
    Sum,
)

_KIND_WORDS: dict[Kind, Text] = {
    "text": Text("a text"),
    "texts": Text("a list of texts"),
    "province": Text("a province"),
    "city": Text("a city"),
    "whole": Text("a whole number"),
    "instant": Text("a time"),
    "flag": Text("true or false"),
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
                tests.append(_with_names(Comparison(name, op, self.operand(kind, known, operand, at))))
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
        elif kind == "instant" and (span := span_of(value, self.zone)):
            return span
        elif kind in WORDS and (whole or isinstance(value, str | Decimal)):
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
            mistake = sql_mistake(expr, {name: self.table[name].kind for name in names})
            if mistake is not None:
                self.wrong(loc, mistake)
        return Sql(value, tuple(names))


_LISTED = {"eq": "in", "in": "in", "ne": "not_in", "not_in": "not_in"}


def _with_names(test: Comparison) -> Comparison:
    """Let a district or town be asked for by its short or its full name."""
    if test.fact not in ENDINGS or test.op not in _LISTED:
        return test
    names = dict.fromkeys(name for value in test.values for name in written_as(test.fact, str(value)))
    return Comparison(test.fact, _LISTED[test.op], tuple(names))


_DAY = re.compile(r"^\d{4}-\d\d-\d\d$")


def span_of(value: Any, zone: str) -> Span | None:
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


def parse_line_condition(value: Any, info: ValidationInfo) -> Condition | None:
    """Check and read a condition over the facts of a line."""
    if value is None:
        return None
    zone = str((info.context or {}).get("zone", "Asia/Shanghai"))
    parser = _Parser(LINE_FACTS, LINE_FACTS, zone, [], inside_line=True)
    found = parser.condition(value, ())
    if parser.wrongs:
        reject(*parser.wrongs)
    return found


def parse_span(value: Any, info: ValidationInfo) -> Span:
    """Read a day or an instant as its first and last second."""
    span = span_of(value, str((info.context or {}).get("zone", "Asia/Shanghai")))
    if span is None:
        reject(Wrong(Text("expected {kind}", kind=_KIND_WORDS["instant"])))
    return span
