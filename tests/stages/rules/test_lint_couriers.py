"""What lint finds in ranked couriers, their days and room, waves and allocation; whatever it finds could be left out."""

from __future__ import annotations

from random import Random
from typing import Any

import polars as pl
import pytest
import yaml

from orderctl.model.text import sentences
from orderctl.stages.checking.lint import lint
from orderctl.stages.checking.timetable import GONE
from orderctl.stages.choosing.timetable import with_limit, with_times
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.rules.parse import parse
from orderctl.stages.rules.sections.timetable import Limit
from orderctl.stages.waves.grouping import grouped
from tests.stages.rules.generated import condition, facts, row

NOW = "2026-11-24T02:00:00Z"
LATER = "2027-03-01T02:00:00Z"
DAYS = ["2026-11-10", "2026-11-20", "2026-11-24", "2026-11-28"]
TARIFFS = """
tariffs:
  - {id: a, courier: A, zones: [{id: x, countries: [CN], first_weight_kg: 1, first_price: 1}]}
  - {id: b, courier: B, zones: [{id: x, countries: [CN], first_weight_kg: 1, first_price: 1}]}
"""
RANKED = "couriers: [{name: r, use: [%s], rank: {price: 0, wish: 1}}]\n"


def found(text: str, now: str | None = NOW) -> list[tuple[str, str]]:
    return [(one.code, str(one.text)) for one in lint(parse(text), now)]


def places(text: str) -> list[str]:
    return [one.place for one in lint(parse(text), NOW)]


# ------------------------------------------------------------------------------------------ laws


def journey(random: Random) -> dict[str, Any]:
    names = {
        "service": random.choice(["fast", "slow"]),
        "warehouse": random.choice(["hz", "gz"]),
        "province": random.choice(["浙江", "广东省"]),
        "city": random.choice(["杭州", "广州市"]),
    }
    told = random.sample(list(names), random.randint(0, 2))
    return {"courier": random.choice("AB"), **{name: names[name] for name in told}}


def between(random: Random) -> dict[str, str]:
    first, last = sorted(random.choices(DAYS, k=2))
    return {
        **({"from": first} if random.random() < 0.4 else {}),
        **({"until": last} if random.random() < 0.3 else {}),
    }


def journeys() -> pl.DataFrame:
    names: dict[str, list[str | None]] = {
        "courier": ["A", "B"],
        "service": [None, "fast", "slow"],
        "warehouse": ["hz", "gz"],
        "province": ["浙江省", "广东省"],
        "city": ["杭州市", "广州市", None],
        "account": [None, "a1", "a2"],
    }
    table = pl.DataFrame({"enough": [1, 30]}, schema={"enough": pl.Int64})
    for name, values in names.items():
        table = table.join(pl.DataFrame({name: values}, schema={name: pl.String}), how="cross")
    return table


USES = [
    {"courier": c, "service": s, "account": a} for c in "AB" for s in ("fast", "slow") for a in ("a1", "a2")
]


@pytest.mark.parametrize("seed", range(6))
def test_days_that_never_count_could_be_left_out(seed: int) -> None:
    random = Random(seed)
    transit = [{**journey(random), **between(random), "days": random.randint(1, 5)} for _ in range(60)]
    measured = [
        {
            **journey(random),
            "on": random.choice(DAYS[:3]),
            "parcels": random.choice([5, 30, 90]),
            **({"days": random.randint(1, 5)} if random.random() < 0.7 else {}),
            "exception_percent": random.randint(0, 3),
        }
        for _ in range(60)
    ]
    couriers = [{"name": f"r{n}", "use": use} for n, use in enumerate(USES)]
    whole = {"couriers": couriers, "transit": transit, "performance": measured}
    book = parse(yaml.safe_dump(whole))
    idle = {one.place: one.code for one in lint(book, NOW) if one.code in ("covered", "over")}
    assert set(idle.values()) == {"covered", "over"}
    kept = {
        section: [one for n, one in enumerate(whole[section]) if book.place(section, n) not in idle]
        for section in ("transit", "performance")
    }
    fewer = parse(yaml.safe_dump({"couriers": couriers, **kept}))
    for now in (NOW, "2026-11-26T02:00:00Z", LATER):  # what is over stays over
        moment = Moment(now, "Asia/Shanghai")
        assert with_times(journeys(), book, moment).equals(with_times(journeys(), fewer, moment))
    covered = [place for place, code in idle.items() if code == "covered"]
    always = {
        section: [one for n, one in enumerate(whole[section]) if book.place(section, n) not in covered]
        for section in ("transit", "performance")
    }
    lasting = parse(yaml.safe_dump({"couriers": couriers, **always}))
    for day in (None, "2026-11-12T02:00:00Z", "2026-11-22T02:00:00Z"):  # what is covered never counted
        moment = Moment(day, "Asia/Shanghai")
        assert with_times(journeys(), book, moment).equals(with_times(journeys(), lasting, moment))


