"""The page of push messages: whose, since when, and the same again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from orderctl.sandbox import Sandbox
from tests.sandbox.callers import Clock


@pytest.fixture
def busy(tmp_path: Path, clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "busy", shops=["sf-demo", "taobao", "douyin"], orders=60, now=clock) as running:
        yield running


def told(busy: Sandbox, **query: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{busy.start()}/_events", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/jsonl")
    return [json.loads(line) for line in answer.text.splitlines()]


def test_every_order_of_shops_that_push(busy: Sandbox) -> None:
    found = told(busy)
    counts = {
        shop: sum(one["shop"] == shop for one in found) for shop in ("sf-demo", "douyin-demo", "tb-demo")
    }
    sizes = {shop: busy.store.size("shop = ?", (shop,)) for shop in counts}
    assert counts == {**sizes, "tb-demo": 0}
    assert found == busy.events()
    assert all(set(one) == {"shop", "headers", "body"} for one in found)
    assert len({one["body"] for one in found}) == len(found)


def test_only_what_changed_since(busy: Sandbox, clock: Clock) -> None:
    before = busy.events("sf-demo")
    clock.at += 600
    (ref, *_) = (order.ref for order in busy.store.select("shop = 'sf-demo'", (), "LIMIT 1"))
    busy.touch(ref, note="放门口")
    (event,) = busy.events("sf-demo", clock.at)
    assert json.loads(event["body"])["id"] == int(ref)
    assert event not in before
    assert told(busy, shop="sf-demo", since=str(clock.at)) == [event]
    assert busy.events("sf-demo", clock.at + 1) == []


def test_an_instant_says_since_when_too(busy: Sandbox, clock: Clock) -> None:
    (order,) = busy.add_orders(1, shop="douyin-demo")
    (event,) = told(busy, since="2026-11-18T03:00:00+00:00", shop="douyin-demo")[-1:]
    assert order.ref in event["body"]


@pytest.mark.parametrize(
    "query", [{"shop": "moon"}, {"since": "yesterday"}, {"since": "2026-11-18T01:00:00"}], ids=str
)
def test_what_nobody_can_mean(busy: Sandbox, query: dict[str, str]) -> None:
    answer = httpx.get(f"{busy.start()}/_events", params=query)
    assert (answer.status_code, "error" in answer.json()) == (400, True)
