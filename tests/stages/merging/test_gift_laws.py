"""The laws of gifts: they change no shipment, come out the same however orders arrive, and never exceed what there is."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from orderctl.model.facts import COMMITMENTS, Facts
from orderctl.stages.committed import write_trail
from orderctl.stages.merge import MergeRules, merge
from orderctl.stages.merging.gift_counts import KEYS, USED, Left, deal
from orderctl.stages.merging.versions import newest, take_apart
from orderctl.stages.plans.rows import claims
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.parse import parse
from orderctl.stages.rules.sections.gifts import GiftRule, Give
from tests.properties.test_merge_laws import NOW, situations

STOCK = pl.DataFrame({"sku": ["SOCKS", "CARD"], "available": ["3", "5"]})
CATALOGUE = (
    "skus: { catalogue: [{ sku: SOCKS, weight_g: 45 }, { sku: CARD, weight_g: 5 }] }\nstock: s.csv\ngifts:\n"
)
RULES = [
    "{ name: all, give: [{ sku: SOCKS, quantity: 2 }, { sku: CARD }], quota: 2 }",
    "{ name: note, group: g, when: { seller_note: { any: [gift] } }, give: [{ sku: CARD }], per_customer: 1 }",
    "{ name: rest, group: g, give: [{ sku: SOCKS }], stock_floor: 1, per: { each: 2 } }",
    "{ name: lot, choose: random, give: [{ sku: SOCKS }, { sku: CARD }], per: { each: 1 }, quota: 5, only_if_complete: true }",
    "{ name: first, choose: first_available, give: [{ sku: SOCKS, quantity: 2 }, { sku: CARD }], stock_floor: 0, per_customer: 2, per: { each: 1 } }",
    "{ name: dated, give: [{ sku: CARD }], from: 2026-11-02, dated_by: placed_at }",
]
books = st.lists(st.sampled_from(RULES), min_size=1, max_size=4, unique=True).map(
    lambda some: parse(CATALOGUE + "".join(f"  - {rule}\n" for rule in some), tables=lambda _: STOCK)
)


def gift_lines(row: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {
        (x["order_id"], x["line_ref"]): x["quantity"]
        for x in row["lines"]
        if x["line_ref"].startswith("gift:")
    }


@settings(max_examples=8, deadline=None)
@given(situations(), books, st.randoms(use_true_random=False), st.integers(0, 7))
def test_gifts_are_the_same_however_the_orders_arrive(
    situation: tuple[pl.DataFrame, MergeRules, Facts], book: RuleBook, chance: random.Random, cut: int
) -> None:
    batch, rules, facts = situation
    gifts = book.gifts
    whole = merge(batch, rules, facts, NOW, gifts)
    assert_frame_equal(merge(whole, rules, facts, NOW, gifts), whole)
    places = list(range(batch.height))
    chance.shuffle(places)
    assert_frame_equal(merge(batch[places], rules, facts, NOW, gifts), whole)
    left, right = batch[places[:cut]], batch[places[max(cut - 2, 0) :]]
    parts = [merge(part, rules, facts, NOW, gifts) for part in (left, right)]
    assert_frame_equal(merge(pl.concat(parts[::-1]), rules, facts, NOW, gifts), whole)


@settings(max_examples=8, deadline=None)
@given(situations(), books)
def test_gifts_change_no_order_and_no_shipment(
    situation: tuple[pl.DataFrame, MergeRules, Facts], book: RuleBook
) -> None:
    batch, rules, facts = situation
    with_gifts = merge(batch, rules, facts, NOW, book.gifts)
    apart = take_apart(with_gifts).unique(maintain_order=True)
    assert_frame_equal(apart.sort("order_id"), newest(batch).sort("order_id"))
    without = merge(batch, rules, facts, NOW).to_dicts()
    for plain, row in zip(without, with_gifts.to_dicts(), strict=True):
        own = [x for x in row["lines"] if not x["line_ref"].startswith("gift:")]
        ours = [x for x in row["lines"] if x["line_ref"].startswith("gift:")]
        changed = ("lines", "parcels", "weight_g", "decision")
        assert {k: v for k, v in row.items() if k not in changed} == {
            k: v for k, v in plain.items() if k not in changed
        }
        assert own == plain["lines"]
        extra = sum((x["unit_weight_g"] or 0) * x["quantity"] for x in ours)
        assert row["weight_g"] == (None if plain["weight_g"] is None else plain["weight_g"] + extra)
        packed = [(p["order_id"], p["line_ref"], p["quantity"]) for p in row["parcels"][0]["lines"]]
        assert packed == [
            (x["order_id"], x["line_ref"], x["quantity"]) for x in row["lines"] if x["quantity"]
        ]


@settings(max_examples=10, deadline=None)
@given(situations(), books, st.data())
def test_what_is_committed_keeps_its_gifts_and_counts_for_what_comes(
    situation: tuple[pl.DataFrame, MergeRules, Facts], book: RuleBook, data: st.DataObject
) -> None:
    """Waybills are bought for some shipments of a part of the orders; then all orders are merged."""
    batch, rules, facts = situation
    facts = Facts(decisions=facts.decisions, shop_groups=facts.shop_groups)
    ids = newest(batch)["order_id"].sort().to_list()
    early = data.draw(st.lists(st.sampled_from(ids), unique=True))
    before = merge(batch.filter(pl.col("order_id").is_in(early)), rules, facts, NOW, book.gifts).to_dicts()
    bought = [row for row in before if claims(row) and data.draw(st.booleans())]
    bound = [
        {
            "shipment_id": row["shipment_id"],
            "order_id": c.order_id,
            "line_ref": c.line_ref,
            "quantity": c.quantity,
        }
        | {"trail": write_trail(row)}
        for row in bought
        for c in claims(row)
    ]
    after = Facts(
        commitments=pl.DataFrame(bound, schema=COMMITMENTS),
        decisions=facts.decisions,
        shop_groups=facts.shop_groups,
    )
    whole = merge(batch, rules, after, NOW, book.gifts).to_dicts()
    kept = {row["shipment_id"]: row for row in whole}
    for row in bought:
        assert gift_lines(kept[row["shipment_id"]]) == gift_lines(row)
        assert kept[row["shipment_id"]]["decision"] == row["decision"]
    places = Counter(place for row in whole for place in gift_lines(row))
    assert not [place for place, times in places.items() if times > 1]
    for rule in book.gifts.rules:
        assert_within_limits(rule, whole)


def assert_within_limits(rule: GiftRule, rows: list[dict[str, Any]]) -> None:
    steps = [s for row in rows for s in row["decision"] if (s["rule"], s["reason"]) == (rule.name, "rule")]
    told = [{p["name"]: p["value"] for p in s["params"]} for s in steps]
    assert rule.quota is None or sum(int(p["times"]) for p in told) <= rule.quota
    by_customer: Counter[str] = Counter()
    for p in told:
        for customer in p["customer"].split():
            by_customer[customer] += int(p["times"])
    assert rule.per_customer is None or max(by_customer.values(), default=0) <= rule.per_customer
    of_orders = Counter(
        ref for row in rows for ref in {o for (o, x) in gift_lines(row) if x.startswith(f"gift:{rule.name}:")}
    )
    assert max(of_orders.values(), default=0) <= 1


rules = st.builds(
    lambda choose, quota, cap, complete, give: GiftRule.model_construct(
        name="r", choose=choose, quota=quota, per_customer=cap, only_if_complete=complete,
        give=[Give(sku=f"sku{n}", quantity=q) for n, q in enumerate(give)],
    ),
    st.sampled_from(["all", "first_available", "random"]),
    st.none() | st.integers(0, 12),
    st.none() | st.integers(1, 3),
    st.booleans(),
    st.lists(st.integers(1, 3), min_size=1, max_size=3),
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(
    rules,
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(0, 9), st.sets(st.sampled_from("abcd"), max_size=2)),
        max_size=12,
    ),
    st.lists(st.none() | st.integers(-1, 10), min_size=3, max_size=3),
    st.dictionaries(st.sampled_from("ab"), st.integers(1, 2)),
)
def test_dealing_in_columns_is_going_row_by_row(
    rule: GiftRule, rows: list[tuple[int, int, set[str]]], stock: list[int | None], used: dict[str, int]
) -> None:
    pieces = {f"sku{n}": left for n, left in enumerate(stock) if left is not None}
    wanted = pl.DataFrame(
        [(at, times, lot) for at, (times, lot, _) in enumerate(rows)],
        schema={"row": pl.Int64, "times": pl.Int64, "lot": pl.Int64},
        orient="row",
    )
    keys = pl.DataFrame(
        [(at, c) for at, (_, _, names) in enumerate(rows) for c in sorted(names)], schema=KEYS, orient="row"
    )
    left = Left(rule.quota, pieces, pl.DataFrame(list(used.items()), schema=USED, orient="row"))
    found = deal(wanted, rule, left, keys)
    columns = [f"pieces_{n}" for n in range(len(rule.give))]
    assert found.select(columns).rows() == row_by_row(rule, rows, dict(pieces), dict(used))


def row_by_row(
    rule: GiftRule, rows: list[tuple[int, int, set[str]]], stock: dict[str, int], used: dict[str, int]
) -> list[tuple[int, ...]]:
    quota = rule.quota
    had: defaultdict[str, int] = defaultdict(int, used)
    found = []
    for times, lot, customers in rows:
        may = times if quota is None else min(times, max(quota, 0))
        if rule.per_customer is not None:
            may = max(0, min([may, rule.per_customer, *(rule.per_customer - had[c] for c in customers)]))
        pieces = [0] * len(rule.give)
        if rule.choose == "all":
            for n, one in enumerate(rule.give):
                asked = may * one.quantity
                pieces[n] = min(asked, max(stock[one.sku], 0)) if one.sku in stock else asked
            whole = all(p == times * one.quantity for p, one in zip(pieces, rule.give, strict=True))
        else:
            count = len(rule.give)
            start = lot % count if rule.choose == "random" else 0
            for step in range(count):
                n = (start + step) % count
                one = rule.give[n]
                if may and stock.get(one.sku, 10**9) >= may * one.quantity:
                    pieces[n] = may * one.quantity
                    break
            whole = any(p == times * one.quantity for p, one in zip(pieces, rule.give, strict=True))
        if rule.only_if_complete and not whole:
            pieces = [0] * len(rule.give)
        given_times = max(-(-p // one.quantity) for p, one in zip(pieces, rule.give, strict=True))
        for p, one in zip(pieces, rule.give, strict=True):
            if one.sku in stock:
                stock[one.sku] -= p
        if quota is not None:
            quota -= given_times
        for c in customers:
            had[c] += given_times
        found.append(tuple(pieces))
    return found
