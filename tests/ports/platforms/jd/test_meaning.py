"""JD's signatures, times and the meaning of its answers."""

from __future__ import annotations

import csv
import json
import string
from pathlib import Path

import pytest

from orderctl.model.errors import OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.model.text import sentences
from orderctl.ports.platforms.jd import meaning
from orderctl.ports.platforms.jd.gateway import sign
from orderctl.ports.platforms.jd.mapper import ORDER
from orderctl.ports.platforms.jd.meaning import classify, classify_login, classify_rest
from orderctl.ports.platforms.jd.orders import FIELDS, PROMISE_FIELD
from orderctl.ports.platforms.jd.rest import instant_of_millis, millis
from orderctl.ports.platforms.jd.rest_mapper import ORDER as REST_ORDER
from orderctl.ports.platforms.jd.rest_orders import SCOPE
from orderctl.ports.platforms.wallclock import beijing, instant_of

GUIDE = {
    "360buy_param_json": '{"end_date":null,"optional_fields":null,"order_state":"WAIT_SELLER_STOCK_OUT","page":"1",'
    '"page_size":"200","start_date":null}',
    "access_token": "yourtoken", "app_key": "yourappkey", "method": "jingdong.pop.order.search",
    "timestamp": "2021-05-07 09:20:39.683+0800", "v": "2.0",
}  # fmt: skip
REST = {
    "X-JOS-App-Key": "ak", "X-JOS-Access-Token": "tk", "X-JOS-Timestamp": "1700000000000", "orderId": "123",
    "body": '{"a":1}',
}  # fmt: skip


@pytest.mark.parametrize(
    ("params", "secret", "expected"),
    [
        (GUIDE, "yourappSecret", "D70825340F4084360B9362B60DFD7930"),
        ({"a": "1", "b": "2"}, "secret", "EF16F26C937CF52AE6F85DF2FD08B24A"),
        (REST, "spSecret", "24CA93A23D21465232615E4AAE14F4DE"),
    ],
    ids=["guide", "sp-test", "sp-headers"],
)
def test_signature_vectors(params: dict[str, str], secret: str, expected: str) -> None:
    assert sign(params, secret) == expected
    assert sign(params | {"empty": "", "sign": "x"}, secret) == expected


def test_times() -> None:
    assert beijing("2026-11-01T16:30:00Z") == "2026-11-02 00:30:00"
    assert instant_of("2026-11-02 00:30:00") == "2026-11-01T16:30:00Z"
    for nothing in ("0001-01-01 00:00:00", "", None, "gestern"):
        assert instant_of(nothing) is None
    assert millis("2026-11-02T02:00:00Z") == "1793584800000"
    assert instant_of_millis(1793584800123) == "2026-11-02T02:00:00Z"
    for none in (None, "", 0, -62135798400000, "x", 10**18):
        assert instant_of_millis(none) is None


def error(code: object) -> bytes:
    return json.dumps(
        {"error_response": {"code": code, "zh_desc": "样例 13800000001", "en_desc": "x"}}
    ).encode()


def inner(words: str, *, success: object = False, key: str = "jingdong_pop_order_shipment_responce") -> bytes:
    return json.dumps(
        {key: {"code": "0", "r": {"success": success, "chineseErrCode": words, "errorCode": "E1"}}}
    ).encode()


MEANINGS: list[tuple[bytes, type[PortError] | None, str]] = [
    (b'{"jingdong_pop_order_search_responce":{"code":"0"}}', None, ""),
    (b'{"jingdong_pop_order_search_response":{"code":0}}', None, ""),
    (b'{"x_responce":{"code":"19"}}', Unauthorized, "token_expired"),
    (b'{"x_responce":{"code":"0","r":{"apiResult":{"success":"true"}}}}', None, ""),
    (b'{"x_responce":{"code":"0","r":{"apiResult":{"success":false,"chineseErrCode":"","numberCode":7}}}}', Refused, "7"),
    (error("2"), Temporary, "throttled"),
    (error(19), Unauthorized, "token_expired"),
    (error("18"), Unauthorized, "token_expired"),
    (error("11"), Unauthorized, "signature"),
    (error("12"), Unauthorized, "signature"),
    (error("21"), Unauthorized, "signature"),
    (error("7"), Refused, "clock"),
    (error("8"), Refused, "clock"),
    (error("22"), Unauthorized, "permission"),
    (error("24"), Unauthorized, "permission"),
    (error(2001), Unauthorized, "permission"),
    (error("64"), Unauthorized, "permission"),
    (error("72"), Unauthorized, "permission"),
    (error("43"), OutcomeUnknown, "platform"),
    (error("65"), OutcomeUnknown, "platform"),
    (error("66"), OutcomeUnknown, "platform"),
    (error("67"), OutcomeUnknown, "platform"),
    (error("70"), Temporary, "busy"),
    (error("69"), Refused, "order_not_found"),
    (error("71"), Refused, "order_not_found"),
    (error("73"), Unauthorized, "cloud"),
    (error("60"), Refused, "60"),
    (error("15"), Refused, "15"),
    (error("a b 13800000001"), Refused, "?"),
    (inner("SOP订单 订单出库成功", success=True), None, ""),
    (inner("SOP订单 订单出库成功", success="true"), None, ""),
    (inner("订单已出库"), Refused, "already_shipped"),
    (inner("订单状态不正确"), Refused, "already_shipped"),
    (inner("订单已锁定"), Refused, "refunding"),
    (inner("用户申请退款"), Refused, "refunding"),
    (inner("物流公司不存在"), Refused, "courier_unknown"),
    (inner("运单号不符合规则"), Refused, "bad_number"),
    (inner("订单已暂停"), Refused, "held"),
    (inner("订单不存在"), Refused, "order_not_found"),
    (inner("系统异常"), OutcomeUnknown, "platform"),
    (inner("样例收件人"), Refused, "E1"),
    (b'{"error_response":"words"}', OutcomeUnknown, "unreadable"),
    (b"<html>", OutcomeUnknown, "unreadable"),
    (b"[]", OutcomeUnknown, "unreadable"),
    (b"{}", OutcomeUnknown, "unreadable"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "code"), MEANINGS)
