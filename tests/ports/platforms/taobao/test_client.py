"""Taobao: signatures, meaning of answers, complete reading of shifting lists, shipping once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest

from orderctl.model.errors import ConfigError, OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.ports.platforms.port import Page, Platform, RawRow, ShipLine, ShipRequest, Shop, shift
from orderctl.ports.platforms.taobao.client import Taobao
from orderctl.ports.platforms.taobao.gateway import parse_token, sign
from orderctl.ports.platforms.taobao.mapper import TRADE
from orderctl.ports.platforms.taobao.meaning import classify
from orderctl.ports.platforms.taobao.orders import DETAIL_FIELDS, FIELDS, Sold
from orderctl.ports.platforms.wallclock import beijing, instant_of
from tests.ports.http.rehearsal import NOW, TAOBAO, TokensInMemory, World, http_over, world

V1 = {
    "app_key": "12345678", "fields": "num_iid,title,nick,price,num", "format": "json",
    "method": "taobao.item.seller.get", "num_iid": "11223344", "session": "test",
    "timestamp": "2016-01-01 12:00:00", "v": "2.0",
}  # fmt: skip
V2 = {
    "app_key": "test", "fields": "nick", "format": "xml", "method": "taobao.user.seller.get", "session": "test",
    "timestamp": "2013-05-06 13:52:03", "v": "2.0",
}  # fmt: skip
V5 = {
    "method": "taobao.trade.memo.update", "app_key": "12345678", "session": "test",
    "timestamp": "2016-01-01 12:00:00", "format": "json", "v": "2.0", "tid": "11223344", "memo": "加急发货",
}  # fmt: skip


@pytest.mark.parametrize(
    ("params", "secret", "method", "expected"),
    [
        (V1, "helloworld", "md5", "66987CB115214E59E6EC978214934FB8"),
        (V2, "test", "md5", "72CB4D809B375A54502C09360D879C64"),
        (V1, "helloworld", "hmac", "D56D7858309C31B6251083A874D48273"),
        (V1, "helloworld", "hmac-sha256", "04DB15AD0774D5CFCE2C837DE43E3FCEA9011ED74F3038FB6AB5F3C4CEA119E8"),
        (V5, "helloworld", "md5", "31E68C711086814728794C6122C0FC15"),
    ],
    ids=["V1", "V2", "V3", "V4", "V5"],
)
def test_signature_vectors(params: dict[str, str], secret: str, method: str, expected: str) -> None:
    assert sign(params | {"sign_method": method}, secret, method) == expected
    assert sign(params | {"sign_method": method, "empty": "", "sign": "x"}, secret, method) == expected


def test_an_unknown_signature_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError):
        sign({}, "s", "sha1")


def test_times_are_beijing_whatever_the_machine() -> None:
    assert beijing("2026-11-01T16:30:00Z") == "2026-11-02 00:30:00"
    assert instant_of("2026-11-02 00:30:00") == "2026-11-01T16:30:00Z"
    assert instant_of("") is None
    assert instant_of(None) is None


def error(code: int, sub_code: str = "", sub_msg: str = "") -> bytes:
    return json.dumps(
        {"error_response": {"code": code, "msg": "x", "sub_code": sub_code, "sub_msg": sub_msg}}
    ).encode()


OFFLINE = "isv.logistics-offline-service-error:"
MEANINGS: list[tuple[bytes, type[PortError] | None, str]] = [
    (b'{"trades_sold_get_response":{}}', None, ""),
    (error(7, "accesscontrol.limited-by-app-access-count", "This ban will last for 5 more seconds"), Temporary, "throttled"),
    (error(27, "invalid-sessionkey"), Unauthorized, "token_expired"),
    (error(26), Unauthorized, "token_expired"),
    (error(11, "isv.permission-api-package-not-granted"), Unauthorized, "permission"),
    (error(12, "isv.w1-expired"), Unauthorized, "permission"),
    (error(25, "isv.invalid-signature"), Unauthorized, "signature"),
    (error(31), Refused, "clock"),
    (error(10), OutcomeUnknown, "platform"),
    (error(15, "isp.top-remote-connection-timeout"), OutcomeUnknown, "platform"),
    (error(15, "isv.trade-not-exist"), Refused, "order_not_found"),
    (error(15, OFFLINE + "B04"), Refused, "already_shipped"),
    (error(15, OFFLINE + "B02"), Refused, "not_shippable"),
    (error(15, OFFLINE + "B02", "订单正在退款中"), Refused, "refunding"),
    (error(15, OFFLINE + "B04", "退款"), Refused, "already_shipped"),
    (error(15, OFFLINE + "B27"), Refused, "already_shipped"),
    (error(15, OFFLINE + "B60"), Refused, "bad_number"),
    (error(15, OFFLINE + "F03"), Refused, "bad_number"),
    (error(15, OFFLINE + "CD25"), Refused, "split_refused"),
    (error(15, OFFLINE + "B150"), Temporary, "busy"),
    (error(15, "isp.logistics-online-service-error:S01"), Temporary, "busy"),
    (error(15, OFFLINE + "P03"), Unauthorized, "token_expired"),
    (error(15, "isv.something-new"), Refused, "isv.something-new"),
    (error(41, "isv.invalid-parameter:tid"), Refused, "isv.invalid-parameter:tid"),
    (error(9999), Refused, "9999"),
    (b'{"error_response":"words"}', OutcomeUnknown, "unreadable"),
    (b'{"error_response":{"code":"x"}}', Refused, "0"),
    (b"<error_response/>", OutcomeUnknown, "unreadable"),
    (b"[]", OutcomeUnknown, "unreadable"),
    (b"{}", OutcomeUnknown, "unreadable"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "code"), MEANINGS)
def test_meaning_of_an_answer(body: bytes, kind: type[PortError] | None, code: str) -> None:
    found = classify(200, {}, body, operation="op")
    assert (type(found) if found else None) is kind
    assert (found.code if found else "") == code


def test_a_ban_says_how_long() -> None:
    found = classify(200, {}, error(7, "x", "This ban will last for 41 more seconds"), operation="op")
    assert found is not None
    assert found.retry_after_s == 42


def test_what_a_platform_says_is_never_shown() -> None:
    found = classify(200, {}, error(15, "isv.x 13800000001", "样例收件人 13800000001"), operation="op")
    assert found is not None
    assert "13800000001" not in found.render() + found.render("zh")


def test_every_field_the_mapper_reads_is_asked_for() -> None:
    read = {field.name for field in TRADE.dtype.fields}
    assert read <= set(FIELDS.split(",")) <= set(DETAIL_FIELDS.split(","))


def rows(pages: Iterable[Page]) -> list[RawRow]:
    return [row for page in pages for row in page.records]


def payload(row: RawRow) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["payload"] or "")
    return found


@pytest.mark.parametrize("seed", range(1, 6))
def test_every_order_arrives_under_faults(tmp_path: Path, seed: int) -> None:
    with world(tmp_path, orders=60) as rehearsal:
        shop = rehearsal.shop("tb-demo")
        calm = {row["platform_ref"]: row["payload"] for row in rows(shop.fetch(now=rehearsal.http.instant()))}
        assert set(calm) == rehearsal.refs("tb-demo")
        rehearsal.faults(seed, 0.25)
        pages = list(shop.fetch(now=rehearsal.http.instant()))
        stormy = {row["platform_ref"]: row["payload"] for row in rows(pages)}
        assert stormy == calm
        assert all(page.certificate.complete for page in pages if page.certificate)


def test_nothing_is_missed_while_orders_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An order that changes leaves the window and shifts all pages; the next window has it."""
    monkeypatch.setattr("orderctl.ports.platforms.reading.PASSES", 1)
    with world(tmp_path, orders=600) as rehearsal:
        shop = rehearsal.shop("tb-demo", details="notes")
        met: dict[str, str] = {}
        cursor, touched = None, 0
        for page in shop.fetch(now=rehearsal.http.instant()):
            for row in page.records:
                met[row["platform_ref"] or ""] = row["payload"] or ""
            cursor = page.cursor or cursor
            if len(page.records) > 20 and touched < 12:
                for row in page.records[5:8]:
                    rehearsal.clock.at += 1
                    rehearsal.sandbox.touch(row["platform_ref"] or "", memo="改过")
                    touched += 1
        assert touched >= 9
        assert set(met) == rehearsal.refs("tb-demo")
        rehearsal.clock.at += 200
        later = rows(shop.fetch(now=rehearsal.http.instant(), cursor=cursor))
        changed = {row["platform_ref"] for row in later if payload(row).get("seller_memo") == "改过"}
        assert len(changed) == touched


