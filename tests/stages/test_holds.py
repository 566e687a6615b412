"""Holds that end: by the clock, by a promise, by stock, by a person; and what is held for ever in no case."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from orderctl.model.errors import ConfigError, DataError
from orderctl.model.facts import DECISIONS, STOCK, Facts
from orderctl.model.problem import KINDS
from orderctl.stages.checking.lint import lint
from orderctl.stages.explain import explain
from orderctl.stages.plans.rows import standing
from orderctl.stages.route import route
from orderctl.stages.rules.parse import parse
from tests.stages.test_route import batch, shipment

NOW = "2026-11-24T02:00:00Z"  # ten o'clock in Shanghai
COURIERS = "couriers: [{name: all, use: ZTO}]\nwarehouses: [{name: all, use: hz}]\n"


def held(
    hold: str, row: dict[str, Any] | None = None, facts: Facts | None = None, now: str = NOW
) -> dict[str, Any]:
    """Route one shipment under one hold."""
    rules = parse(f"{COURIERS}holds: [{{name: later, why: it was asked for, {hold}}}]")
    return route(batch(row or shipment()), rules, facts or Facts(), now).to_dicts()[0]


def codes(row: dict[str, Any]) -> list[str]:
    return [
        p["code"]
        for p in row["problems"]
        if p["code"] in ("held", "held_until", "held_for_person", "preorder")
    ]


def until(row: dict[str, Any]) -> str | None:
    params = {p["name"]: p["value"] for q in row["problems"] for p in q["params"]}
    return params.get("until")


def stock(**pieces: int) -> pl.DataFrame:
    rows = [
        {"warehouse": "hz", "sku": sku.replace("_", "-"), "location": None, "quantity": n, "counted_at": None}
        for sku, n in pieces.items()
    ]
    return pl.DataFrame(rows, schema=STOCK)


def released(*said: tuple[str, Any]) -> Facts:
    rows = [
        {
            "subject": s,
            "decision": "release",
            "payload": json.dumps(p),
            "reason": "x",
            "actor": "y",
            "at": NOW,
        }
        for s, p in said
    ]
    return Facts(decisions=pl.DataFrame(rows, schema=DECISIONS))


@pytest.mark.parametrize(
    ("ending", "times", "end", "told"),
    [
        ("2026-11-25", {}, "2026-11-24T16:00:00Z", "2026-11-25 00:00"),
        ("2026-11-25 10:30", {}, "2026-11-25T02:30:00Z", "2026-11-25 10:30"),
        ("2026-11-25T00:00:00Z", {}, "2026-11-25T00:00:00Z", "2026-11-25 08:00"),
        ("ship_by", {"ship_by": "2026-11-27T02:00:00Z"}, "2026-11-27T02:00:00Z", "2026-11-27 10:00"),
        (
            "2 days before ship_by",
            {"ship_by": "2026-11-27T02:00:00Z"},
            "2026-11-25T02:00:00Z",
            "2026-11-25 10:00",
        ),
        ("30 hours after placed_at", {}, "2026-11-24T08:00:00Z", "2026-11-24 16:00"),
        ("1500 minutes after placed_at", {}, "2026-11-24T03:00:00Z", "2026-11-24 11:00"),
    ],
)
def test_a_hold_ends_by_the_clock_to_the_second(
    ending: str, times: dict[str, str], end: str, told: str
) -> None:
    row = shipment(**times)
    waits = held(f"until: {ending}", row)
    assert (codes(waits), until(waits), standing(waits)) == (["held_until"], told, "waiting")
    second_before = f"{end[:17]}00Z" if end[17:19] != "00" else _second_before(end)
    assert codes(held(f"until: {ending}", row, now=second_before)) == ["held_until"]
    assert (
        codes(held(f"until: {ending}", row, now=end)),
        standing(held(f"until: {ending}", row, now=end)),
    ) == ([], "ready")


def _second_before(instant: str) -> str:
    from datetime import timedelta

    from orderctl.model.instant import parse_instant, write_instant

    return write_instant(parse_instant(instant) - timedelta(seconds=1))


def test_a_hold_without_an_end_waits_as_long_as_its_rule_matches() -> None:
    row = held("when: {note: {any: [先别发]}}", shipment(note="先别发"))
    assert (codes(row), standing(row)) == (["held"], "waiting")
    assert codes(held("when: {note: {any: [先别发]}}")) == []


def test_stock_ends_it_when_one_warehouse_has_all() -> None:
    two = shipment(lines=[
        {"line_ref": "1", "sku": "A", "quantity": 2, "unit_weight_g": 1},
        {"line_ref": "2", "sku": "B", "quantity": 1, "unit_weight_g": 1},
    ])  # fmt: skip
    short = held("until: stock", two, Facts(stock=stock(A=2)))
    assert (codes(short), until(short)) == (["held_until"], "stock")
    assert codes(held("until: stock", two, Facts(stock=stock(A=1, B=5)))) == ["held_until"]
    assert codes(held("until: stock", two, Facts(stock=stock(A=2, B=1)))) == []


def test_a_preorder_goes_at_the_promise_or_when_stock_comes_and_is_told_apart() -> None:
    rule = "when: {any_line: {trait: presale}}, lane: preorder, until: [2026-12-05, stock]"
    line = {"line_ref": "1", "sku": "A", "quantity": 1, "unit_weight_g": 1, "goods_traits": ["presale"]}
    plain = {"line_ref": "2", "sku": "B", "quantity": 1, "unit_weight_g": 1}
    row = shipment(lines=[line, plain])
    waits = held(rule, row, Facts(stock=stock(B=9)))
    assert (codes(waits), until(waits), standing(waits)) == (
        ["preorder"],
        "2026-12-05 00:00 or stock",
        "waiting",
    )
    assert codes(held(rule, row, Facts(stock=stock(A=1, B=9)))) == []
    assert codes(held(rule, row, Facts(stock=stock(B=9)), now="2026-12-04T16:00:00Z")) == []
    assert codes(held(rule, shipment(lines=[plain]), Facts(stock=stock()))) == []


@pytest.mark.parametrize("ending", ["ship_by", "stock", "[ship_by, stock]", "person", "3 days after paid_at"])
def test_what_cannot_be_told_ends_nothing_and_needs_a_person(ending: str) -> None:
    row = held(f"until: {ending}")
    assert (codes(row), standing(row)) == (["held_for_person"], "blocked")


def test_a_person_releases_by_name_the_shipment_or_all_its_orders() -> None:
    row = shipment()
    order = row["orders"][0]
    assert codes(held("until: person", row, released(("S-a", {"hold": ["later"]})))) == []
    assert codes(held("until: person", row, released(("taobao:main:a", {"hold": ["later", "other"]})))) == []
    assert codes(held("until: 2027-01-01", row, released(("taobao:main:a", {"hold": ["later"]})))) == []
    assert codes(held("until: person", row, released(("taobao:main:a", {"hold": ["other"]})))) == [
        "held_for_person"
    ]
    row["orders"] = [order, {**order, "order_id": "taobao:main:b"}]
    one, both = ("taobao:main:a", {"hold": ["later"]}), ("taobao:main:b", {"hold": ["later"]})
    assert codes(held("until: person", row, released(one))) == ["held_for_person"]
    assert codes(held("until: person", row, released(one, both))) == []
    with pytest.raises(DataError):
        held("until: person", row, released(("taobao:main:a", ["later"])))


def test_a_hold_that_is_over_lets_the_next_be_asked() -> None:
    rules = parse(
        COURIERS + "holds:\n  - {name: first, until: 2026-11-24}\n  - {name: second, until: 2026-11-30}\n"
    )
    row = route(batch(shipment()), rules, Facts(), NOW).to_dicts()[0]
    (step,) = [s for s in row["decision"] if s["step"] == "hold"]
    assert (step["rule"], {p["name"]: p["value"] for p in step["params"]}) == (
        "second", {"needs": "time", "until": "2026-11-30 00:00"},
    )  # fmt: skip


def test_a_rule_in_doubt_is_told_as_for_all_sections_unless_it_is_over() -> None:
    when = "when: {weight_g: {gt: 5}}"
    row = shipment(weight_g=None)
    told = [p["code"] for p in held(f"{when}, until: 2026-12-01", row)["problems"]]
    assert "fact_missing" in told and codes(held(f"{when}, until: 2026-12-01", row)) == []
    assert "fact_missing" not in [p["code"] for p in held(f"{when}, until: 2026-11-01", row)["problems"]]


def lines_of(hold: str, row: dict[str, Any], facts: Facts) -> Sequence[str]:
    rules = parse(f"{COURIERS}holds: [{{name: later, {hold}}}]")
    return explain(batch(row).to_dicts()[0], rules, facts, NOW).render("en").split("\n")


def test_explain_says_how_it_ends_and_what_ended_it() -> None:
    told = lines_of("until: 2026-12-01", shipment(), Facts())
    assert "hold: later, by a rule" in told and "  until 2026-12-01 00:00" in told
    assert any('ledger decide taobao:main:a release --payload \'{"hold": "later"}\'' in line for line in told)
    over = lines_of("until: 2026-11-01", shipment(), Facts())
    assert any(line.startswith("  no      later") and line.endswith("its time has come") for line in over)
    free = lines_of("until: person", shipment(), released(("S-a", {"hold": ["later"]})))
    assert any(line.endswith("a person has released it") for line in free)
    short = lines_of("until: stock", shipment(), Facts(stock=stock(OTHER=3)))
    assert "  until stock" in short and any(line.startswith("  held_until") for line in short)
    assert not any(
        "out_of_stock" in line for line in short
    )  # who gets what is told by the trail, not dealt out anew
    there = lines_of("until: stock", shipment(), Facts(stock=stock(TS_BLK_L=3)))
    assert any(line.endswith("all of it is in stock") for line in there)


@pytest.mark.parametrize(
    "ending", ["tomorrow", "2026-13-01", "2 weeks before ship_by", "2 days before shipby", ""]
)
def test_an_end_that_is_none_is_told_with_its_place(ending: str) -> None:
    with pytest.raises(ConfigError, match=r"rules\.yaml:1:.*ends no hold"):
        parse(f"holds: [{{name: a, until: '{ending}'}}]")


def test_what_needs_a_person_blocks_and_what_ends_by_itself_waits() -> None:
    assert {c: KINDS[c].severity for c in ("held", "held_until", "preorder", "held_for_person")} == {
        "held": "wait", "held_until": "wait", "preorder": "wait", "held_for_person": "block",
    }  # fmt: skip


def test_lint_knows_that_a_hold_ends() -> None:
    two = "holds: [{name: a, until: 2026-11-20}, {name: b, until: person}, {name: c}]"
    assert [f.code for f in lint(parse(two)) if f.code in ("shadowed", "over")] == []
    assert [f.code for f in lint(parse(two), NOW) if f.code in ("shadowed", "over")] == ["over"]
    assert [f.code for f in lint(parse("holds: [{name: a}, {name: b}]")) if f.code == "shadowed"] == [
        "shadowed"
    ]
