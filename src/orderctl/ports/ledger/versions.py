"""The newest raw record of every order, and what of it the stream of changes has still to hand on.

Invariants: the stored version of an order is the newest ever saved, whatever the order of saving. An order the stream
has read is due until it was handed on, and due again only once it has changed: by its time of change, or by its
content where the source tells no time (ciphertexts of the same order differ with every reading).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import polars as pl
import zstandard

from orderctl.model.facts import HISTORY, SEEN
from orderctl.model.identity import digest
from orderctl.model.schema import RAW, empty

Row = Mapping[str, str | None]
_Pack = Callable[[bytes], bytes]
_MARK: Final = "coalesce(updated_at, hash)"
_KIND: Final = "substr(recipient, 1, instr(recipient, ':'))"
_SELECT: Final = (
    "SELECT order_id, format, observed_at, updated_at, source, payload, parts, nullif(facts, '') AS facts, extra "
    "FROM version JOIN record USING (id)"
)
_TEMPORARY: Final = (
    "CREATE TEMP TABLE IF NOT EXISTS wanted (id INTEGER PRIMARY KEY)",
    "CREATE TEMP TABLE IF NOT EXISTS handout (seq INTEGER PRIMARY KEY, id INTEGER NOT NULL, mark TEXT)",
)


class _Stored(NamedTuple):
    """What is there already of an order."""

    id: int
    updated_at: str | None
    observed_at: str
    hash: str


def order_id_of(row: Row) -> str:
    """Give our id of the order a raw record is of."""
    return f"{row['platform']}:{row['shop']}:{row['platform_ref']}"


def save_versions(db: sqlite3.Connection, rows: Iterable[Row]) -> int:
    """Keep each raw record that is newer than what is stored of its order; give how many were.

    Newer is (`updated_at`, nulls first; `observed_at`; content hash), so repeats and reordered pages change nothing.
    An order that was only read again keeps the facts known of it.
    """
    newest: dict[str, tuple[tuple[str, str, str], Row]] = {}
    for row in rows:
        name = order_id_of(row)
        key = (row["updated_at"] or "", row["observed_at"] or "", _hash(row))
        if name not in newest or newest[name][0] < key:
            newest[name] = (key, row)
    known = _stored(db, list(newest))
    pack = zstandard.ZstdCompressor(1).compress
    count = 0
    for name, (key, row) in newest.items():
        old = known.get(name)
        if old and key <= (old.updated_at or "", old.observed_at, old.hash):
            continue
        count += 1
        if old and key[2] == old.hash and row["updated_at"] == old.updated_at:
            db.execute(
                "UPDATE version SET observed_at = ?, facts = coalesce(?, facts) WHERE id = ?",
                (row["observed_at"], row["facts"], old.id),
            )
        else:
            _write(db, name, row, key[2], old, pack)
    return count


def _hash(row: Row) -> str:
    return digest(row["format"], row["payload"], row["parts"])


def _stored(db: sqlite3.Connection, names: Sequence[str]) -> dict[str, _Stored]:
    rows = db.execute(
        "SELECT order_id, id, updated_at, observed_at, hash FROM version "
        "WHERE order_id IN (SELECT value FROM json_each(?))",
        (json.dumps(names),),
    )
    return {name: _Stored(*rest) for name, *rest in rows}


def _write(db: sqlite3.Connection, name: str, row: Row, hash_: str, old: _Stored | None, pack: _Pack) -> None:
    """Write a version; what was found out about the one before is forgotten if the order has changed since."""
    head = (row["updated_at"], row["observed_at"], hash_, row["facts"])
    if old is None:
        made = db.execute(
            "INSERT INTO version (order_id, shop, updated_at, observed_at, hash, facts) VALUES (?, ?, ?, ?, ?, ?)",
            (name, f"{row['platform']}:{row['shop']}", *head),
        )
        id_ = made.lastrowid
    else:
        id_ = old.id
        db.execute(
            "UPDATE version SET open = iif(updated_at = ?1, open, NULL), place = iif(updated_at = ?1, place, NULL), "
            "facts = iif(updated_at = ?1, coalesce(?4, facts), ?4), updated_at = ?1, observed_at = ?2, hash = ?3 "
            "WHERE id = ?5",
            (*head, id_),
        )
    parts = row["parts"]
    db.execute(
        "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?, ?)",
        (
            id_,
            row["format"],
            row["source"],
            pack((row["payload"] or "").encode()),
            None if parts is None else pack(parts.encode()),
            row.get("extra"),
        ),
    )


def read_versions(
    db: sqlite3.Connection, order_ids: Sequence[str] | None, shop: str | None, since: str | None
) -> pl.DataFrame:
    """Give the newest stored record of each order (a raw batch, in the order of order ids).

    Of all orders, or of those named, of one `shop` (platform:shop), or observed since an instant.
    """
    rows = db.execute(
        f"{_SELECT} WHERE (?1 IS NULL OR order_id IN (SELECT value FROM json_each(?1))) "
        "AND (?2 IS NULL OR shop = ?2) AND (?3 IS NULL OR observed_at >= ?3) ORDER BY order_id",
        (None if order_ids is None else json.dumps(list(order_ids)), shop, since),
    )
    return _frame([tuple(row) for row in rows])


# the stream of changes and what is handed on


def note_due(db: sqlite3.Connection, order_ids: Sequence[str]) -> None:
    """Note that the stream has read these orders: those that differ from what it handed on last are due."""
    db.execute(
        f"UPDATE version SET due = 1 WHERE order_id IN (SELECT value FROM json_each(?)) AND handed IS NOT {_MARK}",
        (json.dumps(order_ids),),
    )


def want(db: sqlite3.Connection, order_ids: Sequence[str]) -> None:
    """Note that this run wants to hand on these orders, whatever the stream does."""
    _make_temporary(db)
    db.execute(
        "INSERT OR IGNORE INTO wanted SELECT id FROM version WHERE order_id IN (SELECT value FROM json_each(?))",
        (json.dumps(order_ids),),
    )


def want_open(db: sqlite3.Connection, shop: str, since: str) -> None:
    """Note that this run wants to hand on all of a shop's orders seen since then that may still have to be shipped."""
    _make_temporary(db)
    db.execute(
        "INSERT OR IGNORE INTO wanted SELECT id FROM version WHERE shop = ? AND open = 1 AND observed_at >= ?",
        (shop, since),
    )


