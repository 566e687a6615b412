"""Entries of days and risk, written or from tables, as a frame: days in hundredths, shares in millionths."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from orderctl.stages.conditions.facts import comparable
from orderctl.stages.freight.book import scaled
from orderctl.stages.rules.sections.timetable import WHERE, Performance, Transit

DAY = 100  # days are counted in hundredths
SHARE = 1_000_000  # shares are counted in millionths
TIMES = pl.Schema(
    {
        "place": pl.String(),
        **dict.fromkeys(("courier", *WHERE, "from", "until"), pl.String()),
        **dict.fromkeys(("days", "exception", "parcels"), pl.Int64()),
    }
)


def times_frame(rows: Iterable[tuple[str, Transit | Performance]]) -> pl.DataFrame:
    """Give entries (with the place each stands at) as columns TIMES, names of places in comparable form."""
    plain = []
    for place, entry in rows:
        told = {**dict.fromkeys(TIMES), "place": place, **entry.values()}
        plain.append(
            {**told, "days": scaled(told["days"], DAY), "exception": scaled(told["exception"], SHARE // 100)}
        )
    found = pl.DataFrame(plain, schema=TIMES)
    return found.with_columns(place_in_one_form("province"), place_in_one_form("city"))


def place_in_one_form(name: str) -> pl.Expr:
    """Give the column `name`, a province or city, in the form in which names of places are compared."""
    return comparable(pl.col(name), "province" if name == "province" else "city").alias(name)
