"""Which rule of waves takes a shipment, and with which others it may share a walk."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from orderctl.stages.conditions.compiled import facts_needed, predicate
from orderctl.stages.conditions.facts import Moment, facts_frame
from orderctl.stages.rules.sections.waves import By, Kind, SizeClass, WaveRule, WavesSection
from orderctl.stages.waves.bins import Shelves
from orderctl.stages.waves.path import walked

GOODS = ("row", "warehouse", "sku", "quantity", "location", "zone", "aisle", "bay", "level")
GROUP = ("warehouse", "rule", "same_courier", "same_cutoff", "same_size", "same_zone")
"""What shipments of one walk have in common; what a rule does not ask for is null."""
_KINDS: dict[Kind, pl.Expr] = {
    "single_sku": pl.col("articles") == 1,
    "single_line": pl.col("articles") == 1,
    "multi_line": pl.col("articles") > 1,
}
_NAMED = ("sku", "merchant_code", "platform_sku", "title", "line_ref")
_LOT: dict[Kind, str] = {"single_sku": "article", "same_goods": "contents"}


def wave_facts(section: WavesSection) -> set[str]:
    """Give the names of the facts that the conditions of waves ask for."""
    return facts_needed([*(rule.when for rule in section.rules), *(one.when for one in section.sizes)])


def goods_of(shipments: pl.DataFrame, shelves: Shelves) -> pl.DataFrame:
    """Give what is to be fetched for `shipments` (with `row`): columns GOODS, one row for each article of a shipment."""
    line = pl.col("lines").struct
    name = pl.coalesce(line.field(name) for name in _NAMED)
    lines = shipments.select("row", "warehouse", "lines").explode("lines", empty_as_null=True)
    carried = lines.filter((line.field("quantity") > 0) & line.field("kind").ne_missing("service"))
    named = carried.select("row", "warehouse", sku=name, quantity=line.field("quantity"))
    added = named.group_by("row", "warehouse", "sku", maintain_order=True).agg(pl.col("quantity").sum())
    return shelves.placed(added).select(GOODS)


def described(
    shipments: pl.DataFrame, goods: pl.DataFrame, section: WavesSection, moment: Moment
) -> pl.DataFrame:
    """Give for each of `shipments` (with `row`) what waves are made by, and the facts of their conditions.

    Columns: row, shipment_id, warehouse, ship_by, courier, articles, pieces, article (the first: where there is one, the only), contents, zone,
    cutoff (minutes from the midnight before `moment`), size, facts.
    """
    told = (
        goods.sort("row", "sku")
        .group_by("row", maintain_order=True)
        .agg(
            articles=pl.len().cast(pl.Int64),
            pieces=pl.col("quantity").sum(),
            article=pl.col("sku").first(),
            contents=pl.format("{}x{}", "sku", "quantity").str.join("+"),
            zone=pl.coalesce("zone", "aisle").drop_nulls().unique().sort().str.join("+"),
        )
    )
    facts = facts_frame(shipments, wave_facts(section), moment)
    judged = facts.select("row", size=_size(section.sizes)).with_columns(row=shipments["row"])
    rows = shipments.select("row", "shipment_id", "warehouse", "ship_by", "courier")
    rows = rows.join(told, on="row", how="left", maintain_order="left").with_columns(
        pl.col("articles", "pieces").fill_null(0),
        pl.when(pl.col("zone") != "").then("zone").alias("zone"),
        _cutoff(section, moment),
    )
    taken = [name for name in facts.columns if name in (*rows.columns, "size")]
    return rows.with_columns(judged["size"]).hstack(facts.drop(taken))


def _size(classes: Sequence[SizeClass]) -> pl.Expr:
    named = [
        pl.lit(one.name) if one.when is None else pl.when(predicate(one.when)).then(pl.lit(one.name))
        for one in classes
    ]
    return pl.coalesce(*named, pl.lit(None, dtype=pl.String))


def _cutoff(section: WavesSection, moment: Moment) -> pl.Expr:
    """Give the next cut-off of the courier, in minutes from the midnight before; one that is over is tomorrow's."""
    at = pl.col("courier").replace_strict(section.minutes, default=None, return_dtype=pl.Int64)
    now = 0 if moment.local is None else moment.local.hour * 60 + moment.local.minute
    return pl.when(at < now).then(at + 24 * 60).otherwise(at).alias("cutoff")


