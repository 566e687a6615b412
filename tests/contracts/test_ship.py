"""What every connector keeps while it tells its platform of dispatches, against the stand-in of its platform.

The judges are the stand-in's books. A platform that cannot keep a law has an entry in a table of exceptions, with
its reason.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from orderctl.model.effect import KINDS, Claim, Effect, State
from orderctl.model.errors import ConfigError, OutcomeUnknown, Refused
from orderctl.ports.ledger import Ledger
from orderctl.ports.ledger.perform import Answer, Result, perform
from orderctl.ports.platforms.port import Platform, ShipLine, ShipRequest
from tests.contracts.world import CASES, ROUNDS, Forward, World, opened, wanted

ANY_NUMBER = {
    "shopify": "takes any text for a number",
    "amazon": "takes any text for a number",
}
ANY_COURIER = {
    "shopify": "takes any name for a courier",
    "amazon": "takes any name for a courier",
}
REFUNDS_DO_NOT_STOP = {
    "shopify": "a refund lowers what is left to ship, and stops nothing",
    "amazon": "a buyer's wish to cancel is for the seller to decide",
}
CORRECTS_WHAT_IS_NOT_THERE = {
    "amazon": "one call confirms and corrects alike; orderctl corrects only what its ledger says was told",
}
NUMBERS_UNSEEN = {
    "amazon:v0": "shows how many pieces left, not with which number",
}
ONE_LINE = {
    "kuaishou": "an order has one line",
    "pdd": "an order has one line",
}


def refused(client: Platform, request: ShipRequest) -> str:
    with pytest.raises(Refused) as caught:
        client.ship(request)
    assert caught.value.render("zh")
    return caught.value.code


def numbers_of(world: World, ref: str) -> set[str]:
    """The numbers the platform has of an order, those of further parcels in the details."""
    found: set[str] = set()
    for entry in world.booked(ref):
        found |= {entry["number"], *entry["detail"].get("numbers", ())}
    return found


def told(result: Mapping[str, str | None], request: ShipRequest) -> set[str]:
    return set(request.numbers) - set(str(result.get("untold") or "").split(","))


# --- the same thing twice


def test_telling_is_told_once_and_again_is_success(world: World) -> None:
    (row,) = world.ready(1)
    request = world.request(row)
    first = world.client().ship(request)
    assert (first["state"], first["number"]) == ("shipped", request.number)
    for client in (world.client(), world.client()):
        assert client.ship(request) == first
        assert client.lookup_ship(request) == first
    assert world.shipped(request.order_ref) == wanted(request)
    assert numbers_of(world, request.order_ref) == {request.number}


def test_what_was_not_told_is_not_found(world: World) -> None:
    (row,) = world.ready(1)
    assert world.client().lookup_ship(world.request(row)) is None


@pytest.mark.parametrize("when", ["before", "after"])
def test_after_silence_the_platform_knows(world: World, when: str) -> None:
    first, second = world.ready(2)
    began = len(world.wire.sent)
    world.client().ship(world.request(first))
    (moved,) = [n for n in world.wire.moved if n >= began]

    def strike(request: httpx.Request, forward: Forward) -> httpx.Response:
        if when == "after":
            forward(request)
        raise httpx.ReadTimeout("silence", request=request)

    client, request = world.client(), world.request(second)
    world.wire.strikes[len(world.wire.sent) + moved - began] = strike
    with pytest.raises(OutcomeUnknown):
        client.ship(request)
    world.clock.at += client.ship_settling_s
    assert (client.lookup_ship(request) is None) == (when == "before")
    assert client.ship(request)["state"] == "shipped"
    assert world.shipped(request.order_ref) == wanted(request)


# --- refusals told apart


def test_shipped_by_another(world: World) -> None:
    (row,) = world.ready(1)
    theirs, ours = world.request(row), world.request(row)
    world.client().ship(theirs)
    if world.case in NUMBERS_UNSEEN:
        return
    assert refused(world.client(), ours) == "shipped_elsewhere"
    try:
        assert world.client().lookup_ship(ours) is None
    except Refused as refusal:
        assert refusal.code == "shipped_elsewhere"
    assert numbers_of(world, theirs.order_ref) == {theirs.number}


def test_a_refund_is_open(world: World) -> None:
    (row,) = world.ready(1)
    request = world.request(row)
    world.sandbox.touch(request.order_ref, refund=True)
    world.clock.at += 60
    if world.platform in REFUNDS_DO_NOT_STOP:
        return
    assert refused(world.client(), request) in ("refunding", "not_shippable")
    assert world.shipped(request.order_ref) == {}


def test_a_number_that_is_none(world: World) -> None:
    (row,) = world.ready(1)
    if world.platform not in ANY_NUMBER:
        assert refused(world.client(), world.request(row, "x")) == "bad_number"
        assert world.shipped(row["platform_ref"]) == {}


def test_a_courier_nobody_knows(world: World) -> None:
    (row,) = world.ready(1)
    if world.platform not in ANY_COURIER:
        assert refused(world.client(), replace(world.request(row), courier="NOBODY")) == "courier_unknown"
        assert world.shipped(row["platform_ref"]) == {}


def test_an_order_nobody_knows(world: World) -> None:
    (row,) = world.ready(1)
    unknown = replace(world.request(row), order_ref=world.unknown(row["platform_ref"]))
    assert refused(world.client(), unknown) == "order_not_found"


# --- parts, parcels, corrections


def ready_with(world: World, is_right: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    for _ in range(20):
        for row in world.ready(5):
            if is_right(row):
                return row
    pytest.fail(f"{world.platform} has no such order among a hundred")


def open_lines(row: dict[str, Any]) -> list[ShipLine]:
    left = [(line["line_ref"], line["quantity_to_ship"]) for line in row["lines"] if line["quantity_to_ship"]]
    return [ShipLine(ref, quantity, quantity) for ref, quantity in left]


def test_lines_that_leave_one_after_the_other(world: World) -> None:
    if world.case in ONE_LINE:
        return
    row = ready_with(world, lambda row: len(open_lines(row)) > 1)
    first, *rest = open_lines(row)
    one = replace(world.request(row), lines=(first,), whole=False)
    two = replace(world.request(row), lines=tuple(rest))
    for request in (one, one, two, two, one):
        assert world.client().ship(request)["state"] == "shipped"
    assert world.shipped(row["platform_ref"]) == wanted(one) | wanted(two)
    assert numbers_of(world, row["platform_ref"]) == {one.number, two.number}


def test_pieces_of_a_line_are_told_or_refused(world: World) -> None:
    row = ready_with(world, lambda row: any(line.quantity > 1 for line in open_lines(row)))
    line = next(line for line in open_lines(row) if line.quantity > 1)
    some = replace(line, quantity=1)
    request = replace(world.request(row), lines=(some,), whole=False)
    try:
        world.client().ship(request)
    except Refused as refusal:
        assert refusal.code == "partial_line"
        assert world.shipped(request.order_ref) == {}
    else:
        assert world.shipped(request.order_ref) == wanted(request)


def test_several_parcels_of_one_dispatch(world: World) -> None:
    (row,) = world.ready(1)
    request = replace(world.request(row), more=(world.number(), world.number()))
    for _ in range(2):
        result = world.client().ship(request)
        assert result["state"] == "shipped"
        assert request.number in told(result, request)
        assert numbers_of(world, request.order_ref) == told(result, request)
    assert world.client().lookup_ship(request) is not None
    assert world.shipped(request.order_ref) == wanted(request)


def test_a_corrected_number(world: World) -> None:
    (row,) = world.ready(1)
    request = world.request(row)
    world.client().ship(request)
    right = replace(request, number=world.number())
    assert world.client().lookup_amend(right, request.number) is None
    try:
        result = world.client().amend(right, request.number)
    except Refused as refusal:
        assert refusal.code == "no_amend"
        return
    assert (result["state"], result["number"]) == ("corrected", right.number)
    if world.case not in NUMBERS_UNSEEN:
        assert world.client().lookup_amend(right, request.number) == result
    assert world.client().amend(right, request.number) == result
    assert [b["number"] for b in world.booked(request.order_ref, "amend")] == [right.number]
    assert world.shipped(request.order_ref) == wanted(request)


def test_a_number_that_was_never_told_cannot_be_corrected(world: World) -> None:
    (row,) = world.ready(1)
    request = world.request(row)
    if world.platform not in CORRECTS_WHAT_IS_NOT_THERE:
        with pytest.raises(Refused):
            world.client().amend(request, world.number())
        assert world.booked(request.order_ref) == []


# --- messages of the platform, and who we are


def test_messages_nobody_signed_are_refused(world: World) -> None:
    for body in (b"{}", b"", b'{"orders": ["1"]}', b"\xff"):
        with pytest.raises((Refused, ConfigError)) as caught:
            world.client().event_orders({}, body)
        if isinstance(caught.value, Refused):
            assert caught.value.code in ("signature", "no_events", "unreadable")


def test_the_standing_is_that_of_the_shop(world: World) -> None:
    standing = world.client().standing()
    assert standing.shop_id == world.client().identify()
    assert standing.missing == ()


# --- exactly once, whatever happens


def effects_of(requests: list[ShipRequest]) -> list[Effect]:
    return [
        Effect(
            "platform.ship",
            f"o:{request.order_ref}/S-{request.number}",
            fingerprint=" ".join(request.numbers),
            claims=tuple(
                Claim(f"o:{request.order_ref}", x.line_ref, x.quantity, x.of) for x in request.lines
            ),
            shipment_id=f"S-{request.number}",
        )
        for request in requests
    ]


def some_requests(world: World, dice: random.Random, count: int) -> list[ShipRequest]:
    """Whole orders, orders in two parts, and orders of several parcels."""
    found: list[ShipRequest] = []
    for row in world.ready(count):
        request = world.request(row)
        lines = request.lines
        if len(lines) > 1 and dice.random() < 0.5:
            found.append(replace(request, lines=lines[:1], whole=False))
            found.append(replace(request, lines=lines[1:], number=world.number(), whole=False))
        elif dice.random() < 0.3:
            found.append(replace(request, more=(world.number(),)))
        else:
            found.append(request)
    return found


@pytest.mark.parametrize("seed", range(1, 1 + ROUNDS))
@pytest.mark.parametrize("case", CASES)
def test_every_order_is_shipped_exactly_once_under_faults(case: str, seed: int, tmp_path: Path) -> None:
    with (
        opened(case, tmp_path / "world", orders=10, seed=seed) as world,
        Ledger.open(tmp_path / "ledger.db", run_id="r", host="h") as ledger,
    ):
        requests = some_requests(world, random.Random(seed), 15)
        by_key = dict(zip((e.key for e in effects_of(requests)), requests, strict=True))
        client = world.client(tries=3)
        results: dict[str, Result] = {}

        def act(effect: Effect) -> Result:
            return client.ship(by_key[effect.key])

        def lookup(effect: Effect) -> Answer:
            return client.lookup_ship(by_key[effect.key]) or "absent"

        world.sandbox.set_faults({"seed": seed, "rate": 0.4, "seconds": 0.01})
        for turn in range(12):
            if turn == 8:
                world.sandbox.set_faults(None)
            found = perform(ledger, effects_of(requests), act, now=lambda: world.now, lookup=lookup)
            results = {p.effect.key: p.outcome.result for p in found if p.outcome.result}
            if all(p.outcome.state is State.DONE for p in found):
                break
            world.clock.at += KINDS["platform.ship"].settling_s
        assert set(results) == set(by_key)
        expected: dict[str, dict[str, int]] = {}
        numbers: dict[str, set[str]] = {}
        for key, request in by_key.items():
            expected[request.order_ref] = expected.get(request.order_ref, {}) | wanted(request)
            numbers.setdefault(request.order_ref, set()).update(told(results[key], request))
        assert {ref: world.shipped(ref) for ref in expected} == expected
        assert {ref: numbers_of(world, ref) for ref in numbers} == numbers
        assert ledger.pending(world.now) == []
