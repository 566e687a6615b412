"""Kuaishou's shop of the sandbox, its connector, and one clock for both."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orderctl.model.errors import OutcomeUnknown, Temporary
from orderctl.ports.http import Http
from orderctl.ports.platforms.kuaishou.client import Kuaishou
from orderctl.ports.platforms.port import Page, RawRow, ShipLine, ShipRequest, Shop
from orderctl.sandbox import Sandbox
from orderctl.sandbox.kuaishou.orders import CASES, oid_of
from orderctl.sandbox.store import Order
from tests.ports.http.rehearsal import EPOCH, NOW, Clock, TokensInMemory

SHOP = "kuaishou-demo"
ZTO = "7310{:010d}"
"""What a number of this courier looks like."""


class World:
    """The sandbox with one shop, and what a connector needs to speak to it."""

    def __init__(self, sandbox: Sandbox, clock: Clock) -> None:
        self.sandbox, self.clock = sandbox, clock
        self.url = sandbox.start()
        self.http = Http(NOW, monotonic=clock, sleep=clock.sleep)
        self.tokens = TokensInMemory()

    def shop(self, **settings: str) -> Kuaishou:
        known = self.sandbox.config(self.url)["shops"][SHOP]
        return Kuaishou(
            Shop(SHOP, "kuaishou", known["base_url"], known["settings"] | settings), self.http, self.tokens
        )

    def faults(self, seed: int, rate: float) -> None:
        self.sandbox.set_faults({"seed": seed, "rate": rate, "seconds": 0.01})

    def orders(self) -> dict[str, Order]:
        return {order.ref: order for order in self.sandbox.store.select("shop = ?", [SHOP], "")}

    def case(self, name: str) -> str:
        """Give the order that is this awkward case."""
        return str(oid_of(CASES.index(name) + 1))

    def booked(self, ref: str, kind: str = "ship") -> list[dict[str, Any]]:
        return [entry for entry in self.sandbox.books(kind) if entry["subject"] == ref]

    def request(self, ref: str, number: str, *more: str, quantity: int | None = None, courier: str = "ZTO",
                gifts: bool = True, goods: bool = True) -> ShipRequest:  # fmt: skip
        """Ask to ship an order: all that is left of it, or so many of its article."""
        body = self.orders()[ref].body
        left = body["orderItemInfo"]["num"] - body["orderDeliveryInfo"]["deliveryNum"]
        lines = [ShipLine(ref, left if quantity is None else quantity, left)] if goods else []
        for sub in body["subOrderInfo"] if gifts else []:
            lines.append(ShipLine(str(sub["subOrderBaseInfo"]["oid"]), 1, 1))
        whole = all(line.quantity >= line.of for line in lines)
        return ShipRequest(ref, tuple(lines), number, courier, whole=whole, more=more)


@contextmanager
def world(state: Path, *, orders: int = 60, seed: int = 1) -> Iterator[World]:
    clock = Clock()
    with Sandbox(
        state, seed=seed, orders=orders, shops=["kuaishou"], now=lambda: EPOCH + clock.at
    ) as sandbox:
        made = World(sandbox, clock)
        with made.http:
            yield made


def rows(pages: Iterable[Page]) -> list[RawRow]:
    return [row for page in pages for row in page.records]


def payload(row: RawRow) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["payload"] or "")
    return found


def settled(
    act: Callable[[], dict[str, str | None]], lookup: Callable[[], dict[str, str | None] | None]
) -> dict[str, str | None]:
    """Do as the ledger does: after silence look it up, and only what is not there is told again."""
    for _ in range(40):
        try:
            return act()
        except Temporary:
            continue
        except OutcomeUnknown:
            try:
                found = lookup()
            except Temporary:
                continue
            if found is not None:
                return found
    raise AssertionError("never settled")
