"""Random rules and rows for the laws: few values, so that they meet; every fact may be missing."""

from __future__ import annotations

from random import Random
from typing import Any

import polars as pl

from orderctl.stages.conditions.facts import DTYPES, FACTS, LINE_FIELD_TYPES, LINES_DTYPE

PROVINCES = ["新疆", "新疆维吾尔自治区", "浙江", "浙江省", "北京市", "广东"]
SKUS = ["TS-BLK-L", "TS-WHT-M", "SK-WHT", "CUP-BLUE"]
WORDS = ["SF", "顺丰", "圆通", "gift", "改地址"]
NOTES = ["发顺丰", "sf please", "圆通", "改地址, gift", "", "Gift"]
STREETS = ["样例路1号", "样例团场2队", "SF大厦", "邮政信箱"]

VALUES: dict[str, list[Any]] = {
    "province": PROVINCES,
    "country": ["CN", "US", "DE"],
    "street": STREETS,
    "weight_g": [0, 200, 1000, 1001, 5000],
    "total_minor": [0, 9900, 15000],
    "quantity": [1, 2, 12],
    "sku": SKUS,
    "tags": ["vip", "express"],
    "note": NOTES,
    "trait": ["fragile", "liquid"],
}
LINE_VALUES: dict[str, list[Any]] = {
    "sku": SKUS,
    "quantity": [1, 2, 3],
    "unit_weight_g": [45, 210, 1850],
    "trait": ["fragile", "liquid"],
}
_WHOLE = {"weight_g", "total_minor", "quantity", "unit_weight_g"}
_LISTS = {"sku", "tags", "note", "trait"}


def _operators(random: Random, name: str, values: list[Any]) -> Any:
    one = random.choice(values)
    some = random.sample(values, random.randint(1, min(3, len(values))))
    kind = random.randrange(12)
    if kind == 0:
        return one if random.random() < 0.5 else some
    if kind == 1:
        return {"missing": random.random() < 0.7}
    if kind in (2, 3):
        return {random.choice(["eq", "ne"]): one}
    if kind in (4, 5):
        return {random.choice(["in", "not_in"]): some}
    if name in _WHOLE:
        if kind == 6:
            return {"between": sorted(random.choices(values, k=2))}
        if kind == 7:
            return {"gt": min(values), "lte": max(values)}
        return {random.choice(["lt", "lte", "gt", "gte"]): one}
    words = random.sample(WORDS + [v[:2] for v in values if v], random.randint(1, 3))
    if kind == 6:
        return {"pattern": random.choice(["^S", "[0-9]号", "顺丰|SF", "WHT"])}
    return {random.choice(["any", "all", "none", "contains", "starts_with", "ends_with"]): words}


def condition(random: Random, depth: int = 2, *, line: bool = False) -> dict[str, Any]:
    """Give a condition as it would be written."""
    table = LINE_VALUES if line else VALUES
    found: dict[str, Any] = {}
    for _ in range(random.choice([1, 1, 2, 3])):
        kind = random.randrange(10)
        if depth and kind < 2:
            parts = [condition(random, depth - 1, line=line) for _ in range(random.randint(1, 3))]
            found[random.choice(["all", "any"])] = parts
        elif depth and kind == 2:
            found["not"] = condition(random, depth - 1, line=line)
        elif depth and kind == 3 and not line:
            found[random.choice(["any_line", "all_lines"])] = condition(random, depth - 1, line=True)
        elif depth and kind == 4 and not line:
            total: dict[str, Any] = {
                "of": random.choice(["quantity", "unit_weight_g"]),
                "gte": random.randint(1, 500),
            }
            if random.random() < 0.6:
                total["where"] = condition(random, 0, line=True)
            found["sum_lines"] = total
        elif kind == 5 and not line:
            joint = random.choice(["AND", "OR"])
            found["expr"] = f"weight_g > {random.choice([100, 1000])} {joint} country = 'CN'"
        else:
            name = random.choice(list(table))
            found[name] = _operators(random, name, table[name])
    return found


def _value(random: Random, name: str, values: list[Any]) -> Any:
    if name in _LISTS:
        found = random.sample(values, random.randint(0, 2))
        return [*found, None] if name == "sku" and random.random() < 0.2 else found
    return None if random.random() < 0.2 else random.choice(values)


def row(random: Random) -> dict[str, Any]:
    """Give the facts of one shipment, some missing."""
    found = {name: _value(random, name, values) for name, values in VALUES.items()}
    lines = []
    for _ in range(random.randint(0, 3)):
        line = {
            n: None if n in ("sku", "unit_weight_g") and random.random() < 0.2 else random.choice(v)
            for n, v in LINE_VALUES.items()
        }
        lines.append({**line, "trait": random.sample(LINE_VALUES["trait"], random.randint(0, 2))})
    return {**found, "lines": lines}


def facts(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Give `rows` as a facts frame."""
    columns: dict[str, pl.Series] = {"row": pl.Series(range(len(rows)), dtype=pl.Int64)}
    for name in VALUES:
        columns[name] = pl.Series([r[name] for r in rows], dtype=DTYPES[FACTS[name].kind])
    known = [f.name for f in LINE_FIELD_TYPES]
    lines = [
        [{n: (line["trait"] if n == "goods_traits" else line.get(n)) for n in known} for line in r["lines"]]
        for r in rows
    ]
    columns["lines"] = pl.Series(lines, dtype=LINES_DTYPE)
    return pl.DataFrame(columns)
