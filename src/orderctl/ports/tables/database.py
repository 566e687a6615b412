"""Reading a table of a SQLite database as it is read from a file: every cell as text."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl

from orderctl.model.errors import DataError, InputMissing
from orderctl.model.text import Text


def read_database(path: Path, table: str) -> pl.DataFrame:
    """Read a table or view in one snapshot, without writing anything; empty cells are null.

    Raises: InputMissing if there is no such file; DataError if it is no database, or has no such table.
    """
    if not path.is_file():
        raise InputMissing(Text("{path}: there is no such table", path=path))
    quoted = '"' + table.replace('"', '""') + '"'
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            found = db.execute(f"SELECT * FROM {quoted}")
            names = [name for name, *_ in found.description]
            rows = [tuple(None if cell is None else str(cell) for cell in row) for row in found]
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise DataError(Text("{path}: is no table: {why}", path=path, why=error)) from error
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String()), orient="row")
