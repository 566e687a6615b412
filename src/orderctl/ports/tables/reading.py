"""Reading a table that rules name (SKUs, tariffs): CSV, XLSX or Parquet, every cell as text."""

from __future__ import annotations

from pathlib import Path

import fastexcel
import polars as pl

from orderctl.model.errors import DataError, InputMissing
from orderctl.model.text import Text


def read_table(path: str) -> pl.DataFrame:
    """Read a table with headings in its first row; empty cells are null.

    Raises: InputMissing if it cannot be opened; DataError if it is no such table.
    """
    if not Path(path).is_file():
        raise InputMissing(Text("{path}: there is no such table", path=path))
    try:
        text = _read(Path(path)).select(pl.all().cast(pl.String).str.strip_chars())
    except (pl.exceptions.PolarsError, fastexcel.FastExcelError, UnicodeDecodeError, OSError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(Text("{path}: is no table: {why}", path=path, why=why)) from error
    return text.select(pl.when(pl.all() != "").then(pl.all()).name.keep()).filter(
        ~pl.all_horizontal(pl.all().is_null())
    )


def _read(path: Path) -> pl.DataFrame:
    if path.suffix.lower() == ".parquet":
        return pl.read_parquet(path)
    if path.suffix.lower() in (".xlsx", ".xls", ".xlsb", ".ods"):
        return pl.DataFrame(fastexcel.read_excel(path).load_sheet(0, dtypes="string"))
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030")
    return pl.read_csv(text.encode(), infer_schema=False)
