"""Couriers weighed against each other: the same as the slow way, one each, never one that is refused or full."""

from __future__ import annotations

import os
from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from random import Random
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from orderctl.model.errors import ConfigError
from orderctl.model.facts import QUOTA_USED, Facts, parse_facts
from orderctl.stages.explain import explain
from orderctl.stages.route import route
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.parse import parse
from tests.stages.rules import naive_ranking as naive
from tests.stages.rules.test_route_laws import dumped
from tests.stages.test_route import NOW, batch, codes, committed, pinned, routed, shipment, trail

COURIERS = ["ZTO", "YTO", "SF", "EMS"]
PLACES = list(naive.CITIES)
CASES = int(os.environ.get("ORDERCTL_RANKING_RULES", "10"))  # `make ranking` asks for many
TODAY = date(2026, 11, 24)


def maybe(random: Random, of: Any, chance: float = 0.5) -> Any:
    return of() if random.random() < chance else None


def clean(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if value is not None}


def money(random: Random, most: int = 300) -> str:
    return f"{random.randint(0, most) / 100:.2f}"


def journey(random: Random) -> dict[str, Any]:
    city = maybe(random, lambda: random.choice(PLACES), 0.3)
    province = naive.CITIES[city] if city else maybe(random, lambda: random.choice(["浙江", "新疆", "广东"]))
    warehouse = maybe(random, lambda: random.choice(["hz", "gz"]), 0.3)
    return {"courier": random.choice(COURIERS), "province": province, "city": city, "warehouse": warehouse}


def day(random: Random) -> str:
    return (TODAY + timedelta(days=random.randint(-5, 3))).isoformat()


def rules(random: Random) -> dict[str, Any]:
    """Give random rules with one rule that ranks, as plain data; amounts are texts, so nothing is a float."""
    prices = [
        {"id": c, "courier": c, "zones": [{"id": "all", "countries": ["CN"], "first_weight_kg": 1,
         "first_price": money(random, 1500), "step_price": money(random)}]}
        for c in COURIERS if random.random() < 0.9
    ]  # fmt: skip
    transit = [
        clean(
            {**journey(random), "days": money(random, 500), "from": maybe(random, lambda: day(random), 0.3)}
        )
        for _ in range(12)
    ]
    performance = [
        clean(
            {
                **journey(random),
                "on": day(random),
                "parcels": random.choice([5, 29, 30, 500]),
                "days": maybe(random, lambda: money(random, 500)),
                "exception_percent": money(random),
            }
        )
        for _ in range(10)
    ]
    limits = [
        clean(
            {
                "courier": c,
                "account": maybe(random, lambda: random.choice("ab")),
                "warehouse": maybe(random, lambda: random.choice(["hz", "gz"]), 0.3),
                "parcels": maybe(random, lambda: random.randint(0, 12), 0.8),
                "cut_off": maybe(random, lambda: random.choice(["09:00", "17:30"])),
                "closed": random.sample(range(1, 8), 2),
            }
        )
        for c in random.choices(COURIERS, k=4)
    ]
    weights = {
        "price": random.choice(["0", "1", "1", "0.5"]),
        "day": money(random),
        "late": random.choice(["0", "2.5"]),
        "exception": random.choice(["0", "5", "20.5"]),
        "penalty": random.choice(["0", "0.5"]),
        "wish": random.choice(["0", "2"]),
        "avoid": random.choice(["0", "3"]),
        "unknown_days": maybe(random, lambda: "4.5"),
        "unknown_exception_percent": maybe(random, lambda: "2"),
    }
    accounts = [
        {"courier": c, "account": random.choice("ab")} if random.random() < 0.6 else c for c in COURIERS
    ]
    return {
        "couriers": [{"name": "best", "use": random.sample(accounts, random.randint(2, 4)), "rank": clean(weights), "otherwise": ["JD"]}],
        "tariffs": prices or [{"id": "x", "courier": "X", "zones": [{"id": "all", "countries": ["CN"], "first_weight_kg": 1, "first_price": "1", "step_price": "1"}]}],
        "transit": transit,
        "performance": performance,
        "notices": [{"courier": "YTO", "province": "浙江", "penalty": 3}, {"courier": "SF", "penalty": 1}],
        "not_served": [{"courier": random.choice(COURIERS), "province": random.choice(["浙江", "新疆", "广东"])}],
        "limits": limits,
    }  # fmt: skip


