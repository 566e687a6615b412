"""What every connector in the registries keeps, whatever it connects to.

A new connector needs one entry in CASES (how it is set up, how its changing call looks, what a good world answers);
a missing entry is a failure.
"""

from __future__ import annotations

import ast
import json
import logging
import string
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from orderctl.model.errors import ConfigError, OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.model.text import sentences
from orderctl.ports import couriers, platforms
from orderctl.ports.couriers.port import Account, Party, WaybillRequest
from orderctl.ports.http import Http
from orderctl.ports.platforms.port import ShipLine, ShipRequest, Shop
from tests.ports.http.rehearsal import NOW, TokensInMemory, http_over

SECRET = "PLANTED7731"
BUYER = "样例收件人13800000001"
Handler = Callable[[httpx.Request], httpx.Response]


@dataclass(frozen=True)
class Case:
    """How a connector is rehearsed: `changing` tells its one request that changes the world."""

    settings: dict[str, str]
    changing: Callable[[httpx.Request], bool]
    good: Handler


def form(request: httpx.Request) -> dict[str, str]:
    return dict(parse_qsl(request.content.decode()))


def good_taobao(request: httpx.Request) -> httpx.Response:
    method = form(request)["method"].removeprefix("taobao.").replace(".", "_")
    body = {"trade": {"tid": 1, "orders": {"order": []}}, "shipping": {"is_success": True}}
    return httpx.Response(200, json={f"{method}_response": body})


def good_shopify(request: httpx.Request) -> httpx.Response:
    end = {"hasNextPage": False, "endCursor": None}
    item = {"id": "i", "remainingQuantity": 1, "lineItem": {"id": "gid://shopify/LineItem/1"}}
    part = {"id": "f", "status": "OPEN", "supportedActions": [{"action": "CREATE_FULFILLMENT"}],
            "lineItems": {"nodes": [item], "pageInfo": end}}  # fmt: skip
    data: dict[str, Any] = {
        "Shipped": {"order": {"fulfillments": []}},
        "ToShip": {"order": {"fulfillmentOrders": {"nodes": [part], "pageInfo": end}}},
        "Ship": {"fulfillmentCreate": {"fulfillment": {"id": "x"}, "userErrors": []}},
        "OrdersById": {"nodes": [None]},
    }
    return httpx.Response(200, json={"data": data[json.loads(request.content)["operationName"]]})


def good_kuaidi100(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"success": True, "code": 200, "data": {"kuaidinum": "YT1"}})


CASES = {
    "taobao": Case(
        {"app_key": "1", "app_secret": SECRET + "a", "session": SECRET + "b"},
        lambda request: "logistics" in form(request)["method"],
        good_taobao,
    ),
    "shopify": Case(
        {"domain": "sample.myshopify.com", "token": SECRET},
        lambda request: json.loads(request.content)["operationName"] == "Ship",
        good_shopify,
    ),
    "kuaidi100": Case({"key": SECRET + "a", "secret": SECRET + "b"}, lambda _: True, good_kuaidi100),
}
OFFLINE = {"number_range": "asks nobody"}


def raises(error: Exception) -> Handler:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    return handler


def answers(status: int, text: str, **headers: str) -> Handler:
    return lambda _: httpx.Response(status, content=text.encode(), headers=headers)


ECHO = f'{{"message":"{SECRET} {BUYER}"}}'
FAULTS: dict[str, tuple[Handler, type[PortError], type[PortError]]] = {
    "timeout": (raises(httpx.ReadTimeout(SECRET)), Temporary, OutcomeUnknown),
    "no connection": (raises(httpx.ConnectError(SECRET)), Temporary, Temporary),
    "cut": (raises(httpx.RemoteProtocolError(SECRET)), Temporary, OutcomeUnknown),
    "429": (answers(429, ECHO), Temporary, Temporary),
    "500": (answers(500, ECHO), Temporary, OutcomeUnknown),
    "cut JSON": (answers(200, ECHO[:-5]), Temporary, OutcomeUnknown),
    "wrong type": (answers(200, f'["{SECRET}"]'), Temporary, OutcomeUnknown),
    "no JSON": (answers(200, f"<html>{SECRET}"), Temporary, OutcomeUnknown),
    "credentials refused": (answers(401, ECHO), Unauthorized, Unauthorized),
    "not found": (answers(404, ECHO), Refused, Refused),
    "redirect": (answers(307, "", Location=f"https://elsewhere.example.com/{SECRET}"), Refused, Refused),
}
REQUEST = WaybillRequest("S-1", "YTO", Party(BUYER, "1"), Party(BUYER, "1"), "样例商品")


