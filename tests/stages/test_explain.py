from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

import orderctl
from orderctl.model.facts import Facts
from orderctl.model.text import sentences
from orderctl.model.zh.rules import SENTENCES
from orderctl.stages.committed import write_trail
from orderctl.stages.explain import Explanation, explain
from orderctl.stages.route import route
from orderctl.stages.rules.parse import parse
from tests.stages.test_route import EXAMPLE, NOW, RULES, batch, committed, many, pinned, shipment


def explained(row: dict[str, Any], rules: str = RULES, facts: Facts | None = None) -> Explanation:
    return explain(batch(row).to_dicts()[0], parse(rules), facts or Facts(), NOW)


def looked(found: Explanation, step: str) -> list[tuple[str, str, str | None]]:
    (one,) = [s for s in found.steps if s.step == step]
    return [(r.rule, r.verdict, str(r.because) if r.because else None) for r in one.looked]


def test_every_rule_looked_at_says_what_kept_it_from_matching() -> None:
    assert looked(explained(shipment()), "courier") == [
        ("far", "no", "province is 浙江省, the rule wants province in 新疆"),
        ("two", "no", "merge_orders is 1, the rule wants merge_orders gte 2"),
        ("near", "match", None),
    ]


def test_an_unknown_fact_is_named() -> None:
    found = explained(shipment(recipient={"province": "新疆"}, weight_g=None))
    assert looked(found, "courier")[0] == (
        "far",
        "unknown",
        "weight_g is missing, the rule wants weight_g lte 3000",
    )
    assert [p.code for p in found.problems] == ["no_courier", "weight_unknown", "fact_missing"]
    assert found.problems[0].advice is not None


@pytest.mark.parametrize(
    ("when", "because"),
    [
        ("{not: {country: CN}}", "country is CN, the rule wants not country eq CN"),
        ("{any: [{country: US}, {weight_g: {gt: 500}}]}", "country is CN, the rule wants country eq US"),
        ("{country: CN, all: [{weight_g: {gt: 1}}, {weight_g: {gt: 500}}]}", "weight_g is 210, the rule wants weight_g gt 500"),
        ("{any_line: {sku: {starts_with: CUP}}}", "its lines do not fit: the rule wants any_line sku starts_with CUP"),
        ("{sum_lines: {of: quantity, where: {sku: A}, gte: 2}}", "its lines do not fit: the rule wants sum of quantity where sku eq A gte 2"),
        ("{expr: 'weight_g > 5000'}", "weight_g=210, the rule wants weight_g > 5000"),
        ("{note: {any: [SF]}}", "note is [], the rule wants note any SF"),
    ],
)  # fmt: skip
def test_the_first_condition_that_failed_is_told(when: str, because: str) -> None:
    found = explained(shipment(), f"couriers: [{{name: a, use: X, when: {when}}}]")
    assert looked(found, "courier") == [("a", "no", because)]


def test_a_pin_needs_no_rule() -> None:
    found = explained(shipment(), facts=pinned(("S-a", {"courier": "SF"}, NOW)))
    (step,) = [s for s in found.steps if s.step == "courier"]
    assert (step.outcome, step.reason, step.looked) == ("SF", "pinned", ())


def test_what_was_decided_when_a_shipment_was_bound_is_told_as_history() -> None:
    was = route(batch(shipment()), parse(RULES), Facts(), NOW).row(0, named=True)
    facts = committed(courier="YTO", warehouse="hz", account="yto", issuer="k", trail=write_trail(was))
    found = explained(shipment(), "couriers: [{name: new, use: ZTO}]", facts)
    (step,) = [s for s in found.steps if s.step == "courier"]
    assert (step.outcome, step.reason, step.then, step.looked) == ("YTO", "committed", "near", ())
    assert "courier: YTO, committed already, by the rule 'near'" in found.render()


