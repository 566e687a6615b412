"""Begin and settle: the two writes around every act.

Invariant: "started" with its owner, fencing number and attempt, the claims of its lines, and the event that tells
of it are one transaction; so are an outcome and what it sets free. Only the owner that began an entry settles it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from orderctl.model.effect import JSON, Decision, Effect, Entry, Kind, Outcome, Reason, Ruling, State, decide
from orderctl.ports.ledger import commitments, people
from orderctl.ports.ledger.journal import write_effect_event
from orderctl.ports.ledger.lease import Lease

_COLUMNS: Final = (
    "key, kind, subject, purpose, revision, fingerprint, shipment_id, claims, state, result, error, attempts, "
    "started_at, settled_at, job, page, owner, fence"
)
_ACTS: Final = (Decision.BEGIN, Decision.REPEAT)


def write_json(value: Mapping[str, JSON] | None) -> str | None:
    """Give a result as the JSON text the ledger keeps."""
    return None if value is None else json.dumps(value, ensure_ascii=False, allow_nan=False)


def _entry(row: sqlite3.Row) -> Entry:
    found = dict(row)
    found["claims"] = commitments.parse_claims(found["claims"])
    found["state"] = State(found["state"])
    found["result"] = None if found["result"] is None else json.loads(found["result"])
    return Entry(**found)


def read_entry(db: sqlite3.Connection, key: str) -> Entry | None:
    """Give what is remembered under `key`, None if nothing."""
    row = db.execute(f"SELECT {_COLUMNS} FROM effect WHERE key = ?", (key,)).fetchone()
    return None if row is None else _entry(row)


def read_entries(db: sqlite3.Connection, **wanted: str | Iterable[str] | None) -> list[Entry]:
    """Give entries by column values (one or several; None means any), in the order of their keys."""
    asked = {c: [v] if isinstance(v, str) else list(v) for c, v in wanted.items() if v is not None}
    where = " AND ".join(f"{column} IN (SELECT value FROM json_each(?))" for column in asked) or "true"
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM effect WHERE {where} ORDER BY job, page, key",
        [json.dumps(v) for v in asked.values()],
    )
    return [_entry(row) for row in rows]


def to_effect(entry: Entry) -> Effect:
    """Give the effect as it was begun, under the job it was begun in."""
    return Effect(
        kind=entry.kind,
        subject=entry.subject,
        purpose=entry.purpose,
        revision=entry.revision,
        fingerprint=entry.fingerprint,
        claims=entry.claims,
        shipment_id=entry.shipment_id,
        job=entry.job,
    )


def read_unsettled(db: sqlite3.Connection) -> list[Entry]:
    """Give the entries that are started or unknown, in the order they were begun; pages of a job in their order."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM effect WHERE state IN ('started', 'unknown') ORDER BY started_at, job, page, key"
    )
    return [_entry(row) for row in rows]


def begin(
    db: sqlite3.Connection, effects: Sequence[Effect], lease: Lease, now: str, kinds: Mapping[str, Kind]
) -> list[Ruling]:
    """Rule on every effect and write down those that begin, in order. Raises: ValueError if a job was begun before."""
    for job in {e.job for e in effects if e.job is not None}:
        if db.execute("SELECT 1 FROM effect WHERE job = ? LIMIT 1", (job,)).fetchone():
            raise ValueError(f"job {job} was begun before; a job goes to a device once")
    return [_begin(db, effect, lease, now, kinds) for effect in effects]


def _begin(
    db: sqlite3.Connection, effect: Effect, lease: Lease, now: str, kinds: Mapping[str, Kind]
) -> Ruling:
    if effect.kind not in kinds:
        raise ValueError(f"unknown kind of effect: {effect.kind}")
    entry = read_entry(db, effect.key)
    fresh = entry is None or entry.state is State.FAILED
    decision, reason = decide(
        entry,
        effect,
        owner_alive=entry is not None and lease.is_alive(db, entry.owner, now),
        current_revision=people.read_revision(db, effect.kind, effect.subject, effect.purpose)
        if fresh
        else 1,
        overlapping=fresh and commitments.is_overlapping(db, effect),
        kinds=kinds,
    )
    if decision is Decision.CONFLICT:
        write_note(db, effect, reason, effect.fingerprint, lease.run_id, now)
    elif decision in _ACTS:
        entry = _start(db, effect, entry, lease.run_id, now)
    if decision in (*_ACTS, Decision.REPLAY):
        drop_note(db, effect.key)
    return Ruling(effect, decision, reason, entry)


def _start(db: sqlite3.Connection, effect: Effect, before: Entry | None, run: str, now: str) -> Entry:
    page = None
    if effect.job is not None:
        page = db.execute(
            "SELECT coalesce(max(page), 0) + 1 FROM effect WHERE job = ?", (effect.job,)
        ).fetchone()[0]
    entry = Entry(
        key=effect.key,
        kind=effect.kind,
        subject=effect.subject,
        purpose=effect.purpose,
        revision=effect.revision,
        fingerprint=effect.fingerprint,
        shipment_id=effect.shipment_id,
        claims=effect.claims,
        state=State.STARTED,
        result=None,
        error=None,
        attempts=1 if before is None else before.attempts + 1,
        started_at=now,
        settled_at=None,
        job=effect.job,
        page=page,
        owner=run,
        fence=1 if before is None else before.fence + 1,
    )
    values = {**vars(entry), "claims": commitments.write_claims(entry.claims)}
    marks = ", ".join(f":{name}" for name in values)
    db.execute(f"INSERT OR REPLACE INTO effect ({', '.join(values)}) VALUES ({marks})", values)
    commitments.commit(db, effect, now)
    write_effect_event(db, run, now, "effect.started", entry, {"attempt": entry.attempts, "job": entry.job})
    return entry


