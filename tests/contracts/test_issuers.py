"""What every issuer of waybill numbers keeps, whatever it connects to.

A new one needs one entry in CASES (how it is set up, what a good world answers); a missing entry is a failure.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest

from orderctl.model.errors import ConfigError, OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.ports import couriers
from orderctl.ports.couriers.port import Account, Party, WaybillRequest
from orderctl.ports.http import Http
from tests.ports.http.clock import http_over

SECRET = "PLANTED7731"
BUYER = "样例收件人13800000001"
Handler = Callable[[httpx.Request], httpx.Response]


@dataclass(frozen=True)
class Case:
    """How an issuer is rehearsed."""

    settings: dict[str, str]
    good: Handler


def good_kuaidi100(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"success": True, "code": 200, "data": {"kuaidinum": "YT1"}})


CASES = {"kuaidi100": Case({"key": SECRET + "a", "secret": SECRET + "b"}, good_kuaidi100)}
OFFLINE = {"number_range": "asks nobody"}


def raises(error: Exception) -> Handler:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    return handler


def answers(status: int, text: str, **headers: str) -> Handler:
    return lambda _: httpx.Response(status, content=text.encode(), headers=headers)


ECHO = f'{{"message":"{SECRET} {BUYER}"}}'
FAULTS: dict[str, tuple[Handler, type[PortError]]] = {
    "timeout": (raises(httpx.ReadTimeout(SECRET)), OutcomeUnknown),
    "no connection": (raises(httpx.ConnectError(SECRET)), Temporary),
    "cut": (raises(httpx.RemoteProtocolError(SECRET)), OutcomeUnknown),
    "429": (answers(429, ECHO), Temporary),
    "500": (answers(500, ECHO), OutcomeUnknown),
    "cut JSON": (answers(200, ECHO[:-5]), OutcomeUnknown),
    "wrong type": (answers(200, f'["{SECRET}"]'), OutcomeUnknown),
    "no JSON": (answers(200, f"<html>{SECRET}"), OutcomeUnknown),
    "credentials refused": (answers(401, ECHO), Unauthorized),
    "not found": (answers(404, ECHO), Refused),
    "redirect": (answers(307, "", Location=f"https://elsewhere.example.com/{SECRET}"), Refused),
}
REQUEST = WaybillRequest("S-1", "YTO", Party(BUYER, "1"), Party(BUYER, "1"), "样例商品")


def buy(name: str, http: Http, base_url: str | None = None) -> object:
    account = Account("a", base_url, CASES[name].settings)
    return couriers.load(name)(account, http=http, take_number=lambda *_: "").buy(REQUEST)


def test_every_issuer_is_rehearsed() -> None:
    assert set(CASES) | set(OFFLINE) == set(couriers.ISSUERS)


@pytest.mark.parametrize("name", couriers.ISSUERS)
def test_every_entry_loads(name: str) -> None:
    assert couriers.load(name).name == name


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_has_one_meaning(name: str, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    handler, expected = FAULTS[fault]
    sent = []

    def counted(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return handler(request)

    http, _ = http_over(counted)
    with caplog.at_level(logging.DEBUG), pytest.raises(PortError) as caught:
        buy(name, http)
    assert type(caught.value) is expected
    assert len(sent) == 1 or type(caught.value) is Temporary  # what may have happened is never repeated
    assert_silent(caught.value, caplog)


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_good_world_is_asked_once(name: str) -> None:
    sent = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return CASES[name].good(request)

    http, _ = http_over(handler)
    assert buy(name, http)
    assert len(sent) == 1


@pytest.mark.parametrize("name", sorted(CASES))
def test_plain_http_to_another_machine_is_refused(name: str) -> None:
    http, _ = http_over(lambda _: pytest.fail("sent"))
    with pytest.raises(ConfigError, match="only https"):
        buy(name, http, "http://a.example.com")


def assert_silent(error: PortError, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing planted surfaces: not in messages in either language, not in a traceback, not in a log."""
    records = "".join(repr(record.__dict__) for record in caplog.records)
    trace = "".join(traceback.format_exception(error))
    shown = "".join([str(error), repr(error), error.render(), error.render("zh"), error.code, trace, records])
    assert SECRET not in shown
    assert BUYER not in shown
