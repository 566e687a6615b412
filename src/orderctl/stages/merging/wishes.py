"""What orders ask of their parcel, and when two of them cannot have it together.

Only wishes that stand count: a seller's note replaces what the buyer asked for. Two values asked for of one kind are
at odds, and so is what one asks for and the other refuses; an order that asks for nothing can go with any.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from orderctl.stages.normalizing.wishes import standing
from orderctl.stages.rules.sections.merge import MergeSection

KINDS = ("courier", "service", "warehouse", "ship_on", "ship_from", "ship_by")
"""Kinds of wishes that a parcel either follows for all of its orders or not at all."""
_DAYS = ("ship_on", "ship_from")  # a parcel would wait for the latest; the earliest `ship_by` suits all
_FOLLOWED = ("courier", "service", "warehouse")
_ONE_ONLY = ("courier", "service", "warehouse", "ship_on")
_NONE = pl.lit([], dtype=pl.List(pl.String))


class Asked(NamedTuple):
    """What the orders of a parcel ask for and refuse, each as `KIND=VALUE`."""

    asks: frozenset[str] = frozenset()
    refuses: frozenset[str] = frozenset()

    @classmethod
    def of(cls, each: Iterable[Asked]) -> Asked:
        """Give the wishes of all."""
        asks, refuses = frozenset[str](), frozenset[str]()
        for one in each:
            asks, refuses = asks | one.asks, refuses | one.refuses
        return cls(asks, refuses)

    def at_odds(self, other: Asked) -> bool:
        """True where one parcel cannot do what both ask."""
        if self.asks & other.refuses or self.refuses & other.asks:
            return True
        return bool(_kinds(self.asks ^ other.asks) & _kinds(self.asks) & _kinds(other.asks))


def _kinds(asks: frozenset[str]) -> set[str]:
    return {ask.partition("=")[0] for ask in asks}


def wishes_of(orders: pl.DataFrame, rules: MergeSection) -> pl.DataFrame:
    """Give what those of `orders` that wish anything ask of their parcel, a row for each of them.

    Returns: `order_id`; `contradicts` (of what stands it can have only one, or none); `wishes`, the text that must be
        equal; `asks` and `refuses`, lists of `KIND=VALUE` that must not be at odds.
    """
    kind = pl.element().struct.field("kind")
    some = orders.filter(pl.col("wishes").list.eval(kind.is_in(KINDS)).list.any())
    found = some.select(
        "order_id",
        *(_said(name, avoid=False).alias(name) for name in KINDS),
        *(_said(name, avoid=True).alias(_not(name)) for name in KINDS),
    )
    twice = pl.any_horizontal(pl.col(name).list.len() > 1 for name in _ONE_ONLY)
    refused = pl.any_horizontal(
        pl.col(name).list.set_intersection(_not(name)).list.len() > 0 for name in KINDS
    )
    follow = rules.wishes == "follow"
    equal = _DAYS if follow else KINDS
    asked, not_asked = pl.concat_list(equal).list.join(","), pl.concat_list(map(_not, equal)).list.join(",")
    return found.select(
        "order_id",
        contradicts=twice | refused,
        wishes=asked + pl.when(not_asked != "").then(" not " + not_asked).otherwise(pl.lit("")),
        asks=pl.concat_list(_FOLLOWED) if follow else _NONE,
        refuses=pl.concat_list(map(_not, _FOLLOWED)) if follow else _NONE,
    )


def _not(kind: str) -> str:
    return f"not {kind}"


def _said(kind: str, *, avoid: bool) -> pl.Expr:
    values = pl.col("wishes").list.eval(standing(kind, avoid=avoid)).list.unique().list.sort()
    return values.list.eval(pl.lit(f"{kind}=") + pl.element())
