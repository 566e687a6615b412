"""Tables as people save them: encodings, separators, titles, quotes, workbooks; and what is no table at all."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from orderctl.model.errors import DataError, InputMissing, OrderctlError
from orderctl.ports.tables.sheets import LINE, OVER, Sheet, open_sheet

HEADINGS = ["编号", "标题", "备注"]


def recognise(cells: list[str | None]) -> bool | None:
    return True if [(c or "").strip() for c in cells][:3] == HEADINGS else None


def rows(path: Path) -> list[tuple[object, ...]]:
    sheet = open_sheet(path, recognise)
    assert isinstance(sheet, Sheet)
    return pl.concat(list(sheet.blocks)).select("c0", "c1", "c2", OVER, LINE).rows()


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encoding_separator_and_line_ends_are_found(
    tmp_path: Path, encoding: str, separator: str, end: str
) -> None:
    text = end.join([separator.join(HEADINGS), separator.join(["1", "袜子", "你好"]), ""])
    assert rows(write(tmp_path / "a.csv", text, encoding)) == [("1", "袜子", "你好", None, 2)]


def test_gbk_that_begins_with_pages_of_ascii_is_found_all_the_same(tmp_path: Path) -> None:
    body = "\n".join(f"{n},plain,x" for n in range(100_000))
    text = "编号,标题,备注\n".encode("gbk") + body.encode() + "\n1,袜子,完\n".encode("gbk")
    path = tmp_path / "a.csv"
    path.write_bytes(text)
    assert rows(path)[-1] == ("1", "袜子", "完", None, 100_002)


def test_titles_above_the_headings_and_blank_rows_count_as_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "订单导出\n\n编号,标题,备注\n1,a,b\n\n2,c,d")
    assert [r for r in rows(path) if r[0]] == [("1", "a", "b", None, 4), ("2", "c", "d", None, 6)]


def test_cells_hold_line_ends_quotes_and_separators(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", '编号,标题,备注\n1,"a,""b""","x\ny\nz"\n2,c,d\n')
    assert rows(path) == [("1", 'a,"b"', "x\ny\nz", None, 2), ("2", "c", "d", None, 5)]


def test_a_stray_quote_spoils_nothing_else(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", '编号,标题,备注\n1,5" tube,x\n2,c,d\n')
    assert rows(path) == [("1", '5" tube', "x", None, 2), ("2", "c", "d", None, 3)]


def test_cells_beyond_the_headings_are_shown(tmp_path: Path) -> None:
    found = rows(write(tmp_path / "a.csv", "编号,标题,备注\n1,a,b,c\n2,d\n"))
    assert found == [("1", "a", "b", "c", 2), ("2", "d", None, None, 3)]


def test_a_quote_never_closed_is_told(tmp_path: Path) -> None:
    found = rows(write(tmp_path / "a.csv", '编号,标题,备注\n1,a,b\n2,"c,d\n3,e,f\n'))
    assert found[0] == ("1", "a", "b", None, 2)
    assert found[1][3] is not None


def test_large_files_come_in_blocks_that_end_with_rows(tmp_path: Path) -> None:
    count = 200_000
    body = "".join(f'{n},"a\n{n}",{"x" * 80}\n' for n in range(count))
    sheet = open_sheet(write(tmp_path / "a.csv", "编号,标题,备注\n" + body), recognise)
    assert isinstance(sheet, Sheet)
    blocks = list(sheet.blocks)
    assert len(blocks) > 1
    whole = pl.concat(blocks)
    assert whole["c0"].to_list() == [str(n) for n in range(count)]
    assert whole[LINE].to_list() == [2 + 2 * n for n in range(count)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "picture"),
        (b"%PDF-1.7", "PDF"),
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n", "empty"),
        ("编号,标题,备注\n1,a,b\n".encode("utf-16"), "UTF-16"),
        (("a,b\n" * 100).encode("utf-16-le"), "UTF-16"),
        (b"<html><table>", "web page"),
        (b'{"schema": "raw/1"}', "JSON"),
        (b"PK\x03\x04nonsense", "workbook"),
        (b"a,b\n" * 40_000 + b"\0\1\2", "binary"),
    ],
)
def test_what_is_no_table_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words) as failure:
        open_sheet(path, recognise)
    assert "orders.csv" in str(failure.value)
    assert failure.value.render("zh") != failure.value.render("en")


def test_a_directory_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="directory"):
        open_sheet(tmp_path, recognise)
    with pytest.raises(InputMissing, match=r"absent\.csv"):
        open_sheet(tmp_path / "absent.csv", recognise)


def test_without_headings_the_fullest_early_row_is_given(tmp_path: Path) -> None:
    assert open_sheet(write(tmp_path / "a.csv", "title\nfoo,bar,baz\n1,2\n"), recognise) == [
        "foo",
        "bar",
        "baz",
    ]


def workbook(path: Path, *, first_row: int = 0) -> Path:
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("说明").write(0, 0, "not the orders")
        sheet = book.add_worksheet("订单 & <表>")
        day = book.add_format({"num_format": "yyyy/m/d h:mm"})
        sheet.write_row(first_row, 0, ["导出"])
        sheet.write_row(first_row + 1, 0, HEADINGS)
        sheet.write_string(first_row + 2, 0, "4012345678901234567")
        sheet.write_number(first_row + 2, 1, 46328.42444444444, day)
        sheet.write_formula(first_row + 2, 2, "=1+1.5", None, 2.5)
        sheet.write_number(first_row + 3, 0, 4012345678901234567)
        sheet.write_number(first_row + 3, 1, 3.0)
        sheet.write_formula(first_row + 3, 2, "=1+1", None, "")
        sheet.write_string(first_row + 4, 0, "0012")
        sheet.write_string(first_row + 4, 1, "a\nb")
        sheet.write_boolean(first_row + 4, 2, True)
    return path


@pytest.mark.parametrize("first_row", [0, 4])
def test_workbooks_give_what_a_person_sees(tmp_path: Path, first_row: int) -> None:
    path = workbook(tmp_path / "a.xlsx", first_row=first_row)
    sheet = open_sheet(path, recognise)
    assert isinstance(sheet, Sheet)
    found = next(sheet.blocks).select("c0", "c1", "c2", LINE).rows()
    line = first_row + 3
    assert found[0] == ("4012345678901234567", "2026-11-02 10:11:12", "2.5", line)
    assert found[1][1:] == ("3", None, line + 1)
    assert found[2] == ("0012", "a\nb", "true", line + 2)
    assert sheet.doubts.rounded == {(line + 1, 0)}
    assert sheet.doubts.uncached == {(line + 1, 2)}


def test_a_broken_workbook_shows_nothing_of_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook(tmp_path / "b.xlsx").read_bytes()[:900])
    with pytest.raises(OrderctlError, match="cannot be opened as a workbook"):
        open_sheet(path, recognise)
