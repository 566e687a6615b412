"""The whole reading job against every stand-in there is, with faults: each order once, then only what changed.

ORDERCTL_REHEARSE asks for more orders than an ordinary run has (`make rehearse`: 100,000).
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from orderctl.ports.platforms import clients
from orderctl.sandbox import Sandbox
from orderctl.sandbox.standins import known
from tests.cli.desk import KEY, QUARTER, Clock

ORDERS = int(os.environ.get("ORDERCTL_REHEARSE") or 700)
WHOLE = ORDERS > 10_000
KILLS = 20 if WHOLE else 5
# the whole rehearsal meets what `orderctl sandbox --faults 7` plays; waits are real, so a slice meets fewer
FAULTS = 7 if WHOLE else {"seed": 7, "rate": 0.04, "seconds": 0.2}
CRON_S = 300
TRIES = 40  # a platform that lets one call through in three minutes needs some, once it has said "too many"
TOUCHED = max(7, ORDERS // 500)
CEILING_MB = 640
PLATFORMS = sorted(set(known()) & set(clients()))
pytestmark = pytest.mark.rehearse


class Running(Clock):
    """A clock that runs: platforms that count calls by the second would be silent for ever without."""

    def __init__(self) -> None:
        super().__init__()
        self.began = time.monotonic()

    def __call__(self) -> float:
        return self.at + time.monotonic() - self.began

    def __str__(self) -> str:
        return datetime.fromtimestamp(self(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Version = tuple[str, str | None, str]


@dataclass
class Rehearsal:
    """A seller with shops everywhere; `world` stands in for the platforms, `state` is what the program remembers."""

    folder: Path
    world: Sandbox
    clock: Clock
    seconds: float = 0.0
    used_mb: int = 0

    def start(self, state: str, *words: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "ORDERCTL_STATE": state,
            "ORDERCTL_CONFIG": "orderctl.yaml",
            "ORDERCTL_KEY": KEY,
            "ORDERCTL_NOW": str(self.clock),
        }
        return subprocess.Popen(
            [sys.executable, "-m", "orderctl", *words],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def fetch(self, state: str) -> tuple[Counter[Version], list[dict[str, Any]]]:
        """Fetch from all shops as cron does, until nothing is left to be tried again; give what came, and what was said."""
        came: Counter[Version] = Counter()
        said: list[dict[str, Any]] = []
        began = time.monotonic()
        for _ in range(TRIES):
            process = self.start(
                state, "fetch", "--shop", "all", "-v", "--log-format", "json", "-o", "raw.jsonl"
            )
            assert process.stderr is not None
            said += map(json.loads, process.stderr)
            process.stderr.close()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.seconds = time.monotonic() - began
            self.used_mb = max(self.used_mb, used.ru_maxrss >> 10)
            came += versions(self.folder / "raw.jsonl")
            if process.returncode == 0:
                return came, said
            assert process.returncode == 75, said
            self.clock.at += CRON_S
        raise AssertionError(said)

    def there(self) -> Counter[tuple[str, str]]:
        """Every order there is, by shop and reference."""
        rows = self.world.store.rows("SELECT shop, ref FROM orders")
        return Counter((str(shop), str(ref)) for shop, ref in rows)


def versions(file: Path) -> Counter[Version]:
    """Read (order, time of change, hash of the payload) of every record in a file, and remove it."""
    found: Counter[Version] = Counter()
    if not file.exists():
        return found
    with file.open("rb") as lines:
        for line in lines:
            record = json.loads(line)
            content = hashlib.sha256(json.dumps(record["payload"], sort_keys=True).encode()).hexdigest()
            found[f"{record['shop']}:{record['platform_ref']}", record["updated_at"], content] += 1
    file.unlink()
    return found


def ids(found: Counter[Version]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for (name, _, _), count in found.items():
        counted[name] += count
    return counted


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """A world and a desk that has fetched everything once."""
    folder = tmp_path_factory.mktemp("rehearsal")
    clock = Running()
    with Sandbox(folder / "sandbox", shops=PLATFORMS, orders=ORDERS, seed=3, now=clock) as world:
        world.set_faults(FAULTS)
        for shop in world.shops:
            if shop.platform == "shopify":  # by its own points a shop of this size would take hours
                world.control({"bucket": {"shop": shop.name, "maximum": 20_000, "restore_rate": 2_000}})
        config = world.config(world.start())
        config.pop("issuers")
        for shop in config["shops"].values():
            shop["settings"]["history_days"] = "4"  # the world is three days old
        (folder / "orderctl.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
        (folder / "rules.yaml").write_text("{}\n", "utf-8")
        yield Rehearsal(folder, world, clock)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def first(rehearsal: Rehearsal) -> tuple[Counter[Version], list[dict[str, Any]]]:
    return rehearsal.fetch("state")


def test_every_order_comes_exactly_once_with_its_certificate(
    rehearsal: Rehearsal, first: tuple[Counter[Version], list[dict[str, Any]]]
) -> None:
    found, said = first
    assert ids(found) == Counter({f"{shop}:{ref}": n for (shop, ref), n in rehearsal.there().items()})
    assert set(ids(found).values()) == {1}
    complete = [line for line in said if line["event"] == "window.complete"]
    there = Counter(shop for shop, _ in rehearsal.there())
    for shop, count in there.items():
        told = [line for line in complete if line["shop"] == shop]
        assert told, f"no certificate of {shop}"
        assert all(line["expected"] is None or line["got"] >= line["expected"] for line in told), told
        assert sum(line["got"] for line in told) >= count, told
    assert rehearsal.used_mb < CEILING_MB


def test_killed_on_the_way_it_goes_on_and_loses_nothing(
    rehearsal: Rehearsal, first: tuple[Counter[Version], list[dict[str, Any]]]
) -> None:
    """Whatever was handed on by the lives together is what one undisturbed life hands on."""
    whole, undisturbed_s = first[0], rehearsal.seconds
    soonest, latest = (
        (0.002, 0.06) if WHOLE else (0.1, 0.45)
    )  # of an undisturbed life, as slow as this machine is
    dice = random.Random(11)
    came: Counter[Version] = Counter()
    killed, marks = 0, [cursors(rehearsal, "killed")]
    while killed < KILLS:
        process = rehearsal.start("killed", "fetch", "--shop", "all", "-o", "raw.jsonl")
        try:
            process.wait(undisturbed_s * dice.uniform(soonest, latest))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            killed += 1
        process.communicate()
        came |= versions(
            rehearsal.folder / "raw.jsonl"
        )  # died before noting what arrived: the same comes again
        marks.append(cursors(rehearsal, "killed"))
        if process.returncode in (0, 75):
            if not WHOLE:
                break
            # done sooner than the undisturbed life was: the kills that are left meet runs with little to read
            soonest, latest = 0.5 / undisturbed_s, 4 / undisturbed_s
            rehearsal.clock.at += CRON_S
    came |= rehearsal.fetch("killed")[0]
    assert killed >= (KILLS if WHOLE else KILLS // 2)
    assert marks[-1] != marks[0], "no life got any further"
    sealed = {name.split(":")[0] for name, _, _ in came - whole}
    for shop in sealed:
        assert changes_with_every_reading(rehearsal, shop)
    assert without_content(came, sealed) == without_content(whole, sealed)
    assert rehearsal.fetch("killed")[0] == Counter()
    assert rehearsal.used_mb < CEILING_MB


def test_again_only_what_changed(
    rehearsal: Rehearsal, first: tuple[Counter[Version], list[dict[str, Any]]]
) -> None:
    assert rehearsal.fetch("state")[0] == Counter()
    rehearsal.clock.at += QUARTER
    assert rehearsal.fetch("state")[0] == Counter()
    touched = random.Random(7).sample(sorted(rehearsal.there()), TOUCHED)
    for shop, ref in touched:
        rehearsal.world.touch(f"{shop}:{ref}", stir="样例备注")
    rehearsal.clock.at += QUARTER
    changed, _ = rehearsal.fetch("state")
    assert ids(changed) == Counter(f"{shop}:{ref}" for shop, ref in touched)
    assert not changed.keys() & first[0].keys()
    assert rehearsal.fetch("state")[0] == Counter()


def cursors(rehearsal: Rehearsal, state: str) -> dict[str, str]:
    """How far each shop was read."""
    path = rehearsal.folder / state / "ledger.db"
    if not path.exists():
        return {}
    with closing(sqlite3.connect(path)) as db:
        try:
            return dict(db.execute("SELECT shop, value FROM cursor"))
        except sqlite3.OperationalError:
            return {}  # it died before the tables were there


def changes_with_every_reading(rehearsal: Rehearsal, shop: str) -> bool:
    """Whether two readings of one order of a shop differ although it has not changed: its ciphertexts do."""
    ref = next(ref for name, ref in sorted(rehearsal.there()) if name == shop)
    read: Counter[Version] = Counter()
    for _ in range(2):
        words = ("fetch", "--shop", shop, "--order", ref, "-o", "raw.jsonl")
        process = rehearsal.start("undisturbed", *words)
        process.communicate()
        read |= versions(rehearsal.folder / "raw.jsonl")
    return len(read) == 2


def without_content(found: Counter[Version], shops: set[str]) -> Counter[Version]:
    """Leave out the content where it changes with every reading."""
    plain: Counter[Version] = Counter()
    for (name, changed, content), count in found.items():
        plain[name, changed, "" if name.split(":")[0] in shops else content] += count
    return plain
