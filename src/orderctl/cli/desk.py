"""What people do with the ledger: see what waits, settle it, look into it, check it."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orderctl.cli.acting import LOOKS
from orderctl.cli.judging import blacklist_of, force_of, parse_payload, release_of
from orderctl.cli.session import Session
from orderctl.model.effect import Entry, Outcome, State
from orderctl.model.errors import DataError, UsageError
from orderctl.model.text import Text
from orderctl.ports.batches.write import replacing

DECISIONS = {
    "pin": True,
    "force": True,
    "release": True,
    "never_merge": False,
    "always_merge": True,
    "sku": True,
    "blacklist": False,
}  # which of them say more than that they are
_COMPLETED = {"force": force_of, "release": release_of, "blacklist": blacklist_of}
_OUTCOMES = {"done": State.DONE, "failed": State.FAILED, "voided": State.VOIDED}


def actor() -> str:
    """Give the name a person's act is journaled under."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def show_pending(session: Session, *, as_json: bool) -> None:
    """Print what waits; the exit code is 4 when something does."""
    with session.ledger() as ledger:
        waiting = ledger.pending(session.now, LOOKS)
    locale = session.console.locale
    for item in waiting:
        if as_json:
            row = {
                "key": item.key, "kind": item.kind, "subject": item.subject, "reason": str(item.reason),
                "since": item.since, "job": item.job, "page": item.page, "order_ids": item.order_ids,
                "what": str(item.what), "next": str(item.next),
            }  # fmt: skip
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
        else:
            sys.stdout.write(
                f"{item.key}\n  {item.since}  {item.what.render(locale)}\n  -> {item.next.render(locale)}\n"
            )
    session.tally.pending = len(waiting)
    session.console.summary(
        Text("{count} effects wait for a person or another run", count=len(waiting)), count=len(waiting)
    )


def resolve_entry(
    session: Session,
    key: str,
    *,
    outcome: str | None,
    number: str | None,
    printed_through: int | None,
    reason: str,
) -> None:
    """Settle an unknown effect or job as a person found it."""
    _reason(reason)
    if outcome is None and printed_through is None:
        raise UsageError(Text("say what happened: --as done, failed or voided, or --printed-through K"))
    if outcome is not None and outcome not in _OUTCOMES:
        raise UsageError(Text("--as {outcome}: give done, failed or voided", outcome=outcome))
    now = session.clock()
    with session.ledger() as ledger:
        state = _OUTCOMES[outcome] if outcome else State.DONE
        result = _result_of(key, number, now) if state is State.DONE else None
        settled = ledger.resolve(
            key,
            outcome=Outcome(state, result, None, now),
            actor=actor(),
            reason=reason,
            now=now,
            printed_through=printed_through,
        )
    session.console.summary(Text("{count} effects settled", count=len(settled)), count=len(settled))


def _result_of(key: str, number: str | None, now: str) -> Mapping[str, Any]:
    if key.startswith("waybill.buy|"):
        if not number:
            raise UsageError(Text("give the number that was bought: --number"))
        return {"parcels": [{"number": number}], "at": now}
    if key.startswith("platform.ship|"):
        return {"state": "shipped", "detail": "settled by a person", "at": now}
    if key.startswith("platform.amend|"):
        return {"state": "corrected", "number": number, "at": now}
    return {"device": key.rsplit("/", 1)[-1], "confirmed": "completed", "at": now}


def show_subject(session: Session, subject: str, *, as_json: bool) -> None:
    """Print what the ledger remembers of an order, a shipment or an effect."""
    with session.ledger() as ledger:
        bound = ledger.commitments()
        mine = bound.filter((bound["order_id"] == subject) | (bound["shipment_id"] == subject))
        shipments = sorted({subject, *mine["shipment_id"].to_list()})
        found = {e.key: e for e in ledger.entries(shipments=shipments)}
        if entry := ledger.entry(subject):
            found[entry.key] = entry
    if not found and mine.is_empty():
        raise DataError(Text("the ledger knows nothing of {subject}", subject=subject))
    for entry in sorted(found.values(), key=lambda e: (e.started_at, e.key)):
        sys.stdout.write(json.dumps(_plain(entry), ensure_ascii=False) + "\n" if as_json else _line(entry))


