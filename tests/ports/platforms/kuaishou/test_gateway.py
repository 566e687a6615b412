"""Kuaishou's gateway: the sheet's worked vectors, what is sent, what answers mean, and the login."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest

from orderctl.model.errors import ConfigError, OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.ports.platforms.kuaishou.client import Kuaishou
from orderctl.ports.platforms.kuaishou.gateway import Gateway, instant_of, millis, parse_token, sign
from orderctl.ports.platforms.kuaishou.meaning import RULES, classify
from orderctl.ports.platforms.port import Shop, shift
from tests.ports.http.rehearsal import NOW, TokensInMemory, http_over

V1 = {
    "appkey": "ks123", "method": "open.seller.order.list", "version": "1", "access_token": "token",
    "timestamp": "1583271919000", "param": '{"title":"短袖"}',
}  # fmt: skip
V2 = {
    "appkey": "ks600000000000000001", "method": "open.order.cursor.list", "version": "1",
    "access_token": "ChFvYXV0aC5hY2Nlc3NUb2tlbhIwFAKE", "timestamp": "1763658001234",
    "param": '{"orderViewStatus":3,"pageSize":50,"sort":2,"queryType":2,"beginTime":1763654400000,'
    '"endTime":1763658000000,"cursor":""}',
}  # fmt: skip
SETTINGS = {"app_key": "ks1", "app_secret": "app-secret-1", "sign_secret": "sign-secret-1"}


@pytest.mark.parametrize(
    ("params", "secret", "method", "expected"),
    [
        (V1, "sign-secret", "MD5", "6005da269b372ff10945e565ef37a4c6"),
        (V1, "sign-secret", "HMAC_SHA256", "ZpPrG0oB1g/T93FyyVD+VCzRey41yqxZoCqcGg7upYM="),
        (V2, "0fakefakefakefakefakefakefakefak", "MD5", "208b5dbf9aee0a2d0c748c3b9c9e87cc"),
        (V2, "0fakefakefakefakefakefakefakefak", "HMAC_SHA256", "aZINVCAqbRjDej9I1Jv0H6rN5Zp0/AIm7Ve2xYlikNA="),
    ],
    ids=["V1 MD5", "V1 HMAC", "V2 MD5", "V2 HMAC"],
)  # fmt: skip
def test_signature_vectors(params: dict[str, str], secret: str, method: str, expected: str) -> None:
    assert sign(params | {"signMethod": method}, secret, method) == expected
    assert sign(params | {"signMethod": method, "sign": "x", "other": "y"}, secret, method) == expected


def test_an_unknown_signature_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError):
        sign({}, "s", "SHA1")


def test_times_are_milliseconds_and_zero_is_no_time() -> None:
    assert millis("2026-11-20T01:10:00Z") == 1795137000000
    assert instant_of(1795137000999) == "2026-11-20T01:10:00Z"
    for nothing in (0, "0", None, "", "soon", -1, 10**18):
        assert instant_of(nothing) is None


def answered(data: object = None) -> httpx.Response:
    return httpx.Response(200, json={"result": 1, "code": "1", "msg": "success", "data": data or {}})


def gateway(
    handler: Callable[[httpx.Request], httpx.Response], tokens: TokensInMemory | None = None, **settings: str
) -> Gateway:
    http, _ = http_over(handler)
    return Gateway(Shop("s", "kuaishou", None, SETTINGS | settings), http, tokens or TokensInMemory())


@pytest.mark.parametrize("changes", [False, True])
def test_what_is_sent_is_what_was_signed(changes: bool) -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answered()

    param = {"oid": 2632400000000001, "note": "短袖+ /="}
    gateway(handler, access_token="t+/=").call("open.some.method", param, changes=changes)
    (request,) = seen
    query = dict(parse_qsl(request.url.query.decode()))
    form = dict(parse_qsl(request.content.decode()))
    assert request.url.path == "/open/some/method"
    assert request.method == ("POST" if changes else "GET")
    assert query["appkey"] == "ks1"
    assert ("sign" in query) != changes
    sent = query | form
    assert json.loads(sent["param"]) == param
    assert sent["param"].startswith('{"oid":2632400000000001,"note":"短袖')
    assert sent["timestamp"] == str(millis(NOW))
    assert sent["sign"] == sign(sent, "sign-secret-1", "HMAC_SHA256")
    assert "%2B" in request.url.query.decode() + request.content.decode()


def said(code: object, text: str = "x") -> bytes:
    return json.dumps({"result": code, "error_msg": text, "msg": text}, ensure_ascii=False).encode()


MEANINGS: list[tuple[bytes, type[PortError] | None, str]] = [
    (said(1), None, ""),
    (b'{"code":"1","data":{}}', None, ""),
    (said(24), Unauthorized, "revoked"),
    *[(said(code), Unauthorized, "token_expired") for code in (22, 25, 26)],
    *[(said(code), Unauthorized, "signature") for code in (27, 28, 100200101)],
    (said(21), Refused, "not_ours"),
    *[(said(code, "Exceed qps limit"), Temporary, "throttled") for code in (15, 16, 17, 1016, 1017, 802000)],
    (said(15, "Exceed quota limit, KEY[appkey...]"), Temporary, "quota"),
    (said(2001, "endTime无效"), Refused, "bad_parameter"),
    (said(300004), Refused, "window_too_wide"),
    *[(said(code), Refused, "bad_window") for code in (300003, 300005, 300019)],
    *[(said(11, f"发货失败：{fragment}"), Refused, word) for fragment, word in RULES],
    (said(11, "别的原因"), Refused, "not_shippable"),
    (said(100200102), Unauthorized, "revoked"),
    (said(100200105), Unauthorized, "login_over"),
    (said(100200106), Unauthorized, "permission"),
    (said(100200500), OutcomeUnknown, "platform"),
    (said(987654), Refused, "987654"),
    (said("words"), OutcomeUnknown, "unreadable"),
    (b"{}", OutcomeUnknown, "unreadable"),
    (b"[]", OutcomeUnknown, "unreadable"),
    (b"<html>", OutcomeUnknown, "unreadable"),
]


@pytest.mark.parametrize(("body", "kind", "code"), MEANINGS)
def test_meaning_of_an_answer(body: bytes, kind: type[PortError] | None, code: str) -> None:
    found = classify(200, {}, body, operation="op")
    assert (type(found) if found else None) is kind
    assert (found.code if found else "") == code


def test_a_spent_day_is_not_waited_for_and_a_second_is() -> None:
    spent = classify(200, {}, said(15, "Exceed quota limit"), operation="op")
    busy = classify(200, {}, said(15, "Exceed qps limit"), operation="op")
    assert spent is not None and (spent.retry_after_s or 0) > 120
    assert busy is not None and busy.retry_after_s == 1


def test_what_a_platform_says_is_never_shown() -> None:
    for code in (11, 15, 21, 24, 2001, 4711):
        found = classify(200, {}, said(code, "样例收件人 13800000001"), operation="op")
        assert found is not None
        assert "13800000001" not in found.render() + found.render("zh")


def token(**more: Any) -> dict[str, Any]:
    return {
        "result": 1, "access_token": "a1", "refresh_token": "r1", "open_id": "seller-1", "expires_in": 172800,
        "scopes": ["merchant_order", "user_info"], **more,
    }  # fmt: skip


def test_a_token_is_kept_with_its_ends() -> None:
    first = parse_token(token(), {}, NOW)
    assert first == {
        "access_token": "a1", "refresh_token": "r1", "seller_id": "seller-1", "scopes": "merchant_order,user_info",
        "expires_at": shift(NOW, 172800), "refresh_expires_at": shift(NOW, 180 * 86400),
    }  # fmt: skip
    later = shift(NOW, 86400)
    renewed = {"access_token": "a2", "refresh_token": "r2", "expires_in": 172800}
    second = parse_token(renewed, first, later)
    assert (
        second["refresh_expires_at"] == first["refresh_expires_at"]
    )  # its life goes on, it does not begin anew
    assert (second["seller_id"], second["expires_at"]) == ("seller-1", shift(later, 172800))
    told = parse_token(renewed | {"refresh_token_expires_in": 60}, first, later)
    assert told["refresh_expires_at"] == shift(later, 60)
    with pytest.raises(Unauthorized):
        parse_token({"result": 1}, {}, NOW)


def test_the_login_page_asks_for_what_is_needed() -> None:
    url = gateway(lambda _: pytest.fail("sent")).login_url("state-1", "http://127.0.0.1:1/back")
    query = parse_qs(urlsplit(url).query)
    assert url.startswith("https://open.kwaixiaodian.com/oauth/authorize?")
    assert query["app_id"] == ["ks1"] and query["state"] == ["state-1"] and query["response_type"] == ["code"]
    assert "merchant_order" in query["scope"][0].split(",")
    assert "secret" not in url


class Login:
    """A platform that gives one new token for each renewal, and takes only the newest."""

    def __init__(self, code: int = 1) -> None:
        self.code, self.renewals, self.calls = code, 0, 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        form = dict(parse_qsl(request.url.query.decode())) | dict(parse_qsl(request.content.decode()))
        if request.url.path == "/oauth2/refresh_token":
            assert request.method == "POST" and form["app_secret"] == "app-secret-1"
            if self.code != 1:
                return httpx.Response(200, json={"result": self.code})
            assert form["refresh_token"] == f"r{self.renewals + 1}"
            self.renewals += 1
            n = self.renewals + 1
            return httpx.Response(200, json=token(access_token=f"a{n}", refresh_token=f"r{n}"))
        self.calls += 1
        if form["access_token"] != f"a{self.renewals + 1}" or self.code != 1:
            return httpx.Response(200, json={"result": 25})
        return answered({"yes": 1})


def kept(**ends: float) -> TokensInMemory:
    made = TokensInMemory()
    made["s"] = {"access_token": "a1", "refresh_token": "r1"} | {k: shift(NOW, v) for k, v in ends.items()}
    return made


def test_a_token_is_renewed_before_it_ends() -> None:
    login, tokens = Login(), kept(expires_at=600)
    assert gateway(login, tokens).call("open.x", {}) == {"yes": 1}
    assert (login.renewals, login.calls) == (1, 1)
    assert tokens["s"]["access_token"] == "a2" and tokens["s"]["refresh_token"] == "r2"


def test_a_refused_token_is_renewed_once() -> None:
    login, tokens = Login(), kept(expires_at=90_000)
    tokens["s"]["access_token"] = "old"
    assert gateway(login, tokens).call("open.x", {}) == {"yes": 1}
    assert (login.renewals, login.calls) == (1, 2)


@pytest.mark.parametrize(("code", "said_code"), [(100200105, "login_over"), (100200102, "revoked")])
def test_a_login_that_is_over_asks_for_a_new_one(code: int, said_code: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        gateway(Login(code), kept(expires_at=-5)).call("open.x", {})
    assert caught.value.code == said_code
    assert "orderctl auth" in caught.value.render()


def test_a_renewal_of_another_run_is_taken_over() -> None:
    tokens = kept(expires_at=-5)

    def handler(request: httpx.Request) -> httpx.Response:
        if "oauth2" not in request.url.path:
            return answered({"token": dict(parse_qsl(request.url.query.decode()))["access_token"]})
        tokens["s"] = {"access_token": "a9", "refresh_token": "r9", "expires_at": shift(NOW, 90_000)}
        return httpx.Response(200, json={"result": 100200105})

    assert gateway(handler, tokens).call("open.x", {}) == {"token": "a9"}


def test_a_permission_taken_back_is_not_renewed() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert "oauth2" not in request.url.path
        return httpx.Response(200, json={"result": 24})

    with pytest.raises(Unauthorized) as caught:
        gateway(handler, kept(expires_at=90_000)).call("open.x", {})
    assert caught.value.code == "revoked"


def test_while_the_token_lives_a_failing_renewal_is_no_harm() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503) if "oauth2" in request.url.path else answered({"yes": 1})

    assert gateway(handler, kept(expires_at=600)).call("open.x", {}) == {"yes": 1}
    with pytest.raises(Temporary):
        gateway(handler, kept(expires_at=-5)).call("open.x", {})


def test_a_fixed_token_is_never_renewed() -> None:
    with pytest.raises(Unauthorized) as caught:
        gateway(Login(), kept(), access_token="fixed").call("open.x", {})
    assert caught.value.code == "token_expired"


def test_nobody_logged_in() -> None:
    with pytest.raises(Unauthorized) as caught:
        gateway(lambda _: pytest.fail("sent")).call("open.x", {})
    assert caught.value.code == "no_token"


def test_how_the_shop_stands() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return answered({"cursor": "nomore", "orderList": []})

    tokens = kept(expires_at=90_000, refresh_expires_at=5_000_000)
    tokens["s"] |= {"seller_id": "seller-1", "scopes": "merchant_order,user_info"}
    http, _ = http_over(handler)
    found = Kuaishou(Shop("s", "kuaishou", None, SETTINGS), http, tokens).standing()
    assert (found.shop_id, found.expires_at) == ("seller-1", shift(NOW, 5_000_000))
    assert found.missing == ("merchant_logistics", "merchant_refund")
