"""A person's choice is kept, survives every re-run, is shown as such, and can be taken back."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from orderctl.cli.pinning import Pin, keep_pins, merged, parse_choice, pin_asked, read_pins
from orderctl.cli.session import Session
from orderctl.model.errors import UsageError
from orderctl.model.facts import Facts
from orderctl.ports import batches
from orderctl.stages.explain import explain
from orderctl.stages.merge import MergeRules, merge
from orderctl.stages.reports.listing import ALIASES, listed
from orderctl.stages.route import route
from tests.stages.samples import order, orders
from tests.stages.test_route import NOW, batch, shipment

RULES = """
warehouses: [{name: all, use: [hz, gz]}]
couriers:
  - {name: fast, when: {weight_g: {gt: 99999}}, use: {courier: SF, service: 特快, account: sf}}
  - {name: all, use: {courier: ZTO, account: zto}, otherwise: YTO}
not_served: [{courier: YTO, province: 浙江}]
"""
FIRST, SECOND = "taobao:main:a", "taobao:main:b"


@pytest.fixture
def desk(tmp_path: Path) -> Session:
    (tmp_path / "orderctl.yaml").write_text("state: state\n")
    (tmp_path / "rules.yaml").write_text(RULES, "utf-8")
    return Session("route", config_path=str(tmp_path / "orderctl.yaml"), asked_now=NOW)


def facts_of(desk: Session) -> Facts:
    return desk.facts()


def chosen(desk: Session, frame: pl.DataFrame) -> list[tuple[str, str, str | None, str]]:
    once = route(frame, desk.book, facts_of(desk), NOW)
    again = route(once, desk.book, facts_of(desk), NOW)
    assert again.equals(once), "a re-run keeps what is pinned"
    steps = [{s["step"]: s["reason"] for s in row["decision"]} for row in once.to_dicts()]
    return [
        (row["warehouse"], row["courier"], row["service"], step["courier"])
        for row, step in zip(once.to_dicts(), steps, strict=True)
    ]


def keep(desk: Session, *pins: tuple[str, str]) -> None:
    keep_pins(desk, "-", [Pin(name, parse_choice(choice), "asked by phone", name) for name, choice in pins])


def test_a_pin_goes_before_the_rules_and_can_be_taken_back(desk: Session) -> None:
    frame = batch(shipment(), shipment("b"))
    keep(desk, (FIRST, "SF/特快,warehouse=gz"))
    assert chosen(desk, frame) == [("gz", "SF", "特快", "pinned"), ("hz", "ZTO", None, "rule")]
    keep_pins(desk, "-", [Pin(FIRST, {}, "no longer", FIRST)])
    assert [row[1] for row in chosen(desk, frame)] == ["ZTO", "ZTO"]


def test_who_pinned_it_and_why_stands_in_the_trail_and_in_explain(desk: Session) -> None:
    keep(desk, (FIRST, "SF"))
    row = route(batch(shipment()), desk.book, facts_of(desk), NOW).to_dicts()[0]
    (step,) = [s for s in row["decision"] if s["step"] == "courier"]
    params = {p["name"]: p["value"] for p in step["params"]}
    assert (step["outcome"], params["account"], params["pinned_why"]) == ("SF", "sf", "asked by phone")
    told = explain(row, desk.book, facts_of(desk), NOW).render()
    assert f"pinned by {params['pinned_by']}: asked by phone" in told


def test_another_courier_does_not_keep_the_service_of_the_one_before(desk: Session) -> None:
    assert merged({"courier": "SF", "service": "特快", "warehouse": "gz"}, {"courier": "ZTO"}) == {
        "courier": "ZTO",
        "warehouse": "gz",
    }
    keep(desk, (FIRST, "SF/特快"), (FIRST, "warehouse=gz"), (FIRST, "ZTO"))
    assert chosen(desk, batch(shipment())) == [("gz", "ZTO", None, "pinned")]


def test_a_pin_belongs_to_the_orders_of_a_shipment(desk: Session, tmp_path: Path) -> None:
    path = str(tmp_path / "shipments.jsonl")
    frame = merge(orders(order("1")), MergeRules(), Facts(), NOW)
    batches.write_batch([frame], path, kind="shipment/1", format=batches.format_of(path, None))
    (name,) = frame["shipment_id"]
    keep_pins(desk, path, [Pin(name, {"courier": "SF"}, "asked", name)])
    with desk.ledger() as ledger:
        assert (
            ledger.decisions()["subject"].to_list() == frame["orders"].explode().struct["order_id"].to_list()
        )
    renamed = frame.with_columns(shipment_id=pl.lit("S-joined-anew"))
    assert [row[1] for row in chosen(desk, renamed)] == ["SF"]
    with pytest.raises(UsageError, match="the batch has no shipment S-z"):
        keep_pins(desk, path, [Pin("S-z", {"courier": "SF"}, "asked", "S-z")])


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])
def test_a_table_of_pins(desk: Session, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"pins.{suffix}"
    table = pl.DataFrame(
        {
            "单号": [FIRST, SECOND, "taobao:main:c"],
            "courier": ["ZTO", "ZTO", "ZTO"],
            "pin_courier": ["SF", None, None],
            "pin_warehouse": ["gz", "gz", None],
            "原因": ["vip", None, None],
        }
    )
    write = {"csv": table.write_csv, "xlsx": table.write_excel, "parquet": table.write_parquet}
    write[suffix](path)
    pins = read_pins(str(path), "by list")
    assert [(p.id, dict(p.choices), p.reason) for p in pins] == [
        (FIRST, {"courier": "SF", "warehouse": "gz"}, "vip"),
        (SECOND, {"warehouse": "gz"}, "by list"),
    ]
    keep_pins(desk, "-", pins)
    assert chosen(desk, batch(shipment(), shipment("b"))) == [
        ("gz", "SF", "特快", "pinned"),
        ("gz", "ZTO", None, "rule"),
    ]
    pl.DataFrame({"id": [FIRST], "courier": ["-"]}).write_csv(tmp_path / "back.csv")
    pin_asked(desk, "-", pin=None, unpin=None, pins=str(tmp_path / "back.csv"), reason="over")
    assert [row[1] for row in chosen(desk, batch(shipment()))] == ["ZTO"]


def test_a_list_of_what_is_routed_goes_out_and_comes_back(desk: Session, tmp_path: Path) -> None:
    keep(desk, (FIRST, "SF/特快,warehouse=gz"))
    frame = batch(shipment(), shipment("b"))
    routed = route(frame, desk.book, facts_of(desk), NOW)
    shown = listed(routed, "shipment/1", "en").select("order_ids", "courier", *ALIASES["pinned"])
    assert shown.rows() == [
        (FIRST, "SF", "SF", "特快", "gz", "asked by phone"),
        (SECOND, "ZTO", None, None, None, None),
    ]
    path = tmp_path / "list.xlsx"
    filled = shown.with_columns(pin_warehouse=pl.lit("gz")).rename({"order_ids": "编号"})
    filled.write_excel(path)
    before = facts_of(desk).decisions
    keep_pins(desk, "-", read_pins(str(path), "all from there"))
    after = facts_of(desk).decisions
    assert after.filter(subject=FIRST).equals(before), "what is pinned already stays as it was said"
    assert chosen(desk, frame) == [("gz", "SF", "特快", "pinned"), ("gz", "ZTO", None, "rule")]


def test_what_cannot_be_shipped_is_not_pinned_and_nothing_of_the_list_is(desk: Session) -> None:
    for choice, said in {
        "warehouse=gx": "no rule uses the warehouse gx",
        "ZT0": "no rule uses the courier ZT0",
        "service=特快": "a service or an account needs its courier",
        "curier=SF": "a pin names a courier",
        "SF,ZTO": "say each choice once",
    }.items():
        with pytest.raises(UsageError, match=said):
            keep(desk, (SECOND, "SF"), (FIRST, choice))
    with pytest.raises(UsageError, match="--reason is needed"):
        keep_pins(desk, "-", [Pin(FIRST, {"courier": "SF"}, "", FIRST)])
    with desk.ledger() as ledger:
        assert ledger.decisions().is_empty()


def test_a_pin_that_does_not_deliver_is_kept_and_blocked(desk: Session) -> None:
    keep(desk, (FIRST, "YTO"))
    (row,) = route(batch(shipment()), desk.book, facts_of(desk), NOW).to_dicts()
    assert row["courier"] == "YTO"
    assert "not_served" in [problem["code"] for problem in row["problems"]]


def test_pins_are_frozen_with_the_other_facts(desk: Session, tmp_path: Path) -> None:
    keep(desk, (FIRST, "SF"))
    path = tmp_path / "facts.json"
    path.write_text(facts_of(desk).to_json(), "utf-8")
    assert json.loads(path.read_text("utf-8"))["decisions"]
    frozen = Session("route", config_path=desk.config_path, asked_now=NOW, facts_path=str(path))
    keep_pins(desk, "-", [Pin(FIRST, {}, "later", FIRST)])
    assert [row[1] for row in chosen(frozen, batch(shipment()))] == ["SF"]
