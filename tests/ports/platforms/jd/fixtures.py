"""Recorded orders of JD as raw records, by format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from tests.ports.platforms.golden import raw_frame, read_files

HERE = Path(__file__).parent
ASKED = {"290000000001": "group-1", "290000000014": "group-1"}
"""What the platform answered when it was asked which orders share a recipient."""


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(text)["order"] for text in (HERE / name).read_text("utf-8").splitlines()]


def recorded(form: str, name: str) -> pl.DataFrame:
    orders = cases(name)
    refs = [str(order["orderId"]) for order in orders]
    facts = [{"same_recipient": ASKED[ref]} if ref in ASKED else None for ref in refs]
    return raw_frame(form, orders, refs, facts)


SOURCES: dict[str, Callable[[], pl.DataFrame]] = {
    "jd/order": lambda: recorded("jd/order", "orders.jsonl"),
    "jd/sp-order": lambda: recorded("jd/sp-order", "sp-orders.jsonl"),
    "jd/export-csv": lambda: read_files("jd/orders.csv").raw,
}
