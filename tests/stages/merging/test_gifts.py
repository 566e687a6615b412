"""Who gets which gift, how much of it there is, and what is said of the gifts that are not given."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import polars as pl
import pytest

from orderctl.model.facts import COMMITMENTS, DECISIONS, Facts
from orderctl.stages.committed import write_trail
from orderctl.stages.explain import explain
from orderctl.stages.merge import MergeRules, merge
from orderctl.stages.merging.versions import take_apart
from orderctl.stages.normalize import NormalizeRules, normalize
from orderctl.stages.plans.rows import claims
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.parse import parse
from tests.stages.samples import line, only, order, orders

NOW = "2026-11-24T00:00:00Z"
CATALOGUE = """
skus:
  catalogue:
    - { sku: TS-BLK-L, weight_g: 210 }
    - { sku: SOCKS, name: 白袜, weight_g: 45, traits: [soft], origin: CN }
    - { sku: CARD, name: 感谢卡, weight_g: 5 }
    - { sku: HEAVY, name: 没有称过的赠品 }
"""


def book(gifts: str, head: str = "", stock: str | None = None) -> RuleBook:
    text = head + CATALOGUE + (f"stock: {stock}\n" if stock else "") + "gifts:\n" + gifts
    return parse(text, tables=lambda _: STOCK)


STOCK = pl.DataFrame({"sku": ["SOCKS", "CARD", "SOCKS"], "available": ["2", "0", "1"]})


def normalized(*rows: dict[str, Any], rules: NormalizeRules | None = None) -> pl.DataFrame:
    return normalize(orders(*rows), rules or book("  []").normalize, Facts(), NOW)


def given(
    gifts: RuleBook | str, *rows: dict[str, Any], facts: Facts | None = None, now: str = NOW
) -> list[dict[str, Any]]:
    read = book(gifts) if isinstance(gifts, str) else gifts
    return merge(normalized(*rows), MergeRules(), facts or Facts(), now, read.gifts).to_dicts()


def gifts_of(row: dict[str, Any]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for one in row["lines"]:
        if one["line_ref"].startswith("gift:"):
            found[one["sku"]] += one["quantity"]
    return dict(found)


def by_order(rows: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    return {"+".join(o["platform_ref"] for o in row["orders"]): gifts_of(row) for row in rows}


def why(row: dict[str, Any]) -> dict[str, str]:
    return {s["rule"]: s["reason"] for s in row["decision"] if s["step"] == "gift"}


def params(row: dict[str, Any], rule: str) -> dict[str, str]:
    step = next(s for s in row["decision"] if s["rule"] == rule)
    return {p["name"]: p["value"] for p in step["params"]}


def committing(*rows: dict[str, Any]) -> Facts:
    """Give the facts after waybills were bought for `rows`."""
    bound = [
        {
            "shipment_id": row["shipment_id"],
            "order_id": c.order_id,
            "line_ref": c.line_ref,
            "quantity": c.quantity,
        }
        | {"courier": "SF", "trail": write_trail(row)}
        for row in rows
        for c in claims(row)
    ]
    return Facts(commitments=pl.DataFrame(bound, schema=COMMITMENTS))


def elsewhere(ref: str, street: str, **changes: Any) -> dict[str, Any]:
    return order(
        ref, recipient={"street": street, "name": f"测试{ref}", "phone": f"1380000{ref:0>4}"}, **changes
    )


FROM_100 = (
    "  - { name: from 100, when: { total_minor: { gte: 10000 } }, give: [{ sku: SOCKS, quantity: 2 }] }\n"
)


def test_a_gift_is_a_line_of_its_shipment_that_costs_nothing_and_weighs_something() -> None:
    row = only(merge(normalized(order("1")), MergeRules(), Facts(), NOW))
    plain, gifted = row, given("  - { name: 袜, give: [{ sku: SOCKS, quantity: 2 }] }", order("1"))[0]
    gift = gifted["lines"][-1]
    assert gifted["lines"][:-1] == plain["lines"]
    assert {k: v for k, v in gift.items() if v not in (None, 0, [])} == {
        "order_id": "shopify:main:1", "line_ref": "gift:袜:SOCKS", "sku": "SOCKS", "title": "白袜", "kind": "gift",
        "quantity": 2, "quantity_ordered": 2, "quantity_to_ship": 2, "unit_weight_g": 45, "refund": "none",
        "origin": "CN", "goods_traits": ["soft"],
    }  # fmt: skip
    assert (gift["unit_price_minor"], gift["paid_minor"]) == (0, 0)
    assert gifted["weight_g"] == gifted["parcels"][0]["weight_g"] == 210 + 90
    assert gifted["parcels"][0]["lines"][-1] == {
        "order_id": "shopify:main:1", "line_ref": "gift:袜:SOCKS", "quantity": 2
    }  # fmt: skip
    same = ("shipment_id", "orders", "total_minor", "collect_minor", "merge", "problems")
    assert [gifted[name] for name in same] == [plain[name] for name in same]
    assert why(gifted) == {"袜": "rule"}


def test_a_gift_that_nobody_weighed_leaves_the_weight_unknown() -> None:
    row = given("  - { name: a, give: [{ sku: HEAVY }] }", order("1"))[0]
    assert (row["weight_g"], row["parcels"][0]["weight_g"], row["lines"][-1]["title"]) == (
        None, None, "没有称过的赠品"
    )  # fmt: skip


def test_gifts_are_computed_after_joining_and_undone_with_it() -> None:
    two = (order("1", total_minor=6000, goods_minor=6000), order("2", total_minor=6000, goods_minor=6000))
    assert by_order(given(FROM_100, *two)) == {"1+2": {"SOCKS": 2}}
    said = {"subject": "shopify:main:1", "decision": "never_merge", "payload": '{"with":["shopify:main:2"]}'}
    undone = Facts(decisions=pl.DataFrame([said], schema=DECISIONS))
    assert by_order(given(FROM_100, *two, facts=undone)) == {"1": {}, "2": {}}


def test_taking_apart_leaves_our_gifts_behind_and_keeps_those_of_the_platform() -> None:
    own = line(line_ref="g1", kind="gift", unit_price_minor=0, paid_minor=0)
    batch = normalized(order("1", lines=[line(), own]))
    shipments = merge(
        batch, MergeRules(), Facts(), NOW, book("  - { name: a, give: [{ sku: SOCKS }] }").gifts
    )
    assert [x["line_ref"] for x in only(shipments)["lines"]] == ["1", "g1", "gift:a:SOCKS"]
    assert take_apart(shipments).to_dicts() == batch.to_dicts()


def test_of_a_group_the_first_that_can_gives() -> None:
    rules = """
  - { name: big, group: g, when: { total_minor: { gte: 5000 } }, give: [{ sku: SOCKS }], quota: 1 }
  - { name: small, group: g, give: [{ sku: CARD }] }
  - { name: other, give: [{ sku: CARD, quantity: 3 }] }
