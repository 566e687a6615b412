"""The unified list added up by any of its columns: how many rows, orders and pieces, how much money, weight, freight.

Amounts of different currencies are never added: each currency has a column of its own (`total_CNY`). Invariant: the
groups of one grouping add up to the row over all.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from orderctl.model.money import exponents
from orderctl.stages.reports.words import decimal_text

TOTAL, FREIGHT = "total_", "freight_"


def added_up(rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Add up the rows of a list (as `listed` gives them) by the columns `names`, the largest group first.

    Returns: `names`, `rows`, `orders`, `pieces`, `total_CUR` for each currency there is, and, where any row has
        one, `weight_kg` and `freight_CUR`. Without names, one row over all.
    """
    money = {
        **{
            f"{TOTAL}{c}": ("total_minor", "currency", c)
            for c in _currencies(rows, "total_minor", "currency")
        },
        **{
            f"{FREIGHT}{c}": ("freight_minor", "freight_currency", c)
            for c in _currencies(rows, "freight_minor", "freight_currency")
        },
    }
    sums = {
        "rows": pl.len().cast(pl.Int64),
        "orders": pl.col("order_count").sum(),
        "pieces": pl.col("pieces").sum(),
        **{name: _known_sum(pl.col(of).filter(pl.col(by) == code)) for name, (of, by, code) in money.items()},
        "weight_g": _known_sum(pl.col("weight_g")),
    }
    if names:
        found = rows.group_by(names).agg(**sums).sort(-pl.col("rows"), *names, nulls_last=True)
    else:
        found = rows.select(**sums)
    for name, (_, _, code) in money.items():
        found = found.with_columns(decimal_text(pl.col(name), exponents(pl.lit(code))).alias(name))
    kept = [*names, *(name for name in sums if name != "weight_g")]
    if rows["weight_g"].count():
        found = found.with_columns(weight_kg=decimal_text(pl.col("weight_g"), pl.lit(3)))
        kept.insert(len(kept) - sum(name.startswith(FREIGHT) for name in money), "weight_kg")
    return found.select(kept)


def _currencies(rows: pl.DataFrame, amount: str, currency: str) -> list[str]:
    known = rows.filter(pl.col(amount).is_not_null())[currency]
    found: list[str] = known.drop_nulls().unique().sort().to_list()
    return found


def _known_sum(values: pl.Expr) -> pl.Expr:
    """Add up what is known; null where nothing is."""
    return pl.when(values.count() > 0).then(values.sum())
