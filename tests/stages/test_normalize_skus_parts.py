"""Bundles and packs: what is sent, what of the price is on it, and what the platform can still be told."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from pydantic import ValidationError

from orderctl.cli.shipping import _ship_line
from orderctl.model.facts import COMMITMENTS, DECISIONS, Facts
from orderctl.stages.normalize import NormalizeRules, normalize
from orderctl.stages.rules.sections.skus import MOST_SHARE, SkusSection
from tests.stages.samples import codes, line, only, order, orders

NOW = "2026-11-24T00:00:00Z"
SET = {"sku": "SET", "parts": [{"sku": "TEA", "share": 70}, {"sku": "CUP", "pieces": 2, "share": 30}]}


def rules_of(**section: Any) -> NormalizeRules:
    return NormalizeRules(skus=SkusSection.model_validate(section))


def parts_of(
    rules: NormalizeRules, *lines: dict[str, Any], facts: Facts | None = None
) -> list[dict[str, Any]]:
    batch = orders(order("1", lines=list(lines)))
    found: list[dict[str, Any]] = only(normalize(batch, rules, facts or Facts(), NOW))["lines"]
    return found


def decided(subject: str, payload: str) -> Facts:
    row = {"subject": subject, "decision": "sku", "payload": payload, "reason": "r", "actor": "a", "at": NOW}
    return Facts(decisions=pl.DataFrame([row], schema=DECISIONS))


def committed(*refs: str) -> Facts:
    rows = [
        {"shipment_id": "s", "order_id": "shopify:main:1", "line_ref": ref, "quantity": 1} for ref in refs
    ]
    return Facts(commitments=pl.DataFrame(rows, schema=COMMITMENTS))


def test_a_bundle_is_sent_as_its_parts_and_paid_to_the_cent() -> None:
    catalogue = [{"sku": "TEA", "name": "Tea", "weight_g": 95}, {"sku": "CUP"}]
    rules = rules_of(catalogue=catalogue, bundles=[SET])
    tea, cup, other = parts_of(
        rules,
        line(merchant_code="SET", quantity=3, unit_price_minor=999, paid_minor=2998, unit_weight_g=1000),
        line(line_ref="2", merchant_code="CUP"),
    )
    assert (tea["sku"], tea["quantity"], tea["quantity_to_ship"]) == ("TEA", 3, 3)
    assert (cup["sku"], cup["quantity"], cup["quantity_to_ship"]) == ("CUP", 6, 6)
    assert (tea["paid_minor"], cup["paid_minor"]) == (2098, 900)
    assert (tea["unit_price_minor"], cup["unit_price_minor"]) == (699, 150)
    assert (tea["unit_weight_g"], cup["unit_weight_g"]) == (
        95,
        453,
    )  # what the tea leaves of 1000, on two cups
    assert [tea["line_ref"], cup["line_ref"], other["line_ref"]] == ["1:TEA*1", "1:CUP*2", "2"]
    assert {one["kind"] for one in (tea, cup)} == {"bundle_part"}
    assert (tea["title"], cup["title"], tea["spec"]) == ("Tea", "纯棉T恤", None)
    assert [one["parent_line_ref"] for one in (tea, cup, other)] == ["1", "1", None]


def test_a_pack_is_so_many_of_ours() -> None:
    rules = rules_of(
        map=[{"match": {"spec": "2双装"}, "sku": "SOCK", "pieces": 2}], merchant_code_is_sku=False
    )
    [row] = parts_of(
        rules, line(spec="2双装", quantity=3, quantity_refunded=1, quantity_to_ship=2, unit_weight_g=91)
    )
    assert (row["sku"], row["quantity"], row["quantity_refunded"], row["quantity_to_ship"]) == (
        "SOCK",
        6,
        2,
        4,
    )
    assert (row["unit_price_minor"], row["paid_minor"], row["unit_weight_g"]) == (500, 1000, 46)


@pytest.mark.parametrize(("shipped", "carried", "told"), [(0, 8, 4), (0, 2, 1), (1, 6, 3), (1, 4, 2)])
def test_the_platform_is_told_its_own_units(shipped: int, carried: int, told: int) -> None:
    rules = rules_of(map=[{"match": {"spec": "2"}, "sku": "SOCK", "pieces": 2}])
    [row] = parts_of(
        rules, line(spec="2", quantity=4, quantity_shipped=shipped, quantity_to_ship=4 - shipped)
    )
    sent = _ship_line(row | {"quantity": carried})
    assert (sent.line_ref, sent.quantity, sent.of) == ("1", told, 4 - shipped)


def test_a_bundle_of_a_map_entry_is_so_many_bundles() -> None:
    rules = rules_of(map=[{"match": {"spec": "double"}, "sku": "SET", "pieces": 2}], bundles=[SET])
    tea, cup = parts_of(rules, line(spec="double", quantity=1))
    assert (tea["quantity"], cup["quantity"], tea["line_ref"]) == (2, 4, "1:TEA*2")
    assert tea["paid_minor"] + cup["paid_minor"] == 1000


def test_services_are_whole_and_gifts_stay_gifts() -> None:
    rules = rules_of(bundles=[SET])
    rows = parts_of(
        rules,
        line(kind="service", merchant_code="SET"),
        line(
            line_ref="2",
            kind="gift",
            merchant_code="SET",
            paid_minor=0,
            parent_line_ref="1",
            parent_quantity=None,
        ),
    )
    assert [row["kind"] for row in rows] == ["service", "gift", "gift"]
    assert {row["parent_line_ref"] for row in rows[1:]} == {"1"}
    assert {row["parent_quantity"] for row in rows} == {None}


amounts = st.integers(-(10**15), 10**15) | st.integers(0, 10) | st.none()


@st.composite
def bundle_lines(draw: st.DrawFn) -> tuple[NormalizeRules, list[dict[str, Any]], str]:
    count = draw(st.integers(1, 7))
    shares = draw(
        st.none() | st.lists(st.integers(0, MOST_SHARE), min_size=count, max_size=count).filter(any)
    )
    parts = [
        {"sku": f"P{n}", "pieces": draw(st.integers(1, 1000)), "share": shares[n] if shares else None}
        for n in range(count)
    ]
    rules = rules_of(
        bundles=[{"sku": "B", "parts": parts}],
        map=[{"match": {"spec": "pack"}, "sku": "P", "pieces": draw(st.integers(1, 50))}],
        catalogue=[{"sku": "P0", "weight_g": draw(st.integers(0, 500))}, {"sku": "P"}, {"sku": "B"}],
    )
    lines = [
        line(
            line_ref=str(at),
            merchant_code=draw(st.sampled_from(["B", "P", "X"])),
            spec=draw(st.sampled_from(["pack", "single"])),
            quantity=(quantity := draw(st.integers(0, 30))),
            quantity_shipped=(gone := draw(st.integers(0, quantity))),
            quantity_to_ship=quantity - gone,
            paid_minor=draw(amounts),
            customs_value_minor=draw(amounts),
            unit_weight_g=draw(st.none() | st.integers(0, 5000)),
            kind=draw(st.sampled_from(["goods", "gift", "service"])),
        )
        for at in range(draw(st.integers(1, 6)))
    ]
    return rules, lines, draw(st.sampled_from(["CNY", "JPY", "KWD"]))


@settings(max_examples=40, deadline=None)
@given(bundle_lines())
def test_nothing_is_lost_and_twice_is_once(case: tuple[NormalizeRules, list[dict[str, Any]], str]) -> None:
    rules, lines, currency = case
    batch = orders(order("1", lines=lines, currency=currency), order("2", lines=lines[:1], currency=currency))
    before = batch.clone()
    once = normalize(batch, rules, Facts(), NOW)
    assert_frame_equal(batch, before)
    assert_frame_equal(normalize(once, rules, Facts(), NOW), once)
    found = once["lines"][0].to_list()
    assert len({row["line_ref"] for row in found}) == len(found)
    for one in lines:
        mine = [row for row in found if (row["parent_line_ref"] or row["line_ref"]) == one["line_ref"]]
        for name in ("paid_minor", "customs_value_minor"):
            if one[name] is None:
                assert {row[name] for row in mine} == {None}
            else:
                assert sum(row[name] for row in mine) == one[name]
        if (one["paid_minor"] or -1) >= 0:
            assert min(row["paid_minor"] for row in mine) >= 0
        for row in mine:
            times = row["quantity"] // one["quantity"] if one["quantity"] else 1
            assert row["quantity"] == times * one["quantity"]
            assert row["quantity_shipped"] == times * one["quantity_shipped"]


def test_what_is_committed_is_not_made_into_other_lines_in_silence() -> None:
    rules = rules_of(bundles=[SET])
    batch = orders(
        order("1", lines=[line(merchant_code="SET")]), order("2", lines=[line(merchant_code="SET")])
    )
    same, other = normalize(batch, rules, committed("1:TEA*1", "1:CUP*2"), NOW).to_dicts()
    assert (codes(same), codes(other)) == ({}, {})
    for ref in ("1", "1:TEA*3", "1:MUG*1"):
        mine, other = normalize(batch, rules, committed(ref), NOW).to_dicts()
        assert codes(mine) == {"sku_map_changed": "block"}
        assert codes(other) == {}
    plain = normalize(batch, rules_of(), committed("1:TEA*1"), NOW).to_dicts()
    assert codes(plain[0]) == {"sku_map_changed": "block"}
    assert codes(normalize(batch, rules_of(), committed("1"), NOW).to_dicts()[0]) == {}


def test_what_a_person_decided_goes_before_everything() -> None:
    entries = [{"match": {"merchant_code": "TS-BLK-L"}, "sku": "MAPPED"}]
    rules = rules_of(map=entries)
    of_line = decided("shopify:main:1/1", '{"sku": "HAND", "pieces": 2}')
    [row] = parts_of(rules, line(), facts=of_line)
    assert (row["sku"], row["quantity"]) == ("HAND", 2)
    for article, ids in (("4300", {"platform_sku": "4300"}), ("TS-BLK-L", {})):
        said = decided(f"shopify:main:{article}", '{"sku": "HAND"}')
        assert parts_of(rules, line(**ids), facts=said)[0]["sku"] == "HAND"
    elsewhere = decided("shopify:other:4300", '{"sku": "HAND"}')
    assert parts_of(rules, line(platform_sku="4300"), facts=elsewhere)[0]["sku"] == "MAPPED"
    batch = orders(order("1"))
    once = normalize(batch, rules, of_line, NOW)
    assert_frame_equal(normalize(once, rules, of_line, NOW), once)


@pytest.mark.parametrize(
    "section",
    [
        {"bundles": [{"sku": "A", "parts": []}]},
        {"bundles": [{"sku": "A", "parts": [{"sku": "B"}, {"sku": "B"}]}]},
        {"bundles": [{"sku": "A", "parts": [{"sku": "B", "share": 1}, {"sku": "C"}]}]},
        {"bundles": [{"sku": "A", "parts": [{"sku": "B", "share": 0}]}]},
        {"bundles": [{"sku": "A", "parts": [{"sku": "B", "pieces": 0}]}]},
        {"bundles": [SET, SET]},
        {"map": [{"match": {"spec": "x"}, "sku": "A", "pieces": 0}]},
        {"map": [{"match": {"spec": "x"}}]},
        {"map": [{"file": "a.csv", "sku": "A"}]},
        {"cut": [{"field": "shop", "pattern": "x"}]},
        {"cut": [{"field": "spec", "pattern": "("}]},
    ],
)
def test_mistakes_are_refused(section: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SkusSection.model_validate(section)


def test_an_order_whose_lines_have_other_numbers_than_those_on_their_way_is_held() -> None:
    """It was read from a file without the platform's numbers, then by the API, or the other way round."""
    batch = orders(order("1", lines=[line(line_ref="14500000001"), line(line_ref="14500000002")]), order("2"))
    mine, other = normalize(batch, rules_of(), committed("1", "2:TEA*1"), NOW).to_dicts()
    assert codes(mine) == {"lines_renumbered": "block"}
    assert {"name": "lines", "value": "1, 2:TEA*1"} in mine["problems"][0]["params"]
    assert codes(other) == {}
    same = normalize(batch, rules_of(), committed("14500000001"), NOW).to_dicts()[0]
    assert codes(same) == {}
    gift = normalize(batch, rules_of(), committed("gift:welcome:CUP"), NOW).to_dicts()[0]
    assert codes(gift) == {}
    both = normalize(batch, rules_of(), committed("14500000001:TEA*1", "1"), NOW).to_dicts()[0]
    assert codes(both) == {"sku_map_changed": "block", "lines_renumbered": "block"}


@pytest.mark.parametrize("status", ["shipped", "completed", "closed"])
def test_an_order_of_which_nothing_leaves_any_more_is_not_held_for_its_numbers(status: str) -> None:
    batch = orders(order("1", status=status, lines=[line(line_ref="14500000001", quantity_to_ship=0)]))
    found = only(normalize(batch, rules_of(), committed("1"), NOW))
    assert set(codes(found)) == {"nothing_to_ship"}
