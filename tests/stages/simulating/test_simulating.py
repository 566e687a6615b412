"""Past shipments decided anew: as `route` would have decided each at its own time, added up without a remainder."""

from __future__ import annotations

from random import Random
from typing import Any

import polars as pl
import pytest

from orderctl.model.facts import COMMITMENTS, DECISIONS, Facts
from orderctl.stages.conditions.facts import FACTS, Fact, Moment, facts_frame
from orderctl.stages.route import route
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.parse import parse
from orderctl.stages.simulating import times
from orderctl.stages.simulating.comparing import added, side_by_side, summed
from orderctl.stages.simulating.replay import CHOICE, replay
from orderctl.stages.simulating.tables import freight, listed, mix, no_rows, rules, tables_of, totals
from orderctl.stages.simulating.times import asks_time, facts_at, routed_at
from tests.stages.reports.world import batch, head, shipment, shipped_line
from tests.stages.samples import RECIPIENT

OLD = """
warehouses: [{name: all hz, use: hz}]
couriers:
  - {name: evening, when: {hour: {gte: 18}}, use: SF}
  - {name: noon, when: {minute_of_day: {between: [720, 765]}}, use: {courier: SF, service: noon}}
  - {name: sunday, when: {weekday: 7}, use: {courier: SF, service: slow}}
  - {name: hurry, when: {ship_by_hours_left: {lt: 24}}, use: SF}
  - {name: november, when: {now: {between: [2026-11-01, 2026-11-30]}, weight_g: {lte: 1000}}, use: YTO}
  - {name: far, when: {province: 西藏}, use: NOBODY}
  - {name: rest, when: {weight_g: {lte: 9000}}, use: ZTO}
tariffs:
  - &zto
    id: zto
    courier: ZTO
    zones: [{id: all, countries: [CN], first_weight_kg: 1, first_price: 3, step_price: 1}]
    surcharges: {peak: [{from: 2026-10-25, to: 2026-11-05, fixed: 0.5}]}
  - {id: yto, courier: YTO, zones: [{id: all, countries: [CN], first_weight_kg: 1, first_price: 2.8, step_price: 1}]}
  - {id: sf, courier: SF, zones: [{id: all, countries: [CN], first_weight_kg: 1, first_price: 12, step_price: 2}]}
"""
NEW = OLD.replace("first_price: 3,", "first_price: 3.4,").replace("{lte: 1000}", "{lte: 2000}")


def sent(count: int = 120, seed: int = 1) -> pl.DataFrame:
    random, rows = Random(seed), []
    for n in range(count):
        order = f"taobao:a:{n}"
        day, hour = random.choice(["10-23", "10-25", "11-05", "11-06"]), random.randrange(24)
        at = f"2026-{day}T{hour:02}:{random.randrange(60):02}:00Z"
        rows.append(
            shipment(
                f"S{n:03}",
                [head(order, placed_at=at, paid_at=random.choice([at, at, None]))],
                [shipped_line(order, sku="MUG")],
                weight_g=random.choice([None, 300, 1000, 1400, 8000, 12000]),
                recipient=RECIPIENT | {"province": random.choice(["浙江省", "西藏自治区", None])},
                ship_by=random.choice([None, "2026-10-26T12:00:00Z", "2026-11-07T00:00:30Z"]),
            )
        )
    return batch(*rows)


def compared(
    shipments: pl.DataFrame, old: RuleBook, new: RuleBook, facts: Facts | None = None
) -> pl.DataFrame:
    at = routed_at(shipments, "paid")
    before, after = (replay(shipments, book, facts or Facts(), at) for book in (old, new))
    return side_by_side(before, after, at)


