"""Writing a batch: complete or not at all, the same bytes whoever reads it."""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Literal, cast

import arro3.core
import arro3.io
import polars as pl
import zstandard

from orderctl.model.errors import CannotCreate, OutputFailed, UsageError
from orderctl.model.schema import empty
from orderctl.model.text import Text

Format = Literal["jsonl", "arrow", "parquet"]
FORMATS: tuple[Format, ...] = ("jsonl", "arrow", "parquet")
SPOOL = 64 << 20


def format_of(target: str, asked: str | None) -> Format:
    """Choose the format: the one asked for, else by the file name's ending, else JSONL. Raises: UsageError."""
    if asked:
        if asked not in FORMATS:
            raise UsageError(
                Text("--format {value}: give one of {known}", value=asked, known=", ".join(FORMATS))
            )
        return asked
    if target.endswith(".parquet"):
        return "parquet"
    return "arrow" if target.endswith((".arrow", ".arrows")) else "jsonl"


def lines_of(frame: pl.DataFrame, kind: str) -> pl.Series:
    """Give each row as one line of JSON, `extra` unfolded, without line ends."""
    plain = [c for c in frame.columns if c != "extra"]
    if kind == "raw/1":
        head = [c for c in plain if c not in ("payload", "parts", "facts")]
        line = pl.concat_str(
            pl.struct(head).struct.json_encode().str.strip_suffix("}"),
            *[
                pl.concat_str(pl.lit(f',"{c}":'), pl.col(c).fill_null("null"))
                for c in ("payload", "parts", "facts")
            ],
            pl.lit("}"),
        )
    else:
        line = pl.struct(plain).struct.json_encode()
    if frame["extra"].null_count() == frame.height:
        return frame.select(line.alias("line")).to_series()
    unfolded = pl.concat_str(line.str.strip_suffix("}"), pl.lit(","), pl.col("extra").str.slice(1))
    return frame.select(
        pl.when(pl.col("extra").is_null()).then(line).otherwise(unfolded).alias("line")
    ).to_series()


def _write_jsonl(frames: Iterable[pl.DataFrame], kind: str, sink: IO[bytes]) -> None:
    for frame in frames:
        if frame.height:
            sink.write("\n".join(lines_of(frame, kind).to_list()).encode())
            sink.write(b"\n")


def _write_arrow(frames: Iterable[pl.DataFrame], kind: str, sink: IO[bytes]) -> None:
    schema = arro3.core.Table.from_arrow(empty(kind)).schema

    def batches() -> Iterator[arro3.core.RecordBatch]:
        for frame in frames:
            yield from arro3.core.Table.from_arrow(frame.rechunk()).to_batches()

    reader = arro3.core.RecordBatchReader.from_batches(schema, batches())
    arro3.io.write_ipc_stream(reader, cast(BinaryIO, sink), compression=None)


def _write_parquet(frames: Iterable[pl.DataFrame], kind: str, sink: IO[bytes]) -> None:
    def pieces(*_: object) -> Iterator[pl.DataFrame]:
        yield empty(kind)
        yield from frames

    source = pl.io.plugins.register_io_source(pieces, schema=empty(kind).schema)
    source.sink_parquet(sink, compression="zstd", compression_level=1, maintain_order=True)


_WRITERS = {"jsonl": _write_jsonl, "arrow": _write_arrow, "parquet": _write_parquet}


@contextmanager
def _failures(target: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputFailed(
            Text("writing to {target} failed: {why}", target=target, why=error.strerror or str(error)),
            hint=Text("nothing was left half-written; make room and run the same command again"),
        ) from error


def write_batch(frames: Iterable[pl.DataFrame], target: str, *, kind: str, format: Format) -> None:
    """Write a batch of `kind` to the file `target` (`-` is stdout), taking `frames` one by one.

    A file is written beside its place and renamed; stdout receives its first byte when the last is known.
    Raises: CannotCreate, OutputFailed, BrokenPipeError (stdout's reader is gone).
    """
    if target == "-":
        with _failures("stdout"), tempfile.SpooledTemporaryFile(max_size=SPOOL, prefix="orderctl-") as spool:
            _WRITERS[format](frames, kind, spool)
            spool.seek(0)
            write_stdout(iter(lambda: spool.read(1 << 20), b""))
        return
    with replacing(Path(target)) as sink:
        if target.endswith(".gz"):
            with gzip.GzipFile("", "wb", 6, sink, mtime=0) as packed:
                _WRITERS[format](frames, kind, cast(IO[bytes], packed))
        elif target.endswith((".zst", ".zstd")):
            with zstandard.ZstdCompressor(3).stream_writer(sink, closefd=False) as packed:
                _WRITERS[format](frames, kind, cast(IO[bytes], packed))
        else:
            _WRITERS[format](frames, kind, sink)


def write_stdout(chunks: Iterable[bytes]) -> None:
    """Write all of `chunks` to stdout; an unbuffered stdout may take less at a time than it is given."""
    for chunk in chunks:
        left = memoryview(chunk)
        while left:
            left = left[sys.stdout.buffer.write(left) :]
    sys.stdout.buffer.flush()


def _opened(path: Path, wanted: Path) -> IO[bytes]:
    try:
        return path.open("wb")
    except OSError as error:
        raise CannotCreate(Text("cannot create {path}: {why}", path=wanted, why=error.strerror)) from error


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of `path` when the block ends well, and vanishes when it does not.

    A device or a named pipe is written to as it is: there is nothing to take the place of.
    Raises: CannotCreate, OutputFailed.
    """
    if path.exists() and not path.is_file():
        with _failures(str(path)), _opened(path, path) as sink:
            yield sink
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    sink = _opened(beside, path)
    try:
        with _failures(str(path)):
            with sink:
                yield sink
                sink.flush()
                os.fsync(sink.fileno())
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
