"""Batches that come as columns: Parquet and Arrow, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import arro3.io
import msgspec
import polars as pl

from orderctl.model.errors import DataError
from orderctl.model.schema import SCHEMAS, breaches, conform
from orderctl.model.text import Text
from orderctl.ports.batches.decode import explain
from orderctl.ports.batches.judge import judge, stranger
from orderctl.ports.batches.lines import accepted
from orderctl.ports.batches.rejects import Rejects
from orderctl.ports.batches.source import Source, seekable

PARQUET_ROWS = 20_000
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


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
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise damaged(source, error) from error


def damaged(source: Source, error: Exception) -> DataError:
    """Say that a source cannot be read on."""
    why = (str(error).splitlines() or [type(error).__name__])[0]
    return DataError(Text("{name}: is damaged: {why}", name=source.name, why=why))


def _arrow_frames(source: Source) -> Iterator[pl.DataFrame]:
    reader: Iterator[Any] | None = None
    while True:
        try:
            reader = reader or iter(arro3.io.read_ipc_stream(source.stream))
            batch = next(reader)
        except StopIteration:
            return
        except Exception as error:
            if type(error) is Exception:  # all that arro3 ever raises for a damaged stream
                raise ValueError(str(error)) from error
            raise
        yield pl.DataFrame(batch)


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
        bad |= ~found[name].map_elements(_is_object, return_dtype=pl.Boolean).fill_null(True)
    if bad.any():
        _reject(source, found.filter(bad), kind, rejects)
        found = found.filter(~bad)
    # one line of JSONL is one record: what separates lines may stand in such a text only as space between tokens
    whole = [pl.col(name).str.replace_all(r"[\r\n]", " ").replace("{}", None) for name in texts[-1:]]
    return found.with_columns(pl.col(texts[:-1]).str.replace_all(r"[\r\n]", " "), *whole)


def _is_object(text: str) -> bool:
    return explain(text, _object) is None


def _reject(source: Source, rows: pl.DataFrame, kind: str, rejects: Rejects) -> None:
    texts = rows.select(pl.struct(pl.exclude("at")).struct.json_encode()).to_series()
    for number, schema, text in zip(rows["at"], rows["schema"], texts, strict=True):
        other = stranger(schema, kind) if schema else "has no schema"
        reason = other or judge(text, kind).reason or f"does not fit {kind}"
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
