"""Shopify: the same orders by the API and by the order export of the admin."""

from __future__ import annotations

import json
from functools import cache

import polars as pl
import pytest

from tests.ports.platforms.golden import raw_frame, read_files
from tests.ports.platforms.pairs import Order, by_ref, check_pair, merged
from tests.ports.platforms.shopify.fixtures import HERE

R = "59000112301"


def raw_by_api() -> pl.DataFrame:
    nodes = [json.loads(text)["node"] for text in (HERE / "pair-nodes.jsonl").read_text("utf-8").splitlines()]
    return raw_frame("shopify/graphql", nodes, [node["legacyResourceId"] for node in nodes])


def raw_by_file() -> pl.DataFrame:
    exported = read_files("shopify/pair-orders.csv")
    assert not exported.rejects
    return exported.raw


@cache
def by_api() -> dict[str, Order]:
    return by_ref(raw_by_api())


@cache
def by_file() -> dict[str, Order]:
    return by_ref(raw_by_file())


def by_goods(api: Order, file: Order) -> bool:
    called = [f"{line['merchant_code']} {line['title']}" for line in file["lines"]]
    return [line["line_ref"] for line in file["lines"]] == called


def variant_in_title(api: Order, file: Order) -> bool:
    """The file joins title and variant; the texts a buyer typed at a line are not there."""
    joined = [
        line["title"] if not variant or ":" in variant else f"{line['title']} - {variant}"
        for line in api["lines"]
        for variant in [line["spec"]]
    ]
    return [line["title"] for line in file["lines"]] == joined


def held_at_least(api: Order, file: Order) -> bool:
    """What the file cannot count it holds; what the API holds the file holds."""
    codes = [{hold["code"] for hold in order["holds"]} for order in (api, file)]
    return (
        codes[1] - codes[0] <= {"shipped_quantity_unknown", "refunded_quantity_unknown"}
        and codes[0] <= codes[1]
    )


def held_where_more_would_leave(api: Order, file: Order) -> bool:
    return bool(file["holds"]) and sum(line["quantity_to_ship"] for line in file["lines"]) > 0


def over(api: Order, file: Order) -> bool:
    return (api["status"], file["status"]) == ("completed", "shipped")


def service_by_title(api: Order, file: Order) -> bool:
    said = [[(w["kind"], w["evidence"]) for w in order["wishes"]] for order in (api, file)]
    return said[0] == said[1]


def test_an_order_of_the_export_is_the_order_of_the_api_but_for_what_it_lacks() -> None:
    check_pair(
        by_api(),
        by_file(),
        platform="shopify",
        otherwise={
            "lines.line_ref": by_goods,
            "lines.title": variant_in_title,
            "lines.quantity_to_ship": held_where_more_would_leave,
            "holds": held_at_least,
            "status": over,
            "wishes.service": service_by_title,
        },
        only_in_file=set(),
    )


@pytest.mark.parametrize("number", ["14", "15"])
def test_names_of_people_are_written_in_their_order_by_both_ways(number: str) -> None:
    names = {source()[R + number]["recipient"]["name"] for source in (by_api, by_file)}
    assert names == ({"見本太郎"} if number == "14" else {"测试甲"})


def test_a_name_that_is_one_word_or_no_such_name_stays_as_it_is() -> None:
    names = ["測試甲", "Probe Person", "Mary Ann Probe", "甲 乙 丙"]
    records = [{"head": {"Id": str(n), "Shipping Name": name}, "lines": []} for n, name in enumerate(names)]
    found = by_ref(raw_frame("shopify/export-csv", records, ["x"] * len(names)))
    assert [found[str(n)]["recipient"]["name"] for n in range(len(names))] == names


def test_shares_add_up_to_the_cent_where_the_file_tells_them() -> None:
    api, file = by_api()[R + "10"], by_file()[R + "10"]
    assert sum(line["paid_minor"] for line in api["lines"]) == api["total_minor"] - api["postage_minor"]
    assert api["discount_seller_minor"] == file["discount_seller_minor"] == 1000
    assert {line["paid_minor"] for line in file["lines"]} == {None}  # the share of a code is not in the file
    assert [line["paid_minor"] for line in by_file()[R + "11"]["lines"]] == [3600, 1234]


def test_by_both_ways_at_once_an_order_is_one_and_its_lines_are_those_of_the_api() -> None:
    alone = merged(raw_by_api())
    assert merged(raw_by_file(), raw_by_api()) == merged(raw_by_api(), raw_by_file()) == alone
    assert len(alone) > 6


def test_lines_of_a_file_keep_their_names_when_the_order_is_edited() -> None:
    """A line that came before the others must not make them pass for those that are on their way."""
    rows = [{"Lineitem sku": sku, "Lineitem name": name, "Lineitem quantity": "1"} for sku, name in (
        ("A", "Mug"), ("A", "Mug"), (None, "Mug: blue"), ("A", "Cup"), (None, None))]  # fmt: skip

    def refs(*places: int) -> list[str]:
        record = {"head": {"Id": "1"}, "lines": [rows[place] for place in places]}
        return [
            line["line_ref"]
            for line in by_ref(raw_frame("shopify/export-csv", [record], ["1"]))["1"]["lines"]
        ]

    assert refs(0, 1, 2, 3, 4) == ["A Mug", "A Mug #2", "Mug- blue", "A Cup", "5"]
    assert refs(3, 0, 2) == ["A Cup", "A Mug", "Mug- blue"]
