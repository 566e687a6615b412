"""Reading trades from the Taobao stand-in."""

from __future__ import annotations

import json
from typing import Any

from orderctl.sandbox import Sandbox
from orderctl.sandbox.texts import fen
from tests.sandbox.callers import FIELDS, Clock, Taobao, beijing, lines

DAY = 86_400


def window(taobao: Taobao, since: float, until: float, **more: Any) -> dict[str, Any]:
    return taobao.ask(
        "taobao.trades.sold.increment.get",
        **{"fields": FIELDS, "start_modified": beijing(since), "end_modified": beijing(until), **more},
    )


def by_status(taobao: Taobao, status: str) -> list[dict[str, Any]]:
    return taobao.trades(status=status)


def test_only_requested_fields_come_back(taobao: Taobao) -> None:
    for trade in taobao.trades(fields="tid,orders.oid,orders.num"):
        assert trade.keys() == {"tid", "orders"}
        assert all(line.keys() == {"oid", "num"} for line in lines(trade))


def test_nothing_private_ever_leaves(taobao: Taobao, sandbox: Sandbox) -> None:
    asked = FIELDS + ",_person,_group,_revision"
    trade = taobao.ask("taobao.trade.fullinfo.get", tid=taobao.ready()[0]["tid"], fields=asked)["trade"]
    assert not [key for key in trade if key.startswith("_")]
    order = sandbox.store.find("taobao", "tb-demo", str(trade["tid"]))
    assert order is not None
    name, mobile, street, _ = order.body["_person"]
    text = json.dumps(trade, ensure_ascii=False)
    assert all(secret not in text for secret in (name, mobile, street))


def test_oaid_needs_the_five_receiver_fields(taobao: Taobao) -> None:
    five = "receiver_name,receiver_address,created,receiver_mobile,receiver_phone"
    assert all("oaid" in trade for trade in taobao.trades(fields=five + ",oaid"))
    assert not any(
        "oaid" in trade for trade in taobao.trades(fields="oaid,receiver_name,receiver_address,created")
    )
    assert not any("oaid" in trade for trade in taobao.trades(fields=five))
    tid = taobao.ready()[0]["tid"]
    detail = taobao.ask("taobao.trade.fullinfo.get", tid=tid, fields="tid", include_oaid="true")
    assert detail["trade"].keys() == {"tid", "oaid"}


def test_ids_are_numbers_beyond_a_double(taobao: Taobao) -> None:
    for trade in taobao.trades():
        assert isinstance(trade["tid"], int)
        assert trade["tid"] > 2**53
        assert trade["tid_str"] == str(trade["tid"])
        assert isinstance(lines(trade)[0]["num_iid"], int)
        assert lines(trade)[0]["oid"] == trade["tid"]
    assert any(int(float(trade["tid"])) != trade["tid"] for trade in taobao.trades())


def test_lists_leave_out_the_note_and_details_have_it(taobao: Taobao) -> None:
    noted = [trade for trade in taobao.trades() if trade["has_buyer_message"]]
    assert noted
    assert not any("buyer_message" in trade for trade in noted)
    notes = [taobao.detail(str(trade["tid"]))["buyer_message"] for trade in noted]
    assert any(note.startswith("=cmd|") and "\x07" in note for note in notes)
    assert any("🎂" in note for note in notes)
    assert any("不要发圆通" in note for note in notes)


def test_detail_of_an_unknown_trade(taobao: Taobao) -> None:
    error = taobao.ask("taobao.trade.fullinfo.get", tid="4012345000000000000", fields="tid")
    assert (error["code"], error["sub_code"]) == (15, "isv.trade-not-exist")


def test_window_is_at_most_a_day_within_three_months(taobao: Taobao, clock: Clock) -> None:
    assert "code" not in window(taobao, clock() - DAY, clock())
    assert window(taobao, clock() - DAY - 1, clock())["code"] == 41
    assert window(taobao, clock() - 100 * DAY, clock() - 100 * DAY + 60)["code"] == 41
    assert window(taobao, clock(), clock() - 1)["code"] == 41
    assert taobao.ask("taobao.trades.sold.increment.get", fields="tid")["code"] == 40


def test_empty_window_has_no_trades_key(taobao: Taobao, clock: Clock) -> None:
    empty = window(taobao, clock() - 60, clock(), use_has_next="true")
    assert empty.keys() == {"has_next", "request_id"}
    assert empty["has_next"] is False
    assert window(taobao, clock() - 60, clock()).keys() == {"total_results", "request_id"}


def test_pages_are_complete_and_newest_first(taobao: Taobao, clock: Clock) -> None:
    seen, total = [], 0
    for back in range(4, 0, -1):
        since = clock() - back * DAY + 1
        total += window(taobao, since, since + DAY - 1)["total_results"]
        page = 1
        while True:
            answer = window(taobao, since, since + DAY - 1, page_no=page, page_size=7, use_has_next="true")
            assert "total_results" not in answer
            rows = answer.get("trades", {}).get("trade", [])
            seen += [(back, row) for row in rows]
            page += 1
            if not answer["has_next"]:
                break
            assert len(rows) == 7
    assert len(seen) == total == len({row["tid"] for _, row in seen})
    assert {row["tid"] for _, row in seen} == {row["tid"] for row in taobao.trades()}
    for back in range(4, 0, -1):
        moments = [row["modified"] for day, row in seen if day == back]
        assert moments == sorted(moments, reverse=True)


def test_types_not_asked_for_are_missed(taobao: Taobao) -> None:
    assert {trade["type"] for trade in taobao.trades()} == {"fixed", "step", "cod"}
    assert {trade["type"] for trade in taobao.trades(type="step")} == {"step"}


