"""Laws of waves: each ready shipment in one, none overfull, the same for any order of input, what has begun left alone."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from orderctl.model.facts import Facts
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.plans.prints import in_wave, walk_order
from orderctl.stages.plans.rows import standing
from orderctl.stages.route import route
from orderctl.stages.waves import placing
from tests.stages.waves.shop import NOW, SHELVES, batch, book, committed, many, shipment, told, waved

SEEDS = range(4)
MOST = {
    "hot": {"shipments": 7},
    "alike": {"shipments": 9, "pieces": 12},
    "urgent": {"shipments": 5},
    "single": {"lines": 6},
    "wall": {"shipments": 6},
}


def by_wave(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Give the rows of every wave in their sequence."""
    found = defaultdict(list)
    for row in sorted(rows, key=lambda r: r["sequence"] or 0):
        if row["wave"]:
            found[row["wave"]].append(row)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_each_ready_shipment_is_in_one_wave_of_its_warehouse_and_no_other_is(seed: int) -> None:
    rows = waved(many(seed))
    for row in rows:
        assert (standing(row) == "ready") == (row["wave"] is not None) == (in_wave(row) is not None)
        if row["wave"]:
            assert f"-{row['warehouse']}-" in row["wave"]
    for wave, members in by_wave(rows).items():
        assert [row["sequence"] for row in members] == list(range(1, len(members) + 1))
        assert {told(row)["wave"] for row in members} == {wave}
        assert {(told(row)["of"], told(row)["rule"]) for row in members} == {
            (str(len(members)), told(members[0])["rule"])
        }


