"""Tables that rules name: every cell as text, whatever the file."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from orderctl.model.errors import DataError, InputMissing
from orderctl.ports.tables.reading import read_table

ROWS = [
    ["sku", "名称", "weight_g"],
    ["TS-1", "样例商品", "120"],
    ["007", None, "1.50"],
    ["2500000000000683245", "a,b", None],
]
FRAME = pl.DataFrame(ROWS[1:], schema=dict.fromkeys(["sku", "名称", "weight_g"], pl.String), orient="row")


def csv(encoding: str = "utf-8", end: str = "\n") -> bytes:
    lines = [
        ",".join("" if cell is None else f'"{cell}"' if "," in cell else cell for cell in row) for row in ROWS
    ]
    return (end.join(lines) + end).encode(encoding)


def xlsx() -> bytes:
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for y, row in enumerate(ROWS):
            for x, cell in enumerate(row):
                if cell is not None:
                    sheet.write_string(y, x, cell)
    return sink.getvalue()


def parquet(frame: pl.DataFrame = FRAME) -> bytes:
    sink = io.BytesIO()
    frame.write_parquet(sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", csv()), ("t.csv", csv("utf-8-sig")), ("t.csv", csv("gb18030")), ("t.csv", csv(end="\r\n")), ("t.txt", csv()),
        ("t.xlsx", xlsx()), ("T.XLSX", xlsx()), ("t.parquet", parquet()),
    ],
)  # fmt: skip
def test_every_form_gives_the_same_texts(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert read_table(str(tmp_path / name)).equals(FRAME)


def test_space_around_a_cell_is_none_of_it_and_empty_rows_are_none(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n x , \n ,\n\n,y\n", "utf-8")
    assert read_table(str(tmp_path / "t.csv")).rows() == [("x", None), (None, "y")]


def test_numbers_of_other_programs_are_written_out(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(parquet(pl.DataFrame({"n": [1, None], "t": [True, False]})))
    assert read_table(str(tmp_path / "t.parquet")).rows() == [("1", "true"), (None, "false")]


def test_a_heading_alone_is_an_empty_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n")
    found = read_table(str(tmp_path / "t.csv"))
    assert (found.columns, found.height) == (["a", "b"], 0)


@pytest.mark.parametrize("name", ["none.csv", ".", "none.xlsx", "none.parquet"])
def test_a_missing_table_is_missing(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputMissing, match="there is no such table"):
        read_table(str(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", b""),
        ("t.csv", b"a,b\n1,2,3\n"),
        ("t.csv", b"\x89PNG\r\n\x1a\n\xff\xff\xff"),
        ("t.csv", b'a,b\n"open\n'),
        ("t.xlsx", b"no workbook"),
        ("t.xlsx", xlsx()[:-500]),
        ("t.parquet", b"PAR1 no more"),
        ("t.parquet", parquet()[:-20]),
        ("t.parquet", parquet(pl.DataFrame({"a": [b"\xff"]}))),
        ("t.parquet", parquet(pl.DataFrame({"a": [[1, 2]]}))),
    ],
)
def test_what_is_no_table_is_said(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match="is no table: "):
        read_table(str(tmp_path / name))
