"""Shipping at the Shopify stand-in: through fulfilment orders, never more than remains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from orderctl.sandbox import Sandbox
from tests.sandbox.callers import Clock, Shopify

READ = """query($name: String) { orders(first: 1, query: $name) { nodes {
  id legacyResourceId updatedAt displayFulfillmentStatus lineItems(first: 40) { nodes { id unfulfilledQuantity } }
  fulfillments { id status trackingInfo { company number url } }
  fulfillmentOrders(first: 20) { nodes { id status requestStatus supportedActions { action }
    deliveryMethod { methodType } fulfillmentHolds { reason } assignedLocation { name location { id } }
    lineItems(first: 40) { nodes { id totalQuantity remainingQuantity lineItem { id sku } } } } } } } }"""
SHIP = """mutation Ship($fulfillment: FulfillmentInput!) { fulfillmentCreate(fulfillment: $fulfillment) {
  fulfillment { id status trackingInfo { company number url } } userErrors { field message } } }"""
AMEND = """mutation($id: ID!, $t: FulfillmentTrackingInput!) {
  fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $t, notifyCustomer: true) {
    fulfillment { trackingInfo { number } } userErrors { field message } } }"""
UPS = {"company": "UPS", "number": "1Z00000001"}


def read(shopify: Shopify, name: str) -> dict[str, Any]:
    return dict(shopify.data(READ, name=f"name:{name}")["orders"]["nodes"][0])


def parts(order: dict[str, Any]) -> list[dict[str, Any]]:
    return list(order["fulfillmentOrders"]["nodes"])


def ship(
    shopify: Shopify, *groups: dict[str, Any], tracking: dict[str, Any] | None = None, **more: Any
) -> Any:
    wish = {
        "lineItemsByFulfillmentOrder": list(groups),
        "trackingInfo": UPS if tracking is None else tracking,
        **more,
    }
    return shopify.data(SHIP, fulfillment=wish)["fulfillmentCreate"]


def whole(part: dict[str, Any]) -> dict[str, Any]:
    return {"fulfillmentOrderId": part["id"]}


def some(part: dict[str, Any], index: int, quantity: int) -> dict[str, Any]:
    item = part["lineItems"]["nodes"][index]
    return {**whole(part), "fulfillmentOrderLineItems": [{"id": item["id"], "quantity": quantity}]}


def find(shopify: Shopify, wanted: str) -> dict[str, Any]:
    names = shopify.names()
    for name in names:
        order = read(shopify, name)
        facts = {part["status"] for part in parts(order)} | {part["requestStatus"] for part in parts(order)}
        if wanted in facts:
            return order
    raise AssertionError(wanted)


@pytest.fixture(autouse=True)
def plenty(sandbox: Sandbox) -> None:
    sandbox.control({"bucket": {"shop": "sf-demo", "maximum": 10**6, "restore_rate": 1000}})


def test_shipping_what_remains(shopify: Shopify, sandbox: Sandbox, clock: Clock) -> None:
    order = read(shopify, "#1001")
    clock.at += 60
    made = ship(shopify, whole(parts(order)[0]), notifyCustomer=True)
    assert made["userErrors"] == []
    assert made["fulfillment"]["trackingInfo"] == [{**UPS, "url": None}]
    after = read(shopify, "#1001")
    assert after["displayFulfillmentStatus"] == "FULFILLED"
    assert after["updatedAt"] > order["updatedAt"]
    assert [line["unfulfilledQuantity"] for line in after["lineItems"]["nodes"]] == [0, 0]
    assert [part["status"] for part in parts(after)] == ["CLOSED"]
    assert not parts(after)[0]["supportedActions"]
    assert [one["id"] for one in after["fulfillments"]] == [made["fulfillment"]["id"]]
    (row,) = sandbox.books("ship")
    assert (row["shop"], row["subject"], row["number"]) == (
        "sf-demo",
        order["legacyResourceId"],
        "1Z00000001",
    )
    assert row["detail"]["notified"] is True
    assert {unit["line"] for unit in row["detail"]["lines"]} == {
        line["id"] for line in order["lineItems"]["nodes"]
    }


def test_the_second_time_is_a_user_error_and_booked_as_refused(shopify: Shopify, sandbox: Sandbox) -> None:
    part = parts(read(shopify, "#1001"))[0]
    ship(shopify, whole(part))
    again = ship(shopify, whole(part))
    assert again["fulfillment"] is None
    assert again["userErrors"][0]["message"]
    assert len(sandbox.books("ship")) == 1
    assert [row["subject"] for row in sandbox.books("refused")] == [sandbox.books("ship")[0]["subject"]]


def test_quantities_up_to_what_remains(shopify: Shopify, sandbox: Sandbox) -> None:
    sandbox.control({"add_orders": 12, "shop": "sf-demo"})
    name, order = next(
        (name, order) for name in shopify.names()[::-1]
        for order in [read(shopify, name)] if parts(order)[0]["lineItems"]["nodes"][0]["remainingQuantity"] > 1
    )  # fmt: skip
    part = parts(order)[0]
    most = part["lineItems"]["nodes"][0]["remainingQuantity"]
    assert ship(shopify, some(part, 0, most + 1))["userErrors"][0]["field"][-1] == "quantity"
    assert ship(shopify, some(part, 0, 0))["userErrors"]
    assert ship(shopify, some(part, 0, 1))["userErrors"] == []
    half = read(shopify, name)
    assert half["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"
    assert parts(half)[0]["status"] == "IN_PROGRESS"
    assert parts(half)[0]["lineItems"]["nodes"][0]["remainingQuantity"] == most - 1
    assert ship(shopify, some(part, 0, most))["userErrors"]
    assert ship(shopify, whole(part))["userErrors"] == []
    assert read(shopify, name)["displayFulfillmentStatus"] == "FULFILLED"
    units = sum(unit["quantity"] for row in sandbox.books("ship") for unit in row["detail"]["lines"])
    assert units == sum(item["totalQuantity"] for item in part["lineItems"]["nodes"])


def test_two_locations_are_two_calls(shopify: Shopify) -> None:
    name, order = next(
        (name, order) for name in shopify.names() if len(parts(order := read(shopify, name))) == 2
    )
    one, two = parts(order)
    assert "same location" in ship(shopify, whole(one), whole(two))["userErrors"][0]["message"]
    assert ship(shopify, whole(one))["userErrors"] == []
    assert ship(shopify, whole(two))["userErrors"] == []
    assert read(shopify, name)["displayFulfillmentStatus"] == "FULFILLED"


def test_two_orders_are_two_calls(shopify: Shopify) -> None:
    one, two = (parts(read(shopify, name))[0] for name in ("#1001", "#1002"))
    assert "same order" in ship(shopify, whole(one), whole(two))["userErrors"][0]["message"]
    assert ship(shopify, whole(one))["userErrors"] == ship(shopify, whole(two))["userErrors"] == []


@pytest.mark.parametrize("wanted", ["ON_HOLD", "SCHEDULED", "CANCELLED", "SUBMITTED"])
def test_what_may_not_be_shipped(shopify: Shopify, sandbox: Sandbox, wanted: str) -> None:
    part = parts(find(shopify, wanted))[0]
    assert "CREATE_FULFILLMENT" not in {action["action"] for action in part["supportedActions"]}
    assert "unfulfillable" in ship(shopify, whole(part))["userErrors"][0]["message"]
    assert not sandbox.books("ship")


def test_order_and_line_ids_never_work(shopify: Shopify) -> None:
    order = read(shopify, "#1001")
    part = parts(order)[0]
    assert ship(shopify, {"fulfillmentOrderId": order["id"]})["userErrors"][0]["message"].endswith(
        "does not exist."
    )
    line = {"id": order["lineItems"]["nodes"][0]["id"], "quantity": 1}
    assert ship(shopify, {**whole(part), "fulfillmentOrderLineItems": [line]})["userErrors"]
    assert ship(shopify)["userErrors"]


@pytest.mark.parametrize(
    ("tracking", "good"),
    [
        ({"company": "UPS", "number": "1"}, True),
        ({"number": "1", "url": "https://track.example/1"}, True),
        ({"company": "UPS", "numbers": ["1", "2"], "urls": ["https://track.example/1"]}, True),
        ({"number": "1", "numbers": ["1", "2"]}, False),
        ({"company": "UPS", "url": "https://track.example/1"}, False),
    ],
)
def test_tracking_forms(shopify: Shopify, tracking: dict[str, Any], good: bool) -> None:
    made = ship(shopify, whole(parts(read(shopify, "#1001"))[0]), tracking=tracking)
    assert (made["userErrors"] == []) == good


@pytest.mark.parametrize(
    "extra", [{"locationId": "gid://shopify/Location/1"}, {"orderId": "x"}, {"notify": True}]
)
def test_unknown_input_fields_are_top_level_errors(
    shopify: Shopify, sandbox: Sandbox, extra: dict[str, Any]
) -> None:
    wish = {"lineItemsByFulfillmentOrder": [whole(parts(read(shopify, "#1001"))[0])], **extra}
    answer = shopify.ask(SHIP, fulfillment=wish)
    assert answer["errors"]
    assert not answer.get("data")
    assert not sandbox.books()


def test_tracking_is_amended(shopify: Shopify, sandbox: Sandbox) -> None:
    made = ship(shopify, whole(parts(read(shopify, "#1001"))[0]))["fulfillment"]["id"]
    answer = shopify.data(AMEND, id=made, t={"number": "2"})["fulfillmentTrackingInfoUpdate"]
    assert (answer["userErrors"], answer["fulfillment"]["trackingInfo"]) == ([], [{"number": "2"}])
    assert read(shopify, "#1001")["fulfillments"][0]["trackingInfo"][0]["number"] == "2"
    (row,) = sandbox.books("amend")
    assert (row["number"], row["detail"]["before"], row["detail"]["notified"]) == ("2", ["1Z00000001"], True)
    unknown = shopify.data(AMEND, id="gid://shopify/Fulfillment/1", t={"number": "2"})
    assert unknown["fulfillmentTrackingInfoUpdate"]["userErrors"]


def test_touched_orders_cannot_be_shipped(shopify: Shopify, sandbox: Sandbox) -> None:
    changes: list[dict[str, Any]] = [{"refund": True}, {"status": "cancelled"}, {"status": "ON_HOLD"}]
    for name, change in zip(("#1001", "#1002", "#1003"), changes, strict=True):
        order = read(shopify, name)
        sandbox.touch(order["id"], **change)
        assert ship(shopify, whole(parts(order)[0]))["userErrors"]
    assert not sandbox.books("ship")


def test_fulfilment_orders_come_late_only_when_asked_for(
    shopify: Shopify, tmp_path: Path, clock: Clock, http: httpx.Client
) -> None:
    assert all(parts(read(shopify, name)) for name in shopify.names())
    with Sandbox(tmp_path / "late", orders=130, now=clock, late_s=3) as sandbox:
        late = Shopify(f"{sandbox.start()}/shopify/sf-demo", http)
        (name,) = [name for name in late.names() if not parts(read(late, name))]
        clock.at += 2
        assert not parts(read(late, name))
        clock.at += 1
        (part,) = parts(read(late, name))
        assert not ship(late, whole(part))["userErrors"]
        assert len(sandbox.books("ship")) == 1


def test_without_the_scope_nothing_is_shipped(shopify: Shopify, sandbox: Sandbox) -> None:
    part = parts(read(shopify, "#1001"))[0]
    sandbox.control({"access": {"shop": "sf-demo", "scopes": ["read_orders"]}})
    answer = shopify.ask(SHIP, fulfillment={"lineItemsByFulfillmentOrder": [whole(part)]})
    assert answer["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    assert answer["data"] == {"fulfillmentCreate": None}
    assert not sandbox.books()
