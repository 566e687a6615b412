"""Orders become shipments: the newest version of each order, and one shipment for what travels together.

`merge` is idempotent, commutative and associative: `merge(merge(a) + merge(b))` is `merge(a + b)`, for any batches
a and b that may overlap. Nothing is dropped: an order that may not be joined, or of which nothing is left to ship,
is a shipment of its own and says why. Taking a shipment apart yields its orders, field for field.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.schema import SHIPMENT, conform, empty
from orderctl.stages.committed import restore
from orderctl.stages.merging.cards import CardRules, with_cards
from orderctl.stages.merging.decisions import read_decisions
from orderctl.stages.merging.findings import with_problems, with_suggestions
from orderctl.stages.merging.gift_lines import OURS
from orderctl.stages.merging.gift_rules import GiftRules
from orderctl.stages.merging.gifts import with_gifts
from orderctl.stages.merging.groups import carried, commitments_here, orders_beyond
from orderctl.stages.merging.keys import shown_key
from orderctl.stages.merging.shipments import assembled, placements
from orderctl.stages.merging.suggestions import suggested
from orderctl.stages.merging.versions import newest, take_apart
from orderctl.stages.rules.sections.merge import MergeSection

MergeRules = MergeSection
_NO_GIFTS, _NO_CARDS = GiftRules(), CardRules()


def merge(
    rows: pl.DataFrame,
    rules: MergeRules,
    facts: Facts,
    now: str,
    gifts: GiftRules = _NO_GIFTS,
    cards: CardRules = _NO_CARDS,
) -> pl.DataFrame:
    """Give the shipments of `rows`, the most urgent first.

    What later commands had filled in (warehouse, parcels, labels) is computed again or replayed by them; shipments
    that are no sales (resends, exchanges, returns) pass through as they are.

    Args:
        rows: a batch `order/1` or `shipment/1`, with any number of versions of an order.
        rules: what may be joined.
        facts: commitments, people's decisions (`never_merge`, `always_merge`), groups of shops.
        now: the instant (RFC 3339, UTC) that ends holds.
        gifts: what is given with shipments; what is committed keeps the gifts it has.
        cards: what is written on cards, likewise.

    Raises: DataError for a decision that names no orders.
    """
    said = read_decisions(facts.decisions)
    rows = rows.rechunk()
    others = empty("shipment/1")
    if "shipment_id" in rows.columns:
        others = _newest_of_others(rows.filter(pl.col("purpose") != "sale"))
        rows = take_apart(rows.filter(pl.col("purpose") == "sale"))
    orders = newest(rows)
    lines = (
        orders.filter(pl.col("lines").list.len() > 0)
        .select("order_id", "status", "lines")
        .explode("lines")
        .unnest("lines")
    )
    committed = commitments_here(lines, facts).filter(~pl.col("line_ref").str.starts_with(OURS))
    content = carried(orders, lines, committed, rules, facts, said, now)
    placed = placements(orders, lines, content)
    suggestions = suggested(placed, rules, facts, said)
    whole = assembled(placed, lines, content, facts, shown_key(rules, facts), said)
    filled = with_cards(with_gifts(whole, gifts, facts, now), cards, facts, now)
    shipments = with_suggestions(filled, suggestions)
    beyond = orders_beyond(lines, committed)
    found = with_problems(shipments, placed, beyond, suggestions, facts)
    kept = restore(conform(found, "shipment/1"), facts, "merge", ("merge", "cards"))
    return _in_order(pl.concat([kept, others]))


def _in_order(shipments: pl.DataFrame) -> pl.DataFrame:
    """Give the most urgent first; nothing is moved where they are in order, as those just put together are."""
    first_placed = pl.col("orders").list.eval(pl.element().struct.field("placed_at")).list.first()
    keys = shipments.select("ship_by", "shipment_id", first_placed=first_placed, at=pl.int_range(pl.len()))
    at = keys.sort("ship_by", "first_placed", "shipment_id", nulls_last=True)["at"]
    return shipments if at.is_sorted() else shipments[at]


def _newest_of_others(shipments: pl.DataFrame) -> pl.DataFrame:
    """Give each shipment that is no sale once; of several versions the one whose content sorts last."""
    content = pl.struct(SHIPMENT.names()).struct.json_encode()
    ranked = shipments.with_columns(content=content).sort("shipment_id", "content")
    return ranked.unique("shipment_id", keep="last", maintain_order=True).select(SHIPMENT.names())