def parcels(random: Random, count: int) -> list[naive.Parcel]:
    return [
        naive.Parcel(
            id=f"S-{n:03}",
            ship_by=maybe(random, lambda: f"2026-11-2{random.randint(4, 9)}T00:00:00Z", 0.8),
            warehouse=None,
            province=naive.CITIES[city],
            city=city,
            weight_g=random.choice([300, 1000, 1001, 4200]),
            wish=maybe(random, lambda: random.choice(COURIERS), 0.3),
            avoid=None,
            parcels=random.choice([1, 1, 1, 2, 3]),
        )
        for n, city in enumerate(random.choices(PLACES, k=count))
    ]


def as_shipment(parcel: naive.Parcel) -> dict[str, Any]:
    wish = {"kind": "courier", "value": parcel.wish, "avoid": False, "source": "seller_note", "evidence": "x"}
    boxes = [
        {"parcel_no": n + 1, "weight_g": parcel.weight_g if n == 0 else 0} for n in range(parcel.parcels)
    ]
    row = shipment(
        parcel.id,
        weight_g=parcel.weight_g,
        ship_by=parcel.ship_by,
        recipient={"province": parcel.province, "city": parcel.city},
    )
    row["shipment_id"] = parcel.id
    row["parcels"] = boxes if parcel.parcels > 1 else row["parcels"]
    if parcel.wish:
        row["orders"][0]["wishes"] = [wish]
    return row


def now(minute: int) -> str:
    """Give the instant of a minute of TODAY in Shanghai, which is eight hours ahead."""
    utc = minute - 480
    return f"{TODAY - timedelta(days=int(utc < 0))}T{utc % 1440 // 60:02}:{utc % 60:02}:00Z"


def decided(
    seed: int, count: int = 40
) -> tuple[naive.World, list[naive.Parcel], RuleBook, pl.DataFrame, Facts, str]:
    random = Random(seed)
    told = rules(random)
    world = naive.World(told, TODAY, random.choice([500, 600, 1049, 1050, 1439]))
    world.used = [
        (random.choice(COURIERS), maybe(random, lambda: random.choice("ab")), None, random.randint(1, 4))
        for _ in range(2)
    ]
    some = parcels(random, count)
    if random.random() < 0.5:
        told["warehouses"] = [
            {"name": "south", "when": {"province": "广东"}, "use": "gz"},
            {"name": "rest", "use": "hz"},
        ]
        for parcel in some:
            parcel.warehouse = "gz" if parcel.province == "广东" else "hz"
    facts = Facts(quota_used=pl.DataFrame(world.used, schema=QUOTA_USED, orient="row"))
    return world, some, parse(dumped(told)), batch(*map(as_shipment, some)), facts, now(world.minute)


def params(row: dict[str, Any]) -> dict[str, str]:
    (step,) = [s for s in row["decision"] if s["step"] == "courier"]
    return {p["name"]: p["value"] for p in step["params"]}


def test_it_is_what_asking_one_after_the_other_gives() -> None:
    reasons: Counter[str | None] = Counter()
    for seed in range(CASES):
        world, some, book, frame, facts, at = decided(seed)
        wanted = naive.choose(world, some)
        for row in route(frame, book, facts, at).to_dicts():
            courier, points = wanted[row["shipment_id"]]
            assert row["courier"] == courier, (seed, row["shipment_id"])
            told = params(row).get("score", "").split(" = ")[0]
            if points is not None:
                assert abs(Fraction(told) - points) <= Fraction(1, 20_000), "told with four decimals"
            elif courier is not None:
                assert told == ""
            reasons[trail(row)["courier"][2]] += 1
            reasons["full"] += "full" in params(row)
    least = {name: reasons[name] for name in ("ranked", "fallback", "full")}
    assert min(least.values()) > CASES, f"the cases reach what they are for: {least}"


