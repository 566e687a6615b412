"""The stand-in of Kuaishou: as strict as the platform's documents say, and its books."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from orderctl.sandbox import Sandbox
from orderctl.sandbox.kuaishou.calls import signature
from orderctl.sandbox.kuaishou.orders import CASES, oid_of
from tests.sandbox.callers import Clock

KEY, SIGN_SECRET = "ks600000000000000001", "sandbox-kuaishou-sign-secret"
APP_SECRET = "sandbox-kuaishou-app-secret"
LIST, DETAIL = "open.order.cursor.list", "open.order.detail"
DELIVER, SPLIT = "open.seller.order.goods.deliver", "open.order.goods.split.deliver"
APPEND, UPDATE = "open.seller.order.goods.logistics.append", "open.seller.order.logistics.update"
POSTED = (DELIVER, SPLIT, APPEND, UPDATE, "open.seller.order.note.add")
DAY = 86_400
NUMBER = "73100000000001"


@dataclass
class Caller:
    """An honest client: it signs and asks as the platform's documents say."""

    url: str
    clock: Clock
    http: httpx.Client
    token: str = "sandbox-kuaishou-access"

    def params(self, method: str, param: Any, /, **changes: str) -> dict[str, str]:
        text = param if isinstance(param, str) else json.dumps(param, ensure_ascii=False)
        sent = {
            "access_token": self.token, "appkey": KEY, "method": method, "param": text, "signMethod": "HMAC_SHA256",
            "timestamp": str(int(self.clock() * 1000)), "version": "1",
        } | changes  # fmt: skip
        plain = "&".join(f"{k}={sent[k]}" for k in sorted(sent)) + f"&signSecret={SIGN_SECRET}"
        digest = hmac.new(SIGN_SECRET.encode(), plain.encode(), hashlib.sha256).digest()
        return sent | {"sign": base64.b64encode(digest).decode()}

    def send(
        self, params: dict[str, str], verb: str | None = None, path: str | None = None
    ) -> dict[str, Any]:
        method = params.get("method", "")
        where = f"{self.url}/{path or method.replace('.', '/')}"
        verb = verb or ("POST" if method in POSTED else "GET")
        told = {"params": params} if verb == "GET" else {"data": params}
        answer = self.http.request(verb, where, **told)  # type: ignore[arg-type]
        assert answer.status_code == 200
        return dict(answer.json())

    def ask(self, method: str, **param: Any) -> dict[str, Any]:
        return self.send(self.params(method, param))

    def code(self, method: str, **param: Any) -> int:
        return int(self.ask(method, **param)["result"])

    def window(self, **changes: Any) -> dict[str, Any]:
        now = int(self.clock() * 1000)
        known = {
            "orderViewStatus": 1, "queryType": 2, "beginTime": now - 5 * DAY * 1000, "endTime": now, "pageSize": 50,
            "sort": 2, "cpsType": 0, "cursor": "",
        }  # fmt: skip
        return known | changes

    def all(self, **changes: Any) -> list[dict[str, Any]]:
        found, cursor = [], ""
        while cursor != "nomore":
            data = self.ask(LIST, **self.window(**changes, cursor=cursor))["data"]
            found += data["orderList"]
            cursor = data["cursor"]
        return found

    def order(self, oid: int) -> dict[str, Any]:
        return dict(self.ask(DETAIL, oid=oid)["data"])

    def deliver(self, oid: int, number: str = NUMBER, **more: Any) -> int:
        return self.code(DELIVER, **{"orderId": oid, "expressNo": number, "expressCode": 9, **more})