def line_up(db: sqlite3.Connection, shops: Iterable[str], *, stream: bool) -> None:
    """Line up what this run hands on: shop by shop what is wanted and, for the stream, due; oldest change first."""
    _make_temporary(db)
    db.execute("DELETE FROM handout")
    db.executemany(
        "INSERT INTO handout (id) SELECT id FROM ("
        "SELECT id, updated_at, order_id FROM version WHERE shop = ?1 AND due = 1 AND ?2 UNION "
        "SELECT id, updated_at, order_id FROM wanted JOIN version USING (id) WHERE shop = ?1"
        ") ORDER BY updated_at, order_id",
        ((shop, stream) for shop in shops),
    )


def read_handout(db: sqlite3.Connection, after: int, rows: int) -> tuple[pl.DataFrame, int]:
    """Give the next orders in line (a raw batch) and the place of the last of them; which state it was is noted."""
    _make_temporary(db)
    found = [
        tuple(row)
        for row in db.execute(
            _SELECT.replace("SELECT", "SELECT seq,", 1)
            + " JOIN handout USING (id) WHERE seq > ? ORDER BY seq LIMIT ?",
            (after, rows),
        )
    ]
    last = found[-1][0] if found else after
    db.execute(
        f"UPDATE handout SET mark = {_MARK} FROM version WHERE version.id = handout.id AND seq > ? AND seq <= ?",
        (after, last),
    )
    return _frame([row[1:] for row in found]), last


def settle_handout(db: sqlite3.Connection) -> None:
    """Note that what was read of the line has been handed on: it is not due any more."""
    _make_temporary(db)
    db.execute(
        "UPDATE version SET due = 0, handed = mark FROM handout "
        "WHERE version.id = handout.id AND due = 1 AND mark IS NOT NULL"
    )


def _make_temporary(db: sqlite3.Connection) -> None:
    for statement in _TEMPORARY:
        db.execute(statement)


# which orders may still have to be shipped, and what only the platform can tell of them


class Looked(NamedTuple):
    """What was found in a version: whether it may still have to be shipped, and its place if that needs a question.

    And, as keyed hashes, who ordered, who receives and what the notes say: see `seen_marks` for their form.
    """

    open: bool
    place: str | None
    placed_at: str | None = None
    buyer: str | None = None
    recipient: str | None = None
    notes: str | None = None
    currency: str | None = None
    spent_minor: int | None = None
    returned: int | None = None


def read_unlooked(db: sqlite3.Connection, shop: str, rows: int) -> tuple[pl.DataFrame, dict[str, str]]:
    """Give some of a shop's versions nobody has looked into (a raw batch), and their hashes by order id."""
    found = [
        tuple(row)
        for row in db.execute(
            _SELECT.replace("SELECT", "SELECT hash,", 1) + " WHERE shop = ? AND open IS NULL LIMIT ?",
            (shop, rows),
        )
    ]
    return _frame([row[1:] for row in found]), {row[1]: row[0] for row in found}


def note_looked(db: sqlite3.Connection, found: Mapping[str, Looked], hashes: Mapping[str, str]) -> None:
    """Note what was found in versions, unless they were replaced meanwhile, and what of it is another than before.

    Notes are other ones only for who has seen those before: a version that was never handed on, or is a file's.
    """
    db.executemany(
        "UPDATE version SET open = ?1, place = ?2, placed_at = ?3, buyer = ?4, "
        "notes_at = iif(notes <> ?6 AND (handed IS NOT NULL OR due = 0), observed_at, notes_at), "
        f"recipient_at = iif(recipient <> ?5 AND {_KIND} = {_KIND.replace('recipient', '?5')}, "
        "observed_at, recipient_at), recipient = coalesce(?5, recipient), notes = ?6, "
        "currency = ?7, spent_minor = ?8, returned = ?9 WHERE order_id = ?10 AND hash = ?11",
        ((*look, name, hashes[name]) for name, look in found.items()),
    )


