"""Perform effects once each: the loop every action shares.

Invariant: "started" is on disk before the act, what the act said is on disk before the next one of its unit, and
whatever interrupts between the two (a kill, Ctrl-C, a bug) leaves "started", never a guess.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Literal, NamedTuple, TypeAlias

from orderctl.model.effect import (
    JSON,
    KINDS,
    Decision,
    Effect,
    Kind,
    Outcome,
    Reason,
    Ruling,
    State,
    absence_is_proof,
)
from orderctl.model.errors import PortError, Refused, Temporary, Unauthorized
from orderctl.ports.ledger.ledger import Ledger

Result: TypeAlias = Mapping[str, JSON]
Answer: TypeAlias = Result | Literal["absent"] | None
Clock: TypeAlias = str | Callable[[], str]


class Performed(NamedTuple):
    """What became of one effect: the ruling on it, how it stands, and the failure if this run met one."""

    effect: Effect
    decision: Decision
    reason: Reason
    outcome: Outcome
    failure: PortError | None = None


class _Hands(NamedTuple):
    """What every unit of one call is performed with."""

    ledger: Ledger
    act: Callable[[Sequence[Effect]], Sequence[Result]]
    lookup: Callable[[Effect], Answer] | None
    clock: Callable[[], str]
    kinds: Mapping[str, Kind]


def perform(
    ledger: Ledger,
    effects: Iterable[Effect],
    act: Callable[[Effect], Result],
    *,
    now: Clock,
    lookup: Callable[[Effect], Answer] | None = None,
    kinds: Mapping[str, Kind] = KINDS,
    workers: int = 1,
) -> list[Performed]:
    """Perform each effect at most once and say of every one, in the given order, what became of it.

    Args:
        ledger: the memory of effects.
        effects: what is wanted.
        act: does one effect and gives its result, or raises a port error; called in `workers` threads.
        now: an instant, or a clock for actions that take long.
        lookup: asks the other side after an effect that may have happened: its result, "absent" (the other side
            knows nothing of it, believed after the kind's settling time), or None (still not known).
        kinds: what to do after silence, per kind.
        workers: how many effects are under way at once.

    Raises: whatever `act` raises that is no port error, after the effects under way have been settled.
    """
    hands = _Hands(ledger, lambda unit: [act(unit[0])], lookup, _clock(now), kinds)
    return _perform(list(effects), lambda wanted: [[effect] for effect in wanted], hands, workers)


def perform_jobs(
    ledger: Ledger,
    effects: Iterable[Effect],
    send: Callable[[Sequence[Effect]], Sequence[Result]],
    *,
    now: Clock,
    lookup: Callable[[Effect], Answer] | None = None,
    kinds: Mapping[str, Kind] = KINDS,
) -> list[Performed]:
    """Perform jobs: the effects of each `job` that may begin go to `send` in one piece, in order, and end as one.

    `send` gives one result per effect it was given; that nothing happened (Refused, Temporary, Unauthorized) it says
    only if that is true of the whole job. `lookup` gets an effect under the job it was begun in.
    Raises: ValueError if an effect has no job, or a job was begun before; else as `perform`.
    """
    return _perform(list(effects), _jobs, _Hands(ledger, send, lookup, _clock(now), kinds), 1)


def _jobs(effects: Sequence[Effect]) -> list[list[Effect]]:
    jobs: dict[str, list[Effect]] = {}
    for effect in effects:
        if effect.job is None:
            raise ValueError(f"{effect.key} is part of no job")
        jobs.setdefault(effect.job, []).append(effect)
    return list(jobs.values())


def _clock(now: Clock) -> Callable[[], str]:
    return now if callable(now) else lambda: now


def _perform(
    wanted: Sequence[Effect],
    to_units: Callable[[Sequence[Effect]], list[list[Effect]]],
    hands: _Hands,
    workers: int,
) -> list[Performed]:
    first: dict[str, Effect] = {}
    for effect in wanted:
        first.setdefault(effect.key, effect)
    units = to_units(list(first.values()))
    run = _side_by_side if workers > 1 else _one_by_one
    done = {p.effect.key: p for p in run(units, hands, workers)}
    return [
        done[e.key]._replace(effect=e) if e.fingerprint == first[e.key].fingerprint else _unit([e], hands)[0]
        for e in wanted
    ]


def _one_by_one(units: Iterable[Sequence[Effect]], hands: _Hands, _: int) -> list[Performed]:
    return [performed for unit in units for performed in _unit(unit, hands)]


def _side_by_side(units: Iterable[Sequence[Effect]], hands: _Hands, workers: int) -> list[Performed]:
    pool = ThreadPoolExecutor(workers, thread_name_prefix="effect")
    try:
        futures = [pool.submit(_unit, unit, hands) for unit in units]
        return [performed for future in futures for performed in future.result()]
    finally:  # what is under way ends and is settled; what has not begun never begins
        pool.shutdown(cancel_futures=True)


def _unit(unit: Sequence[Effect], hands: _Hands) -> list[Performed]:
    """Look up, begin, act, settle: one transaction before the act and one after it."""
    if hands.lookup is not None:
        for silent in hands.ledger.take_over(unit, hands.clock(), hands.kinds):
            _look(silent, hands.lookup, hands)
    rulings = hands.ledger.begin(unit, hands.clock(), hands.kinds)
    ended = _act([r for r in rulings if r.decision in (Decision.BEGIN, Decision.REPEAT)], hands)
    return [
        ended.get(r.effect.key) or Performed(r.effect, r.decision, r.reason, _standing(r, hands.clock()))
        for r in rulings
    ]


def _act(begun: Sequence[Ruling], hands: _Hands) -> dict[str, Performed]:
    """Do what was begun, in one piece, and write how it ended."""
    if not begun:
        return {}
    failure: PortError | None = None
    try:
        results = hands.act([r.effect for r in begun])
        outcomes = [Outcome(State.DONE, _plain(result), None, hands.clock()) for result in results]
    except PortError as error:
        failure = error
        outcomes = [Outcome(_after(error, r), None, _code(error), hands.clock()) for r in begun]
    ended = list(zip(begun, outcomes, strict=True))
    kept = hands.ledger.settle_many(ended)
    return {
        r.effect.key: Performed(r.effect, r.decision, r.reason, outcome if ok else _late(outcome), failure)
        for (r, outcome), ok in zip(ended, kept, strict=True)
    }


def _late(outcome: Outcome) -> Outcome:
    return Outcome(State.UNKNOWN, None, Reason.LATE, outcome.at)


def _after(error: PortError, ruling: Ruling) -> State:
    """Say what a failed act leaves. A repeat that fails proves nothing about the silent attempt before it."""
    surely_not = isinstance(error, Refused | Temporary | Unauthorized) and ruling.decision is Decision.BEGIN
    return State.FAILED if surely_not else State.UNKNOWN


def _look(silent: Ruling, lookup: Callable[[Effect], Answer], hands: _Hands) -> None:
    """Ask the other side about a silent effect and write what it knows."""
    entry = silent.entry
    assert entry is not None
    answer, why = None, "unanswered"
    try:
        answer = lookup(replace(silent.effect, job=entry.job))
    except PortError as error:
        why = _code(error)
    now = hands.clock()
    if isinstance(answer, Mapping):
        outcome = Outcome(State.DONE, _plain(answer), None, now)
    elif answer == "absent" and absence_is_proof(entry, now, hands.kinds):
        outcome = Outcome(State.FAILED, None, "absent", now)
    else:  # as of the moment silence fell, or each look would put off the proof
        why = "settling" if answer == "absent" else why
        outcome = Outcome(State.UNKNOWN, None, why, entry.settled_at or entry.started_at)
    hands.ledger.settle(silent, outcome)


def _standing(ruling: Ruling, now: str) -> Outcome:
    """Say how an effect stands that this run did not act on."""
    entry, why = ruling.entry, ruling.reason or None
    if entry is None:
        return Outcome(State.FAILED, None, why, now)
    known = why if ruling.decision is Decision.CONFLICT else entry.error or why
    return Outcome(entry.state, entry.result, known, entry.settled_at or entry.started_at)


def _code(error: PortError) -> str:
    match error:
        case Refused():
            name = "refused"
        case Temporary():
            name = "temporary"
        case Unauthorized():
            name = "unauthorized"
        case _:
            name = "unknown"
    return f"{name}:{error.code}" if error.code else name


def _plain(result: Result) -> Result:
    """Give the result as it will be read back, so that a replay is the same bytes."""
    plain: Result = json.loads(json.dumps(result, ensure_ascii=False, allow_nan=False))
    return plain
