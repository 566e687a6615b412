from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from orderctl.model.errors import DataError
from orderctl.model.facts import COMMITMENTS, DECISIONS, Facts
from orderctl.model.problem import KINDS
from orderctl.model.schema import SHIPMENT, conform
from orderctl.stages.route import STEPS, route
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.parse import parse

NOW = "2026-11-24T02:00:00Z"
EXAMPLE = Path(__file__).parents[2] / "rules.example.yaml"

RULES = """
warehouses:
  - {name: abroad, when: {country: {ne: CN}}, use: la}
  - {name: home, when: {country: CN}, use: hz}
couriers:
  - {name: far, when: {province: [新疆], weight_g: {lte: 3000}}, use: {courier: EMS, service: 快包, account: ems, issuer: k}}
  - {name: two, when: {merge_orders: {gte: 2}}, use: {courier: SF, service: 标快, account: sf, issuer: k, template: wide}}
  - {name: near, when: {warehouse: hz, province: [浙江]}, use: {courier: YTO, account: yto, issuer: k}}
templates:
  - {name: usual, use: 76x130}
holds:
  - {name: asked, when: {note: {any: [先别发]}}, why: the buyer asks to wait}
tariffs:
  - {id: yto, courier: YTO, zones: [{id: Z1, provinces: [浙江], first_weight_kg: 1, first_price: 3, step_price: 1}]}
  - {id: ems, courier: EMS, zones: [{id: far, provinces: [西藏], first_weight_kg: 1, first_price: 20}]}
"""


def shipment(ref: str = "a", **changes: Any) -> dict[str, Any]:
    recipient = {
        "name": "测试甲",
        "country": "CN",
        "province": "浙江省",
        "city": "杭州市",
        "street": "样例路1号",
        "privacy": "plain",
    }
    order = {
        "order_id": f"taobao:main:{ref}", "platform": "taobao", "shop": "main", "payment": "prepaid",
        "buyer_note": changes.pop("note", None), "placed_at": "2026-11-23T02:00:00Z",
    }  # fmt: skip
    return {
        "shipment_id": f"S-{ref}", "purpose": "sale", "orders": [order], "currency": "CNY", "weight_g": 210,
        "lines": [{"line_ref": "1", "sku": "TS-BLK-L", "quantity": 1, "unit_weight_g": 210}],
        "recipient": {**recipient, **changes.pop("recipient", {})},
        "parcels": [{"parcel_no": 1}],
        **changes,
    }  # fmt: skip


def batch(*rows: dict[str, Any]) -> pl.DataFrame:
    return conform(pl.from_dicts(list(rows), infer_schema_length=None), "shipment/1")


def routed(
    *rows: dict[str, Any], book: RuleBook | None = None, facts: Facts | None = None
) -> list[dict[str, Any]]:
    return route(batch(*rows), book or parse(RULES), facts or Facts(), NOW).to_dicts()


def codes(row: dict[str, Any]) -> list[str]:
    return [p["code"] for p in row["problems"]]


def trail(row: dict[str, Any]) -> dict[str, tuple[str | None, str | None, str]]:
    return {s["step"]: (s["rule"], s["outcome"], s["reason"]) for s in row["decision"]}


def test_a_shipment_gets_all_its_decisions_and_their_reasons() -> None:
    (row,) = routed(shipment())
    assert [row[c] for c in ("warehouse", "courier", "service", "account", "issuer", "template")] == [
        "hz", "YTO", None, "yto", "k", "76x130",
    ]  # fmt: skip
    assert (row["freight_minor"], row["freight_currency"], row["problems"]) == (300, "CNY", [])
    assert trail(row) == {
        "warehouse": ("home", "hz", "rule"),
        "courier": ("near", "YTO", "rule"),
        "template": ("usual", "76x130", "rule"),
        "tariff": ("yto", "300", "first"),
    }
    params = {p["name"]: p["value"] for s in row["decision"] if s["step"] == "tariff" for p in s["params"]}
    assert params == {"zone": "Z1", "billed_g": "1000", "parcel_count": "1"}


def test_what_matches_no_rule_is_blocked_with_a_reason() -> None:
    (row,) = routed(shipment(recipient={"province": "广东省"}))
    assert codes(row) == ["no_courier"]
    assert (row["courier"], row["freight_minor"], trail(row)["courier"]) == (
        None,
        None,
        (None, None, "no_match"),
    )
    (row,) = routed(shipment(recipient={"country": None}))
    assert codes(row)[:2] == ["no_warehouse", "no_courier"]


