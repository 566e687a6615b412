"""JSON lines to columns, with a quarantine of single lines.

Lines are decoded as vectors, in slices; a slice that fails is tried line by line, and a strict typed decoder names the
fault and its path. polars alone is never trusted with what it could lose: it reads 2.7 as 2, drops integers beyond
64 bits, turns half a surrogate pair into NUL, and quotes the line, with all it says of a person, in its errors.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

import jiter
import msgspec
import polars as pl
from pydantic import BaseModel

from orderctl.model.records import INSTANT, MODELS
from orderctl.model.schema import members

SLICE = 500
UNREADABLE = "holds a value that cannot be read"
TOO_DEEP = "is nested too deep"
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}")  # no word of what a person may have written
_LONE = r"\\u[dD][89a-fA-F]"
_INTEGER = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
INSTANT_TEXT = Annotated[str, msgspec.Meta(pattern=INSTANT)]

Checker = msgspec.json.Decoder[Any]
_decoder, _encoder = msgspec.json.Decoder(), msgspec.json.Encoder()
_object: Checker = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass
class Decoded:
    """`frame` has the decoded columns of the lines at `positions`; `bad` maps other positions to reasons."""

    frame: pl.DataFrame
    positions: list[int]
    bad: dict[int, str]

    def of(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Give those of `rows`, one for each line, whose lines could be decoded."""
        return rows[self.positions] if self.bad else rows


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=max(2, (os.cpu_count() or 2)), thread_name_prefix="decode")


@cache
def record_checker(kind: str) -> Checker:
    """Give a decoder that names what is wrong with a line of `kind`; lists may be null or missing."""
    return msgspec.json.Decoder(_record(MODELS[kind]) | None)


def _record(model: type[BaseModel]) -> Any:
    required: list[tuple[str, Any]] = []
    optional: list[tuple[str, Any, None]] = []
    names: dict[str, str] = {}
    for i, member in enumerate(members(model)):
        names[f"f{i}"] = member.name
        value = INSTANT_TEXT if member.is_instant else _value(member.type)
        if member.nullable or get_origin(member.type) is list:
            optional.append((f"f{i}", value | None, None))
        else:
            required.append((f"f{i}", value))
    return msgspec.defstruct("Row", [*required, *optional], rename=names.__getitem__)


def _value(kind: Any) -> Any:
    origin = get_origin(kind)
    if origin is list:
        return list[_value(get_args(kind)[0])]  # type: ignore[misc]
    if origin is dict:
        return dict[str, msgspec.Raw]
    if origin is Literal:
        return str
    if issubclass(kind, BaseModel):
        return _record(kind)
    return _INTEGER if kind is int else kind


@cache
def payload_checker(dtype: pl.Struct) -> Checker:
    """Give a decoder that names what is wrong with the shape of a payload; its leaves may be any scalar."""
    return msgspec.json.Decoder(_shape(dtype))


def _shape(dtype: Any) -> Any:
    if isinstance(dtype, pl.Struct):
        fields = [(f"f{i}", _shape(f.dtype), None) for i, f in enumerate(dtype.fields)]
        names = {f"f{i}": f.name for i, f in enumerate(dtype.fields)}
        return msgspec.defstruct("Row", fields, rename=names.__getitem__) | None
    if isinstance(dtype, pl.List):
        return list[_shape(dtype.inner)] | None  # type: ignore[misc]
    return str | int | float | bool | None


def explain(line: str, checker: Checker) -> str | None:
    """Say what is wrong with a line, without a word of what it holds, or None if nothing is."""
    try:
        found = checker.decode(line.encode())
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return str(error)
    except RecursionError:
        return TOO_DEEP
    return "is null, not an object" if found is None else None


