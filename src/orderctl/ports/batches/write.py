"""Writing a batch: complete or not at all, the same bytes whoever reads it."""

from __future__ import annotations

import gzip
import io
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, cast

import polars as pl
import zstandard

from orderctl.model.errors import CannotCreate, OutputFailed, UsageError
from orderctl.model.schema import SCHEMAS, empty
from orderctl.model.text import Text
from orderctl.ports.batches.columns import ARROW_END

Format = Literal["jsonl", "arrow", "parquet"]
FORMATS: tuple[Format, ...] = ("jsonl", "arrow", "parquet")
SPOOL = 64 << 20
JSONL_ROWS = 2_000
ARROW_ROWS = 5_000
PARQUET_ROWS = 20_000


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


class _Held:
    """Keeps the first failure that happens inside it, for when the native code around has returned.

    Native writers turn the errors of what they call into texts of their own; so nothing is raised through them.
    """

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        self.error = self.error or error
        return error is not None

    def frames(self, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Give `frames` until the first failure."""
        source = iter(frames)
        while not self.error:
            frame = None
            with self:
                frame = next(source, None)
            if frame is None:
                return
            yield frame


class _Sink(io.RawIOBase):
    """A sink for native writers: passes bytes on until the first failure."""

    def __init__(self, sink: IO[bytes], held: _Held) -> None:
        self._sink = sink
        self._held = held

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if not self._held.error:
            with self._held:
                self._sink.write(data)
        return len(data)


def even(frames: Iterable[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """Deal the rows of `frames` into frames of `rows` rows, so that what is written does not tell how it was read."""
    waiting: list[pl.DataFrame] = []
    height = 0
    for frame in frames:
        waiting.append(frame)
        height += frame.height
        if height < rows:
            continue
        whole = pl.concat(waiting)
        for start in range(0, height - rows + 1, rows):
            yield whole[start : start + rows].rechunk()
        waiting = [whole[height // rows * rows :]]
        height %= rows
    if height:
        yield pl.concat(waiting, rechunk=True)


def _write_jsonl(frames: Iterable[pl.DataFrame], kind: str, sink: IO[bytes]) -> None:
    for frame in frames:
        for some in frame.iter_slices(JSONL_ROWS):
            text = io.BytesIO()
            lines_of(some, kind).to_frame().write_csv(text, include_header=False, quote_style="never")
            sink.write(text.getbuffer())


def _write_arrow(frames: Iterable[pl.DataFrame], kind: str, sink: IO[bytes]) -> None:
    # Each piece is written as a stream of its own, of which the schema and the end are left out: they are the same.
    sink.write(_arrow(empty(kind))[0])
    for frame in even(frames, ARROW_ROWS):
        assert frame.schema == SCHEMAS[kind]
        sink.write(_arrow(frame)[1])
    sink.write(ARROW_END)


def _arrow(frame: pl.DataFrame) -> tuple[bytes, bytes]:
    """Give the two parts of an Arrow stream of `frame`: its schema and its record batches.

    Equal rows are equal bytes. So the oldest types are asked for, since views keep the history of a frame in their
    buffers; and all buffers are made anew with known rows behind them, since the unused bits of a bitmap keep it too.
    """
    anew = pl.concat([frame, _behind(frame.schema)], rechunk=True)[: frame.height]
    whole = io.BytesIO()
    anew.write_ipc_stream(whole, compat_level=pl.CompatLevel.oldest())
    stream = whole.getvalue()
    schema = 8 + int.from_bytes(stream[4:8], "little")
    return stream[:schema], stream[schema : -len(ARROW_END)]


def _behind(schema: pl.Schema) -> pl.DataFrame:
    """Give rows that fill more than a byte of every bitmap, at every depth."""
    row = {name: _deep(dtype) for name, dtype in schema.items()}
    return pl.DataFrame([dict.fromkeys(row), *[row] * 8], schema=schema)


def _deep(dtype: Any) -> Any:
    if isinstance(dtype, pl.List):
        return [None, *[_deep(dtype.inner)] * 8]
    if isinstance(dtype, pl.Struct):
        return {f.name: _deep(f.dtype) for f in dtype.fields}
    return None


def _write_parquet(frames: Iterable[pl.DataFrame], kind: str, sink: IO[bytes]) -> None:
    held = _Held()

    def pieces(*_: object) -> Iterator[pl.DataFrame]:
        yield empty(kind)
        yield from held.frames(even(frames, PARQUET_ROWS))

    source = pl.io.plugins.register_io_source(pieces, schema=empty(kind).schema)
    source.sink_parquet(
        cast(IO[bytes], _Sink(sink, held)),
        compression="zstd",
        compression_level=1,
        row_group_size=PARQUET_ROWS,
        maintain_order=True,
    )
    if held.error:
        raise held.error


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

    A file is written beside its place and renamed; stdout, devices and named pipes receive their first byte when the
    last is known. Raises: CannotCreate, OutputFailed, BrokenPipeError (the reader of stdout or of a pipe is gone).
    """
    if target == "-":
        with _failures("stdout"):
            _spooled(frames, kind, format, write_stdout)
        return
    if _is_device(Path(target)):
        with replacing(Path(target)) as sink:
            _spooled(frames, kind, format, sink.writelines)
        return
    with replacing(Path(target)) as sink:
        if target.endswith(".gz"):
            with gzip.GzipFile("", "wb", 6, sink, mtime=0) as packed:
                _WRITERS[format](frames, kind, cast(IO[bytes], packed))
        elif target.endswith((".zst", ".zstd")):
            with zstandard.ZstdCompressor(3, write_checksum=True).stream_writer(
                sink, closefd=False
            ) as packed:
                _WRITERS[format](frames, kind, cast(IO[bytes], packed))
        else:
            _WRITERS[format](frames, kind, sink)


def _spooled(
    frames: Iterable[pl.DataFrame], kind: str, format: Format, put: Callable[[Iterable[bytes]], None]
) -> None:
    with tempfile.SpooledTemporaryFile(max_size=SPOOL, prefix="orderctl-") as spool:
        _WRITERS[format](frames, kind, spool)
        spool.seek(0)
        put(iter(lambda: spool.read(1 << 20), b""))


def write_stdout(chunks: Iterable[bytes]) -> None:
    """Write all of `chunks` to stdout; an unbuffered stdout may take less at a time than it is given."""
    for chunk in chunks:
        left = memoryview(chunk)
        while left:
            left = left[sys.stdout.buffer.write(left) :]
    sys.stdout.buffer.flush()


def _is_device(path: Path) -> bool:
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _opened(path: Path, wanted: Path) -> IO[bytes]:
    try:
        return path.open("wb")
    except OSError as error:
        raise CannotCreate(Text("cannot create {path}: {why}", path=wanted, why=error.strerror)) from error


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of `path` when the block ends well, and vanishes when it does not.

    A device or a named pipe is written to as it is: there is nothing to take the place of. A link stays one: the file
    it leads to is replaced, and keeps its permissions.
    Raises: CannotCreate, OutputFailed.
    """
    if _is_device(path):
        with _failures(str(path)), _opened(path, path) as sink:
            yield sink
        return
    place = Path(os.path.realpath(path))
    beside = place.with_name(f".{place.name}.{os.getpid()}.part")
    sink = _opened(beside, path)
    try:
        with _failures(str(path)):
            with sink:
                yield sink
                sink.flush()
                if place.exists():
                    os.fchmod(sink.fileno(), place.stat().st_mode & 0o777)
                os.fsync(sink.fileno())
            beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)