def test_each_shipment_is_decided_as_route_decides_it_at_its_own_time() -> None:
    shipments, book = sent(), parse(OLD)
    at = routed_at(shipments, "paid")
    found = replay(shipments, book, Facts(), at)
    names = [name for name in CHOICE if name != "hold"]
    for n, moment in enumerate(at.to_list()):
        one = route(shipments[n : n + 1], book, Facts(), moment)
        assert found[n].select(names).rows() == one.select(names).rows(), moment
        steps = {step["step"]: step["rule"] for step in one["decision"][0]}
        assert found["courier_rule"][n] == steps["courier"]
    assert set(found["courier_rule"].to_list()) == {
        "evening",
        "noon",
        "sunday",
        "hurry",
        "november",
        "far",
        "rest",
        None,
    }


def test_tables_with_days_are_read_as_they_were_on_that_day() -> None:
    text = """
couriers: [{name: all, use: ZTO, otherwise: [EMS]}]
not_served: [{courier: ZTO, from: 2026-10-25, until: 2026-11-05, why: x}]
"""
    shipments, book = sent(), parse(text)
    at = routed_at(shipments, "paid")
    found = replay(shipments, book, Facts(), at)
    alone = [
        route(shipments[n : n + 1], book, Facts(), moment)["courier"][0]
        for n, moment in enumerate(at.to_list())
    ]
    assert found["courier"].to_list() == alone
    assert set(alone) == {"ZTO", "EMS"}


def test_tags_that_an_earlier_routing_gave_do_not_count() -> None:
    text = """
tags: [{name: heavy, when: {weight_g: {gte: LEAST}}, add: [heavy]}]
couriers: [{name: tagged, when: {tags: heavy}, use: SF}, {name: rest, use: ZTO}]
"""
    old, new = parse(text.replace("LEAST", "1000")), parse(text.replace("LEAST", "8000"))
    shipments = sent()
    at = routed_at(shipments, "paid")
    routed = route(shipments, old, Facts(), "2026-11-24T00:00:00Z")
    assert routed["tags"].list.len().sum() > 0
    for book in (old, new):
        assert replay(routed, book, Facts(), at)["courier"].equals(
            replay(shipments, book, Facts(), at)["courier"]
        )


def test_facts_of_time_are_those_of_each_moment() -> None:
    shipments = sent(30)
    at = routed_at(shipments, "placed")
    for zone in ("Asia/Shanghai", "America/New_York"):
        names = [name for name in FACTS if asks_time(name, zone)]
        assert {"now", "hour", "weekday", "ship_by_hours_left"} <= set(names)
        table = facts_at(shipments, names, at, zone)
        for n, moment in enumerate(at.to_list()):
            alone = facts_frame(shipments[n : n + 1], names, Moment(moment, zone))
            assert table[n].select(names).rows() == alone.select(names).rows()


def test_a_fact_of_time_without_a_vector_form_is_read_moment_by_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    minute = Fact("whole", lambda m: pl.lit(m.local.minute if m.local else None), "minute", "分")
    monkeypatch.setitem(FACTS, "minute", minute)  # type: ignore[arg-type]
    shipments = sent(20)
    at = routed_at(shipments, "placed")
    assert times.asks_time("minute", "UTC")
    assert facts_at(shipments, ["minute"], at, "UTC")["minute"].to_list() == [int(t[14:16]) for t in at]


def test_the_time_is_that_of_the_last_payment_else_order_or_as_asked() -> None:
    early, late = "2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z"
    label = {
        "document": "label",
        "parcel_no": 1,
        "copy": 1,
        "revision": 1,
        "device": "x",
        "confirmed": "spooled",
    }
    rows = batch(
        shipment("A", [head("taobao:a:1", placed_at=early, paid_at=early), head("taobao:a:2", placed_at=early, paid_at=late)],
                 [shipped_line("taobao:a:1")], printed=[{**label, "at": "2026-10-03T00:00:00Z"}]),
        shipment("B", [head("taobao:a:3", placed_at=early, paid_at=None)], [shipped_line("taobao:a:3")]),
        shipment("C", [head("taobao:a:4", placed_at=None, paid_at=None)], [shipped_line("taobao:a:4")]),
    )  # fmt: skip
    assert routed_at(rows, "paid").to_list() == [late, early, None]
    assert routed_at(rows, "placed").to_list() == [early, early, None]
    assert routed_at(rows, "printed").to_list() == ["2026-10-03T00:00:00Z", early, None]
    assert routed_at(rows, "2026-11-11T00:00:00Z").to_list() == ["2026-11-11T00:00:00Z"] * 3


