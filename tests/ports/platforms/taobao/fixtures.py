"""Recorded orders of Taobao as raw records, by format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from tests.ports.platforms.golden import raw_frame, read_files

HERE = Path(__file__).parent


ASKED = ["4012345678900000100", "4012345678900000200"]
"""What the platform answered when it was asked which orders share a recipient."""


def recorded() -> list[dict[str, Any]]:
    return [json.loads(text)["trade"] for text in (HERE / "trades.jsonl").read_text("utf-8").splitlines()]


def wrapped() -> pl.DataFrame:
    trades = recorded()
    facts = [{"same_recipient": ASKED} if at < 2 else None for at in range(len(trades))]
    return raw_frame("taobao/trade", trades, [trade["tid_str"] for trade in trades], facts)


def simplified() -> pl.DataFrame:
    trades = recorded()
    for trade in trades:
        for field, inner in (("orders", "order"), ("promotion_details", "promotion_detail")):
            if field in trade:
                trade[field] = trade[field][inner]
    return raw_frame("taobao/trade-simplified", trades, [trade["tid_str"] for trade in trades])


SOURCES: dict[str, Callable[[], pl.DataFrame]] = {
    "taobao/trade": wrapped,
    "taobao/trade-simplified": simplified,
    "taobao/export-csv": lambda: (
        read_files("taobao/ExportOrderList.csv", "taobao/ExportOrderDetailList.csv").raw
    ),
}
