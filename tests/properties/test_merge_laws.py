"""The laws of `merge`: a semilattice join over versions of orders, that loses nothing and sends nothing twice."""

from __future__ import annotations

import json
import random
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from orderctl.model.facts import COMMITMENTS, DECISIONS, Facts
from orderctl.stages.merge import MergeRules, merge
from orderctl.stages.merging.versions import newest, take_apart
from orderctl.stages.normalize import NormalizeRules, normalize
from tests.stages.samples import line, order, orders

NOW = "2026-11-24T00:00:00Z"
TIMES = ["2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", "2026-11-05T00:00:00Z"]
RULES = NormalizeRules()

recipients = st.sampled_from(
    [
        {},
        {},
        {},
        {"street": "样例路2号"},
        {"name": "测试乙", "phone": "13800000002"},
        {"name": None, "phone": None, "street": None},
        {"name": "测*", "phone": "138****0001", "street": "***", "privacy": "masked"},
        {
            "name": "测*",
            "privacy": "sealed",
            "sealed": {"scheme": "taobao/oaid", "ref": "oaid-1", "blob": None},
            "match_key": "group-1",
            "match_kind": "asked",
        },
    ]
)
lines = st.lists(
    st.builds(
        line,
        line_ref=st.sampled_from(["1", "2"]),
        quantity=st.integers(1, 3),
        quantity_shipped=st.sampled_from([0, 0, 1]),
        quantity_refunded=st.sampled_from([0, 0, 1]),
        refund=st.sampled_from([*["none"] * 7, "requested"]),
        kind=st.sampled_from(["goods", "goods", "service"]),
        merchant_code=st.sampled_from(["A", "A", "A", "A", None]),
        paid_minor=st.sampled_from([1000, 0, None]),
    ),
    max_size=2,
    unique_by=lambda one: one["line_ref"],
)
versions = st.builds(
    order,
    ref=st.sampled_from(["1", "2", "3", "4"]),
    platform=st.sampled_from(["shopify", "shopify", "taobao"]),
    shop=st.sampled_from(["north", "north", "south"]),
    status=st.sampled_from(["wait_ship", "wait_ship", "wait_ship", "wait_pay", "shipped", "closed"]),
    updated_at=st.sampled_from([None, *TIMES]),
    observed_at=st.sampled_from(TIMES),
    placed_at=st.sampled_from([None, *TIMES]),
    payment=st.sampled_from(["prepaid", "prepaid", "prepaid", "cod"]),
    total_minor=st.sampled_from([1000, 1000, 1000, 1001]),
    due_minor=st.sampled_from([0, 333]),
    buyer_ref=st.sampled_from([None, "buyer-1"]),
    buyer_note=st.sampled_from([None, "请轻放"]),
    seller_note=st.sampled_from([None, "gift", "no gift"]),
    seller_flag=st.sampled_from([None, "red"]),
    tags=st.sampled_from([[], ["b", "a"]]),
    wishes=st.sampled_from(
        [
            [],
            [{"kind": "courier", "value": "SF", "avoid": False, "source": "buyer_note", "evidence": "顺丰"}],
            [{"kind": "card", "value": "hi", "avoid": False, "source": "option", "evidence": "hi"}],
        ]
    ),
    extra=st.sampled_from([None, None, '{"colour":"red"}']),
    recipient=recipients,
    lines=lines,
)
batches = st.lists(versions, min_size=1, max_size=7)


@st.composite
def said(draw: st.DrawFn, ids: list[str]) -> list[dict[str, Any]]:
    """Draw what people decided: orders and buyers apart from all, pairs apart, sets together."""
    one = st.sampled_from([*ids, "buyer:shopify:north:buyer-1"])
    others = st.lists(st.sampled_from(ids), min_size=1, max_size=2, unique=True).map(lambda o: {"with": o})
    never = draw(st.lists(st.tuples(one, st.just("never_merge"), st.none() | others), max_size=2))
    always = draw(st.lists(st.tuples(st.sampled_from(ids), st.just("always_merge"), others), max_size=2))
    return [
        {"subject": subject, "decision": decision, "payload": what and json.dumps(what)}
        for subject, decision, what in [*never, *always]
    ]


