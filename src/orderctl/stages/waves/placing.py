"""Waves: which routed shipments are picked in one walk, where they stand in it, and why.

Every shipment that is ready and has not begun yet is in exactly one wave. What the ledger holds as committed keeps wave
and place, and its waves are closed: later runs of the same day go on counting. The order of the input does not matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from orderctl.model.facts import Facts
from orderctl.stages.committed import trails
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.plans.rows import ACTIONS
from orderctl.stages.rules.sections.waves import WavesSection
from orderctl.stages.waves.filling import filled
from orderctl.stages.waves.grouping import GROUP, described, goods_of, grouped, in_order

if TYPE_CHECKING:
    from orderctl.stages.rules.book import RuleBook

STEP = "wave"
PARAMS = ("kind", "place", "of", "position", "zone", "courier", "cutoff", "size", "passed_over")
"""What the trail tells of a wave: its kind, the shipment's place in it, its slot of the wall, what is equal in it, and the
first rule that could not be judged."""
PLACED = pl.Schema(
    {
        "row": pl.Int64(),
        "wave": pl.String(),
        "sequence": pl.Int64(),
        "wave_rule": pl.String(),
        "wave_reason": pl.String(),
        **dict.fromkeys(PARAMS, pl.String()),
    }
)


def kept(shipments: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    """Give `shipments` (with `row`) that are committed to a wave: row, wave, sequence."""
    was = pl.col("trail").struct
    held = trails(facts).select("shipment_id", wave=was.field("wave"), sequence=was.field("sequence"))
    held = held.filter(pl.col("wave").is_not_null())
    return (
        shipments.select("row", "shipment_id")
        .join(held, on="shipment_id", maintain_order="left")
        .drop("shipment_id")
    )


def place(shipments: pl.DataFrame, book: RuleBook, facts: Facts, moment: Moment) -> pl.DataFrame:
    """Give every one of `shipments` (routed, with `row`) that is ready and has not begun its wave: columns PLACED."""
    section = book.rules.waves
    begun = facts.commitments.select("shipment_id").unique()
    free = shipments.filter(_is_ready()).join(begun, on="shipment_id", how="anti", maintain_order="left")
    if section is None or free.is_empty():
        return pl.DataFrame(schema=PLACED)
    goods = goods_of(free, book.shelves(facts.stock))
    rows = described(free, goods, section, moment)
    of_group = grouped(rows, section.rules)
    told = rows.select("row", "shipment_id", "ship_by", "articles", "pieces", due="cutoff")
    together = of_group.join(told, on="row", maintain_order="left")
    waves = filled(in_order(together, goods, section, GROUP), section)
    walks = [*GROUP, "part"]
    ordered = in_order(waves.drop("first_stop"), goods, section, walks)
    named = ordered.join(_named(ordered, facts, moment), on=walks, nulls_equal=True, maintain_order="left")
    return _told(
        named.with_columns(sequence=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("wave")), section
    )


def _is_ready() -> pl.Expr:
    line = pl.element().struct.field("quantity")
    carries = pl.col("lines").list.eval(line > 0).list.any()
    found = pl.element().struct
    stops = found.field("severity").is_in(["wait", "block"]) & ~found.field("stage").is_in(ACTIONS)
    return carries & ~pl.col("problems").list.eval(stops).list.any()


def _named(rows: pl.DataFrame, facts: Facts, moment: Moment) -> pl.DataFrame:
    """Number the waves of each warehouse, the earliest cut-off first, then as the rules stand, after those that are committed."""
    walks = [*GROUP, "part"]
    each = rows.group_by(walks).agg(pl.col("due").min()).sort("due", *GROUP[1:], "part", nulls_last=True)
    day = "" if moment.local is None else f"{moment.local:%Y%m%d}-"
    front = pl.format(
        "{}{}",
        pl.lit(day),
        pl.when(pl.col("warehouse").is_null()).then(pl.lit("")).otherwise(pl.format("{}-", "warehouse")),
    )
    before = (
        trails(facts)
        .select(wave=pl.col("trail").struct.field("wave"))
        .select(pl.col("wave").str.extract_groups(r"^(?<front>.*?)(?<last>[0-9]+)$"))
        .unnest("wave")
        .group_by("front")
        .agg(pl.col("last").cast(pl.Int64, strict=False).max())
    )
    counted = each.with_columns(front=front).join(before, on="front", how="left", maintain_order="left")
    number = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("front") + pl.col("last").fill_null(0)
    return counted.select(*walks, wave=pl.format("{}{}", "front", number.cast(pl.String).str.zfill(2)))


def _told(rows: pl.DataFrame, section: WavesSection) -> pl.DataFrame:
    names = {number: rule.name for number, rule in enumerate(section.rules)}
    kinds = {number: rule.kind for number, rule in enumerate(section.rules)}
    slots = [
        (number, place, rule.wall.slot(place - 1))
        for number, rule in enumerate(section.rules)
        if rule.wall is not None
        for place in range(1, rule.wall.slots + 1)
    ]
    wall = pl.DataFrame(slots, {"rule": pl.Int64, "sequence": pl.Int64, "position": pl.String}, orient="row")
    cutoff = pl.col("same_cutoff")
    clock = pl.format(
        "{}:{}",
        (cutoff // 60 % 24).cast(pl.String).str.zfill(2),
        (cutoff % 60).cast(pl.String).str.zfill(2),
    )
    of_rule = pl.col("rule").replace_strict(names, default=None, return_dtype=pl.String)
    return (
        rows.join(wall, on=["rule", "sequence"], how="left", maintain_order="left")
        .select(
            "row",
            "wave",
            "sequence",
            "position",
            "passed_over",
            zone="same_zone",
            courier="same_courier",
            size="same_size",
            wave_rule=of_rule,
            wave_reason=pl.when(of_rule.is_null()).then(pl.lit("no_match")).otherwise(pl.lit("rule")),
            kind=pl.col("rule").replace_strict(kinds, default=None, return_dtype=pl.String),
            place=pl.col("sequence").cast(pl.String),
            of=pl.len().over("wave").cast(pl.String),
            cutoff=pl.when(cutoff >= 24 * 60).then(pl.format("{} +1", clock)).otherwise(clock),
        )
        .select(PLACED.names())
    )
