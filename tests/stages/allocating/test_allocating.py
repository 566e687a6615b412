from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from random import Random
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from orderctl.model.facts import COMMITMENTS, DECISIONS, RESERVED, STOCK, Facts
from orderctl.stages.merge import merge, take_apart
from orderctl.stages.route import needs_whole, route
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.parse import parse
from tests.stages.samples import codes, line, order, orders

NOW = "2026-11-24T02:00:00Z"
HOUSES = ("hz", "gz", "cd")
COURIERS = """
couriers:
  - {name: near, when: {warehouse: hz}, use: YTO}
  - {name: far, use: ZTO}
tariffs:
  - {id: yto, courier: YTO, zones: [{id: all, countries: [CN], first_weight_kg: 1, first_price: 3, step_price: 1}]}
  - {id: zto, courier: ZTO, zones: [{id: all, countries: [CN], first_weight_kg: 1, first_price: 5, step_price: 2}]}
"""
WHOLE = "warehouses: [{name: all, use: [hz, gz, cd]}]" + COURIERS
SPLIT = "warehouses: [{name: all, use: [hz, gz, cd], split: true}]" + COURIERS


def stock(*cells: tuple[str, str, int], **more: Any) -> Facts:
    rows = [(house, sku, None, quantity, None) for house, sku, quantity in cells]
    facts = Facts(stock=pl.DataFrame(rows, schema=STOCK, orient="row"), partial=frozenset(["main"]))
    return replace(facts, **more)


def goods(ref: str, sku: str | None, quantity: int = 1, **changes: Any) -> dict[str, Any]:
    return line(line_ref=ref, sku=sku, quantity=quantity, **{"unit_weight_g": 200, **changes})


def merged(*rows: dict[str, Any], facts: Facts | None = None) -> pl.DataFrame:
    book = parse("merge: {max_orders: 1, suggest: false}")
    return merge(orders(*rows), book.merge, facts or Facts(), NOW)


def routed(rows: pl.DataFrame, facts: Facts, rules: str = WHOLE) -> list[dict[str, Any]]:
    return route(rows, parse(rules), facts, NOW).to_dicts()


def step(row: dict[str, Any], name: str = "warehouse") -> dict[str, Any]:
    found = next(s for s in row["decision"] if s["step"] == name)
    return {**found, "params": {p["name"]: p["value"] for p in found["params"]}}


def carried(row: dict[str, Any]) -> dict[str, int]:
    return {x["line_ref"]: x["quantity"] for x in row["lines"] if x["quantity"]}


def test_without_a_stock_the_first_warehouse_is_taken_and_rows_may_stream() -> None:
    (row,) = routed(merged(order("1", lines=[goods("1", "A")])), Facts())
    assert row["warehouse"] == "hz"
    assert step(row)["reason"] == "rule"
    assert not needs_whole(parse(WHOLE), Facts())
    assert needs_whole(parse(WHOLE), stock())


def test_the_cheapest_warehouse_that_has_everything_serves() -> None:
    one = merged(order("1", lines=[goods("1", "A"), goods("2", "B")]))
    (row,) = routed(one, stock(("hz", "A", 9), ("gz", "A", 1), ("gz", "B", 1)))
    assert (row["warehouse"], row["courier"], row["freight_minor"]) == ("gz", "ZTO", 500)
    assert step(row)["reason"] == "allocated"
    told = "hz: 3.00 CNY, B -1; gz: 5.00 CNY; cd: 5.00 CNY"
    assert step(row)["params"]["candidates"] == told


def test_what_lacks_waits_and_says_what_is_missing() -> None:
    (row,) = routed(merged(order("1", lines=[goods("1", "A", 3)])), stock(("hz", "A", 1)))
    assert codes(row)["out_of_stock"] == "wait"
    assert step(row)["params"]["missing"] == "A -2"
    assert (row["warehouse"], step(row)["reason"]) == ("hz", "out_of_stock")


