"""What articles cost, exactly: whole minor units of a currency, beside the catalogue."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from orderctl.model.errors import ConfigError
from orderctl.model.money import exponent_of, minor
from orderctl.model.text import Text
from orderctl.stages.rules.sections.skus import CatalogueItem

COSTS = pl.Schema({"sku": pl.String(), "cost_of_one": pl.Int64(), "cost_currency": pl.String()})
CURRENCY = "CNY"


def costs_frame(items: Sequence[CatalogueItem]) -> pl.DataFrame:
    """Give what the articles of the rules cost as a table with the columns COSTS; those without a cost are left out."""
    rows = [
        (item.sku, int(item.cost.scaleb(exponent_of(item.currency))), item.currency)
        for item in items
        if item.cost is not None
    ]
    return pl.DataFrame(rows, COSTS, orient="row")


def parse_costs(table: pl.DataFrame, source: str) -> pl.DataFrame:
    """Read the columns `cost` and `currency` (CNY where empty) of a catalogue's table of texts as COSTS.

    Raises: ConfigError if a cost is no amount of its currency.
    """
    if "cost" not in table.columns:
        return pl.DataFrame(schema=COSTS)
    texts = table.select(
        pl.col(name).cast(pl.String).str.strip_chars()
        for name in table.columns
        if name in ("sku", "cost", "currency")
    )
    if "currency" not in texts.columns:
        texts = texts.with_columns(currency=pl.lit(None, dtype=pl.String))
    currency = pl.when(pl.col("currency") != "").then("currency").fill_null(CURRENCY)
    rows = texts.filter(pl.col("cost").is_not_null() & (pl.col("cost") != "")).with_columns(currency=currency)
    read = rows.select(
        "sku", "cost", cost_of_one=minor(pl.col("cost"), pl.col("currency")), cost_currency="currency"
    )
    wrong = pl.col("cost_of_one").is_null() | (pl.col("cost_of_one") < 0)
    for cost, code in read.filter(wrong).select("cost", "cost_currency").iter_rows():
        raise ConfigError(
            Text("{source}: {cost} is no amount of {currency}", source=source, cost=cost, currency=code)
        )
    return read.select(COSTS.names())


def with_costs(lines: pl.DataFrame, costs: pl.DataFrame) -> pl.DataFrame:
    """Add `cost_minor`: what the pieces of a line cost in the order's `currency`; null where that is not known."""
    if costs.is_empty():
        return lines.with_columns(cost_minor=pl.lit(None, dtype=pl.Int64))
    both = lines.join(costs, on="sku", how="left", maintain_order="left")
    whole = pl.when(pl.col("cost_currency") == pl.col("currency")).then(
        pl.col("cost_of_one") * pl.col("quantity")
    )
    return both.with_columns(cost_minor=whole).drop("cost_of_one", "cost_currency")
