"""Orders with one key put into parcels: by time, never more than the cap, and as people decided.

Where nobody decided anything, parcels fill up in the order in which orders were placed. Only the few groups about
which somebody did are looked at one by one.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.identity import SEPARATOR
from orderctl.stages.merging.decisions import Said
from orderctl.stages.rules.sections.merge import MergeSection


def in_parcels(keyed: pl.DataFrame, rules: MergeSection, said: Said) -> pl.DataFrame:
    """Give `keyed` with `session`, `group` (the name of its parcel) and `barred` (a person keeps it apart from one of its key).

    Args:
        keyed: has `order_id placed_at key pin`.
        rules: cap and window.
        said: pairs that never share a parcel.
    """
    ordered = keyed.sort("key", "placed_at", "order_id", nulls_last=True)
    hours = pl.col("placed_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False).dt.epoch("s") / 3600
    gap = (hours - hours.shift(1).over("key")).fill_null(0)
    late = gap > rules.window_hours if rules.window_hours else pl.lit(False)
    timed = ordered.with_columns(session=late.cum_sum().over("key"))
    place = pl.int_range(pl.len()).over("key", "session")
    placed = timed.with_columns(chunk=(place // rules.max_orders).cast(pl.Int64), barred=pl.lit(False))
    special = _decided_about(placed, said)
    if special.height:
        decided = _by_hand(placed.join(special, on="key", how="semi"), rules.max_orders, said)
        placed = pl.concat([placed.join(special, on="key", how="anti"), decided])
    return placed.with_columns(group=pl.concat_str("key", "session", "chunk", separator=SEPARATOR))


def _decided_about(placed: pl.DataFrame, said: Said) -> pl.DataFrame:
    """Give the `key` of groups with pinned orders, or with orders that must not be together."""
    if said.pins.is_empty() and not said.apart:
        return placed.select("key").clear()
    paired = placed.select("key", "order_id").join(said.pairs, on="order_id")
    paired = paired.join(placed.select("key", other="order_id"), on=["key", "other"])
    return pl.concat(
        [placed.filter(pl.col("pin").is_not_null()).select("key"), paired.select("key")]
    ).unique()


def _by_hand(placed: pl.DataFrame, cap: int, said: Said) -> pl.DataFrame:
    """Put the orders of each key into parcels one by one, pinned ones at once, each where it first may be."""
    enemies: dict[str, set[str]] = {}
    for one, other in said.pairs.iter_rows():
        enemies.setdefault(one, set()).add(other)
    home: dict[str, tuple[int, int, bool]] = {}
    for (_,), rows in placed.group_by("key", maintain_order=True):
        here = set(rows["order_id"])
        open_parcels: dict[int, tuple[int, set[str]]] = {}  # number -> session, orders; full ones leave
        opened = 0
        for session, block in _blocks(rows, enemies):
            foes = set().union(*(enemies.get(one, ()) for one in block))
            at = opened
            for number, (of, orders) in open_parcels.items():
                if of == session and len(orders) + len(block) <= cap and not foes & orders:
                    at = number
                    break
            else:
                open_parcels[opened] = (session, set())
                opened += 1
            held = open_parcels[at][1]
            held.update(block)
            if len(held) >= cap:
                del open_parcels[at]
            home.update({one: (session, at, bool(enemies.get(one, set()) & here)) for one in block})
    seats = [home[one] for one in placed["order_id"]]
    names = pl.Schema({"session": placed.schema["session"], "chunk": pl.Int64(), "barred": pl.Boolean()})
    return placed.with_columns(pl.DataFrame(seats, schema=names, orient="row"))


def _blocks(rows: pl.DataFrame, enemies: dict[str, set[str]]) -> list[tuple[int, list[str]]]:
    """Give the orders of a key in the order in which they find a parcel, those that must be together as one."""
    blocks: dict[str, tuple[int, list[str]]] = {}
    for order_id, session, pin in rows.select("order_id", "session", "pin").iter_rows():
        name = f"pin {pin}" if pin else f"order {order_id}"
        blocks.setdefault(name, (session, []))[1].append(order_id)
    found: list[tuple[int, list[str]]] = []
    for session, block in blocks.values():
        at_odds = any(enemies.get(one, set()) & set(block) for one in block)
        found += [(session, [one]) for one in block] if at_odds else [(session, block)]
    return found
