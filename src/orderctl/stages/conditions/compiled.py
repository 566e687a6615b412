"""Conditions as polars expressions with three values: true, false and null for unknown.

`&`, `|` and `~` of polars are Kleene's already; what has to be made is the "any" of a list that may hold an unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from operator import and_, or_

import polars as pl

from orderctl.stages.conditions.facts import FACTS, LINE_FACTS, Kind, comparable
from orderctl.stages.conditions.tree import (
    All,
    AnyOf,
    Atom,
    Comparison,
    Condition,
    Lines,
    Not,
    Scalar,
    Span,
    Sql,
    facts_of,
    line_facts_of,
)

Shared = Mapping[Atom, str]
_NONE_SHARED: Shared = {}


def predicate(condition: Condition | None, shared: Shared = _NONE_SHARED) -> pl.Expr:
    """Give `condition` as a boolean column over a facts frame; atoms in `shared` are read from their own columns."""
    if condition is None:
        return pl.lit(True)
    return _tree(condition, lambda atom: pl.col(shared[atom]) if atom in shared else _atom(atom))


def _tree(condition: Condition, atom: Callable[[Atom], pl.Expr]) -> pl.Expr:
    if isinstance(condition, All):
        return reduce(and_, (_tree(p, atom) for p in condition.parts), pl.lit(True))
    if isinstance(condition, AnyOf):
        return reduce(or_, (_tree(p, atom) for p in condition.parts), pl.lit(False))
    if isinstance(condition, Not):
        return ~_tree(condition.part, atom)
    return atom(condition)


def _atom(atom: Atom) -> pl.Expr:
    if isinstance(atom, Comparison):
        return compared(pl.col(atom.fact), FACTS[atom.fact].kind, atom)
    if isinstance(atom, Sql):
        return pl.sql_expr(atom.text)
    if isinstance(atom, Lines):
        judged = pl.col("lines").list.eval(_of_line(atom.part))
        return list_any(judged) if atom.how == "any" else ~list_any(judged.list.eval(~pl.element()))
    total = line_sum(atom.of, atom.where)
    return reduce(and_, (compared(total, "whole", test) for test in atom.tests))


def line_sum(of: str, where: Condition | None) -> pl.Expr:
    """Give the sum of a whole-number fact over the lines that `where` holds for; null where it is unknown."""
    counted = LINE_FACTS[of].column(pl.element())
    if where:  # a line of which it is unknown whether it counts makes the sum unknown
        counts = _of_line(where)
        counted = pl.when(counts).then(counted).when(~counts).then(0)
    addends = pl.col("lines").list.eval(counted.cast(pl.Int64))
    return pl.when(~_holds_null(addends)).then(addends.list.sum())


def _of_line(condition: Condition) -> pl.Expr:
    def atom(test: Atom) -> pl.Expr:
        assert isinstance(test, Comparison)
        fact = LINE_FACTS[test.fact]
        return compared(fact.column(pl.element()), fact.kind, test)

    # a line-independent part (an empty list of words) must still give one value a line
    return _tree(condition, atom) & pl.element().is_not_null()


def _holds_null(values: pl.Expr) -> pl.Expr:
    return values.list.eval(pl.element().is_null()).list.any()


def list_any(judged: pl.Expr) -> pl.Expr:
    """Give Kleene's "any" of a list of booleans: true if one is, else null if one is null, else false."""
    return pl.when(judged.list.any()).then(True).when(_holds_null(judged)).then(None).otherwise(False)


_NEGATED = {"ne": "eq", "not_in": "in", "none": "any"}


def compared(value: pl.Expr, kind: Kind, test: Comparison) -> pl.Expr:
    """Give the comparison `test` of a column `value` of `kind`; null where it is unknown."""
    if test.op == "missing":
        absent = value.list.len() == 0 if kind == "texts" else value.is_null()
        return absent if test.values[0] else ~absent
    if test.op in _NEGATED:
        return ~compared(value, kind, Comparison(test.fact, _NEGATED[test.op], test.values))
    if kind == "texts":
        if test.op == "all":
            words = (Comparison(test.fact, "any", (word,)) for word in test.values)
            return reduce(and_, (list_any(value.list.eval(_single(pl.element(), "text", w))) for w in words))
        return list_any(value.list.eval(_single(pl.element(), "text", test)))
    return _single(value, kind, test)


