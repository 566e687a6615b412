"""What lint finds in tags, chains of couriers, entries and places; whatever it finds could be left out."""

from __future__ import annotations

from random import Random
from typing import Any

import polars as pl
import pytest
import yaml

from orderctl.model.text import sentences
from orderctl.stages.checking.lint import lint
from orderctl.stages.choosing.reach import hits
from orderctl.stages.choosing.tagging import tagged
from orderctl.stages.conditions.compiled import predicate
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.parse import parse
from tests.stages.rules.generated import condition, facts, row

NOW = "2026-11-24T02:00:00Z"
PLACES: dict[str, list[str]] = {
    "province": ["浙江", "浙江省", "新疆"],
    "city": ["杭州", "杭州市", "伊犁"],
    "district": ["西湖", "西湖区", "余杭区", "伊宁市", "伊宁县"],
    "keyword": ["团", "团场", "样例"],
    "trait": ["liquid", "battery"],
    "service": ["fast", "slow"],
}
DAYS = ["2026-11-20", "2026-11-24", "2026-11-28"]


def found(text: str, now: str | None = NOW) -> list[tuple[str, str]]:
    return [(one.code, str(one.text)) for one in lint(parse(text), now)]


def entry(random: Random) -> dict[str, Any]:
    names = random.sample(list(PLACES), random.randint(1, 3))
    one: dict[str, Any] = {name: random.choice(PLACES[name]) for name in names}
    if random.random() < 0.3:
        one["from"] = random.choice(DAYS)
    if random.random() < 0.3:
        one["until"] = random.choice([day for day in DAYS if day >= one.get("from", "")])
    return {"courier": random.choice(["A", "B"]), **one}


def placed(random: Random) -> dict[str, Any]:
    return {
        **row(random),
        "province": random.choice(["浙江省", "新疆维吾尔自治区", None]),
        "city": random.choice(["杭州市", "伊犁哈萨克自治州", None]),
        "district": random.choice(["西湖区", "余杭区", "伊宁市", "伊宁县", None]),
        "street": random.choice(["样例路1号", "样例团场2队", "团结路", None]),
        "trait": random.sample(PLACES["trait"], random.randint(0, 2)),
    }


def frame_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    more = {
        name: [one.get(name) for one in rows] for name in ("province", "city", "district", "town", "street")
    }
    table = facts(rows)
    return table.with_columns(
        *(pl.Series(name, values, dtype=pl.String) for name, values in more.items()),
        now=pl.lit(NOW),
    )


def numbers(book: RuleBook, section: str, code: str) -> set[int]:
    at = {book.place(section, number): number for number in range(len(getattr(book.rules, section)))}
    return {at[one.place] for one in lint(book, NOW) if one.code == code and one.place in at}


@pytest.mark.parametrize("seed", range(6))
def test_entries_that_are_covered_or_over_could_be_left_out(seed: int) -> None:
    random = Random(seed)
    written = [entry(random) for _ in range(30)]
    book = parse(yaml.safe_dump({"couriers": [{"name": "a", "use": "A"}], "not_served": written}))
    idle = numbers(book, "not_served", "covered") | numbers(book, "not_served", "over")
    assert idle
    table = frame_of([placed(random) for _ in range(200)])
    moment = Moment(NOW, "Asia/Shanghai")
    said = ["row", "courier", "service"]
    whole = hits(table, book.tables.not_served, moment)
    kept = book.tables.not_served.with_row_index().filter(~pl.col("index").is_in(list(idle))).drop("index")
    fewer = hits(table, kept, moment)
    wide = whole.join(fewer, on=["row", "courier"], how="anti")
    assert wide.is_empty(), "where an entry held, a wider one of the same courier holds"
    products = whole.filter(pl.col("service").is_null()).select(said).unique()
    assert products.join(
        fewer.filter(pl.col("service").is_null()), on=["row", "courier"], how="anti"
    ).is_empty()


@pytest.mark.parametrize("seed", range(6))
def test_couriers_that_are_never_taken_could_be_left_out(seed: int) -> None:
    random = Random(seed)
    rules = [
        {
            "name": f"r{n}",
            "when": condition(random, depth=0),
            "use": {"courier": "A", "service": random.choice(["fast", "slow"])},
            "otherwise": [
                {"courier": "B"},
                {"courier": random.choice("AC"), "service": random.choice(["fast", "slow"])},
            ],
        }
        for n in range(12)
    ]
    book = parse(yaml.safe_dump({"couriers": rules, "not_served": [entry(random) for _ in range(3)]}))
    idle = {one.place for one in lint(book) if one.code == "fallback_unreachable"}
    table = frame_of([placed(random) for _ in range(200)])
    refused = hits(table, book.tables.not_served, Moment(NOW, "Asia/Shanghai"))
    for number, rule in enumerate(book.rules.couriers):
        left = set(table.filter(predicate(rule.when).fill_null(False))["row"])
        for at, use in enumerate(rule.chain):
            mine = refused.filter(pl.col("courier") == use.courier)
            no = set(
                mine.filter(pl.col("service").is_null() | pl.col("service").eq_missing(use.service))["row"]
            )
            if book.place("couriers", number, "otherwise", at - 1) in idle and at:
                assert not left - no, rule
            left &= no
    assert idle


