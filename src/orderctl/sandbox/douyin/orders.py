"""Makes orders as Douyin keeps them, and changes them as buyers and sellers do.

The one invariant: `body` has the field names of the platform's answers; keys that begin with an underscore are the
platform's own knowledge (the plain recipient) and never leave it. Amounts are fen, times epoch seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any
from zlib import crc32

from orderctl.sandbox import people
from orderctl.sandbox.douyin.tokens import SHOP_ID, TITLE
from orderctl.sandbox.people import GOODS, Good, Person, Place, invent_person
from orderctl.sandbox.store import Order
from orderctl.sandbox.texts import digest

UNPAID, DEPOSIT, REVIEW, TO_SHIP, PARTLY = 1, 103, 105, 2, 101
SHIPPED, CANCELLED, FINISHED, REFUNDED, REFUNDED_LATER = 3, 4, 5, 21, 22
PLATFORM_WAREHOUSE = "PLATFORM-0001"
ASKED = (6, 7, 11)
BACK = (12, 51, 53)
CASES = (
    "lines", "same as first", "refund open", "unpaid", "review", "presale deposit", "presale paid", "shanghai",
    "xinjiang", "unmapped", "formula note", "emoji note", "gift", "closed", "memo", "all refunding", "shipped",
    "same as first", "dongguan", "wish no yto", "partly shipped", "refunded", "adjusted", "talent", "xiantao",
    "finished", "refund withdrawn", "refunded line", "bundle", "appointed", "serial number", "no address id",
    "pay discount", "platform warehouse",
)  # fmt: skip
PLACE_OF = {
    "shanghai": people.SHANGHAI, "xinjiang": people.XINJIANG, "dongguan": people.DONGGUAN, "xiantao": people.XIANTAO,
}  # fmt: skip
NOTE_OF = {
    "formula note": people.NASTY_NOTE, "emoji note": people.EMOJI_NOTE, "shanghai": "要顺丰，急用",
    "wish no yto": "不要发圆通！！上次丢件了", "xinjiang": "",
}  # fmt: skip
STATUS_OF = {
    "unpaid": UNPAID, "review": REVIEW, "presale deposit": DEPOSIT, "closed": CANCELLED, "shipped": SHIPPED,
    "finished": FINISHED, "partly shipped": PARTLY, "refunded": REFUNDED,
}  # fmt: skip
WORDS = {
    1: "待支付", 103: "部分支付", 105: "已支付", 2: "备货中", 101: "部分发货", 3: "已发货", 4: "已取消", 5: "已完成",
    21: "发货前退款完结", 22: "发货后退款完结", 39: "收货后退款完结",
}  # fmt: skip
NONCE = 12
"""So many characters of a ciphertext are there to make every reading differ."""
LINES_OF = {
    "lines": 3, "refund open": 2, "all refunding": 2, "partly shipped": 2, "gift": 1, "unmapped": 2,
    "refunded line": 2, "bundle": 1, "talent": 2,
}  # fmt: skip


def make(
    seed: int, number: int, dice: Random, *, shop: str, at: int, case: str | None, person: Person | None
) -> Order:
    """Make one order; see the module for what `body` holds."""
    if person is None:
        source = Random(f"{seed}|{shop}|first") if case in ("lines", "same as first") else dice
        person = invent_person(source, PLACE_OF.get(case or ""))
    ref = str(6_940_000_000_000_000_000 + number * 1_000)
    status = STATUS_OF.get(case or "") or ordinary_status(dice, case)
    shipped = status in (SHIPPED, FINISHED, PARTLY)
    lines = make_lines(ref, dice, case, TO_SHIP if shipped else status, at)
    changed = at + (200 if shipped else 30)
    paid = status not in (UNPAID, CANCELLED, DEPOSIT)
    body: dict[str, Any] = {
        "order_id": ref, "order_level": 2, "biz": 2, "order_type": 0, "shop_id": int(SHOP_ID), "shop_name": TITLE,
        "create_time": at, "pay_time": at + 28 if paid else 0, "update_time": changed,
        "finish_time": at + 200 if status == FINISHED else 0, "order_expire_time": 1_800,
        "exp_ship_time": at + 2 * 86_400 if paid else 0, "ship_time": 0, "pay_type": dice.choice([1, 2, 4]), "b_type": 2,
        "doudian_open_id": "1@#" + digest("open", seed, person.key)[:20] + "==", "order_phase_list": [],
        "logistics_info": [], "serial_number_list": [], "shop_order_tag_ui": [], "user_tag_ui": [],
        "address_tag_ui": [], "promise_info": "{}",
    }  # fmt: skip
    body |= make_money(lines, dice, case)
    body |= make_remarks(dice, case)
    body |= make_recipient(person, seed, revision=1, named=case != "no address id")
    body["sku_order_list"] = lines
    if case == "presale deposit":
        body["order_phase_list"] = phases(ref, body["pay_amount"], paid=1)
    if case == "presale paid":
        body["order_phase_list"] = phases(ref, body["pay_amount"], paid=2)
    order = Order("douyin", shop, ref, int(ref), at, changed, body)
    set_status(order, status)
    if shipped:
        quantities = {
            line["order_id"]: line["item_num"] for line in (lines[:1] if status == PARTLY else lines)
        }
        add_pack(order, f"7310{number % 10**10:010d}", "zhongtong", quantities, at + 120)
    if status == FINISHED:
        set_status(order, FINISHED)
        for line in lines:
            line["order_status"] = FINISHED
    return order


def ordinary_status(dice: Random, case: str | None) -> int:
    """Give the status of an order that is no special case: mostly paid and waiting."""
    if case is not None or dice.random() < 0.85:
        return TO_SHIP
    return dice.choice([UNPAID, SHIPPED, FINISHED, CANCELLED])


def make_lines(ref: str, dice: Random, case: str | None, status: int, at: int) -> list[dict[str, Any]]:
    """Make the lines; the only line of an order has the order's own number."""
    goods = dice.sample(GOODS, LINES_OF.get(case or "", dice.choice([1, 1, 1, 2, 2, 3])))
    if case == "unmapped":
        goods[-1] = people.UNKNOWN
    counts = [dice.choice([1, 1, 1, 2, 3]) for _ in goods]
    if case == "gift":
        goods, counts = [*goods, GOODS[2]], [*counts, 1]
    lines = [
        make_line(ref, k if len(goods) > 1 else -1, good, counts[k], status, at)
        for k, good in enumerate(goods)
    ]
    if case == "gift":
        lines[0]["given_product_type"] = "MASTER"
        lines[-1] |= {
            "given_product_type": "FREE", "master_sku_order_id_list": [lines[0]["order_id"]],
            "origin_amount": 0, "sum_amount": 0, "order_amount": 0,
        }  # fmt: skip
    if case == "bundle":
        lines[0]["bundle_sku_info"] = [
            {"product_id": str(3_500_000_000_000_000_000 + good.item), "sku_id": good.sku_id, "code": good.sku,
             "product_name": good.title, "item_num": 1 + k, "picture_url": ""}
            for k, good in enumerate(GOODS[3:5])
        ]  # fmt: skip
    if case in ("presale deposit", "presale paid"):
        lines[0]["pre_sale_type"] = 2
    if case == "appointed":
        lines[0]["appointment_ship_time"] = at + 5 * 86_400
    if case == "platform warehouse":
        for line in lines:
            line["inventory_list"] = [
                {"warehouse_id": PLATFORM_WAREHOUSE, "out_warehouse_id": "", "count": line["item_num"]}
            ]
    lines[0]["need_serial_number"] = case == "serial number"
    for line in lines[:1] if case in ("refund open", "refunded line") else lines:
        mark_after_sale(line, case)
    return lines


