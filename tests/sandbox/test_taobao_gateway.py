"""Who may call the Taobao stand-in, and how it says no."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from orderctl.sandbox import Sandbox
from orderctl.sandbox.taobao.calls import signature
from tests.sandbox.callers import FIELDS, Taobao, beijing

V1 = {
    "app_key": "12345678", "fields": "num_iid,title,nick,price,num", "format": "json",
    "method": "taobao.item.seller.get", "num_iid": "11223344", "session": "test", "timestamp": "2016-01-01 12:00:00",
    "v": "2.0",
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
)
def test_published_signature_vectors(params: dict[str, str], secret: str, method: str, expected: str) -> None:
    signed = params | {"sign_method": method}
    assert signature(signed, secret, method) == expected
    assert signature(signed | {"sign": "any", "empty": ""}, secret, method) == expected


@pytest.mark.parametrize("method", ["hmac", "hmac-sha256"])
def test_every_sign_method_is_accepted(taobao: Taobao, method: str) -> None:
    params = taobao.params("taobao.time.get") | {"sign_method": method}
    params["sign"] = str(signature(params, "sandbox-taobao-secret", method))
    assert "time_get_response" in taobao.post(params).json()
    params["sign"] = params["sign"].lower()
    assert taobao.post(params).json()["error_response"]["code"] == 25


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"method": None}, 21),
        ({"method": "taobao.no.such"}, 22),
        ({"method": "taobao.top.oaid.decrypt"}, 11),
        ({"app_key": None}, 28),
        ({"app_key": "87654321"}, 29),
        ({"timestamp": None}, 30),
        ({"timestamp": "2026-11-18T00:00:00Z"}, 31),
        ({"timestamp": "1795000000"}, 31),
        ({"v": None}, 32),
        ({"v": "1.0"}, 33),
        ({"sign_method": "sha1"}, 25),
        ({"session": None}, 26),
        ({"session": "somebody-else"}, 27),
        ({"fields": None}, 40),
        ({"page_size": "101"}, 41),
        ({"page_size": "0"}, 41),
        ({"page_size": "many"}, 41),
        ({"page_no": "0"}, 41),
        ({"status": "PAID"}, 41),
        ({"start_created": "2026-11-18"}, 41),
        ({"start_created": "2026-07-01 00:00:00"}, 41),
    ],
)
def test_refusals(taobao: Taobao, change: dict[str, str | None], code: int) -> None:
    params = taobao.params("taobao.trades.sold.get", fields="tid")
    merged = {key: value for key, value in {**params, **change}.items() if value is not None}
    answer = taobao.post(taobao.sign(merged))
    assert answer.status_code == 200
    error = answer.json()["error_response"]
    assert error["code"] == code
    assert error["request_id"]


def test_signature_must_be_there_and_cover_every_parameter(taobao: Taobao) -> None:
    params = taobao.params("taobao.trades.sold.get", fields="tid")
    assert taobao.post(params).json()["error_response"]["code"] == 24
    assert taobao.post(taobao.sign(params) | {"page_no": "2"}).json()["error_response"]["code"] == 25


@pytest.mark.parametrize(
    ("skew", "allowed"), [(0, True), (590, True), (-590, True), (610, False), (-610, False)]
)
def test_clock_may_differ_by_ten_minutes(taobao: Taobao, skew: int, allowed: bool) -> None:
    params = taobao.params("taobao.time.get") | {"timestamp": beijing(taobao.clock() + skew)}
    answer = taobao.post(taobao.sign(params)).json()
    assert ("time_get_response" in answer) == allowed
    assert allowed or answer["error_response"]["code"] == 31


def test_utc_instead_of_beijing_time_is_refused(taobao: Taobao) -> None:
    params = taobao.params("taobao.time.get") | {"timestamp": beijing(taobao.clock() - 8 * 3600)}
    assert taobao.post(taobao.sign(params)).json()["error_response"]["code"] == 31


def test_time_needs_no_session(taobao: Taobao) -> None:
    params = taobao.params("taobao.time.get")
    del params["session"]
    assert taobao.post(taobao.sign(params)).json()["time_get_response"]["time"] == beijing(taobao.clock())


def test_whose_session_it_is(taobao: Taobao) -> None:
    user = taobao.ask("taobao.user.seller.get", fields="user_id,nick")["user"]
    assert user == {"user_id": 2200000000001, "nick": "样例旗舰店"}


def test_format_defaults_to_xml(taobao: Taobao) -> None:
    params = taobao.params("taobao.trades.sold.get", fields="tid,orders,buyer_message", page_size="30")
    del params["format"]
    answer = taobao.post(taobao.sign(params))
    tree = ElementTree.fromstring(answer.text)
    assert tree.tag == "trades_sold_get_response"
    assert len(tree.findall("trades/trade/tid")) == 30
    params["session"] = "x"
    assert ElementTree.fromstring(taobao.post(taobao.sign(params)).text).findtext("code") == "27"


def test_simplify_removes_all_wrappers(taobao: Taobao) -> None:
    params = taobao.params("taobao.trades.sold.get", fields="tid,orders", simplify="true")
    answer = taobao.post(taobao.sign(params)).json()
    assert isinstance(answer["trades"], list)
    assert isinstance(answer["trades"][0]["orders"], list)


def test_get_works_and_other_verbs_and_bodies_do_not(taobao: Taobao) -> None:
    params = taobao.sign(taobao.params("taobao.time.get"))
    assert "time_get_response" in taobao.http.get(taobao.url, params=params).json()
    assert taobao.http.put(taobao.url, params=params).json()["error_response"]["code"] == 9
    refused = taobao.http.post(taobao.url, params=params, json={})
    assert refused.json()["error_response"]["code"] == 3


def test_read_only_session_may_not_write(taobao: Taobao) -> None:
    tid = taobao.ready()[0]["tid"]
    taobao.session = "sandbox-taobao-readonly"
    assert taobao.trades()
    assert taobao.ship(tid)["code"] == 12


def test_quota_runs_out_until_midnight(taobao: Taobao, sandbox: Sandbox) -> None:
    sandbox.set_quota(2)
    assert [taobao.ask("taobao.time.get").get("code") for _ in range(3)] == [None, None, 7]
    error = taobao.ask("taobao.time.get")
    assert error["sub_code"].startswith("accesscontrol.limited-by-app-access-count")
    seconds = int(error["sub_msg"].split()[5])
    assert beijing(taobao.clock() + seconds).endswith("00:00:00")
    sandbox.set_quota(None)
    assert "time" in taobao.ask("taobao.time.get")


def test_tokens_expire_and_are_refreshed(taobao: Taobao, sandbox: Sandbox) -> None:
    sandbox.expire_tokens()
    error = taobao.ask("taobao.trades.sold.get", fields=FIELDS)
    assert (error["code"], error["sub_code"]) == (27, "session-expired")
    wrong = taobao.ask("taobao.top.auth.token.refresh", refresh_token="nonsense")
    assert wrong["code"] == 15
    fresh = taobao.ask("taobao.top.auth.token.refresh", refresh_token="sandbox-taobao-refresh")
    token = json.loads(fresh["token_result"])
    assert token["expires_in"] > 0
    assert token["taobao_user_nick"].startswith("%")
    taobao.session = token["access_token"]
    assert taobao.trades()


def test_authorisation_code_works_once(taobao: Taobao, url: str) -> None:
    asked = {"response_type": "code", "client_id": "12345678", "state": "s 1", "view": "web"}
    back = "http://127.0.0.1:1/callback"
    answer = taobao.http.get(f"{url}/taobao/oauth/authorize", params=asked | {"redirect_uri": back})
    assert answer.status_code == 302
    sent = answer.next_request.url if answer.next_request else None
    assert sent is not None
    assert sent.params["state"] == "s 1"
    form = {
        "grant_type": "authorization_code", "code": sent.params["code"], "client_id": "12345678",
        "client_secret": "sandbox-taobao-secret", "redirect_uri": back,
    }  # fmt: skip
    refused = taobao.http.post(f"{url}/taobao/oauth/token", data=form | {"client_secret": "wrong"})
    assert refused.json()["error"] == "invalid_client"
    token = taobao.http.post(f"{url}/taobao/oauth/token", data=form).json()
    taobao.session = token["access_token"]
    assert taobao.trades()
    assert taobao.http.post(f"{url}/taobao/oauth/token", data=form).json()["error"] == "invalid_grant"
    again = form | {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
    assert taobao.http.post(f"{url}/taobao/oauth/token", data=again).json()["access_token"] != taobao.session