def test_what_is_promised_earlier_then_worth_more_then_older_is_served_first() -> None:
    late = order("1", ship_by="2026-11-26T00:00:00Z", lines=[goods("1", "A")])
    soon = order("2", ship_by="2026-11-25T00:00:00Z", lines=[goods("1", "A")])
    dear = order("3", total_minor=90_000, lines=[goods("1", "A")])
    old = order("4", placed_at="2026-10-01T00:00:00Z", lines=[goods("1", "A")])
    plain = order("5", lines=[goods("1", "A")])
    unpaid = order("6", ship_by="2026-11-24T03:00:00Z", lines=[goods("1", "A")], problems=[PROBLEM])
    for left, waits in enumerate(("12345", "1345", "345", "45", "5", "")):
        found = routed(merged(late, soon, dear, old, plain, unpaid), stock(("hz", "A", left)))
        served = {r["orders"][0]["platform_ref"] for r in found if "out_of_stock" not in codes(r)}
        turn = "213456"
        assert served == set(turn[:left]), waits


PROBLEM = {
    "code": "not_paid", "params": [], "field": None, "severity": "wait", "forceable": False,
    "stage": "normalize", "message": "not paid yet",
}  # fmt: skip


def test_a_pinned_warehouse_is_the_only_one_and_lacks_like_any_other() -> None:
    one = merged(order("1", lines=[goods("1", "A")]))
    pin = {"subject": "shopify:main:1", "decision": "pin", "payload": '{"warehouse": "cd"}', "at": NOW}
    facts = stock(
        ("hz", "A", 5), decisions=pl.DataFrame([{**pin, "reason": None, "actor": "x"}], schema=DECISIONS)
    )
    (row,) = routed(one, facts)
    assert (row["warehouse"], step(row)["reason"]) == ("cd", "pinned")
    assert "out_of_stock" in codes(row)


def test_what_is_committed_keeps_its_warehouse_and_is_taken_off_once() -> None:
    rows = merged(order("1", lines=[goods("1", "A")]), order("2", lines=[goods("1", "A")]))
    first = rows["shipment_id"][0]
    bound = {
        "shipment_id": first,
        "order_id": rows["orders"][0][0]["order_id"],
        "line_ref": "1",
        "quantity": 1,
    }
    facts = stock(
        ("hz", "A", 1),
        commitments=pl.DataFrame(
            [{**dict.fromkeys(COMMITMENTS), **bound, "warehouse": "cd"}], schema=COMMITMENTS
        ),
        reserved=pl.DataFrame([(first, "cd", "A", 1, NOW)], schema=RESERVED, orient="row"),
    )
    found = routed(rows, facts)
    assert [(r["warehouse"], codes(r).get("out_of_stock")) for r in found] == [("cd", None), ("hz", None)]
    taken = replace(facts, reserved=pl.DataFrame([(first, "hz", "A", 1, NOW)], schema=RESERVED, orient="row"))
    assert [codes(r).get("out_of_stock") for r in routed(rows, taken)] == [None, "wait"]


def test_a_full_warehouse_gives_way_and_then_the_rest_waits() -> None:
    rows = merged(*(order(str(n), lines=[goods("1", "A")]) for n in range(3)))
    rules = "allocation: {capacity: {hz: 1, gz: 1, cd: 0}}\n" + WHOLE
    found = routed(rows, stock(*((house, "A", 9) for house in HOUSES)), rules)
    assert sorted(r["warehouse"] for r in found if "warehouse_full" not in codes(r)) == ["gz", "hz"]
    assert [codes(r)["warehouse_full"] for r in found if "warehouse_full" in codes(r)] == ["wait"]
    sent = pl.DataFrame([("S-x", "hz", "B", 1, NOW)], schema=RESERVED, orient="row")
    found = routed(rows, stock(*((house, "A", 9) for house in HOUSES), reserved=sent), rules)
    assert sum("warehouse_full" in codes(r) for r in found) == 2