def test_a_busy_window_is_divided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sold, "reach", replace(Sold.reach, split_above=10))
    with world(tmp_path, orders=120) as rehearsal:
        pages = list(rehearsal.shop("tb-demo", details="notes").fetch(now=rehearsal.http.instant()))
        assert {row["platform_ref"] for row in rows(pages)} == rehearsal.refs("tb-demo")
        windows = [page.certificate.window for page in pages if page.certificate]
        assert all(a.until == b.since for a, b in pairwise(windows))
        assert len(windows) > 90


def test_a_fetch_goes_on_from_its_cursor(tmp_path: Path) -> None:
    with world(tmp_path, orders=40) as rehearsal:
        shop = rehearsal.shop("tb-demo")
        cursor = [page.cursor for page in shop.fetch(now=rehearsal.http.instant()) if page.cursor][-1]
        rehearsal.clock.at += 3600
        made = rehearsal.sandbox.add_orders(3, shop="tb-demo")
        rehearsal.clock.at += 600
        pages = list(shop.fetch(now=rehearsal.http.instant(), cursor=cursor))
        assert {row["platform_ref"] for row in rows(pages)} == {order.ref for order in made}
        assert len(pages) < 5
        assert all(
            page.cursor is None for page in shop.fetch(now=rehearsal.http.instant(), cursor=cursor, since=NOW)
        )
        assert all(page.cursor is None for page in shop.fetch(now=rehearsal.http.instant(), by="created"))
        by_creation = rows(shop.fetch(now=rehearsal.http.instant(), by="created"))
        assert {row["platform_ref"] for row in by_creation} == rehearsal.refs("tb-demo")


