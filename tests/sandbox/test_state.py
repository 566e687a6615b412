"""The sandbox's memory: it survives restarts and kills, and tells everything it did."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from orderctl.sandbox import Sandbox
from orderctl.sandbox.people import GOODS
from tests.sandbox.callers import Clock, Kuaidi100, Shopify, Taobao


class Now(Clock):
    """The real clock, for a sandbox in a process of its own."""

    def __call__(self) -> float:
        return time.time()


def start_process(state: Path, *more: str) -> tuple[subprocess.Popen[str], str]:
    command = [
        sys.executable,
        "-m",
        "orderctl.sandbox",
        "--state",
        str(state),
        "--port",
        "0",
        "--orders",
        "60",
        *more,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", line)
    return process, line


def end(process: subprocess.Popen[str], how: signal.Signals) -> int:
    process.send_signal(how)
    process.wait(10)
    assert process.stdout is not None
    assert process.stdout.read() == ""
    process.stdout.close()
    return process.returncode


def test_restart_continues_the_same_world(tmp_path: Path, clock: Clock, http: httpx.Client) -> None:
    with Sandbox(tmp_path, orders=60, now=clock) as first:
        url = first.start()
        taobao = Taobao(f"{url}/taobao/router/rest", clock, http)
        trade = taobao.ready()[0]
        taobao.ship(trade["tid"])
        first.add_orders(2)
        before, books = taobao.trades(), first.books()
    with Sandbox(tmp_path, orders=999, seed=5, now=clock) as second:
        taobao.url = f"{second.start()}/taobao/router/rest"
        assert taobao.trades() == before
        assert second.books() == books
        assert taobao.ship(trade["tid"])["sub_code"].endswith("B04")
        second.add_orders(1, shop="tb-demo")
        assert len({one["tid"] for one in taobao.trades()}) == len(before) + 1


def test_kill_9_loses_no_effect_that_was_answered(tmp_path: Path, http: httpx.Client) -> None:
    clock, told = Now(), []
    for round in range(3):
        process, url = start_process(tmp_path)
        taobao = Taobao(f"{url}/taobao/router/rest", clock, http)
        aggregator = Kuaidi100(f"{url}/kuaidi100/label/order", clock, http)
        for index, trade in enumerate(taobao.ready()[:3]):
            number = aggregator.order(kuaidicom="zhongtong", orderId=f"S-{round}-{index}")["data"][
                "kuaidinum"
            ]
            assert taobao.ship(trade["tid"], number)["shipping"]["is_success"]
            told.append((trade["tid_str"], number))
        assert end(process, signal.SIGKILL) == -signal.SIGKILL
    process, url = start_process(tmp_path)
    try:
        books = http.get(f"{url}/_books").json()
    finally:
        assert end(process, signal.SIGTERM) == 0
    assert [(row["subject"], row["number"]) for row in books if row["kind"] == "ship"] == told
    assert [row["number"] for row in books if row["kind"] == "waybill"] == [number for _, number in told]


def test_kill_9_in_the_midst_of_shipping(tmp_path: Path, http: httpx.Client) -> None:
    process, url = start_process(tmp_path)
    taobao = Taobao(f"{url}/taobao/router/rest", Now(), http)
    trades, told = taobao.ready(), []
    threading.Timer(0.15, os.kill, (process.pid, signal.SIGKILL)).start()
    for index in range(10_000):
        trade = trades[index % len(trades)]
        try:
            answer = taobao.ship(trade["tid"], f"7310{index % len(trades):010d}")
        except httpx.TransportError:
            break
        if "shipping" in answer:
            told.append(trade["tid_str"])
    end(process, signal.SIGKILL)
    with Sandbox(tmp_path) as again:
        booked = [row["subject"] for row in again.books("ship")]
        assert set(told) <= set(booked)
        assert len(booked) == len(set(booked))
        for trade in trades:
            order = again.store.find("taobao", "tb-demo", trade["tid_str"])
            assert order is not None
            assert (order.status == "WAIT_BUYER_CONFIRM_GOODS") == (trade["tid_str"] in booked)


def test_many_clients_at_once_ship_each_trade_once(taobao: Taobao, sandbox: Sandbox) -> None:
    trades = taobao.ready()[:10]
    jobs = [(trade["tid"], f"7310{index:010d}") for index, trade in enumerate(trades)] * 4
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda job: taobao.ship(*job), jobs))
    assert sum("shipping" in answer for answer in answers) == 10
    assert len(sandbox.books("ship")) == 10
    assert len(sandbox.books("refused")) == 30


def test_many_clients_at_once_buy_each_number_once(kuaidi100: Kuaidi100, sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda k: kuaidi100.order(orderId=f"S-{k % 5}"), range(40)))
    assert len({answer["data"]["kuaidinum"] for answer in answers}) == 5
    assert len(sandbox.books("waybill")) == 5


def test_same_seed_same_world(tmp_path: Path, clock: Clock) -> None:
    def world(folder: str, seed: int) -> list[dict[str, Any]]:
        with Sandbox(tmp_path / folder, orders=60, seed=seed, now=clock) as sandbox:
            return [order.body for order in sandbox.store.select("1", (), "ORDER BY shop, number")]

    assert world("a", 1) == world("b", 1) != world("c", 2)
    assert len(world("a", 1)) == 60


@pytest.mark.parametrize("total", [0, 1, 2, 7, 41])
def test_there_are_exactly_as_many_orders_as_asked_for(tmp_path: Path, total: int) -> None:
    with Sandbox(tmp_path, orders=total) as sandbox:
        assert sandbox.store.size("1", ()) == total


def test_nobody_in_the_world_exists(sandbox: Sandbox) -> None:
    for order in sandbox.store.select("platform = 'taobao'", (), ""):
        name, mobile, street, _ = order.body["_person"]
        assert name.startswith("测试")
        assert mobile.startswith("1380000")
        assert street.startswith("样例路")
    for order in sandbox.store.select("platform = 'shopify'", (), ""):
        address = order.body["shippingAddress"]
        if address and address["countryCodeV2"] == "US":
            assert "-555-01" in address["phone"]
        elif address and address["countryCodeV2"] == "CN":
            assert address["phone"].startswith("+86 1380000")
        assert order.body["email"].endswith("@example.com")


def test_added_orders_arrive_now_and_ready(taobao: Taobao, sandbox: Sandbox, clock: Clock) -> None:
    first = taobao.trades()[-1]
    clock.at += 3600
    answer = sandbox.control({"add_orders": 2, "same_recipient_as": first["tid_str"]})
    assert [order["shop"] for order in answer["orders"]] == ["tb-demo", "tb-demo"]
    tids = [order["ref"] for order in answer["orders"]]
    added = [trade for trade in taobao.trades() if trade["tid_str"] in tids]
    assert {trade["status"] for trade in added} == {"WAIT_SELLER_SEND_GOODS"}
    assert {trade["receiver_mobile"] for trade in added} == {first["receiver_mobile"]}
    groups = {
        order.body["_group"]
        for order in sandbox.store.select("ref IN (?, ?, ?)", (first["tid_str"], *tids), "")
    }
    assert len(groups) == 1
    spread = sandbox.control({"add_orders": 20})["orders"]
    assert {order["shop"] for order in spread} == {"tb-demo", "sf-demo", "sf-cny"}


def test_added_orders_of_the_same_recipient_at_shopify(shopify: Shopify, sandbox: Sandbox) -> None:
    query = "query($f: String) { orders(first: 1, query: $f) { nodes { id email shippingAddress { name address1 } } } }"
    first = shopify.data(query, f="name:#1003")["orders"]["nodes"][0]
    made = sandbox.add_orders(1, same_recipient_as=first["id"])[0]
    again = shopify.data(query, f=f"id:{made.ref}")["orders"]["nodes"][0]
    assert {**again, "id": first["id"]} == first


def test_control_over_http(taobao: Taobao, url: str) -> None:
    def control(wish: Any) -> httpx.Response:
        return taobao.http.post(f"{url}/_control", json=wish)

    tid = taobao.ready()[0]["tid_str"]
    assert control({"touch": tid, "set": {"memo": "改好了"}}).status_code == 200
    assert taobao.detail(tid)["seller_memo"] == "改好了"
    assert control({"touch": tid, "set": {"status": "TRADE_CLOSED"}}).status_code == 200
    assert taobao.detail(tid)["status"] == "TRADE_CLOSED"
    for wrong in ({"touch": "1"}, {"touch": tid, "set": {"colour": 1}}, {"explode": True}, [], {"add_orders": "x"},
                  {"add_orders": 1, "shop": "nowhere"}, {"quota": {"mars": 1}}):  # fmt: skip
        assert control(wrong).status_code == 400, wrong
    assert taobao.http.get(f"{url}/_control").status_code == 405


def test_a_refused_control_changes_nothing(taobao: Taobao, url: str) -> None:
    before = taobao.trades()
    wish = {"add_orders": 3, "touch": before[0]["tid_str"], "set": {"colour": 1}}
    assert taobao.http.post(f"{url}/_control", json=wish).status_code == 400
    assert taobao.trades() == before


def test_books_are_filtered_and_hold_the_meaning(taobao: Taobao, url: str) -> None:
    tid = taobao.ready()[0]["tid_str"]
    taobao.ship(tid)
    taobao.ship(tid)
    every = taobao.http.get(f"{url}/_books").json()
    assert [row["kind"] for row in every] == ["ship", "refused"]
    (row,) = taobao.http.get(f"{url}/_books", params={"kind": "ship"}).json()
    assert row["request"] == {
        "method": "taobao.logistics.offline.send", "tid": tid, "out_sid": "73100000000001", "company_code": "ZTO",
    }  # fmt: skip
    known = {good.sku for good in GOODS} | {"XX-UNKNOWN"}
    assert {unit["sku"] for unit in row["detail"]["lines"]} <= known


def test_unknown_paths_and_oversized_bodies(taobao: Taobao, url: str) -> None:
    assert taobao.http.get(f"{url}/nothing").status_code == 404
    assert taobao.http.get(f"{url}/shopify/sf-demo/admin/api/2026-10/orders.json").status_code == 404
    assert taobao.http.get(url).json()["taobao"] == "/taobao"

    def chunks() -> Any:
        yield b"method=x"

    assert taobao.http.post(taobao.url, content=chunks()).status_code == 411


def test_the_sandbox_listens_on_loopback_only(url: str) -> None:
    assert url.startswith("http://127.0.0.1:")


def test_it_imports_nothing_of_the_program() -> None:
    code = "import orderctl.sandbox, sys; print(*sorted(m for m in sys.modules if m.startswith('orderctl')))"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert [name for name in found if name != "orderctl" and not name.startswith("orderctl.sandbox")] == []