def test_amounts_add_up(taobao: Taobao) -> None:
    for trade in taobao.trades():
        adjust = fen(trade["adjust_fee"].lstrip("-")) * (-1 if trade["adjust_fee"].startswith("-") else 1)
        goods = fen(trade["total_fee"]) - fen(trade["discount_fee"]) + adjust
        assert fen(trade["payment"]) == goods + fen(trade["post_fee"])
        assert sum(fen(line["divide_order_fee"]) for line in lines(trade)) == goods
        if len(lines(trade)) == 1:
            assert lines(trade)[0]["payment"] == trade["payment"]


def test_every_awkward_case_is_there(taobao: Taobao) -> None:
    trades = taobao.trades()
    statuses = {trade["status"] for trade in trades}
    assert statuses >= {
        "WAIT_BUYER_PAY", "PAID_FORBID_CONSIGN", "WAIT_SELLER_SEND_GOODS", "SELLER_CONSIGNED_PART",
        "WAIT_BUYER_CONFIRM_GOODS", "TRADE_FINISHED", "TRADE_CLOSED", "TRADE_CLOSED_BY_TAOBAO",
    }  # fmt: skip
    assert {line["refund_status"] for trade in trades for line in lines(trade)} >= {
        "NO_REFUND", "WAIT_SELLER_AGREE", "WAIT_BUYER_RETURN_GOODS", "SUCCESS", "CLOSED",
    }  # fmt: skip
    assert {trade.get("step_trade_status") for trade in trades} >= {
        "FRONT_PAID_FINAL_NOPAID",
        "FRONT_PAID_FINAL_PAID",
    }
    states = {trade["receiver_state"] for trade in trades}
    assert {"上海", "新疆维吾尔自治区"} <= states
    assert any(
        trade.get("receiver_city") == "东莞市" and not trade.get("receiver_district") for trade in trades
    )
    assert any(not trade.get("receiver_city") and trade["receiver_district"] == "仙桃市" for trade in trades)
    skus = {line["outer_sku_id"] for trade in trades for line in lines(trade)}
    assert skus == {
        "TS-BLK-L",
        "TS-WHT-M",
        "SK-WHT",
        "CUP-BLUE",
        "TEA-50",
        "CANDLE-CEDAR",
        "MAT-GRN",
        "XX-UNKNOWN",
    }
    assert any(line.get("is_free_gift") for trade in trades for line in lines(trade))
    partly = next(trade for trade in trades if trade["status"] == "SELLER_CONSIGNED_PART")
    assert {line["status"] for line in lines(partly)} == {
        "WAIT_SELLER_SEND_GOODS",
        "WAIT_BUYER_CONFIRM_GOODS",
    }


def merged(taobao: Taobao, trades: list[dict[str, Any]]) -> list[set[str]]:
    pairs = json.dumps([{"tid": trade["tid_str"], "oaid": trade["oaid"]} for trade in trades])
    answer = taobao.ask("taobao.top.oaid.merge", merge_list=pairs)
    return [set(text.split(",")) for text in answer["tid_list"]["string"]]


def test_same_recipient_is_known_to_oaid_merge_only(taobao: Taobao) -> None:
    oldest = taobao.trades()[::-1]
    groups = merged(taobao, oldest[:18])
    assert {oldest[0]["tid_str"], oldest[1]["tid_str"], oldest[17]["tid_str"]} in groups
    assert sum(len(group) for group in groups) == 18
    assert oldest[0]["oaid"] != oldest[1]["oaid"]


def test_oaid_merge_refuses_strange_lists(taobao: Taobao) -> None:
    trades = taobao.trades()
    assert taobao.ask("taobao.top.oaid.merge")["code"] == 40
    assert taobao.ask("taobao.top.oaid.merge", merge_list="[1]")["code"] == 41
    many = json.dumps([{"tid": trades[0]["tid_str"], "oaid": trades[0]["oaid"]}] * 101)
    assert taobao.ask("taobao.top.oaid.merge", merge_list=many)["code"] == 41
    crossed = json.dumps([{"tid": trades[0]["tid_str"], "oaid": trades[1]["oaid"]}])
    assert taobao.ask("taobao.top.oaid.merge", merge_list=crossed)["sub_code"] == "isv.oaid-not-match"


def test_an_edited_address_gives_another_oaid(taobao: Taobao, sandbox: Sandbox, clock: Clock) -> None:
    before = taobao.ready()[0]
    clock.at += 3600
    sandbox.touch(before["tid_str"], address=True)
    after = taobao.detail(before["tid_str"])
    assert after["oaid"] != before["oaid"]
    assert after["modified"] == beijing(clock())
    changed = window(taobao, clock() - 5, clock())["trades"]["trade"]
    assert [trade["tid"] for trade in changed] == [before["tid"]]


def test_memo_is_set_and_booked(taobao: Taobao, sandbox: Sandbox) -> None:
    tid = taobao.ready()[0]["tid_str"]
    answer = taobao.ask("taobao.trade.memo.update", tid=tid, memo="已打单", flag=3)
    assert str(answer["trade"]["tid"]) == tid
    detail = taobao.detail(tid)
    assert (detail["seller_memo"], detail["seller_flag"]) == ("已打单", 3)
    assert taobao.ask("taobao.trade.memo.update", tid=tid, memo="长" * 334)["code"] == 41
    assert taobao.ask("taobao.trade.memo.update", tid=tid, flag=9)["code"] == 41
    (row,) = sandbox.books("memo")
    assert (row["subject"], row["detail"]["memo"]) == (tid, "已打单")
    assert row["request"] == {"method": "taobao.trade.memo.update", "tid": tid, "memo": "已打单", "flag": "3"}
