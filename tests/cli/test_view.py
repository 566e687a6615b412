"""`orderctl view`, as it is called: choosing rows and columns, hiding persons, exact errors."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import select
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from rich.cells import cell_len

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
    assert {k: rows[0][k] for k in ("platform", "currency", "rows", "pieces", "total_CNY")} == {
        "platform": "taobao", "currency": "CNY", "rows": 3, "pieces": 6, "total_CNY": "30.00",
    }  # fmt: skip
    assert [row["rows"] for row in rows] == [3, 2, 1]


def test_several_groupings_are_tables_of_their_own_and_add_up_to_the_row_over_all(run: Run) -> None:
    text = run(group_by=["platform", "state,currency"], sum=True)
    first, second = text.split("\n\n")
    assert first.splitlines()[0] == "By Platform"
    assert second.splitlines()[0] == "By State, Currency"
    assert first.splitlines()[-1].split() == second.splitlines()[-1].replace("-", "").split()
    assert first.splitlines()[-1].split()[:2] == ["all", "6"]
    rows = [json.loads(row) for row in run(group_by=["currency"], sum=True, format="jsonl").splitlines()]
    assert rows[-1]["currency"] is None
    for name in ("rows", "orders", "pieces"):
        assert sum(row[name] for row in rows[:-1]) == rows[-1][name]
    assert [row["total_JPY"] for row in rows] == [None, None, "1000"] or rows[-1]["total_JPY"] == "1000"


def test_the_sum_alone_is_one_row(run: Run) -> None:
    (row,) = (json.loads(line) for line in run(sum=True, format="jsonl").splitlines())
    assert row["rows"] == 6
    assert row["total_JPY"] == "1000"
    assert run(sum=True, lang="zh").splitlines()[0].startswith("行数  订单  件数")


def test_text_is_looked_for_in_what_is_shown_and_in_ids(run: Run) -> None:
    assert ids(run(find=["s5"], format="jsonl")) == ["S5"]
    assert ids(run(find=["ZT0000000001"], format="jsonl")) == ["S1"]
    assert ids(run(find=["no sku is known"], format="jsonl")) == ["S5"]
    everyone = ids(run(where="phone LIKE '%0001'", format="jsonl"))
    assert ids(run(find=["0001"], where="numbers IS NULL", format="jsonl")) == [
        one for one in everyone if one in ids(run(where="numbers IS NULL", format="jsonl"))
    ]
    assert ids(run(find=["taobao", "S1"], format="jsonl")) == ["S1"]
    assert "受阻" in run(find=["受阻"], lang="zh")


def test_notes_are_searched_though_they_are_not_shown(run: Run, tmp_path: Path) -> None:
    some = orders(order("1", buyer_note="不要发圆通 13800000009"), order("2"))
    batches.write_batch([some], str(tmp_path / "notes.jsonl"), kind="order/1", format="jsonl")
    assert ids(run("notes.jsonl", find=["圆通"], format="jsonl")) == ["shopify:main:1"]
    assert run("notes.jsonl", find=["13800000009"], format="jsonl") == ""
    (row,) = run("notes.jsonl", find=["圆通"], group_by=["province"], format="jsonl").splitlines()
    assert json.loads(row)["rows"] == 1


def test_nobody_is_found_by_what_is_not_shown(run: Run) -> None:
    assert run(find=["13800000001"], format="jsonl") == ""
    assert run(find=["测试甲"], format="jsonl") == ""
    assert run(find=["800"], columns=["id", "phone"], format="jsonl") == ""
    assert ids(run(find=["测试甲"], columns=["id", "name"], unmask=True, format="jsonl")) == [
        "S1",
        "S2",
        "S3",
    ]


def test_columns_are_added_to_the_usual_ones_and_aliases_stand_for_several(run: Run) -> None:
    head = json.loads(run(columns=["+merge_why,weight_kg"], limit=1, format="jsonl"))
    assert next(iter(head)) == "id"
    assert list(head)[-2:] == ["merge_why", "weight_kg"]
    assert "findings" in head
    assert list(json.loads(run(columns=["id", "routing"], limit=1, format="jsonl"))) == [
        "id", "warehouse", "courier", "service", "freight", "freight_currency", "weight_kg",
    ]  # fmt: skip
    assert list(json.loads(run("orders.parquet", columns=["+merging,notes"], limit=1, format="jsonl")))[-4:] == [
        "buyer_note", "seller_note", "wished", "tags",
    ]  # fmt: skip


def test_one_file_of_csv_holds_one_grouping(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="csv holds one table, not 2"):
        run(group_by=["platform", "state"], output="g.csv")
    run(group_by=["platform", "state"], sum=True, output="g.xlsx")
    assert list(pl.read_excel(tmp_path / "g.xlsx", sheet_id=0)) == ["By Platform", "By State"]


@pytest.mark.parametrize("name", ["v.csv", "v.xlsx", "v.parquet", "v.jsonl"])
def test_no_form_shows_persons_or_formulas(run: Run, tmp_path: Path, name: str) -> None:
    run(columns=["+person,notes,trouble"], output=name, format=name[2:])
    content = (tmp_path / name).read_bytes()
    if name.endswith("xlsx"):
        frame = pl.read_excel(tmp_path / name, infer_schema_length=0)
        content = frame.write_csv().encode()
        with zipfile.ZipFile(tmp_path / name) as book:
            assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
    elif name.endswith("parquet"):
        content = pl.read_parquet(tmp_path / name).write_ndjson().encode()
    assert "测试甲".encode() not in content
    assert b"13800000001" not in content
    if name.endswith("csv"):
        cells = [cell for row in csv.reader(content.decode("utf-8-sig").splitlines()) for cell in row]
        assert not [
            cell for cell in cells if cell[:1] in tuple("=+@\t") or (cell[:1] == "-" and cell[1:2].isalpha())
        ]


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
    assert "number: ZT0000000001" in run(columns=["id", "parcels"], limit=1)
    run(columns=["id", "parcels"], limit=1, output="n.csv")
    assert '""number"":""ZT0000000001""' in Path("n.csv").read_text("utf-8-sig")


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


def on_a_terminal(folder: Path, *words: str, lines: int = 24, columns: int = 80, **env: str) -> str:
    """Run the command with a terminal as its stdout, and give what reaches the terminal."""
    ours, theirs = pty.openpty()
    environment = {
        **os.environ, "ORDERCTL_STATE": "state", "ORDERCTL_NOW": NOW, "LINES": str(lines), "COLUMNS": str(columns),
        "NO_COLOR": "1", "TERM": "xterm", **env,
    }  # fmt: skip
    command = [sys.executable, "-m", "orderctl", "view", *words]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE
    ) as process:
        os.close(theirs)
        seen = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the terminal is closed
                break
            if not piece:
                break
            seen += piece
        assert process.wait(60) == 0, process.stderr and process.stderr.read()
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;]*m", "", seen.decode()).replace("\r\n", "\n")


@pytest.fixture
def many(run: Run, tmp_path: Path) -> Path:
    """A folder with a batch of 60 orders, some of whose texts mean harm."""
    evil = "\x1b]0;mine\x07\x9b2J\u202e白\x1b[2J"
    some = orders(
        *(
            order(
                str(n), lines=[line(sku=None, merchant_code=None, title=f"蓝色马克杯{evil}")], buyer_note=evil
            )
            for n in range(60)
        )
    )
    batches.write_batch([some], str(tmp_path / "many.parquet"), kind="order/1", format="parquet")
    return tmp_path


PAGER = "sh -c 'echo PAGED; cat'"


def test_a_long_table_is_paged_on_a_terminal_and_only_there(many: Path) -> None:
    paged = on_a_terminal(many, "many.parquet", "-c", "id,items", PAGER=PAGER)
    assert paged.startswith("PAGED\n")
    assert "shopify:main:59" in paged
    for how in (
        {"PAGER": "cat"}, {"PAGER": ""}, {"PAGER": "/no/such/pager"}, {"PAGER": PAGER, "LINES": "100"},
    ):  # fmt: skip
        text = on_a_terminal(many, "many.parquet", "-c", "id", **how)
        assert "PAGED" not in text
        assert "shopify:main:59" in text
    assert "PAGED" not in on_a_terminal(many, "many.parquet", "--no-pager", PAGER=PAGER)
    env = {**os.environ, "ORDERCTL_STATE": "state", "PAGER": PAGER, "LINES": "5"}
    command = [sys.executable, "-m", "orderctl", "view", "many.parquet"]
    piped = subprocess.run(command, cwd=many, env=env, capture_output=True, check=True)
    assert b"PAGED" not in piped.stdout


def test_a_pager_that_is_left_early_is_no_failure(many: Path) -> None:
    assert on_a_terminal(many, "many.parquet", PAGER="sh -c 'head -n1 >/dev/null; exit 1'") == ""


def test_nothing_of_the_data_steers_the_terminal_and_chinese_fits_its_width(many: Path) -> None:
    words = ("many.parquet", "-c", "id,items,buyer_note,place,name", "--no-pager")
    for columns in (60, 80, 133):
        text = on_a_terminal(many, *words, columns=columns)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
        assert max(map(cell_len, text.splitlines())) <= max(columns, 5 * 16)
        assert "蓝" in text
