"""Workbooks as frames of text, and what their cells cannot be trusted with.

The reader gives the values a person sees: formulas by their stored result, dates as `2026-11-02 10:11:12`, whole
numbers without a point. Two things get lost on the way and are looked up in the file itself: numbers of more than 15
digits (a spreadsheet has already rounded them) and formulas whose result was never stored.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import fastexcel
import polars as pl

from orderctl.model.errors import DataError
from orderctl.model.text import Text

Place = tuple[int, int]
"""(line from 1, column from 0), the column counted from the first one in use."""

_CELL = rb'<c r="([A-Z]+)(\d+)"'
_ROUNDED = re.compile(
    _CELL + rb'(?: s="\d+")?(?: t="n")?>(?:<f[^>]*>[^<]*</f>|<f[^>]*/>)?'
    rb"<v>-?(?:\d{16,}(?:\.\d+)?|\d(?:\.\d+)?E\+(?:1[5-9]|[2-9]\d))</v>"
)
_UNCACHED = re.compile(_CELL + rb"[^>]*>(?:<f[^>]*/>|<f[^>]*>[^<]*</f>)(?:<v\s*/>|<v></v>)?</c>")
_FIRST_ROW = re.compile(rb'<c r="[A-Z]+(\d+)"[^>]*>')


@dataclass(frozen=True)
class Doubts:
    """Which cells of a sheet are not what they seem; `first_line` is the line of the first row in use."""

    first_line: int = 1
    rounded: frozenset[Place] = frozenset()
    uncached: frozenset[Place] = frozenset()


def sheets(path: Path) -> Iterator[tuple[str, pl.DataFrame]]:
    """Give every sheet that is not empty: its name, and its cells in the text columns c0, c1, ...

    Raises: DataError if the file is no workbook that can be opened.
    """
    try:
        book = fastexcel.read_excel(path)
        for name in book.sheet_names:
            frame = book.load_sheet(name, header_row=None, dtypes="string").to_polars()
            if frame.width:
                yield name, frame.rename({column: f"c{i}" for i, column in enumerate(frame.columns)})
    except fastexcel.FastExcelError as error:
        raise DataError(
            Text("{path}: cannot be opened as a workbook", path=path),
            hint=Text("is it protected by a password, or cut off? open it and save it as XLSX again"),
        ) from error


def doubts(path: Path, sheet: str) -> Doubts:
    """Look into an XLSX file for cells whose value is not trustworthy. Old XLS files cannot be looked into."""
    try:
        with zipfile.ZipFile(path) as archive:
            xml = archive.read(_part_of(archive, sheet))
    except (zipfile.BadZipFile, KeyError, zlib.error, NotImplementedError):
        return Doubts()
    first = _FIRST_ROW.search(xml)
    rounded, uncached = _places(_ROUNDED, xml), _places(_UNCACHED, xml)
    left = 0
    if rounded or uncached:
        left = min((_column(name) for name in set(re.findall(rb'<c r="([A-Z]+)\d+"', xml))), default=0)
    return Doubts(
        int(first[1]) if first else 1,
        frozenset((line, column - left) for line, column in rounded),
        frozenset((line, column - left) for line, column in uncached),
    )


def _places(pattern: re.Pattern[bytes], xml: bytes) -> list[Place]:
    return [(int(found[2]), _column(found[1])) for found in pattern.finditer(xml)]


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """Give the name of the part that holds a sheet. Raises: KeyError if the workbook does not say."""
    book = archive.read("xl/workbook.xml").decode()
    links = archive.read("xl/_rels/workbook.xml.rels").decode()
    for tag in re.findall(r"<sheet\b[^>]*>", book):
        found = dict(re.findall(r'([\w:]+)="([^"]*)"', tag))
        if _plain(found.get("name", "")) == sheet:
            for link in re.findall(r"<Relationship\b[^>]*>", links):
                told = dict(re.findall(r'([\w:]+)="([^"]*)"', link))
                if told.get("Id") == found.get("r:id"):
                    target = str(told["Target"])
                    return target.lstrip("/") if target.startswith("/") else "xl/" + target
    raise KeyError(sheet)


def _plain(text: str) -> str:
    for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(entity, letter)
    return text
