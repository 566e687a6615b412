"""Pinduoduo's shops of the sandbox, their connector, and one clock for both."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx

from orderctl.ports.http import Http
from orderctl.ports.platforms.pdd.client import Pdd
from orderctl.ports.platforms.port import Page, RawRow, ShipLine, ShipRequest, Shop
from orderctl.sandbox import Sandbox
from tests.ports.http.clock import EPOCH, NOW, Clock, http_over
from tests.ports.http.rehearsal import TokensInMemory

APP = {"client_id": "c", "client_secret": "testSecret", "access_token": "T"}


class World:
    """The sandbox with the platform's shops, and what a connector needs to speak to it."""

    def __init__(self, sandbox: Sandbox, clock: Clock) -> None:
        self.sandbox, self.clock = sandbox, clock
        self.config = sandbox.config(sandbox.start())["shops"]
        self.http = Http(NOW, monotonic=clock, sleep=clock.sleep)
        self.tokens = TokensInMemory()

    def shop(self, name: str = "pdd-demo", **settings: str) -> Pdd:
        found = self.config[name]
        return Pdd(Shop(name, "pdd", found["base_url"], found["settings"] | settings), self.http, self.tokens)

    def now(self) -> str:
        return self.http.instant()

    def bodies(self, name: str = "pdd-demo") -> dict[str, dict[str, Any]]:
        return {order.ref: order.body for order in self.sandbox.store.select("shop = ?", [name], "")}

    def body(self, ref: str) -> dict[str, Any]:
        found = self.sandbox.store.find_anywhere(ref)
        assert found is not None
        return found.body

    def ready(self, count: int = 1) -> list[str]:
        """New orders with nothing in their way."""
        return [order.ref for order in self.sandbox.add_orders(count, shop="pdd-demo")]

    def booked(self, ref: str, *kinds: str) -> list[tuple[str, str | None]]:
        entries = [entry for entry in self.sandbox.books() if entry["subject"] == ref]
        return [(e["kind"], e["number"]) for e in entries if not kinds or e["kind"] in kinds]


@contextmanager
def world(state: Path, *, orders: int = 60) -> Iterator[World]:
    clock = Clock()
    with Sandbox(state, shops=["pdd"], orders=orders, now=lambda: EPOCH + clock.at) as sandbox:
        made = World(sandbox, clock)
        with made.http:
            yield made


def request(ref: str, number: str = "73100000000001", courier: str = "ZTO", **other: Any) -> ShipRequest:
    """Ask to ship a whole order."""
    return ShipRequest(ref, (ShipLine("1", 1, 1),), number, courier, **{"whole": True, **other})


def rows(pages: Iterable[Page]) -> list[RawRow]:
    return [row for page in pages for row in page.records]


def payload(row: RawRow) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["payload"] or "")
    return found


def form_of(sent: httpx.Request) -> dict[str, str]:
    return dict(parse_qsl(sent.content.decode(), keep_blank_values=True))


def over(
    handler: Callable[[dict[str, str]], Any], kept: dict[str, str] | None = None, **settings: str
) -> tuple[Pdd, TokensInMemory, Clock]:
    """Give a connector whose platform is `handler`, from the parameters of a call to the body of its answer."""

    def network(sent: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=handler(form_of(sent)))

    http, clock = http_over(network)
    tokens = TokensInMemory({"s": kept} if kept else {})
    known = {**APP, **settings} if kept is None else {**APP, "access_token": "", **settings}
    return Pdd(Shop("s", "pdd", None, known), http, tokens), tokens, clock


def failed(code: int, msg: str = "x", sub_msg: str = "", sub_code: str | None = None) -> dict[str, Any]:
    return {
        "error_response": {"error_code": code, "error_msg": msg, "sub_msg": sub_msg, "sub_code": sub_code}
    }