def test_what_is_not_counted_has_everything() -> None:
    rules = "allocation: {not_counted: [gz]}\n" + WHOLE
    (row,) = routed(merged(order("1", lines=[goods("1", "A", 500)])), stock(("hz", "A", 1)), rules)
    assert (row["warehouse"], codes(row)) == ("gz", {})


def test_a_warehouse_from_where_nobody_delivers_is_no_choice() -> None:
    rules = WHOLE + "not_served: [{courier: YTO, province: 浙江}]\n"
    (row,) = routed(merged(order("1", lines=[goods("1", "A")])), stock(("hz", "A", 9), ("cd", "A", 9)), rules)
    assert (row["warehouse"], row["courier"]) == ("cd", "ZTO")


def test_days_until_delivery_count_where_they_cost() -> None:
    transit = "transit: [{courier: YTO, days: 4}, {courier: ZTO, days: 1.5}]\n"
    one = merged(order("1", lines=[goods("1", "A")]))
    facts = stock(("hz", "A", 9), ("gz", "A", 9))
    for cost, home in (("0", "hz"), ("0.79", "hz"), ("0.81", "gz")):
        (row,) = routed(one, facts, f"allocation: {{day_cost: {cost}}}\n" + transit + WHOLE)
        assert row["warehouse"] == home
    assert step(row)["params"]["candidates"].startswith(
        "gz: 5.00 CNY, 1.5 d; cd: 5.00 CNY, 1.5 d; hz: 3.00 CNY, 4.0 d"
    )


def test_a_further_parcel_costs_what_the_rules_say() -> None:
    """gz alone has both and is dear; without a price on parcels nothing changes, for one parcel goes before two."""
    rules = "allocation: {split_cost: 2.5}\n" + SPLIT
    (row,) = routed(merged(order("1", lines=TORN)), stock(*APART, ("cd", "A", 1), ("cd", "B", 2)), rules)
    assert row["warehouse"] == "cd"


# ------------------------------------------------------------------------------------------------ splits


TORN = [goods("1", "A"), goods("2", "B", 2, paid_minor=3000)]
APART = (("hz", "A", 1), ("gz", "B", 2))


def test_parts_are_shipments_of_their_own_with_all_lines_of_their_orders() -> None:
    whole = merged(order("1", lines=TORN))
    found = routed(whole, stock(*APART), SPLIT)
    assert [(r["warehouse"], carried(r), r["weight_g"]) for r in found] == [
        ("hz", {"1": 1}, 200),
        ("gz", {"2": 2}, 400),
    ]
    assert sorted((r["orders"][0]["part"], r["orders"][0]["parts"]) for r in found) == [(1, 2), (2, 2)]
    assert sum(r["total_minor"] for r in found) == whole["total_minor"][0]
    assert all(len(r["lines"]) == 2 for r in found)
    assert [r["parcels"][0]["lines"] for r in found] == [
        [{"order_id": "shopify:main:1", "line_ref": ref, "quantity": n}] for ref, n in (("1", 1), ("2", 2))
    ]
    assert [step(r, "split")["outcome"] for r in found] == [whole["shipment_id"][0]] * 2
    assert len({r["shipment_id"] for r in found} | {whole["shipment_id"][0]}) == 3


def test_the_rest_of_an_order_keeps_the_name_its_part_had() -> None:
    facts = stock(*APART)
    first, second = routed(merged(order("1", lines=TORN)), facts, SPLIT)
    bound = {
        "shipment_id": first["shipment_id"],
        "order_id": "shopify:main:1",
        "line_ref": "1",
        "quantity": 1,
    }
    begun = replace(
        facts,
        commitments=pl.DataFrame(
            [{**dict.fromkeys(COMMITMENTS), **bound, "warehouse": "hz"}], schema=COMMITMENTS
        ),
    )
    again = merged(order("1", lines=TORN), facts=begun)
    assert set(again["shipment_id"]) == {first["shipment_id"], second["shipment_id"]}
    found = routed(again, begun, SPLIT)
    assert {r["shipment_id"]: r["warehouse"] for r in found} == {
        first["shipment_id"]: "hz",
        second["shipment_id"]: "gz",
    }


