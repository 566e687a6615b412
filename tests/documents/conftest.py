"""Invented shipments: nobody lives where these parcels go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orderctl.stages.documents import Label, to_label

SENDER = {
    "name": "样例旗舰店",
    "phone": "0571-55550000",
    "address": "浙江省杭州市样例区仓储路9号",
    "country": "CN",
}


def line(number: int, **given: Any) -> dict[str, Any]:
    """Give one line of a shipment."""
    return {
        "order_id": "taobao:a:1", "line_ref": str(number), "sku": f"CUP-BLUE-{number:03d}", "title": "样例商品 加厚保温杯",
        "spec": "颜色:星空蓝;容量:500ml", "quantity": 1, "kind": "goods", "platform_sku": None, "merchant_code": None,
        **given,
    }  # fmt: skip


def shipment(number: str = "SF0000000000001", **given: Any) -> dict[str, Any]:
    """Give a `shipment/1` row of one parcel; `recipient` and `parcel` change single fields."""
    recipient = {
        "name": "样例收件人", "company": None, "phone": "13800000001", "phone_ext": None, "country": "CN", "province": "浙江省",
        "city": "杭州市", "district": "西湖区", "town": None, "street": None, "address_lines": ["样例路1号3号楼201室"],
        "postcode": "310000",
    }  # fmt: skip
    parcel = {
        "parcel_no": 1, "number": number, "lines": [], "weight_g": 1250, "sort_code": "571- H12 09",
        "package_centre": "杭州样例集包", "qr": "demo-qr-content", "label": None,
    }  # fmt: skip
    recipient |= given.pop("recipient", {})
    parcel |= given.pop("parcel", {})
    order = {
        "platform_ref": "2000000000000000001",
        "part": None,
        "parts": None,
        "buyer_note": None,
        "seller_note": None,
    }
    return {
        "shipment_id": f"s-{number}", "orders": [order], "lines": [line(1, quantity=2), line(2)], "recipient": recipient,
        "currency": "CNY", "collect_minor": None, "insured_minor": None, "weight_g": 1250, "courier": "sf", "service": "标快",
        "wave": "W1", "sequence": None, "warehouse": "hz", "parcels": [parcel], **given,
    }  # fmt: skip


def foreign(**given: Any) -> dict[str, Any]:
    """Give a shipment to a recipient abroad."""
    recipient = {
        "name": "Sample Recipient", "phone": "+1 202 555 0100", "country": "US", "province": "CA", "city": "San Example",
        "district": None, "address_lines": ["1 Example Street", "Apt 12"], "postcode": "90000",
    }  # fmt: skip
    return shipment("LX000000001CN", recipient=recipient, courier="ems", service="", currency="USD", **given)


@pytest.fixture
def make() -> Callable[..., Label]:
    """A function from a shipment's changes to a label: `make(number, mask=..., sequence=..., **changes)`."""

    def made(number: str = "SF0000000000001", *, abroad: bool = False, **given: Any) -> Label:
        how = {
            key: given.pop(key)
            for key in ("mask", "sequence", "total", "copy", "locations", "size", "supplied")
            if key in given
        }
        row = foreign(**given) if abroad else shipment(number, **given)
        return to_label(row, sender=SENDER, **how)

    return made


@pytest.fixture
def make_line() -> Callable[..., dict[str, Any]]:
    """The function `line`."""
    return line


@pytest.fixture
def make_shipment() -> Callable[..., dict[str, Any]]:
    """The function `shipment`."""
    return shipment