def are_silent(db: sqlite3.Connection, keys: Sequence[str]) -> bool:
    """Say whether any of `keys` is started or unknown."""
    row = db.execute(
        "SELECT 1 FROM effect WHERE key IN (SELECT value FROM json_each(?)) AND state IN ('started', 'unknown') LIMIT 1",
        (json.dumps(keys),),
    ).fetchone()
    return row is not None


def take_over(
    db: sqlite3.Connection, effects: Sequence[Effect], lease: Lease, now: str, kinds: Mapping[str, Kind]
) -> list[Ruling]:
    """Make this run the owner of those silent effects that can be looked up; the others are left as they are."""
    taken = []
    for effect in effects:
        entry = read_entry(db, effect.key)
        if entry is None:
            continue
        alive = lease.is_alive(db, entry.owner, now)
        decision, reason = decide(entry, effect, owner_alive=alive, kinds=kinds)
        if decision is not Decision.LOOKUP:
            continue
        db.execute(
            "UPDATE effect SET state = 'started', owner = ?, fence = fence + 1 WHERE key = ?",
            (lease.run_id, effect.key),
        )
        entry = read_entry(db, effect.key)
        assert entry is not None
        write_effect_event(db, lease.run_id, now, "effect.taken", entry, {"fence": entry.fence})
        taken.append(Ruling(effect, decision, reason, entry))
    return taken


def settle(db: sqlite3.Connection, key: str, fence: int | None, outcome: Outcome, run: str) -> bool:
    """Write how an effect ended. False, and a note for a person, if another run has taken it over meanwhile.

    The owner settles what it started; that it happened after all, or was taken back, is believed of anybody.
    Raises: ValueError if nothing is remembered under `key`, or if the outcome is "started".
    """
    entry = read_entry(db, key)
    if entry is None or outcome.state is State.STARTED:
        raise ValueError(f"{key} cannot be settled as {outcome.state}")
    mine = entry.owner == run and fence in (None, entry.fence)
    if mine and entry.state is outcome.state:
        return True
    if _may_follow(entry.state, outcome.state, mine=mine):
        write_outcome(db, entry, outcome, run, {})
        return True
    write_note(db, entry, Reason.LATE, entry.fingerprint, run, outcome.at)
    write_effect_event(
        db, run, outcome.at, "effect.late", entry, {"outcome": outcome.state, "found": entry.state}
    )
    return False


def _may_follow(now: State, then: State, *, mine: bool) -> bool:
    if then is State.VOIDED:
        return now is State.DONE
    return (mine and now is State.STARTED) or (then is State.DONE and now in (State.FAILED, State.UNKNOWN))


def write_outcome(
    db: sqlite3.Connection, entry: Entry, outcome: Outcome, run: str, told: Mapping[str, JSON]
) -> None:
    """Write an outcome over an entry, bind its lines or set them free, and move its number along."""
    result = entry.result if outcome.state is State.VOIDED and outcome.result is None else outcome.result
    db.execute(
        "UPDATE effect SET state = ?, result = ?, error = ?, settled_at = ? WHERE key = ?",
        (outcome.state, write_json(result), outcome.error, outcome.at, entry.key),
    )
    if outcome.state in (State.FAILED, State.VOIDED) and entry.claims:
        commitments.release(db, entry.shipment_id)
    if outcome.state in (State.DONE, State.VOIDED):
        if outcome.state is State.DONE:  # its lines were free if it counted as failed until now
            commitments.commit(db, to_effect(entry), outcome.at)
        used = "used" if outcome.state is State.DONE else "void"
        db.execute("UPDATE number SET state = ?, at = ? WHERE for_key = ?", (used, outcome.at, entry.key))
    data = {"attempt": entry.attempts, "error": outcome.error, **told}
    write_effect_event(db, run, outcome.at, f"effect.{outcome.state}", entry, data)


def write_note(
    db: sqlite3.Connection, of: Effect | Entry, reason: Reason, fingerprint: str, run: str, now: str
) -> None:
    """Keep a conflict for a person to see; the same one again is no news."""
    claims = commitments.write_claims(of.claims)
    told = db.execute(
        "INSERT INTO note VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET reason = excluded.reason, "
        "fingerprint = excluded.fingerprint, claims = excluded.claims, at = excluded.at "
        "WHERE (reason, fingerprint, claims) <> (excluded.reason, excluded.fingerprint, excluded.claims)",
        (of.key, of.kind, of.subject, of.purpose, reason, fingerprint, claims, now),
    )
    if told.rowcount:
        write_effect_event(db, run, now, "effect.conflict", of, {"reason": reason})


def drop_note(db: sqlite3.Connection, key: str) -> None:
    """Forget the conflict noted under `key`, if there is one."""
    db.execute("DELETE FROM note WHERE key = ?", (key,))