"""
    rows = given(
        rules,
        elsewhere("1", "样例路1号", total_minor=6000, goods_minor=6000, ship_by="2026-11-25T00:00:00Z"),
        elsewhere("2", "样例路2号", total_minor=6000, goods_minor=6000, ship_by="2026-11-26T00:00:00Z"),
        elsewhere("3", "样例路3号", ship_by="2026-11-27T00:00:00Z"),
    )
    assert [why(row) for row in rows] == [
        {"big": "rule", "small": "group_won_by", "other": "rule"},
        {"big": "quota_used_up", "small": "rule", "other": "rule"},
        {"small": "rule", "other": "rule"},
    ]
    assert params(rows[0], "small") == {"by": "big"}
    assert [x["line_ref"] for x in rows[1]["lines"]] == ["1", "gift:other:CARD", "gift:small:CARD"]


@pytest.mark.parametrize(
    ("per", "times"),
    [
        ("{ each: 2 }", 2),
        ("{ each: 3, of: quantity, where: { merchant_code: TS-BLK-L } }", 1),
        ("{ each: 1, where: { merchant_code: NONE } }", 0),
        ("{ each: 1, at_most: 3 }", 3),
        ("{ each: 2500, of: total_minor }", 4),
        ("{ each: 3000, of: paid_minor }", 3),
    ],
)
def test_multiples(per: str, times: int) -> None:
    five = line(quantity=5, paid_minor=10_000)
    rows = given(
        f"  - {{ name: a, give: [{{ sku: SOCKS, quantity: 2 }}], per: {per} }}",
        order("1", lines=[five], total_minor=10_000, goods_minor=10_000),
    )
    assert gifts_of(rows[0]) == ({"SOCKS": 2 * times} if times else {})
    assert why(rows[0]) == {"a": "rule" if times else "too_few"}


@pytest.mark.parametrize(
    ("dates", "reason"),
    [
        ("from: 2026-11-01, until: 2026-11-01", "rule"),
        ("until: 2026-10-31", "over"),
        ("from: 2026-11-02", "not_yet"),
        ("from: 2026-11-24, dated_by: now", "rule"),
        ("from: 2026-11-25, dated_by: now", "not_yet"),
    ],
)
def test_dates_are_those_of_payment_and_days_of_the_zone(dates: str, reason: str) -> None:
    paid = order("1", paid_at="2026-11-01T15:59:59Z")  # 23:59:59 of the same day in Shanghai
    assert why(given(f"  - {{ name: a, give: [{{ sku: SOCKS }}], {dates} }}", paid)[0]) == {"a": reason}


def test_of_joined_orders_one_in_time_is_enough() -> None:
    early, late = order("1", paid_at="2026-10-31T00:00:00Z"), order("2", paid_at="2026-11-03T00:00:00Z")
    rule = "  - { name: a, give: [{ sku: SOCKS }], from: 2026-11-02, until: 2026-11-04 }"
    assert by_order(given(rule, early, late)) == {"1+2": {"SOCKS": 1}}
    assert why(given(rule, order("1", paid_at=None, placed_at=None))[0]) == {"a": "unknown_fact"}


def test_the_quota_is_dealt_by_promise_and_then_by_id_and_those_who_wait_come_last() -> None:
    rule = "  - { name: a, give: [{ sku: SOCKS, quantity: 2 }], quota: 3, per: { each: 1 } }"
    many = [line(quantity=2)]
    rows = given(
        rule,
        elsewhere("1", "样例路1号", lines=many, ship_by="2026-11-29T00:00:00Z"),
        elsewhere("2", "样例路2号", lines=many, ship_by="2026-11-28T00:00:00Z"),
        elsewhere("3", "样例路3号", lines=many, ship_by="2026-11-27T00:00:00Z", status="wait_pay"),
        elsewhere("4", "样例路4号", lines=many),
    )
    assert by_order(rows) == {"1": {"SOCKS": 2}, "2": {"SOCKS": 4}, "3": {}, "4": {}}
    partly = next(row for row in rows if row["orders"][0]["platform_ref"] == "1")
    told = params(partly, "a")
    assert (told["times"], told["wanted"], told["by"]) == ("1", "2", "quota_used_up")


def test_only_if_complete_gives_all_or_nothing_and_leaves_it_to_the_next() -> None:
    rule = "  - { name: a, give: [{ sku: SOCKS }], quota: 3, only_if_complete: true, per: { each: 1 } }"
    rows = given(
        rule,
        *(
            elsewhere(ref, f"样例路{ref}号", lines=[line(quantity=n)], ship_by=f"2026-11-2{ref}T00:00:00Z")
            for ref, n in (("5", 2), ("6", 2), ("7", 1))
        ),
    )
    assert by_order(rows) == {"5": {"SOCKS": 2}, "6": {}, "7": {"SOCKS": 1}}


def test_a_customer_is_a_buyer_or_a_recipient() -> None:
    rule = "  - { name: a, give: [{ sku: SOCKS }], per_customer: 1 }"
    rows = given(
        rule,
        elsewhere("1", "样例路1号", buyer_ref="b1", ship_by="2026-11-25T00:00:00Z"),
        elsewhere("2", "样例路2号", buyer_ref="b1", ship_by="2026-11-26T00:00:00Z"),  # the same buyer
        elsewhere("3", "样例路3号", buyer_ref="b2", ship_by="2026-11-27T00:00:00Z"),
        elsewhere(
            "3", "样例路3号", shop="south", buyer_ref="b3", ship_by="2026-11-28T00:00:00Z"
        ),  # the same recipient
    )
    assert [why(row)["a"] for row in rows] == ["rule", "customer_cap", "rule", "customer_cap"]
    assert params(rows[0], "a")["customer"].startswith("h:")


def test_stock_is_taken_rule_by_rule_down_to_the_floor() -> None:
    rules = """
  - { name: a, give: [{ sku: SOCKS }, { sku: CARD }], stock_floor: 1 }
  - { name: b, give: [{ sku: SOCKS }], stock_floor: 0 }