@st.composite
def situations(draw: st.DrawFn) -> tuple[pl.DataFrame, MergeRules, Facts]:
    """Draw normalized versions of a few orders, rules, and facts that commit some of their lines."""
    normalized = normalize(orders(*draw(batches)), RULES, Facts(), NOW)
    ids = normalized["order_id"].unique().sort().to_list()
    commitments = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["S-ONE", "S-TWO"]),
                st.sampled_from(ids),
                st.sampled_from(["1", "2"]),
                st.integers(1, 2),
            ),
            max_size=2,
        )
    )
    rows = [
        {"shipment_id": s, "order_id": o, "line_ref": r, "quantity": q, "courier": "sf"}
        for s, o, r, q in commitments
    ]
    facts = Facts(
        commitments=pl.DataFrame(rows, schema=COMMITMENTS),
        decisions=pl.DataFrame(draw(said(ids)), schema=DECISIONS),
        shop_groups=draw(st.sampled_from([{}, {"north": "all", "south": "all"}])),
    )
    rules = MergeRules(
        by=draw(st.sampled_from(["recipient", "recipient", "buyer_address", "buyer"])),
        even=draw(st.sampled_from([[], ["split"]])),
        scope=draw(st.sampled_from(["shop", "shop_group", "platform", "any"])),
        max_orders=draw(st.integers(1, 3)),
        window_hours=draw(st.sampled_from([None, 36])),
        same=draw(st.sampled_from([[], ["buyer_ref"]])),
    )
    return normalized, rules, facts


@settings(max_examples=12)
@given(situations(), st.randoms(use_true_random=False), st.integers(0, 7))
def test_merging_parts_of_a_batch_and_merging_again_is_merging_it_at_once(
    situation: tuple[pl.DataFrame, MergeRules, Facts], chance: random.Random, cut: int
) -> None:
    batch, rules, facts = situation
    whole = merge(batch, rules, facts, NOW)
    assert_frame_equal(merge(whole, rules, facts, NOW), whole)

    places = list(range(batch.height))
    chance.shuffle(places)
    assert_frame_equal(merge(batch[places], rules, facts, NOW), whole)

    left, right = batch[places[:cut]], batch[places[max(cut - 2, 0) :]]  # they overlap
    parts = [merge(part, rules, facts, NOW) for part in (left, right)]
    assert_frame_equal(merge(pl.concat(parts), rules, facts, NOW), whole)
    assert_frame_equal(merge(pl.concat(parts[::-1]), rules, facts, NOW), whole)


@settings(max_examples=12)
@given(situations())
def test_taking_shipments_apart_yields_the_newest_orders(
    situation: tuple[pl.DataFrame, MergeRules, Facts],
) -> None:
    batch, rules, facts = situation
    shipments = merge(batch, rules, facts, NOW)
    apart = take_apart(shipments).unique(maintain_order=True)
    assert_frame_equal(apart.sort("order_id"), newest(batch).sort("order_id"))


@settings(max_examples=12)
@given(situations())
def test_what_is_suggested_changes_no_shipment(situation: tuple[pl.DataFrame, MergeRules, Facts]) -> None:
    batch, rules, facts = situation
    loud = merge(batch, rules.model_copy(update={"suggest_from": 0.0}), facts, NOW)
    still = merge(batch, rules.model_copy(update={"suggest": False}), facts, NOW)
    assert_frame_equal(loud.drop("merge", "problems"), still.drop("merge", "problems"))
    ids = set(loud["shipment_id"])
    apart = {
        (what["subject"], other)
        for what in facts.decisions.filter(decision="never_merge").to_dicts()
        for other in (json.loads(what["payload"])["with"] if what["payload"] else [])
    }
    home = {one["order_id"]: row for row in loud.to_dicts() for one in row["orders"]}
    for row in loud.to_dicts():
        assert set(row["merge"]["with"]) <= ids - {row["shipment_id"]}
    for one, other in apart:
        if one in home and other in home and one != other:
            assert home[other]["shipment_id"] not in home[one]["merge"]["with"]


