"""Lint of tariffs: each finding, its place, and that nothing is said of what can be meant."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from orderctl.stages.checking.lint import lint
from orderctl.stages.checking.tariffs import lint_tariffs
from orderctl.stages.freight.book import PriceBook
from orderctl.stages.rules.book import RuleBook, Rules
from orderctl.stages.rules.parse import parse
from tests.stages.rules.freight_cases import random_shipment, random_tariff
from tests.stages.rules.freight_pricing import MOMENTS, placed

ZONE = "{id: Z, provinces: [浙江], first_weight_kg: 1, first_price: 3, step_price: 1}"


def codes(*tariffs: str, rules: str = "[{name: r, use: YTO}]") -> list[str]:
    listed = "".join(f"  - {{courier: YTO, {t}}}\n" for t in tariffs)
    return [f.code for f in lint_tariffs(parse(f"couriers: {rules}\ntariffs:\n{listed}"))]


@pytest.mark.parametrize(
    ("above", "below", "found"),
    [
        ("", "", ["tariff_unreachable"]),
        ("", "service: x,", ["tariff_unreachable"]),
        ("service: x,", "", []),
        ("warehouse: hz,", "warehouse: gz,", []),
        ("valid_to: 2026-11-30,", "valid_from: 2026-12-01,", []),
        ("valid_to: 2026-12-01,", "valid_from: 2026-12-01,", ["tariff_overlap"]),
        ("valid_from: 2026-12-01,", "", ["tariff_overlap"]),
        ("valid_from: 2026-01-01,", "valid_from: 2026-12-01,", ["tariff_unreachable"]),
        ("valid_from: 2026-01-01, collected_until: '17:00',", "valid_from: 2026-12-01,", []),
    ],
)
def test_tariffs_that_overlap(above: str, below: str, found: list[str]) -> None:
    assert codes(f"id: a, {above} zones: [{ZONE}]", f"id: b, {below} zones: [{ZONE}]") == found


def test_a_tariff_that_a_rule_names_is_used() -> None:
    both = (f"id: a, zones: [{ZONE}]", f"id: b, zones: [{ZONE}]")
    assert codes(*both, rules="[{name: r, use: {courier: YTO, tariff: b}}]") == []


def test_zones_that_no_shipment_can_reach() -> None:
    again = "{id: Y, provinces: [浙江省], first_weight_kg: 1, first_price: 4}"
    partly = "{id: Y, provinces: [浙江省, 江苏], first_weight_kg: 1, first_price: 4}"
    city = "{id: Y, cities: [杭州], first_weight_kg: 1, first_price: 4}"
    assert codes(f"id: a, zones: [{ZONE}, {again}]") == ["zone_unreachable"]
    assert codes(f"id: a, zones: [{ZONE}, {partly}]") == ["place_twice"]
    assert codes(f"id: a, zones: [{ZONE}, {city}]") == []


def test_the_place_is_that_of_the_zone() -> None:
    book = parse(f"tariffs:\n- id: a\n  courier: YTO\n  zones:\n  - {ZONE}\n  - {ZONE.replace('Z', 'Y')}\n")
    found = [f.render() for f in lint(book) if f.code == "zone_unreachable"]
    assert found == [
        "rules.yaml:6:5: no shipment can reach zone 'Y': all its places are in zones above",
    ]


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ("", ["price_unreachable"]),  # rounded to whole kilograms, none is billed 0.5
        ("round_to_kg: 0.5,", []),
        ("rounding: none,", []),
        ("round_to_kg: 0.5, min_weight_kg: 0.6,", ["price_unreachable"]),
        ("round_to_kg: 0.5, min_weight_kg: 0.6, tolerance_kg: 0.1,", []),
        ("rounding: half_up,", []),
        ("round_above: [{over_kg: 2, round_to_kg: 0.25}],", []),
    ],
)
def test_prices_that_no_weight_leads_to(terms: str, found: list[str]) -> None:
    zone = "{id: Z, provinces: [浙江], brackets: [{upto_kg: 0.5, price: 2}, {upto_kg: 1, price: 3}]}"
    assert codes(f"id: a, {terms} zones: [{zone}]") == found


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ("tolerance_kg: 1,", "tolerance_whole"),
        ("bubble_ratio: 2,", "no_volume"),
        ("valid_to: 2026-10-31, surcharges: {peak: [{from: 2026-11-01, to: 2026-11-11, fixed: 1}]},", "peak_unreachable"),
        ("valid_from: 2026-12-01, surcharges: {fuel: [{from: 2026-11-01, percent: 1}, {from: 2026-12-01, percent: 2}]},", "fuel_unreachable"),
        ("surcharges: {peak: [{from: 2026-11-01, to: 2026-11-11}, {from: 2026-11-11, to: 2026-11-12}]},", "peak_twice"),
    ],
)  # fmt: skip
def test_terms_that_undo_each_other(terms: str, found: str) -> None:
    assert codes(f"id: a, {terms} zones: [{ZONE}]") == [found]


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("provinces: [新疆]", "provinces: [新疆维吾尔自治区]", ["peak_twice"]),
        ("zones: [Z]", "cities: [喀什], zones: [Z]", ["peak_twice"]),
        ("provinces: [新疆]", "provinces: [西藏]", []),
        ("fixed: 1", "provinces: [新疆]", []),  # a season for all, and more for the far
    ],
)
def test_seasons_of_one_place(one: str, other: str, found: list[str]) -> None:
    peaks = ", ".join(f"{{from: 2026-11-01, to: 2026-11-11, {where}}}" for where in (one, other))
    assert codes(f"id: a, surcharges: {{peak: [{peaks}]}}, zones: [{ZONE}]") == found


def test_a_heavier_parcel_that_costs_less_is_told() -> None:
    zone = "{id: Z, provinces: [浙江], brackets: [{upto_kg: 1, price: 3}, {upto_kg: 2, price: 2}]}"
    assert codes(f"id: a, zones: [{zone}]") == ["price_falls"]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_called_unreachable_no_random_shipment_reaches(seed: int) -> None:
    random = Random(seed)
    tariffs = [random_tariff(random, number) for number in range(8)]
    book = RuleBook(Rules.model_validate({"tariffs": tariffs}))
    found = list(lint_tariffs(book))
    shipments: list[dict[str, Any]] = [random_shipment(random, 8) | {"tariff_id": None} for _ in range(300)]
    prices = PriceBook(book.rules.tariffs)
    used_tariffs: set[str] = set()
    used_zones: set[int] = set()
    for at in MOMENTS.values():
        rows = placed(prices, shipments, at)
        used_tariffs |= {tariffs[n]["id"] for n in rows["tariff"].drop_nulls()}
        used_zones |= set(rows["zone"].drop_nulls())
    never = {str(f.text.params["tariff"]) for f in found if f.code == "tariff_unreachable"}
    assert never & used_tariffs == set()
    every_zone = [zone for tariff in book.rules.tariffs for zone in tariff.zones]
    reached = {id(every_zone[n]) for n in used_zones}
    for number, tariff in enumerate(book.rules.tariffs):
        alone = RuleBook(Rules.model_validate({"tariffs": [tariffs[number]]}))
        dead = {str(f.text.params["zone"]) for f in lint_tariffs(alone) if f.code == "zone_unreachable"}
        assert {z.id for z in tariff.zones if id(z) in reached} & dead == set()
