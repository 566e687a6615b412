from __future__ import annotations

from pathlib import Path

import yaml

from orderctl.model.text import sentences
from orderctl.stages.checking.lint import lint, run_tests
from orderctl.stages.conditions.facts import FACTS, LINE_FACTS
from orderctl.stages.conditions.tree import COMBINERS, OPERATORS, Comparison, Lines, Sql, Sum, atoms
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.parse import parse
from orderctl.stages.rules.reference import render_reference

EXAMPLE = Path(__file__).parents[3] / "rules.example.yaml"


def example() -> RuleBook:
    return parse(EXAMPLE.read_text("utf-8"), EXAMPLE.name)


def test_the_example_keeps_its_own_promises() -> None:
    found = run_tests(example())
    assert len(found) >= 10
    assert [(r.name, dict(r.differs), r.place) for r in found if not r.passed] == []


def test_the_example_is_linted_clean() -> None:
    assert [(found.place, str(found.text)) for found in lint(example())] == []


def _words(tree: object) -> set[str]:
    if isinstance(tree, dict):
        return set(tree) | {w for inner in tree.values() for w in _words(inner)}
    return {w for inner in tree for w in _words(inner)} if isinstance(tree, list) else set()


def test_every_operator_stands_in_the_example() -> None:
    conditions = [
        rule.when
        for s in ("warehouses", "couriers", "templates", "holds")
        for rule in getattr(example().rules, s)
        if rule.when
    ]
    found = {a.op for c in conditions for a in atoms(c) if isinstance(a, Comparison)}
    found |= {
        t.op
        for c in conditions
        for a in atoms(c)
        if isinstance(a, Lines)
        for t in atoms(a.part)
        if isinstance(t, Comparison)
    }
    found |= {t.op for c in conditions for a in atoms(c) if isinstance(a, Sum) for t in a.tests}
    assert found == set(OPERATORS)
    assert any(isinstance(a, Sql) for c in conditions for a in atoms(c))
    assert set(COMBINERS) <= _words(yaml.safe_load(EXAMPLE.read_text("utf-8")))


def test_the_reference_names_every_fact_operator_and_field() -> None:
    for language in ("en", "zh"):
        text = render_reference(language)
        for name in [
            *FACTS,
            *LINE_FACTS,
            *OPERATORS,
            *COMBINERS,
            "volumetric_divisor",
            "max_orders",
            "phone_required",
        ]:
            assert f"| `{name}` |" in text, name
    assert "Annotated" not in render_reference()


def test_an_example_that_is_not_kept_says_what_came_instead() -> None:
    book = parse("""
couriers: [{name: all, use: ZTO}]
tests: [{name: wrong, given: {}, expect: {courier: SF, freight_minor: null, rule: all}}]
""")
    (found,) = run_tests(book)
    assert (found.passed, found.differs, found.place) == (False, {"courier": ("SF", "ZTO")}, "rules.yaml:3:9")
    assert str(found.text) == "rules.yaml:3:9: 'wrong': courier should be SF, is ZTO"
    assert found.text.render("zh") == "rules.yaml:3:9：“wrong”：courier 应为 SF，实为 ZTO"


def test_an_example_knows_no_other_time_than_its_own() -> None:
    book = parse("""
couriers: [{name: late, use: SF, when: {hour: {gte: 18}, weekday: 3}}, {name: all, use: ZTO}]
tests:
  - {name: late, given: {now: "2026-11-11T10:00:00Z"}, expect: {courier: SF}}
  - {name: early, given: {now: "2026-11-11T09:59:59Z"}, expect: {courier: ZTO, doubted: null}}
  - {name: no time, given: {}, expect: {courier: ZTO, doubted: late}}
""")
    assert all(found.passed for found in run_tests(book))


def codes(text: str) -> list[str]:
    return [found.code for found in lint(parse(text))]


def test_lint_finds_names_used_twice_and_rules_nothing_can_reach() -> None:
    assert codes("couriers: [{name: a, use: X, when: {country: CN}}, {name: a, use: X}]") == ["name_twice"]
    assert codes("couriers: [{name: a, use: X}, {name: b, use: X, when: {country: CN}}]") == ["shadowed"]
    assert codes(
        "couriers: [{name: a, use: X, when: {country: [CN, HK]}}, {name: b, use: Y, when: {country: CN, weight_g: 1}}, {name: c, use: X}]"
    ) == ["shadowed"]
    assert (
        codes(
            "couriers: [{name: a, use: X, when: {country: CN, weight_g: 1}}, {name: b, use: Y, when: {country: CN}}, {name: c, use: X}]"
        )
        == []
    )


def test_lint_finds_tariffs_that_are_missing_or_unused() -> None:
    zone = "zones: [{id: z, provinces: [浙江], first_weight_kg: 1, first_price: 1}]"
    text = f"""
couriers: [{{name: a, use: {{courier: X, tariff: gone}}, when: {{country: CN}}}}, {{name: b, use: Y}}]
tariffs: [{{id: t, courier: Z, {zone}}}]
"""
    assert codes(text) == ["tariff_missing", "courier_without_tariff", "tariff_unused"]
    twice = zone.replace("]}", "]}").replace(
        "}]", "}, {id: y, provinces: [浙江], first_weight_kg: 1, first_price: 1}]"
    )
    assert codes(f"couriers: [{{name: a, use: Z}}]\ntariffs: [{{id: t, courier: Z, {twice}}}]") == [
        "zone_unreachable"
    ]


def test_lint_warns_of_a_section_without_a_last_rule() -> None:
    assert codes("couriers: [{name: a, use: X, when: {country: CN}}]") == ["no_last_rule"]


def test_everything_lint_says_is_said_in_chinese_too() -> None:
    known = sentences("zh")
    for text in ("couriers: [{name: a, use: X}, {name: a, use: X, when: {country: CN}}]",):
        assert all(found.text.template in known for found in lint(parse(text)))
