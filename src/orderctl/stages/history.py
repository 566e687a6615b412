"""What a buyer did before: how many orders, for how much, and how many came back, as far as `fetch` has read them.

A buyer is one account of one shop, known by a keyed hash. Counted is what was placed before the first order of a shipment,
so the answer for a past shipment is what was true then, except that what came back since counts as having come back.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from orderctl.model.facts import Facts
from orderctl.stages.conditions.facts import HISTORY
from orderctl.stages.normalizing.audit_known import buyer_key


def with_history(shipments: pl.DataFrame, facts: Facts, names: Iterable[str]) -> pl.DataFrame:
    """Give `shipments` with the columns HISTORY, if `names` ask for one of them and the history is among the facts.

    Null is what cannot be known: of a shipment without a buyer, or without the time its orders were placed.
    """
    if facts.history is None or not set(HISTORY) & set(names):
        return shipments
    numbered = shipments.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
    orders = numbered.select("row", "currency", "orders").explode("orders", empty_as_null=True)
    order = pl.col("orders").struct
    each = orders.select(
        "row", "currency", *(order.field(n) for n in ("platform", "shop", "buyer_ref", "placed_at"))
    ).filter(pl.col("buyer_ref").is_not_null())
    buyers = each.select("platform", "shop", "buyer_ref").unique(maintain_order=True)
    buyers = buyers.with_columns(buyer=buyer_key(facts.key))
    whose = each.join(buyers, on=["platform", "shop", "buyer_ref"], maintain_order="left")
    first = whose.group_by("row").agg(first=pl.col("placed_at").min()).drop_nulls()
    pairs = whose.select("row", "currency", "buyer").unique(maintain_order=True).join(first, on="row")
    before = pairs.join(facts.history, on="buyer").filter(pl.col("placed_at") < pl.col("first"))
    same = pl.col("currency_right") == pl.col("currency")
    told = before.group_by("row").agg(
        buyer_orders=pl.len().cast(pl.Int64),
        buyer_spent_minor=pl.col("spent_minor").filter(same).sum(),
        buyer_returns=pl.col("returned").sum(),
    )
    known = first.select("row").join(told, on="row", how="left").with_columns(pl.col(HISTORY).fill_null(0))
    return numbered.join(known, on="row", how="left", maintain_order="left").drop("row")
