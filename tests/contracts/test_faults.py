"""The table of faults: whatever goes wrong has one meaning, and gives away neither a secret nor a person.

Each connector is tried against its stand-in over a wire on which the last call of a reading, or the one call that
moves the world, is struck.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from orderctl.cli.config import is_secret
from orderctl.model.errors import OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.ports.platforms.port import Platform
from tests.contracts.world import CASES, Forward, Strike, World, leaves, opened, records

PLANTED = "PLANTED7731"
BUYER = "样例收件人13800000001"
ECHO = f'{{"message":"{PLANTED} {BUYER}","code":"{PLANTED}","errors":[{{"message":"{BUYER}"}}]}}'
Meaning = tuple[type[PortError], ...]


class Bare(Exception):
    """The platform answers this call with a status alone."""


class Fault(NamedTuple):
    """What strikes a call, and what that means for one that reads and for one that moves the world.

    `calls` are struck in a row: who is refused may renew a token and try once more.
    """

    strike: Strike
    reading: Meaning
    changing: Meaning
    calls: int = 1


def lost(error: type[httpx.TransportError], *, after: bool = False) -> Strike:
    """No answer; `after` says that the request arrived all the same."""

    def strike(request: httpx.Request, forward: Forward) -> httpx.Response:
        if after:
            forward(request)
        raise error(PLANTED, request=request)

    return strike


def instead(status: int, text: str, **headers: str) -> Strike:
    """Another answer, to a request that never arrived; it repeats what it was sent, as some do in their errors."""

    def strike(request: httpx.Request, forward: Forward) -> httpx.Response:
        echoed = {**headers, "X-Echo": PLANTED}
        return httpx.Response(status, content=text.encode() + b" " * 3, headers=echoed, request=request)

    return strike


def echoing(status: int) -> Strike:
    def strike(request: httpx.Request, forward: Forward) -> httpx.Response:
        sent = [request.content.decode("utf-8", "replace"), str(request.url), *request.headers.values()]
        body = json.dumps({"error": sent, "message": " ".join(sent), "error_response": {"msg": sent[0]}})
        return httpx.Response(status, content=body.encode(), request=request)

    return strike


def spoilt(spoil: Callable[[bytes], bytes]) -> Strike:
    """The true answer, after the effect, with another body. An answer without a body has nothing to spoil."""

    def strike(request: httpx.Request, forward: Forward) -> httpx.Response:
        answer = forward(request)
        if not answer.content:
            raise Bare
        return httpx.Response(answer.status_code, content=spoil(answer.content), request=request)

    return strike


LATER, UNKNOWN = (Temporary,), (OutcomeUnknown,)
NO, CREDENTIALS = (Refused,), (Unauthorized,)
FAULTS: dict[str, Fault] = {
    "no connection": Fault(lost(httpx.ConnectError), LATER, LATER),
    "no connection in time": Fault(lost(httpx.ConnectTimeout), LATER, LATER),
    "no answer": Fault(lost(httpx.ReadTimeout), LATER, UNKNOWN),
    "no answer after the effect": Fault(lost(httpx.ReadTimeout, after=True), LATER, UNKNOWN),
    "cut": Fault(lost(httpx.RemoteProtocolError), LATER, UNKNOWN),
    "cut after the effect": Fault(lost(httpx.ReadError, after=True), LATER, UNKNOWN),
    "429": Fault(instead(429, ECHO), LATER, LATER),
    "429 and when to come again": Fault(instead(429, ECHO, **{"Retry-After": "2"}), LATER, LATER),
    "500": Fault(instead(500, ECHO), LATER, UNKNOWN),
    "500 that says all it was told": Fault(echoing(500), LATER, UNKNOWN),
    "503": Fault(instead(503, "<html>busy"), LATER, UNKNOWN),
    "504 after the effect": Fault(
        lambda r, f: httpx.Response(504, content=b"<html>" if f(r) else b"", request=r), LATER, UNKNOWN
    ),
    "cut JSON": Fault(spoilt(lambda body: body[: len(body) // 2]), LATER, UNKNOWN),
    "no JSON": Fault(spoilt(lambda body: b"<!-- proxy -->" + body[:50]), LATER, UNKNOWN),
    "wrong type": Fault(spoilt(lambda _: b'["x"]'), LATER, UNKNOWN),
    "nothing": Fault(spoilt(lambda _: b""), LATER, UNKNOWN),
    "another form": Fault(spoilt(lambda _: b'{"another": "form"}'), (Temporary, Refused), UNKNOWN),
    "credentials refused": Fault(instead(401, ECHO), CREDENTIALS, CREDENTIALS, calls=4),
    "not found": Fault(instead(404, ECHO), NO, NO),
    "elsewhere": Fault(instead(307, "", Location=f"https://elsewhere.example.com/{PLANTED}"), NO, NO),
}
ENVELOPES: dict[str, tuple[Meaning, Meaning]] = {
    "429": (LATER, LATER),
    "throttled": (LATER, LATER),
    "temporary": (LATER, LATER + UNKNOWN),
}
"""What the platform itself says, in its own words."""


class Call(NamedTuple):
    """An action and which of its calls is struck, counted from its beginning."""

    act: Callable[[Platform], Any]
    at: int


def reading(world: World) -> Call:
    """Ask for one order; the last call is struck."""
    ref = min(world.stored())

    def act(client: Platform) -> Any:
        return list(client.fetch_orders([ref], now=world.now))

    return Call(act, measured(world, act) - 1)


def telling(world: World) -> Call:
    """Tell of one order; the call that moves the world is struck. Another order shows which one that is."""
    first, second = world.ready(2)
    began = len(world.wire.sent)
    assert world.client().ship(world.request(first))["state"] == "shipped"
    (moved,) = [n for n in world.wire.moved if n >= began]
    request = world.request(second)
    return Call(lambda client: client.ship(request), moved - began)


def measured(world: World, act: Callable[[Platform], Any]) -> int:
    """How many calls an action takes; the first run may also take a token, which is kept."""
    act(world.client())
    began = len(world.wire.sent)
    act(world.client())
    return len(world.wire.sent) - began


@pytest.fixture(params=["reading", "telling"])
def call(request: pytest.FixtureRequest, world: World) -> Call:
    return reading(world) if request.param == "reading" else telling(world)


def meaning(call: Call, reading: Meaning, changing: Meaning) -> Meaning:
    return changing if call.act.__name__ == "<lambda>" else reading


@pytest.fixture
def shown(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[PortError | None], str]]:
    """Everything a person or a log file could come to see."""
    caplog.set_level(logging.DEBUG)

    def all_of(error: PortError | None) -> str:
        texts = [repr(record.__dict__) for record in caplog.records]
        if error is not None:
            texts += [str(error), repr(error), error.render(), error.render("zh"), error.code]
            texts += [str(error.hint), *traceback.format_exception(error)]
        return "\n".join(texts)

    yield all_of


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_has_one_meaning_and_tells_nothing(
    world: World, call: Call, fault: str, shown: Callable[[PortError | None], str]
) -> None:
    strike, reading, changing, calls = FAULTS[fault]
    client = world.client(tries=1)
    number = len(world.wire.sent) + call.at
    world.wire.strikes = dict.fromkeys(range(number, number + calls), strike)
    try:
        with pytest.raises(PortError) as caught:
            call.act(client)
    except Bare:
        return
    assert number not in world.wire.strikes
    world.wire.strikes.clear()
    assert type(caught.value) in meaning(call, reading, changing), repr(caught.value)
    assert all(r.url.host in ("127.0.0.1", "localhost") for r in world.wire.sent)
    assert secrets_in(world, shown(caught.value)) == []
    world.tokens.clear()


@pytest.mark.parametrize("kind", ENVELOPES)
def test_what_the_platform_says_in_its_own_words(
    world: World, call: Call, kind: str, shown: Callable[[PortError | None], str]
) -> None:
    reading, changing = ENVELOPES[kind]
    client = world.client(tries=1)
    world.sandbox.set_faults([["*", call.at + 1, kind]])
    try:
        with pytest.raises(PortError) as caught:
            call.act(client)
    finally:
        world.sandbox.set_faults(None)
    assert type(caught.value) in meaning(call, reading, changing), repr(caught.value)
    assert secrets_in(world, shown(caught.value)) == []


def test_a_client_that_may_try_again_gets_through(world: World, call: Call) -> None:
    """What surely did not happen, and every reading, is tried again and ends well."""
    for at, kind in enumerate(("429", "throttled")):
        world.sandbox.set_faults([["*", call.at + 1 + at, kind]])
    assert call.act(world.client())
    world.sandbox.set_faults(None)


def test_work_well_done_tells_nothing_either(world: World, shown: Callable[[PortError | None], str]) -> None:
    client = world.client()
    (row,) = world.ready(1)
    rows = records(client.fetch(now=world.now))
    client.ship(world.request(row))
    client.standing()
    client.same_recipient(rows)
    found = shown(None)
    assert secrets_in(world, found) == []
    people = {text for r in rows for text in leaves(json.loads(r["payload"] or "")) if is_personal(text)}
    assert [text for text in people if text in found] == []


def is_personal(text: str) -> bool:
    """Whether a text of a payload could be about a person: Chinese words, and phone numbers."""
    return len(text) > 1 and (any("一" <= c <= "鿿" for c in text) or (text.isdigit() and len(text) == 11))


def secrets_in(world: World, shown: str) -> list[str]:
    """What must never be shown and is: planted texts, secrets of the settings, tokens."""
    settings = world.config[world.name].get("settings", {})
    secrets = [value for name, value in settings.items() if is_secret(name)]
    tokens = [v for token in world.tokens.values() for k, v in token.items() if is_secret(k) and v]
    return [text for text in (PLANTED, BUYER, *secrets, *tokens) if len(text) > 4 and text in shown]


# --- tokens


@pytest.mark.parametrize("action", [reading, telling])
@pytest.mark.parametrize("case", CASES)
def test_an_expired_token_is_renewed_or_named(
    case: str,
    action: Callable[[World], Call],
    tmp_path: Path,
    shown: Callable[[PortError | None], str],
) -> None:
    """A fixed token cannot be renewed; then nothing has happened, and the message says what to do."""
    with opened(case, tmp_path / "world", orders=3) as world:
        call = action(world)
        began = len(world.sandbox.books())
        world.sandbox.expire_tokens(world.name)
        try:
            assert call.act(world.client())
        except Unauthorized as error:
            assert secrets_in(world, shown(error)) == []
            assert len(world.sandbox.books()) == began


def test_credentials_that_are_wrong_are_named(world: World, shown: Callable[[PortError | None], str]) -> None:
    settings = world.config[world.name].get("settings", {})
    world.tokens.clear()
    wrong = {name: f"{value[:-2]}{PLANTED}" for name, value in settings.items() if is_secret(name)}
    assert wrong
    with pytest.raises((Unauthorized, Refused)) as caught:
        list(world.client(tries=1, **wrong).fetch_orders(sorted(world.stored())[:1], now=world.now))
    assert secrets_in(world, shown(caught.value)) == []
    assert [v for v in wrong.values() if v in shown(caught.value)] == []
    world.tokens.clear()
