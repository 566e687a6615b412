"""A world that changes while it is read: what naive paging loses, and what it costs nobody who reads carefully."""

from __future__ import annotations

import math
from pathlib import Path

import httpx
import pytest

from orderctl.sandbox import Sandbox
from tests.sandbox.callers import Clock, Shopify, Taobao, beijing

SIZE = 5


def pages(taobao: Taobao, since: float, until: float, page: int) -> tuple[set[str], int]:
    found = taobao.ask(
        "taobao.trades.sold.increment.get", fields="tid_str", page_no=page, page_size=SIZE,
        start_modified=beijing(since), end_modified=beijing(until),
    )  # fmt: skip
    rows = found["trades"]["trade"] if "trades" in found else []
    return {row["tid_str"] for row in rows}, int(found["total_results"])


def unchanged(sandbox: Sandbox, since: float, until: float) -> set[str]:
    """Orders of the window that no churn has taken out of it."""
    kept = sandbox.store.select("modified BETWEEN ? AND ?", (int(since), int(until)), "")
    return {order.ref for order in kept}


@pytest.fixture
def busy(tmp_path: Path, clock: Clock) -> Sandbox:
    sandbox = Sandbox(tmp_path / "busy", shops=["taobao"], orders=300, now=clock)
    sandbox.set_churn("tb-demo", 3)
    return sandbox


@pytest.mark.parametrize("backwards", [True, False])
def test_numbered_pages_forwards_lose_what_the_others_leave_room_for(
    busy: Sandbox, clock: Clock, http: httpx.Client, *, backwards: bool
) -> None:
    with busy:
        taobao = Taobao(f"{busy.start()}/taobao/router/rest", clock, http)
        until, since = clock.at - 100, clock.at - 86_000
        _, total = pages(taobao, since, until, 1)
        numbers = range(1, math.ceil(total / SIZE) + 1)
        seen: set[str] = set()
        for page in reversed(numbers) if backwards else numbers:
            seen |= pages(taobao, since, until, page)[0]
        lost = unchanged(busy, since, until) - seen
        assert bool(lost) != backwards


def test_churn_touches_only_its_shop_and_ends(tmp_path: Path, clock: Clock, http: httpx.Client) -> None:
    with Sandbox(tmp_path, orders=60, now=clock) as sandbox:
        url = sandbox.start()
        taobao = Taobao(f"{url}/taobao/router/rest", clock, http)
        shopify = Shopify(f"{url}/shopify/sf-demo", http)

        def changed() -> dict[str, int]:
            fresh = sandbox.store.select("modified = ?", (int(clock.at),), "")
            return {shop.name: sum(order.shop == shop.name for order in fresh) for shop in sandbox.shops}

        sandbox.set_churn("sf-demo", 4)
        taobao.trades()
        assert changed() == {"tb-demo": 0, "sf-demo": 0, "sf-cny": 0}
        before = shopify.names()
        assert 1 <= changed()["sf-demo"] <= 4
        assert shopify.names() == before
        sandbox.set_churn("sf-demo", 0)
        after = changed()
        shopify.names()
        assert changed() == after
        assert changed()["sf-cny"] == 0


def test_churn_is_seeded_and_refuses_nonsense(tmp_path: Path, clock: Clock, http: httpx.Client) -> None:
    def changed(folder: str) -> list[str]:
        with Sandbox(tmp_path / folder, shops=["taobao"], orders=80, now=clock) as sandbox:
            sandbox.control({"churn": {"shop": "tb-demo", "per_call": 2}})
            Taobao(f"{sandbox.start()}/taobao/router/rest", clock, http).trades()
            return [
                order.ref for order in sandbox.store.select("modified = ?", (int(clock.at),), "ORDER BY id")
            ]

    assert changed("a") == changed("b") != []
    with Sandbox(tmp_path / "c", orders=5, now=clock) as sandbox:
        for wrong in (
            {"shop": "moon", "per_call": 1},
            {"shop": "tb-demo", "per_call": -1},
            {"shop": "tb-demo"},
        ):
            with pytest.raises((ValueError, TypeError)):
                sandbox.control({"churn": wrong})
