"""`orderctl report`, as it is called: forms, endings, messages, exit codes."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from orderctl.cli.commands import report
from orderctl.cli.exits import Tally
from orderctl.cli.session import Session
from orderctl.cli.tabling import plain_lines, write_tables
from orderctl.model.errors import CannotCreate, DataError, InputMissing, UsageError
from orderctl.model.schema import empty
from orderctl.model.table import Table
from orderctl.ports import batches
from tests.stages.reports.world import sample

NOW = "2026-11-24T05:30:28Z"
Run = Callable[..., Tally]


@pytest.fixture
def shipments(tmp_path: Path) -> str:
    path = str(tmp_path / "shipments.jsonl")
    batches.write_batch([sample()], path, kind="shipment/1", format="jsonl")
    return path


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str, lang: str = "en", **options: object) -> Tally:
        session = Session("report", state_path=str(tmp_path / "state"), asked_now=NOW, lang=lang)
        report.run(session, *arguments, **options)  # type: ignore[arg-type]
        return session.tally

    return call


def test_without_a_name_it_is_an_overview(
    run: Run, shipments: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shipments).code() == 0
    told = capsys.readouterr()
    titles = [line for line in told.out.splitlines() if line.startswith(("Totals", "By "))]
    assert titles == ["Totals", "By platform", "By courier", "By province", "By product"]
    assert told.err == "orderctl report: 6 rows, 5 reports\n"


def test_a_table_in_a_pipe_is_plain_and_takes_no_notice_of_the_terminal(
    run: Run, shipments: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(shipments, lang="zh")
    first = capsys.readouterr().out
    for columns, term in (("20", "dumb"), ("400", "xterm-256color")):
        monkeypatch.setenv("COLUMNS", columns)
        monkeypatch.setenv("TERM", term)
        run(shipments, lang="zh")
        assert capsys.readouterr().out == first
    assert "\x1b" not in first
    assert all(line == line.rstrip() for line in first.splitlines())


def test_columns_of_chinese_tables_stand_below_each_other() -> None:
    table = Table("t", "t", pl.DataFrame({"a": ["杭州", "x"], "n": [1, 100]}), {"a": "城市", "n": "数"})
    assert plain_lines(table) == ["城市   数", "────  ───", "杭州    1", "x     100"]


def test_no_cell_steers_the_terminal() -> None:
    table = Table("t", "t", pl.DataFrame({"a": ["\x1b[2J\r\u202e", None]}), {})
    for to_terminal in (False, True):
        text = write_tables([table], to_terminal=to_terminal, titles=False).decode()
        assert "\x1b[2J" not in text
        assert "\\x1b[2J\\r\\u202e" in text


def test_on_a_terminal_the_table_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    long = Table("t", "t", pl.DataFrame({"a": ["很长的文字" * 30], "n": [1]}), {})
    lines = write_tables([long], to_terminal=True).decode().splitlines()
    assert len(lines) > 8


def test_the_form_is_told_by_the_ending(run: Run, shipments: str, tmp_path: Path) -> None:
    for name in ("r.xlsx", "r.html", "r.jsonl", "r.txt"):
        run(shipments, output=name)
    run(shipments, ["courier"], output="r.csv")
    assert zipfile.is_zipfile(tmp_path / "r.xlsx")
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tmp_path / "r.txt").read_text(encoding="utf-8").startswith("Totals\n")
    assert (tmp_path / "r.csv").read_bytes().startswith(b"\xef\xbb\xbfCourier,")
    rows = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows[0]["report"] == "totals"
    assert (rows[0]["currency"], rows[0]["goods_minor"], rows[0]["freight_minor"]) == ("CNY", 8600, 3700)


def test_every_form_is_the_same_bytes_twice(run: Run, shipments: str, tmp_path: Path) -> None:
    for name in ("r.xlsx", "r.html", "r.jsonl", "r.txt"):
        run(shipments, output=name)
        first = (tmp_path / name).read_bytes()
        run(shipments, output=name)
        assert (tmp_path / name).read_bytes() == first


def test_csv_on_stdout_has_no_mark_and_codes_not_names(
    run: Run, shipments: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shipments, ["courier"], format="csv", lang="zh")
    head, first, *_ = capsys.readouterr().out.splitlines()
    assert head.startswith("快递公司,币种,订单,发货单")
    assert first.startswith("ZTO,CNY,3,2,2,5,82.67,CNY,19.00,")
    run(shipments, ["courier"], format="csv", bom=True)
    assert capsys.readouterr().out.startswith("\ufeffCourier")


def test_the_workbook_has_a_sheet_for_each_report(run: Run, shipments: str, tmp_path: Path) -> None:
    run(shipments, output="r.xlsx", lang="zh")
    sheets = pl.read_excel(io.BytesIO((tmp_path / "r.xlsx").read_bytes()), sheet_id=0)
    assert list(sheets)[:4] == ["合计", "按进度", "按日期", "按平台"]
    assert sheets["合计"]["货值"].to_list() == [86, 64.99, 1234]


def test_orders_are_reported_like_shipments_of_their_own(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.stages.samples import order, orders

    path = str(tmp_path / "orders.jsonl")
    batches.write_batch([orders(order("1"), order("2"))], path, kind="order/1", format="jsonl")
    run(path, ["totals"], format="jsonl")
    row = json.loads(capsys.readouterr().out)
    assert (row["orders"], row["shipments"], row["goods_minor"], row["freight_minor"]) == (2, 2, 2000, None)


@pytest.mark.parametrize("form", ["table", "jsonl", "html", "xlsx"])
def test_an_empty_batch_is_an_empty_report(run: Run, tmp_path: Path, form: str) -> None:
    path = str(tmp_path / "none.jsonl")
    batches.write_batch([empty("shipment/1")], path, kind="shipment/1", format="jsonl")
    assert run(path, output="out", format=form).code() == 0
    assert (tmp_path / "out").exists()


def test_csv_holds_one_report(run: Run, shipments: str) -> None:
    with pytest.raises(UsageError) as caught:
        run(shipments, output="r.csv")
    assert (
        caught.value.render()
        == "CSV holds one report, not 5 (name one with --by, or write .xlsx, .html or .jsonl)"
    )


def test_an_unknown_form_or_report_is_told_before_anything_is_read(run: Run) -> None:
    with pytest.raises(UsageError, match="--format pdf: give one of table, csv, xlsx, jsonl, html"):
        run("missing.jsonl", format="pdf")
    with pytest.raises(UsageError, match="no such report"):
        run("missing.jsonl", ["planet"])


def test_garbage_is_told(run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputMissing):
        run("missing.jsonl")
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(DataError, match="a PNG image"):
        run("x.png")


def test_a_place_that_cannot_be_written_is_told(run: Run, shipments: str) -> None:
    with pytest.raises(CannotCreate):
        run(shipments, output="no/such/folder/r.html")


def test_rejects_end_with_3(run: Run, shipments: str, tmp_path: Path) -> None:
    with Path(shipments).open("a", encoding="utf-8") as sink:
        sink.write("{half\n")
    assert run(shipments, output="r.txt").code() == 3