def test_an_interrupted_fetch_saves_nothing_it_did_not_finish(tmp_path: Path) -> None:
    with world(tmp_path, orders=400) as rehearsal:
        shop = rehearsal.shop("tb-demo", details="notes")
        stop = next(n for n, page in enumerate(shop.fetch(now=NOW)) if page.records) + 1
        met: set[str] = set()
        cursor = None
        for n, page in enumerate(shop.fetch(now=NOW)):
            met |= {row["platform_ref"] or "" for row in page.records}
            cursor = page.cursor or cursor
            if n == stop:
                break
        met |= {row["platform_ref"] or "" for row in rows(shop.fetch(now=NOW, cursor=cursor))}
        assert met == rehearsal.refs("tb-demo")


def test_notes_and_promises_come_from_the_detail_call(tmp_path: Path) -> None:
    with world(tmp_path, orders=60) as rehearsal:
        trades = [payload(row) for row in rows(rehearsal.shop("tb-demo").fetch(now=NOW))]
        assert all(trade.get("buyer_message") for trade in trades if trade.get("has_buyer_message"))
        assert all(
            trade.get("delivery_time") for trade in trades if trade["status"] == "WAIT_SELLER_SEND_GOODS"
        )
        assert all(isinstance(trade["tid"], int) and trade["tid"] > 2**53 for trade in trades)
        assert not any("buyer_memo" in trade for trade in trades)


def test_orders_by_number(tmp_path: Path) -> None:
    with world(tmp_path, orders=60) as rehearsal:
        shop = rehearsal.shop("tb-demo")
        refs = sorted(rehearsal.refs("tb-demo"))
        pages = list(shop.fetch_orders([*refs, "99"], now=NOW))
        assert sorted(row["platform_ref"] or "" for row in rows(pages)) == refs
        assert [ref for page in pages for ref in page.missing] == ["99"]