def oid(case: str) -> int:
    return oid_of(CASES.index(case) + 1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(tmp_path: Path, clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "sandbox", orders=130, shops=["kuaishou"], now=clock) as running:
        yield running


@pytest.fixture
def caller(sandbox: Sandbox, clock: Clock) -> Iterator[Caller]:
    url = sandbox.start()
    with httpx.Client(timeout=10) as client:
        yield Caller(f"{url}/kuaishou", clock, client)


def test_the_sheets_vectors_of_signatures() -> None:
    known = {
        "appkey": "ks123", "method": "open.seller.order.list", "version": "1", "access_token": "token",
        "timestamp": "1583271919000", "param": '{"title":"短袖"}',
    }  # fmt: skip
    assert signature(known | {"signMethod": "MD5"}, "sign-secret") == "6005da269b372ff10945e565ef37a4c6"
    hmac_sign = "ZpPrG0oB1g/T93FyyVD+VCzRey41yqxZoCqcGg7upYM="
    assert signature(known | {"signMethod": "HMAC_SHA256"}, "sign-secret") == hmac_sign
    assert signature(known | {"signMethod": "SHA1"}, "sign-secret") is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"appkey": "other"}, 28), ({"version": "2"}, 28), ({"signMethod": "SHA1"}, 27), ({"timestamp": "soon"}, 28),
        ({"method": "open.seller.order.pcursor.list"}, 28), ({"access_token": ""}, 22), ({"access_token": "x"}, 26),
    ],
)  # fmt: skip
def test_common_parameters(caller: Caller, changes: dict[str, str], code: int) -> None:
    params = caller.params(LIST, caller.window(), **changes)
    assert (
        caller.send(params, path="open/order/cursor/list" if "method" not in changes else None)["result"]
        == code
    )


@pytest.mark.parametrize("name", ["appkey", "method", "version", "param", "timestamp", "signMethod", "sign"])
def test_every_common_parameter_is_needed(caller: Caller, name: str) -> None:
    params = caller.params(LIST, caller.window())
    del params[name]
    assert caller.send(params, verb="GET", path="open/order/cursor/list")["result"] == 28


def test_signature_clock_verb_and_path(caller: Caller, clock: Clock) -> None:
    params = caller.params(LIST, caller.window())
    assert caller.send(params)["result"] == 1
    assert caller.send(params | {"sign": "x"})["result"] == 27
    assert caller.send(params | {"param": params["param"] + " "})["result"] == 27
    assert caller.send(params, verb="POST")["result"] == 28
    assert caller.send(params, path="open/order/detail")["result"] == 28
    assert caller.send(caller.params(DELIVER, {}), verb="GET")["result"] == 28
    clock.at += 601
    assert caller.send(params)["result"] == 28


@pytest.mark.parametrize("param", ["[]", "no json", '"x"'])
def test_param_is_one_object(caller: Caller, param: str) -> None:
    assert caller.send(caller.params(LIST, param))["result"] == 2001


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"pageSize": 51}, 2001), ({"pageSize": 0}, 2001), ({"pageSize": "50"}, 2001), ({"orderViewStatus": 8}, 2001),
        ({"queryType": 3}, 2001), ({"sort": 3}, 2001), ({"cpsType": 3}, 2001), ({"cursor": "bm9uc2Vuc2U="}, 2001),
        ({"cursor": None}, 2001), ({"colour": 1}, 2001), ({"beginTime": None}, 2001),
    ],
)  # fmt: skip
def test_parameters_of_the_list(caller: Caller, changes: dict[str, Any], code: int) -> None:
    assert caller.code(LIST, **caller.window(**changes)) == code


def test_windows(caller: Caller, sandbox: Sandbox, clock: Clock) -> None:
    now = int(clock() * 1000)
    assert caller.code(LIST, **caller.window(beginTime=now, endTime=now - 1)) == 300003
    assert caller.code(LIST, **caller.window(beginTime=now - 7 * DAY * 1000)) == 1
    assert caller.code(LIST, **caller.window(beginTime=now - 7 * DAY * 1000 - 1)) == 300004
    old = now - 91 * DAY * 1000
    assert caller.code(LIST, **caller.window(beginTime=old, endTime=old + 1000)) == 300005
    sandbox.control({"window": 24})
    assert caller.code(LIST, **caller.window()) == 300004
    sandbox.control({"window": None})
    assert caller.code(LIST, **caller.window()) == 1


@pytest.mark.parametrize("sort", [1, 2])
@pytest.mark.parametrize("query", [1, 2])
def test_the_list_is_whole_and_in_order(caller: Caller, sort: int, query: int) -> None:
    found = caller.all(sort=sort, queryType=query, pageSize=7)
    field = "createTime" if query == 1 else "updateTime"
    times = [one["orderBaseInfo"][field] for one in found]
    assert times == sorted(times, reverse=sort == 1)
    assert len({one["orderBaseInfo"]["oid"] for one in found}) == len(found) == 130


