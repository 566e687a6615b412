"""Rows of a recognised table: cells cleaned, blank rows and totals left out, unreadable rows told apart.

A row that cannot be read takes the other rows of its order with it, since half an order would ship.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from orderctl.ports.tables.cells import BLANKS, SCIENTIFIC, TOTALS, clean, dated, typed
from orderctl.ports.tables.layout import Layout
from orderctl.ports.tables.sheets import LINE, OVER, Sheet

MAX_TEXT = 2000
REF, AT, FILE, PATH = "_ref", "_at", "_file", "_path"
OWN = (LINE, OVER, REF, AT, FILE, PATH)
_WHY, _ROW = "_why", "_row"
NO_ORDER = "the row names no order"
LOST_DIGITS = "a number has lost digits (4.01E+18): export again, or open the file as text"
TOO_MANY = "there are more cells than headings, or a quote is not closed"
BAD_BYTES = "there are bytes that are no text in this encoding"
NO_RESULT = "a formula has no stored result: open the file in a spreadsheet program and save it"
OTHER_ROW = "another row of the same order cannot be read"

Reject = dict[str, str | int | None]
"""`source line reason text`."""


@dataclass(frozen=True)
class Found:
    """The layout a header row was recognised as, and where its columns stand."""

    layout: Layout
    places: dict[str, int]


@dataclass
class Rows:
    """What came of a block: `frame` has the columns by name, LINE, REF, AT (when observed), FILE and PATH."""

    frame: pl.DataFrame
    rejects: list[Reject] = field(default_factory=list)
    spoiled: set[str] = field(default_factory=set)
    """Orders that must be rejected wherever else they stand."""
    totals: int = 0
    lost: int = 0
    """Cells of merchandise numbers that lost digits and were emptied."""


def column_names(sheet: Sheet[Found]) -> dict[str, str]:
    """Name the columns: ours where we know them, else as written, numbered where a heading stands twice."""
    ours = {at: key for key, at in sheet.match.places.items()}
    taken = {*sheet.match.places, *sheet.match.layout.constants, *OWN}
    names: dict[str, str] = {}
    for at, cell in enumerate(sheet.columns):
        name = ours.get(at) or cell.strip(BLANKS) or f"#{at + 1}"
        if at not in ours and name in taken:
            name = f"{name}#{at + 1}"
        taken.add(name)
        names[f"c{at}"] = name
    return names


def read_rows(block: pl.DataFrame, sheet: Sheet[Found], at: str) -> Rows:
    """Clean a block of `sheet`, whose file was observed `at`."""
    layout, names = sheet.match.layout, column_names(sheet)
    written = block.rename(names).select(*names.values(), LINE, OVER)
    frame = _cleaned(written.with_row_index(_ROW), layout, list(names.values()))
    frame = frame.filter(~pl.all_horizontal(pl.col([*names.values(), OVER]).is_null()))
    order, first = pl.col(layout.order), pl.coalesce(*names.values())
    totals = (order.str.contains(TOTALS) | (order.is_null() & first.str.contains(TOTALS))).fill_null(False)
    out = Rows(frame.filter(~totals), totals=int(frame.select(totals.sum()).item() or 0))
    codes = [n for n in layout.codes if n in names.values()]
    if codes and out.frame.height:
        out.lost = sum(out.frame.select(pl.col(codes).str.contains(SCIENTIFIC).sum()).row(0))
        kept = (pl.when(~pl.col(n).str.contains(SCIENTIFIC)).then(pl.col(n)).alias(n) for n in codes)
        out.frame = out.frame.with_columns(kept)
    out.frame = out.frame.with_columns(
        layout.refs(out.frame).alias(REF),
        pl.lit(at).alias(AT),
        pl.lit(sheet.path.name).alias(FILE),
        pl.lit(str(sheet.path)).alias(PATH),
        *(pl.lit(value).alias(name) for name, value in layout.constants.items()),
    )
    out.frame = out.frame.with_columns(_why(out.frame, sheet, list(names.values())).alias(_WHY))
    _divide(out, written, sheet.path)
    return out


def _cleaned(frame: pl.DataFrame, layout: Layout, names: list[str]) -> pl.DataFrame:
    """Clean every cell; the costly part only in columns where some cell needs it."""
    begins = [pl.col(n).str.strip_chars_start(BLANKS).str.contains("^[='\"]").any().alias(n) for n in names]
    armoured = frame.select(begins).row(0, named=True) if frame.height else dict.fromkeys(names, True)
    cells = [
        (typed(pl.col(n)) if n in layout.notes else clean(pl.col(n), armoured=bool(armoured[n]))).alias(n)
        for n in names
    ]
    frame = frame.with_columns(cells)
    return frame.with_columns(dated(pl.col(n)).alias(n) for n in layout.times if n in names)


def _why(frame: pl.DataFrame, sheet: Sheet[Found], names: list[str]) -> pl.Expr:
    """Say why a row cannot be read; null where it can."""
    layout, known = sheet.match.layout, sheet.match.places
    columns = {known[n] for n in layout.ids if n in known}
    rounded = sorted({line for line, column in sheet.doubts.rounded if column in columns})
    uncached = sorted({line for line, column in sheet.doubts.uncached if column in known.values()})
    broken = pl.any_horizontal(pl.col([*names, OVER]).str.contains("\ufffd", literal=True))
    ids = [n for n in layout.ids if n in frame.columns]
    short = pl.any_horizontal(pl.col(ids).str.contains(SCIENTIFIC))
    return (
        pl.when(broken.fill_null(False)).then(pl.lit(BAD_BYTES))
        .when(pl.col(OVER).is_not_null()).then(pl.lit(TOO_MANY))
        .when(short.fill_null(False) | pl.col(LINE).is_in(rounded)).then(pl.lit(LOST_DIGITS))
        .when(pl.col(LINE).is_in(uncached)).then(pl.lit(NO_RESULT))
        .when(pl.col(REF).is_null()).then(pl.lit(NO_ORDER))
    )  # fmt: skip


def _divide(out: Rows, written: pl.DataFrame, path: Path) -> None:
    """Move the rows that cannot be read, and the others of their orders in this block, to the rejects."""
    wrong = out.frame.filter(pl.col(_WHY).is_not_null())
    out.spoiled = set(wrong[REF].drop_nulls())
    bad = pl.col(_WHY).is_not_null() | pl.col(REF).is_in(list(out.spoiled)).fill_null(False)
    if wrong.height:
        rows = out.frame.filter(bad)
        cells = [n for n in written.columns if n != LINE]
        text = written[rows[_ROW].to_list()].select(pl.concat_str(cells, separator=",", ignore_nulls=True))
        out.rejects = rejects(path, rows[LINE], rows[_WHY].fill_null(OTHER_ROW), text.to_series())
    out.frame = out.frame.filter(~bad).drop(_ROW, _WHY, OVER)


def rejects(path: Path | str, lines: pl.Series, reasons: pl.Series, texts: pl.Series) -> list[Reject]:
    """Give rejects, their text bounded."""
    return [
        {"source": str(path), "line": line, "reason": why, "text": (text or "")[:MAX_TEXT]}
        for line, why, text in zip(lines, reasons, texts, strict=True)
    ]
