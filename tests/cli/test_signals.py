"""Readers that go away, people who press Ctrl-C, two who run the same thing: the ledger is settled, each label is once."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.desk import FINE, LABELS, Desk, lines_to_tell, opened, shipped_lines


@pytest.fixture
def ready(routed: Path, tmp_path: Path) -> Iterator[Desk]:
    """A desk as far as `route`."""
    shutil.copytree(routed, tmp_path / "desk")
    with opened(tmp_path / "desk") as desk:
        yield desk


def bought(desk: Desk) -> Counter[str]:
    return Counter(b["subject"] for b in desk.sandbox.books("waybill"))


def numbers(desk: Desk, name: str = "printed.jsonl") -> list[str]:
    return [p["number"] for row in desk.rows(name) for p in row["parcels"] if p["number"]]


def test_a_reader_that_goes_away(ready: Desk) -> None:
    gone = ready.shell("orderctl print routed.jsonl --device file:out/labels.pdf | true")
    assert (gone.code, gone.err) == (141, "")
    assert ready.run("ledger", "pending").code == 0
    books = ready.sandbox.books()
    ready.steps("print", "print")
    assert ready.sandbox.books() == books
    assert ready.pages() == numbers(ready)
    gone = ready.shell("orderctl ship printed.jsonl | head -c 1 > first; exit ${PIPESTATUS[0]}")
    assert gone.code in (141, *FINE)  # a small batch may fit into the pipe before its reader is gone
    assert ready.run("ledger", "pending").code == 0
    books = ready.sandbox.books()
    ready.steps("ship", "ship")
    assert ready.sandbox.books() == books


@pytest.mark.parametrize(
    "words",
    [
        "merge orders.jsonl",
        "report routed.jsonl",
        "view routed.jsonl",
        "schema shipment",
        "--help",
        "print --help",
        "config show",
    ],
)
def test_commands_that_only_tell_end_quietly_with_their_reader(ready: Desk, words: str) -> None:
    gone = ready.shell(f"orderctl {words} | true")
    assert (gone.code, gone.err) == (141, "")


@pytest.mark.parametrize(
    ("streams", "code", "says"),
    [
        ("merge orders.jsonl >&-", 74, "writing to stdout failed: Bad file descriptor"),
        ("--help >&-", 74, "writing to stdout failed: Bad file descriptor"),
        ("merge <&-", 0, "0 rows in"),
        ("merge orders.jsonl -o closed.jsonl <&- >&- 2>&-", 0, ""),
    ],
)
def test_streams_the_caller_closed(ready: Desk, streams: str, code: int, says: str) -> None:
    ran = ready.shell(f"orderctl {streams}")
    assert ran.code == code, ran.err
    assert says in ran.err
    assert "Traceback" not in ran.err
    if "closed" in streams:
        assert ready.run("merge", "orders.jsonl").out == ready.path("closed.jsonl").read_bytes()


def until_acting(desk: Desk, command: str) -> int:
    """Start a command and give its process once it holds its lease."""
    runs = desk.path("state") / "runs"
    before = {f.name for f in runs.iterdir()} if runs.is_dir() else set()
    words = [command, "routed.jsonl", *LABELS] if command == "print" else [command, "printed.jsonl"]
    process = desk.start(*words, "-o", "interrupted.jsonl")
    while not runs.is_dir() or not {f.name for f in runs.iterdir()} - before:
        assert process.poll() is None, process.communicate()[1].decode()
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert b"Traceback" not in err, err.decode()
    assert b"a bug" not in err, err.decode()
    return process.returncode


def test_ctrl_c(ready: Desk) -> None:
    ready.sandbox.set_faults([["kuaidi100:order", list(range(1, 40)), "slow"]])
    assert until_acting(ready, "print") == 130
    assert not ready.path("interrupted.jsonl").exists()
    ready.sandbox.set_faults(None)
    ready.clock.at += 900
    ready.steps("print", "print")
    assert set(bought(ready).values()) == {1}
    assert ready.pages() == numbers(ready)
    ready.sandbox.set_faults([["*", list(range(1, 60)), "slow"]])
    assert until_acting(ready, "ship") == 130
    ready.sandbox.set_faults(None)
    ready.clock.at += 900
    ready.steps("ship", "ship")
    assert ready.run("ledger", "pending").code == 0
    assert all(row["shipped"] for row in ready.rows("shipped.jsonl") if row["printed"])


def test_two_runs_at_once_on_the_same_batch(ready: Desk) -> None:
    both = [ready.start("print", "routed.jsonl", *LABELS, "-o", f"printed-{n}.jsonl") for n in (1, 2)]
    ended = [(p.communicate(timeout=120)[1].decode(), p.returncode) for p in both]
    assert all(code in (*FINE, 4, 75) and "Traceback" not in err for err, code in ended), ended
    assert any(code in FINE for _, code in ended) or {code for _, code in ended} <= {4, 75}
    ready.clock.at += 900
    ready.steps("print", "print")
    assert set(bought(ready).values()) == {1}
    assert sorted(ready.pages()) == sorted(numbers(ready))
    both = [ready.start("ship", "printed.jsonl", "-o", f"shipped-{n}.jsonl") for n in (1, 2)]
    ended = [(p.communicate(timeout=120)[1].decode(), p.returncode) for p in both]
    assert all(code in (*FINE, 4, 75) and "Traceback" not in err for err, code in ended), ended
    ready.clock.at += 900
    ready.steps("ship", "ship")
    sent = [row for row in ready.rows("shipped.jsonl") if row["shipped"]]
    assert shipped_lines(ready.sandbox.books()) == lines_to_tell(sent)
    assert ready.sandbox.books("refused") == []
    assert ready.run("ledger", "pending").code == 0
