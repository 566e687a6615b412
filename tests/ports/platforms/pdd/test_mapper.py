"""Pinduoduo's orders in our words: golden batch, the laws of `order/1`, and the traps of this platform one by one."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import polars as pl
import pytest

from orderctl.model.records import Order
from orderctl.model.schema import ORDER
from orderctl.ports.platforms.pdd.mapper import ORDER as MAPPER
from orderctl.ports.platforms.pdd.recipients import index_of, is_cipher, street_level
from tests.ports.platforms.golden import check_golden, raw_frame, read_files, to_orders
from tests.ports.platforms.pdd import fixtures
from tests.ports.platforms.pdd.fixtures import HERE, recorded

SAMPLE = "the sample of the sheet"


@cache
def orders() -> dict[str, dict[str, Any]]:
    found = to_orders(fixtures.orders()).iter_rows(named=True)
    return dict(zip(recorded(), found, strict=True))


def mapped(**changes: Any) -> dict[str, Any]:
    """The sample with other fields."""
    order = recorded()[SAMPLE] | changes
    return to_orders(raw_frame("pdd/order", [order], [order["order_sn"]])).row(0, named=True)


def codes(order: dict[str, Any], column: str = "holds") -> list[str]:
    return [entry["code"] for entry in order[column]]


def lines(order: dict[str, Any], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(line[name] for name in names) for line in order["lines"]]


def test_the_fixture_maps_to_the_golden_orders() -> None:
    check_golden(HERE / "expected-order.jsonl", to_orders(fixtures.orders()))


def test_the_laws_of_an_order() -> None:
    raw = fixtures.orders()
    found = to_orders(raw)
    assert found.schema == ORDER
    assert found["platform_ref"].to_list() == raw["platform_ref"].to_list()
    assert pl.concat([to_orders(raw.slice(i, 1)) for i in range(raw.height)]).equals(found)
    for row in found.drop("extra").iter_rows(named=True):
        Order.model_validate(row)
        refs = [line["line_ref"] for line in row["lines"]]
        assert len(refs) == len(set(refs))
        terms = [row[name] for name in ("goods_minor", "postage_minor", "tax_added_minor", "adjust_minor")]
        terms += [-(row[f"discount_{who}_minor"] or 0) for who in ("seller", "platform")]
        if row["total_minor"] is not None:
            assert sum(terms) == row["total_minor"], row["platform_ref"]


@pytest.mark.parametrize("detail", [True, False])
def test_the_samples_of_the_sheet(detail: bool) -> None:
    lacking = (
        "is_lucky_flag",
        "is_pre_sale",
        "capital_free_discount",
        "country",
        "order_tag_list",
        "gift_list",
    )
    order = {k: v for k, v in recorded()[SAMPLE].items() if not (detail and k in lacking)}
    row = to_orders(raw_frame("pdd/order", [order], [order["order_sn"]])).row(0, named=True)
    assert (row["status"], row["refund_open"], row["holds"], row["problems"]) == ("wait_ship", False, [], [])
    assert (row["placed_at"], row["paid_at"]) == ("2026-11-01T02:00:00Z", "2026-11-01T02:00:09Z")
    assert (row["updated_at"], row["ship_by"]) == ("2026-11-01T02:20:01Z", "2026-11-03T02:20:00Z")
    money = ("goods", "postage", "adjust", "discount_seller", "discount_platform", "total", "received", "due")
    assert [row[f"{name}_minor"] for name in money] == [2580, 0, 0, 100, 200, 2280, 2280, 0]
    assert lines(
        row, "line_ref", "platform_sku", "item_ref", "merchant_code", "quantity", "unit_price_minor"
    ) == [("1", "1500000000001", "600000000001", "SOCK-BLK-5", 2, 1290)]
    assert (row["buyer_note"], row["seller_note"], row["buyer_ref"]) == ("请用纸箱", None, None)
    to = row["recipient"]
    assert [to[k] for k in ("province", "city", "district", "town", "street")] == [
        "浙江省", "杭州市", "余杭区", "样例街道", "**路**号",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "status", "refund"),
    [
        ({"order_status": 1}, "wait_ship", "none"),
        ({"order_status": 2}, "shipped", "none"),
        ({"order_status": 3}, "completed", "none"),
        ({"refund_status": 2}, "wait_ship", "requested"),
        ({"refund_status": 3, "order_status": 2}, "shipped", "requested"),
        ({"refund_status": 4}, "closed", "refunded"),
        ({"refund_status": 4, "order_status": 3}, "closed", "refunded"),
        ({"confirm_status": 2}, "closed", "none"),
        ({"confirm_status": 0}, "wait_pay", "none"),
        *[({"after_sales_status": n}, "wait_ship", "none") for n in (0, 9, 11, 12, 13)],
        *[({"after_sales_status": n}, "wait_ship", "requested") for n in (2, 3, 4, 5, 6, 7, 8, 10, 31, 33)],
        ({"after_sales_status": 10, "order_status": 3}, "completed", "partly"),
    ],
)
def test_states(changes: dict[str, Any], status: str, refund: str) -> None:
    row = mapped(**changes)
    assert (row["status"], row["lines"][0]["refund"]) == (status, refund)
    assert row["refund_open"] == (refund == "requested")
    assert row["problems"] == []


@pytest.mark.parametrize(
    ("about", "holds"),
    [
        ("under review", ["risk_review"]),
        ("shipping stopped by the platform", ["shipping_forbidden"]),
        ("the group is not complete", ["group_buy"]),
        ("a deposit is paid, the rest is not", ["presale"]),
        ("deposit and rest are paid", []),
        ("presale with a date", []),
        ("picked up in a shop", ["no_parcel"]),
        ("a surcharge for SF, nothing to ship", ["no_parcel"]),
        ("a gift that is not decided yet", ["scheduled"]),
        ("out of stock by the platform's word", ["out_of_stock"]),
        ("nobody knows these words", ["unknown_status"]),
    ],
)
def test_what_holds_an_order(about: str, holds: list[str]) -> None:
    assert codes(orders()[about]) == holds


def test_what_is_not_known_says_so_and_does_not_ship() -> None:
    row = orders()["nobody knows these words"]
    named = {p["field"] for p in row["problems"] if p["code"] == "unknown_value"}
    assert named == {"order_status", "refund_status", "after_sales_status", "remark_tag", "country"}
    assert row["refund_open"]
    row = orders()["amounts and times that are none"]
    assert {p["field"] for p in row["problems"] if p["code"] == "amount_unreadable"} == {
        "total_minor", "discount_seller_minor", "lines.quantity", "lines.unit_price_minor",
    }  # fmt: skip
    assert {p["field"] for p in row["problems"] if p["code"] == "time_unreadable"} == {"placed_at", "ship_by"}


def test_money_is_exact_however_it_is_written() -> None:
    assert (
        mapped(pay_amount=36.7, goods_amount=36.7, seller_discount=0, platform_discount=0)["total_minor"]
        == 3670
    )
    assert orders()["numbers as text, ids as numbers"]["total_minor"] == 2280
    leader = orders()["a group leader pays nothing"]
    assert (leader["discount_platform_minor"], leader["total_minor"]) == (2480, 0)
    deposit = orders()["a deposit is paid, the rest is not"]
    assert (deposit["payment"], deposit["received_minor"], deposit["due_minor"]) == ("deposit", 500, 1780)


@pytest.mark.parametrize(
    "fees", [{}, {"service_fee_detail": [{"service_fee": 30}]}, {"home_install_value": 30}]
)
@pytest.mark.parametrize("reduction", [0, 1.5])
@pytest.mark.parametrize("inside", [True, False])
def test_services_and_payment_reductions_are_read_so_that_the_order_adds_up(
    fees: dict[str, Any], reduction: float, inside: bool
) -> None:
    total = 22.8 + (30 if fees and inside else 0) - (reduction if inside else 0)
    row = mapped(pay_amount=total, duo_duo_pay_reduction=reduction, **fees)
    assert row["adjust_minor"] == (3000 if fees and inside else 0)
    assert row["discount_platform_minor"] == 200 + (round(reduction * 100) if inside else 0)
    assert row["total_minor"] == round(total * 100)


def test_gifts() -> None:
    shown = ("line_ref", "kind", "quantity_to_ship", "paid_minor", "parent_line_ref")
    together = orders()["SF paid by the buyer, with a gift and a service"]
    assert lines(together, *shown) == [("1", "goods", 2, 102230, None), ("2", "gift", 2, 0, "1")]
    apart = orders()["a gift with an order of its own"]
    assert lines(apart, *shown) == [("1", "goods", 2, 2280, None), ("2", "gift", 0, 0, "1")]


def test_lines_keep_their_names_whatever_order_they_come_in() -> None:
    order = recorded()["two goods and two gifts"]
    turned = mapped(item_list=order["item_list"][::-1], gift_list=order["gift_list"][::-1])
    named = {line["line_ref"]: (line["merchant_code"], line["quantity"]) for line in turned["lines"]}
    straight = orders()["two goods and two gifts"]["lines"]
    assert named == {line["line_ref"]: (line["merchant_code"], line["quantity"]) for line in straight}
    assert len(named) == 4


def test_a_surcharge_is_no_goods() -> None:
    assert lines(orders()["a surcharge for SF, nothing to ship"], "kind", "quantity_to_ship") == [
        ("service", 0)
    ]


@pytest.mark.parametrize("name", ["has_sf_express_service", "has_ship_additional", "free_sf"])
def test_who_paid_for_sf_gets_sf(name: str) -> None:
    row = mapped(order_tag_list=[{"name": name, "value": 1}])
    assert [(w["kind"], w["value"], w["evidence"]) for w in row["wishes"]] == [("courier", "SF", name)]
    assert name in row["tags"]
    assert mapped(order_tag_list=[{"name": name, "value": 0}])["wishes"] == []
    assert mapped(free_sf=1)["wishes"][0]["evidence"] == "free_sf"


def test_notes_and_flags() -> None:
    row = orders()["notes, flag and its name"]
    assert (row["buyer_note"], row["seller_note"]) == (" 放门口\n谢谢 ", "老客户\t发顺丰")
    assert (row["seller_flag"], row["tags"]) == ("green", ["加急"])
    assert orders()["won in a draw"]["tags"] == ["lottery"]
    assert orders()["by transit to Xinjiang"]["tags"] == ["consolidated:1", "conso_order"]
    wishes = {w["kind"]: w["value"] for w in orders()["booked delivery, invoice, same day"]["wishes"]}
    assert wishes == {"deliver_on": "2026-11-06 09:00-12:00", "invoice": None}


# --- recipients

VECTORS = [
    ("~AgAAAADexampleName0123456789abcdefgh=~QfFq~2~~", True, "QfFq"),
    ("$7AnwExample1$AAAAAADexamplePhone0123456789abcdefgh=$2$$", True, "7AnwExample1"),
    ("#idExample1#AAAAAADexampleCard0123456789abcdefgh=#2##", True, "idExample1"),
    ("~AgAAAADexampleAddr0123456789abcdefgh=~vXhtOs+oximw~3~~", True, "vXhtOs+oximw"),
    ("~AgAAAADexampleName0123456789abcdefgh=~2~", True, None),
    ("$AAAAAADexamplePhone0123456789abcdefgh=$2$", True, None),
    ("$x$AAAAAADexamplePhone0123456789abcdefgh=$2$", True, None),
    ("测**", False, None),
    ("13800000001", False, None),
    ("$13800000001$#1234#", False, None),
    ("样例路1号~2", False, None),
    ("", False, None),
]


@pytest.mark.parametrize(("text", "cipher", "index"), VECTORS)
def test_forms_of_ciphertexts(text: str, cipher: bool, index: str | None) -> None:
    column = pl.DataFrame({"text": [text]})
    assert column.select(is_cipher(pl.col("text"))).item() is cipher
    assert column.select(index_of(pl.col("text"))).item() == index


def recipient(about: str) -> dict[str, Any]:
    found: dict[str, Any] = orders()[about]["recipient"]
    return found


def test_ciphertexts_are_carried_as_they_are() -> None:
    order, to = recorded()[SAMPLE], recipient(SAMPLE)
    assert (to["privacy"], to["sealed"]["scheme"]) == ("sealed", "pdd/cipher")
    assert json.loads(to["sealed"]["blob"]) == {
        "name": order["receiver_name"], "phone": order["receiver_phone"], "address": order["receiver_address"],
    }  # fmt: skip
    assert (to["name"], to["phone"]) == ("测**", "138****0001")


def test_equal_indexes_prove_one_recipient_and_nothing_less() -> None:
    first, same = recipient(SAMPLE), recipient("another order of the same recipient, other ciphertexts")
    assert (first["match_kind"], first["match_key"]) == ("index", same["match_key"])
    assert first["sealed"] != same["sealed"]
    assert recipient("the same address, another name")["match_key"] != first["match_key"]
    assert recipient("ciphertexts without an index")["match_kind"] == "none"
    assert recipient("ciphertexts without an index")["privacy"] == "sealed"
    other_town = mapped(town="样例区")["recipient"]
    assert other_town["match_key"] != first["match_key"]
    for field in ("receiver_name", "receiver_phone", "receiver_address"):
        assert mapped(**{field: ""})["recipient"]["match_key"] is None
    merged = recipient("the platform's own id for merging")
    assert (merged["match_kind"], merged["match_key"]) == ("address_id", "OAID-EXAMPLE-0001")


def test_a_recipient_that_is_gone_is_none() -> None:
    for about in ("shipped: the recipient is empty", "under review", "a refund is open"):
        to = recipient(about)
        assert (to["name"], to["phone"], to["street"], to["sealed"], to["match_key"]) == (None,) * 5
        assert to["province"] == "浙江省"


def test_a_buyer_who_hides_the_details() -> None:
    to = recipient("the buyer hides the details")
    assert (to["name"], to["phone"], to["street"], to["match_key"]) == (None, "138****0002", None, None)
    assert (
        json.loads(to["sealed"]["blob"])["phone"]
        == recorded()["the buyer hides the details"]["contact_mobile"]
    )


@pytest.mark.parametrize(
    ("address", "town", "rest"),
    [
        ("五常街道**路**号", "五常街道", "**路**号"),
        ("样例镇样例路1号", "样例镇", "样例路1号"),
        ("样例乡样例村2组", "样例乡", "样例村2组"),
        ("样例街道", "样例街道", None),
        ("古镇路5号", None, "古镇路5号"),
        ("样例路1号", None, "样例路1号"),
        ("***", None, "***"),
        (None, None, None),
    ],
)
def test_the_street_level_stands_only_in_the_address(
    address: str | None, town: str | None, rest: str | None
) -> None:
    found = pl.DataFrame({"text": [address]}, schema={"text": pl.String}).select(
        town=street_level(pl.col("text"))[0], rest=street_level(pl.col("text"))[1]
    )
    assert found.row(0) == (town, rest)


# --- the export of the back office

LACKING = (
    # what the file does not have at all
    *("source", "updated_at", "seller_flag"),
    "placed_at",  # it tells when the group was complete, not when the order was placed
)
OF_RECIPIENT = ("sealed", "privacy", "match_key", "match_kind")  # it is masked there, never sealed
OF_LINES = ("platform_sku", "merchant_code")  # of gifts
TAGS_TOLD = {"lottery"}
WISHES_TOLD = {"courier", "deliver_on"}


def core(row: dict[str, Any]) -> dict[str, Any]:
    found = {
        name: value
        for name, value in row.items()
        if name not in (*LACKING, "extra", "holds", "wishes", "tags")
    }
    found["recipient"] = {k: v for k, v in row["recipient"].items() if k not in OF_RECIPIENT}
    found["lines"] = [
        {k: v for k, v in line.items() if not (line["kind"] == "gift" and k in OF_LINES)}
        for line in row["lines"]
    ]
    found["holds"] = codes(row)
    found["wishes"] = [(w["kind"], w["value"]) for w in row["wishes"] if w["kind"] in WISHES_TOLD]
    found["tags"] = [tag for tag in row["tags"] if tag in TAGS_TOLD]
    return found


def test_an_order_is_the_same_by_export_and_by_api() -> None:
    exported = to_orders(read_files("pdd/pair.csv").raw).iter_rows(named=True)
    by_api = {row["platform_ref"]: row for row in orders().values()}
    found = list(exported)
    assert len(found) == 12
    for row in found:
        assert core(row) == core(by_api[row["platform_ref"]])


def test_the_pair_is_understood_to_the_last_column() -> None:
    assert not [text for text in read_files("pdd/pair.csv").notes if "not understood" in str(text)]


def test_every_leaf_is_text() -> None:
    def leaves(dtype: Any) -> list[Any]:
        if isinstance(dtype, pl.Struct):
            return [leaf for field in dtype.fields for leaf in leaves(field.dtype)]
        return leaves(dtype.inner) if isinstance(dtype, pl.List) else [dtype]

    assert set(leaves(MAPPER.dtype)) == {pl.String()}
