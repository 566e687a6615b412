"""Every order: what it is worth, with whom it travels under which numbers, and how far it has come."""

from __future__ import annotations

import polars as pl

from orderctl.stages.reports.grouping import Report
from orderctl.stages.reports.material import Material


def make(batch: Material) -> pl.DataFrame:
    """Give one row for each order, by its id; one that is split names all its couriers and numbers."""
    known_by = ["order_id", "currency", "freight_currency"]
    rows = batch.lines.filter(pl.col("order_id").is_not_null())
    first = ("platform", "shop", "status", "placed_at", "paid_at", "ship_by", "total_minor")
    found = rows.group_by(known_by).agg(
        *(pl.col(name).first() for name in first),
        shipments=pl.col("shipment_id").n_unique().cast(pl.Int64),
        pieces=pl.col("quantity").sum(),
        goods_minor=_sum("goods_minor"),
        freight_minor=_sum("freight_minor"),
        weight_g=_sum("weight_g"),
        couriers=_each("courier"),
        numbers=_each("numbers"),
        state=pl.col("state").unique().sort().str.join(" "),
        codes=_each("codes"),
    )
    return found.sort(known_by, nulls_last=True).select(
        *("order_id", "platform", "shop", "status", "state", "placed_at", "paid_at", "ship_by"),
        *("currency", "total_minor", "goods_minor", "pieces", "shipments", "couriers", "numbers"),
        *("freight_currency", "freight_minor", "weight_g", "codes"),
    )


def _sum(name: str) -> pl.Expr:
    return pl.when(pl.col(name).count() > 0).then(pl.col(name).sum())


def _each(name: str) -> pl.Expr:
    text = pl.col(name).drop_nulls().unique().sort().str.join(" ").str.strip_chars()
    return pl.when(text != "").then(text)


REPORT = Report("Orders", make, ("order_id",))