@pytest.mark.parametrize("seed", range(6))
def test_limits_that_never_count_could_be_left_out(seed: int) -> None:
    random = Random(seed)
    written = [
        {
            "courier": random.choice("AB"),
            **({"account": random.choice(["a1", "a2"])} if random.random() < 0.5 else {}),
            **({"warehouse": "hz"} if random.random() < 0.5 else {}),
            **between(random),
            "parcels": n,
        }
        for n in range(40)
    ]
    couriers = [{"name": f"r{n}", "use": use} for n, use in enumerate(USES)]
    book = parse(yaml.safe_dump({"couriers": couriers, "limits": written}))
    idle = {one.place for one in lint(book, NOW) if one.code in ("covered", "over")}
    kept = [limit for n, limit in enumerate(book.rules.limits) if book.place("limits", n) not in idle]
    assert len(kept) < len(written)

    def room(limits: list[Limit], now: str) -> list[int | None]:
        held = with_limit(journeys(), limits, Moment(now, "Asia/Shanghai"))["limit"]
        return [None if n is None else limits[n].parcels for n in held]

    for now in (NOW, LATER):
        assert room(book.rules.limits, now) == room(kept, now)


@pytest.mark.parametrize("seed", range(8))
def test_rules_of_waves_that_are_found_take_nothing(seed: int) -> None:
    random = Random(seed)
    kinds = ["single_sku", "same_goods", "single_line", "multi_line", "any"]
    rules = [
        {
            "name": f"r{n}",
            "kind": random.choice(kinds),
            "at_least": random.choice([1, 1, 2]),
            **({"when": condition(random, depth=0)} if random.random() < 0.6 else {}),
        }
        for n in range(10)
    ]
    book = parse(yaml.safe_dump({"waves": {"rules": rules}}))
    useless = {
        str(one.text.params["name"]) for one in lint(book) if one.code in ("shadowed", "contradiction")
    }
    table = facts([row(random) for _ in range(300)])
    articles = pl.Series([random.randint(0, 3) for _ in range(300)])
    rows = table.with_columns(
        row=pl.int_range(pl.len(), dtype=pl.Int64),
        articles=articles,
        article=pl.format("SKU-{}", articles),
        contents=pl.format("{}", articles),
        warehouse=pl.lit("hz"),
        **{name: pl.lit(None, dtype=pl.String) for name in ("courier", "size", "zone")},
        cutoff=pl.lit(None, dtype=pl.Int64),
    )
    assert book.rules.waves is not None
    taken = set(grouped(rows, book.rules.waves.rules)["rule"])
    assert useless, "ten rules of which some are without a condition"
    assert not {f"r{n}" for n in taken} & useless


# ------------------------------------------------------------------------------------------ couriers


def test_every_courier_of_a_rule_needs_its_tariff() -> None:
    text = "couriers: [{name: r, use: A, otherwise: [B, {courier: C, tariff: c}]}]\nlimits: [{courier: A, parcels: 1}, {courier: B, parcels: 1}]"
    only_a = "\n" + TARIFFS.strip().rsplit("\n", 1)[0]
    assert found(text + TARIFFS) == [("tariff_missing", "'r' names the tariff 'c', which is not there")]
    assert places(text + TARIFFS) == ["rules.yaml:1:45"]
    assert [code for code, _ in found(text + only_a)] == ["courier_without_tariff", "tariff_missing"]


