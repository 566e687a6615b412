"""Shipping at the Taobao stand-in: once, and never the wrong thing."""

from __future__ import annotations

import re

import pytest

from orderctl.sandbox import Sandbox
from tests.sandbox.callers import Clock, Taobao, beijing, lines

OFFLINE = "isv.logistics-offline-service-error:"


def test_a_shipment_changes_the_trade_and_is_booked(taobao: Taobao, sandbox: Sandbox, clock: Clock) -> None:
    trade = taobao.ready()[0]
    clock.at += 60
    assert taobao.ship(trade["tid"])["shipping"] == {"is_success": True}
    after = taobao.detail(trade["tid_str"])
    assert after["status"] == "WAIT_BUYER_CONFIRM_GOODS"
    assert after["modified"] == after["consign_time"] == beijing(clock())
    for line in lines(after):
        assert (line["logistics_company"], line["invoice_no"]) == ("ZTO", "73100000000001")
        assert line["status"] == "WAIT_BUYER_CONFIRM_GOODS"
    (row,) = sandbox.books("ship")
    assert (row["platform"], row["shop"], row["subject"]) == ("taobao", "tb-demo", trade["tid_str"])
    assert row["number"] == "73100000000001"
    assert [unit["line"] for unit in row["detail"]["lines"]] == [line["oid_str"] for line in lines(trade)]
    assert row["at"].endswith("Z")


def test_the_second_time_is_refused_and_booked_as_refused(taobao: Taobao, sandbox: Sandbox) -> None:
    tid = taobao.ready()[0]["tid"]
    taobao.ship(tid)
    again = taobao.ship(tid, "73100000000002")
    assert (again["code"], again["sub_code"]) == (15, OFFLINE + "B04")
    assert len(sandbox.books("ship")) == 1
    (row,) = sandbox.books("refused")
    assert (row["subject"], row["number"]) == (str(tid), "73100000000002")


def test_a_split_ships_line_by_line(taobao: Taobao, sandbox: Sandbox) -> None:
    trade = next(trade for trade in taobao.ready() if len(lines(trade)) == 2)
    first, second = (line["oid_str"] for line in lines(trade))
    assert taobao.ship(trade["tid"], is_split=1, sub_tid=first)["shipping"]["is_success"]
    after = taobao.detail(trade["tid_str"])
    assert after["status"] == "SELLER_CONSIGNED_PART"
    assert [line["status"] for line in lines(after)] == ["WAIT_BUYER_CONFIRM_GOODS", "WAIT_SELLER_SEND_GOODS"]
    assert taobao.ship(trade["tid"], is_split=1, sub_tid=first)["sub_code"] == OFFLINE + "B04"
    assert taobao.ship(trade["tid"], "73100000000002", is_split=1, sub_tid=second)["shipping"]["is_success"]
    assert taobao.detail(trade["tid_str"])["status"] == "WAIT_BUYER_CONFIRM_GOODS"
    shipped = [unit["line"] for row in sandbox.books("ship") for unit in row["detail"]["lines"]]
    assert sorted(shipped) == sorted([first, second])


def test_what_is_left_of_a_partly_shipped_trade(taobao: Taobao, sandbox: Sandbox) -> None:
    trade = taobao.trades(status="SELLER_CONSIGNED_PART")[0]
    left = [line["oid_str"] for line in lines(trade) if line["status"] == "WAIT_SELLER_SEND_GOODS"]
    assert taobao.ship(trade["tid"])["shipping"]["is_success"]
    assert [unit["line"] for unit in sandbox.books("ship")[0]["detail"]["lines"]] == left


@pytest.mark.parametrize("more", [{"is_split": 1}, {"sub_tid": "1"}, {"is_split": 2}])
def test_split_arguments_must_fit(taobao: Taobao, more: dict[str, object]) -> None:
    assert taobao.ship(taobao.ready()[0]["tid"], **more)["sub_code"] == OFFLINE + "P38"


def test_a_line_of_another_trade_is_refused(taobao: Taobao) -> None:
    one, other = taobao.ready()[:2]
    assert taobao.ship(one["tid"], is_split=1, sub_tid=other["tid_str"])["sub_code"] == OFFLINE + "P25"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("WAIT_BUYER_PAY", "B02"), ("PAID_FORBID_CONSIGN", "B02"), ("TRADE_CLOSED", "B04"),
        ("TRADE_CLOSED_BY_TAOBAO", "B04"), ("WAIT_BUYER_CONFIRM_GOODS", "B04"), ("TRADE_FINISHED", "B04"),
    ],
)  # fmt: skip
def test_wrong_states(taobao: Taobao, sandbox: Sandbox, status: str, code: str) -> None:
    trade = taobao.trades(status=status)[0]
    assert taobao.ship(trade["tid"])["sub_code"] == OFFLINE + code
    assert not sandbox.books("ship")


