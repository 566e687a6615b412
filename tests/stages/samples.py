"""Orders to test stages with: people and places that do not exist, one helper to say only what matters."""

from __future__ import annotations

from typing import Any

import polars as pl

from orderctl.model.schema import conform

RECIPIENT: dict[str, Any] = {
    "name": "测试甲",
    "company": None,
    "phone": "13800000001",
    "phone_ext": None,
    "email": None,
    "country": "CN",
    "province": "浙江省",
    "province_code": None,
    "city": "杭州市",
    "district": "西湖区",
    "town": None,
    "street": "样例路1号",
    "address_lines": [],
    "postcode": None,
    "tax_id": None,
    "original": None,
    "privacy": "plain",
    "sealed": None,
    "match_key": None,
    "match_kind": "none",
}
LINE: dict[str, Any] = {
    "line_ref": "1",
    "sku": None,
    "platform_sku": None,
    "item_ref": None,
    "merchant_code": "TS-BLK-L",
    "title": "纯棉T恤",
    "spec": "黑 L",
    "quantity": 1,
    "quantity_refunded": 0,
    "quantity_shipped": 0,
    "quantity_to_ship": 1,
    "unit_price_minor": 1000,
    "paid_minor": 1000,
    "unit_weight_g": None,
    "refund": "none",
    "kind": "goods",
    "parent_line_ref": None,
    "parent_quantity": None,
    "hs_code": None,
    "origin": None,
    "customs_name": None,
    "customs_value_minor": None,
    "goods_traits": [],
}
ORDER: dict[str, Any] = {
    "schema": "order/1",
    "platform": "shopify",
    "shop": "main",
    "source": "test",
    "status": "wait_ship",
    "holds": [],
    "refund_open": False,
    "placed_at": "2026-11-01T00:00:00Z",
    "paid_at": "2026-11-01T00:01:00Z",
    "updated_at": "2026-11-01T00:01:00Z",
    "observed_at": "2026-11-02T00:00:00Z",
    "ship_by": None,
    "payment": "prepaid",
    "currency": "CNY",
    "goods_minor": 1000,
    "postage_minor": 0,
    "tax_included_minor": None,
    "tax_added_minor": 0,
    "adjust_minor": 0,
    "discount_seller_minor": 0,
    "discount_platform_minor": 0,
    "total_minor": 1000,
    "received_minor": 1000,
    "due_minor": 0,
    "refunded_minor": 0,
    "buyer_ref": None,
    "buyer_note": None,
    "seller_note": None,
    "seller_flag": None,
    "wishes": [],
    "tags": [],
    "problems": [],
}


def line(**changes: Any) -> dict[str, Any]:
    """Give a line of an order; what is to ship follows the quantity unless said."""
    return LINE | {"quantity_to_ship": changes.get("quantity", 1)} | changes


def order(ref: str = "1", *, recipient: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Give a shippable order with one line; `recipient` names only what differs."""
    plain = (
        ORDER | {"platform_ref": ref, "recipient": RECIPIENT | (recipient or {}), "lines": [line()]} | changes
    )
    return plain | {"order_id": f"{plain['platform']}:{plain['shop']}:{ref}"}


def orders(*rows: dict[str, Any]) -> pl.DataFrame:
    """Give a batch `order/1` of `rows`."""
    return conform(pl.DataFrame(list(rows), infer_schema_length=None), "order/1")


def only(frame: pl.DataFrame) -> dict[str, Any]:
    """Give the one row of `frame`."""
    assert frame.height == 1
    return frame.to_dicts()[0]


def codes(row: dict[str, Any]) -> dict[str, str]:
    """Give the problems of a row: code to severity."""
    return {found["code"]: found["severity"] for found in row["problems"]}