def test_a_candidate_that_stands_there_twice() -> None:
    assert found(RANKED % "A, B, A") == [("courier_twice", "'r': A stands there twice")]
    assert places(RANKED % "A, B, A") == ["rules.yaml:1:34"]
    assert (
        found(
            RANKED % "A, {courier: A, service: fast}, {courier: A, account: other}, {courier: A, tariff: t}"
        )
        == []
    )


def test_an_account_with_room_of_its_own_steps_in() -> None:
    text = "couriers: [{name: r, use: {courier: A, account: a1}, otherwise: {courier: A, account: a2}}]\nlimits: [{courier: A, %s}]"
    assert found(text % "account: a1, parcels: 5") == []
    assert [code for code, _ in found(text % "parcels: 5")] == ["fallback_unreachable"]


def test_candidates_that_do_not_deliver_where_the_rule_matches() -> None:
    text = """couriers:
  - {name: r, when: {province: 西藏}, use: [A, B], rank: {price: 0, wish: 1}%s}
  - {name: rest, use: C}
not_served: [{courier: A, province: 西藏自治区}%s]
"""
    never = "'r': A is never taken: it does not deliver where the rule matches"
    assert found(text % ("", "")) == [("never_served", never)]
    assert places(text % ("", "")) == ["rules.yaml:2:43"]
    assert found(text.replace("西藏}, use", "[西藏, 青海]}, use") % ("", "")) == []
    none = "'r': none of its couriers delivers where it matches, so all that it takes is blocked"
    both = ", {courier: B, province: 西藏}"
    assert found(text % ("", both)) == [("never_served", none)]
    assert found(text % (", otherwise: C", both)) == [
        ("never_served", never),
        ("never_served", never.replace("A is", "B is")),
    ]
    assert found(text % ("", ", {courier: B, province: 西藏, until: 2026-12-31}")) == [
        ("never_served", never)
    ]


def test_what_a_rule_can_never_weigh() -> None:
    text = "couriers: [{name: r, use: [A, %s], rank: {day: 1, exception: 1%s}}]\ntransit: [{courier: A, days: 2}]\n"
    measured = "performance: [{courier: A, on: 2026-11-01, parcels: 40, exception_percent: 1}%s]"
    rest = measured + TARIFFS
    never = "'r': %s is never weighed and comes after those that are: nothing tells its %s"
    assert found(text % ("B", "") + rest % "") == [("never_weighed", never % ("B", "day, exception"))]
    assert places(text % ("B", "") + rest % "") == ["rules.yaml:1:31"]
    assumed = ", unknown_days: 4, unknown_exception_percent: 2"
    assert found(text % ("B", assumed) + rest % "") == []
    few = ", {courier: B, on: 2026-11-01, parcels: %d, days: 2, exception_percent: 1}"
    assert found(text % ("B", "") + rest % few % 29) == [("never_weighed", never % ("B", "day, exception"))]
    assert found(text % ("B", "") + rest % few % 30) == []
    assert found(text % ("C", assumed) + rest % "") == [
        ("never_weighed", never % ("C", "price")),
        ("tariff_unused", "no courier rule uses the tariff 'b'"),
    ]
    dollars = rest.replace("id: b,", "id: b, currency: USD,")
    assert found(text % ("B", assumed) + dollars % "") == [("never_weighed", never % ("B", "price"))]
    product = rest.replace("id: b,", "id: b, service: fast,")
    assert found(text % ("B", assumed) + product % "") == [("never_weighed", never % ("B", "price"))]
    assert found(text % ("{courier: B, service: fast}", assumed) + product % "") == []


def test_what_is_weighed_and_is_nothing_for_every_courier() -> None:
    text = "couriers: [{name: r, use: [A, B], rank: {price: 0, %s}}]\n"
    late = text % "late: 3" + "limits: [{courier: A, %s}]"
    none = "'r' weighs 'late', but limits tell nothing of its couriers"
    assert found(late % "parcels: 5") == [("rank_idle", none)]
    assert places(late % "parcels: 5") == ["rules.yaml:1:58"]
    assert found(late % "closed: [7]") == []
    penalty = text % "penalty: 1" + "notices: [{courier: A, why: fog%s}]"
    assert found(penalty % "") == [
        ("rank_idle", "'r' weighs 'penalty', but notices tell nothing of its couriers")
    ]
    assert found(penalty % ", penalty: 1") == []
    assert found(RANKED % "A") == [("rank_idle", "'r' has one courier: 'rank' weighs it against nobody")]


