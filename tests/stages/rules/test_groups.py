"""A group of rules is each of its rules with the group's condition as well."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import yaml

from orderctl.model.errors import ConfigError
from orderctl.stages.checking.lint import lint, run_tests
from orderctl.stages.conditions.match import first_match
from orderctl.stages.rules.book import GROUPED
from orderctl.stages.rules.parse import parse
from tests.stages.rules.generated import condition, facts, row

RULES = """
warehouses: [{name: south, when: {province: 广东}, use: gz}, {name: rest, use: hz}]
couriers:
  - {name: far, when: {province: 西藏}, use: EMS}
  - group: Canton
    when: {warehouse: gz}
    rules:
      - {name: light, when: {weight_g: {lte: 1000}}, use: JT}
      - {name: light too, when: {weight_g: {lte: 900}}, use: JT}
  - {name: rest, use: ZTO}
tests:
  - {name: in it, given: {province: 广东, weight_g: 500}, expect: {courier: JT, rule: Canton / light}}
  - {name: none of it takes this, given: {province: 广东, weight_g: 5000}, expect: {courier: ZTO, rule: rest}}
  - {name: not in it, given: {province: 浙江, weight_g: 500}, expect: {courier: ZTO}}
"""


def mistake(text: str) -> str:
    with pytest.raises(ConfigError) as found:
        parse(text)
    return str(found.value)


def test_what_no_rule_of_a_group_takes_is_asked_by_the_rules_below() -> None:
    book = parse(RULES)
    assert [rule.name for rule in book.rules.couriers] == [
        "far",
        "Canton / light",
        "Canton / light too",
        "rest",
    ]
    assert [str(one.text) for one in run_tests(book) if not one.passed] == []


def test_findings_keep_their_place() -> None:
    book = parse(RULES)
    places = [book.place("couriers", number) for number in range(4)]
    assert places == ["rules.yaml:4:5", "rules.yaml:8:9", "rules.yaml:9:9", "rules.yaml:10:5"]
    (one,) = lint(book)
    assert one.render().startswith("rules.yaml:9:9: 'Canton / light too' can never match")


def test_mistakes_keep_their_place_and_the_nearest_word() -> None:
    assert "rules.yaml:9:34: unknown fact 'wieght_g' (did you mean 'weight_g'?)" in mistake(
        RULES.replace("weight_g: {lte: 900}", "wieght_g: {lte: 900}")
    )
    assert "unknown field 'usse' (did you mean 'use'?)" in mistake(RULES.replace("900}}, use", "900}}, usse"))
    assert "rules.yaml:6:12: unknown fact 'warehous'" in mistake(
        RULES.replace("when: {warehouse", "when: {warehous")
    )
    assert "unknown field 'ruls' (did you mean 'rules'?)" in mistake(RULES.replace("rules:\n", "ruls:\n"))
    assert "the fact 'courier' is not known yet" in mistake(RULES.replace("{warehouse: gz}", "{courier: JT}"))


@pytest.mark.parametrize("seed", range(4))
def test_a_group_is_its_rules_written_out(seed: int) -> None:
    random = Random(seed)
    table = facts([row(random) for _ in range(150)])
    grouped: list[dict[str, Any]] = []
    written: list[dict[str, Any]] = []
    for number in range(5):
        shared = condition(random, depth=1) if random.random() < 0.8 else None
        own = [condition(random, depth=0) if random.random() < 0.8 else None for _ in range(3)]
        rules = [{"name": f"r{n}", "use": "X", **({"when": one} if one else {})} for n, one in enumerate(own)]
        grouped.append({"group": f"g{number}", "rules": rules, **({"when": shared} if shared else {})})
        for rule, one in zip(rules, own, strict=True):
            both = [part for part in (shared, one) if part]
            whole = {"when": {"all": both}} if both else {}
            written.append({"name": f"g{number} / {rule['name']}", "use": "X", **whole})
    one = parse(yaml.safe_dump({"couriers": grouped})).rules.couriers
    other = parse(yaml.safe_dump({"couriers": written})).rules.couriers
    assert [rule.name for rule in one] == [rule.name for rule in other]
    assert first_match(table, [r.when for r in one]).equals(first_match(table, [r.when for r in other]))


@pytest.mark.parametrize("section", GROUPED)
def test_every_section_of_routing_has_groups(section: str) -> None:
    does = {"tags": "add: x", "holds": "why: x", "templates": "use: 76x130"}.get(section, "use: x")
    text = f"{section}: [{{group: g, when: {{country: CN}}, rules: [{{name: a, {does}}}]}}]"
    (rule,) = getattr(parse(text).rules, section)
    assert rule.name == "g / a"
    assert rule.when is not None
    assert "must not be empty" in mistake(f"{section}: [{{group: g, rules: []}}]")
