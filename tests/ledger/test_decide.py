"""The table of decisions, whole: every state, owner, meaning and revision."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from orderctl.model.effect import (
    KINDS,
    Claim,
    Decision,
    Effect,
    Entry,
    Kind,
    Reason,
    State,
    absence_is_proof,
    decide,
)

NOW = "2026-11-11T08:00:00Z"


def wanted(kind: str = "waybill.buy", **fields: object) -> Effect:
    return replace(Effect(kind, "S1", fingerprint="meaning"), **fields)


def remembered(state: State, effect: Effect, **fields: object) -> Entry:
    entry = Entry(
        key=effect.key,
        kind=effect.kind,
        subject=effect.subject,
        purpose=effect.purpose,
        revision=effect.revision,
        fingerprint=effect.fingerprint,
        shipment_id=None,
        claims=(),
        state=state,
        result=None,
        error=None,
        attempts=1,
        started_at=NOW,
        settled_at=None,
        job=None,
        page=None,
        owner="r1",
        fence=1,
    )
    return replace(entry, **fields)


TABLE = {
    # state, owner alive, same meaning: decision, reason
    (State.STARTED, True, True): (Decision.BUSY, Reason.OWNED),
    (State.STARTED, False, True): (Decision.LOOKUP, Reason.SILENCE),
    (State.UNKNOWN, True, True): (Decision.LOOKUP, Reason.SILENCE),
    (State.UNKNOWN, False, True): (Decision.LOOKUP, Reason.SILENCE),
    (State.DONE, True, True): (Decision.REPLAY, Reason.NONE),
    (State.DONE, False, True): (Decision.REPLAY, Reason.NONE),
    (State.VOIDED, True, True): (Decision.CONFLICT, Reason.VOIDED),
    (State.VOIDED, False, True): (Decision.CONFLICT, Reason.VOIDED),
    (State.FAILED, True, True): (Decision.BEGIN, Reason.NONE),
    (State.FAILED, False, True): (Decision.BEGIN, Reason.NONE),
    (State.FAILED, True, False): (Decision.BEGIN, Reason.NONE),
    (State.FAILED, False, False): (Decision.BEGIN, Reason.NONE),
    **{
        (state, alive, False): (Decision.CONFLICT, Reason.CHANGED)
        for state in (State.STARTED, State.UNKNOWN, State.DONE, State.VOIDED)
        for alive in (True, False)
    },
}


def test_the_table_names_every_case() -> None:
    assert TABLE.keys() == set(product(State, (True, False), (True, False)))


@pytest.mark.parametrize(("case", "verdict"), TABLE.items(), ids=lambda v: "-".join(str(x) for x in v))
def test_what_a_run_may_do(case: tuple[State, bool, bool], verdict: tuple[Decision, Reason]) -> None:
    state, alive, same = case
    effect = wanted()
    entry = remembered(state, effect, fingerprint="meaning" if same else "another")
    assert decide(entry, effect, owner_alive=alive) == verdict


@pytest.mark.parametrize("kind", KINDS)
def test_after_silence_each_kind_says_what_to_do(kind: str) -> None:
    effect = wanted(kind)
    verdict = decide(remembered(State.STARTED, effect), effect, owner_alive=False)
    assert verdict == (KINDS[kind].after_silence, Reason.SILENCE)
    assert verdict.decision in {Decision.LOOKUP, Decision.REPEAT, Decision.ASK}


def test_a_port_may_say_what_to_do_after_silence() -> None:
    effect = wanted("document.print")
    kinds = {**KINDS, "document.print": Kind(Decision.LOOKUP)}
    entry = remembered(State.UNKNOWN, effect)
    assert decide(entry, effect, owner_alive=False).decision is Decision.ASK
    assert decide(entry, effect, owner_alive=False, kinds=kinds).decision is Decision.LOOKUP


@pytest.mark.parametrize("before", [None, State.FAILED])
def test_only_the_revision_a_person_opened_begins(before: State | None) -> None:
    for revision, current, expected in [
        (1, 1, (Decision.BEGIN, Reason.NONE)),
        (2, 2, (Decision.BEGIN, Reason.NONE)),
        (1, 2, (Decision.CONFLICT, Reason.SUPERSEDED)),
        (2, 1, (Decision.CONFLICT, Reason.UNOPENED)),
    ]:
        effect = wanted(revision=revision)
        entry = None if before is None else remembered(before, effect)
        assert decide(entry, effect, owner_alive=False, current_revision=current) == expected


@pytest.mark.parametrize("state", [None, *State])
def test_an_overlap_stops_only_what_would_begin(state: State | None) -> None:
    effect = wanted()
    entry = None if state is None else remembered(state, effect)
    plain = decide(entry, effect, owner_alive=False)
    crossed = decide(entry, effect, owner_alive=False, overlapping=True)
    stopped = (Decision.CONFLICT, Reason.OVERLAP)
    assert crossed == (stopped if plain.decision is Decision.BEGIN else plain)


@pytest.mark.parametrize(
    ("settled", "now", "proof"),
    [
        (None, "2026-11-11T08:09:59Z", False),
        (None, "2026-11-11T08:10:00Z", True),
        ("2026-11-11T08:05:00Z", "2026-11-11T08:14:59Z", False),
        ("2026-11-11T08:05:00Z", "2026-11-11T08:15:00Z", True),
    ],
)
def test_none_there_is_proof_only_after_the_settling_time(settled: str | None, now: str, proof: bool) -> None:
    entry = remembered(State.UNKNOWN, wanted("waybill.buy"), settled_at=settled)
    assert absence_is_proof(entry, now) is proof


def test_keys_tell_effects_apart() -> None:
    effects = [
        wanted(subject=subject, purpose=purpose, revision=revision)
        for subject in ("S1", "S1|sale", "S1|sale|1")
        for purpose in ("sale", "resend")
        for revision in (1, 2, 12)
    ]
    assert len({e.key for e in effects}) == len(effects)


def test_nonsense_is_no_effect() -> None:
    with pytest.raises(ValueError, match="no key"):
        Effect("waybill|buy", "S1")
    with pytest.raises(ValueError, match="no key"):
        Effect("waybill.buy", "S1", revision=0)
    with pytest.raises(ValueError, match="no shipment"):
        Effect("waybill.buy", "S1", claims=(Claim("O1", "1", 1, 1),))
    with pytest.raises(ValueError, match="twice"):
        Effect("waybill.buy", "S1", shipment_id="S1", claims=(Claim("O1", "1", 1, 2), Claim("O1", "1", 1, 2)))
    with pytest.raises(ValueError, match="at least one"):
        Claim("O1", "1", 0, 1)
