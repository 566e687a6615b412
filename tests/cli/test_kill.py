"""kill -9 at any instant, then the same command again: every piece is bought, printed and shipped once.

The judges are the sandbox's books and the barcodes on the pages that came out, never the program's own memory.
ORDERCTL_KILLS asks for more kills than the four of an ordinary run.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.desk import (
    FINE,
    LABELS,
    QUARTER,
    START,
    Clock,
    Desk,
    Ran,
    lines_to_tell,
    opened,
    shipped_lines,
)

KILLS = -(-int(os.environ.get("ORDERCTL_KILLS") or 4) // 2)  # for each of the two actions
PRINT = ("print", "routed.jsonl", *LABELS, "-o", "printed.jsonl")
SHIP = ("ship", "printed.jsonl", "-o", "shipped.jsonl")
ALL = (
    "orderctl fetch --since 2026-11-10T00:00:00Z | orderctl normalize | orderctl merge | orderctl route"
    " | tee routed.jsonl | orderctl print --device file:out/labels.pdf | tee printed.jsonl"
    " | orderctl ship -o shipped.jsonl"
)
ROUNDS = 5
SEEN = 180.0  # seconds after which every platform lets a careful reader see an order


@dataclass
class Life:
    """How long a run takes undisturbed: until it may act, and from then on to its end, in seconds."""

    loading: float
    acting: float


@dataclass
class Campaign:
    """What became of some kills."""

    killed: int = 0
    silent: int = 0
    unsettled: int = 0
    arrived: int = 0
    refetched: int = 0
    failures: list[str] = field(default_factory=list)


def has_begun(desk: Desk, before: set[str]) -> bool:
    folder = desk.path("state") / "runs"
    return folder.is_dir() and bool({f.name for f in folder.iterdir()} - before)


def wait_to_act(desk: Desk, process: subprocess.Popen[bytes], before: set[str]) -> None:
    """Wait until the run holds its lease, the last thing before its first effect, or has ended."""
    while process.poll() is None and not has_begun(desk, before):
        time.sleep(0.002)


def runs_of(desk: Desk) -> set[str]:
    folder = desk.path("state") / "runs"
    return {f.name for f in folder.iterdir()} if folder.is_dir() else set()


def watch(desk: Desk, *words: str) -> Life:
    """Measure an undisturbed run."""
    before, began = runs_of(desk), time.monotonic()
    process = desk.start(*words)
    wait_to_act(desk, process, before)
    acting = time.monotonic()
    err = process.communicate(timeout=120)[1].decode()
    assert process.returncode in FINE, err
    return Life(acting - began, time.monotonic() - acting)


def kill_within(desk: Desk, process: subprocess.Popen[bytes], life: Life, instant: float) -> bool:
    """Kill the whole group at `instant` of its life; say whether it was still alive."""
    before = runs_of(desk)
    if instant > life.loading:
        wait_to_act(desk, process, before)
        instant -= life.loading
    try:
        process.wait(timeout=instant)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def ready(row: dict[str, Any]) -> bool:
    return not any(
        p["severity"] in ("block", "wait") and p["stage"] not in ("print", "ship") for p in row["problems"]
    )


def again(desk: Desk, ran: Ran | None = None) -> Ran:
    """Run print and ship by files until nothing is left to settle; a quarter of an hour lies between two runs."""
    for number in range(ROUNDS):
        if ran is not None and ran.code in FINE:
            return ran
        if number > 1:
            look_at_the_pages(desk)
        desk.clock.at += QUARTER
        ran = desk.run(*PRINT)
        assert ran.code in (*FINE, 4, 75), ran.err
        ran = desk.run(*SHIP) if ran.code in FINE else ran
    assert ran is not None
    return ran


def look_at_the_pages(desk: Desk) -> None:
    """Settle jobs the device itself cannot tell about (a kill between its list and the file), as a person does."""
    waiting = desk.run("ledger", "pending", "--json").rows
    printed = set(desk.pages())
    numbers = {row["shipment_id"]: row["parcels"][0]["number"] for row in desk.rows("printed.jsonl")}
    for job in {item["job"] for item in waiting if item["job"]}:
        pages = [item for item in waiting if item["job"] == job]
        came_out = numbers.get(pages[0]["subject"].split("/")[0]) in printed
        through = str(max(page["page"] for page in pages) if came_out else 0)
        ran = desk.run(
            "ledger", "resolve", job, "--printed-through", through, "--reason", "looked at the pages"
        )
        assert ran.code == 0, ran.err


def check(desk: Desk) -> int:
    """Compare the world with what was to be done; give how many effects still wait for a person."""
    books, pages = desk.sandbox.books(), desk.pages()
    bought = Counter(b["subject"] for b in books if b["kind"] == "waybill")
    assert {reference: count for reference, count in bought.items() if count > 1} == {}
    assert {number: count for number, count in Counter(pages).items() if count > 1} == {}
    waiting = desk.run("ledger", "pending", "--json")
    assert waiting.code in (0, 4), waiting.err
    open_orders = {order for item in waiting.rows for order in item["order_ids"]}
    open_shipments = {item["subject"].split("/")[0] for item in waiting.rows}

    rows = [row for row in desk.rows("shipped.jsonl") if ready(row)]
    settled = []
    for row in rows:
        left_open = row["shipment_id"] in open_shipments or any(
            o["order_id"] in open_orders for o in row["orders"]
        )
        settled += [] if left_open else [row]
    numbers = [p["number"] for row in settled for p in row["parcels"]]
    told, expected = shipped_lines(books), lines_to_tell(settled)
    assert {k: v for k, v in expected.items() if told[k] != v} == {}
    assert {k: v for k, v in told.items() if k not in expected and not _is_open(k, open_orders)} == {}
    assert None not in numbers
    assert set(numbers) - set(pages) == set()
    assert len(numbers) == len(set(numbers))
    if not waiting.rows:
        assert sorted(pages) == sorted(numbers)
        given = {b["number"] for b in books if b["kind"] == "waybill"}
        assert given - set(numbers) == set()
    assert desk.sandbox.books("refused") == []
    verified = desk.run("ledger", "verify")
    assert verified.code == 0, verified.out.decode()
    return len(waiting.rows)


def _is_open(key: tuple[str, str, str], orders: set[str]) -> bool:
    return any(order.endswith(f":{key[0]}:{key[1]}") for order in orders)


def arrive(desk: Desk, dice: random.Random) -> list[str]:
    """Let orders of recipients arrive whose parcels may be under way this moment."""
    rows = [row for row in desk.rows("routed.jsonl") if ready(row)]
    like = [dice.choice(row["orders"])["platform_ref"] for row in dice.sample(rows, 3)]
    return [order.ref for ref in like for order in desk.sandbox.add_orders(1, same_recipient_as=ref)]


def one_kill(
    folder: Path, told: Campaign, words: Sequence[str], life: Life, instant: float, dice: random.Random
) -> None:
    with opened(folder, clock=Clock(START + QUARTER)) as desk:
        wanted = {o["order_id"] for row in desk.rows("routed.jsonl") if ready(row) for o in row["orders"]}
        if dice.random() < 0.5:
            desk.sandbox.set_faults({"seed": dice.randrange(10**6), "rate": 0.25, "seconds": 0.05})
        process = desk.start(*words)
        told.killed += kill_within(desk, process, life, instant)
        told.silent += bool(desk.run("ledger", "pending").code)
        new: list[str] = []
        ran: Ran | None = None
        if dice.random() < 0.5:
            new = arrive(desk, dice)
            told.arrived += len(new)
            told.refetched += 1
            desk.clock.at += dice.choice([SEEN, QUARTER])
            ran = desk.shell(ALL)
            assert ran.code in (*FINE, 4, 75), ran.err
            if desk.run("ledger", "pending").code:
                # a pipe ends with the code of `ship`, which does not tell what `print` left unknown
                ran = None
        desk.sandbox.set_faults(None)
        ran = again(desk, ran)
        assert ran.code in FINE, ran.err
        told.unsettled += check(desk)
        sent = {told["order_id"] for row in desk.rows("shipped.jsonl") for told in row["shipped"]}
        assert wanted <= sent
        assert {ref for ref in new if not any(order.endswith(f":{ref}") for order in sent)} == set()


def campaign(start: Path, tmp_path: Path, words: Sequence[str]) -> Campaign:
    """Kill at KILLS instants, one in each equal part of a run's life, every time in a copy of the same world."""
    shutil.copytree(start, tmp_path / "watched")
    with opened(tmp_path / "watched", clock=Clock(START + QUARTER)) as desk:
        life = watch(desk, *words)
    told = Campaign()
    for index in range(KILLS):
        dice = random.Random(f"{words[0]}|{index}|{KILLS}")
        instant = (index + dice.random()) / KILLS * (life.loading + life.acting)
        folder = tmp_path / f"kill-{index}"
        shutil.copytree(start, folder)
        try:
            one_kill(folder, told, words, life, instant, dice)
        except AssertionError as error:
            told.failures.append(f"kill {index} at {instant:.3f} s of {life}, in {folder}: {error}")
        else:
            shutil.rmtree(folder)
    print(told)
    return told


