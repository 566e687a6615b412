"""What waits for people, and what they decide."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from orderctl.model.effect import Decision, Effect, Outcome, Reason, State
from orderctl.model.errors import UsageError
from orderctl.ports.ledger import Ledger
from tests.ledger.samples import LATER, NOW, buy, done, failed, label, opened, unknown, voided

WHO = {"actor": "测试甲", "reason": "looked"}


def waiting(ledger: Ledger) -> list[tuple[str, Reason]]:
    return [(p.key, p.reason) for p in ledger.pending(LATER)]


def test_everything_that_waits_is_listed_with_what_to_do(tmp_path: Path) -> None:
    memo = Effect("platform.memo", "o:1")
    with opened(tmp_path, "dead") as dead:
        dead.begin([buy("S1", ("o:1", 1, 1), ("o:2", 1, 1)), label("S1", "J"), memo], NOW)
        dead.begin([buy("S2", ("o:3", 1, 2)), buy("S3")], LATER)
        dead.settle(buy("S2"), unknown(LATER))
        dead.settle(buy("S3"), done(LATER))
        dead.begin([buy("S3", meaning="x"), buy("S4", ("o:3", 2, 2))], LATER)
    with opened(tmp_path) as ledger:
        found = ledger.pending(LATER)
        assert [(p.key, p.reason, p.since) for p in found] == [
            (memo.key, Reason.SILENCE, NOW),
            (buy("S1").key, Reason.SILENCE, NOW),
            (label("S1").key, Reason.SILENCE, NOW),
            (buy("S2").key, Reason.SILENCE, LATER),
            (buy("S3").key, Reason.CHANGED, LATER),
            (buy("S4").key, Reason.OVERLAP, LATER),
        ]
        assert found[1].order_ids == ("o:1", "o:2")
        assert (found[2].job, found[2].page) == ("J", 1)
        told = [f"{p.what}; {p.next}" for p in found]
        assert "harmless" in told[0]
        assert "600 s" in told[1]
        assert "resolve job J" in told[2]
        assert "may have happened: unknown" in told[3]
        for p in found:
            assert p.what.render("zh") != p.what.render("en")
            assert p.next.render("zh") != p.next.render("en")


def test_an_overlap_waits_only_as_long_as_one_of_its_lines_is_free(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.begin([buy("S1", ("o:1", 1, 1))], NOW)
        ledger.begin([buy("S2", ("o:1", 1, 1), ("o:2", 1, 1))], NOW)
        assert waiting(ledger) == [(buy("S2").key, Reason.OVERLAP)]
        ledger.begin([buy("S3", ("o:2", 1, 1))], NOW)
        assert waiting(ledger) == []
        ledger.settle(buy("S3"), failed())
        assert waiting(ledger) == [(buy("S2").key, Reason.OVERLAP)]
        ledger.settle(buy("S1"), failed())
        ledger.begin([buy("S2", ("o:1", 1, 1), ("o:2", 1, 1))], NOW)
        assert waiting(ledger) == []


def test_the_same_conflict_again_is_no_news(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.begin([buy("S1")], NOW)
        ledger.settle(buy("S1"), done())
        for _ in range(3):
            ledger.begin([buy("S1", meaning="x")], NOW)
        assert ledger.journal()["event"].to_list().count("effect.conflict") == 1


def test_a_job_is_settled_by_the_last_page_that_came_out(tmp_path: Path) -> None:
    with opened(tmp_path, "dead") as dead:
        dead.begin([label(f"S{i}", "J") for i in range(5)], NOW)
    with opened(tmp_path) as ledger:
        with pytest.raises(UsageError, match="no page 6"):
            ledger.resolve("J", now=LATER, printed_through=6, **WHO)
        with pytest.raises(UsageError, match="say how"):
            ledger.resolve("J", now=LATER, **WHO)
        settled = ledger.resolve("J", now=LATER, printed_through=2, **WHO)
        states = {e.subject[:2]: e.state for e in settled}
        assert states == {f"S{i}": State.DONE if i < 2 else State.FAILED for i in range(5)}
        assert settled[0].result == {"confirmed": "completed", "page": 1}
        again = ledger.begin([label(f"S{i}", "J2") for i in range(5)], LATER)
        assert [r.decision for r in again] == [Decision.REPLAY] * 2 + [Decision.BEGIN] * 3
        with pytest.raises(UsageError, match="nothing waits"):
            ledger.resolve("J", now=LATER, printed_through=2, **WHO)
        assert ledger.verify() == []


@pytest.mark.parametrize("through", [0, 3])
def test_a_job_may_have_come_out_not_at_all_or_whole(tmp_path: Path, through: int) -> None:
    with opened(tmp_path, "dead") as dead:
        dead.begin([label(f"S{i}", "J") for i in range(3)], NOW)
    with opened(tmp_path) as ledger:
        shown = Outcome(State.DONE, {"device": "file:labels.pdf"}, None, LATER)
        settled = ledger.resolve("J", outcome=shown, now=LATER, printed_through=through, **WHO)
        assert {e.state for e in settled} == {State.DONE if through else State.FAILED}
        if through:
            assert settled[0].result == {"confirmed": "completed", "page": 1, "device": "file:labels.pdf"}


@pytest.mark.parametrize("outcome", [done(number="N1"), failed(), voided()])
def test_a_silent_effect_is_settled_as_a_person_found_it(tmp_path: Path, outcome: Outcome) -> None:
    with opened(tmp_path, "dead") as dead:
        dead.begin([buy("S1", ("o:1", 1, 1))], NOW)
    with opened(tmp_path) as ledger:
        (entry,) = ledger.resolve(buy("S1").key, outcome=outcome, now=LATER, **WHO)
        assert (entry.state, entry.settled_at, entry.result) == (outcome.state, LATER, outcome.result)
        assert ledger.commitments().is_empty() is (outcome.state is not State.DONE)
        assert waiting(ledger) == []
        assert ledger.verify() == []
        told = ledger.journal()["data"].to_list()[-1]
        assert "测试甲" in told
        assert "looked" in told


def test_nobody_settles_what_is_settled_or_under_way(tmp_path: Path) -> None:
    with opened(tmp_path, "r1") as first, opened(tmp_path, "r2") as second:
        first.begin([buy("S1"), buy("S2")], NOW)
        with pytest.raises(UsageError, match="worked on by run r1"):
            second.resolve(buy("S1").key, outcome=failed(), now=LATER, **WHO)
        first.settle(buy("S2"), done(number="N2"))
        with pytest.raises(UsageError, match="nothing waits"):
            second.resolve(buy("S2").key, outcome=failed(), now=LATER, **WHO)
        with pytest.raises(UsageError, match="nothing waits"):
            second.resolve("J9", outcome=failed(), now=LATER, **WHO)
        (entry,) = second.resolve(buy("S2").key, outcome=voided(), now=LATER, **WHO)
        assert (entry.state, entry.result) == (State.VOIDED, {"number": "N2"})


def test_a_change_that_is_left_as_it_is_counts_as_what_was_wanted(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.begin([buy("S1")], NOW)
        ledger.settle(buy("S1"), done(number="N1"))
        ledger.begin([buy("S1", meaning="x")], NOW)
        ledger.leave(buy("S1").key, now=LATER, **WHO)
        assert waiting(ledger) == []
        assert ledger.begin([buy("S1", meaning="x")], LATER)[0].decision is Decision.REPLAY
        with pytest.raises(UsageError, match="nothing waits"):
            ledger.leave(buy("S1").key, now=LATER, **WHO)


# revisions


@pytest.mark.parametrize("end", [done(), failed(), voided()])
def test_a_settled_effect_may_be_done_anew_on_purpose(tmp_path: Path, end: Outcome) -> None:
    with opened(tmp_path) as ledger:
        ledger.begin([buy("S1", ("o:1", 1, 1))], NOW)
        if end.state is State.VOIDED:
            ledger.settle(buy("S1"), done())
        ledger.settle(buy("S1"), end)
        assert ledger.current_revision("waybill.buy", "S1") == 1
        assert ledger.reissue("waybill.buy", "S1", now=LATER, **WHO) == 2
        assert ledger.current_revision("waybill.buy", "S1") == 2
        anew = buy("S1", ("o:1", 1, 1), revision=2, meaning="x")
        assert ledger.begin([anew], LATER)[0].decision is Decision.BEGIN
        old = ledger.begin([buy("S1", ("o:1", 1, 1))], LATER)[0]
        expected = {
            State.DONE: (Decision.REPLAY, Reason.NONE),
            State.FAILED: (Decision.CONFLICT, Reason.SUPERSEDED),
            State.VOIDED: (Decision.CONFLICT, Reason.VOIDED),
        }
        assert (old.decision, old.reason) == expected[end.state]
        assert ledger.verify() == []
        row = ledger.journal().row(by_predicate=pl.col("event") == "revision.opened", named=True)
        assert (row["kind"], row["subject"]) == ("waybill.buy", "S1")
        assert "测试甲" in row["data"]


def test_a_second_act_is_not_opened_over_one_that_may_still_happen(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        with pytest.raises(UsageError, match="missing"):
            ledger.reissue("waybill.buy", "S1", now=NOW, **WHO)
        ledger.begin([buy("S1")], NOW)
        with pytest.raises(UsageError, match="started"):
            ledger.reissue("waybill.buy", "S1", now=NOW, **WHO)
        ledger.settle(buy("S1"), unknown())
        with pytest.raises(UsageError, match="unknown"):
            ledger.reissue("waybill.buy", "S1", now=NOW, **WHO)
        ledger.resolve(buy("S1").key, outcome=failed(), now=NOW, **WHO)
        assert ledger.reissue("waybill.buy", "S1", now=NOW, **WHO) == 2
        with pytest.raises(UsageError, match="revision 2 is missing"):
            ledger.reissue("waybill.buy", "S1", now=NOW, **WHO)
        unopened = ledger.begin([buy("S1", revision=3)], NOW)[0]
        assert (unopened.decision, unopened.reason) == (Decision.CONFLICT, Reason.UNOPENED)


def test_reissuing_settles_the_conflict_it_answers(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.begin([buy("S1")], NOW)
        ledger.settle(buy("S1"), done())
        ledger.begin([buy("S1", meaning="x")], NOW)
        ledger.reissue("waybill.buy", "S1", now=LATER, **WHO)
        assert waiting(ledger) == []


# decisions


def test_the_newest_word_is_in_force_and_the_history_stays(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        assert ledger.decisions().is_empty()
        ledger.decide("o:2", "never_merge", "asked for", "测试甲", NOW)
        ledger.decide("o:1", "pin", "cheaper", "测试甲", NOW, {"courier": "SF"})
        ledger.decide("o:1", "pin", "faster", "测试乙", LATER, {"courier": "ZTO"})
        assert ledger.decisions().rows() == [
            ("o:1", "pin", '{"courier": "ZTO"}', "faster", "测试乙", LATER),
            ("o:2", "never_merge", None, "asked for", "测试甲", NOW),
        ]
        ledger.withdraw("o:1", "pin", "no longer", "测试甲", LATER)
        assert ledger.decisions()["subject"].to_list() == ["o:2"]
        events = ledger.journal()["event"].to_list()
        assert events == ["decision.made"] * 3 + ["decision.withdrawn"]
