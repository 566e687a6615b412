"""By product: what is sold, by our SKU; a line without one is known by the seller's code, else by its title."""

from __future__ import annotations

import polars as pl

from orderctl.stages.reports.grouping import Report, grouped
from orderctl.stages.reports.material import Material


def make(batch: Material) -> pl.DataFrame:
    """Give one row for each product; shipments that carry nothing are left out, for they have no product."""
    lines = batch.lines.filter(pl.col("quantity") > 0)
    name = pl.concat_str("title", "spec", separator=" ", ignore_nulls=True)
    other = pl.when(pl.col("sku").is_null()).then(
        pl.coalesce("merchant_code", "platform_sku", pl.when(name != "").then(name))
    )
    known = lines.with_columns(product=pl.when(name != "").then(name), code=other)
    return grouped(known, ("sku", "code"), share_of="pieces", extra=(pl.col("product").min(),))


REPORT = Report("By product", make, ("sku", "code"), charts=("pieces", "goods_minor"))
