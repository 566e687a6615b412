"""Recorded orders of Douyin as raw records, by format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl

from tests.ports.platforms.golden import raw_frame, read_files

HERE = Path(__file__).parent


def orders() -> pl.DataFrame:
    rows = [json.loads(text) for text in (HERE / "orders.jsonl").read_text("utf-8").splitlines()]
    found = [row["order"] for row in rows]
    return raw_frame(
        "douyin/order", found, [o["order_id"] for o in found], [row.get("facts") for row in rows]
    )


SOURCES: dict[str, Callable[[], pl.DataFrame]] = {
    "douyin/order": orders,
    "douyin/export-csv": lambda: read_files("douyin/orders.csv").raw,
}
