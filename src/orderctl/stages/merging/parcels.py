"""Orders with one key put into parcels: by time, never more than the cap, wishes kept, and as people decided.

Orders find their parcel in the order in which they were placed (equally old ones by id): each goes into the first one
that has room, and with whose wishes its own are not at odds. Only groups with wishes at odds, or about which somebody
decided, are looked at one by one; all others fill up by counting, which comes to the same.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import polars as pl

from orderctl.model.identity import SEPARATOR
from orderctl.stages.merging.decisions import Said
from orderctl.stages.merging.wishes import Asked
from orderctl.stages.rules.sections.merge import MergeSection

_Seat = tuple[int, int, bool, bool]  # session, number of the parcel, barred, at odds


def in_parcels(keyed: pl.DataFrame, rules: MergeSection, said: Said) -> pl.DataFrame:
    """Give `keyed` with `session`, `group` (the name of its parcel), `barred` and `at_odds`.

    The last two tell of an order which a person, or its wishes, keep apart from one of its key.

    Args:
        keyed: has `order_id placed_at key pin asks refuses`.
        rules: cap and window.
        said: pairs that never share a parcel.
    """
    ordered = keyed.sort("key", "placed_at", "order_id", nulls_last=True)
    hours = pl.col("placed_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False).dt.epoch("s") / 3600
    gap = (hours - hours.shift(1).over("key")).fill_null(0)
    late = gap > rules.window_hours if rules.window_hours else pl.lit(False)
    timed = ordered.with_columns(session=late.cum_sum().over("key"))
    place = pl.int_range(pl.len()).over("key", "session")
    placed = timed.with_columns(
        chunk=(place // rules.max_orders).cast(pl.Int64), barred=pl.lit(False), at_odds=pl.lit(False)
    )
    special = pl.concat([_decided_about(placed, said), _at_odds(placed)]).unique()
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


def _at_odds(placed: pl.DataFrame) -> pl.DataFrame:
    """Give the `key` of groups with wishes that one parcel cannot all follow."""
    wished = placed.filter((pl.col("asks").list.len() > 0) | (pl.col("refuses").list.len() > 0))
    by_key = (
        wished.filter(pl.len().over("key") > 1)
        .group_by("key")
        .agg(
            asks=pl.col("asks").list.explode(empty_as_null=False).unique(),
            refuses=pl.col("refuses").list.explode(empty_as_null=False).unique(),
        )
    )
    kinds = pl.col("asks").list.eval(pl.element().str.extract("^([^=]*)=").n_unique()).list.first()
    refused = pl.col("asks").list.set_intersection("refuses").list.len() > 0
    return by_key.filter(refused | (pl.col("asks").list.len() > kinds)).select("key")


class _Order(NamedTuple):
    """An order that is looked at by itself, with what it asks for and refuses."""

    order_id: str
    session: int
    pin: str | None
    asks: list[str] | None
    refuses: list[str] | None


class _Parcel:
    """Orders that travel together so far."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.orders: set[str] = set()
        self.asked = Asked()

    def may_hold(self, asked: Asked, foes: set[str]) -> bool:
        """True where nobody here is among `foes` or has wishes at odds with those of `asked`."""
        return not foes & self.orders and not asked.at_odds(self.asked)

    def add(self, orders: list[str], asked: Asked) -> None:
        """Put `orders` in, with what they ask."""
        self.orders.update(orders)
        self.asked = Asked.of([self.asked, asked])


def _by_hand(placed: pl.DataFrame, cap: int, said: Said) -> pl.DataFrame:
    """Put the orders of each key into parcels one by one, pinned ones at once, each where it first may be."""
    enemies: dict[str, set[str]] = {}
    for one, other in said.pairs.iter_rows():
        enemies.setdefault(one, set()).add(other)
    home: dict[str, _Seat] = {}
    every = placed.select("key", "order_id", "session", "pin", "asks", "refuses").iter_rows()
    for _, rows in groupby(every, key=itemgetter(0)):  # sorted by key
        home |= _seated([_Order(*row) for _, *row in rows], cap, enemies)
    names = {
        "session": placed.schema["session"],
        "chunk": pl.Int64(),
        "barred": pl.Boolean(),
        "at_odds": pl.Boolean(),
    }
    seats = pl.DataFrame([home[one] for one in placed["order_id"]], schema=pl.Schema(names), orient="row")
    return placed.with_columns(seats)


def _seated(rows: list[_Order], cap: int, enemies: dict[str, set[str]]) -> dict[str, _Seat]:
    """Give each order of one key its session and the number of its parcel, and whether others keep it apart."""
    wishes = {one.order_id: Asked(frozenset(one.asks or ()), frozenset(one.refuses or ())) for one in rows}
    different = set(wishes.values())
    seats: dict[str, _Seat] = {}
    open_parcels: dict[int, _Parcel] = {}  # by number; full ones leave, and those of an earlier session
    opened, now = 0, None
    for session, block in _blocks(rows, enemies):
        if session != now:
            open_parcels, now = {}, session
        asked = Asked.of(wishes[one] for one in block)
        foes = set[str]().union(*(enemies.get(one, ()) for one in block))
        for parcel in open_parcels.values():
            if len(parcel.orders) + len(block) <= cap and parcel.may_hold(asked, foes):
                break
        else:
            parcel = open_parcels[opened] = _Parcel(opened)
            opened += 1
        parcel.add(block, asked)
        if len(parcel.orders) >= cap:
            del open_parcels[parcel.number]
        for one in block:
            barred = not enemies.get(one, set()).isdisjoint(wishes)
            seats[one] = (
                session,
                parcel.number,
                barred,
                any(wishes[one].at_odds(other) for other in different),
            )
    return seats


def _blocks(rows: list[_Order], enemies: dict[str, set[str]]) -> list[tuple[int, list[str]]]:
    """Give the orders of a key in the order in which they find a parcel, those that must be together as one."""
    blocks: dict[str, tuple[int, list[str]]] = {}
    for one in rows:
        name = f"pin {one.pin}" if one.pin else f"order {one.order_id}"
        blocks.setdefault(name, (one.session, []))[1].append(one.order_id)
    found: list[tuple[int, list[str]]] = []
    for session, block in blocks.values():
        at_odds = any(enemies.get(each, set()) & set(block) for each in block)
        found += [(session, [each]) for each in block] if at_odds else [(session, block)]
    return found
