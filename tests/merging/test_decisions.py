"""What people decide about joining: read, kept beside each other, and taken back."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.model.errors import DataError
from orderctl.model.facts import DECISIONS, Facts
from orderctl.stages.merge import MergeRules, merge
from orderctl.stages.merging.decisions import plan_decisions, read_decisions
from orderctl.stages.normalize import NormalizeRules, normalize
from tests.stages.samples import order, orders

NOW = "2026-11-24T00:00:00Z"
IDS = {ref: f"shopify:main:{ref}" for ref in "1234"}


def decisions(*rows: tuple[str, str, Any]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"subject": s, "decision": d, "payload": p if p is None or isinstance(p, str) else json.dumps(p)}
            for s, d, p in rows
        ],
        schema=DECISIONS,
    )


def kept(before: pl.DataFrame, *acts: tuple[bool, str]) -> pl.DataFrame:
    """Give the decisions in force after `acts`: together or apart, and the orders."""
    held = {(s, d): p for s, d, p in before.select("subject", "decision", "payload").iter_rows()}
    for together, refs in acts:
        now = decisions(*((s, d, p) for (s, d), p in held.items()))
        for key, payload in plan_decisions(now, [IDS[ref] for ref in refs], together=together).items():
            held.pop(key, None)
            if payload is not None:
                held[key] = json.dumps(payload)
    return decisions(*((s, d, p) for (s, d), p in held.items()))


def parcels(said: pl.DataFrame, **rules: Any) -> list[str]:
    batch = normalize(orders(*(order(ref) for ref in IDS)), NormalizeRules(), Facts(), NOW)
    found = merge(batch, MergeRules(**rules), Facts(decisions=said), NOW)
    return sorted("".join(sorted(one["platform_ref"] for one in row["orders"])) for row in found.to_dicts())


@pytest.mark.parametrize(
    "payload", ["{", "[]", "{}", '{"with": []}', '{"with": [1]}', '{"with": "x"}', '"x"', "null"]
)
@pytest.mark.parametrize("decision", ["never_merge", "always_merge"])
def test_a_payload_that_names_no_orders_is_refused(payload: str, decision: str) -> None:
    with pytest.raises(DataError, match="names no orders"):
        read_decisions(decisions((IDS["1"], decision, payload)))


def test_always_needs_a_payload_and_never_does_not() -> None:
    with pytest.raises(DataError):
        read_decisions(decisions((IDS["1"], "always_merge", None)))
    assert read_decisions(decisions((IDS["1"], "never_merge", None))).alone == {IDS["1"]}


def test_decisions_of_other_kinds_are_left_alone() -> None:
    said = read_decisions(decisions((IDS["1"], "pin", {"courier": "SF"}), (IDS["1"], "force", {"code": "x"})))
    assert (said.alone, said.apart, said.together) == (frozenset(), frozenset(), ())


def test_undoing_a_merge_puts_its_orders_apart() -> None:
    assert parcels(decisions()) == ["1234"]
    assert parcels(kept(decisions(), (False, "1234"))) == ["1", "2", "3", "4"]
    assert parcels(kept(decisions(), (False, "12"))) == ["134", "2"]


def test_the_last_word_counts() -> None:
    assert parcels(kept(decisions(), (False, "12"), (True, "12"))) == ["1234"]
    assert parcels(kept(decisions(), (True, "12"), (False, "12")), max_orders=2) == ["13", "24"]


def test_taking_back_one_pair_keeps_the_others() -> None:
    assert parcels(kept(decisions(), (False, "123"), (True, "12"))) == ["124", "3"]


def test_pinning_frees_an_order_that_was_to_go_alone() -> None:
    alone = decisions((IDS["1"], "never_merge", None))
    assert parcels(alone) == ["1", "234"]
    assert parcels(kept(alone, (True, "12"))) == ["1234"]


def test_who_goes_alone_is_apart_from_all_already() -> None:
    alone = decisions((IDS["1"], "never_merge", None))
    assert plan_decisions(alone, [IDS["1"], IDS["2"]], together=False) == {}


acts = st.lists(
    st.tuples(st.booleans(), st.lists(st.sampled_from("1234"), min_size=2, max_size=3, unique=True)),
    max_size=5,
)


@given(acts, st.booleans(), st.lists(st.sampled_from("1234"), min_size=2, max_size=3, unique=True))
def test_a_decision_is_in_force_whatever_was_before_and_deciding_twice_is_deciding_once(
    before: list[tuple[bool, list[str]]],
    together: bool,
    refs: list[str],
) -> None:
    once = kept(decisions(), *((t, "".join(r)) for t, r in before), (together, "".join(refs)))
    assert (
        kept(once, (together, "".join(refs)))
        .sort("subject", "decision")
        .equals(once.sort("subject", "decision"))
    )
    said = read_decisions(once)
    ids = {IDS[ref] for ref in refs}
    if together:
        assert any(ids <= set(members) for members in said.together)
        assert not any(pair <= ids for pair in said.apart)
    else:
        assert sum(pair <= ids for pair in said.apart) == len(ids) * (len(ids) - 1) // 2
