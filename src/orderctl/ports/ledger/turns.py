"""Taking turns: one run at a time reads a shop's stream of changes and hands it on.

Invariant: a turn ends with its run, however that ends, since the lock is held by the process and not by a record.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from threading import Lock
from urllib.parse import quote

from orderctl.model.errors import CannotCreate
from orderctl.model.text import Text


class Turns:
    """The turns this run has."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "streams"
        self._held: dict[str, int] = {}
        self._lock = Lock()

    def take(self, name: str) -> bool:
        """Take the turn called `name`; False if another run has it. Raises: CannotCreate if the lock cannot be made."""
        with self._lock:
            if name in self._held:
                return True
            path = self._folder / f"{quote(name, safe='')}.lock"
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise CannotCreate(
                    Text("the lock {path} cannot be made: {why}", path=path, why=error.strerror)
                ) from error
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                return False
            self._held[name] = lock
            return True

    def end(self) -> None:
        """End all turns. The files stay: who waits for one that is removed would hold a lock nobody sees."""
        with self._lock:
            for lock in self._held.values():
                os.close(lock)
            self._held.clear()
