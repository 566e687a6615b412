"""What was decided for a shipment when it began to act, kept for every later run.

Once a waybill is bought, the reasons for it are history: they are shown as they were then, whatever the rules say
now. So a repeated run gives the same bytes, and "why this courier?" keeps its answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.schema import SHIPMENT

STAGES = ("merge", "route")
_KEPT = (
    "merge",
    "decision",
    "template",
    "freight_minor",
    "freight_currency",
    "wave",
    "sequence",
    "cards",
    "problems",
)
_TRAIL = pl.Struct({name: SHIPMENT[name] for name in _KEPT})
_HISTORY = {"merge": ("merge_suggested",)}  # what else `merge` finds is about now, and stays


def write_trail(row: Mapping[str, Any]) -> str:
    """Give what is to be kept of a shipment row, as JSON text."""
    kept = {name: row[name] for name in _KEPT}
    kept["problems"] = [p for p in row["problems"] if p["stage"] in STAGES]
    kept["skus"] = [
        [x["order_id"], x["line_ref"], x["sku"]] for x in row["lines"] if x["sku"] and x["quantity"]
    ]
    return json.dumps(kept, ensure_ascii=False)


def trails(facts: Facts) -> pl.DataFrame:
    """Give what is kept of what was decided for committed shipments: `shipment_id` and the struct `trail`."""
    kept = facts.commitments.filter(pl.col("trail").is_not_null()).unique("shipment_id", keep="first")
    return kept.select("shipment_id", pl.col("trail").str.json_decode(_TRAIL))


def restore(shipments: pl.DataFrame, facts: Facts, stage: str, names: Sequence[str]) -> pl.DataFrame:
    """Give committed shipments the columns `names` and the problems of `stage` as they were when they were bound."""
    held = trails(facts)
    if held.is_empty() or shipments.is_empty():
        return shipments
    joined = shipments.join(held, on="shipment_id", how="left", maintain_order="left")
    kept, was = pl.col("trail").is_not_null(), pl.col("trail").struct
    element = pl.element().struct
    codes = _HISTORY.get(stage)
    of_stage = element.field("stage") == stage
    old = of_stage & element.field("code").is_in(codes) if codes else of_stage
    problems = pl.concat_list(pl.col("problems").list.filter(~old), was.field("problems").list.filter(old))
    return joined.with_columns(
        *(pl.when(kept).then(_then(was.field(name), name)).otherwise(name).alias(name) for name in names),
        pl.when(kept).then(problems).otherwise("problems").alias("problems"),
    ).drop("trail")


def _then(value: pl.Expr, name: str) -> pl.Expr:
    """Give a kept `value`; a list that was not kept yet when the shipment was bound is empty."""
    dtype = SHIPMENT[name]
    return value.fill_null(pl.lit([], dtype=dtype)) if isinstance(dtype, pl.List) else value