def read(name: str, http: Http) -> object:
    shop = Shop("s", name, None, CASES[name].settings)
    return list(platforms.load(name)(shop, http, TokensInMemory()).fetch_orders(["1"], now=NOW))


def change(name: str, http: Http) -> object:
    settings = CASES[name].settings
    if name in couriers.ISSUERS:
        account = Account("a", None, settings)
        return couriers.load(name)(account, http=http, take_number=lambda *_: "").buy(REQUEST)
    request = ShipRequest("1", (ShipLine("1", 1, 1),), "N1", "ZTO", whole=True)
    return platforms.load(name)(Shop("s", name, None, settings), http, TokensInMemory()).ship(request)


def test_every_connector_is_rehearsed() -> None:
    assert set(CASES) | set(OFFLINE) == set(platforms.clients()) | set(couriers.ISSUERS)


@pytest.mark.parametrize("name", [*platforms.clients(), *couriers.ISSUERS])
def test_every_entry_loads(name: str) -> None:
    found = (platforms if name in platforms.clients() else couriers).load(name)
    assert found.name == name


@pytest.mark.parametrize("name", sorted(set(platforms.clients()) & set(CASES)))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_while_reading(name: str, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    handler, expected, _ = FAULTS[fault]
    http, _ = http_over(handler)
    with caplog.at_level(logging.DEBUG), pytest.raises(PortError) as caught:
        read(name, http)
    assert type(caught.value) is expected
    assert_silent(caught.value, caplog)


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_while_changing(name: str, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    handler, _, expected = FAULTS[fault]
    case, sent = CASES[name], []

    def only_changes_fail(request: httpx.Request) -> httpx.Response:
        if not case.changing(request):
            return case.good(request)
        sent.append(request)
        return handler(request)

    http, _ = http_over(only_changes_fail)
    with caplog.at_level(logging.DEBUG), pytest.raises(PortError) as caught:
        change(name, http)
    assert type(caught.value) is expected
    assert len(sent) == 1 or type(caught.value) is Temporary  # what may have happened is never repeated
    assert_silent(caught.value, caplog)


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_good_world_gets_exactly_one_change(name: str) -> None:
    case, sent = CASES[name], []

    def handler(request: httpx.Request) -> httpx.Response:
        if case.changing(request):
            sent.append(request)
        return case.good(request)

    http, _ = http_over(handler)
    assert change(name, http)
    assert len(sent) == 1


@pytest.mark.parametrize("name", sorted(CASES))
def test_plain_http_to_another_machine_is_refused(name: str) -> None:
    http, _ = http_over(lambda _: pytest.fail("sent"))
    settings = CASES[name].settings
    with pytest.raises(ConfigError, match="only https"):
        if name in couriers.ISSUERS:
            couriers.load(name)(
                Account("a", "http://a.example.com", settings), http=http, take_number=lambda *_: ""
            ).buy(REQUEST)
        else:
            shop = Shop("s", name, "http://a.example.com", settings)
            list(platforms.load(name)(shop, http, TokensInMemory()).fetch_orders(["1"], now=NOW))


def assert_silent(error: PortError, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing planted surfaces: not in messages in either language, not in a traceback, not in a log."""
    records = "".join(repr(record.__dict__) for record in caplog.records)
    trace = "".join(traceback.format_exception(error))
    shown = "".join([str(error), repr(error), error.render(), error.render("zh"), error.code, trace, records])
    assert SECRET not in shown
    assert BUYER not in shown


PORTS = Path(platforms.__file__).parents[1]
SOURCES = [PORTS / "http.py", PORTS / "addresses.py"]
SOURCES += sorted(
    path
    for folder in ("platforms", "couriers")
    for path in (PORTS / folder).rglob("*.py")
    if path.name not in ("mapper.py", "export.py")
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.name)
def test_every_sentence_has_its_chinese(path: Path) -> None:
    chinese = sentences("zh")
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Text" and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant):
                assert fields(chinese[first.value]) == fields(first.value)


def test_every_sentence_of_a_table_has_its_chinese() -> None:
    from orderctl.ports.platforms.taobao.meaning import SENTENCES, SHIP_MEANING

    chinese = sentences("zh")
    assert set(SHIP_MEANING.values()) - {"busy", "token_expired"} == set(SENTENCES)
    for sentence in SENTENCES.values():
        assert fields(chinese[sentence]) == fields(sentence)


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}
