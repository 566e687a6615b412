"""`orderctl rules simulate`, as it is called: forms, files, exit codes, the same bytes."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from orderctl.cli.commands import rules
from orderctl.cli.exits import Tally
from orderctl.cli.session import Session
from orderctl.model.errors import ConfigError, DataError, InputMissing, UsageError
from orderctl.model.facts import STOCK, Facts
from orderctl.model.schema import empty
from orderctl.ports import batches
from tests.stages.reports.world import batch, head, shipment, shipped_line

NOW = "2026-11-24T05:30:28Z"
RULES = """
couriers:
  - {{name: light, when: {{weight_g: {{lte: {light}}}}}, use: YTO}}
  - {{name: rest, use: ZTO}}
tariffs:
  - {{id: yto, courier: YTO, zones: [{{id: all, countries: [CN], first_weight_kg: 1, first_price: 3, step_price: 1}}]}}
  - {{id: zto, courier: ZTO, zones: [{{id: all, countries: [CN], first_weight_kg: 1, first_price: {price}, step_price: 1}}]}}
"""
Run = Callable[..., Tally]


def sent(*keys: str, weight_g: int = 500) -> pl.DataFrame:
    return batch(
        *(
            shipment(
                f"S{k}",
                [head(f"taobao:a:{k}", paid_at=f"2026-10-0{k[0]}T02:00:00Z")],
                [shipped_line(f"taobao:a:{k}", sku="MUG")],
                weight_g=weight_g,
            )
            for k in keys
        )
    )


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    Path("old.yaml").write_text(RULES.format(light=1000, price="3.5"), encoding="utf-8")
    Path("rules.yaml").write_text(RULES.format(light=800, price="4.5"), encoding="utf-8")
    batches.write_batch([sent("11", "12")], "a.jsonl", kind="shipment/1", format="jsonl")
    batches.write_batch([sent("21", "22", weight_g=900)], "b.parquet", kind="shipment/1", format="parquet")
    batches.write_batch([sent("31", weight_g=2500)], "c.jsonl", kind="shipment/1", format="jsonl")

    def call(
        *files: str, lang: str = "en", against: str = "old.yaml", rules_path: str = "rules.yaml",
        facts_path: str | None = None, **options: Any,
    ) -> Tally:  # fmt: skip
        session = Session(
            "rules simulate", state_path="state", asked_now=NOW, lang=lang, rules_path=rules_path, facts_path=facts_path
        )  # fmt: skip
        rules.simulate(session, against, list(files), **options)
        return session.tally

    return call


ALL = ("a.jsonl", "b.parquet", "c.jsonl")


def test_a_table_says_what_changes_and_by_which_rule(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*ALL, by=["freight", "rules"]).code() == 0
    told = capsys.readouterr()
    lines = [" ".join(line.split()) for line in told.out.splitlines()]
    assert "CNY 5 17.50 21.50 4.00 22.9" in lines
    assert "light yto rest zto 2 2 CNY 6.00 9.00 3.00" in lines
    assert "rest zto rest zto 1 1 CNY 5.50 6.50 1.00" in lines
    assert "light yto light yto 2 0 CNY 6.00 6.00 0.00" in lines
    assert told.err == "orderctl rules simulate: 5 shipments, 3 affected\n"


def test_a_frozen_stock_is_dealt_out_to_all_files_at_once(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("hz", "MUG", None, 1, None), ("gz", "MUG", None, 1, None)]
    frozen = Facts(stock=pl.DataFrame(rows, schema=STOCK, orient="row"))
    Path("facts.json").write_text(frozen.to_json(), encoding="utf-8")
    for name, houses in (("old", "hz"), ("new", "[hz, gz]")):
        text = f"warehouses: [{{name: all, use: {houses}}}]\n" + RULES.format(light=1000, price=5)
        Path(f"{name}.yaml").write_text(text, encoding="utf-8")
    run(*ALL, by=["splits"], rules_path="new.yaml", facts_path="facts.json", format="jsonl")
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = {row["what"]: (row["old"], row["new"]) for row in told}
    assert found["shipments"] == (5, 5)
    assert found["out_of_stock"] == (4, 3)
    with pytest.raises(UsageError, match="no stock"):
        run(*ALL, by=["splits"])


def test_the_list_of_the_affected_is_a_csv(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run(*ALL, format="csv")
    head_, *rows = capsys.readouterr().out.splitlines()
    assert head_.startswith("Shipment,Judged at,What changes,")
    assert [row.split(",")[0] for row in rows] == ["S21", "S22", "S31"]
    assert '"courier, freight"' in rows[0]


def test_every_form_can_be_written_and_is_the_same_bytes_twice(run: Run) -> None:
    for name in ("s.txt", "s.csv", "s.xlsx", "s.jsonl", "s.parquet", "s.html"):
        run(*ALL, output=name)
        first = Path(name).read_bytes()
        run(*ALL, output=name)
        assert Path(name).read_bytes() == first, name
    assert zipfile.is_zipfile("s.xlsx")
    assert pl.read_parquet("s.parquet")["difference_minor"].to_list() == [150, 150, 100]
    rows = [json.loads(line) for line in Path("s.jsonl").read_text("utf-8").splitlines()]
    assert {row["table"] for row in rows} == {
        "totals",
        "freight",
        "rules",
        "couriers",
        "warehouses",
        "shipments",
    }
    page = Path("s.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "<title>What other rules would have changed, 2026-11-24 13:30 Asia/Shanghai</title>" in page
    assert "<script" not in page


def test_the_page_is_whole_in_chinese(run: Run) -> None:
    run(*ALL, output="s.html", lang="zh")
    page = Path("s.html").read_text("utf-8")
    assert '<html lang="zh-CN">' in page
    for word in ("Shipments", "Freight", "Before", "Dearer", "Couriers"):
        assert word not in page


def test_how_files_divide_the_shipments_makes_no_difference(run: Run, tmp_path: Path) -> None:
    whole = pl.concat([sent("11", "12"), sent("21", "22", weight_g=900), sent("31", weight_g=2500)])
    batches.write_batch([whole], "whole.jsonl", kind="shipment/1", format="jsonl")
    run("whole.jsonl", output="one.jsonl")
    run(*ALL, output="three.jsonl")
    assert Path("one.jsonl").read_bytes() == Path("three.jsonl").read_bytes()


def test_a_shipment_in_several_files_counts_once_as_it_last_was(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    batches.write_batch([sent("11", weight_g=900)], "later.jsonl", kind="shipment/1", format="jsonl")
    run("a.jsonl", "later.jsonl", format="jsonl", by=["shipments"])
    told = capsys.readouterr()
    (row,) = map(json.loads, told.out.splitlines())
    assert (row["shipment_id"], row["freight_old_minor"], row["freight_new_minor"]) == ("S11", 300, 450)
    assert "1 shipments stand in several files and count once" in told.err


def test_orders_are_simulated_as_shipments_of_their_own(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.stages.samples import order, orders

    batches.write_batch([orders(order("1"), order("2"))], "o.jsonl", kind="order/1", format="jsonl")
    run("o.jsonl", format="jsonl", by=["totals"])
    assert json.loads(capsys.readouterr().out.splitlines()[0])["old"] == 2


def test_no_shipments_are_an_answer(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    batches.write_batch([empty("shipment/1")], "none.jsonl", kind="shipment/1", format="jsonl")
    assert run("none.jsonl", output="s.html").code() == 0
    assert "No shipments in these batches." in Path("s.html").read_text("utf-8")


def test_rejects_end_with_3_and_the_rest_is_done(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with Path("a.jsonl").open("a", encoding="utf-8") as sink:
        sink.write("{half\n")
    assert run(*ALL, format="jsonl", by=["totals"]).code() == 3
    assert json.loads(capsys.readouterr().out.splitlines()[0])["old"] == 5


def test_what_is_wrong_is_told_before_anything_is_read(run: Run) -> None:
    with pytest.raises(UsageError, match="--by planet: no such report"):
        run("missing.jsonl", by=["planet"])
    with pytest.raises(UsageError, match="csv holds one table, not 2"):
        run("missing.jsonl", by=["totals", "rules"], format="csv")
    with pytest.raises(UsageError, match="--at yesterday: give one of paid, placed, printed, or an instant"):
        run("missing.jsonl", at="yesterday")
    with pytest.raises(UsageError, match="stdin can be read once only"):
        run("-", "-")
    with pytest.raises(InputMissing):
        run("missing.jsonl")
    with pytest.raises(InputMissing):
        run(*ALL, against="missing.yaml")


def test_garbage_and_bad_rules_are_told(run: Run) -> None:
    Path("x.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(DataError, match="a PNG image"):
        run("x.png")
    Path("bad.yaml").write_text("couriers: [{nam: x}]", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"bad\.yaml:1:13"):
        run(*ALL, against="bad.yaml")


def test_nobody_is_on_the_page(run: Run) -> None:
    run(*ALL, output="s.html")
    page = Path("s.html").read_text("utf-8")
    assert not any(private in page for private in ("测试甲", "13800000001", "样例路"))
