"""What explain tells of a freight: each element on a line of its own, and together they are the total."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from orderctl.model.facts import Facts
from orderctl.stages.explain import explain
from orderctl.stages.rules.parse import parse
from tests.stages.test_route import batch, shipment

LATE = "2026-11-10T10:00:00Z"  # 18:00 in Shanghai
SIZES = {"weight_g": 30_030, "length_mm": 1300, "width_mm": 600, "height_mm": 300}


def price(
    terms: str, row: dict[str, Any], zone: str = "first_weight_kg: 1, first_price: 3, step_price: 1"
) -> list[str]:
    text = f"""
couriers: [{{name: all, use: YTO}}]
tariffs:
  - id: yto
    courier: YTO
    collected_until: "17:30"
    zones: [{{id: Z1, provinces: [浙江], {zone}}}]
    {terms}
"""
    return [str(line) for line in explain(batch(row).to_dicts()[0], parse(text), Facts(), LATE).price]


def test_every_surcharge_has_its_line() -> None:
    terms = """volumetric_divisor: 6000
    round_above: [{over_kg: 20, round_to_kg: 2}]
    surcharges:
      label_fee: 0.3
      remote: [{provinces: [浙江], fixed: 2, per_kg: 0.1}]
      peak:
        - {from: 2026-11-11, to: 2026-11-11, fixed: 0.3}
        - {from: 2026-11-11, to: 2026-11-11, fixed: 0.2, zones: [Z1], provinces: [浙江]}
        - {from: 2026-11-11, to: 2026-11-11, fixed: 0.9, provinces: [新疆]}
      oversize: [{over_cm: 120, fixed: 10}, {over_kg: 30, per_kg: 0.5}]
      insurance: {rate_percent: 0.5, min_fee: 1}
      cod: {rate_percent: 1, max_fee: 5}
      fuel_percent: 99
      fuel: [{from: 2026-10-01, percent: 50}, {from: 2026-11-11, percent: 10}]
    discount_percent: 20"""
    lines = price(terms, shipment(**SIZES, insured_minor=30_000, collect_minor=29_900))
    assert lines == [
        "parcel 1: weighs 30.03 kg, volumetric 39 kg, billed 40 kg",
        "rounded to 2 kg, as it is heavier than 20 kg",
        "zone Z1: 42.00 CNY",
        "discount 20 %: -8.40",
        "fuel 10 %: +4.20",
        "label: +0.30",
        "far place: +6.00",
        "season: +0.50",
        "long or heavy: +25.50",
        "insurance: +1.50",
        "cash on delivery: +2.99",
        "total, rounded half up to 0.01: 74.59",
    ]
    amounts = [Decimal(m[1]) for line in lines[2:-1] if (m := re.search(r": ([+-]?[\d.]+)", line))]
    assert sum(amounts) == Decimal("74.59")


@pytest.mark.parametrize(
    ("terms", "row", "line"),
    [
        ("tolerance_kg: 0.05", {"weight_g": 2030}, "30 g over the step are forgiven"),
        ("min_weight_kg: 2", {"weight_g": 100}, "billed at least 2 kg"),
        (
            "{volumetric_divisor: 8000, bubble_ratio: 2}",
            {"weight_g": 2000, "length_mm": 300, "width_mm": 300, "height_mm": 300},
            "not bulky enough: the volumetric weight does not count",
        ),
        ("min_charge: 5", {"weight_g": 100}, "least charge: 5.00"),
        (
            "surcharges: {cod: {rate_percent: 1}}",
            {"collect_minor": 100, "currency": "USD"},
            "insured value and cash on delivery are in USD and left out: the tariff is in CNY",
        ),
    ],
)
def test_what_else_makes_the_amount_is_told(terms: str, row: dict[str, Any], line: str) -> None:
    flat = "\n    ".join(terms.strip("{}").split(", ")) if terms.startswith("{") else terms
    assert line in price(flat, shipment(**row))
    assert line not in price("", shipment(**row | {"currency": "CNY"}))


def test_a_weight_without_price_is_told() -> None:
    assert (
        price("", shipment(weight_g=1500), "first_weight_kg: 1, first_price: 3")[-1]
        == "zone Z1 has no price for this weight"
    )
