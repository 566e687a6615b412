"""What couriers take a day, dealt out in one order: who has promised soonest is asked first.

Invariant: over all rows that are placed, and what is used already, no limit is exceeded. A limit that the next in turn
does not fit into is closed to all after it, so that nobody is overtaken. The rounds below give what asking one row
after the other would: a limit's closing only ever moves forward, as each of its places is fought for by rows that no
other limit can take back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from orderctl.model.facts import QUOTA_USED, Facts
from orderctl.stages.choosing.timetable import limits_frame, with_limit
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.rules.book import RuleBook


@dataclass(frozen=True)
class Room:
    """What has been used today (columns QUOTA_USED), and in which turn rows are placed [row, turn].

    Without turns each row is judged alone, as if it were the next.
    """

    used: pl.DataFrame
    turns: pl.DataFrame | None = None


def place(
    asked: pl.DataFrame,
    pinned: pl.DataFrame,
    parcels: pl.DataFrame,
    book: RuleBook,
    moment: Moment,
    room: Room,
) -> pl.DataFrame:
    """Add `full` to candidates: whether no room is left for the row that asks.

    Args:
        asked: the candidates of each row in the order they are asked: row, limit, said (why it does not deliver).
        pinned: rows that a person has placed: they take room before all others (row, courier, account, warehouse).
        parcels: one row for each parcel (row).
    """
    counts = parcels.group_by("row").agg(parcels=pl.len().cast(pl.Int64))
    taken = room.used
    if room.turns is not None:
        own = pinned.join(counts, on="row", how="left").select(QUOTA_USED.names())
        taken = pl.concat([room.used, own])
    left = _left(taken, book, moment)
    asking = asked.with_row_index("asking").join(counts, on="row", how="left", maintain_order="left")
    bounded = asking.join(left, on="limit", how="left", maintain_order="left")
    bounded = bounded.with_columns(pl.col("left").fill_null(_ENDLESS))
    if room.turns is None:
        return asked.with_columns(bounded.select(full=pl.col("parcels") > pl.col("left")).to_series())
    queued = bounded.join(room.turns, on="row", how="left", maintain_order="left")
    closed = _closed(queued.filter(pl.col("said").is_null()))
    full = queued.join(closed, on="limit", how="left", maintain_order="left").select(
        full=(pl.col("turn") >= pl.col("closed")).fill_null(False)
    )
    return asked.with_columns(full.to_series())


_ENDLESS = 2**40


def _left(used: pl.DataFrame, book: RuleBook, moment: Moment) -> pl.DataFrame:
    """Give [limit, left] of the limits that count parcels; less than 0 where more has been used."""
    limits = limits_frame(book.rules.limits).filter(pl.col("room").is_not_null())
    counted = with_limit(used, book.rules.limits, moment).group_by("limit").agg(pl.col("parcels").sum())
    found = limits.join(counted, on="limit", how="left", maintain_order="left")
    return found.select("limit", left=pl.col("room") - pl.col("parcels").fill_null(0))


def _closed(queued: pl.DataFrame) -> pl.DataFrame:
    """Give [limit, closed]: the turn from which on a limit takes nobody."""
    closed = pl.DataFrame(schema={"limit": pl.Int32, "closed": queued.schema["turn"]})
    asking = queued.select("row", "limit", "left", "parcels", "turn")
    while True:
        now = asking.unique("row", keep="first", maintain_order=True).sort("turn")
        wanted = now.filter(pl.col("left") < _ENDLESS).with_columns(
            sum=pl.col("parcels").cum_sum().over("limit")
        )
        over = (
            wanted.filter(pl.col("sum") > pl.col("left")).group_by("limit").agg(closed=pl.col("turn").min())
        )
        if over.is_empty():
            return closed
        closed = pl.concat([closed, over]).group_by("limit").agg(pl.col("closed").min())
        asking = asking.join(closed, on="limit", how="left", maintain_order="left")
        asking = asking.filter((pl.col("turn") < pl.col("closed")).fill_null(True)).drop("closed")


def remembering(facts: Facts, row: Mapping[str, Any]) -> Facts:
    """Give `facts` with what the trail of a routed shipment says was full: only the whole batch could tell."""
    steps = [step for step in row.get("decision") or () if step["step"] == "courier"]
    told = [p["value"] for step in steps for p in step["params"] if p["name"] == "full" and p["value"]]
    names = [name.partition(" ") for value in told for name in value.split("; ")]
    rows = [(courier, account or None, row.get("warehouse"), _ENDLESS) for courier, _, account in names]
    full = pl.DataFrame(rows, schema=QUOTA_USED, orient="row")
    return replace(facts, quota_used=pl.concat([facts.quota_used, full]))


def room_of(shipments: pl.DataFrame, facts: Facts) -> Room:
    """Give the room for a batch: what is ready comes first, by what has been promised, then by id.

    Args:
        shipments: a batch `shipment/1`; whatever problem of an earlier stage keeps from leaving stands behind.
    """
    waiting = pl.element().struct.field("severity").is_in(["wait", "block"])
    own = pl.element().struct.field("stage") == "route"
    turns = shipments.select(
        "ship_by",
        "shipment_id",
        waits=pl.col("problems").list.eval(waiting & ~own).list.any(),
        row=pl.int_range(pl.len(), dtype=pl.Int64),
    ).sort("waits", "ship_by", "shipment_id", nulls_last=True, maintain_order=True)
    return Room(facts.quota_used, turns.select("row", turn=pl.int_range(pl.len(), dtype=pl.Int64)))
