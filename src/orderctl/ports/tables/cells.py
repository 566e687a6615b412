"""What back offices and spreadsheets do to a cell, undone.

Nothing is guessed: a number that lost digits cannot be healed, so it is told, never rounded.
"""

from __future__ import annotations

import re

import polars as pl

BLANKS = " \t\r\n\u00a0\u3000\u200b\ufeff"
NOTHING = ("-", "--", "—", "null", "NULL", "None", "N/A", "#N/A")
SCIENTIFIC = r"^[+-]?\d+(?:\.\d+)?[Ee]\+?\d+$"
TOTALS = r"^(?:合计|总计|小计|共计|总数|[Tt]otals?\b|TOTALS?\b|[Ss]um\b|SUM\b)"
_UNITS = re.compile(r"\((?:元|件|¥|￥|rmb|cny)\)$")
_SERIAL = r"^\d{5}(?:\.\d+)?$"


def _unwrapped(cell: pl.Expr) -> pl.Expr:
    """Take off `="..."`, the armour of long numbers."""
    return cell.str.replace(r'^=\s*"((?s:.*))"$', "${1}")


def clean(cell: pl.Expr, *, armoured: bool = True) -> pl.Expr:
    """Give a cell without armour (`="..."`, a leading `'`), blanks and tabs around it; null where it says "nothing".

    Without `armoured` no cell is expected to wear any.
    """
    bare = cell.str.strip_chars(BLANKS)
    if armoured:
        bare = _unwrapped(bare).str.strip_chars(BLANKS).str.replace(r"^'+", "").str.strip_chars(BLANKS)
    return pl.when((bare != "") & ~bare.is_in(NOTHING)).then(bare)


def typed(cell: pl.Expr) -> pl.Expr:
    """Give what a person typed byte for byte, but for the tab an exporter adds behind (and its armour)."""
    bare = _unwrapped(cell.str.strip_chars("\t"))
    return pl.when(bare.str.strip_chars(BLANKS) != "").then(bare)


def dated(cell: pl.Expr) -> pl.Expr:
    """Give a time as text, also where a spreadsheet left its own day number (45600.5)."""
    serial = pl.when(cell.str.contains(_SERIAL)).then(cell).cast(pl.Float64, strict=False)
    seconds = (serial * 86_400).round().cast(pl.Int64)
    day_zero = pl.datetime(1899, 12, 30)
    text = (day_zero + pl.duration(seconds=seconds)).dt.strftime("%Y-%m-%d %H:%M:%S")
    return pl.when(seconds.is_not_null()).then(text).otherwise(cell)


def heading(text: str | None) -> str:
    """Give a column's name for comparison: no blanks or armour, one width of brackets, no unit, lower case."""
    name = (text or "").strip(BLANKS)
    name = re.sub(r'^="(.*)"$', r"\1", name).lstrip("'")
    name = re.sub(rf"[{BLANKS}]+", "", name).translate(str.maketrans("（）：＊", "():*")).lower()
    return _UNITS.sub("", name).strip("*:")
