"""From one schema of the ledger to the next, inside the transaction that brings the tables up to date.

Invariant: nothing that was remembered is lost; a ledger that cannot be taken over stays as it was.
"""

from __future__ import annotations

import json
import sqlite3
import zlib

from orderctl.ports.ledger.versions import save_versions

CHUNK = 1_000


def set_aside(db: sqlite3.Connection) -> None:
    """Put the order versions of schema 1 (a whole record as one compressed text) out of the way of the new table."""
    db.execute("ALTER TABLE version RENAME TO version_1")


def widen(db: sqlite3.Connection) -> None:
    """Give the order versions of schema 2 the columns of what is noticed over time; open orders are looked into again."""
    for name in ("placed_at", "buyer", "recipient", "notes", "notes_at", "recipient_at"):
        db.execute(f"ALTER TABLE version ADD COLUMN {name} TEXT")
    db.execute("UPDATE version SET open = NULL WHERE open = 1")


def remember(db: sqlite3.Connection) -> None:
    """Give the order versions of schema 3 the columns of a buyer's past; all orders are looked into again."""
    for name, kind in (("currency", "TEXT"), ("spent_minor", "INTEGER"), ("returned", "INTEGER")):
        db.execute(f"ALTER TABLE version ADD COLUMN {name} {kind}")
    db.execute("UPDATE version SET open = NULL")


def take_up(db: sqlite3.Connection) -> None:
    """Save those versions in the new tables. What was handed on is not known of them: it may be once more.

    Raises: sqlite3.DatabaseError (SQLITE_CORRUPT) if one cannot be read.
    """
    after = ""
    while rows := db.execute(
        "SELECT order_id, record FROM version_1 WHERE order_id > ? ORDER BY order_id LIMIT ?", (after, CHUNK)
    ).fetchall():
        try:
            records = [json.loads(zlib.decompress(record)) for _, record in rows]
        except (zlib.error, ValueError) as error:
            damage = sqlite3.DatabaseError("a stored order cannot be read")
            damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise damage from error
        save_versions(db, records)
        after = rows[-1][0]
    db.execute("DROP TABLE version_1")
