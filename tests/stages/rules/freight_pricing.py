"""Shipments priced by the columns under test, from tariffs as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from orderctl.stages.conditions.facts import Moment
from orderctl.stages.freight.book import PriceBook
from orderctl.stages.freight.pricing import PARCEL, price_parcels
from orderctl.stages.rules.sections.tariffs import Tariff
from tests.stages.rules.freight_cases import DAYS, TIMES

_TEXTS = [
    "courier",
    "service",
    "warehouse",
    "tariff_id",
    "district",
    "city",
    "province",
    "country",
    "currency",
]
ROW = pl.Schema(
    {**dict.fromkeys(_TEXTS, pl.String()), "insured_minor": pl.Int64(), "collect_minor": pl.Int64()}
)


def moment(local: tuple[str, str] | None) -> Moment:
    """Give what is (day, time) on the wall clock of Shanghai."""
    if local is None:
        return Moment(None, "Asia/Shanghai")
    utc = datetime.fromisoformat(f"{local[0]}T{local[1]}:00") - timedelta(hours=8)
    return Moment(f"{utc.isoformat()}Z", "Asia/Shanghai")


MOMENTS = {local: moment(local) for local in (None, *((day, time) for day in DAYS for time in TIMES))}


def placed(book: PriceBook, rows: Sequence[Mapping[str, Any]], at: Moment) -> pl.DataFrame:
    """Find tariff and zone of `rows`."""
    table = pl.DataFrame([{k: v for k, v in row.items() if k != "parcels"} for row in rows], schema=ROW)
    return book.placed(table.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64)), at)


def priced(
    tariffs: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], at: Moment
) -> list[int | None]:
    """Price `rows`, which have the columns ROW and `parcels`; None where there is no price."""
    parcels = pl.DataFrame(
        [{"row": n, **p} for n, row in enumerate(rows) for p in row["parcels"]], schema=PARCEL
    )
    book = PriceBook([Tariff.model_validate(t) for t in tariffs])
    found = price_parcels(placed(book, rows, at), parcels, book, at)
    total = pl.when(pl.col("freight_minor").is_not_null().all()).then(pl.col("freight_minor").sum())
    sums = dict(found.group_by("row").agg(total).iter_rows())
    return [sums.get(n) for n in range(len(rows))]
