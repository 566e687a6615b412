"""What the actions share: which rows may be acted on, what became of an effect, and telling it.

An action plans (stages/plans), performs through the ledger, and folds the outcomes back into the rows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from orderctl.cli.session import Session
from orderctl.model.effect import KINDS, Decision, Effect, Kind, State
from orderctl.model.errors import Temporary, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.ledger import Ledger
from orderctl.ports.ledger.perform import Performed
from orderctl.stages.plans.rows import Row, note, standing

# Every device is asked after an interrupted job; one that cannot tell leaves it to a person.
LOOKS = {**KINDS, "document.print": Kind(Decision.LOOKUP, settling_s=0)}


class Codes(NamedTuple):
    """The problem codes one kind of effect leaves when it is refused, put off or unknown.

    `apart` has the codes of refusals that are told apart; `unauthorized` that of refused credentials, if it has one.
    """

    refused: str
    later: str
    unknown: str
    unauthorized: str | None = None
    apart: Mapping[str, str] = MappingProxyType({})


def ready_rows(session: Session, rows: Iterable[Row]) -> list[Row]:
    """Give the rows that may be acted on; count the others, and tell how many there are."""
    found: dict[str, list[Row]] = {"ready": [], "blocked": [], "waiting": [], "empty": []}
    for row in rows:
        found[standing(row)].append(row)
    session.tally.blocked += len(found["blocked"])
    session.tally.waiting += len(found["waiting"])
    for row in found["blocked"]:
        codes = ", ".join(sorted({p["code"] for p in row["problems"] if p["severity"] == "block"}))
        text = Text("{shipment} is blocked: {codes}", shipment=row["shipment_id"], codes=codes)
        session.console.say("info", "row.blocked", text, shipment_id=row["shipment_id"], codes=codes)
    return found["ready"]


def failed_or_new(ledger: Ledger, effects: Sequence[Effect]) -> set[str]:
    """Give the keys of the effects that would begin now, the only ones that need the platform's newest word."""
    remembered = {e.key: e.state for e in ledger.entries(keys=[e.key for e in effects])}
    return {e.key for e in effects if remembered.get(e.key, State.FAILED) is State.FAILED}


def revisions(ledger: Ledger, kind: str, subjects: Iterable[str]) -> dict[str, int]:
    """Give the current revision of each subject that has more than the first."""
    found = {subject: ledger.current_revision(kind, subject) for subject in subjects}
    return {subject: revision for subject, revision in found.items() if revision > 1}


def judge(
    session: Session, performed: Performed, row: Row, stage: str, codes: Codes, *, others: int | None = 0
) -> bool:
    """Say whether an effect is done; if not, leave the fitting problem on its row, tell it and count it.

    `others` is how many more effects ended the same way and are not told themselves; None: this is one of them.
    """
    outcome, failure = performed.outcome, performed.failure
    if outcome.state is State.DONE and performed.decision is not Decision.CONFLICT:
        return True
    why = failure.code or type(failure).__name__.lower() if failure else outcome.error
    params: dict[str, str | None]
    if performed.decision is Decision.CONFLICT:
        code, params = "conflict", {"effect": performed.effect.kind}
        session.tally.pending += 1
    elif performed.decision is Decision.BUSY:
        code, params = "busy", {}
        session.tally.temporary += 1
    elif outcome.state in (State.UNKNOWN, State.STARTED):
        code, params = codes.unknown, {}
        session.tally.pending += 1
    elif isinstance(failure, Temporary | Unauthorized):
        refused = codes.unauthorized if isinstance(failure, Unauthorized) else None
        code, params = refused or codes.later, {"code": why}
        session.tally.add(failure)
    elif why is not None and why in codes.apart:
        code, params = codes.apart[why], {}
        session.tally.blocked += 1
    else:
        code, params = codes.refused, {"code": why}
        session.tally.blocked += 1
    note(row, stage, code, **params)
    if others is None:
        return False
    shown = Text(
        "{kind} of {subject} and {others} more: {why}" if others else "{kind} of {subject}: {why}",
        kind=performed.effect.kind,
        subject=performed.effect.subject,
        why=failure.text if failure else Text(code),
        others=others,
    )
    session.console.warn_alike(
        f"{performed.effect.kind}: {why or code}",
        f"effect.{outcome.state}",
        shown,
        kind=performed.effect.kind,
        subject=performed.effect.subject,
        others=others,
    )
    return False


def show_plan(effects: Iterable[Effect]) -> None:
    """Write the plan of a dry run to stdout, one JSON object per effect."""
    for effect in effects:
        claimed = [
            {"order_id": c.order_id, "line_ref": c.line_ref, "quantity": c.quantity} for c in effect.claims
        ]
        row = {
            "kind": effect.kind,
            "subject": effect.subject,
            "revision": effect.revision,
            "shipment_id": effect.shipment_id,
            "lines": claimed,
        }
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
