"""Every format of the registry: its fixture maps to the golden orders, and the laws of `order/1` hold."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest

from orderctl.model.mapper import MONEY_FIELDS, STAGE
from orderctl.model.records import Order
from orderctl.model.schema import ORDER
from orderctl.ports.platforms.formats import mappers
from tests.ports.platforms.golden import HERE, check_golden, orders, raw_frame, sources, to_orders

FORMATS = sorted(mappers())
INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
PLUS = ("goods_minor", "postage_minor", "tax_added_minor", "adjust_minor")
MINUS = ("discount_seller_minor", "discount_platform_minor")

# Orders that do not add up on purpose.
WRONG = {"4012345678900000350"}  # a cent is missing
NO_TOTAL = {"amazon/export-all", "amazon/export-unshipped"}  # these reports hold no order total


def folder(form: str) -> str:
    return "../tables" if form == "map/1" else form.split("/", maxsplit=1)[0]


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_a_fixture(form: str) -> None:
    assert form in sources()


@pytest.mark.parametrize("form", FORMATS)
def test_the_fixture_maps_to_the_golden_orders(form: str) -> None:
    name = "expected" if form == "map/1" else f"expected-{form.split('/')[1]}"
    check_golden(HERE / folder(form) / f"{name}.jsonl", orders(form))


@pytest.mark.parametrize("form", FORMATS)
def test_orders_have_exactly_the_published_columns_and_validate(form: str) -> None:
    found = orders(form)
    assert found.schema == ORDER
    assert found.height == sources()[form]().height
    for row in found.drop("extra").iter_rows(named=True):
        Order.model_validate(row)


@pytest.mark.parametrize("form", FORMATS)
def test_the_order_of_rows_is_kept(form: str) -> None:
    assert orders(form)["platform_ref"].to_list() == sources()[form]()["platform_ref"].to_list()


@pytest.mark.parametrize("form", FORMATS)
def test_times_are_utc_instants(form: str) -> None:
    for column in ("placed_at", "paid_at", "updated_at", "observed_at", "ship_by"):
        assert all(INSTANT.match(t) for t in orders(form)[column].drop_nulls()), column


@pytest.mark.parametrize("form", FORMATS)
def test_lines_are_numbered_uniquely_and_counted_soundly(form: str) -> None:
    for row in orders(form).iter_rows(named=True):
        refs = [line["line_ref"] for line in row["lines"]]
        assert len(refs) == len(set(refs))
        for line in row["lines"]:
            assert line["line_ref"]
            left = line["quantity"] - line["quantity_refunded"] - line["quantity_shipped"]
            assert 0 <= line["quantity_to_ship"] <= max(left, 0)
            if row["status"] in ("shipped", "completed", "closed"):
                assert line["quantity_to_ship"] == 0


@pytest.mark.parametrize("form", FORMATS)
def test_totals_add_up_or_a_term_is_unknown(form: str) -> None:
    verified = 0
    for row in orders(form).iter_rows(named=True):
        terms = [row[n] for n in (*PLUS, *MINUS, "total_minor")]
        bad = any(p["code"] == "amount_unreadable" for p in row["problems"])
        if None in terms or bad or row["platform_ref"] in WRONG:
            continue
        assert sum(terms[:4]) - sum(terms[4:6]) == terms[6], row["platform_ref"]
        verified += 1
    assert verified >= 2 or form in NO_TOTAL


@pytest.mark.parametrize("form", FORMATS)
def test_line_payments_add_up_to_the_total_without_postage(form: str) -> None:
    for row in orders(form).iter_rows(named=True):
        paid = [line["paid_minor"] for line in row["lines"]]
        if not paid or None in paid or row["total_minor"] is None or row["platform_ref"] in WRONG:
            continue
        other = (row["postage_minor"] or 0) + (row["tax_added_minor"] or 0) + (row["adjust_minor"] or 0)
        assert sum(paid) in (row["total_minor"] - (row["postage_minor"] or 0), row["total_minor"] - other), (
            row["platform_ref"]
        )


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_is_invented_from_an_empty_record(form: str) -> None:
    prepared = {"map": json.loads(sources()[form]()["payload"][0])["map"]} if form == "map/1" else {}
    row = to_orders(raw_frame(form, [prepared], ["X1"])).row(0, named=True)
    assert row["platform_ref"] == "X1"
    for name in ("goods_minor", "postage_minor", "total_minor", "refunded_minor"):
        assert row[name] is None, name
    assert not row["received_minor"]
    for name in ("placed_at", "paid_at", "updated_at", "ship_by", "buyer_note", "seller_note", "buyer_ref"):
        assert row[name] is None, name
    told = {k: v for k, v in row["recipient"].items() if v not in (None, [], "plain", "none", "CN")}
    assert told == {}
    assert all(line["title"] is None and line["quantity"] == 0 for line in row["lines"])


@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_batch_maps_to_an_empty_batch(form: str) -> None:
    mapper = mappers()[form]
    raw = (
        sources()[form]().head(0).drop("extra").with_columns(pl.col("payload").str.json_decode(mapper.dtype))
    )
    assert mapper.to_orders(raw).schema == ORDER


@pytest.mark.parametrize("form", FORMATS)
def test_a_row_maps_alone_as_in_company(form: str) -> None:
    raw, together = sources()[form](), orders(form)
    apart = pl.concat([to_orders(raw.slice(i, 1)) for i in range(raw.height)])
    assert apart.equals(together)


@pytest.mark.parametrize("form", FORMATS)
def test_amounts_outside_the_mappers_money_fields_are_null(form: str) -> None:
    silent = [n for n in MONEY_FIELDS if n not in mappers()[form].money_fields]
    assert all(orders(form)[name].null_count() == orders(form).height for name in silent)


@pytest.mark.parametrize("form", FORMATS)
def test_what_cannot_be_read_or_is_not_known_says_so_and_does_not_ship(form: str) -> None:
    found = orders(form).filter(
        pl.col("holds").list.eval(pl.element().struct.field("code") == "unknown_status").list.any()
    )
    assert found.height >= 1
    for row in found.iter_rows(named=True):
        codes = {p["code"] for p in row["problems"]}
        assert "unknown_value" in codes
        assert {p["stage"] for p in row["problems"]} == {STAGE}
    codes = orders(form)["problems"].explode().struct.field("code").drop_nulls().unique().to_list()
    assert "amount_unreadable" in codes
    assert "time_unreadable" in codes
