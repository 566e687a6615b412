"""Amazon's connector against a network in our hands, and against its stand-in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from orderctl.ports.http import Http
from orderctl.ports.platforms.amazon.client import Amazon
from orderctl.ports.platforms.port import Shop
from orderctl.sandbox import Sandbox
from tests.ports.http.clock import EPOCH, NOW, Clock, http_over
from tests.ports.http.rehearsal import TokensInMemory

SECRET = "PLANTED7731"
SETTINGS = {
    "seller_id": "A1SAMPLE",
    "marketplaces": "US",
    "client_id": "amzn1.application-oa2-client.sample",
    "client_secret": SECRET + "secret",
    "refresh_token": "Atzr|" + SECRET,
}
Answer = Callable[[httpx.Request], httpx.Response]


def token(_: httpx.Request) -> httpx.Response:
    body = {
        "access_token": "Atza|" + SECRET,
        "token_type": "bearer",
        "expires_in": 3600,
        "refresh_token": "Atzr|new",
    }
    return httpx.Response(200, json=body)


def refused(status: int, code: str, message: str = "", details: str = "") -> httpx.Response:
    return httpx.Response(status, json={"errors": [{"code": code, "message": message, "details": details}]})


class Network:
    """Answers by path; `sent` are the requests without those of the login server."""

    def __init__(self, answer: Answer, login: Answer = token, **settings: str) -> None:
        self.sent: list[httpx.Request] = []
        self.logins: list[httpx.Request] = []
        self.tokens = TokensInMemory()
        self._answer, self._login = answer, login
        self.http, self.clock = http_over(self._handle)
        self.client = Amazon(Shop("s", "amazon", None, SETTINGS | settings), self.http, self.tokens)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/o2/token":
            self.logins.append(request)
            return self._login(request)
        self.sent.append(request)
        return self._answer(request)

    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.sent if request.content]


class World:
    """The stand-in, a client's view of it, and one clock for both."""

    def __init__(self, sandbox: Sandbox, clock: Clock) -> None:
        self.sandbox, self.clock = sandbox, clock
        self.shops: dict[str, Any] = sandbox.config(sandbox.start())["shops"]
        self.http = Http(NOW, monotonic=clock, sleep=clock.sleep)
        self.tokens = TokensInMemory()

    def client(self, name: str = "amazon-demo", **settings: str) -> Amazon:
        known = self.shops[name]
        shop = Shop(name, "amazon", known["base_url"], known["settings"] | settings)
        return Amazon(shop, self.http, self.tokens)

    def refs(self, name: str = "amazon-demo") -> set[str]:
        return {order.ref for order in self.sandbox.store.select("shop = ?", [name], "")}

    def case(self, name: str, shop: str = "amazon-demo") -> str:
        """The order that is one of the awkward cases of a shop."""
        from orderctl.sandbox.amazon.orders import CASES, ref_of

        return ref_of(shop, CASES[shop].index(name) + 1)

    def book(self, ref: str, kind: str = "ship") -> list[dict[str, Any]]:
        return [entry for entry in self.sandbox.books(kind) if entry["subject"] == ref]


@contextmanager
def world(state: Path, orders: int = 60) -> Iterator[World]:
    clock = Clock()
    with Sandbox(state, shops=["amazon"], orders=orders, now=lambda: EPOCH + clock.at) as sandbox:
        made = World(sandbox, clock)
        with made.http:
            yield made
