"""Reading Kuaishou's orders: complete under faults and changes, gone on with where it stopped, within the windows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from orderctl.model.errors import Refused, Temporary
from orderctl.ports.platforms.kuaishou.client import Kuaishou
from orderctl.ports.platforms.kuaishou.gateway import millis
from orderctl.ports.platforms.kuaishou.orders import Orders, needs_detail, paid_back, unified
from orderctl.ports.platforms.port import Shop, shift
from tests.ports.http.rehearsal import NOW, TokensInMemory, http_over
from tests.ports.platforms.kuaishou.fixtures import recorded
from tests.ports.platforms.kuaishou.rehearsal import payload, rows, world

FIXED = {"app_key": "1", "app_secret": "2", "sign_secret": "3", "access_token": "4"}


@pytest.mark.parametrize("seed", range(1, 5))
def test_every_order_arrives_under_faults(tmp_path: Path, seed: int) -> None:
    with world(tmp_path, orders=160) as rehearsal:
        shop = rehearsal.shop()
        calm = {row["platform_ref"]: row["payload"] for row in rows(shop.fetch(now=NOW))}
        assert set(calm) == set(rehearsal.orders())
        rehearsal.faults(seed, 0.3)
        pages = list(shop.fetch(now=NOW))
        assert {row["platform_ref"]: row["payload"] for row in rows(pages)} == calm
        assert all(page.certificate.expected is None for page in pages if page.certificate)


@pytest.mark.parametrize("sort", ["1", "2"])
def test_nothing_is_missed_or_doubled_while_orders_change(tmp_path: Path, sort: str) -> None:
    with world(tmp_path, orders=400) as rehearsal:
        shop = rehearsal.shop(sort=sort)
        met: list[tuple[str | None, str | None]] = []
        cursor, touched = None, []
        for page in shop.fetch(now=NOW):
            met += [(row["platform_ref"], row["updated_at"]) for row in page.records]
            cursor = page.cursor or cursor
            for row in page.records[5:8] if len(touched) < 12 else []:
                rehearsal.clock.at += 1
                rehearsal.sandbox.touch(row["platform_ref"] or "", memo="改过")
                touched.append(row["platform_ref"])
        assert len(touched) >= 12
        assert {ref for ref, _ in met} == set(rehearsal.orders())
        assert len(met) == len(set(met))
        rehearsal.clock.at += 200
        later = rows(shop.fetch(now=rehearsal.http.instant(), cursor=cursor))
        changed = {row["platform_ref"] for row in later if "改过" in (row["payload"] or "")}
        assert changed == set(touched)


def test_a_fetch_goes_on_at_the_page_where_it_stopped(tmp_path: Path) -> None:
    with world(tmp_path, orders=300) as rehearsal:
        shop = rehearsal.shop()
        whole = [row["platform_ref"] for row in rows(shop.fetch(now=NOW))]
        met: list[str | None] = []
        cursor = None
        for _ in range(60):
            for page in shop.fetch(now=NOW, cursor=cursor):
                met += [row["platform_ref"] for row in page.records]
                if page.cursor:
                    cursor = page.cursor
                    break  # it dies as soon as something is kept
            if cursor and json.loads(cursor)["until"] > shift(NOW, -300):
                break
        assert sorted(met, key=str) == sorted(whole, key=str)


def test_a_cursor_that_is_not_taken_any_more_begins_the_window_anew(tmp_path: Path) -> None:
    with world(tmp_path, orders=200) as rehearsal:
        shop = rehearsal.shop()
        page = next(page for page in shop.fetch(now=NOW) if page.records)
        broken = json.loads(page.cursor or "") | {"place": "bm9uc2Vuc2U="}
        found = {row["platform_ref"] for row in rows(shop.fetch(now=NOW, cursor=json.dumps(broken)))}
        assert found == set(rehearsal.orders())


def test_a_busy_season_shrinks_the_windows(tmp_path: Path) -> None:
    with world(tmp_path, orders=80) as rehearsal:
        rehearsal.sandbox.control({"window": 24})
        pages = list(rehearsal.shop(history_days="6").fetch(now=NOW))
        assert {row["platform_ref"] for row in rows(pages)} == set(rehearsal.orders())
        spans = [page.certificate.window for page in pages if page.certificate]
        assert len(spans) >= 6
        assert all(millis(span.until) - millis(span.since) <= 86_400_000 for span in spans)


def test_only_what_changed_is_read_again(tmp_path: Path) -> None:
    with world(tmp_path, orders=60) as rehearsal:
        shop = rehearsal.shop()
        cursor = [page.cursor for page in shop.fetch(now=NOW) if page.cursor][-1]
        rehearsal.clock.at += 3600
        made = {order.ref for order in rehearsal.sandbox.add_orders(3, shop="kuaishou-demo")}
        rehearsal.clock.at += 600
        now = rehearsal.http.instant()
        assert {row["platform_ref"] for row in rows(shop.fetch(now=now, cursor=cursor))} == made
        by_creation = rows(shop.fetch(now=now, by="created", since=shift(NOW, 60)))
        assert {row["platform_ref"] for row in by_creation} == made


def test_orders_by_number(tmp_path: Path) -> None:
    with world(tmp_path, orders=60) as rehearsal:
        refs = sorted(rehearsal.orders())
        asked = [*refs, "99", "no number", "2632410000000401"]  # the last is a gift of the fourth
        pages = list(rehearsal.shop().fetch_orders(asked, now=NOW))
        assert sorted(row["platform_ref"] or "" for row in rows(pages)) == refs
        assert [ref for page in pages for ref in page.missing] == asked[-3:]


def test_list_and_detail_give_the_same_order(tmp_path: Path) -> None:
    """Whichever version answers: names of blocks and what is behind a gift's number."""
    with world(tmp_path, orders=60) as rehearsal:
        shop = rehearsal.shop()
        listed = {row["platform_ref"]: payload(row) for row in rows(shop.fetch(now=NOW))}
        single = {
            row["platform_ref"]: payload(row)
            for row in rows(shop.fetch_orders(sorted(map(str, listed)), now=NOW))
        }
        for ref, order in listed.items():
            for block in ("orderItemInfo", "orderRefundList", "orderNote", "orderAddress", "subOrderInfo"):
                assert order[block] == single[ref][block], (ref, block)
            assert not {"orderNoteInfo", "orderDetailRefundList"} & (order.keys() | single[ref].keys())