def _single(value: pl.Expr, kind: Kind, test: Comparison) -> pl.Expr:
    if kind == "instant":
        return _instant(value, test)
    if kind in ("whole", "flag") or test.op in ("eq", "in"):
        return _plain(value, kind, test)
    return _words(value, test)


def _plain(value: pl.Expr, kind: Kind, test: Comparison) -> pl.Expr:
    values: list[Scalar] = [v for v in test.values if not isinstance(v, tuple)]
    if test.op in ("eq", "in"):
        if kind in ("province", "city"):
            values = pl.select(comparable(pl.lit(pl.Series(values)), kind)).to_series().to_list()
        column = comparable(value, kind)
        return column == values[0] if len(values) == 1 else column.is_in(values)
    if test.op == "between":
        return (value >= values[0]) & (value <= values[1])
    return _order(value, test.op, values[0], values[0])


def _order(value: pl.Expr, op: str, first: Scalar, last: Scalar) -> pl.Expr:
    orders = {"lt": value < first, "lte": value <= last, "gt": value > last, "gte": value >= first}
    return orders[op]


def _instant(value: pl.Expr, test: Comparison) -> pl.Expr:
    spans: list[Span] = [v for v in test.values if isinstance(v, tuple)]
    if test.op in ("eq", "in"):
        return reduce(or_, ((value >= first) & (value <= last) for first, last in spans))
    if test.op == "between":
        return (value >= spans[0][0]) & (value <= spans[1][1])
    return _order(value, test.op, spans[0][0], spans[0][1])


def _words(value: pl.Expr, test: Comparison) -> pl.Expr:
    """Compare text; keywords take no heed of upper and lower case, a pattern does unless it says `(?i)`."""
    if test.op == "pattern":
        return value.str.contains(str(test.values[0]))
    words = [str(w).lower() for w in test.values]
    lower = value.str.to_lowercase()
    if test.op == "all":
        return reduce(and_, (lower.str.contains(w, literal=True) for w in words))
    if test.op == "starts_with":
        return reduce(or_, (lower.str.starts_with(w) for w in words))
    if test.op == "ends_with":
        return reduce(or_, (lower.str.ends_with(w) for w in words))
    return lower.str.contains(words[0], literal=True) if len(words) == 1 else lower.str.contains_any(words)


def is_costly(atom: Atom) -> bool:
    """True for tests worth computing once when several rules make them: words, lists, lines, SQL."""
    if not isinstance(atom, Comparison):
        return True
    kind = FACTS[atom.fact].kind
    return kind in ("texts", "province") or (
        kind in ("text", "city") and atom.op not in ("eq", "ne", "missing")
    )


def missing_facts(condition: Condition | None) -> pl.Expr:
    """Give the names of the facts of `condition` that are missing in a row, joined with commas; "" when none is."""
    shown: list[pl.Expr] = []
    if condition is None:
        return pl.lit("")
    for name in dict.fromkeys(facts_of(condition)):
        if name == "lines":
            shown += [
                _name_if(_line_missing(f), f"lines.{f}") for f in dict.fromkeys(line_facts_of(condition))
            ]
        elif FACTS[name].kind == "texts":
            shown.append(_name_if(_holds_null(pl.col(name)), name))
        else:
            shown.append(_name_if(pl.col(name).is_null(), name))
    return pl.concat_str(shown, separator=", ", ignore_nulls=True)


def _name_if(missing: pl.Expr, name: str) -> pl.Expr:
    return pl.when(missing).then(pl.lit(name))


def _line_missing(fact: str) -> pl.Expr:
    column = LINE_FACTS[fact].column(pl.element())
    return _holds_null(pl.col("lines").list.eval(column))


def facts_needed(conditions: Iterable[Condition | None]) -> set[str]:
    """Give the names of the columns a facts frame must have to judge `conditions`."""
    return {name for c in conditions if c is not None for name in facts_of(c)}
