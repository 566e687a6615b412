"""Shipments as plain rows, for the actions and for looking at one."""

from __future__ import annotations

from typing import Any

import polars as pl

from orderctl.cli.session import Session
from orderctl.model.facts import Facts
from orderctl.model.schema import SHIPMENT
from orderctl.ports import batches
from orderctl.stages.merge import MergeRules, merge
from orderctl.stages.merging.gift_rules import GiftRules
from orderctl.stages.merging.gifts import has_gifts

_APART = MergeRules(max_orders=1, suggest=False)


def to_shipments(session: Session, block: batches.Block, facts: Facts) -> pl.DataFrame:
    """Give a block as shipments; orders become shipments of their own, without gifts but those that are committed."""
    if block.kind == "shipment/1":
        return block.frame
    gifts = session.book.kept_gifts if has_gifts(facts) else GiftRules()
    return merge(block.frame, _APART, facts, session.now, gifts)


def read_frame(session: Session, batch: str, rejects: batches.Rejects) -> pl.DataFrame:
    """Read shipments; orders are taken as shipments of their own."""
    with batches.open_source(batch) as source:
        found = batches.read_whole(source, ["shipment/1", "order/1"], rejects)
    return to_shipments(session, found, session.facts())


def read_rows(session: Session, batch: str, rejects: batches.Rejects) -> list[dict[str, Any]]:
    """Read shipments as plain rows."""
    return read_frame(session, batch, rejects).to_dicts()


def write_rows(rows: list[dict[str, Any]], output: str, format: str | None) -> None:
    """Write shipments from plain rows."""
    frame = pl.DataFrame(rows, schema=SHIPMENT)
    batches.write_batch([frame], output, kind="shipment/1", format=batches.format_of(output, format))
