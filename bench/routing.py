"""`route` of whole shipments: 50 rules, tariffs and the trail, its floor, and peers that do less of the same.

Shipments are Parquet and routed block by block, as the command does; nothing is written. The dict peer has the same
rules as closures, the same prices and a trail of two steps; duckdb has one CASE and the prices, and no trail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from bench.merging import NOW, kept

RULES = 50
BLOCK = 20_000
_PROVINCES = ("浙江", "上海", "广东", "江苏", "四川", "北京", "湖北", "陕西", "山东")
_FULL = {p + end: p for p in _PROVINCES for end in ("省", "市") if (end == "市") == (p in ("上海", "北京"))}
_COURIERS = ("YTO", "ZTO", "SF")
_ZONES = {
    "near": (("浙江", "上海", "江苏"), 300, 100),
    "middle": (("广东", "北京", "湖北", "山东"), 400, 200),
    "far": (("四川", "陕西"), 450, 300),
}
"""Provinces, the price of the first kilogram and of each further one in fen; each courier adds a tenth to the one before."""


@dataclass(frozen=True)
class Spec:
    """One rule in three languages."""

    yaml: str
    python: Callable[[dict[str, Any]], bool]
    sql: str


def specs(count: int) -> list[Spec]:
    """Give rules on place and weight, on words in notes, on platform and on number of pieces, a quarter each."""
    return [_spec(k) for k in range(count)]


def _spec(k: int) -> Spec:
    province, least, word = _PROVINCES[k % 9], k * 60, f"词{k}"
    most = least + 400
    if k % 4 == 0:
        return Spec(
            f"{{province: {province}, weight_g: {{between: [{least}, {most}]}}}}",
            lambda row: row["province"] == province and least <= row["weight_g"] <= most,
            f"province = '{province}' and weight_g between {least} and {most}",
        )
    if k % 4 == 1:
        return Spec(
            f"{{note: {{any: [{word}, 加{word}]}}}}",
            lambda row: any(word in note or "加" + word in note for note in row["notes"]),
            f"(coalesce(note, '') like '%{word}%' or coalesce(note, '') like '%加{word}%')",
        )
    if k % 4 == 2:
        return Spec(
            f"{{platform: shopify, province: [{province}, {_PROVINCES[(k + 3) % 9]}], weight_g: {{gt: {2500 - k % 50 * 20}}}}}",
            lambda row: (
                row["platform"] == "shopify"
                and row["province"] in (province, _PROVINCES[(k + 3) % 9])
                and row["weight_g"] > 2500 - k % 50 * 20
            ),
            f"platform = 'shopify' and province in ('{province}', '{_PROVINCES[(k + 3) % 9]}') and weight_g > {2500 - k % 50 * 20}",
        )
    return Spec(
        f"{{quantity: {{gte: 5}}, not: {{province: {province}}}, weight_g: {{lt: {1500 + k}}}}}",
        lambda row: row["quantity"] >= 5 and row["province"] != province and row["weight_g"] < 1500 + k,
        f"quantity >= 5 and province <> '{province}' and weight_g < {1500 + k}",
    )


def prices(courier: int) -> Iterator[tuple[str, tuple[str, ...], int, int]]:
    """Give the zones of a courier: name, provinces, first and further kilogram in fen."""
    for zone, (provinces, first, step) in _ZONES.items():
        yield zone, provinces, first * (10 + courier) // 10, step * (10 + courier) // 10


def book(rules: int, *, tariffs: bool = True):  # type: ignore[no-untyped-def]
    """Give the rules as a file of them is read; the last one takes all that is left."""
    from orderctl.stages.rules.parse import parse

    lines = ["couriers:"]
    for k, spec in enumerate(specs(rules - 1)):
        lines.append(f"  - {{name: r{k}, when: {spec.yaml}, use: {_COURIERS[k % 3]}}}")
    lines.append("  - {name: rest, use: YTO}")
    if tariffs:
        lines.append("tariffs:")
        for n, courier in enumerate(_COURIERS):
            lines += [
                f"  - id: {courier.lower()}",
                f"    courier: {courier}",
                "    round_to_kg: 1",
                "    zones:",
            ]
            lines += [
                f"      - {{id: {zone}, provinces: [{', '.join(there)}], first_weight_kg: 1, first_price: {first / 100:.2f}, "
                f"step_kg: 1, step_price: {step / 100:.2f}}}"
                for zone, there, first, step in prices(n)
            ]
    return parse("\n".join(lines))


def shipments(path: Path) -> Path:
    """Give the Parquet file of shipments, made once out of as many orders as the input has rows."""
    from orderctl.model.facts import Facts
    from orderctl.stages.merge import MergeRules, merge

    file = path.with_name(f"shipments-{path.stem.split('-')[1]}.parquet")
    if not file.exists():
        alone = MergeRules(suggest=False)
        blocks = [
            merge(orders, alone, Facts(), NOW) for orders in pl.read_parquet(kept(path)).iter_slices(BLOCK)
        ]
        beside = file.with_suffix(".part")
        pl.concat(blocks).write_parquet(beside, row_group_size=BLOCK)
        beside.replace(file)
    return file


def _blocks(path: Path) -> Iterator[pl.DataFrame]:
    return pl.scan_parquet(shipments(path)).collect_batches(chunk_size=BLOCK, maintain_order=True)


def facts(path: Path) -> Iterator[pl.DataFrame]:
    """Give what the rules ask for as flat columns."""
    to, orders = pl.col("recipient").struct, pl.col("orders").list
    for block in _blocks(path):
        yield block.select(
            platform=orders.eval(pl.element().struct.field("platform")).list.first(),
            province=to.field("province").replace(_FULL),
            weight_g="weight_g",
            quantity=pl.col("lines").list.eval(pl.element().struct.field("quantity")).list.sum(),
            note=orders.eval(pl.element().struct.field("buyer_note")).list.drop_nulls().list.join("\n"),
        )


def routing_floor(path: Path) -> int:
    """Reading the columns that the rules look at, and nothing else."""
    return _counted(facts(path))


def routed(path: Path, rules: int, *, tariffs: bool) -> Iterator[pl.DataFrame]:
    """Route block by block."""
    from orderctl.model.facts import Facts
    from orderctl.stages.route import route

    rulebook = book(rules, tariffs=tariffs)
    return (route(block, rulebook, Facts(), NOW) for block in _blocks(path))


def _counted(blocks: Iterator[pl.DataFrame]) -> int:
    return sum(block.height for block in blocks)


def routing_whole(path: Path) -> int:
    """Ours: rules, tariffs, trail, problems, whole shipments."""
    return _counted(routed(path, RULES, tariffs=True))


def routing_10(path: Path) -> int:
    """Ours with 10 rules and no tariffs."""
    return _counted(routed(path, 10, tariffs=False))


def routing_100(path: Path) -> int:
    """Ours with 100 rules and no tariffs."""
    return _counted(routed(path, 100, tariffs=False))


def routing_1000(path: Path) -> int:
    """Ours with 1,000 rules and no tariffs."""
    return _counted(routed(path, 1000, tariffs=False))


def decided(path: Path) -> Iterator[tuple[str, int | None, list[dict[str, Any]]]]:
    """Give courier, freight and trail of each shipment, decided row by row."""
    rules = specs(RULES - 1)
    table = {
        (courier, province): (zone, first, step)
        for n, courier in enumerate(_COURIERS)
        for zone, there, first, step in prices(n)
        for province in there
    }
    for block in _blocks(path):
        for row in block.iter_rows(named=True):
            known = {
                "platform": row["orders"][0]["platform"],
                "province": _FULL.get(row["recipient"]["province"]),
                "weight_g": row["weight_g"],
                "quantity": sum(line["quantity"] for line in row["lines"]),
                "notes": [order["buyer_note"] for order in row["orders"] if order["buyer_note"]],
            }
            fired = next((k for k, rule in enumerate(rules) if rule.python(known)), None)
            courier = _COURIERS[fired % 3] if fired is not None else "YTO"
            zone, first, step = table[courier, known["province"]]
            billed = max(1, -(-known["weight_g"] // 1000))
            freight = first + step * (billed - 1)
            rule = "rest" if fired is None else f"r{fired}"
            trail = [
                {"step": "courier", "rule": rule, "outcome": courier, "reason": "rule"},
                {"step": "tariff", "rule": courier.lower(), "outcome": str(freight), "zone": zone, "billed_g": billed * 1000},
            ]  # fmt: skip
            yield courier, freight, trail


def routing_dicts(path: Path) -> int:
    """The same rules as closures over dicts, prices and a trail, row by row."""
    return sum(1 for _ in decided(path))


def routing_duckdb(path: Path) -> int:
    """One CASE and the prices, no trail."""
    import duckdb

    cases = " ".join(f"when {spec.sql} then {k}" for k, spec in enumerate(specs(RULES - 1)))
    table = [
        (courier, province, first, step)
        for n, courier in enumerate(_COURIERS)
        for _, there, first, step in prices(n)
        for province in there
    ]
    duckdb.sql("create table price(courier varchar, province varchar, first int, step int)")
    duckdb.executemany("insert into price values (?, ?, ?, ?)", table)
    full = " ".join(f"when '{long}' then '{short}'" for long, short in _FULL.items())
    duckdb.sql(
        f"""create table found as
            with known as (
                select shipment_id, orders[1].platform as platform, weight_g,
                       case recipient.province {full} end as province,
                       list_sum(list_transform(lines, lambda x: x.quantity)) as quantity,
                       array_to_string(list_transform(orders, lambda x: x.buyer_note), ' ') as note
                from read_parquet('{shipments(path)}')),
            fired as (select *, case {cases} end as rule from known),
            carried as (select *, case coalesce(rule, 0) % 3 when 0 then 'YTO' when 1 then 'ZTO' else 'SF' end as courier
                        from fired)
            select shipment_id, rule, courier, first + step * greatest(0, (weight_g + 999) // 1000 - 1) as freight
            from carried join price using (courier, province)"""
    )
    return int(duckdb.sql("select count(*) from found").fetchall()[0][0])
