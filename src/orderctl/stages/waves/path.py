"""The way a picker walks: codes of bins read as zone, aisle, bay and level, and put in the order they are passed.

Zones are walked one after the other, each from its front. In the shape of an S every other aisle *that is visited* is
walked backwards, so the order depends on what is to be fetched: it is told for the bins of one walk, never for a bin alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import polars as pl

from orderctl.stages.rules.sections.waves import PLACE, Path

_PIECES = re.compile(r"[0-9]+|[^0-9]+")
_PARTS = re.compile(r"[-_./ ]+")
_JOINED = re.compile(r"([^0-9]+)([0-9]+)")
CODES = pl.Schema({"location": pl.String(), **dict.fromkeys(PLACE, pl.String())})


def natural_key(text: str) -> str:
    """Give a text whose order is the natural one: A-2 before A-10."""
    return "".join(p.lstrip("0").rjust(12, "0") if p.isdecimal() else p for p in _PIECES.findall(text))


def read_code(code: str, path: Path) -> tuple[str | None, ...]:
    """Read the code of a bin as PLACE: by the path's own expression, else by its parts.

    Two parts are aisle and bay, three have the zone before, four the level behind; A12 is A-12. A code that is written
    otherwise is a bay of its own, so that it has its natural order.
    """
    if path.code is not None:
        found = re.search(path.code, code)
        told = found.groupdict() if found else {"bay": code}
        return tuple(told.get(name) for name in PLACE)
    parts = [part for part in _PARTS.split(code) if part]
    if len(parts) == 1 and (joined := _JOINED.fullmatch(parts[0])):
        parts = [*joined.groups()]
    if len(parts) == 2:
        return None, parts[0], parts[1], None
    if len(parts) in (3, 4):
        return parts[0], parts[1], parts[2], parts[3] if len(parts) == 4 else None
    return None, None, code, None


def read_codes(codes: Iterable[str], path: Path) -> pl.DataFrame:
    """Give what every code tells, as columns CODES."""
    rows = [(code, *read_code(code, path)) for code in dict.fromkeys(codes)]
    return pl.DataFrame(rows, schema=CODES, orient="row")


def walked(bins: pl.DataFrame, path: Path, over: Sequence[str] = ()) -> pl.DataFrame:
    """Number the bins of each walk in the order they are passed.

    Args:
        bins: columns CODES, and `over`, which name a walk; a bin without a location (null) comes last.

    Returns: each different bin of each walk once, with `stop` (Int64, from 1), ordered by walk and stop.
    """
    each = bins.select(*over, *CODES.names()).unique([*over, "location"])
    natural = {name: _keys(each[name]) for name in CODES.names()}
    keyed = each.with_columns(
        pl.col(name).replace_strict(keys, default="", return_dtype=pl.String).alias(f"key_{name}")
        for name, keys in natural.items()
    )
    zone = [*over, "key_zone"]
    aisles = keyed.with_columns(aisle_no=pl.col("key_aisle").rank("dense").over(zone))
    bays = aisles.with_columns(
        bay_no=pl.col("key_bay").rank("dense").over([*zone, "key_aisle"]).cast(pl.Int64)
    )
    back = (pl.col("aisle_no") % 2 == 0) if path.shape == "s" else pl.lit(False)
    ordered = bays.with_columns(
        nowhere=pl.col("location").is_null(), passed=pl.when(back).then(-pl.col("bay_no")).otherwise("bay_no")
    ).sort([*over, "nowhere", "key_zone", "aisle_no", "passed", "key_level", "key_location", "location"])
    stop = pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    return ordered.select(*over, *CODES.names(), stop=stop.over(list(over)) if over else stop)


def _keys(texts: pl.Series) -> dict[str, str]:
    return {text: natural_key(text) for text in texts.drop_nulls().unique()}