@pytest.mark.parametrize(
    ("lines", "changes"),
    [
        ([goods("1", "A"), goods("2", "B", kind="gift")], {}),
        ([goods("1", "A", parent_line_ref="9"), goods("2", "B", parent_line_ref="9")], {}),
        ([goods("1", "A"), goods("2", "B")], {"payment": "cod", "due_minor": 1000}),
        ([goods("1", "A"), goods("2", "B")], {"shop": "whole-only"}),
    ],
    ids=["a parcel of gifts", "a bundle", "paid at the door", "a platform that takes no parts"],
)
def test_what_is_never_torn_waits(lines: list[dict[str, Any]], changes: dict[str, Any]) -> None:
    (row,) = routed(merged(order("1", lines=lines, **changes)), stock(("hz", "A", 1), ("gz", "B", 1)), SPLIT)
    assert "out_of_stock" in codes(row)


def test_a_split_is_only_made_where_the_rule_allows_it() -> None:
    (row,) = routed(merged(order("1", lines=TORN)), stock(*APART))
    assert "out_of_stock" in codes(row)


def test_orders_that_travel_together_part_where_a_platform_takes_each_only_whole() -> None:
    book = parse("merge: {suggest: false}")
    key = {"match_key": "k", "match_kind": "canonical"}
    pair = [
        order("1", shop="w", lines=[goods("1", "A")], recipient=key),
        order("2", shop="w", lines=[goods("1", "B")], recipient=key),
    ]
    rows = merge(orders(*pair), book.merge, Facts(), NOW)
    assert rows.height == 1
    found = routed(rows, stock(("hz", "A", 1), ("gz", "B", 1)), SPLIT)
    assert [([o["order_id"] for o in r["orders"]], r["orders"][0]["parts"]) for r in found] == [
        (["shopify:w:1"], None),
        (["shopify:w:2"], None),
    ]
    again = route(pl.DataFrame(found, schema=rows.schema), parse("{}"), Facts(), NOW)
    assert again["shipment_id"].to_list() == rows["shipment_id"].to_list()


# --------------------------------------------------------------------------------------------------- laws


def world(seed: int, count: int = 40) -> tuple[pl.DataFrame, Facts]:
    chance = Random(seed)
    skus = [f"K{n}" for n in range(6)]
    made = []
    for n in range(count):
        chosen = chance.sample(skus, chance.choice([1, 2, 2, 3]))
        kinds = {"kind": "goods"} if chance.random() < 0.9 else {"kind": "gift"}
        lines = [goods(str(at), sku, chance.randint(1, 3)) for at, sku in enumerate(chosen)]
        lines[-1] |= kinds if len(lines) > 1 else {}
        soon = chance.choice([None, "2026-11-25T00:00:00Z", "2026-11-26T00:00:00Z"])
        shop = chance.choice(["main", "main", "whole-only"])
        made.append(
            order(str(n), lines=lines, ship_by=soon, shop=shop, total_minor=chance.randint(1, 9) * 1000)
        )
    cells = [(h, s, chance.randint(0, 30)) for h in HOUSES for s in skus if chance.random() < 0.65]
    return merged(*made), stock(*cells)


def sent(found: pl.DataFrame) -> pl.DataFrame:
    waits = pl.col("problems").list.eval(pl.element().struct.field("code") == "out_of_stock").list.any()
    lines = found.filter(~waits).select("warehouse", "lines").explode("lines").unnest("lines")
    return lines.group_by("warehouse", "sku").agg(pl.col("quantity").sum())


@pytest.fixture(scope="module")
def book() -> RuleBook:
    return parse(SPLIT)


