"""The courier of every row: bound, else the best of those of the first rule that matches, of which none is refused.

The order is: the rule (filter), its couriers weighed against each other (rank), what each still takes today
(capacity). Who does not deliver is no candidate, whatever else speaks for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from orderctl.stages.choosing import ranking
from orderctl.stages.choosing.judging import free, judge
from orderctl.stages.choosing.quota import Room, place
from orderctl.stages.choosing.reach import hits
from orderctl.stages.choosing.timetable import with_limit
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.sections.couriers import CourierRule, CourierUse
from orderctl.stages.rules.sections.reach import WHERE

_USE = ("courier", "service", "account", "issuer", "template", "tariff_id")
WEIGHED = ("courier_full", "courier_score", "courier_over", "courier_unweighed")
"""What is told of candidates: who has no room left, the score and its parts, those of the next, who could not be weighed."""
TOLD = 3
"""How many of the couriers that were not the best are told."""


def uses(rules: Sequence[CourierRule]) -> pl.DataFrame:
    """Give what every courier rule decides, in the order its couriers are written: [courier_fired, rank, ranked, courier, ...]."""
    rows = [
        (n, at, rule.rank is not None and at < len(rule.candidates), *_fields(u))
        for n, rule in enumerate(rules)
        for at, u in enumerate(rule.chain)
    ]
    schema = {
        "courier_fired": pl.Int32(),
        "rank": pl.Int64(),
        "ranked": pl.Boolean(),
        **dict.fromkeys(_USE, pl.String()),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _fields(use: CourierUse) -> tuple[str | None, ...]:
    return use.courier, use.service, use.account, use.issuer, use.template, use.tariff


def refusals(facts: pl.DataFrame, book: RuleBook, moment: Moment) -> pl.DataFrame:
    """Give [row, courier, of_service, said] for every courier that does not deliver a row; `of_service` null: none does."""
    if not book.tables.not_served.height:
        schema = {"row": pl.Int64, "courier": pl.String, "of_service": pl.String, "said": pl.String}
        return pl.DataFrame(schema=schema)
    found = hits(facts, book.tables.not_served, moment)
    where = pl.concat_str(["why", *WHERE], separator=" ", ignore_nulls=True)
    said = pl.format("{}: {} ({})", "courier", pl.coalesce("why", where), "place")
    return found.select("row", "courier", of_service="service", said=said)


def _refused(candidates: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """Give [row, rank, said] for those of `candidates` (row, rank, courier, service) that do not deliver."""
    met = candidates.join(refused, on=["row", "courier"], maintain_order="left_right")
    same = pl.col("of_service").is_null() | (pl.col("of_service") == pl.col("service")).fill_null(False)
    return (
        met.filter(same)
        .unique(["row", "rank"], keep="first", maintain_order=True)
        .select("row", "rank", "said")
    )


def candidates(
    fired: pl.DataFrame,
    rows: pl.DataFrame,
    facts: pl.DataFrame,
    parcels: pl.DataFrame,
    book: RuleBook,
    moment: Moment,
    room: Room | None,
    refused: pl.DataFrame,
) -> pl.DataFrame:
    """Give every courier of the rule that fired for a row, in the order they are taken, those that do not deliver last.

    Args:
        fired: [row, courier_fired].
        rows: all rows with `warehouse`, and courier and account of those that are pinned.

    Returns: row, rank (place as written), at (place in this order), ranked, courier, ..., said (why it does not deliver),
        full (whether it has no room left), and where a rule weighs what `ranking.ranked` tells.
    """
    asked = fired.join(uses(book.rules.couriers), on="courier_fired", maintain_order="left")
    asked = asked.join(_refused(asked, refused), on=["row", "rank"], how="left", maintain_order="left")
    limits = book.rules.limits
    weighs = bool(asked["ranked"].any())
    asked = asked.with_columns(at="rank", full=False)
    if not limits and not weighs:
        return asked
    asked = asked.join(rows.select("row", "warehouse"), on="row", how="left", maintain_order="left")
    asked = with_limit(asked, limits, moment)
    if weighs:
        served = ranking.ranked(asked.filter(pl.col("said").is_null()), facts, parcels, book, moment)
        asked = pl.concat([served, asked.filter(pl.col("said").is_not_null())], how="diagonal")
        asked = asked.with_columns(at=pl.int_range(pl.len(), dtype=pl.Int64).over("row"))
    if room is not None and any(limit.parcels is not None for limit in limits):
        pinned = rows.filter(pl.col("courier_how") == "pinned")
        asked = place(asked, pinned, parcels, book, moment, room)
    return asked


def _best(asked: pl.DataFrame) -> pl.DataFrame:
    """Give for each row the first of its candidates that delivers and has room: [row, rank, courier, ..., and what is told].

    A row that none of them takes has only what `courier_refused` and `courier_full` say.
    """
    can = pl.col("said").is_null() & ~pl.col("full")
    best = asked.filter(can).unique("row", keep="first", maintain_order=True)
    before = asked.filter(pl.col("said").is_not_null() | pl.col("full") | pl.col("ranked"))
    before = before.join(
        best.select("row", best="at", best_rank="rank"), on="row", how="left", maintain_order="left"
    )
    refused = before.filter(
        pl.col("said").is_not_null()
        & (pl.col("ranked") | (pl.col("rank") < pl.col("best_rank")).fill_null(True))
    ).sort("row", "rank", maintain_order=True)
    full = before.filter(pl.col("full") & (pl.col("at") < pl.col("best")).fill_null(True))
    account = pl.concat_str(["courier", "account"], separator=" ", ignore_nulls=True)
    told = {
        "courier_refused": refused.group_by("row").agg(told=pl.col("said").str.join("; ")),
        "courier_full": full.group_by("row", maintain_order=True).agg(
            told=account.unique(maintain_order=True).str.join("; ")
        ),
        **_weighed(before),
    }
    found = best
    for name, part in told.items():
        found = found.join(part.rename({"told": name}), on="row", how="full", coalesce=True)
    return found


def _weighed(before: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Give [row, told] by name: the score of the best, those of the next, and the candidates that could not be weighed."""
    none = pl.DataFrame(schema={"row": pl.Int64, "told": pl.String})
    if "score" not in before.columns:
        return dict.fromkeys(WEIGHED[1:], none)
    ranked = before.filter(pl.col("ranked") & pl.col("said").is_null())
    ranked = ranked.with_columns(ranking.told(ranked).alias("told"))
    said = pl.format("{} {}", ranking.label(), pl.coalesce("told", pl.format("? ({})", "lacks")))
    first = pl.col("at") == pl.col("best")
    return {
        "courier_score": ranked.filter(first & pl.col("told").is_not_null()).select("row", "told"),
        "courier_over": ranked.filter(~first & ~pl.col("full"))
        .group_by("row", maintain_order=True)
        .agg(told=said.head(TOLD).str.join("; ")),
        "courier_unweighed": ranked.filter(pl.col("lacks").is_not_null())
        .group_by("row", maintain_order=True)
        .agg(told=pl.format("{} ({})", ranking.label(), "lacks").str.join("; ")),
    }


