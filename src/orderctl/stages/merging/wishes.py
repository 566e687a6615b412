"""What orders ask of their parcel, and when two of them cannot have it together.

Only wishes that stand count: a seller's note replaces what the buyer asked for. Two values asked for of one kind are
at odds, and so is what one asks for and the other refuses; an order that asks for nothing can go with any.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from orderctl.stages.rules.sections.merge import MergeSection

KINDS = ("courier", "service", "warehouse", "ship_on", "ship_from", "ship_by")
"""Kinds of wishes that a parcel either follows for all of its orders or not at all."""
_DAYS = ("ship_on", "ship_from")  # a parcel would wait for the latest; the earliest `ship_by` suits all
_FOLLOWED = ("courier", "service", "warehouse")
_ONE_ONLY = ("courier", "service", "warehouse", "ship_on")


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
    """Give what those of `orders` that wish anything ask of their parcel, a row for each of them, by `order_id`.

    Returns: `order_id`; `contradicts` (of what stands it can have only one, or none); `wishes`, the text that must be
        equal; `asks` and `refuses`, lists of `KIND=VALUE` that must not be at odds.
    """
    each = _standing(orders)
    asked, kind = ~pl.col("avoid"), pl.col("kind")
    twice = (asked & kind.is_in(_ONE_ONLY)).sum().over("order_id", "kind") > 1
    both = pl.len().over("order_id", "wish") > 1  # asked for and refused
    follow = rules.wishes == "follow"
    equal = kind.is_in(_DAYS if follow else KINDS)
    must_not_clash = kind.is_in(_FOLLOWED) if follow else pl.lit(False)
    said = pl.when("avoid").then(pl.lit("not ")).otherwise(pl.lit("")) + pl.col("wish")
    return (
        each.with_columns(twice=twice, both=both)
        .group_by("order_id", maintain_order=True)
        .agg(
            contradicts=(pl.col("twice") | pl.col("both")).any(),
            wishes=said.filter(equal).str.join(","),
            asks=pl.col("wish").filter(must_not_clash & asked),
            refuses=pl.col("wish").filter(must_not_clash & ~asked),
        )
    )


def _standing(orders: pl.DataFrame) -> pl.DataFrame:
    """Give `order_id kind wish avoid`, sorted, a row for each different wish that stands; `wish` is `KIND=VALUE`.

    The same as the `standing` of one kind, for all of them at once.
    """
    every = orders.select("order_id", "wishes").filter(pl.col("wishes").list.len() > 0)
    each = (
        every.explode("wishes")
        .unnest("wishes")
        .filter(pl.col("kind").is_in(KINDS), pl.col("value").is_not_null())
    )
    each = each.select(
        "order_id",
        "kind",
        wish=pl.concat_str("kind", "value", separator="="),
        avoid=pl.col("avoid").fill_null(False),
        seller=(pl.col("source") == "seller_note").fill_null(False),
    )
    asks, refuses = pl.col("seller") & ~pl.col("avoid"), pl.col("seller") & pl.col("avoid")
    contradicted = (
        pl.when("avoid")
        .then(asks.any().over("order_id", "wish"))
        .otherwise(refuses.any().over("order_id", "wish"))
    )
    replaced = ~pl.col("avoid") & asks.any().over("order_id", "kind")
    stands = pl.col("seller") | ~(contradicted | replaced)
    return each.filter(stands).select("order_id", "kind", "wish", "avoid").unique().sort(pl.all())
