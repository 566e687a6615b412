"""The append-only journal of what happened, from which reports are made.

Invariant: an event is written in the transaction of the change it tells of, and never changed afterwards; it names
orders by id and holds nothing that identifies a person.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Final

import polars as pl

from orderctl.model.effect import JSON, Effect, Entry

JOURNAL: Final = pl.Schema(
    {
        "seq": pl.Int64(),
        "at": pl.String(),
        "run": pl.String(),
        "event": pl.String(),
        "kind": pl.String(),
        "subject": pl.String(),
        "order_id": pl.String(),
        "data": pl.String(),
    }
)
PRIVATE: Final = frozenset(
    {
        "name",
        "phone",
        "phone_ext",
        "email",
        "recipient",
        "address",
        "address_lines",
        "street",
        "town",
        "buyer_ref",
        "buyer_note",
        "seller_note",
        "tax_id",
        "original",
        "sealed",
        "blob",
        "token",
        "secret",
        "password",
        "payload",
    }
)


def write_event(
    db: sqlite3.Connection,
    run: str,
    at: str,
    event: str,
    *,
    kind: str | None = None,
    subject: str | None = None,
    order_id: str | None = None,
    data: Mapping[str, JSON] | None = None,
) -> None:
    """Append one event. Raises: ValueError if `data` holds a field that identifies a person or is a secret."""
    found = {} if data is None else data
    if not PRIVATE.isdisjoint(found):
        raise ValueError(f"the journal never holds {sorted(PRIVATE.intersection(found))}")
    db.execute(
        "INSERT INTO journal (at, run, event, kind, subject, order_id, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (at, run, event, kind, subject, order_id, json.dumps(found, ensure_ascii=False, sort_keys=True)),
    )


def write_effect_event(
    db: sqlite3.Connection, run: str, at: str, event: str, of: Effect | Entry, data: Mapping[str, JSON]
) -> None:
    """Append an event about an effect; `order_id` is told when it is about a single order."""
    orders = {c.order_id for c in of.claims}
    write_event(
        db,
        run,
        at,
        event,
        kind=of.kind,
        subject=of.subject,
        order_id=orders.pop() if len(orders) == 1 else None,
        data={"purpose": of.purpose, "revision": of.revision, **data},
    )


def read_journal(db: sqlite3.Connection, since: str | None, order_id: str | None) -> pl.DataFrame:
    """Give the events from the instant `since` on, in the order they were written; of one order if asked."""
    rows = db.execute(
        "SELECT seq, at, run, event, kind, subject, order_id, data FROM journal "
        "WHERE (?1 IS NULL OR at >= ?1) AND (?2 IS NULL OR order_id = ?2) ORDER BY seq",
        (since, order_id),
    )
    return pl.DataFrame([tuple(r) for r in rows], schema=JOURNAL, orient="row")
