"""What lint finds, and what it must not find: a finding is true, and what it names could be left out."""

from __future__ import annotations

from random import Random

import polars as pl
import pytest
import yaml

from orderctl.model.text import sentences
from orderctl.stages.checking.lint import Lint, lint
from orderctl.stages.conditions.match import first_match
from orderctl.stages.rules.book import Tables
from orderctl.stages.rules.parse import parse
from tests.stages.rules.generated import condition, facts, row


def found(text: str) -> list[Lint]:
    return lint(parse(text))


def codes(text: str) -> list[str]:
    return [one.code for one in found(text)]


@pytest.mark.parametrize("seed", range(15))
def test_what_is_found_could_be_left_out(seed: int) -> None:
    random = Random(seed)
    frame = facts([row(random) for _ in range(300)])
    rules = [{"name": f"r{n}", "use": "X", "when": condition(random, depth=1)} for n in range(14)]
    rules += [{**random.choice(rules), "name": f"again{n}"} for n in range(3)]
    random.shuffle(rules)
    book = parse(yaml.safe_dump({"couriers": rules}))
    useless = {
        str(one.text.params["name"]) for one in lint(book) if one.code in ("contradiction", "shadowed")
    }
    assert useless
    kept = [rule for rule in book.rules.couriers if rule.name not in useless]
    names = pl.Series([rule.name for rule in book.rules.couriers])
    whole = first_match(frame, [rule.when for rule in book.rules.couriers])["fired"]
    fewer = first_match(frame, [rule.when for rule in kept])["fired"]
    assert names.gather(whole).to_list() == pl.Series([rule.name for rule in kept]).gather(fewer).to_list()


def test_a_condition_that_can_never_be_true() -> None:
    (one,) = found("holds: [{name: odd, when: {weight_g: {gt: 5000}, not: {weight_g: {gt: 1000}}}}]")
    assert (one.code, one.severity, one.place) == ("contradiction", "error", "rules.yaml:1:27")
    assert str(one.text) == "the condition of 'odd' can never be true"
    assert codes("cards: [{name: odd, text: x, when: {country: CN, all: [{country: US}]}}]") == [
        "contradiction"
    ]
    catalogue = "skus: {catalogue: [{sku: A}]}\n"
    gift = "gifts: [{name: g, give: [{sku: A}], when: {total_minor: {gt: 5, lt: 6}}}]"
    assert codes(catalogue + gift) == ["contradiction"]


def test_one_contradiction_is_one_finding_and_shadows_nothing() -> None:
    text = "couriers: [{name: never, use: X, when: {hour: 24}}, {name: b, use: Y, when: {country: CN}}, {name: c, use: X}]"
    assert codes(text) == ["contradiction"]


def test_a_rule_below_several_that_cover_it_together() -> None:
    (one,) = found("""
couriers:
  - {name: morning, use: X, when: {hour: {lt: 12}}}
  - {name: heavy, use: X, when: {weight_g: {gt: 9000}}}
  - {name: later, use: X, when: {hour: {gte: 12}}}
  - {name: rest, use: Y}
""")
    assert (
        str(one.text)
        == "'rest' can never match: of the rules 'morning', 'later' above it one always matches first"
    )


def test_a_missing_value_keeps_a_gap_open() -> None:
    text = """
couriers:
  - {name: light, use: X, when: {weight_g: {lte: 1000}}}
  - {name: heavy, use: X, when: {weight_g: {gt: 1000}}}
  - {name: rest, use: Y%s}
"""
    assert codes(text % "") == []
    assert codes(text % ", when: {weight_g: {missing: true}}") == []  # and nothing is left over at the end
    assert codes(text % ", when: {weight_g: {missing: false}}") == ["shadowed", "no_last_rule"]


def test_what_no_rule_leads_to() -> None:
    warehouses = "warehouses: [{name: all, use: hz}]\n"
    (one,) = found(warehouses + "couriers: [{name: nj, use: X, when: {warehouse: nj}}, {name: rest, use: X}]")
    assert (one.code, one.severity) == ("unreachable", "warning")
    assert (
        codes(warehouses + "couriers: [{name: hz, use: X, when: {warehouse: hz}}, {name: rest, use: X}]")
        == []
    )
    couriers = "couriers: [{name: a, use: {courier: SF, template: 100x150}}, {name: b, use: ZTO}]\n".replace(
        "{courier: SF, template: 100x150}}", "{courier: SF, template: 100x150}, when: {country: CN}}"
    )
    named = "templates: [{name: sf, use: 100x150, when: {courier: SF}}, {name: rest, use: 76x130}]"
    assert codes(couriers + named) == ["unreachable"]
    assert codes(couriers + named.replace("courier: SF", "courier: ZTO")) == []
    assert codes(couriers + "holds: [{name: sf, when: {courier: SF}}]") == []
    assert codes(couriers + "holds: [{name: sf, when: {service: slow}}]") == ["unreachable"]


def test_a_courier_that_steps_in_is_led_to() -> None:
    text = """
couriers: [{name: all, use: ZTO, otherwise: [EMS]}]
templates: [{name: ems, use: 100x150, when: {courier: EMS}}, {name: rest, use: 76x130}]
tariffs:
  - {id: z, courier: ZTO, zones: [{id: a, countries: [CN], first_weight_kg: 1, first_price: 1}]}
  - {id: e, courier: EMS, zones: [{id: a, countries: [CN], first_weight_kg: 1, first_price: 1}]}
not_served: [{courier: ZTO, province: 西藏}]
"""
    assert codes(text) == []


def test_gifts_below_one_that_always_gives_first() -> None:
    text = """
skus: {catalogue: [{sku: A}]}
gifts:
  - {name: dear, group: g, give: [{sku: A}], when: {total_minor: {gte: 10000}}%s}
  - {name: dearer, group: g, give: [{sku: A}], when: {total_minor: {gte: 20000}}}
"""
    assert codes(text % "") == ["shadowed"]
    assert codes(text % ", quota: 5") == []


def test_tables_that_are_read_for_nothing() -> None:
    stock = pl.DataFrame({"sku": ["A"], "available": ["1"], "line": [2]})
    text = "stock: stock.csv\nskus: {catalogue: [{sku: A}]}\ngifts: [{name: g, give: [{sku: A}]%s}]"
    (one,) = lint(parse(text % "", tables=lambda _: stock))
    assert (one.code, one.place) == ("table_unused", "rules.yaml:1:8")
    assert lint(parse(text % ", stock_floor: 0", tables=lambda _: stock)) == []
    assert Tables().stock == {}


def test_every_sentence_is_there_in_chinese() -> None:
    said = found("""
warehouses: [{name: all, use: hz}]
couriers:
  - {name: never, use: X, when: {hour: 24}}
  - {name: nj, use: X, when: {warehouse: nj}}
  - {name: a, use: X, when: {hour: {lt: 5}}}
  - {name: b, use: X, when: {hour: {gte: 5}}}
  - {name: c, use: X}
""")
    assert {one.code for one in said} == {"contradiction", "unreachable", "shadowed"}
    assert all(one.text.template in sentences("zh") for one in said)