def test_without_warehouse_rules_a_shipment_needs_no_warehouse() -> None:
    (row,) = routed(shipment(), book=parse("couriers: [{name: all, use: ZTO}]"))
    assert (row["warehouse"], row["courier"], row["problems"], list(trail(row))) == (
        None,
        "ZTO",
        [],
        ["courier"],
    )


def test_a_fact_that_is_missing_is_named_with_the_rule_it_left_open() -> None:
    (row,) = routed(shipment(recipient={"province": "新疆维吾尔自治区"}, weight_g=None, lines=[
        {"line_ref": "1", "sku": "TS-BLK-L", "quantity": 2}, {"line_ref": "2", "sku": "SK-WHT", "quantity": 0},
    ]))  # fmt: skip
    assert codes(row) == ["no_courier", "weight_unknown", "fact_missing"]
    said = {p["code"]: {q["name"]: q["value"] for q in p["params"]} for p in row["problems"]}
    assert said["weight_unknown"] == {"skus": "TS-BLK-L"}
    assert said["fact_missing"] == {"rule": "far", "facts": "weight_g"}


def test_a_tariff_that_does_not_reach_there_gives_no_default_price() -> None:
    (row,) = routed(shipment(recipient={"province": "新疆"}))
    assert (row["courier"], row["freight_minor"], codes(row)) == ("EMS", None, ["no_tariff"])
    assert trail(row)["tariff"] == ("ems", None, "no_zone")
    two = shipment()
    two["orders"] = [two["orders"][0], {**two["orders"][0], "order_id": "taobao:main:b"}]
    (row,) = routed(two)
    assert (row["courier"], row["template"], trail(row)["tariff"][2]) == ("SF", "wide", "no_tariff")


def test_a_hold_waits() -> None:
    (row,) = routed(shipment(note="先别发货"))
    assert [(p["code"], p["severity"]) for p in row["problems"]] == [("held", "wait")]
    assert row["courier"] == "YTO"


def committed(**changes: Any) -> Facts:
    row = {"shipment_id": "S-a", "order_id": "taobao:main:a", "line_ref": "1", "quantity": 1, **changes}
    return Facts(commitments=pl.DataFrame([{**dict.fromkeys(COMMITMENTS), **row}], schema=COMMITMENTS))


def pinned(*pins: tuple[str, dict[str, str], str]) -> Facts:
    rows = [
        {"subject": s, "decision": "pin", "payload": json.dumps(p), "reason": "x", "actor": "y", "at": at}
        for s, p, at in pins
    ]
    return Facts(decisions=pl.DataFrame(rows, schema=DECISIONS))


def test_what_is_committed_stays_whatever_the_rules_say() -> None:
    facts = committed(courier="ZTO", warehouse="la", account="z", issuer="i")
    (row,) = routed(shipment(), facts=facts)
    assert [row[c] for c in ("warehouse", "courier", "service", "account", "issuer")] == [
        "la",
        "ZTO",
        None,
        "z",
        "i",
    ]
    assert trail(row)["courier"] == (None, "ZTO", "committed")
    assert trail(row)["warehouse"] == (None, "la", "committed")
    (row,) = routed(shipment(), facts=committed(courier="SF"))
    assert (row["account"], row["template"], row["warehouse"]) == (None, "wide", "hz")


def test_a_commitment_goes_before_a_pin() -> None:
    facts = committed(courier="ZTO")
    both = Facts(commitments=facts.commitments, decisions=pinned(("S-a", {"courier": "SF"}, NOW)).decisions)
    assert routed(shipment(), facts=both)[0]["courier"] == "ZTO"


def test_a_pinned_courier_takes_the_account_from_the_first_rule_that_uses_it() -> None:
    (row,) = routed(shipment(), facts=pinned(("S-a", {"courier": "SF"}, NOW)))
    assert [row[c] for c in ("courier", "service", "account", "issuer", "template")] == [
        "SF",
        "标快",
        "sf",
        "k",
        "wide",
    ]
    assert trail(row)["courier"] == (None, "SF", "pinned")
    (row,) = routed(shipment(), facts=pinned(("S-a", {"courier": "SF", "service": "特快"}, NOW)))
    assert (row["service"], row["account"]) == ("特快", "sf")


def test_the_later_pin_wins_field_by_field_also_by_order() -> None:
    early, late = "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"
    facts = pinned(
        ("taobao:main:a", {"courier": "EMS"}, late), ("S-a", {"courier": "SF", "warehouse": "la"}, early)
    )
    (row,) = routed(shipment(), facts=facts)
    assert (row["courier"], row["warehouse"]) == ("EMS", "la")


