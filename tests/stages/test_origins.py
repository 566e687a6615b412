"""Where what an order says comes from: entries with file and line, rules for notes, corrections, the joining."""

from __future__ import annotations

from typing import Any

import polars as pl

from orderctl.model.facts import DECISIONS, Facts
from orderctl.model.text import Locale
from orderctl.stages.explaining.origins import Origins, origins
from orderctl.stages.merge import MergeRules, merge
from orderctl.stages.normalize import normalize
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.parse import parse
from tests.stages.samples import line, order, orders

NOW = "2026-11-24T00:00:00Z"
RULES = """\
skus:
  catalogue: [{sku: MUG}, {sku: SOCK}, {sku: TEA}, {sku: CODE}]
  cut: [{field: merchant_code, pattern: "^X-"}]
  map:
    - {match: {title: {pattern: 杯}}, sku: MUG}
    - {file: skus.csv}
  bundles: [{sku: SET, parts: [{sku: TEA}, {sku: MUG}]}]
notes:
  wishes:
    - {wish: gift, words: [送人]}
    - {wish: courier, value: SF, words: [顺丰]}
"""
TABLE = """\
sku,pieces,merchant_code,title,spec
,,open,,
SOCK,2,,袜,两双
SET,,SET-1,,
SOCK,,OLD,,
"""


def book_of(rules: str = RULES) -> RuleBook:
    table = pl.read_csv(TABLE.encode(), infer_schema=False)
    return parse(rules, "rules.yaml", lambda _: table, lambda _: "")


def told(*rows: dict[str, Any], said: list[tuple[str, ...]] | None = None) -> Origins:
    book = book_of()
    facts = Facts(decisions=pl.DataFrame(said or [], schema=DECISIONS, orient="row"))
    found = normalize(orders(*rows), book.normalize, facts, NOW)
    (row, *_) = merge(found, MergeRules(), facts, NOW).to_dicts()
    return origins(row, book, facts)


def bare(ref: str, **fields: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("sku", "merchant_code", "platform_sku", "item_ref", "title", "spec"))
    return line(line_ref=ref, **{**empty, **fields})


def test_each_sku_names_the_entry_or_code_or_person_that_gave_it() -> None:
    lines = [
        bare("1", title="蓝杯"),
        bare("2", merchant_code="OLD"),
        bare("3", merchant_code="X-OLD"),
        bare("4", merchant_code="CODE"),
        bare("5", merchant_code="nobody"),
        bare("6", sku="OWN"),
        bare("7", title="袜", spec="一双"),
    ]
    said = [("shopify:main:1/7", "sku", '{"sku": "TEA"}', "swapped", "me", NOW)]
    assert [str(one) for one in told(order("1", lines=lines), said=said).lines] == [
        "MUG x 1, by rules.yaml:5:7: 蓝杯",
        "SOCK x 1, by skus.csv:5: 2",
        "SOCK x 1, by skus.csv:5, what skus.cut cuts out left away: 3",
        "CODE x 1, by its merchant code CODE: 4",
        "- x 1, nothing says what it is: 5",
        "OWN x 1, told by the source: 6",
        "TEA x 1, decided by a person for shopify:main:1/7 (swapped): 袜 | 一双",
    ]


def test_parts_of_packs_and_bundles_name_the_entry_that_took_them_apart() -> None:
    lines = [bare("1", title="袜", spec="两双"), bare("2", merchant_code="SET-1", title="礼盒")]
    assert [str(one).split(": ")[0] for one in told(order("1", lines=lines)).lines] == [
        "SOCK x 2, part of SOCK * 2, by skus.csv:3",
        "TEA x 1, part of SET * 1, by skus.csv:4",
        "MUG x 1, part of SET * 1, by skus.csv:4",
    ]


def test_a_batch_that_is_older_than_the_rules_is_told() -> None:
    old = normalize(
        orders(order("1", lines=[bare("1", merchant_code="OLD")])), book_of().normalize, Facts(), NOW
    )
    (row,) = merge(old, MergeRules(), Facts(), NOW).to_dicts()
    newer = book_of(RULES.replace("- {file: skus.csv}", "- {match: {merchant_code: OLD}, sku: TEA}"))
    (one,) = origins(row, newer, Facts()).lines
    assert str(one) == "SOCK x 1, rules.yaml:6:7 says TEA now: normalize it again: 1"


def test_wishes_name_their_words_and_their_rule() -> None:
    found = told(order("1", lines=[bare("1", merchant_code="CODE")], buyer_note="送人的，发顺丰 13800000001"))
    said = [str(one) for one in found.wishes]
    assert sorted(one.partition(",")[0] for one in said) == ["courier SF", "gift"]
    assert [one[-19:] for one in sorted(said)] == ["(rules.yaml:11:7)", "(rules.yaml:10:7)"] or all(
        "rules.yaml:1" in one for one in said
    )
    assert "13800000001" not in "".join(said)


def test_the_joining_is_told_in_words_of_the_reader() -> None:
    rows = [order(ref, lines=[bare("1", merchant_code="CODE")]) for ref in "12"]
    (one,) = told(*rows).joined
    assert one.render("en") == "joined, the same recipient: shopify:main:1, shopify:main:2"
    assert one.render("zh") == "已合并，收件人相同：shopify:main:1, shopify:main:2"


def test_corrections_of_the_address_are_told_without_the_address() -> None:
    recipient = {"province": None, "city": "杭州市", "district": "余杭区", "street": "样例路1号"}
    found = told(order("1", recipient=recipient, lines=[bare("1", merchant_code="CODE")]))
    assert "浙江省" in "".join(map(str, found.address))
    assert "样例路" not in "".join(map(str, found.address))


def test_every_heading_and_sentence_is_there_in_both_languages() -> None:
    found = told(order("1", lines=[bare("1", merchant_code="CODE")], buyer_note="发顺丰"))
    locales: list[Locale] = ["en", "zh"]
    english, chinese = ([one.render(locale) for one in found.parts()] for locale in locales)
    assert english[0] == "lines:"
    assert chinese[0] == "明细："
    assert all(a != b for a, b in zip(english, chinese, strict=True))