def _plain(entry: Entry) -> dict[str, Any]:
    return {
        "key": entry.key, "state": str(entry.state), "shipment_id": entry.shipment_id, "started_at": entry.started_at,
        "settled_at": entry.settled_at, "attempts": entry.attempts, "error": entry.error, "job": entry.job,
        "page": entry.page, "result": entry.result,
        "lines": [{"order_id": c.order_id, "line_ref": c.line_ref, "quantity": c.quantity} for c in entry.claims],
    }  # fmt: skip


def _line(entry: Entry) -> str:
    result = entry.result or {}
    parcels: Any = result.get("parcels") or []
    told = (
        ", ".join(str(p.get("number")) for p in parcels) or result.get("number") or result.get("device") or ""
    )
    return (
        f"{entry.settled_at or entry.started_at}  {entry.state:<8} {entry.key}  {told or entry.error or ''}\n"
    )


def reissue_effect(session: Session, key: str, reason: str) -> None:
    """Open the next revision of the effect `key`."""
    kind, subject, purpose = _parts(key)
    with session.ledger() as ledger:
        revision = ledger.reissue(
            kind, subject, actor=actor(), reason=_reason(reason), now=session.clock(), purpose=purpose
        )
    text = Text("{key}: revision {revision} is open, the next run does it", key=key, revision=revision)
    session.console.summary(text, key=key, revision=revision)


def leave_conflict(session: Session, key: str, reason: str) -> None:
    """Leave the conflict `key` as it is."""
    with session.ledger() as ledger:
        ledger.leave(key, actor=actor(), reason=_reason(reason), now=session.clock())
    session.console.summary(Text("{key}: left as it is", key=key), key=key)


def record_decision(
    session: Session, subject: str, decision: str, payload: str | None, reason: str, *, withdraw: bool
) -> None:
    """Keep or take back a person's decision. Raises: UsageError for one no stage knows, or a payload that is no JSON."""
    if decision not in DECISIONS:
        known = ", ".join(DECISIONS)
        raise UsageError(
            Text("unknown decision {decision}: give one of {known}", decision=decision, known=known)
        )
    what = parse_payload(payload)
    if DECISIONS[decision] and not withdraw and not isinstance(what, dict):
        raise UsageError(Text("{decision} needs a --payload, a JSON object", decision=decision))
    now = session.clock()
    with session.ledger() as ledger:
        if withdraw:
            ledger.withdraw(subject, decision, _reason(reason), actor(), now)
        else:
            completed = _COMPLETED.get(decision)
            kept = completed(ledger, subject, what) if completed else what
            ledger.decide(subject, decision, _reason(reason), actor(), now, kept)
    text = Text("{subject}: {decision} is kept", subject=subject, decision=decision)
    taken = Text("{subject}: {decision} is taken back", subject=subject, decision=decision)
    session.console.summary(taken if withdraw else text, subject=subject, decision=decision)


def show_decisions(session: Session) -> None:
    """Write the decisions in force, one JSON object a line."""
    with session.ledger() as ledger:
        found = ledger.decisions()
    for row in found.to_dicts():
        row["payload"] = json.loads(row["payload"]) if row["payload"] else None
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")


def _reason(reason: str) -> str:
    if not reason:
        raise UsageError(Text("--reason is needed: it is journaled with your name"))
    return reason


def _parts(key: str) -> tuple[str, str, str]:
    kind, _, rest = key.partition("|")
    subject, _, tail = rest.rpartition("|")
    subject, _, purpose = subject.rpartition("|")
    if not (kind and subject and purpose and tail):
        raise UsageError(Text("{key} is no key of an effect: orderctl ledger show tells them", key=key))
    return kind, subject, purpose


def write_facts(session: Session, output: str) -> None:
    """Write the facts as they are now. They hold the key of recipients' hashes: keep the file as close as the ledger."""
    text = session.facts("audit", "history", "stock", "quota").to_json() + "\n"
    if output == "-":
        sys.stdout.write(text)
        return
    with replacing(Path(output)) as sink:
        sink.write(text.encode())


def verify_ledger(session: Session) -> None:
    """Print each finding; the exit code is 4 when there is one."""
    with session.ledger() as ledger:
        findings = ledger.verify()
    for finding in findings:
        sys.stdout.write(finding.render(session.console.locale) + "\n")
    session.tally.pending = len(findings)
    session.console.summary(
        Text("ledger checked: {count} findings", count=len(findings)), count=len(findings)
    )
