"""Amazon: notifications out of the seller's queue."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orderctl.model.errors import Refused
from orderctl.ports.platforms.amazon.events import event_orders
from orderctl.ports.platforms.port import Shop

SHOP = Shop("s", "amazon", None, {"seller_id": "A1SAMPLE"})


def change(ref: str = "114-3320985-7710264", seller: str = "A1SAMPLE") -> dict[str, Any]:
    return {
        "NotificationVersion": "1.0", "NotificationType": "ORDER_CHANGE", "PayloadVersion": "1.0",
        "EventTime": "2026-11-20T08:02:45.000Z",
        "Payload": {"OrderChangeNotification": {
            "NotificationLevel": "OrderLevel", "SellerId": seller, "AmazonOrderId": ref,
            "OrderChangeType": "BuyerRequestedChange", "Summary": {"OrderStatus": "Unshipped"}}},
        "NotificationMetadata": {"ApplicationId": "amzn1.sellerapps.app.sample", "NotificationId": "n-1"},
    }  # fmt: skip


def orders(message: Any) -> tuple[str, ...]:
    return event_orders(SHOP, json.dumps(message).encode())


def test_a_message_names_its_order() -> None:
    assert orders(change()) == ("114-3320985-7710264",)


def test_what_the_queue_wraps_around_it() -> None:
    bodies = [{"MessageId": str(n), "Body": json.dumps(change(f"111-000000{n}-0000000"))} for n in (1, 2, 1)]
    assert orders({"Messages": bodies}) == ("111-0000001-0000000", "111-0000002-0000000")
    assert orders({"Body": json.dumps(change())}) == ("114-3320985-7710264",)
    assert orders({"detail-type": "ORDER_CHANGE", "detail": change()}) == ("114-3320985-7710264",)


def test_the_other_way_of_writing_it() -> None:
    inner = {"amazonOrderId": "1", "sellerId": "A1SAMPLE"}
    assert orders({"notificationType": "ORDER_CHANGE", "payload": {"orderChangeNotification": inner}}) == (
        "1",
    )


def test_messages_about_other_things_name_none() -> None:
    assert orders(change() | {"NotificationType": "FEED_PROCESSING_FINISHED"}) == ()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (json.dumps(change(seller="A9OTHER")), "signature"),
        (json.dumps(change() | {"Payload": {}}), "unreadable"),
        (json.dumps({"hello": "world"}), "unreadable"),
        (json.dumps({"Body": "no json"}), "unreadable"),
        ("no json", "unreadable"),
        ('["a"]', "unreadable"),
        (json.dumps({"Messages": [1, {"Body": 2}]}), "unreadable"),
        (json.dumps({"Messages": 7}), "unreadable"),
    ],
)
def test_what_is_refused(body: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        event_orders(SHOP, body.encode())
    assert caught.value.code == code
