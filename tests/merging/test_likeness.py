"""What is not equal and yet compared: names, phones and addresses with a slip of the pen."""

from __future__ import annotations

import polars as pl
import pytest

from orderctl.model.problem import sentence
from orderctl.stages.merging.likeness import (
    NEAR,
    compared_name,
    likeness,
    near_names,
    near_phones,
    simplified,
)
from orderctl.stages.merging.suggestions import WEIGHTS
from tests.stages.samples import order, orders


def name(text: str | None) -> str | None:
    found: str | None = orders(order(recipient={"name": text})).select(compared_name()).item()
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("测试 甲", "测试甲"),
        ("測試甲", "测试甲"),
        ("样例人先生", "样例人"),
        ("Ann Sample", "SAMPLE, ann"),
        ("Ａｎｎ", "ann"),
    ],
)
def test_names_written_otherwise(one: str, other: str) -> None:
    assert name(one) == name(other)


@pytest.mark.parametrize(
    ("text", "compared"), [(None, None), ("。。", None), ("先生", "先生"), ("样先生", "样")]
)
def test_titles_are_no_names_unless_there_is_nothing_else(text: str | None, compared: str | None) -> None:
    assert name(text) == compared


def told(found: object, one: str | None, other: str | None) -> object:
    frame = pl.DataFrame({"a": [one], "b": [other]}, schema={"a": pl.String, "b": pl.String})
    assert callable(found)
    both = [frame.select(found(pl.col(a), pl.col(b))).item() for a, b in ("ab", "ba")]
    assert both[0] == both[1]  # whoever comes first
    return both[0]


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("测试甲", "测试申", True),
        ("测试甲", "测试甲", False),  # equal, which is told by another word
        ("测试甲", "测样申", False),
        ("测甲", "测申", False),
        ("样本建国", "样本国", True),
        ("MARIA SAMPLETON", "MARIA SAMPELTON", True),
        ("ANN", "ANA", False),
        ("测试甲", None, None),
    ],
)
def test_names_one_slip_apart(one: str, other: str | None, near: bool | None) -> None:
    assert told(near_names, one, other) is near


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("13800000001", "13800000007", True),
        ("13812340001", "13812430001", True),
        ("13800000001", "1380000001", True),
        ("13800000001", "13800000077", False),
        ("13800000001", "13800000001", False),
        ("110", "119", False),
        (None, "13800000001", None),
    ],
)
def test_phones_one_digit_apart(one: str | None, other: str, near: bool | None) -> None:
    assert told(near_phones, one, other) is near


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("样例路1", "样例路1", 1, 1),
        ("样例路", "样列路", 0.6, 0.7),
        ("样例路", "某某街", 0, 0),
        ("样例路9号样例花园3-401", "样例路9号3-401", NEAR, 0.99),  # what only one of them says
        ("9号样例花园3-401", "9号3-401", 0, NEAR - 0.01),  # too little is left to tell it is the same
        ("样例东路66号", "样例西路66号", 0, 0),
        ("示范新村样例小区8-1203", "示范老村样例小区8-1203", 0, 0),
        ("示范新村样例小区8-1203", "示范心村样例小区8-1203", NEAR, 0.99),
    ],
)
def test_addresses_are_alike(one: str, other: str, least: float, most: float) -> None:
    found = told(likeness, one, other)
    assert isinstance(found, float)
    assert least <= found <= most


def test_nothing_is_alike_to_a_missing_address() -> None:
    assert told(likeness, None, "x") is None


def test_characters_become_simplified_one_by_one() -> None:
    found = pl.DataFrame({"t": ["樣例路1號樣例廣場", "样例路1号", None]}).select(simplified(pl.col("t")))
    assert found["t"].to_list() == ["样例路1号样例广场", "样例路1号", None]


def test_what_speaks_for_a_suggestion_is_said_in_the_readers_language() -> None:
    codes = [*(trait for trait in WEIGHTS if trait != "address"), "address", "near_address"]
    params = {"shipment": "S1", "score": "0.76", "evidence": ", ".join(codes)}
    found = {
        "code": "merge_suggested",
        "message": "",
        "params": [{"name": k, "value": v} for k, v in params.items()],
    }
    assert sentence(found, "en") == f"may belong with S1 (0.76: {', '.join(codes)})"
    chinese = sentence(found, "zh")
    assert chinese.startswith("可能应与 S1 一起发货（相似度 0.76：同一买家、电话相同")
    assert not [code for code in codes if code in chinese]