class Repeated(ValueError):
    """A key is in an object twice: readers disagree on which one counts."""


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its pairs, for `json.loads`. Raises: Repeated."""
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        key = next(key for i, key in enumerate(keys) if key in keys[:i])
        raise Repeated(f"has the key {key} twice" if _PLAIN_KEY.fullmatch(key) else "has a key twice")
    return found


def repeated(line: bytes) -> str | None:
    """Say which key an object of a document has twice, at any depth; other faults are not looked for."""
    try:
        if _encoder.encode(_decoder.decode(line)) == line:
            return None  # nothing got lost on the way there and back, which costs two thirds of a search
    except (msgspec.MsgspecError, RecursionError):
        pass  # whatever it is, the next reader says whether a key is there twice before it
    try:
        jiter.from_json(line, catch_duplicate_keys=True)
    except ValueError:
        try:
            json.loads(line, object_pairs_hook=once, parse_int=str, parse_float=str)
        except Repeated as error:
            return str(error)
        except (ValueError, RecursionError):
            return None
    return None


def object_fault(text: str) -> str | None:
    """Say why a text is not one whole JSON object with each key once, or None if it is."""
    return explain(text, _object) or repeated(text.encode())


def _vector(lines: pl.Series, dtype: pl.Struct) -> pl.DataFrame:
    return lines.to_frame("line").select(pl.col("line").str.json_decode(dtype)).unnest("line")


def _slice(
    lines: pl.Series, dtype: pl.Struct, checker: Checker, *, foreign: bool
) -> tuple[pl.DataFrame, dict[int, str]]:
    bad: dict[int, str] = {}
    if foreign:
        each = enumerate(lines.cast(pl.Binary))
        bad = {i: reason for i, line in each if (reason := repeated(line))}
    if not bad:
        try:
            return _vector(lines, dtype), {}
        except pl.exceptions.PolarsError:
            pass
    others = ((i, line) for i, line in enumerate(lines) if i not in bad)
    bad |= {i: reason for i, line in others if (reason := explain(line, checker))}
    good = [i for i in range(len(lines)) if i not in bad]
    try:
        return _vector(lines.gather(good), dtype), bad
    except pl.exceptions.PolarsError:
        odd = _undecodable(lines, good, dtype)
    lines = lines.clone().scatter(odd, [_numbers_as_texts(lines[i]) for i in odd])
    bad |= dict.fromkeys(_undecodable(lines, odd, dtype), UNREADABLE)
    return _vector(lines.gather([i for i in good if i not in bad]), dtype), bad


def _undecodable(lines: pl.Series, places: list[int], dtype: pl.Struct) -> list[int]:
    """Find the places of lines that polars gives up, by halving."""
    try:
        _vector(lines.gather(places), dtype)
    except pl.exceptions.PolarsError:
        if len(places) == 1:
            return places
        half = len(places) // 2
        return _undecodable(lines, places[:half], dtype) + _undecodable(lines, places[half:], dtype)
    return []


def _numbers_as_texts(line: str) -> str:
    """Write a document anew with numbers as texts that polars has no room for: it would give up the whole line."""
    try:
        return json.dumps(json.loads(line, parse_int=_integer, parse_float=_float))
    except (ValueError, RecursionError):
        return line


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) < 20 and -(2**63) <= int(digits) < 2**63 else digits


def _float(digits: str) -> float | str:
    return digits if math.isinf(float(digits)) else float(digits)


def texts(block: bytes) -> tuple[pl.DataFrame, dict[int, bytes], int]:
    """Read a block of lines as UTF-8.

    Returns: a frame of `at` (Int64, place of the line in the block) and `line` without the blank ones; the lines that
    are no UTF-8, by place; and the number of all lines.
    """
    bad: dict[int, bytes] = {}
    try:
        lines = pl.scan_lines(io.BytesIO(block), name="line").collect()
    except pl.exceptions.ComputeError:
        each = block.removesuffix(b"\n").split(b"\n")
        lines = pl.DataFrame(
            {"line": [_utf8(line, i, bad) for i, line in enumerate(each)]}, {"line": pl.String}
        )
    frame = lines.select(pl.int_range(pl.len(), dtype=pl.Int64).alias("at"), "line")
    return frame.filter(pl.col("line").str.contains(r"\S")), bad, lines.height


def _utf8(line: bytes, at: int, bad: dict[int, bytes]) -> str | None:
    try:
        return line.removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        bad[at] = line
        return None


def decode(lines: pl.Series, dtype: pl.Struct, checker: Checker, *, foreign: bool = False) -> Decoded:
    """Decode texts of JSON objects as columns of `dtype`; lines that cannot be are told with reasons.

    `lines` holds no lone surrogates: see `lone_surrogates`. What is `foreign`, with keys nobody knows, is also looked
    through for keys that are there twice.
    """
    slices = [lines[i : i + SLICE] for i in range(0, len(lines), SLICE)]

    def work(part: pl.Series) -> tuple[pl.DataFrame, dict[int, str]]:
        return _slice(part, dtype, checker, foreign=foreign)

    done = list(_pool().map(work, slices)) if len(slices) > 1 else [work(part) for part in slices]
    bad = {i * SLICE + k: reason for i, (_, found) in enumerate(done) for k, reason in found.items()}
    frame = pl.concat([f for f, _ in done]) if done else _vector(lines, dtype)
    return Decoded(frame, [i for i in range(len(lines)) if i not in bad], bad)


def lone_surrogates(lines: pl.Series) -> dict[int, str]:
    """Find lines with half a surrogate pair, which polars would turn into NUL without a word; reasons by place."""
    whole: Checker = msgspec.json.Decoder()
    found = ((i, explain(lines[i], whole)) for i in lines.str.contains(_LONE).arg_true().to_list())
    return {i: reason for i, reason in found if reason}
