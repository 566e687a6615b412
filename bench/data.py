"""Seeded input: raw trades of about three kilobytes, as the Taobao connector stores them."""

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


def records(rows: int, seed: int = 1) -> Iterator[str]:
    """Give raw/1 records as lines."""
    dice = random.Random(seed)
    for number in range(rows):
        payload = trade(dice, number)
        record = {
            "schema": "raw/1", "platform": "taobao", "shop": "bench", "platform_ref": payload["tid_str"],
            "format": "taobao/trade", "observed_at": "2026-11-02T04:00:00Z", "updated_at": None, "source": "bench",
            "payload": payload, "parts": None, "facts": None,
        }  # fmt: skip
        yield json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def write(path: Path, rows: int) -> None:
    """Write `rows` records to `path`, unless they are there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part")
        with beside.open("w", encoding="utf-8") as sink:
            sink.writelines(line + "\n" for line in records(rows))
        beside.replace(path)
