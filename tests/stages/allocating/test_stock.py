from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from orderctl.model.errors import ConfigError
from orderctl.model.facts import RESERVED, STOCK, Facts, parse_facts
from orderctl.model.schema import conform
from orderctl.stages.allocating.stock import free_stock, parse_stock, reserved_of
from orderctl.stages.committed import write_trail

ZONE = "Asia/Shanghai"


def table(
    *rows: tuple[str | None, ...], names: tuple[str, ...] = ("warehouse", "sku", "quantity")
) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=dict.fromkeys(names, pl.String()), orient="row")


def test_headings_may_be_chinese_and_other_columns_are_for_people() -> None:
    names = ("备注", "仓库", "我方SKU", "数量", "库位", "盘点时间")
    found = parse_stock(
        table(("x", " 杭州仓 ", "A", "3.0", "A-1", "2026-11-24 08:00"), names=names), "s.xlsx", ZONE
    )
    assert found.schema == STOCK
    assert found.rows() == [("杭州仓", "A", "A-1", 3, "2026-11-24T00:00:00Z")]


def test_what_does_not_say_when_it_was_counted_counts_from_when_it_was_written() -> None:
    names = ("warehouse", "sku", "quantity", "counted_at")
    rows = table(("hz", "A", "1", None), ("hz", "B", "1", "2026-11-24T01:00:00Z"), names=names)
    found = parse_stock(rows, "s.csv", ZONE, "2026-11-23T00:00:00Z")
    assert found["counted_at"].to_list() == ["2026-11-23T00:00:00Z", "2026-11-24T01:00:00Z"]


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-24 08:00",
        "2026-11-24 08:00:00.000000",
        "2026-11-24T08:00:00",
        "2026-11-24T00:00:00Z",
        "2026-11-24 00:00:00.000000 UTC",
    ],
)
def test_times_as_spreadsheets_databases_and_parquet_write_them(written: str) -> None:
    names = ("warehouse", "sku", "quantity", "counted_at")
    found = parse_stock(table(("hz", "A", "1", written), names=names), "s", ZONE)
    assert found["counted_at"].to_list() == ["2026-11-24T00:00:00Z"]


def test_every_mistake_is_told_with_its_place() -> None:
    names = ("sku", "warehouse", "quantity", "counted_at")
    wrong = table(("A", None, "1", None), (None, "hz", "1.5", "soon"), names=names)
    with pytest.raises(ConfigError) as failed:
        parse_stock(wrong, "s.csv", ZONE)
    told = str(failed.value)
    assert all(place in told for place in ("s.csv:2:2:", "s.csv:3:1:", "s.csv:3:3:", "s.csv:3:4:"))


def test_a_table_without_quantity_is_no_stock() -> None:
    with pytest.raises(ConfigError, match="has no column quantity"):
        parse_stock(table(("hz", "A"), names=("warehouse", "sku")), "s.csv", ZONE)


def commitments(at: str, **line: Any) -> pl.DataFrame:
    plain = {"order_id": "o", "line_ref": "1", "sku": "A", "quantity": 2, **line}
    row = conform(pl.DataFrame([{"shipment_id": "S1", "lines": [plain]}]), "shipment/1").to_dicts()[0]
    trail = write_trail(row)
    bound = {
        "shipment_id": "S1",
        "warehouse": "hz",
        "trail": trail,
        "first_at": at,
        "quantity": plain["quantity"],
    }
    return pl.DataFrame([{**bound, "order_id": plain["order_id"], "line_ref": plain["line_ref"]}])


def test_what_a_waybill_was_bought_for_is_reserved_by_its_sku() -> None:
    found = reserved_of(commitments("2026-11-24T03:00:00Z"))
    assert found.schema == RESERVED
    assert found.rows() == [("S1", "hz", "A", 2, "2026-11-24T03:00:00Z")]


def test_gifts_are_known_by_their_name_and_an_old_trail_reserves_nothing() -> None:
    old = commitments("x").with_columns(trail=pl.lit(json.dumps({"merge": None})))
    gift = old.with_columns(line_ref=pl.lit("gift:rule:CUP"))
    assert reserved_of(pl.concat([old, gift]))["sku"].to_list() == ["CUP"]


@pytest.mark.parametrize(
    ("counted", "free"),
    [("2026-11-24T02:00:00Z", 3), ("2026-11-24T03:00:00Z", 3), ("2026-11-24T04:00:00Z", 5), (None, 3)],
)
def test_only_what_was_bound_since_the_count_is_taken_off(counted: str | None, free: int) -> None:
    stock = pl.DataFrame([("hz", "A", None, 5, counted)], schema=STOCK, orient="row")
    facts = Facts(stock=stock, reserved=reserved_of(commitments("2026-11-24T03:00:00Z")))
    assert free_stock(facts).rows() == [("hz", "A", free)]


def test_shelves_are_added_up_and_nothing_is_free_below_zero() -> None:
    rows = [("hz", "A", "1", 2, None), ("hz", "A", "2", 1, None), ("hz", "B", None, -4, None)]
    stock = pl.DataFrame(rows, schema=STOCK, orient="row")
    assert free_stock(Facts(stock=stock)).rows() == [("hz", "A", 3), ("hz", "B", 0)]


def test_stock_is_frozen_with_the_facts_and_facts_without_it_have_none() -> None:
    stock = pl.DataFrame([("hz", "A", None, 5, None)], schema=STOCK, orient="row")
    reserved = reserved_of(commitments("2026-11-24T03:00:00Z"))
    facts = Facts(stock=stock, reserved=reserved, partial=frozenset(["main"]))
    again = parse_facts(facts.to_json(), "f")
    assert again.stock is not None
    assert again.stock.equals(stock)
    assert again.reserved.equals(reserved)
    assert again.partial == facts.partial
    assert parse_facts(Facts().to_json(), "f").stock is None