"""
    rows = given(
        book(rules, stock="stock.csv"),
        *(elsewhere(ref, f"样例路{ref}号", ship_by=f"2026-11-2{ref}T00:00:00Z") for ref in "5678"),
    )
    assert [gifts_of(row) for row in rows] == [{"SOCKS": 2}, {"SOCKS": 1}, {}, {}]
    assert [why(row) for row in rows] == [
        {"a": "rule", "b": "rule"}, {"a": "rule", "b": "stock_floor"}, {"a": "stock_floor", "b": "stock_floor"},
        {"a": "stock_floor", "b": "stock_floor"},
    ]  # fmt: skip


def test_the_first_available_and_what_is_drawn_by_lot() -> None:
    rule = "  - { name: a, choose: first_available, give: [{ sku: CARD }, { sku: SOCKS }], stock_floor: 0 }"
    refs = "56789"
    five = [elsewhere(ref, f"样例路{ref}号", ship_by=f"2026-11-2{ref}T00:00:00Z") for ref in refs]
    rows = given(book(rule, stock="stock.csv"), *five)
    assert [gifts_of(row) for row in rows] == [{"SOCKS": 1}] * 3 + [{}] * 2
    drawn = "  - { name: a, choose: random, give: [{ sku: CARD }, { sku: SOCKS }] }"
    many = [elsewhere(str(n), f"样例路{n}号") for n in range(60)]
    first, again = by_order(given(drawn, *many)), by_order(given(drawn, *many[::-1]))
    assert first == again
    counts = [sum(sku in one for one in first.values()) for sku in ("CARD", "SOCKS")]
    assert sum(counts) == 60
    assert min(counts) > 10


def test_what_has_a_waybill_keeps_its_gifts_and_why() -> None:
    two = (order("1", total_minor=6000, goods_minor=6000), order("2", total_minor=6000, goods_minor=6000))
    before = given(FROM_100, *two)[0]
    facts = committing(before)
    other = "  - { name: another, give: [{ sku: CARD }] }"
    assert given(other, *two, facts=facts)[0] == before | {"courier": "SF"}
    assert given("  []", *two, facts=facts)[0] == before | {"courier": "SF"}
    assert "committed_beyond" not in {p["code"] for p in given("  []", *two, facts=facts)[0]["problems"]}


def test_a_late_order_gets_none_twice() -> None:
    rule = "  - { name: a, give: [{ sku: SOCKS }], per_customer: 1 }"
    facts = committing(given(rule, order("1"))[0])
    rows = given(rule, order("1"), order("2"), facts=facts)
    assert {row["orders"][0]["platform_ref"]: why(row)["a"] for row in rows} == {
        "1": "rule",
        "2": "customer_cap",
    }
    assert by_order(rows) == {"1": {"SOCKS": 1}, "2": {}}
    later = given(rule, order("2"), facts=facts)  # the first order is not even in the batch
    assert by_order(later) == {"2": {}}
    assert by_order(given(rule, order("2"), facts=Facts())) == {"2": {"SOCKS": 1}}  # the waybill is voided


def test_the_rest_of_an_order_gets_no_second_gift() -> None:
    rule = "  - { name: a, give: [{ sku: SOCKS }] }"
    part = given(rule, order("1", lines=[line(quantity=3)]))[0]
    for one in (*part["lines"][:1], *part["parcels"][0]["lines"][:1]):
        one["quantity"] = 1
    rows = given(rule, order("1", lines=[line(quantity=3)]), facts=committing(part))
    assert sorted((row["orders"][0]["part"], why(row)["a"]) for row in rows) == [
        (1, "rule"),
        (2, "given_before"),
    ]
    rest = next(row for row in rows if why(row)["a"] == "given_before")
    assert params(rest, "a") == {"shipment": part["shipment_id"]}


def test_the_quota_counts_what_is_committed_in_times() -> None:
    rule = "  - { name: a, give: [{ sku: SOCKS, quantity: 2 }, { sku: CARD }], quota: 3, per: { each: 1 } }"
    first = given(rule, order("1", lines=[line(quantity=2)]))[0]
    assert gifts_of(first) == {"SOCKS": 4, "CARD": 2}
    facts = committing(first)
    row = given(rule, elsewhere("2", "样例路2号", lines=[line(quantity=2)]), facts=facts)[0]
    assert gifts_of(row) == {"SOCKS": 2, "CARD": 1}
    untold = Facts(commitments=facts.commitments.with_columns(trail=pl.lit(None, dtype=pl.String)))
    row = given(rule, elsewhere("2", "样例路2号", lines=[line(quantity=2)]), facts=untold)[0]
    assert gifts_of(row) == {"SOCKS": 4, "CARD": 2}  # a lost trail counts once


def test_facts_frozen_to_a_file_count_the_same() -> None:
    from orderctl.model.facts import parse_facts

    rule = "  - { name: a, give: [{ sku: SOCKS }], quota: 1, per_customer: 1 }"
    facts = committing(given(rule, order("1"))[0])
    frozen = parse_facts(facts.to_json(), "facts.json")
    assert given(rule, elsewhere("2", "样例路2号"), facts=frozen) == given(
        rule, elsewhere("2", "样例路2号"), facts=facts
    )
    assert json.loads(facts.to_json())["commitments"]


def test_an_unknown_fact_gives_nothing_and_is_named() -> None:
    rule = "  - { name: a, when: { ship_by_hours_left: { lt: 12 } }, give: [{ sku: SOCKS }] }"
    row = given(rule, order("1"))[0]
    assert (gifts_of(row), why(row), params(row, "a")) == (
        {},
        {"a": "unknown_fact"},
        {"facts": "ship_by_hours_left"},
    )


def test_nothing_is_given_where_nothing_is_sent() -> None:
    row = given("  - { name: a, give: [{ sku: SOCKS }] }", order("1", status="closed"))[0]
    assert (gifts_of(row), row["decision"]) == ({}, [])


def from_gift(told: str) -> list[str]:
    lines = told.split("\n")
    return lines[next(n for n, one in enumerate(lines) if one.startswith("gift:")) :]


def test_explain_says_which_rule_gave_and_why_the_others_did_not() -> None:
    rules = """
  - { name: big, group: g, when: { total_minor: { gte: 50000 } }, give: [{ sku: SOCKS }] }
  - { name: over, give: [{ sku: CARD }], until: 2026-10-01 }
  - { name: multiple, group: g, give: [{ sku: SOCKS, quantity: 2 }], per: { each: 1 }, quota: 2 }
  - { name: small, group: g, give: [{ sku: CARD }] }
  - { name: soon, when: { ship_by_hours_left: { lt: 12 } }, give: [{ sku: CARD }] }
