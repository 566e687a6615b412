"""What a courier does not take is never taken, and the next of the rule's couriers is."""

from __future__ import annotations

from random import Random
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from orderctl.model.errors import ConfigError
from orderctl.model.facts import Facts
from orderctl.stages.conditions.places import written_as
from orderctl.stages.explain import explain
from orderctl.stages.route import route
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.parse import parse
from tests.stages.test_route import NOW, batch, codes, committed, pinned, routed, shipment, trail

USE = (
    "couriers: [{name: all, use: {courier: YTO, account: y}, otherwise: [{courier: ZTO, account: z}, EMS]}]\n"
)


def book(*entries: str, rules: str = USE, section: str = "not_served") -> RuleBook:
    return parse(rules + section + ":\n" + "\n".join(f"  - {{{entry}}}" for entry in entries))


def chosen(row: dict[str, Any], *entries: str, rules: str = USE) -> tuple[str | None, str]:
    (found,) = routed(row, book=book(*entries, rules=rules))
    return found["courier"], trail(found)["courier"][2]


def test_the_next_of_the_rule_is_taken_with_its_own_account_and_the_trail_says_why() -> None:
    (row,) = routed(shipment(), book=book("courier: YTO, province: 浙江, why: closed for the fair"))
    assert (row["courier"], row["account"]) == ("ZTO", "z")
    (step,) = [s for s in row["decision"] if s["step"] == "courier"]
    assert step["reason"] == "fallback"
    params = {p["name"]: p["value"] for p in step["params"]}
    assert params["not_served"] == "YTO: closed for the fair (rules.yaml:3:5)"
    assert "not_served" not in codes(row)


def test_where_none_delivers_the_shipment_is_blocked_with_the_reasons() -> None:
    (row,) = routed(shipment(), book=book(*(f"courier: {c}, city: 杭州" for c in ("YTO", "ZTO", "EMS"))))
    assert (row["courier"], row["account"], row["freight_minor"]) == (None, None, None)
    (problem,) = [p for p in row["problems"] if p["code"] == "not_served"]
    assert problem["severity"] == "block"
    assert [c in problem["message"] for c in ("YTO: 杭州", "ZTO: 杭州", "EMS: 杭州")] == [True] * 3
    assert "no_courier" not in codes(row), "a rule did match"


@pytest.mark.parametrize(
    ("entry", "holds"),
    [
        ("province: 浙江省", True),
        ("province: 浙江, city: 杭州", True),
        ("province: 江苏, city: 杭州", False),
        ("city: 杭州市, district: 西湖", True),
        ("district: 西湖区", True),
        ("district: 西湖县", False),
        ("keyword: 样例路", True),
        ("keyword: 部队", False),
        ("province: 浙江, keyword: 1号", True),
        ("trait: liquid", True),
        ("trait: battery", False),
        ("trait: liquid, province: 新疆", False),
        ("province: 浙江, from: 2026-11-24", True),
        ("province: 浙江, from: 2026-11-25", False),
        ("province: 浙江, until: 2026-11-24", True),
        ("province: 浙江, until: 2026-11-23", False),
        ("from: 2026-11-20, until: 2026-11-30", True),
        ("service: 特快, province: 浙江", False),
    ],
)
def test_everything_an_entry_names_must_hold(entry: str, holds: bool) -> None:
    line = {"line_ref": "1", "sku": "A", "quantity": 1, "goods_traits": ["liquid", "fragile"]}
    row = shipment(recipient={"district": "西湖区"}, lines=[line])
    assert chosen(row, f"courier: YTO, {entry}") == (("ZTO", "fallback") if holds else ("YTO", "rule"))


def test_one_product_of_a_courier_may_not_deliver() -> None:
    rules = (
        "couriers: [{name: a, use: {courier: SF, service: 特快}, otherwise: {courier: SF, service: 标快}}]\n"
    )
    (row,) = routed(shipment(), book=book("courier: SF, service: 特快, province: 浙江", rules=rules))
    assert (row["courier"], row["service"]) == ("SF", "标快")


def test_what_is_not_told_of_a_place_refuses_nothing() -> None:
    row = shipment(recipient={"province": None, "city": None, "district": None, "street": None})
    assert chosen(row, "courier: YTO, keyword: 样例", "courier: YTO, district: 西湖") == ("YTO", "rule")


def test_a_pin_is_kept_but_blocked_and_a_committed_parcel_goes_on() -> None:
    refusing = book("courier: YTO, province: 浙江")
    (row,) = routed(shipment(), book=refusing, facts=pinned(("S-a", {"courier": "YTO"}, NOW)))
    assert (row["courier"], "not_served" in codes(row)) == ("YTO", True)
    (row,) = routed(shipment(), book=refusing, facts=committed(courier="YTO", warehouse="hz"))
    assert (row["courier"], "not_served" in codes(row)) == ("YTO", False)


