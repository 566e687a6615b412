"""Batches that come as columns: Parquet and Arrow, some rows at a time."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from typing import IO, Any

import polars as pl

from orderctl.model.errors import DataError
from orderctl.model.schema import SCHEMAS, breaches, conform
from orderctl.model.text import Text
from orderctl.ports.batches.decode import object_fault
from orderctl.ports.batches.judge import judge, stranger
from orderctl.ports.batches.lines import accepted
from orderctl.ports.batches.rejects import Rejects
from orderctl.ports.batches.source import Damaged, Source, seekable

PARQUET_ROWS = 20_000
RECORD_BATCH = 3
ARROW_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"


def read_columns(
    source: Source, accept: Sequence[str], rejects: Rejects
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Give (kind, frame with a column `at`: the number of the row in the source) of the rows that are records."""
    kind, first = None, 1
    for frame in _frames(source):
        kind = kind or _kind(source, frame, accept)
        yield kind, _records(source, frame, kind, first, rejects)
        first += frame.height


def _frames(source: Source) -> Iterator[pl.DataFrame]:
    try:
        if source.shape == "arrow":
            yield from _arrow_frames(source)
            return
        with seekable(source) as path:
            lazy = pl.scan_parquet(path) if source.shape == "parquet" else pl.scan_ipc(path)
            yield from lazy.collect_batches(chunk_size=PARQUET_ROWS, maintain_order=True)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        raise damaged(source, error) from error


def damaged(source: Source, error: Exception) -> DataError:
    """Say that a source cannot be read on."""
    why = (str(error).splitlines() or [type(error).__name__])[0]
    return DataError(Text("{name}: is damaged: {why}", name=source.name, why=why))


def _arrow_frames(source: Source) -> Iterator[pl.DataFrame]:
    """Read a stream message by message: each record batch is decoded with the schema and dictionaries before it."""
    before = b""
    while (message := _message(source.stream)) is not None:
        if _header(message) == RECORD_BATCH:
            yield pl.read_ipc_stream(io.BytesIO(before + message + ARROW_END))
        else:
            before += message


def _message(stream: IO[bytes]) -> bytes | None:
    """Give the next message of an Arrow stream with its body, or None at the end mark."""
    start = _exactly(stream, 8)
    mark, size = struct.unpack("<Ii", start)
    if start == ARROW_END:
        return None
    if mark != 0xFFFFFFFF or size < 0:
        raise Damaged("it has no message where one should begin")
    about = _exactly(stream, size)
    return start + about + _exactly(stream, _field(about, 3, "<q") or 0)


def _header(message: bytes) -> int | None:
    return _field(message[8:], 1, "<B")


def _field(table: bytes, number: int, form: str) -> int | None:
    """Read a number out of the root table of a flatbuffer; None where it is left out."""
    try:
        (root,) = struct.unpack_from("<I", table)
        (back,) = struct.unpack_from("<i", table, root)
        (size,) = struct.unpack_from("<H", table, root - back)
        if size < 6 + 2 * number:
            return None
        (place,) = struct.unpack_from("<H", table, root - back + 4 + 2 * number)
        if not place:
            return None
        return int(struct.unpack_from(form, table, root + place)[0])
    except struct.error as error:
        raise Damaged("a message of it cannot be read") from error


def _exactly(stream: IO[bytes], size: int) -> bytes:
    parts: list[bytes] = []
    while size > 0 and (part := stream.read(min(size, 1 << 22))):
        parts.append(part)
        size -= len(part)
    if size:
        raise Damaged("it ends before its end")
    return b"".join(parts)


def _kind(source: Source, frame: pl.DataFrame, accept: Sequence[str]) -> str:
    named = frame["schema"].drop_nulls() if "schema" in frame.columns else pl.Series(dtype=pl.String)
    if not isinstance(named.dtype, pl.String | pl.Categorical | pl.Enum) or not len(named):
        raise DataError(Text("{name}: has no column schema that names one kind of record", name=source.name))
    kinds = named.cast(pl.String).unique(maintain_order=True).to_list()
    return accepted(source, next((kind for kind in kinds if kind in SCHEMAS), kinds[0]), accept)


def _records(source: Source, frame: pl.DataFrame, kind: str, first: int, rejects: Rejects) -> pl.DataFrame:
    """Take the rows that are records of `kind`, `first` being the number of the first row; reject the others."""
    try:
        found = conform(_folded(frame, kind), kind).with_columns(
            pl.int_range(first, first + pl.len(), dtype=pl.Int64).alias("at"),
            frame["schema"].cast(pl.String),
        )
    except pl.exceptions.PolarsError as error:
        raise DataError(
            Text(
                "{name}: does not fit {kind}: {why}",
                name=source.name,
                kind=kind,
                why=str(error).splitlines()[0],
            )
        ) from error
    bad = found.select(breaches(kind)).to_series()
    texts = [name for name in ("payload", "parts", "facts", "extra") if name in found.columns]
    for name in texts:
        bad |= found[name].map_elements(object_fault, return_dtype=pl.String).is_not_null()
    if bad.any():
        _reject(source, found.filter(bad), kind, texts, rejects)
        found = found.filter(~bad)
    # one line of JSONL is one record: what separates lines may stand in such a text only as space between tokens
    whole = [pl.col(name).str.replace_all(r"[\r\n]", " ").replace("{}", None) for name in texts[-1:]]
    return found.with_columns(pl.col(texts[:-1]).str.replace_all(r"[\r\n]", " "), *whole)


def _reject(source: Source, rows: pl.DataFrame, kind: str, texts: Sequence[str], rejects: Rejects) -> None:
    whole = rows.select(pl.struct(pl.exclude("at")).struct.json_encode()).to_series()
    for row, text in zip(rows.select("at", "schema", *texts).iter_rows(named=True), whole, strict=True):
        number, schema = row["at"], row["schema"]
        other = stranger(schema, kind) if schema else "has no schema"
        within = (f"{n}: {why}" for n in texts if row[n] is not None and (why := object_fault(row[n])))
        reason = other or next(within, None) or judge(text, kind).reason or f"does not fit {kind}"
        rejects.add(source=source.name, line=number, reason=reason, text=text)


def _folded(frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Gather columns that `kind` does not know into `extra`, beside what it holds already."""
    unknown = [c for c in frame.columns if c not in SCHEMAS[kind]]
    if not unknown:
        return frame
    if odd := next((c for c in unknown if _holds_bytes(frame.schema[c])), None):
        raise pl.exceptions.SchemaError(f"the unknown column {odd} holds bytes")
    folded = pl.struct(unknown).struct.json_encode()
    if "extra" not in frame.columns:
        return frame.with_columns(folded.alias("extra"))
    both = pl.concat_str(pl.col("extra").str.strip_suffix("}"), pl.lit(","), folded.str.slice(1))
    none = pl.col("extra").is_null() | (pl.col("extra") == "{}")
    return frame.with_columns(pl.when(none).then(folded).otherwise(both).alias("extra"))


def _holds_bytes(dtype: Any) -> bool:
    if isinstance(dtype, pl.Struct):
        return any(_holds_bytes(f.dtype) for f in dtype.fields)
    if isinstance(dtype, pl.List | pl.Array):
        return _holds_bytes(dtype.inner)
    return isinstance(dtype, pl.Binary | pl.Object)
