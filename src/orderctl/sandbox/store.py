"""The memory of the stand-ins: orders, waybills, tokens and the books of every effect, in one SQLite file.

The one invariant: what a transaction wrote is on disk before the answer leaves, so killing the sandbox at any moment
loses no effect that a client was told about.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY, platform TEXT NOT NULL, shop TEXT NOT NULL, ref TEXT NOT NULL, number INTEGER NOT NULL,
    created INTEGER NOT NULL, modified INTEGER NOT NULL, kind TEXT, status TEXT, financial TEXT, fulfilment TEXT,
    name TEXT, test INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL, UNIQUE (platform, shop, ref));
CREATE INDEX IF NOT EXISTS orders_modified ON orders (platform, shop, modified, number, status, kind);
CREATE INDEX IF NOT EXISTS orders_created ON orders (platform, shop, created, number, status, kind);
CREATE INDEX IF NOT EXISTS orders_ref ON orders (ref);
CREATE INDEX IF NOT EXISTS orders_name ON orders (platform, shop, name);
CREATE TABLE IF NOT EXISTS parts (
    shop TEXT, id TEXT, ref TEXT NOT NULL, PRIMARY KEY (shop, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS waybills (
    task TEXT PRIMARY KEY, order_id TEXT, company TEXT NOT NULL, number TEXT NOT NULL UNIQUE, issued REAL NOT NULL,
    cancelled INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS waybills_order ON waybills (order_id);
CREATE TABLE IF NOT EXISTS numbers (
    shop TEXT, number TEXT, person TEXT NOT NULL, PRIMARY KEY (shop, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (
    token TEXT PRIMARY KEY, platform TEXT NOT NULL, shop TEXT NOT NULL, kind TEXT NOT NULL, scope TEXT NOT NULL,
    expires REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS books (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, platform TEXT NOT NULL, shop TEXT NOT NULL,
    kind TEXT NOT NULL, subject TEXT NOT NULL, number TEXT, detail TEXT NOT NULL, request TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS books_kind ON books (kind, subject);
"""

COLUMNS = (
    "platform, shop, ref, number, created, modified, kind, status, financial, fulfilment, name, test, body"
)
MARKS = ", ".join("?" * 13)
CHUNK = 1000
"""So many new orders are written at once."""


@dataclass(frozen=True)
class Token:
    """What a token is good for; `expires` is epoch seconds, `scope` is what its stand-in made of it."""

    shop: str
    scope: str
    expires: float


@dataclass
class Order:
    """One order of a stand-in platform; `created` and `modified` are epoch seconds, `body` is the whole record.

    `parts` are ids of things inside it (parcels and the like) by which it can be found; it is only written, never read.
    """

    platform: str
    shop: str
    ref: str
    number: int
    created: int
    modified: int
    body: dict[str, Any]
    kind: str | None = None
    status: str | None = None
    financial: str | None = None
    fulfilment: str | None = None
    name: str | None = None
    test: bool = False
    parts: tuple[str, ...] = ()

    def row(self) -> tuple[Any, ...]:
        """Give the values of COLUMNS."""
        body = json.dumps(self.body, ensure_ascii=False, separators=(",", ":"))
        return (
            self.platform, self.shop, self.ref, self.number, self.created, self.modified, self.kind, self.status,
            self.financial, self.fulfilment, self.name, int(self.test), body,
        )  # fmt: skip


def to_order(row: Sequence[Any]) -> Order:
    """Read one row of COLUMNS."""
    platform, shop, ref, number, created, modified, kind, status, financial, fulfilment, name, test, body = (
        row
    )
    return Order(
        platform, shop, ref, number, created, modified, json.loads(body), kind, status, financial, fulfilment, name,
        bool(test),
    )  # fmt: skip


