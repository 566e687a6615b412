"""Couriers weighed against each other: what each would cost a shipment, everything that counts turned into money.

The score of a candidate is its freight, its days, its risk, the notices and the wishes, each times what the rule says
it is worth, as a whole number of 1/10^10 of the currency: nothing is rounded. The smallest score goes first, of equal
ones the candidate written first. A candidate of which something that counts is not known has no score and comes
after those that have one.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from orderctl.model.money import exponent_of
from orderctl.stages.choosing.estimate import FACTS as PRICE_FACTS
from orderctl.stages.choosing.estimate import priced
from orderctl.stages.choosing.reach import FACTS as PLACE_FACTS
from orderctl.stages.choosing.reach import hits
from orderctl.stages.choosing.timetable import CLOCK, with_times, with_waits
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.freight.book import MONEY, scaled
from orderctl.stages.freight.pricing import WIDE
from orderctl.stages.reports.words import decimal_text
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.sections.couriers import CourierRule, Rank
from orderctl.stages.rules.times import DAY, SHARE

UNIT = 10**10  # scores are counted in 1/10^10 of the currency
PARTS = ("price", "days", "late", "exceptions", "penalty", "wish", "avoid")
"""What a score is the sum of, in the order it is told."""
_PARTS = tuple(f"part_{name}" for name in PARTS)
_WORTH = pl.Schema(
    {
        "courier_fired": pl.Int32(),
        **dict.fromkeys(
            ("w_price", "w_day", "w_late", "w_exception", "w_penalty", "w_wish", "w_avoid"), pl.Int64()
        ),
        **dict.fromkeys(("enough", "unknown_days", "unknown_exception", "minor_of"), pl.Int64()),
        "rank_currency": pl.String(),
    }
)


def facts_for(book: RuleBook) -> set[str]:
    """Give the names of the facts that ranking looks at."""
    ranks = [rule.rank for rule in book.rules.couriers if rule.rank is not None]
    found: set[str] = set()
    if any(rank.wish for rank in ranks):
        found.add("wish_courier")
    if any(rank.avoid for rank in ranks):
        found.add("avoid_courier")
    if any(rank.late for rank in ranks):
        found.add("ship_by_hours_left")
    if any(rank.penalty for rank in ranks) and book.tables.notices.height:
        found |= {*PLACE_FACTS}
    if ranks and any(limit.cut_off or limit.closed for limit in book.rules.limits):
        found |= {*CLOCK}
    return found


def _worth(rules: Sequence[CourierRule]) -> pl.DataFrame:
    """Give what counts how much, one row for each rule that ranks."""
    rows = [(n, *_weights(rule.rank)) for n, rule in enumerate(rules) if rule.rank is not None]
    return pl.DataFrame(rows, schema=_WORTH, orient="row")


def _weights(rank: Rank) -> tuple[int | str | None, ...]:
    worth = (rank.price, rank.day, rank.late, rank.exception, rank.penalty, rank.wish, rank.avoid)
    return (
        *(scaled(amount) for amount in worth),
        rank.enough_parcels,
        scaled(rank.unknown_days, DAY),
        scaled(rank.unknown_exception_percent, SHARE // 100),
        MONEY // 10 ** exponent_of(rank.currency),
        rank.currency,
    )


def ranked(
    asked: pl.DataFrame, facts: pl.DataFrame, parcels: pl.DataFrame, book: RuleBook, moment: Moment
) -> pl.DataFrame:
    """Put the candidates of each row in the order they are to be taken.

    Args:
        asked: one row for each candidate: row, courier_fired, rank (its place as written), ranked (whether its rule
            weighs it), courier, service, warehouse, account, tariff_id, limit.
        facts: with those of `facts_for(book)`, and of `estimate.FACTS`.

    Returns: `asked` in that order, with `score` and its parts (`part_price`, ...), COUNTED, and `lacks`: the names of
        those PARTS that count and are not known. All of them are null where the rule does not weigh.
    """
    tries = asked.with_columns(of=pl.col("row"), row=pl.int_range(pl.len(), dtype=pl.Int64))
    weighed = tries.filter("ranked").join(
        _worth(book.rules.couriers), on="courier_fired", how="inner", maintain_order="left"
    )
    counted = _counted(weighed, facts, parcels, book, moment)
    scored = counted.with_columns(_parts()).with_columns(
        score=pl.sum_horizontal(_PARTS, ignore_nulls=False), lacks=_lacks()
    )
    told = scored.select("row", "score", "lacks", *_PARTS, *COUNTED)
    found = tries.join(told, on="row", how="left", maintain_order="left").drop("row").rename({"of": "row"})
    order = ["row", "otherwise", "score", "rank"]
    return found.with_columns(otherwise=~pl.col("ranked")).sort(order, nulls_last=True).drop("otherwise")


COUNTED = ("freight_minor", "freight_currency", "days", "days_how", "waits", "exception", "points")
"""What a score counts, in the units it is counted in."""


def _counted(
    tries: pl.DataFrame, facts: pl.DataFrame, parcels: pl.DataFrame, book: RuleBook, moment: Moment
) -> pl.DataFrame:
    """Add COUNTED to `tries`, and `is_late`, `wished` and `avoided`; each is null where it is not known."""
    wanted = {*PRICE_FACTS, *CLOCK, "wish_courier", "avoid_courier", "ship_by_hours_left"}
    known = [name for name in facts.columns if name in wanted]
    found = tries.join(
        facts.select(pl.col("row").alias("of"), *known), on="of", how="left", maintain_order="left"
    )
    boxes = tries.select("row", "of").join(
        parcels.rename({"row": "of"}), on="of", how="inner", maintain_order="left_right"
    )
    prices = priced(found, found, boxes.drop("of"), book, moment) if book.rules.tariffs else None
    if prices is None:
        nothing = {"freight_minor": pl.Int64, "freight_currency": pl.String}
        found = found.with_columns(pl.lit(None, dtype=t).alias(n) for n, t in nothing.items())
    else:
        found = found.join(
            prices.select("row", "freight_minor", "freight_currency"),
            on="row",
            how="left",
            maintain_order="left",
        )
    found = with_times(found, book, moment)
    found = with_waits(found, book.rules.limits)
    points = _points(found, facts, book, moment)
    return found.join(points, on="row", how="left", maintain_order="left").with_columns(
        pl.col("points").fill_null(0),
        days=pl.coalesce("days", "unknown_days"),
        exception=pl.coalesce("exception", "unknown_exception"),
        is_late=_late(found),
        wished=_said("wish_courier", found),
        avoided=_said("avoid_courier", found),
    )


def _late(found: pl.DataFrame) -> pl.Expr:
    """Say whether less is left until the promise than the courier waits; where nothing is promised nothing is late."""
    if "ship_by_hours_left" not in found.columns:
        return pl.lit(False)
    return (pl.col("waits") * 24 > pl.col("ship_by_hours_left")).fill_null(False)


def _said(fact: str, found: pl.DataFrame) -> pl.Expr:
    if fact not in found.columns:
        return pl.lit(False)
    return pl.col(fact).list.contains(pl.col("courier")).fill_null(False)


def _points(tries: pl.DataFrame, facts: pl.DataFrame, book: RuleBook, moment: Moment) -> pl.DataFrame:
    """Give [row, points]: the sum of the penalties of the notices that hold for each candidate."""
    none = pl.DataFrame(schema={"row": pl.Int64, "points": pl.Int64})
    if not book.tables.notices.height or not (tries["w_penalty"] > 0).any():
        return none
    rows = facts.join(tries.select(row="of").unique(), on="row", how="semi")
    told = hits(rows, book.tables.notices, moment).filter(pl.col("penalty").is_not_null())
    told = told.select("penalty", of="row", of_courier="courier", of_service="service")
    met = tries.select("row", "of", "courier", "service").join(told, on="of", how="inner")
    fits = [
        pl.col(f"of_{name}").is_null() | (pl.col(f"of_{name}") == pl.col(name)).fill_null(False)
        for name in ("courier", "service")
    ]
    return met.filter(*fits).group_by("row").agg(points=pl.col("penalty").sum())


def _parts() -> list[pl.Expr]:
    """Give every part of the score in 1/UNIT of the currency; what counts nothing is 0 though it is not known."""

    def worth(name: str) -> pl.Expr:
        return pl.col(name).cast(WIDE)

    same = pl.col("freight_currency") == pl.col("rank_currency")
    minor = pl.when(same).then(worth("freight_minor")) * worth("minor_of")
    days = worth("days") + worth("waits") * DAY
    amounts = {
        "price": ("w_price", minor * (UNIT // MONEY // MONEY)),
        "days": ("w_day", days * (UNIT // MONEY // DAY)),
        "late": ("w_late", pl.col("is_late").cast(WIDE) * (UNIT // MONEY)),
        "exceptions": ("w_exception", worth("exception") * (UNIT // MONEY // SHARE)),
        "penalty": ("w_penalty", worth("points") * (UNIT // MONEY)),
        "wish": ("w_wish", pl.col("wished").cast(WIDE) * -(UNIT // MONEY)),
        "avoid": ("w_avoid", pl.col("avoided").cast(WIDE) * (UNIT // MONEY)),
    }
    nothing = pl.lit(0, dtype=WIDE)
    return [
        pl.when(pl.col(weight) == 0).then(nothing).otherwise(amount * worth(weight)).alias(f"part_{name}")
        for name, (weight, amount) in amounts.items()
    ]


def _lacks() -> pl.Expr:
    unknown = [pl.when(pl.col(f"part_{name}").is_null()).then(pl.lit(name)) for name in PARTS]
    names = pl.concat_str(unknown, separator=", ", ignore_nulls=True)
    return pl.when(names != "").then(names)


# --------------------------------------------------------------------------------------------------- told


def _amount_text(amount: pl.Expr) -> pl.Expr:
    """Write 1/10000 of the currency with two to four decimals."""
    return decimal_text(amount, pl.lit(4)).str.replace(r"(\.\d\d\d??)0+$", "$1")


def _rounded(part: str) -> pl.Expr:
    step = UNIT // MONEY
    return ((pl.col(part) + step // 2) // step).cast(pl.Int64).alias(part)


def _number_text(value: pl.Expr, decimals: int) -> pl.Expr:
    """Write a whole number of 1/10^decimals without zeros at its end: 250 of hundredths is 2.5."""
    return decimal_text(value, pl.lit(decimals)).str.replace(r"\.?0+$", "")


def label() -> pl.Expr:
    """Name a candidate: courier, and service where it has one."""
    return pl.concat_str(["courier", "service"], separator=" ", ignore_nulls=True)


def told(weighed: pl.DataFrame) -> pl.Series:
    """Write the score of each candidate and what it is made of: "4.80 = price 3.20 + days 1.60 (2)"; null without one.

    Amounts are rounded half up to 1/10000. Few of them differ, so each different one is written once.
    """
    amounts = weighed.select(
        *map(_rounded, ("score", *_PARTS)),
        "exception",
        "points",
        days=pl.col("days") + pl.col("waits") * DAY,
    )
    different = amounts.unique().with_columns(told=_told())
    return amounts.join(different, on=amounts.columns, how="left", nulls_equal=True, maintain_order="left")[
        "told"
    ]


def _told() -> pl.Expr:
    counts = {
        "days": _number_text(pl.col("days"), 2),
        "exceptions": _number_text(pl.col("exception"), 4) + "%",
        "penalty": pl.col("points").cast(pl.String),
    }
    parts = []
    for name in PARTS:
        said = pl.format("{} {}", pl.lit(name), _amount_text(pl.col(f"part_{name}")))
        if name in counts:
            said = pl.format("{} ({})", said, counts[name])
        parts.append(pl.when(pl.col(f"part_{name}") != 0).then(said))
    sum_of = pl.concat_str(parts, separator=" + ", ignore_nulls=True)
    sum_of = pl.when(sum_of == "").then(pl.lit("0")).otherwise(sum_of)
    return pl.when(pl.col("score").is_not_null()).then(
        pl.format("{} = {}", _amount_text(pl.col("score")), sum_of)
    )