@settings(max_examples=12)
@given(situations())
def test_each_line_is_sent_once_and_money_is_kept(situation: tuple[pl.DataFrame, MergeRules, Facts]) -> None:
    batch, rules, facts = situation
    shipments = merge(batch, rules, facts, NOW)
    assert shipments["shipment_id"].is_unique().all()
    committed: dict[tuple[str, str, str], int] = {}
    for row in facts.commitments.to_dicts():
        place = (row["shipment_id"], row["order_id"], row["line_ref"])
        committed[place] = committed.get(place, 0) + row["quantity"]
    total: dict[str, int] = {}
    expected = 0
    for found in newest(batch).to_dicts():
        expected += found["total_minor"]
        for one in found["lines"]:
            bound = sum(
                q for (_, o, r), q in committed.items() if (o, r) == (found["order_id"], one["line_ref"])
            )
            is_open = found["status"] in ("wait_ship", "wait_pay", "partly_shipped")
            left = one["quantity"] - one["quantity_refunded"] - bound
            free = max(0, min(one["quantity_to_ship"], left)) if is_open else 0
            sent = [
                (row["shipment_id"], shown["quantity"])
                for row in shipments.to_dicts()
                for shown in row["lines"]
                if (shown["order_id"], shown["line_ref"]) == (found["order_id"], one["line_ref"])
            ]
            assert sum(q for _, q in sent) == bound + free
            for (shipment_id, o, r), q in committed.items():
                if (o, r) == (found["order_id"], one["line_ref"]):
                    assert sum(n for s, n in sent if s == shipment_id) == q
            total[found["order_id"]] = found["total_minor"]
    assert shipments["total_minor"].sum() == expected
    for row in shipments.to_dicts():
        assert_parcel_is_what_the_shipment_carries(row)
        assert_nothing_joined_that_must_not_be(row, rules, facts)


def assert_parcel_is_what_the_shipment_carries(row: dict[str, Any]) -> None:
    carried = [(one["order_id"], one["line_ref"], one["quantity"]) for one in row["lines"] if one["quantity"]]
    assert [(p["order_id"], p["line_ref"], p["quantity"]) for p in row["parcels"][0]["lines"]] == carried


def assert_nothing_joined_that_must_not_be(row: dict[str, Any], rules: MergeRules, facts: Facts) -> None:
    if len(row["orders"]) == 1 or row["shipment_id"].startswith("S-"):
        return
    ids = {one["order_id"] for one in row["orders"]}
    keys = {one["recipient"]["match_key"] for one in row["orders"]}
    assert len(keys) == 1 or rules.by != "recipient" or row["merge"]["why"] == "pinned"
    if any(one["recipient"]["privacy"] != "plain" for one in row["orders"]):
        assert len(keys) == 1
        assert None not in keys
    assert {one["payment"] for one in row["orders"]} == {"prepaid"}
    assert len({one["currency"] for one in row["orders"]}) == 1
    if {"taobao"} & {one["platform"] for one in row["orders"]}:
        assert len({one["platform"] for one in row["orders"]}) == 1
    assert not any(
        found["severity"] in ("block", "wait") for one in row["orders"] for found in one["problems"]
    )
    assert row["merge"]["how"] == "merged"
    for what in facts.decisions.filter(decision="never_merge").to_dicts():
        others = set(json.loads(what["payload"])["with"]) if what["payload"] else ids - {what["subject"]}
        assert what["subject"] not in ids or not (others - {what["subject"]}) & ids
        buyers = {f"buyer:{one['platform']}:{one['shop']}:{one['buyer_ref']}" for one in row["orders"]}
        assert what["subject"] not in buyers


@settings(max_examples=10)
@given(batches)
def test_normalizing_twice_is_normalizing_once_and_rows_stay(batch: list[dict[str, Any]]) -> None:
    given_orders = orders(*batch)
    before = given_orders.clone()
    once = normalize(given_orders, RULES, Facts(), NOW)
    assert_frame_equal(normalize(once, RULES, Facts(), NOW), once)
    assert once["order_id"].to_list() == given_orders["order_id"].to_list()
    assert once["buyer_note"].to_list() == given_orders["buyer_note"].to_list()
    assert_frame_equal(given_orders, before)
