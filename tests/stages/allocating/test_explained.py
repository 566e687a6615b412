from __future__ import annotations

import polars as pl

from orderctl.model.facts import DECISIONS, Facts
from orderctl.stages.explain import explain
from orderctl.stages.rules.parse import parse
from tests.stages.allocating.test_allocating import (
    APART,
    NOW,
    SPLIT,
    TORN,
    WHOLE,
    goods,
    merged,
    routed,
    stock,
)
from tests.stages.samples import order


def test_explaining_one_tells_what_the_batch_left_it() -> None:
    rows = merged(order("1", lines=[goods("1", "A")]), order("2", lines=[goods("1", "A")]))
    first, second = routed(rows, stock(("hz", "A", 1), ("gz", "A", 1)))
    told = explain(second, parse(WHOLE), Facts(), NOW)
    step = next(s for s in told.steps if s.step == "warehouse")
    assert (step.outcome, step.reason) == (second["warehouse"], "allocated")
    assert "gz: 5.00 CNY" in told.render()
    assert {s.outcome for s in told.steps if s.step == "courier"} == {second["courier"]}
    assert (
        "warehouse: hz, the cheapest that has everything"
        in explain(first, parse(WHOLE), Facts(), NOW).render()
    )


def test_what_lacked_and_what_it_is_a_part_of_are_told() -> None:
    whole = merged(order("1", lines=TORN))
    (waits,) = routed(whole, stock(("hz", "A", 1)), SPLIT)
    text = explain(waits, parse(SPLIT), Facts(), NOW).render()
    assert "warehouse: hz, not enough in stock" in text
    assert "  hz: 3.00 CNY, B -2" in text
    assert "out_of_stock: not enough in stock: B -2" in text
    _, part = routed(whole, stock(*APART), SPLIT)
    assert f"part 2 of 2 of {whole['shipment_id'][0]}" in explain(part, parse(SPLIT), Facts(), NOW).render(
        "en"
    )


def test_a_person_who_pins_another_warehouse_later_is_heard() -> None:
    (row,) = routed(merged(order("1", lines=[goods("1", "A")])), stock(("hz", "A", 1)))
    pin = {"subject": row["shipment_id"], "decision": "pin", "payload": '{"warehouse": "cd"}', "at": NOW}
    pins = pl.DataFrame([{**pin, "reason": None, "actor": "x"}], schema=DECISIONS)
    step = next(
        s for s in explain(row, parse(WHOLE), Facts(decisions=pins), NOW).steps if s.step == "warehouse"
    )
    assert (step.outcome, step.reason) == ("cd", "pinned")