def test_filters(caller: Caller) -> None:
    states = {2: 10, 3: 30, 4: 40, 5: 50, 6: 70, 7: 80}
    for view, state in states.items():
        found = caller.all(orderViewStatus=view)
        assert found and {one["orderBaseInfo"]["status"] for one in found} == {state}
    assert len(caller.all(cpsType=1)) + len(caller.all(cpsType=2)) == 130


def test_a_cursor_belongs_to_its_parameters(caller: Caller) -> None:
    cursor = caller.ask(LIST, **caller.window(pageSize=5))["data"]["cursor"]
    assert caller.code(LIST, **caller.window(pageSize=5, cursor=cursor)) == 1
    assert caller.code(LIST, **caller.window(pageSize=6, cursor=cursor)) == 2001
    assert caller.code(LIST, **caller.window(pageSize=5, sort=1, cursor=cursor)) == 2001


def test_what_belongs_to_the_platform_never_leaves(caller: Caller) -> None:
    text = json.dumps([caller.all(), caller.order(oid("first"))], ensure_ascii=False)
    assert "_person" not in text and "样例路" not in text and "_refunds" not in text
    for one in caller.all():
        to = one["orderAddress"]
        assert to["consignee"] is None and "**" in to["desensitiseConsignee"] and to["encryptedMobile"]


def test_both_versions_of_the_answer_are_met(caller: Caller) -> None:
    keys = [frozenset(one) & {"orderNote", "orderNoteInfo"} for one in caller.all()]
    assert set(keys) == {frozenset({"orderNote"}), frozenset({"orderNoteInfo"})}
    details = [frozenset(caller.order(oid_of(n))) for n in (1, 2)]
    assert "orderDetailRefundList" in details[0] and "orderRefundList" in details[1]
    assert "orderlSellerRoleInfo" in caller.order(oid("first"))["orderBaseInfo"]


def test_details_and_refunds(caller: Caller) -> None:
    assert caller.code(DETAIL, oid=1) == 21
    assert caller.code(DETAIL, oid=oid("gift") + 1) == 21  # a gift has no page of its own
    assert caller.code(DETAIL, oid=str(oid("first"))) == 2001
    refund = next(iter(caller.order(oid("refunded in part"))["orderRefundList"]))
    told = caller.ask("open.seller.order.refund.detail", refundId=refund["refundId"])["data"]
    assert (told["refundFee"], told["oid"], told["status"]) == (200, oid("refunded in part"), 60)
    assert caller.code("open.seller.order.refund.detail", refundId=7) == 21


def test_money_adds_up(caller: Caller) -> None:
    for one in caller.all():
        item, base = one["orderItemInfo"], one["orderBaseInfo"]
        borne = 100 if base["oid"] == oid("platform discount") else 0
        assert item["price"] * item["num"] - base["discountFee"] + borne == base["totalFee"]


def test_a_whole_order_is_delivered_once(caller: Caller, sandbox: Sandbox) -> None:
    first = oid("first")
    assert caller.deliver(first) == 1
    order = caller.order(first)
    assert order["orderBaseInfo"]["status"] == 40
    assert [p["expressNo"] for p in order["orderLogisticsInfo"]] == [NUMBER]
    assert caller.deliver(first) == 1  # the same number again is taken as said before
    assert caller.deliver(first, "73100000000002") == 21
    assert [e["kind"] for e in sandbox.books()] == ["ship", "repeated", "refused"]
    assert sandbox.books("ship")[0]["detail"]["lines"] == [
        {
            "line": str(first),
            "quantity": order["orderItemInfo"]["num"],
            "sku": order["orderItemInfo"]["skuNick"],
        }
    ]
    assert caller.all(orderViewStatus=4)


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("refund open", 21),
        ("unpaid", 21),
        ("closed", 21),
        ("risk", 11),
        ("forbidden", 11),
        ("virtual", 11),
        ("unknown", 21),
    ],
)
def test_what_must_not_leave(caller: Caller, sandbox: Sandbox, case: str, code: int) -> None:
    assert caller.deliver(oid(case)) == code
    assert [e["kind"] for e in sandbox.books()] == ["refused"]


