"""Shipments to report on: people who do not exist, and only what matters said."""

from __future__ import annotations

from typing import Any

import polars as pl

from orderctl.model.problem import finding
from orderctl.model.schema import conform
from tests.stages.samples import ORDER, RECIPIENT, line

DAY = "2026-11-20T03:00:00Z"


def shipped_line(order_id: str, ref: str = "1", **changes: Any) -> dict[str, Any]:
    """Give a line of a shipment that carries all that was ordered, unless said otherwise."""
    plain = line(line_ref=ref, **changes)
    return {"order_id": order_id, "quantity_ordered": plain["quantity"]} | plain | changes


def head(order_id: str, **changes: Any) -> dict[str, Any]:
    """Give an order inside a shipment; platform and shop are those of its id."""
    platform, shop, ref = order_id.split(":")
    plain = {k: v for k, v in ORDER.items() if k != "schema"}
    own = {"order_id": order_id, "platform": platform, "shop": shop, "platform_ref": ref}
    return plain | own | {"recipient": RECIPIENT, "paid_at": DAY, "part": None, "parts": None} | changes


def parcel(number: str | None = None, no: int = 1) -> dict[str, Any]:
    return {"parcel_no": no, "number": number, "lines": [], "weight_g": None}


def shipment(
    shipment_id: str, orders: list[dict[str, Any]], lines: list[dict[str, Any]], **changes: Any
) -> dict[str, Any]:
    """Give a shipment of `orders` that carries `lines`, not routed yet."""
    return {
        "shipment_id": shipment_id,
        "purpose": "sale",
        "orders": orders,
        "lines": lines,
        "recipient": RECIPIENT,
        "merge": {"how": "single", "key": None, "why": None, "with": []},
        "currency": "CNY",
        "total_minor": 1000,
        "weight_g": None,
        "warehouse": None,
        "courier": None,
        "freight_minor": None,
        "freight_currency": None,
        "parcels": [parcel()],
        "printed": [],
        "shipped": [],
        "problems": [],
    } | changes


def label(no: int = 1) -> dict[str, Any]:
    return {
        "document": "label",
        "parcel_no": no,
        "copy": 1,
        "revision": 1,
        "device": "pdf",
        "at": DAY,
        "confirmed": "spooled",
    }


def told(order_id: str) -> dict[str, Any]:
    return {"order_id": order_id, "parcel_no": 1, "at": DAY, "state": "told", "detail": None}


def batch(*rows: dict[str, Any]) -> pl.DataFrame:
    """Give a batch `shipment/1` of `rows`."""
    return conform(pl.DataFrame(list(rows), infer_schema_length=None), "shipment/1")


def sample() -> pl.DataFrame:
    """Give a small day: two platforms, three currencies of goods or freight, every state, a split and a merged shipment."""
    one, two, three = "taobao:tmall-a:1001", "taobao:tmall-a:1002", "taobao:tmall-b:1003"
    four, five, six = "shopify:global:2001", "shopify:global:2002", "shopify:japan:2003"
    west = RECIPIENT | {"province": "新疆维吾尔自治区", "city": "乌鲁木齐市"}
    abroad = RECIPIENT | {
        "country": "US",
        "province": "California",
        "city": "Testville",
        "name": "Test Person",
    }
    return batch(
        shipment(
            "S1",
            [head(one), head(two, paid_at="2026-11-19T17:00:00Z")],
            [
                shipped_line(one, sku="TS-BLK-L", quantity=2, paid_minor=5001, unit_weight_g=200),
                shipped_line(
                    two, sku="MUG", title="马克杯", spec=None, quantity=1, paid_minor=2599, unit_weight_g=350
                ),
            ],
            courier="ZTO",
            warehouse="hz",
            freight_minor=1000,
            freight_currency="CNY",
            weight_g=801,
            parcels=[parcel("ZT0000000001")],
            printed=[label()],
            shipped=[told(one), told(two)],
        ),
        shipment(
            "S2",
            [head(three, part=1, parts=2)],
            [
                shipped_line(
                    three, sku="TS-BLK-L", quantity=1, quantity_ordered=3, paid_minor=1000, unit_weight_g=200
                )
            ],
            courier="SF",
            warehouse="hz",
            freight_minor=1800,
            freight_currency="CNY",
            weight_g=250,
            recipient=west,
            parcels=[parcel("SF0000000001"), parcel("SF0000000002", 2)],
            printed=[label(), label(2)],
        ),
        shipment(
            "S3",
            [head(three, part=2, parts=2)],
            [
                shipped_line(
                    three, sku="TS-BLK-L", quantity=2, quantity_ordered=3, paid_minor=1000, unit_weight_g=200
                )
            ],
            courier="ZTO",
            warehouse="bj",
            freight_minor=900,
            freight_currency="CNY",
            weight_g=450,
            recipient=west,
            problems=[finding("busy", stage="print")],
        ),
        shipment(
            "S4",
            [head(four, currency="USD", paid_at="2026-11-20T18:00:00Z")],
            [shipped_line(four, sku="MUG", title="Mug", spec=None, quantity=3, paid_minor=4500)],
            currency="USD",
            courier="YUN",
            warehouse="hz",
            freight_minor=9200,
            freight_currency="CNY",
            recipient=abroad,
        ),
        shipment(
            "S5",
            [head(five, currency="USD", paid_at=None, placed_at="2026-11-21T01:00:00Z")],
            [shipped_line(five, sku=None, merchant_code="=CMD()", title="=1+1", quantity=1, paid_minor=1999)],
            currency="USD",
            recipient=abroad,
            problems=[finding("sku_unmapped", stage="normalize", items="=1+1")],
        ),
        shipment(
            "S6",
            [head(six, currency="JPY", paid_at="2026-11-21T02:00:00Z")],
            [shipped_line(six, sku="MUG", title="Mug", spec=None, quantity=1, paid_minor=1234)],
            currency="JPY",
            courier="EMS",
            warehouse="hz",
            freight_minor=1450,
            freight_currency="JPY",
            weight_g=400,
            recipient=abroad | {"country": "JP", "province": None},
        ),
    )
