"""Douyin: signatures, what answers mean, tokens and their renewal."""

from __future__ import annotations

import ast
import json
import string
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from orderctl.model.errors import ConfigError, OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.model.text import sentences
from orderctl.ports.platforms import douyin
from orderctl.ports.platforms.douyin import meaning
from orderctl.ports.platforms.douyin.gateway import epoch, instant_of, parse_token, sign, write_params
from orderctl.ports.platforms.douyin.meaning import READ_MEANING, SENTENCES, SHIP_MEANING, classify
from orderctl.ports.platforms.port import shift
from tests.ports.http.rehearsal import NOW, TokensInMemory
from tests.ports.platforms.douyin.rehearsal import KEY, SECRET, SERVICE, ok, over, payload, rows, world

LIST = {
    "combine_status": [{"order_status": "105,2,101"}],
    "order_asc": True,
    "order_by": "update_time",
    "page": 0,
    "size": 50,
    "update_time_end": 1763658000,
    "update_time_start": 1763654400,
}
REMARK = {
    "star": "1",
    "remark": 'A&B <急> 😀 "5折"',
    "order_id": "6900000000000000001A",
    "is_add_star": "true",
}
VECTORS = [
    ("order.searchList", "1763658001", LIST, "hmac-sha256", "fc9f0d7401b9eda10a938cd0a5dff89129ef97f4873ca90488983ca517394a9d"),
    ("order.searchList", "1763658001", LIST, "md5", "4aeae35b4964609469f15d6a5cec4637"),
    ("order.addOrderRemark", "2026-11-20 09:30:00", REMARK, "hmac-sha256", "851479a8393e20e70a2a23bb3a270372df3838f65bb99cfc275e8b364c64f4b3"),
    ("order.addOrderRemark", "2026-11-20 09:30:00", REMARK, "md5", "869959ddca0ea3516693db389c8ea0c1"),
    ("logistics.getShopKey", "1763658001", {}, "hmac-sha256", "93505423c8b551484d7adb217a440e9bd064f000eb3c04ddd411a304ea01c09e"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "timestamp", "params", "kind", "expected"), VECTORS)
def test_signature_vectors(method: str, timestamp: str, params: object, kind: str, expected: str) -> None:
    body = write_params(params)  # type: ignore[arg-type]
    assert sign(KEY, SECRET, method, timestamp, body, kind) == expected


def test_parameters_are_sorted_at_every_level_and_written_literally() -> None:
    assert (
        write_params({"b": [{"d": "<&>", "c": "急\u2028"}], "a": True})
        == '{"a":true,"b":[{"c":"急","d":"<&>"}]}'
    )


def test_an_unknown_signature_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError):
        sign(KEY, SECRET, "m", "1", "{}", "sha1")


def test_the_signed_text_is_the_sent_text() -> None:
    sent: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return ok({"shop_order_detail": {}})

    list(over(handler)[0].fetch_orders(["6900000000000000001A"], now=NOW))
    (request,) = sent
    query = dict(request.url.params)
    body = request.content.decode()
    assert request.url.path == "/order/orderDetail"
    assert set(query) == {"method", "app_key", "access_token", "timestamp", "v", "sign", "sign_method"}
    assert query["timestamp"] == str(epoch(NOW))
    assert query["sign"] == sign(KEY, SECRET, "order.orderDetail", query["timestamp"], body, "hmac-sha256")
    assert json.loads(body) == {"shop_order_id": "6900000000000000001A"}
    assert SECRET not in str(request.url)


def test_times_are_seconds() -> None:
    assert epoch("2026-11-20T01:30:00Z") == 1795138200
    assert instant_of(1795138200) == instant_of("1795138200") == "2026-11-20T01:30:00Z"
    assert [instant_of(x) for x in (0, None, "", "soon", 10**15)] == [None] * 5


def error(code: int, sub_code: str = "", *, old: bool = False) -> bytes:
    found = (
        {"err_no": code, "message": "样例收件人 13800000001"}
        if old
        else {"code": code, "sub_msg": "样例收件人 13800000001"}
    )
    return json.dumps({**found, "sub_code": sub_code, "log_id": "20261120093000FAKE"}).encode()


