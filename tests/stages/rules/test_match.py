from __future__ import annotations

from random import Random
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from pydantic import BaseModel

from orderctl.stages.conditions import match
from orderctl.stages.conditions import words as word_hits
from orderctl.stages.conditions.match import first_match
from orderctl.stages.conditions.tree import Condition
from orderctl.stages.rules.sections.warehouses import WhenMerged
from tests.stages.rules import generated, naive


class _When(BaseModel):
    when: WhenMerged


def parsed(conditions: list[dict[str, Any] | None]) -> list[Condition | None]:
    return [_When(when=c).when for c in conditions]


def answers(rows: list[dict[str, Any]], conditions: list[dict[str, Any] | None]) -> pl.DataFrame:
    return first_match(generated.facts(rows), parsed(conditions))


def random_case(seed: int, rules: int, rows: int) -> tuple[list[dict[str, Any]], list[dict[str, Any] | None]]:
    random = Random(seed)
    conditions: list[dict[str, Any] | None] = [generated.condition(random) for _ in range(rules)]
    return [generated.row(random) for _ in range(rows)], conditions


@pytest.mark.parametrize("seed", range(30))
def test_single_conditions_have_the_truth_of_the_naive_evaluator(seed: int) -> None:
    rows, conditions = random_case(seed, 12, 40)
    for condition in conditions:
        found = answers(rows, [condition])
        expected = [naive.first_match([condition], row) for row in rows]
        assert list(zip(found["fired"], found["doubted"], strict=True)) == expected, condition


@pytest.mark.parametrize(("seed", "rules"), [(s, n) for s in range(5) for n in (3, 20, 21, 50)])
def test_blocks_answer_as_the_naive_evaluator(seed: int, rules: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Conditions are made narrow, so that many rows reach the later blocks."""
    monkeypatch.setattr(match, "BLOCK", 20)
    rows, conditions = random_case(seed, rules, 120)
    narrow = [{"all": [c, {"sku": "TS-BLK-L", "weight_g": {"gte": 1000}}]} for c in conditions]
    found = answers(rows, [*narrow, None])
    expected = [naive.first_match([*narrow, None], row) for row in rows]
    assert list(zip(found["fired"], found["doubted"], strict=True)) == expected


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("fact", ["note", "tags", "sku", "street"])
def test_words_of_many_rules_are_found_as_each_by_itself(seed: int, fact: str) -> None:
    random = Random(seed)
    rows = [generated.row(random) for _ in range(60)]
    said = [text for row in rows for text in _texts(row.get(fact)) if text]
    parts = [text[i : i + random.randint(1, 3)] for text in said for i in range(len(text))]
    words = sorted({*parts, *(part.upper() for part in parts)}) or ["x"]
    conditions: list[dict[str, Any] | None] = [
        {
            "all": [
                {fact: {random.choice(["any", "none"]): random.choices(words, k=random.randint(1, 3))}},
                {"quantity": {"gte": n % 4}},
            ]
        }
        for n in range(word_hits.FROM + 6)
    ]
    found = answers(rows, conditions)
    assert list(zip(found["fired"], found["doubted"], strict=True)) == [
        naive.first_match(conditions, row) for row in rows
    ]


def _texts(value: Any) -> list[str | None]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("seed", range(10))
def test_a_rule_appended_below_changes_nothing_already_matched(seed: int) -> None:
    rows, conditions = random_case(seed, 30, 80)
    before, after = answers(rows, conditions[:-1]), answers(rows, conditions)
    matched = before["fired"].is_not_null()
    assert_frame_equal(before.filter(matched), after.filter(matched))


@pytest.mark.parametrize("seed", range(6))
def test_any_division_of_the_rows_gives_the_same(seed: int) -> None:
    rows, conditions = random_case(seed, 70, 60)
    table, rules = generated.facts(rows), parsed(conditions)
    whole = first_match(table, rules)
    cut = Random(seed).randrange(1, len(rows))
    parts = [first_match(table[:cut], rules), first_match(table[cut:], rules)]
    assert_frame_equal(whole, pl.concat(parts))


def test_no_rules_and_no_rows() -> None:
    rows, conditions = random_case(1, 3, 5)
    assert answers(rows, [])["fired"].to_list() == [None] * 5
    assert answers([], conditions).height == 0
    assert answers(rows, [None])["fired"].to_list() == [0] * 5