def test_a_table_is_read_and_its_mistakes_are_placed() -> None:
    def read(_: str) -> pl.DataFrame:
        rows = {
            "快递": ["YTO", "YTO"],
            "省": ["西藏", "浙江"],
            "备注": ["", "x"],
            "截止日期": ["", day],
            "_line": [2, 3],
        }
        return pl.DataFrame(rows)

    day = "2026-12-01"
    (row,) = routed(shipment(), book=parse(USE + "not_served: [{file: remote.csv}]", tables=read))
    assert row["courier"] == "ZTO"
    (step,) = [s for s in row["decision"] if s["step"] == "courier"]
    assert {"name": "not_served", "value": "YTO: 浙江 (remote.csv:3)"} in step["params"]
    day = "soon"
    with pytest.raises(ConfigError, match=r"remote.csv:3:4: expected a day"):
        parse(USE + "not_served: [{file: remote.csv}]", tables=read)


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ("province: 浙江", "which courier"),
        ("courier: YTO", "never be taken"),
        ("courier: YTO, provnce: 浙江", "did you mean 'province'"),
        ("courier: YTO, city: 杭州, from: 2026-12-01, until: 2026-11-01", "ends before it begins"),
        ("file: a.csv, courier: YTO", "stands alone"),
    ],
)
def test_mistakes_have_their_place(entry: str, wrong: str) -> None:
    with pytest.raises(ConfigError, match=rf"rules.yaml:3:\d+: .*{wrong}"):
        book(entry)


def test_notices_are_shown_while_they_last_and_change_nothing() -> None:
    entries = ("courier: SF, province: 浙江, penalty: 2, until: 2026-12-01, why: fog at the airport",
               "province: 西藏, why: snow", "why: old, until: 2026-11-01", "city: 杭州, why: fair")  # fmt: skip
    noticed = book(*entries, section="notices")
    row = batch(shipment())
    assert_frame_equal(route(row, noticed, Facts(), NOW), route(row, parse(USE), Facts(), NOW))
    told = explain(row.to_dicts()[0], noticed, Facts(), NOW)
    assert [str(line) for line in told.notices] == [
        "SF: fog at the airport, penalty 2 (rules.yaml:3:5)",
        "*: fair (rules.yaml:6:5)",
    ]
    assert "快递通知：\n  SF：fog at the airport，影响 2（rules.yaml:3:5）" in told.render("zh")


def test_explain_names_the_couriers_passed_over() -> None:
    found = explain(batch(shipment()).to_dicts()[0], book("courier: YTO, province: 浙江"), Facts(), NOW)
    assert "  does not deliver there: YTO: 浙江 (rules.yaml:3:5)" in found.render()
    assert "courier: ZTO, by a rule, the first of its couriers that delivers there" in found.render()


PROVINCES = ["浙江省", "新疆", "西藏自治区", None]
DISTRICTS = ["西湖区", "西湖", "伊宁市", "伊宁县", None]
STREETS = ["样例路1号", "样例团场2队", None]


@pytest.mark.parametrize("seed", range(12))
def test_one_courier_at_most_and_never_one_that_does_not_deliver(seed: int) -> None:
    """Against a loop over the entries in plain Python."""
    random = Random(seed)
    table = []
    for _ in range(random.randint(1, 12)):
        entry = {"courier": random.choice(["YTO", "ZTO", "EMS"])}
        for name, values in (
            ("province", PROVINCES),
            ("district", DISTRICTS),
            ("keyword", ["团场", "样例路"]),
        ):
            if random.random() < 0.5 and (value := random.choice(values)):
                entry[name] = value
        if len(entry) > 1:
            table.append(entry)
    if not table:
        return
    places = [
        {"province": random.choice(PROVINCES), "city": None, "district": random.choice(DISTRICTS), "street": random.choice(STREETS)}
        for _ in range(40)
    ]  # fmt: skip
    refusing = book(*(", ".join(f"{k}: {v}" for k, v in entry.items()) for entry in table))
    rows = routed(*(shipment(str(n), recipient=to) for n, to in enumerate(places)), book=refusing)
    for to, row in zip(places, rows, strict=True):
        refused = {e["courier"] for e in table if _holds(e, to)}
        left = [c for c in ("YTO", "ZTO", "EMS") if c not in refused]
        assert row["courier"] == (left[0] if left else None), (to, table)
        assert ("not_served" in codes(row)) == (not left)


def _holds(entry: dict[str, str], to: dict[str, str | None]) -> bool:
    def same(name: str) -> bool:
        wanted, given = entry.get(name), to[name]
        if wanted is None:
            return True
        if given is None:
            return False
        if name == "province":
            return wanted[:2] == given[:2]
        return wanted in (given, given[:-1]) or given == wanted[:-1]

    return same("province") and same("district") and entry.get("keyword", "") in (to["street"] or "")


def test_names_of_districts() -> None:
    assert "西湖区" in written_as("district", "西湖")
    assert written_as("district", "伊宁县") == ("伊宁县", "伊宁")
    assert written_as("district", "城区")[0] == "城区"
    assert "城" not in written_as("district", "城区")


@pytest.mark.parametrize(
    ("rule", "given", "matches"),
    [
        ("西湖", "西湖区", True),
        ("西湖区", "西湖", True),
        ("伊宁县", "伊宁市", False),
        ("[伊宁, 城区]", "伊宁县", True),
    ],
)
def test_a_rule_asks_for_a_district_by_its_short_or_full_name(rule: str, given: str, matches: bool) -> None:
    rules = f"couriers: [{{name: a, when: {{district: {rule}}}, use: A}}, {{name: b, when: {{district: {{ne: {rule}}}}}, use: B}}]"
    if rule.startswith("["):
        rules = rules.replace("ne:", "not_in:")
    (row,) = routed(shipment(recipient={"district": given}), book=parse(rules))
    assert row["courier"] == ("A" if matches else "B")
