"""Seeded input: raw trades of Taobao of about three kilobytes and orders of Shopify of about six, as connectors store them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

PLACES = (
    ("浙江省", "杭州市", "余杭区"), ("上海", "上海市", "浦东新区"), ("广东省", "深圳市", "南山区"),
    ("新疆维吾尔自治区", "喀什地区", "喀什市"), ("四川省", "成都市", "武侯区"), ("北京", "北京市", "朝阳区"),
)  # fmt: skip
SKUS = ("TS-BLK-L", "TS-WHT-M", "SK-WHT", "CUP-BLUE", "TEA-50", "CANDLE-CEDAR", "MAT-GRN")
NOTES = ("", "", "", "麻烦发顺丰", "不要发圆通", "先别发，等通知", "送人的，请包好一点")
PAD = "活动说明" * 90  # what a trade carries besides: promotions, tags, service texts


def trade(dice: random.Random, number: int) -> dict[str, object]:
    """Make one trade as the API gives it, with one to four lines."""
    state, city, district = dice.choice(PLACES)
    lines = []
    for k in range(dice.choice((1, 1, 2, 3, 4))):
        quantity, cents = dice.randint(1, 3), dice.randint(990, 19900)
        total = f"{quantity * cents / 100:.2f}"
        lines.append({
            "oid": 4_000_000_000_000_000_000 + number * 10 + k, "title": "样例商品", "num_iid": 600_000_000_000 + k,
            "sku_id": str(4_800_000_000_000 + k), "outer_sku_id": dice.choice(SKUS), "sku_properties_name": "颜色:黑;尺码:L",
            "num": quantity, "price": f"{cents / 100:.2f}", "total_fee": total, "payment": total,
            "divide_order_fee": total, "part_mjz_discount": "0.00", "discount_fee": "0.00", "adjust_fee": "0.00",
            "refund_status": "NO_REFUND", "status": "WAIT_SELLER_SEND_GOODS", "pic_path": PAD[:120],
        })  # fmt: skip
    goods = sum(float(str(line["total_fee"])) for line in lines)
    return {
        "tid": 4_000_000_000_000_000_000 + number * 10, "tid_str": str(4_000_000_000_000_000_000 + number * 10),
        "status": "WAIT_SELLER_SEND_GOODS", "type": "fixed", "title": "样例店铺", "seller_nick": "样例店铺",
        "buyer_nick": "测**", "buyer_open_uid": f"AAH{number % 50_000:08d}", "created": "2026-11-02 10:11:12",
        "pay_time": "2026-11-02 10:11:40", "modified": f"2026-11-02 11:{number // 60 % 60:02d}:{number % 60:02d}",
        "payment": f"{goods + 5:.2f}", "total_fee": f"{goods:.2f}", "post_fee": "5.00", "discount_fee": "0.00",
        "adjust_fee": "0.00", "receiver_name": "测**", "receiver_mobile": "*******0001", "receiver_state": state,
        "receiver_city": city, "receiver_district": district, "receiver_town": "样例街道", "receiver_address": "样**路**号",
        "receiver_zip": "000000", "oaid": f"1sample{number % 50_000:08d}==", "has_buyer_message": True,
        "buyer_message": dice.choice(NOTES), "seller_memo": "", "seller_flag": 0, "trade_from": "WAP",
        "orders": {"order": lines},
        "promotion_details": {"promotion_detail": [{"promotion_name": PAD, "discount_fee": "0.00"}]},
    }  # fmt: skip


def _money(cents: int) -> dict[str, object]:
    amount = f"{cents / 100:.2f}"
    return {
        "shopMoney": {"amount": amount, "currencyCode": "USD"},
        "presentmentMoney": {"amount": amount, "currencyCode": "USD"},
    }


def node(dice: random.Random, number: int) -> dict[str, object]:
    """Make one order as the GraphQL interface gives it, with one to four lines."""
    state, code, town = dice.choice((("California", "CA", "Springfield"), ("Texas", "TX", "Anytown")))
    lines, goods = [], 0
    for k in range(dice.choice((1, 1, 2, 3, 4))):
        quantity, cents = dice.randint(1, 3), dice.randint(990, 19900)
        goods += quantity * cents
        lines.append({
            "id": f"gid://shopify/LineItem/{14_000_000_000_000 + number * 10 + k}", "sku": dice.choice(SKUS), "title": "Sample",
            "variantTitle": "black / L", "quantity": quantity, "currentQuantity": quantity, "unfulfilledQuantity": quantity,
            "requiresShipping": True, "originalUnitPriceSet": _money(cents), "discountedTotalSet": _money(quantity * cents),
            "discountAllocations": [], "customAttributes": [], "taxLines": [{"title": "tax", "priceSet": _money(0)}] * 2,
            "variant": {"id": f"gid://shopify/ProductVariant/{42_000_000_000 + k}"}, "vendor": "sample", "image": {"url": PAD[:90]},
            "product": {"id": f"gid://shopify/Product/{81_000_000_000 + k}"},
        })  # fmt: skip
    placed = f"2026-11-02T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z"
    nothing = {
        name: _money(0)
        for name in ("totalRefundedSet", "totalDiscountsSet", "totalTaxSet", "totalTipReceivedSet")
    }
    whole = {
        name: _money(goods + 800) for name in ("totalPriceSet", "currentTotalPriceSet", "totalReceivedSet")
    }
    return {
        "id": f"gid://shopify/Order/{5_900_000_000_000 + number}", "legacyResourceId": str(5_900_000_000_000 + number),
        "name": f"#{number}", "test": False, "createdAt": placed, "processedAt": placed, "updatedAt": placed, "closed": False,
        "closedAt": None, "cancelledAt": None, "displayFinancialStatus": "PAID", "displayFulfillmentStatus": "UNFULFILLED",
        "returnStatus": "NO_RETURN", "taxesIncluded": False, "currencyCode": "USD", "email": "probe@example.com", "phone": None,
        "note": dice.choice(("", "", "please leave at the door", "ship by UPS please")), "tags": ["wholesale"],
        "paymentGatewayNames": ["shopify_payments"], "customAttributes": [{"key": "_utm", "value": "x"}],
        "customer": {"id": f"gid://shopify/Customer/{number % 50_000}"}, "risk": {"recommendation": "NONE"}, **whole, **nothing,
        "totalShippingPriceSet": _money(800), "originalTotalDutiesSet": None,
        "shippingAddress": {
            "firstName": "Sample", "lastName": "Recipient", "name": "Sample Recipient", "company": None, "address1": f"{number % 900} Sample St",
            "address2": None, "city": town, "province": state, "provinceCode": code, "zip": "00000", "countryCodeV2": "US", "phone": None,
        },
        "shippingLine": {"title": "Standard", "code": "Standard", "originalPriceSet": _money(800)},
        "transactions": [{"kind": "SALE", "status": "SUCCESS", "processedAt": placed, "receiptJson": PAD[:300]}],
        "lineItems": {"pageInfo": {"hasNextPage": False}, "nodes": lines},
        "fulfillmentOrders": {"nodes": [{
            "status": "OPEN", "requestStatus": "UNSUBMITTED", "fulfillAt": placed, "fulfillBy": None,
            "deliveryMethod": {"methodType": "SHIPPING"}, "fulfillmentHolds": [], "assignedLocation": {"name": PAD[:60]},
        }]},
        "discountApplications": {"nodes": []}, "customerJourneySummary": {"moments": PAD},
    }  # fmt: skip


PLATFORMS = {
    "raw": ("taobao", "taobao/trade", trade, "tid_str"),
    "shopify": ("shopify", "shopify/graphql", node, "legacyResourceId"),
}
"""By the first word of the file's name."""


def records(rows: int, seed: int = 1, of: str = "raw") -> Iterator[str]:
    """Give raw/1 records as lines."""
    dice = random.Random(seed)
    platform, form, make, ref = PLATFORMS[of]
    for number in range(rows):
        payload = make(dice, number)
        record = {
            "schema": "raw/1", "platform": platform, "shop": "bench", "platform_ref": payload[ref],
            "format": form, "observed_at": "2026-11-02T04:00:00Z", "updated_at": None, "source": "bench",
            "payload": payload, "parts": None, "facts": None,
        }  # fmt: skip
        yield json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def write(path: Path, rows: int) -> None:
    """Write `rows` records to `path`, unless they are there; its name begins with one of PLATFORMS."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part")
        with beside.open("w", encoding="utf-8") as sink:
            sink.writelines(line + "\n" for line in records(rows, of=path.name.split("-", maxsplit=1)[0]))
        beside.replace(path)