def test_delivery_rules(caller: Caller) -> None:
    def said(**param: Any) -> str:
        answer = caller.ask(
            DELIVER, **{"orderId": oid("quantity"), "expressNo": NUMBER, "expressCode": 9, **param}
        )
        assert answer["result"] == 11
        return str(answer["error_msg"])

    assert "快递公司不存在" in said(expressCode=1)  # merged into another company
    assert "运单号和物流公司不匹配" in said(expressCode=4)
    assert caller.deliver(oid("shanghai")) == 1
    assert "同一个运单号对应收件地址超过1个" in said()
    assert caller.deliver(oid("quantity"), expressCode="9") == 2001
    assert caller.deliver(oid("quantity"), colour=1) == 2001


def split(main: int, *goods: tuple[int, int, int], number: str = NUMBER) -> dict[str, Any]:
    return {
        "mainOrderId": main,
        "deliveryItemInfoList": [
            {"expressCode": 9, "expressNo": number,
             "deliveryGoodsInfoList": [{"oid": one, "deliveryNum": quantity} for one, quantity, _ in goods]}
        ],
        "deliveryStatus": [{"oid": one, "confirmDeliveryStatus": done} for one, _, done in goods],
    }  # fmt: skip


def test_parts_of_a_quantity(caller: Caller, sandbox: Sandbox) -> None:
    main = oid("quantity")
    assert caller.code(SPLIT, **split(main, (main, 4, 1))) == 21  # there are three
    assert caller.code(SPLIT, **split(main, (main, 1, 1))) == 2001  # two are left
    assert caller.code(SPLIT, **split(main, (main, 1, 0))) == 1
    order = caller.order(main)
    assert (order["orderBaseInfo"]["status"], order["orderDeliveryInfo"]["deliveryNum"]) == (30, 1)
    assert caller.deliver(main, "73100000000002") == 21
    assert caller.code(SPLIT, **split(main, (main, 2, 1), number="73100000000002")) == 1
    assert caller.order(main)["orderBaseInfo"]["status"] == 40
    assert caller.code(SPLIT, **split(main, (main, 1, 1), number="73100000000003")) == 21
    assert [e["detail"]["lines"][0]["quantity"] for e in sandbox.books("ship")] == [1, 2]


def test_a_refused_split_leaves_no_trace(caller: Caller, sandbox: Sandbox) -> None:
    main = oid("two gifts")
    assert caller.code(SPLIT, **split(main, (main, 1, 1), (main + 1, 5, 1))) == 21
    order = caller.order(main)
    assert (order["orderBaseInfo"]["status"], order["orderLogisticsInfo"]) == (30, [])
    assert sandbox.books("ship") == []


def test_gifts(caller: Caller) -> None:
    main = oid("gift")
    assert caller.deliver(main) == 1
    (gift,) = caller.order(main)["subOrderInfo"]
    assert (gift["subOrderBaseInfo"]["status"], gift["subOrderLogisticsInfo"]) == (30, [])
    assert caller.code(SPLIT, **split(main, (main + 1, 1, 1), number="73100000000002")) == 1
    (gift,) = caller.order(main)["subOrderInfo"]
    assert (gift["subOrderBaseInfo"]["status"], len(gift["subOrderLogisticsInfo"])) == (40, 1)
    hard = oid("not divisible")
    assert caller.code(SPLIT, **split(hard, (hard, 1, 1))) == 11


