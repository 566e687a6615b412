"""What SQL may stand under `expr`: a condition on one shipment by itself, the same on any day and in any company.

Aggregates, windows and queries look at other rows, `NOW()` at the clock; both are found before any batch is read:
by what the expression is made of, and by judging a few made-up rows together and one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from orderctl.model.text import Text
from orderctl.stages.conditions.facts import DTYPES, Kind

_OF_OTHER_ROWS = {
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
}
_CLOCK = {
    "Date",
    "Datetime",
    "Time",
    "Duration",
}  # no fact is of these types, so such a constant is the clock's
_TEXTS = ["", "CN", "浙江省", "7", "a", "Z", None]
_SAMPLES: dict[str, list[Any]] = {
    "whole": [0, 1, 7, 250, 3000, 1_000_000, None],
    "flag": [True, False, None, True, True, False, None],
    "texts": [[], ["a"], ["a", "b"], ["7", None], ["浙江省"], ["CN"] * 3, []],
}


def sql_mistake(expr: pl.Expr, kinds: Mapping[str, Kind]) -> Text | None:
    """Say why `expr`, over facts of `kinds`, cannot be a condition; None when it can."""
    parts = set(_parts(json.loads(expr.meta.serialize(format="json"))))
    if parts & _CLOCK:
        return Text("the SQL must not ask for the time; there are the facts now, hour and weekday")
    alone = Text("the SQL must judge each shipment by itself: no aggregates, windows or queries")
    if parts & _OF_OTHER_ROWS:
        return alone
    sample = pl.DataFrame(
        {name: pl.Series(_SAMPLES.get(kind, _TEXTS), dtype=DTYPES[kind]) for name, kind in kinds.items()}
    )
    try:
        together = sample.select(found=expr)
        apart = [sample[n : n + 1].select(found=expr) for n in range(sample.height)]
    except pl.exceptions.PolarsError as error:
        return Text("not an SQL condition: {reason}", reason=str(error).splitlines()[0])
    if together.dtypes != [pl.Boolean]:
        return Text("the SQL must be true or false")
    return None if together.equals(pl.concat(apart)) else alone


def _parts(tree: Any) -> Iterator[str]:
    """Give the names of the nodes and types in a serialised expression, without the texts the user wrote."""
    if isinstance(tree, dict):
        for key, inner in tree.items():
            yield key
            if key != "String":
                yield from _parts(inner)
    elif isinstance(tree, list):
        for inner in tree:
            yield from _parts(inner)
    elif isinstance(tree, str):
        yield tree
