"""Recorded orders of Amazon as raw records, by format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from tests.ports.platforms.golden import raw_frame, read_files

HERE = Path(__file__).parent


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(text)["order"] for text in (HERE / name).read_text("utf-8").splitlines()]


def recorded(form: str, name: str, ref: str) -> pl.DataFrame:
    orders = cases(name)
    return raw_frame(form, orders, [order[ref] for order in orders])


SOURCES: dict[str, Callable[[], pl.DataFrame]] = {
    "amazon/order": lambda: recorded("amazon/order", "orders.jsonl", "orderId"),
    "amazon/order-v0": lambda: recorded("amazon/order-v0", "orders-v0.jsonl", "AmazonOrderId"),
    "amazon/export-unshipped": lambda: read_files("amazon/unshipped.txt").raw,
    "amazon/export-all": lambda: read_files("amazon/all-orders.txt").raw,
}
