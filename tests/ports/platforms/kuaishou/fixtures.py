"""Recorded orders of Kuaishou as raw records, by format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from tests.ports.platforms.golden import raw_frame, read_files

HERE = Path(__file__).parent
REFUNDS = {"2632400000000010": {"refund": {"refundId": 88000010, "status": 60, "refundFee": 300}}}
"""What the platform answered when it was asked how much went back."""


def recorded() -> list[dict[str, Any]]:
    return [json.loads(text)["order"] for text in (HERE / "orders.jsonl").read_text("utf-8").splitlines()]


def orders() -> pl.DataFrame:
    found = recorded()
    refs = [str(order["orderBaseInfo"]["oid"]) for order in found]
    parts = [json.dumps(REFUNDS[ref]) if ref in REFUNDS else None for ref in refs]
    return raw_frame("kuaishou/order", found, refs).with_columns(pl.Series("parts", parts, dtype=pl.String))


SOURCES: dict[str, Callable[[], pl.DataFrame]] = {
    "kuaishou/order": orders,
    "kuaishou/export-csv": lambda: read_files("kuaishou/orders.csv").raw,
}
