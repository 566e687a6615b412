"""Telling Kuaishou: once under faults, in parts, in several parcels, corrected, and refusals told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from orderctl.model.errors import PortError, Refused
from orderctl.ports.platforms.couriers import load_couriers
from orderctl.ports.platforms.kuaishou.client import Kuaishou
from orderctl.ports.platforms.kuaishou.ship import DELIVER, SPLIT, check, plan_send
from orderctl.ports.platforms.port import ShipLine, ShipRequest, Shop
from orderctl.sandbox.kuaishou.shipping import COMPANIES
from tests.ports.http.rehearsal import TokensInMemory, http_over
from tests.ports.platforms.kuaishou.fixtures import recorded
from tests.ports.platforms.kuaishou.rehearsal import ZTO, World, settled, world

OID = "2632400000000001"


def shippable(rehearsal: World) -> list[str]:
    found = []
    for ref, order in sorted(rehearsal.orders().items()):
        base = order.body["orderBaseInfo"]
        waits = base["status"] == 30 and not order.body["orderDeliveryInfo"]["deliveryNum"]
        held = base["riskCode"] or base["disableDeliveryReasonCode"] or base["coType"]
        if waits and not held and not any(r["refundStatus"] == 10 for r in order.body["orderRefundList"]):
            found.append(ref)
    return found


@pytest.mark.parametrize("seed", range(1, 4))
def test_every_order_is_shipped_exactly_once_under_faults(tmp_path: Path, seed: int) -> None:
    with world(tmp_path, orders=60) as rehearsal:
        shop = rehearsal.shop()
        requests = [
            rehearsal.request(ref, ZTO.format(n * 10), *([ZTO.format(n * 10 + 1)] if n % 4 == 0 else []))
            for n, ref in enumerate(shippable(rehearsal))
        ]
        rehearsal.faults(seed, 0.5)
        for request in requests:
            told = settled(lambda r=request: shop.ship(r), lambda r=request: shop.lookup_ship(r))  # type: ignore[misc]
            assert told == {"state": "shipped", "number": request.number, "dispatch": None}
        rehearsal.sandbox.set_faults(None)
        assert len(requests) > 30
        for request in requests:
            entries = rehearsal.booked(request.order_ref)
            assert [entry["number"] for entry in entries] == list(request.numbers)
            units = [(u["line"], u["quantity"]) for entry in entries for u in entry["detail"]["lines"]]
            units = [
                (line, quantity) for line, quantity in units if quantity
            ]  # further parcels hold nothing more
            assert sorted(units) == sorted((line.line_ref, line.quantity) for line in request.lines)
            assert shop.ship(request)["number"] == request.number  # told again: it was us
            assert shop.lookup_ship(request) is not None
            other = ShipRequest(request.order_ref, request.lines, "73999999999999", "ZTO", whole=True)
            for call in (shop.ship, shop.lookup_ship):
                with pytest.raises(Refused) as caught:
                    call(other)
                assert caught.value.code == "shipped_elsewhere"
            assert len(rehearsal.booked(request.order_ref)) == len(entries)


def test_gifts_travel_along_or_alone(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        shop = rehearsal.shop()
        ref = rehearsal.case("gift")
        goods = rehearsal.request(ref, ZTO.format(1), gifts=False)
        gift = rehearsal.request(ref, ZTO.format(2), goods=False)
        shop.ship(goods)
        assert shop.lookup_ship(gift) is None
        shop.ship(gift)
        assert [e["request"].get("orderId") for e in rehearsal.booked(ref)] == [int(ref), None]
        assert [e["detail"]["lines"][0]["line"] for e in rehearsal.booked(ref)] == [ref, str(int(ref) + 1)]
        both = rehearsal.case("two gifts")
        shop.ship(rehearsal.request(both, ZTO.format(3)))
        (entry,) = rehearsal.booked(both)
        assert len(entry["detail"]["lines"]) == 3


def test_gifts_need_not_be_told(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        ref = rehearsal.case("gift")
        rehearsal.shop(gifts="skip").ship(rehearsal.request(ref, ZTO.format(1)))
        (entry,) = rehearsal.booked(ref)
        assert entry["request"]["orderId"] == int(ref)


def test_a_quantity_leaves_in_parts(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        shop = rehearsal.shop()
        ref = rehearsal.case("quantity")
        first = rehearsal.request(ref, ZTO.format(1), quantity=1)
        assert shop.lookup_ship(first) is None
        shop.ship(first)
        assert rehearsal.orders()[ref].body["orderBaseInfo"]["status"] == 30
        rest = rehearsal.request(ref, ZTO.format(2), ZTO.format(3))
        assert rest.lines == (ShipLine(ref, 2, 2),)
        assert shop.lookup_ship(rest) is None
        shop.ship(rest)
        shop.ship(rest)
        shop.ship(first)
        assert rehearsal.orders()[ref].body["orderBaseInfo"]["status"] == 40
        assert [entry["number"] for entry in rehearsal.booked(ref)] == [ZTO.format(n) for n in (1, 2, 3)]
        assert rehearsal.booked(ref, "refused") == []


def test_an_order_that_cannot_be_divided_is_not(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        ref = rehearsal.case("not divisible")
        with pytest.raises(Refused) as caught:
            rehearsal.shop().ship(ShipRequest(ref, (ShipLine(ref, 1, 2),), ZTO.format(1), "ZTO", whole=False))
        assert caught.value.code == "partial_line"
        rehearsal.shop().ship(rehearsal.request(ref, ZTO.format(1)))
        assert len(rehearsal.booked(ref)) == 1


def test_half_a_success_is_gone_on_with(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        shop = rehearsal.shop()
        ref = rehearsal.case("first")
        shop.ship(rehearsal.request(ref, ZTO.format(1), ZTO.format(2)))
        three = ShipRequest(ref, rehearsal.request(ref, "x").lines, ZTO.format(1), "ZTO", whole=True,
                            more=(ZTO.format(2), ZTO.format(3)))  # fmt: skip
        assert shop.lookup_ship(three) is None
        shop.ship(three)
        assert [entry["number"] for entry in rehearsal.booked(ref)] == [ZTO.format(n) for n in (1, 2, 3)]


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_a_number_is_corrected_once(tmp_path: Path, seed: int | None) -> None:
    with world(tmp_path) as rehearsal:
        shop = rehearsal.shop()
        ref = rehearsal.case("first")
        shop.ship(rehearsal.request(ref, ZTO.format(1), ZTO.format(2)))
        right = rehearsal.request(ref, ZTO.format(3), ZTO.format(1))
        if seed:
            rehearsal.faults(seed, 0.5)
        before = ZTO.format(2)
        found = settled(lambda: shop.amend(right, before), lambda: shop.lookup_amend(right, before))
        rehearsal.sandbox.set_faults(None)
        assert found == {"state": "corrected", "number": ZTO.format(3), "dispatch": None}
        (entry,) = rehearsal.booked(ref, "amend")
        assert (entry["number"], entry["detail"]["before"]) == (ZTO.format(3), before)
        assert shop.amend(right, before) == shop.lookup_amend(right, before) == found
        assert len(rehearsal.booked(ref, "amend")) == 1
        assert {p["expressNo"] for p in rehearsal.orders()[ref].body["orderLogisticsInfo"]} == {
            ZTO.format(1), ZTO.format(3),
        }  # fmt: skip


def test_what_cannot_be_corrected(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        shop = rehearsal.shop()
        waiting, elsewhere = rehearsal.case("first"), rehearsal.case("shipped")
        for ref, code in ((waiting, "not_shippable"), (elsewhere, "shipped_elsewhere")):
            request = ShipRequest(ref, (ShipLine(ref, 1, 1),), ZTO.format(9), "ZTO", whole=True)
            for call in (shop.amend, shop.lookup_amend):
                with pytest.raises(Refused) as caught:
                    call(request, ZTO.format(8))
                assert caught.value.code == code


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("refund open", "refunding"), ("risk", "held"), ("forbidden", "held"), ("unpaid", "not_shippable"),
        ("shipped", "shipped_elsewhere"), ("signed", "shipped_elsewhere"), ("finished", "shipped_elsewhere"),
        ("closed", "not_shippable"), ("unknown", "not_shippable"), ("virtual", "not_shippable"),
    ],
)  # fmt: skip
def test_refusals_are_told_apart(tmp_path: Path, case: str, code: str) -> None:
    with world(tmp_path) as rehearsal:
        ref = rehearsal.case(case)
        request = ShipRequest(ref, (ShipLine(ref, 1, 1),), ZTO.format(1), "ZTO", whole=True)
        with pytest.raises(Refused) as caught:
            rehearsal.shop().ship(request)
        assert caught.value.code == code
        assert rehearsal.booked(ref) == []


def test_a_refused_refund_stops_nobody(tmp_path: Path) -> None:
    body = recorded()[0]
    request = ShipRequest(OID, (ShipLine(OID, 2, 2),), "1", "ZTO", whole=True)
    for state, way in ((12, 1), (70, 10), (10, 3)):
        check(body | {"orderRefundList": [{"refundStatus": state, "handlingWay": way}]}, request)
    with pytest.raises(Refused):
        check(body | {"orderRefundList": [{"refundStatus": "words", "handlingWay": 1}]}, request)


@pytest.mark.parametrize(
    ("number", "courier", "code"),
    [
        ("123", "ZTO", "bad_number"), (ZTO.format(1), "SF", "bad_number"),
        (ZTO.format(1), "NOBODY", "courier_unknown"), (ZTO.format(7), "ZTO", "bad_number"),
    ],
)  # fmt: skip
def test_numbers_and_couriers(tmp_path: Path, number: str, courier: str, code: str) -> None:
    with world(tmp_path) as rehearsal:
        shop = rehearsal.shop()
        shop.ship(rehearsal.request(rehearsal.case("shanghai"), ZTO.format(7)))  # somebody else's parcel
        ref = rehearsal.case("quantity")
        with pytest.raises(Refused) as caught:
            shop.ship(rehearsal.request(ref, number, courier=courier))
        assert caught.value.code == code
        assert rehearsal.booked(ref) == []


def test_one_parcel_for_several_orders_of_one_address(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        shop = rehearsal.shop()
        first = rehearsal.case("first")
        key = rehearsal.orders()[first].body["orderDeliveryInfo"]["openAddressId"]
        mates = [
            r
            for r in shippable(rehearsal)
            if rehearsal.orders()[r].body["orderDeliveryInfo"]["openAddressId"] == key
        ]
        assert len(mates) >= 3
        for ref in mates:
            shop.ship(rehearsal.request(ref, ZTO.format(1)))
            assert [entry["number"] for entry in rehearsal.booked(ref)] == [ZTO.format(1)]


def test_an_order_nobody_knows(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        shop = rehearsal.shop()
        request = ShipRequest("99", (ShipLine("99", 1, 1),), ZTO.format(1), "ZTO", whole=True)
        for call in (shop.ship, shop.lookup_ship):
            with pytest.raises(Refused) as caught:
                call(request)
            assert caught.value.code == "order_not_found"


def plan(lines: tuple[ShipLine, ...], *, order: dict[str, Any] | None = None, **settings: str) -> Any:
    shop = Shop("s", "kuaishou", None, settings)
    request = ShipRequest(OID, lines, "70000000000001", "ZTO", whole=True)
    return plan_send(order or recorded()[0], request, 9, shop)


def test_the_calls_are_those_of_the_sheet() -> None:
    assert plan((ShipLine(OID, 2, 2),)) == (
        DELIVER, {"orderId": int(OID), "expressNo": "70000000000001", "expressCode": 9},
    )  # fmt: skip
    method, param = plan((ShipLine(OID, 1, 2),))
    assert method == SPLIT
    assert param == {
        "mainOrderId": int(OID),
        "deliveryItemInfoList": [
            {"expressCode": 9, "expressNo": "70000000000001", "deliveryGoodsInfoList": [{"oid": int(OID), "deliveryNum": 1}]}
        ],
        "deliveryStatus": [{"oid": int(OID), "confirmDeliveryStatus": 0}],
    }  # fmt: skip
    _, param = plan((ShipLine(OID, 2, 2), ShipLine("7", 1, 2)), split_done="5", split_open="6")
    assert [one["confirmDeliveryStatus"] for one in param["deliveryStatus"]] == [5, 6]


def test_every_courier_of_the_table_has_a_whole_number() -> None:
    table = load_couriers("kuaishou")
    assert {
        "SF": "4",
        "ZTO": "9",
        "YTO": "6",
        "STO": "3",
        "YUNDA": "11",
        "JT": "109",
    }.items() <= table.items()
    assert {"EMS": "2", "JD": "14", "DEPPON": "53", "POST": "8", "OTHER": "9999"}.items() <= table.items()
    assert "1" not in table.values()  # merged into another: it is refused
    assert {int(code) for code in table.values()} <= set(COMPANIES)
    assert len(set(table.values())) == len(table)


def test_a_courier_by_setting_must_be_a_number() -> None:
    http, _ = http_over(lambda _: pytest.fail("sent"))
    known = {"app_key": "1", "app_secret": "2", "sign_secret": "3", "access_token": "4", "courier.ZTO": "ZTO"}
    with pytest.raises(Refused) as caught:
        Kuaishou(Shop("s", "kuaishou", None, known), http, TokensInMemory()).ship(
            ShipRequest(OID, (ShipLine(OID, 1, 1),), "1", "ZTO", whole=True)
        )
    assert caught.value.code == "courier_unknown"


def refusing(*codes: int, then: dict[str, Any] | None = None) -> Kuaishou:
    """Give a shop whose first order waits, refuses to be shipped, and then is as `then` says."""
    left = list(codes)

    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            body = recorded()[0] if left or then is None else then
            return httpx.Response(200, json={"result": 1, "data": body})
        return httpx.Response(200, json={"result": left.pop(0), "msg": "样例收件人"})

    http, _ = http_over(handler)
    known = {"app_key": "1", "app_secret": "2", "sign_secret": "3", "access_token": "4"}
    return Kuaishou(Shop("s", "kuaishou", None, known), http, TokensInMemory())


@pytest.mark.parametrize("code", [11, 21])
def test_a_refusal_without_a_reason_is_looked_at(code: int) -> None:
    request = ShipRequest(OID, (ShipLine(OID, 2, 2),), "70000000000001", "ZTO", whole=True)
    after = recorded()[0]
    after = after | {"orderBaseInfo": after["orderBaseInfo"] | {"status": 40}}
    ours = after | {
        "orderLogisticsInfo": [{"logisticsId": 1, "expressNo": "70000000000001", "expressCode": 9}]
    }
    theirs = after | {
        "orderLogisticsInfo": [{"logisticsId": 1, "expressNo": "70000000000002", "expressCode": 9}]
    }
    assert refusing(code, then=ours).ship(request)["state"] == "shipped"
    for then, word in ((theirs, "shipped_elsewhere"), (None, "not_shippable")):
        with pytest.raises(PortError) as caught:
            refusing(code, then=then).ship(request)
        assert caught.value.code == word
        assert "样例收件人" not in caught.value.render()