def test_a_pin_that_is_no_json_is_told() -> None:
    rows = [{"subject": "S-a", "decision": "pin", "payload": "{", "reason": None, "actor": None, "at": NOW}]
    with pytest.raises(DataError):
        routed(shipment(), facts=Facts(decisions=pl.DataFrame(rows, schema=DECISIONS)))


def test_parcels_are_priced_each_with_their_own_weight() -> None:
    parcels = [{"parcel_no": 1, "weight_g": 1500}, {"parcel_no": 2, "weight_g": 400}]
    (row,) = routed(shipment(weight_g=1900, parcels=parcels))
    assert row["freight_minor"] == 400 + 300


# ------------------------------------------------------------------------------------------------ laws


def many(seed: int, count: int = 60) -> pl.DataFrame:
    random = Random(seed)
    provinces = ["浙江省", "新疆维吾尔自治区", "北京市", "广东省", None, "西藏自治区"]
    rows = []
    for n in range(count):
        sku = random.choice(["TS-BLK-L", "CUP-BLUE", "CANDLE-CEDAR", "MAT-GRN", None])
        weight = random.choice([None, 100, 900, 2500, 7000])
        rows.append(
            shipment(
                f"{n}",
                note=random.choice([None, "发顺丰", "先别发", "不要顺丰"]),
                recipient={
                    "country": random.choice(["CN", "CN", "CN", "US", None]),
                    "province": random.choice(provinces),
                },
                weight_g=weight,
                total_minor=random.choice([None, 900, 20_000]),
                tags=random.choice([[], ["vip"]]),
                lines=[
                    {"line_ref": "1", "sku": sku, "quantity": random.randint(1, 3), "unit_weight_g": weight}
                ],
                parcels=[{"parcel_no": 1}, {"parcel_no": 2}][: random.randint(0, 2)],
            )
        )
    return batch(*rows)


@pytest.mark.parametrize("seed", range(3))
def test_any_division_of_a_batch_gives_the_same_rows(seed: int) -> None:
    frame, book = many(seed), parse(EXAMPLE.read_text("utf-8"))
    whole = route(frame, book, Facts(), NOW)
    cut = Random(seed).randrange(1, frame.height)
    assert_frame_equal(
        whole, pl.concat([route(frame[:cut], book, Facts(), NOW), route(frame[cut:], book, Facts(), NOW)])
    )
    assert whole["shipment_id"].to_list() == frame["shipment_id"].to_list()


def test_routing_twice_is_routing_once_and_the_input_is_left_alone() -> None:
    frame, book = many(9), parse(EXAMPLE.read_text("utf-8"))
    before = frame.clone()
    once = route(frame, book, Facts(), NOW)
    assert_frame_equal(once, route(once, book, Facts(), NOW))
    assert_frame_equal(frame, before)


def test_every_shipment_has_one_courier_or_says_that_it_has_none() -> None:
    for row in route(many(4), parse(RULES), Facts(), NOW).to_dicts():
        assert (row["courier"] is None) == ("no_courier" in codes(row))
        assert [s["step"] for s in row["decision"]] == [s for s in STEPS if s in trail(row)]
        assert all(p["code"] in KINDS and p["stage"] == "route" for p in row["problems"])


def test_a_courier_rule_appended_below_changes_nothing_already_matched() -> None:
    frame = many(5)
    before = route(frame, parse(RULES), Facts(), NOW)
    longer = RULES.replace("templates:", "  - {name: last, use: ZTO}\ntemplates:")
    after = route(frame, parse(longer), Facts(), NOW)
    matched = before["courier"].is_not_null()
    assert_frame_equal(before.filter(matched), after.filter(matched))
    assert after["courier"].null_count() == 0


def test_problems_and_steps_of_other_stages_are_kept() -> None:
    alien = {
        "code": "merge_suggested",
        "params": [],
        "field": None,
        "severity": "info",
        "forceable": False,
        "stage": "merge",
        "message": "m",
    }
    step = {"step": "merge", "rule": None, "outcome": None, "reason": "single", "params": []}
    (row,) = routed(shipment(problems=[alien], decision=[step]))
    assert codes(row) == ["merge_suggested"]
    assert row["decision"][0] == step


def test_an_empty_batch_and_empty_rules() -> None:
    empty = conform(pl.DataFrame(), "shipment/1")
    assert route(empty, parse(RULES), Facts(), NOW).schema == SHIPMENT
    (row,) = routed(shipment(), book=parse(""))
    assert (row["courier"], codes(row)) == (None, ["no_courier"])
