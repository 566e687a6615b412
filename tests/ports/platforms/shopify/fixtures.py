"""Recorded orders of Shopify as raw records, by format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl

from tests.ports.platforms.golden import raw_frame, read_files

HERE = Path(__file__).parent


def nodes() -> pl.DataFrame:
    found = [json.loads(text)["node"] for text in (HERE / "nodes.jsonl").read_text("utf-8").splitlines()]
    return raw_frame("shopify/graphql", found, [node["legacyResourceId"] for node in found])


SOURCES: dict[str, Callable[[], pl.DataFrame]] = {
    "shopify/graphql": nodes,
    "shopify/export-csv": lambda: read_files("shopify/orders_export.csv").raw,
}
