"""From facts to decisions: warehouse, courier, label template, holds and tariff of every row, each with its reason.

The one place that knows the order of the steps; what it needs is a facts frame, so a batch and an example written
in the rules go the same way. What is bound already (an act has begun, or a person said so) is never judged again.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from orderctl.stages.choosing import ranking
from orderctl.stages.choosing.carriers import couriers
from orderctl.stages.choosing.estimate import FACTS as PRICE_FACTS
from orderctl.stages.choosing.estimate import priced
from orderctl.stages.choosing.holding import hold_facts, judge_holds
from orderctl.stages.choosing.judging import Rule as Rule
from orderctl.stages.choosing.judging import free, named
from orderctl.stages.choosing.judging import judge as judge
from orderctl.stages.choosing.quota import Room
from orderctl.stages.choosing.reach import FACTS as PLACE_FACTS
from orderctl.stages.choosing.tagging import tagged
from orderctl.stages.conditions.compiled import facts_needed
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.sections.templates import TemplateRule
from orderctl.stages.rules.sections.warehouses import WarehouseRule

BOUND = pl.Schema(
    {
        "row": pl.Int64(),
        "warehouse": pl.String(),
        "courier": pl.String(),
        "service": pl.String(),
        "account": pl.String(),
        "issuer": pl.String(),
        "warehouse_how": pl.String(),
        "courier_how": pl.String(),
    }
)
_CHOSEN = ("warehouse", "courier", "service")


def needed(book: RuleBook) -> set[str]:
    """Give the names of the facts that must be in the facts frame given to `choose`."""
    rules: list[Rule] = [
        *book.rules.warehouses,
        *book.rules.couriers,
        *book.rules.templates,
        *book.rules.holds,
    ]
    places = PLACE_FACTS if book.tables.not_served.height else ()
    tags = {"tags", *facts_needed(rule.when for rule in book.rules.tags)} if book.rules.tags else set()
    asked = facts_needed(rule.when for rule in rules) | tags | ranking.facts_for(book)
    return (asked | {*PRICE_FACTS, *places, *hold_facts(book.rules.holds)}) - set(_CHOSEN)


def choose(
    facts: pl.DataFrame,
    bound: pl.DataFrame,
    parcels: pl.DataFrame,
    book: RuleBook,
    moment: Moment,
    room: Room | None = None,
) -> pl.DataFrame:
    """Decide every row of `facts`.

    Args:
        facts: a facts frame with the facts `needed(book)` and `row`, ascending, and perhaps `holding.STANDING`.
        bound: columns BOUND, one row for each row that is bound in something; `..._how` is committed or pinned.
        parcels: columns `freight.PARCEL`, at least one for each row.
        room: what is left of what couriers take a day; None: that does not count.

    Returns: one row for each of `facts`: `row`, what was chosen, and for each step s of warehouse, courier, template
        and hold: `s_rule` (name), `s_reason`, `s_doubt` (name of the first rule that could not be judged) and
        `s_lacks` (the facts it lacked); `courier_refused`: the couriers that do not deliver there, each with why; the
        columns `carriers.WEIGHED`: those that have no room left, and how the best was found; `tags_added`: the tags
        that rules give, a list of rule and tag; `hold_lane`, `hold_needs` and `hold_until`: what kind
        of hold it is, what ends it, and when; for the tariff `tariff_reason, zone_id, billed_g, parcel_count`.
    """
    facts, added = tagged(facts, book.rules.tags)
    rows = facts.select("row").join(bound, on="row", how="left", maintain_order="left")
    rows = _warehouses(rows, facts, book.rules.warehouses)
    facts = facts.with_columns(rows["warehouse"])
    rows = couriers(rows, facts, parcels, book, moment, room)
    facts = facts.with_columns(rows["courier"], rows["service"])
    rows = _templates(rows, facts, book.rules.templates)
    rows = rows.join(
        judge_holds(facts, book.rules.holds, moment), on="row", how="left", maintain_order="left"
    )
    why = [rule.why or rule.name for rule in book.rules.holds]
    hold = named(why, "hold_fired")
    rows = rows.with_columns(
        hold.alias("hold"),
        named([rule.lane for rule in book.rules.holds], "hold_fired").alias("hold_lane"),
        pl.when(hold.is_not_null()).then(pl.lit("rule")).alias("hold_reason"),
    )
    return _freight(rows, facts, parcels, book, moment).with_columns(added.alias("tags_added"))


def _reason(step: str, how: str) -> pl.Expr:
    fired = pl.when(pl.col(f"{step}_fired").is_not_null()).then(pl.lit("rule")).otherwise(pl.lit("no_match"))
    return pl.coalesce(how, fired).alias(f"{step}_reason")


def _warehouses(rows: pl.DataFrame, facts: pl.DataFrame, rules: Sequence[WarehouseRule]) -> pl.DataFrame:
    """Bound, else by the rules; without any rule a shipment needs no warehouse."""
    found = rows.join(
        judge(free(facts, rows, "warehouse"), rules, "warehouse"),
        on="row",
        how="left",
        maintain_order="left",
    )
    by_rule = named([rule.use for rule in rules], "warehouse_fired")
    reason = (
        _reason("warehouse", "warehouse_how") if rules else pl.col("warehouse_how").alias("warehouse_reason")
    )
    return found.with_columns(pl.coalesce("warehouse", by_rule).alias("warehouse"), reason)


def _templates(rows: pl.DataFrame, facts: pl.DataFrame, rules: Sequence[TemplateRule]) -> pl.DataFrame:
    """The template the courier rule names, else by the rules; without any rule the printing command decides."""
    judged = judge(free(facts, rows, "template"), rules, "template")
    found = rows.join(judged, on="row", how="left", maintain_order="left")
    told = pl.when(pl.col("template").is_not_null()).then(pl.lit("courier_rule"))
    by_rule = pl.when(pl.col("template_fired").is_not_null()).then(pl.lit("rule"))
    return found.with_columns(
        pl.coalesce(told, by_rule).alias("template_reason"),
        pl.coalesce("template", named([rule.use for rule in rules], "template_fired")).alias("template"),
    )


def _freight(
    rows: pl.DataFrame, facts: pl.DataFrame, parcels: pl.DataFrame, book: RuleBook, moment: Moment
) -> pl.DataFrame:
    """Estimate the freight of every row that has a courier, when the rules hold tariffs at all."""
    if not book.rules.tariffs:
        none = {
            "tariff_reason": pl.String,
            "zone_id": pl.String,
            "freight_currency": pl.String,
            "billed_g": pl.Int64,
        }
        nothing = [
            pl.lit(None, dtype=t).alias(n)
            for n, t in {**none, "parcel_count": pl.Int64, "freight_minor": pl.Int64}.items()
        ]
        return rows.with_columns(pl.lit(None, dtype=pl.String).alias("tariff_id"), *nothing)
    judged = priced(rows, facts, parcels, book, moment)
    joined = rows.join(judged, on="row", how="left", maintain_order="left")
    how = pl.when(pl.col("tariff_id").is_not_null()).then(pl.lit("named")).otherwise(pl.lit("first"))
    reason = (
        pl.when(pl.col("courier").is_null())
        .then(None)
        .when(pl.col("tariff").is_null())
        .then(pl.lit("no_tariff"))
        .when(pl.col("zone").is_null())
        .then(pl.lit("no_zone"))
        .when(pl.col("freight_minor").is_null())
        .then(pl.lit("too_heavy"))
        .otherwise(how)
    )
    ids = [t.id for t in book.rules.tariffs]
    return joined.with_columns(
        reason.alias("tariff_reason"),
        named(ids, "tariff").alias("tariff_id"),
        pl.when(pl.col("freight_minor").is_not_null()).then("freight_currency").alias("freight_currency"),
    ).drop("tariff", "zone")
