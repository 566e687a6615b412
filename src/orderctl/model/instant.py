"""Instants as text: RFC 3339, UTC, whole seconds, `Z`.

The order of such texts is the order of times, in every tool that reads a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl

FORMAT = "%Y-%m-%dT%H:%M:%SZ"
LAST_SECOND = 253_402_300_799  # the end of 9999
BEIJING = "Asia/Shanghai"
LOCAL_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y-%m-%d")


def from_local(text: pl.Expr, zone: str, formats: Sequence[str] = LOCAL_FORMATS) -> pl.Expr:
    """Read wall-clock text of `zone` (an IANA name) as instants; null where it is empty or is no time.

    Times inside a gap of summer time do not exist and come out null; the earlier of two is taken.
    """
    clean = text.str.strip_chars(" \t\r\n'\"")
    parsed = pl.coalesce(
        clean.str.to_datetime(f, strict=False, time_unit="ms", ambiguous="earliest") for f in formats
    )
    local = parsed.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return _written(local.dt.convert_time_zone("UTC"))


def from_offset(text: pl.Expr) -> pl.Expr:
    """Read text that carries its own offset (`...Z`, `+08:00`, ` -0500`) as instants; null where it is no time."""
    clean = (
        text.str.strip_chars().str.replace(r"^(\d{4}-\d\d-\d\d) ", "${1}T").str.replace(r"(Z|UTC)$", "+00:00")
    )
    clean = clean.str.replace(r"\s*([+-]\d\d):?(\d\d)$", "${1}${2}").str.replace(r"\.\d+", "")
    parsed = clean.str.to_datetime("%Y-%m-%dT%H:%M:%S%z", strict=False, time_unit="ms", time_zone="UTC")
    return _written(parsed)


def from_epoch(seconds: pl.Expr) -> pl.Expr:
    """Read seconds since 1970 (integers or digits as text) as instants; 0 and less mean "missing".

    Null beyond the year 9999: such a number counts milliseconds.
    """
    whole = seconds.cast(pl.Int64, strict=False)
    inside = pl.when(whole.is_between(1, LAST_SECOND)).then(whole)
    return pl.from_epoch(inside, time_unit="s").dt.strftime(FORMAT)


def _written(moment: pl.Expr) -> pl.Expr:
    # a zone can push the first and the last hours there are out of the years that four digits can write
    return pl.when(moment.dt.year().is_between(1, 9999)).then(moment.dt.strftime(FORMAT))


def parse_instant(text: str) -> datetime:
    """Read one instant. Raises: ValueError if it is not of the form `2026-11-24T05:30:28Z`."""
    return datetime.strptime(text, FORMAT).replace(tzinfo=UTC)


def write_instant(moment: datetime) -> str:
    """Write an aware datetime as an instant, fractions of a second cut off."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
