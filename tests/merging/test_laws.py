"""Laws of joining over anything at once: versions, wishes, pins, nevers, commitments, cap and window."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from orderctl.model.facts import COMMITMENTS, DECISIONS, Facts
from orderctl.stages.merge import MergeRules, merge
from orderctl.stages.merging.decisions import plan_decisions
from orderctl.stages.merging.versions import newest, take_apart
from orderctl.stages.merging.wishes import Asked, wishes_of
from tests.stages.samples import line, order, orders

NOW = "2026-11-24T00:00:00Z"
REFS = [str(at) for at in range(8)]
DAYS = [f"2026-11-{day:02}T00:00:00Z" for day in (1, 2, 4, 8)]

wishes = st.lists(
    st.builds(
        lambda kind, avoid, source: {
            "kind": kind[0],
            "value": kind[1],
            "avoid": avoid,
            "source": source,
            "evidence": "x",
        },
        st.sampled_from(
            [("courier", "SF"), ("courier", "ZTO"), ("warehouse", "hz"), ("ship_from", "2026-12-01")]
        ),
        st.sampled_from([False, False, True]),
        st.sampled_from(["buyer_note", "seller_note", "option"]),
    ),
    max_size=2,
)
bundle = [
    line(
        line_ref=f"b.{part}",
        kind="bundle_part",
        parent_line_ref="b",
        parent_quantity=1,
        quantity=part,
        paid_minor=paid,
    )
    for part, paid in ((1, 333), (2, 667))
]
money = st.sampled_from([None, 0, 1, 999, 100_001])
rows = st.builds(
    lambda ref, who, **said: order(
        ref, recipient={"match_key": f"h:{who}", "match_kind": "canonical", "name": f"测试{who}"}, **said
    ),
    ref=st.sampled_from(REFS),
    who=st.sampled_from("甲甲甲乙"),
    placed_at=st.sampled_from([*DAYS, None]),
    updated_at=st.sampled_from(DAYS),
    status=st.sampled_from([*["wait_ship"] * 6, "wait_pay", "completed"]),
    payment=st.sampled_from([*["prepaid"] * 6, "cod"]),
    wishes=wishes,
    buyer_ref=st.sampled_from(["b", "b", None]),
    seller_flag=st.sampled_from(["red", None]),
    total_minor=st.integers(0, 10**12),
    due_minor=money,
    postage_minor=money,
    discount_platform_minor=money,
    lines=st.sampled_from([[line()], [line(quantity=3, paid_minor=1000)], bundle, [line(), *bundle], []]),
)


@st.composite
def situations(draw: st.DrawFn) -> tuple[pl.DataFrame, MergeRules, Facts]:
    """Draw versions of orders of two people, rules, and facts that commit and decide something of them."""
    batch = orders(*draw(st.lists(rows, min_size=1, max_size=10)))
    ids = batch["order_id"].unique().sort().to_list()
    one = st.sampled_from(ids)
    bound = draw(
        st.lists(st.tuples(one, st.sampled_from(["1", "b.2"]), st.integers(1, 2)), max_size=2, unique=True)
    )
    decided = draw(
        st.lists(
            st.tuples(one, st.sampled_from(["never_merge", "always_merge"]), one).filter(
                lambda d: d[0] != d[2]
            ),
            max_size=3,
            unique_by=lambda d: d[:2],
        )
        if len(ids) > 1
        else st.just([])
    )
    facts = Facts(
        commitments=pl.DataFrame(
            [
                {"shipment_id": "S-BOUND", "order_id": o, "line_ref": r, "quantity": q, "courier": "SF"}
                for o, r, q in bound
            ],
            schema=COMMITMENTS,
        ),
        decisions=pl.DataFrame(
            [
                {"subject": s, "decision": d, "payload": json.dumps({"with": [other]})}
                for s, d, other in decided
            ],
            schema=DECISIONS,
        ),
    )
    rules = MergeRules(
        wishes=draw(st.sampled_from(["follow", "follow", "same"])),
        max_orders=draw(st.integers(1, 4)),
        window_hours=draw(st.sampled_from([None, 30])),
        same=draw(st.sampled_from([[], [], ["seller_flag"]])),
        even=draw(st.sampled_from([[], ["split"]])),
    )
    return batch, rules, facts


@settings(max_examples=12)
@given(situations(), st.randoms(use_true_random=False), st.data())
def test_parts_of_a_batch_come_to_the_same_and_no_input_is_changed(
    situation: tuple[pl.DataFrame, MergeRules, Facts], chance: random.Random, data: st.DataObject
) -> None:
    batch, rules, facts = situation
    before = batch.clone()
    whole = merge(batch, rules, facts, NOW)
    places = list(range(batch.height))
    chance.shuffle(places)
    cut = data.draw(st.integers(0, batch.height))
    left, right = batch[places[:cut]], batch[places[max(cut - 1, 0) :]]
    parts = [merge(part, rules, facts, NOW) for part in (left, right)]
    kept = [part.clone() for part in parts]
    assert_frame_equal(merge(pl.concat(parts), rules, facts, NOW), whole)
    assert_frame_equal(merge(pl.concat([whole, *parts[::-1]]), rules, facts, NOW), whole)
    assert_frame_equal(batch, before)
    for part, was in zip(parts, kept, strict=True):
        assert_frame_equal(part, was)


def sums(found: Iterable[dict[str, Any]]) -> Counter[str]:
    """Add up every amount of orders and, apart, of their lines; an amount that is missing counts as a thing of its own."""
    total: Counter[str] = Counter()
    for one in found:
        for name, value in one.items():
            if name.endswith("_minor"):
                total[name if value is not None else f"{name} missing"] += 1 if value is None else value
        for part in one["lines"]:
            for name in ("paid_minor", "unit_price_minor", "quantity"):
                amount = part[name]
                total[f"lines.{name}" if amount is not None else "lines missing"] += amount or 0
    return total


def assert_money_is_kept(batch: pl.DataFrame, shipments: pl.DataFrame) -> None:
    given_orders = newest(batch).to_dicts()
    apart = newest(take_apart(shipments)).to_dicts()
    assert sums(apart) == sums(given_orders)
    assert shipments["total_minor"].sum() == sum(one["total_minor"] for one in given_orders)
    at_the_door = [one["due_minor"] for one in given_orders if one["payment"] == "cod"]
    assert shipments["collect_minor"].sum() == sum(filter(None, at_the_door))
    inside = {one["order_id"]: one for row in shipments.to_dicts() for one in row["orders"]}
    assert sums({**one, "lines": []} for one in inside.values()) == sums(
        {**one, "lines": []} for one in given_orders
    )


@settings(max_examples=12)
@given(situations(), st.data())
def test_money_is_kept_through_merging_pinning_undoing_and_taking_apart(
    situation: tuple[pl.DataFrame, MergeRules, Facts], data: st.DataObject
) -> None:
    batch, rules, facts = situation
    first = merge(batch, rules, facts, NOW)
    assert_money_is_kept(batch, first)
    ids = sorted(batch["order_id"].unique())
    chosen = data.draw(st.lists(st.sampled_from(ids), min_size=2, max_size=3)) if len(ids) > 1 else []
    for together in (True, False):
        planned = plan_decisions(facts.decisions, chosen, together=together) if len(set(chosen)) > 1 else {}
        said = {(row["subject"], row["decision"]): row["payload"] for row in facts.decisions.to_dicts()}
        said |= {key: json.dumps(payload) if payload else None for key, payload in planned.items()}
        decisions = [
            {"subject": subject, "decision": decision, "payload": payload}
            for (subject, decision), payload in said.items()
            if payload
        ]
        facts = Facts(commitments=facts.commitments, decisions=pl.DataFrame(decisions, schema=DECISIONS))
        again = merge(first, rules, facts, NOW)
        assert_money_is_kept(batch, again)
        assert_frame_equal(again, merge(batch, rules, facts, NOW))


@settings(max_examples=12)
@given(situations())
def test_no_parcel_holds_wishes_at_odds_more_orders_than_the_cap_or_days_apart(
    situation: tuple[pl.DataFrame, MergeRules, Facts],
) -> None:
    batch, rules, facts = situation
    shipments = merge(batch, rules, facts, NOW)
    found = wishes_of(newest(batch), rules).to_dicts()
    asked = {row["order_id"]: Asked(frozenset(row["asks"]), frozenset(row["refuses"])) for row in found}
    text = {row["order_id"]: row["wishes"] for row in found}
    for row in shipments.filter(pl.col("merge").struct.field("why") == "same_recipient").to_dicts():
        ids = [one["order_id"] for one in row["orders"]]
        assert len(ids) <= rules.max_orders
        assert len({text.get(one, "") for one in ids}) == 1
        assert not any(
            asked.get(one, Asked()).at_odds(asked.get(other, Asked())) for one in ids for other in ids
        )
        if rules.same:
            assert len({one["seller_flag"] for one in row["orders"]}) == 1
    told = [row for row in shipments.to_dicts() if row["merge"]["why"] == "other_wish"]
    for row in told:
        [one] = row["orders"]
        assert row["recipient"]["match_key"] in {
            other["recipient"]["match_key"]
            for whole in shipments.to_dicts()
            for other in whole["orders"]
            if other["order_id"] != one["order_id"]
        }


PROGRAM = """
import hashlib, sys
import polars as pl
from bench.merging import NOW, orders
from orderctl.model.facts import Facts
from orderctl.stages.merge import MergeRules, merge

batch = orders(3000)
if len(sys.argv) > 1:
    batch = batch.sample(fraction=1, shuffle=True, seed=int(sys.argv[1]))
found = merge(batch, MergeRules(max_orders=2), Facts(), NOW)
print(pl.thread_pool_size(), found.height, hashlib.sha256(found.write_ndjson().encode()).hexdigest())
"""


def test_neither_the_number_of_threads_nor_the_order_of_rows_matters() -> None:
    told = []
    for threads, seed in (("1", ["1"]), ("4", []), ("3", ["7"])):
        environment = os.environ | {"POLARS_MAX_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *seed],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        pool, *outcome = done.stdout.split()
        assert pool == threads
        told.append(outcome)
    assert told[0] == told[1] == told[2]
    assert int(told[0][0]) < 3000
