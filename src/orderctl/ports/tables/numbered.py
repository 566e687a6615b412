"""Tables that rules name (SKUs, bundles, catalogues, the blacklist), every cell as text, with the line each row stands in.

The header is the first row that names one of the columns asked for; titles above it do not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from orderctl.model.errors import DataError
from orderctl.model.text import Text
from orderctl.ports.tables.reading import read_table
from orderctl.ports.tables.sheets import LINE, open_sheet

_LOST = "{path}:{line}:{column}: a number has lost digits in the spreadsheet; type it again as text"
_ARTICLES = ("sku", "我方sku", "商品编码", "商家编码", "货号", "key")
_DESTINATIONS = (
    "province",
    "provinces",
    "country",
    "省份",
    "目的地",
    "目的省份",
    "到达省份",
    "省",
    "地区",
    "国家",
)
_COURIERS = ("courier", "快递")
HEADINGS = frozenset((*_ARTICLES, *_DESTINATIONS, *_COURIERS))


def read_numbered(path: str) -> pl.DataFrame:
    """Read a table with headings, one of them of HEADINGS: text columns and LINE (Int64, from 1), empty rows left out.

    Raises: InputMissing if it cannot be opened; DataError if it is no such table, or a number lost its digits.
    """
    if not Path(path).is_file() or Path(path).suffix.lower() == ".parquet":
        table = read_table(path)
        return table.with_columns(pl.int_range(1, table.height + 1, dtype=pl.Int64).alias(LINE))
    sheet = open_sheet(Path(path), _is_header)
    if isinstance(sheet, list):
        raise DataError(Text("{source}: has no column {column}", source=path, column="sku"))
    kept = {f"c{at}": name.strip() for at, name in enumerate(sheet.columns) if name and name.strip()}
    twice = sorted({name for name in kept.values() if list(kept.values()).count(name) > 1})
    if twice:
        raise DataError(Text("{path}: the column {column} is there twice", path=path, column=twice[0]))
    for line, column in sorted(sheet.doubts.rounded):
        raise DataError(Text(_LOST, path=path, line=line, column=column + 1))
    none = pl.DataFrame(schema={**dict.fromkeys(kept, pl.String()), LINE: pl.Int64()})
    rows = pl.concat([none, *(block.select(none.columns).cast(none.schema) for block in sheet.blocks)])
    texts = rows.select(
        *(pl.col(c).cast(pl.String).str.strip_chars().alias(n) for c, n in kept.items()), LINE
    )
    texts = texts.select(*(pl.when(pl.col(n) != "").then(pl.col(n)).alias(n) for n in kept.values()), LINE)
    return texts.filter(~pl.all_horizontal(pl.col(list(kept.values())).is_null()))


def no_rows() -> pl.DataFrame:
    """Give a table of articles without a row, as `read_numbered` gives one."""
    return pl.DataFrame(schema={"sku": pl.String(), "title": pl.String(), LINE: pl.Int64()})


def _is_header(cells: Sequence[str | None]) -> bool | None:
    return True if any((cell or "").strip().lower() in HEADINGS for cell in cells) else None