def test_the_same_rules_change_nothing() -> None:
    found = compared(sent(), parse(OLD), parse(OLD))
    assert listed(found).is_empty()
    made = tables_of(summed(found), listed(found))
    assert made["totals"]["difference"].to_list() == [0] * 5
    assert made["freight"]["difference_minor"].to_list() == [0]


def test_blocks_add_up_to_the_whole() -> None:
    shipments, old, new = sent(40), parse(OLD), parse(NEW)
    whole = summed(compared(shipments, old, new))
    for size in (1, 7, 25):
        parts = [
            summed(compared(shipments[n : n + size], old, new)) for n in range(0, shipments.height, size)
        ]
        assert added(parts).equals(whole)
        assert added(parts[::-1]).equals(whole)


def test_the_money_is_explained_without_a_remainder() -> None:
    found = compared(sent(400, seed=2), parse(OLD), parse(NEW))
    sums = summed(found)
    (money,) = freight(sums).to_dicts()
    explained = rules(sums)
    assert (
        money["difference_minor"]
        == explained["difference_minor"].sum()
        == found["difference_minor"].sum()
        != 0
    )
    assert money["freight_new_minor"] - money["freight_old_minor"] == money["difference_minor"]
    assert listed(found)["difference_minor"].sum() == money["difference_minor"]
    assert explained["shipments"].sum() == found.height
    assert explained["changed"].sum() == listed(found).height
    for keys in (("courier", "service"), ("warehouse",)):
        counted = mix(sums, keys)
        assert counted["shipments_old"].sum() == counted["shipments_new"].sum() == found.height
        assert counted["freight_new_minor"].sum() == found["freight_new_minor"].sum()


def test_by_hand() -> None:
    def one(key: str, weight: int, province: str = "浙江省") -> dict[str, Any]:
        at = "2026-11-10T02:00:00Z"
        return shipment(key, [head(f"taobao:a:{key}", placed_at=at, paid_at=at)], [shipped_line(f"taobao:a:{key}")],
                        weight_g=weight, recipient=RECIPIENT | {"province": province})  # fmt: skip

    shipments = batch(
        one("A", 500), one("B", 1500), one("C", 3000), one("D", 3000, "西藏自治区"), one("E", 99_000)
    )
    found = compared(shipments, parse(OLD), parse(NEW))
    assert rules(summed(found)).rows() == [
        ("rest", "zto", "rest", "zto", 1, 1, "CNY", "CNY", 500, 540, 40),
        ("rest", "zto", "november", "yto", 1, 1, "CNY", "CNY", 400, 380, -20),
        ("november", "yto", "november", "yto", 1, 0, "CNY", "CNY", 280, 280, 0),
        ("far", None, "far", None, 1, 0, None, None, None, None, None),
        (None, None, None, None, 1, 0, None, None, None, None, None),
    ]
    assert totals(summed(found)).rows() == [
        ("shipments", 5, 5, 0), ("no_courier", 1, 1, 0), ("no_warehouse", 0, 0, 0), ("unpriced", 2, 2, 0), ("held", 0, 0, 0),
    ]  # fmt: skip
    assert listed(found)["changed"].to_list() == ["courier, freight", "freight"]


def test_what_only_one_side_prices_is_no_difference() -> None:
    gone = NEW.replace("id: zto\n    courier: ZTO", "id: zto\n    courier: OTHER")
    found = compared(sent(), parse(OLD), parse(gone))
    (money,) = freight(summed(found)).to_dicts()
    lost = found.filter(pl.col("freight_old_minor").is_not_null() & pl.col("freight_new_minor").is_null())
    assert (money["only_old"], money["only_old_minor"]) == (lost.height, lost["freight_old_minor"].sum())
    assert lost.height > 0
    assert lost["difference_minor"].null_count() == lost.height