def test_a_notice_that_is_said_twice_counts_twice_where_its_points_are_weighed() -> None:
    text = "couriers: [{name: r, use: [A, B], rank: {price: 0, %s: 1}}]\nnotices: [%s, %s]"
    one = "{courier: A, why: fog, penalty: 2}"
    assert found(text % ("penalty", one, one)) == []
    assert [code for code, _ in found(text % ("wish", one, one))] == ["covered"]


# ------------------------------------------------------------------------------------------ entries


def test_names_that_no_rule_uses() -> None:
    text = """warehouses: [{name: all, use: [hz, gz]}]
couriers: [{name: r, use: {courier: A, service: fast, account: shop-hz}}]
not_served: [{courier: A, service: fats, city: 杭州}]
transit: [{courier: A, warehouse: hzz, days: 2}, {courier: A, warehouse: hzz, city: 杭州, days: 1}]
performance: [{courier: A, service: fast, warehouse: gz, on: 2026-11-01, parcels: 40, days: 1}]
limits: [{courier: A, account: shop-gz, parcels: 4}, {courier: A, account: shop-hz, warehouse: hz, parcels: 4}]
"""
    assert found(text) == [
        ("entry_unused", "no courier rule uses the service fats of A (1 entries) (did you mean 'fast'?)"),
        ("entry_unused", "no warehouse rule uses hzz (2 entries) (did you mean 'hz'?)"),
        (
            "entry_unused",
            "no courier rule uses the account shop-gz of A (1 entries) (did you mean 'shop-hz'?)",
        ),
    ]
    assert [place.split(":")[1] for place in places(text)] == ["3", "4", "6"]


def test_an_entry_behind_another_of_the_same() -> None:
    text = "couriers: [{name: r, use: A}]\ntransit: [{courier: A, %s}, {courier: A, %s}]"
    assert found(text % ("province: 浙江省, days: 2", "province: 浙江, days: 3")) == [
        ("covered", "this entry of A never counts: rules.yaml:2:11 goes before it")
    ]
    assert found(text % ("days: 2, until: 2026-12-31", "days: 3")) == []
    again = "this entry of A never counts again: since 2026-11-01 rules.yaml:2:34 goes before it"
    since = text % ("days: 2", "days: 3, from: 2026-11-01")
    assert found(since) == [("over", again)]
    assert found(since, None) == []
    assert found(text % ("days: 2", "days: 3, from: 2026-11-01, until: 2026-12-01")) == []
    assert found(text % ("days: 2", "days: 3, from: 2026-12-01")) == []
    two = "transit: [{courier: A, city: 杭州, days: 2%s}, {courier: A, city: 宁波, days: 2%s}"
    old = "couriers: [{name: r, use: A}]\n" + two % (", until: 2026-11-20", ", until: 2026-11-20") + "]"
    assert found(old) == [("over", "2 entries of A, this one the first, are over since 2026-11-20")]
    new = ", {courier: A, city: 杭州, days: 3, from: 2026-11-01}, {courier: A, city: 宁波, days: 3, from: 2026-11-01}]"
    assert found("couriers: [{name: r, use: A}]\n" + two % ("", "") + new) == [
        (
            "over",
            "2 entries of A, this one the first, never count again: since 2026-11-01 others go before them",
        )
    ]
    over = "this entry of A is over since 2026-11-23"
    assert found(text % ("days: 2", "days: 3, until: 2026-11-23, city: 杭州")) == [("over", over)]


def test_what_was_measured_before_stays() -> None:
    text = "couriers: [{name: r, use: A}]\nperformance: [{courier: A, on: 2026-10-01, %s}, {courier: A, on: 2026-%s}]"
    assert found(text % ("parcels: 40, days: 2", "11-01, parcels: 40, days: 3")) == []
    assert found(text % ("parcels: 40, days: 2", "10-01, parcels: 90, days: 3")) == []
    assert found(text % ("parcels: 40, days: 2", "10-01, parcels: 40, days: 3, exception_percent: 1")) == []
    assert [c for c, _ in found(text % ("parcels: 40, days: 2", "10-01, parcels: 30, days: 3"))] == [
        "covered"
    ]


