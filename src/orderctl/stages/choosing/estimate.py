"""The freight of rows whose warehouse, courier and service are known: the tariff that fits, and what it comes to."""

from __future__ import annotations

import polars as pl

from orderctl.stages.conditions.facts import Moment
from orderctl.stages.freight.pricing import price_parcels
from orderctl.stages.rules.book import RuleBook

FACTS = ("district", "city", "province", "country", "currency", "insured_minor", "collect_minor")
"""The facts a price is worked out with."""
PRICED = pl.Schema(
    {
        "row": pl.Int64(),
        "tariff": pl.Int32(),
        "zone": pl.Int32(),
        "zone_id": pl.String(),
        "freight_currency": pl.String(),
        "billed_g": pl.Int64(),
        "parcel_count": pl.Int64(),
        "freight_minor": pl.Int64(),
    }
)


def parcel_prices(
    rows: pl.DataFrame, facts: pl.DataFrame, parcels: pl.DataFrame, book: RuleBook, moment: Moment
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give (rows with `tariff` and `zone`, priced parcels) for rows whose warehouse, courier and service are chosen."""
    prices = book.prices
    found = rows.select("row", "warehouse", "courier", "service", "tariff_id")
    found = found.join(facts.select("row", *FACTS), on="row", maintain_order="left")
    found = prices.placed(found, moment)
    return found, price_parcels(found, parcels, prices, moment)


def priced(
    rows: pl.DataFrame, facts: pl.DataFrame, parcels: pl.DataFrame, book: RuleBook, moment: Moment
) -> pl.DataFrame:
    """Give what each of `rows` costs (columns PRICED); `freight_minor` is null unless all its parcels have a price."""
    if not rows.height:
        return pl.DataFrame(schema=PRICED)
    found, each = parcel_prices(rows, facts, parcels, book, moment)
    divisor = pl.col("divisor")
    price = pl.when(pl.col("freight_minor").is_not_null().all()).then(pl.col("freight_minor").sum())
    totals = each.group_by("row").agg(
        zone_id=pl.col("zone_id").first(),
        freight_currency=pl.col("currency_of_tariff").first(),
        billed_g=((pl.col("billed") + divisor - 1) // divisor).sum().cast(pl.Int64),
        parcel_count=pl.len().cast(pl.Int64),
        freight_minor=price,
    )
    found = found.select("row", "tariff", "zone").join(totals, on="row", how="left", maintain_order="left")
    return found.select(PRICED.names())