def test_commitments_do_not_bind_and_pins_do() -> None:
    shipments = sent(8)
    subject, other = "S003", "S005"
    bound = dict.fromkeys(COMMITMENTS) | {
        "shipment_id": subject,
        "order_id": "taobao:a:3",
        "line_ref": "1",
        "quantity": 1,
        "courier": "DHL",
    }
    pin = {"subject": other, "decision": "pin", "payload": '{"courier": "SF"}', "reason": "x", "actor": "y",
           "at": "2026-11-01T00:00:00Z"}  # fmt: skip
    facts = Facts(
        commitments=pl.DataFrame([bound], schema=COMMITMENTS), decisions=pl.DataFrame([pin], schema=DECISIONS)
    )
    at = routed_at(shipments, "paid")
    with_pins = replay(shipments, parse("couriers: [{name: all, use: ZTO}]"), facts, at)
    assert with_pins["courier"].to_list() == ["ZTO"] * 5 + ["SF"] + ["ZTO"] * 2
    sums = summed(side_by_side(with_pins, with_pins, at))
    assert set(rules(sums)["rule_old"].to_list()) == {"all", "(pin)"}


def test_nothing_is_an_answer_too() -> None:
    made = tables_of(added([]), no_rows())
    assert made["shipments"].is_empty()
    assert made["freight"].is_empty()
    assert made["totals"]["old"].to_list() == [0] * 5


def test_one_row_a_shipment_whatever_the_number_of_days() -> None:
    shipments = sent(60)
    found = replay(shipments, parse(OLD), Facts(), routed_at(shipments, "paid"))
    assert found["shipment_id"].to_list() == shipments["shipment_id"].to_list()
    assert replay(shipments[:0], parse(OLD), Facts(), routed_at(shipments[:0], "paid")).is_empty()


def test_days_until_delivery_are_compared_where_both_sides_tell_them() -> None:
    base = "couriers: [{name: far, when: {province: 西藏}, use: EMS}, {name: rest, use: %s}]\n"
    days = (
        "transit: [{courier: ZTO, days: 2}, {courier: SF, days: 1}, {courier: SF, days: 0.5, from: 2026-11-01}]\n"
        "limits: [{courier: ZTO, cut_off: '17:30'}]\n"
    )
    rows = [
        shipment(
            f"S-{n}",
            [head(f"taobao:t:{n}", paid_at=at)],
            [shipped_line(f"taobao:t:{n}")],
            recipient=RECIPIENT | {"province": province},
        )
        for n, (at, province) in enumerate(
            [
                ("2026-10-23T09:29:00Z", "浙江省"),  # 17:29 in Shanghai: collected that day
                ("2026-10-23T09:30:00Z", "浙江省"),  # 17:30: a day later
                ("2026-11-23T01:00:00Z", "浙江省"),  # SF has become faster
                ("2026-11-23T01:00:00Z", "西藏自治区"),  # nothing tells of EMS
            ]
        )
    ]
    frame = batch(*rows)
    at = routed_at(frame, "paid")
    old, new = (replay(frame, parse(base % courier + days), Facts(), at) for courier in ("ZTO", "SF"))
    assert old["days"].to_list() == [200, 300, 200, None]
    assert new["days"].to_list() == [100, 100, 50, None]
    all_of, other = tables_of(summed(side_by_side(old, new, at)), None)["transit"].to_dicts()
    means = {"days_old_hundredths": 233, "days_new_hundredths": 83, "difference_days_hundredths": -150}
    assert all_of == {"what": "shipments", "shipments": 3, **means, "unknown": 1}
    assert other == {"what": "another_courier", "shipments": 3, **means, "unknown": 0}
    untold = replay(frame, parse(base % "ZTO"), Facts(), at)
    assert tables_of(summed(side_by_side(untold, new, at)), None)["transit"].is_empty()
