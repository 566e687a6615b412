"""The content store: labels and other documents as they came, filed by their SHA-256, never rewritten."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from orderctl.model.errors import CannotCreate, DataError
from orderctl.model.text import Text

_REF = re.compile(r"[0-9a-f]{64}")


class ContentStore:
    """Bytes by hash below one directory; only its owner may read them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, ref: str) -> Path:
        if not _REF.fullmatch(ref):  # it comes with a batch, which anyone may have written
            raise DataError(Text("{ref} is no name in the content store", ref=ref[:80]))
        return self.root / ref[:2] / ref

    def put(self, content: bytes) -> str:
        """Keep `content` on disk for good and give its name. Raises: CannotCreate."""
        ref = hashlib.sha256(content).hexdigest()
        path = self._path(ref)
        if path.is_file() and path.read_bytes() == content:
            return ref
        beside = path.with_name(f".{ref}.{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as sink:
                sink.write(content)
                sink.flush()
                os.fsync(sink.fileno())
            beside.replace(path)
            _settle(path.parent)
        except OSError as error:
            raise CannotCreate(
                Text("cannot write to {path}: {why}", path=self.root, why=error.strerror)
            ) from error
        return ref

    def get(self, ref: str) -> bytes:
        """Give the bytes kept under `ref`. Raises: DataError if they are gone or damaged."""
        try:
            content = self._path(ref).read_bytes()
        except OSError as error:
            raise DataError(Text("the content store has lost {ref}", ref=ref)) from error
        if hashlib.sha256(content).hexdigest() != ref:
            raise DataError(Text("the content store holds damaged bytes for {ref}", ref=ref))
        return content


def _settle(folder: Path) -> None:
    """Make names in `folder` survive a power cut, as the ledger does that remembers them."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
