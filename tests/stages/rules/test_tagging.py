"""A rule that adds a tag lets the next be asked; what a routing tagged, the next one tags anew."""

from __future__ import annotations

from polars.testing import assert_frame_equal

from orderctl.model.facts import Facts
from orderctl.stages.explain import explain
from orderctl.stages.route import route
from orderctl.stages.rules.parse import parse
from tests.stages.test_route import NOW, batch, routed, shipment

RULES = """
tags:
  - {name: heavy, when: {weight_g: {gt: 200}}, add: heavy}
  - {name: care, when: {tags: heavy}, add: [care, slow], stop: STOP}
  - {name: every, add: every}
couriers:
  - {name: careful, when: {tags: {all: [heavy, care]}}, use: SF}
  - {name: rest, use: YTO}
"""
FALLING, STOPPING = RULES.replace("STOP", "false"), RULES.replace("STOP", "true")


def test_every_tag_rule_adds_and_the_next_see_it() -> None:
    (row,) = routed(shipment(), book=parse(FALLING))
    assert (row["tags"], row["courier"]) == (["heavy", "care", "slow", "every"], "SF")
    steps = [(s["rule"], s["outcome"]) for s in row["decision"] if s["step"] == "tag"]
    assert steps == [("heavy", "heavy"), ("care", "care"), ("care", "slow"), ("every", "every")]


def test_stop_ends_it_only_where_it_matches() -> None:
    one, two = routed(shipment(), shipment("b", weight_g=100), book=parse(STOPPING))
    assert (one["tags"], two["tags"]) == (["heavy", "care", "slow"], ["every"])
    assert two["courier"] == "YTO"


def test_a_second_routing_is_the_first_and_takes_back_what_no_longer_holds() -> None:
    frame = batch(shipment(tags=["vip", "slow"]), shipment("b", weight_g=None))
    once = route(frame, parse(FALLING), Facts(), NOW)
    assert once["tags"].to_list() == [["vip", "slow", "heavy", "care", "every"], ["every"]]
    assert_frame_equal(route(once, parse(FALLING), Facts(), NOW), once)
    bare = route(once, parse(FALLING[FALLING.index("couriers") :]), Facts(), NOW)
    assert bare["tags"].to_list() == [["vip", "slow"], []], "what was there before is left"


def test_explain_shows_the_tag_rules_as_they_were_asked() -> None:
    told = explain(batch(shipment()).to_dicts()[0], parse(STOPPING), Facts(), NOW)
    (step,) = [s for s in told.steps if s.step == "tag"]
    assert step.outcome == "heavy, care, slow"
    assert [(r.rule, r.verdict) for r in step.looked] == [("heavy", "match"), ("care", "match")]
    again = explain(
        route(batch(shipment()), parse(STOPPING), Facts(), NOW).to_dicts()[0], parse(STOPPING), Facts(), NOW
    )
    assert again.render() == told.render()
