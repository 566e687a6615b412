"""Opening an input and telling what it is by its first bytes, never by its name.

A `Source` gives its bytes decompressed; blocks of lines are cut at line ends so that a block can be decoded alone.
"""

from __future__ import annotations

import gzip
import io
import itertools
import os
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, Literal, cast

import zstandard

from orderctl.model.errors import DataError, InputMissing, OutputFailed
from orderctl.model.text import Text

Shape = Literal["jsonl", "arrow", "feather", "parquet", "empty"]
BLOCK = 16 << 20
LONGEST_LINE = 32 << 20
_HEAD = 4096
_BOM = b"\xef\xbb\xbf"
_FOREIGN: tuple[tuple[bytes, Text], ...] = (
    (b"\x89PNG", Text("a PNG image")),
    (b"\xff\xd8\xff", Text("a JPEG image")),
    (b"%PDF", Text("a PDF document")),
    (b"PK\x03\x04", Text("an XLSX or ZIP file")),
    (b"\xff\xfe", Text("UTF-16 text")),
    (b"\xfe\xff", Text("UTF-16 text")),
    (b"\xd0\xcf\x11\xe0", Text("an old Excel file")),
    (b"SQLite format 3", Text("a SQLite database")),
    (b"\x7fELF", Text("a program")),
)


class Damaged(ValueError):
    """Compressed bytes are broken, or end before their end."""


class Overlong(bytes):
    """The beginning of a line that is too long to be a record; the rest of it is passed over."""


@dataclass
class Source:
    """An open input: `name` for messages, `shape` of its content, `stream` positioned at its first byte.

    `path` is set where the content lies in a file as it is; `block` is how many bytes are read at a time.
    """

    name: str
    shape: Shape
    stream: BinaryIO
    path: Path | None = None
    block: int = BLOCK


