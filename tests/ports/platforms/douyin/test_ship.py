"""Douyin: an order is shipped once, in whatever parcels; numbers are corrected; refusals are told apart."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.model.errors import OutcomeUnknown, Refused, Temporary
from orderctl.ports.platforms.couriers import load_couriers
from orderctl.ports.platforms.douyin.packs import read_left
from orderctl.ports.platforms.douyin.ship import divide
from orderctl.ports.platforms.port import ShipLine, ShipRequest
from orderctl.sandbox.douyin.shipping import PATTERNS
from tests.ports.platforms.douyin.rehearsal import World, is_clean, ok, over, ship_through, world

DONE = {"state": "shipped", "number": "73100000000001", "dispatch": None}


@pytest.mark.parametrize("seed", range(1, 5))
def test_every_order_is_shipped_exactly_once_under_faults(tmp_path: Path, seed: int) -> None:
    with world(tmp_path) as rehearsal:
        shop = rehearsal.shop()
        ready = [
            ref for ref, body in rehearsal.orders().items() if body["order_status"] == 2 and is_clean(body)
        ]
        rehearsal.faults(seed, 0.6)
        requests = [rehearsal.request(ref, f"7310{n:010d}") for n, ref in enumerate(ready)]
        for request in requests:
            assert ship_through(shop, request)["number"] == request.number
        rehearsal.sandbox.set_faults(None)
        for request in requests:
            (entry,) = rehearsal.booked(request.order_ref)
            assert entry["number"] == request.number
            assert shop.ship(request)["number"] == request.number  # told again: it was us
            with pytest.raises(Refused) as caught:
                shop.ship(rehearsal.request(request.order_ref, "73999999999999"))
            assert caught.value.code == "shipped_elsewhere"
            with pytest.raises(Refused) as caught:
                shop.lookup_ship(rehearsal.request(request.order_ref, "73999999999999"))
            assert caught.value.code == "shipped_elsewhere"
        assert len(requests) > 20


def test_an_order_is_shipped_in_parts(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        shop, ref = rehearsal.shop(), rehearsal.ready(lines=3)
        whole = rehearsal.request(ref)
        first = rehearsal.request(ref, lines=whole.lines[:1], whole=False)
        rest = rehearsal.request(ref, "73100000000002", lines=whole.lines[1:])
        assert shop.lookup_ship(first) is None
        assert shop.ship(first) == shop.lookup_ship(first) == DONE
        assert shop.lookup_ship(rest) is None
        assert shop.lookup_ship(whole) is None
        shop.ship(rest)
        assert [entry["number"] for entry in rehearsal.booked(ref)] == ["73100000000001", "73100000000002"]
        assert rehearsal.orders()[ref]["order_status"] == 3


def test_a_line_is_shipped_piece_by_piece(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        shop = rehearsal.shop()
        ref, line = next(
            (ref, line)
            for ref, body in rehearsal.orders().items()
            for line in body["sku_order_list"]
            if body["order_status"] == 2 and is_clean(body) and line["item_num"] == 3
        )
        child = line["order_id"]
        for n, (quantity, left) in enumerate(((1, 3), (2, 2))):
            request = rehearsal.request(
                ref, f"7310000000000{n}", lines=(ShipLine(child, quantity, left),), whole=False
            )
            assert shop.ship(request) == shop.ship(request)
        assert [e["detail"]["lines"][0]["quantity"] for e in rehearsal.booked(ref)] == [1, 2]
        late = rehearsal.request(ref, "73100000000009", lines=(ShipLine(child, 1, 1),), whole=False)
        with pytest.raises(Refused) as caught:
            shop.ship(late)
        assert caught.value.code == "shipped_elsewhere"


def test_several_parcels_of_one_order(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        shop, ref = rehearsal.shop(), rehearsal.ready(lines=3)
        request = rehearsal.request(ref, more=("73100000000002", "73100000000003"))
        assert shop.ship(request) == DONE
        assert sorted(entry["number"] for entry in rehearsal.booked(ref)) == sorted(request.numbers)
        units = [unit for entry in rehearsal.booked(ref) for unit in entry["detail"]["lines"]]
        assert {
            line.line_ref: sum(u["quantity"] for u in units if u["line"] == line.line_ref)
            for line in request.lines
        } == {line.line_ref: line.quantity for line in request.lines}
        assert shop.ship(request) == shop.lookup_ship(request) == DONE
        assert len(rehearsal.booked(ref)) == 3


def test_a_parcel_without_a_piece_of_its_own_is_named(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        shop = rehearsal.shop()
        ref = next(
            ref
            for ref, body in rehearsal.orders().items()
            if body["order_status"] == 2
            and [line["item_num"] for line in body["sku_order_list"]] == [1]
            and is_clean(body)
        )
        request = rehearsal.request(ref, more=("73100000000002",))
        untold = DONE | {"untold": "73100000000002"}
        assert shop.ship(request) == shop.lookup_ship(request) == shop.ship(request) == untold
        assert [entry["number"] for entry in rehearsal.booked(ref)] == ["73100000000001"]


def test_half_a_success_is_completed(tmp_path: Path) -> None:
    """Our first number is there, by hand or from an interrupted run; only the other parcels are told."""
    with world(tmp_path) as rehearsal:
        shop, ref = rehearsal.shop(), rehearsal.ready(lines=3)
        whole = rehearsal.request(ref, more=("73100000000002",))
        shop.ship(rehearsal.request(ref, lines=whole.lines[:1], whole=False))
        assert shop.lookup_ship(whole) is None
        assert shop.ship(whole) == DONE
        assert [entry["number"] for entry in rehearsal.booked(ref)] == list(whole.numbers)


def test_silence_after_several_parcels_is_settled_by_asking_again(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        shop, ref = rehearsal.shop(), rehearsal.ready(lines=2)
        request = rehearsal.request(ref, more=("73100000000002",))
        rehearsal.sandbox.set_faults([["order.logisticsAddMultiPack", 1, "after_cut"]])
        with pytest.raises(OutcomeUnknown):
            shop.ship(request)
        assert shop.lookup_ship(request) == shop.ship(request) == DONE
        assert len(rehearsal.booked(ref)) == 2


def test_several_orders_in_one_parcel(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        shop = rehearsal.shop()
        first = rehearsal.ready()
        other = rehearsal.sandbox.add_orders(1, same_recipient_as=first)[0].ref
        stranger = next(ref for ref in rehearsal.orders() if ref not in (first, other) and ref > first
                        and rehearsal.orders()[ref]["order_status"] == 2 and is_clean(rehearsal.orders()[ref])
                        and rehearsal.orders()[ref]["_group"] != rehearsal.orders()[first]["_group"])  # fmt: skip
        assert shop.ship(rehearsal.request(first)) == shop.ship(rehearsal.request(other)) == DONE
        with pytest.raises(Refused) as caught:
            shop.ship(rehearsal.request(stranger))
        assert caught.value.code == "bad_number"


def test_a_number_is_corrected(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        shop, ref = rehearsal.shop(), rehearsal.ready(lines=2)
        wrong, right = rehearsal.request(ref), rehearsal.request(ref, "73100000000008")
        with pytest.raises(Refused) as caught:
            shop.amend(right, wrong.number)
        assert caught.value.code == "not_shippable"
        shop.ship(wrong)
        assert shop.lookup_amend(right, wrong.number) is None
        done = {"state": "corrected", "number": "73100000000008", "dispatch": None}
        assert shop.amend(right, wrong.number) == done
        assert shop.lookup_amend(right, wrong.number) == shop.amend(right, wrong.number) == done
        (entry,) = rehearsal.booked(ref, "amend")
        assert entry["detail"]["before"] == [wrong.number]
        with pytest.raises(Refused) as caught:
            shop.amend(rehearsal.request(ref, "73100000000007"), "73100000000006")
        assert caught.value.code == "shipped_elsewhere"


def test_the_number_of_one_of_several_parcels_is_corrected(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        shop, ref = rehearsal.shop(), rehearsal.ready(lines=2)
        shop.ship(rehearsal.request(ref, more=("73100000000002",)))
        rehearsal.sandbox.set_faults([["order.logisticsEditByPack", 1, "after_silence"]])
        right = rehearsal.request(ref, "73100000000008")
        with pytest.raises(OutcomeUnknown):
            shop.amend(right, "73100000000002")
        assert shop.lookup_amend(right, "73100000000002") is not None
        numbers = [pack["tracking_no"] for pack in rehearsal.orders()[ref]["logistics_info"]]
        assert numbers == ["73100000000001", "73100000000008"]


def refused(rehearsal: World, ref: str, **request: object) -> str:
    with pytest.raises(Refused) as caught:
        rehearsal.shop().ship(rehearsal.request(ref, **request))  # type: ignore[arg-type]
    assert not rehearsal.booked(ref)
    return caught.value.code


def test_refusals_are_told_apart(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        found = {
            body["order_status"]: ref
            for ref, body in rehearsal.orders().items()
            if not body["logistics_info"]
        }
        assert refused(rehearsal, found[1]) == "not_shippable"
        assert refused(rehearsal, found[4]) == "not_shippable"
        assert refused(rehearsal, found[21]) == "refunding"
        assert refused(rehearsal, found[105]) == "held"
        ready = rehearsal.ready()
        assert refused(rehearsal, ready, number="12") == "bad_number"
        assert refused(rehearsal, ready, courier="NOBODY") == "courier_unknown"
        serial = next(
            r for r, b in rehearsal.orders().items() if b["sku_order_list"][0]["need_serial_number"]
        )
        assert refused(rehearsal, serial) == "serial_number"
        rehearsal.sandbox.touch(ready, refund=True)
        assert refused(rehearsal, ready) == "refunding"
        with pytest.raises(Refused) as caught:
            rehearsal.shop().ship(
                ShipRequest("99", (ShipLine("99", 1, 1),), "73100000000001", "ZTO", whole=True)
            )
        assert caught.value.code == "order_not_found"
        stranger = ShipRequest(
            rehearsal.ready(), (ShipLine("99", 1, 1),), "73100000000001", "ZTO", whole=True
        )
        with pytest.raises(Refused) as caught:
            rehearsal.shop().ship(stranger)
        assert caught.value.code == "order_not_found"


def test_lines_that_wait_for_a_refund_stay_while_the_others_leave(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        ref = rehearsal.ready(lines=2)
        rehearsal.sandbox.touch(ref, refund=True)
        lines = rehearsal.request(ref).lines
        rehearsal.shop().ship(rehearsal.request(ref, lines=lines[1:]))
        (entry,) = rehearsal.booked(ref)
        assert lines[0].line_ref not in [unit["line"] for unit in entry["detail"]["lines"]]
        assert rehearsal.orders()[ref]["order_status"] == 101


def test_a_shop_names_its_own_courier_codes_and_addresses(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        ref = rehearsal.ready()
        shop = rehearsal.shop(**{"courier.OWN": "zhongtong", "address_id": "7"})
        shop.ship(rehearsal.request(ref, courier="OWN"))
        (entry,) = rehearsal.booked(ref)
        assert (entry["request"]["company_code"], entry["request"]["address_id"]) == ("zhongtong", "7")


def test_the_courier_table_is_known_to_the_platform() -> None:
    assert set(load_couriers("douyin").values()) == set(PATTERNS)


def test_an_unknown_courier_is_refused_before_anything_is_sent() -> None:
    shop, _ = over(lambda _: pytest.fail("sent"))
    with pytest.raises(Refused) as caught:
        shop.ship(ShipRequest("1", (ShipLine("1", 1, 1),), "N", "NOBODY", whole=True))
    assert caught.value.code == "courier_unknown"


@given(
    st.dictionaries(st.text("123", min_size=1), st.integers(1, 5), min_size=1, max_size=4),
    st.lists(st.text("abc", min_size=1), min_size=1, max_size=6, unique=True),
)
def test_pieces_are_divided_among_parcels_completely(rest: dict[str, int], numbers: list[str]) -> None:
    found = divide(rest, numbers)
    assert list(found) == numbers[: len(found)]
    assert len(found) == min(len(numbers), sum(rest.values()))
    assert all(sum(inside.values()) >= 1 for inside in found.values())
    assert {line: sum(inside.get(line, 0) for inside in found.values()) for line in rest} == rest


def test_a_parcel_that_does_not_say_what_is_in_it() -> None:
    order = {
        "order_status": 3,
        "sku_order_list": [{"order_id": "1", "item_num": 2, "order_status": 3}],
        "logistics_info": [{"tracking_no": "N", "delivery_id": "P"}],
    }
    left = read_left(order)
    assert left.sent(["N"], ours=True) == {"1": 2}
    assert left.sent(["M"], ours=True) == {"1": 0}
    assert left.sent(["M"], ours=False) == {"1": 2}
    assert read_left(order | {"logistics_info": []}).sent(["N"], ours=False) == {"1": 2}


def test_shipped_says_the_platform_and_does_not_show_it_yet() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/order/orderDetail":
            line = {"order_id": "1", "item_num": 1, "order_status": 2}
            return ok({"shop_order_detail": {"order_id": "1", "order_status": 2, "sku_order_list": [line]}})
        return httpx.Response(200, json={"code": 50002, "sub_code": "isv.business-failed:60110"})

    shop, _ = over(handler)
    with pytest.raises(Temporary) as caught:
        shop.ship(ShipRequest("1", (ShipLine("1", 1, 1),), "73100000000001", "ZTO", whole=True))
    assert caught.value.code == "unsettled"
