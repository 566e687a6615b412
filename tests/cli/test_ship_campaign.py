"""The whole telling job against every stand-in there is, with faults and kills: each order once, with its number.

The judges are the stand-ins' books. ORDERCTL_SHIPMENTS asks for more shipments than an ordinary run has.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from orderctl.ports.platforms import clients
from orderctl.sandbox import Sandbox
from orderctl.sandbox.standins import known
from orderctl.stages.merging.gift_lines import is_our_gift
from tests.cli.desk import ASSETS, FINE, KEY, QUARTER, Clock, Ran

SHIPMENTS = int(os.environ.get("ORDERCTL_SHIPMENTS") or 70)
FAULTS = {"seed": 7, "rate": 0.05 if SHIPMENTS > 1_000 else 0.12, "seconds": 0.05}
KILLS, ROUNDS = 2, 9
PLATFORMS = sorted(set(known()) & set(clients()))
pytestmark = pytest.mark.rehearse


class Running(Clock):
    """A clock that runs, and is put forward between two runs: platforms count calls by the second."""

    def __init__(self) -> None:
        super().__init__()
        self.began = time.monotonic()

    def __call__(self) -> float:
        return self.at + time.monotonic() - self.began

    def __str__(self) -> str:
        ahead, self.at = self.at, self()
        try:
            return super().__str__()
        finally:
            self.at = ahead


class Campaign:
    """A seller with shops everywhere, whose numbers come from another program."""

    def __init__(self, folder: Path, world: Sandbox, clock: Running) -> None:
        self.folder, self.world, self.clock = folder, world, clock
        config = world.config(world.start())
        config.pop("issuers")
        text = (ASSETS / "demo" / "orderctl.yaml").read_text("utf-8")
        config["warehouses"] = yaml.safe_load(text)["warehouses"]
        (folder / "orderctl.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
        shutil.copyfile(ASSETS / "rules.example.yaml", folder / "rules.yaml")

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "ORDERCTL_STATE": "state",
            "ORDERCTL_CONFIG": "orderctl.yaml",
            "ORDERCTL_KEY": KEY,
            "ORDERCTL_NOW": str(self.clock),
        }
        return subprocess.Popen(
            [sys.executable, "-m", "orderctl", *words],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def run(self, *words: str) -> Ran:
        process = self.start(*words)
        out, err = process.communicate()
        return Ran(process.returncode, out, err.decode())

    def rows(self, name: str) -> list[dict[str, Any]]:
        with (self.folder / name).open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]


def is_ready(row: dict[str, Any]) -> bool:
    return not any(p["severity"] in ("block", "wait") for p in row["problems"])


def number_all(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give every shipment that may leave its numbers: one in ten has two parcels."""
    numbers = (f"YT{9_700_000_000_000 + n:013d}" for n in range(1, 10**9))
    for index, row in enumerate(rows):
        row["courier"] = "YTO"
        if not is_ready(row):
            continue
        parcels = 2 if index % 10 == 0 else 1
        row["parcels"] = [
            {**row["parcels"][0], "parcel_no": n, "number": next(numbers)} for n in range(1, parcels + 1)
        ]
    return rows


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    """A seller whose shipments have their numbers and are told to nobody yet; some of them are awkward cases."""
    folder, clock = tmp_path_factory.mktemp("ship-campaign"), Running()
    cases = 16 * len(PLATFORMS)
    with Sandbox(folder / "sandbox", shops=PLATFORMS, orders=cases, seed=5, now=clock) as world:
        world.add_orders(SHIPMENTS)
        clock.at += QUARTER
        one = Campaign(folder, world, clock)
        for words in (
            ("fetch", "--shop", "all", "-o", "raw.jsonl"),
            ("normalize", "raw.jsonl", "-o", "orders.jsonl"),
            ("merge", "orders.jsonl", "-o", "shipments.jsonl"),
            ("route", "shipments.jsonl", "-o", "routed.jsonl"),
        ):
            ran = one.run(*words)
            assert ran.code in FINE, ran.err
        with (folder / "printed.jsonl").open("w", encoding="utf-8") as file:
            for row in number_all(one.rows("routed.jsonl")):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        yield one
    shutil.rmtree(folder)


def tell(campaign: Campaign) -> Ran:
    """Run `ship` until nothing is left to settle: killed at first, with faults for long, without at the end."""
    words = ("ship", "printed.jsonl", "-o", "shipped.jsonl", "--fresh", "86400")
    dice = random.Random(13)
    campaign.world.set_faults(FAULTS)
    for _ in range(KILLS):
        process = campaign.start(*words)
        try:
            process.wait(1.5 + dice.random() * SHIPMENTS / 70)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    for turn in range(ROUNDS):
        if turn == ROUNDS - 3:
            campaign.world.set_faults(None)
        campaign.clock.at += QUARTER
        ran = campaign.run(*words)
        assert ran.code in (*FINE, 4, 75), ran.err
        if ran.code in FINE:
            break
    return ran


def test_each_order_is_told_exactly_once_with_its_number_and_the_rest_says_why(campaign: Campaign) -> None:
    ran = tell(campaign)
    assert ran.code in FINE, ran.err
    waiting = {o for item in campaign.run("ledger", "pending", "--json").rows for o in item["order_ids"]}
    numbers: dict[tuple[str, str], set[str]] = defaultdict(set)
    pieces: Counter[tuple[str, str]] = Counter()
    unsaid = []
    rows = campaign.rows("shipped.jsonl")
    for row in rows:
        told = {(s["order_id"], s["parcel_no"]) for s in row["shipped"] if s["state"] == "told"}
        whole = {order_id for order_id, _ in told}
        for order in row["orders"]:
            shop, ref = order["order_id"].split(":", 2)[1:]
            if order["order_id"] in whole:
                numbers[shop, ref] |= {
                    p["number"] for p in row["parcels"] if (order["order_id"], p["parcel_no"]) in told
                }
            elif not row["problems"] and order["order_id"] not in waiting and any(carried(row, order)):
                unsaid.append(order["order_id"])
        for line in row["lines"]:
            told_of = line["parent_line_ref"] is None and not is_our_gift(line)
            if line["order_id"] in whole and line["quantity"] and told_of:
                pieces[tuple(line["order_id"].split(":", 2)[1:])] += line["quantity"]  # type: ignore[index]
    assert unsaid == []
    assert len(numbers) >= SHIPMENTS
    assert {shop for shop, _ in numbers} == {shop.name for shop in campaign.world.shops}

    booked: dict[tuple[str, str], set[str]] = defaultdict(set)
    counted: Counter[tuple[str, str]] = Counter()
    for entry in campaign.world.books("ship"):
        key = entry["shop"], str(entry["subject"])
        booked[key] |= {entry["number"], *entry["detail"].get("numbers", ())}
        counted[key] += sum(line["quantity"] for line in entry["detail"]["lines"])
    assert dict(booked) == dict(numbers)
    assert {key: counted[key] for key in pieces} == dict(pieces)
    assert campaign.run("ledger", "verify").code == 0
    print(f"{len(rows)} shipments, {len(numbers)} orders told, {len(waiting)} waiting")


def carried(row: dict[str, Any], order: dict[str, Any]) -> Iterator[bool]:
    return (line["quantity"] > 0 for line in row["lines"] if line["order_id"] == order["order_id"])
