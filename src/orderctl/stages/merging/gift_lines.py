"""Gifts as lines of shipments: packed, picked, weighed and printed like any line, and never told to a platform.

A line of ours is named `gift:RULE:SKU`, belongs to the first order of its shipment that sends anything, and costs
nothing. It is no line of its order: taking a shipment apart leaves it behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from orderctl.model.schema import SHIPMENT

OURS = "gift:"
RULE, SKU = r"^gift:([^:]*):", r"^gift:[^:]*:(.+)$"
GIVEN = pl.Schema(
    {"shipment_id": pl.String(), "order_id": pl.String(), "line_ref": pl.String(), "sku": pl.String(), "quantity": pl.Int64()}
)  # fmt: skip
"""Gifts to be packed; `order_id` is null where the first order that sends anything is meant."""
_LINES = SHIPMENT["lines"]
assert isinstance(_LINES, pl.List)


def is_ours() -> pl.Expr:
    """True for a line (columns of a line) that is a gift of ours, not one the platform gave."""
    return (pl.col("kind") == "gift") & pl.col("line_ref").str.starts_with(OURS)


def is_our_gift(line: Mapping[str, Any]) -> bool:
    """Say whether `line`, a plain record, is a gift of ours, not one the platform gave."""
    return line["kind"] == "gift" and str(line["line_ref"]).startswith(OURS)


def line_ref(rule: pl.Expr, sku: pl.Expr) -> pl.Expr:
    """Name the line by which `rule` gives `sku`."""
    return pl.concat_str(pl.lit(OURS), rule, pl.lit(":"), sku)


def with_gift_lines(shipments: pl.DataFrame, given: pl.DataFrame, articles: pl.DataFrame) -> pl.DataFrame:
    """Give `shipments` (of one parcel each) with the lines of their gifts and with what these weigh.

    Args:
        given: columns GIVEN.
        articles: the catalogue, for names, weights and traits; what it does not know has no weight.
    """
    if given.is_empty():
        return shipments
    first = pl.col("parcels").list.first().struct
    heads = shipments.select("shipment_id", first=first.field("lines").list.first().struct.field("order_id"))
    found = (
        given.sort("shipment_id", "line_ref")
        .join(heads, on="shipment_id", maintain_order="left")
        .join(_known(articles), on="sku", how="left", maintain_order="left")
    )
    lines = found.select(
        "shipment_id",
        "line_ref",
        "sku",
        *(pl.col(n) for n in ("hs_code", "origin", "customs_name", "unit_weight_g")),
        order_id=pl.coalesce("order_id", "first"),
        title=pl.coalesce("title", "sku"),
        goods_traits=pl.col("goods_traits").fill_null([]),
        **{n: pl.col("quantity") for n in ("quantity", "quantity_ordered", "quantity_to_ship")},
        **{
            n: pl.lit(0, dtype=pl.Int64)
            for n in ("quantity_refunded", "quantity_shipped", "unit_price_minor", "paid_minor")
        },
        kind=pl.lit("gift"),
        refund=pl.lit("none"),
    )
    return _packed(shipments, lines.select("shipment_id", "unit_weight_g", item=_struct(lines)))


def _known(articles: pl.DataFrame) -> pl.DataFrame:
    return articles.select(
        "sku",
        "hs_code",
        "origin",
        "customs_name",
        title="name",
        unit_weight_g="weight_g",
        goods_traits="traits",
    )


def _struct(lines: pl.DataFrame) -> pl.Expr:
    assert isinstance(_LINES, pl.List)
    assert isinstance(_LINES.inner, pl.Struct)
    have = set(lines.columns)
    return pl.struct(
        (pl.col(f.name) if f.name in have else pl.lit(None)).cast(f.dtype).alias(f.name)
        for f in _LINES.inner.fields
    )


def _packed(shipments: pl.DataFrame, gifts: pl.DataFrame) -> pl.DataFrame:
    """Put `gifts` (`shipment_id unit_weight_g item`, a row for each line) into the lines and the parcel of their rows.

    polars joins lists of structs row by row; taken apart, stacked and gathered again the same costs a hundredth.
    """
    some = shipments.join(gifts, on="shipment_id", how="semi", maintain_order="left")
    first = pl.col("parcels").list.first().struct
    lines = some.select("shipment_id", item="lines").explode("item")
    packed = some.select("shipment_id", item=first.field("lines")).explode("item")
    line = pl.col("item").struct
    ours = pl.struct(line.field("order_id"), line.field("line_ref"), line.field("quantity"))
    weight = pl.col("unit_weight_g") * line.field("quantity")
    weighing = gifts.group_by("shipment_id").agg(weighing=pl.when(~weight.is_null().any()).then(weight.sum()))
    found = (
        some.select("shipment_id", "weight_g", parcel=pl.col("parcels").list.first())
        .join(_gathered(lines, gifts.select("shipment_id", "item"), "lines"), on="shipment_id")
        .join(_gathered(packed, gifts.select("shipment_id", item=ours), "packed"), on="shipment_id")
        .join(weighing, on="shipment_id")
    )
    parcel = pl.col("parcel").struct
    parcels = found.select(
        "shipment_id",
        item=parcel.with_fields(
            pl.col("packed").alias("lines"), (parcel.field("weight_g") + pl.col("weighing")).alias("weight_g")
        ),
    )
    whole = found.select("shipment_id", "lines", weight_g=pl.col("weight_g") + pl.col("weighing"))
    whole = whole.join(_gathered(parcels.clear(), parcels, "parcels"), on="shipment_id")
    full = some.drop("lines", "weight_g", "parcels").join(whole, on="shipment_id")
    plain = shipments.join(gifts, on="shipment_id", how="anti")
    both = pl.concat([plain, full.select(plain.columns).cast(plain.schema)], rechunk=True)
    return shipments.select("shipment_id").join(both, on="shipment_id", maintain_order="left")


def _gathered(before: pl.DataFrame, more: pl.DataFrame, name: str) -> pl.DataFrame:
    """Give the `item`s of both for each shipment as a list `name`."""
    stacked = pl.concat([before, more.cast(before.schema)])
    return stacked.group_by("shipment_id", maintain_order=True).agg(pl.col("item").alias(name))


def without_gifts(shipments: pl.DataFrame) -> pl.DataFrame:
    """Give `shipments` with lines and weight as they are without gifts of ours; their parcels are left as they are."""
    line = pl.element().struct
    ours = (line.field("kind") == "gift") & line.field("line_ref").str.starts_with(OURS)
    weighing = (line.field("unit_weight_g") * line.field("quantity")).filter(line.field("quantity") > 0)
    plain = shipments.with_columns(pl.col("lines").list.filter(~ours))
    weights = pl.col("lines").list.eval(weighing)
    unknown = weights.list.eval(pl.element().is_null()).list.any()
    gifted = plain["lines"].list.len() != shipments["lines"].list.len()
    return plain.with_columns(
        weight_g=pl.when(gifted).then(pl.when(~unknown).then(weights.list.sum())).otherwise("weight_g")
    )