@pytest.mark.parametrize("seed", range(8))
def test_tag_rules_that_do_nothing_could_be_left_out(seed: int) -> None:
    random = Random(seed)
    rules = [
        {
            "name": f"r{n}",
            "when": condition(random, depth=0),
            "add": random.choice("xyz"),
            "stop": random.random() < 0.3,
        }
        for n in range(12)
    ]
    rules += [{**random.choice(rules), "name": f"again{n}"} for n in range(3)]
    random.shuffle(rules)
    book = parse(yaml.safe_dump({"tags": rules}))
    useless = {
        str(one.text.params["name"]) for one in lint(book) if one.code in ("shadowed", "contradiction")
    }
    assert useless
    table = facts([row(random) for _ in range(200)])
    kept = [rule for rule in book.rules.tags if rule.name not in useless]
    assert tagged(table, kept)[0]["tags"].to_list() == tagged(table, book.rules.tags)[0]["tags"].to_list()


def test_a_tag_rule_without_stop_shadows_nothing() -> None:
    text = "tags: [{name: a, when: {country: CN}, add: x%s}, {name: b, when: {country: CN}, add: y}]"
    assert found(text % "") == []
    assert found(text % ", stop: true") == [("shadowed", "'b' is never asked: 'a' above it stops first")]


def test_a_condition_on_tags_may_have_become_true_meanwhile() -> None:
    text = """tags:
    - {name: old, when: {tags: x}, add: z, stop: true}
    - {name: adds, when: {country: CN}, add: x}
    - {name: new, when: {tags: x}, add: y}"""
    assert found(text) == []


def test_couriers_that_step_in() -> None:
    text = "couriers: [{name: a, use: ZTO, otherwise: %s}]\nnot_served: [{courier: ZTO, province: 西藏}%s]"
    assert found(text % ("YTO", "")) == []
    never = "'a': EMS is never asked: nothing says where those before it do not deliver"
    assert found(text % ("[YTO, EMS]", "")) == [("fallback_unreachable", never)]
    too = "'a': YTO is never taken: where those before it do not deliver, it does not either"
    assert found(text % ("YTO", ", {courier: YTO, province: 西藏自治区}")) == [("fallback_unreachable", too)]
    assert found(text % ("[ZTO]", "")) == [("fallback_unreachable", "'a': ZTO stands there twice")]


def test_a_courier_whose_room_is_limited_may_be_refused_anywhere() -> None:
    text = "couriers: [{name: a, use: ZTO, otherwise: YTO}]\nlimits: [{courier: %s, parcels: 5}]"
    assert found(text % "ZTO") == []
    assert [code for code, _ in found(text % "STO")] == ["fallback_unreachable", "entry_unused"]
    closed = "couriers: [{name: a, use: ZTO, otherwise: YTO}]\nlimits: [{courier: ZTO, closed: [7]}]"
    assert [code for code, _ in found(closed)] == ["fallback_unreachable"]


def test_places_that_are_none_and_their_nearest() -> None:
    text = "couriers: [{name: a, use: ZTO}]\nnot_served: [{courier: ZTO, %s}]"
    cases = {
        "province: 新彊": "there is no province 新彊 in the division table (did you mean '新疆'?)",
        "city: 义乌": "there is no city 义乌 in the division table: it is a district of 金华",
        "city: 恩施": "there is no city 恩施 in the division table (did you mean '恩施土家族苗族自治州'?)",
        "province: 浙江, city: 南京": "南京 is not in 浙江: no shipment is there",
        "city: 杭州市, district: 鼓楼": "鼓楼 is not in 杭州市: no shipment is there",
    }
    for written, said in cases.items():
        assert [text for _, text in found(text % written)] == [said]
    for fine in (
        "city: 仙桃",
        "city: 成都, district: 郫县",
        "province: 新疆, city: 伊犁哈萨克自治州",
        "town: 样例镇",
    ):
        assert found(text % fine) == []
    asked = "holds: [{name: h, when: {district: 西胡, not: {province: [California, 四川]}}}]"
    assert [code for code, _ in found(asked)] == ["place_unknown"]
    assert found("holds: [{name: h, when: {country: US, province: 加州}}]") == []
    assert len(found("holds: [{name: h, when: {country: CN, province: 加州}}]")) == 1


def test_what_is_over_is_found_only_with_a_time() -> None:
    text = """couriers: [{name: a, when: {now: {lt: 2026-11-01}}, use: ZTO}, {name: b, use: ZTO}]
notices: [{courier: ZTO, until: 2026-11-23, why: fog}, {courier: ZTO, until: 2026-11-24, why: rain}]"""
    assert found(text, None) == []
    over = [
        ("over", "this entry of ZTO is over since 2026-11-23"),
        ("over", "'a' is over: it never matches again"),
    ]
    assert found(text) == over


def test_a_courier_that_no_rule_uses_and_a_paper_that_is_none() -> None:
    text = (
        "couriers: [{name: a, use: {courier: ZTO, template: big}}]\nnot_served: [{courier: ZT0, city: 杭州}]"
    )
    assert found(text) == [
        ("entry_unused", "no courier rule uses ZT0 (1 entries) (did you mean 'ZTO'?)"),
        ("template_missing", "unknown paper size big; write it as 76x130, a5 or a4"),
    ]


def test_it_is_said_in_chinese_too() -> None:
    text = "couriers: [{name: a, use: ZTO}]\nnot_served: [{courier: ZTO, province: 新彊}]"
    known = sentences("zh")
    assert all(one.text.template in known for one in lint(parse(text)))
