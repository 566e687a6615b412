"""`normalize --unmapped` and `rules sku-diff`, as they are called: one file that a person completes, and its loop."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from orderctl.cli.commands import normalize, rules
from orderctl.cli.session import Session
from orderctl.model.errors import ConfigError, UsageError
from orderctl.ports.tables.numbered import read_numbered

NOW = "2026-11-24T05:30:28Z"
Run = Callable[..., str]
RULES = "skus:\n  catalogue: [{sku: MUG, name: 蓝色马克杯}, {sku: SOCK, name: 白袜}]\n"


def raw(ref: str, *lines: dict[str, object]) -> dict[str, object]:
    nodes = [
        {
            "id": f"gid://shopify/LineItem/{ref}{at}",
            "currentQuantity": 2,
            "unfulfilledQuantity": 2,
            "quantity": 2,
        }
        | one
        for at, one in enumerate(lines)
    ]
    payload = {
        "id": f"gid://shopify/Order/{ref}",
        "legacyResourceId": ref,
        "displayFulfillmentStatus": "UNFULFILLED",
        "displayFinancialStatus": "PAID",
        "currencyCode": "CNY",
        "lineItems": {"nodes": nodes},
    }
    return {
        "schema": "raw/1", "platform": "shopify", "shop": "s1", "platform_ref": ref, "format": "shopify/graphql",
        "observed_at": NOW, "updated_at": None, "source": "t", "payload": payload, "parts": None, "facts": None,
    }  # fmt: skip


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Normalize three orders with two unknown articles; give what was said on stderr."""
    monkeypatch.chdir(tmp_path)
    Path("rules.yaml").write_text(RULES, "utf-8")
    rows = [
        raw("1", {"title": "=2+3 白袜", "sku": "-SK1"}, {"title": "杯", "sku": "CUP"}),
        raw("2", {"title": "杯", "sku": "CUP"}),
        raw("3", {"title": "mug", "sku": "MUG"}),
    ]
    Path("raw.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")

    def call(target: str | None, *, lang: str = "en") -> str:
        session = Session(
            "normalize", state_path=str(tmp_path / "state"), asked_now=NOW, lang=lang, rules_path="rules.yaml"
        )
        normalize.run(session, "raw.jsonl", "orders.parquet", unmapped=target)
        return capsys.readouterr().err

    return call


def skus() -> list[str | None]:
    lines = pl.read_parquet("orders.parquet")["lines"].explode()
    return lines.struct.field("sku").to_list()


def complete(path: str, **skus: str) -> None:
    """Do what a person does: type SKUs into the first column, by merchant code, and save."""
    table = read_numbered(path).drop("_line")
    typed = pl.col(table.columns[0])
    code = "merchant_code" if "merchant_code" in table.columns else "商家编码"
    for sku, of in skus.items():
        typed = pl.when(pl.col(code).str.ends_with(of)).then(pl.lit(sku)).otherwise(typed)
    table = table.with_columns(typed.alias(table.columns[0]))
    if path.endswith(".csv"):
        table.write_csv(path)
        return
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([tuple(table.columns), *table.rows()]):
            sheet.write_row(at, 0, row)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("path", ["skus.csv", "skus.xlsx"])
def test_the_list_is_completed_and_becomes_the_map(run: Run, path: str, lang: str) -> None:
    said = run(path, lang=lang)
    assert (
        "2 articles of 2 orders have no SKU" if lang == "en" else "2 种商品没有 SKU（涉及 2 个订单）"
    ) in said
    assert skus() == [None, None, None, "MUG"]
    Path("rules.yaml").write_text(RULES + f"  map: {path}\n", "utf-8")
    complete(path, MUG="CUP")
    said = run(path, lang=lang)
    assert skus() == [None, "MUG", "MUG", "MUG"]
    assert ("1 articles of 1 orders have no SKU" if lang == "en" else "已填好 1 种") in said
    complete(path, SOCK="SK1")
    run(path, lang=lang)
    assert skus() == ["SOCK", "MUG", "MUG", "MUG"]
    before = read_numbered(path)
    run(path, lang=lang)
    assert read_numbered(path).equals(before)
    assert sorted(before[before.columns[0]].to_list()) == ["MUG", "SOCK"]


def test_what_was_typed_stays_though_the_rules_do_not_name_the_file_yet(run: Run) -> None:
    run("skus.csv")
    complete("skus.csv", SOCK="SK1")
    said = run("skus.csv")
    assert "1 articles of 2 orders have no SKU" in said
    assert "1 are complete" in said
    assert sorted(read_numbered("skus.csv")["sku"].to_list(), key=str) == [None, "SOCK"]


def test_a_mistyped_sku_is_told(run: Run) -> None:
    run("skus.csv")
    complete("skus.csv", MGU="CUP")
    Path("rules.yaml").write_text(RULES + "  map: skus.csv\n", "utf-8")
    assert "1 SKUs are not in the catalogue: MGU (skus.csv:3) -> MUG?;" in run("skus.csv")


def test_the_rules_may_name_the_list_before_it_is_there(run: Run) -> None:
    Path("rules.yaml").write_text(RULES + "  map: skus.csv\n", "utf-8")
    assert "2 articles of 2 orders have no SKU" in run("skus.csv")
    complete("skus.csv", SOCK="SK1")
    assert "do not name" not in run("skus.csv")


