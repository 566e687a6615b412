"""Waves filled in order: no more than a wave may hold, lots left whole where they fit into one."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from orderctl.stages.rules.sections.waves import MOST, WaveRule, WavesSection
from orderctl.stages.waves.grouping import GROUP

_SIZES = ("shipments", "lines", "pieces")
_ALL = (MOST * MOST,) * len(_SIZES)
Load = tuple[int, ...]


def filled(rows: pl.DataFrame, section: WavesSection) -> pl.DataFrame:
    """Give `rows` (in order, with GROUP, lot, articles and pieces) with `part`: the number of its wave in its group, from 0.

    One ordered pass over plain numbers: what fits depends on all that came before.
    """
    limits = {number: _limits(rule) for number, rule in enumerate(section.rules)}
    group = pl.struct(GROUP).rle_id()
    lot = pl.struct(*GROUP, "lot").rle_id()
    sized = rows.with_columns(shipments=pl.lit(1, dtype=pl.Int64), lines="articles")
    numbers = sized.select(
        "rule",
        *_SIZES,
        group=group,
        lot=pl.when(pl.col("lot").is_not_null()).then(lot).otherwise(None),
    ).with_columns(pl.col(_SIZES).sum().over("lot").name.suffix("_of_lot"))
    part, parts = 0, []
    load: Load = (0,) * len(_SIZES)
    last_group = last_lot = None
    for rule, n, lines, pieces, in_group, in_lot, *of_lot in numbers.iter_rows():
        limit = limits.get(rule, _ALL)
        if in_group != last_group:
            part, load = 0, (0,) * len(_SIZES)
        elif not _fits(load, (n, lines, pieces), limit) or (
            in_lot is not None and in_lot != last_lot and not _fits(load, of_lot, limit)
        ):
            part, load = part + 1, (0,) * len(_SIZES)
        load = tuple(a + b for a, b in zip(load, (n, lines, pieces), strict=True))
        parts.append(part)
        last_group, last_lot = in_group, in_lot
    return rows.with_columns(pl.Series("part", parts, dtype=pl.Int64))


def _limits(rule: WaveRule) -> Load:
    given = (rule.most, rule.capacity.lines, rule.capacity.pieces)
    return tuple(most if n is None else n for n, most in zip(given, _ALL, strict=True))


def _fits(load: Sequence[int], more: Sequence[int], limit: Sequence[int]) -> bool:
    return all(a + b <= most for a, b, most in zip(load, more, limit, strict=True))