def test_money_that_went_back_is_asked_for(tmp_path: Path) -> None:
    with world(tmp_path, orders=60) as rehearsal:
        partly, whole = rehearsal.case("refunded in part"), rehearsal.case("refunded")
        found = {row["platform_ref"]: row for row in rows(rehearsal.shop().fetch(now=NOW))}
        assert json.loads(found[partly]["parts"] or "")["refund"]["refundFee"] == 200
        assert found[whole]["parts"] is None  # it is closed: all of it went back
        assert rows(rehearsal.shop(refunds="skip").fetch_orders([partly], now=NOW))[0]["parts"] is None


def shop_over(handler: Callable[[httpx.Request], httpx.Response]) -> Kuaishou:
    http, _ = http_over(handler)
    return Kuaishou(Shop("s", "kuaishou", None, FIXED), http, TokensInMemory())


def listing(*answers: dict[str, Any]) -> tuple[Kuaishou, list[dict[str, Any]]]:
    """Give a shop whose list answers in turn, and what it was asked."""
    asked: list[dict[str, Any]] = []
    left = list(answers)

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(dict(parse_qsl(request.url.query.decode()))["param"]))
        return httpx.Response(200, json={"result": 1, "data": left.pop(0)})

    return shop_over(handler), asked


def test_everything_but_the_cursor_stays_the_same_to_the_end_mark() -> None:
    first, second, third = recorded()[:3]
    shop, asked = listing({"cursor": "c1", "orderList": [first]}, {"cursor": "c2", "orderList": []},
                          {"cursor": "nomore", "orderList": [second, third]})  # fmt: skip
    since = shift(NOW, -86_400)
    found = rows(shop.fetch(now=NOW, since=since, until=shift(NOW, -600)))
    assert len(found) == 3  # an empty page is not the end
    assert [param.pop("cursor") for param in asked] == ["", "c1", "c2"]
    assert asked[0] == asked[1] == asked[2]
    assert asked[0]["beginTime"] == millis(since)
    assert (asked[0]["pageSize"], asked[0]["queryType"], asked[0]["orderViewStatus"]) == (50, 2, 1)


@pytest.mark.parametrize("answer", [{"orderList": []}, {"cursor": "", "orderList": []}, {"cursor": None}, {}])
def test_neither_end_nor_way_on_is_never_taken_for_the_end(answer: dict[str, Any]) -> None:
    shop, _ = listing(answer)
    with pytest.raises(Temporary):
        list(shop.fetch(now=NOW, since=shift(NOW, -86_400)))


