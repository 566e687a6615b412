"""Effects: acts that move the world once, and what a run may do with one, given what is remembered of it.

The one invariant: a second act is only ever allowed after proof that the first did not happen (failed), on a
kind for which the same act twice is harmless (repeat), or under a new revision, which a person opens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from orderctl.model.instant import parse_instant

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"
NOTHING: Mapping[str, str | None] = MappingProxyType({})


class State(StrEnum):
    """How far an effect got."""

    STARTED = "started"  # it is being done, or its owner died doing it
    DONE = "done"  # it happened; the result is recorded
    FAILED = "failed"  # it surely did not happen
    UNKNOWN = "unknown"  # it may have happened
    VOIDED = "voided"  # it happened and was taken back


LIVE = frozenset({State.STARTED, State.DONE, State.UNKNOWN})


class Decision(StrEnum):
    """What a run may do with an effect now."""

    BEGIN = "begin"  # do it
    REPLAY = "replay"  # do nothing, hand back the recorded result
    CONFLICT = "conflict"  # do nothing, a person decides
    LOOKUP = "lookup"  # it may have happened: ask the other side
    REPEAT = "repeat"  # it may have happened: do it again, which is harmless
    ASK = "ask"  # it may have happened: only a person can tell
    BUSY = "busy"  # do nothing, a living run is at it


class Reason(StrEnum):
    """Why a decision is no plain begin or replay."""

    NONE = ""
    CHANGED = "changed"  # same key, other meaning
    OVERLAP = "overlap"  # the lines are bound to other shipments already
    VOIDED = "voided"  # this revision was taken back; another needs a person's command
    SUPERSEDED = "superseded"  # a person has opened a later revision
    UNOPENED = "unopened"  # nobody has opened this revision
    OWNED = "owned"  # a living run is at it
    SILENCE = "silence"  # its owner died or heard no answer
    LATE = "late"  # an owner thought dead reported after all


class Kind(NamedTuple):
    """What to do after silence, and when "there is none" proves that it did not happen.

    `settling_s` counts seconds from the moment the act began; it includes the longest time one call may take.
    """

    after_silence: Decision
    settling_s: int = 0


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "waybill.buy": Kind(Decision.LOOKUP, settling_s=600),
        "waybill.update": Kind(Decision.REPEAT),
        "waybill.void": Kind(Decision.REPEAT),
        "document.print": Kind(Decision.ASK),
        "platform.ship": Kind(Decision.LOOKUP, settling_s=180),
        "platform.amend": Kind(Decision.REPEAT),
        "platform.memo": Kind(Decision.REPEAT),
        "stock.reserve": Kind(Decision.LOOKUP, settling_s=60),
        "stock.release": Kind(Decision.LOOKUP, settling_s=60),
        "pickup.book": Kind(Decision.LOOKUP, settling_s=600),
        "parcel.intercept": Kind(Decision.LOOKUP, settling_s=600),
        "notice.send": Kind(Decision.ASK),
        "webhook.post": Kind(Decision.REPEAT),
    }
)


@dataclass(frozen=True)
class Claim:
    """A line quantity an effect sends on its way; `available` is how much of the line may ever be sent."""

    order_id: str
    line_ref: str
    quantity: int
    available: int

    def __post_init__(self) -> None:
        if self.quantity < 1:
            raise ValueError(f"a claim is of at least one piece: {self.order_id} {self.line_ref}")


@dataclass(frozen=True)
class Effect:
    """One act on the world. `key` names it, `fingerprint` is what it means.

    `attributes` (courier, service, account, issuer, warehouse) are bound to the shipment by its first claim.
    Effects with the same `job` go to a device in one piece and are begun and settled together.
    """

    kind: str
    subject: str
    purpose: str = "sale"
    revision: int = 1
    fingerprint: str = ""
    claims: tuple[Claim, ...] = ()
    shipment_id: str | None = None
    attributes: Mapping[str, str | None] = field(default_factory=lambda: NOTHING)
    job: str | None = None

    def __post_init__(self) -> None:
        if "|" in self.kind or "|" in self.purpose or self.revision < 1:
            raise ValueError(f"no key can be made of {self.kind!r}, {self.purpose!r}, {self.revision}")
        if self.claims and self.shipment_id is None:
            raise ValueError(f"{self.key} claims lines for no shipment")
        if len({(c.order_id, c.line_ref) for c in self.claims}) < len(self.claims):
            raise ValueError(f"{self.key} claims a line twice")

    @property
    def key(self) -> str:
        """Name the effect: `kind|subject|purpose|revision`; neither kind nor purpose holds the separator."""
        return f"{self.kind}|{self.subject}|{self.purpose}|{self.revision}"


@dataclass(frozen=True)
class Entry:
    """What is remembered of an effect. `fence` grows with every owner; `page` is its place in `job`, from 1."""

    key: str
    kind: str
    subject: str
    purpose: str
    revision: int
    fingerprint: str
    shipment_id: str | None
    claims: tuple[Claim, ...]
    state: State
    result: Mapping[str, JSON] | None
    error: str | None
    attempts: int
    started_at: str
    settled_at: str | None
    job: str | None
    page: int | None
    owner: str
    fence: int


@dataclass(frozen=True)
class Outcome:
    """How an act ended: its result when done, a code when not. `at` is the instant it was known."""

    state: State
    result: Mapping[str, JSON] | None
    error: str | None
    at: str


class Ruling(NamedTuple):
    """What a run may do with `effect`, why, and the entry as it now stands (None if nothing is remembered)."""

    effect: Effect
    decision: Decision
    reason: Reason
    entry: Entry | None


class Verdict(NamedTuple):
    """A decision and its reason."""

    decision: Decision
    reason: Reason = Reason.NONE


def decide(
    entry: Entry | None,
    effect: Effect,
    *,
    owner_alive: bool,
    current_revision: int = 1,
    overlapping: bool = False,
    kinds: Mapping[str, Kind] = KINDS,
) -> Verdict:
    """Say what a run may do with an effect, given what the ledger remembers of it.

    Args:
        entry: what is remembered under the effect's key.
        effect: what the run wants to do.
        owner_alive: whether the run that owns `entry` may still be working on it.
        current_revision: the newest revision a person has opened (1 if nobody has).
        overlapping: whether the claims take more of a line than other shipments leave.
        kinds: what to do after silence, per kind.
    """
    if entry is None or entry.state is State.FAILED:  # failed = it surely did not happen
        if effect.revision != current_revision:
            older = effect.revision < current_revision
            return Verdict(Decision.CONFLICT, Reason.SUPERSEDED if older else Reason.UNOPENED)
        return Verdict(Decision.CONFLICT, Reason.OVERLAP) if overlapping else Verdict(Decision.BEGIN)
    if entry.fingerprint != effect.fingerprint:
        return Verdict(Decision.CONFLICT, Reason.CHANGED)
    if entry.state is State.DONE:
        return Verdict(Decision.REPLAY)
    if entry.state is State.VOIDED:
        return Verdict(Decision.CONFLICT, Reason.VOIDED)
    if entry.state is State.STARTED and owner_alive:
        return Verdict(Decision.BUSY, Reason.OWNED)
    return Verdict(kinds[effect.kind].after_silence, Reason.SILENCE)


def absence_is_proof(entry: Entry, now: str, kinds: Mapping[str, Kind] = KINDS) -> bool:
    """Say whether "the other side knows nothing of it" proves by now that the effect did not happen."""
    last_sign = max(entry.started_at, entry.settled_at or "")
    return parse_instant(now) - parse_instant(last_sign) >= timedelta(seconds=kinds[entry.kind].settling_s)