@pytest.mark.parametrize("seed", [0, 2, 5])
def test_laws_of_a_batch(seed: int, book: RuleBook) -> None:
    rows, facts = world(seed)
    found = route(rows, book, facts, NOW)
    assert facts.stock is not None
    over = sent(found).join(facts.stock.select("warehouse", "sku", there="quantity"), on=["warehouse", "sku"], how="left")  # fmt: skip
    assert over.filter(pl.col("quantity") > pl.col("there").fill_null(0)).is_empty()

    assert found.height > rows.height, "some are split, or the test says nothing"
    assert_frame_equal(route(found, book, facts, NOW), found)  # routing what is routed
    remerged = merge(found, parse("merge: {max_orders: 1, suggest: false}").merge, Facts(), NOW)
    assert_frame_equal(remerged, rows)  # what was split is put together again
    apart = take_apart(found).unique("order_id").sort("order_id")
    assert_frame_equal(apart, take_apart(rows).sort("order_id"))

    shuffled = route(rows.sample(fraction=1, shuffle=True, seed=seed), book, facts, NOW)
    assert_frame_equal(shuffled.sort("shipment_id"), found.sort("shipment_id"))

    pieces = found.select("lines").explode("lines").unnest("lines").group_by("order_id", "line_ref")
    assert pieces.agg(pl.col("quantity").sum() == pl.col("quantity_ordered").first())["quantity"].all()
    goods_in = pl.col("lines").list.eval(
        (pl.element().struct.field("kind") == "goods") & (pl.element().struct.field("quantity") > 0)
    )
    assert found.filter(~goods_in.list.any()).is_empty(), "a parcel of gifts"


def test_with_ample_stock_nothing_is_split_and_nothing_waits(book: RuleBook) -> None:
    rows, _ = world(7)
    ample = stock(*((h, f"K{n}", 1000) for h in HOUSES for n in range(6)))
    found = route(rows, book, ample, NOW)
    assert found["shipment_id"].equals(rows["shipment_id"])
    assert (found["warehouse"] == "hz").all()
    assert not any("out_of_stock" in codes(row) for row in found.to_dicts())


def test_whole_shipments_get_what_a_slow_reading_of_the_rule_gives_them() -> None:
    """The shortcuts for what is not scarce change no answer."""
    rows, facts = world(11, 60)
    assert facts.stock is not None
    free = {(h, s): n for h, s, n in facts.stock.select("warehouse", "sku", "quantity").iter_rows()}
    expected: dict[str, str | None] = {}
    for row in sorted(
        rows.to_dicts(),
        key=lambda r: (r["ship_by"] or "9", -r["total_minor"], r["orders"][0]["placed_at"], r["shipment_id"]),
    ):
        needs = {x["sku"]: x["quantity"] for x in row["lines"]}
        home = next((h for h in HOUSES if all(free.get((h, s), 0) >= n for s, n in needs.items())), None)
        expected[row["shipment_id"]] = home
        for s, n in needs.items() if home else ():
            free[home, s] -= n  # type: ignore[index]
    # hz is cheapest, gz and cd cost the same: the order of the rule decides
    found = routed(rows, facts)
    assert {
        r["shipment_id"]: None if "out_of_stock" in codes(r) else r["warehouse"] for r in found
    } == expected
    assert len(set(expected.values())) == 4


def test_any_number_of_threads_gives_the_same_bytes(book: RuleBook) -> None:
    code = (
        "from tests.stages.allocating.test_allocating import NOW, SPLIT, parse, route, world\n"
        "rows, facts = world(5)\n"
        "print(route(rows, parse(SPLIT), facts, NOW).write_ndjson(), end='')"
    )
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "utf-8"}
    rows, facts = world(5)
    ours = route(rows, book, facts, NOW).write_ndjson()
    told = [
        subprocess.run([sys.executable, "-c", code], env={**here, "POLARS_MAX_THREADS": n}, capture_output=True, check=True)
        for n in ("1", "5")
    ]  # fmt: skip
    assert [one.stdout.decode() for one in told] == [ours, ours]