def test_meaning_of_an_answer(body: bytes, kind: type[PortError] | None, code: str) -> None:
    found = classify(200, {}, body, operation="op")
    assert (type(found) if found else None) is kind
    assert (found.code if found else "") == code
    if found:
        assert "13800000001" not in found.render() + found.render("zh") + found.code
        assert "样例" not in found.render() + found.render("zh")


def rest_error(code: str, message: str) -> bytes:
    return json.dumps(
        {"success": False, "data": None, "errorList": [{"code": code, "message": message}]}
    ).encode()


REST_MEANINGS: list[tuple[int, bytes, type[PortError] | None, str]] = [
    (200, b'{"success":true,"data":[]}', None, ""),
    (200, rest_error("1", "订单已出库"), Refused, "already_shipped"),
    (400, rest_error("1", "订单锁定"), Refused, "refunding"),
    (400, rest_error("99904030005", "x"), Unauthorized, "cloud"),
    (401, rest_error("5", "x"), Unauthorized, "token_expired"),
    (400, rest_error("5", "access token is expired"), Unauthorized, "token_expired"),
    (400, rest_error("5", "签名错误"), Unauthorized, "signature"),
    (403, rest_error("5", "x"), Unauthorized, "permission"),
    (404, rest_error("10201001018", "订单不存在"), Refused, "order_not_found"),
    (400, rest_error("10201001001", "x"), Refused, "10201001001"),
    (200, b'{"success":false}', Refused, "refused"),
    (200, b'{"data":1}', OutcomeUnknown, "unreadable"),
    (200, b"x", OutcomeUnknown, "unreadable"),
    (400, b"x", Refused, "http_400"),
    (401, b"x", Unauthorized, "token_expired"),
    (403, b"x", Unauthorized, "permission"),
    (429, b"x", Temporary, "http_429"),
    (502, rest_error("1", "订单已出库"), OutcomeUnknown, "http_502"),
]


@pytest.mark.parametrize(("status", "body", "kind", "code"), REST_MEANINGS)
def test_meaning_of_an_answer_of_the_sp_api(
    status: int, body: bytes, kind: type[PortError] | None, code: str
) -> None:
    found = classify_rest(status, {}, body, operation="op")
    assert (type(found) if found else None) is kind
    assert (found.code if found else "") == code


def test_meaning_of_a_login() -> None:
    assert classify_login(200, {}, b'{"access_token":"x"}', operation="op") is None
    for status, body in ((200, b'{"code":"5","msg":"x"}'), (400, b'{"code":5}')):
        found = classify_login(status, {}, body, operation="op")
        assert isinstance(found, Unauthorized)
        assert found.code == "5"
    assert isinstance(classify_login(500, {}, b"", operation="op"), OutcomeUnknown)


def test_a_quota_that_is_used_up_says_how_long() -> None:
    assert getattr(classify(200, {}, error("2"), operation="op"), "retry_after_s", None) == 300
    assert getattr(classify(200, {}, error("2"), operation="op", pause_s=1), "retry_after_s", None) == 1


def test_every_field_the_mapper_reads_is_asked_for() -> None:
    assert {field.name for field in ORDER.dtype.fields} <= {*FIELDS.split(","), PROMISE_FIELD}
    always = {"orderId", "orderStatus", "createdTime", "modifiedTime", "xidBuyer"}
    assert {field.name for field in REST_ORDER.dtype.fields} - always <= set(SCOPE.split(","))


def test_every_sentence_of_the_tables_has_its_chinese() -> None:
    chinese = sentences("zh")

    def slots(template: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(template) if name}

    told = [
        *meaning.SENTENCES.values(),
        *(text for case in meaning.CODES.values() for text in case[2:] if text),
    ]
    told += [
        "order {order}: the buyer wants to cancel or be refunded",
        "order {order}: the platform holds it",
        "order {order}: its state does not allow shipping",
    ]
    for sentence in told:
        assert slots(chinese[sentence]) == slots(sentence)


def test_couriers_are_named_once() -> None:
    path = Path(meaning.__file__).with_name("couriers.csv")
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    assert all(row["courier"] and row["code"].isdecimal() and row["name"] for row in rows)
    for column in ("courier", "code"):
        assert len({row[column] for row in rows}) == len(rows)
    known = {row["courier"]: row["code"] for row in rows}
    assert [known[c] for c in ("SF", "ZTO", "YTO", "STO", "YUNDA", "EMS")] == [
        "467",
        "1499",
        "463",
        "470",
        "1327",
        "465",
    ]
