"""By state: how far the shipments have come; every shipment stands at exactly one place."""

from __future__ import annotations

import polars as pl

from orderctl.stages.reports.grouping import Report, share
from orderctl.stages.reports.material import Material

STATES = ("shipped", "printed", "ready", "waiting", "blocked", "empty")


def make(batch: Material) -> pl.DataFrame:
    """Give one row for each state, also those without shipments, in the order of the work: from done to stuck."""
    found = batch.lines.group_by("state").agg(
        orders=pl.col("order_id").drop_nulls().n_unique().cast(pl.Int64),
        shipments=pl.col("shipment_id").n_unique().cast(pl.Int64),
        pieces=pl.col("quantity").sum(),
    )
    every = pl.DataFrame({"state": STATES}).join(found, on="state", how="left", maintain_order="left")
    return every.with_columns(pl.col("orders", "shipments", "pieces").fill_null(0)).with_columns(
        share_permille=share(pl.col("shipments"))
    )


REPORT = Report("By state", make, ("state",))
