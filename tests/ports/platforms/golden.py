"""Fixtures of every format as raw records and as orders; goldens are rewritten with ORDERCTL_GOLDEN=write."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl

from orderctl.model.schema import conform
from orderctl.ports.platforms import NAMES
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


def mapped() -> pl.DataFrame:
    layout = parse_column_map((ROOT / "column-map.example.yaml").read_text(), "column-map.example.yaml")
    return read_files("../tables/mapped.csv", layout=layout).raw


@cache
def sources() -> dict[str, Callable[[], pl.DataFrame]]:
    """Give the recorded orders of every format, gathered from the folders of the platforms."""
    found: dict[str, Callable[[], pl.DataFrame]] = {"map/1": mapped}
    for name in NAMES:
        found |= import_module(f"tests.ports.platforms.{name}.fixtures").SOURCES
    return found


@cache
def orders(form: str) -> pl.DataFrame:
    """Give the orders of the fixture of a format."""
    return to_orders(sources()[form]())


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
