"""A folder as a device: one new file for each document, complete or not there at all.

A file that exists is never touched: the second `labels.pdf` becomes `labels-2.pdf`. The invariant: a document is
never put there twice, whatever was killed when, and whoever takes files away (a hot folder is emptied in a second).
So a file carries the job it is of, and a job's title is on disk in the folder's hidden list before a name is taken:
a title that is not listed never got a file.

On a file system without hard links a kill between two calls can leave an empty file; it counts as nobody's.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from orderctl.model.errors import CannotCreate, OutcomeUnknown, OutputFailed
from orderctl.model.text import Text
from orderctl.ports.printers.port import DeviceSpec, Document, Receipt

SUFFIXES = {".pdf", ".escpos", ".bin", ".prn"}
ATTRIBUTE = "user.orderctl.job"
LIST = ".orderctl-jobs"
_PART = re.compile(r"\.orderctl-[a-z0-9_]{8}\.part")
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EMLINK}


def _set_attribute(handle: int, name: str, value: bytes) -> None:
    os.setxattr(handle, name, value)  # looked up at the call: Python on macOS does not have it


class FilePrinter:
    """Writes into a folder, or, when the path ends in .pdf, .escpos, .bin or .prn, to that name and its successors.

    `send` raises CannotCreate and OutputFailed, and then there is no file.
    """

    def __init__(
        self,
        spec: DeviceSpec,
        *,
        set_attribute: Callable[[int, str, bytes], None] = _set_attribute,
    ) -> None:
        self._path = Path(spec.path).expanduser()
        self._set_attribute = set_attribute

    def send(self, document: Document, *, title: str) -> Receipt:
        folder, first = self._target(document)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _remove_stale(folder)
            handle, temporary = _open_part(folder)
        except OSError as error:
            raise CannotCreate(Text("{path}: {reason}", path=folder, reason=error.strerror)) from None
        try:
            with os.fdopen(handle, "wb") as file:  # the lock lives as long as the handle
                file.write(document.content)
                with contextlib.suppress(OSError, AttributeError):  # not everywhere are there attributes
                    self._set_attribute(handle, ATTRIBUTE, title.encode())
                os.fchmod(handle, 0o666 & ~_umask())  # mkstemp is stricter than the person's own umask
                file.flush()
                os.fsync(handle)
                _enlist(folder, title)
                path = _place(temporary, first)
                _sync_folder(folder)
        except OSError as error:
            raise OutputFailed(Text("{path}: {reason}", path=first, reason=error.strerror)) from None
        finally:
            with contextlib.suppress(OSError):  # gone, or the next run's to remove
                temporary.unlink()
        return Receipt("completed", str(path))

    def lookup(self, document: Document, *, title: str) -> Receipt | None:
        """Look for the job's file; where there is none, ask the folder's list whether there can have been one.

        A file of the series whose attribute is the title is the job's, whatever its bytes: rows may have changed a
        little since. One without an attribute (the file system has none) is, if the bytes are the same. Without
        either, a title that is not listed surely has no file. A listed one had its file, which was taken away, or
        the kill came in the instant between list and file: only a person can tell.

        Raises:
            OutcomeUnknown: the title is listed and its file is not there, or the folder cannot be read.
        """
        folder, first = self._target(document)
        try:
            for path in _series(folder, first):
                job = _job_of(path)
                if job == title or (job is None and _holds(path, document.content)):
                    return Receipt("completed", str(path))
            listed = _is_listed(folder, title)
        except OSError as error:
            raise OutcomeUnknown(Text("{path}: {reason}", path=folder, reason=error.strerror)) from None
        if not listed:
            return None
        raise OutcomeUnknown(
            Text("{path}: the file of job '{title}' was there or about to be, and is not there now", path=first, title=title),
            hint=Text("was it taken away to be printed? then settle it with orderctl ledger resolve"),
            code="gone",
        )  # fmt: skip

    def _target(self, document: Document) -> tuple[Path, Path]:
        """Give the folder and the first name to try."""
        if self._path.suffix.lower() in SUFFIXES and not self._path.is_dir():
            return self._path.parent, self._path
        return self._path, self._path / document.name


# --- names


def _names(first: Path) -> Iterator[Path]:
    """Give labels.pdf, labels-2.pdf, labels-3.pdf, ..."""
    yield first
    for number in count(2):
        yield first.with_name(f"{first.stem}-{number}{first.suffix}")


def _series(folder: Path, first: Path) -> list[Path]:
    """Give the files of these names there are, gaps or not."""
    name = re.compile(re.escape(first.stem) + r"(-\d+)?" + re.escape(first.suffix))
    with contextlib.suppress(FileNotFoundError):
        return sorted(path for path in folder.iterdir() if name.fullmatch(path.name) and path.is_file())
    return []


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


# --- whose file it is


def _job_of(path: Path) -> str | None:
    with contextlib.suppress(OSError, AttributeError):
        return os.getxattr(path, ATTRIBUTE).decode("utf-8", "replace")
    return None


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except FileNotFoundError:  # taken away while we look
        return False


def _enlist(folder: Path, title: str) -> None:
    """Put a title into the list, and the list on disk. A line begins with a break: one cut by a crash spoils no other."""
    handle = os.open(folder / LIST, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    with os.fdopen(handle, "wb") as file:
        file.write(b"\n" + _line(title) + b"\n")
        file.flush()
        os.fsync(handle)
    _sync_folder(folder)


def _is_listed(folder: Path, title: str) -> bool:
    try:
        return _line(title) in (folder / LIST).read_bytes().splitlines()
    except FileNotFoundError:
        return False


def _line(title: str) -> bytes:
    return json.dumps(title).encode("ascii")


# --- half-written files


def _open_part(folder: Path) -> tuple[int, Path]:
    """Make a hidden file, locked for as long as its handle is open, so that a living run's is told from a dead one's."""
    while True:
        handle, name = tempfile.mkstemp(prefix=".orderctl-", suffix=".part", dir=folder)
        with contextlib.suppress(OSError):  # without locks nobody can take it for a dead run's either
            fcntl.flock(handle, fcntl.LOCK_EX)
        if Path(name).exists():
            return handle, Path(name)
        os.close(handle)  # another run removed it between the two calls


def _remove_stale(folder: Path) -> None:
    """Remove hidden files of runs that died: those whose lock is free."""
    for path in folder.iterdir():
        if not _PART.fullmatch(path.name):
            continue
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            finally:
                os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Make a new name survive a power cut; file systems that cannot are left as they are."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