def mark_after_sale(line: dict[str, Any], case: str | None) -> None:
    """Write the after-sale state of an awkward case into a line."""
    states = {
        "refund open": (6, 2, 1), "all refunding": (7, 1, 1), "refunded": (12, 2, 3), "refunded line": (12, 2, 3),
        "refund withdrawn": (28, 2, 1),
    }  # fmt: skip
    if case in states:
        status, kind, refund = states[case]
        line["after_sale_info"] = {
            "after_sale_status": status,
            "after_sale_type": kind,
            "refund_status": refund,
        }
    if case == "refunded line":
        line["order_status"] = REFUNDED


def make_line(ref: str, index: int, good: Good, quantity: int, status: int, at: int) -> dict[str, Any]:
    """Make one line before discounts."""
    product = 3_500_000_000_000_000_000 + good.item
    return {
        "order_id": str(int(ref) + index + 1), "parent_order_id": ref, "order_level": 3, "order_status": status,
        "product_id": product, "product_id_str": str(product), "product_name": good.title,
        "product_pic": "https://img.example.invalid/item.jpg", "sku_id": int(good.sku_id), "code": good.sku,
        "out_sku_id": "", "out_product_id": "0",
        "spec": [dict(zip(("name", "value"), part.split(":"), strict=True)) for part in good.spec.split(";")],
        "item_num": quantity, "origin_amount": good.cny, "goods_price": good.cny, "sum_amount": good.cny * quantity,
        "order_amount": good.cny * quantity, "pre_sale_type": 0, "trade_type": 0, "given_product_type": "",
        "exp_ship_time": at + 2 * 86_400, "appointment_ship_time": 0, "need_serial_number": False,
        "after_sale_info": {"after_sale_status": 0, "after_sale_type": 0, "refund_status": 0},
        "inventory_list": [], "bundle_sku_info": [],
    }  # fmt: skip


