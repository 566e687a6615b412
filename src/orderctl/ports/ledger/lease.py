"""Who is acting: one lease per run, proved by a lock that dies with its process.

Invariant: on its own host a run counts as dead only if its lock can be taken or it has said goodbye; on another
host, or where the lock file is gone, only once its lease has expired.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Final

from orderctl.model.errors import CannotCreate, UsageError
from orderctl.model.instant import parse_instant, write_instant
from orderctl.model.text import Text

LEASE: Final = timedelta(minutes=15)  # longer than any single act; renewed with every begin and settle
RENEW: Final = timedelta(minutes=1)


class Lease:
    """The right of one run to own effects. It is taken at the first effect; who only reads takes none."""

    def __init__(self, state: Path, run_id: str, host: str) -> None:
        if not run_id or "/" in run_id:
            raise ValueError(f"a run id names a file: {run_id!r}")
        self.run_id = run_id
        self.host = host
        self._folder = state / "runs"
        self._lock: int | None = None
        self._renewed = ""

    @property
    def is_taken(self) -> bool:
        """Whether this run may own effects."""
        return self._lock is not None

    def is_due(self, now: str) -> bool:
        """Say whether `take` has something to do."""
        return self._lock is None or parse_instant(now) - parse_instant(self._renewed) >= RENEW

    def take(self, db: sqlite3.Connection, now: str) -> None:
        """Register the run, holding its lock, or renew its lease, in a transaction of its own.

        Raises: UsageError if the run id was used before; CannotCreate if the lock cannot be made.
        """
        if self._lock is None:
            lock = self._locked()
            try:
                _register(db, self.run_id, self.host, now)
            except BaseException:
                os.close(lock)
                raise
            self._lock, self._renewed = lock, now
            self._sweep(db)
        else:
            db.execute("UPDATE run SET expires_at = ? WHERE run_id = ?", (_expiry(now), self.run_id))
            self._renewed = now

    def is_alive(self, db: sqlite3.Connection, run_id: str, now: str) -> bool:
        """Say whether `run_id` may still be working at what it owns."""
        if run_id == self.run_id:
            return True
        row = db.execute("SELECT host, expires_at FROM run WHERE run_id = ?", (run_id,)).fetchone()
        if row is None or row["expires_at"] == "":
            return False
        held = self._is_held(run_id) if row["host"] == self.host else None
        return bool(row["expires_at"] > now) if held is None else held

    def end(self, db: sqlite3.Connection) -> None:
        """Say goodbye: what this run has left started belongs to nobody from now on."""
        db.execute("UPDATE run SET expires_at = '' WHERE run_id = ?", (self.run_id,))

    def drop(self) -> None:
        """Let go of the lock, after `end` is on disk; the file goes with it."""
        if self._lock is not None:
            self._file(self.run_id).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def _sweep(self, db: sqlite3.Connection) -> None:
        """Remove the lock files of dead runs of this host, having noted in the ledger that they are dead."""
        for file in self._folder.glob("*.lock"):
            row = db.execute("SELECT host, expires_at FROM run WHERE run_id = ?", (file.stem,)).fetchone()
            if row is None or row["host"] != self.host or self._is_held(file.stem) is not False:
                continue
            db.execute("UPDATE run SET expires_at = '' WHERE run_id = ?", (file.stem,))
            file.unlink(missing_ok=True)

    def _file(self, run_id: str) -> Path:
        return self._folder / f"{run_id}.lock"

    def _locked(self) -> int:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._file(self.run_id), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise CannotCreate(
                Text(
                    "the lock of this run cannot be made in {path}: {why}",
                    path=self._folder,
                    why=error.strerror,
                )
            ) from error
        try:
            # flock, not lockf: it belongs to this open file, so a second ledger in the same process sees it too
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise _used_before(self.run_id) from error
        return lock

    def _is_held(self, run_id: str) -> bool | None:
        """Say whether somebody holds the lock of `run_id`; None if there is no such lock."""
        try:
            lock = os.open(self._file(run_id), os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two who look do not see each other
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False


def _register(db: sqlite3.Connection, run_id: str, host: str, now: str) -> None:
    made = db.execute(
        "INSERT INTO run VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (run_id, host, os.getpid(), now, _expiry(now)),
    )
    if made.rowcount == 0:
        raise _used_before(run_id)


def _expiry(now: str) -> str:
    return write_instant(parse_instant(now) + LEASE)


def _used_before(run_id: str) -> UsageError:
    return UsageError(
        Text("the run id {run} was used before", run=run_id), hint=Text("give every run its own id")
    )
