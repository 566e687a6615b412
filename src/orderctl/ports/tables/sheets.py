"""Tables people hand over, CSV or XLSX, as frames of text with the line each row stands in.

Nothing is converted: numbers, dates and formulas come as the text a person would see. CSV is read in blocks, so its
size does not matter. A file that is something else is refused with what it looks like.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import polars as pl

from orderctl.model.errors import DataError, InputMissing
from orderctl.model.text import Text
from orderctl.ports.tables import xlsx

BLOCK = 8 << 20
TITLE_ROWS = 30
LINE = "_line"
OVER = "_over"
_SAMPLE = 1 << 16
_BEYOND = 16
_MAGIC = (
    (b"\x89PNG", Text("a picture")),
    (b"\xff\xd8\xff", Text("a picture")),
    (b"GIF8", Text("a picture")),
    (b"%PDF", Text("a PDF document")),
    (b"\x1f\x8b", Text("an archive")),
    (b"\x28\xb5\x2f\xfd", Text("an archive")),
    (b"Rar!", Text("an archive")),
    (b"7z\xbc\xaf", Text("an archive")),
    (b"SQLite format 3", Text("a database")),
    (b"PAR1", Text("a Parquet file")),
)
_MARKUP = ((b"<", Text("a web page or XML")), (b"{", Text("JSON")), (b"[", Text("JSON")))
_BINARY = Text("binary data")
_FOREIGN = "{path}: looks like {kind}, not like a CSV or XLSX table"
Match = TypeVar("Match")
Recognise = Callable[[Sequence[str | None]], Match | None]


@dataclass
class Sheet(Generic[Match]):
    """A table whose header row was recognised.

    `columns` are the header cells as written; `match` is what recognised them. `blocks` gives frames with the
    columns `c0`, `c1`, ..., LINE (Int64, from 1) and OVER (text of cells beyond the header, else null).
    """

    path: Path
    columns: list[str]
    match: Match
    blocks: Iterator[pl.DataFrame]
    doubts: xlsx.Doubts = field(default_factory=xlsx.Doubts)


def open_sheet(path: Path, recognise: Recognise[Match]) -> Sheet[Match] | list[str]:
    """Open a table; where no row is recognised as header, give the cells of its fullest early row instead.

    Raises: InputMissing if it cannot be opened; DataError if it is empty or no table.
    """
    head = _head(path)
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return _open_workbook(path, recognise)
    encoding = _encoding(path, head)
    return _open_csv(path, encoding, recognise)


def _head(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise DataError(Text("{path}: is a directory, not a table", path=path))
        with path.open("rb") as source:
            head = source.read(_SAMPLE)
    except OSError as error:
        raise InputMissing(Text("{path}: {why}", path=path, why=error.strerror or "?")) from error
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise DataError(Text("{path}: is empty", path=path))
    kinds = [name for magic, name in _MAGIC if head.startswith(magic)]
    kinds += [name for magic, name in _MARKUP if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(magic)]
    if kinds:
        raise DataError(Text(_FOREIGN, path=path, kind=kinds[0]))
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or head[:200].count(0) > len(head[:200]) // 4:
        raise DataError(Text("{path}: is written in UTF-16; save it as CSV in UTF-8", path=path))
    return head


def _encoding(path: Path, head: bytes) -> str:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as source:
            while block := source.read(1 << 20):
                if b"\0" in block:
                    raise DataError(Text(_FOREIGN, path=path, kind=_BINARY))
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def _texts(path: Path, encoding: str) -> Iterator[str]:
    """Give the text in pieces that end where a row ends, so that quotes in each are paired."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    kept = ""
    with path.open("rb") as source:
        while block := source.read(BLOCK):
            kept += decoder.decode(block)
            cut = _row_end(kept)
            if cut:
                yield kept[:cut]
                kept = kept[cut:]
    kept += decoder.decode(b"", final=True)
    if kept:
        yield kept


def _row_end(text: str) -> int:
    """Give the length up to the last line end outside quotes; 0 when none is found near the end."""
    cut = text.rfind("\n")
    odd = text.count('"', 0, cut) % 2 if cut >= 0 else 0
    for _ in range(1000):
        if cut < 0 or not odd:
            return cut + 1
        before = text.rfind("\n", 0, cut)
        odd ^= text.count('"', max(before, 0), cut) % 2
        cut = before
    return 0


