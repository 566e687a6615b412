"""Which orders travel together, and how shipments tell of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from pydantic import ValidationError

from orderctl.model.facts import COMMITMENTS, DECISIONS, Facts
from orderctl.model.schema import SHIPMENT, conform, empty
from orderctl.stages.merge import MergeRules, merge
from orderctl.stages.merging.suggestions import TOO_MANY
from orderctl.stages.merging.versions import take_apart
from orderctl.stages.normalize import NormalizeRules, normalize
from tests.stages.samples import codes, line, only, order, orders

NOW = "2026-11-24T00:00:00Z"
GROUPS = {"north": "all", "south": "all"}


def normalized(*rows: dict[str, Any]) -> pl.DataFrame:
    return normalize(orders(*rows), NormalizeRules(), Facts(), NOW)


def merged(*rows: dict[str, Any], facts: Facts | None = None, **rules: Any) -> pl.DataFrame:
    return merge(normalized(*rows), MergeRules(**rules), facts or Facts(), NOW)


def groups(shipments: pl.DataFrame) -> list[list[str]]:
    return sorted(sorted(one["platform_ref"] for one in row["orders"]) for row in shipments.to_dicts())


def committing(*rows: tuple[str, str, str, int], **bound: str) -> Facts:
    names = ("shipment_id", "order_id", "line_ref", "quantity")
    return Facts(
        commitments=pl.DataFrame(
            [dict(zip(names, row, strict=True)) | bound for row in rows], schema=COMMITMENTS
        )
    )


def test_orders_of_one_recipient_are_one_shipment() -> None:
    first = order("1", placed_at="2026-11-02T00:00:00Z", ship_by="2026-11-09T00:00:00Z", tags=["b", "a"])
    second = order(
        "2",
        placed_at="2026-11-01T00:00:00Z",
        ship_by="2026-11-08T00:00:00Z",
        tags=["a"],
        lines=[line(line_ref="x", quantity=2), line(line_ref="y")],
    )
    row = only(merged(first, second))
    assert [one["platform_ref"] for one in row["orders"]] == ["2", "1"]
    assert [
        (one["order_id"], one["line_ref"], one["quantity"], one["quantity_ordered"]) for one in row["lines"]
    ] == [
        ("shopify:main:2", "x", 2, 2),
        ("shopify:main:2", "y", 1, 1),
        ("shopify:main:1", "1", 1, 1),
    ]
    assert row["merge"]["how"] == "merged"
    assert row["merge"]["why"] == "same_recipient"
    assert row["merge"]["key"].startswith("canonical:h:")
    assert (row["total_minor"], row["collect_minor"], row["currency"]) == (2000, None, "CNY")
    assert (row["ship_by"], row["tags"], row["purpose"]) == ("2026-11-08T00:00:00Z", ["a", "b"], "sale")
    assert row["recipient"]["street"] == "样例路1号"
    assert [one["parts"] for one in row["orders"]] == [None, None]
    assert len(row["parcels"]) == 1
    assert row["parcels"][0]["parcel_no"] == 1


@pytest.mark.parametrize(
    ("difference", "why"),
    [
        ({"recipient": {"street": "样例路2号"}}, "no_other"),
        ({"currency": "USD"}, "other_currency"),
        ({"shop": "other"}, "other_shop"),
        ({"payment": "cod", "due_minor": 1000}, "cod"),
        ({"payment": "credit"}, "other_payment"),
        ({"refund_open": True}, "refund"),
        ({"total_minor": 1}, "blocked"),
        ({"status": "wait_pay"}, "unpaid"),
        ({"holds": [{"code": "c", "source": "person", "until": None, "why": None}]}, "held"),
        ({"recipient": {"privacy": "masked", "sealed": {"scheme": "s", "ref": "r", "blob": None}}}, "no_key"),
        (
            {
                "wishes": [
                    {
                        "kind": "ship_on",
                        "value": "2026-12-01",
                        "avoid": False,
                        "source": "option",
                        "evidence": "1",
                    }
                ]
            },
            "other_wish",
        ),
    ],
)
def test_what_keeps_two_orders_apart(difference: dict[str, Any], why: str) -> None:
    shipments = merged(order("1"), order("2", **difference))
    assert groups(shipments) == [["1"], ["2"]]
    assert {row["orders"][0]["platform_ref"]: row["merge"]["why"] for row in shipments.to_dicts()}["2"] == why


@pytest.mark.parametrize(
    ("difference", "why"),
    [
        ({"refund_open": True}, "refund"),
        ({"holds": [{"code": "c", "source": "rule", "until": None, "why": None}]}, "held"),
        ({"holds": [{"code": "c", "source": "rule", "until": "2026-12-01T00:00:00Z", "why": None}]}, "held"),
        ({"holds": [{"code": "c", "source": "rule", "until": NOW, "why": None}]}, None),
    ],
)
def test_holds_and_refunds_count_even_where_no_audit_looked(
    difference: dict[str, Any], why: str | None
) -> None:
    key = {"match_key": "h:1", "match_kind": "canonical"}
    batch = orders(order("1", recipient=key), order("2", recipient=key, **difference))
    shipments = merge(batch, MergeRules(), Facts(), NOW).to_dicts()
    assert [row["merge"]["why"] for row in shipments if row["orders"][0]["platform_ref"] == "2"] == (
        [why] if why else []
    )


def test_two_orders_paid_at_the_door_are_never_joined() -> None:
    shipments = merged(*(order(ref, payment="cod", due_minor=1000, received_minor=0) for ref in "12"))
    assert groups(shipments) == [["1"], ["2"]]
    assert shipments["collect_minor"].to_list() == [1000, 1000]


@pytest.mark.parametrize(
    ("scope", "shop_groups", "expected"),
    [
        ("shop", GROUPS, [["1"], ["2"], ["3"]]),
        ("shop_group", GROUPS, [["1", "2"], ["3"]]),
        ("shop_group", {}, [["1"], ["2"], ["3"]]),
        ("platform", {}, [["1", "2", "3"]]),
    ],
)
def test_the_scope_says_which_shops_may_share_a_parcel(
    scope: str, shop_groups: dict[str, str], expected: list[list[str]]
) -> None:
    rows = (order("1", shop="north"), order("2", shop="south"), order("3", shop="east"))
    assert groups(merged(*rows, facts=Facts(shop_groups=shop_groups), scope=scope)) == expected


def test_platforms_join_only_where_they_have_no_waybills_of_their_own() -> None:
    facts = Facts(shop_groups={"main": "all"})
    assert groups(merged(order("1"), order("2", platform="woocommerce"), facts=facts)) == [["1", "2"]]
    assert groups(merged(order("1"), order("2", platform="taobao"), facts=facts)) == [["1"], ["2"]]


def test_what_one_shop_proves_says_nothing_of_another_shop() -> None:
    proof = {"privacy": "sealed", "sealed": {"scheme": "s", "ref": "r", "blob": None}}
    proof |= {"match_key": "g", "match_kind": "asked"}
    rows = [order(str(at), shop=shop, recipient=proof) for at, shop in enumerate(["north", "north", "south"])]
    assert groups(merged(*rows, facts=Facts(shop_groups=GROUPS))) == [["0", "1"], ["2"]]


def test_a_full_parcel_is_closed_and_the_next_begins() -> None:
    rows = [order(str(at), placed_at=f"2026-11-0{at}T00:00:00Z") for at in range(1, 6)]
    assert groups(merged(*rows, max_orders=2)) == [["1", "2"], ["3", "4"], ["5"]]
    assert groups(merged(*rows, max_orders=1)) == [["1"], ["2"], ["3"], ["4"], ["5"]]


def test_a_late_order_is_not_waited_for() -> None:
    days = {"1": "01", "2": "03", "3": "07", "4": "08"}
    rows = [order(ref, placed_at=f"2026-11-{day}T00:00:00Z") for ref, day in days.items()]
    assert groups(merged(*rows, window_hours=48)) == [["1", "2"], ["3", "4"]]
    assert groups(merged(*rows)) == [["1", "2", "3", "4"]]


def test_more_may_be_asked_to_be_equal() -> None:
    rows = (order("1", seller_flag="red"), order("2", seller_flag="red"), order("3"))
    assert groups(merged(*rows, same=["seller_flag"])) == [["1", "2"], ["3"]]
    with pytest.raises(ValidationError):
        MergeRules.model_validate({"same": ["total_minor"]})


def test_people_may_forbid_to_join_an_order() -> None:
    never = pl.DataFrame([{"subject": "shopify:main:2", "decision": "never_merge"}], schema=DECISIONS)
    assert groups(merged(order("1"), order("2"), order("3"), facts=Facts(decisions=never))) == [
        ["1", "3"],
        ["2"],
    ]


def test_what_may_belong_together_is_suggested_and_never_joined() -> None:
    moved = order("2", recipient={"street": "样例路2号"})
    stranger = order("3", recipient={"name": "测试丙", "phone": "13800000003", "street": "样例路3号"})
    blocked = order("4", total_minor=1)
    shipments = {
        row["orders"][0]["platform_ref"]: row
        for row in merged(order("1"), moved, stranger, blocked).to_dicts()
    }
    one, two = shipments["1"], shipments["2"]
    assert (one["merge"]["how"], one["merge"]["with"]) == ("suggested", [two["shipment_id"]])
    assert two["merge"]["with"] == [one["shipment_id"]]
    assert codes(one) == {"merge_suggested": "info"}
    assert one["problems"][0]["message"] == f"may belong with {two['shipment_id']} (0.76: phone, name)"
    params = {p["name"]: p["value"] for p in one["problems"][0]["params"]}
    assert params == {"shipment": two["shipment_id"], "score": "0.76", "evidence": "phone, name"}
    assert [shipments[ref]["merge"]["with"] for ref in "34"] == [[], []]
    assert all(not row["merge"]["with"] for row in merged(order("1"), moved, suggest=False).to_dicts())


def test_every_order_keeps_its_own_notes_and_the_earliest_promise_is_that_of_all() -> None:
    row = only(
        merged(
            order("1", buyer_note="测试留言甲", seller_note="测试备注甲", ship_by="2026-11-09T00:00:00Z"),
            order("2", buyer_note="测试留言乙", seller_flag="red", ship_by="2026-11-08T00:00:00Z"),
        )
    )
    notes = [(one["buyer_note"], one["seller_note"], one["seller_flag"]) for one in row["orders"]]
    assert notes == [("测试留言甲", "测试备注甲", None), ("测试留言乙", None, "red")]
    assert row["ship_by"] == "2026-11-08T00:00:00Z"


def test_where_a_parcel_goes_stays_when_its_waybill_is_bought() -> None:
    far = order("2", placed_at="2026-11-05T00:00:00Z", recipient={"name": "测试乙", "street": "样例路2号"})
    said = {
        "subject": "shopify:main:2",
        "decision": "always_merge",
        "payload": '{"with": ["shopify:main:1"]}',
    }
    decided = Facts(decisions=pl.DataFrame([said], schema=DECISIONS))
    before = only(merged(order("1"), far, facts=decided))
    bound = committing(*((before["shipment_id"], f"shopify:main:{ref}", "1", 1) for ref in "12"))
    after = only(merged(order("1"), far, facts=replace(bound, decisions=decided.decisions)))
    assert before["recipient"]["name"] == after["recipient"]["name"] == "测试乙"


def test_the_same_buyer_is_a_suggestion_within_one_shop() -> None:
    sealed = {"privacy": "sealed", "sealed": {"scheme": "s", "ref": "r", "blob": None}, "phone": None}
    rows = [
        order(str(at), shop=shop, buyer_ref="b", recipient=sealed)
        for at, shop in enumerate(["main", "main", "other"])
    ]
    found = [
        len(row["merge"]["with"])
        for row in merged(*rows, facts=Facts(shop_groups={"main": "g", "other": "g"})).to_dicts()
    ]
    assert sorted(found) == [0, 1, 1]


def test_a_phone_that_very_many_share_names_only_a_few() -> None:
    rows = [order(str(at), recipient={"street": f"样例路{at}号"}) for at in range(30)]
    assert {len(row["merge"]["with"]) for row in merged(*rows).to_dicts()} == {10}


def test_a_phone_that_hundreds_share_says_nothing() -> None:
    rows = [
        order(str(at), recipient={"name": f"测试{at}", "street": f"样例路{at}号"})
        for at in range(TOO_MANY + 1)
    ]
    assert {len(row["merge"]["with"]) for row in merged(*rows).to_dicts()} == {0}


def test_blocked_waiting_and_finished_orders_are_shipments_of_their_own() -> None:
    shipments = merged(
        order("1", total_minor=1),
        order("2", status="wait_pay"),
        order("3", status="completed"),
        order("4", lines=[]),
        order("5"),
        order("6"),
    )
    assert groups(shipments) == [["1"], ["2"], ["3"], ["4"], ["5", "6"]]
    found = {row["orders"][0]["platform_ref"]: codes(row) for row in shipments.to_dicts()}
    assert found == {
        "1": {"total_mismatch": "block"},
        "2": {"not_paid": "wait"},
        "3": {"nothing_to_ship": "info"},
        "4": {"no_lines": "block"},
        "5": {},
    }
    finished = next(row for row in shipments.to_dicts() if row["orders"][0]["platform_ref"] == "3")
    assert [one["quantity"] for one in finished["lines"]] == [0]
    assert finished["parcels"][0]["lines"] == []


def test_problems_of_orders_name_their_order() -> None:
    row = only(merged(order("1", total_minor=1)))
    found = row["problems"][0]
    assert {"name": "order_id", "value": "shopify:main:1"} in found["params"]
    assert found["message"] == row["orders"][0]["problems"][0]["message"]
    assert found["stage"] == "normalize"


def test_lines_that_do_not_go_are_there_with_nothing_carried() -> None:
    lines = [
        line(line_ref="1", quantity=3, quantity_refunded=1, unit_weight_g=100),
        line(line_ref="2", quantity_shipped=1),
    ]
    row = only(merged(order("1", lines=lines)))
    assert [(one["line_ref"], one["quantity"], one["quantity_ordered"]) for one in row["lines"]] == [
        ("1", 2, 3),
        ("2", 0, 1),
    ]
    assert row["parcels"][0]["lines"] == [{"order_id": "shopify:main:1", "line_ref": "1", "quantity": 2}]
    assert (row["weight_g"], row["parcels"][0]["weight_g"]) == (200, 200)
    unknown = only(merged(order("1", lines=[*lines, line(line_ref="3")])))
    assert (unknown["weight_g"], unknown["parcels"][0]["weight_g"]) == (None, None)


def test_a_committed_line_keeps_its_shipment_when_late_orders_come() -> None:
    before = only(merged(order("1")))
    facts = committing((before["shipment_id"], "shopify:main:1", "1", 1), courier="sf", account="a-1")
    shipments = merged(order("1"), order("2"), facts=facts)
    assert groups(shipments) == [["1"], ["2"]]
    kept = next(row for row in shipments.to_dicts() if row["shipment_id"] == before["shipment_id"])
    assert (kept["courier"], kept["account"], kept["merge"]["why"]) == ("sf", "a-1", "committed")
    assert kept["orders"][0]["platform_ref"] == "1"
    # also when the platform calls it shipped, so that the recorded result can be handed back
    done = order("1", status="shipped", lines=[line(quantity_shipped=1)])
    again = only(merged(done, facts=facts))
    assert again["shipment_id"] == before["shipment_id"]
    assert [one["quantity"] for one in again["lines"]] == [1]
    assert codes(again) == {}


def test_what_is_left_beside_a_commitment_is_a_part_of_its_own() -> None:
    lines = [line(line_ref="a", quantity=3, paid_minor=3000), line(line_ref="b", paid_minor=0)]
    two = order("1", lines=lines, goods_minor=1001, total_minor=1001)
    facts = committing(("S-ONE", "shopify:main:1", "a", 1))
    shipments = merged(two, facts=facts)
    first, second = sorted(shipments.to_dicts(), key=lambda row: row["shipment_id"] != "S-ONE")
    assert [(one["line_ref"], one["quantity"]) for one in first["lines"]] == [("a", 1), ("b", 0)]
    assert [(one["line_ref"], one["quantity"]) for one in second["lines"]] == [("a", 2), ("b", 1)]
    assert [(row["orders"][0]["part"], row["orders"][0]["parts"]) for row in (first, second)] == [
        (1, 2),
        (2, 2),
    ]
    assert (first["total_minor"], second["total_minor"]) == (333, 668)
    assert_frame_equal(take_apart(shipments).unique(), normalized(two))


def test_what_is_free_beside_a_commitment_never_gets_its_name() -> None:
    single = order("1", lines=[line(quantity=1)])
    name = only(merged(single))["shipment_id"]
    facts = committing((name, "shopify:main:1", "1", 1))
    shipments = merged(order("1", lines=[line(quantity=2)], goods_minor=1000), facts=facts)
    assert shipments["shipment_id"].is_unique().all()
    assert shipments.height == 2


def test_a_line_is_not_sent_again_while_the_platform_has_not_seen_its_shipment() -> None:
    facts = committing(("S-ONE", "shopify:main:1", "1", 1))
    shipped = order("1", status="partly_shipped", lines=[line(quantity=2, quantity_shipped=1)])
    found = {
        row["shipment_id"]: row["lines"][0]["quantity"] for row in merged(shipped, facts=facts).to_dicts()
    }
    assert sorted(found.values()) == [1, 1]
    assert found["S-ONE"] == 1


def test_a_shipment_waits_when_orders_it_holds_are_not_in_the_batch() -> None:
    facts = committing(("S-ONE", "shopify:main:1", "1", 1), ("S-ONE", "shopify:main:2", "1", 1))
    row = only(merged(order("1"), facts=facts))
    assert codes(row) == {"committed_elsewhere": "wait"}
    assert "shopify:main:2" in row["problems"][0]["message"]
    assert codes(only(merged(order("1"), order("2"), facts=facts))) == {}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"lines": [line(quantity=2, quantity_refunded=1)]}, "committed_beyond"),
        ({"status": "closed", "lines": [line(quantity=2)]}, "committed_beyond"),
        ({"lines": [line(line_ref="other", quantity=2)]}, "committed_beyond"),
        ({"status": "closed", "lines": [line(line_ref="other", quantity=2)]}, "committed_beyond"),
        ({"status": "shipped", "lines": [line(line_ref="other", quantity=2)]}, None),
        ({"status": "completed", "lines": [line(quantity=2, quantity_refunded=1, quantity_shipped=2)]}, None),
        ({"lines": [line(quantity=2)]}, None),
    ],
)
def test_less_may_be_shipped_than_was_committed(changes: dict[str, Any], expected: str | None) -> None:
    facts = committing(("S-ONE", "shopify:main:1", "1", 2))
    shipments = merged(order("1", **changes), facts=facts)
    found = {code for row in shipments.to_dicts() for code in codes(row)} - {"nothing_to_ship"}
    assert found == ({expected} if expected else set())


def test_commitments_of_other_orders_do_not_matter() -> None:
    assert merged(order("1"), facts=committing(("S-ONE", "shopify:main:9", "1", 1))).equals(
        merged(order("1"))
    )


def test_the_newest_version_goes_and_the_batch_may_tell_it_twice() -> None:
    old = order("1", updated_at="2026-11-01T00:00:00Z", lines=[line(quantity=1)])
    new = order("1", updated_at="2026-11-02T00:00:00Z", lines=[line(quantity=2)])
    row = only(merged(new, old, new))
    assert [one["quantity"] for one in row["lines"]] == [2]


def test_ids_name_what_is_carried() -> None:
    one = only(merged(order("1")))["shipment_id"]
    assert one == only(merged(order("1", seller_note="changed")))["shipment_id"]
    assert one != only(merged(order("1", lines=[line(quantity=2)])))["shipment_id"]
    assert one != only(merged(order("2")))["shipment_id"]
    assert len(one) == 17
    assert one.isalnum()


def test_the_most_urgent_shipment_comes_first() -> None:
    far = [{"street": f"样例路{at}号", "phone": f"1380000000{at}"} for at in range(4)]
    shipments = merged(
        order("1", recipient=far[0]),
        order("2", recipient=far[1], ship_by="2026-11-09T00:00:00Z"),
        order("3", recipient=far[2], ship_by="2026-11-08T00:00:00Z"),
        order("4", recipient=far[3], placed_at="2026-10-01T00:00:00Z"),
    )
    assert [row["orders"][0]["platform_ref"] for row in shipments.to_dicts()] == ["3", "2", "4", "1"]


def test_shipments_that_are_no_sales_pass_through_once() -> None:
    resend = merged(order("1")).with_columns(purpose=pl.lit("resend"), shipment_id=pl.lit("R-1"))
    sale = merged(order("2"))
    both = merge(pl.concat([resend, sale, resend]), MergeRules(), Facts(), NOW)
    assert both.filter(pl.col("purpose") == "resend").equals(resend)
    assert both.height == 2


def test_an_empty_batch_stays_empty() -> None:
    for kind in ("order/1", "shipment/1"):
        assert_frame_equal(merge(empty(kind), MergeRules(), Facts(), NOW), empty("shipment/1"))


def test_no_input_is_changed_and_the_schema_is_kept() -> None:
    batch = normalized(order("1"), order("2", total_minor=1))
    before = batch.clone()
    shipments = merge(batch, MergeRules(), Facts(), NOW)
    assert_frame_equal(batch, before)
    assert shipments.schema == SHIPMENT
    assert_frame_equal(conform(shipments, "shipment/1"), shipments)