TARIFFS = """
tariffs:
  - {id: z, courier: ZTO, zones: [{id: all, countries: [CN], first_weight_kg: 1, first_price: 3.2, step_price: 1}]}
  - {id: y, courier: YTO, zones: [{id: all, countries: [CN], first_weight_kg: 1, first_price: 3, step_price: 1}]}
  - {id: s, courier: SF, zones: [{id: all, countries: [CN], first_weight_kg: 1, first_price: 12, step_price: 1}]}
"""
DAYS = "transit: [{courier: ZTO, days: 2}, {courier: YTO, days: 3}, {courier: SF, days: 1}]\n"


def ranking(weights: str, more: str = "", use: str = "ZTO, YTO, SF") -> RuleBook:
    return parse(TARIFFS + DAYS + f"couriers: [{{name: best, use: [{use}], rank: {{{weights}}}}}]\n" + more)


def score(weights: str, more: str = "", row: dict[str, Any] | None = None, use: str = "ZTO, YTO, SF") -> str:
    (found,) = routed(row or shipment(), book=ranking(weights, more, use))
    assert trail(found)["courier"][2] == "ranked"
    return f"{found['courier']} {params(found)['score']}"


def test_the_trail_says_what_the_score_is_made_of_and_what_the_next_would_have_cost() -> None:
    (row,) = routed(shipment(), book=ranking("day: 0.8"))
    assert row["courier"] == "ZTO" and row["freight_minor"] == 320
    assert params(row)["score"] == "4.80 = price 3.20 + days 1.60 (2)"
    assert (
        params(row)["over"] == "YTO 5.40 = price 3.00 + days 2.40 (3); SF 12.80 = price 12.00 + days 0.80 (1)"
    )
    assert score("day: 0.1").startswith("YTO 3.30 ")
    assert score("day: 20").startswith("SF 32.00 ")
    assert score("price: 0, day: 0") == "ZTO 0.00 = 0", "of equal ones the first written"


def test_what_was_measured_of_enough_parcels_goes_before_what_is_promised() -> None:
    def told(parcels: int, on: str = "2026-11-20", more: str = "") -> str:
        entry = f"{{courier: ZTO, on: {on}, parcels: {parcels}, days: 9{more}}}"
        return score("day: 0.8", f"performance: [{entry}]\n")

    assert told(30).startswith("YTO ")
    assert told(29).startswith("ZTO "), "too few"
    assert told(30, "2026-11-25").startswith("ZTO "), "not measured yet at that time"
    assert told(30, more=", province: 新疆").startswith("ZTO "), "measured elsewhere"
    assert told(30, more=", province: 浙江省, city: 杭州").startswith("YTO ")


def test_a_cut_off_and_days_without_collection_add_days() -> None:
    # NOW is Tuesday, 10:00 in Shanghai
    def told(limit: str) -> str:
        return score("day: 0.8", f"limits: [{{courier: ZTO, {limit}}}]\n", use="ZTO, SF")

    assert told("cut_off: '10:01'") == "ZTO 4.80 = price 3.20 + days 1.60 (2)"
    assert told("cut_off: '10:00'") == "ZTO 5.60 = price 3.20 + days 2.40 (3)"
    assert told("cut_off: '10:00', closed: [3, 4]") == "ZTO 7.20 = price 3.20 + days 4.00 (5)"
    assert told("closed: [2]") == "ZTO 5.60 = price 3.20 + days 2.40 (3)"
    assert told("cut_off: '09:00', until: 2026-11-23") == "ZTO 4.80 = price 3.20 + days 1.60 (2)"


def test_it_may_cost_something_to_be_collected_after_the_promise() -> None:
    # NOW is 02:00 UTC
    def told(ship_by: str | None) -> str:
        limit = "limits: [{courier: ZTO, cut_off: '09:00'}]\n"
        return score("late: 9.5", limit, shipment(ship_by=ship_by), use="ZTO, SF")

    assert told("2026-11-25T02:00:00Z") == "ZTO 3.20 = price 3.20", "tomorrow is just in time"
    assert told("2026-11-25T01:59:59Z") == "SF 12.00 = price 12.00"
    assert told(None) == "ZTO 3.20 = price 3.20"


