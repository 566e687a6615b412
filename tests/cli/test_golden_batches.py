"""`orderctl rules test` over golden batches: what comes out otherwise is named, shipment by shipment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from orderctl.cli.commands import rules
from orderctl.cli.exits import Tally
from orderctl.cli.session import Session
from orderctl.model.errors import ConfigError, DataError, InputMissing, UsageError
from orderctl.ports import batches
from tests.stages.reports.world import batch, head, shipment, shipped_line

RULES = """
couriers:
  - {name: evening, when: {hour: {gte: 18}}, use: {courier: SF, service: fast}}
  - {name: rest, use: ZTO}
templates: [{name: usual, use: 76x130}]
tariffs:
  - {id: zto, courier: ZTO, zones: [{id: all, countries: [CN], first_weight_kg: 1, first_price: 3, step_price: 1}]}
tests:
  - {name: own, given: {hour: 20}, expect: {courier: SF}}
golden:
  - {name: a day, batch: golden/day.jsonl, expected: golden/day.csv}
"""
Run = Callable[..., Tally]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop" / "golden").mkdir(parents=True)
    Path("shop/rules.yaml").write_text(RULES, encoding="utf-8")
    rows = [
        shipment(key, [head(f"taobao:a:{key}", paid_at=at)], [shipped_line(f"taobao:a:{key}")], weight_g=500)
        for key, at in (("S1", "2026-10-01T02:00:00Z"), ("S2", "2026-10-01T12:00:00Z"))
    ]
    batches.write_batch([batch(*rows)], "shop/golden/day.jsonl", kind="shipment/1", format="jsonl")

    def call(lang: str = "en", accept: bool = False) -> Tally:
        session = Session("rules test", state_path="state", asked_now="2026-11-24T05:30:28Z", lang=lang)
        rules.test(session, "shop/rules.yaml", accept)
        return session.tally

    return call


def expect(*lines: str) -> None:
    Path("shop/golden/day.csv").write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def test_a_batch_that_comes_out_as_expected(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    expect("shipment_id,courier,service,template,freight_minor", "S2,SF,fast,76x130,", "S1,ZTO,,76x130,300")
    assert run().code() == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "orderctl rules test: 2 of 2 rule tests passed\n")


def test_what_comes_out_otherwise_is_named(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    expect("shipment_id,courier,freight_minor,rule", "S1,YTO,280,rest", "S3,SF,,evening")
    assert run().code() == 3
    told = capsys.readouterr()
    place = "shop/rules.yaml:11:5: 'a day': "
    assert told.out.splitlines() == [
        place + "S1: courier should be YTO, is ZTO; freight_minor should be 280, is 300",
        place + "S2 is in the batch and not expected",
        place + "S3 is expected and not in the batch",
    ]
    assert told.err == "orderctl rules test: 1 of 2 rule tests passed\n"
    run("zh")
    assert "S1：courier 应为 YTO，实为 ZTO；" in capsys.readouterr().out.replace("; ", "；")


def test_an_empty_cell_expects_nothing(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    expect("shipment_id,service", "S1,", "S2,")
    assert run().code() == 3
    assert "S2: service should be -, is fast" in capsys.readouterr().out


def test_accepting_writes_what_is_chosen_now_and_then_it_holds(run: Run) -> None:
    assert run(accept=True).code() == 0
    first = Path("shop/golden/day.csv").read_text("utf-8")
    assert (
        first.splitlines()[0]
        == "shipment_id,warehouse,courier,service,template,freight_minor,freight_currency"
    )
    assert run().code() == 0
    expect("shipment_id,courier", "S1,old", "S9,old")
    run(accept=True)
    assert Path("shop/golden/day.csv").read_text("utf-8") == "shipment_id,courier\nS1,ZTO\nS2,SF\n"


def test_tables_may_be_parquet_and_orders_are_shipments_of_their_own(run: Run) -> None:
    from tests.stages.samples import order, orders

    text = RULES.replace("golden/day.jsonl", "golden/o.jsonl").replace("day.csv", "day.parquet")
    Path("shop/rules.yaml").write_text(text, encoding="utf-8")
    batches.write_batch([orders(order("1"))], "shop/golden/o.jsonl", kind="order/1", format="jsonl")
    pl.DataFrame({"shipment_id": ["x"], "courier": ["ZTO"]}).write_parquet("shop/golden/day.parquet")
    assert run().code() == 3
    with pytest.raises(UsageError, match="only CSV is written"):
        run(accept=True)


def test_what_cannot_be_compared_is_told(run: Run) -> None:
    with pytest.raises(InputMissing, match=r"golden/day\.csv: there is no such table"):
        run()
    expect("shipment_id,couriers", "S1,X")
    with pytest.raises(DataError) as caught:
        run()
    assert "nothing to compare with the column couriers (did you mean 'courier'?)" in caught.value.render()
    expect("courier", "X")
    with pytest.raises(DataError, match="has no column shipment_id"):
        run()
    expect("shipment_id,courier", "S1,X", "S1,Y")
    with pytest.raises(DataError, match="S1 is there twice"):
        run()
    Path("shop/golden/day.jsonl").unlink()
    with pytest.raises(InputMissing):
        run()
    Path("shop/rules.yaml").write_text(RULES.replace("day.csv}", "day.csv, at: noon}"), encoding="utf-8")
    with pytest.raises(ConfigError, match="give one of paid, placed, printed"):
        run()
