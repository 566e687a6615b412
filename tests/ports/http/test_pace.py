"""Rate limits: smooth or in bursts, learned from answers, and remembered between runs that need it."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.ports.pace import LONGEST_HOLD_S, LONGEST_QUEUE_S, Pace, Shelf

NOW = 1_795_000_000.0
SEARCH = (0.0056, 20)  # one call in three minutes, twenty at once


def test_the_pace_is_smooth_whoever_calls() -> None:
    pace, begun = Pace(10), []
    threads = [
        threading.Thread(target=lambda: begun.extend(pace.book(0.0, 1e9) for _ in range(20)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun) == 80
    assert all(b - a == pytest.approx(0.1) for a, b in itertools.pairwise(sorted(begun)))


def test_the_pace_slows_down_and_recovers() -> None:
    pace = Pace(10)
    pace.slower()
    assert pace.interval == pytest.approx(0.2)
    for _ in range(40):
        pace.faster()
    assert pace.interval == pytest.approx(0.1)
    for _ in range(40):
        pace.slower()
    assert pace.interval <= 10


def test_a_full_pace_books_nothing_it_cannot_keep() -> None:
    pace = Pace(1)
    assert pace.book(0, 0.5) == 0
    assert pace.book(0, 0.5) == 1  # too late: told, not booked
    assert pace.book(0, 5) == 1


def test_a_full_bucket_lets_a_burst_through_and_then_keeps_the_rate() -> None:
    pace = Pace(0.5, 30)
    begun = [pace.book(NOW, NOW + 1e6) for _ in range(33)]
    assert begun[:30] == [NOW] * 30
    assert begun[30:] == [NOW + 2, NOW + 4, NOW + 6]
    assert pace.book(NOW + 6 + 60, 1e12) == NOW + 66  # full again


@given(
    rate=st.floats(0.001, 100),
    burst=st.integers(1, 40),
    gaps=st.lists(st.floats(0, 200), min_size=1, max_size=80),
)
def test_the_other_sides_bucket_is_never_overdrawn(rate: float, burst: int, gaps: list[float]) -> None:
    pace, now, tokens, last = Pace(rate, burst), NOW, float(burst), NOW
    for gap in gaps:
        now += gap
        begin = pace.book(now, 1e15)
        tokens = min(burst, tokens + (begin - last) * rate) - 1
        last = begin
        assert tokens >= -1e-3


def test_a_bucket_that_is_called_empty_gives_one_token_after_the_time_of_one() -> None:
    pace = Pace(*SEARCH)
    pace.empty(NOW)
    begin = pace.book(NOW, 1e12)
    assert begin == pytest.approx(NOW + 1 / 0.0056)
    assert pace.book(NOW, 1e12) == pytest.approx(NOW + 2 / 0.0056)


def test_a_rate_told_by_an_answer_is_taken_over() -> None:
    pace = Pace(*SEARCH)
    for _ in range(20):
        pace.book(NOW, 1e12)
    pace.learn(5, NOW)
    assert pace.book(NOW, 1e12) == pytest.approx(NOW + 0.2)  # what is missing comes at the new rate
    pace.learn(0.1, NOW + 100)
    for _ in range(20):
        pace.book(NOW + 100, 1e12)
    assert pace.book(NOW + 100, 1e12) == pytest.approx(NOW + 110)


@pytest.mark.parametrize("nonsense", [None, 0.0, -1.0, float("nan"), float("inf"), 1e-9])
def test_a_rate_that_cannot_be_one_is_ignored(nonsense: float | None) -> None:
    pace = Pace(2)
    pace.learn(nonsense, NOW)
    assert pace.interval == 0.5


def spend(path: Path, calls: int, now: float = NOW) -> list[float]:
    """One run: so many calls of the same operation, none of which would wait longer than five minutes."""
    rate, burst = SEARCH
    pace = Pace(rate, burst, shelf=Shelf(path), name="app and operation")
    return [pace.book(now, now + 300) for _ in range(calls)]


def test_a_slow_bucket_outlives_its_run(tmp_path: Path) -> None:
    kept = tmp_path / "rates.json"
    assert spend(kept, 12) == [NOW] * 12
    assert spend(kept, 9, NOW + 60) == [*[NOW + 60] * 8, pytest.approx(NOW + 1 / 0.0056)]
    assert "app" not in kept.read_text()


def test_a_fast_bucket_leaves_nothing(tmp_path: Path) -> None:
    pace = Pace(2, 10, shelf=Shelf(tmp_path / "rates.json"), name="fast")
    for _ in range(50):
        pace.book(NOW, 1e12)
    assert not (tmp_path / "rates.json").exists()


def test_a_bucket_that_turned_out_fast_is_forgotten(tmp_path: Path) -> None:
    pace = Pace(*SEARCH, shelf=Shelf(tmp_path / "rates.json"), name="search")
    pace.book(NOW, 1e12)
    pace.learn(5, NOW)
    assert json.loads((tmp_path / "rates.json").read_text()) == {}


def test_a_long_hold_outlives_its_run_and_a_short_one_does_not(tmp_path: Path) -> None:
    for seconds in (30, 3600):
        Pace(10, shelf=Shelf(tmp_path / "rates.json"), name="op").hold(NOW + seconds, NOW)
        begin = Pace(10, shelf=Shelf(tmp_path / "rates.json"), name="op").book(NOW, 1e12)
        assert begin == (NOW + seconds if seconds == 3600 else NOW)


@pytest.mark.parametrize(
    "damaged",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a": 1}', b'{"a": [1, 2]}', b'{"a": ["x", 2, 3]}',
        b'{"a": [1e999, 2, 3]}', b'{"a": [1, 2, 0]}', b'{"a": [1, 2, -5]}', b'{"a": {"b": 1}}',
    ],
)  # fmt: skip
def test_a_damaged_file_is_ignored_and_replaced(tmp_path: Path, damaged: bytes) -> None:
    kept = tmp_path / "rates.json"
    spend(kept, 1)
    name = next(iter(json.loads(kept.read_text())))
    kept.write_bytes(damaged.replace(b'"a"', f'"{name}"'.encode()))
    assert spend(kept, 20) == [NOW] * 20
    assert spend(kept, 1)[0] > NOW


def test_a_file_nobody_may_write_stops_nobody(tmp_path: Path) -> None:
    assert spend(tmp_path / "missing" / "rates.json", 20) == [NOW] * 20


@pytest.mark.parametrize("ahead", [86_400.0 * 400, 1e12])
def test_a_clock_that_was_wrong_locks_nobody_out(tmp_path: Path, ahead: float) -> None:
    kept = tmp_path / "rates.json"
    spend(kept, 20, NOW + ahead)
    pace = Pace(10, shelf=Shelf(kept), name="held")
    pace.hold(NOW + ahead + 3600, NOW + ahead)
    assert spend(kept, 1)[0] <= NOW + 20 / 0.0056 + LONGEST_QUEUE_S
    assert Pace(10, shelf=Shelf(kept), name="held").book(NOW, 1e15) <= NOW + LONGEST_HOLD_S


def _spend_in_a_process(path: Path, calls: int, tell: Callable[[list[float]], None]) -> None:
    tell(spend(path, calls))


def test_runs_side_by_side_share_one_bucket(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[list[float]] = context.Queue()
    runs = [
        context.Process(target=_spend_in_a_process, args=(tmp_path / "rates.json", 25, results.put))
        for _ in range(4)
    ]
    for run in runs:
        run.start()
    begun = sorted(at for _ in runs for at in results.get(timeout=60) if at <= NOW + 300)
    for run in runs:
        run.join()
    assert begun == [*[NOW] * 20, pytest.approx(NOW + 1 / 0.0056)]
    assert [p.name for p in tmp_path.iterdir() if p.suffix not in (".json", ".lock")] == []