def test_the_price_is_worked_out_line_by_line() -> None:
    rules = """
couriers: [{name: all, use: YTO}]
tariffs:
  - id: yto
    courier: YTO
    volumetric_divisor: 8000
    zones: [{id: Z1, provinces: [浙江], first_weight_kg: 1, first_price: 3, step_price: 1}]
    surcharges: {label_fee: 0.30, fuel_percent: 1.5, insurance: {rate_percent: 0.5, min_fee: 1}}
    discount_percent: 10
"""
    row = shipment(length_mm=300, width_mm=300, height_mm=200, insured_minor=10_000)
    found = explained(row, rules)
    assert [str(line) for line in found.price] == [
        "parcel 1: weighs 0.21 kg, volumetric 2.25 kg, billed 3 kg",
        "zone Z1: 5.00 CNY",
        "discount 10 %: -0.50",
        "fuel 1.5 %: +0.075",
        "label: +0.30",
        "insurance: +1.00",
        "total, rounded half up to 0.01: 5.88",
    ]


def test_what_a_bound_shipment_costs_stays_as_it_was() -> None:
    rules = """
couriers: [{name: all, use: YTO}]
tariffs: [{id: yto, courier: YTO, zones: [{id: Z1, provinces: [浙江], first_weight_kg: 1, first_price: PRICE}]}]
"""
    was = route(batch(shipment()), parse(rules.replace("PRICE", "3")), Facts(), NOW).row(0, named=True)
    facts = committed(courier="YTO", trail=write_trail(was))
    dearer = explained(shipment(), rules.replace("PRICE", "4"), facts)
    assert [str(line) for line in dearer.price][-2:] == [
        "total, rounded half up to 0.01: 4.00",
        "it stays as it was when the number was bought: 3.00",
    ]
    same = explained(shipment(), rules.replace("PRICE", "3"), facts)
    assert str(same.price[-1]) == "total, rounded half up to 0.01: 3.00"


def test_an_explanation_tells_what_route_decides() -> None:
    book = parse(EXAMPLE.read_text("utf-8"))
    frame = many(3, 25)
    routed = route(frame, book, Facts(), NOW).to_dicts()
    for given, row in zip(frame.to_dicts(), routed, strict=True):
        found = explain(given, book, Facts(), NOW)
        trail = {s["step"]: s for s in row["decision"]}
        steps = {s.step: s for s in found.steps}
        for name in ("warehouse", "courier", "template", "hold"):
            matched = [r.rule for r in steps[name].looked if r.verdict == "match"]
            rule = trail[name]["rule"] if name in trail else None
            assert matched == ([rule] if rule else [])
            doubted = [r.rule for r in steps[name].looked if r.verdict == "unknown"]
            said = [
                p["value"] for p in trail.get(name, {"params": []})["params"] if p["name"] == "passed_over"
            ]
            assert doubted[:1] == said or name not in trail
        assert [p.code for p in found.problems] == [p["code"] for p in row["problems"]]


def test_it_is_plain_data_too() -> None:
    told = explained(shipment(recipient={"province": "新疆"}, weight_g=None)).to_json()
    assert json.loads(json.dumps(told)) == told
    (courier,) = [s for s in told["steps"] if s["step"] == "courier"]
    assert courier["looked"][0]["verdict"] == "unknown"
    assert [p["code"] for p in told["problems"]] == ["no_courier", "weight_unknown", "fact_missing"]


def test_it_reads_in_both_languages() -> None:
    found = explained(shipment(note="先别发"))
    english, chinese = found.render("en"), found.render("zh")
    assert "courier: YTO, by a rule" in english
    assert "快递：YTO（按规则）" in chinese
    assert len(english.splitlines()) == len(chinese.splitlines())


FILES = ("model/yamlfile.py", "stages/route.py", "stages/explain.py")
FOLDERS = ("explaining", "rules", "conditions", "checking")


def test_every_sentence_has_a_chinese_one_with_the_same_slots() -> None:
    root = Path(orderctl.__path__[0])
    files = [
        *(root / name for name in FILES),
        *(f for n in FOLDERS for f in (root / "stages" / n).rglob("*.py")),
    ]
    templates = {
        node.args[0].value
        for file in files
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "Text"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    worded = {t for t in templates if re.sub(r"\{\w+\}|\W", "", t)}
    assert worded - set(sentences("zh")) == set()
    for english, chinese in SENTENCES.items():
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", chinese)), english
