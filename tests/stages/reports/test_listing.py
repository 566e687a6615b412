"""The unified list: the same columns for orders and shipments, persons hidden, problems in the reader's language."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from orderctl.model.problem import finding
from orderctl.model.schema import empty
from orderctl.model.text import sentences
from orderctl.stages.reports.adding import added_up
from orderctl.stages.reports.listing import COMPUTED, DEFAULT, PERSONAL, containing, flat, listed, masked
from orderctl.stages.reports.words import HEADINGS, HOW, WHY
from tests.stages.reports.world import batch, head, sample, shipment, shipped_line
from tests.stages.samples import RECIPIENT, line, order, orders

ORDERS = orders(
    order(
        "1",
        lines=[line(sku="TS", quantity=2), line(line_ref="2", merchant_code=None, title="杯")],
        buyer_note="电13800000001",
    ),
    order("2", status="shipped", currency="JPY", total_minor=1234),
    order(
        "3", problems=[finding("not_paid", stage="normalize"), finding("nothing_to_ship", stage="normalize")]
    ),
)


@pytest.mark.parametrize(("frame", "kind"), [(ORDERS, "order/1"), (sample(), "shipment/1")])
def test_both_kinds_have_all_computed_columns_beside_their_own(frame: pl.DataFrame, kind: str) -> None:
    found = listed(frame, kind, "en")
    assert set(frame.columns) | set(COMPUTED) | set(DEFAULT) <= set(found.columns)
    assert found.height == frame.height
    assert listed(empty(kind), kind, "en").schema == found.schema


def test_an_order_reads_like_a_shipment() -> None:
    found = listed(ORDERS, "order/1", "en").to_dicts()
    assert [r["id"] for r in found] == ["shopify:main:1", "shopify:main:2", "shopify:main:3"]
    assert [r["items"] for r in found] == ["TS×2, 杯 | 黑 L×1", "TS-BLK-L×1", "TS-BLK-L×1"]
    assert [r["state"] for r in found] == ["ready", "shipped", "waiting"]
    assert [str(r["total"]) for r in found] == ["10.000", "1234.000", "10.000"]
    assert [r["severity"] for r in found] == [None, None, "wait"]


def test_a_shipment_of_several_orders_names_them_all() -> None:
    first = listed(sample(), "shipment/1", "en").to_dicts()[0]
    assert first["order_ids"] == "taobao:tmall-a:1001 taobao:tmall-a:1002"
    assert (first["platform"], first["state"], first["numbers"]) == ("taobao", "shipped", "ZT0000000001")


def test_problems_are_told_in_the_readers_language_and_remarks_are_not() -> None:
    assert listed(ORDERS, "order/1", "zh")["findings"].to_list()[2] == "尚未付款: 无需处理：付款后自动继续"
    assert listed(ORDERS, "order/1", "en")["findings"].to_list()[:2] == [None, None]


def test_persons_are_hidden_and_places_stay() -> None:
    shown = masked(listed(ORDERS, "order/1", "en").select("name", "phone", "address", "place", "buyer_note"))
    assert shown.row(0) == ("测**", "***0001", "浙江省 杭州市 ***", "浙江省 杭州市", "电***")
    short = pl.DataFrame({"name": [None, "甲"], "phone": ["12345", None]})
    assert masked(short).rows() == [(None, "***"), ("甲**", None)]


@pytest.mark.parametrize(("frame", "kind"), [(ORDERS, "order/1"), (sample(), "shipment/1")])
def test_no_column_that_may_be_shown_holds_a_person(frame: pl.DataFrame, kind: str) -> None:
    """Every column but those that need --unmask: a new one with a name in it fails here."""
    found = masked(listed(frame, kind, "zh").drop(PERSONAL, strict=False))
    text = flat(found).write_csv()
    for personal in (RECIPIENT["name"], RECIPIENT["phone"], RECIPIENT["street"], "Test Person"):
        assert personal not in text


def test_nested_columns_become_json_and_flags_become_text() -> None:
    one = pl.DataFrame({"a": [["x"], []], "b": [{"c": 1}, None], "d": [True, None], "n": [1, 2]})
    assert flat(one).rows() == [('["x"]', '{"c":1}', "true", 1), ("[]", None, None, 2)]


def test_notes_of_all_orders_are_there() -> None:
    both = [head("taobao:a:1", buyer_note="慢"), head("taobao:a:2", buyer_note="快")]
    rows = batch(shipment("S1", both, [shipped_line("taobao:a:1"), shipped_line("taobao:a:2")]))
    assert listed(rows, "shipment/1", "en")["buyer_note"].to_list() == ["慢 / 快"]


def test_default_columns_have_headings_in_both_languages() -> None:
    assert {HEADINGS[c] for c in DEFAULT} <= set(sentences("zh"))


def test_wishes_are_told_without_the_words_of_cards() -> None:
    wishes = [
        {"kind": "courier", "value": "SF", "avoid": False, "source": "buyer_note", "evidence": "发顺丰"},
        {"kind": "courier", "value": "YTO", "avoid": True, "source": "buyer_note", "evidence": "不要圆通"},
        {
            "kind": "card",
            "value": "祝测试甲生日快乐",
            "avoid": False,
            "source": "buyer_note",
            "evidence": "写卡片",
        },
    ]
    found = listed(orders(order("1", wishes=wishes), order("2")), "order/1", "zh")
    assert found["wished"].to_list() == ["courier SF, no courier YTO, card", None]


def test_the_risk_is_the_score_of_the_audit_and_remarks_are_what_is_no_finding() -> None:
    problems = [
        finding("risk", stage="normalize", score="65", reasons="value_high"),
        finding("invoice_wanted", stage="normalize"),
    ]
    found = listed(orders(order("1", problems=problems), order("2")), "order/1", "en")
    assert found["risk"].to_list() == [65, None]
    assert found["remarks"].to_list()[0].startswith("an invoice is wanted")
    assert "65 of 100" in found["findings"].to_list()[0]
    assert "invoice" not in found["findings"].to_list()[0]


def test_what_weighs_nothing_known_weighs_nothing_told() -> None:
    known, unknown = {"unit_weight_g": 210, "quantity_to_ship": 2}, {"line_ref": "2", "unit_weight_g": None}
    gone = {"line_ref": "3", "unit_weight_g": None, "quantity_to_ship": 0}
    rows = [
        order("1", lines=[line(**known)]),
        order("2", lines=[line(**known), line(**unknown)]),
        order("3", lines=[line(**known), line(**gone)]),
    ]
    found = listed(orders(*rows), "order/1", "en")
    assert [None if w is None else str(w) for w in found["weight_kg"]] == ["0.420", None, "0.420"]


@pytest.mark.parametrize(("frame", "kind"), [(ORDERS, "order/1"), (sample(), "shipment/1")])
@pytest.mark.parametrize("names", [["platform"], ["state", "currency"], ["name"]])
def test_groups_add_up_to_the_row_over_all_each_currency_by_itself(
    frame: pl.DataFrame, kind: str, names: list[str]
) -> None:
    rows = listed(frame, kind, "en")
    groups, whole = added_up(rows, names), added_up(rows, ())
    money = [name for name in whole.columns if name not in ("rows", "orders", "pieces")]
    for name in ("rows", "orders", "pieces"):
        assert groups[name].sum() == whole[name][0]
    for name in money:
        assert sum(Decimal(v) for v in groups[name].drop_nulls()) == Decimal(whole[name][0])
    assert {n.removeprefix("total_") for n in money if n.startswith("total_")} == set(
        rows["currency"].drop_nulls()
    )


@pytest.mark.parametrize("kind", ["order/1", "shipment/1"])
def test_nothing_adds_up_to_nothing(kind: str) -> None:
    rows = listed(empty(kind), kind, "en")
    assert added_up(rows, ()).row(0) == (0, 0, 0)
    assert added_up(rows, ["platform"]).is_empty()
    assert containing(rows, rows.select("id"), "x").is_empty()


def test_every_reason_of_merge_has_words() -> None:
    page = (Path(__file__).parents[3] / "docs" / "merging.md").read_text("utf-8")
    table = page.split("`merge.why` says it in one word:")[1].split("## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    told = {code for row in rows for code in re.findall(r"`(\w+)`", row)}
    told.discard("why")
    assert told == set(WHY)
    assert {*WHY.values(), *HOW.values()} <= set(sentences("zh"))
