"""From raw records to orders: the platforms' mappers, then the stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.mapper import Mapper
from orderctl.model.schema import conform, empty
from orderctl.ports import batches
from orderctl.ports.batches.read import typed_rows
from orderctl.ports.platforms.formats import mappers, payload_types
from orderctl.stages.merging.versions import take_apart
from orderctl.stages.normalize import normalize
from orderctl.stages.rules.book import RuleBook

HISTORY = ("order/1", "shipment/1")
"""What can be normalized again, beside raw records."""


def to_orders(frames: Mapping[str, pl.DataFrame], known: Mapping[str, Mapper]) -> pl.DataFrame:
    """Map one block of typed raw records (format to frame, with `row`) to orders, in the order of `row`."""
    parts = [
        known[name].to_orders(frame.drop("row", "extra")).with_columns(frame["row"], frame["extra"])
        for name, frame in frames.items()
    ]
    if not parts:
        return empty("order/1")
    return conform(pl.concat(parts).sort("row").drop("row"), "order/1")


def order_blocks(
    source: batches.Source, rejects: batches.Rejects, book: RuleBook, facts: Facts, now: str
) -> Iterator[pl.DataFrame]:
    """Read records block by block and give normalized orders."""
    for orders in mapped_blocks(source, rejects):
        yield normalize(orders, book.normalize, facts, now)


def mapped_blocks(source: batches.Source, rejects: batches.Rejects) -> Iterator[pl.DataFrame]:
    """Read raw records block by block and give orders as the platforms' mappers make them.

    Orders are given as they are, shipments taken apart: a row for every order in every shipment.
    """
    known = mappers()
    for frames in batches.read_raw_blocks(source, payload_types(), rejects, HISTORY):
        if "order/1" in frames:
            yield frames["order/1"]
        elif "shipment/1" in frames:
            yield take_apart(frames["shipment/1"])
        else:
            yield to_orders(frames, known)


def mapped_rows(raw: pl.DataFrame) -> pl.DataFrame:
    """Give the orders of a raw/1 frame held in memory (payload as JSON text); unreadable records are left out."""
    return to_orders(typed_rows(raw, payload_types(), batches.Rejects(None)), mappers())


def orders_of(raw: pl.DataFrame, book: RuleBook, facts: Facts, now: str) -> pl.DataFrame:
    """Normalize a raw/1 frame held in memory; see `mapped_rows`."""
    return normalize(mapped_rows(raw), book.normalize, facts, now)
