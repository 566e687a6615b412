"""Laws of the whole choice: one courier at most, nothing below changes what is above, threads change no byte."""

from __future__ import annotations

import os
import subprocess
import sys
from random import Random
from typing import Any

import polars as pl
import pytest
import yaml
from polars.testing import assert_frame_equal

from orderctl.model.facts import Facts
from orderctl.stages.route import route
from orderctl.stages.rules.parse import parse
from tests.stages.rules import generated
from tests.stages.test_route import NOW, batch, shipment

COURIERS = ["YTO", "ZTO", "EMS", "SF"]
PLACES = ["浙江省", "新疆", "广东", None]


def dumped(told: dict[str, Any]) -> str:
    """Write rules; what comes last may grow without moving the lines of the rest."""
    return yaml.safe_dump(told, allow_unicode=True, sort_keys=False)


def rules(seed: int, count: int) -> str:
    """Give tag rules, courier rules with fallbacks and ranks, entries of what is not served and days, as text."""
    random = Random(seed)
    couriers: list[dict[str, Any]] = [
        {
            "name": f"r{n}",
            "when": generated.condition(random),
            "use": random.choice(COURIERS),
            "otherwise": random.sample(COURIERS, random.randint(0, 3)),
        }
        for n in range(count)
    ]
    for rule in couriers[::3]:
        rule |= {"use": random.sample(COURIERS, 3), "rank": {"price": 0, "day": "0.8", "wish": "1.5"}}
    tags = [
        {"name": f"t{n}", "when": generated.condition(random, 1), "add": random.choice(["vip", "express"]), "stop": random.random() < 0.3}
        for n in range(3)
    ]  # fmt: skip
    refused = [
        {"courier": random.choice(COURIERS), "province": random.choice(["浙江", "新疆", "广东"])}
        for _ in range(4)
    ]
    days = [{"courier": courier, "days": random.randint(1, 5)} for courier in random.sample(COURIERS, 3)]
    days += [{"courier": "EMS", "province": "新疆", "days": 2}]
    return dumped({"tags": tags, "not_served": refused, "transit": days, "couriers": couriers})


def shipments(seed: int, count: int) -> pl.DataFrame:
    random = Random(seed)
    rows = [
        shipment(
            str(n),
            note=random.choice([None, *generated.NOTES]),
            weight_g=random.choice([None, *generated.VALUES["weight_g"]]),
            total_minor=random.choice(generated.VALUES["total_minor"]),
            tags=random.sample(["vip", "express"], random.randint(0, 1)),
            recipient={"province": random.choice(PLACES), "street": random.choice(generated.STREETS)},
        )
        for n in range(count)
    ]
    return batch(*rows)


@pytest.mark.parametrize("seed", range(8))
def test_a_rule_appended_below_changes_nothing_already_matched(seed: int) -> None:
    text, frame = rules(seed, 8), shipments(seed, 60)
    before = route(frame, parse(text), Facts(), NOW)
    longer = yaml.safe_load(text)
    longer["couriers"].append({"name": "last", "use": "JD"})
    after = route(frame, parse(dumped(longer)), Facts(), NOW)
    unmatched = before["problems"].list.eval(pl.element().struct.field("code") == "no_courier").list.any()
    assert_frame_equal(before.filter(~unmatched), after.filter(~unmatched))
    assert set(after.filter(unmatched)["courier"]) <= {"JD", None}, "none where JD itself were refused"


@pytest.mark.parametrize("seed", range(8))
def test_a_shipment_has_one_courier_or_the_reason_why_none_and_any_division_gives_the_same(seed: int) -> None:
    book, frame = parse(rules(seed, 8)), shipments(seed, 60)
    whole = route(frame, book, Facts(), NOW)
    assert whole["shipment_id"].to_list() == frame["shipment_id"].to_list()
    for row in whole.to_dicts():
        said = {p["code"] for p in row["problems"]} & {"no_courier", "not_served"}
        assert len(said) == (row["courier"] is None)
        assert [s["outcome"] for s in row["decision"] if s["step"] == "courier"] == [row["courier"]]
    parts = [route(frame[at : at + 7], book, Facts(), NOW) for at in range(0, 60, 7)]
    assert_frame_equal(pl.concat(parts), whole)


def written(seed: int) -> str:
    """Give a routed batch as JSON lines; couriers take so many parcels a day."""
    limits = "limits: [{courier: YTO, parcels: 40}, {courier: SF, parcels: 30}]\n"
    return route(shipments(seed, 300), parse(rules(seed, 60) + limits), Facts(), NOW).write_ndjson()


def test_any_number_of_threads_gives_the_same_bytes() -> None:
    call = "from tests.stages.rules.test_route_laws import written; print(written(5), end='')"
    found = [
        subprocess.run(
            [sys.executable, "-c", call],
            env={**os.environ, "POLARS_MAX_THREADS": threads},
            capture_output=True,
            check=True,
        ).stdout
        for threads in ("1", "2", "7")
    ]
    assert found[0] == found[1] == found[2]
    assert found[0].count(b"\n") == 300
