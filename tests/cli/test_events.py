"""`orderctl fetch --events` rehearsed: what the stand-ins push, and what others might, into the real command."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from orderctl.sandbox import Sandbox
from orderctl.sandbox.store import Order
from tests.cli.desk import Clock, Desk, Ran

UNSIGNED = {"amazon"}
"""Nothing signs what lies in the seller's own queue: a message is altered there by cutting it."""
Event = dict[str, Any]


class Everywhere(Desk):
    """A desk with a shop at every platform, and beside each a stranger's: of another app and another seller."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()
        folder.mkdir(parents=True)
        self.sandbox = Sandbox(folder / "sandbox", shops=["all"], orders=150, seed=3, now=self.clock)
        self.url = self.sandbox.start()
        config = self.sandbox.config(self.url)
        shops = {name: shop for name, shop in config["shops"].items() if self.sandbox.events(name)}
        strangers = {
            f"other-{name}": {**shop, "settings": foreign(shop["settings"])} for name, shop in shops.items()
        }
        text = yaml.safe_dump({"shops": {**config["shops"], **strangers}}, allow_unicode=True)
        self.path("orderctl.yaml").write_text(text, "utf-8")
        self.shops = {name: str(shop["platform"]) for name, shop in shops.items()}

    def pushed(self, shop: str) -> list[Event]:
        """What the sandbox pushes about orders of a shop that changed this instant."""
        answer = httpx.get(f"{self.url}/_events", params={"shop": shop, "since": str(self.clock)})
        return [json.loads(line) for line in answer.text.splitlines()]

    def stored(self, shop: str) -> list[Order]:
        return self.sandbox.store.select("shop = ?", (shop,), "ORDER BY number")


def foreign(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings of somebody else: other secrets of the same form, another seller."""
    mine = {name: value for name, value in settings.items() if "secret" in name or name == "seller_id"}
    return {**settings, **{name: value[:4] + value[4:8][::-1] + value[8:] for name, value in mine.items()}}


@dataclass
class Heard:
    """One run over the messages of all shops; `rejected` are the line numbers, `expected` those that must be."""

    ran: Ran
    changed: dict[str, set[str]]
    unknown: dict[str, str]
    rejected: list[int]
    expected: list[int]
    lines: list[Event]


def about_nobody(desk: Everywhere, shop: str) -> tuple[str, Event]:
    """A message, rightly signed, about an order that is not there; and its number."""
    order = desk.stored(shop)[0]
    ref = f"{order.ref[:-5]}99999"
    made = desk.sandbox._world.standins[order.platform].event(replace(order, ref=ref))
    assert made is not None
    return ref, {"shop": shop, **made}


def altered(event: Event, platform: str) -> Event:
    """The same message with one character of its body changed on the way."""
    half = len(event["body"]) // 2
    body = event["body"]
    if platform in UNSIGNED:
        return {**event, "body": body[:half]}
    return {**event, "body": f"{body[:half]}{'7' if body[half] != '7' else '8'}{body[half + 1 :]}"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everywhere]:
    one = Everywhere(tmp_path_factory.mktemp("events") / "desk")
    yield one
    one.close()


@pytest.fixture(scope="module")
def heard(desk: Everywhere) -> Heard:
    desk.clock.at += 900
    lines: list[tuple[Event, bool]] = []
    changed, unknown = {}, {}
    for shop, platform in desk.shops.items():
        made = desk.sandbox.add_orders(2, shop=shop)
        changed[shop] = {order.ref for order in made}
        for order in made:
            desk.sandbox.touch(f"{shop}:{order.ref}", stir="样例备注")
        good = desk.pushed(shop)
        assert len(good) == 2
        unknown[shop], nobody = about_nobody(desk, shop)
        lines += [(event, True) for event in (*good, good[0], nobody)]
        lines += [(altered(good[1], platform), False), ({**good[0], "shop": f"other-{shop}"}, False)]
    desk.clock.at += 900
    text = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event, _ in lines)
    desk.path("events.jsonl").write_text(text, "utf-8")
    ran = desk.run("fetch", "--events", "events.jsonl", "--rejects", "bad.jsonl")
    rejected = [row["line"] for row in desk.rows("bad.jsonl")]
    expected = [number for number, (_, good) in enumerate(lines, 1) if not good]
    return Heard(ran, changed, unknown, rejected, expected, [event for event, _ in lines])


def test_each_order_that_is_named_comes_once(desk: Everywhere, heard: Heard) -> None:
    assert set(desk.shops.values()) == {"amazon", "douyin", "kuaishou", "shopify"}
    came = Counter((row["shop"], row["platform_ref"]) for row in heard.ran.rows)
    assert came == Counter((shop, ref) for shop, refs in heard.changed.items() for ref in refs)


def test_it_is_read_anew_from_the_platform(heard: Heard) -> None:
    """What comes is no part of a message, and later than it."""
    bodies = {event["body"] for event in heard.lines}
    for row in heard.ran.rows:
        assert json.dumps(row["payload"], ensure_ascii=False) not in bodies
        assert row["observed_at"] > row["updated_at"]


def test_what_the_platform_did_not_write_is_rejected(heard: Heard) -> None:
    assert heard.rejected == heard.expected
    assert heard.ran.code == 3


def test_orders_that_are_not_there_are_told(heard: Heard) -> None:
    for shop, ref in heard.unknown.items():
        assert f"{shop}: there is no order {ref}" in heard.ran.err


def test_the_same_messages_again_bring_the_same(desk: Everywhere, heard: Heard) -> None:
    ran = desk.run("fetch", "--events", "-", stdin=desk.path("events.jsonl").read_bytes())
    assert ran.code == 3
    names = [(row["shop"], row["platform_ref"], row["updated_at"]) for row in ran.rows]
    assert names == [(row["shop"], row["platform_ref"], row["updated_at"]) for row in heard.ran.rows]


def test_no_secret_is_told(desk: Everywhere, heard: Heard) -> None:
    config = yaml.safe_load(desk.path("orderctl.yaml").read_text("utf-8"))
    secrets = {
        value for shop in config["shops"].values() for name, value in shop["settings"].items()
        if "secret" in name or "token" in name
    }  # fmt: skip
    told = heard.ran.err + heard.ran.out.decode()
    assert not [secret for secret in secrets if secret in told]
