"""A courier's price sheet, in CSV and in XLSX with a title above, becomes the zones of a tariff."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from orderctl.model.errors import ConfigError
from orderctl.ports.tables.numbered import read_numbered
from orderctl.stages.rules.parse import parse
from orderctl.stages.rules.sections.tariffs import Zone
from orderctl.stages.rules.sections.tariffs_sheet import parse_sheet

HEADINGS = ["分区", "省份", "0.5kg", "1kg", "0-3kg", "首重1kg", "续重/kg", "时效"]
ROWS = [
    ["一区", "江浙沪皖", 2.2, 2.6, 4, 3, 1.2, "次日"],
    ["二区", "广东、福建，北京市", 2.6, 3.4, 6.5, 4, 2, None],
    [None, "天津", None, None, None, None, None, None],
]


def read(*rows: list[object], headings: list[str] | None = None) -> list[Zone]:
    names = headings or HEADINGS
    return parse_sheet(
        pl.DataFrame(
            [[None if c is None else str(c) for c in row] for row in rows],
            schema=dict.fromkeys(names, pl.String),
            orient="row",
        ),
        "p.csv",
    )


def refused(*rows: list[object], headings: list[str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        read(*rows, headings=headings)
    return str(caught.value)


def test_a_row_is_a_zone_with_a_ladder_and_what_is_above_it() -> None:
    near, far, merged = read(*ROWS)
    assert near.provinces == ["江苏", "浙江", "上海", "安徽"]
    assert [(b.upto_kg, b.price) for b in near.brackets] == [
        (Decimal("0.5"), Decimal("2.2")), (Decimal(1), Decimal("2.6")), (Decimal(3), Decimal(4)),
    ]  # fmt: skip
    assert near.over is not None
    assert (near.over.first_weight_kg, near.over.first_price, near.over.step_price) == (1, 3, Decimal("1.2"))
    assert (far.id, far.provinces) == ("二区", ["广东", "福建", "北京市"])
    assert (merged.id, merged.provinces, merged.brackets) == ("二区", ["天津"], far.brackets)


def test_first_and_step_with_their_weights_in_the_headings() -> None:
    (zone,) = read(["新疆", "¥15.00", "12元"], headings=["目的地", "首重（500g）", "续重(0.5公斤)"])
    assert (zone.id, zone.first_weight_kg, zone.first_price) == ("新疆", Decimal("0.5"), 15)
    assert (zone.step_kg, zone.step_price) == (Decimal("0.5"), 12)


@pytest.mark.parametrize(
    ("heading", "kg"),
    [
        ("0.5", "0.5"),
        ("500g", "0.5"),
        ("10kg", "10"),
        ("10-15kg", "15"),
        ("12.5", "12.5"),
        ("≤1KG", "1"),
        ("0.5-1kg", "1"),
        ("1kg~2kg", "2"),
        ("3公斤以内", "3"),
        ("2kg及以下", "2"),
    ],
)
def test_headings_of_weights(heading: str, kg: str) -> None:
    (zone,) = read(["浙江", "2"], headings=["省份", heading])
    assert [b.upto_kg for b in zone.brackets] == [Decimal(kg)]


@pytest.mark.parametrize(
    ("headings", "row", "says"),
    [
        (["省份", "3kg以上"], ["浙江", 2], "p.csv:1:2: the heading '3kg以上' is not understood"),
        (["省份", "1kg", "偏远附加费"], ["浙江", 2, 1], "p.csv:1:3: the heading '偏远附加费'"),
        (["省份", "1kg"], ["黑龙江市", 2], "p.csv:2:1: there is no province '黑龙江市' (did you mean '黑龙江'?)"),
        (["省份", "1kg"], ["浙江", "停发"], "p.csv:2:2: 停发 is no amount"),
        (["省份", "1kg"], ["浙江", "-1"], "p.csv:2:2: -1 is no amount"),
        (["省份", "1kg", "2kg"], ["浙江", 2, None], "p.csv:2:3: the row has prices, but none here"),
        (["省份", "1kg"], ["浙江", None], "p.csv:2:2: the row has no price"),
        (["省份", "1kg"], [None, 2], "p.csv:2:1: a row needs a place"),
        (["省份", "1kg", "1000g"], ["浙江", 2, 2], "p.csv:1:3: the column 1000g is there twice"),
        (["省份", "1kg", "首重"], ["浙江", 2, 2], "p.csv:2:3: a first weight beside a ladder needs a step"),
        (["1kg", "备注"], [2, "x"], "has no column 省份"),
        (["省份", "备注"], ["浙江", "x"], "has no prices"),
    ],
)  # fmt: skip
def test_nothing_is_guessed_about_money(headings: list[str], row: list[object], says: str) -> None:
    assert says in refused(row, headings=headings)


def test_every_mistake_is_told_at_once() -> None:
    text = refused(["浙江", "a"], ["江苏", "b"], headings=["省份", "1kg"])
    assert text.splitlines() == ["p.csv:2:2: a is no amount", "p.csv:3:2: b is no amount"]


def sheets(folder: Path) -> list[Path]:
    frame = pl.DataFrame(ROWS, schema=HEADINGS, orient="row", strict=False)
    frame.write_csv(folder / "p.csv")
    frame.write_parquet(folder / "p.parquet")
    with xlsxwriter.Workbook(folder / "p.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, 7, "样例快递 2026 报价")
        for at, row in enumerate([HEADINGS, *ROWS], 1):
            sheet.write_row(at, 0, row)
    return [folder / name for name in ("p.csv", "p.parquet", "p.xlsx")]


def test_the_same_zones_from_csv_parquet_and_xlsx(tmp_path: Path) -> None:
    expected = read(*ROWS)
    for path in sheets(tmp_path):
        assert parse_sheet(read_numbered(str(path)), path.name) == expected, path.name


def test_rules_name_the_sheet_beside_zones_of_their_own() -> None:
    text = """
tariffs:
  - id: t
    courier: YTO
    prices: p.csv
    zones: [{id: own, cities: [杭州], first_weight_kg: 1, first_price: 1}]
"""
    book = parse(text, tables=lambda name: pl.DataFrame({"省份": ["浙江"], "1kg": ["2"]}))
    assert [z.id for z in book.rules.tariffs[0].zones] == ["own", "浙江"]
    with pytest.raises(ConfigError, match=r"rules.yaml:5:13: the table p.csv cannot be read here"):
        parse(text)