def test_a_list_that_leads_back_to_itself_is_refused() -> None:
    shop, _ = listing({"cursor": "c1", "orderList": []}, {"cursor": "c1", "orderList": []})
    with pytest.raises(Refused) as caught:
        list(shop.fetch(now=NOW, since=shift(NOW, -86_400)))
    assert caught.value.code == "page_repeats"


def test_entries_without_a_number_are_told() -> None:
    shop, _ = listing({"cursor": "nomore", "orderList": [recorded()[0], {"orderBaseInfo": {}}, "odd"]})
    pages = list(shop.fetch(now=NOW, since=shift(NOW, -86_400)))
    assert len(rows(pages)) == 1
    assert [str(text) for page in pages for text in page.warnings] == [
        "open.order.cursor.list: 2 entries without an order number"
    ]


def test_windows_are_no_wider_than_the_platform_allows() -> None:
    assert Orders.reach.window_s == 7 * 86_400
    assert Orders.reach.back_days < 90


def test_a_detail_is_asked_for_only_where_the_list_is_not_enough() -> None:
    for order in recorded():
        assert not needs_detail(unified(order))
    order = recorded()[2]
    assert needs_detail(order | {"subOrderInfo": [{"subOrderId": 1}]})
    assert needs_detail(order | {"orderAddress": None})


def test_versions_of_the_answer_become_one() -> None:
    old = {
        "orderBaseInfo": {
            "oid": 1,
            "disableDeliveryReasonCode": [1, {"code": 2}],
            "orderRiskEventInfo": [{"a": 1}],
        },
        "orderDetailRefundList": [{"refundId": 1}],
        "orderNoteInfo": [{"note": "x"}],
    }
    assert unified(old) == {
        "orderBaseInfo": {
            "oid": 1,
            "disableDeliveryReasonCode": [1, '{"code":2}'],
            "orderRiskEventInfo": ['{"a":1}'],
        },
        "orderRefundList": [{"refundId": 1}],
        "orderNote": {"orderNoteInfo": [{"note": "x"}]},
    }
    assert unified({"orderNoteInfo": {"orderNoteInfo": []}}) == {"orderNote": {"orderNoteInfo": []}}
    assert unified(unified(old)) == unified(old)


@pytest.mark.parametrize(
    ("status", "refund", "way", "asked"),
    [(30, 60, 10, "7"), (70, 60, 1, "7"), (80, 60, 10, None), (30, 60, 3, None), (30, 10, 10, None)],
)
def test_which_refunds_are_asked_about(status: int, refund: int, way: int, asked: str | None) -> None:
    body = {
        "orderBaseInfo": {"status": status},
        "orderRefundList": [{"refundId": 7, "refundStatus": refund, "handlingWay": way}],
    }
    assert paid_back(body) == asked


def test_login_renewal_and_permission_taken_back(tmp_path: Path) -> None:
    with world(tmp_path, orders=20) as rehearsal:
        shop = rehearsal.shop(access_token="")
        back = httpx.get(shop.login_url("state-1", "http://127.0.0.1:1/back"), follow_redirects=False)
        query = dict(parse_qsl(httpx.URL(back.headers["location"]).query.decode()))
        assert query["state"] == "state-1"
        shop.exchange(query["code"], "http://127.0.0.1:1/back")
        first = dict(rehearsal.tokens["kuaishou-demo"])
        assert set(first) == {
            "access_token",
            "refresh_token",
            "expires_at",
            "refresh_expires_at",
            "seller_id",
            "scopes",
        }
        assert shop.identify() == "fakeseller0001"
        assert shop.standing().missing == ()
        with pytest.raises(Exception, match="access_token"):  # a code works once
            shop.exchange(query["code"], "http://127.0.0.1:1/back")
        rehearsal.sandbox.expire_tokens("kuaishou-demo")
        assert len(rows(shop.fetch(now=NOW))) == 20
        second = rehearsal.tokens["kuaishou-demo"]
        assert (
            second["access_token"] != first["access_token"]
            and second["refresh_token"] != first["refresh_token"]
        )
        rehearsal.sandbox.control({"revoke": {"kuaishou": True}})
        with pytest.raises(Exception, match="took its permission back"):
            shop.identify()