"""
    read = book(rules)
    row = given(read, order("1", lines=[line(quantity=3)]))[0]
    told = explain(row, read, Facts(), NOW)
    assert from_gift(told.render())[:6] == [
        "gift: SOCKS x4, by a rule",
        "  no      big (rules.yaml:10:5): total_minor is 1000, the rule wants total_minor gte 50000",
        "  no      over (rules.yaml:11:5): it ended at 2026-10-01T15:59:59Z",
        "  match   multiple (rules.yaml:12:5): gives SOCKS x4, 2 of 3 times: its quota is used up",
        "  no      small (rules.yaml:13:5): 'multiple' gives in its group",
        "  unknown soon (rules.yaml:14:5): ship_by_hours_left is missing",
    ]
    assert "赠品：SOCKS x4" in told.render("zh")
    kept = explain(row, book("  - { name: new, give: [{ sku: CARD }] }"), committing(row), NOW)
    assert from_gift(kept.render())[:2] == [
        "gift: SOCKS x4, committed already",
        "  no      over (-): it ended at 2026-10-01T15:59:59Z",
    ]
    only_weight = "  - { name: light, when: { weight_g: { lte: 630 } }, give: [{ sku: SOCKS }] }"
    light = given(only_weight, order("1", lines=[line(quantity=3)]))[0]
    assert light["weight_g"] == 675
    bare = light | {"decision": []}
    assert (
        "light (rules.yaml:9:5): gifts are given by merge"
        in explain(bare, book(only_weight), Facts(), NOW).render()
    )