def test_notices_and_wishes_count_as_much_as_the_rule_says() -> None:
    fog = "notices: [{courier: ZTO, province: 浙江, penalty: 3, why: fog}, {courier: ZTO, penalty: 9, until: 2026-11-01}]\n"
    assert score("penalty: 0.5", fog, use="ZTO, SF") == "ZTO 4.70 = price 3.20 + penalty 1.50 (3)"
    wished = shipment()
    wish = {"kind": "courier", "value": "SF", "avoid": False, "source": "buyer_note", "evidence": "发顺丰"}
    wished["orders"][0]["wishes"] = [wish]
    assert score("wish: 9.5", row=wished) == "SF 2.50 = price 12.00 + wish -9.50"
    assert score("wish: 9.5").startswith("YTO 3.00")
    wish["avoid"], wish["value"] = True, "YTO"
    assert score("avoid: 0.21", row=wished).startswith("ZTO 3.20")
    assert score("avoid: 0.19", row=wished) == "YTO 3.19 = price 3.00 + avoid 0.19"


def test_what_is_not_known_comes_last_and_is_said() -> None:
    (row,) = routed(shipment(), book=ranking("day: 0.8", use="EMS, SF"))
    assert (row["courier"], "courier_unweighed" in codes(row)) == ("SF", True)
    assert params(row)["over"] == "EMS ? (price, days)"
    (row,) = routed(shipment(), book=ranking("price: 0, day: 0.8, unknown_days: 0.5", use="SF, EMS"))
    assert (row["courier"], row["freight_minor"], codes(row)) == ("EMS", None, ["no_tariff"])
    (row,) = routed(shipment(), book=ranking("currency: USD", use="SF, ZTO"))
    assert (row["courier"], params(row).get("score")) == ("SF", None), (
        "prices in another currency weigh nothing"
    )


def test_a_full_account_passes_on_and_all_full_waits() -> None:
    rules = "couriers: [{name: a, use: {courier: YTO, account: y}, otherwise: EMS}]\nlimits: [{courier: YTO, account: y, parcels: 2}]\n"
    late, soon = shipment("a"), shipment("z", ship_by="2026-11-24T09:00:00Z")
    facts = Facts(quota_used=pl.DataFrame([("YTO", "y", "hz", 1)], schema=QUOTA_USED, orient="row"))
    rows = {r["shipment_id"]: r for r in routed(late, soon, book=parse(rules), facts=facts)}
    assert (rows["S-z"]["courier"], rows["S-a"]["courier"]) == ("YTO", "EMS")
    assert params(rows["S-a"])["full"] == "YTO y"
    alone = rules.replace(", otherwise: EMS", "")
    rows = {r["shipment_id"]: r for r in routed(late, soon, book=parse(alone), facts=facts)}
    assert (rows["S-a"]["courier"], trail(rows["S-a"])["courier"][2]) == (None, "full")
    (problem,) = [p for p in rows["S-a"]["problems"] if p["code"] == "courier_full"]
    assert problem["severity"] == "wait" and "YTO y" in problem["message"]
    other = Facts(quota_used=pl.DataFrame([("YTO", "x", "hz", 9)], schema=QUOTA_USED, orient="row"))
    assert {r["courier"] for r in routed(late, soon, book=parse(rules), facts=other)} == {"YTO"}
    blocked = {**soon, "problems": [{"code": "x", "severity": "block", "stage": "normalize", "message": "x"}]}
    rows = {r["shipment_id"]: r for r in routed(late, blocked, book=parse(rules), facts=facts)}
    assert (rows["S-a"]["courier"], rows["S-z"]["courier"]) == ("YTO", "EMS"), (
        "what cannot leave stands behind"
    )