def test_same_recipient_is_the_platforms_word(tmp_path: Path) -> None:
    with world(tmp_path, orders=60) as rehearsal:
        shop = rehearsal.shop("tb-demo")
        records = rows(shop.fetch(now=NOW))
        facts = {
            ref: json.loads(text)["same_recipient"] for ref, text in shop.same_recipient(records).items()
        }
        groups = {
            order.ref: order.body["_group"]
            for order in rehearsal.sandbox.store.select("shop = ?", ["tb-demo"], "")
        }
        assert set(facts) == set(groups)
        for (one, group), (other, another) in combinations(groups.items(), 2):
            assert (facts[one] == facts[other]) == (group == another)
        twin = next(ref for ref in groups if list(groups.values()).count(groups[ref]) > 1)
        rehearsal.sandbox.touch(twin, address=True)
        moved = shop.same_recipient(rows(shop.fetch_orders([twin], now=NOW)))
        assert json.loads(moved[twin])["same_recipient"] not in facts.values()


@pytest.mark.parametrize("count", [30, 130, 260])
def test_every_two_orders_of_a_place_meet_in_one_question(count: int) -> None:
    asked: list[list[str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        form = dict(parse_qsl(request.content.decode()))
        pairs = json.loads(form["merge_list"])
        assert len(pairs) <= 100
        asked.append([str(pair["tid"]) for pair in pairs])
        people: dict[int, list[str]] = {}
        for pair in pairs:
            people.setdefault(pair["tid"] % 7, []).append(str(pair["tid"]))
        found = {"tid_list": {"string": [",".join(group) for group in people.values()]}}
        return httpx.Response(200, json={"top_oaid_merge_response": found})

    http, _ = http_over(handler)
    shop = Taobao(Shop("s", "taobao", None, TAOBAO), http, TokensInMemory())
    records: list[RawRow] = [
        {
            "platform_ref": str(tid),
            "payload": json.dumps({"tid": tid, "oaid": f"o{tid}", "receiver_state": "样例省"}),
        }
        for tid in range(1000, 1000 + count)
    ]
    facts = shop.same_recipient(records)
    assert len(facts) == count
    assert len(set(facts.values())) == 7
    assert all(facts[str(tid)] == facts[str(tid + 7)] for tid in range(1000, 1000 + count - 7))


def shippable(records: Iterable[RawRow]) -> list[ShipRequest]:
    found = []
    for n, row in enumerate(records):
        trade = payload(row)
        lines = trade["orders"]["order"]
        if trade["status"] == "WAIT_SELLER_SEND_GOODS" and all(
            x["refund_status"] == "NO_REFUND" for x in lines
        ):
            parts = tuple(ShipLine(str(line["oid"]), line["num"], line["num"]) for line in lines)
            found.append(ShipRequest(str(row["platform_ref"]), parts, f"7310{n:010d}", "ZTO", whole=True))
    return found


def ship_through(shop: Platform, request: ShipRequest) -> Mapping[str, str | None]:
    """Do as the ledger does: after silence look it up, and only what is not there is told again."""
    for _ in range(30):
        try:
            return shop.ship(request)
        except Temporary:
            continue
        except OutcomeUnknown:
            try:
                found = shop.lookup_ship(request)
            except Temporary:
                continue
            if found is not None:
                return found
    raise AssertionError("never settled")


@pytest.mark.parametrize("seed", range(1, 5))
def test_every_order_is_shipped_exactly_once_under_faults(tmp_path: Path, seed: int) -> None:
    with world(tmp_path, orders=60) as rehearsal:
        shop = rehearsal.shop("tb-demo")
        requests = shippable(rows(shop.fetch(now=NOW)))
        rehearsal.faults(seed, 0.6)
        for request in requests:
            assert ship_through(shop, request) == {
                "state": "shipped",
                "number": request.number,
                "dispatch": None,
            }
        rehearsal.sandbox.set_faults(None)
        for request in requests:
            (entry,) = rehearsal.shipped(request.order_ref)
            assert entry["number"] == request.number
            assert shop.ship(request)["number"] == request.number  # told again: it was us
            with pytest.raises(Refused) as caught:
                shop.ship(ShipRequest(request.order_ref, request.lines, "73999999999999", "ZTO", whole=True))
            assert caught.value.code == "shipped_elsewhere"
        assert len(requests) > 10


def test_an_order_is_shipped_in_parts(tmp_path: Path) -> None:
    with world(tmp_path, orders=60) as rehearsal:
        shop = rehearsal.shop("tb-demo")
        whole = next(r for r in shippable(rows(shop.fetch(now=NOW))) if len(r.lines) == 3)
        first = ShipRequest(whole.order_ref, whole.lines[:1], "73100000000001", "ZTO", whole=False)
        rest = ShipRequest(whole.order_ref, whole.lines[1:], "73100000000002", "ZTO", whole=True)
        assert shop.lookup_ship(first) is None
        shop.ship(first)
        assert shop.lookup_ship(first) is not None
        assert shop.lookup_ship(rest) is None
        assert (
            shop.lookup_ship(ShipRequest(whole.order_ref, whole.lines, first.number, "ZTO", whole=True))
            is None
        )
        shop.ship(rest)
        assert [entry["number"] for entry in rehearsal.shipped(whole.order_ref)] == [
            "73100000000001",
            "73100000000002",
        ]
        split = ShipRequest(
            whole.order_ref, (ShipLine(whole.lines[0].line_ref, 1, 2),), "73100000000003", "ZTO", whole=False
        )
        with pytest.raises(Refused) as caught:
            shop.ship(split)
        assert caught.value.code == "partial_line"


def test_an_unknown_courier_is_refused_before_anything_is_sent() -> None:
    http, _ = http_over(lambda _: pytest.fail("sent"))
    shop = Taobao(Shop("s", "taobao", None, TAOBAO), http, TokensInMemory())
    with pytest.raises(Refused) as caught:
        shop.ship(ShipRequest("1", (ShipLine("1", 1, 1),), "N", "NOBODY", whole=True))
    assert caught.value.code == "courier_unknown"


def logged_in(rehearsal: World) -> Platform:
    shop = rehearsal.shop("tb-demo", session="")
    url = shop.login_url("state-1", "http://127.0.0.1:1/back")
    query = parse_qs(urlsplit(url).query)
    assert query["state"] == ["state-1"]
    assert TAOBAO["app_secret"] not in url
    answer = httpx.get(url, follow_redirects=False)
    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    shop.exchange(code, "http://127.0.0.1:1/back")
    return shop


def test_login_and_renewal(tmp_path: Path) -> None:
    with world(tmp_path, orders=10) as rehearsal:
        nobody = rehearsal.shop("tb-demo", session="")
        with pytest.raises(Unauthorized) as caught:
            list(nobody.fetch_orders(["1"], now=NOW))
        assert caught.value.code == "no_token"
        shop = logged_in(rehearsal)
        first = rehearsal.tokens["tb-demo"]
        assert set(first) == {
            "access_token",
            "refresh_token",
            "expires_at",
            "refresh_expires_at",
            "seller_id",
        }
        refs = sorted(rehearsal.refs("tb-demo"))
        assert len(rows(shop.fetch_orders(refs, now=NOW))) == len(refs)
        rehearsal.sandbox.expire_tokens()
        assert len(rows(shop.fetch_orders(refs, now=NOW))) == len(refs)
        assert rehearsal.tokens["tb-demo"]["access_token"] != first["access_token"]


def test_a_fixed_session_is_not_renewed(tmp_path: Path) -> None:
    with world(tmp_path, orders=10) as rehearsal:
        shop = rehearsal.shop("tb-demo")
        rehearsal.sandbox.expire_tokens()
        with pytest.raises(Unauthorized) as caught:
            list(shop.fetch_orders(["1"], now=NOW))
        assert caught.value.code == "token_expired"


def test_a_missing_permission_is_not_taken_for_an_old_token(tmp_path: Path) -> None:
    with world(tmp_path, orders=10) as rehearsal:
        shop = rehearsal.shop("tb-demo", session="sandbox-taobao-readonly")
        ref = min(rehearsal.refs("tb-demo"))
        with pytest.raises(Unauthorized) as caught:
            shop.ship(ShipRequest(ref, (ShipLine(ref, 1, 1),), "73100000000001", "ZTO", whole=True))
        assert caught.value.code == "permission"


def test_a_used_up_quota_ends_quickly(tmp_path: Path) -> None:
    with world(tmp_path, orders=10) as rehearsal:
        shop = rehearsal.shop("tb-demo")
        rehearsal.sandbox.set_quota(0)
        before = rehearsal.clock.at
        with pytest.raises(Temporary) as caught:
            list(shop.fetch(now=NOW))
        assert (caught.value.retry_after_s or 0) > 600
        assert rehearsal.clock.at - before < 5


def test_who_the_shop_belongs_to(tmp_path: Path) -> None:
    with world(tmp_path, orders=10) as rehearsal:
        assert rehearsal.shop("tb-demo").identify() == rehearsal.shop("tb-demo").identify() != ""


@pytest.mark.parametrize(
    "user",
    [error(11, "isv.permission-api-package-not-granted"), error(22), b'{"user_seller_get_response":{}}'],
)
def test_without_permission_to_ask_an_order_tells_whose_shop_it_is(user: bytes) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if dict(parse_qsl(request.content.decode()))["method"] == "taobao.user.seller.get":
            return httpx.Response(200, content=user)
        trades = {"trade": [{"tid": 1, "seller_nick": "样例旗舰店"}]}
        return httpx.Response(200, json={"trades_sold_get_response": {"trades": trades}})

    http, _ = http_over(handler)
    assert Taobao(Shop("s", "taobao", None, TAOBAO), http, TokensInMemory()).identify() == "nick:样例旗舰店"


def test_a_shop_nobody_can_name() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        method = dict(parse_qsl(request.content.decode()))["method"].removeprefix("taobao.").replace(".", "_")
        return httpx.Response(200, json={f"{method}_response": {}})

    http, _ = http_over(handler)
    with pytest.raises(Refused):
        Taobao(Shop("s", "taobao", None, TAOBAO), http, TokensInMemory()).identify()


def test_a_question_about_recipients_that_is_refused_joins_nobody() -> None:
    http, _ = http_over(lambda _: httpx.Response(200, content=error(15, "isv.oaid-not-match")))
    shop = Taobao(Shop("s", "taobao", None, TAOBAO), http, TokensInMemory())
    assert shop.same_recipient([{"platform_ref": "1", "payload": '{"tid":1,"oaid":"x"}'}]) == {}


@pytest.mark.parametrize("result", [None, "", "{", "[]", '{"expires_in":5}'])
def test_an_answer_without_a_token(result: object) -> None:
    with pytest.raises(Unauthorized):
        parse_token(result, NOW)


def test_expiry_is_read_never_assumed() -> None:
    kept = parse_token('{"access_token":"t","expires_in":60,"refresh_token":"r","taobao_user_id":"7"}', NOW)
    assert kept == {"access_token": "t", "expires_at": shift(NOW, 60), "refresh_token": "r", "seller_id": "7"}
    assert "expires_at" not in parse_token('{"access_token":"t"}', NOW)


def test_unknown_fields_states_and_plain_lists_pass() -> None:
    trade = {
        "tid": 4012345678901234567,
        "status": "BRAND_NEW",
        "modified": "2026-11-18 19:00:00",
        "orders": [],
        "x": 1,
    }

    def handler(request: httpx.Request) -> httpx.Response:
        form = dict(parse_qsl(request.content.decode()))
        count = {} if form["use_has_next"] == "true" else {"total_results": 1}
        return httpx.Response(200, json={"trades_sold_increment_get_response": {"trades": [trade], **count}})

    http, _ = http_over(handler)
    shop = Taobao(Shop("s", "taobao", None, TAOBAO), http, TokensInMemory())
    (row,) = rows(shop.fetch(now=NOW, since=shift(NOW, -1000)))
    assert payload(row) == trade
    assert row["platform_ref"] == "4012345678901234567"
    assert row["updated_at"] == "2026-11-18T11:00:00Z"


def test_a_disturbed_pass_is_repeated_and_newer_states_are_given_again() -> None:
    """The first time page 2 is asked for, page 1 comes; the second time one order has changed."""
    trades = [{"tid": n, "status": "X", "modified": "2026-11-18 19:00:00"} for n in range(1, 81)]
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        form = dict(parse_qsl(request.content.decode()))
        number, size = int(form["page_no"]), int(form["page_size"])
        asked.append(form["page_no"])
        if number == 2 and asked.count("2") == 1:
            number = 1
        if asked.count("2") == 2:
            trades[70]["modified"] = trades[3]["modified"] = "2026-11-18 19:00:05"
        found: dict[str, Any] = {"trades": {"trade": trades[(number - 1) * size : number * size]}}
        if form["use_has_next"] != "true":
            found["total_results"] = len(trades)
        return httpx.Response(200, json={"trades_sold_increment_get_response": found})

    http, _ = http_over(handler)
    shop = Taobao(Shop("s", "taobao", None, TAOBAO), http, TokensInMemory())
    pages = list(shop.fetch(now=NOW, since=shift(NOW, -1000)))
    met = [(row["platform_ref"], row["updated_at"]) for row in rows(pages)]
    assert len(met) == len(set(met)) == 81
    assert ("4", "2026-11-18T11:00:05Z") in met
    assert pages[-1].certificate is not None
    assert (pages[-1].certificate.expected, pages[-1].certificate.got) == (80, 80)


@pytest.mark.parametrize("total", [0, 3])
def test_an_incomplete_window_says_so(total: int) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"trades_sold_increment_get_response": {"total_results": total}})

    http, _ = http_over(handler)
    shop = Taobao(Shop("s", "taobao", None, TAOBAO), http, TokensInMemory())
    page = list(shop.fetch(now=NOW, since=shift(NOW, -1000)))[-1]
    assert page.certificate is not None
    assert (page.certificate.expected, page.certificate.got) == (total, 0)
    assert page.certificate.complete == (total == 0)


