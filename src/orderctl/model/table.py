"""A table for people: what a report or a list shows, whatever it is written to (terminal, CSV, XLSX, HTML).

Invariant: every cell is text, a whole number or null. Amounts are decimal text (`12.34`), so that no reader rounds
them, and their columns are named in `decimals`, so that a spreadsheet can still add them up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl


@dataclass(frozen=True)
class Table:
    """One table: `name` for machines, `title` and `headings` (column to words) in the reader's language."""

    name: str
    title: str
    frame: pl.DataFrame
    headings: Mapping[str, str]
    decimals: frozenset[str] = field(default_factory=frozenset)

    def is_number(self, column: str) -> bool:
        """Tell whether a column is set to the right: whole numbers and decimals."""
        return column in self.decimals or self.frame.schema[column].is_integer()

    def words(self) -> list[str]:
        """Give the headings in the order of the columns."""
        return [self.headings.get(name, name) for name in self.frame.columns]
