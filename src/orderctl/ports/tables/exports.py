"""Back-office export files as raw records: recognised by their headers, the rows of an order in one record.

Every row is accounted for: it is part of a record, or a reject with its line and reason, or counted in a note (blank
rows apart). What the cells mean is the mappers' business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from orderctl.model.errors import DataError
from orderctl.model.instant import write_instant
from orderctl.model.schema import conform, empty
from orderctl.model.text import Text
from orderctl.ports.tables import gather
from orderctl.ports.tables.cells import BLANKS
from orderctl.ports.tables.layout import Layout
from orderctl.ports.tables.rows import AT, FILE, REF, Found, Reject, Rows, read_rows
from orderctl.ports.tables.sheets import Sheet, open_sheet

ShopOf = Callable[[str, str | None], str]
"""(platform, the shop's name in the file or None) to the id of the shop. Raises: ConfigError if it cannot tell."""


@dataclass
class Exported:
    """What came of export files: raw/1 records, rejects (`source line reason text`), and what to tell the user."""

    raw: pl.DataFrame = field(default_factory=lambda: empty("raw/1"))
    rejects: list[Reject] = field(default_factory=list)
    notes: list[Text] = field(default_factory=list)


def read_export(paths: Sequence[Path], *, layouts: Sequence[Layout], shop_of: ShopOf, now: str) -> Exported:
    """Read export files that belong together (Taobao's order report and item report, for example) into memory.

    Args:
        paths: CSV or XLSX files in any order.
        layouts: the exports that may be recognised; the first that fits wins.
        shop_of: names our shop for a platform and the shop's name in the file.
        now: the instant of reading; a file was observed when it was written, but never later than this.

    Raises: InputMissing, DataError (naming the file and what it looks like).
    """
    whole, frames = Exported(), []
    for part in read_blocks(paths, layouts=layouts, shop_of=shop_of, now=now):
        frames.append(part.raw)
        whole.rejects += part.rejects
        whole.notes += part.notes
    whole.raw = pl.concat(frames) if frames else whole.raw
    return whole


def read_blocks(
    paths: Sequence[Path], *, layouts: Sequence[Layout], shop_of: ShopOf, now: str
) -> Iterator[Exported]:
    """Read export files block by block; see `read_export`.

    Files with a row per order pass in bounded memory. The others come last, each format in one piece, since the rows
    of an order may lie anywhere.
    """
    kept: dict[str, list[tuple[Layout, pl.DataFrame]]] = {}
    spoiled: dict[str, set[str]] = {}
    for path in paths:
        sheet = _opened(path, layouts)
        layout = sheet.match.layout
        at = min(now, write_instant(datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)))
        seen = Rows(pl.DataFrame())
        yield Exported(notes=_column_notes(path, sheet))
        for block in _blocks(sheet):
            found = read_rows(block, sheet, at)
            seen.totals, seen.lost = seen.totals + found.totals, seen.lost + found.lost
            out = Exported(rejects=found.rejects)
            if layout.rows == "order" and layout.part == "whole":
                out.raw = _records(gather.whole_rows(found.frame, layout), layout, shop_of)
            else:
                kept.setdefault(layout.format, []).append((layout, found.frame))
                spoiled.setdefault(layout.format, set()).update(found.spoiled)
            yield out
        yield Exported(notes=_count_notes(path, seen))
    for form, parts in kept.items():
        yield _gathered(parts, spoiled[form], shop_of)


def _blocks(sheet: Sheet[Found]) -> Iterator[pl.DataFrame]:
    """Give the blocks of a sheet; in one piece where a row is understood only with the rows above."""
    if sheet.match.layout.first_row_ref is None:
        yield from sheet.blocks
    elif blocks := list(sheet.blocks):
        yield pl.concat(blocks)


def _opened(path: Path, layouts: Sequence[Layout]) -> Sheet[Found]:
    def recognise(cells: Sequence[str | None]) -> Found | None:
        for layout in layouts:
            places = layout.place(cells)
            if places is not None:
                return Found(layout, places)
        return None

    sheet = open_sheet(path, recognise)
    if isinstance(sheet, list):
        shown = ", ".join(c.strip(BLANKS)[:20] for c in sheet[:8] if c.strip(BLANKS)) or "-"
        raise DataError(
            Text("{path}: no export we know has these columns ({columns})", path=path, columns=shown),
            hint=Text("describe them in a column map and give it with --column-map"),
        )
    return sheet


def _column_notes(path: Path, sheet: Sheet[Found]) -> list[Text]:
    known = set(sheet.match.places.values())
    others = [c.strip(BLANKS) for at, c in enumerate(sheet.columns) if at not in known and c.strip(BLANKS)]
    notes = [Text("{path}: read as {format}", path=path, format=sheet.match.layout.format)]
    if others:
        text = "{path}: {count} columns are kept, but not understood: {columns}"
        notes.append(Text(text, path=path, count=len(others), columns=", ".join(others[:20])))
    return notes


def _count_notes(path: Path, seen: Rows) -> list[Text]:
    notes = []
    if seen.totals:
        notes.append(Text("{path}: {count} rows of totals left out", path=path, count=seen.totals))
    if seen.lost:
        text = "{path}: {count} numbers of goods have lost digits and are left empty"
        notes.append(Text(text, path=path, count=seen.lost))
    return notes


def _gathered(parts: Sequence[tuple[Layout, pl.DataFrame]], spoiled: set[str], shop_of: ShopOf) -> Exported:
    out = Exported()
    frames: dict[str, pl.DataFrame] = {}
    for part, frame in gather.parts_of(parts).items():
        frames[part], more = gather.without(frame, spoiled)
        out.rejects += more
    layouts = {layout.part: layout for layout, _ in parts}
    if "whole" in frames:
        rows = gather.from_lines(frames["whole"], layouts["whole"])
    else:
        rows, out.notes = gather.joined(frames, {str(part): layout for part, layout in layouts.items()})
    out.raw = _records(rows, parts[0][0], shop_of)
    return out


def _records(rows: gather.Records, layout: Layout, shop_of: ShopOf) -> pl.DataFrame:
    owners = rows.select("platform", "label").unique(maintain_order=True)
    shops = [shop_of(platform, label) for platform, label in owners.iter_rows()]
    named = rows.join(
        owners.with_columns(shop=pl.Series(shops, dtype=pl.String)),
        on=["platform", "label"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    return conform(
        named.select(
            "platform",
            "shop",
            "payload",
            platform_ref=pl.col(REF),
            format=pl.lit(layout.format),
            observed_at=pl.col(AT),
            source=pl.col(FILE),
        ),
        "raw/1",
    )
