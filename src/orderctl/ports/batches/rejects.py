"""Where records go that cannot be read: source, line, reason and the bounded original text, as JSON lines.

The file is made with the first reject, readable by its owner only, since a reject may hold a person's data.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from orderctl.model.errors import CannotCreate
from orderctl.model.text import Text, visible

MAX_TEXT = 2000


class Rejects:
    """Counts rejects and writes them to `path`; without a path they are only counted."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.count = 0
        self.first: str | None = None

    def add(self, *, source: str, line: int | None, reason: str, text: str) -> None:
        """Record one reject. Raises: CannotCreate if the file cannot be written."""
        self.count += 1
        where = source if line is None else f"{source}:{line}"
        self.first = self.first or f"{where}: {visible(reason)}"
        if self.path is None:
            return
        row = {"source": source, "line": line, "reason": reason, "text": text[:MAX_TEXT]}
        data = (json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "ab") as sink:
                sink.write(data)
        except OSError as error:
            raise CannotCreate(
                Text("cannot write the rejects to {path}: {why}", path=self.path, why=error.strerror)
            ) from error