def grouped(rows: pl.DataFrame, rules: Sequence[WaveRule]) -> pl.DataFrame:
    """Give each of `rows` (as `described` gives them) to the first rule that takes it.

    Returns: row and the columns GROUP (`rule` is its number; that of none is the number of rules), `lot`, and
        `passed_over`: the name of the first rule that could not be judged, because a fact is missing.
    """
    left, parts = rows.with_columns(passed_over=pl.lit(None, dtype=pl.String)), []
    for number, rule in enumerate(rules):
        group = _group(number, rule.by)
        lot = pl.col(_LOT[rule.kind]) if rule.kind in _LOT else pl.lit(None, dtype=pl.String)
        asked = left if rule.when is None else left.filter(predicate(rule.when))
        asked = asked.filter(_KINDS[rule.kind]) if rule.kind in _KINDS else asked
        asked = asked.select("row", *group, "passed_over", lot=lot)
        if rule.at_least > 1:
            asked = asked.filter(pl.len().over(*GROUP, "lot") >= rule.at_least)
        parts.append(asked)
        left = left.join(asked, on="row", how="anti", maintain_order="left")
        if rule.when is not None:
            doubt = pl.when(predicate(rule.when).is_null()).then(pl.lit(rule.name))
            left = left.with_columns(passed_over=pl.coalesce("passed_over", doubt))
    rest = left.select("row", *_group(len(rules), []), "passed_over", lot=pl.lit(None, dtype=pl.String))
    return pl.concat([*parts, rest])


def _group(number: int, by: Sequence[By]) -> list[pl.Expr]:
    text, whole = pl.lit(None, dtype=pl.String), pl.lit(None, dtype=pl.Int64)
    empty: dict[By, pl.Expr] = {"courier": text, "cutoff": whole, "size": text, "zone": text}
    keys = [(pl.col(name) if name in by else none).alias(f"same_{name}") for name, none in empty.items()]
    return [pl.col("warehouse"), pl.lit(number, dtype=pl.Int64).alias("rule"), *keys]


def in_order(
    rows: pl.DataFrame, goods: pl.DataFrame, section: WavesSection, walk: Sequence[str]
) -> pl.DataFrame:
    """Order `rows` within each walk: as their rule says, lots together, by the way that fetches what they need.

    Args:
        rows: row, shipment_id, ship_by, rule, lot and `walk`, the columns that name a walk.
        goods: columns GOODS of these rows.

    Returns: `rows` in order, with `first_stop`.
    """
    stops = goods.drop("warehouse").join(rows.select("row", *walk), on="row", maintain_order="left")
    ways = walked(stops, section.path, walk)
    numbered = stops.join(
        ways.select(*walk, "location", "stop"), on=[*walk, "location"], nulls_equal=True, how="left"
    )
    way = (
        numbered.sort("row", "stop", "sku")
        .group_by("row")
        .agg(
            first_stop=pl.col("stop").min(),
            way=pl.col("stop").cast(pl.String).str.zfill(9).str.join(" "),
            first_sku=pl.col("sku").first(),
        )
    )
    promised = [number for number, rule in enumerate(section.rules) if rule.fill == "promise"]
    lot = [*walk, "lot"]
    due = pl.when(pl.col("rule").is_in(promised)).then("ship_by")
    together = pl.col("lot").is_not_null()
    return (
        rows.join(way, on="row", how="left", maintain_order="left")
        .with_columns(
            lot_due=pl.when(together).then(due.min().over(lot)).otherwise(due),
            lot_way=pl.when(together).then(pl.col("way").min().over(lot)).otherwise("way"),
        )
        .sort(
            *walk,
            "lot_due",
            "lot_way",
            "lot",
            "way",
            "first_sku",
            "pieces",
            "ship_by",
            "shipment_id",
            nulls_last=True,
        )
        .drop("lot_due", "lot_way", "way", "first_sku")
    )
