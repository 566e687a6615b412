"""What is said to be impossible is impossible: against rows, and by cases that must and must not be found."""

from __future__ import annotations

from random import Random
from typing import Any

import polars as pl
import pytest
import yaml

from orderctl.stages.checking.worlds import covering, impossible
from orderctl.stages.conditions.compiled import predicate
from orderctl.stages.conditions.tree import All, Condition
from orderctl.stages.rules.parse import parse
from tests.stages.rules.generated import condition, facts, row


def read(*written: dict[str, Any] | str) -> list[Condition]:
    rules = [
        {"name": str(n), "use": "X", "when": yaml.safe_load(w) if isinstance(w, str) else w}
        for n, w in enumerate(written)
    ]
    return [rule.when or All(()) for rule in parse(yaml.safe_dump({"couriers": rules})).rules.couriers]


def holds(frame: pl.DataFrame, wanted: Condition) -> pl.Series:
    return frame.select(predicate(wanted).fill_null(False).alias("found")).to_series()


@pytest.mark.parametrize("seed", range(40))
def test_no_row_does_what_is_said_to_be_impossible(seed: int) -> None:
    random = Random(seed)
    frame = facts([row(random) for _ in range(400)])
    for _ in range(12):
        few = [condition(random, depth=random.choice([0, 1, 2])) for _ in range(4)]
        first, *others = read(*few)
        if impossible(first):
            assert not holds(frame, first).any(), few[0]
        if impossible(first, others[:1]):
            assert not (holds(frame, first) & ~holds(frame, others[0])).any(), few[:2]
        places = covering(first, others)
        if places is not None:
            uncovered = holds(frame, first)
            for place in places:
                uncovered &= ~holds(frame, others[place])
            assert not uncovered.any(), few


NEVER = [
    "{weight_g: {gt: 1000, lt: 1001}}",
    "{weight_g: {gt: 1000}, all: [{weight_g: {lte: 1000}}]}",
    "{weight_g: {between: [10, 5]}}",
    "{weight_g: {missing: true, gt: 1}}",
    "{hour: 25}",
    "{hour: {missing: true}}",
    "{weekday: {gt: 7}}",
    "{collect_minor: {missing: true}}",
    "{country: CN, not: {country: [CN, US]}}",
    "{all: [{country: CN}, {country: US}]}",
    "{all: [{province: 浙江}, {province: 江苏省}]}",
    "{all: [{city: 杭州}, {not: {city: 杭州市}}]}",
    "{country: {in: [CN, US], not_in: [US, CN]}}",
    "{street: {starts_with: 样例, none: [例]}}",
    "{all: [{street: {starts_with: 样}}, {street: {starts_with: 例}}]}",
    "{tags: {any: [vip], missing: true}}",
    "{all: [{sku: TS-BLK-L}, {sku: {none: [BLK]}}]}",
    "{placed_at: {gt: 2026-11-30, lt: 2026-11-01}}",
    "{placed_at: {eq: 2026-11-11, gt: '2026-11-11T23:59:59+08:00'}}",
    "{any_line: {quantity: {gt: 3, lt: 2}}}",
    "{any_line: {sku: A}, all_lines: {sku: {ne: A}}}",
    "{any: [{weight_g: {gt: 5, lt: 5}}, {hour: {lt: 0}}]}",
    "{expr: \"weight_g > 1\", not: {expr: \"weight_g > 1\"}}",
    "{sum_lines: {of: quantity, gt: 5, lt: 6}}",
]  # fmt: skip
PERHAPS = [
    "{weight_g: {gt: 1000, lte: 1001}}",
    "{weight_g: {missing: true}}",
    "{hour: 23, weekday: 7}",
    "{all: [{sku: A}, {sku: B}]}",
    "{all: [{note: {any: [SF]}}, {note: {none: [YTO]}}]}",
    "{all: [{province: 浙江}, {province: 浙江省}]}",
    "{street: {starts_with: 样例, ends_with: 号}}",
    "{street: {pattern: '^a', none: [b]}}",
    "{all: [{street: {starts_with: 样}}, {street: {starts_with: 样例}}]}",
    "{tags: {missing: true}, note: {none: [x]}}",
    "{placed_at: {eq: 2026-11-11, gte: '2026-11-11T12:00:00+08:00'}}",
    "{not: {weight_g: {gt: 5}}, weight_g: {lt: 6}}",
    "{any_line: {sku: A}, all_lines: {sku: {in: [A, B]}}}",
    "{all: [{any_line: {sku: A}}, {any_line: {sku: {ne: A}}}]}",
    "{all_lines: {quantity: {gt: 3, lt: 2}}}",
    "{expr: \"weight_g > 1\", not: {expr: \"weight_g > 2\"}}",
    "{not: {any: [{country: CN}, {country: US}]}}",
]  # fmt: skip


@pytest.mark.parametrize("written", NEVER)
def test_contradictions_are_proved(written: str) -> None:
    assert impossible(*read(written))