def test_pins_take_room_first_and_what_is_committed_takes_none() -> None:
    rules = parse("couriers: [{name: a, use: YTO, otherwise: EMS}]\nlimits: [{courier: YTO, parcels: 1}]\n")
    rows = routed(
        shipment("a"),
        shipment("z"),
        book=rules,
        facts=pinned(("S-z", {"courier": "YTO"}, "2026-11-24T00:00:00Z")),
    )
    assert [r["courier"] for r in rows] == ["EMS", "YTO"]
    rows = routed(shipment("a"), shipment("z"), book=rules, facts=committed(courier="YTO", warehouse="hz"))
    assert [r["courier"] for r in rows] == ["YTO", "YTO"], "its number was counted when it was bought"


def test_a_courier_that_is_refused_is_no_candidate_however_good() -> None:
    (row,) = routed(
        shipment(), book=ranking("day: 0.8", "not_served: [{courier: ZTO, province: 浙江, why: closed}]\n")
    )
    assert (row["courier"], trail(row)["courier"][2]) == ("YTO", "ranked")
    assert params(row)["not_served"].startswith("ZTO: closed")


@pytest.mark.parametrize("seed", range(2))
def test_laws_of_the_whole_choice(seed: int) -> None:
    _, _, book, frame, facts, at = decided(seed, 60)
    told = rules(Random(seed))
    told["limits"] = [{k: v for k, v in limit.items() if k != "parcels"} for limit in told["limits"]]
    whole = route(frame, parse(dumped(told)), facts, at)
    blocks = [route(frame[n : n + 25], parse(dumped(told)), facts, at) for n in range(0, 60, 25)]
    assert_frame_equal(whole, pl.concat(blocks))
    longer = {**told, "couriers": [*told["couriers"], {"name": "below", "use": "SF"}]}
    lines = route(frame, parse(dumped(longer)), facts, at)
    assert_frame_equal(whole.drop("decision", "problems"), lines.drop("decision", "problems"))
    assert not book.rules.limits or book.is_of_the_whole == any(
        x.parcels is not None for x in book.rules.limits
    )


@pytest.mark.parametrize("seed", range(2))
def test_a_greater_weight_of_the_price_never_raises_the_price(seed: int) -> None:
    random = Random(seed)
    told = rules(random)
    told["limits"], told["not_served"] = [{"courier": "ZTO", "cut_off": "09:00"}], []
    frame = batch(*map(as_shipment, parcels(random, 60)))
    before = None
    for weight in ("0.1", "0.5", "1", "3", "1000"):
        told["couriers"][0]["rank"] |= {
            "price": weight,
            "unknown_days": "4",
            "unknown_exception_percent": "2",
        }
        found = route(frame, parse(dumped(told)), Facts(), now(600))["freight_minor"]
        if before is not None:
            assert (found <= before).fill_null(True).all()
        before = found


def test_facts_carry_what_was_used_and_older_ones_read_as_nothing() -> None:
    used = pl.DataFrame([("YTO", None, "hz", 3)], schema=QUOTA_USED, orient="row")
    again = parse_facts(Facts(quota_used=used).to_json(), "f")
    assert_frame_equal(again.quota_used, used)
    assert parse_facts(Facts().to_json(), "f").quota_used.is_empty()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("couriers: [{name: a, use: [YTO, ZTO]}]", "1:23: several couriers need 'rank'"),
        ("couriers: [{name: a, use: YTO, rank: {price: 1}}]", "nothing to weigh 'price' by: write tariffs"),
        (
            "couriers: [{name: a, use: YTO, rank: {price: 0, day: 1}}]",
            "nothing to weigh 'day' by: write transit",
        ),
        (
            "couriers: [{name: a, use: YTO, rank: {price: 0, days: 1}}]",
            "unknown field 'days' \\(did you mean 'day'",
        ),
        ("transit: [{courier: YTO}]", "how many days"),
        ("transit: [{days: 2}]", "which courier"),
        ("performance: [{courier: YTO, days: 2}]", "needs 'on'"),
        ("performance: [{courier: YTO, on: 2026-11-24, parcels: 9}]", "'days' or 'exception_percent'"),
        ("limits: [{courier: YTO, cut_off: '25:00'}]", "must have the form"),
        ("limits: [{courier: YTO, closed: [8]}]", "must not be more than 7"),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=rf"rules.yaml:1:.*{said.removeprefix('1:23: ')}"):
        parse(text)


