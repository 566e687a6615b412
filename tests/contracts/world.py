"""A connector against the stand-in of its platform, with everything between them in our hands.

Nothing here knows a platform: names, settings, orders and controls come from the registries and the sandbox.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import polars as pl

from orderctl.model.instant import write_instant
from orderctl.model.schema import RAW, conform
from orderctl.ports import platforms
from orderctl.ports.http import Http
from orderctl.ports.platforms.formats import mappers
from orderctl.ports.platforms.port import Page, Platform, RawRow, ShipLine, ShipRequest, Shop
from orderctl.sandbox import Sandbox, standins
from orderctl.sandbox.store import Order
from tests.ports.http.clock import EPOCH, Clock
from tests.ports.http.rehearsal import TokensInMemory

CLIENTS = sorted(set(platforms.clients()) & set(standins.known()))
"""Whom the laws are tried on; that nobody is missing is a law of its own."""
OTHER_INTERFACES: dict[str, dict[str, str]] = {
    "jd:sp": {"api": "sp"},
    "amazon:v0": {"orders_api": "v0"},
}
"""Connectors that speak to a second interface of their platform, and the settings that choose it."""
CASES = [*CLIENTS, *(case for case in OTHER_INTERFACES if case.partition(":")[0] in CLIENTS)]
ROUNDS = int(os.environ.get("ORDERCTL_CONTRACTS") or 1)
"""How much of the long laws is tried; `make contracts` tries more."""

Forward = Callable[[httpx.Request], httpx.Response]
Strike = Callable[[httpx.Request, Forward], httpx.Response]


class Wire(httpx.BaseTransport):
    """The real network, on which one call may be struck; it notes what was sent and which calls moved the world."""

    def __init__(self, effects: Callable[[], int]) -> None:
        self._network = httpx.HTTPTransport(limits=httpx.Limits(max_connections=8))
        self._effects = effects
        self.sent: list[httpx.Request] = []
        self.moved: list[int] = []
        self.strikes: dict[int, Strike] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        number = len(self.sent)
        self.sent.append(request)
        before = self._effects()
        strike = self.strikes.pop(number, None)
        try:
            return strike(request, self._forward) if strike else self._forward(request)
        finally:
            if self._effects() > before:
                self.moved.append(number)

    def _forward(self, request: httpx.Request) -> httpx.Response:
        answer = self._network.handle_request(request)
        answer.read()
        return answer

    def close(self) -> None:
        self._network.close()


class World:
    """One platform's stand-in with its shops, and our side of the wire."""

    def __init__(self, case: str, sandbox: Sandbox, clock: Clock) -> None:
        self.case, self.platform = case, case.partition(":")[0]
        self.sandbox, self.clock = sandbox, clock
        self.url = sandbox.start()
        self.config: dict[str, dict[str, Any]] = sandbox.config(self.url)["shops"]
        self.name = next(iter(self.config))
        self.tokens = TokensInMemory()
        self.wire = Wire(lambda: sandbox.store.rows("SELECT count(*) FROM books")[0][0])
        self._opened: list[Http] = []
        self._numbers = itertools.count(1)
        self._lines: dict[str, set[str]] = {}

    def client(self, *, tries: int = 5, name: str | None = None, **settings: str) -> Platform:
        """The connector of a shop of the sandbox. With one try every failure is seen as it is."""
        http = Http(self.now, transport=self.wire, monotonic=self.clock, sleep=self.clock.sleep, tries=tries)
        self._opened.append(http)
        found = self.config[name or self.name]
        chosen = OTHER_INTERFACES.get(self.case, {})
        given = {**found.get("settings", {}), **chosen, **settings}
        shop = Shop(name or self.name, self.platform, found["base_url"], given)
        return platforms.load(self.platform)(shop, http, self.tokens)

    @property
    def now(self) -> str:
        """The instant on the one clock of both sides."""
        return instant(EPOCH + self.clock.at)

    def close(self) -> None:
        for http in self._opened:
            http.close()

    def stored(self, name: str | None = None) -> dict[str, Order]:
        """What the stand-in has: its orders by reference."""
        found = self.sandbox.store.select("shop = ?", [name or self.name], "")
        return {order.ref: order for order in found}

    def ready(self, count: int, name: str | None = None) -> list[dict[str, Any]]:
        """New orders with nothing in their way, as order/1 rows, a while after they were placed."""
        made = self.sandbox.add_orders(count, shop=name or self.name)
        self.clock.at += 600
        client = self.client(name=name)
        found = orders_of(records(client.fetch_orders([o.ref for o in made], now=self.now)))
        rows = {row["platform_ref"]: row for row in found.iter_rows(named=True)}
        self._lines |= {ref: {line["line_ref"] for line in row["lines"]} for ref, row in rows.items()}
        return [rows[order.ref] for order in made]

    def number(self) -> str:
        """A waybill number nobody has used, of the form the courier YTO gives."""
        return f"YT{9_700_000_000_000 + next(self._numbers):013d}"

    def request(self, order: Mapping[str, Any], number: str | None = None) -> ShipRequest:
        """Say that all that is left of an order left under one number."""
        lines = [line for line in order["lines"] if line["quantity_to_ship"]]
        return ShipRequest(
            order["platform_ref"],
            tuple(ShipLine(x["line_ref"], x["quantity_to_ship"], x["quantity_to_ship"]) for x in lines),
            number or self.number(),
            "YTO",
            whole=True,
        )

    def unknown(self, ref: str) -> str:
        """A reference of the same form that no order has."""
        stored = self.stored()
        ends = (f"{ref[:-5]}{n:05d}" for n in range(99_999, 0, -1))
        return next(one for one in ends if one not in stored)

    def booked(self, ref: str, *kinds: str) -> list[dict[str, Any]]:
        """The effects the platform took of an order."""
        wanted = kinds or ("ship", "amend")
        return [b for b in self.sandbox.books() if b["subject"] == ref and b["kind"] in wanted]

    def shipped(self, ref: str) -> dict[str, int]:
        """How many of each line the platform was told of."""
        told: dict[str, int] = {}
        for entry in self.booked(ref, "ship"):
            for line in entry["detail"]["lines"]:
                key = self._our_name(ref, str(line["line"]).rsplit("/", 1)[-1])
                told[key] = told.get(key, 0) + line["quantity"]
        return told

    def _our_name(self, ref: str, line: str) -> str:
        """Give the name the connector has for a line; its stand-in may know it by another of its ids."""
        known = self._lines.get(ref, set())
        if line in known:
            return line
        (order,) = self.sandbox.store.select("shop = ? AND ref = ?", [self.name, ref], "")
        same = [
            known & {str(v) for v in inner.values()}
            for inner in objects(order.body)
            if line in inner.values()
        ]
        return next((next(iter(names)) for names in same if len(names) == 1), line)


