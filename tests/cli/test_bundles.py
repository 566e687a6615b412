"""Bundles and packs through the whole pipe: the platforms hear of their own units, and a changed map sends nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.cli.desk import LABELS, STEPS, Desk, opened

SOLD_OTHERWISE = {
    "map": [{"match": {"merchant_code": "SK-WHT"}, "sku": "SK-WHT", "pieces": 2}],
    "bundles": [
        {"sku": "TS-BLK-L", "parts": [{"sku": "TS-WHT-M", "share": 70}, {"sku": "CUP-BLUE", "pieces": 3, "share": 30}]}
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk of which all was shipped under rules with packs and bundles."""
    with opened(tmp_path_factory.mktemp("bundles") / "desk", orders=24) as one:
        one.steps("fetch", "normalize")
        one.path("plain.jsonl").write_bytes(one.path("orders.jsonl").read_bytes())
        change_skus(one, SOLD_OTHERWISE)
        one.steps("normalize", "ship")
        yield one


def change_skus(desk: Desk, section: dict[str, Any]) -> None:
    rules = yaml.safe_load(desk.path("rules.yaml").read_text("utf-8"))
    skus = {"catalogue": rules["skus"]["catalogue"]} | section
    text = yaml.safe_dump(rules | {"skus": skus}, allow_unicode=True, sort_keys=False)
    desk.path("rules.yaml").write_text(text, "utf-8")


def told(desk: Desk) -> Counter[tuple[str, str]]:
    """Give what the platforms' books say was shipped of each order, in their units."""
    found: Counter[tuple[str, str]] = Counter()
    for entry in desk.sandbox.books("ship"):
        found[entry["shop"], str(entry["subject"])] += sum(
            line["quantity"] for line in entry["detail"]["lines"]
        )
    return found


def test_the_platforms_are_told_their_own_units(desk: Desk) -> None:
    units = {
        (row["shop"], row["platform_ref"]): sum(line["quantity_to_ship"] for line in row["lines"])
        for row in desk.rows("plain.jsonl")
    }
    parts = {
        (row["shop"], row["platform_ref"]): [line for line in row["lines"] if line["kind"] == "bundle_part"]
        for row in desk.rows("orders.jsonl")
    }
    booked = told(desk)
    mixed = [key for key in booked if any("*2" in line["line_ref"] for line in parts[key])]
    sets = [key for key in booked if any("*3" in line["line_ref"] for line in parts[key])]
    assert len(mixed) > 1
    assert len(sets) > 1
    assert {key: units[key] for key in booked} == dict(booked)


def test_money_is_where_it_was(desk: Desk) -> None:
    def paid(name: str) -> dict[str, list[int | None]]:
        return {
            row["order_id"]: [
                sum(amounts)
                if None not in (amounts := [line["paid_minor"] for line in row["lines"]])
                else None
            ]
            for row in desk.rows(name)
        }

    assert paid("orders.jsonl") == paid("plain.jsonl")


def test_a_map_changed_afterwards_sends_nothing_twice(desk: Desk) -> None:
    before = told(desk)
    labels = len(desk.sandbox.books("waybill"))
    change_skus(desk, {})
    for name in STEPS[1:]:
        assert desk.step(name, *(LABELS if name == "print" else ())).code in (
            0,
            3,
            4,
        )  # 4: shipments with other lines
    held = {
        row["order_id"]
        for row in desk.rows("orders.jsonl")
        if "sku_map_changed" in {found["code"] for found in row["problems"]}
    }
    assert len(held) > 2
    assert told(desk) == before
    assert len(desk.sandbox.books("waybill")) == labels
    assert desk.run("ledger", "verify").code == 0
    change_skus(desk, SOLD_OTHERWISE)
    desk.steps("normalize", "normalize")
    assert "sku_map_changed" not in desk.path("orders.jsonl").read_text("utf-8")