@pytest.fixture(scope="session")
def printed(routed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a desk that has come as far as `print`; to be copied, never changed."""
    folder = tmp_path_factory.mktemp("printed") / "desk"
    shutil.copytree(routed, folder)
    with opened(folder) as one:
        one.steps("print", "print")
    return folder


@pytest.mark.parametrize(
    ("command", "silence", "kind", "count"),
    [
        (PRINT, "kuaidi100:order", "waybill", 3),
        (SHIP, "taobao.logistics.offline.send", "ship", 1),
        (SHIP, "shopify:fulfillmentCreate", "ship", 2),
    ],
    ids=["number bought", "taobao told", "shopify told"],
)
def test_killed_between_an_effect_and_its_record(
    printed: Path, routed: Path, tmp_path: Path, command: Sequence[str], silence: str, kind: str, count: int
) -> None:
    """The other side has done it and says nothing; the run that waits for the answer dies."""
    shutil.copytree(routed if command is PRINT else printed, tmp_path / "desk")
    with opened(tmp_path / "desk") as desk:
        calls = list(range(1, 60))
        desk.sandbox.set_faults(
            {"plan": [{"on": silence, "nth": calls, "fault": "after_silence", "seconds": 60}]}
        )
        process = desk.start(*command)
        while len(desk.sandbox.books(kind)) < count:
            assert process.poll() is None, process.communicate()[1].decode()
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        desk.sandbox.set_faults(None)
        waiting = desk.run("ledger", "pending", "--json")
        assert (waiting.code, len(waiting.rows) > 0) == (4, True)
        if command is SHIP:  # the numbers stay, so the printed batch is the one to go on with
            shutil.copyfile(printed / "printed.jsonl", desk.path("printed.jsonl"))
        assert again(desk).code in FINE
        assert check(desk) == 0


def test_killed_between_the_file_and_its_record(routed: Path, tmp_path: Path) -> None:
    """The labels lie in the folder and the ledger does not know it yet: it looks, and prints no second file."""
    silent = 0
    for attempt in range(6):
        folder = tmp_path / f"desk-{attempt}"
        shutil.copytree(routed, folder)
        with opened(folder) as desk:
            desk.path("out").mkdir()
            process = desk.start(*PRINT)
            while not list(desk.path("out").glob("labels*.pdf")):
                assert process.poll() is None
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            silent += desk.run("ledger", "pending").code == 4
            assert again(desk).code in FINE
            assert check(desk) == 0
            assert [file.name for file in desk.path("out").glob("*.pdf")] == ["labels.pdf"]
        if silent:
            return
    pytest.fail("the record was always faster than the kill")


@pytest.mark.kill
def test_print_killed_at_any_instant(routed: Path, tmp_path: Path) -> None:
    told = campaign(routed, tmp_path, PRINT)
    assert told.failures == []
    assert told.unsettled == 0, "every kind of effect here can be looked up"
    assert told.killed >= KILLS // 2
    assert told.silent or KILLS < 10, "no kill ever hit an effect under way"


@pytest.mark.kill
def test_ship_killed_at_any_instant(printed: Path, tmp_path: Path) -> None:
    told = campaign(printed, tmp_path, SHIP)
    assert told.failures == []
    assert told.unsettled == 0, "every kind of effect here can be looked up"
    assert told.killed >= KILLS // 2
    assert told.silent or KILLS < 10, "no kill ever hit an effect under way"
