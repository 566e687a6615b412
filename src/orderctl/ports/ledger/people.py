"""What people decide: pins, forces and never-merges, and second acts on purpose.

Invariant: nothing here changes without an actor and a reason, and every change is in the journal.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Final

import polars as pl

from orderctl.model.effect import JSON, State
from orderctl.model.errors import UsageError
from orderctl.model.text import Text
from orderctl.ports.ledger.journal import write_event

DECISION: Final = pl.Schema(
    {name: pl.String() for name in ("subject", "decision", "payload", "reason", "actor", "at")}
)
SETTLED: Final = (State.DONE, State.FAILED, State.VOIDED)


def read_revision(db: sqlite3.Connection, kind: str, subject: str, purpose: str) -> int:
    """Give the newest revision a person has opened, 1 if nobody has."""
    found: int = db.execute(
        "SELECT coalesce(max(revision), 1) FROM revision WHERE kind = ? AND subject = ? AND purpose = ?",
        (kind, subject, purpose),
    ).fetchone()[0]
    return found


def open_revision(
    db: sqlite3.Connection,
    kind: str,
    subject: str,
    purpose: str,
    *,
    run: str,
    actor: str,
    reason: str,
    now: str,
) -> int:
    """Open the next revision and give its number. Raises: UsageError if the one before is not settled for good."""
    last = read_revision(db, kind, subject, purpose)
    key = f"{kind}|{subject}|{purpose}|{last}"
    row = db.execute("SELECT state FROM effect WHERE key = ?", (key,)).fetchone()
    if row is None or row["state"] not in SETTLED:
        found = "missing" if row is None else row["state"]
        raise UsageError(
            Text("{key} cannot be done anew: revision {last} is {state}", key=key, last=last, state=found),
            hint=Text("a new revision needs the one before to be done, failed or voided"),
        )
    db.execute(
        "INSERT INTO revision VALUES (?, ?, ?, ?, ?, ?, ?)",
        (kind, subject, purpose, last + 1, actor, reason, now),
    )
    db.execute("DELETE FROM note WHERE key = ?", (key,))
    told: dict[str, JSON] = {"purpose": purpose, "revision": last + 1, "actor": actor, "reason": reason}
    write_event(db, run, now, "revision.opened", kind=kind, subject=subject, data=told)
    return last + 1


def write_decision(
    db: sqlite3.Connection,
    subject: str,
    decision: str,
    payload: JSON,
    *,
    run: str,
    reason: str,
    actor: str,
    at: str,
    withdrawn: bool,
) -> None:
    """Keep a decision, or its withdrawal, as the newest word on `subject` and `decision`."""
    text = None if payload is None else json.dumps(payload, ensure_ascii=False, sort_keys=True)
    db.execute(
        "INSERT INTO decision (subject, decision, payload, reason, actor, at, withdrawn) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (subject, decision, text, reason, actor, at, withdrawn),
    )
    told: dict[str, JSON] = {"decision": decision, "reason": reason, "actor": actor}
    write_event(
        db, run, at, "decision.withdrawn" if withdrawn else "decision.made", subject=subject, data=told
    )


def read_decisions(db: sqlite3.Connection) -> pl.DataFrame:
    """Give the decisions in force (columns DECISION), one row per subject and decision, in that order."""
    rows = db.execute(
        "SELECT subject, decision, payload, reason, actor, at FROM decision JOIN "
        "(SELECT max(seq) AS seq FROM decision GROUP BY subject, decision) USING (seq) "
        "WHERE NOT withdrawn ORDER BY subject, decision"
    )
    return pl.DataFrame([tuple(r) for r in rows], schema=DECISION, orient="row")