def test_further_parcels_and_other_numbers(caller: Caller, sandbox: Sandbox) -> None:
    first = oid("first")
    more = {"oid": first, "expressCode": 9}
    assert caller.code(APPEND, **more, expressNo="73100000000002") == 21  # nothing was shipped yet
    assert caller.deliver(first) == 1
    for n in range(2, 6):
        assert caller.code(APPEND, **more, expressNo=f"7310000000000{n}") == 1
    assert caller.code(APPEND, **more, expressNo="73100000000006") == 11  # five at most
    assert caller.code(APPEND, **more, expressNo="73100000000002") == 1
    parcels = caller.order(first)["orderLogisticsInfo"]
    change = {"orderId": first, "expressCode": 9, "expressNo": "73100000000009"}
    assert caller.code(UPDATE, **change) == 2001  # which one?
    assert caller.code(UPDATE, **change, logisticsId=7) == 2001
    assert caller.code(UPDATE, **change, logisticsId=parcels[1]["logisticsId"]) == 1
    (entry,) = sandbox.books("amend")
    assert (entry["number"], entry["detail"]["before"]) == ("73100000000009", "73100000000002")
    assert caller.code(UPDATE, orderId=oid("unpaid"), expressCode=9, expressNo=NUMBER) == 21
    whole, *further = (entry["detail"]["lines"] for entry in sandbox.books("ship"))
    assert whole[0]["quantity"] == caller.order(first)["orderItemInfo"]["num"]
    none = [{**whole[0], "quantity": 0}]
    assert further == [none] * 4  # no piece counts twice
    assert entry["detail"]["lines"] == none
    assert caller.code(UPDATE, **change, logisticsId=parcels[0]["logisticsId"]) == 1
    assert sandbox.books("amend")[1]["detail"]["lines"] == whole


def test_the_number_of_a_part_is_changed_with_its_lines(caller: Caller, sandbox: Sandbox) -> None:
    main = oid("two gifts")
    gift = caller.order(main)["subOrderInfo"][0]["subOrderBaseInfo"]["oid"]
    assert caller.code(SPLIT, **split(main, (gift, 1, 1))) == 1
    change = {"expressCode": 9, "expressNo": "73100000000009"}
    assert caller.code(UPDATE, orderId=gift, **change) == 1
    (shipped,), (amended,) = sandbox.books("ship"), sandbox.books("amend")
    assert amended["detail"]["lines"] == shipped["detail"]["lines"]
    assert [line["line"] for line in amended["detail"]["lines"]] == [str(gift)]


def test_the_number_of_a_parcel_from_before_is_changed(caller: Caller, sandbox: Sandbox) -> None:
    sent = oid("shipped")
    assert caller.code(UPDATE, orderId=sent, expressCode=9, expressNo="73100000000009") == 1
    item = caller.order(sent)["orderItemInfo"]
    (entry,) = sandbox.books("amend")
    assert entry["detail"]["lines"] == [{"line": str(sent), "quantity": item["num"], "sku": item["skuNick"]}]


@pytest.mark.parametrize(
    ("method", "param"),
    [
        (DELIVER, {"orderId": None, "expressNo": NUMBER, "expressCode": "9"}),
        (DELIVER, {"orderId": None, "expressNo": 1, "expressCode": 9}),
        (DELIVER, {"orderId": None, "expressNo": NUMBER, "expressCode": 9, "colour": 1}),
        (SPLIT, {"mainOrderId": None, "deliveryItemInfoList": [], "deliveryStatus": []}),
        (SPLIT, {"mainOrderId": None, "deliveryItemInfoList": "nonsense", "deliveryStatus": []}),
        (APPEND, {"oid": None, "expressCode": 9, "expressNo": NUMBER, "colour": 1}),
        (UPDATE, {"orderId": None, "expressCode": 9, "expressNo": NUMBER, "logisticsId": 7}),
        ("open.seller.order.note.add", {"orderId": None, "note": 1}),
    ],
)
def test_what_makes_no_sense_is_booked_once(
    caller: Caller, sandbox: Sandbox, method: str, param: dict[str, Any]
) -> None:
    sent = oid("shipped" if method == UPDATE else "first")
    assert caller.code(method, **{k: sent if v is None else v for k, v in param.items()}) == 2001
    assert [(e["kind"], e["subject"]) for e in sandbox.books()] == [("refused", str(sent))]


def test_reading_in_vain_is_no_entry(caller: Caller, sandbox: Sandbox) -> None:
    assert caller.code(DETAIL, oid=1) == 21
    assert caller.code(DETAIL, oid="1") == 2001
    assert sandbox.books() == []


def test_notes_are_appended(caller: Caller, sandbox: Sandbox) -> None:
    memo = oid("memo")
    before = caller.order(memo)["orderNote"]["orderNoteInfo"]
    assert caller.code("open.seller.order.note.add", orderId=memo, note="发顺丰", flag=1) == 1
    after = caller.order(memo)["orderNote"]["orderNoteInfo"]
    assert len(after) == len(before) + 1
    assert {"发顺丰", *(n["note"] for n in before)} == {n["note"] for n in after}
    assert sandbox.books("memo")[0]["detail"]["memo"] == "发顺丰"
    assert caller.code("open.seller.order.note.add", orderId=memo, note="x", flag=9) == 2001


