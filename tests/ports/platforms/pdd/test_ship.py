"""Pinduoduo: telling that an order left, once, in one parcel or several, and correcting a number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orderctl.model.errors import OutcomeUnknown, PortError, Refused, Temporary
from orderctl.ports.platforms.couriers import load_couriers
from orderctl.ports.platforms.pdd.client import Pdd
from orderctl.ports.platforms.pdd.ship import COMPANIES, EXTRA, SEND
from orderctl.ports.platforms.port import ShipRequest
from tests.ports.platforms.pdd.rehearsal import failed, over, request, world

SHIPPED = {"state": "shipped", "number": "73100000000001", "dispatch": None}


def code_of(shop: Pdd, wanted: ShipRequest) -> str:
    with pytest.raises(Refused) as caught:
        shop.ship(wanted)
    assert caught.value.render("zh") != caught.value.render("en")
    return caught.value.code


def test_the_numbers_of_couriers_are_those_of_the_sheet() -> None:
    sheet = {
        "SF": "44", "STO": "1", "YTO": "85", "ZTO": "115", "EMS": "118", "JD": "120", "YUNDA": "121", "UC": "117",
        "ZJS": "129", "POST": "132", "DEPPON": "131", "JT": "384",
    }  # fmt: skip
    assert load_couriers("pdd") == sheet


@pytest.mark.parametrize("answer", [{"is_success": True}, {"is_success": "1"}, {"is_success": 1}])
def test_a_plain_shipment(answer: dict[str, Any]) -> None:
    sent: list[dict[str, str]] = []

    def platform(form: dict[str, str]) -> Any:
        if form["type"] == COMPANIES:
            assert "access_token" not in form
            return {"logistics_companies_get_response": {"logistics_companies": []}}
        sent.append(form)
        return {"logistics_online_send_response": answer}

    shop, _, _ = over(platform)
    assert shop.ship(request("1")) == SHIPPED
    (form,) = sent
    assert (form["order_sn"], form["logistics_id"], form["tracking_number"]) == ("1", "115", "73100000000001")
    assert "redelivery_type" not in form


@pytest.mark.parametrize("answer", [{}, {"is_success": False}, {"is_success": "0"}])
def test_an_answer_that_says_no(answer: dict[str, Any]) -> None:
    def platform(form: dict[str, str]) -> Any:
        if form["type"] == SEND:
            return {"logistics_online_send_response": answer}
        if form["type"] == COMPANIES:
            return failed(20031)
        return {"order_info_get_response": {"order_info": {"order_sn": "1", "tracking_number": ""}}}

    shop, _, _ = over(platform)
    assert code_of(shop, request("1")) == "is_success"


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"tracking_number": "other"}, "shipped_elsewhere"),
        ({"refund_status": 2}, "refunding"),
        ({"refund_status": 3}, "refunding"),
        ({"refund_status": 4}, "not_shippable"),
        ({"confirm_status": 2}, "not_shippable"),
        ({"risk_control_status": 1}, "held"),
        ({"order_tag_list": [{"name": "ship_hold", "value": 1}]}, "held"),
        ({"order_tag_list": [{"name": "ship_hold", "value": 0}]}, "50001"),
        ({}, "50001"),
    ],
)
def test_whatever_the_words_the_order_says_why(order: dict[str, Any], code: str) -> None:
    """The texts of refusals are documented nowhere."""

    def platform(form: dict[str, str]) -> Any:
        if form["type"] in (SEND, COMPANIES):
            return failed(50001, "业务服务错误", "系统提示：请检查")
        return {"order_info_get_response": {"order_info": {"order_sn": "1", **order}}}

    shop, _, _ = over(platform)
    assert code_of(shop, request("1")) == code


@pytest.mark.parametrize("words", ["订单已发货", "运单号已使用", "快递公司错误", "别的"])
def test_our_own_number_is_success_whatever_the_words(words: str) -> None:
    def platform(form: dict[str, str]) -> Any:
        if form["type"] in (SEND, COMPANIES):
            return failed(50001, "业务服务错误", words)
        order = {"order_sn": "1", "tracking_number": "73100000000001", "refund_status": 2}
        return {"order_info_get_response": {"order_info": order}}

    shop, _, _ = over(platform)
    assert shop.ship(request("1")) == SHIPPED


def test_couriers_are_taken_from_the_live_list(tmp_path: Path) -> None:
    with world(tmp_path, orders=10) as rehearsal:
        (ref,) = rehearsal.ready()
        shop = rehearsal.shop()
        shop.ship(request(ref, "JT1000000000001", "JT"))  # 344 there, not the number of our table
        assert rehearsal.body(ref)["logistics_id"] == 344
        assert code_of(shop, request(ref, courier="ZJS")) == "courier_unknown"  # not on the list
        assert code_of(shop, request(ref, courier="NOBODY")) == "courier_unknown"


@pytest.mark.parametrize("courier", ["X", "ZTO"])
def test_a_setting_of_the_shop_beats_every_list(courier: str) -> None:
    sent: list[dict[str, str]] = []

    def platform(form: dict[str, str]) -> Any:
        sent.append(form)
        return {"logistics_online_send_response": {"is_success": True}}

    shop, _, _ = over(platform, **{f"courier.{courier}": "77"})
    shop.ship(request("1", courier=courier))
    assert [form["logistics_id"] for form in sent] == ["77"]


def test_part_of_an_order_is_refused_before_anything_is_sent() -> None:
    asked: list[str] = []

    def platform(form: dict[str, str]) -> Any:
        asked.append(form["type"])
        return {"logistics_companies_get_response": {"logistics_companies": []}}

    shop, _, _ = over(platform)
    assert code_of(shop, request("1", whole=False)) == "partial_line"
    assert set(asked) <= {COMPANIES}


# --- against the stand-in


def test_refusals_are_told_apart(tmp_path: Path) -> None:
    with world(tmp_path, orders=10) as rehearsal:
        shop = rehearsal.shop()
        shipped, refund, review, gone, free = rehearsal.ready(5)
        shop.ship(request(shipped, "73100000000009"))
        rehearsal.sandbox.touch(refund, refund=True)
        rehearsal.sandbox.touch(review, review=True)
        rehearsal.sandbox.touch(gone, refund="4")
        assert code_of(shop, request(shipped)) == "shipped_elsewhere"
        assert code_of(shop, request(refund)) == "refunding"
        assert code_of(shop, request(review)) == "held"
        assert code_of(shop, request(gone)) == "not_shippable"
        assert code_of(shop, request(free, "x")) == "bad_number"
        assert code_of(shop, request(free, "73100000000009")) == "bad_number"  # on somebody else's parcel
        assert code_of(shop, request("261101-999999999999999")) == "order_not_found"
        for ref in (refund, review, gone, free):
            assert rehearsal.booked(ref, "ship", "amend") == []


def test_the_buyer_who_paid_for_sf(tmp_path: Path) -> None:
    with world(tmp_path, orders=60) as rehearsal:
        tags = {ref: body["order_tag_list"] for ref, body in rehearsal.bodies().items()}
        ref = next(r for r, t in tags.items() if {"name": "has_sf_express_service", "value": 1} in t)
        shop = rehearsal.shop()
        assert code_of(shop, request(ref)) == "courier_unknown"
        assert shop.ship(request(ref, "SF1000000000001", "SF"))["state"] == "shipped"


def test_several_parcels_and_a_half_success(tmp_path: Path) -> None:
    more = ("73100000000002", "73100000000003")
    with world(tmp_path, orders=10) as rehearsal:
        shop = rehearsal.shop()
        ref, other = rehearsal.ready(2)
        whole = request(ref, more=more)
        rehearsal.sandbox.set_faults([[EXTRA, 1, "after_cut"]])
        with pytest.raises(OutcomeUnknown):
            shop.ship(whole)
        rehearsal.sandbox.set_faults(None)
        assert shop.lookup_ship(whole) == shop.ship(whole) == SHIPPED
        assert rehearsal.booked(ref, "ship") == [("ship", "73100000000001"), ("ship", "73100000000002")]
        half = request(other, "73100000000011", more=("73100000000012", "73100000000013"))
        shop.ship(request(other, "73100000000011", more=half.more[:1]))
        assert shop.lookup_ship(half) is None
        assert shop.ship(half)["state"] == "shipped"
        assert [p["tracking_number"] for p in rehearsal.body(other)["extra_delivery_list"]] == list(half.more)
        assert shop.lookup_ship(half) is not None


def test_a_number_is_corrected_once(tmp_path: Path) -> None:
    with world(tmp_path, orders=10) as rehearsal:
        shop = rehearsal.shop()
        (ref,) = rehearsal.ready()
        first, second = request(ref), request(ref, "YT1000000000001", "YTO")
        with pytest.raises(Refused) as caught:
            shop.amend(second, first.number)
        assert caught.value.code == "not_shippable"
        shop.ship(first)
        assert shop.lookup_amend(second, first.number) is None
        rehearsal.sandbox.set_faults([[SEND, 1, "after_cut"]])
        with pytest.raises(OutcomeUnknown):
            shop.amend(second, first.number)
        rehearsal.sandbox.set_faults(None)
        done = {"state": "corrected", "number": second.number, "dispatch": None}
        assert shop.lookup_amend(second, first.number) == shop.amend(second, first.number) == done
        assert rehearsal.booked(ref, "amend") == [("amend", second.number)]
        third = request(ref, "73100000000077")
        for ask in (shop.amend, shop.lookup_amend):
            with pytest.raises(Refused) as caught:
                ask(third, "73100000000055")  # told by nobody
            assert caught.value.code == "shipped_elsewhere"


def test_the_courier_of_a_number_is_corrected(tmp_path: Path) -> None:
    with world(tmp_path, orders=10) as rehearsal:
        shop = rehearsal.shop()
        (ref,) = rehearsal.ready()
        shop.ship(request(ref, "310000000000001"[:12], "SF"))
        wrong = request(ref, "310000000000001"[:12], "UC")
        assert shop.lookup_amend(wrong, wrong.number) is None
        assert shop.amend(wrong, wrong.number)["state"] == "corrected"
        assert rehearsal.body(ref)["logistics_id"] == 117


def test_the_number_of_a_further_parcel_cannot_be_taken_back(tmp_path: Path) -> None:
    with world(tmp_path, orders=10) as rehearsal:
        shop = rehearsal.shop()
        (ref,) = rehearsal.ready()
        shop.ship(request(ref, more=("73100000000002",)))
        corrected = request(ref, "73100000000009", more=("73100000000001",))
        assert shop.lookup_amend(corrected, "73100000000002") is None
        with pytest.raises(Refused) as caught:
            shop.amend(corrected, "73100000000002")
        assert caught.value.code == "no_amend"
        assert rehearsal.booked(ref, "amend") == []


def ship_through(shop: Pdd, wanted: ShipRequest) -> dict[str, str | None]:
    """Do as the ledger does: after silence look it up, and only what is not there is told again."""
    for _ in range(30):
        try:
            return shop.ship(wanted)
        except Temporary:
            continue
        except OutcomeUnknown:
            try:
                found = shop.lookup_ship(wanted)
            except PortError as failure:
                assert isinstance(failure, Temporary)
                continue
            if found is not None:
                return found
    raise AssertionError("never settled")


@pytest.mark.parametrize("seed", range(1, 4))
def test_every_order_is_shipped_exactly_once_under_faults(tmp_path: Path, seed: int) -> None:
    with world(tmp_path, orders=10) as rehearsal:
        shop = rehearsal.shop()
        refs = rehearsal.ready(12)
        rehearsal.sandbox.set_faults({"seed": seed, "rate": 0.5, "seconds": 0.01})
        for n, ref in enumerate(refs):
            wanted = request(ref, f"7310{n:010d}", more=(f"7610{n:010d}",))
            assert ship_through(shop, wanted) == {
                "state": "shipped",
                "number": wanted.number,
                "dispatch": None,
            }
        rehearsal.sandbox.set_faults(None)
        for n, ref in enumerate(refs):
            assert rehearsal.booked(ref, "ship", "amend") == [
                ("ship", f"7310{n:010d}"),
                ("ship", f"7610{n:010d}"),
            ]
