"""Rows of an export gathered to one record for each order: `payload` is `{"head": {...}, "lines": [{...}]}`.

Files that overlap are no harm: a line that stands in several counts once, as the newest file has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from orderctl.model.mapper import translate
from orderctl.model.text import Text
from orderctl.ports.tables.layout import Layout
from orderctl.ports.tables.rows import AT, FILE, OTHER_ROW, OWN, PATH, REF, Reject, rejects
from orderctl.ports.tables.sheets import LINE

Records = pl.DataFrame
"""Columns REF, AT, FILE, `platform`, `label` (the shop's name in the file or null) and `payload` (JSON text)."""


def columns(frame: pl.DataFrame) -> list[str]:
    """Name the columns that come from the file."""
    return [n for n in frame.columns if n not in OWN]


def _label(frame: pl.DataFrame, layout: Layout) -> pl.Expr:
    there = layout.shop is not None and layout.shop in frame.columns
    return pl.col(str(layout.shop)) if there else pl.lit(None, dtype=pl.String)


def _platform(frame: pl.DataFrame, layout: Layout) -> pl.Expr:
    """Say whose the order is: in files of several platforms a column tells."""
    there = bool(layout.platforms) and "platform" in frame.columns
    told = translate(pl.col("platform"), layout.platforms) if there else pl.lit(None, dtype=pl.String)
    return told.fill_null(layout.platform)


def _json(layout: Layout, *parts: str) -> pl.Expr:
    settings = [pl.lit(value).alias(name) for name, value in layout.settings.items()]
    more = [pl.struct(settings).alias("map")] if settings else []
    return pl.struct(*parts, *more).struct.json_encode().alias("payload")


def whole_rows(frame: pl.DataFrame, layout: Layout) -> Records:
    """Give a record for each row."""
    found = frame.select(
        REF,
        AT,
        FILE,
        platform_of=_platform(frame, layout),
        label=_label(frame, layout),
        head=pl.struct(columns(frame)),
    )
    return found.select(REF, AT, FILE, "label", _json(layout, "head"), platform="platform_of")


def without(frame: pl.DataFrame, spoiled: Iterable[str]) -> tuple[pl.DataFrame, list[Reject]]:
    """Take the rows of spoiled orders out of `frame`, as rejects."""
    names = list(spoiled)
    if not names:
        return frame, []
    hit = pl.col(REF).is_in(names)
    out = frame.filter(hit)
    text = out.select(pl.concat_str(columns(out), separator=",", ignore_nulls=True)).to_series()
    found = rejects("", out[LINE], pl.Series([OTHER_ROW] * out.height, dtype=pl.String), text)
    for row, path in zip(found, out[PATH], strict=True):
        row["source"] = path
    return frame.filter(~hit), found


def _newest(frame: pl.DataFrame, layout: Layout) -> tuple[pl.DataFrame, list[str]]:
    """Give each line once, as the newest file has it, and the columns by which rows are gathered.

    Lines without a number of their own cannot be compared across files: then each file makes its own records.
    """
    number = layout.line_id
    if number is None or number not in frame.columns or frame[number].null_count():
        return frame, [REF, FILE]
    newest_first = frame.sort(AT, descending=True, maintain_order=True)
    once = newest_first.unique([REF, number], keep="first", maintain_order=True)
    return once, [REF]


def from_lines(frame: pl.DataFrame, layout: Layout) -> Records:
    """Gather rows per line; what may differ within an order goes into `lines`, the rest is the first row's."""
    ours = {*layout.columns, *layout.constants}
    within = [n for n in columns(frame) if n in layout.lines or n not in ours]
    head = [n for n in columns(frame) if n not in within]
    rows, keys = _newest(frame, layout)
    files = [] if FILE in keys else [pl.col(FILE).unique(maintain_order=True).str.join("+")]
    gathered = rows.group_by(keys, maintain_order=True).agg(
        pl.col(AT).max(),
        *files,
        head=pl.struct(head).first(),
        platform=_platform(frame, layout).first(),
        label=_label(frame, layout).first(),
        lines=pl.struct(within),
    )
    return gathered.select(REF, AT, FILE, "platform", "label", _json(layout, "head", "lines"))


def joined(frames: Mapping[str, pl.DataFrame], layouts: Mapping[str, Layout]) -> tuple[Records, list[Text]]:
    """Join an order report (`orders`) with its item report (`items`); what has no counterpart is kept and told."""
    notes: list[Text] = []
    first = next(iter(layouts.values()))
    heads = _heads(frames["orders"], layouts["orders"], notes) if "orders" in frames else None
    lines = _item_lines(frames["items"], layouts["items"]) if "items" in frames else None
    if heads is None or lines is None:
        notes.append(
            Text("the order report is missing: these orders come without recipients and amounts")
            if heads is None
            else Text("the item report is missing: these orders come without lines")
        )
        alone = lines if heads is None else heads
        assert alone is not None
        payload = _json(first, "lines" if heads is None else "head")
        return alone.select(REF, AT, FILE, "label", payload, platform=pl.lit(first.platform)), notes
    both = heads.join(lines, on=REF, how="full", coalesce=True, maintain_order="left_right", suffix="_items")
    no_head, no_lines = both.select(pl.col("head").is_null().sum(), pl.col("lines").is_null().sum()).row(0)
    if no_head:
        notes.append(Text("{count} orders are not in the order report", count=no_head))
    if no_lines:
        notes.append(Text("{count} orders are not in the item report", count=no_lines))
    return both.select(
        REF,
        pl.max_horizontal(AT, f"{AT}_items").alias(AT),
        pl.concat_str(FILE, f"{FILE}_items", separator="+", ignore_nulls=True).alias(FILE),
        "label",
        _json(first, "head", "lines"),
        platform=pl.lit(first.platform),
    ), notes


def _heads(frame: pl.DataFrame, layout: Layout, notes: list[Text]) -> pl.DataFrame:
    newest_first = frame.sort(AT, descending=True, maintain_order=True)
    once = newest_first.unique(REF, keep="first", maintain_order=True)
    if again := frame.height - once.height:
        notes.append(Text("{count} rows repeat an order: the newest file counts", count=again))
    return once.select(REF, AT, FILE, label=_label(once, layout), head=pl.struct(columns(once)))


def _item_lines(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    rows, keys = _newest(frame, layout)
    if FILE in keys:  # lines without numbers: the newest file that has the order tells all of them
        newest = rows.group_by(REF, maintain_order=True).agg(pl.col(PATH).sort_by(AT).last())
        rows = rows.join(newest, on=[REF, PATH], how="semi", maintain_order="left")
    return rows.group_by(REF, maintain_order=True).agg(
        pl.col(AT).max(),
        pl.col(FILE).unique(maintain_order=True).str.join("+"),
        label=pl.lit(None, dtype=pl.String),
        lines=pl.struct(columns(rows)),
    )


def parts_of(found: Sequence[tuple[Layout, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    """Put the blocks of each part together; columns that only some files have are null in the others."""
    parts: dict[str, pl.DataFrame] = {}
    for part in dict.fromkeys(layout.part for layout, _ in found):
        parts[part] = pl.concat([f for layout, f in found if layout.part == part], how="diagonal")
    return parts
