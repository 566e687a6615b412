"""Tables as files people open: CSV and XLSX, safe in any spreadsheet and the same bytes every time.

Two dangers are met here. A cell that a buyer typed may begin like a formula: in XLSX all text is stored as text, in
CSV such a cell gets a leading `'`. And long numbers (waybills, order ids) lose their last digits when a spreadsheet
takes them for quantities: in XLSX they are text too. CSV has no types: whoever opens it in a spreadsheet and needs
long numbers takes the XLSX.
"""

from __future__ import annotations

import io
import sys
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from orderctl.model.errors import OutputFailed, UsageError
from orderctl.model.table import Table
from orderctl.model.text import Text
from orderctl.ports.batches.write import replacing

FORMULA = r"^[=+\-@\t\r]"
_UNSEEN = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x{9f}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}]"
_ROWS, _CELL, _NAME = 1_048_575, 32_767, 31
_WIDEST, _LOOKED_AT = 60, 500


def csv_bytes(table: Table, *, bom: bool) -> bytes:
    """Write a table as CSV in UTF-8: headings, then rows; a byte order mark tells Excel that it is UTF-8."""
    texts = [c for c, dtype in table.frame.schema.items() if dtype == pl.String and c not in table.decimals]
    safe = table.frame.with_columns(harmless(pl.col(c)) for c in texts)
    words = table.words()
    body = safe.write_csv(include_header=False) if safe.height else ""
    head = pl.DataFrame([words], orient="row", schema=[str(n) for n in range(len(words))])
    first = head.with_columns(harmless(pl.all())).write_csv(include_header=False) if words else ""
    return (b"\xef\xbb\xbf" if bom else b"") + (first + body).encode()


def harmless(text: pl.Expr) -> pl.Expr:
    """Take the power from a text cell: no formula, nothing that steers a terminal or turns the reading direction."""
    quiet = text.str.replace_all(_UNSEEN, "\N{REPLACEMENT CHARACTER}")
    return (
        pl.when(text.str.contains(FORMULA))
        .then(pl.lit("'") + quiet)
        .otherwise(quiet)
        .str.replace_all("\r\n?", "\n")
        .name.keep()
    )


def xlsx_bytes(tables: Sequence[Table], *, created: datetime) -> bytes:
    """Write tables as sheets of one workbook, headings frozen; `created` is what the file says of itself.

    Raises: UsageError if a table has more rows than a sheet holds.
    """
    import xlsxwriter  # type: ignore[import-untyped]  # ships no types

    sink = io.BytesIO()
    as_given = {"strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(sink, {"in_memory": True, **as_given}) as book:
        book.set_properties({"created": created.replace(tzinfo=None)})
        for table in tables:
            if table.frame.height > _ROWS:
                text = Text("{rows} rows are more than a sheet of XLSX holds", rows=table.frame.height)
                raise UsageError(text, hint=Text("write CSV or Parquet, or choose fewer with --where"))
            _fill(book, book.add_worksheet(_sheet_name(table.title)), table)
    return sink.getvalue()


def _sheet_name(title: str) -> str:
    return "".join(" " if c in "[]:*?/\\'" else c for c in title)[:_NAME] or "-"


def _fill(book: Any, sheet: Any, table: Table) -> None:
    head = book.add_format({"bold": True, "bottom": 1, "valign": "top", "text_wrap": True})
    text = book.add_format({"num_format": "@", "valign": "top"})
    count = book.add_format({"num_format": "#,##0", "valign": "top"})
    places = [
        book.add_format({"num_format": "#,##0" + ("." + "0" * n if n else ""), "valign": "top"})
        for n in range(10)
    ]
    for at, (name, words) in enumerate(zip(table.frame.columns, table.words(), strict=True)):
        sheet.write_string(0, at, words[:_CELL], head)
        column = table.frame[name]
        number = table.is_number(name)
        sheet.set_column(at, at, _width(words, column), count if number else text)
        for row, value in enumerate(column.to_list(), 1):
            if value is None:
                continue
            if name in table.decimals:
                sheet.write_number(row, at, Decimal(value), places[len(value.partition(".")[2])])
            elif number:
                sheet.write_number(row, at, value, count)
            else:
                sheet.write_string(row, at, str(value)[:_CELL], text)
    sheet.freeze_panes(1, 1)
    if table.frame.width:
        sheet.autofilter(0, 0, max(table.frame.height, 1), table.frame.width - 1)


def _width(words: str, column: pl.Series) -> int:
    """Give a sensible width in characters: of the heading and the first rows, Chinese counted twice."""
    texts = [words, *(str(v) for v in column.head(_LOOKED_AT).to_list() if v is not None)]
    widest = max(sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text) for text in texts)
    return min(_WIDEST, max(8, widest + 3))


def write_bytes(data: bytes, target: str) -> None:
    """Write a finished document to the file `target` (`-` is stdout), complete or not at all.

    Raises: CannotCreate, OutputFailed, BrokenPipeError (stdout's reader is gone).
    """
    if target != "-":
        with replacing(Path(target)) as sink:
            sink.write(data)
        return
    try:
        rest = memoryview(data)
        while rest:  # with PYTHONUNBUFFERED a write to a pipe may end early, without an error
            rest = rest[sys.stdout.buffer.write(rest) :]
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        why = error.strerror or str(error)
        raise OutputFailed(Text("writing to {target} failed: {why}", target="stdout", why=why)) from error