SHIP, READ = "order.logisticsAdd", "order.searchList"
FAILED = "isv.business-failed:"
MEANINGS: list[tuple[str, bytes, type[PortError] | None, str]] = [
    (READ, b'{"code":10000,"data":{}}', None, ""),
    (READ, b'{"err_no":0,"message":"success","data":{}}', None, ""),
    (READ, error(60000, "isv.traffic-limited"), Temporary, "throttled"),
    (READ, error(60000, old=True), Temporary, "throttled"),
    (READ, error(20000, "dop.service-error"), OutcomeUnknown, "platform"),
    (READ, error(20000, "isp.service-error:20004"), Temporary, "busy"),
    (READ, error(50002, FAILED + "20005"), Temporary, "busy"),
    (READ, error(90000), OutcomeUnknown, "platform"),
    (READ, error(70000, "isp.api-service-off"), Refused, "isp.api-service-off"),
    (READ, error(30001, "isv.app-permissions-insufficient"), Unauthorized, "permission"),
    (READ, error(30001, "dop.app-forbidden"), Unauthorized, "permission"),
    (READ, error(30001, "dop.authorization-closed"), Unauthorized, "reauthorise"),
    (READ, error(30001, "dop.authorization-no-existed"), Unauthorized, "reauthorise"),
    (READ, error(40003, "isv.access-token-expired"), Unauthorized, "token_expired"),
    (READ, error(40004, "isv.access-token-no-existed"), Unauthorized, "token_expired"),
    (READ, error(40003, "isv.signature-invalid"), Unauthorized, "signature"),
    (READ, error(40003, "isv.app-id-invalid"), Unauthorized, "signature"),
    (READ, error(40004, "isv.timestamp-invalid"), Refused, "clock"),
    (READ, error(40004, "isv.timestamp-format-error"), Refused, "clock"),
    (READ, error(40004, "isv.parameter-invalid:20022"), Refused, "too_old"),
    (READ, error(40004, "isv.parameter-invalid:20013"), Refused, "window_too_wide"),
    (READ, error(40004, "isv.parameter-invalid:20008"), Refused, "isv.parameter-invalid:20008"),
    ("order.orderDetail", error(40004, "isv.parameter-invalid:20001"), Refused, "order_not_found"),
    ("order.orderDetail", error(50002, FAILED + "20015"), Refused, "order_not_found"),
    ("token.create", error(50001, "dop.token-generate-failed:code-expired"), Unauthorized, "code-expired"),
    (SHIP, error(50002, FAILED + "60110"), Refused, "already_shipped"),
    (SHIP, error(50002, FAILED + "70023"), Refused, "already_shipped"),
    (SHIP, error(50002, FAILED + "60033"), Refused, "order_not_found"),
    (SHIP, error(50002, FAILED + "60113"), Refused, "not_shippable"),
    (SHIP, error(50002, FAILED + "60137"), Refused, "not_shippable"),
    (SHIP, error(50002, FAILED + "60040"), Refused, "refunding"),
    (SHIP, error(50002, FAILED + "60120"), Refused, "refunding"),
    (SHIP, error(50002, FAILED + "60109"), Refused, "held"),
    (SHIP, error(50002, FAILED + "70020"), Refused, "address_changed"),
    (SHIP, error(40004, "isv.parameter-invalid:60017"), Refused, "bad_number"),
    (SHIP, error(50002, FAILED + "70022"), Refused, "bad_number"),
    (SHIP, error(50002, FAILED + "60018"), Refused, "courier_unknown"),
    (SHIP, error(50002, FAILED + "60027"), Refused, "address_book"),
    (SHIP, error(50002, FAILED + "60056"), Refused, "serial_number"),
    (SHIP, error(50002, FAILED + "60116"), Refused, "not_ours"),
    (SHIP, error(50002, FAILED + "60118"), Temporary, "busy"),
    (SHIP, error(50002, FAILED + "120032"), Temporary, "busy"),
    (SHIP, error(20000, "isp.service-error:99997"), Temporary, "busy"),
    (SHIP, error(20000, "isp.service-error:9999"), OutcomeUnknown, "platform"),
    (SHIP, error(40002, "isv.missing-parameter:50050"), Refused, "isv.missing-parameter:50050"),
    (SHIP, error(50002, FAILED + "1"), Refused, FAILED + "1"),
    (SHIP, error(12345), Refused, "12345"),
    (READ, b'{"code":"x"}', OutcomeUnknown, "unreadable"),
    (READ, b"{}", OutcomeUnknown, "unreadable"),
    (READ, b"[]", OutcomeUnknown, "unreadable"),
    (READ, b"<html>", OutcomeUnknown, "unreadable"),
]


