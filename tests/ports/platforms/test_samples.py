"""The worked answers of the reference sheets that are not among the recorded orders, with what they mean."""

from __future__ import annotations

import json
from typing import Any

from tests.ports.platforms.golden import HERE, raw_frame, to_orders


def sample(form: str, ref: str) -> dict[str, Any]:
    record = json.loads((HERE / "samples.json").read_text("utf-8"))[form]
    return to_orders(raw_frame(form, [record], [ref])).row(0, named=True)


def lines(order: dict[str, Any], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(line[name] for name in names) for line in order["lines"]]


def test_taobao() -> None:
    order = sample("taobao/trade", "4012345678901234567")
    assert (order["order_id"], order["status"]) == ("taobao:s1:4012345678901234567", "wait_ship")
    money = (
        "goods_minor",
        "postage_minor",
        "discount_seller_minor",
        "total_minor",
        "received_minor",
        "due_minor",
    )
    assert [order[name] for name in money] == [11000, 500, 1000, 10500, 10500, 0]
    assert (order["placed_at"], order["paid_at"]) == ("2026-11-02T02:11:12Z", "2026-11-02T02:11:40Z")
    assert order["updated_at"] == "2026-11-02T02:11:41Z"
    assert lines(order, "line_ref", "merchant_code", "quantity", "unit_price_minor", "paid_minor") == [
        ("4012345678901234567", "TS-BLK-L", 2, 4000, 7200),
        ("4012345678902234567", "SK-WHT", 3, 1000, 2800),
    ]
    assert order["recipient"]["sealed"]["ref"] == "1abcExampleOaid=="
    assert order["problems"] == []


def test_shopify() -> None:
    order = sample("shopify/graphql", "5900011223344")
    assert (order["order_id"], order["status"], order["currency"]) == (
        "shopify:s1:5900011223344",
        "wait_ship",
        "USD",
    )
    money = (
        "goods_minor",
        "postage_minor",
        "discount_seller_minor",
        "total_minor",
        "received_minor",
        "due_minor",
    )
    assert [order[name] for name in money] == [6000, 800, 400, 6400, 6400, 0]
    assert (order["placed_at"], order["paid_at"]) == ("2026-11-20T15:04:08Z", "2026-11-20T15:04:12Z")
    assert lines(order, "line_ref", "merchant_code", "quantity", "unit_price_minor", "paid_minor") == [
        ("14500000001", "CANDLE-CEDAR", 3, 2000, 5600)
    ]
    assert (order["recipient"]["province_code"], order["recipient"]["postcode"]) == ("ON", "M5V 3P6")
    assert [wish["value"] for wish in order["wishes"]] == ["DOM.EP", "Happy housewarming"]
    assert order["problems"] == []
