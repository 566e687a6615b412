"""Begin, settle, claims and leases, on a real file."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orderctl.model.effect import KINDS, Decision, Effect, Kind, Outcome, Reason, State
from orderctl.model.errors import UsageError
from orderctl.ports.ledger import Ledger
from tests.ledger.samples import LATER, NOW, buy, done, failed, label, opened, unknown, voided


def begin_and_be_killed(folder: Path, run_id: str, host: str) -> None:
    """Let a process of its own begin the label of S1 and die of SIGKILL."""
    script = (
        "import os, sys, signal, pathlib; from tests.ledger.samples import NOW, buy; from orderctl.ports.ledger import Ledger;"
        "Ledger.open(pathlib.Path(sys.argv[1]) / 'ledger.db', run_id=sys.argv[2], host=sys.argv[3]).begin([buy('S1')], NOW);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", script, folder, run_id, host], check=False)
    assert ended.returncode == -signal.SIGKILL


def decisions(ledger: Ledger, *effects: Effect, now: str = NOW) -> list[tuple[Decision, Reason]]:
    return [(r.decision, r.reason) for r in ledger.begin(effects, now)]


BEGIN = (Decision.BEGIN, Reason.NONE)
REPLAY = (Decision.REPLAY, Reason.NONE)
OVERLAP = (Decision.CONFLICT, Reason.OVERLAP)


def bound(ledger: Ledger) -> dict[tuple[str, str], int]:
    return {
        (r["shipment_id"], r["order_id"]): r["quantity"] for r in ledger.commitments().iter_rows(named=True)
    }


def test_what_was_done_is_handed_back(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        assert decisions(ledger, buy("S1", ("o:1", 1, 1))) == [BEGIN]
        assert ledger.settle(buy("S1"), done(number="N1"))
    with opened(tmp_path, "r2") as ledger:
        (ruling,) = ledger.begin([buy("S1", ("o:1", 1, 1))], LATER)
        assert (ruling.decision, ruling.reason) == REPLAY
        assert ruling.entry is not None
        assert ruling.entry.result == {"number": "N1"}
        assert ruling.entry.settled_at == NOW


def test_what_surely_did_not_happen_begins_again_and_counts(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        for attempt in (1, 2, 3):
            (ruling,) = ledger.begin([buy("S1", ("o:1", 1, 1), meaning=f"m{attempt}")], NOW)
            assert ruling.decision is Decision.BEGIN
            assert ruling.entry is not None
            assert (ruling.entry.attempts, ruling.entry.fence) == (attempt, attempt)
            assert ledger.settle(ruling, failed())


def test_pieces_of_a_line_are_bound_to_one_shipment(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        assert decisions(ledger, buy("S1", ("o:1", 2, 3)), buy("S2", ("o:1", 1, 3))) == [BEGIN, BEGIN]
        assert decisions(ledger, buy("S3", ("o:1", 1, 3))) == [OVERLAP]
        assert bound(ledger) == {("S1", "o:1"): 2, ("S2", "o:1"): 1}


def test_an_effect_in_conflict_claims_nothing_of_its_other_lines(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        assert decisions(ledger, buy("S1", ("o:1", 1, 1))) == [BEGIN]
        assert decisions(ledger, buy("S2", ("o:1", 1, 1), ("o:2", 1, 1))) == [OVERLAP]
        assert decisions(ledger, buy("S3", ("o:2", 1, 1))) == [BEGIN]
        assert ledger.entry(buy("S2").key) is None


def test_effects_of_one_shipment_share_their_lines(tmp_path: Path) -> None:
    ship = Effect("platform.ship", "o:1/S1", claims=buy("S1", ("o:1", 1, 1)).claims, shipment_id="S1")
    other = Effect("platform.ship", "o:1/S2", claims=ship.claims, shipment_id="S2")
    with opened(tmp_path) as ledger:
        assert decisions(ledger, buy("S1", ("o:1", 1, 1)), ship, other) == [BEGIN, BEGIN, OVERLAP]


def test_purposes_do_not_take_each_others_lines(tmp_path: Path) -> None:
    resend = Effect(
        "waybill.buy", "S2", purpose="resend", claims=buy("S", ("o:1", 1, 1)).claims, shipment_id="S2"
    )
    with opened(tmp_path) as ledger:
        assert decisions(ledger, buy("S1", ("o:1", 1, 1)), resend) == [BEGIN, BEGIN]
        assert ledger.commitments()["shipment_id"].to_list() == ["S1"]
        assert ledger.commitments(purpose="resend")["shipment_id"].to_list() == ["S2"]


@pytest.mark.parametrize("end", [failed(), voided()])
def test_lines_are_free_again_when_nothing_of_their_shipment_is_live(tmp_path: Path, end: Outcome) -> None:
    ship = Effect("platform.ship", "o:1/S1", claims=buy("S1", ("o:1", 1, 1)).claims, shipment_id="S1")
    with opened(tmp_path) as ledger:
        ledger.begin([buy("S1", ("o:1", 1, 1)), label("S1", "J"), ship], NOW)
        if end.state is State.VOIDED:
            ledger.settle(buy("S1"), done())
        ledger.settle(label("S1"), done())
        ledger.settle(buy("S1"), end)
        assert decisions(ledger, buy("S2", ("o:1", 1, 1))) == [OVERLAP]  # the platform may have been told
        ledger.settle(ship, failed())
        assert bound(ledger) == {}  # a printed label alone holds nothing
        assert decisions(ledger, buy("S2", ("o:1", 1, 1))) == [BEGIN]
        assert ledger.verify() == []


@pytest.mark.parametrize("end", [unknown(), done()])
def test_what_may_have_happened_holds_its_lines(tmp_path: Path, end: Outcome) -> None:
    with opened(tmp_path) as ledger:
        ledger.begin([buy("S1", ("o:1", 1, 1))], NOW)
        ledger.settle(buy("S1"), end)
        assert decisions(ledger, buy("S2", ("o:1", 1, 1))) == [OVERLAP]


def test_a_refund_after_the_label_does_not_stop_the_shipment_itself(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.begin([buy("S1", ("o:1", 2, 2))], NOW)
        ledger.settle(buy("S1"), done())
        ship = Effect("platform.ship", "o:1/S1", claims=buy("S", ("o:1", 1, 1)).claims, shipment_id="S1")
        assert decisions(ledger, ship) == [BEGIN]
        assert ledger.verify() == []


def test_the_first_claim_binds_a_shipment_and_a_later_revision_binds_it_anew(tmp_path: Path) -> None:
    def courier(ledger: Ledger) -> list[object]:
        return ledger.commitments(["o:1"]).select("courier", "account").rows()

    with opened(tmp_path) as ledger:
        ledger.begin([buy("S1", ("o:1", 1, 1), courier="SF", account="a")], NOW)
        ledger.settle(buy("S1"), done())
        ship = Effect(
            "platform.ship",
            "o:1/S1",
            claims=buy("S", ("o:1", 1, 1)).claims,
            shipment_id="S1",
            attributes={"courier": "YTO"},
        )
        ledger.begin([ship], NOW)
        assert courier(ledger) == [("SF", "a")]
        revision = ledger.reissue("waybill.buy", "S1", actor="测试甲", reason="damaged", now=LATER)
        ledger.begin([buy("S1", ("o:1", 1, 1), revision=revision, courier="ZTO")], LATER)
        assert courier(ledger) == [("ZTO", None)]
        with pytest.raises(ValueError, match="colour"):
            ledger.begin([buy("S2", ("o:2", 1, 1), colour="red")], NOW)
        assert ledger.commitments(["o:2"]).is_empty()


def test_another_meaning_is_a_conflict_for_a_person(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.begin([buy("S1", ("o:1", 1, 1))], NOW)
        ledger.settle(buy("S1"), done(number="N1"))
        (ruling,) = ledger.begin([buy("S1", ("o:1", 1, 1), meaning="elsewhere")], LATER)
        assert (ruling.decision, ruling.reason) == (Decision.CONFLICT, Reason.CHANGED)
        assert ruling.entry is not None
        assert ruling.entry.result == {"number": "N1"}


# leases


def test_a_living_run_is_left_alone_and_a_dead_one_is_not(tmp_path: Path) -> None:
    with opened(tmp_path, "r1") as first, opened(tmp_path, "r2") as second:
        first.begin([buy("S1")], NOW)
        assert decisions(second, buy("S1"), now="2027-01-01T00:00:00Z") == [(Decision.BUSY, Reason.OWNED)]
        assert second.pending(LATER) == []
    with opened(tmp_path, "r3") as third:
        assert decisions(third, buy("S1")) == [(Decision.LOOKUP, Reason.SILENCE)]
        assert [p.key for p in third.pending(LATER)] == [buy("S1").key]


def test_a_killed_run_is_dead_at_once_on_its_host_though_its_lease_runs_on(tmp_path: Path) -> None:
    begin_and_be_killed(tmp_path, "killed", "desk")
    assert (tmp_path / "runs" / "killed.lock").exists()
    with opened(tmp_path, "r2") as ledger:
        assert decisions(ledger, buy("S1")) == [(Decision.LOOKUP, Reason.SILENCE)]
    assert list((tmp_path / "runs").iterdir()) == []  # swept, and our own went with us


def test_a_run_of_another_host_counts_as_dead_only_when_its_lease_has_expired(tmp_path: Path) -> None:
    begin_and_be_killed(tmp_path, "far", "elsewhere")
    with opened(tmp_path, "r2") as ledger:
        assert decisions(ledger, buy("S1"), now="2026-11-11T08:14:59Z") == [(Decision.BUSY, Reason.OWNED)]
        assert decisions(ledger, buy("S1"), now="2026-11-11T08:15:01Z") == [(Decision.LOOKUP, Reason.SILENCE)]


def test_a_lock_file_swept_away_by_somebody_does_not_make_a_living_run_dead(tmp_path: Path) -> None:
    with opened(tmp_path, "r1") as first, opened(tmp_path, "r2") as second:
        first.begin([buy("S1")], NOW)
        (tmp_path / "runs" / "r1.lock").unlink()
        assert decisions(second, buy("S1")) == [(Decision.BUSY, Reason.OWNED)]


def test_a_lease_is_renewed_by_working(tmp_path: Path) -> None:
    with opened(tmp_path, "r1", host="elsewhere") as first, opened(tmp_path, "r2") as second:
        first.begin([buy("S1")], NOW)
        first.begin([buy("S2")], "2026-11-11T08:14:00Z")
        assert decisions(second, buy("S1"), now="2026-11-11T08:20:00Z") == [(Decision.BUSY, Reason.OWNED)]


def test_those_who_look_whether_a_run_lives_do_not_see_each_other(tmp_path: Path) -> None:
    begin_and_be_killed(tmp_path, "killed", "desk")
    with (tmp_path / "runs" / "killed.lock").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        with opened(tmp_path, "r2") as ledger:
            assert decisions(ledger, buy("S1")) == [(Decision.LOOKUP, Reason.SILENCE)]


def test_a_run_id_is_used_once(tmp_path: Path) -> None:
    with opened(tmp_path, "r1") as first:
        first.begin([buy("S1")], NOW)
        with opened(tmp_path, "r1") as twin, pytest.raises(UsageError, match="r1 was used before"):
            twin.begin([buy("S2")], NOW)
        assert decisions(first, buy("S2")) == [BEGIN]
    with opened(tmp_path, "r1") as again, pytest.raises(UsageError, match="r1 was used before"):
        again.begin([buy("S3")], NOW)
    with pytest.raises(ValueError, match="names a file"):
        Ledger.open(tmp_path / "ledger.db", run_id="../r", host="desk")


def test_who_only_reads_takes_no_lease(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        assert ledger.pending(NOW) == []
        assert ledger.commitments().is_empty()
    assert not (tmp_path / "runs").exists()


# ownership


def test_only_one_run_may_look_up_a_silent_effect(tmp_path: Path) -> None:
    with opened(tmp_path, "dead") as dead:
        dead.begin([buy("S1"), label("S2", "J")], NOW)
    with opened(tmp_path, "r1") as first, opened(tmp_path, "r2") as second:
        (taken,) = first.take_over([buy("S1"), label("S2"), buy("S9")], LATER)
        assert taken.effect == buy("S1")
        assert second.take_over([buy("S1")], LATER) == []
        assert decisions(second, buy("S1")) == [(Decision.BUSY, Reason.OWNED)]
        assert first.settle(taken, done(LATER, number="N1"))
        assert decisions(second, buy("S1")) == [REPLAY]
        assert first.verify() == []


def test_who_was_given_up_may_still_say_that_it_happened_but_not_that_it_did_not(tmp_path: Path) -> None:
    with opened(tmp_path, "slow", host="elsewhere") as slow, opened(tmp_path, "r2") as second:
        (s1, s2, s3) = slow.begin([buy("S1"), buy("S2"), buy("S3", ("o:3", 1, 1))], NOW)
        taken = second.take_over([buy("S1"), buy("S2"), buy("S3", ("o:3", 1, 1))], LATER)
        assert len(taken) == 3
        assert slow.settle(s1, failed(LATER)) is False
        entry = second.entry(buy("S1").key)
        assert entry is not None
        assert entry.state is State.STARTED
        assert second.settle(taken[1], unknown(LATER))
        assert slow.settle(s2, done(LATER, number="N2")) is True
        assert second.settle(taken[2], failed(LATER))
        assert bound(second) == {}
        assert slow.settle(s3, done(LATER, number="N3")) is True
        assert bound(second) == {("S3", "o:3"): 1}
        assert [(p.key, p.reason) for p in second.pending(LATER)] == [(buy("S1").key, Reason.LATE)]
        assert second.verify() == []


def test_an_older_fence_of_the_same_run_settles_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        (first,) = ledger.begin([buy("S1")], NOW)
        ledger.settle(first, failed())
        (second,) = ledger.begin([buy("S1")], NOW)
        assert ledger.settle(first, unknown()) is False
        assert ledger.settle(second, done())


def test_settling_twice_alike_is_no_news_and_otherwise_a_bug(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        (ruling,) = ledger.begin([buy("S1")], NOW)
        assert ledger.settle(ruling, done(number="N1"))
        assert ledger.settle(ruling, done(number="N1"))
        assert ledger.settle(ruling, failed()) is False
        with pytest.raises(ValueError, match="cannot be settled"):
            ledger.settle("waybill.buy|S9|sale|1", done())
        with pytest.raises(ValueError, match="cannot be settled"):
            ledger.settle(ruling, Outcome(State.STARTED, None, None, NOW))
        assert ledger.journal()["event"].to_list() == [
            "effect.started",
            "effect.done",
            "effect.conflict",
            "effect.late",
        ]


def test_repeating_is_owned_and_counted(tmp_path: Path) -> None:
    memo = Effect("platform.memo", "o:1")
    with opened(tmp_path, "dead") as dead:
        dead.begin([memo], NOW)
    with opened(tmp_path, "r1") as first, opened(tmp_path, "r2") as second:
        (ruling,) = first.begin([memo], LATER)
        assert ruling.decision is Decision.REPEAT
        assert ruling.entry is not None
        assert (ruling.entry.attempts, ruling.entry.fence, ruling.entry.owner) == (2, 2, "r1")
        assert decisions(second, memo) == [(Decision.BUSY, Reason.OWNED)]
        assert first.verify() == []


# jobs


def test_a_job_begins_together_with_pages_in_order(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.begin([label("S2", "J0")], NOW)
        ledger.settle(label("S2"), done())
        rulings = ledger.begin([label(s, "J1") for s in ("S3", "S2", "S1")], NOW)
        assert [r.decision for r in rulings] == [Decision.BEGIN, Decision.REPLAY, Decision.BEGIN]
        assert [(e.subject, e.page) for e in ledger.entries(job="J1")] == [
            ("S3/1/label", 1),
            ("S1/1/label", 2),
        ]
        with pytest.raises(ValueError, match="J1 was begun before"):
            ledger.begin([label("S4", "J1")], NOW)


def test_a_broken_batch_begins_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        with pytest.raises(ValueError, match="unknown kind"):
            ledger.begin([buy("S1", ("o:1", 1, 1)), Effect("parcel.teleport", "S1")], NOW)
        assert ledger.entries() == []
        assert bound(ledger) == {}
        kinds = {**KINDS, "parcel.teleport": Kind(Decision.ASK)}
        assert ledger.begin([Effect("parcel.teleport", "S1")], NOW, kinds)[0].decision is Decision.BEGIN


def test_entries_are_found_by_what_they_are(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.begin([buy("S1", ("o:1", 1, 1)), buy("S2", ("o:2", 1, 1)), label("S1", "J")], NOW)
        assert [e.key for e in ledger.entries("waybill.buy")] == [buy("S1").key, buy("S2").key]
        assert [e.key for e in ledger.entries("waybill.buy", ["S2", "S3"])] == [buy("S2").key]
        assert [e.kind for e in ledger.entries(shipments=["S1"])] == ["waybill.buy", "document.print"]
        assert [e.kind for e in ledger.entries(keys=[label("S1").key])] == ["document.print"]
        assert ledger.entries("waybill.buy", []) == []
        assert ledger.entry(buy("S1").key) == ledger.entries("waybill.buy", ["S1"])[0]