@pytest.mark.parametrize(("operation", "body", "kind", "code"), MEANINGS)
def test_meaning_of_an_answer(operation: str, body: bytes, kind: type[PortError] | None, code: str) -> None:
    found = classify(200, {}, body, operation=operation)
    assert (type(found) if found else None) is kind
    assert (found.code if found else "") == code


def test_errors_name_the_call_and_nobody() -> None:
    found = classify(200, {}, error(50002, FAILED + "60040"), operation=SHIP)
    assert found is not None
    for shown in (found.render(), found.render("zh")):
        assert "20261120093000FAKE" in shown
        assert "60040" in shown
        assert "13800000001" not in shown
    odd = classify(200, {}, error(50002, "样例收件人 13800000001"), operation=SHIP)
    assert odd is not None
    assert "13800000001" not in odd.render() + odd.code


def test_every_sentence_has_its_chinese() -> None:
    chinese = sentences("zh")

    def slots(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    spoken = [*SENTENCES.values()]
    for path in Path(douyin.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Text" and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    spoken.append(first.value)
    assert len(spoken) > 20
    for sentence in spoken:
        assert slots(chinese[sentence]) == slots(sentence)
    assert {*SHIP_MEANING.values(), *READ_MEANING.values()} - {"busy"} == set(meaning.SENTENCES)


def test_a_token_answer() -> None:
    answer = {"access_token": "a", "refresh_token": "r", "expires_in": 600, "shop_id": 10000001}
    assert parse_token(answer, NOW) == {
        "access_token": "a", "refresh_token": "r", "expires_at": instant_of(epoch(NOW) + 600), "shop_id": "10000001",
    }  # fmt: skip
    absolute = parse_token(answer | {"expires_in": epoch(NOW) + 600}, NOW)
    assert absolute["expires_at"] == instant_of(epoch(NOW) + 600)
    with pytest.raises(Unauthorized):
        parse_token({"refresh_token": "r"}, NOW)


def test_a_self_use_app_needs_no_login(tmp_path: Path) -> None:
    with world(tmp_path, orders=5) as rehearsal:
        shop = rehearsal.shop()
        with pytest.raises(Refused):
            shop.login_url("state", "http://127.0.0.1:1/back")
        assert shop.identify() == "10000001"
        first = dict(rehearsal.tokens["douyin-demo"])
        assert set(first) == {"access_token", "refresh_token", "expires_at", "shop_id"}
        rehearsal.sandbox.expire_tokens()
        assert len(rows(shop.fetch_orders([*rehearsal.orders()], now=rehearsal.now()))) == 5
        assert rehearsal.tokens["douyin-demo"]["access_token"] != first["access_token"]
        rehearsal.sandbox.control({"expire_tokens": {"kinds": ["access", "refresh"]}})
        assert len(rows(shop.fetch_orders([*rehearsal.orders()], now=rehearsal.now()))) == 5


def test_a_shop_that_did_not_authorise_the_app(tmp_path: Path) -> None:
    with world(tmp_path, orders=5) as rehearsal:
        with pytest.raises(Unauthorized) as caught:
            rehearsal.shop(shop_id="10000002").identify()
        assert caught.value.code == "no-authorization"


def test_a_service_app_logs_in_with_a_code(tmp_path: Path) -> None:
    with world(tmp_path, orders=5) as rehearsal:
        shop = rehearsal.shop(SERVICE)
        with pytest.raises(Unauthorized) as caught:
            shop.identify()
        assert caught.value.code == "no_token"
        url = shop.login_url("state-1", "http://127.0.0.1:1/back")
        back = urlsplit(httpx.get(url, follow_redirects=False).headers["location"])
        assert parse_qs(back.query)["state"] == ["state-1"]
        code = parse_qs(back.query)["code"][0]
        shop.exchange(code, "")
        assert shop.identify() == "10000001"
        with pytest.raises(Unauthorized) as caught:
            shop.exchange(code, "")
        assert caught.value.code == "code-invalid"


def test_tokens_are_renewed_in_their_last_hour_and_lost_ones_need_the_seller(tmp_path: Path) -> None:
    with world(tmp_path, orders=5) as rehearsal:
        shop = rehearsal.shop(SERVICE)
        location = httpx.get(shop.login_url("s", ""), follow_redirects=False).headers["location"]
        shop.exchange(parse_qs(urlsplit(location).query)["code"][0], "")
        first = rehearsal.tokens["douyin-demo"]["access_token"]
        shop.refresh()
        assert (
            rehearsal.tokens["douyin-demo"]["access_token"] == first
        )  # long before its end: renewed to itself
        rehearsal.clock.at += 7 * 86_400 - 4_000
        shop.identify()
        assert rehearsal.tokens["douyin-demo"]["access_token"] == first
        rehearsal.clock.at += 1_500
        shop.identify()
        assert rehearsal.tokens["douyin-demo"]["access_token"] != first
        rehearsal.sandbox.control({"expire_tokens": {"kinds": ["access", "refresh"]}})
        with pytest.raises(Unauthorized) as caught:
            list(shop.fetch_orders(["1"], now=rehearsal.now()))
        assert caught.value.code == "reauthorise"


def test_a_renewal_by_another_run_is_taken_over() -> None:
    tokens: TokensInMemory

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token/refresh":
            tokens["s"] = {"access_token": "NEW", "refresh_token": "NEWER"}
            return httpx.Response(200, content=error(50001, "dop.token-generate-failed:token-expired"))
        if dict(request.url.params)["access_token"] != "NEW":
            return httpx.Response(200, content=error(40003, "isv.access-token-expired"))
        return ok({"shop_order_detail": {"order_id": "1"}})

    shop, tokens = over(handler)
    tokens["s"] = {"access_token": "OLD", "refresh_token": "OLDER"}
    assert len(rows(shop.fetch_orders(["1"], now=NOW))) == 1


@pytest.mark.parametrize(
    "trouble", [error(60000, "isv.traffic-limited"), error(50001, "dop.token-generate-failed:token-expired")]
)
def test_a_token_that_is_still_good_is_used_while_it_cannot_be_renewed(trouble: bytes) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token/refresh":
            return httpx.Response(200, content=trouble)
        return ok({"shop_order_detail": {"order_id": "1"}})

    shop, tokens = over(handler)
    tokens["s"] |= {"refresh_token": "R", "expires_at": shift(NOW, 1_800)}
    assert len(rows(shop.fetch_orders(["1"], now=NOW))) == 1
    tokens["s"]["expires_at"] = shift(NOW, -1)
    with pytest.raises((Temporary, Unauthorized)):
        list(shop.fetch_orders(["1"], now=NOW))


def test_a_wrong_secret_and_a_wrong_clock_are_not_taken_for_an_old_token(tmp_path: Path) -> None:
    with world(tmp_path, orders=5) as rehearsal:
        shop = rehearsal.shop()
        shop.identify()
        with pytest.raises(Unauthorized) as caught:
            list(rehearsal.shop(app_secret="x").fetch_orders(["1"], now=NOW))
        assert caught.value.code == "signature"
        with pytest.raises(Refused) as refused:
            late = rehearsal.sandbox
            late._now = late._world.standins["douyin"]._now = lambda: epoch(NOW) + 700.0  # type: ignore[attr-defined]
            list(shop.fetch_orders(["1"], now=NOW))
        assert refused.value.code == "clock"


def test_standing_names_what_is_missing() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/order/searchList":
            return httpx.Response(200, content=error(30001, "isv.app-permissions-insufficient"))
        return ok([])

    shop, tokens = over(handler)
    tokens["s"]["expires_at"] = "2027-01-01T00:00:00Z"
    found = shop.standing()
    assert (found.shop_id, found.expires_at, found.missing) == (
        "10000001", "2027-01-01T00:00:00Z", ("order.searchList",),
    )  # fmt: skip


def test_standing_is_whole_in_the_sandbox(tmp_path: Path) -> None:
    with world(tmp_path, orders=5) as rehearsal:
        found = rehearsal.shop().standing()
        assert found.missing == ()
        assert found.expires_at is not None


def test_old_answers_are_understood() -> None:
    shop, _ = over(lambda _: httpx.Response(200, json={"err_no": 0, "message": "success", "data": {
        "shop_order_detail": {"order_id": "1", "update_time": 1795138200}}}))  # fmt: skip
    (row,) = rows(shop.fetch_orders(["1"], now=NOW))
    assert payload(row)["order_id"] == "1"
    assert row["updated_at"] == "2026-11-20T01:30:00Z"
