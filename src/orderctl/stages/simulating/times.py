"""The time a past shipment is judged at: its own, so that hours, weekdays and dates choose as they did that day.

Nothing here asks the clock. Every fact that depends on the time of routing is made for each row by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import polars as pl

from orderctl.model.instant import FORMAT
from orderctl.stages.conditions.facts import DTYPES, FACTS, Moment, facts_frame
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.sections.golden import SINCE

AT = "at"  # the column with the time of each row
_SOME = (None, "2001-02-03T04:05:06Z", "2010-11-15T13:14:15Z")  # alike in no unit of time, in no zone


def routed_at(shipments: pl.DataFrame, since: str) -> pl.Series:
    """Give the instant each shipment is judged at; null where nothing tells.

    Args:
        since: `paid` (when the last of its orders was paid, else placed), `placed`, `printed` (when its first
            document was printed, else as `paid`), or one instant (RFC 3339, UTC) for all.
    """
    if since not in SINCE:
        return pl.Series(AT, [since], dtype=pl.String).new_from_index(0, shipments.height)
    known = facts_frame(shipments, ["last_paid_at", "last_placed_at"], Moment(None, "UTC"))
    printed = shipments.select(
        printed=pl.col("printed").list.eval(pl.element().struct.field("at")).list.drop_nulls().list.min()
    )
    asked = {"paid": [], "placed": [], "printed": ["printed"]}[since]
    paid = [] if since == "placed" else ["last_paid_at"]
    return known.hstack(printed).select(pl.coalesce(*asked, *paid, "last_placed_at").alias(AT)).to_series()


def _clock(at: pl.Expr, zone: str) -> pl.Expr:
    return at.str.to_datetime(FORMAT, strict=False, time_unit="ms", time_zone="UTC").dt.convert_time_zone(
        zone
    )


def _hours_left(at: pl.Expr, zone: str) -> pl.Expr:
    left = _clock(pl.col("ship_by"), zone) - _clock(at, zone)
    return (left.dt.total_seconds() // 3600).cast(pl.Int64)


_OF_TIME: dict[str, Callable[[pl.Expr, str], pl.Expr]] = {
    "now": lambda at, _: at,
    "hour": lambda at, zone: _clock(at, zone).dt.hour().cast(pl.Int64),
    "minute_of_day": lambda at, zone: (
        _clock(at, zone).dt.hour().cast(pl.Int64) * 60 + _clock(at, zone).dt.minute()
    ),
    "weekday": lambda at, zone: _clock(at, zone).dt.weekday().cast(pl.Int64),
    "ship_by_hours_left": _hours_left,
}


def asks_time(name: str, zone: str) -> bool:
    """Tell whether a fact depends on the time of routing."""
    if name not in FACTS:  # the lines, whose facts know no time
        return False
    one, *others = (FACTS[name].read(Moment(now, zone)) for now in _SOME)
    return not all(one.meta.eq(other) for other in others)


def facts_at(shipments: pl.DataFrame, names: Iterable[str], at: pl.Series, zone: str) -> pl.DataFrame:
    """Give the facts frame of `shipments`, each row as at its own time `at`."""
    wanted = sorted(set(names))
    timed = [name for name in wanted if asks_time(name, zone)]
    table = facts_frame(shipments, [name for name in wanted if name not in timed], Moment(None, zone))
    source = shipments.with_columns(at.alias(AT))
    vectors = [
        _OF_TIME[n](pl.col(AT), zone).cast(DTYPES[FACTS[n].kind]).alias(n) for n in timed if n in _OF_TIME
    ]
    table = table.hstack(source.select(vectors)) if vectors else table
    others = [name for name in timed if name not in _OF_TIME]
    return table.hstack(_moment_by_moment(source, others, zone)) if others else table


def _moment_by_moment(source: pl.DataFrame, names: list[str], zone: str) -> pl.DataFrame:
    """Give facts that have no vector form, read once for each different time."""
    numbered = source.with_row_index("place")
    parts = [
        part.select("place", *(FACTS[name].read(Moment(now, zone)).alias(name) for name in names))
        for (now,), part in numbered.partition_by(AT, as_dict=True).items()
    ]
    return (
        pl.concat(parts).sort("place").drop("place")
        if parts
        else source.select(pl.lit(None, dtype=DTYPES[FACTS[name].kind]).alias(name) for name in names)
    )


def days(at: pl.Series, book: RuleBook) -> Iterator[tuple[Moment, pl.Series]]:
    """Divide rows by the day their tariffs and tables are read at: for each a moment of it and which rows; all once.

    Tariffs and tables know days, no hours. Where they name none, all rows go together.
    """
    zone = book.rules.timezone
    if not _knows_days(book):
        first = at.drop_nulls().min()
        yield (
            Moment(None if first is None else str(first), zone),
            pl.Series([True]).new_from_index(0, len(at)),
        )
        return
    day = pl.DataFrame({AT: at}).select(_clock(pl.col(AT), zone).dt.date()).to_series()
    for one in day.unique().sort().to_list() or [None]:
        rows = day.is_null() if one is None else (day == one).fill_null(False)
        yield Moment(at.filter(rows).min() if one else None, zone), rows  # type: ignore[arg-type]


def _knows_days(book: RuleBook) -> bool:
    tables = [table for table in vars(book.tables).values() if isinstance(table, pl.DataFrame)]
    limited = any(
        table[name].count() for table in tables for name in ("from", "until") if name in table.columns
    )
    dated = [*book.rules.tariffs, *book.rules.limits]
    return limited or _dated([entry.model_dump(mode="json") for entry in dated])


def _dated(value: object) -> bool:
    """Tell whether a day or an instant stands somewhere in plain data."""
    if isinstance(value, dict):
        return any(_dated(inner) for inner in value.values())
    if isinstance(value, list):
        return any(_dated(inner) for inner in value)
    return isinstance(value, str) and len(value) >= 10 and value[:4].isdecimal() and value[4:8:3] == "--"