def test_an_open_refund_stops_its_lines_only(taobao: Taobao) -> None:
    open_refunds = [
        trade for trade in taobao.trades(status="WAIT_SELLER_SEND_GOODS")
        if {line["refund_status"] for line in lines(trade)} == {"NO_REFUND", "WAIT_SELLER_AGREE"}
    ]  # fmt: skip
    trade = open_refunds[0]
    whole = taobao.ship(trade["tid"])
    assert whole["sub_code"] == OFFLINE + "B02"
    assert "退款" in whole["sub_msg"]
    free = [line["oid_str"] for line in lines(trade) if line["refund_status"] == "NO_REFUND"]
    assert taobao.ship(trade["tid"], is_split=1, sub_tid=",".join(free))["shipping"]["is_success"]


def test_a_refund_asked_for_after_fetching_stops_the_shipment(taobao: Taobao, sandbox: Sandbox) -> None:
    trade = taobao.ready()[0]
    sandbox.touch(trade["tid_str"], refund=True)
    assert "退款" in taobao.ship(trade["tid"])["sub_msg"]
    sandbox.touch(trade["tid_str"], refund=False)
    assert taobao.ship(trade["tid"])["shipping"]["is_success"]


def test_arguments_and_numbers_are_checked(taobao: Taobao) -> None:
    tid = taobao.ready()[0]["tid"]
    assert taobao.ask("taobao.logistics.offline.send", tid=tid, company_code="ZTO")["code"] == 40
    assert taobao.ship("4012345000000000000")["sub_code"] == OFFLINE + "B01"
    assert taobao.ship(tid, company_code="NOBODY")["sub_code"] == OFFLINE + "B57"
    assert taobao.ship(tid, "YT0000000000001")["sub_code"] == OFFLINE + "B60"
    assert taobao.ship(tid, "731000000000012")["sub_code"] == OFFLINE + "B60"
    assert taobao.ship(tid, "YT0000000000001", company_code="YTO")["shipping"]["is_success"]


def test_one_number_serves_one_recipient(taobao: Taobao) -> None:
    (first, same), other = taobao.trades()[:-3:-1], taobao.ready()[-1]
    assert taobao.ship(first["tid"])["shipping"]["is_success"]
    assert taobao.ship(same["tid"])["shipping"]["is_success"]
    assert taobao.ship(other["tid"])["sub_code"] == OFFLINE + "F04"


def test_a_number_is_corrected_after_shipping_only(taobao: Taobao, sandbox: Sandbox) -> None:
    tid = taobao.ready()[0]["tid"]
    call = {"tid": tid, "out_sid": "YT0000000000009", "company_code": "YTO"}
    assert taobao.ask("taobao.logistics.consign.resend", **call)["sub_code"].endswith("CD19")
    taobao.ship(tid)
    assert taobao.ask("taobao.logistics.consign.resend", **call)["shipping"]["is_success"]
    assert {line["invoice_no"] for line in lines(taobao.detail(str(tid)))} == {"YT0000000000009"}
    assert taobao.ask("taobao.logistics.consign.resend", **call)["sub_code"].endswith("P07")
    (row,) = sandbox.books("amend")
    assert (row["number"], row["detail"]["before"]) == ("YT0000000000009", ["73100000000001"])


def test_the_list_of_couriers_holds_their_patterns(taobao: Taobao) -> None:
    answer = taobao.ask("taobao.logistics.companies.get", fields="code,reg_mail_no")
    rows = answer["logistics_companies"]["logistics_company"]
    patterns = {row["code"]: row["reg_mail_no"] for row in rows}
    assert all(row.keys() == {"code", "reg_mail_no"} for row in rows)
    assert re.match(patterns["SF"], "SF0000000000001")
    assert not re.match(patterns["YTO"], "SF0000000000001")


def test_held_trades_are_not_shipped(taobao: Taobao, sandbox: Sandbox) -> None:
    held = [
        order.ref
        for order in sandbox.store.select("platform = 'taobao'", (), "")
        if any(
            order.body.get(name) for name in ("top_hold", "team_buy_hold", "rx_audit_status", "is_sh_ship")
        )
    ]
    assert len(held) == 4
    assert {taobao.ship(ref)["sub_code"] for ref in held} == {OFFLINE + "B02"}
    assert not sandbox.books("ship")


def test_a_number_can_be_corrected_for_fifty_days(taobao: Taobao, clock: Clock) -> None:
    tid = taobao.ready()[0]["tid"]
    taobao.ship(tid)

    def correct(number: str) -> dict[str, object]:
        return taobao.ask("taobao.logistics.consign.resend", tid=tid, out_sid=number, company_code="ZTO")

    clock.at += 50 * 86_400
    assert correct("73100000000002")["shipping"] == {"is_success": True}
    clock.at += 1
    assert str(correct("73100000000003")["sub_code"]).endswith("P08")
