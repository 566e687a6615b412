"""What is wrong with shipments: the problems of their orders, and those that only show when orders come together."""

from __future__ import annotations

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.problem import listed, problem
from orderctl.model.schema import PARAMS

STAGE = "merge"
_PLACE = ["shipment_id", "order_id"]
_SUGGESTION = {"shipment": pl.col("other"), "score": pl.col("score"), "evidence": pl.col("evidence")}


def with_problems(
    shipments: pl.DataFrame,
    placed: pl.DataFrame,
    beyond: pl.DataFrame,
    suggestions: pl.DataFrame,
    facts: Facts,
) -> pl.DataFrame:
    """Give `shipments` with their `problems`, those of an order with its `order_id` as a parameter.

    Args:
        shipments: as `assembled` gives them.
        placed: as `placements` gives it.
        beyond: `order_id` of orders of which more is committed than may be shipped.
        suggestions: as `suggested` gives them.
        facts: its commitments tell what else is bound to a shipment.
    """
    absent = (
        facts.commitments.filter(pl.col("quantity") > 0)
        .select(_PLACE)
        .unique()
        .join(placed.select("shipment_id").unique(), on="shipment_id", how="semi")
        .join(placed.select("order_id").unique(), on="order_id", how="anti")
    )
    over = placed.select(_PLACE).join(beyond, on="order_id", how="semi")
    has_lines = pl.col("lines").list.len() > 0
    packed = pl.col("parcels").list.first().struct.field("lines").list.len() > 0
    nothing = shipments.filter(has_lines & ~packed)
    found = [
        _of_orders(placed),
        _found(nothing, "nothing_to_ship"),
        _found(_listed(absent), "committed_elsewhere", orders=pl.col("orders")),
        _found(_listed(over), "committed_beyond", orders=pl.col("orders")),
        _found(suggestions, "merge_suggested", **_SUGGESTION),
    ]
    problems = pl.concat(found).group_by("shipment_id", maintain_order=True).agg(problems="problem")
    joined = shipments.drop("problems").join(problems, on="shipment_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col("problems").fill_null([]))


def with_suggestions(shipments: pl.DataFrame, suggestions: pl.DataFrame) -> pl.DataFrame:
    """Give `shipments` with `merge.with`, and `merge.how` "suggested" where a single one has others beside it."""
    others = suggestions.group_by("shipment_id", maintain_order=True).agg(others="other")
    joined = shipments.join(others, on="shipment_id", how="left", maintain_order="left")
    how = pl.col("merge").struct.field("how")
    beside = pl.col("others").is_not_null() & (how == "single")
    return joined.with_columns(
        pl.col("merge").struct.with_fields(
            pl.when(beside).then(pl.lit("suggested")).otherwise(how).alias("how"),
            pl.col("others").fill_null([]).alias("with"),
        )
    ).drop("others")


def _of_orders(placed: pl.DataFrame) -> pl.DataFrame:
    """Give the problems of the orders, except those that are said of the shipment itself."""
    each = (
        placed.filter(pl.col("problems").list.len() > 0)
        .select(*_PLACE, problem="problems")
        .explode("problem")
    )
    about = pl.col("problem").struct
    each = each.filter((about.field("code") != "nothing_to_ship") & (about.field("stage") != STAGE))
    named = listed([pl.struct(name=pl.lit("order_id"), value="order_id")]).cast(PARAMS)
    params = pl.concat_list(about.field("params"), named)
    return each.select("shipment_id", about.with_fields(params.alias("params")))


def _listed(places: pl.DataFrame) -> pl.DataFrame:
    orders = pl.col("order_id").unique().sort().str.join(", ")
    return places.group_by("shipment_id").agg(orders=orders).sort("shipment_id")


def _found(where: pl.DataFrame, code: str, **params: pl.Expr | str) -> pl.DataFrame:
    return where.select("shipment_id", problem=problem(code, stage=STAGE, field=None, **params))
