"""A folder as a device: one new file for each document, complete or not there at all.

A file that exists is never touched: the second `labels.pdf` becomes `labels-2.pdf`. The invariant: after a crash
at any instant each name is free or holds a whole document, so looking for the bytes tells whether it happened.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from orderctl.model.errors import CannotCreate, OutputFailed
from orderctl.model.text import Text
from orderctl.ports.printers.port import DeviceSpec, Document, Receipt

SUFFIXES = {".pdf", ".escpos", ".bin", ".prn"}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EMLINK}


class FilePrinter:
    """Writes into a folder, or, when the path ends in .pdf, .escpos, .bin or .prn, to that name and its successors.

    `send` raises CannotCreate and OutputFailed, and then there is no file.
    """

    def __init__(self, spec: DeviceSpec) -> None:
        self._path = Path(spec.path).expanduser()

    def send(self, document: Document, *, title: str) -> Receipt:  # noqa: ARG002 - a file needs no job name
        folder, first = self._target(document)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=f".{first.name}.", dir=folder)
        except OSError as error:
            raise CannotCreate(Text("{path}: {reason}", path=folder, reason=error.strerror)) from None
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(document.content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o666 & ~_umask())  # noqa: PTH101 - mkstemp is stricter than the person's own umask
            path = _place(Path(temporary), first)
            _sync_folder(folder)
        except OSError as error:
            raise OutputFailed(Text("{path}: {reason}", path=first, reason=error.strerror)) from None
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)  # noqa: PTH108
        return Receipt("completed", str(path))

    def lookup(self, document: Document, *, title: str) -> Receipt | None:  # noqa: ARG002
        for path in _names(self._target(document)[1]):
            if not path.exists():
                return None
            if path.stat().st_size == len(document.content) and path.read_bytes() == document.content:
                return Receipt("completed", str(path))
        return None

    def _target(self, document: Document) -> tuple[Path, Path]:
        """Give the folder and the first name to try."""
        if self._path.suffix.lower() in SUFFIXES and not self._path.is_dir():
            return self._path.parent, self._path
        return self._path, self._path / document.name


def _names(first: Path) -> Iterator[Path]:
    """Give labels.pdf, labels-2.pdf, labels-3.pdf, ..."""
    yield first
    for number in count(2):
        yield first.with_name(f"{first.stem}-{number}{first.suffix}")


def _place(temporary: Path, first: Path) -> Path:
    """Give the file its name: the first that is free, taken without ever replacing."""
    for path in _names(first):
        try:
            os.link(temporary, path)
        except FileExistsError:
            continue
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            try:  # a file system without hard links: reserve the name, then move over our own reservation
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                continue
            os.replace(temporary, path)  # noqa: PTH105
        return path
    raise AssertionError("names never end")


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut; file systems that cannot are left as they are."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
