"""The unified list: the same columns for orders and shipments, persons hidden, problems in the reader's language."""

from __future__ import annotations

import polars as pl
import pytest

from orderctl.model.problem import finding
from orderctl.model.schema import empty
from orderctl.model.text import sentences
from orderctl.stages.reports.listing import COMPUTED, DEFAULT, PERSONAL, flat, listed, masked
from orderctl.stages.reports.words import HEADINGS
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