def wanted(request: ShipRequest) -> dict[str, int]:
    """How many of each line a request speaks of."""
    return {line.line_ref: line.quantity for line in request.lines}


@contextmanager
def opened(case: str, folder: Path, *, orders: int = 60, seed: int = 1) -> Iterator[World]:
    clock, platform = Clock(), case.partition(":")[0]
    with Sandbox(folder, shops=[platform], orders=orders, seed=seed, now=lambda: EPOCH + clock.at) as sandbox:
        world = World(case, sandbox, clock)
        try:
            yield world
        finally:
            world.close()


def instant(epoch: float) -> str:
    """The instant of epoch seconds."""
    return write_instant(datetime.fromtimestamp(int(epoch), UTC))


def records(pages: Iterator[Page]) -> list[RawRow]:
    """All records of pages."""
    return [record for page in pages for record in page.records]


def raw_of(rows: Sequence[RawRow]) -> pl.DataFrame:
    """Records as a raw/1 frame."""
    frame = pl.DataFrame(list(rows), schema={k: v for k, v in RAW.items() if k != "extra"})
    return conform(frame, "raw/1")


def orders_of(rows: Sequence[RawRow]) -> pl.DataFrame:
    """Records of one format, mapped to order/1."""
    raw = raw_of(rows)
    (form,) = raw["format"].unique().to_list()
    mapper = mappers()[form]
    return mapper.to_orders(raw.drop("extra").with_columns(pl.col("payload").str.json_decode(mapper.dtype)))


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON document."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(inner)


def leaves(value: Any) -> Iterator[str]:
    """Every value in a JSON document, as text."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif isinstance(value, str):
        inner = None
        with suppress(ValueError):
            inner = json.loads(value) if value[:1] in ("{", "[") else None
        if inner is None:
            yield value
        else:
            yield from leaves(inner)  # a document inside a document
    elif value is not None:
        yield str(value)
