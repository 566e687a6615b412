"""First match wins, as columns: the number of the rule that fired for each row, and of the first one left in doubt.

Rules are judged in blocks and rows that have matched drop out; tests that several rules make are made once, and words
that many rules look for are found in one pass. All of this changes the cost, never the answer: the result is that of
judging every rule in order, row by row. (Dealing rows out by province first was measured to cost more than it saves.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain

import polars as pl

from orderctl.stages.conditions.compiled import Shared, is_costly, predicate
from orderctl.stages.conditions.tree import Atom, Condition, atoms
from orderctl.stages.conditions.words import answered, asked_together

BLOCK = 100
_RULE = pl.Int32()

FIRED = pl.Schema({"row": pl.Int64(), "fired": _RULE, "doubted": _RULE})
Numbered = tuple[int, Condition | None]


def first_match(facts: pl.DataFrame, conditions: Sequence[Condition | None]) -> pl.DataFrame:
    """Judge `conditions` in order on every row of `facts` (a facts frame with the column `row`, ascending).

    Returns: columns FIRED, one row for each of `facts` in the same order: `fired` is the index of the first condition
    that is true (null: none); `doubted` that of the first one before it that is unknown (null: none).
    """
    judged, shared = _shared(facts, conditions)
    return _in_blocks(judged, list(enumerate(conditions)), shared).sort("row")


def _shared(facts: pl.DataFrame, conditions: Sequence[Condition | None]) -> tuple[pl.DataFrame, Shared]:
    """Give `facts` with the tests that are made once for all rules, and the names of their columns."""
    counted = Counter(atom for c in conditions if c is not None for atom in set(atoms(c)))
    together = asked_together(counted)
    shared: dict[Atom, str] = {a: f"words {n}" for n, a in enumerate(chain.from_iterable(together.values()))}
    columns = [
        column
        for fact, tests in together.items()
        for column in answered(facts, fact, {shared[test]: test for test in tests})
    ]
    often = [atom for atom, uses in counted.items() if uses > 1 and is_costly(atom) and atom not in shared]
    shared |= {atom: f"shared {n}" for n, atom in enumerate(often)}
    more = (predicate(atom).alias(shared[atom]) for atom in often)
    return facts.with_columns(*columns, *more), shared


def _in_blocks(facts: pl.DataFrame, rules: Sequence[Numbered], shared: Shared) -> pl.DataFrame:
    done: list[pl.DataFrame] = []
    left = facts.with_columns(fired=pl.lit(None, dtype=_RULE), doubted=pl.lit(None, dtype=_RULE))
    for start in range(0, len(rules), BLOCK):
        block = rules[start : start + BLOCK]
        left = _one_block(left, block, shared)
        done.append(left.filter(pl.col("fired").is_not_null()).select(FIRED.names()))
        left = left.filter(pl.col("fired").is_null())
        if not left.height:
            break
    return pl.concat([*done, left.select(FIRED.names())])


def _one_block(facts: pl.DataFrame, block: Sequence[Numbered], shared: Shared) -> pl.DataFrame:
    masks = facts.select("row", *(predicate(condition, shared).alias(str(n)) for n, condition in block))
    fired = pl.coalesce(pl.when(pl.col(str(n))).then(pl.lit(n, dtype=_RULE)) for n, _ in block)
    unknown = pl.coalesce(pl.when(pl.col(str(n)).is_null()).then(pl.lit(n, dtype=_RULE)) for n, _ in block)
    found = masks.select(fired=fired, unknown=unknown)
    before = pl.when(pl.col("fired").is_null() | (pl.col("unknown") < pl.col("fired"))).then(
        pl.col("unknown")
    )
    return facts.with_columns(
        found["fired"], doubted=pl.coalesce(facts["doubted"], found.select(before).to_series())
    )