def test_a_days_quota(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.set_quota({"kuaishou": 2})
    assert [caller.code(DETAIL, oid=oid("first")) for _ in range(3)] == [1, 1, 15]
    assert "Exceed quota limit" in caller.ask(DETAIL, oid=oid("first"))["error_msg"]
    sandbox.set_quota({"kuaishou": None})
    assert caller.code(DETAIL, oid=oid("first")) == 1


def test_the_list_is_asked_three_hundred_times_a_second(caller: Caller, clock: Clock) -> None:
    window = caller.window(pageSize=1)
    codes = [caller.code(LIST, **window) for _ in range(301)]
    assert codes == [1] * 300 + [16]
    clock.at += 1
    assert caller.code(LIST, **window) == 1


def login(caller: Caller, scope: str = "merchant_order") -> str:
    back = caller.http.get(
        f"{caller.url}/oauth/authorize",
        params={"app_id": KEY, "redirect_uri": "http://127.0.0.1:1/back", "scope": scope, "response_type": "code",
                "state": "s"},
    )  # fmt: skip
    assert back.status_code == 302
    return parse_qs(urlsplit(back.headers["location"]).query)["code"][0]


def trade(caller: Caller, code: str, **changes: str) -> dict[str, Any]:
    asked = {"app_id": KEY, "grant_type": "code", "code": code, "app_secret": APP_SECRET} | changes
    return dict(caller.http.get(f"{caller.url}/oauth2/access_token", params=asked).json())


def renew(caller: Caller, token: str, **changes: str) -> dict[str, Any]:
    asked = {
        "grant_type": "refresh_token",
        "refresh_token": token,
        "app_id": KEY,
        "app_secret": APP_SECRET,
    } | changes
    return dict(caller.http.post(f"{caller.url}/oauth2/refresh_token", data=asked).json())


def test_codes(caller: Caller, clock: Clock) -> None:
    code = login(caller)
    assert trade(caller, code, app_secret="x")["result"] == 100200101
    assert trade(caller, code, grant_type="password")["result"] == 100200100
    found = trade(caller, code)
    assert (found["result"], found["expires_in"], found["scopes"]) == (1, 172_800, ["merchant_order"])
    assert trade(caller, code)["result"] == 100200105  # once
    late = login(caller)
    clock.at += 121
    assert trade(caller, late)["result"] == 100200105  # two minutes
    caller.token = found["access_token"]
    assert caller.code(DETAIL, oid=oid("first")) == 1
    clock.at += 172_800
    assert caller.code(DETAIL, oid=oid("first")) == 25


def test_refresh_tokens_inherit_their_life(caller: Caller, clock: Clock) -> None:
    first = trade(caller, login(caller))
    clock.at += 10 * DAY
    second = renew(caller, first["refresh_token"])
    assert second["refresh_token_expires_in"] == 170 * DAY
    assert second["refresh_token"] != first["refresh_token"]
    clock.at += 299
    assert renew(caller, first["refresh_token"])["result"] == 1  # the old one lives on for five minutes
    clock.at += 2
    assert renew(caller, first["refresh_token"])["result"] == 100200105
    clock.at += 170 * DAY
    assert renew(caller, second["refresh_token"])["result"] == 100200105


def test_a_permission_taken_back(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.control({"revoke": True})
    assert caller.code(DETAIL, oid=oid("first")) == 24
    assert renew(caller, "sandbox-kuaishou-refresh")["result"] == 100200102
    login(caller)
    assert caller.code(DETAIL, oid=oid("first")) == 1


def test_the_seller_is_asked_for_known_scopes(caller: Caller) -> None:
    asked = {
        "app_id": KEY,
        "redirect_uri": "http://127.0.0.1:1/",
        "response_type": "code",
        "scope": "everything",
    }
    assert caller.http.get(f"{caller.url}/oauth/authorize", params=asked).status_code == 400