def test_what_comes_next_is_told(run: Run) -> None:
    assert "2 orders have articles without a SKU: list them with orderctl normalize --unmapped" in run(None)
    assert "next: fill in sku, or in choose the number of a candidate" in run("skus.csv")
    complete("skus.csv", SOCK="SK1")
    assert "the rules do not name skus.csv" in run("skus.csv")
    Path("rules.yaml").write_text(RULES + "  map: skus.csv\n", "utf-8")
    complete("skus.csv", MUG="CUP")
    said = run("skus.csv")
    assert "next:" not in said
    assert "without a SKU" not in run(None)


def test_a_pack_without_pieces_is_told_and_so_is_nothing_else(run: Run) -> None:
    lines = [
        {"title": "白袜 2双装", "sku": "P"},
        {"title": "毛巾 34x74", "sku": "T"},
        {"title": "袜 1双", "sku": "O"},
    ]
    Path("raw.jsonl").write_text(json.dumps(raw("1", *lines), ensure_ascii=False) + "\n", "utf-8")
    run("skus.csv")
    complete("skus.csv", SOCK="P", MUG="T", A="O")
    assert "1 complete rows look like packs and count as one piece, since pieces is empty: lines " in run(
        "skus.csv"
    )


@pytest.mark.parametrize("path", ["skus.csv", "skus.xlsx"])
def test_notes_of_the_person_stay_also_where_no_sku_is_typed_yet(run: Run, path: str) -> None:
    run(path)
    table = read_numbered(path).drop("_line").with_columns(pieces=pl.lit("2"), mine=pl.lit("ask the boss"))
    if path.endswith(".csv"):
        table.write_csv(path)
    else:
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet()
            for at, row in enumerate([tuple(table.columns), *table.rows()]):
                sheet.write_row(at, 0, row)
    run(path)
    kept = read_numbered(path)
    assert kept["pieces"].to_list() == ["2", "2"]
    assert kept["mine"].to_list() == ["ask the boss"] * 2


def test_a_workbook_holds_the_catalogue_to_look_things_up_in(run: Run) -> None:
    run("skus.xlsx", lang="zh")
    book = pl.read_excel("skus.xlsx", sheet_id=0)
    assert list(book) == ["SKU", "商品目录"]
    assert book["商品目录"]["我方SKU"].to_list() == ["MUG", "SOCK"]


def test_without_a_catalogue_every_code_is_a_sku_and_that_is_told(run: Run) -> None:
    Path("rules.yaml").write_text("{}", "utf-8")
    said = run("skus.csv")
    assert "0 articles of 0 orders have no SKU" in said
    assert "there is no catalogue" in said


def test_no_cell_is_a_formula(run: Run) -> None:
    run("skus.csv")
    text = Path("skus.csv").read_text("utf-8-sig")
    assert "'=2+3 白袜" in text
    assert "'-SK1" in text
    assert not [cell for row in text.splitlines() for cell in row.split(",") if cell[:1] in tuple("=+-@")]


def test_no_spreadsheet_makes_numbers_or_days_of_codes(run: Run) -> None:
    lines = [
        {"title": "袜", "sku": code} for code in ("0012", "680000000031", "3-4", "36-37/2", "A-1", "12双")
    ]
    rows = [raw(str(at), one) for at, one in enumerate(lines)]
    Path("raw.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    run("skus.csv")
    cells = {cell for row in Path("skus.csv").read_text("utf-8-sig").splitlines() for cell in row.split(",")}
    assert {"'0012", "'680000000031", "'3-4", "'36-37/2", "A-1", "12双"} <= cells
    complete("skus.csv", SOCK="3-4")
    Path("rules.yaml").write_text(RULES + "  map: skus.csv\n", "utf-8")
    assert "5 articles of 5 orders have no SKU" in run("skus.csv")
    assert skus().count("SOCK") == 1
    run("skus.xlsx")
    assert "0012" in read_numbered("skus.xlsx")["merchant_code"].to_list()


def test_a_broken_list_is_not_written_over(run: Run) -> None:
    Path("skus.csv").write_text("sku,spec,pieces\nA,b,many\n")
    with pytest.raises(ConfigError, match=r"skus\.csv:2:3"):
        run("skus.csv")
    assert Path("skus.csv").read_text() == "sku,spec,pieces\nA,b,many\n"
    with pytest.raises(UsageError, match="--unmapped"):
        run("skus.txt")


def test_what_a_new_table_changes_is_shown_before_it_is_used(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("rules.yaml").write_text(RULES + "  map: skus.csv\n", "utf-8")
    Path("skus.csv").write_text("sku,merchant_code\nMUG,CUP\nSOCK,-SK1\n")
    (tmp_path / "new").mkdir()
    Path("new/skus.csv").write_text("sku,merchant_code,pieces\nMUG,CUP,2\n")

    def diff(table: str) -> list[str]:
        session = Session(
            "rules", state_path=str(tmp_path / "state"), asked_now=NOW, rules_path="rules.yaml", lang="en"
        )
        rules.sku_diff(session, table, "raw.jsonl")
        return [" ".join(row.split()) for row in capsys.readouterr().out.splitlines()[2:]]

    assert diff("new/skus.csv") == [
        "other shopify s1 CUP 杯 MUG MUG*2 2 4",
        "lost shopify s1 -SK1 =2+3 白袜 SOCK - 1 2",
    ]
    Path("first.csv").write_text("sku,merchant_code\nSOCK,CUP\n")
    assert diff("first.csv") == ["other shopify s1 CUP 杯 MUG SOCK 2 4"]
    assert diff("skus.csv") == []