def _open_csv(path: Path, encoding: str, recognise: Recognise[Match]) -> Sheet[Match] | list[str]:
    texts = _texts(path, encoding)
    first = next(texts)
    if "\n" not in first and "\r" in first:
        first = first.replace("\r", "\n")  # line ends of old Macs
    fullest: list[str] = []
    for separator in (",", "\t", ";"):
        for cells, line, begin in _early_rows(first[:_SAMPLE], separator):
            match = recognise(cells)
            if match is not None:
                rest = _rest(first[begin:], texts)
                return Sheet(path, cells, match, _csv_blocks(rest, separator, len(cells), line + 1))
            fullest = max(fullest, cells, key=lambda row: sum(bool(c.strip()) for c in row))
    return fullest


def _early_rows(text: str, separator: str) -> Iterator[tuple[list[str], int, int]]:
    """Give the first rows with the line they end in and the place where the next begins."""
    consumed = 0

    def lines() -> Iterator[str]:
        nonlocal consumed
        for line in io.StringIO(text, newline=""):
            consumed += len(line)
            yield line

    reader = csv.reader(lines(), delimiter=separator)
    try:
        for _, cells in zip(range(TITLE_ROWS), reader, strict=False):
            yield cells, reader.line_num, consumed
    except csv.Error:
        return


def _rest(first: str, texts: Iterator[str]) -> Iterator[str]:
    yield first
    yield from texts


def _csv_blocks(texts: Iterator[str], separator: str, width: int, line: int) -> Iterator[pl.DataFrame]:
    names = [f"c{i}" for i in range(width)]
    for text in filter(None, texts):
        frame = _parsed(text, separator, names)
        lines = text.count("\n") + (not text.endswith("\n"))
        if frame.height == lines:
            at = pl.int_range(line, line + frame.height, dtype=pl.Int64)
        else:  # cells that hold line ends
            inside = pl.sum_horizontal(pl.col(names).str.count_matches("\n", literal=True).fill_null(0))
            before = (inside + 1).cum_sum().shift(1, fill_value=0).cast(pl.Int64)
            at = before + line
        yield frame.with_columns(at.alias(LINE))
        line += lines


def _parsed(text: str, separator: str, names: list[str]) -> pl.DataFrame:
    """Read rows of text. What the fast reader refuses (a stray quote) is read again by the patient one."""
    beyond = [f"{OVER}{i}" for i in range(_BEYOND)]  # an empty cell may stand before one that is not
    head = separator.join([*names, *beyond]) + "\n"
    try:
        frame = pl.read_csv(
            (head + text).encode(), separator=separator, infer_schema=False, truncate_ragged_lines=True
        )
    except pl.exceptions.PolarsError:
        rows = _patient(text, separator, len(names))
        return pl.DataFrame(rows, schema=dict.fromkeys([*names, OVER], pl.String), orient="row")
    over = pl.concat_str(beyond, separator=separator, ignore_nulls=True)
    return frame.select(*names, pl.when(over != "").then(over).alias(OVER))


def _patient(text: str, separator: str, width: int) -> Iterator[list[str | None]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield [None] * width + ["\ufffd"]  # a cell of unbearable size: its quote is never closed
            continue
        over = separator.join(filter(None, cells[width:])) or None
        if len(cells) < width and any("\n" in cell for cell in cells):
            over = "\ufffd"  # a quote that is not closed swallowed the rows behind it
        yield [*(cell or None for cell in cells[:width]), *[None] * (width - len(cells)), over]


def _open_workbook(path: Path, recognise: Recognise[Match]) -> Sheet[Match] | list[str]:
    fullest: list[str] = []
    for name, frame in xlsx.sheets(path):
        for at, cells in enumerate(frame.head(TITLE_ROWS).rows()):
            shown = [cell or "" for cell in cells]
            match = recognise(shown)
            if match is not None:
                found = xlsx.doubts(path, name)
                body = frame.slice(at + 1)
                line = found.first_line + at + 1
                lines = pl.int_range(line, line + body.height, dtype=pl.Int64).alias(LINE)
                over = pl.lit(None, dtype=pl.String).alias(OVER)
                return Sheet(path, shown, match, iter([body.with_columns(lines, over)]), found)
            fullest = max(fullest, shown, key=lambda row: sum(bool(c.strip()) for c in row))
    return fullest