def make_money(lines: list[dict[str, Any]], dice: Random, case: str | None) -> dict[str, Any]:
    """Give the amounts of an order, and spread discount and postage over the lines so that the sums are exact."""
    goods = sum(line["sum_amount"] for line in lines)
    shop = dice.choice([0, 0, 300, 500]) if goods > 4_000 else 0
    platform = dice.choice([0, 0, 200]) if goods > 4_000 else 0
    talent = 150 if case == "talent" else 0
    changed = -100 if case == "adjusted" else 0
    postage = dice.choice([0, 0, 500, 800])
    off = shop + platform + talent - changed
    left = off
    for k, line in enumerate(lines):
        share = left if k == len(lines) - 1 else off * line["sum_amount"] // goods
        share = min(share, line["sum_amount"])
        left -= share
        line |= {"promotion_amount": share, "post_amount": postage if k == 0 else 0}
    lines[0]["promotion_amount"] += left
    for line in lines:
        line["pay_amount"] = line["sum_amount"] - line["promotion_amount"] + line["post_amount"]
        line["order_amount"] = line["sum_amount"] + line["post_amount"]
    return {
        "order_amount": goods + postage, "pay_amount": goods + postage - off, "post_amount": postage,
        "post_origin_amount": postage, "post_promotion_amount": 0, "post_insurance_amount": 0,
        "modify_amount": changed, "packing_amount": 0, "tax_amount": 0, "promotion_amount": shop + platform + talent,
        "promotion_shop_amount": shop, "promotion_platform_amount": platform, "promotion_talent_amount": talent,
        "promotion_pay_amount": 100 if case == "pay discount" else 0,
    }  # fmt: skip


