"""Douyin: complete reading of lists that shift, single orders, push messages."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from orderctl.model.errors import Refused
from orderctl.ports.platforms.douyin import orders
from orderctl.ports.platforms.douyin.events import sign_event
from orderctl.ports.platforms.port import Window
from tests.ports.http.rehearsal import NOW
from tests.ports.platforms.douyin.rehearsal import KEY, SECRET, ok, over, payload, rows, world


@pytest.mark.parametrize("seed", range(1, 5))
def test_every_order_arrives_under_faults(tmp_path: Path, seed: int) -> None:
    with world(tmp_path, orders=150) as rehearsal:
        rehearsal.faults(seed, 0.3)
        pages = list(rehearsal.shop().fetch(now=rehearsal.now()))
        refs = [row["platform_ref"] for row in rows(pages)]
        assert sorted(str(ref) for ref in refs) == sorted(rehearsal.orders())
        assert all(page.certificate.complete for page in pages if page.certificate)
        assert sum(page.certificate.expected or 0 for page in pages if page.certificate) == 150


def test_nothing_is_missed_while_orders_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderctl.ports.platforms.reading.PASSES", 1)
    with world(tmp_path, orders=700) as rehearsal:
        shop = rehearsal.shop()
        rehearsal.sandbox.set_churn("douyin-demo", 5)
        pages = []
        for page in shop.fetch(now=rehearsal.now()):
            rehearsal.clock.at += 1
            pages.append(page)
        rehearsal.sandbox.set_churn("douyin-demo", 0)
        met = {row["platform_ref"] for row in rows(pages)}
        cursor = [page.cursor for page in pages if page.cursor][-1]
        rehearsal.clock.at += 200
        newest = {
            row["platform_ref"]: payload(row)
            for row in rows([*pages, *shop.fetch(now=rehearsal.now(), cursor=cursor)])
        }
        assert met | set(newest) == set(rehearsal.orders())
        assert {ref: body["seller_words"] for ref, body in newest.items()} == {
            ref: body["seller_words"] for ref, body in rehearsal.orders().items()
        }


def test_a_fetch_goes_on_from_its_cursor(tmp_path: Path) -> None:
    with world(tmp_path, orders=40) as rehearsal:
        shop = rehearsal.shop()
        cursor = [page.cursor for page in shop.fetch(now=rehearsal.now()) if page.cursor][-1]
        rehearsal.clock.at += 3600
        made = {order.ref for order in rehearsal.sandbox.add_orders(3, shop="douyin-demo")}
        rehearsal.clock.at += 600
        assert {row["platform_ref"] for row in rows(shop.fetch(now=rehearsal.now(), cursor=cursor))} == made
        by_creation = rows(shop.fetch(now=rehearsal.now(), by="created"))
        assert {row["platform_ref"] for row in by_creation} == set(rehearsal.orders())


def test_an_interrupted_fetch_goes_on_at_its_page(tmp_path: Path) -> None:
    with world(tmp_path, orders=450) as rehearsal:
        shop = rehearsal.shop()
        whole = len(rows(shop.fetch(now=NOW)))
        assert whole == 450
        met: list[str] = []
        cursor = None
        for page in shop.fetch(now=NOW):
            met += [row["platform_ref"] or "" for row in page.records]
            cursor = page.cursor or cursor
            if len(met) >= 200:
                break
        rest = [row["platform_ref"] or "" for row in rows(shop.fetch(now=NOW, cursor=cursor))]
        assert sorted(met + rest) == sorted(rehearsal.orders())


def test_windows_join_and_are_divided_below_the_cap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderctl.sandbox.douyin.reading.DEEPEST", 200)
    with world(tmp_path, orders=1_000) as rehearsal:
        pages = list(rehearsal.shop().fetch(now=rehearsal.now()))
        assert {row["platform_ref"] for row in rows(pages)} == set(rehearsal.orders())
        windows = [page.certificate.window for page in pages if page.certificate]
        assert all(a.until == b.since for a, b in pairwise(windows))
        assert len(windows) > 13 + 7  # 13 weeks, the last of them in pieces


def test_pages_are_walked_from_the_last_to_the_first() -> None:
    asked: list[dict[str, object]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return ok({"page": 0, "size": 100, "total": 250, "shop_order_list": []})

    lister = orders.Orders(over(handler)[0]._gateway)
    window = Window("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z")
    total = lister.count(window, "created")
    place, visited = lister.start(window, "created", total), []
    while place is not None:
        visited.append(place)
        place = lister.page(window, "created", place).next
    assert visited == ["2", "1", "0"]
    assert lister.start(window, "created", 0) is None
    assert lister.start(window, "created", 100) == "0"
    assert asked[0] == {
        "create_time_start": 1795132800, "create_time_end": 1795219200, "order_by": "create_time", "order_asc": True,
        "page": 0, "size": 1,
    }  # fmt: skip


def test_orders_by_number(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        refs = sorted(rehearsal.orders())
        pages = list(rehearsal.shop().fetch_orders([*refs, "99"], now=NOW))
        assert sorted(row["platform_ref"] or "" for row in rows(pages)) == refs
        assert [ref for page in pages for ref in page.missing] == ["99"]


def test_the_list_tells_what_the_detail_tells(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        shop = rehearsal.shop()
        hidden = ("relation_order", "writeoff_info", "encrypt_post_receiver", "encrypt_post_tel", "post_addr")
        listed = {row["platform_ref"]: payload(row) for row in rows(shop.fetch(now=NOW))}
        for row in rows(shop.fetch_orders([*rehearsal.orders()], now=NOW)):
            one, other = payload(row), listed[row["platform_ref"]]
            assert {k: v for k, v in one.items() if k not in hidden} == {
                k: v for k, v in other.items() if k not in hidden
            }


def test_a_setting_about_bundles_travels_with_the_record(tmp_path: Path) -> None:
    with world(tmp_path, orders=3) as rehearsal:
        assert all(row["facts"] is None for row in rows(rehearsal.shop().fetch(now=NOW)))
        found = rows(rehearsal.shop(bundle_counts="all").fetch(now=NOW))
        assert {row["facts"] for row in found} == {'{"bundle_counts":"all"}'}


VECTOR = b'[{"tag":"101","msg_id":"1","data":"{\\"p_id\\":\\"6900000000000000001\\"}"}]'


def test_the_vector_of_a_push_message() -> None:
    assert sign_event(KEY, SECRET, VECTOR) == "7ec9382b7f651e4fb229b293aace8ff5"
    shop, _ = over(lambda _: httpx.Response(500))
    headers = {"app-id": KEY, "event-sign": "7ec9382b7f651e4fb229b293aace8ff5"}
    assert shop.event_orders(headers, VECTOR) == ("6900000000000000001",)


def pushed(body: bytes, **headers: str) -> tuple[str, ...]:
    shop, _ = over(lambda _: httpx.Response(500))
    return shop.event_orders({"app-id": KEY, "event-sign": sign_event(KEY, SECRET, body), **headers}, body)


def message(tag: str, data: object, *, text: bool = True) -> dict[str, object]:
    return {"tag": tag, "msg_id": f"{tag}:1", "data": json.dumps(data) if text else data}


def test_push_messages_name_orders_of_this_shop_once() -> None:
    messages = [
        message("101", {"p_id": 6940000000000000101, "shop_id": 10000001}),
        message("102", {"p_id": 6940000000000000101, "shop_id": 10000001}, text=False),
        message("206", {"p_id": "6940000000000000301"}),
        message("101", {"p_id": 6940000000000000401, "shop_id": 10000002}),  # another shop of the app
        message("401", {"p_id": 6940000000000000501, "shop_id": 10000001}),  # of goods, not of orders
        {"tag": "0", "msg_id": "0", "data": "a test of the address"},
        message("200", {"aftersale_id": 1}),
    ]
    body = json.dumps(messages).encode()
    assert pushed(body) == ("6940000000000000101", "6940000000000000301")


def test_a_signature_over_the_body_without_blanks_counts() -> None:
    body = b'[ {"tag": "101", "data": "{\\"p_id\\":1}"} ]\n'
    stripped = b'[{"tag":"101","data":"{\\"p_id\\":1}"}]'
    assert pushed(body, **{"event-sign": sign_event(KEY, SECRET, stripped)}) == ("1",)


@pytest.mark.parametrize(
    "headers",
    [{"event-sign": ""}, {"event-sign": "0" * 32}, {"event-sign": "é"}, {"app-id": "7000000000000000002"}],
)
def test_an_unsigned_push_message_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Refused) as caught:
        pushed(VECTOR, **headers)
    assert caught.value.code == "signature"


@pytest.mark.parametrize(
    "body", [b"{", b"7", b'["x"]', b'[{"tag":"101","data":"{"}]', b'[{"tag":"101","data":[1]}]']
)
def test_a_signed_message_of_another_form_is_unreadable(body: bytes) -> None:
    with pytest.raises(Refused) as caught:
        pushed(body)
    assert caught.value.code == "unreadable"