def test_places_on_the_way_that_are_none() -> None:
    text = "couriers: [{name: r, use: A}]\ntransit: [{courier: A, %s, days: 2}]"
    hint = "there is no province 新彊 in the division table (did you mean '新疆'?)"
    assert found(text % "province: 新彊") == [("place_unknown", hint)]
    assert found(text % "province: 浙江省, city: 广州市") == [
        ("place_elsewhere", "广州 is not in 浙江省: no shipment is there")
    ]
    assert found(text % "province: 内蒙古自治区, city: 呼和浩特市") == []
    waves = "waves: {rules: [{name: west, when: {province: 新彊}}]}"
    assert found(waves) == [("place_unknown", hint)]


# ------------------------------------------------------------------------------------------ waves, allocation


def test_rules_of_waves_below_one_that_takes_all_of_their_kind() -> None:
    text = """couriers: [{name: all, use: ZTO}]
waves:
  rules:
    - {name: hot, kind: single_sku%s}
    - {name: one, kind: single_line, capacity: {shipments: 5}}
    - {name: light, kind: any, when: {weight_g: {lte: 500}}}
    - {name: some, kind: multi_line, when: {weight_g: {lt: 300}}}
    - {name: all, kind: multi_line}
"""
    below = "'%s' can never match: '%s' above it matches first"
    assert found(text % "") == [("shadowed", below % ("one", "hot")), ("shadowed", below % ("some", "light"))]
    assert places(text % "") == ["rules.yaml:5:7", "rules.yaml:7:7"]
    assert found(text % ", at_least: 2") == [("shadowed", below % ("some", "light"))]
    both = "waves: {rules: [{name: one, kind: single_line}, {name: more, kind: multi_line}, {name: rest}]}"
    assert found(both) == [], "what has nothing to pick is in none of the two"
    never = (
        "waves: {rules: [{name: odd, when: {weight_g: {gt: 5, lt: 4}}}, {name: sto, when: {courier: STO}}]}"
    )
    assert [code for code, _ in found("couriers: [{name: a, use: A}]\n" + never)] == [
        "contradiction",
        "unreachable",
    ]


def test_sizes_and_cut_offs_of_waves() -> None:
    text = """couriers: [{name: all, use: ZTO}]
waves:
  cutoffs: {ZTO: "17:30", %s: "18:00"}
  sizes: [{name: small, when: {weight_g: {lt: 500}}}, {name: tiny, when: {weight_g: {lt: 100}}}, {name: rest}]
  rules: [{name: all, by: [cutoff%s]}]
"""
    size = ("shadowed", "'tiny' can never match: 'small' above it matches first")
    assert found(text % ("YT0", ", size")) == [size, ("entry_unused", "no courier rule uses YT0")]
    none = "no rule of waves goes by 'size', so the classes of parcels are told apart for nothing"
    assert found(text % ("ZTO2", "")) == [
        size,
        ("table_unused", none),
        ("entry_unused", "no courier rule uses ZTO2 (did you mean 'ZTO'?)"),
    ]


def test_warehouses_of_allocation_that_no_rule_uses() -> None:
    text = "warehouses: [{name: all, use: [hz, gz]}]\nallocation: {capacity: {hz: 5, nj: 5}, not_counted: [gz, gzz]}"
    assert found(text) == [
        ("entry_unused", "no warehouse rule uses nj"),
        ("entry_unused", "no warehouse rule uses gzz (did you mean 'gz'?)"),
    ]
    assert places(text) == ["rules.yaml:2:36", "rules.yaml:2:58"]


def test_holds_that_wait_for_stock_are_fine() -> None:
    assert found("holds: [{name: wait, until: stock}, {name: other, until: [ship_by, stock]}]") == []


def test_it_is_said_in_chinese_too() -> None:
    known = sentences("zh")
    text = (
        RANKED % "A, A"
        + "limits: [{courier: A, account: x, parcels: 1}, {courier: A, account: x, parcels: 1}]"
    )
    said = lint(parse(text), NOW)
    assert {one.code for one in said} == {"courier_twice", "entry_unused", "covered"}
    assert all(text in known for text in (*(one.text.template for one in said), *GONE.values()))
