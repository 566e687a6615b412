"""`orderctl view`, as it is called: choosing rows and columns, hiding persons, exact errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from orderctl.cli.commands import view
from orderctl.cli.session import Session
from orderctl.model.errors import UsageError
from orderctl.ports import batches
from tests.stages.reports.world import sample
from tests.stages.samples import line, order, orders

NOW = "2026-11-24T05:30:28Z"
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command on the sample and give what it wrote to stdout."""
    monkeypatch.chdir(tmp_path)
    batches.write_batch([sample()], "shipments.jsonl", kind="shipment/1", format="jsonl")
    some = orders(
        order("1", lines=[line(sku="TS")]),
        order("2", total_minor=99900, recipient={"name": "Ann \x1b[31mTest"}),
    )
    batches.write_batch([some], "orders.parquet", kind="order/1", format="parquet")

    def call(batch: str = "shipments.jsonl", *, lang: str = "en", **options: object) -> str:
        session = Session("view", state_path=str(tmp_path / "state"), asked_now=NOW, lang=lang)
        view.run(session, batch, **options)  # type: ignore[arg-type]
        assert session.tally.code() == 0
        return capsys.readouterr().out

    return call


def ids(text: str) -> list[str]:
    return [json.loads(row)["id"] for row in text.splitlines()]


def test_the_list_has_a_line_for_each_row_and_hides_persons(run: Run) -> None:
    head, rule, *rows = run().splitlines()
    assert head.split()[:4] == ["Id", "Platform", "Shop", "State"]
    assert set(rule) == {"─", " "}
    assert [row.split()[0] for row in rows] == ["S1", "S2", "S3", "S4", "S5", "S6"]
    assert "测试甲" not in "".join(rows)
    assert rows[4].endswith("no SKU is known for =1+1: add it to skus in the rules")


def test_the_list_speaks_chinese(run: Run) -> None:
    text = run(lang="zh", where="state = 'waiting'")
    assert text.splitlines()[0].startswith("编号  平台  店铺")
    assert "另一个进程正在处理" in text


def test_orders_are_listed_too_and_cannot_steer_the_terminal(run: Run) -> None:
    text = run("orders.parquet", unmask=True)
    assert "\x1b" not in text
    assert "Ann \\x1b[31mTest" in text
    assert text.splitlines()[3].split("  ")[0] == "shopify:main:2"


def test_unmask_shows_the_recipient(run: Run) -> None:
    chosen = {"columns": ["id,name", "phone"], "limit": 1, "format": "jsonl"}
    assert json.loads(run(**chosen)) == {"id": "S1", "name": "测**", "phone": "***0001"}
    assert json.loads(run(**chosen, unmask=True)) == {"id": "S1", "name": "测试甲", "phone": "13800000001"}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("platform = 'shopify' AND courier IS NOT NULL", ["S4", "S6"]),
        ("pieces > 2", ["S1", "S4"]),
        ("total >= 1000", ["S6"]),
        ("name = '测试甲' AND state IN ('printed', 'waiting')", ["S2", "S3"]),
        ("severity = 'block'", ["S5"]),
        ("findings LIKE '%SKU%'", ["S5"]),
        ("warehouse <> 'hz'", ["S3"]),
        ("weight_g IS NULL", ["S4", "S5"]),
        ("false", []),
    ],
)
def test_rows_are_chosen_by_sql(run: Run, where: str, expected: list[str]) -> None:
    assert ids(run(where=where, format="jsonl")) == expected


def test_rows_are_sorted_and_limited(run: Run) -> None:
    assert ids(run(sort=["pieces:desc", "id:desc"], limit=3, format="jsonl")) == ["S4", "S1", "S3"]
    assert ids(run(sort=["warehouse"], format="jsonl")) == ["S3", "S1", "S2", "S4", "S6", "S5"]


def test_groups_are_counted_the_largest_first(run: Run) -> None:
    rows = [json.loads(row) for row in run(group_by=["platform,currency"], format="jsonl").splitlines()]
    assert rows[0] == {"platform": "taobao", "currency": "CNY", "rows": 3, "pieces": 6}
    assert [row["rows"] for row in rows] == [3, 2, 1]


def test_groups_of_persons_are_counted_apart_and_shown_hidden(run: Run) -> None:
    rows = [json.loads(row) for row in run(group_by=["name"], format="jsonl").splitlines()]
    assert [(row["name"], row["rows"]) for row in rows] == [("T**", 3), ("测**", 3)]


def test_amounts_are_exact_in_every_form(run: Run, tmp_path: Path) -> None:
    run(columns=["id", "total", "currency"], output="v.csv")
    assert (tmp_path / "v.csv").read_text(encoding="utf-8-sig").splitlines()[6] == "S6,1000,JPY"
    run(columns=["id", "total", "currency"], output="v.parquet")
    assert pl.read_parquet(tmp_path / "v.parquet")["total"].to_list()[:2] == ["10.00", "10.00"]
    run(columns=["id", "total", "currency"], output="v.xlsx")
    assert pl.read_excel(tmp_path / "v.xlsx")["Total"].to_list()[-1] == 1000


def test_nested_columns_stay_nested_for_machines(run: Run) -> None:
    row = json.loads(run(columns=["id", "parcels"], limit=1, format="jsonl"))
    assert row["parcels"][0]["number"] == "ZT0000000001"
    assert '"number":"ZT0000000001"' in run(columns=["id", "parcels"], limit=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": ["platfrom"]}, "--columns platfrom: no such column (did you mean platform?)"),
        ({"where": "curier = 'SF'"}, "--where curier: no such column (did you mean courier?)"),
        ({"sort": ["total_minr"]}, "--sort total_minr: no such column (did you mean total_minor?)"),
        ({"sort": ["id:up"]}, "--sort id:up: give NAME or NAME:desc of a single value"),
        ({"group_by": ["lines"]}, "--group-by lines: holds lists, not single values"),
        ({"columns": ["id"], "group_by": ["shop"]}, "--columns and --group-by do not go together"),
        (
            {"columns": ["recipient"]},
            "--columns recipient: shows people as they are (add --unmask if that is meant)",
        ),
        ({"format": "html"}, "--format html: give one of table, csv, xlsx, jsonl, parquet"),
    ],
)
def test_errors_are_exact(run: Run, options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        run(**options)
    assert caught.value.render() == message


@pytest.mark.parametrize(
    "where", ["pieces >", "pieces", "courier > 3", "CAST(phone AS INT) > 3", "nosuch(id) = 1", ""]
)
def test_a_wrong_condition_is_told_without_anybodys_data(run: Run, where: str) -> None:
    with pytest.raises(UsageError) as caught:
        run("orders.parquet", where=where)
    assert caught.value.render().startswith(f"--where {where}: ")
    assert "Ann" not in caught.value.render()
    assert "13800000001" not in caught.value.render()
