"""The law of push messages: only what the platform itself wrote is believed, and only as far as an order's number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orderctl.model.errors import Refused
from orderctl.ports.platforms.port import Platform
from orderctl.sandbox.store import Order
from tests.contracts.world import CASES, World, opened

Event = Mapping[str, Any]
SILENT = {
    "jd": "its messages come over a connection of their own",
    "pdd": "its messages come over a connection that only its own library speaks",
    "taobao": "its messages come over a connection of their own",
}
"""Who pushes nothing to an address or a queue, and why."""
UNSIGNED = {
    "amazon": "its messages lie in the seller's own queue, and nothing signs them",
}
"""Whose messages may be altered without anybody noticing, and why that is so."""
OWNER_SETTINGS = ("seller_id",)
"""What tells whose a message is where no secret does."""


def foreign(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings of another app and another seller: of the same form, with other secrets."""
    return {
        name: value[:4] + value[4:8][::-1] + value[8:]
        for name, value in settings.items()
        if "secret" in name or name in OWNER_SETTINGS
    }


def heard(client: Platform, event: Event) -> tuple[str, ...]:
    headers = {name.lower(): value for name, value in event["headers"].items()}
    return client.event_orders(headers, event["body"].encode())


@pytest.fixture(scope="module", params=[case for case in CASES if case.partition(":")[0] not in SILENT])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened(request.param, tmp_path_factory.mktemp("events") / "world") as one:
        yield one


@pytest.fixture
def events(world: World) -> dict[str, Event]:
    """The message about each order."""
    found = {ref: written(world, order) for ref, order in world.stored().items()}
    told = {ref: event for ref, event in found.items() if event is not None}
    assert len(told) == len(found)
    return told


def written(world: World, order: Order) -> Event | None:
    return world.sandbox._world.standins[world.platform].event(order)


@pytest.mark.parametrize("platform", SILENT)
def test_who_pushes_nothing_says_so(platform: str, tmp_path: Path) -> None:
    with opened(platform, tmp_path / "world", orders=5) as silent:
        assert {written(silent, order) for order in silent.stored().values()} == {None}
        with pytest.raises(Refused) as refused:
            heard(silent.client(), {"headers": {}, "body": "{}"})
        assert refused.value.code == "no_events"


def test_a_message_names_its_order_and_no_other(world: World, events: dict[str, Event]) -> None:
    client = world.client()
    assert {ref: heard(client, event) for ref, event in events.items()} == {ref: (ref,) for ref in events}


def test_of_an_order_nobody_has(world: World, events: dict[str, Event]) -> None:
    unknown = world.unknown(next(iter(events)))
    order = replace(next(iter(world.stored().values())), ref=unknown)
    event = written(world, order)
    assert event is not None
    client = world.client()
    assert heard(client, event) == (unknown,)
    (page,) = client.fetch_orders([unknown], now=world.now)
    assert (list(page.records), list(page.missing)) == ([], [unknown])


def test_another_apps_message(world: World, events: dict[str, Event]) -> None:
    settings = world.config[world.name]["settings"]
    stranger = world.client(**foreign(settings))
    for event in events.values():
        with pytest.raises(Refused) as refused:
            heard(stranger, event)
        assert refused.value.code == "signature"


def bent(text: str) -> str:
    """One character in the middle is another one."""
    half = len(text) // 2
    return f"{text[:half]}{'7' if text[half] != '7' else '8'}{text[half + 1 :]}"


CHANGES: dict[str, Callable[[str], str]] = {
    "bent": bent,
    "longer": lambda body: body + "A",
    "shorter": lambda body: body[:-3],
    "twice": lambda body: body * 2,
    "empty": lambda body: "",
}


def test_an_altered_message(world: World, events: dict[str, Event]) -> None:
    client = world.client()
    code = "unreadable" if world.platform in UNSIGNED else "signature"
    for how, change in CHANGES.items():
        if how == "bent" and world.platform in UNSIGNED:
            continue
        for event in events.values():
            with pytest.raises(Refused) as refused:
                heard(client, {**event, "body": change(event["body"])})
            assert refused.value.code == code, how
            assert event["body"] not in refused.value.render()


def test_headers_that_are_no_signature(world: World, events: dict[str, Event]) -> None:
    event = next(iter(events.values()))
    for name in event["headers"]:
        if "sign" in name.lower() or "hmac" in name.lower():
            for value in ("", "0", "样例", "\x00", "A" * 10_000):
                with pytest.raises(Refused) as refused:
                    heard(world.client(), {**event, "headers": {**event["headers"], name: value}})
                assert refused.value.code == "signature"
            with pytest.raises(Refused):
                heard(world.client(), {**event, "headers": {}})
