"""How long a courier takes and how often something goes wrong: promised, measured, and what the hour of day adds.

Whole numbers throughout: days count in hundredths, shares in millionths. Of several entries the one that names most
of a journey holds; of equal ones the last measured or begun, then the first written. What is measured of enough
parcels goes before what is promised.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from orderctl.stages.conditions.facts import Moment
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.sections.couriers import Rank
from orderctl.stages.rules.sections.timetable import WHERE, Limit
from orderctl.stages.rules.times import DAY, place_in_one_form

JOURNEY = ("courier", "service", "warehouse", "province", "city")
CLOCK = ("minute_of_day", "weekday")
"""The facts that a cut-off is told by."""


def held(entries: pl.DataFrame, moment: Moment) -> pl.DataFrame:
    """Leave the entries that hold on the day of `moment`; without a moment those that hold always or were measured."""
    if moment.local is None:
        measured = pl.col("parcels").is_not_null() if "parcels" in entries.columns else pl.lit(False)
        return entries.filter(measured | (pl.col("from").is_null() & pl.col("until").is_null()))
    day = moment.local.date().isoformat()
    begun = pl.col("from").is_null() | (pl.col("from") <= day)
    return entries.filter(begun & (pl.col("until").is_null() | (pl.col("until") >= day)))


def most_told(keys: pl.DataFrame, entries: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Give for each of `keys` (key, courier, `names`) the entry that says most about it, as [key, entry, ...].

    An entry fits when all that it names agrees. `names` are in order of weight: an entry that names the first goes
    before any that does not.
    """
    numbered = entries.with_row_index("entry")
    filled = [pl.col(name).is_not_null().cast(pl.Int32) * 2**n for n, name in enumerate(reversed(names))]
    numbered = numbered.with_columns(weight=pl.sum_horizontal(filled))
    empty = keys.head(0).select("key").join(numbered.drop("courier", *names), how="cross")
    found = [empty]
    for part in numbered.partition_by("weight", maintain_order=True):
        named = ["courier", *(name for name in names if part[name][0] is not None)]
        told = part.drop(name for name in names if name not in named)
        found.append(keys.select("key", *named).join(told, on=named).select(empty.columns))
    order = ["key", "weight", "from", "entry"]
    whole = pl.concat(found).sort(order, descending=[False, True, True, False], nulls_last=True)
    return whole.unique("key", keep="first", maintain_order=True).drop("weight")


def with_times(tries: pl.DataFrame, book: RuleBook, moment: Moment) -> pl.DataFrame:
    """Add `days` (hundredths, from being collected), `days_how` (measured or promised), `exception` (millionths).

    Each is null where nothing tells it.

    Args:
        tries: columns JOURNEY, and `enough`: from how many parcels on what was measured counts.
    """
    on = [*JOURNEY, "enough"]
    keys = tries.select(on).unique(maintain_order=True).with_row_index("key")
    asked = keys.with_columns(place_in_one_form("province"), place_in_one_form("city"))
    measured = held(book.tables.performance, moment)

    def of(what: str, name: str) -> pl.DataFrame:
        told = measured.filter(pl.col(what).is_not_null())
        parts = [
            most_told(
                asked.filter(pl.col("enough") == enough), told.filter(pl.col("parcels") >= enough), WHERE
            )
            for enough in asked["enough"].unique().sort().to_list()
        ]
        return (
            pl.concat(parts).select("key", pl.col(what).alias(name))
            if parts
            else pl.DataFrame(schema={"key": pl.UInt32, name: pl.Int64})
        )

    promised = most_told(asked, held(book.tables.transit, moment), WHERE).select("key", promised="days")
    found = keys
    for part in (of("days", "measured"), promised, of("exception", "exception")):
        found = found.join(part, on="key", how="left", maintain_order="left")
    how = pl.when(pl.col("measured").is_not_null()).then(pl.lit("measured"))
    found = found.with_columns(
        days=pl.coalesce("measured", "promised"),
        days_how=how.when(pl.col("promised").is_not_null()).then(pl.lit("promised")),
    )
    return tries.join(
        found.select(*on, "days", "days_how", "exception"),
        on=on,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )


