"""Which warehouses may serve which shipment, and what each would cost: found by really deciding, warehouse by warehouse.

Invariant: an offer's courier and freight are those that `choose` gives once the warehouse is settled.
"""

from __future__ import annotations

import polars as pl

from orderctl.stages.choosing.choose import choose, judge
from orderctl.stages.choosing.tagging import tagged
from orderctl.stages.choosing.timetable import expected
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.rules.book import RuleBook

OFFERS = pl.Schema(
    {
        "row": pl.Int64(),
        "place": pl.Int64(),
        "warehouse": pl.String(),
        "split": pl.Boolean(),
        "courier": pl.String(),
        "freight_minor": pl.Int64(),
        "freight_currency": pl.String(),
        "hold": pl.String(),
        "reached": pl.Boolean(),
        "days": pl.Int64(),
    }
)
_UNREACHED = ("no_match", "not_served")


def ruled(table: pl.DataFrame, bound: pl.DataFrame, book: RuleBook) -> pl.DataFrame:
    """Give [row, warehouse_fired, warehouse_rule, warehouse_doubt, warehouse_lacks] of rows without a warehouse yet."""
    free = table.join(bound.filter(pl.col("warehouse").is_not_null()), on="row", how="anti")
    return judge(tagged(free, book.rules.tags)[0], book.rules.warehouses, "warehouse")


def candidates(by_rule: pl.DataFrame, bound: pl.DataFrame, book: RuleBook) -> pl.DataFrame:
    """Give [row, place, warehouse, split]: the warehouses of the rule of each row, the preferred first.

    A person's pin is the only one of its row; what is committed has left the stock already and is not asked.
    """
    written = [
        (number, place, name, rule.split)
        for number, rule in enumerate(book.rules.warehouses)
        for place, name in enumerate(rule.candidates)
    ]
    schema = {
        "warehouse_fired": pl.Int32(), "place": pl.Int64(), "warehouse": pl.String(), "split": pl.Boolean()
    }  # fmt: skip
    table = pl.DataFrame(written, schema=schema, orient="row")
    of_rules = (
        by_rule.select("row", "warehouse_fired").join(table, on="warehouse_fired").drop("warehouse_fired")
    )
    pinned = bound.filter(pl.col("warehouse_how") == "pinned").select(
        "row", "warehouse", place=pl.lit(0, dtype=pl.Int64), split=pl.lit(False)
    )
    return pl.concat([of_rules, pinned.select(of_rules.columns)]).sort("row", "place")


def offered(
    asked: pl.DataFrame,
    table: pl.DataFrame,
    bound: pl.DataFrame,
    parcels: pl.DataFrame,
    book: RuleBook,
    moment: Moment,
) -> pl.DataFrame:
    """Decide every row from each of its candidates: columns OFFERS, in the order of `asked`.

    `reached` is false where no courier takes it from there; `days` until delivery (hundredths) are told where they count.

    Args:
        asked: as `candidates` gives it.
        table: the facts frame, `row` counting from 0, with what `expected` looks at.
        bound: columns BOUND; couriers that are bound stay so.
        parcels: columns PARCEL.
    """
    numbered = asked.with_row_index("offer").cast({"offer": pl.Int64()})
    many = table[numbered["row"]].with_columns(numbered["offer"].alias("row"))
    joined = numbered.select("offer", "row", "warehouse").join(
        bound.drop("warehouse", "warehouse_how"), on="row", how="left", maintain_order="left"
    )
    settled = joined.with_columns(row="offer", warehouse_how=pl.lit("allocated")).select(bound.columns)
    boxes = numbered.select("offer", "row").join(parcels, on="row", maintain_order="left_right")
    boxes = boxes.with_columns(row="offer").select(parcels.columns)
    chosen = choose(many, settled, boxes, book, moment)
    refused = (pl.col("courier_reason") == "pinned") & pl.col("courier_refused").is_not_null()
    found = chosen.select(
        "courier",
        "freight_minor",
        "freight_currency",
        "hold",
        reached=~(pl.col("courier_reason").is_in(_UNREACHED) | refused).fill_null(False),
    )
    days = pl.Series("days", [None] * asked.height, dtype=pl.Int64)
    if book.rules.allocation.day_cost:
        days = expected(chosen, many, book, moment).rename("days")
    return asked.hstack(found).with_columns(days).select(OFFERS.names())
