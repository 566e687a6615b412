"""Douyin's shop of the sandbox, its connector, and one clock for both."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from orderctl.model.errors import OutcomeUnknown, Temporary
from orderctl.ports.http import Http
from orderctl.ports.platforms.douyin.client import Douyin
from orderctl.ports.platforms.port import Page, RawRow, ShipLine, ShipRequest, Shop
from orderctl.sandbox import Sandbox
from orderctl.sandbox.douyin.orders import is_elsewhere
from tests.ports.http.rehearsal import EPOCH, NOW, Clock, TokensInMemory, http_over

KEY, SECRET = "7000000000000000001", "a1b2c3d4-0000-1111-2222-fakefakefake"
SELF_USE = {
    "app_key": KEY,
    "app_secret": "sandbox-douyin-secret",
    "shop_id": "10000001",
    "calls_per_second": "200",
}
SERVICE = {"app_key": KEY, "app_secret": "sandbox-douyin-secret", "service_id": "sandbox-douyin-service"}


class World:
    """The sandbox with one shop, and what a connector needs to speak to it."""

    def __init__(self, sandbox: Sandbox, clock: Clock) -> None:
        self.sandbox, self.clock = sandbox, clock
        self.url = sandbox.start()
        self.http = Http(NOW, monotonic=clock, sleep=clock.sleep)
        self.tokens = TokensInMemory()

    def shop(self, known: dict[str, str] = SELF_USE, **settings: str) -> Douyin:
        shop = Shop("douyin-demo", "douyin", f"{self.url}/douyin", known | settings)
        return Douyin(shop, self.http, self.tokens)

    def now(self) -> str:
        return self.http.instant()

    def faults(self, seed: int, rate: float) -> None:
        self.sandbox.set_faults({"seed": seed, "rate": rate, "seconds": 0.01})

    def orders(self) -> dict[str, dict[str, Any]]:
        return {order.ref: order.body for order in self.sandbox.store.select("shop = ?", ["douyin-demo"], "")}

    def ready(self, lines: int = 1) -> str:
        """Give an order that may be shipped whole, with at least so many lines."""
        return next(
            ref
            for ref, body in self.orders().items()
            if body["order_status"] == 2 and len(body["sku_order_list"]) >= lines and is_clean(body)
        )

    def booked(self, ref: str, kind: str = "ship") -> list[dict[str, Any]]:
        return [entry for entry in self.sandbox.books(kind) if entry["subject"] == ref]

    def request(self, ref: str, number: str = "73100000000001", **other: Any) -> ShipRequest:
        """Ask to ship a whole order."""
        lines = tuple(
            ShipLine(line["order_id"], line["item_num"], line["item_num"])
            for line in self.orders()[ref]["sku_order_list"]
        )
        return ShipRequest(
            ref, **{"lines": lines, "number": number, "courier": "ZTO", "whole": True, **other}
        )


def is_clean(body: dict[str, Any]) -> bool:
    return all(
        line["after_sale_info"]["after_sale_status"] in (0, 28)
        and not line["need_serial_number"]
        and not is_elsewhere(line)
        for line in body["sku_order_list"]
    )


@contextmanager
def world(state: Path, *, orders: int = 60) -> Iterator[World]:
    clock = Clock()
    with Sandbox(state, shops=["douyin"], orders=orders, now=lambda: EPOCH + clock.at) as sandbox:
        made = World(sandbox, clock)
        with made.http:
            yield made


def rows(pages: Iterable[Page]) -> list[RawRow]:
    return [row for page in pages for row in page.records]


def payload(row: RawRow) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["payload"] or "")
    return found


def over(
    handler: Callable[[httpx.Request], httpx.Response], **settings: str
) -> tuple[Douyin, TokensInMemory]:
    """Give a connector whose network is `handler`."""
    http, _ = http_over(handler)
    tokens = TokensInMemory({"s": {"access_token": "T", "shop_id": "10000001"}})
    return Douyin(
        Shop("s", "douyin", None, {"app_key": KEY, "app_secret": SECRET} | settings), http, tokens
    ), tokens


def ok(data: Any) -> httpx.Response:
    return httpx.Response(
        200, json={"code": 10000, "msg": "success", "sub_code": "", "log_id": "L", "data": data}
    )


def ship_through(shop: Douyin, request: ShipRequest) -> dict[str, str | None]:
    """Do as the ledger does: after silence look it up, and only what is not there is told again."""
    for _ in range(30):
        try:
            return shop.ship(request)
        except Temporary:
            continue
        except OutcomeUnknown:
            try:
                found = shop.lookup_ship(request)
            except Temporary:
                continue
            if found is not None:
                return found
    raise AssertionError("never settled")
