"""Douyin's orders in our words: the golden orders, the laws, the known traps; and the export tells the same."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from orderctl.model.mapper import MONEY_FIELDS
from orderctl.model.records import Order
from orderctl.model.schema import ORDER as ORDER_SCHEMA
from orderctl.model.schema import breaches
from orderctl.ports.platforms.douyin.export import LAYOUTS, MAPPER
from orderctl.ports.platforms.douyin.mapper import ORDER
from tests.ports.platforms.douyin.fixtures import orders as recorded
from tests.ports.platforms.douyin.rehearsal import rows, world
from tests.ports.platforms.golden import NOW, check_golden, raw_frame, read_files

HERE = Path(__file__).parent
R = "6940000000000000"


def mapped(raw: pl.DataFrame) -> pl.DataFrame:
    payload = pl.col("payload").str.json_decode(ORDER.dtype)
    return ORDER.to_orders(raw.drop("extra").with_columns(payload))


raw = cache(recorded)


@cache
def orders() -> pl.DataFrame:
    return mapped(raw())


def order(ref: str) -> dict[str, Any]:
    return orders().row(by_predicate=pl.col("platform_ref") == R + ref, named=True)


def lines(found: dict[str, Any], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(line[name] for name in names) for line in found["lines"]]


def test_the_fixture_maps_to_the_golden_orders() -> None:
    check_golden(HERE / "expected-order.jsonl", orders())


def test_orders_have_the_published_columns_and_validate() -> None:
    assert orders().schema == ORDER_SCHEMA
    assert not orders().select(breaches("order/1").any()).item()
    for row in orders().drop("extra").iter_rows(named=True):
        Order.model_validate(row)


def test_a_row_maps_alone_as_in_company() -> None:
    apart = pl.concat([mapped(raw().slice(i, 1)) for i in range(raw().height)])
    assert apart.equals(orders())


def test_totals_add_up_to_the_fen() -> None:
    unverified = []
    for row in orders().iter_rows(named=True):
        plus = [row[n] for n in ("goods_minor", "postage_minor", "tax_added_minor", "adjust_minor")]
        minus = [row[n] for n in ("discount_seller_minor", "discount_platform_minor")]
        if None in [*plus, *minus]:
            unverified.append(row["platform_ref"])
            continue
        assert sum(plus) - sum(minus) == row["total_minor"], row["platform_ref"]
        paid = [line["paid_minor"] for line in row["lines"]]
        if None not in paid:
            assert sum(paid) == row["total_minor"] - row["postage_minor"], row["platform_ref"]
    assert unverified == [R + "905", R + "911"]


def test_nothing_is_invented_from_an_empty_record() -> None:
    row = mapped(raw_frame("douyin/order", [{}], ["X1"])).row(0, named=True)
    told = {name for name in MONEY_FIELDS if row[name] is not None}
    assert told <= {"tax_added_minor", "adjust_minor"}
    for name in ("placed_at", "paid_at", "updated_at", "ship_by", "buyer_note", "seller_note", "buyer_ref"):
        assert row[name] is None, name
    assert [hold["code"] for hold in row["holds"]] == ["unknown_status"]
    assert row["lines"] == row["tags"] == []
    recipient = row["recipient"]
    assert (recipient["privacy"], recipient["match_kind"], recipient["sealed"]) == ("plain", "none", None)


def test_all_orders_of_the_sandbox_map_without_a_finding(tmp_path: Path) -> None:
    with world(tmp_path, orders=200) as rehearsal:
        found = rows(rehearsal.shop().fetch(now=rehearsal.now()))
        frame = pl.DataFrame(found, schema_overrides={"facts": pl.String, "parts": pl.String})
        result = mapped(frame.with_columns(extra=pl.lit(None, dtype=pl.String)))
        assert result.height == 200
        assert result["problems"].list.len().sum() == 0
        terms = result.select(
            pl.sum_horizontal("goods_minor", "postage_minor", "adjust_minor")
            - pl.sum_horizontal("discount_seller_minor", "discount_platform_minor")
            == pl.col("total_minor")
        )
        assert terms.to_series().all()
        groups = dict(zip(result["platform_ref"], result["recipient"], strict=True))
        for ref, body in rehearsal.orders().items():
            for other, another in rehearsal.orders().items():
                one, two = groups[ref], groups[other]
                if one["match_kind"] == two["match_kind"]:
                    same = body["_group"] == another["_group"]
                    assert (one["match_key"] == two["match_key"]) == same


@pytest.mark.parametrize(
    ("ref", "status", "holds"),
    [
        ("101", "wait_ship", []), ("201", "shipped", []), ("401", "wait_pay", []), ("402", "wait_pay", ["presale"]),
        ("403", "wait_ship", []), ("501", "wait_ship", ["risk_review"]), ("502", "wait_ship", ["scheduled"]),
        ("701", "partly_shipped", []), ("710", "partly_shipped", ["shipped_quantity_unknown"]),
        ("720", "completed", []), ("730", "closed", []), ("740", "closed", []), ("911", "wait_ship", ["unknown_status"]),
        ("951", "wait_ship", ["no_parcel"]),
    ],
)  # fmt: skip
def test_status_and_holds(ref: str, status: str, holds: list[str]) -> None:
    found = order(ref)
    assert (found["status"], [hold["code"] for hold in found["holds"]]) == (status, holds)


def test_an_appointed_day_says_until_when() -> None:
    assert [hold["until"] for hold in order("502")["holds"]] == ["2026-12-01T04:40:00Z"]


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("601", [("requested", 0, 1), ("none", 0, 1)]),
        ("602", [("requested", 0, 1), ("requested", 0, 1)]),
        ("603", [("refunded", 1, 0), ("none", 0, 2)]),
        ("604", [("none", 0, 1), ("none", 0, 1)]),  # withdrawn, although its refund still says pending
        ("605", [("none", 0, 0)]),
        ("606", [("requested", 0, 1)]),  # a word nobody knows
        ("730", [("refunded", 1, 0)]),
    ],
)
def test_refunds_of_lines(ref: str, expected: list[tuple[str, int, int]]) -> None:
    assert lines(order(ref), "refund", "quantity_refunded", "quantity_to_ship") == expected
    assert order(ref)["refund_open"] == any(refund == "requested" for refund, _, _ in expected)


def test_pieces_in_parcels_are_counted() -> None:
    counted = ("quantity", "quantity_shipped", "quantity_to_ship")
    assert lines(order("701"), *counted) == [(3, 2, 1), (2, 0, 2)]
    assert lines(order("750"), *counted) == [(2, 2, 0), (1, 0, 1)]


@pytest.mark.parametrize(
    ("ref", "seller", "platform", "adjust"),
    [
        ("101", 1000, 0, 0),
        ("301", 0, 500, 0),
        ("901", 0, 0, -100),  # the prices are from before the change
        ("902", 0, 0, 0),  # the prices hold the change
        ("903", 300, 700, 0),  # the talent's share is not the shop's; the pay channel's is none of ours
        ("905", None, None, 0),  # nobody says who bears it
    ],
)
def test_discounts_are_divided_and_counted_once(
    ref: str, seller: int | None, platform: int | None, adjust: int
) -> None:
    found = order(ref)
    told = tuple(found[n] for n in ("discount_seller_minor", "discount_platform_minor", "adjust_minor"))
    assert told == (seller, platform, adjust)


@pytest.mark.parametrize(
    ("ref", "payment", "received", "due"),
    [
        ("101", "prepaid", 12790, 0), ("401", "prepaid", 0, 1900), ("402", "deposit", 2000, 8000),
        ("403", "prepaid", 10000, 0), ("740", "prepaid", 0, 0), ("904", "cod", 0, 1900), ("911", "prepaid", None, None),
    ],
)  # fmt: skip
def test_what_was_received_and_is_due(ref: str, payment: str, received: int | None, due: int | None) -> None:
    found = order(ref)
    assert (found["payment"], found["received_minor"], found["due_minor"]) == (payment, received, due)


def test_the_payment_of_a_line_does_not_hold_its_postage() -> None:
    assert lines(order("201"), "paid_minor") == [(1990,)]
    assert lines(order("903"), "paid_minor") == [(2800,)]


def test_gifts_are_picked_and_cost_nothing() -> None:
    told = lines(
        order("801"), "kind", "unit_price_minor", "paid_minor", "quantity_to_ship", "parent_line_ref"
    )
    assert told == [("goods", 1900, 1900, 1, None), ("gift", 0, 0, 1, None)]


def test_bundles_are_picked_by_their_parts_and_told_as_bundles() -> None:
    named = ("merchant_code", "kind", "quantity", "quantity_to_ship", "parent_line_ref", "parent_quantity")
    set_1 = R + "811"
    assert lines(order("810"), *named)[:2] == [
        ("PART-A", "bundle_part", 2, 2, set_1, 2), ("PART-B", "bundle_part", 8, 8, set_1, 2),
    ]  # fmt: skip
    assert [line[2] for line in lines(order("820"), *named)] == [2, 8]  # the shop says: counted for all
    assert [line[2:] for line in lines(order("830"), *named)] == [(2, 1, R + "830", 1), (8, 4, R + "830", 1)]


def test_promised_times_are_those_of_what_is_still_to_ship() -> None:
    assert order("601")["ship_by"] == "2026-11-22T00:56:40Z"  # the earlier line
    assert order("603")["ship_by"] == "2026-11-22T01:10:12Z"  # not that of the line paid back


def test_recipients_stay_sealed() -> None:
    found = order("101")["recipient"]
    assert (found["privacy"], found["name"], found["phone"], found["street"]) == (
        "sealed",
        "测**",
        "138****0000",
        "****",
    )
    assert (found["district"], found["town"]) == ("余杭区", "仓前街道")  # their town is our district
    assert found["sealed"]["scheme"] == "douyin/cipher"
    assert json.loads(found["sealed"]["blob"]) == {
        "name": "#fAkEn#FAKECIPHERNAME01#1##", "phone": "$fAkEt$FAKECIPHERTEL01$1$$",
        "address": "#fAkEa#FAKECIPHERADDR01#1##",
    }  # fmt: skip
    assert (found["match_kind"], found["match_key"]) == ("address_id", "FAKEADDRID0001")
    plain = order("921")["recipient"]
    assert (plain["privacy"], plain["phone"], plain["phone_ext"], plain["sealed"]) == (
        "plain",
        "18400000000",
        "1234",
        None,
    )


def test_without_an_address_id_the_indexes_of_the_ciphertexts_prove_the_recipient() -> None:
    found = order("201")["recipient"]
    assert (found["match_kind"], found["match_key"]) == ("index", "fAkEm|fAkEu|fAkEb|50|500100|500103|0")
    nobody = order("922")["recipient"]
    assert (nobody["match_kind"], nobody["match_key"]) == ("none", None)


def test_codes_labels_notes_and_flags() -> None:
    assert [code for (code,) in lines(order("931"), "merchant_code")] == ["OUT-9", "BOX-M", None]
    assert order("931")["tags"] == ["次日达", "偏远地区", "serial_number"]
    assert order("301")["tags"] == ["presale"]
    found = order("101")
    assert (found["buyer_note"], found["seller_note"], found["seller_flag"]) == (
        "周末再送，谢谢",
        "老客户 送贴纸",
        "green",
    )
    assert order("941A")["order_id"] == f"douyin:s1:{R}941A"


def test_what_cannot_be_read_says_so() -> None:
    fields = {(p["code"], p["field"]) for p in order("911")["problems"]}
    assert fields >= {
        ("amount_unreadable", "total_minor"), ("amount_unreadable", "lines.quantity"),
        ("amount_unreadable", "lines.unit_price_minor"), ("time_unreadable", "placed_at"), ("unknown_value", "status"),
        ("unknown_value", "pay_type"), ("unknown_value", "seller_remark_stars"), ("unknown_value", "lines.order_status"),
        ("unknown_value", "lines.given_product_type"),
    }  # fmt: skip


LACKING = {
    "source", "observed_at", "updated_at", "buyer_ref", "tags", "extra", "recipient", "lines", "schema",
}  # fmt: skip
"""Fields the file lacks, or that tell where the order came from; recipient and lines are compared by their fields."""
LINE_LACKING = {"platform_sku"}
UNSAID = {"quantity_shipped"}
"""The file does not say whether goods that were paid back had left before."""
RECIPIENT_LACKING = {"privacy", "sealed", "match_key", "match_kind"}


def test_the_export_tells_the_same_orders_as_the_api() -> None:
    exported = read_files("douyin/pair.csv", layout=LAYOUTS[0])
    assert not exported.rejects
    payload = pl.col("payload").str.json_decode(MAPPER.dtype)
    by_file = MAPPER.to_orders(exported.raw.drop("extra").with_columns(payload))
    assert by_file.height == 9
    for theirs in by_file.iter_rows(named=True):
        ours = order(theirs["platform_ref"].removeprefix(R))
        for name in set(ours) - LACKING:
            assert theirs[name] == ours[name], (theirs["platform_ref"], name)
        assert len(theirs["lines"]) == len(ours["lines"])
        for line, expected in zip(theirs["lines"], ours["lines"], strict=True):
            for name in set(expected) - (
                LINE_LACKING | (UNSAID if expected["refund"] == "refunded" else set())
            ):
                assert line[name] == expected[name], (theirs["platform_ref"], name)
            assert all(line[name] is None for name in LINE_LACKING)
        for name in set(ours["recipient"]) - RECIPIENT_LACKING:
            assert theirs["recipient"][name] == ours["recipient"][name], (theirs["platform_ref"], name)
        assert theirs["updated_at"] is theirs["buyer_ref"] is None


def test_the_export_does_not_say_how_much_of_a_line_left() -> None:
    head = {"主订单编号": "1"}
    line = {"子订单编号": "1", "商品数量": "3", "订单状态": "部分发货"}
    frame = raw_frame("douyin/export-csv", [{"head": head, "lines": [line]}], ["1"])
    payload = pl.col("payload").str.json_decode(MAPPER.dtype)
    found = MAPPER.to_orders(frame.drop("extra").with_columns(payload)).row(0, named=True)
    assert (found["status"], [hold["code"] for hold in found["holds"]]) == (
        "partly_shipped",
        ["shipped_quantity_unknown"],
    )
    assert found["observed_at"] == NOW
