"""Amazon: telling what left, once; parcels, corrections, and refusals told apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from orderctl.model.errors import OutcomeUnknown, PortError, Refused
from orderctl.ports.platforms.amazon.meaning import NO_PACKAGE
from orderctl.ports.platforms.amazon.ship import carrier, plan_body, plan_parcels, reference_of
from orderctl.ports.platforms.couriers import load_couriers
from orderctl.ports.platforms.port import ShipLine, ShipRequest, Shop
from orderctl.sandbox.amazon.shipping import CARRIERS
from tests.ports.http.clock import NOW
from tests.ports.platforms.amazon.rehearsal import Network, World, refused, world

APIS = ("2026-01-01", "v0")
REF = "114-3320985-7710264"
US, DE = "ATVPDKIKX0DER", "A1PA6795UKMFR9"


def request(ref: str = REF, *numbers: str, lines: tuple[tuple[str, int], ...] = (("06723410598812", 2),), of: int = 0,
            courier: str = "UPS") -> ShipRequest:  # fmt: skip
    told = numbers or ("1Z999AA10123456784",)
    left = tuple(ShipLine(line, count, of or count) for line, count in lines)
    return ShipRequest(ref, left, told[0], courier, whole=not of, more=told[1:])


def of(rehearsal: World, ref: str, *numbers: str, part: int | None = None) -> ShipRequest:
    """Everything that is left of an order of the stand-in, or its first `part` lines."""
    (order,) = rehearsal.sandbox.store.select("ref = ?", [ref], "")
    gone = {line: n for p in order.body["packages"] for line, n in p["items"].items()}
    left = [
        (line["id"], line["quantity"] - line["cancelled"] - gone.get(line["id"], 0))
        for line in order.body["lines"]
    ]
    return request(ref, *numbers, lines=tuple((line, n) for line, n in left[:part] if n > 0))


def ready(rehearsal: World) -> str:
    ref: str = rehearsal.sandbox.add_orders(1, shop="amazon-demo")[0].ref
    rehearsal.clock.at += 60
    return ref


def test_the_sheets_confirmation() -> None:
    shop = Shop("s", "amazon", None, {"method.UPS": "UPS Ground"})
    (parcel,) = plan_parcels(request())
    body = plan_body(shop, parcel, "UPS", US, "2026-11-21T18:40:00Z")
    assert body == {
        "marketplaceId": US,
        "packageDetail": {
            "packageReferenceId": parcel.reference, "carrierCode": "UPS", "shippingMethod": "UPS Ground",
            "trackingNumber": "1Z999AA10123456784", "shipDate": "2026-11-21T18:40:00Z",
            "orderItems": [{"orderItemId": "06723410598812", "quantity": 2}],
        },
    }  # fmt: skip


def test_a_package_keeps_its_name_and_no_two_share_one() -> None:
    names = {reference_of(f"1Z{n}") for n in range(20_000)}
    assert len(names) >= 19_999
    assert all(name.isdecimal() and 0 < int(name) < 2**31 and name == str(int(name)) for name in names)
    assert reference_of("1Z1") == reference_of("1Z1")


@pytest.mark.parametrize(
    ("settings", "courier", "market", "expected"),
    [
        ({}, "SF", US, {"carrierCode": "SF Express"}),
        ({}, "EMS", US, {"carrierCode": "Other", "carrierName": "EMS"}),
        ({"courier.EMS": "Other:China EMS"}, "EMS", US, {"carrierCode": "Other", "carrierName": "China EMS"}),
        ({"courier.DHL.DE": "DHL-Paket"}, "DHL", DE, {"carrierCode": "DHL-Paket"}),
        ({"courier.DHL.DE": "DHL-Paket"}, "DHL", US, {"carrierCode": "DHL"}),
        ({"method.DHL": "A", "method.DHL.DE": "B"}, "DHL", DE, {"carrierCode": "DHL", "shippingMethod": "B"}),
    ],
)
def test_couriers_in_amazons_words(
    settings: dict[str, str], courier: str, market: str, expected: dict[str, str]
) -> None:
    assert carrier(Shop("s", "amazon", None, settings), courier, market) == expected


def test_every_code_of_our_table_is_one_of_amazons() -> None:
    assert set(load_couriers("amazon").values()) <= CARRIERS


def test_pieces_are_dealt_out_and_none_twice() -> None:
    many = request(REF, "A", "B", "C", lines=(("1", 3), ("2", 1)))
    parcels = plan_parcels(many)
    assert [(p.number, dict(p.items)) for p in parcels] == [
        ("A", {"1": 1}),
        ("B", {"1": 1}),
        ("C", {"1": 1, "2": 1}),
    ]
    assert [p.number for p in plan_parcels(request(REF, "A", "B", lines=(("1", 1),)))] == ["A"]
    assert [p.number for p in plan_parcels(request(REF, "A", "A", lines=(("1", 2),)))] == ["A"]


@pytest.mark.parametrize("api", APIS)
def test_a_whole_order_leaves_once_however_often_it_is_told(tmp_path: Path, api: str) -> None:
    with world(tmp_path) as rehearsal:
        client, told = rehearsal.client(orders_api=api), of(rehearsal, ready(rehearsal), "1Z1")
        assert client.lookup_ship(told) is None
        first = client.ship(told)
        assert first == {"state": "shipped", "number": "1Z1", "dispatch": reference_of("1Z1")}
        assert client.ship(told) == client.lookup_ship(told) == first
        (entry,) = rehearsal.book(told.order_ref)
        assert (entry["number"], entry["detail"]["carrier"]) == ("1Z1", "UPS")
        assert not rehearsal.book(told.order_ref, "amend")


def test_parts_of_an_order(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        client, ref = rehearsal.client(), rehearsal.case("lines")
        client.ship(of(rehearsal, ref, "1Z1", part=1))
        rest = of(rehearsal, ref, "1Z2")
        assert client.lookup_ship(rest) is None
        client.ship(rest)
        assert [entry["number"] for entry in rehearsal.book(ref)] == ["1Z1", "1Z2"]
        assert rehearsal.sandbox.store.find("amazon", "amazon-demo", ref).body["status"] == "SHIPPED"


def test_several_parcels_and_one_that_has_no_piece(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        client, told = rehearsal.client(), of(rehearsal, rehearsal.case("lines"), "1Z1", "1Z2", "1Z3")
        pieces = sum(line.quantity for line in told.lines)
        assert pieces >= 3
        found = client.ship(told)
        assert "untold" not in found
        assert [entry["number"] for entry in rehearsal.book(told.order_ref)] == ["1Z1", "1Z2", "1Z3"]
        units = [
            line["quantity"] for entry in rehearsal.book(told.order_ref) for line in entry["detail"]["lines"]
        ]
        assert sum(units) == pieces
        assert client.lookup_ship(told) == found
        extra = of(rehearsal, ready(rehearsal), *(f"1Z{n}" for n in range(100, 200)))
        some = client.ship(extra)
        left = (some["untold"] or "").split(",")
        assert [e["number"] for e in rehearsal.book(extra.order_ref)] + left == list(extra.numbers)


def test_half_a_success_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        told = of(rehearsal, rehearsal.case("lines"), "1Z1", "1Z2")
        rehearsal.sandbox.set_faults([["confirmShipment", 2, "after_cut"]])
        with pytest.raises(OutcomeUnknown):
            rehearsal.client().ship(told)
        rehearsal.clock.at += 300
        assert rehearsal.client().lookup_ship(told) is not None
        rehearsal.client().ship(told)
        assert [entry["number"] for entry in rehearsal.book(told.order_ref)] == ["1Z1", "1Z2"]


@pytest.mark.parametrize("fault", ["after_cut", "after_silence", "after_5xx"])
def test_silence_after_the_effect_is_looked_up(tmp_path: Path, fault: str) -> None:
    with world(tmp_path) as rehearsal:
        told = of(rehearsal, ready(rehearsal), "1Z1")
        rehearsal.sandbox.set_faults([{"on": "confirmShipment", "nth": 1, "fault": fault, "seconds": 0.01}])
        client = rehearsal.client()
        with pytest.raises(OutcomeUnknown):
            client.ship(told)
        assert client.lookup_ship(told) == client.ship(told)
        assert len(rehearsal.book(told.order_ref)) == 1


def test_what_shows_late_is_told_again_without_harm(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        rehearsal.sandbox.control({"delay": 300})
        client, told = rehearsal.client(), of(rehearsal, ready(rehearsal), "1Z1")
        client.ship(told)
        assert client.lookup_ship(told) is None
        client.ship(told)
        rehearsal.clock.at += client.ship_settling_s
        assert client.lookup_ship(told) is not None
        assert len(rehearsal.book(told.order_ref)) == 1


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("case", ["by amazon", "cancelled", "pending", "pick-up"])
def test_orders_that_cannot_be_confirmed(tmp_path: Path, api: str, case: str) -> None:
    with world(tmp_path) as rehearsal:
        told = request(rehearsal.case(case), lines=(("1", 1),))
        with pytest.raises(Refused) as caught:
            rehearsal.client(orders_api=api).ship(told)
        assert caught.value.code == "not_shippable"
        assert "13800000" not in caught.value.render("zh")


def test_ship_plus_answers_400_and_the_version_that_shows_it_says_why(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        with pytest.raises(Refused) as caught:
            rehearsal.client().ship(of(rehearsal, rehearsal.case("ship plus"), "1Z1"))
        assert caught.value.code == "not_shippable"


@pytest.mark.parametrize("api", APIS)
def test_refusals_told_apart(tmp_path: Path, api: str) -> None:
    with world(tmp_path) as rehearsal:
        client = rehearsal.client(orders_api=api)
        with pytest.raises(Refused) as caught:
            client.ship(request("111-9999999-9999999"))
        assert caught.value.code == "order_not_found"
        with pytest.raises(Refused) as caught:
            client.lookup_ship(request("111-9999999-9999999"))
        assert caught.value.code == "order_not_found"
        with pytest.raises(Refused) as caught:
            client.ship(of(rehearsal, ready(rehearsal), " "))
        assert caught.value.code == "bad_number"


def test_shipped_by_somebody_else(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        ref = ready(rehearsal)
        told = of(rehearsal, ref, "1Z2")
        rehearsal.client().ship(of(rehearsal, ref, "1Z1"))
        with pytest.raises(Refused) as caught:
            rehearsal.client().ship(told)
        assert caught.value.code == "shipped_elsewhere"
        assert [entry["number"] for entry in rehearsal.book(ref)] == ["1Z1"]


def test_confirmed_by_hand_with_our_number_is_success() -> None:
    state = {
        "orderId": REF, "fulfillment": {"fulfillmentStatus": "SHIPPED", "fulfilledBy": "MERCHANT"},
        "orderItems": [{"orderItemId": "06723410598812", "fulfillment": {"quantityUnfulfilled": 0}}],
        "packages": [{"packageReferenceId": "1", "trackingNumber": "1Z999AA10123456784",
                      "packageItems": [{"orderItemId": "06723410598812", "quantity": 2}]}],
    }  # fmt: skip

    def answer(sent: httpx.Request) -> httpx.Response:
        if sent.method == "POST":
            return refused(400, "InvalidInput", f"{NO_PACKAGE}: none")
        return httpx.Response(200, json=state)

    assert Network(answer).client.ship(request())["state"] == "shipped"
    state["packages"][0]["packageStatus"] = {"status": "CANCELLED"}  # type: ignore[index]
    with pytest.raises(Refused):
        Network(answer).client.ship(request())


def test_v0_cannot_see_numbers_and_takes_what_left_for_ours() -> None:
    def answer(sent: httpx.Request) -> httpx.Response:
        if sent.method == "POST":
            return refused(400, "InvalidInput", f"{NO_PACKAGE}: none")
        if sent.url.path.endswith("orderItems"):
            items = [{"OrderItemId": "06723410598812", "QuantityOrdered": 2, "QuantityShipped": 2}]
            return httpx.Response(200, json={"payload": {"OrderItems": items}})
        return httpx.Response(
            200,
            json={"payload": {"AmazonOrderId": REF, "OrderStatus": "Shipped", "FulfillmentChannel": "MFN"}},
        )

    assert Network(answer, orders_api="v0").client.ship(request())["state"] == "shipped"


def test_one_marketplace_needs_no_reading_and_the_date_is_past() -> None:
    network = Network(lambda _: httpx.Response(204))
    network.client.ship(request())
    (sent,) = network.sent
    assert sent.url.path == f"/orders/v0/orders/{REF}/shipmentConfirmation"
    assert sent.headers["content-type"] == "application/json"
    assert json.loads(sent.content)["packageDetail"]["shipDate"] < NOW


def test_in_several_marketplaces_the_orders_own_is_told(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        told = of(rehearsal, rehearsal.case("canada"), "1Z1")
        rehearsal.client().ship(told)
        assert rehearsal.book(told.order_ref)[0]["request"]["marketplaceId"] == "A2EUQ1WTGCTBG2"


def test_nothing_personal_is_read_for_shipping() -> None:
    network = Network(lambda r: httpx.Response(204) if r.method == "POST" else httpx.Response(200, json={"orderId": REF}),
                      marketplaces="US,CA")  # fmt: skip
    network.client.ship(request())
    assert network.sent[0].url.params["includedData"] == "FULFILLMENT,PACKAGES"


@pytest.mark.parametrize("api", APIS)
def test_a_number_is_corrected_in_its_package(tmp_path: Path, api: str) -> None:
    with world(tmp_path) as rehearsal:
        client, ref = rehearsal.client(orders_api=api), ready(rehearsal)
        before = of(rehearsal, ref, "1Z1")
        client.ship(before)
        after = ShipRequest(ref, before.lines, "1Z2", "UPS", whole=True)
        assert client.lookup_amend(after, "1Z1") is None
        found = client.amend(after, "1Z1")
        assert found == {"state": "corrected", "number": "1Z2", "dispatch": reference_of("1Z1")}
        assert client.amend(after, "1Z1") == found
        assert [entry["number"] for entry in rehearsal.book(ref, "amend")] == ["1Z2"]
        if api != "v0":  # which does not show numbers
            assert client.lookup_amend(after, "1Z1") == found
            third = ShipRequest(ref, before.lines, "1Z3", "UPS", whole=True)
            assert client.amend(third, "1Z2")["number"] == "1Z3"
            with pytest.raises(Refused) as caught:
                client.amend(ShipRequest(ref, before.lines, "1Z5", "UPS", whole=True), "1Z4")
            assert caught.value.code == "shipped_elsewhere"


def test_one_of_several_parcels_is_corrected_with_its_own_pieces(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        client, told = rehearsal.client(), of(rehearsal, rehearsal.case("lines"), "1Z1", "1Z2", "1Z3")
        client.ship(told)
        lines = rehearsal.book(told.order_ref)[1]["detail"]["lines"]
        client.amend(
            ShipRequest(told.order_ref, told.lines, "1Z9", "UPS", whole=True, more=("1Z3", "1Z1")), "1Z2"
        )
        (entry,) = rehearsal.book(told.order_ref, "amend")
        assert (entry["number"], entry["detail"]["lines"]) == ("1Z9", lines)


def test_parcels_that_cannot_be_seen_are_not_guessed_at(tmp_path: Path) -> None:
    with world(tmp_path) as rehearsal:
        client, told = rehearsal.client(orders_api="v0"), of(rehearsal, rehearsal.case("lines"), "1Z1", "1Z2")
        client.ship(told)
        with pytest.raises(Refused) as caught:
            client.amend(
                ShipRequest(told.order_ref, told.lines, "1Z9", "UPS", whole=True, more=("1Z2",)), "1Z1"
            )
        assert caught.value.code == "no_amend"


@pytest.mark.parametrize("seed", range(3))
def test_under_faults_every_order_leaves_once(tmp_path: Path, seed: int) -> None:
    with world(tmp_path) as rehearsal:
        made = [order.ref for order in rehearsal.sandbox.add_orders(12, shop="amazon-demo")]
        rehearsal.clock.at += 60
        requests = [of(rehearsal, ref, f"1Z{n}") for n, ref in enumerate(made)]
        rehearsal.sandbox.set_faults({"seed": seed, "rate": 0.4, "seconds": 0.01})
        client = rehearsal.client()
        for told in requests:
            for _ in range(8):
                try:
                    client.ship(told)
                    break
                except PortError as failure:
                    assert not isinstance(failure, Refused)
        numbers: dict[str, list[Any]] = {ref: [e["number"] for e in rehearsal.book(ref)] for ref in made}
        assert numbers == {told.order_ref: [told.number] for told in requests}