@pytest.mark.parametrize("seed", SEEDS)
def test_no_wave_holds_more_than_its_rule_allows_and_a_slot_has_one_shipment(seed: int) -> None:
    for members in by_wave(waved(many(seed))).values():
        about = told(members[0])
        load = {
            "shipments": len(members),
            "lines": sum(len(row["lines"]) for row in members),
            "pieces": sum(line["quantity"] for row in members for line in row["lines"]),
        }
        for name, most in MOST[about["rule"]].items():
            assert load[name] <= most or len(members) == 1
        slots = [told(row).get("position") for row in members]
        assert slots == (
            ["A1", "A2", "A3", "B1", "B2", "B3"][: len(members)]
            if about["rule"] == "wall"
            else [None] * len(members)
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_the_input_changes_nothing(seed: int) -> None:
    frame = many(seed)
    mixed = frame.sample(fraction=1, shuffle=True, seed=seed)
    one, two = (route(f, book(), Facts(), NOW).sort("shipment_id") for f in (frame, mixed))
    assert_frame_equal(one, two)


def test_a_batch_in_many_chunks_gives_the_same() -> None:
    whole = many(2, 300)
    chunked = pl.concat([whole[n : n + 7] for n in range(0, 300, 7)], rechunk=False)
    facts, moment = Facts(), Moment(NOW, "Asia/Shanghai")
    numbered = [
        route(frame, book(""), facts, NOW).with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
        for frame in (whole, chunked)
    ]
    cut = pl.concat([numbered[1][n : n + 7] for n in range(0, 300, 7)], rechunk=False)
    assert cut.n_chunks() > 1
    one, two = (placing.place(frame, book(), facts, moment) for frame in (numbered[0], cut))
    assert_frame_equal(one, two, check_row_order=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_equal_in_a_wave_is_equal_and_lots_are_big_enough(seed: int) -> None:
    for members in by_wave(waved(many(seed))).values():
        about = told(members[0])
        for name in ("zone", "size", "cutoff"):
            assert len({told(row).get(name) for row in members}) == 1
        if about["rule"] == "single":
            assert {SHELVES[row["lines"][0]["sku"]][0] for row in members} == {about["zone"]}
        if about["rule"] == "urgent":
            assert {row["courier"] for row in members} == {"SF"} and about["cutoff"] == "15:30"
        if about["rule"] == "wall":
            assert {row["courier"] for row in members} == {about["courier"]}


def test_lots_stand_together_and_are_parted_only_when_they_are_more_than_a_wave() -> None:
    rows = [row for row in waved(many(3, 400)) if row["wave"] and told(row)["rule"] == "hot"]
    waves = by_wave(rows)
    lots = defaultdict(list)
    for wave, members in waves.items():
        skus = [row["lines"][0]["sku"] for row in members]
        assert [s for n, s in enumerate(skus) if n == 0 or skus[n - 1] != s] == list(dict.fromkeys(skus))
        for sku in skus:
            lots[members[0]["warehouse"], sku].append(wave)
    assert len(lots) > 10
    for lot in lots.values():
        assert len(lot) >= 3
        assert len(set(lot)) == 1 or len(lot) > 7


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_that_has_begun_is_changed_and_counting_goes_on(seed: int) -> None:
    frame = many(seed)
    first = waved(frame)
    ready = [row for row in first if row["wave"]]
    begun = Random(seed).sample(ready, len(ready) // 2)
    more = pl.concat([frame, many(seed + 100, 60)])
    again = {row["shipment_id"]: row for row in waved(more, facts=committed(begun))}
    for row in begun:
        kept = again[row["shipment_id"]]
        assert [kept[n] for n in ("wave", "sequence", "decision")] == [
            row[n] for n in ("wave", "sequence", "decision")
        ]
    taken = {row["wave"] for row in begun}
    free = [row for row in again.values() if row["wave"] and row not in begun]
    new = {row["wave"] for row in free if row["shipment_id"] not in {b["shipment_id"] for b in begun}}
    assert new and not new & taken
    last = {wave.rsplit("-", 1)[0]: 0 for wave in taken}
    for wave in taken:
        front, number = wave.rsplit("-", 1)
        last[front] = max(last[front], int(number))
    assert all(int(wave.rsplit("-", 1)[1]) > last.get(wave.rsplit("-", 1)[0], 0) for wave in new)


def test_another_day_begins_at_one_by_the_clock_of_the_rules() -> None:
    frame = many(1)
    begun = committed([row for row in waved(frame) if row["wave"]][:40])
    late = waved(many(2), facts=begun, now="2026-11-24T16:00:00Z")  # midnight in Shanghai
    assert {row["wave"][:8] for row in late if row["wave"]} == {"20261125"}
    assert min(row["wave"] for row in late if row["wave"]).endswith("-01")


def test_routing_again_is_routing_once() -> None:
    once = route(many(5), book(), Facts(), NOW)
    assert_frame_equal(once, route(once, book(), Facts(), NOW))


def test_without_the_section_wave_and_place_are_left_as_they_are() -> None:
    once = route(many(5), book(), Facts(), NOW)
    left = route(once, book(""), Facts(), NOW)
    assert_frame_equal(once.select("wave", "sequence"), left.select("wave", "sequence"))


def test_rows_are_printed_wave_by_wave_and_those_without_one_last() -> None:
    rows = waved(many(6))
    ordered = walk_order(rows)
    assert sorted(r["shipment_id"] for r in ordered) == sorted(r["shipment_id"] for r in rows)
    places = [in_wave(row) for row in ordered]
    assert None not in places[: sum(p is not None for p in places)]
    waves = [row["wave"] for row in ordered if row["wave"]]
    assert [w for n, w in enumerate(waves) if n == 0 or waves[n - 1] != w] == sorted(set(waves))


@pytest.mark.parametrize("when", ["{sku: SKU-01}", "{any_line: {sku: SKU-01}}"])
def test_a_rule_may_ask_for_articles(when: str) -> None:
    rules = book(f"waves: {{rules: [{{name: hot, when: {when}}}, {{name: rest, kind: single_sku}}]}}")
    goods = ({"SKU-01": 1}, {"SKU-02": 1, "SKU-01": 1}, {"SKU-02": 1})
    rows = waved(batch(shipment(str(n), one) for n, one in enumerate(goods)), rules)
    assert [told(row)["rule"] for row in rows] == ["hot", "hot", "rest"]
