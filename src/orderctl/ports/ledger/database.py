"""The one SQLite file: opening, creating, transactions, and what its failures mean to a user.

Invariant: every change happens inside `writing()`, is on disk when that block ends (WAL, synchronous FULL), and
is not there at all when the block raises.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from threading import RLock
from typing import Final

from orderctl.model.errors import CannotCreate, ConfigError, OrderctlError, OutputFailed, Temporary
from orderctl.model.text import Text
from orderctl.ports.ledger import migrate

SCHEMA: Final = 4
APPLICATION: Final = 1869769827
BUSY_MS: Final = 30_000


class Database:
    """One connection to the ledger file, shared by the threads of a run; one of them works at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turn = RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # it holds orders: for its owner's eyes
        except OSError as error:
            raise CannotCreate(
                Text("the ledger {path} cannot be opened: {why}", path=path, why=error.strerror)
            ) from error
        with self._named():
            self._connection = _connect(path)
        try:
            with self._named():
                _prepare(self._connection, path)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file; the last one to close it folds the write-ahead log back in."""
        with self._turn:
            self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside one immediate transaction: all of the block or none of it."""
        with self._turn, self._named():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside one snapshot: every query of the block sees the same moment."""
        with self._turn, self._named():
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("ROLLBACK")

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            explained = _explain(error, self.path)
            if explained is None:
                raise
            raise explained from error


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
    connection.row_factory = sqlite3.Row
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Create the tables of a new file or renew those of an older one, and make every commit durable.

    Refuses what is no ledger of ours.
    """
    known = _version(connection, path)
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    if known < SCHEMA or mode != "wal":
        with _alone(path):  # two first runs at once: one creates, the other finds it made
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            if mode != "wal":
                raise ConfigError(
                    Text("the ledger {path} cannot be kept safely on this file system", path=path),
                    hint=Text("put the state directory on a local disk"),
                )
            _make(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # macOS: FULL alone stops at the drive's cache
    connection.execute("PRAGMA foreign_keys = ON")


def _make(connection: sqlite3.Connection) -> None:
    """Bring the tables to the present schema, from none or an older one, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        known = connection.execute("PRAGMA user_version").fetchone()[0]
        if known == 1:
            migrate.set_aside(connection)
        if known == 2:
            migrate.widen(connection)
        if known in (2, 3):
            migrate.remember(connection)
        for statement in _statements(files(__package__).joinpath("schema.sql").read_text("utf-8")):
            connection.execute(statement)
        if known == 1:
            migrate.take_up(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    """Cut a script into its statements: sqlite3's own `executescript` would commit first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _version(connection: sqlite3.Connection, path: Path) -> int:
    connection.execute("BEGIN")  # one moment: another first run may be making the tables just now
    try:
        found: int = connection.execute("PRAGMA user_version").fetchone()[0]
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    finally:
        connection.execute("ROLLBACK")
    if tables and application != APPLICATION:
        raise ConfigError(Text("{path} is a database of another program, not a ledger", path=path))
    if found > SCHEMA:
        raise ConfigError(
            Text(
                "the ledger {path} was written by a newer orderctl (schema {found}, this one knows {known})",
                path=path,
                found=found,
                known=SCHEMA,
            ),
            hint=Text("use that version or a later one"),
        )
    return found


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process creates the same ledger.

    The lock is on a file of its own: closing any handle of the database would drop the locks SQLite holds on it.
    """
    gate = path.with_name(path.name + ".create")
    with gate.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
        gate.unlink(missing_ok=True)


def _explain(error: sqlite3.DatabaseError, path: Path) -> OrderctlError | None:
    """Say what a failure of SQLite means to a user; None for what is a bug of ours."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Temporary(
            Text("the ledger {path} is held by another program", path=path),
            hint=Text("run the same command again"),
        )
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return OutputFailed(
            Text("the ledger {path} cannot be written: {why}", path=path, why=error),
            hint=Text("make room and run the same command again"),
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return CannotCreate(Text("the ledger {path} cannot be opened: {why}", path=path, why=error))
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return ConfigError(
            Text("the ledger {path} is damaged or no ledger: {why}", path=path, why=error),
            hint=Text("restore it from a backup; do not print or ship before"),
        )
    return None
