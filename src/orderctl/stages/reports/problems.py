"""What blocks and what waits, by code: how many shipments and orders it keeps, and one to look at."""

from __future__ import annotations

import polars as pl

from orderctl.stages.reports.grouping import Report
from orderctl.stages.reports.material import Material


def make(batch: Material) -> pl.DataFrame:
    """Give one row for each problem code, what blocks first, the most frequent first."""
    problem = pl.col("problems").struct
    rows = batch.shipments.select(
        "shipment_id",
        "problems",
        order_ids=pl.col("orders").list.eval(pl.element().struct.field("order_id")),
    )
    rows = rows.filter(pl.col("problems").list.len() > 0).explode("problems")
    found = rows.select(
        "shipment_id",
        "order_ids",
        code=problem.field("code"),
        severity=problem.field("severity"),
        stage=problem.field("stage"),
    ).filter(pl.col("severity").is_in(["block", "wait"]))
    counted = found.group_by("severity", "code", "stage").agg(
        shipments=pl.col("shipment_id").n_unique().cast(pl.Int64),
        orders=pl.col("order_ids").explode(empty_as_null=False).n_unique().cast(pl.Int64),
        example=pl.col("shipment_id").min(),
    )
    return counted.sort("severity", -pl.col("shipments"), "code", "stage").select(
        "severity", "code", "stage", "shipments", "orders", "example"
    )


REPORT = Report("What blocks and waits", make, ("severity", "code", "stage"))
