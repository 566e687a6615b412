"""Orders with wishes: who follows whom, and what the joined parcel is then sent with."""

from __future__ import annotations

import itertools
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderctl.model.facts import Facts
from orderctl.stages.merge import MergeRules, merge
from orderctl.stages.merging.wishes import Asked, wishes_of
from orderctl.stages.normalize import NormalizeRules, normalize
from orderctl.stages.normalizing.wishes import standing
from orderctl.stages.route import route
from orderctl.stages.rules.parse import parse
from tests.stages.samples import order, orders

NOW = "2026-11-24T00:00:00Z"
BOOK = parse(
    "couriers:\n"
    "  - {name: asked, when: {wish_courier: SF}, use: SF}\n"
    "  - {name: also asked, when: {wish_courier: ZTO}, use: ZTO}\n"
    "  - {name: refused, when: {avoid_courier: YTO}, use: STO}\n"
    "  - {name: rest, use: YTO}\n"
)


def wish(
    value: str, *, kind: str = "courier", avoid: bool = False, source: str = "buyer_note"
) -> dict[str, Any]:
    return {"kind": kind, "value": value, "avoid": avoid, "source": source, "evidence": value}


def sent(*wishes: list[dict[str, Any]], **rules: Any) -> dict[str, str]:
    """Merge and route orders of one recipient, placed day by day: the orders of a parcel to its courier."""
    rows = [
        order(str(at), wishes=asked, placed_at=f"2026-11-{at:02}T00:00:00Z")
        for at, asked in enumerate(wishes, start=1)
    ]
    given = orders(*rows)
    batch = normalize(given, NormalizeRules(), Facts(), NOW).with_columns(given["wishes"])  # read of no note
    routed = route(merge(batch, MergeRules(**rules), Facts(), NOW), BOOK, Facts(), NOW)
    return {
        "+".join(one["platform_ref"] for one in row["orders"]): row["courier"] for row in routed.to_dicts()
    }


SF, ZTO, NOT_YTO = [wish("SF")], [wish("ZTO")], [wish("YTO", avoid=True)]


@pytest.mark.parametrize(
    ("wishes", "parcels"),
    [
        ([[], SF], {"1+2": "SF"}),
        ([SF, [], ZTO], {"1+2": "SF", "3": "ZTO"}),
        ([[], ZTO, SF], {"1+2": "ZTO", "3": "SF"}),
        ([[], [], NOT_YTO], {"1+2+3": "STO"}),
        ([NOT_YTO, SF], {"1+2": "SF"}),
        ([NOT_YTO, [wish("YTO")]], {"1": "STO", "2": "YTO"}),
        ([SF, ZTO, SF, ZTO, []], {"1+3+5": "SF", "2+4": "ZTO"}),
    ],
)
def test_who_asks_for_nothing_follows_and_the_parcel_goes_as_asked(
    wishes: list[list[dict[str, Any]]], parcels: dict[str, str]
) -> None:
    assert sent(*wishes) == parcels


def test_what_the_seller_overruled_keeps_nobody_apart() -> None:
    overruled = [wish("SF"), wish("ZTO", source="seller_note")]
    taken_back = [wish("YTO", avoid=True), wish("YTO", source="seller_note")]
    assert sent(overruled, ZTO) == {"1+2": "ZTO"}
    assert sent(overruled, SF) == {"1": "ZTO", "2": "SF"}
    assert sent(taken_back, [wish("YTO")]) == {"1+2": "YTO"}


def test_a_full_parcel_leaves_the_next_one_to_those_who_asked_for_nothing() -> None:
    assert sent(SF, [], ZTO, [], max_orders=2) == {"1+2": "SF", "3+4": "ZTO"}


def test_wishes_that_must_be_the_same() -> None:
    assert sent(SF, [], ZTO, SF, wishes="same") == {"1+4": "SF", "2": "YTO", "3": "ZTO"}


def test_days_keep_apart_only_where_somebody_would_have_to_wait() -> None:
    later = [wish("2026-12-01", kind="ship_from")]
    assert set(sent([], later, later)) == {"1", "2+3"}
    assert set(sent([], [wish("2026-12-01", kind="ship_by")], [wish("2026-12-02", kind="ship_by")])) == {
        "1+2+3"
    }


def test_an_order_that_contradicts_itself_goes_alone() -> None:
    both = [wish("SF"), wish("ZTO")]
    assert set(sent(both, [], SF)) == {"1", "2+3"}


def test_being_at_odds_is_mutual_and_nobody_is_at_odds_with_itself_or_with_no_wish() -> None:
    asks = [frozenset(), frozenset({"courier=SF"}), frozenset({"courier=ZTO", "warehouse=hz"})]
    refuses = [frozenset(), frozenset({"courier=YTO"}), frozenset({"courier=SF"})]
    every = [Asked(*pair) for pair in itertools.product(asks, refuses) if not pair[0] & pair[1]]
    for one, other in itertools.product(every, every):
        assert one.at_odds(other) == other.at_odds(one)
    assert not any(one.at_odds(one) or one.at_odds(Asked()) for one in every)
    assert Asked(asks[1]).at_odds(Asked(asks[2]))
    assert Asked(asks[1]).at_odds(Asked(frozenset(), refuses[2]))
    assert not Asked(asks[1]).at_odds(Asked(frozenset({"warehouse=hz"}), refuses[1]))


def test_only_orders_that_wish_something_of_their_parcel_are_listed() -> None:
    rows = orders(order("1"), order("2", wishes=[wish("hi", kind="card")]), order("3", wishes=SF))
    found = wishes_of(rows, MergeRules())
    assert found.rows(named=True) == [
        {
            "order_id": "shopify:main:3",
            "contradicts": False,
            "wishes": "",
            "asks": ["courier=SF"],
            "refuses": [],
        }
    ]
    assert wishes_of(rows.clear(), MergeRules()).schema == found.schema
    assert found.schema["asks"] == pl.List(pl.String)


_KINDS = st.sampled_from(["courier", "service", "ship_on", "card"])
_WISHES = st.lists(
    st.builds(
        lambda kind, value, avoid, source: {
            "kind": kind,
            "value": value,
            "avoid": avoid,
            "source": source,
            "evidence": "x",
        },
        _KINDS,
        st.sampled_from(["a", "b", "c", None]),
        st.booleans(),
        st.sampled_from(["buyer_note", "seller_note", "option", None]),
    ),
    max_size=6,
)


@settings(max_examples=60)
@given(st.lists(_WISHES, min_size=1, max_size=4))
def test_the_wishes_that_stand_are_those_the_rules_see(each: list[list[dict[str, Any]]]) -> None:
    """Merging reads all kinds at once, the facts one by one: they must not differ."""
    rows = orders(*(order(str(at), wishes=wishes) for at, wishes in enumerate(each)))
    found = {row["order_id"]: row for row in wishes_of(rows, MergeRules()).to_dicts()}
    for row in rows.to_dicts():
        told = found.get(row["order_id"], {"asks": [], "refuses": []})
        one = rows.filter(order_id=row["order_id"])
        for name, avoid in (("asks", False), ("refuses", True)):
            seen = {
                f"{kind}={value}"
                for kind in ("courier", "service")
                for [values] in one.select(
                    pl.col("wishes").list.eval(standing(kind, avoid=avoid))
                ).iter_rows()
                for value in values
            }
            assert set(told[name]) == seen
