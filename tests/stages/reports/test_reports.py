"""The laws every report keeps, and what single ones say of a small day."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.model.errors import UsageError
from orderctl.model.problem import finding
from orderctl.model.schema import empty
from orderctl.model.text import sentences
from orderctl.stages.reports import OVERVIEW, PAGE, REPORTS, Material, find
from orderctl.stages.reports.material import apportioned
from orderctl.stages.reports.words import HEADINGS, to_table
from tests.stages.reports.world import batch, head, sample, shipment, shipped_line, told
from tests.stages.samples import RECIPIENT

ZONE = "Asia/Shanghai"
GROUPED = ("totals", "platform", "shop", "courier", "warehouse", "province", "product", "day")
SUMS = ("pieces", "goods_minor", "freight_minor", "weight_g")


def made(name: str, shipments: pl.DataFrame | None = None, zone: str = ZONE) -> pl.DataFrame:
    return find(name)[1].make(Material(sample() if shipments is None else shipments, zone))


def rows_of(name: str, shipments: pl.DataFrame | None = None, zone: str = ZONE) -> list[dict[str, Any]]:
    return made(name, shipments, zone).to_dicts()


@pytest.mark.parametrize("name", REPORTS)
def test_an_empty_batch_gives_the_same_columns_and_nothing_counted(name: str) -> None:
    nothing = made(name, empty("shipment/1"))
    assert nothing.schema == made(name).schema
    counts = nothing.select(pl.col(pl.Int64).fill_null(0).sum())
    assert nothing.is_empty() or not any(counts.row(0))


@pytest.mark.parametrize("name", REPORTS)
def test_the_order_of_rows_does_not_matter_and_the_input_stays(name: str) -> None:
    shipments = sample()
    before = shipments.clone()
    first = made(name, shipments)
    assert made(name, shipments.reverse()).equals(first)
    assert made(name, shipments.sample(fraction=1, shuffle=True, seed=3)).equals(first)
    assert shipments.equals(before)


@pytest.mark.parametrize("name", REPORTS)
def test_every_heading_and_title_exists_in_both_languages(name: str) -> None:
    _, report = find(name)
    table = to_table(name, report.title, made(name), "zh")
    assert set(table.frame.columns) <= set(table.headings)
    assert report.title in sentences("zh")
    assert {HEADINGS[c] for c in table.headings} <= set(sentences("zh"))


@pytest.mark.parametrize("name", REPORTS)
def test_nobody_is_in_any_report(name: str) -> None:
    text = json.dumps(rows_of(name), ensure_ascii=False)
    for personal in (RECIPIENT["name"], RECIPIENT["phone"], RECIPIENT["street"], "Test Person", "Testville"):
        assert personal not in text


@pytest.mark.parametrize("name", GROUPED)
def test_sums_by_anything_are_those_of_the_batch_currency_by_currency(name: str) -> None:
    for currency, measures in (
        ("currency", ["pieces", "goods_minor"]),
        ("freight_currency", ["freight_minor"]),
    ):
        part = made(name).group_by(currency).agg(pl.col(measures).sum()).sort(currency)
        assert part.equals(made("totals").group_by(currency).agg(pl.col(measures).sum()).sort(currency))
    assert made(name)["weight_g"].sum() == sample()["weight_g"].sum()


@pytest.mark.parametrize("name", GROUPED)
def test_shares_add_up_to_the_whole(name: str) -> None:
    shares = made(name)["share_permille"]
    assert abs(shares.sum() - 1000) <= len(shares)


LINES = st.lists(
    st.tuples(st.integers(1, 9), st.one_of(st.none(), st.integers(0, 3000)), st.integers(0, 10**7)),
    min_size=1,
    max_size=6,
)


@given(LINES, st.integers(0, 10**6), st.integers(0, 10**5))
def test_freight_weight_and_value_are_divided_without_remainder(
    lines: list[tuple[int, int | None, int]], freight: int, weight: int
) -> None:
    order_id = "taobao:tmall-a:1"
    carried = [
        shipped_line(order_id, str(n), sku=f"P{n}", quantity=q, paid_minor=paid, unit_weight_g=grams)
        for n, (q, grams, paid) in enumerate(lines)
    ]
    one = batch(
        shipment(
            "S1", [head(order_id)], carried, freight_minor=freight, freight_currency="CNY", weight_g=weight
        )
    )
    product = made("product", one)
    assert product["freight_minor"].sum() == freight
    assert product["weight_g"].sum() == weight
    assert product["goods_minor"].sum() == sum(paid for _, _, paid in lines)
    assert product["freight_minor"].min() >= 0  # type: ignore[operator]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.integers(0, 10**6))
def test_a_line_split_over_shipments_keeps_its_value(parts: list[int], paid: int) -> None:
    order_id = "taobao:tmall-a:1"
    rows = [
        shipment(
            f"S{n}",
            [head(order_id)],
            [shipped_line(order_id, quantity=q, quantity_ordered=sum(parts), paid_minor=paid)],
        )
        for n, q in enumerate(parts)
    ]
    (total,) = rows_of("totals", batch(*rows))
    assert (total["goods_minor"], total["pieces"], total["orders"]) == (paid, sum(parts), 1)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 50)), min_size=1), st.integers(-1000, 1000))
def test_apportioned_parts_add_up_even_without_a_basis(rows: list[tuple[str, int]], amount: int) -> None:
    frame = pl.DataFrame(rows, schema={"g": pl.String, "b": pl.Int64}, orient="row").with_columns(
        a=pl.lit(amount)
    )
    parts = apportioned(frame, {"a": "part"}, basis="b", over="g")
    assert all(part == amount for part in parts.group_by("g").agg(pl.col("part").sum())["part"])
    assert parts.columns == [*frame.columns, "part"]


def test_freight_follows_weight_where_it_is_known_and_pieces_where_it_is_not() -> None:
    by_weight = {r["sku"]: r["freight_minor"] for r in rows_of("product") if r["currency"] == "CNY"}
    assert by_weight["MUG"] == 467  # 350 of 750 g of 10.00
    mixed = batch(
        shipment(
            "S1",
            [head("taobao:a:1")],
            [
                shipped_line("taobao:a:1", "1", sku="A", quantity=3, unit_weight_g=100),
                shipped_line("taobao:a:1", "2", sku="B", quantity=1, unit_weight_g=None),
            ],
            freight_minor=1000,
            freight_currency="CNY",
        )
    )
    assert {r["sku"]: r["freight_minor"] for r in rows_of("product", mixed)} == {"A": 750, "B": 250}


def test_currencies_are_rows_of_their_own() -> None:
    totals = {(r["currency"], r["freight_currency"]): r for r in rows_of("totals")}
    assert {k: (r["goods_minor"], r["freight_minor"]) for k, r in totals.items()} == {
        ("CNY", "CNY"): (8600, 3700),
        ("USD", "CNY"): (6499, 9200),
        ("JPY", "JPY"): (1234, 1450),
    }
    assert totals["USD", "CNY"]["unpriced"] == 1


def test_states_are_a_partition_of_the_shipments() -> None:
    found = {r["state"]: r["shipments"] for r in rows_of("state")}
    assert found == {"shipped": 1, "printed": 1, "ready": 2, "waiting": 1, "blocked": 1, "empty": 0}
    assert sum(found.values()) == sample().height


def test_an_order_with_nothing_left_counts_as_an_order_not_as_a_shipment() -> None:
    done = shipped_line("taobao:a:1", quantity=0, quantity_ordered=2)
    (total,) = rows_of("totals", batch(shipment("S1", [head("taobao:a:1")], [done])))
    assert (total["orders"], total["shipments"], total["parcels"], total["pieces"]) == (1, 0, 0, 0)
    assert {
        r["state"]
        for r in rows_of("state", batch(shipment("S1", [head("taobao:a:1")], [done])))
        if r["orders"]
    } == {"empty"}


def test_a_shipment_is_sent_when_every_order_it_carries_was_told() -> None:
    both = [head("taobao:a:1"), head("taobao:a:2")]
    lines = [shipped_line("taobao:a:1"), shipped_line("taobao:a:2")]
    half = batch(shipment("S1", both, lines, shipped=[told("taobao:a:1")]))
    whole = batch(shipment("S1", both, lines, shipped=[told("taobao:a:1"), told("taobao:a:2")]))
    assert (rows_of("totals", half)[0]["shipped"], rows_of("totals", whole)[0]["shipped"]) == (0, 1)


def test_a_resend_sells_nothing() -> None:
    order_id = "taobao:a:1"
    sale = shipment("S1", [head(order_id)], [shipped_line(order_id, paid_minor=900)])
    again = shipment("S2", [head(order_id)], [shipped_line(order_id, paid_minor=900)], purpose="resend")
    (total,) = rows_of("totals", batch(sale, again))
    assert (total["goods_minor"], total["orders"], total["shipments"], total["pieces"]) == (900, 1, 2, 2)


def test_days_are_those_of_the_zone() -> None:
    assert {r["day"] for r in rows_of("day")} == {"2026-11-20", "2026-11-21"}
    assert "2026-11-19" in {r["day"] for r in rows_of("day", zone="UTC")}


def test_problems_that_block_come_first_and_say_what_to_do() -> None:
    assert [(r["severity"], r["code"], r["example"]) for r in rows_of("problems")] == [
        ("block", "sku_unmapped", "S5"),
        ("wait", "busy", "S3"),
    ]
    meanings = (
        to_table("problems", "What blocks and waits", made("problems"), "zh").frame["meaning"].to_list()
    )
    assert meanings[0].startswith("… 没有对应的 SKU")


def test_a_code_from_a_newer_version_is_shown_as_it_is() -> None:
    new = finding("busy", stage="print") | {"code": "brand_new", "severity": "block"}
    found = made("problems", batch(shipment("S1", [head("taobao:a:1")], [], problems=[new])))
    assert to_table("problems", "x", found, "en").frame["meaning"].to_list() == ["brand_new"]


def test_the_list_of_orders_names_all_numbers_of_a_split_order() -> None:
    split = next(r for r in rows_of("orders") if r["order_id"] == "taobao:tmall-b:1003")
    assert (split["couriers"], split["numbers"]) == ("SF ZTO", "SF0000000001 SF0000000002")
    assert (split["shipments"], split["goods_minor"], split["freight_minor"]) == (2, 1000, 2700)


def test_the_list_of_shipments_has_each_once() -> None:
    assert [r["shipment_id"] for r in rows_of("shipments")] == ["S1", "S2", "S3", "S4", "S5", "S6"]


def test_people_read_exact_decimals() -> None:
    table = to_table("totals", "Totals", made("totals"), "en")
    assert table.frame["goods"].to_list() == ["86.00", "64.99", "1234"]
    assert table.frame["weight_kg"].to_list() == ["1.501", None, "0.400"]
    assert {"goods", "freight", "weight_kg", "share"} == table.decimals


def test_what_says_nothing_is_left_out_for_eyes_only() -> None:
    plain = batch(
        shipment(
            "S1", [head("taobao:a:1")], [shipped_line("taobao:a:1")], freight_minor=5, freight_currency="CNY"
        )
    )
    found = made("platform", plain)
    seen = to_table("platform", "By platform", found, "zh", for_eyes=True).frame
    assert {"freight_currency", "unpriced"}.isdisjoint(seen.columns)
    assert seen["platform"].to_list() == ["淘宝"]
    assert {"freight_currency", "unpriced"} <= set(
        to_table("platform", "By platform", found, "zh").frame.columns
    )


def test_names_of_reports_are_found_or_guessed() -> None:
    assert find("order")[0] == "orders"
    assert find("sku")[0] == "product"
    with pytest.raises(UsageError) as caught:
        find("couriers")
    assert caught.value.render("en") == "--by couriers: no such report (did you mean courier?)"
    assert caught.value.render("zh") == "--by couriers：没有这个报表 (是不是 courier？)"


def test_overview_and_page_name_reports_there_are() -> None:
    assert set(OVERVIEW) | set(PAGE) <= set(REPORTS)