def test_tables_are_read_with_chinese_headings_and_mistakes_are_placed() -> None:
    cells = {
        "快递": ["ZTO", "YTO"],
        "省": ["浙江省", ""],
        "天数": ["1.5", "4"],
        "备注": ["x", ""],
        "_line": [2, 3],
    }

    def read(_: str) -> pl.DataFrame:
        return pl.DataFrame(cells)

    text = (
        TARIFFS + "transit: [{file: days.csv}]\ncouriers: [{name: best, use: [YTO, ZTO], rank: {day: 0.8}}]"
    )
    (row,) = routed(shipment(), book=parse(text, tables=read))
    assert params(row)["score"] == "4.40 = price 3.20 + days 1.20 (1.5)"
    cells["天数"] = ["soon", "4"]
    with pytest.raises(ConfigError, match=r"days\.csv:2:3: "):
        parse(text, tables=read)


def test_explain_shows_every_courier_of_the_rule_and_tells_the_story_of_the_batch() -> None:
    more = "limits: [{courier: ZTO, parcels: 0}, {courier: SF, cut_off: '09:00'}]\nnot_served: [{courier: EMS, province: 浙江}]\n"
    book = ranking("day: 0.8", more, use="ZTO, EMS, JD, {courier: YTO, account: y}, SF")
    text = explain(routed(shipment(), book=book)[0], book, Facts(), NOW).render()
    lines = [line.strip() for line in text.split("\n")]
    where = lines.index("courier: YTO, by a rule, the best of its couriers")
    assert lines[where + 2 : where + 8] == [
        "ZTO: 4.80 = 3.20 freight + 1.60 for 2 d (promised); no room left today",
        "YTO y: 5.40 = 3.00 freight + 2.40 for 3 d (promised)",
        "SF: 13.60 = 12.00 freight + 1.60 for 1 d (promised) and 1 d until it is collected; 8.20 more",
        "JD: cannot be weighed, not known: price, days",
        "EMS: does not deliver there",
        "does not deliver there: EMS: 浙江 (rules.yaml:9:14)",
    ]
    one = parse(
        "couriers: [{name: a, use: {courier: YTO, account: y}, otherwise: EMS}]\nlimits: [{courier: YTO, parcels: 1}]\n"
    )
    rows = {r["shipment_id"]: r for r in routed(shipment("a"), shipment("b"), book=one)}
    told = explain(rows["S-b"], one, Facts(), NOW)
    (step,) = [s for s in told.steps if s.step == "courier"]
    assert (step.outcome, step.reason) == ("EMS", "fallback"), "alone it would have had room"
    assert str(step.told[0]) == "YTO y: no room left today"
    assert explain(rows["S-a"], one, Facts(), NOW).to_json()["steps"][0]["outcome"] == "YTO"


def test_what_would_change_a_ranked_choice_is_told_with_its_price() -> None:
    prices = "tariffs: [{id: a, courier: ZTO, zones: [{id: z, countries: [CN], first_weight_kg: 1, first_price: 3, step_price: 5}]}, {id: b, courier: SF, zones: [{id: z, countries: [CN], first_weight_kg: 2, first_price: 6, step_price: 1}]}]\n"
    book = parse(prices + DAYS + "couriers: [{name: best, use: [ZTO, SF], rank: {day: 0.1}}]\n")
    (row,) = routed(shipment(weight_g=1150), book=book)
    assert (row["courier"], row["freight_minor"]) == ("SF", 600)
    told = explain(row, book, Facts(), NOW)
    assert [str(one.text) for one in told.flips] == ["0.15 kg lighter: ZTO, 3.00 CNY less"]
    told = explain(batch(shipment()).row(0, named=True), ranking("wish: 9.5", use="YTO, SF"), Facts(), NOW)
    assert [str(one.text) for one in told.flips] == ["wish_courier with SF: SF, 9.00 CNY more"]
