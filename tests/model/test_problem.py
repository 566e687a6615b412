from __future__ import annotations

import string

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.model.problem import KINDS, finding, has_severity, problem, replace_problems, sentence
from orderctl.model.schema import PROBLEM, empty
from orderctl.model.text import sentences

TEXTS = (
    st.none()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from(["{x}", "{", "\0", "%s"])
)


def slots(code: str) -> list[str]:
    """Give the parameters of a sentence; `field` is given as the problem's own."""
    names = [name for _, name, _, _ in string.Formatter().parse(KINDS[code].sentence) if name]
    return [name for name in names if name != "field"]


@pytest.mark.parametrize("code", KINDS)
@given(data=st.data())
def test_a_column_and_a_record_say_the_same(code: str, data: st.DataObject) -> None:
    names = slots(code)
    values = {name: data.draw(TEXTS, name) for name in names}
    mixed = data.draw(st.permutations(names))
    columns = {name: pl.col(name) for name in mixed}
    frame = pl.DataFrame(
        {"at": [1, 2], **{name: [value] * 2 for name, value in values.items()}}, strict=False
    )
    frame = frame.with_columns(pl.col(name).cast(pl.String) for name in names)
    built = frame.with_columns(p=problem(code, stage="s", field="f", **columns))["p"]
    assert built.dtype == PROBLEM
    assert built.to_list() == [finding(code, stage="s", field="f", **{n: values[n] for n in mixed})] * 2
    fixed = {name: value or "-" for name, value in values.items()}
    literal = frame.select(p=problem(code, stage="s", field="f", **fixed), n=pl.col("at"))["p"]
    assert literal.to_list() == [finding(code, stage="s", field="f", **fixed)] * 2


@pytest.mark.parametrize("code", KINDS)
def test_every_problem_can_be_said_in_both_languages(code: str) -> None:
    kind = KINDS[code]
    found = finding(code, stage="s", field="f", **dict.fromkeys(slots(code), "样例"))
    assert kind.severity in ("info", "warn", "wait", "block")
    assert sentence(found, "en").startswith(found["message"])
    assert sentence(found, "zh") != sentence(found, "en")
    assert kind.sentence in sentences("zh")
    assert not kind.advice or kind.advice in sentences("zh")


def test_numbers_may_be_parameters() -> None:
    frame = pl.DataFrame({"n": [1, None]})
    built = frame.select(p=problem("weight_unknown", stage="s", skus=pl.col("n")))["p"].to_list()
    assert [p["message"] for p in built] == ["the weight of 1 is unknown", "the weight of ? is unknown"]
    assert [p["params"] for p in built] == [
        [{"name": "skus", "value": "1"}],
        [{"name": "skus", "value": None}],
    ]


def test_what_the_table_does_not_know_is_a_bug() -> None:
    with pytest.raises(KeyError):
        problem("nonsense", stage="s")
    with pytest.raises(KeyError):
        problem("weight_unknown", stage="s")
    with pytest.raises(ValueError, match="substring"):
        finding("weight_unknown", stage="s", skus="x", more="y")


def test_a_stage_replaces_its_own_problems_only() -> None:
    mine, other = finding("no_lines", stage="mine"), finding("not_paid", stage="other")
    frame = pl.concat(
        [empty("order/1"), pl.DataFrame({"problems": [[mine, other], [other], []], "n": [1, None, 3]})],
        how="diagonal",
    )
    rules = [
        (pl.col("n") > 2, problem("refund_open", stage="mine", lines=pl.lit("1"))),
        (pl.col("n") > 9, problem("no_lines", stage="mine")),
    ]
    once = frame.with_columns(replace_problems("mine", rules))
    assert [[p["code"] for p in row] for row in once["problems"]] == [
        ["not_paid"],
        ["not_paid"],
        ["refund_open"],
    ]
    assert once.with_columns(replace_problems("mine", rules)).equals(once)
    none = once.with_columns(replace_problems("mine", []))
    assert [[p["code"] for p in row] for row in none["problems"]] == [["not_paid"], ["not_paid"], []]
    assert once.select(has_severity("wait")).to_series().to_list() == [True, True, False]


def test_a_code_of_a_later_version_is_shown_as_it_came() -> None:
    strange = {"code": "of tomorrow", "message": "a\x1b[2Jb", "params": []}
    assert sentence(strange, "zh") == "a\\x1b[2Jb"
