"""Invented parcels to look at a template with: the plain one and those templates fail at.

Nobody lives where they go, and no number is a courier's.
"""

from __future__ import annotations

from typing import Any

from orderctl.stages.documents.data import Label, to_label

_SENDER = {
    "name": "样例旗舰店",
    "phone": "0571-55550000",
    "address": "样例省样例市样例区仓储路9号",
    "country": "CN",
}
_SHELVES = {f"SAMPLE-{number:03d}": f"A-{number}" for number in range(1, 31)}
_CARD = {"rule": "样例", "text": "祝你生日快乐！\n岁岁平安，事事顺心。\n—— 样例寄件人", "order_id": None}
_LONG = "样例路一百二十三号样例大型综合购物中心及写字楼裙楼北侧入口旁边的样例便利店转交"


def sample_labels(size: str | None = None) -> list[Label]:
    """Give five parcels: plain; a long address with notes; thirty lines; abroad; cash on delivery, the second of two.

    `size` becomes the paper of each.
    """
    order = {"platform_ref": "2000000000000000002", "part": None, "parts": None}
    notes = {"buyer_note": "请放在门口，不要打电话，谢谢！", "seller_note": "老客户，送一张贺卡"}
    long = {"name": "样例收件人样例收件人", "address_lines": [_LONG, "三号楼四单元五层六〇一室"]}
    abroad = {
        "name": "Sample Recipient", "phone": "+1 202 555 0100", "country": "US", "province": "CA", "city": "San Example",
        "district": None, "address_lines": ["1 Example Street", "Apt 12"], "postcode": "90000",
    }  # fmt: skip
    rows = [
        _shipment(1, [_line(1, quantity=2), _line(2)]),
        _shipment(2, [_line(3), _line(4, kind="gift")], recipient=long, orders=[{**order, **notes}]),
        _shipment(3, [_line(number, quantity=number % 4 + 1) for number in range(1, 31)], weight_g=18400),
        _shipment(4, [_line(5)], recipient=abroad, courier="ems", service="", currency="USD", sort_code=None),
        _shipment(5, [_line(6), _line(7)], collect_minor=12800, insured_minor=9900, parcels=2, cards=[_CARD]),
    ]
    return [
        to_label(
            row, len(row["parcels"]) - 1, sender=_SENDER, sequence=place, total=len(rows),
            locations=_SHELVES, size=size, mask=place != 2,
        )
        for place, row in enumerate(rows, 1)
    ]  # fmt: skip


def _line(number: int, **given: Any) -> dict[str, Any]:
    return {
        "order_id": "sample:shop:1", "line_ref": str(number), "sku": f"SAMPLE-{number:03d}", "title": "样例商品 加厚保温杯",
        "spec": "颜色:星空蓝;容量:500ml", "quantity": 1, "kind": "goods", **given,
    }  # fmt: skip


def _shipment(
    number: int,
    lines: list[dict[str, Any]],
    *,
    recipient: dict[str, Any] | None = None,
    parcels: int = 1,
    sort_code: str | None = "571- H12 09",
    **given: Any,
) -> dict[str, Any]:
    person = {
        "name": "样例收件人", "phone": "13800000001", "country": "CN", "province": "样例省", "city": "样例市", "district": "样例区",
        "address_lines": ["样例路1号3号楼201室"], "postcode": "310000",
    }  # fmt: skip
    waybill = f"LX00000000{number}CN" if sort_code is None else f"SF000000000000{number}"
    parcel = {
        "number": waybill, "lines": [], "weight_g": given.get("weight_g", 1250), "sort_code": sort_code,
        "package_centre": "样例集包地" if sort_code else None, "qr": f"sample-{number}",
    }  # fmt: skip
    last = [
        {"order_id": x["order_id"], "line_ref": x["line_ref"], "quantity": x["quantity"]} for x in lines[-1:]
    ]
    return {
        "shipment_id": f"sample-{number}", "orders": [{"platform_ref": f"200000000000000000{number}"}], "lines": lines,
        "recipient": person | (recipient or {}), "courier": "sf", "service": "标快", "currency": "CNY", "wave": "W1", "warehouse": "样例仓",
        "parcels": [parcel] if parcels == 1 else [parcel, *[{**parcel, "lines": last}] * (parcels - 1)], **given,
    }  # fmt: skip
