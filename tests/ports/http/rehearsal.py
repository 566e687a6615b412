"""A token store in memory, and shops of the sandbox on a clock that nobody waits for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orderctl.ports.http import Http
from orderctl.ports.platforms import load
from orderctl.ports.platforms.port import Platform, Shop
from orderctl.sandbox import Sandbox
from tests.ports.http.clock import EPOCH as EPOCH
from tests.ports.http.clock import NOW, Clock
from tests.ports.http.clock import http_over as http_over


class TokensInMemory(dict[str, dict[str, str]]):
    """The ledger's token table, in memory."""

    def token(self, shop: str) -> Mapping[str, str] | None:
        return self.get(shop)

    def save_token(self, shop: str, token: Mapping[str, str]) -> None:
        self[shop] = dict(token)


TAOBAO = {"app_key": "12345678", "app_secret": "sandbox-taobao-secret", "session": "sandbox-taobao-session"}
SHOPIFY = {"client_id": "sandbox-client", "client_secret": "sandbox-client-secret"}
KUAIDI100 = {"key": "sandbox-key", "secret": "sandbox-secret", "partner_id": "sandbox-partner"}
SHOPS = {
    "tb-demo": ("taobao", "/taobao", TAOBAO),
    "sf-demo": ("shopify", "/shopify/sf-demo", SHOPIFY),
    "sf-cny": ("shopify", "/shopify/sf-cny", {"token": "shpat_sandbox"}),
}


class World:
    """The sandbox, a client's view of it, and one clock for both."""

    def __init__(self, sandbox: Sandbox, url: str, clock: Clock) -> None:
        self.sandbox, self.url, self.clock = sandbox, url, clock
        self.http = Http(NOW, monotonic=clock, sleep=clock.sleep)
        self.tokens = TokensInMemory()

    def shop(self, name: str, **settings: str) -> Platform:
        platform, path, known = SHOPS[name]
        shop = Shop(name, platform, self.url + path, known | settings)
        return load(platform)(shop, self.http, self.tokens)

    def faults(self, seed: int, rate: float) -> None:
        self.sandbox.set_faults({"seed": seed, "rate": rate, "seconds": 0.01})

    def refs(self, name: str) -> set[str]:
        return {order.ref for order in self.sandbox.store.select("shop = ?", [name], "")}

    def shipped(self, ref: str) -> list[dict[str, Any]]:
        return [entry for entry in self.sandbox.books("ship") if entry["subject"] == ref]


@contextmanager
def world(state: Path, *, orders: int = 40, seed: int = 1, late_s: int = 0) -> Iterator[World]:
    clock = Clock()
    with Sandbox(state, seed=seed, orders=orders, now=lambda: EPOCH + clock.at, late_s=late_s) as sandbox:
        made = World(sandbox, sandbox.start(), clock)
        with made.http:
            yield made
