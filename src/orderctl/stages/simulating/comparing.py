"""Two replays side by side: which shipments are affected, and everything that can be added up about them.

Blocks are added up as they come (`added`), so memory grows with the number of different outcomes, never with the
number of shipments. Money is compared only where both sides have a price in one currency.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from orderctl.stages.simulating.replay import CHOICE, REPLAYED

SIDES = ("old", "new")
_KEYS = ("warehouse", "courier", "service", "warehouse_rule", "courier_rule", "hold", "tariff", "currency")
KEYS = tuple(f"{name}_{side}" for name in _KEYS for side in SIDES)
SUMS = pl.Schema(
    {
        **dict.fromkeys(KEYS, pl.String()),
        "changed": pl.Boolean(),
        "priced_old": pl.Boolean(),
        "priced_new": pl.Boolean(),
        "shipments": pl.Int64(),
        "freight_old_minor": pl.Int64(),
        "freight_new_minor": pl.Int64(),
        "timed_old": pl.Boolean(),
        "timed_new": pl.Boolean(),
        "days_old": pl.Int64(),
        "days_new": pl.Int64(),
    }
)
_COUNTED = ("shipments", "freight_old_minor", "freight_new_minor", "days_old", "days_new")


def side_by_side(old: pl.DataFrame, new: pl.DataFrame, at: pl.Series) -> pl.DataFrame:
    """Give one row a shipment: `shipment_id, at`, every column of a replay as `_old` and `_new`, what differs.

    `changed` lists the choices that differ (text, names with commas between; "" when none does);
    `difference_minor` is new less old in `currency_new`, null unless both sides are priced in one currency.
    """
    names = [name for name in REPLAYED if name != "shipment_id"]
    both = pl.concat(
        [
            old.select("shipment_id", *(pl.col(n).alias(_sided(n, "old")) for n in names)),
            new.select(pl.col(n).alias(_sided(n, "new")) for n in names),
        ],
        how="horizontal",
    ).with_columns(at.alias("at"))
    differs = [
        pl.when(pl.col(_sided(n, "old")).ne_missing(pl.col(_sided(n, "new")))).then(
            pl.lit(n.removesuffix("_minor"))
        )
        for n in CHOICE
    ]
    same = pl.col("currency_old") == pl.col("currency_new")
    return both.with_columns(
        changed=pl.concat_str(differs, separator=", ", ignore_nulls=True),
        difference_minor=pl.when(same).then(pl.col("freight_new_minor") - pl.col("freight_old_minor")),
    )


def _sided(name: str, side: str) -> str:
    return f"{name.removesuffix('_minor')}_{side}_minor" if name.endswith("_minor") else f"{name}_{side}"


def summed(compared: pl.DataFrame) -> pl.DataFrame:
    """Add up a block by its outcomes (columns SUMS)."""
    marked = compared.with_columns(
        changed=pl.col("changed") != "",
        priced_old=pl.col("freight_old_minor").is_not_null(),
        priced_new=pl.col("freight_new_minor").is_not_null(),
        timed_old=pl.col("days_old").is_not_null(),
        timed_new=pl.col("days_new").is_not_null(),
        shipments=pl.lit(1, dtype=pl.Int64),
    )
    return added([marked.select(SUMS.names())])


def added(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Add up sums (columns SUMS), the outcomes in a stable order."""
    keys = [name for name in SUMS if name not in _COUNTED]
    whole = pl.concat([pl.DataFrame(schema=SUMS), *parts])
    return whole.group_by(keys).agg(pl.col(_COUNTED).sum()).select(SUMS.names()).sort(keys, nulls_last=True)