def facts_for(book: RuleBook) -> set[str]:
    """Give the names of the facts that `expected` looks at."""
    clock = CLOCK if any(limit.cut_off or limit.closed for limit in book.rules.limits) else ()
    return {"province", "city", *clock}


def expected(chosen: pl.DataFrame, facts: pl.DataFrame, book: RuleBook, moment: Moment) -> pl.Series:
    """Give the days until delivery of what is chosen, in hundredths, those until it is collected among them.

    Null where there is no courier, or nothing tells.

    Args:
        chosen: courier, service, account, warehouse.
        facts: those of `facts_for(book)`, rows as in `chosen`.
    """
    enough = Rank().enough_parcels
    known = [name for name in ("province", "city", *CLOCK) if name in facts.columns]
    rows = chosen.select("courier", "service", "account", "warehouse").hstack(facts.select(known))
    rows = rows.with_columns(enough=pl.lit(enough, dtype=pl.Int64))
    rows = with_waits(
        with_limit(with_times(rows, book, moment), book.rules.limits, moment), book.rules.limits
    )
    return rows.select((pl.col("days") + pl.col("waits") * DAY).alias("days")).to_series()


# ------------------------------------------------------------------------------------------------ limits

LIMITS = pl.Schema(
    {
        "limit": pl.Int32(),
        **dict.fromkeys(("courier", "account", "warehouse", "from", "until"), pl.String()),
        "room": pl.Int64(),
    }
)
_NAMED = ("account", "warehouse")


def limits_frame(limits: Sequence[Limit]) -> pl.DataFrame:
    """Give what couriers take a day, one row each, numbered in their order."""
    rows = [(n, x.courier, x.account, x.warehouse, x.from_, x.until, x.parcels) for n, x in enumerate(limits)]
    return pl.DataFrame(rows, schema=LIMITS, orient="row")


def with_limit(tries: pl.DataFrame, limits: Sequence[Limit], moment: Moment) -> pl.DataFrame:
    """Add `limit`: the number of the entry that holds for courier, account and warehouse today; null where none does."""
    on = ["courier", *_NAMED]
    keys = tries.select(on).unique(maintain_order=True).with_row_index("key")
    found = most_told(keys, held(limits_frame(limits), moment), _NAMED).select("key", "limit")
    named = keys.join(found, on="key", how="left", maintain_order="left").drop("key")
    return tries.join(named, on=on, how="left", nulls_equal=True, maintain_order="left")


def with_waits(tries: pl.DataFrame, limits: Sequence[Limit]) -> pl.DataFrame:
    """Add `waits`: days until the courier collects, by the cut-off and weekdays of its `limit`; 0 where none is told.

    Args:
        tries: columns `limit` and CLOCK, of which those that are missing add nothing.
    """
    rows = [
        (n, weekday, late, _waiting(limit, weekday, late=late))
        for n, limit in enumerate(limits)
        for weekday in range(1, 8)
        for late in (False, True)
    ]
    schema = {"limit": pl.Int32, "weekday": pl.Int64, "late": pl.Boolean, "waits": pl.Int64}
    cut_off = {n: _minutes(x.cut_off) for n, x in enumerate(limits) if x.cut_off is not None}
    minute = pl.col("limit").replace_strict(cut_off, default=None, return_dtype=pl.Int64)
    absent = [pl.lit(None, dtype=pl.Int64).alias(name) for name in CLOCK if name not in tries.columns]
    tries = tries.with_columns(absent)
    late = (pl.col("minute_of_day") >= minute).fill_null(False)
    waits = pl.DataFrame(rows, schema=schema, orient="row")
    found = tries.with_columns(late=late).join(
        waits, on=["limit", "weekday", "late"], how="left", maintain_order="left"
    )
    return found.drop("late").with_columns(pl.col("waits").fill_null(0))


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _waiting(limit: Limit, weekday: int, *, late: bool) -> int:
    """Give the days from `weekday` to the next one on which is collected."""
    wait = int(late)
    while (weekday - 1 + wait) % 7 + 1 in limit.closed:
        wait += 1
    return wait
