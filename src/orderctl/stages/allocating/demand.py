"""What shipments need of the stock, in groups that are never taken apart, and in what order they are served."""

from __future__ import annotations

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.identity import SEPARATOR
from orderctl.stages.merging.gift_lines import is_ours

OTHER_STAGES = pl.element().struct.field("stage") != "route"


def demands(shipments: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    """Give a row for every line that goes: [row, order_id, line_ref, group, gift, sku, quantity, weight_g].

    `group` counts from 0 in each shipment: a line, all parts of a bundle, or all of an order whose platform takes it
    only as a whole, or of which a part has left already. Gifts and services never travel alone. `sku` is null
    where nothing of a stock is needed: services, and what nobody knows the SKU of.
    """
    whole = shipments.select(
        "row",
        order=pl.col("orders").list.eval(
            pl.struct(
                pl.element().struct.field("order_id"),
                whole=~pl.element().struct.field("shop").is_in(sorted(facts.partial))
                | pl.element().struct.field("part").is_not_null(),
            )
        ),
    )
    heads = whole.explode("order", empty_as_null=False, keep_nulls=False).unnest("order")
    lines = (
        shipments.select("row", "lines")
        .explode("lines", empty_as_null=False, keep_nulls=False)
        .unnest("lines")
    )
    goes = lines.filter(pl.col("quantity") > 0).select(
        "row",
        "order_id",
        "line_ref",
        "quantity",
        ours=is_ours().fill_null(False),
        gift=pl.col("kind").is_in(["gift", "service"]).fill_null(False),
        sku=pl.when(pl.col("kind").ne_missing("service")).then("sku"),
        weight_g=pl.col("unit_weight_g") * pl.col("quantity"),
        unit=pl.coalesce("parent_line_ref", "line_ref"),
    )
    joined = goes.join(heads, on=["row", "order_id"], how="left", maintain_order="left")
    alone = pl.concat_str("order_id", "unit", separator=SEPARATOR)
    key = pl.when(pl.col("whole").fill_null(True) & ~pl.col("ours")).then("order_id").otherwise(alone)
    keyed = joined.with_columns(key=key, at=pl.int_range(pl.len()))
    first = keyed.with_columns(first=pl.col("at").min().over("row", "key"))
    numbered = first.with_columns(
        group=pl.col("first").rank("dense").over("row").cast(pl.Int64) - 1,
        gift=pl.col("gift").all().over("row", "key"),
    )
    return numbered.select("row", "order_id", "line_ref", "group", "gift", "sku", "quantity", "weight_g")


def may_split() -> pl.Expr:
    """True for shipments that could leave as several parcels from several places: nothing of them has begun."""
    parcel = pl.element().struct
    begun = pl.col("parcels").list.eval(parcel.field("number").is_not_null()).list.any()
    return (
        (pl.col("purpose") == "sale")
        & pl.col("collect_minor").is_null()  # the money at the door is asked for once
        & pl.col("insured_minor").is_null()
        & (pl.col("parcels").list.len() <= 1)
        & ~begun
        & (pl.col("printed").list.len() + pl.col("shipped").list.len() == 0)
        & pl.all_horizontal(pl.col(name).is_null() for name in ("length_mm", "width_mm", "height_mm"))
    )


def in_turn(shipments: pl.DataFrame, idle: pl.Expr) -> pl.DataFrame:
    """Give [row, turn]: who is served first, so that those who wait are those whom it hurts least.

    What may leave comes before what waits for something else (`idle`, or a problem of another stage); then the
    earlier promise, the greater value, the longer wait, the id.
    """
    severity = pl.element().struct.field("severity").is_in(["wait", "block"]) & OTHER_STAGES
    placed = pl.col("orders").list.eval(pl.element().struct.field("placed_at")).list.min()
    keys = shipments.select(
        "row",
        "ship_by",
        "shipment_id",
        later=idle | pl.col("problems").list.eval(severity).list.any(),
        value=-pl.col("total_minor").fill_null(0),
        placed=placed,
    )
    ranked = keys.sort("later", "ship_by", "value", "placed", "shipment_id", nulls_last=True)
    return ranked.select("row", turn=pl.int_range(pl.len(), dtype=pl.Int64))