class _Chunks(io.RawIOBase):
    """A stream over an iterator of byte strings."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._left:
            if (chunk := next(self._chunks, None)) is None:
                return 0
            self._left = chunk
        size = min(len(buffer), len(self._left))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        return size


def _stream(chunks: Iterator[bytes]) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(_Chunks(chunks), buffer_size=1 << 20))


def _gunzip(stream: IO[bytes]) -> Iterator[bytes]:
    try:
        with gzip.GzipFile(fileobj=stream) as packed:
            while chunk := packed.read1(1 << 20):
                yield chunk
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Damaged(str(error)) from error


def _unzstd(stream: IO[bytes]) -> Iterator[bytes]:
    # The library takes a frame that is cut short for a whole one. So a frame with a mark is put behind the last: the
    # mark comes out at the end only where all frames before it are whole.
    mark = os.urandom(16)
    last = zstandard.ZstdCompressor(write_checksum=True).compress(mark)
    packed = _stream(itertools.chain(iter(partial(stream.read, 1 << 16), b""), [last]))
    held = b""
    try:
        with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as reader:
            while chunk := reader.read(1 << 20):
                held += chunk
                if whole := held[: -len(mark)]:
                    yield whole
                held = held[-len(mark) :]
    except zstandard.ZstdError as error:
        raise Damaged(str(error)) from error
    if held != mark:
        raise Damaged("Compressed file is cut short")


_PACKED: tuple[tuple[bytes, Callable[[IO[bytes]], Iterator[bytes]]], ...] = (
    (b"\x1f\x8b", _gunzip),
    (b"\x28\xb5\x2f\xfd", _unzstd),
)


def _peek(name: str, stream: IO[bytes]) -> tuple[bytes, BinaryIO]:
    head, failure = b"", None
    try:
        while len(head) < _HEAD and (chunk := stream.read(_HEAD - len(head))):
            head += chunk
    except (Damaged, OSError) as error:
        failure = error
        if not head:
            raise DataError(Text("{name}: is damaged: {why}", name=name, why=error)) from error
    start = head.removeprefix(_BOM)
    if stream.seekable() and not failure:
        stream.seek(-len(start), os.SEEK_CUR)
        return head, cast(BinaryIO, stream)
    return head, _stream(_after(start, stream, failure))


def _after(head: bytes, stream: IO[bytes], failure: Exception | None) -> Iterator[bytes]:
    yield head
    if failure:
        raise failure
    while chunk := stream.read(1 << 20):
        yield chunk


def _describe(head: bytes) -> Text | None:
    for magic, words in _FOREIGN:
        if head.startswith(magic):
            return words
    if head[:2].count(0) == 1:
        return Text("UTF-16 text")
    # a NUL inside a line of JSON is one bad line
    return Text("a binary file") if b"\x00" in head and not head.lstrip().startswith(b"{") else None


def _tell(name: str, stream: IO[bytes], *, packed: bool = False) -> Source:
    head, stream = _peek(name, stream)
    for magic, unpack in _PACKED:
        if head.startswith(magic):
            if packed:
                what = Text("a file that is compressed twice")
                raise DataError(Text("{name}: is {what}, not a batch", name=name, what=what))
            return _tell(name, _stream(unpack(stream)), packed=True)
    for start, shape in _SHAPES:
        if head.startswith(start):
            return Source(name, shape, stream)
    if what_else := _describe(head):
        raise DataError(
            Text("{name}: is {what}, not a batch", name=name, what=what_else),
            hint=Text(
                "a batch is JSON lines, Parquet or an Arrow stream; exports go to: orderctl fetch --file"
            ),
        )
    nothing = len(head) < _HEAD and not head.removeprefix(_BOM).strip()
    return Source(name, "empty" if nothing else "jsonl", stream)


_SHAPES: tuple[tuple[bytes, Shape], ...] = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "feather"),
    (b"\xff\xff\xff\xff", "arrow"),
)


@contextmanager
def open_source(path: str, *, block: int = BLOCK) -> Iterator[Source]:
    """Open `path` (`-` is stdin) and tell what it holds.

    Raises: InputMissing if it cannot be opened; DataError if its first bytes are no batch.
    """
    if path == "-":
        source = _tell("stdin", sys.stdin.buffer)
        source.block = block
        yield source
        return
    if Path(path).is_dir():
        raise InputMissing(Text("{path}: is a directory, not a batch", path=path))
    try:
        stream = Path(path).open("rb")  # noqa: SIM115 - closed by the with below; only the opening may be "missing"
    except OSError as error:
        raise InputMissing(Text("{path}: {why}", path=path, why=error.strerror)) from error
    with stream:
        source = _tell(path, stream)
        source.block = block
        stands = source.shape in ("parquet", "feather") and Path(path).is_file()
        source.path = Path(path) if stands and _same_head(Path(path), source.shape) else None
        yield source


def _same_head(path: Path, shape: Shape) -> bool:
    with path.open("rb") as stream:
        head = stream.read(8)
    return any(head.startswith(start) and shape == of for start, of in _SHAPES)


def line_blocks(source: Source) -> Iterator[bytes]:
    """Cut a JSONL source into blocks of whole lines; of a line of more than LONGEST_LINE bytes comes an `Overlong`.

    Raises: Damaged, OSError where it breaks off.
    """
    stream = source.stream
    while block := stream.read(source.block):
        parts, size = [block], 0
        while not parts[-1].endswith(b"\n") and size < LONGEST_LINE and (part := stream.readline(1 << 20)):
            parts.append(part)
            size += len(part)
        if size < LONGEST_LINE:
            yield b"".join(parts)
            continue
        whole = block[: block.rfind(b"\n") + 1]
        if whole:
            yield whole
        head = Overlong((block[len(whole) :] + parts[1])[:_HEAD])
        parts.clear()
        yield head
        while not part.endswith(b"\n") and (part := stream.readline(1 << 20)):
            continue


@contextmanager
def seekable(source: Source) -> Iterator[Path]:
    """Give the content of a source as a file that can be read at any place (Parquet needs it).

    Raises: OutputFailed if there is no room for a copy.
    """
    if source.path:
        yield source.path
        return
    with tempfile.NamedTemporaryFile(prefix="orderctl-", suffix=".batch") as copy:
        while chunk := source.stream.read(BLOCK):
            try:
                copy.write(chunk)
                copy.flush()
            except OSError as error:
                raise OutputFailed(
                    Text("writing to {target} failed: {why}", target=copy.name, why=error.strerror)
                ) from error
        yield Path(copy.name)
