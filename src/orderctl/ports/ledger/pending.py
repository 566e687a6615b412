"""What waits for a person or another run, what to do about it, and how a person settles it.

Invariant: whatever was begun and is not surely done, and whatever was refused as a conflict and may leave lines
unsent, is listed here until it is settled.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace

from orderctl.model.effect import JSON, KINDS, Decision, Entry, Kind, Outcome, Reason, State
from orderctl.model.errors import UsageError
from orderctl.model.text import Text
from orderctl.ports.ledger import commitments, effects
from orderctl.ports.ledger.journal import write_event
from orderctl.ports.ledger.lease import Lease


@dataclass(frozen=True)
class Pending:
    """One thing that waits: `what` happened, since when, and what to do `next`."""

    key: str
    kind: str
    subject: str
    purpose: str
    reason: Reason
    since: str
    job: str | None
    page: int | None
    order_ids: tuple[str, ...]
    what: Text
    next: Text


def read_pending(
    db: sqlite3.Connection, lease: Lease, now: str, kinds: Mapping[str, Kind] = KINDS
) -> list[Pending]:
    """List silent effects in the order they were begun, then conflicts by key."""
    found = [
        _silent(entry, kinds)
        for entry in effects.read_unsettled(db)
        if entry.state is State.UNKNOWN or not lease.is_alive(db, entry.owner, now)
    ]
    for row in db.execute("SELECT * FROM note ORDER BY key"):
        reason, claims = Reason(row["reason"]), commitments.parse_claims(row["claims"])
        if reason is Reason.OVERLAP and not any(
            commitments.read_free(db, c, row["purpose"], None) > 0 for c in claims
        ):
            continue  # every line of it has found its way in another shipment
        orders = tuple(dict.fromkeys(c.order_id for c in claims))
        what, then = _CONFLICTS[reason]
        slots = {"key": row["key"], "kind": row["kind"], "subject": row["subject"]}
        found.append(
            Pending(
                key=row["key"],
                kind=row["kind"],
                subject=row["subject"],
                purpose=row["purpose"],
                reason=reason,
                since=row["at"],
                job=None,
                page=None,
                order_ids=orders,
                what=Text(what, **slots),
                next=Text(then, **slots),
            )
        )
    return found


def _silent(entry: Entry, kinds: Mapping[str, Kind]) -> Pending:
    what = Text("{kind} of {subject} was begun and not ended", kind=entry.kind, subject=entry.subject)
    if entry.state is State.UNKNOWN:
        what = Text(
            "{kind} of {subject} may have happened: {why}",
            kind=entry.kind,
            subject=entry.subject,
            why=entry.error or entry.state,
        )
    return Pending(
        key=entry.key,
        kind=entry.kind,
        subject=entry.subject,
        purpose=entry.purpose,
        reason=Reason.SILENCE,
        since=entry.started_at,
        job=entry.job,
        page=entry.page,
        order_ids=tuple(dict.fromkeys(c.order_id for c in entry.claims)),
        what=what,
        next=_after_silence(entry, kinds),
    )


def _after_silence(entry: Entry, kinds: Mapping[str, Kind]) -> Text:
    policy = kinds[entry.kind].after_silence if entry.kind in kinds else Decision.ASK
    if policy is Decision.LOOKUP and entry.job is not None:
        return Text(
            "run the same command again: it asks the device; if that cannot tell, look which pages came out and "
            "resolve job {job} with the last of them",
            job=entry.job,
        )
    if policy is Decision.LOOKUP:
        wait = kinds[entry.kind].settling_s
        return Text(
            "run the same command again, {wait} s or more after it was begun: it asks the other side; or resolve {key}",
            wait=wait,
            key=entry.key,
        )
    if policy is Decision.REPEAT:
        return Text("run the same command again: doing it twice is harmless")
    if entry.job is not None:
        return Text("look which pages came out and resolve job {job} with the last of them", job=entry.job)
    return Text("find out whether it happened and resolve {key}", key=entry.key)


_CONFLICTS: Mapping[Reason, tuple[str, str]] = {
    Reason.CHANGED: (
        "{kind} of {subject} was done with another meaning than is wanted now",
        "do it anew on purpose, or leave {key} as it is",
    ),
    Reason.OVERLAP: (
        "{kind} of {subject} would send lines that belong to another shipment",
        "merge again: lines that are bound stay where they are, the free ones find a new shipment; or leave {key}",
    ),
    Reason.VOIDED: (
        "{kind} of {subject} was taken back",
        "do it anew on purpose, or leave {key} as it is",
    ),
    Reason.SUPERSEDED: (
        "{kind} of {subject} was wanted in an older revision than the newest",
        "run the same command again with the newest revision, or leave {key} as it is",
    ),
    Reason.UNOPENED: (
        "{kind} of {subject} was wanted in a revision nobody has opened",
        "open it on purpose first, or leave {key} as it is",
    ),
    Reason.LATE: (
        "{kind} of {subject} was reported by a run that had been given up",
        "compare {key} with the other side, then leave it as it is or correct it",
    ),
}


def resolve(
    db: sqlite3.Connection,
    name: str,
    outcome: Outcome | None,
    lease: Lease,
    *,
    actor: str,
    reason: str,
    now: str,
    printed_through: int | None,
) -> list[Entry]:
    """Settle what a person has found out; give the entries as they now are.

    Args:
        db: the ledger, inside a transaction.
        name: the key of an effect, or a job.
        outcome: how it ended; of a job cut by `printed_through` only `result` is used, for every printed page.
        lease: of the run that asks.
        actor: who found out.
        reason: how.
        now: the instant of the finding.
        printed_through: the last page of the job that came out, 0 for none; the pages after it did not happen.

    Raises: UsageError if there is nothing to settle under that name, or a living run is still at it.
    """
    named = (
        effects.read_entries(db, job=name)
        if printed_through is not None
        else effects.read_entries(db, key=name)
    )
    entries = named or effects.read_entries(db, job=name)
    open_ones = [e for e in entries if _is_open(db, e, outcome, lease, now)]
    if not open_ones:
        raise UsageError(
            Text("nothing waits under {name}", name=name),
            hint=Text("orderctl ledger pending lists what waits"),
        )
    if printed_through is not None and not 0 <= printed_through <= max(e.page or 0 for e in entries):
        raise UsageError(Text("job {job} has no page {page}", job=name, page=printed_through))
    told: dict[str, JSON] = {"actor": actor, "reason": reason}
    for entry in open_ones:
        ended = outcome
        if printed_through is not None:
            ended = _page_outcome(entry, printed_through, outcome, now)
        if ended is None or ended.state is State.STARTED:
            raise UsageError(Text("say how {name} ended", name=name))
        effects.write_outcome(db, entry, replace(ended, at=now), lease.run_id, told)
        effects.drop_note(db, entry.key)
    return [e for o in open_ones if (e := effects.read_entry(db, o.key)) is not None]


def _is_open(db: sqlite3.Connection, entry: Entry, outcome: Outcome | None, lease: Lease, now: str) -> bool:
    if entry.state is State.DONE:
        return outcome is not None and outcome.state is State.VOIDED
    if entry.state is State.STARTED and lease.is_alive(db, entry.owner, now):
        raise UsageError(
            Text("{key} is being worked on by run {run}", key=entry.key, run=entry.owner),
            hint=Text("wait until that run has ended"),
        )
    return entry.state in (State.STARTED, State.UNKNOWN)


def _page_outcome(entry: Entry, printed_through: int, outcome: Outcome | None, now: str) -> Outcome:
    if (entry.page or 0) > printed_through:
        return Outcome(State.FAILED, None, "not_printed", now)
    given = {} if outcome is None or outcome.result is None else outcome.result
    return Outcome(State.DONE, {"confirmed": "completed", "page": entry.page, **given}, None, now)


def leave(db: sqlite3.Connection, key: str, *, run: str, actor: str, reason: str, now: str) -> None:
    """Leave a conflict as it is: what was done counts as what is wanted. Raises: UsageError if there is none."""
    row = db.execute(
        "SELECT kind, subject, purpose, reason, fingerprint FROM note WHERE key = ?", (key,)
    ).fetchone()
    if row is None:
        raise UsageError(
            Text("nothing waits under {name}", name=key),
            hint=Text("orderctl ledger pending lists what waits"),
        )
    if row["reason"] == Reason.CHANGED:
        db.execute("UPDATE effect SET fingerprint = ? WHERE key = ?", (row["fingerprint"], key))
    effects.drop_note(db, key)
    told: dict[str, JSON] = {
        "purpose": row["purpose"],
        "conflict": row["reason"],
        "actor": actor,
        "reason": reason,
    }
    write_event(db, run, now, "conflict.left", kind=row["kind"], subject=row["subject"], data=told)
