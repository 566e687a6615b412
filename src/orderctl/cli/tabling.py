"""Tables as text: aligned for a fixed-width font, Chinese characters counted as two.

In a pipe or a file a table is plain and its bytes depend on its content alone; on a terminal it is drawn to fit.
Text from outside is made visible first, so no cell can steer the terminal.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from orderctl.model.table import Table
from orderctl.model.text import visible

if TYPE_CHECKING:
    from rich.table import Table as Drawn

GAP, NOTHING = "  ", "-"
_LEAST = 14  # characters a column of text keeps on a narrow terminal


def write_tables(tables: Sequence[Table], *, to_terminal: bool, titles: bool = True) -> bytes:
    """Write tables one below the other, each under its title; to a terminal in its width, else plainly."""
    if to_terminal:
        return _drawn(tables, titles=titles)
    blocks = ["\n".join([*([t.title] if titles else []), *plain_lines(t)]) for t in tables]
    return ("\n\n".join(blocks) + "\n").encode() if blocks else b""


def is_terminal(target: str) -> bool:
    """Tell whether what is written to `target` is read on a terminal."""
    return target == "-" and sys.stdout.isatty()


def plain_lines(table: Table) -> list[str]:
    """Give the lines of a table: headings, a rule, rows; numbers to the right, no blanks at the end of a line."""
    columns = [[words, *cells] for words, cells in zip(table.words(), _cells(table), strict=True)]
    padded = [
        _aligned(c, right=table.is_number(n)) for n, c in zip(table.frame.columns, columns, strict=True)
    ]
    head, *rows = (GAP.join(cells).rstrip() for cells in zip(*padded, strict=True))
    return [head, GAP.join("─" * _width(column[0]) for column in padded), *rows]


def _cells(table: Table) -> list[list[str]]:
    return [
        [NOTHING if value is None else visible(value) for value in table.frame[name].to_list()]
        for name in table.frame.columns
    ]


def _aligned(cells: list[str], *, right: bool) -> list[str]:
    widths = [_width(cell) for cell in cells]
    widest = max(widths)
    if right:
        return [" " * (widest - width) + cell for cell, width in zip(cells, widths, strict=True)]
    return [cell + " " * (widest - width) for cell, width in zip(cells, widths, strict=True)]


def _width(cell: str) -> int:
    if cell.isascii():
        return len(cell)
    from rich.cells import cell_len

    return cell_len(cell)


def _drawn(tables: Sequence[Table], *, titles: bool) -> bytes:
    from rich.console import Console
    from rich.text import Text as Cell

    sink = io.StringIO()
    width = shutil.get_terminal_size().columns
    plain = "NO_COLOR" in os.environ
    console = Console(
        file=sink, force_terminal=True, width=width, no_color=plain, highlight=False, legacy_windows=False
    )
    for number, table in enumerate(tables):
        if number:
            console.print()
        if titles:
            console.print(Cell(table.title, style="bold"))
        drawn, least = _drawn_table(table)
        console.print(drawn, width=max(width, least), crop=False)
    return sink.getvalue().encode()


def _drawn_table(table: Table) -> tuple[Drawn, int]:
    """Give a table whose columns shrink to the terminal, but none below `_LEAST`, and the width it needs at least."""
    from rich import box
    from rich.table import Table as Drawn
    from rich.text import Text as Cell

    drawn, least = Drawn(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold"), 0
    columns = _cells(table)
    for name, words, cells in zip(table.frame.columns, table.words(), columns, strict=True):
        right = table.is_number(name)
        natural = max(_width(text) for text in (words, *cells))
        smallest = natural if right else min(natural, _LEAST)
        drawn.add_column(
            Cell(words), justify="right" if right else "left", overflow="fold", min_width=smallest
        )
        least += smallest + len(GAP)
    for row in zip(*columns, strict=True):
        drawn.add_row(*(Cell(cell) for cell in row))
    return drawn, least
