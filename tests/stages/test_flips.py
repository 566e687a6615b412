from __future__ import annotations

from typing import Any

import pytest

from orderctl.model.facts import Facts
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.explaining.flips import TOLD, Flip, flips
from orderctl.stages.route import route
from orderctl.stages.rules.parse import parse
from tests.stages.test_route import EXAMPLE, NOW, batch, committed, pinned, shipment

RULES = """
couriers:
  - {name: light, when: {weight_g: {lte: 1000}}, use: ZTO}
  - {name: vip, when: {tags: {any: [vip]}}, use: SF}
  - {name: near, when: {province: [上海]}, use: EMS}
  - {name: rest, use: YTO}
tariffs:
  - {id: yto, courier: YTO, zones: [{id: Z1, provinces: [浙江], first_weight_kg: 1, first_price: 5, step_price: 1}]}
  - {id: zto, courier: ZTO, zones: [{id: Z1, provinces: [浙江], first_weight_kg: 1, first_price: 3.9, step_price: 1}]}
"""
UNPRICED = RULES[: RULES.index("tariffs")]


def found(row: dict[str, Any], rules: str = RULES, facts: Facts | None = None) -> tuple[Flip, ...]:
    book = parse(rules)
    return flips(batch(row), book, facts or Facts(), Moment(NOW, book.rules.timezone))


def said(row: dict[str, Any], rules: str = RULES, facts: Facts | None = None) -> list[str]:
    return [str(one.text) for one in found(row, rules, facts)]


def test_the_nearest_change_of_each_outcome_is_told_with_its_money() -> None:
    assert said(shipment(weight_g=1200)) == [
        "0.2 kg lighter: ZTO, 2.10 CNY less",
        "tags with vip: SF",
        "province 上海 instead of 浙江省: EMS",
    ]


def test_it_reads_in_chinese() -> None:
    assert found(shipment(weight_g=1200))[0].text.render("zh") == "轻 0.2 公斤：ZTO，便宜 2.10 CNY"


def test_a_tag_that_is_there_may_be_what_matters() -> None:
    assert "tags without vip: YTO" in said(shipment(weight_g=1200, tags=["vip"]), UNPRICED)


def test_a_blocked_shipment_is_told_what_it_lacks() -> None:
    rules = "couriers: [{name: light, when: {weight_g: {lte: 1000}}, use: ZTO}]"
    assert said(shipment(weight_g=1025), rules) == ["0.025 kg lighter: ZTO"]
    assert said(shipment(weight_g=1000), rules) == ["0.001 kg heavier: no courier"]


def test_a_warehouse_that_would_be_another_is_named() -> None:
    rules = (
        "warehouses: [{name: a, when: {quantity: {gte: 2}}, use: big}, {name: b, use: small}]\n" + UNPRICED
    )
    assert "quantity 2 instead of 1: ZTO from big" in said(shipment(), rules)


def test_the_dimension_that_is_billed_is_found() -> None:
    rules = RULES.replace("courier: YTO, zones", "courier: YTO, volumetric_divisor: 8000, zones")
    row = shipment(weight_g=1200, length_mm=400, width_mm=300, height_mm=140)
    assert said(row, rules)[0] == "length_mm 20 mm smaller: YTO, 1.00 CNY less", "2.1 kg by volume"
    assert "0.2 kg lighter: ZTO, 3.10 CNY less" in said(row, rules)


def test_what_is_committed_does_not_flip_and_a_pin_only_in_price() -> None:
    assert said(shipment(weight_g=1200), facts=committed(courier="YTO", warehouse="hz")) == []
    told = found(shipment(weight_g=1200), facts=pinned(("S-a", {"courier": "YTO"}, NOW)))
    assert [(f.courier, f.cost_minor) for f in told] == [("YTO", -100)]


@pytest.mark.parametrize("weight", [350, 1200, 2200, 5300, 9000])
@pytest.mark.parametrize("rules", [RULES, EXAMPLE.read_text("utf-8")], ids=["few", "example"])
def test_what_is_told_of_the_weight_is_what_route_decides_and_nothing_nearer_does(
    weight: int, rules: str
) -> None:
    """Judged by `route` itself on shipments that weigh so: the change told flips, a gram less of it does not."""
    book = parse(rules)

    def decided(grams: int) -> tuple[Any, ...]:
        row = route(batch(shipment(weight_g=grams)), book, Facts(), NOW).row(0, named=True)
        return row["warehouse"], row["courier"], row["service"], row["freight_minor"]

    was = decided(weight)
    told = [f for f in found(shipment(weight_g=weight), rules) if f.fact == "weight_g"]
    for one in told:
        then = decided(int(one.value))
        assert then[:3] == (one.warehouse, one.courier, one.service)
        if one.cost_minor is not None:
            assert then[3] - was[3] == one.cost_minor
        toward = 1 if int(one.value) < weight else -1
        before = decided(int(one.value) + toward)
        flipped_before = before[:3] == then[:3] and (before[:3] != was[:3] or before[3] < was[3])
        assert not flipped_before or abs(int(one.value) - weight) > 1000
    assert len(found(shipment(weight_g=weight), rules)) <= TOLD
