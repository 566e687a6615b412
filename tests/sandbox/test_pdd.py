"""The stand-in of Pinduoduo is as strict as the platform: judged by a client that signs as the documents say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from orderctl.sandbox import Sandbox
from orderctl.sandbox.answer import Request
from orderctl.sandbox.pdd import Pdd
from orderctl.sandbox.pdd.calls import signature
from orderctl.sandbox.store import Store
from tests.sandbox.callers import Clock

ENVELOPES = {
    "pdd.order.list.get": "order_list_get_response",
    "pdd.order.basic.list.get": "order_basic_list_get_response",
    "pdd.order.number.list.increment.get": "order_sn_increment_get_response",
    "pdd.order.information.get": "order_info_get_response",
    "pdd.order.status.get": "order_status_get_response",
    "pdd.order.note.update": "order_note_update_response",
    "pdd.logistics.online.send": "logistics_online_send_response",
    "pdd.order.upload.extra.logistics": "upload_extra_logistics_response",
    "pdd.logistics.companies.get": "logistics_companies_get_response",
    "pdd.pop.auth.token.create": "pop_auth_token_create_response",
    "pdd.pop.auth.token.refresh": "pop_auth_token_refresh_response",
    "pdd.mall.info.get": "mall_info_get_response",
    "pdd.time.get": "time_get_response",
}
LIST = {"order_status": 5, "refund_status": 5}


@dataclass
class Caller:
    """An honest client; it sends JSON, which the connector does not."""

    sandbox: Sandbox
    url: str
    clock: Clock
    http: httpx.Client
    token: str = "sandbox-token-pdd-demo"

    def params(self, method: str, **business: Any) -> dict[str, Any]:
        known = self.sandbox.config(self.url)["shops"]["pdd-demo"]["settings"]
        common = {"type": method, "client_id": known["client_id"], "timestamp": int(self.clock())}
        return {**common, **({"access_token": self.token} if self.token else {}), **business}

    def sign(self, params: dict[str, Any]) -> dict[str, Any]:
        texts = {
            k: v if isinstance(v, str) else json.dumps(v, separators=(",", ":")) for k, v in params.items()
        }
        text = "".join(k + texts[k] for k in sorted(texts))
        secret = "sandbox-pdd-secret"
        return params | {"sign": hashlib.md5(f"{secret}{text}{secret}".encode()).hexdigest().upper()}

    def post(self, params: dict[str, Any]) -> dict[str, Any]:
        answer = self.http.post(f"{self.url}/pdd/api/router", json=params)
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    def ask(self, method: str, **business: Any) -> dict[str, Any]:
        """Call a method and give what its envelope holds."""
        answer = self.post(self.sign(self.params(method, **business)))
        assert list(answer) == [ENVELOPES[method]], answer
        found: dict[str, Any] = answer[ENVELOPES[method]]
        return found

    def refused(self, method: str, **business: Any) -> tuple[int, str]:
        """Call a method that is refused, and give the code and the words."""
        error = self.post(self.sign(self.params(method, **business)))["error_response"]
        return error["error_code"], error["sub_msg"] or error["error_msg"]

    def ready(self) -> str:
        return self.sandbox.add_orders(1, shop="pdd-demo")[0].ref

    def send(self, ref: str, number: str = "73100000000001", **more: Any) -> dict[str, Any]:
        given = {"logistics_id": 115, "tracking_number": number, **more}
        return self.ask("pdd.logistics.online.send", order_sn=ref, **given)

    def day(self, **more: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for back in range(4, -1, -1):
            end = int(self.clock()) - back * 86_400
            window = {"start_confirm_at": end - 86_400, "end_confirm_at": end}
            found += self.ask("pdd.order.list.get", **{**LIST, **window, **more})["order_list"]
        return found


@pytest.fixture
def pdd(tmp_path: Path, clock: Clock, http: httpx.Client) -> Iterator[Caller]:
    with Sandbox(tmp_path, shops=["pdd-demo"], orders=60, now=clock) as sandbox:
        yield Caller(sandbox, sandbox.start(), clock, http)


def test_the_published_signature() -> None:
    params = {
        "access_token": "asd78172s8ds9a921j9qqwda12312w1w21211", "client_id": "1", "data_type": "XML",
        "order_status": "1", "page": "1", "page_size": "10", "timestamp": "1480411125",
        "type": "pdd.order.number.list.get", "sign": "not signed",
    }  # fmt: skip
    assert signature(params, "testSecret") == "E4DE3ED21002510DED352819E7AE6775"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_id": "other"}, 10001),
        ({"timestamp": 1_795_000_000_000}, 10001),  # milliseconds
        ({"timestamp": 1_795_000_601}, 10001),
        ({"timestamp": 1_794_999_399}, 10001),
        ({"access_token": "other"}, 10014),
        ({"type": "pdd.no.such.method"}, 10001),
        ({"type": "pdd.open.decrypt.batch"}, 20031),
        ({"data_type": "YAML"}, 10001),
        ({"sign_method": "md5"}, 50001),  # it has no such parameter
    ],
)
def test_common_parameters(pdd: Caller, changes: dict[str, Any], code: int) -> None:
    params = pdd.params("pdd.mall.info.get") | changes
    assert pdd.post(pdd.sign(params))["error_response"]["error_code"] == code
    assert pdd.ask("pdd.mall.info.get")["mall_id"] == 593000001


def test_a_wrong_signature_a_missing_parameter_and_get(pdd: Caller) -> None:
    signed = pdd.sign(pdd.params("pdd.mall.info.get"))
    assert pdd.post(signed | {"sign": "0" * 32})["error_response"]["error_code"] == 20004
    assert pdd.post(signed | {"extra": "1"})["error_response"]["error_code"] == 20004
    for name in ("type", "client_id", "timestamp", "sign", "access_token"):
        params = pdd.params("pdd.mall.info.get")
        params.pop(name, None)
        sent = pdd.sign(params)
        sent.pop(name, None)
        assert pdd.post(sent)["error_response"]["error_code"] == 10001
    assert pdd.http.get(f"{pdd.url}/pdd/api/router").json()["error_response"]["error_code"] == 10000


def test_a_form_is_as_good_as_json(pdd: Caller) -> None:
    params = {k: str(v) for k, v in pdd.sign(pdd.params("pdd.time.get")).items()}
    answer = pdd.http.post(f"{pdd.url}/pdd/api/router", data=params).json()
    assert list(answer) == ["time_get_response"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"end_confirm_at": 1_795_000_000 + 1}, "end_confirm_at"),  # a second more than a day
        (
            {"start_confirm_at": 1_795_000_000 - 91 * 86_400, "end_confirm_at": 1_795_000_000 - 91 * 86_400},
            "三个月",
        ),
        ({"page_size": 101}, "page_size"),
        ({"page": 0}, "page"),
        ({"order_status": 4}, "order_status"),
        ({"refund_status": 6}, "refund_status"),
        ({"order_status": ""}, "order_status"),
        ({"is_lucky_flag": 0}, "is_lucky_flag"),  # the other list's
        ({"trade_type": 2}, "trade_type"),
    ],
)
def test_windows_and_pages(pdd: Caller, changes: dict[str, Any], named: str) -> None:
    window = {"start_confirm_at": 1_795_000_000 - 86_400, "end_confirm_at": 1_795_000_000}
    asked = {**LIST, **window, **changes}
    code, words = pdd.refused("pdd.order.list.get", **asked)
    assert code == 50001
    assert named in words


def test_changes_are_listed_for_half_an_hour(pdd: Caller) -> None:
    method, now = "pdd.order.number.list.increment.get", int(pdd.clock())
    wide = {**LIST, "is_lucky_flag": 0, "start_updated_at": now - 1_801, "end_updated_at": now}
    assert "end_updated_at" in pdd.refused(method, **wide)[1]
    assert "is_lucky_flag" in pdd.refused(method, **LIST, start_updated_at=now - 1_800, end_updated_at=now)[1]
    ref = pdd.ready()
    found = pdd.ask(method, **{**wide, "start_updated_at": now - 1_800})
    assert [order["order_sn"] for order in found["order_sn_list"]] == [ref]
    assert found["total_count"] == 1
    further = pdd.ask(method, **{**wide, "start_updated_at": now - 1_800}, use_has_next=True, page_size=1)
    assert "total_count" not in further
    assert further["has_next"] is False


def test_deposit_orders_are_listed_by_type(pdd: Caller) -> None:
    normal, deposits = pdd.day(trade_type=0), pdd.day(trade_type=1)
    assert {order["trade_type"] for order in deposits} == {1}
    assert len(normal) + len(deposits) == 60
    assert [o["order_sn"] for o in pdd.day()] == [o["order_sn"] for o in normal]


def test_recipients_are_shown_while_an_order_waits_and_never_after(pdd: Caller) -> None:
    seen = set()
    for order in [*pdd.day(trade_type=0), *pdd.day(trade_type=1)]:
        waits = (
            order["order_status"] == 1 and order["refund_status"] == 1 and not order["risk_control_status"]
        )
        shown = order["receiver_phone"] or order["contact_mobile"]
        assert bool(shown) == waits
        assert shown == "" or (shown.startswith("$") and shown.endswith("$"))
        assert not any(name.startswith("_") for name in order)
        assert "13800" not in json.dumps(order["receiver_phone"])
        seen.add(waits)
    assert seen == {True, False}


def test_a_light_list_has_no_buyer(pdd: Caller) -> None:
    now = int(pdd.clock())
    pdd.ready()
    found = pdd.ask("pdd.order.basic.list.get", **LIST, start_confirm_at=now - 86_400, end_confirm_at=now)
    assert found["order_list"]
    assert not any("receiver" in name or name == "buyer_memo" for name in found["order_list"][0])


def test_amounts_are_numbers_that_add_up(pdd: Caller) -> None:
    for order in pdd.day():
        fees = sum(fee["service_fee"] for fee in order["service_fee_detail"])
        goods = sum(item["goods_price"] * item["goods_count"] for item in order["item_list"])
        assert round(goods - order["order_change_amount"] - order["goods_amount"], 4) == 0
        off = order["platform_discount"] + order["seller_discount"] + order["capital_free_discount"]
        assert round(off - order["discount_amount"], 4) == 0
        total = order["goods_amount"] - order["discount_amount"] + order["postage"] + fees
        assert round(total - order["pay_amount"], 4) == 0


def test_details_states_and_notes(pdd: Caller) -> None:
    ref = pdd.ready()
    detail = pdd.ask("pdd.order.information.get", order_sn=ref)["order_info"]
    assert detail["order_sn"] == ref
    assert pdd.refused("pdd.order.information.get", order_sn="261101-1") == (50001, "订单不存在")
    assert pdd.ask("pdd.order.status.get", order_sns=f"{ref},261101-1") == {
        "order_status_list": [{"orderSn": ref, "order_status": 1, "refund_status": 1}],
        "request_id": pdd.ask("pdd.order.status.get", order_sns=ref)["request_id"],
    }
    assert "tag" in pdd.refused("pdd.order.note.update", order_sn=ref, note="x", tag=1)[1]
    pdd.ask("pdd.order.note.update", order_sn=ref, note="加急", tag=1, tag_name="红色")
    detail = pdd.ask("pdd.order.information.get", order_sn=ref)["order_info"]
    assert (detail["remark"], detail["remark_tag"], detail["remark_tag_name"]) == ("加急", 1, "红色")
    assert [entry["kind"] for entry in pdd.sandbox.books()] == ["refused", "memo"]


def test_an_order_is_shipped_once_and_corrected_when_asked(pdd: Caller) -> None:
    ref, other = pdd.ready(), pdd.ready()
    assert pdd.refused(
        "pdd.logistics.online.send",
        order_sn=ref,
        logistics_id=115,
        tracking_number="73100000000001",
        redelivery_type=2,
    )[1].startswith("订单未发货")
    assert pdd.send(ref)["is_success"] is True
    again = {"order_sn": ref, "logistics_id": 115, "tracking_number": "73100000000001"}
    assert "已发货" in pdd.refused("pdd.logistics.online.send", **again)[1]
    assert "已使用" in pdd.refused("pdd.logistics.online.send", **(again | {"order_sn": other}))[1]
    assert pdd.send(ref, "73100000000002", redelivery_type=2)["is_success"] is True
    assert pdd.send(ref, "73100000000002", redelivery_type=2)["is_success"] is True
    kinds = [
        (e["kind"], e["number"])
        for e in pdd.sandbox.books()
        if e["subject"] == ref and e["kind"] != "refused"
    ]
    assert kinds == [("ship", "73100000000001"), ("amend", "73100000000002"), ("repeated", "73100000000002")]
    detail = pdd.ask("pdd.order.information.get", order_sn=ref)["order_info"]
    assert (detail["order_status"], detail["tracking_number"], detail["receiver_name"]) == (
        2,
        "73100000000002",
        "",
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"refund": True}, "售后"), ({"refund": "4"}, "状态"), ({"review": True}, "审核"), ({}, "停用")],
)
def test_what_cannot_leave(pdd: Caller, changes: dict[str, Any], words: str) -> None:
    ref = pdd.ready()
    if changes:
        pdd.sandbox.touch(ref, **changes)
    courier = 115 if changes else 119  # on the list, but not available
    asked = {"order_sn": ref, "logistics_id": courier, "tracking_number": "73100000000001"}
    code, said = pdd.refused("pdd.logistics.online.send", **asked)
    assert code == 50001
    assert words in said
    assert [entry["kind"] for entry in pdd.sandbox.books()] == ["refused"]


def test_holds_and_deposits_cannot_leave(pdd: Caller) -> None:
    asked = {"logistics_id": 115, "tracking_number": "73100000000001"}
    orders = {order["order_sn"]: order for order in [*pdd.day(trade_type=0), *pdd.day(trade_type=1)]}
    held = [r for r, o in orders.items() if {"name": "ship_hold", "value": 1} in o["order_tag_list"]]
    unpaid = [r for r, o in orders.items() if (o["step_order_info"] or {}).get("step_trade_status") == 1]
    for refs, words in ((held, "暂停"), (unpaid, "尾款")):
        assert refs
        assert words in pdd.refused("pdd.logistics.online.send", order_sn=refs[0], **asked)[1]


def test_further_parcels(pdd: Caller) -> None:
    ref = pdd.ready()
    tracks = json.dumps([{"shipping_id": 115, "tracking_number": "73100000000002"}])
    extra = {"order_sn": ref, "extra_track_list": tracks, "extra_track_type": 1}
    method = "pdd.order.upload.extra.logistics"
    assert "未发货" in pdd.refused(method, **extra)[1]
    pdd.send(ref)
    assert pdd.ask(method, **extra)["success"] is True
    assert "重复" in pdd.refused(method, **extra)[1]
    assert "extra_track_list" in pdd.refused(method, **(extra | {"extra_track_list": "[{}]"}))[1]
    assert "extra_track_type" in pdd.refused(method, **(extra | {"extra_track_type": 4}))[1]
    detail = pdd.ask("pdd.order.information.get", order_sn=ref)["order_info"]
    assert detail["extra_delivery_list"] == [{"logistics_id": 115, "tracking_number": "73100000000002"}]
    first, further = pdd.sandbox.books("ship")
    lines = first["detail"]["lines"]
    assert lines and all(line["quantity"] for line in lines)
    assert further["detail"]["lines"] == [{**line, "quantity": 0} for line in lines]


SENT = {"order_sn": "", "logistics_id": 115, "tracking_number": "73100000000001"}
EXTRA = {"order_sn": "", "extra_track_list": "[]", "extra_track_type": 1}


@pytest.mark.parametrize(
    ("method", "asked"),
    [
        ("pdd.logistics.online.send", SENT | {"logistics_id": "zto"}),
        ("pdd.logistics.online.send", SENT | {"tracking_number": ""}),
        ("pdd.logistics.online.send", SENT | {"redelivery_type": 3}),
        ("pdd.logistics.online.send", SENT | {"colour": 1}),
        ("pdd.order.upload.extra.logistics", EXTRA),
        ("pdd.order.upload.extra.logistics", EXTRA | {"extra_track_list": "no json"}),
        ("pdd.order.note.update", {"order_sn": "", "note": ""}),
    ],
)
def test_what_makes_no_sense_is_booked_once(pdd: Caller, method: str, asked: dict[str, Any]) -> None:
    ref = pdd.ready()
    assert pdd.refused(method, **{**asked, "order_sn": ref})[0] == 50001
    assert [(e["kind"], e["subject"]) for e in pdd.sandbox.books()] == [("refused", ref)]


def test_reading_in_vain_is_no_entry(pdd: Caller) -> None:
    pdd.refused("pdd.order.information.get", order_sn="261101-1")
    pdd.refused("pdd.order.list.get", colour=1)
    assert pdd.sandbox.books() == []


def test_calls_from_unlisted_addresses(pdd: Caller) -> None:
    pdd.sandbox.control({"addresses": {"pdd": ["10.0.0.1"]}})
    assert pdd.refused("pdd.time.get")[0] == 20005
    pdd.sandbox.control({"addresses": {"pdd": ["10.0.0.1", "127.0.0.1"]}})
    assert pdd.ask("pdd.time.get")["time"]
    pdd.sandbox.control({"addresses": {"pdd": []}})
    assert pdd.refused("pdd.time.get")[0] == 20005
    pdd.sandbox.control({"addresses": {"pdd": None}})
    assert pdd.ask("pdd.time.get")["time"]
    for nonsense in ("127.0.0.1", ["here"], [1]):
        with pytest.raises(ValueError, match=r"address|here"):
            pdd.sandbox.control({"addresses": {"pdd": nonsense}})


def login(pdd: Caller) -> dict[str, Any]:
    known = pdd.sandbox.config(pdd.url)["shops"]["pdd-demo"]["settings"]
    query = {"response_type": "code", "client_id": known["client_id"], "redirect_uri": "http://127.0.0.1:1/x"}
    page = pdd.http.get(
        f"{pdd.url}/pdd/service-market/auth", params=query | {"state": "s"}, follow_redirects=False
    )
    code = parse_qs(urlsplit(page.headers["location"]).query)["code"][0]
    pdd.token = ""
    found = pdd.ask("pdd.pop.auth.token.create", code=code)
    assert pdd.refused("pdd.pop.auth.token.create", code=code)[0] == 10002  # a code works once
    return found


def test_logins(pdd: Caller) -> None:
    assert pdd.ask("pdd.mall.info.get")
    first = login(pdd)
    assert (first["owner_id"], first["expires_at"]) == ("593000001", int(pdd.clock()) + 30 * 86_400)
    pdd.token = "sandbox-token-pdd-demo"
    assert pdd.refused("pdd.mall.info.get")[0] == 10014  # a new login ends the one before
    pdd.token = ""
    pdd.clock.at += 86_400
    renewed = pdd.ask("pdd.pop.auth.token.refresh", refresh_token=first["refresh_token"])
    assert renewed["expires_at"] == first["expires_at"]  # renewing prolongs nothing
    assert pdd.refused("pdd.pop.auth.token.refresh", refresh_token=first["refresh_token"])[0] == 10014
    pdd.token = renewed["access_token"]
    assert pdd.ask("pdd.mall.info.get")
    pdd.clock.at += 30 * 86_400
    assert pdd.refused("pdd.mall.info.get")[0] == 10019
    pdd.token, pdd.clock.at = "", pdd.clock.at + 31 * 86_400
    assert pdd.refused("pdd.pop.auth.token.refresh", refresh_token=renewed["refresh_token"])[0] == 10014


def test_an_app_in_trial_has_few_calls(pdd: Caller) -> None:
    pdd.sandbox.set_quota({"pdd": 1})
    assert pdd.ask("pdd.time.get")
    assert pdd.refused("pdd.time.get")[0] == 70036
    pdd.sandbox.set_quota({"pdd": None})
    assert pdd.ask("pdd.time.get")


def test_changes_may_be_asked_for_three_thousand_times_a_minute(pdd: Caller, tmp_path: Path) -> None:
    now = int(pdd.clock())
    asked = {**LIST, "is_lucky_flag": 0, "start_updated_at": now - 1, "end_updated_at": now}
    signed = pdd.sign(pdd.params("pdd.order.number.list.increment.get", **asked))
    body, headers = json.dumps(signed).encode(), {"content-type": "application/json"}
    request = Request("POST", "/pdd/api/router", {}, headers, body, pdd.url)
    store = Store(tmp_path / "rate.sqlite3")
    gate = Pdd(store, pdd.clock)
    answers = [gate.answer(request).body for _ in range(3_001)]
    store.close()
    assert all(b"order_sn_list" in answer for answer in answers[:3_000])
    assert json.loads(answers[-1])["error_response"]["error_code"] == 52101