class Store:
    """The SQLite file of one sandbox; thread safe, one writer at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self, keep: type[Exception] | tuple[type[Exception], ...] = ()) -> Iterator[None]:
        """Make everything inside one durable step; transactions may nest, the outermost one counts.

        An exception undoes it, except those in `keep`: refusals, whose entry in the books must stay.
        """
        with self._lock:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException as error:
                self._depth -= 1
                if self._depth == 0:
                    self._db.execute("COMMIT" if isinstance(error, keep) else "ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("COMMIT")

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Give all rows of a query."""
        with self._lock:
            return self._db.execute(sql, bound(params)).fetchall()

    def write(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Change something; give the number of rows changed."""
        with self.transaction():
            return self._db.execute(sql, bound(params)).rowcount

    def define(self, sql: str) -> None:
        """Make a table or index of one stand-in's own, "IF NOT EXISTS"."""
        self.write(sql)

    def get(self, key: str, default: Any = None) -> Any:
        """Give the setting under `key`."""
        found = self.rows("SELECT value FROM meta WHERE key = ?", (key,))
        return json.loads(found[0][0]) if found else default

    def put(self, key: str, value: Any) -> None:
        """Set the setting under `key`."""
        self.write("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))

    def count(self, key: str) -> int:
        """Give the next number (from 1) of the counter under `key`."""
        with self.transaction():
            value = int(self.get(key, 0)) + 1
            self.put(key, value)
            return value

    def spend(self, key: str) -> bool:
        """Take one from the allowance under `key`; False if it is used up. One that nobody set never ends."""
        with self.transaction():
            left = self.get(key)
            if left is not None and left > 0:
                self.put(key, left - 1)
            return left is None or left > 0

    def limit(self, key: str, left: Any) -> None:
        """Set the allowance under `key`; None lifts it. Raises: ValueError for what is no number."""
        if left is not None and (type(left) is not int or left < 0):
            raise ValueError(f"{left!r} is no allowance: a whole number, or null for none")
        self.put(key, left)

    def keep_token(self, token: str, platform: str, shop: str, kind: str, scope: str, expires: float) -> None:
        """Remember a token; `kind` is "access", "refresh" or "code"."""
        self.write(
            "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?, ?)",
            (token, platform, shop, kind, scope, expires),
        )

    def token(self, token: str, platform: str, kind: str = "access") -> Token | None:
        """Give what is known of a token, expired or not."""
        found = self.rows(
            "SELECT shop, scope, expires FROM tokens WHERE token = ? AND platform = ? AND kind = ?",
            (token, platform, kind),
        )
        return Token(*found[0]) if found else None

    def forget_token(self, token: str) -> None:
        """Make a token unknown."""
        self.write("DELETE FROM tokens WHERE token = ?", (token,))

    def add(self, orders: Iterable[Order]) -> None:
        """Write new orders."""
        with self.transaction():
            for chunk in batched(orders, CHUNK):
                self._db.executemany(
                    f"INSERT INTO orders ({COLUMNS}) VALUES ({MARKS})", [one.row() for one in chunk]
                )
                self._index_parts(chunk)

    def _index_parts(self, orders: Iterable[Order]) -> None:
        parts = [(one.shop, part, one.ref) for one in orders for part in one.parts]
        if parts:
            self._db.executemany("INSERT OR REPLACE INTO parts VALUES (?, ?, ?)", parts)

    def bearer(self, shop: str, number: str) -> str | None:
        """Give the person whose parcel bears a waybill number, as `take_number` was told."""
        found = self.rows("SELECT person FROM numbers WHERE shop = ? AND number = ?", (shop, number))
        return str(found[0][0]) if found else None

    def take_number(self, shop: str, number: str, person: str) -> None:
        """Remember whose parcel bears a waybill number; the first one stays."""
        self.write("INSERT OR IGNORE INTO numbers VALUES (?, ?, ?)", (shop, number, person))

    def find(self, platform: str, shop: str, ref: str) -> Order | None:
        """Give one order."""
        sql = f"SELECT {COLUMNS} FROM orders WHERE platform = ? AND shop = ? AND ref = ?"
        found = self.rows(sql, (platform, shop, ref))
        return to_order(found[0]) if found else None

    def find_anywhere(self, ref: str) -> Order | None:
        """Give the order with this reference, whatever its shop."""
        found = self.rows(f"SELECT {COLUMNS} FROM orders WHERE ref = ?", (ref,))
        return to_order(found[0]) if found else None

    def find_part(self, platform: str, shop: str, part: str) -> Order | None:
        """Give the order to which a part belongs."""
        found = self.rows("SELECT ref FROM parts WHERE shop = ? AND id = ?", (shop, part))
        return self.find(platform, shop, found[0][0]) if found else None

    def save(self, order: Order, now: float) -> None:
        """Write a changed order; it counts as modified at `now`."""
        order.modified = max(order.modified, int(now))
        marks = ", ".join(f"{column} = ?" for column in COLUMNS.split(", "))
        sql = f"UPDATE orders SET {marks} WHERE platform = ? AND shop = ? AND ref = ?"
        with self.transaction():
            self._db.execute(sql, bound((*order.row(), order.platform, order.shop, order.ref)))
            self._index_parts([order])

    def select(self, where: str, params: Sequence[Any], tail: str) -> list[Order]:
        """Give the orders that meet a SQL condition; `tail` orders and limits."""
        return [
            to_order(row) for row in self.rows(f"SELECT {COLUMNS} FROM orders WHERE {where} {tail}", params)
        ]

    def size(self, where: str, params: Sequence[Any]) -> int:
        """Count the orders that meet a SQL condition."""
        return int(self.rows(f"SELECT count(*) FROM orders WHERE {where}", params)[0][0])

    def book(
        self, now: float, platform: str, shop: str, kind: str, subject: str, number: str | None,
        detail: dict[str, Any], request: Any,
    ) -> None:  # fmt: skip
        """Enter one effect, or one refused or repeated attempt at it, into the books."""
        at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        texts = (json.dumps(detail, ensure_ascii=False), json.dumps(request, ensure_ascii=False))
        self.write(
            "INSERT INTO books (at, platform, shop, kind, subject, number, detail, request) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (at, platform, shop, kind, subject, number, *texts),
        )

    def books(self, kind: str | None = None, shop: str | None = None) -> list[dict[str, Any]]:
        """Give the books, oldest first: all, or those of one kind or shop."""
        names = ("seq", "at", "platform", "shop", "kind", "subject", "number", "detail", "request")
        sql = (
            f"SELECT {', '.join(names)} FROM books WHERE (? IS NULL OR kind = ?) AND (? IS NULL OR shop = ?)"
        )
        rows = self.rows(f"{sql} ORDER BY seq", (kind, kind, shop, shop))
        entries = [dict(zip(names, row, strict=True)) for row in rows]
        for entry in entries:
            entry["detail"], entry["request"] = json.loads(entry["detail"]), json.loads(entry["request"])
        return entries


def bound(params: Sequence[Any]) -> list[Any]:
    """Give parameters that the database takes: half a surrogate pair, as JSON can spell it, becomes a question mark."""
    return [
        one.encode("utf-8", "replace").decode() if isinstance(one, str) and not one.isascii() else one
        for one in params
    ]


def batched(orders: Iterable[Order], size: int) -> Iterator[list[Order]]:
    """Give the orders in lists of at most `size`."""
    left = iter(orders)
    while chunk := list(islice(left, size)):
        yield chunk
