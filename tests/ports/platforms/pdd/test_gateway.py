"""Pinduoduo: signatures, meaning of answers, logins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from orderctl.model.errors import OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.ports.platforms.pdd.gateway import (
    instant_of,
    opened,
    parse_token,
    seconds,
    sign,
    text_of,
)
from orderctl.ports.platforms.pdd.meaning import classify
from orderctl.ports.platforms.port import shift
from tests.ports.http.clock import NOW
from tests.ports.platforms.pdd.rehearsal import failed, over, request, rows, world

# --- signatures

V1 = {
    "access_token": "asd78172s8ds9a921j9qqwda12312w1w21211", "client_id": "1", "data_type": "XML",
    "order_status": "1", "page": "1", "page_size": "10", "timestamp": "1480411125",
    "type": "pdd.order.number.list.get",
}  # fmt: skip
V2: dict[str, object] = {
    "access_token": "tk", "client_id": "1", "data_type": "JSON", "timestamp": "1480411125",
    "type": "pdd.open.decrypt.mask.batch",
    "data_list": [{"data_tag": "200101-1", "encrypted_data": "~x~y~2~~"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("params", "expected"),
    [(V1, "E4DE3ED21002510DED352819E7AE6775"), (V2, "1F8AE4B519065A789F5504C972450CEC")],
    ids=["V1", "V2"],
)
def test_signature_vectors(params: dict[str, object], expected: str) -> None:
    texts = {name: text_of(value) for name, value in params.items()}
    assert sign(texts, "testSecret") == expected
    assert sign(texts | {"empty": "", "sign": "x"}, "testSecret") == expected
    assert sign(texts | {"page": "2"}, "testSecret") != expected


def test_values_are_written_as_json_text() -> None:
    assert [text_of(v) for v in (True, 100, "a b", [{"a": "中"}])] == ["true", "100", "a b", '[{"a":"中"}]']


def test_what_is_signed_is_what_is_sent() -> None:
    seen: list[dict[str, str]] = []

    def platform(form: dict[str, str]) -> Any:
        seen.append(form)
        return {"mall_info_get_response": {"mall_id": 7}}

    shop, _, _ = over(platform, client_secret="testSecret \n")  # copied with a blank
    assert shop.identify() == "7"
    (form,) = seen
    assert form["sign"] == sign(form, "testSecret")
    assert set(form) == {"type", "client_id", "timestamp", "data_type", "access_token", "sign"}
    assert form["timestamp"] == str(seconds(NOW)) and len(form["timestamp"]) == 10


def test_times() -> None:
    assert instant_of("2026-11-02 00:30:00") == "2026-11-01T16:30:00Z"
    assert instant_of("") is instant_of(None) is instant_of("0000-00-00 00:00:00") is None
    assert seconds("1970-01-01T00:01:00Z") == 60


# --- what answers mean


def error(code: int, msg: str = "x", sub_msg: str = "", sub_code: str | None = None) -> bytes:
    return json.dumps(failed(code, msg, sub_msg, sub_code)).encode()


MEANINGS: list[tuple[bytes, type[PortError] | None, str]] = [
    (b'{"order_list_get_response":{}}', None, ""),
    (b'{"order_sn_increment_get_response":{"order_sn_list":[]}}', None, ""),
    (error(10019), Unauthorized, "token_expired"),
    *[(error(code), Unauthorized, "login_over") for code in (10000, 10001, 10014, 10016, 10017)],
    (error(10001, "公共参数错误:access_token"), Unauthorized, "login_over"),
    (error(10001, "公共参数错误:timestamp"), Refused, "clock"),
    (error(10001, "公共参数错误:client_id"), Unauthorized, "signature"),
    (error(10001, "公共参数错误:type"), Refused, "10001"),
    (error(20004), Unauthorized, "signature"),
    (error(20005), Unauthorized, "address_not_listed"),
    (error(20031), Unauthorized, "permission"),
    *[(error(code), OutcomeUnknown, "platform") for code in (50000, 50002, 52001, 52002)],
    *[(error(code), Temporary, "throttled") for code in (52101, 70031)],
    *[(error(code), Temporary, "busy") for code in (52102, 52103, 70033)],
    *[(error(code), Unauthorized, "banned") for code in (70032, 70034, 70035)],
    (error(70036), Temporary, "quota"),
    (error(50001, "业务服务错误", "订单已发货"), Refused, "already_shipped"),
    (error(50001, "订单已发货"), Refused, "already_shipped"),
    (error(50001, "业务服务错误", "订单不存在"), Refused, "order_not_found"),
    (error(50001, "业务服务错误", "存在售后中的订单"), Refused, "refunding"),
    (error(50001, "业务服务错误", "退款中的订单不能发货"), Refused, "refunding"),
    (error(50001, "业务服务错误", "运单号错误"), Refused, "bad_number"),
    (error(50001, "业务服务错误", "快递单号不正确"), Refused, "bad_number"),
    (error(50001, "业务服务错误", "该快递单号不存在"), Refused, "bad_number"),
    (error(50001, "业务服务错误", "运单号已使用"), Refused, "bad_number"),
    (error(50001, "业务服务错误", "快递公司错误"), Refused, "courier_unknown"),
    (error(50001, "业务服务错误", "订单审核中"), Refused, "held"),
    (error(50001, "业务服务错误", "订单收货地址已修改"), Refused, "address_changed"),
    (error(50001, "业务服务错误", "订单状态不允许"), Refused, "not_shippable"),
    (error(50001, "业务服务错误", "别的", "50001.1"), Refused, "50001.1"),
    (error(99999), Refused, "99999"),
    (b'{"error_response":"words"}', OutcomeUnknown, "unreadable"),
    (b'{"error_response":{}}', Refused, "0"),
    (b'{"order_list_get_response":null}', OutcomeUnknown, "unreadable"),
    (b'{"a_response":{},"b_response":{}}', OutcomeUnknown, "unreadable"),
    (b"<xml/>", OutcomeUnknown, "unreadable"),
    (b"[]", OutcomeUnknown, "unreadable"),
    (b"{}", OutcomeUnknown, "unreadable"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "code"), MEANINGS)
def test_meaning_of_an_answer(body: bytes, kind: type[PortError] | None, code: str) -> None:
    found = classify(200, {}, body, operation="op")
    assert (type(found) if found else None) is kind
    assert (found.code if found else "") == code


@pytest.mark.parametrize(("body", "kind"), [(m[0], m[1]) for m in MEANINGS if m[1]])
def test_every_failure_is_told_in_chinese(body: bytes, kind: object) -> None:
    found = classify(200, {}, body, operation="op")
    assert found is not None
    assert found.render("zh") != found.render("en")


def test_what_a_platform_says_is_never_shown() -> None:
    found = classify(
        200, {}, error(50001, "样例收件人", "运单号错误 13800000001", "样例 13800000001"), operation="op"
    )
    assert found is not None
    for shown in (found.render(), found.render("zh")):
        assert "13800000001" not in shown and "样例" not in shown


def test_what_stands_beside_the_envelope_counts_as_inside() -> None:
    answer = {"order_info_get_response": {"order_info": {}}, "service_fee_detail": [{"service_fee": 3}]}
    assert opened(answer) == {"order_info": {}, "service_fee_detail": [{"service_fee": 3}]}


def test_waits_grow_with_what_the_platform_says() -> None:
    waits = [classify(200, {}, error(code), operation="op") for code in (52101, 52102, 70036)]
    told = [w.retry_after_s or 0 for w in waits if w]
    assert told == sorted(told) and told[0] >= 1.5 and told[2] >= 3600


# --- logins


def token(**more: Any) -> dict[str, Any]:
    return {
        "pop_auth_token_create_response": {"access_token": "A", "refresh_token": "R", "owner_id": 7, **more}
    }


def test_a_token_is_kept_with_its_end() -> None:
    answer = token(expires_in=60, expires_at=1_800_000_000, refresh_token_expires_in=90, scope=["a", "b"])
    kept = parse_token(answer["pop_auth_token_create_response"], NOW)
    assert kept == {
        "access_token": "A", "refresh_token": "R", "seller_id": "7", "scopes": "a b",
        "expires_at": "2027-01-15T08:00:00Z", "refresh_expires_at": shift(NOW, 90),
    }  # fmt: skip
    assert "expires_at" not in parse_token({"access_token": "A"}, NOW)
    for nothing in ({}, {"access_token": ""}, {"expires_in": 5}):
        with pytest.raises(Unauthorized):
            parse_token(nothing, NOW)


def test_login_page_and_renewal(tmp_path: Path) -> None:
    with world(tmp_path, orders=10) as rehearsal:
        nobody = rehearsal.shop(access_token="")
        with pytest.raises(Unauthorized) as caught:
            rows(nobody.fetch_orders(["1"], now=NOW))
        assert caught.value.code == "no_token"
        url = nobody.login_url("state-1", "http://127.0.0.1:1/back")
        assert parse_qs(urlsplit(url).query)["state"] == ["state-1"]
        assert "sandbox-pdd-secret" not in url
        back = urlsplit(httpx.get(url, follow_redirects=False).headers["location"])
        nobody.exchange(parse_qs(back.query)["code"][0], "http://127.0.0.1:1/back")
        first = rehearsal.tokens["pdd-demo"]
        assert first["seller_id"] == nobody.identify() == "593000001"
        standing = nobody.standing()
        assert (standing.expires_at, standing.missing) == (first["expires_at"], ())
        rehearsal.sandbox.control({"expire_tokens": True, "prolong": True})
        refs = sorted(rehearsal.bodies())
        assert len(rows(nobody.fetch_orders(refs, now=rehearsal.now()))) == len(refs)
        assert rehearsal.tokens["pdd-demo"]["access_token"] != first["access_token"]


def test_a_token_that_renewing_does_not_prolong_asks_for_a_login(tmp_path: Path) -> None:
    with world(tmp_path, orders=10) as rehearsal:
        shop = rehearsal.shop(access_token="")
        url = shop.login_url("s", "http://127.0.0.1:1/back")
        back = urlsplit(httpx.get(url, follow_redirects=False).headers["location"])
        shop.exchange(parse_qs(back.query)["code"][0], "")
        rehearsal.clock.at += 31 * 86_400
        with pytest.raises(Unauthorized) as caught:
            shop.identify()
        assert caught.value.code == "token_expired"
        assert caught.value.hint is not None


def test_a_new_login_ends_the_one_before(tmp_path: Path) -> None:
    with world(tmp_path, orders=10) as rehearsal:
        old = rehearsal.shop()
        assert old.identify()
        url = old.login_url("s", "http://127.0.0.1:1/back")
        back = urlsplit(httpx.get(url, follow_redirects=False).headers["location"])
        rehearsal.shop(access_token="").exchange(parse_qs(back.query)["code"][0], "")
        with pytest.raises(Unauthorized) as caught:
            old.identify()
        assert caught.value.code == "login_over"


@pytest.mark.parametrize(
    ("codes", "outcome"),
    [
        ([10019], "ok"),  # renewed, and the call repeated
        ([10019, 10019], "token_expired"),  # renewing did not help
        ([10014], "login_over"),  # revoked: renewing is not even tried
        ([20031], "permission"),
    ],
)
def test_expired_revoked_and_forbidden_are_told_apart(codes: list[int], outcome: str) -> None:
    left, asked = list(codes), []

    def platform(form: dict[str, str]) -> Any:
        asked.append(form["type"])
        if form["type"] == "pdd.pop.auth.token.refresh":
            assert "access_token" not in form
            return token(refresh_token="R2")
        return failed(left.pop(0)) if left else {"order_info_get_response": {"order_info": {"order_sn": "1"}}}

    shop, tokens, _ = over(platform, {"access_token": "OLD", "refresh_token": "R"})
    try:
        rows(shop.fetch_orders(["1"], now=NOW))
        found = "ok"
    except Unauthorized as failure:
        found = failure.code
    assert found == outcome
    renewed = asked.count("pdd.pop.auth.token.refresh")
    assert renewed == (1 if codes[0] == 10019 else 0)
    assert tokens["s"]["access_token"] == ("A" if renewed else "OLD")


def test_a_login_that_cannot_be_renewed_says_so() -> None:
    shop, _, _ = over(lambda _: failed(10014), {"access_token": "OLD", "refresh_token": "R"})
    with pytest.raises(Unauthorized) as caught:
        shop.refresh()
    assert caught.value.code == "login_over"
    shop, _, _ = over(lambda _: failed(10019), {"access_token": "OLD"})
    with pytest.raises(Unauthorized) as caught:
        shop.refresh()
    assert caught.value.code == "no_refresh_token"


def test_missing_scopes_are_named() -> None:
    kept = {"access_token": "T", "scopes": "pdd.order.list.get pdd.order.information.get", "seller_id": "7"}
    shop, _, _ = over(lambda _: failed(20031), kept)
    standing = shop.standing()
    assert standing.shop_id == "7"
    assert standing.missing == (
        "pdd.order.number.list.increment.get", "pdd.logistics.online.send", "pdd.order.upload.extra.logistics",
    )  # fmt: skip


def test_a_shop_nobody_can_name() -> None:
    shop, _, _ = over(lambda _: failed(20031))
    with pytest.raises(Refused) as caught:
        shop.identify()
    assert caught.value.code == "nobody"
    shop, _, _ = over(lambda _: failed(20031), owner_id="9")
    assert shop.identify() == "9"


def test_a_used_up_trial_quota_ends_quickly(tmp_path: Path) -> None:
    with world(tmp_path, orders=10) as rehearsal:
        rehearsal.sandbox.set_quota({"pdd": 0})
        before = rehearsal.clock.at
        with pytest.raises(Temporary) as caught:
            rehearsal.shop().identify()
        assert (caught.value.retry_after_s or 0) > 600
        assert rehearsal.clock.at - before < 5


def test_no_secret_leaves_by_an_error() -> None:
    shop, _, _ = over(
        lambda _: failed(20004, "sign testSecret", "T"), client_secret="sEcReT-0", access_token="tOkEn-0"
    )
    with pytest.raises(Unauthorized) as caught:
        shop.ship(request("1", courier="SF"))
    for secret in ("sEcReT-0", "tOkEn-0"):
        assert secret not in caught.value.render() + str(caught.value)


def test_the_production_page_of_logins() -> None:
    shop, _, _ = over(lambda _: {})
    assert shop.login_url("s", "https://example.invalid/").startswith(
        "https://fuwu.pinduoduo.com/service-market/auth?"
    )
    shop, _, _ = over(lambda _: {}, authorize_url="https://mms.pinduoduo.com/open.html")
    assert shop.login_url("s", "x").startswith("https://mms.pinduoduo.com/open.html?response_type=code&")
    with pytest.raises(Refused) as caught:
        shop.event_orders({}, b"")
    assert caught.value.code == "no_events"
