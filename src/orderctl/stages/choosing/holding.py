"""Which shipments wait, until when, and who can end it: the rules of `holds`, each as long as it matches and has not ended.

A hold ends when the first of its endings has come, or when a person has released it. An ending that cannot be told (no
promise, no stock known) does not come; a hold none of whose endings can be told needs a person, so that nothing is held for
ever in silence and nothing goes because something is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from zoneinfo import ZoneInfo

import polars as pl

from orderctl.model.errors import DataError
from orderctl.model.facts import Facts
from orderctl.model.instant import FORMAT, write_instant
from orderctl.model.text import Text
from orderctl.stages.allocating.stock import free_stock
from orderctl.stages.choosing.judging import lacks, named
from orderctl.stages.conditions.compiled import predicate
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.rules.sections.holds import HoldRule
from orderctl.stages.rules.sections.until import Ending

RELEASED, STOCKED = "hold_released", "hold_stocked"
STANDING = pl.Schema({RELEASED: pl.List(pl.String()), STOCKED: pl.Boolean()})
"""What holds ask besides facts: the holds a person has released (their names), and whether all of it lies somewhere."""
_HOLD = pl.Struct({"hold": pl.List(pl.String())})
_RULE = pl.Int32()
_LOCAL = "%Y-%m-%d %H:%M"


def hold_facts(rules: Iterable[HoldRule]) -> set[str]:
    """Give the names of the facts that the endings of `rules` are counted from."""
    return {ending.anchor for rule in rules for ending in rule.endings if ending.anchor}


def standing_of(shipments: pl.DataFrame, rules: Sequence[HoldRule], facts: Facts) -> pl.DataFrame:
    """Give columns STANDING for every one of `shipments`, as far as `rules` ask for them.

    Raises: DataError if the payload of a release is no JSON object with the name of a hold.
    """
    rows = shipments.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"), "shipment_id", "orders", "lines"
    )
    found = rows.select("row")
    if rules:
        found = found.join(_released(rows, facts), on="row", how="left", maintain_order="left")
    if facts.stock is not None and any(e.kind == "stock" for rule in rules for e in rule.endings):
        found = found.join(_stocked(rows, facts), on="row", how="left", maintain_order="left")
    return found.with_columns(
        pl.col(n) if n in found.columns else pl.lit(None, dtype=t).alias(n) for n, t in STANDING.items()
    ).select(pl.col(RELEASED).fill_null([]), STOCKED)


def _released(rows: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    """Give [row, RELEASED]: what was released of the shipment itself, or of every one of its orders."""
    decided = facts.decisions.filter(decision="release")
    try:
        said = decided.select("subject", pl.col("payload").str.json_decode(_HOLD).struct.field("hold"))
    except pl.exceptions.PolarsError as error:
        raise DataError(Text("a release among the decisions names no hold")) from error
    said = said.explode("hold", empty_as_null=False).drop_nulls().unique()
    own = rows.select("row", subject="shipment_id").join(said, on="subject").select("row", "hold")
    ids = pl.col("orders").list.eval(pl.element().struct.field("order_id")).list.unique()
    each = rows.select("row", orders=ids.list.len(), subject=ids).explode("subject", empty_as_null=True)
    of_all = (
        each.join(said, on="subject")
        .group_by("row", "hold")
        .agg(pl.len().alias("count"), pl.col("orders").first())
        .filter(pl.col("count") == pl.col("orders"))
        .select("row", "hold")
    )
    both = pl.concat([own, of_all]).unique().sort("row", "hold")
    return both.group_by("row", maintain_order=True).agg(pl.col("hold").alias(RELEASED))


def _stocked(rows: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    """Give [row, STOCKED]: whether one warehouse has all of the shipment. Who gets it is dealt out later, in turn."""
    line = pl.col("lines").struct
    goods = (
        rows.select("row", "lines")
        .explode("lines", empty_as_null=True)
        .filter((line.field("quantity") > 0) & line.field("kind").ne_missing("service"))
        .select("row", sku=line.field("sku"), need=line.field("quantity"))
        .group_by("row", "sku")
        .agg(pl.col("need").sum())
    )
    asked = goods.group_by("row").agg(articles=pl.len())
    there = (
        goods.join(free_stock(facts), on="sku")
        .filter(pl.col("free") >= pl.col("need"))
        .group_by("row", "warehouse")
        .agg(found=pl.len())
        .group_by("row")
        .agg(pl.col("found").max())
    )
    judged = asked.join(there, on="row", how="left")
    return judged.select("row", (pl.col("found").fill_null(0) == pl.col("articles")).alias(STOCKED))


def judge_holds(facts: pl.DataFrame, rules: Sequence[HoldRule], moment: Moment) -> pl.DataFrame:
    """Judge `rules` in order on every row of `facts`, which may have the columns STANDING.

    Returns: [row, hold_fired, hold_rule, hold_doubt, hold_lacks, hold_needs, hold_until]: `hold_needs` is time (it ends by
        itself), person, or null (as long as the rule matches); `hold_until` says when, as people write it.
    """
    known = facts.with_columns(
        pl.lit([] if n == RELEASED else None, dtype=t).alias(n)
        for n, t in STANDING.items()
        if n not in facts.columns
    )
    stays = [
        ~(_over(rule, moment) | pl.col(RELEASED).list.contains(rule.name).fill_null(False)) for rule in rules
    ]
    masks = known.select(
        "row", *(predicate(rule.when).and_(stays[n]).alias(str(n)) for n, rule in enumerate(rules))
    )
    numbers = [(pl.col(str(n)), pl.lit(n, dtype=_RULE)) for n in range(len(rules))]
    none = pl.lit(None, dtype=_RULE)
    found = masks.select(
        "row",
        fired=pl.coalesce(*(pl.when(mask).then(number) for mask, number in numbers), none),
        unknown=pl.coalesce(*(pl.when(mask.is_null()).then(number) for mask, number in numbers), none),
    ).with_columns(
        doubted=pl.when((pl.col("unknown") < pl.col("fired")).fill_null(True)).then("unknown").cast(_RULE)
    )
    why = lacks(facts, found, [rule.when for rule in rules])
    names = [rule.name for rule in rules]
    judged = found.join(why, on="row", how="left", maintain_order="left").select(
        "row",
        hold_fired="fired",
        hold_rule=named(names, "fired"),
        hold_doubt=named(names, "doubted"),
        hold_lacks="lacks",
    )
    untold = pl.lit(None, dtype=pl.String)
    fired = pl.col("hold_fired")
    ends = [(fired == n, *_end(rule, moment)) for n, rule in enumerate(rules) if rule.endings]
    return judged.hstack(known.drop("row", *(n for n in judged.columns if n in known.columns))).select(
        *judged.columns,
        hold_needs=pl.coalesce(*(pl.when(here).then(needs) for here, needs, _ in ends), untold),
        hold_until=pl.coalesce(*(pl.when(here).then(until) for here, _, until in ends), untold),
    )


def _over(rule: HoldRule, moment: Moment) -> pl.Expr:
    """True where one of the endings of a rule has come."""
    come = [_has_come(ending, moment).fill_null(False) for ending in rule.endings]
    return pl.any_horizontal(pl.lit(False), *come)


def _has_come(ending: Ending, moment: Moment) -> pl.Expr:
    if ending.kind == "stock":
        return pl.col(STOCKED)
    at = _instant(ending, moment)
    if at is None or moment.now is None:
        return pl.lit(False)
    return at <= moment.now


def _instant(ending: Ending, moment: Moment) -> pl.Expr | None:
    """Give when an ending comes, as the text of an instant; None if it is no time."""
    if ending.at is not None:
        local = ending.at if ending.at.tzinfo else ending.at.replace(tzinfo=ZoneInfo(moment.zone))
        return pl.lit(write_instant(local.astimezone(UTC)))
    if ending.anchor is None:
        return None
    anchor = pl.col(ending.anchor)
    if not ending.seconds:
        return anchor
    counted = anchor.str.to_datetime(FORMAT, time_unit="ms", strict=False) + pl.duration(
        seconds=ending.seconds
    )
    return counted.dt.strftime(FORMAT)


def _end(rule: HoldRule, moment: Moment) -> tuple[pl.Expr, pl.Expr]:
    """Give what the hold of a rule needs to end, and when it ends, in words: the earliest time, and stock."""
    times = [at for ending in rule.endings if (at := _instant(ending, moment)) is not None]
    first = pl.min_horizontal(*times, pl.lit(None, dtype=pl.String))
    there = first.str.to_datetime(FORMAT, time_unit="ms", strict=False).dt.replace_time_zone("UTC")
    shown = there.dt.convert_time_zone(moment.zone).dt.strftime(_LOCAL)
    words = [shown]
    if any(ending.kind == "stock" for ending in rule.endings):
        words.append(pl.when(pl.col(STOCKED).is_not_null()).then(pl.lit("stock")))
    until = pl.concat_str(words, separator=" or ", ignore_nulls=True)
    told = until != ""
    return pl.when(told).then(pl.lit("time")).otherwise(pl.lit("person")), pl.when(told).then(until)


def ended_for_all(rule: HoldRule, moment: Moment) -> bool:
    """Say whether a day that a rule names is past, so that it holds nothing any more."""
    fixed = [_has_come(ending, moment) for ending in rule.endings if ending.at is not None]
    return bool(fixed) and bool(pl.select(pl.any_horizontal(*fixed)).item())


def ended_by(rule: HoldRule, row: pl.DataFrame, moment: Moment) -> str | None:
    """Say of one row whose hold by a matching `rule` is over, what ended it: released, stock or time."""
    if RELEASED in row.columns and rule.name in row[RELEASED].to_list()[0]:
        return "released"
    for ending in rule.endings:
        if ending.kind == "stock" and STOCKED not in row.columns:
            continue
        if row.select(come=_has_come(ending, moment).fill_null(False))["come"][0]:
            return "stock" if ending.kind == "stock" else "time"
    return None