def phases(ref: str, total: int, *, paid: int) -> list[dict[str, Any]]:
    """Give the two payments of a presale, so many of them made."""
    return [
        {"phase_order_id": str(int(ref) + 900 + k), "current_phase": k, "total_phase": 2, "pay_success": k <= paid,
         "phase_pay_time": 0, "phase_pay_amount": amount}
        for k, amount in ((1, total // 5), (2, total - total // 5))
    ]  # fmt: skip


def make_remarks(dice: Random, case: str | None) -> dict[str, Any]:
    """Give buyer note, seller memo and flag."""
    note = NOTE_OF.get(case or "")
    if note is None:
        note = dice.choice(people.NOTES + people.WISHES) if case is None and dice.random() < 0.25 else ""
    memo = dice.choice(people.MEMOS) if case == "memo" or (case is None and dice.random() < 0.08) else ""
    return {
        "buyer_words": note,
        "seller_words": memo,
        "seller_remark_stars": dice.randint(1, 5) if memo else 0,
    }


def make_recipient(person: Person, seed: int, *, revision: int, named: bool) -> dict[str, Any]:
    """Give what is shown of a recipient, and what the platform keeps to itself; ciphertexts are made when read."""
    place = person.place
    names = {"province": place.province, "city": place.city, "town": place.district, "street": place.town}
    regions = {part: {"name": name, "id": str(crc32(name.encode()) % 10**6)} for part, name in names.items()}
    return {
        **({"open_address_id": digest("address", seed, person.key)[:24]} if named else {}),
        "post_receiver": "", "post_tel": "", "mask_post_receiver": person.name[0] + "**",
        "mask_post_tel": f"{person.mobile[:3]}****{person.mobile[-4:]}",
        "post_addr": {**regions, "detail": ""}, "mask_post_addr": {**regions, "detail": "****"},
        "_person": [person.name, person.mobile, person.street, place.code, place.postcode],
        "_group": digest(person.key), "_revision": revision, "_named": named,
    }  # fmt: skip


def recipient(body: Mapping[str, Any]) -> Person:
    """Give the plain recipient of an order, as only the platform knows it."""
    name, mobile, street, code, postcode = body["_person"]
    province, city, district, town = (
        body["post_addr"][part]["name"] for part in ("province", "city", "town", "street")
    )
    return Person(name, mobile, Place(province, city, district, town, postcode, code, ""), street)


def seals(body: Mapping[str, Any], nonce: str) -> tuple[str, str, str]:
    """Give the ciphertexts of name, telephone and street of an order's recipient.

    Each has an index, which is equal for equal texts, and a part that differs with every nonce and person.
    """
    found = []
    for sign, field, plain in zip("#$#", ("name", "tel", "street"), body["_person"], strict=False):
        index = digest("index", field, plain)[:12]
        cipher = nonce + digest("cipher", body["_group"], field, plain, nonce)[:20]
        found.append(sign.join(("", index, cipher, "1", "", "")))
    name, mobile, street = found
    return name, mobile, street


def owns(body: Mapping[str, Any], seal: str) -> bool:
    """Say whether a ciphertext, read whenever, is one of this order's recipient."""
    parts = seal.split(seal[:1]) if seal[:1] in ("#", "$") else []
    return len(parts) == 6 and seal in seals(body, parts[2][:NONCE])


def set_status(order: Order, status: int) -> None:
    """Write an order's status."""
    order.body |= {
        "order_status": status,
        "main_status": status,
        "order_status_desc": WORDS.get(status, "未知"),
    }
    order.status = str(status)


def is_elsewhere(line: Mapping[str, Any]) -> bool:
    """Say whether the platform's own warehouse ships a line."""
    return any(place["warehouse_id"] == PLATFORM_WAREHOUSE for place in line["inventory_list"])


def is_back(line: Mapping[str, Any]) -> bool:
    """Say whether a line was paid back."""
    return line["after_sale_info"]["after_sale_status"] in BACK or line["order_status"] in (
        REFUNDED,
        CANCELLED,
    )


def in_packs(order: Order, line: str) -> int:
    """Count the pieces of a line that are in parcels."""
    items = [item for pack in order.body["logistics_info"] for item in pack["product_info"]]
    return sum(item["product_count"] for item in items if item["sku_order_id"] == line)


def add_pack(order: Order, number: str, company: str, quantities: Mapping[str, int], at: float) -> str:
    """Put quantities by line into a new parcel, with what follows for lines and order; give the parcel's id."""
    body = order.body
    lines = {line["order_id"]: line for line in body["sku_order_list"]}
    pack_id = digest("pack", order.ref, len(body["logistics_info"]), number)[:20]
    body["logistics_info"].append({
        "tracking_no": number, "company": company, "company_name": company, "ship_time": int(at),
        "delivery_id": pack_id,
        "product_info": [
            {"product_id_str": lines[ref]["product_id_str"], "product_name": lines[ref]["product_name"],
             "product_count": quantity, "price": lines[ref]["origin_amount"], "outer_sku_id": lines[ref]["code"],
             "sku_id": lines[ref]["sku_id"], "sku_order_id": ref, "sku_specs": lines[ref]["spec"]}
            for ref, quantity in quantities.items()
        ],
    })  # fmt: skip
    for ref in quantities:
        lines[ref]["order_status"] = SHIPPED if in_packs(order, ref) >= lines[ref]["item_num"] else PARTLY
    waiting = [
        line for line in lines.values() if line["order_status"] in (TO_SHIP, PARTLY) and not is_back(line)
    ]
    set_status(order, PARTLY if waiting else SHIPPED)
    body["ship_time"] = int(at)
    return pack_id


def touch(order: Order, changes: Mapping[str, Any], seed: int, now: float) -> bool:
    """Change an order as a buyer or seller would, and say whether its time of change follows.

    It follows the main status alone: a memo, a flag, another address, a refund that is asked for leave it as it was.
    `stir` is a memo while the main status goes away and comes back. Raises: ValueError for a change nobody can make.
    """
    body, before = order.body, order.status
    for what, value in changes.items():
        if what == "refund":
            _touch_refund(order, value)
        elif what == "status":
            if not str(value).isdecimal():
                raise ValueError(f"no status {value!r}")
            set_status(order, int(value))
            for line in body["sku_order_list"]:
                line["order_status"] = int(value)
        elif what == "address":
            person = invent_person(Random(f"{seed}|{order.ref}|{body['_revision']}"))
            body |= make_recipient(person, seed, revision=body["_revision"] + 1, named=body["_named"])
        elif what in ("memo", "stir"):
            body["seller_words"] = str(value)
        elif what == "note":
            body["buyer_words"] = str(value)
        else:
            raise ValueError(f"an order has no change {what!r}: refund, status, address, memo, note, stir")
    moved = order.status != before or "stir" in changes
    if moved:
        body["update_time"] = max(int(now), order.modified)
    return moved


def _touch_refund(order: Order, value: Any) -> None:
    lines = order.body["sku_order_list"]
    after = [line["after_sale_info"] for line in lines]
    if not value:
        for one in after:
            if one["after_sale_status"] in ASKED:
                one["after_sale_status"] = 28
        return
    free = [line for line in lines if line["after_sale_info"]["after_sale_status"] in (0, 27, 28)]
    if not free:
        raise ValueError("every line of this order has a refund already")
    asked = 6 if value is True else int(value)
    kind = 1 if free[0]["order_status"] in (SHIPPED, FINISHED) else 2
    done = asked in BACK
    free[0]["after_sale_info"] = {
        "after_sale_status": asked,
        "after_sale_type": kind,
        "refund_status": 3 if done else 1,
    }
    if done:
        free[0]["order_status"] = REFUNDED_LATER if kind == 1 else REFUNDED
        if all(line["order_status"] in (REFUNDED, REFUNDED_LATER) for line in lines):
            set_status(order, free[0]["order_status"])
