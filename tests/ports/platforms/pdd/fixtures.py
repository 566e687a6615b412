"""Recorded orders of Pinduoduo as raw records, by format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from tests.ports.platforms.golden import raw_frame, read_files

HERE = Path(__file__).parent


def recorded() -> dict[str, dict[str, Any]]:
    """Give the orders by what they are about."""
    rows = [json.loads(text) for text in (HERE / "orders.jsonl").read_text("utf-8").splitlines()]
    return {row["about"]: row["order"] for row in rows}


def orders() -> pl.DataFrame:
    found = list(recorded().values())
    return raw_frame("pdd/order", found, [order["order_sn"] for order in found])


SOURCES: dict[str, Callable[[], pl.DataFrame]] = {
    "pdd/order": orders,
    "pdd/export-csv": lambda: read_files("pdd/orders.csv").raw,
}
