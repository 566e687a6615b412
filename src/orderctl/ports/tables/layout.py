"""What an export of a back office looks like: its columns by name, and which of them mean what to the reader.

Sellers choose and reorder columns, and back offices rename them, so a column is found by any of its names, never by
its place. An export is recognised when all the columns it needs are there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from orderctl.ports.tables.cells import heading


@dataclass(frozen=True)
class Layout:
    """One kind of export file.

    `columns` maps the name we keep a column under to its other names. `needs` must all be there, `absent` must not.
    Digits lost in one of `ids` make the row unusable; in one of `codes` they only empty the cell. A file has a row
    for each order or for each line; in the second case `lines` are the columns that may differ within an order.
    """

    format: str
    platform: str
    columns: Mapping[str, Sequence[str]]
    needs: Sequence[str]
    order: str
    ids: Sequence[str]
    rows: Literal["order", "line"] = "order"
    part: Literal["whole", "orders", "items"] = "whole"
    absent: Sequence[str] = ()
    codes: Sequence[str] = ()
    times: Sequence[str] = ()
    notes: Sequence[str] = ()
    lines: Sequence[str] = ()
    line_id: str | None = None
    shop: str | None = None
    """The column with the shop's name, in files of several shops."""
    platforms: Mapping[str, str] = field(default_factory=dict)
    """The file's words for platforms in its column `platform`, in files of several; others are `platform`."""
    first_row_ref: str | None = None
    """The column that names an order only in its first row (then `order` repeats a name that need not be unique)."""
    own_names: bool = True
    """Whether the names of `columns` are headings themselves."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Columns the file lacks, the same in every row."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What the mapper must know besides the cells; stands in each record's payload as `map`."""
    known: Mapping[str, str] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        names: dict[str, str] = {}
        for key, others in self.columns.items():
            for name in (key, *others) if self.own_names else others:
                names.setdefault(heading(name), key)
        object.__setattr__(self, "known", names)

    def place(self, cells: Sequence[str | None]) -> dict[str, int] | None:
        """Give the place of each column we know in a header row (the first of several); None if it is another file's."""
        found: dict[str, int] = {}
        for at, cell in enumerate(cells):
            key = self.known.get(heading(cell))
            if key is not None:
                found.setdefault(key, at)
        if all(key in found for key in self.needs) and not any(key in found for key in self.absent):
            return found
        return None

    def refs(self, frame: pl.DataFrame) -> pl.Expr:
        """Name the order of each row: by its column, or by that of the order's first row above."""
        name = pl.col(self.order)
        if self.first_row_ref is None or self.first_row_ref not in frame.columns:
            return name.str.strip_prefix("#")
        number = pl.col(self.first_row_ref)
        begins = number.is_not_null() | name.ne_missing(name.shift())
        return pl.when(begins).then(pl.coalesce(number, name.str.strip_prefix("#"))).forward_fill()
