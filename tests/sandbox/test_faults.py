"""Faults on demand: each kind, when its effect takes place, and that patience always wins."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from orderctl.sandbox import Sandbox
from orderctl.sandbox.faults import AFTER, BEFORE, HARMLESS, IN_A_ROW, KINDS, Fault, Faults
from tests.sandbox.callers import Clock, Kuaidi100, Shopify, Taobao, lines

SEND = "taobao.logistics.offline.send"
BROKEN = (httpx.TransportError, json.JSONDecodeError, AssertionError)
SHIP = """mutation($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) { userErrors { message } } }"""


@pytest.mark.parametrize("kind", KINDS)
def test_shipping_at_taobao_under_each_fault(taobao: Taobao, sandbox: Sandbox, kind: str) -> None:
    tid = taobao.ready()[0]["tid"]
    sandbox.set_faults([{"on": SEND, "nth": 1, "fault": kind, "seconds": 0.05}])
    try:
        answer: dict[str, Any] | None = taobao.ship(tid)
    except BROKEN:
        answer = None
    booked = len(sandbox.books("ship"))
    assert booked == (0 if kind in BEFORE else 1)
    if kind in HARMLESS:
        assert answer == {**(answer or {}), "shipping": {"is_success": True}}
    elif kind in ("429", "throttled", "temporary"):
        assert answer is not None
        assert answer["code"] == (15 if kind == "temporary" else 7)
    else:
        assert answer is None
    again = taobao.ship(tid)
    assert ("shipping" in again) == (booked == 0)
    assert len(sandbox.books("ship")) == 1
    assert len(sandbox.books("refused")) == booked


def test_words_of_taobao(taobao: Taobao, sandbox: Sandbox) -> None:
    trade = taobao.ready()[0]["tid"]
    sandbox.set_faults(
        [["taobao.*", 1, "throttled"], ["taobao.*", 2, "temporary"], ["taobao.*", 3, "temporary"]]
    )
    error = taobao.ask("taobao.trades.sold.get", fields="tid")
    assert error["sub_msg"] == "This ban will last for 1 more seconds"
    assert (
        taobao.ask("taobao.trades.sold.get", fields="tid")["sub_code"] == "isp.top-remote-connection-timeout"
    )
    assert taobao.ship(trade)["sub_code"].endswith(":S01")
    assert taobao.ship(trade)["shipping"]["is_success"]


def test_words_of_shopify(shopify: Shopify, sandbox: Sandbox) -> None:
    sandbox.set_faults(
        [["shopify:shop", k + 1, kind] for k, kind in enumerate(("429", "throttled", "temporary", "5xx"))]
    )
    answer = shopify.post("{ shop { id } }")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert isinstance(answer.json()["errors"], str)
    throttled = shopify.ask("{ shop { id } }")
    assert throttled["errors"][0]["extensions"]["code"] == "THROTTLED"
    cost = throttled["extensions"]["cost"]
    assert cost["requestedQueryCost"] > cost["throttleStatus"]["currentlyAvailable"]
    # the third in a row is spared, so the next fault of the plan strikes the call after it
    assert "data" in shopify.ask("{ shop { id } }")
    assert shopify.post("{ shop { id } }").status_code == 502


def test_words_of_kuaidi100(kuaidi100: Kuaidi100, sandbox: Sandbox) -> None:
    sandbox.set_faults([["kuaidi100:order", 1, "429"], ["kuaidi100:order", 2, "temporary"]])
    assert [kuaidi100.order()["code"] for _ in range(3)] == [502, 501, 200]
    assert len(sandbox.books("waybill")) == 1


@pytest.mark.parametrize("kind", AFTER)
def test_a_number_bought_in_silence_is_found_by_asking_again(
    kuaidi100: Kuaidi100, sandbox: Sandbox, kind: str
) -> None:
    sandbox.set_faults([{"on": "/kuaidi100/label/order", "nth": 1, "fault": kind, "seconds": 0.05}])
    with pytest.raises(BROKEN):
        kuaidi100.order()
    (row,) = sandbox.books("waybill")
    assert kuaidi100.order()["data"]["kuaidinum"] == row["number"]
    assert len(sandbox.books("waybill")) == 1


@pytest.mark.parametrize("kind", [*AFTER, "cut", "5xx"])
def test_a_shipment_at_shopify_is_seen_in_the_order_or_was_none(
    shopify: Shopify, sandbox: Sandbox, kind: str
) -> None:
    query = """{ orders(first: 1, sortKey: CREATED_AT) { nodes { fulfillments { id }
        fulfillmentOrders(first: 1) { nodes { id } } } } }"""
    order = shopify.data(query)["orders"]["nodes"][0]
    part = order["fulfillmentOrders"]["nodes"][0]["id"]
    sandbox.set_faults([{"on": "shopify:fulfillmentCreate", "nth": 1, "fault": kind, "seconds": 0.05}])
    with pytest.raises(BROKEN):
        shopify.ask(SHIP, f={"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": part}]})
    seen = len(shopify.data(query)["orders"]["nodes"][0]["fulfillments"])
    assert seen == len(sandbox.books("ship")) == (1 if kind in AFTER else 0)


def test_silence_outlasts_an_impatient_client(taobao: Taobao, sandbox: Sandbox) -> None:
    tid = taobao.ready()[0]["tid"]
    sandbox.set_faults([{"on": SEND, "nth": 1, "fault": "after_silence", "seconds": 30}])
    taobao.http.timeout = httpx.Timeout(0.3)
    with pytest.raises(httpx.ReadTimeout):
        taobao.ship(tid)
    assert len(sandbox.books("ship")) == 1
    before = time.monotonic()
    sandbox.stop()  # does not wait for the silence to end
    assert time.monotonic() - before < 5


def test_slow_answers_are_whole(taobao: Taobao, sandbox: Sandbox) -> None:
    sandbox.set_faults([{"on": "taobao.time.get", "nth": 1, "fault": "slow", "seconds": 0.2}])
    before = time.monotonic()
    assert "time" in taobao.ask("taobao.time.get")
    assert time.monotonic() - before >= 0.2


def test_pages_with_repeated_and_reordered_rows_hold_the_same_trades(
    taobao: Taobao, sandbox: Sandbox
) -> None:
    good = [trade["tid"] for trade in taobao.trades()]
    sandbox.set_faults([["taobao.trades.sold.get", 1, "duplicate"], ["taobao.trades.sold.get", 2, "shuffle"]])
    doubled = [trade["tid"] for trade in taobao.trades()]
    assert len(doubled) > len(good)
    assert set(doubled) == set(good)
    shuffled = [trade["tid"] for trade in taobao.trades()]
    assert shuffled != good
    assert sorted(shuffled) == sorted(good)


def test_nth_may_be_a_list_and_counts_matching_calls_only(taobao: Taobao, sandbox: Sandbox) -> None:
    sandbox.set_faults([["taobao.time.get", [1, 3], "throttled"]])
    codes = []
    for _ in range(4):
        codes.append(taobao.ask("taobao.time.get").get("code"))
        taobao.trades()
    assert codes == [7, None, 7, None]


def test_faults_are_set_and_lifted_over_http(taobao: Taobao, url: str) -> None:
    def control(**wish: Any) -> httpx.Response:
        return taobao.http.post(f"{url}/_control", json=wish)

    assert control(faults=[["taobao.*", [1, 2, 3], "5xx"]]).status_code == 200
    with pytest.raises(AssertionError):
        taobao.trades()
    assert control(faults=None).status_code == 200
    assert taobao.trades()
    refused = control(faults=[["taobao.*", 1, "earthquake"]])
    assert (refused.status_code, "earthquake" in refused.json()["error"]) == (400, True)


def test_the_default_mix_is_bounded_for_every_request() -> None:
    for seed in range(40):
        faults = Faults({"seed": seed, "rate": 0.9})
        row: dict[str, int] = {}
        for call in range(400):
            subject = str(call % 3)
            fault = faults.draw("op", "/path", subject, pages=True)
            failing = fault is not None and fault.kind not in HARMLESS
            row[subject] = row.get(subject, 0) + 1 if failing else 0
            assert row[subject] <= IN_A_ROW


def test_the_mix_is_decided_by_its_seed_and_knows_every_kind() -> None:
    def draws(seed: int) -> list[Fault | None]:
        faults = Faults(seed)
        return [faults.draw("op", "/path", str(call), pages=True) for call in range(2000)]

    assert draws(1) == draws(1) != draws(2)
    kinds = {fault.kind for fault in draws(1) if fault}
    assert kinds == set(KINDS)
    assert 0.15 < sum(fault is not None for fault in draws(1)) / 2000 < 0.35
    assert not any(Faults(None).draw("op", "/path", "", pages=True) for _ in range(100))


def patiently(call: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """Repeat a call until it gives a whole answer that is no request to wait."""
    for _ in range(IN_A_ROW + 1):
        try:
            answer = dict(call(*args, **kwargs))
        except BROKEN:
            continue
        text = json.dumps(answer, ensure_ascii=False)
        if not any(word in text for word in ("App Call Limited", "isp.top-remote", ":S01", "服务器")):
            return answer
    raise AssertionError("three tries were not enough")


@pytest.mark.parametrize("seed", range(3))
def test_a_patient_client_ships_everything_once(
    taobao: Taobao, sandbox: Sandbox, clock: Clock, seed: int
) -> None:
    trades = taobao.ready()[:25]
    sandbox.set_faults({"seed": seed, "rate": 0.5, "seconds": 0.01})
    for index, trade in enumerate(trades):
        answer = patiently(taobao.ship, trade["tid"], f"7310{index:010d}")
        assert "shipping" in answer or answer["sub_code"].endswith("B04")
        detail = patiently(taobao.ask, "taobao.trade.fullinfo.get", tid=trade["tid"], fields="orders")[
            "trade"
        ]
        assert {line["invoice_no"] for line in lines(detail)} == {f"7310{index:010d}"}
    shipped = [row["subject"] for row in sandbox.books("ship")]
    assert sorted(shipped) == sorted(trade["tid_str"] for trade in trades)
