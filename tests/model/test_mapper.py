"""The pieces of mappers: the quick ways of reading agree with the exact ones; findings and lists land on their rows."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from orderctl.model.instant import BEIJING, from_local, from_offset
from orderctl.model.mapper import (
    CIPHER,
    HOLD,
    count,
    finding,
    first_balanced,
    hold,
    privacy,
    with_amounts,
    with_instants,
    with_list,
    with_times,
    yes,
)
from orderctl.model.money import minor

AMOUNT = st.one_of(
    st.from_regex(r"-?[0-9]{1,9}(\.[0-9]{0,3})?", fullmatch=True),
    st.sampled_from(
        [
            "",
            " ",
            "1,234.50",
            "12元",
            "￥3",
            "+3.10",
            "1e3",
            ".5",
            "ten",
            "1,2x",
            "0.29",
            "1.15",
            "4.35",
            "19.99",
        ]
    ),
    st.none(),
)


@for_all(st.lists(AMOUNT, min_size=1, max_size=20))
def test_amounts_read_quickly_are_those_read_exactly(texts: list[str | None]) -> None:
    frame = pl.DataFrame({"x": texts}, schema={"x": pl.String})
    quick = with_amounts(frame, {"read": pl.col("x")})["read"]
    assert quick.to_list() == frame.select(minor(pl.col("x"))).to_series().to_list()


@for_all(
    st.lists(st.tuples(AMOUNT, st.sampled_from(["CNY", "EUR", "JPY", "KWD", None])), min_size=1, max_size=20)
)
def test_amounts_have_the_decimals_of_each_rows_currency(rows: list[tuple[str | None, str | None]]) -> None:
    frame = pl.DataFrame(rows, schema={"x": pl.String, "c": pl.String}, orient="row")
    quick = with_amounts(frame, {"read": pl.col("x")}, pl.col("c"))["read"]
    assert quick.to_list() == frame.select(minor(pl.col("x"), pl.col("c"))).to_series().to_list()


def test_digits_of_other_widths_are_read_and_of_other_scripts_are_not() -> None:
    frame = pl.DataFrame({"x": ["１２．５０", "٣.00", "12.50"]})
    assert with_amounts(frame, {"read": pl.col("x")})["read"].to_list() == [1250, None, 1250]
    assert frame.select(count(pl.col("x").str.head(2))).to_series().to_list() == [12, None, 12]


TIMES = [
    "2026-11-02 10:11:12",
    "2026-11-02 10:11",
    "2026/11/2 10:11",
    "2026-11-02",
    "gestern",
    "",
    "0000-00-00 00:00:00",
    None,
]


@for_all(st.lists(st.sampled_from(TIMES), min_size=1, max_size=10))
def test_times_read_quickly_are_those_read_exactly(texts: list[str | None]) -> None:
    frame = pl.DataFrame({"x": texts}, schema={"x": pl.String})
    quick = with_times(frame, {"read": pl.col("x")}, BEIJING)["read"]
    assert quick.to_list() == frame.select(from_local(pl.col("x"), BEIJING)).to_series().to_list()


STAMPS = [
    "2026-11-20T15:04:09Z",
    "2026-11-20T15:04:09.123Z",
    "2026-11-20 04:15:31 -0500",
    "2026-02-30T00:00:00Z",
    "soon",
    "",
    None,
]


@for_all(st.lists(st.sampled_from(STAMPS), min_size=1, max_size=10))
def test_instants_read_quickly_are_those_read_exactly(texts: list[str | None]) -> None:
    frame = pl.DataFrame({"x": texts}, schema={"x": pl.String})
    quick = with_instants(frame, {"read": pl.col("x")})["read"]
    assert quick.to_list() == frame.select(from_offset(pl.col("x"))).to_series().to_list()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2", 2),
        (" 2 ", 2),
        ("2.0", 2),
        ("1,000", 1000),
        ("3件", 3),
        ("2.5", None),
        ("-1", None),
        ("two", None),
        ("", None),
        (None, None),
    ],
)
def test_pieces_are_whole_numbers(text: str | None, expected: int | None) -> None:
    frame = pl.DataFrame({"x": [text]}, schema={"x": pl.String})
    assert frame.select(count(pl.col("x"))).item() == expected


def test_flags_are_read_however_they_are_written() -> None:
    frame = pl.DataFrame({"x": ["true", "True", "1", "是", " yes ", "false", "0", "否", "", None]})
    assert frame.select(yes(pl.col("x"))).to_series().to_list() == [True] * 5 + [False] * 5


def test_lists_land_on_their_rows_only() -> None:
    frame = pl.DataFrame({"x": [1, 2, 3, 4, None]})
    found = with_list(
        frame, "holds", [(pl.col("x") == 2, hold("a")), (pl.col("x") >= 2, hold("b", "why"))], HOLD
    )
    assert [[h["code"] for h in row] for row in found["holds"].to_list()] == [
        [],
        ["a", "b"],
        ["b"],
        ["b"],
        [],
    ]
    assert with_list(frame.head(0), "holds", [(pl.col("x") == 2, hold("a"))], HOLD)["holds"].dtype == pl.List(
        HOLD
    )


def test_findings_show_the_value_they_are_about() -> None:
    frame = pl.DataFrame({"x": ["NEW", None]})
    found = frame.select(finding("unknown_value", "status", pl.col("x"))).to_series().to_list()
    assert [f["message"] for f in found] == [
        "status has the unknown value NEW",
        "status has the unknown value ?",
    ]
    assert found[0]["params"] == [{"name": "field", "value": "status"}, {"name": "value", "value": "NEW"}]


def test_the_first_reading_that_adds_up_is_taken_else_the_first() -> None:
    frame = pl.DataFrame({"total": [9, 8, 7, None], "a": [1, 1, 1, 1], "b": [2, 2, 2, 2]})
    readings = [{"off": pl.col("a")}, {"off": pl.col("b")}]
    chosen = first_balanced(pl.col("total") - 10, readings, {"off": -1})
    assert frame.select(**chosen)["off"].to_list() == [1, 2, 1, 1]


def test_privacy_is_told_by_what_can_be_read() -> None:
    frame = pl.DataFrame(
        {
            "n": ["测试甲", "测**", "~AgAAAADexampleName0123456789abcdefgh=~QfFq~2~~", None],
            "p": ["1", "1", "1", None],
        }
    )
    assert frame.select(privacy(pl.col("n"), pl.col("p"))).to_series().to_list() == [
        "plain",
        "masked",
        "sealed",
        "plain",
    ]
    assert not pl.Series(["~ about ~", "#1001", "$5"]).str.contains(CIPHER).any()
