"""First match wins, as columns: the number of the rule that fired for each row, and of the first one left in doubt.

Rules are judged in blocks, rows that have matched drop out, and with many rules the rows are first dealt out by the
fact that most rules ask for by equality, so that a row meets only rules that can apply to it. All of this changes
the cost, never the answer: the result is that of judging every rule in order, row by row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import polars as pl

from orderctl.stages.rules.compiled import Shared, is_costly, predicate
from orderctl.stages.rules.conditions import All, Atom, Comparison, Condition, atoms
from orderctl.stages.rules.facts_table import FACTS, comparable

BLOCK = 25
DEAL_FROM = 2 * BLOCK  # with fewer rules dealing costs more than it saves
_RULE = pl.Int32()

FIRED = pl.Schema({"row": pl.Int64(), "fired": _RULE, "doubted": _RULE})
Numbered = tuple[int, Condition | None]


def first_match(facts: pl.DataFrame, conditions: Sequence[Condition | None]) -> pl.DataFrame:
    """Judge `conditions` in order on every row of `facts` (a facts frame with the column `row`, ascending).

    Returns: columns FIRED, one row for each of `facts` in the same order: `fired` is the index of the first condition
    that is true (null: none); `doubted` that of the first one before it that is unknown (null: none).
    """
    shared = _shared(conditions)
    judged = facts.with_columns(predicate(atom).alias(name) for atom, name in shared.items())
    parts = [
        _in_blocks(part, rules, shared)
        for part, rules in _dealt(judged, list(enumerate(conditions)))
        if part.height
    ]
    return pl.concat([pl.DataFrame(schema=FIRED), *parts]).sort("row")


def _shared(conditions: Sequence[Condition | None]) -> dict[Atom, str]:
    counted = Counter(atom for c in conditions if c is not None for atom in set(atoms(c)))
    often = [atom for atom, uses in counted.items() if uses > 1 and is_costly(atom)]
    return {atom: f"shared {number}" for number, atom in enumerate(often)}


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


def required(condition: Condition | None, fact: str) -> frozenset[str] | None:
    """Give the values of `fact` without which `condition` is false whatever else holds; None when there are no such."""
    parts = condition.parts if isinstance(condition, All) else (condition,)
    found: frozenset[str] | None = None
    for part in parts:
        if isinstance(part, Comparison) and part.fact == fact and part.op in ("eq", "in"):
            values = frozenset(str(v) for v in part.values)
            found = values if found is None else found & values
    return found


def _best_fact(rules: Sequence[Numbered]) -> str | None:
    counts: Counter[str] = Counter()
    for _, condition in rules:
        parts = condition.parts if isinstance(condition, All) else (condition,)
        counts.update({p.fact for p in parts if isinstance(p, Comparison) and p.op in ("eq", "in")})
    single = [(n, fact) for fact, n in counts.items() if FACTS[fact].kind in ("text", "province", "city")]
    best = max(single, default=(0, ""))
    return best[1] if best[0] * 2 >= len(rules) else None


def _dealt(
    facts: pl.DataFrame, rules: Sequence[Numbered]
) -> Iterator[tuple[pl.DataFrame, Sequence[Numbered]]]:
    """Deal the rows out by the value of the most asked-for fact, each part with the rules that can apply to it.

    A row in which the fact is missing meets all rules: it leaves each of them in doubt.
    """
    fact = _best_fact(rules) if len(rules) > DEAL_FROM else None
    if fact is None or fact not in facts.columns:
        yield facts, rules
        return
    kind = FACTS[fact].kind
    needs = [(rule, required(rule[1], fact)) for rule in rules]
    asked = sorted({value for _, values in needs for value in values or ()})
    one_form = dict(
        zip(
            asked,
            pl.select(comparable(pl.lit(pl.Series(asked, dtype=pl.String)), kind)).to_series(),
            strict=True,
        )
    )
    wanted = [(rule, None if values is None else {one_form[v] for v in values}) for rule, values in needs]
    named = sorted(set(one_form.values()))
    column = comparable(pl.col(fact), kind)
    deal = (
        pl.when(column.is_null())
        .then(pl.lit("\0"))
        .when(column.is_in(named))
        .then(column)
        .otherwise(pl.lit(""))
    )
    for key, part in _parts(facts, deal):
        if key == "\0":
            yield part, rules
        else:
            yield part, [rule for rule, values in wanted if values is None or key in values]


def _parts(facts: pl.DataFrame, deal: pl.Expr) -> Iterator[tuple[str, pl.DataFrame]]:
    parts = facts.with_columns(deal.alias("dealt")).partition_by("dealt", as_dict=True, include_key=False)
    for (key,), part in parts.items():
        yield str(key), part
