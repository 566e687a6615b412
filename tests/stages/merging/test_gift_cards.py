"""Which words go on cards, how they are filled in, and that they stay as they were once the waybill is bought."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from orderctl.model.errors import ConfigError
from orderctl.model.facts import Facts
from orderctl.stages.explain import explain
from orderctl.stages.merge import MergeRules, merge
from orderctl.stages.merging.versions import take_apart
from orderctl.stages.rules.book import RuleBook
from tests.stages.merging.test_gifts import NOW, book, committing, normalized
from tests.stages.samples import order


def read(cards: str, gifts: str = "  []") -> RuleBook:
    return book(gifts + "\ncards:\n" + cards)


def merged(
    cards: str, *rows: dict[str, Any], facts: Facts | None = None, gifts: str = "  []"
) -> list[dict[str, Any]]:
    rules = read(cards, gifts)
    return merge(normalized(*rows), MergeRules(), facts or Facts(), NOW, rules.gifts, rules.cards).to_dicts()


def wishing(text: str | None, *, avoid: bool = False, source: str = "option") -> dict[str, Any]:
    return {"kind": "card", "value": text, "avoid": avoid, "source": source, "evidence": text or "卡片"}


def cards_of(row: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(card["rule"], card["text"], card["order_id"]) for card in row["cards"]]


def steps(row: dict[str, Any]) -> list[tuple[str, str | None, str, dict[str, str]]]:
    return [
        (s["rule"], s["outcome"], s["reason"], {p["name"]: p["value"] for p in s["params"]})
        for s in row["decision"]
        if s["step"] == "card"
    ]


WISH = '  - { name: asked, text: "{wish}" }\n'


def test_each_order_that_asks_for_a_card_gets_one_with_its_words() -> None:
    rows = merged(
        WISH,
        order("1", wishes=[wishing("祝你顺顺利利")]),
        order("2", wishes=[wishing("生日快乐")], placed_at="2026-11-02T00:00:00Z"),
        order("3", wishes=[wishing("不要", avoid=True)], placed_at="2026-11-03T00:00:00Z"),
    )
    assert [cards_of(row) for row in rows] == [
        [("asked", "祝你顺顺利利", "shopify:main:1"), ("asked", "生日快乐", "shopify:main:2")]
    ]
    assert steps(rows[0]) == [("asked", "2", "rule", {})]
    assert [(cards_of(row), steps(row)) for row in merged(WISH, order("1"))] == [([], [])]
    assert cards_of(merged(WISH, order("1", wishes=[wishing(None)]))[0]) == []


def test_placeholders_are_filled_once_and_brackets_stay() -> None:
    cards = """
  - name: thanks
    when: { total_minor: { gte: 100 } }
    text: |
      {name}：{{谢谢}}
      {orders} / {shop} / {gifts}
  - { name: asked, text: "「{wish}」" }
"""
    hostile = wishing('{name} #eval("x") \u202e{orders}')
    row = merged(
        cards, order("1", wishes=[hostile]), gifts="  - { name: g, give: [{ sku: SOCKS, quantity: 2 }] }"
    )[0]
    assert cards_of(row) == [
        ("thanks", "测试甲：{谢谢}\n1 / main / 白袜 ×2\n", None),
        ("asked", '「{name} #eval("x") \u202e{orders}」', "shopify:main:1"),
    ]
    assert [s["step"] for s in row["decision"]] == ["gift", "card", "card"]


def test_what_is_not_known_is_never_printed() -> None:
    masked = {"privacy": "masked", "name": "测*"}
    cards = '  - { name: a, text: "{name}, {gifts}" }\n  - { name: b, when: { ship_by_hours_left: { lt: 3 } }, text: hi }'
    row = merged(cards, order("1", recipient=masked))[0]
    assert (cards_of(row), steps(row)) == ([], [
        ("a", None, "unknown_fact", {"facts": "name, gifts"}),
        ("b", None, "unknown_fact", {"facts": "ship_by_hours_left"}),
    ])  # fmt: skip


def test_cards_stay_as_they_were_when_the_waybill_was_bought() -> None:
    asked = order("1", wishes=[wishing("祝好")])
    before = merged(WISH, asked)[0]
    assert cards_of(before) == [("asked", "祝好", "shopify:main:1")]
    facts = committing(before)
    again = merged("  - { name: other, text: hello }", order("1", wishes=[wishing("改了")]), facts=facts)[0]
    assert (again["cards"], again["decision"]) == (before["cards"], before["decision"])
    trail = json.loads(facts.commitments["trail"][0])
    del trail["cards"]  # written before there were cards
    older = Facts(commitments=facts.commitments.with_columns(trail=pl.lit(json.dumps(trail))))
    assert merged(WISH, asked, facts=older)[0]["cards"] == []


def test_cards_change_no_order_and_merging_again_is_merging_once() -> None:
    rules = read(WISH + "  - { name: all, text: hi }", "  - { name: g, give: [{ sku: SOCKS }] }")
    batch = normalized(order("1", wishes=[wishing("祝好")]), order("2"), order("3", status="closed"))
    once = merge(batch, MergeRules(), Facts(), NOW, rules.gifts, rules.cards)
    assert_frame_equal(merge(once, MergeRules(), Facts(), NOW, rules.gifts, rules.cards), once)
    assert_frame_equal(take_apart(once).sort("order_id"), batch.sort("order_id"))
    assert merge(once, MergeRules(), Facts(), NOW)["cards"].list.len().sum() == 0


@pytest.mark.parametrize(
    ("card", "mistake"),
    [
        ('{ name: a, text: "{whish}" }', "11:22: 'whish' is none of wish, name, orders, shop, gifts (did you mean 'wish'?)"),
        ('{ name: a, text: "{name!r}" }', "11:22: 'name' is none of"),
        ('{ name: a, text: "{name" }', "11:22: a bracket is open"),
        ('{ name: a, text: "" }', "11:22: must not be empty"),
        ("{ name: a, when: { warehouse: hz }, text: hi }", "11:24: the fact 'warehouse' is not known yet"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_their_place(card: str, mistake: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(f"  - {card}\n")
    assert mistake in str(caught.value)


def test_explain_tells_of_cards() -> None:
    rules = read(
        WISH
        + '  - { name: dear, when: { total_minor: { gte: 99900 } }, text: hi }\n  - { name: b, text: "{gifts}" }'
    )
    asked = normalized(order("1", wishes=[wishing("祝好")]))
    row = merge(asked, MergeRules(), Facts(), NOW, rules.gifts, rules.cards).to_dicts()[0]
    told = explain(row, rules, Facts(), NOW).render().split("\n")
    at = told.index("card: 1, by a rule")
    assert told[at + 1 : at + 4] == [
        "  match   asked (rules.yaml:11:5): cards: 1",
        "  no      dear (rules.yaml:12:5): total_minor is 1000, the rule wants total_minor gte 99900",
        "  unknown b (rules.yaml:13:5): gifts is missing",
    ]
