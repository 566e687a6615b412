"""Past shipments dealt out of a frozen stock under two books of rules: how many parcels leave, and what waits.

Unlike the rest of a simulation this needs all shipments at once, and one time for all: stock is of one time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from orderctl.model.facts import COMMITMENTS, Facts
from orderctl.stages.route import route
from orderctl.stages.rules.book import RuleBook

COUNTED = ("shipments", "split", "parcels", "out_of_stock", "warehouse_full")
"""What is counted: shipments that come out, those that are split, parcels, and what waits for stock or for tomorrow."""
SPLITS = pl.Schema({"what": pl.String(), "old": pl.Int64(), "new": pl.Int64(), "difference": pl.Int64()})


def splits(shipments: pl.DataFrame, old: RuleBook, new: RuleBook, facts: Facts, at: str) -> pl.DataFrame:
    """Give COUNTED before and after, as columns SPLITS.

    Args:
        facts: with a stock. What its commitments bind has not begun here; what other shipments have been bound to take is gone.
        at: the instant (RFC 3339, UTC) at which all of it is dealt out.
    """
    own = shipments["shipment_id"].implode()
    free = replace(
        facts,
        commitments=pl.DataFrame(schema=COMMITMENTS),
        reserved=facts.reserved.filter(~pl.col("shipment_id").is_in(own)),
    )
    before, after = (_counted(route(shipments, book, free, at)) for book in (old, new))
    rows = [(what, before[what], after[what], after[what] - before[what]) for what in COUNTED]
    return pl.DataFrame(rows, schema=SPLITS, orient="row")


def _counted(routed: pl.DataFrame) -> Mapping[str, int]:
    step, found = pl.element().struct, pl.element().struct.field("code")
    torn = pl.col("decision").list.eval(step.field("outcome").filter(step.field("step") == "split"))
    waits = {
        code: pl.col("problems").list.eval(found == code).list.any().sum()
        for code in ("out_of_stock", "warehouse_full")
    }
    return routed.select(
        shipments=pl.len(),
        split=torn.list.first().drop_nulls().n_unique(),
        parcels=pl.col("parcels").list.len().clip(1).sum(),
        **waits,
    ).row(0, named=True)
