"""Fixtures of every format as raw records and as orders; goldens are rewritten with ORDERCTL_GOLDEN=write."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from orderctl.model.schema import conform
from orderctl.ports.platforms.formats import layouts, mappers
from orderctl.ports.tables.exports import Exported, read_export
from orderctl.ports.tables.mapped import parse_column_map

HERE = Path(__file__).parent
NOW = "2026-11-24T00:00:00Z"
ROOT = HERE.parent.parent.parent


def raw_frame(
    form: str, records: list[dict[str, Any]], refs: list[str], facts: list[Any] | None = None
) -> pl.DataFrame:
    """Give raw/1 records of payloads."""
    return conform(
        pl.DataFrame(
            {
                "platform": [form.split("/", maxsplit=1)[0]] * len(records),
                "shop": ["s1"] * len(records),
                "platform_ref": refs,
                "format": [form] * len(records),
                "observed_at": [NOW] * len(records),
                "source": ["fixture"] * len(records),
                "payload": [json.dumps(r, ensure_ascii=False) for r in records],
                "facts": [None if f is None else json.dumps(f) for f in facts or [None] * len(records)],
            },
            schema_overrides={"facts": pl.String, "payload": pl.String, "platform_ref": pl.String},
        ),
        "raw/1",
    )


def to_orders(raw: pl.DataFrame) -> pl.DataFrame:
    """Map raw records of one format."""
    mapper = mappers()[raw["format"][0]]
    return mapper.to_orders(raw.drop("extra").with_columns(pl.col("payload").str.json_decode(mapper.dtype)))


def read_files(*names: str, layout: Any = None) -> Exported:
    """Read export files of this folder, as if written long after NOW."""
    paths = [HERE / name for name in names]
    for path in paths:
        os.utime(path, (2_000_000_000, 2_000_000_000))
    known = [layout] if layout else layouts()
    return read_export(paths, layouts=known, shop_of=lambda platform, label: "s1", now=NOW)


def _cases(name: str, inside: str) -> list[dict[str, Any]]:
    return [json.loads(text)[inside] for text in (HERE / name).read_text().splitlines()]


def taobao(form: str = "taobao/trade") -> pl.DataFrame:
    trades = _cases("taobao/trades.jsonl", "trade")
    facts = [
        {"same_recipient": ["4012345678900000100", "4012345678900000200"]} if i < 2 else None
        for i in range(len(trades))
    ]
    return raw_frame(form, trades, [t["tid_str"] for t in trades], facts)


def taobao_simplified() -> pl.DataFrame:
    trades = _cases("taobao/trades.jsonl", "trade")
    for trade in trades:
        for field, inner in (("orders", "order"), ("promotion_details", "promotion_detail")):
            if field in trade:
                trade[field] = trade[field][inner]
    return raw_frame("taobao/trade-simplified", trades, [t["tid_str"] for t in trades])


def shopify() -> pl.DataFrame:
    nodes = _cases("shopify/nodes.jsonl", "node")
    return raw_frame("shopify/graphql", nodes, [n["legacyResourceId"] for n in nodes])


def douyin() -> pl.DataFrame:
    rows = [json.loads(text) for text in (HERE / "douyin/orders.jsonl").read_text().splitlines()]
    orders = [row["order"] for row in rows]
    refs = [order["order_id"] for order in orders]
    return raw_frame("douyin/order", orders, refs, [row.get("facts") for row in rows])


def mapped() -> pl.DataFrame:
    layout = parse_column_map((ROOT / "column-map.example.yaml").read_text(), "column-map.example.yaml")
    return read_files("../tables/mapped.csv", layout=layout).raw


SOURCES: dict[str, Callable[[], pl.DataFrame]] = {
    "taobao/trade": taobao,
    "taobao/trade-simplified": taobao_simplified,
    "taobao/export-csv": lambda: (
        read_files("taobao/ExportOrderList.csv", "taobao/ExportOrderDetailList.csv").raw
    ),
    "shopify/graphql": shopify,
    "shopify/export-csv": lambda: read_files("shopify/orders_export.csv").raw,
    "pdd/export-csv": lambda: read_files("pdd/orders.csv").raw,
    "douyin/order": douyin,
    "douyin/export-csv": lambda: read_files("douyin/orders.csv").raw,
    "map/1": mapped,
}


@cache
def orders(form: str) -> pl.DataFrame:
    """Give the orders of the fixture of a format."""
    return to_orders(SOURCES[form]())


def by_ref(form: str, ref: str) -> dict[str, Any]:
    """Give one order of a fixture."""
    return orders(form).row(by_predicate=pl.col("platform_ref") == ref, named=True)


def check_golden(path: Path, found: pl.DataFrame) -> None:
    """Compare orders with a golden file, or write it when that is asked for."""
    text = "".join(
        json.dumps(row, ensure_ascii=False) + "\n" for row in found.drop("extra").iter_rows(named=True)
    )
    if os.environ.get("ORDERCTL_GOLDEN") == "write":
        path.write_text(text)
    assert path.exists(), f"{path.name} is missing: make golden"
    assert text == path.read_text()
