"""CSV and XLSX: no cell gets power, no number loses a digit, the same bytes every time."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from orderctl.model.errors import CannotCreate, UsageError
from orderctl.model.table import Table
from orderctl.ports import sheets

CREATED = datetime(2026, 11, 24, 5, 30, 28, tzinfo=UTC)
EVIL = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"]


def table(**columns: list[object]) -> Table:
    decimals = frozenset(c for c in columns if c == "goods")
    return Table("t", "A/B: [x]", pl.DataFrame(columns, strict=False), {"goods": "货值"}, decimals)


@pytest.mark.parametrize("cell", EVIL)
def test_a_formula_is_text_in_csv(cell: str) -> None:
    body = sheets.csv_bytes(table(a=[cell]), bom=False).decode().split("\n", 1)[1].lstrip('"')
    assert body.startswith("'")


def test_numbers_below_zero_stay_numbers_in_csv() -> None:
    assert (
        sheets.csv_bytes(table(goods=["-12.34"], count=[-3]), bom=False).decode() == "货值,count\n-12.34,-3\n"
    )


def test_csv_carries_quotes_commas_and_lines_and_no_terminal_codes() -> None:
    found = sheets.csv_bytes(table(a=['say "hi", you', "two\r\nlines", "red\x1b[31m\u202e"]), bom=False)
    back = pl.read_csv(io.BytesIO(found))
    assert back["a"].to_list() == ['say "hi", you', "two\nlines", "red\ufffd[31m\ufffd"]


def test_the_mark_for_excel_is_there_when_asked() -> None:
    assert sheets.csv_bytes(table(a=["x"]), bom=True) == b"\xef\xbb\xbfa\nx\n"


def test_an_empty_table_keeps_its_headings() -> None:
    nothing = Table("t", "t", pl.DataFrame(schema={"a": pl.String, "goods": pl.String}), {"goods": "货值"})
    assert sheets.csv_bytes(nothing, bom=False).decode() == "a,货值\n"
    assert pl.read_excel(
        io.BytesIO(sheets.xlsx_bytes([nothing], created=CREATED)), raise_if_empty=False
    ).is_empty()


def test_xlsx_holds_text_as_text_and_amounts_as_numbers() -> None:
    ids = ["12345678901234567890", "0012", *EVIL]
    amounts = ["12.34", "-0.05", "1000", None, None, None, None, None, None]
    found = sheets.xlsx_bytes([table(id=ids, goods=amounts)], created=CREATED)
    book = zipfile.ZipFile(io.BytesIO(found))
    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "12.34</v>" in sheet
    assert 'state="frozen"' in sheet
    texts = book.read("xl/sharedStrings.xml").decode()
    assert "12345678901234567890" in texts
    back = pl.read_excel(io.BytesIO(found))
    assert back["货值"].to_list()[:3] == [12.34, -0.05, 1000]
    assert back["id"].to_list()[:2] == ids[:2]


def test_xlsx_is_the_same_bytes_every_time() -> None:
    one = sheets.xlsx_bytes([table(a=["x"], goods=["1.00"])], created=CREATED)
    assert one == sheets.xlsx_bytes([table(a=["x"], goods=["1.00"])], created=CREATED)
    assert b"2026-11-24T05:30:28Z" in zipfile.ZipFile(io.BytesIO(one)).read("docProps/core.xml")


def test_sheet_names_are_allowed_ones() -> None:
    book = zipfile.ZipFile(io.BytesIO(sheets.xlsx_bytes([table(a=["x"])], created=CREATED)))
    assert 'name="A B   x "' in book.read("xl/workbook.xml").decode()


def test_more_rows_than_a_sheet_holds_are_refused() -> None:
    long = Table("t", "t", pl.DataFrame({"a": pl.int_range(1_048_576, eager=True)}), {})
    with pytest.raises(UsageError, match="1048576 rows"):
        sheets.xlsx_bytes([long], created=CREATED)


def test_a_file_appears_complete_or_not_at_all(tmp_path: Path) -> None:
    sheets.write_bytes(b"whole", str(tmp_path / "a.csv"))
    assert (tmp_path / "a.csv").read_bytes() == b"whole"
    with pytest.raises(CannotCreate):
        sheets.write_bytes(b"x", str(tmp_path / "missing" / "a.csv"))
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


WRITE = "from orderctl.ports.sheets import write_bytes\ntry: write_bytes(b'x' * 10**7, '-')\nexcept BrokenPipeError: exit(141)"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_is_noticed(unbuffered: str) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    command = [sys.executable, "-c", WRITE]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.read(10)
        process.stdout.close()
        assert (process.wait(timeout=60), process.stderr.read()) == (141, b"")