@pytest.mark.parametrize("written", PERHAPS)
def test_what_may_be_is_let_alone(written: str) -> None:
    assert not impossible(*read(written))


IMPLIED = [
    ("{weight_g: {lte: 500}}", "{weight_g: {lte: 1000}}"),
    ("{weight_g: {between: [2, 5]}}", "{weight_g: {gt: 1}}"),
    ("{weight_g: 5}", "{weight_g: {missing: false}}"),
    ("{country: CN, weight_g: 1}", "{country: [CN, HK]}"),
    ("{country: {not_in: [CN, HK]}}", "{country: {ne: CN}}"),
    ("{province: 新疆}", "{province: [新疆维吾尔自治区, 西藏]}"),
    ("{tags: {all: [vip, express]}}", "{tags: {any: [vip, other]}}"),
    ("{note: {any: [发顺丰]}}", "{note: {any: [顺丰, SF]}}"),
    ("{street: 样例路1号}", "{street: {pattern: '[0-9]号$'}}"),
    ("{street: {starts_with: 样例路}}", "{street: {contains: 样例}}"),
    ("{any_line: {sku: A, quantity: {gt: 3}}}", "{any_line: {quantity: {gt: 2}}}"),
    ("{all_lines: {sku: A}}", "{all_lines: {sku: [A, B]}}"),
    ("{sum_lines: {of: quantity, gte: 3}}", "{sum_lines: {of: quantity, gt: 2}}"),
    ("{placed_at: 2026-11-11}", "{placed_at: {between: [2026-11-01, 2026-11-30]}}"),
    ("{all: [{country: CN}, {hour: {lt: 9}}]}", "{any: [{hour: {lt: 10}}, {country: US}]}"),
    ("{not: {any: [{country: CN}, {weight_g: {gt: 5}}]}}", "{weight_g: {lte: 5}}"),
]
NOT_IMPLIED = [
    ("{weight_g: {lte: 1001}}", "{weight_g: {lte: 1000}}"),
    ("{country: CN}", "{country: CN, weight_g: {gte: 0}}"),
    ("{country: {ne: CN}}", "{country: US}"),
    ("{country: CN}", "{not: {weight_g: {gt: 5}}}"),
    ("{tags: {any: [vip]}}", "{tags: {all: [vip, express]}}"),
    ("{note: {any: [顺丰]}}", "{note: {any: [发顺丰]}}"),
    ("{note: {none: [发顺丰]}}", "{note: {none: [顺丰]}}"),
    ("{any_line: {sku: A}}", "{all_lines: {sku: A}}"),
    ("{all_lines: {sku: A}}", "{any_line: {sku: A}}"),
    ("{sku: A}", "{not: {sku: B}}"),
    ("{street: {pattern: a}}", "{street: {pattern: '[ab]'}}"),
]


@pytest.mark.parametrize(("wanted", "other"), IMPLIED)
def test_what_follows_is_proved(wanted: str, other: str) -> None:
    first, second = read(wanted, other)
    assert impossible(first, [second])
    assert covering(first, [*read("{country: ZZ}"), second]) == [1]


@pytest.mark.parametrize(("wanted", "other"), NOT_IMPLIED)
def test_what_does_not_follow_is_let_alone(wanted: str, other: str) -> None:
    first, second = read(wanted, other)
    assert not impossible(first, [second])


def test_several_together_may_cover_what_none_does_alone() -> None:
    wanted, light, heavy, other = read(
        "{weight_g: {missing: false}, country: CN}",
        "{weight_g: {lte: 1000}}",
        "{weight_g: {gt: 1000}}",
        "{country: US}",
    )
    assert covering(wanted, [light, other, heavy]) == [0, 2]
    (loose,) = read("{country: CN}")
    assert covering(loose, [light, heavy]) is None  # a weight may be missing
    day, morning, evening = read("{country: CN}", "{hour: {lt: 12}}", "{hour: {gte: 12}}")
    assert covering(day, [morning, evening]) == [0, 1]  # an hour cannot


def test_values_that_cannot_come_make_a_condition_impossible() -> None:
    (wanted,) = read("{warehouse: nj}")
    assert not impossible(wanted)
    assert impossible(wanted, domains={"warehouse": frozenset({"hz", "la"})})
    assert not impossible(*read("{not: {warehouse: nj}}"), domains={"warehouse": frozenset({"hz"})})
    assert not impossible(*read("{warehouse: {missing: true}}"), domains={"warehouse": frozenset({"hz"})})


def test_a_question_too_large_is_not_answered() -> None:
    parts = [
        {"any": [{"weight_g": {"gt": n}}, {"sku": f"S{n}"}, {"note": {"any": [f"w{n}"]}}]} for n in range(40)
    ]
    wanted, *others = read({"all": parts}, *({"all": parts[:n]} for n in range(30, 40)))
    assert not impossible(wanted)
    covering(wanted, others)