def test_a_corrected_number_takes_the_place_of_the_first(tmp_path: Path) -> None:
    with world(tmp_path, orders=60) as rehearsal:
        shop = rehearsal.shop("tb-demo")
        (ref,) = (order.ref for order in rehearsal.sandbox.add_orders(1, shop="tb-demo"))
        first = ShipRequest(ref, (), "YT1000000000001", "YTO", whole=True)
        shop.ship(first)
        right = replace(first, number="YT1000000000002")
        assert shop.lookup_amend(right, first.number) is None
        rehearsal.sandbox.set_faults([["taobao.logistics.consign.resend", 1, "after_cut"]])
        with pytest.raises(OutcomeUnknown):
            shop.amend(right, first.number)
        found = shop.lookup_amend(right, first.number)
        assert found == shop.amend(right, first.number)
        assert found == {"state": "corrected", "number": right.number, "dispatch": None}
        assert [entry["number"] for entry in rehearsal.sandbox.books("amend")] == [right.number]
        with pytest.raises(Refused) as caught:
            shop.amend(replace(first, number="YT1000000000003"), "YT9999999999999")
        assert caught.value.code == "shipped_elsewhere"


def test_it_has_no_messages_to_read(tmp_path: Path) -> None:
    with world(tmp_path, orders=3) as rehearsal, pytest.raises(Refused) as caught:
        rehearsal.shop("tb-demo").event_orders({}, b"{}")
    assert caught.value.code == "no_events"


def test_the_end_of_a_kept_token_is_told(tmp_path: Path) -> None:
    with world(tmp_path, orders=3) as rehearsal:
        assert rehearsal.shop("tb-demo").standing().expires_at is None
        rehearsal.tokens.save_token(
            "tb-demo", {"access_token": TAOBAO["session"], "expires_at": "2027-01-01T00:00:00Z"}
        )
        standing = rehearsal.shop("tb-demo", session="").standing()
        assert standing.expires_at == "2027-01-01T00:00:00Z"
        assert standing.shop_id
