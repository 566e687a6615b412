"""Real processes: killed with SIGKILL at random instants, and racing each other.

ORDERCTL_KILLS asks for more kills than the 20 of an ordinary run.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.ledger.clerk import FileBooks, world_at
from tests.ledger.samples import NOW
from tests.ledger.world import HOUR, World

KILLS = int(os.environ.get("ORDERCTL_KILLS") or 20)


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a clerk and wait until it has read itself in; it begins when told to."""
    clerk = subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.clerk", str(folder), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert clerk.stdout is not None
    assert clerk.stdout.readline() == b"ready\n"
    return clerk


def tell(clerk: subprocess.Popen[bytes]) -> None:
    assert clerk.stdin is not None
    clerk.stdin.write(b"go\n")
    clerk.stdin.flush()


def begun_without_claims(path: Path) -> list[str]:
    """Read the file without any code of ours: what is live and claims lines must have them bound."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    found = connection.execute(
        "SELECT key FROM effect WHERE state IN ('started', 'unknown', 'done') AND kind <> 'document.print' "
        "AND NOT EXISTS (SELECT 1 FROM commitment WHERE commitment.shipment_id = effect.shipment_id)"
    ).fetchall()
    unowned = connection.execute(
        "SELECT key FROM effect WHERE owner NOT IN (SELECT run_id FROM run) OR fence < 1 OR attempts < 1"
    ).fetchall()
    connection.close()
    return [key for (key,) in [*found, *unowned]]


def arrive(folder: Path, rng: random.Random, count: int) -> None:
    """Let orders of the same few recipients arrive."""
    file = folder / "orders.json"
    orders = json.loads(file.read_text()) if file.exists() else {}
    for _ in range(count):
        orders[f"o:{len(orders)}"] = [rng.choice("甲乙丙丁"), rng.randint(1, 3)]
    file.write_text(json.dumps(orders))


@pytest.mark.kill
def test_killed_at_random_instants_everything_is_sent_once(tmp_path: Path) -> None:
    rng = random.Random(KILLS)
    clock = World(tmp_path / "none")
    killed = left = 0
    for round_ in range(KILLS * 4):
        arrive(tmp_path, rng, 4)
        clerk = start(tmp_path, clock.now, f"clerk{round_}")
        tell(clerk)
        time.sleep(rng.uniform(0, 0.12))
        clerk.kill()
        clerk.communicate()
        killed += clerk.returncode == -signal.SIGKILL
        if (tmp_path / "ledger.db").exists() and (tmp_path / "ledger.db").stat().st_size:
            world = world_at(tmp_path, clock.now)
            world.check()
            with world.looking() as ledger:
                left += sum(p.reason == "silence" for p in ledger.pending(clock.now))
            assert begun_without_claims(tmp_path / "ledger.db") == []
        clock.later(HOUR)
        if killed >= KILLS:
            break
    assert killed >= KILLS
    assert left > 0, "no kill ever hit an effect under way"
    run_calmly(tmp_path, clock, "looks-up")
    world_at(tmp_path, clock.now).look_at_paper()
    outputs = [run_calmly(tmp_path, clock, run) for run in ("prints-the-rest", "replays", "replays-again")]
    assert outputs[1] == outputs[2]
    assert b"null" not in outputs[0]
    world = world_at(tmp_path, clock.now)
    world.check()
    assert world.sent() == {order: quantity for order, (_, quantity) in world.orders.items()}
    with world.looking() as ledger:
        assert ledger.pending(clock.now) == []


def run_calmly(folder: Path, clock: World, run: str) -> bytes:
    clerk = start(folder, clock.now, run)
    tell(clerk)
    output = clerk.communicate(timeout=120)[0]
    assert clerk.returncode == 0
    clock.later(HOUR)
    return output


def test_two_processes_racing_over_the_same_keys_begin_each_once(fast: Path) -> None:
    keys = 500
    clerks = [start(fast, NOW, run, str(keys)) for run in ("left", "right")]
    for clerk in clerks:
        tell(clerk)
    did = [json.loads(clerk.communicate(timeout=120)[0]) for clerk in clerks]
    assert [clerk.returncode for clerk in clerks] == [0, 0]
    assert all(did), "one of them did everything: that was no race"
    assert not did[0].keys() & did[1].keys()
    books = FileBooks(fast / "book.jsonl")
    books.read()
    assert len(books.taken) == keys
    assert set(books.taken.values()) == {1}
    world = world_at(fast, NOW)
    with world.looking() as ledger:
        assert {e.attempts for e in ledger.entries()} == {1}
        assert ledger.verify() == []
