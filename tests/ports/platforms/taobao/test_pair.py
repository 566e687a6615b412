"""Taobao: the same orders by the API and by the two reports of the back office."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

import polars as pl
import pytest

from tests.ports.platforms.golden import raw_frame, read_files
from tests.ports.platforms.pairs import Order, by_ref, check_pair, merged
from tests.ports.platforms.taobao.fixtures import HERE

R = "5012345678900000"
FILES = ("taobao/pair-orders.csv", "taobao/pair-items.csv")


def raw_by_api() -> pl.DataFrame:
    trades = [
        json.loads(text)["trade"] for text in (HERE / "pair-trades.jsonl").read_text("utf-8").splitlines()
    ]
    return raw_frame("taobao/trade", trades, [trade["tid_str"] for trade in trades])


def raw_by_file() -> pl.DataFrame:
    exported = read_files(*FILES)
    assert not exported.rejects
    return exported.raw


@cache
def by_api() -> dict[str, Order]:
    return by_ref(raw_by_api())


@cache
def by_file() -> dict[str, Order]:
    return by_ref(raw_by_file())


def reduced_alike(api: Order, file: Order) -> bool:
    """What the price was reduced by is the same, whoever did it."""
    sums = {
        order["discount_seller_minor"] + order["discount_platform_minor"] - order["adjust_minor"]
        for order in (api, file)
    }
    return len(sums) == 1


def test_an_order_of_the_reports_is_the_order_of_the_api_but_for_what_they_lack() -> None:
    reductions = ["discount_seller_minor", "discount_platform_minor", "adjust_minor"]
    check_pair(
        by_api(),
        by_file(),
        platform="taobao",
        otherwise=dict.fromkeys(reductions, reduced_alike),
        only_in_file={"recipient.original", "refunded_minor", "wishes.invoice"},
    )


@pytest.mark.parametrize("source", [by_api, by_file])
def test_shares_add_up_to_the_cent_and_a_gift_costs_nothing(source: Callable[[], dict[str, Order]]) -> None:
    order = source()[R + "010"]
    assert [line["paid_minor"] for line in order["lines"]] == [7333, 2333, 334, 0]
    assert [line["kind"] for line in order["lines"]] == ["goods", "goods", "goods", "gift"]
    assert order["total_minor"] == 10000 + 500


def test_of_an_order_that_is_partly_shipped_nothing_leaves_unless_the_file_says_what_is_left() -> None:
    told, untold = by_file()[R + "070"], by_file()[R + "075"]
    assert [line["quantity_to_ship"] for line in told["lines"]] == [0, 2]
    assert not told["holds"]
    assert [hold["code"] for hold in untold["holds"]] == ["shipped_quantity_unknown"]


def test_what_a_seller_may_choose_to_export_besides_is_read() -> None:
    flags = {"绿旗": "green", "1": "red", "红色": "red", "粉": "粉", "": None}
    line = {"子订单编号": "1", "标题": "样例", "价格": "1.00", "购买数量": "1", "商品ID": "600000000501"}
    records = [
        {"head": {"订单编号": flag, "应发货时间": "2026-11-05 09:08:20", "备注标签": flag}, "lines": [line]}
        for flag in flags
    ]
    found = by_ref(raw_frame("taobao/export-csv", records, list(flags)))
    assert {ref: order["seller_flag"] for ref, order in found.items()} == flags
    for order in found.values():
        assert (order["ship_by"], order["lines"][0]["item_ref"]) == ("2026-11-05T01:08:20Z", "600000000501")


def test_lines_without_a_number_have_the_same_one_by_both_ways() -> None:
    """Older item reports have no numbers of lines, and nothing promises that a trade's lines have one."""
    lines = [{"title": "样例甲", "num": 1, "price": "1.00"}, {"title": "样例乙", "num": 2, "price": "1.00"}]
    rows = [
        {"标题": "样例甲", "购买数量": "1", "价格": "1.00"},
        {"标题": "样例乙", "购买数量": "2", "价格": "1.00"},
    ]
    for count, expected in ((1, ["77"]), (2, ["77-1", "77-2"])):
        trade = {"tid": "77", "status": "WAIT_SELLER_SEND_GOODS", "orders": {"order": lines[:count]}}
        head = {"订单编号": "77", "订单状态": "等待卖家发货"}
        api = by_ref(raw_frame("taobao/trade", [trade], ["77"]))["77"]
        file = by_ref(raw_frame("taobao/export-csv", [{"head": head, "lines": rows[:count]}], ["77"]))["77"]
        assert [line["line_ref"] for line in api["lines"]] == expected
        assert [line["line_ref"] for line in file["lines"]] == expected


def test_by_both_ways_at_once_an_order_is_one_and_its_lines_are_those_of_the_api() -> None:
    alone = merged(raw_by_api())
    assert merged(raw_by_file(), raw_by_api()) == merged(raw_by_api(), raw_by_file()) == alone
    assert len(alone) > 6
