"""A process of its own that works at a ledger and can be killed: `python -m tests.ledger.clerk FOLDER NOW RUN`.

The outside world is a file to which every effect is appended and synced the moment it happens, so the book is right
whatever becomes of this process.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from orderctl.model.effect import JSON, Claim, Effect
from orderctl.ports.ledger import Ledger, perform
from tests.ledger.samples import NOW, buy
from tests.ledger.world import Books, MortalLedger, Steps, World


class FileBooks(Books):
    """The books of the outside world, on disk."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.path.touch()

    def read(self) -> None:
        """Know what has happened so far."""
        self.taken.clear()
        self.effects.clear()
        for line in self.path.read_text().splitlines():
            row = json.loads(line)
            effect = Effect(row["kind"], row["subject"])
            claims = tuple(Claim(*c) for c in row["claims"])
            self.effects[effect.key] = Effect(row["kind"], row["subject"], claims=claims, shipment_id="s")
            self.taken[effect.key] += 1

    def arrive(self, effect: Effect) -> None:
        row = {
            "kind": effect.kind,
            "subject": effect.subject,
            "claims": [[c.order_id, c.line_ref, c.quantity, c.available] for c in effect.claims],
        }
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        os.write(file, (json.dumps(row) + "\n").encode())
        os.fsync(file)
        os.close(file)
        super().arrive(effect)


def world_at(folder: Path, now: str) -> World:
    """Give the world as orders.json and the book tell it."""
    world = World(folder / "ledger.db")
    world.now = now
    orders = folder / "orders.json"
    world.orders = (
        {k: (r, q) for k, (r, q) in json.loads(orders.read_text()).items()} if orders.exists() else {}
    )
    world.books = FileBooks(folder / "book.jsonl")
    world.books.read()
    return world


def work(folder: Path, now: str, run: str) -> None:
    """Plan from what is bound and free, and perform it."""
    world = world_at(folder, now)
    with MortalLedger(world.path, run_id=run, host="desk", steps=Steps()) as ledger:
        rows = world.perform(ledger, world.plan(ledger, alone=False, stock=9))
    print(json.dumps(rows))


def race(folder: Path, run: str, keys: int) -> None:
    """Begin every one of the same keys, in an order of one's own, and tell which one did itself.

    The first effect waits until the other clerk is at its first, too: on a busy machine one would else do everything
    before the other is given a turn.
    """
    order = list(range(keys))
    random.Random(run).shuffle(order)
    book = FileBooks(folder / "book.jsonl")
    mine: list[str] = []

    def act(effect: Effect) -> Mapping[str, JSON]:
        if not mine:
            (folder / f"{run}.begun").touch()
            for _ in range(60_000):
                if len(list(folder.glob("*.begun"))) == 2:
                    break
                time.sleep(0.001)
        book.arrive(effect)
        mine.append(effect.key)
        return {"number": effect.subject}

    with Ledger.open(folder / "ledger.db", run_id=run, host="desk") as ledger:
        perform(ledger, [buy(f"S{i}", (f"o:{i}", 1, 1)) for i in order], act, now=NOW)
    print(json.dumps(Counter(mine)))


if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    if len(sys.argv) > 4:
        race(Path(sys.argv[1]), sys.argv[3], int(sys.argv[4]))
    else:
        work(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