def couriers(
    rows: pl.DataFrame,
    facts: pl.DataFrame,
    parcels: pl.DataFrame,
    book: RuleBook,
    moment: Moment,
    room: Room | None,
) -> pl.DataFrame:
    """Bound, else by the rules. What a bound courier lacks comes from the first rule that uses it.

    A pinned courier takes account and issuer from there too, and service if the pin names none; a committed one
    keeps exactly what was committed, and takes only label template and tariff.
    """
    rules = book.rules.couriers
    refused = refusals(facts, book, moment)
    judged = judge(free(facts, rows, "courier"), rules, "courier")
    whole = _completed(rows, uses(rules))
    fired = judged.select("row", "courier_fired").filter(pl.col("courier_fired").is_not_null())
    best = _best(candidates(fired, whole, facts, parcels, book, moment, room, refused))
    best = best.select("row", "rank", "ranked", "courier_refused", *WEIGHED, *_USE)
    found = whole.join(judged, on="row", how="left", maintain_order="left")
    found = found.join(best, on="row", how="left", maintain_order="left", suffix="_rule_")
    found = found.with_columns(
        _courier_reason(),
        *(
            pl.when(pl.col("courier_how").is_null()).then(f"{name}_rule_").otherwise(name).alias(name)
            for name in _USE
        ),
    )
    return _pins_refused(found, refused).select(
        *rows.columns, "courier_rule", "courier_doubt", "courier_lacks", "courier_reason", "courier_refused",
        *WEIGHED, "template", "tariff_id",
    )  # fmt: skip


def _completed(rows: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Give `rows` with what their bound couriers lack, and `template` and `tariff_id`."""
    table = table.drop("courier_fired", "rank", "ranked")
    first = table.unique("courier", keep="first", maintain_order=True)
    exact = table.unique(["courier", "service"], keep="first", maintain_order=True)
    blank = pl.lit(None, dtype=pl.String)
    found = rows.with_columns(template=blank, tariff_id=blank)
    found = found.join(first, on="courier", how="left", maintain_order="left", suffix="_first")
    pinned = pl.col("courier_how") == "pinned"
    own = pl.when(pinned).then(pl.coalesce("service", "service_first")).otherwise("service")
    found = found.with_columns(own.alias("service")).join(
        exact, on=["courier", "service"], how="left", nulls_equal=True, maintain_order="left", suffix="_exact"
    )
    like = {name: pl.coalesce(f"{name}_exact", f"{name}_first") for name in _USE[2:]}
    filled = [
        pl.when(pinned).then(pl.coalesce(n, like[n])).otherwise(n).alias(n) for n in ("account", "issuer")
    ]
    return found.with_columns(*filled, *(like[n].alias(n) for n in ("template", "tariff_id"))).select(
        *rows.columns, "template", "tariff_id"
    )


def _courier_reason() -> pl.Expr:
    fired = (
        pl.when(pl.col("courier_fired").is_null())
        .then(pl.lit("no_match"))
        .when(pl.col("rank").is_null() & pl.col("courier_full").is_not_null())
        .then(pl.lit("full"))
        .when(pl.col("rank").is_null())
        .then(pl.lit("not_served"))
        .when("ranked")
        .then(pl.lit("ranked"))
        .when(pl.col("rank") > 0)
        .then(pl.lit("fallback"))
        .otherwise(pl.lit("rule"))
    )
    return pl.coalesce("courier_how", fired).alias("courier_reason")


def _pins_refused(found: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """Say of a pinned courier, too, that it does not deliver; one that is committed has the parcel."""
    pinned = found.filter(pl.col("courier_how") == "pinned").select("row", "courier", "service", rank=0)
    said = _refused(pinned, refused).select("row", pin_refused="said")
    joined = found.join(said, on="row", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("courier_refused", "pin_refused").alias("courier_refused"))
