"""The loop every action shares: what an act says, what a lookup says, threads, jobs, and what interrupts leave."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from orderctl.model.effect import JSON, KINDS, Decision, Effect, Kind, Reason, State
from orderctl.model.errors import OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.ledger import perform, perform_jobs
from tests.ledger.samples import LATER, NOW, buy, done, label, opened


def say(**result: JSON) -> Mapping[str, JSON]:
    return result


def never(_: object) -> Mapping[str, JSON]:
    raise AssertionError("this must not be done")


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (Refused(Text("no"), code="bad_address"), State.FAILED, "refused:bad_address"),
        (Temporary(Text("later")), State.FAILED, "temporary"),
        (Unauthorized(Text("who")), State.FAILED, "unauthorized"),
        (OutcomeUnknown(Text("silence"), code="504"), State.UNKNOWN, "unknown:504"),
        (PortError(Text("odd")), State.UNKNOWN, "unknown"),
    ],
)
def test_what_a_port_says_is_what_is_remembered(
    tmp_path: Path, error: PortError, state: State, code: str
) -> None:
    def act(_: Effect) -> Mapping[str, JSON]:
        raise error

    with opened(tmp_path) as ledger:
        (row,) = perform(ledger, [buy("S1")], act, now=NOW)
        assert (row.decision, row.outcome.state, row.outcome.error, row.failure) == (
            Decision.BEGIN,
            state,
            code,
            error,
        )
        entry = ledger.entry(buy("S1").key)
        assert entry is not None
        assert (entry.state, entry.error) == (state, code)


def test_a_replay_gives_the_very_bytes_of_the_first_time(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        effects = [buy(f"S{i}") for i in range(3)]
        first = perform(ledger, effects, lambda e: say(number=e.subject, parts=("a", "b"), no=None), now=NOW)
        again = perform(ledger, effects, never, now=LATER)
        assert [p.outcome for p in first] == [p.outcome for p in again]
        assert [p.decision for p in again] == [Decision.REPLAY] * 3


def test_a_result_that_cannot_be_written_down_leaves_started(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        with pytest.raises(TypeError):
            perform(ledger, [buy("S1")], lambda _: {"number": object()}, now=NOW)  # type: ignore[dict-item]
        entry = ledger.entry(buy("S1").key)
        assert entry is not None
        assert entry.state is State.STARTED


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
@pytest.mark.parametrize("workers", [1, 3])
def test_an_interruption_leaves_started_and_begins_nothing_more(
    tmp_path: Path, stop: type[BaseException], workers: int
) -> None:
    seen: list[str] = []

    def act(effect: Effect) -> Mapping[str, JSON]:
        seen.append(effect.subject)
        if effect.subject == "S1":
            raise stop
        return say(number=effect.subject)

    with opened(tmp_path) as ledger:
        with pytest.raises(stop):
            perform(ledger, [buy(f"S{i}") for i in range(200)], act, now=NOW, workers=workers)
        states = {e.subject: e.state for e in ledger.entries()}
        assert states.pop("S1") is State.STARTED
        assert set(states.values()) == {State.DONE}
        assert len(states) + 1 == len(seen) < 200


@pytest.mark.parametrize(
    ("answer", "now", "state", "error", "times"),
    [
        ({"number": "N1"}, NOW, State.DONE, None, 0),
        ("absent", NOW, State.UNKNOWN, "settling", 0),
        ("absent", LATER, State.DONE, None, 1),
        (None, LATER, State.UNKNOWN, "unanswered", 0),
        (Temporary(Text("later"), code="busy"), LATER, State.UNKNOWN, "temporary:busy", 0),
    ],
)
def test_after_silence_the_other_side_is_asked(
    tmp_path: Path, answer: object, now: str, state: State, error: str | None, times: int
) -> None:
    acted: list[str] = []

    def lookup(effect: Effect) -> Mapping[str, JSON] | str | None:
        if isinstance(answer, PortError):
            raise answer
        return answer  # type: ignore[return-value]

    def act(effect: Effect) -> Mapping[str, JSON]:
        acted.append(effect.key)
        return say(number="N1")

    with opened(tmp_path, "dead") as dead:
        dead.begin([buy("S1")], NOW)
    with opened(tmp_path) as ledger:
        (row,) = perform(ledger, [buy("S1")], act, now=now, lookup=lookup)  # type: ignore[arg-type]
        assert (row.outcome.state, row.outcome.error, len(acted)) == (state, error, times)
        assert (row.outcome.result == {"number": "N1"}) is (state is State.DONE)
        assert ledger.verify() == []


def test_looking_again_and_again_does_not_put_off_the_proof(tmp_path: Path) -> None:
    with opened(tmp_path, "dead") as dead:
        dead.begin([buy("S1")], "2026-11-11T08:00:00Z")
    with opened(tmp_path) as ledger:
        for minute in range(10):
            now = f"2026-11-11T08:0{minute}:59Z"
            (row,) = perform(ledger, [buy("S1")], never, now=now, lookup=lambda _: "absent")
            assert (row.decision, row.outcome.state) == (Decision.LOOKUP, State.UNKNOWN)
        (row,) = perform(
            ledger,
            [buy("S1")],
            lambda _: say(number="N"),
            now="2026-11-11T08:10:00Z",
            lookup=lambda _: "absent",
        )
        assert row.outcome.state is State.DONE


def test_without_a_lookup_a_silent_purchase_waits(tmp_path: Path) -> None:
    with opened(tmp_path, "dead") as dead:
        dead.begin([buy("S1")], NOW)
    with opened(tmp_path) as ledger:
        (row,) = perform(ledger, [buy("S1")], never, now=LATER)
        assert (row.decision, row.reason, row.outcome.state) == (
            Decision.LOOKUP,
            Reason.SILENCE,
            State.STARTED,
        )
        assert [p.key for p in ledger.pending(LATER)] == [buy("S1").key]


@pytest.mark.parametrize("error", [Refused(Text("already there")), Temporary(Text("later"))])
def test_a_repeat_that_fails_proves_nothing_about_the_first_time(tmp_path: Path, error: PortError) -> None:
    memo = Effect("platform.memo", "o:1")

    def act(_: Effect) -> Mapping[str, JSON]:
        raise error

    with opened(tmp_path, "dead") as dead:
        dead.begin([memo], NOW)
    with opened(tmp_path) as ledger:
        (row,) = perform(ledger, [memo], act, now=LATER)
        assert (row.decision, row.outcome.state) == (Decision.REPEAT, State.UNKNOWN)
        (row,) = perform(ledger, [memo], lambda _: say(ok=True), now=LATER)
        assert (row.decision, row.outcome.state) == (Decision.REPEAT, State.DONE)


def test_a_printer_cannot_be_questioned(tmp_path: Path) -> None:
    with opened(tmp_path, "dead") as dead:
        dead.begin([label("S1", "J0")], NOW)
    with opened(tmp_path) as ledger:
        (row,) = perform_jobs(ledger, [label("S1", "J1")], never, now=LATER, lookup=never)
        assert (row.decision, row.reason) == (Decision.ASK, Reason.SILENCE)


def test_a_device_that_can_be_questioned_is_asked_for_the_job_it_was_given(tmp_path: Path) -> None:
    kinds = {**KINDS, "document.print": Kind(Decision.LOOKUP)}
    asked: list[str | None] = []

    def lookup(effect: Effect) -> Mapping[str, JSON] | str:
        asked.append(effect.job)
        return say(confirmed="spooled") if effect.subject == "S1/1/label" else "absent"

    with opened(tmp_path, "dead") as dead:
        dead.begin([label("S1", "J0"), label("S2", "J0")], NOW)
    with opened(tmp_path) as ledger:
        sent: list[list[str]] = []

        def send(effects: Sequence[Effect]) -> list[Mapping[str, JSON]]:
            sent.append([e.subject for e in effects])
            return [say(confirmed="spooled") for _ in effects]

        wanted = [label(s, "J1") for s in ("S1", "S2", "S3")]
        rows = perform_jobs(ledger, wanted, send, now=LATER, lookup=lookup, kinds=kinds)  # type: ignore[arg-type]
        assert asked == ["J0", "J0"]
        assert sent == [["S2/1/label", "S3/1/label"]]
        assert [r.decision for r in rows] == [Decision.REPLAY, Decision.BEGIN, Decision.BEGIN]
        assert {r.outcome.state for r in rows} == {State.DONE}


def test_a_job_ends_as_one(tmp_path: Path) -> None:
    def cut(effects: Sequence[Effect]) -> list[Mapping[str, JSON]]:
        raise OutcomeUnknown(Text("cut after the first byte"))

    def short(effects: Sequence[Effect]) -> list[Mapping[str, JSON]]:
        return [say(confirmed="spooled")]

    with opened(tmp_path) as ledger:
        rows = perform_jobs(ledger, [label("S1", "J1"), label("S2", "J2"), label("S3", "J1")], cut, now=NOW)
        assert [r.effect.subject for r in rows] == ["S1/1/label", "S2/1/label", "S3/1/label"]
        assert {r.outcome.state for r in rows} == {State.UNKNOWN}
        assert [e.page for e in ledger.entries(job="J1")] == [1, 2]
        with pytest.raises(ValueError, match="zip"):
            perform_jobs(ledger, [label("S4", "J3"), label("S5", "J3")], short, now=NOW)
        assert {e.state for e in ledger.entries(job="J3")} == {State.STARTED}
        with pytest.raises(ValueError, match="part of no job"):
            perform_jobs(ledger, [label("S6")], never, now=NOW)


def test_nothing_to_print_sends_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        assert perform_jobs(ledger, [], never, now=NOW) == []
        ledger.begin([label("S1", "J0")], NOW)
        ledger.settle(label("S1"), done())
        (row,) = perform_jobs(ledger, [label("S1", "J1")], never, now=NOW)
        assert row.decision is Decision.REPLAY


def test_effects_under_way_at_once_and_answers_in_order(tmp_path: Path) -> None:
    together = threading.Barrier(4, timeout=30)

    def act(effect: Effect) -> Mapping[str, JSON]:
        together.wait()
        return say(number=effect.subject)

    with opened(tmp_path) as ledger:
        effects = [buy(f"S{i}", (f"o:{i}", 1, 1)) for i in range(12)]
        rows = perform(ledger, effects, act, now=NOW, workers=4)
        assert [r.outcome.result for r in rows] == [{"number": e.subject} for e in effects]
        assert ledger.verify() == []


@pytest.mark.parametrize("workers", [1, 3])
def test_the_same_effect_wanted_twice_is_done_once(tmp_path: Path, workers: int) -> None:
    seen: list[str] = []

    def act(effect: Effect) -> Mapping[str, JSON]:
        seen.append(effect.key)
        return say(number="N1")

    with opened(tmp_path) as ledger:
        wanted = [buy("S1"), buy("S2"), buy("S1"), buy("S1", meaning="elsewhere")]
        rows = perform(ledger, wanted, act, now=NOW, workers=workers)
        assert sorted(seen) == [buy("S1").key, buy("S2").key]
        assert [r.outcome.result for r in rows] == [{"number": "N1"}] * 4
        assert [(r.decision, r.reason) for r in rows[2:]] == [
            (Decision.BEGIN, Reason.NONE),
            (Decision.CONFLICT, Reason.CHANGED),
        ]


def test_a_clock_is_read_for_every_write(tmp_path: Path) -> None:
    minutes = iter(range(60))
    with opened(tmp_path) as ledger:
        perform(ledger, [buy("S1")], lambda _: say(), now=lambda: f"2026-11-11T08:{next(minutes):02}:00Z")
        entry = ledger.entry(buy("S1").key)
        assert entry is not None
        assert entry.settled_at is not None
        assert entry.started_at < entry.settled_at


def test_a_conflict_says_how_the_effect_stands(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        perform(ledger, [buy("S1", ("o:1", 1, 1))], lambda _: say(number="N1"), now=NOW)
        changed, overlap = perform(
            ledger, [buy("S1", ("o:1", 1, 1), meaning="x"), buy("S2", ("o:1", 1, 1))], never, now=LATER
        )
        assert (changed.outcome.state, changed.outcome.error) == (State.DONE, "changed")
        assert changed.outcome.result == {"number": "N1"}
        assert (overlap.outcome.state, overlap.outcome.error) == (State.FAILED, "overlap")


def test_a_run_given_up_in_mid_act_hears_that_it_is_late(tmp_path: Path) -> None:
    with opened(tmp_path, "slow", host="elsewhere") as slow, opened(tmp_path, "quick") as quick:

        def act(effect: Effect) -> Mapping[str, JSON]:
            assert quick.take_over([effect], LATER)
            raise Refused(Text("no"))

        (row,) = perform(slow, [buy("S1")], act, now=NOW)
        assert (row.outcome.state, row.outcome.error) == (State.UNKNOWN, "late")
