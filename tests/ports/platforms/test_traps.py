"""The known traps of money, names, states and recipients, one vector each, from the fixtures of the platforms."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ports.platforms.golden import by_ref, orders, raw_frame, read_files, to_orders

T = "40123456789000"


def lines(order: dict[str, Any], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(line[n] for n in names) for line in order["lines"]]


def codes(order: dict[str, Any], column: str = "problems") -> list[str]:
    return [entry["code"] for entry in order[column]]


@pytest.mark.parametrize("ref", [T + "00200", T + "00210"])
def test_the_payment_of_a_single_taobao_line_does_not_hold_the_postage(ref: str) -> None:
    order = by_ref("taobao/trade", ref)
    assert (order["total_minor"], order["postage_minor"]) == (1800, 800)
    assert lines(order, "paid_minor") == [(1000,)]


def test_a_single_line_whose_payment_is_without_postage_is_left_alone() -> None:
    trade = {
        "tid": "1", "status": "WAIT_SELLER_SEND_GOODS", "payment": "18.00", "total_fee": "10.00", "post_fee": "8.00",
        "orders": {"order": [{"oid": "1", "num": 1, "price": "10.00", "payment": "10.00", "divide_order_fee": "10.00"}]},
    }  # fmt: skip
    order = to_orders(raw_frame("taobao/trade", [trade], ["1"])).row(0, named=True)
    assert lines(order, "paid_minor") == [(1000,)]


@pytest.mark.parametrize(
    ("ref", "seller", "platform", "adjust"),
    [
        (T + "00100", 1000, 0, 0),  # the trade tells the discounts of its lines
        (T + "00300", 800, 0, 0),  # only the lines tell them
        (T + "00310", 500, 0, 0),  # only the promotions tell them
        (T + "00330", 600, 400, 0),  # the subsidy is part of the discount
        (T + "00340", 0, 0, 150),  # the price was raised at a line
    ],
)
def test_overlapping_discounts_of_taobao_are_counted_once(
    ref: str, seller: int, platform: int, adjust: int
) -> None:
    order = by_ref("taobao/trade", ref)
    told = tuple(order[n] for n in ("discount_seller_minor", "discount_platform_minor", "adjust_minor"))
    assert told == (seller, platform, adjust)


def test_shares_that_are_not_told_are_unknown() -> None:
    assert lines(by_ref("taobao/trade", T + "00320"), "paid_minor") == [(None,), (None,)]
    assert lines(by_ref("shopify/graphql", "5900011220004"), "paid_minor") == [(None,)]
    assert lines(by_ref("shopify/graphql", "5900011220005"), "paid_minor") == [(5600,)]


def test_a_mismatch_stays_a_mismatch() -> None:
    order = by_ref("taobao/trade", T + "00350")
    assert (order["goods_minor"], order["total_minor"], order["discount_seller_minor"]) == (1000, 999, 0)


@pytest.mark.parametrize(
    ("form", "ref", "payment", "received", "due"),
    [
        ("taobao/trade", T + "00400", "deposit", 2000, 8000),
        ("taobao/trade", T + "00410", "cod", 0, 1000),
        ("taobao/trade", T + "00420", "prepaid", 0, 1000),
        ("shopify/graphql", "5900011220020", "cod", 0, 6400),
        ("pdd/export-csv", "261101-100000000000007", "prepaid", 0, 0),
    ],
)
def test_what_was_received_and_is_due(form: str, ref: str, payment: str, received: int, due: int) -> None:
    order = by_ref(form, ref)
    assert (order["payment"], order["received_minor"], order["due_minor"]) == (payment, received, due)


def test_amounts_have_the_decimals_of_their_currency() -> None:
    assert by_ref("shopify/graphql", "5900011220006")["total_minor"] == 1980  # yen
    assert by_ref("shopify/export-csv", "5900011220006")["goods_minor"] == 1980  # "1980.0"
    assert by_ref("shopify/graphql", "5900011220002")["tax_added_minor"] == 540
    assert by_ref("shopify/graphql", "5900011220003")["tax_included_minor"] == 1022


def test_an_amount_that_is_none_blocks_and_is_not_zero() -> None:
    order = by_ref("taobao/trade", T + "00710")
    assert order["total_minor"] is None
    assert order["postage_minor"] is None  # 12.345: no fen
    blocked = {p["field"] for p in order["problems"] if p["severity"] == "block"}
    assert blocked == {
        "total_minor",
        "postage_minor",
        "lines.quantity",
        "lines.unit_price_minor",
        "lines.paid_minor",
    }


def test_notes_are_kept_byte_for_byte() -> None:
    for form in ("taobao/trade", "taobao/export-csv"):
        order = by_ref(form, T + "00100")
        assert (order["buyer_note"], order["seller_note"]) == (" 请尽快\n发货  ", "老客户\t送贴纸")
    assert by_ref("shopify/export-csv", "5900011220001")["buyer_note"] == "Leave with\n concierge "
    assert by_ref("pdd/export-csv", "261101-100000000000001")["seller_note"] == " 老客户"


@pytest.mark.parametrize(
    ("form", "ref", "expected"),
    [
        ("taobao/trade", T + "00500", ["shipping_forbidden", "group_buy"]),
        ("taobao/trade", T + "00510", ["held", "shipping_forbidden", "prescription"]),
        ("taobao/trade", T + "00400", ["presale"]),
        ("taobao/trade", T + "00615", ["shipped_quantity_unknown"]),
        ("taobao/trade", T + "00700", ["unknown_status", "presale_failed"]),
        ("shopify/graphql", "5900011220009", ["test", "risk"]),
        ("shopify/graphql", "5900011220010", ["on_hold"]),
        ("shopify/graphql", "5900011220012", ["fulfilled_by_platform"]),
        ("shopify/graphql", "5900011220013", ["partly_fulfilled_by_platform"]),
        ("shopify/graphql", "5900011220014", ["no_parcel"]),
        ("shopify/graphql", "5900011220023", ["lines_missing"]),
        ("shopify/export-csv", "5900011220008", ["shipped_quantity_unknown"]),
        ("shopify/export-csv", "5900011220009", ["refunded_quantity_unknown"]),
        ("shopify/export-csv", "5900011220010", []),
        ("pdd/export-csv", "261101-100000000000006", ["risk_review"]),
    ],
)
def test_holds_of_the_platform(form: str, ref: str, expected: list[str]) -> None:
    order = by_ref(form, ref)
    assert codes(order, "holds") == expected
    assert all(h["source"] == "platform" and h["why"] for h in order["holds"])


def test_a_scheduled_order_says_until_when() -> None:
    holds = by_ref("shopify/graphql", "5900011220011")["holds"]
    assert [(h["code"], h["until"]) for h in holds] == [("scheduled", "2026-12-01T08:00:00Z")]


def test_refunds_of_lines() -> None:
    order = by_ref("taobao/trade", T + "00600")
    found = lines(order, "refund", "quantity_refunded", "quantity_to_ship")
    assert found == [("requested", 0, 1), ("requested", 0, 1), ("none", 0, 1), ("refunded", 1, 0)]
    assert order["refund_open"]
    assert lines(by_ref("taobao/trade", T + "00700"), "refund") == [("requested",)]  # a word nobody knows
    given_back = by_ref("shopify/graphql", "5900011220015")
    assert lines(given_back, "quantity", "quantity_refunded", "quantity_shipped", "quantity_to_ship") == [
        (5, 1, 3, 1)
    ]


def test_sealed_masked_and_plain_recipients() -> None:
    sealed = by_ref("taobao/trade", T + "00100")["recipient"]
    assert sealed["sealed"] == {"scheme": "taobao/oaid", "ref": "1abcExampleOaid0100==", "blob": None}
    assert sealed["privacy"] == "sealed"
    assert by_ref("taobao/trade", T + "00840")["recipient"]["privacy"] == "masked"
    plain = by_ref("taobao/trade", T + "00830")["recipient"]
    assert (plain["privacy"], plain["phone"], plain["phone_ext"]) == ("plain", "18877770001", "123")
    cipher = by_ref("douyin/export-csv", "6940000000000000801")["recipient"]
    assert (cipher["privacy"], cipher["name"], cipher["street"]) == ("sealed", None, None)
    assert "FAKECIPHERADDR01" in cipher["sealed"]["blob"]


def test_only_the_platform_proves_that_masked_recipients_are_the_same() -> None:
    found = {ref: by_ref("taobao/trade", ref)["recipient"] for ref in (T + "00100", T + "00200", T + "00210")}
    keys = [(r["match_kind"], r["match_key"]) for r in found.values()]
    assert keys[0] == keys[1] != keys[2] == ("none", None)
    assert keys[0][0] == "asked"


def test_names_of_people_are_written_in_their_order() -> None:
    assert by_ref("shopify/graphql", "5900011220007")["recipient"]["name"] == "测试甲"
    assert by_ref("shopify/graphql", "5900011220006")["recipient"]["name"] == "見本太郎"
    assert by_ref("shopify/graphql", "5900011220001")["recipient"]["name"] == "Probe Person"


def test_a_postcode_keeps_its_zero_and_loses_its_apostrophe() -> None:
    assert by_ref("shopify/export-csv", "5900011220001")["recipient"]["postcode"] == "01067"


def test_hidden_fields_of_a_shop_stay_hidden() -> None:
    order = by_ref("shopify/graphql", "5900011220001")
    assert [w["evidence"] for w in order["wishes"]] == ["Expedited Parcel", "gift_note: Happy housewarming"]
    assert lines(order, "spec") == [("300 g; Engraving: For you",)]


def test_the_export_and_the_api_of_taobao_tell_the_same_order() -> None:
    same = (
        "order_id",
        "platform_ref",
        "status",
        "placed_at",
        "paid_at",
        "payment",
        "currency",
        "buyer_note",
        "seller_note",
    )
    money = (
        "goods_minor",
        "postage_minor",
        "tax_added_minor",
        "discount_seller_minor",
        "total_minor",
        "received_minor",
        "due_minor",
    )
    line = ("line_ref", "merchant_code", "title", "spec", "quantity", "quantity_refunded", "quantity_shipped",
            "quantity_to_ship", "unit_price_minor", "paid_minor", "refund")  # fmt: skip
    api, export = by_ref("taobao/trade", T + "00100"), by_ref("taobao/export-csv", T + "00100")
    for name in (*same, *money):
        assert api[name] == export[name], name
    assert lines(api, *line) == lines(export, *line)
    for part in ("province", "city", "district", "town"):
        assert api["recipient"][part] == export["recipient"][part]
    single = by_ref("taobao/export-csv", T + "00200")
    assert lines(single, "line_ref", "paid_minor") == lines(
        by_ref("taobao/trade", T + "00200"), "line_ref", "paid_minor"
    )


def test_the_two_list_forms_of_taobao_tell_the_same() -> None:
    drop = ("recipient", "source")
    assert orders("taobao/trade").drop(drop).equals(orders("taobao/trade-simplified").drop(drop))


def test_shopify_numbers_orders_alike_in_both_sources() -> None:
    assert by_ref("shopify/export-csv", "5900011220001")["order_id"] == "shopify:s1:5900011220001"
    assert by_ref("shopify/graphql", "5900011220001")["order_id"] == "shopify:s1:5900011220001"


def test_amounts_of_a_douyin_order_may_be_repeated_or_divided() -> None:
    repeated, divided = (by_ref("douyin/export-csv", f"6940000000000000{n}01") for n in (1, 2))
    assert (repeated["total_minor"], lines(repeated, "paid_minor")) == (112790, [(None,), (None,)])
    assert (divided["total_minor"], lines(divided, "paid_minor")) == (111990, [(109490,), (1700,)])
    assert divided["discount_platform_minor"] == 600
    assert divided["discount_seller_minor"] == 100


def test_a_draw_without_a_time_is_placed_on_the_day_of_its_number() -> None:
    assert by_ref("pdd/export-csv", "261101-100000000000008")["placed_at"] == "2026-10-31T16:00:00Z"


def test_a_reject_takes_the_other_rows_of_its_order_with_it() -> None:
    found = read_files("taobao/ExportOrderList.csv", "taobao/ExportOrderDetailList.csv")
    refs = found.raw["platform_ref"].to_list()
    assert T + "00910" not in refs
    where = [(str(r["source"]).rsplit("/", 1)[1], r["line"]) for r in found.rejects]
    assert where == [
        ("ExportOrderList.csv", 11), ("ExportOrderDetailList.csv", 12), ("ExportOrderDetailList.csv", 13), ("ExportOrderList.csv", 13),
    ]  # fmt: skip


def test_a_missing_report_of_taobao_is_named() -> None:
    alone = read_files("taobao/ExportOrderList.csv")
    assert any("item report is missing" in str(n) for n in alone.notes)
    assert to_orders(alone.raw)["lines"].list.len().sum() == 0
    other = read_files("taobao/ExportOrderDetailList.csv")
    assert any("order report is missing" in str(n) for n in other.notes)
    found = to_orders(other.raw).row(0, named=True)
    assert (found["status"], found["total_minor"], len(found["lines"])) == ("wait_ship", None, 2)
