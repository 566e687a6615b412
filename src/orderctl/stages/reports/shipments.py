"""Every shipment: what it holds, where it goes, with whom, for how much, and how far it has come."""

from __future__ import annotations

import polars as pl

from orderctl.stages.reports.grouping import Report
from orderctl.stages.reports.material import Material


def make(batch: Material) -> pl.DataFrame:
    """Give one row for each shipment (and currency of its goods), by its id. Nobody's name or street is in it."""
    known_by = ["shipment_id", "currency", "freight_currency"]
    first = ("courier", "service", "warehouse", "country", "province", "parcels", "numbers", "state", "codes")
    found = batch.lines.group_by(known_by).agg(
        *(pl.col(name).first() for name in first),
        platform=pl.col("platform").drop_nulls().unique().sort().str.join(" "),
        shop=pl.col("shop").drop_nulls().unique().sort().str.join(" "),
        orders=pl.col("order_id").drop_nulls().n_unique().cast(pl.Int64),
        pieces=pl.col("quantity").sum(),
        goods_minor=pl.when(pl.col("goods_minor").count() > 0).then(pl.col("goods_minor").sum()),
        freight_minor=pl.when(pl.col("freight_minor").count() > 0).then(pl.col("freight_minor").sum()),
        weight_g=pl.when(pl.col("weight_g").count() > 0).then(pl.col("weight_g").sum()),
    )
    blank = [pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in ("numbers", "codes")]
    return (
        found.with_columns(blank)
        .sort(known_by, nulls_last=True)
        .select(
            *(
                "shipment_id",
                "platform",
                "shop",
                "state",
                "country",
                "province",
                "warehouse",
                "courier",
                "service",
            ),
            *("numbers", "orders", "parcels", "pieces", "currency", "goods_minor"),
            *("freight_currency", "freight_minor", "weight_g", "codes"),
        )
    )


REPORT = Report("Shipments", make, ("shipment_id",))
