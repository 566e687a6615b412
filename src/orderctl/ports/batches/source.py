"""Opening an input and telling what it is by its first bytes, never by its name.

A `Source` gives its bytes decompressed; blocks of lines are cut at line ends so that a block can be decoded alone.
"""

from __future__ import annotations

import gzip
import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Literal, cast

import zstandard

from orderctl.model.errors import DataError, InputMissing
from orderctl.model.text import Text

Shape = Literal["jsonl", "arrow", "parquet", "empty"]
BLOCK = 16 << 20
_BOM = b"\xef\xbb\xbf"
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "an XLSX or ZIP file"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file"),
    (b"SQLite format 3", "a SQLite database"),
    (b"\x7fELF", "a program"),
)


@dataclass
class Source:
    """An open input: `name` for messages, `shape` of its content, `stream` positioned at its first byte."""

    name: str
    shape: Shape
    stream: BinaryIO


class _Peeked(io.RawIOBase):
    """A stream with some bytes put back in front, for inputs that cannot seek."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._head:
            size = min(len(buffer), len(self._head))
            buffer[:size], self._head = self._head[:size], self._head[size:]
            return size
        chunk = self._rest.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _peek(stream: IO[bytes], size: int) -> tuple[bytes, BinaryIO]:
    head = b""
    while len(head) < size and (chunk := stream.read(size - len(head))):
        head += chunk
    return head, cast(BinaryIO, io.BufferedReader(_Peeked(head, stream), buffer_size=1 << 20))


def _describe(head: bytes) -> str | None:
    for magic, words in _FOREIGN:
        if head.startswith(magic):
            return words
    if b"\x00" in head[:4096]:
        return "UTF-16 text" if head[:2].count(0) == 1 else "a binary file"
    return None


def _tell(name: str, stream: BinaryIO) -> Source:
    head, stream = _peek(stream, 4096)
    if head.startswith(b"\x1f\x8b"):
        return _tell(name, cast(BinaryIO, gzip.GzipFile(fileobj=stream)))
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return _tell(
            name, cast(BinaryIO, zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True))
        )
    if head.startswith(b"PAR1"):
        return Source(name, "parquet", stream)
    if head.startswith((b"\xff\xff\xff\xff", b"ARROW1")):
        return Source(name, "arrow", stream)
    if what := _describe(head):
        raise DataError(
            Text("{name}: is {what}, not a batch", name=name, what=what),
            hint=Text(
                "a batch is JSON lines, Parquet or an Arrow stream; exports go to: orderctl fetch --file"
            ),
        )
    if not head.strip():
        return Source(name, "empty", stream)
    return Source(name, "jsonl", stream)


@contextmanager
def open_source(path: str) -> Iterator[Source]:
    """Open `path` (`-` is stdin) and tell what it holds.

    Raises: InputMissing if it cannot be opened; DataError if its first bytes are no batch.
    """
    if path == "-":
        yield _tell("stdin", sys.stdin.buffer)
        return
    if Path(path).is_dir():
        raise InputMissing(Text("{path}: is a directory, not a batch", path=path))
    try:
        stream = Path(path).open("rb")  # noqa: SIM115 - closed by the with below; only the opening may be "missing"
    except OSError as error:
        raise InputMissing(Text("{path}: {why}", path=path, why=error.strerror)) from error
    with stream:
        yield _tell(path, stream)


def line_blocks(source: Source, size: int = BLOCK) -> Iterator[tuple[int, bytes]]:
    """Cut a JSONL source into blocks of whole lines, with the number of the first line (from 1).

    A truncated or damaged compressed file raises DataError at the place where it breaks.
    """
    first, rest = 1, b""
    read = source.stream.read
    while True:
        try:
            chunk = read(size)
        except (EOFError, zstandard.ZstdError, gzip.BadGzipFile, OSError) as error:
            raise DataError(
                Text("{name}: breaks off or is damaged after line {line}", name=source.name, line=first - 1)
            ) from error
        if not chunk:
            break
        if first == 1 and not rest and chunk.startswith(_BOM):
            chunk = chunk[len(_BOM) :]
        end = chunk.rfind(b"\n") + 1
        if not end:
            rest += chunk
            continue
        block = rest + chunk[:end]
        rest = chunk[end:]
        yield first, block
        first += block.count(b"\n")
    if rest:
        yield first, rest


@contextmanager
def seekable(source: Source) -> Iterator[Path]:
    """Give the content of a source as a file that can be read at any place (Parquet needs it)."""
    with tempfile.NamedTemporaryFile(prefix="orderctl-", suffix=".parquet") as copy:
        shutil.copyfileobj(source.stream, copy, BLOCK)
        copy.flush()
        yield Path(copy.name)
