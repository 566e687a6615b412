"""JSON lines to columns, with a quarantine of single lines.

Lines are decoded as vectors, in slices. A slice that fails is tried line by line. A row whose canonical JSON is not
byte for byte its line (foreign writers, unknown keys, wrong types) is read a second time by a strict typed decoder,
which names the fault and its path, or finds nothing wrong but unknown keys. So the fast way is never trusted with
anything it could lose: polars by itself reads 2.7 as 2 and drops keys it was not told of.
"""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
import polars as pl

SLICE = 200
_LONE = r"\\u[dD][89a-fA-F]"


@dataclass
class Decoded:
    """`frame` has the decoded columns of the lines at `positions`; `bad` maps other positions to reasons."""

    frame: pl.DataFrame
    positions: list[int]
    bad: dict[int, str]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=max(2, (os.cpu_count() or 2)), thread_name_prefix="decode")


@cache
def checker(dtype: pl.Struct, *, strict: bool) -> msgspec.json.Decoder[Any]:
    """Give a decoder that names what is wrong with a line: exact leaf types if `strict`, else any scalar."""
    return msgspec.json.Decoder(_shape(dtype, strict=strict))


def _shape(dtype: Any, *, strict: bool) -> Any:
    if isinstance(dtype, pl.Struct):
        members = [(f"f{i}", _shape(f.dtype, strict=strict), None) for i, f in enumerate(dtype.fields)]
        names = {f"f{i}": f.name for i, f in enumerate(dtype.fields)}
        return msgspec.defstruct("Row", members, rename=names.__getitem__) | None
    if isinstance(dtype, pl.List):
        return list[_shape(dtype.inner, strict=strict)] | None  # type: ignore[misc]
    if not strict:
        return str | int | float | bool | None
    return {pl.Int64: int, pl.Boolean: bool}.get(dtype.base_type(), str) | None


def explain(line: bytes, dtype: pl.Struct, *, strict: bool) -> str | None:
    """Say what is wrong with a line of shape `dtype`, or None if nothing is."""
    try:
        if checker(dtype, strict=strict).decode(line) is None:
            return "is null, not an object"
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return str(error)
    return None


def _vector(lines: pl.Series, dtype: pl.Struct) -> pl.DataFrame:
    return lines.to_frame("line").select(pl.col("line").str.json_decode(dtype)).unnest("line")


def _slice(lines: pl.Series, dtype: pl.Struct, *, strict: bool) -> tuple[pl.DataFrame, dict[int, str]]:
    try:
        return _vector(lines, dtype), {}
    except pl.exceptions.PolarsError:
        pass
    bad: dict[int, str] = {}
    for i, line in enumerate(lines):
        if reason := explain(line.encode(), dtype, strict=strict):
            bad[i] = reason
    good = lines.gather([i for i in range(len(lines)) if i not in bad])
    try:
        return _vector(good, dtype), bad
    except pl.exceptions.PolarsError:
        return _one_by_one(lines, dtype, bad)


def _one_by_one(
    lines: pl.Series, dtype: pl.Struct, bad: dict[int, str]
) -> tuple[pl.DataFrame, dict[int, str]]:
    frames = [_vector(lines.clear(), dtype)]
    for i in range(len(lines)):
        if i in bad:
            continue
        try:
            frames.append(_vector(lines[i : i + 1], dtype))
        except pl.exceptions.PolarsError as error:
            bad[i] = str(error).splitlines()[0]
    return pl.concat(frames), bad


def texts(block: bytes) -> tuple[pl.DataFrame, dict[int, bytes]]:
    """Read a block of lines as UTF-8.

    Returns: a frame of `at` (Int64, place of the line in the block) and `line` without the blank ones; and the lines
    that are no UTF-8, by place.
    """
    bad: dict[int, bytes] = {}
    try:
        lines = pl.scan_lines(io.BytesIO(block), name="line").collect()["line"]
    except pl.exceptions.ComputeError:
        lines = pl.Series(
            "line", [_utf8(line, i, bad) for i, line in enumerate(block.split(b"\n"))], dtype=pl.String
        )
    frame = pl.DataFrame({"at": pl.int_range(len(lines), eager=True, dtype=pl.Int64), "line": lines})
    return frame.filter(pl.col("line").str.strip_chars().str.len_bytes() > 0), bad


def _utf8(line: bytes, at: int, bad: dict[int, bytes]) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        bad[at] = line
        return None


def decode(lines: pl.Series, dtype: pl.Struct, *, strict: bool) -> Decoded:
    """Decode texts of JSON objects as columns of `dtype`; lines that cannot be are told with reasons."""
    slices = [lines[i : i + SLICE] for i in range(0, len(lines), SLICE)]

    def work(part: pl.Series) -> tuple[pl.DataFrame, dict[int, str]]:
        return _slice(part, dtype, strict=strict)

    done = list(_pool().map(work, slices)) if len(slices) > 1 else [work(part) for part in slices]
    bad = {i * SLICE + k: reason for i, (_, found) in enumerate(done) for k, reason in found.items()}
    frame = pl.concat([f for f, _ in done]) if done else _vector(lines, dtype)
    positions = [i for i in range(len(lines)) if i not in bad] if bad else list(range(len(lines)))
    return _surrogates(lines, Decoded(frame, positions, bad))


def _surrogates(lines: pl.Series, found: Decoded) -> Decoded:
    """Take out rows with a lone surrogate escape, which polars would turn into NUL without a word."""
    for i in lines.str.contains(_LONE).arg_true().to_list():
        if i not in found.bad:
            try:
                msgspec.json.decode(lines[i].encode())
            except msgspec.DecodeError as error:
                found.bad[i] = str(error)
    if any(p in found.bad for p in found.positions):
        keep = [k for k, p in enumerate(found.positions) if p not in found.bad]
        return Decoded(found.frame[keep], [found.positions[k] for k in keep], found.bad)
    return found
