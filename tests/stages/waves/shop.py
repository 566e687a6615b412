"""A warehouse that does not exist: forty articles in its aisles, and shipments of some of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

import polars as pl

from orderctl.model.facts import COMMITMENTS, Facts
from orderctl.model.schema import conform
from orderctl.stages.plans.rows import bound
from orderctl.stages.route import route
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.parse import parse

NOW = "2026-11-24T02:00:00Z"
SHELVES = {f"SKU-{n:02d}": f"{'ABC'[n % 3]}-{n % 4 + 1:02d}-{n * 7 % 23 + 1}" for n in range(40)}
CATALOGUE = "skus:\n  catalogue:\n" + "".join(
    f"    - {{sku: {sku}, name: x, location: {shelf}}}\n" for sku, shelf in SHELVES.items()
)
COURIERS = """
warehouses:
  - {name: far, when: {province: 新疆}, use: wlmq}
  - {name: home, use: hz}
couriers:
  - {name: dear, when: {total_minor: {gte: 10000}}, use: SF}
  - {name: all, use: ZTO}
"""
WAVES = """
waves:
  cutoffs: {SF: "15:30", ZTO: "17:30"}
  sizes: [{name: small, when: {weight_g: {lte: 500}}}, {name: large}]
  rules:
    - {name: hot, kind: single_sku, at_least: 3, capacity: {shipments: 7}}
    - {name: alike, kind: same_goods, at_least: 2, capacity: {shipments: 9, pieces: 12}}
    - {name: urgent, when: {courier: SF}, by: [cutoff], capacity: {shipments: 5}, fill: promise}
    - {name: single, kind: single_line, by: [zone, size], capacity: {lines: 6}}
    - {name: wall, kind: multi_line, wall: {rows: 2, columns: 3, names: grid}, by: [courier]}
"""


def book(waves: str = WAVES) -> RuleBook:
    """Give the rules of the shop with these waves."""
    return parse(CATALOGUE + COURIERS + waves)


def shipment(ref: str, goods: Mapping[str, int], **changes: Any) -> dict[str, Any]:
    """Give a shipment of so many pieces of each article."""
    lines = [
        {"order_id": f"t:m:{ref}", "line_ref": str(n), "sku": sku, "quantity": pieces, "unit_weight_g": 100}
        | {"kind": "goods", "title": sku}
        for n, (sku, pieces) in enumerate(goods.items())
    ]
    order = {"order_id": f"t:m:{ref}", "platform": "t", "shop": "m", "platform_ref": ref}
    return {
        "shipment_id": f"S-{ref}", "purpose": "sale", "orders": [order], "lines": lines, "currency": "CNY", "weight_g": 300,
        "recipient": {"country": "CN", "province": changes.pop("province", "浙江省"), "privacy": "plain"},
        "parcels": [{"parcel_no": 1, "number": f"N{ref}"}], **changes,
    }  # fmt: skip


def batch(rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """Give a batch of shipments."""
    return conform(pl.from_dicts(list(rows), infer_schema_length=None), "shipment/1")


def many(seed: int, count: int = 120) -> pl.DataFrame:
    """Give shipments of a day: some of one hot article, some of several, some that are blocked."""
    random = Random(seed)
    rows = []
    for n in range(count):
        skus = (
            ["SKU-07"] if random.random() < 0.2 else random.sample(list(SHELVES), random.choice([1, 1, 2, 3]))
        )
        goods = {sku: random.choice([1, 1, 2]) for sku in skus}
        rows.append(
            shipment(
                f"{seed}-{n}",
                goods,
                province=random.choice(["浙江省", "浙江省", "新疆"]),
                weight_g=random.choice([300, 900, None]),
                total_minor=random.choice([900, 20_000]),
                ship_by=random.choice([None, "2026-11-25T02:00:00Z", "2026-11-26T02:00:00Z"]),
                problems=[_refund()] if random.random() < 0.1 else [],
            )
        )
    return batch(rows)


def _refund() -> dict[str, Any]:
    return {
        "code": "refund_open", "params": [], "field": None, "severity": "block", "forceable": False, "stage": "normalize",
        "message": "m",
    }  # fmt: skip


def waved(
    frame: pl.DataFrame, rules: RuleBook | None = None, facts: Facts | None = None, now: str = NOW
) -> Any:
    """Route and give the rows."""
    return route(frame, rules or book(), facts or Facts(), now).to_dicts()


def committed(rows: Iterable[Mapping[str, Any]]) -> Facts:
    """Give the facts after these routed rows have got their numbers."""
    held = [
        {"shipment_id": row["shipment_id"], "order_id": line["order_id"], "line_ref": line["line_ref"]}
        | {"quantity": line["quantity"]}
        | bound(row)
        for row in rows
        for line in row["lines"]
    ]
    return Facts(commitments=pl.DataFrame(held, schema=COMMITMENTS))


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the trail says of the wave of a row."""
    (step,) = [s for s in row["decision"] if s["step"] == "wave"]
    return {"rule": step["rule"], "reason": step["reason"], "wave": step["outcome"]} | {
        p["name"]: p["value"] for p in step["params"]
    }