def read_seen(
    db: sqlite3.Connection, since: str, until: str, of_buyer: int | None, of_recipient: int | None
) -> pl.DataFrame:
    """Give what was noticed of orders over time (columns SEEN).

    That is every open order whose notes or recipient are other ones than before, and, of the orders placed from `since`
    to `until`, those of whoever ordered or receives at least so many of them (None: nobody).
    """
    rows = db.execute(
        "SELECT order_id, NULL, NULL, NULL, notes_at, recipient_at FROM version "
        "WHERE open = 1 AND (notes_at IS NOT NULL OR recipient_at IS NOT NULL)"
    ).fetchall()
    for name, at_least in (("buyer", of_buyer), ("recipient", of_recipient)):
        if at_least is None:
            continue
        whose = f"{name} IS NOT NULL AND {name} NOT LIKE 'region:%' AND placed_at BETWEEN ?1 AND ?2"
        picked = ", ".join(name if each == name else "NULL" for each in ("buyer", "recipient"))
        rows += db.execute(
            f"SELECT order_id, {picked}, placed_at, NULL, NULL FROM version WHERE {whose} AND {name} IN "
            f"(SELECT {name} FROM version WHERE {whose} GROUP BY {name} HAVING count(*) >= ?3)",
            (since, until, at_least),
        ).fetchall()
    return pl.DataFrame([tuple(row) for row in rows], schema=SEEN, orient="row")


def read_history(db: sqlite3.Connection) -> pl.DataFrame:
    """Give the paid orders of every buyer with more than one (columns HISTORY)."""
    rows = db.execute(
        f"SELECT {', '.join(HISTORY)} FROM version WHERE spent_minor IS NOT NULL AND placed_at IS NOT NULL AND buyer IN "
        "(SELECT buyer FROM version WHERE spent_minor IS NOT NULL AND buyer IS NOT NULL GROUP BY buyer HAVING count(*) > 1)"
    )
    return pl.DataFrame([tuple(row) for row in rows], schema=HISTORY, orient="row")


def read_places(db: sqlite3.Connection, shop: str, since: str) -> list[tuple[str, int]]:
    """Give the places of a shop's open orders seen since then, with their number, where one was not asked about."""
    rows = db.execute(
        "SELECT place, count(*) FROM version WHERE shop = ? AND open = 1 AND place IS NOT NULL AND observed_at >= ? "
        "GROUP BY place HAVING count(*) > count(facts) ORDER BY place",
        (shop, since),
    )
    return [(place, count) for place, count in rows]


Spot = tuple[str, int]
"""Where reading of places stands: place and row."""


def read_at_places(
    db: sqlite3.Connection, shop: str, places: Sequence[str], since: str, after: Spot, rows: int
) -> tuple[pl.DataFrame, Spot]:
    """Give so many of a shop's open orders seen since then at these places, place by place, and where that ends."""
    found = [
        tuple(row)
        for row in db.execute(
            _SELECT.replace("SELECT", "SELECT place, id,", 1)
            + " WHERE shop = ? AND open = 1 AND (place, id) > (?, ?) AND observed_at >= ? "
            "AND place IN (SELECT value FROM json_each(?)) ORDER BY place, id LIMIT ?",
            (shop, *after, since, json.dumps(places), rows),
        )
    ]
    return _frame([row[2:] for row in found]), (found[-1][0], found[-1][1]) if found else after


def save_facts(db: sqlite3.Connection, shop: str, asked: Sequence[str], facts: Mapping[str, str]) -> None:
    """Keep what the platform told about orders of a shop (platform_ref to JSON text), and that it was asked.

    Who got no answer has empty facts, which are read as none, so that nobody asks again until something changes.
    """
    db.executemany(
        "UPDATE version SET facts = ? WHERE order_id = ?",
        ((facts.get(ref, ""), f"{shop}:{ref}") for ref in asked),
    )


def _frame(rows: Sequence[tuple[object, ...]]) -> pl.DataFrame:
    """Build a raw batch of rows of `_SELECT`."""
    if not rows:
        return empty("raw/1")
    unpack = zstandard.ZstdDecompressor().decompress
    names, forms, observed, updated, sources, payloads, parts, facts, extras = zip(*rows, strict=True)
    ids = pl.Series(names, dtype=pl.String).str.splitn(":", 3).struct.unnest()
    columns = {
        "schema": pl.repeat("raw/1", len(rows), eager=True),
        "platform": ids["field_0"],
        "shop": ids["field_1"],
        "platform_ref": ids["field_2"],
        "format": forms,
        "observed_at": observed,
        "updated_at": updated,
        "source": sources,
        "payload": [unpack(p).decode() for p in payloads],
        "parts": [None if p is None else unpack(p).decode() for p in parts],
        "facts": facts,
        "extra": extras,
    }
    return pl.DataFrame(columns, schema_overrides=RAW)
