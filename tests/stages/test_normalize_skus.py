"""Which SKU a line gets, and what the catalogue adds."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from orderctl.model.errors import ConfigError
from orderctl.model.facts import Facts
from orderctl.stages.normalize import NormalizeRules, normalize
from orderctl.stages.normalizing.skus import parse_catalogue
from orderctl.stages.rules.sections.skus import SkusSection
from tests.stages.samples import codes, line, only, order, orders

NOW = "2026-11-24T00:00:00Z"


def lines_of(section: dict[str, Any], *rows: dict[str, Any]) -> list[dict[str, Any]]:
    rules = NormalizeRules(skus=SkusSection.model_validate(section))
    batch = orders(*(order(str(at), lines=[row]) for at, row in enumerate(rows)))
    return [row["lines"][0] for row in normalize(batch, rules, Facts(), NOW).to_dicts()]


def skus_of(section: dict[str, Any], *rows: dict[str, Any]) -> list[str | None]:
    return [found["sku"] for found in lines_of(section, *rows)]


def test_the_first_entry_that_matches_wins_whatever_its_kind() -> None:
    entries = [
        {"match": {"title": {"pattern": "(?i)shirt.*sale"}}, "sku": "SALE"},
        {"match": {"merchant_code": "OLD"}, "sku": "NEW"},
        {"match": {"item_ref": "900", "spec": "red"}, "sku": "RED"},
        {"match": {"item_ref": "900"}, "sku": "ANY-900"},
        {"match": {"platform_sku": ["4300", "4301"]}, "sku": "VARIANT"},
        {"match": {"merchant_code": "OLD"}, "sku": "NEVER"},
    ]
    section = {"map": entries, "merchant_code_is_sku": False}
    assert skus_of(
        section,
        line(merchant_code="OLD", title="Shirt SALE"),
        line(merchant_code="OLD"),
        line(merchant_code="OLD ", item_ref="900", spec="red"),
        line(item_ref="900", spec="blue"),
        line(platform_sku="4301"),
        line(merchant_code="TS"),
    ) == ["SALE", "NEW", "RED", "ANY-900", "VARIANT", None]


def test_an_entry_may_be_for_one_platform_or_shop_only() -> None:
    section = {
        "map": [
            {"match": {"platform": "taobao", "merchant_code": "X"}, "sku": "T"},
            {"match": {"shop": "south", "merchant_code": "X"}, "sku": "S"},
        ],
        "merchant_code_is_sku": False,
    }
    rules = NormalizeRules(skus=SkusSection.model_validate(section))
    one = [line(merchant_code="X")]
    batch = orders(
        order("1", platform="taobao", lines=one),
        order("2", platform="shopify", shop="south", lines=one),
        order("3", platform="shopify", lines=one),
    )
    found = normalize(batch, rules, Facts(), NOW)
    assert [row["lines"][0]["sku"] for row in found.to_dicts()] == ["T", "S", None]


def test_numbers_in_the_rules_stand_for_texts() -> None:
    assert skus_of({"map": [{"match": {"platform_sku": 4300}, "sku": 7}]}, line(platform_sku="4300")) == ["7"]


def test_a_merchant_code_is_a_sku_when_the_catalogue_lists_it_or_is_empty() -> None:
    known, unknown = line(merchant_code="A"), line(merchant_code="B")
    assert skus_of({"catalogue": [{"sku": "A"}]}, known, unknown) == ["A", None]
    assert skus_of({}, known, unknown) == ["A", "B"]
    assert skus_of({"merchant_code_is_sku": False}, known) == [None]


def test_a_sku_set_by_hand_stays_unless_the_map_says_otherwise() -> None:
    by_hand = line(sku="HAND", merchant_code="A")
    assert skus_of({"catalogue": [{"sku": "A"}]}, by_hand) == ["HAND"]
    assert skus_of({"map": [{"match": {"merchant_code": "A"}, "sku": "M"}]}, by_hand) == ["M"]


def test_the_catalogue_gives_weight_traits_and_customs_and_the_platform_the_rest() -> None:
    section = {
        "catalogue": [
            {
                "sku": "A",
                "name": "Shirt",
                "weight_g": 220,
                "traits": ["liquid"],
                "hs_code": "6109",
                "origin": "CN",
            },
            {"sku": "B", "name": "Mug"},
        ]
    }
    a, b, untitled = lines_of(
        section,
        line(merchant_code="A", unit_weight_g=1, goods_traits=["fragile"]),
        line(merchant_code="B", unit_weight_g=300),
        line(merchant_code="B", title=None),
    )
    assert (a["unit_weight_g"], a["goods_traits"], a["hs_code"], a["origin"]) == (
        220,
        ["fragile", "liquid"],
        "6109",
        "CN",
    )
    assert a["title"] == "纯棉T恤"
    assert b["unit_weight_g"] == 300
    assert untitled["title"] == "Mug"


def test_unmapped_lines_hold_only_their_own_order_and_are_listed_once() -> None:
    lines = [line(line_ref=str(at), merchant_code=code) for at, code in enumerate("BBCDEFGA")]
    done = line(line_ref="9", merchant_code="Z", quantity_shipped=1)
    rules = NormalizeRules(skus=SkusSection.model_validate({"catalogue": [{"sku": "A"}]}))
    batch = orders(order("1", lines=[*lines, done]), order("2", lines=[line(merchant_code="A")]))
    bad, good = normalize(batch, rules, Facts(), NOW).to_dicts()
    assert codes(bad) == {"sku_unmapped": "block"}
    assert bad["problems"][0]["message"] == "no SKU is known for B, C, D, E, F ... 6"
    assert codes(good) == {}


def test_a_service_needs_no_sku_and_no_parcel() -> None:
    row = only(
        normalize(
            orders(
                order(
                    "1", lines=[line(), line(line_ref="2", kind="service", merchant_code=None, title="fee")]
                )
            ),
            NormalizeRules(),
            Facts(),
            NOW,
        )
    )
    assert codes(row) == {}
    assert [one["quantity_to_ship"] for one in row["lines"]] == [1, 0]


@pytest.mark.parametrize(
    "section",
    [
        {"map": [{"match": {"platform": "taobao"}, "sku": "A"}]},
        {"map": [{"match": {"title": {"pattern": "("}}, "sku": "A"}]},
        {"map": [{"match": {"title": {"pattern": "(?=a)"}}, "sku": "A"}]},
        {"map": [{"match": {"colour": "red"}, "sku": "A"}]},
        {"catalogue": [{"sku": "A"}, {"sku": "A"}]},
        {"catalogue": [{"sku": "A", "weight_g": -1}]},
        {"catalogue": [{"sku": "A", "wieght_g": 1}]},
    ],
)
def test_mistakes_in_the_section_are_refused(section: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SkusSection.model_validate(section)


def test_a_catalogue_file_is_read_as_texts() -> None:
    table = pl.DataFrame(
        {"sku": ["A", "B"], "weight_g": ["220", ""], "traits": ["liquid|fragile", None], "colour": ["x", "y"]}
    )
    found = parse_catalogue(table, "catalogue.csv")
    assert found.select("sku", "weight_g", "traits").to_dicts() == [
        {"sku": "A", "weight_g": 220, "traits": ["liquid", "fragile"]},
        {"sku": "B", "weight_g": None, "traits": []},
    ]
    rules = NormalizeRules(skus=SkusSection(catalogue="catalogue.csv"), catalogue=found)
    row = only(normalize(orders(order("1", lines=[line(merchant_code="A")])), rules, Facts(), NOW))
    assert row["lines"][0]["unit_weight_g"] == 220


@pytest.mark.parametrize(
    "columns",
    [
        {"code": ["A"]},
        {"sku": ["A", "A"]},
        {"sku": ["A", " "]},
        {"sku": ["A"], "weight_g": ["0.2"]},
        {"sku": ["A"], "weight_g": ["-5"]},
    ],
)
def test_mistakes_in_a_catalogue_file_name_the_file(columns: dict[str, list[str]]) -> None:
    with pytest.raises(ConfigError, match=r"catalogue\.csv:"):
        parse_catalogue(pl.DataFrame(columns), "catalogue.csv")


def test_a_catalogue_may_have_the_headings_of_the_people_who_keep_it() -> None:
    table = pl.DataFrame(
        {"货号": ["A"], "商品名称": ["杯"], "重量（克）": ["380"], "货位": ["B-1"], "备注": ["x"]}
    )
    assert parse_catalogue(table, "c.xlsx").select("sku", "name", "weight_g", "location").rows() == [
        ("A", "杯", 380, "B-1")
    ]
    table = pl.DataFrame({"SKU": ["A"], "商家编码": ["B"], "Name": ["cup"], "重量": ["0.4"]})
    assert parse_catalogue(table, "c.xlsx").select("sku", "name", "weight_g").rows() == [("A", "cup", None)]


def test_a_mistake_in_a_catalogue_names_its_line() -> None:
    table = pl.DataFrame({"sku": ["A", "B", "A"], "_line": [3, 4, 9]})
    with pytest.raises(ConfigError, match=r"^c\.xlsx:3: the SKU A is missing or there twice"):
        parse_catalogue(table, "c.xlsx")
