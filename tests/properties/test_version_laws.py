"""The laws of versions: what an order is depends on the set of its versions, not on how often or when they came."""

from __future__ import annotations

from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from orderctl.model.facts import Facts
from orderctl.stages.merging.versions import newest
from orderctl.stages.normalize import NormalizeRules, normalize
from tests.stages.samples import line, order, orders

NOW = "2026-11-24T00:00:00Z"
TIMES = [None, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z"]

versions = st.builds(
    order,
    ref=st.just("1"),
    updated_at=st.sampled_from(TIMES),
    observed_at=st.sampled_from(TIMES[1:3]),
    status=st.sampled_from(["wait_ship", "closed"]),
    total_minor=st.sampled_from([1000, 1001]),
    buyer_note=st.sampled_from([None, "a", "b"]),
    seller_note=st.sampled_from([None, "c"]),
    seller_flag=st.sampled_from([None, "red"]),
    tags=st.sampled_from([[], ["t"]]),
    wishes=st.lists(
        st.builds(
            dict,
            kind=st.just("courier"),
            value=st.sampled_from(["SF", "EMS"]),
            avoid=st.just(False),
            source=st.sampled_from(["buyer_note", "seller_note", "option"]),
            evidence=st.just("x"),
        ),
        max_size=2,
    ),
    extra=st.sampled_from([None, '{"colour":"red"}']),
    recipient=st.sampled_from([{}, {"street": "样例路2号"}, {"name": None, "phone": None, "street": None}]),
    lines=st.sampled_from([[], [line()], [line(quantity=2)], [line(merchant_code=None)]]),
)


def joined(*batches: pl.DataFrame) -> pl.DataFrame:
    return newest(pl.concat(batches))


@settings(max_examples=20)
@given(st.lists(versions, min_size=1, max_size=4), st.lists(versions, min_size=1, max_size=4))
def test_versions_form_a_semilattice(some: list[dict[str, Any]], more: list[dict[str, Any]]) -> None:
    a, b = (normalize(orders(*rows), NormalizeRules(), Facts(), NOW) for rows in (some, more))
    whole = joined(a, b)
    assert whole.height == 1
    assert_frame_equal(joined(newest(a), newest(b)), whole)
    assert_frame_equal(joined(b, a), whole)
    assert_frame_equal(joined(whole, a), whole)
    assert_frame_equal(joined(whole, whole), whole)


def test_what_is_blanked_later_is_kept_and_the_rest_is_new() -> None:
    first = order(
        "1", updated_at=TIMES[1], seller_note="gift", lines=[line(quantity=2)], wishes=[], buyer_note="please"
    )
    later = order(
        "1",
        updated_at=TIMES[2],
        status="partly_shipped",
        lines=[],
        recipient={"name": "*", "phone": None, "street": None, "privacy": "masked"},
        buyer_note="changed",
    )
    row = newest(normalize(orders(later, first), NormalizeRules(), Facts(), NOW)).to_dicts()[0]
    assert row["status"] == "partly_shipped"
    assert row["updated_at"] == TIMES[2]
    assert row["recipient"]["street"] == "样例路1号"
    assert [one["quantity"] for one in row["lines"]] == [2]
    assert (row["buyer_note"], row["seller_note"]) == ("changed", "gift")
    # what the later version lacked is no problem any more
    assert [found["code"] for found in row["problems"]] == []


def test_a_blank_between_two_values_does_not_bring_the_older_one_back() -> None:
    old, new = (order("1", updated_at=at, buyer_note=note) for at, note in zip(TIMES[1:3], "ab", strict=True))
    blank = order("1", updated_at=TIMES[3])
    batch = [orders(one) for one in (old, new, blank)]
    assert newest(joined(joined(batch[0], batch[2]), batch[1]))["buyer_note"].to_list() == ["b"]


def test_a_version_without_its_own_time_is_older_than_any_with_one() -> None:
    timeless = order("1", updated_at=None, observed_at=TIMES[3], tags=["file"])
    timed = order("1", updated_at=TIMES[1], observed_at=TIMES[1], tags=["api"])
    assert newest(orders(timed, timeless))["tags"].to_list() == [["api"]]


def test_unknown_keys_stay_beside_the_note_on_older_fields() -> None:
    old = order("1", updated_at=TIMES[1], buyer_note="a", extra='{"x":1}')
    new = order("1", updated_at=TIMES[2], extra='{"colour":"red"}')
    found = newest(orders(old, new))["extra"].to_list()[0]
    assert found == (
        '{"colour":"red","group_versions":{"buyer_note":"2026-11-01T00:00:00Z/2026-11-02T00:00:00Z"}}'
    )
    newer = order("1", updated_at=TIMES[3], buyer_note="b", extra='{"colour":"red"}')
    assert joined(newest(orders(old, new)), orders(newer))["extra"].to_list() == ['{"colour":"red"}']
