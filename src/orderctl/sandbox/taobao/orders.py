"""Makes trades as Taobao keeps them, and changes them as buyers and sellers do.

The one invariant: the record under `body` has the field names and texts of the detail call; keys that begin with an
underscore are the platform's own knowledge (plain recipient) and never leave it.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from orderctl.sandbox import people
from orderctl.sandbox.people import GOODS, Good, Person, invent_person
from orderctl.sandbox.store import Order
from orderctl.sandbox.texts import beijing, digest, fen, yuan

CASES = (
    "lines", "same as first", "refund open", "unpaid", "forbidden", "presale deposit", "presale paid", "shanghai",
    "xinjiang", "unmapped", "formula note", "emoji note", "gift", "closed", "memo", "all refunding", "shipped",
    "same as first", "dongguan", "wish no yto", "partly shipped", "refunded", "adjusted", "cod", "xiantao", "finished",
    "refund withdrawn", "control note", "top hold", "group hold", "prescription", "by a store",
)  # fmt: skip
PLACE_OF = {
    "shanghai": people.SHANGHAI, "xinjiang": people.XINJIANG, "dongguan": people.DONGGUAN, "xiantao": people.XIANTAO,
}  # fmt: skip
NOTE_OF = {
    "formula note": people.NASTY_NOTE, "emoji note": people.EMOJI_NOTE, "control note": people.HARMLESS_CONTROL_NOTE,
    "shanghai": "要顺丰，急用", "wish no yto": "不要发圆通！！上次丢件了", "xinjiang": "",
}  # fmt: skip
STATUS_OF = {
    "unpaid": "WAIT_BUYER_PAY", "forbidden": "PAID_FORBID_CONSIGN", "presale deposit": "WAIT_BUYER_PAY",
    "closed": "TRADE_CLOSED_BY_TAOBAO", "shipped": "WAIT_BUYER_CONFIRM_GOODS", "finished": "TRADE_FINISHED",
    "partly shipped": "SELLER_CONSIGNED_PART", "refunded": "TRADE_CLOSED",
}  # fmt: skip
HOLD_OF: dict[str, dict[str, Any]] = {
    "top hold": {"top_hold": 1}, "group hold": {"team_buy_hold": 1}, "prescription": {"rx_audit_status": "0"},
    "by a store": {"is_sh_ship": True},
}  # fmt: skip
"""Paid and waiting, and yet not to be shipped: what the trade says of it."""
OPEN_REFUNDS = (
    "WAIT_SELLER_AGREE",
    "WAIT_BUYER_RETURN_GOODS",
    "WAIT_SELLER_CONFIRM_GOODS",
    "SELLER_REFUSE_BUYER",
)


def tid_of(number: int) -> int:
    """Give the trade id of the nth order: 19 digits, far above what a double can hold."""
    return 4_012_345_000_000_000_001 + number * 7_919_000_018


def make(
    shop: str,
    title: str,
    seed: int,
    number: int,
    dice: Random,
    *,
    at: int,
    case: str | None,
    person: Person | None,
) -> Order:
    """Make one trade; see the module for what `body` holds."""
    if person is None:
        source = Random(f"{seed}|{shop}|first") if case in ("lines", "same as first") else dice
        person = invent_person(source, PLACE_OF.get(case or ""))
    tid = tid_of(number)
    status = STATUS_OF.get(case or "") or ordinary_status(dice, case)
    paid = status not in ("WAIT_BUYER_PAY", "TRADE_CLOSED_BY_TAOBAO")
    shipped = status in ("WAIT_BUYER_CONFIRM_GOODS", "SELLER_CONSIGNED_PART", "TRADE_FINISHED")
    lines = make_lines(tid, dice, case, "WAIT_SELLER_SEND_GOODS" if shipped else status)
    changed = at + (200 if shipped else 30)
    body: dict[str, Any] = {
        "tid": tid, "tid_str": str(tid), "status": status,
        "type": {"cod": "cod"}.get(case or "", "step" if case and case.startswith("presale") else "fixed"),
        "title": title, "seller_nick": title, "buyer_nick": dice.choice("小大阿老") + "**",
        "buyer_open_uid": "AAH" + digest(seed, person.key)[:20],
        "created": beijing(at), "modified": beijing(changed), "pay_time": beijing(at + 28) if paid else None,
        "end_time": beijing(at + 200) if status.startswith("TRADE_") else None,
        "timeout_action_time": None if paid else beijing(at + 86_400),
    }  # fmt: skip
    body |= make_money(lines, dice, case)
    body |= make_recipient(person, tid, seed, revision=1)
    body |= make_remarks(dice, case)
    body |= {
        "delivery_time": beijing(at + 2 * 86_400) if paid else None, "est_con_time": "付款后48小时内" if paid else None,
        "trade_from": dice.choice(["WAP", "TAOBAO", "WAP,WAP"]), "shipping_type": "express", "is_part_consign": False,
        "is_sh_ship": False, "service_tags": [], "orders": lines,
    }  # fmt: skip
    body |= make_presale(case, body)
    body |= HOLD_OF.get(case or "", {})
    if shipped:
        mark_shipped(
            body,
            lines[:1] if status == "SELLER_CONSIGNED_PART" else lines,
            "ZTO",
            f"7310{number:010d}",
            at + 120,
        )
    settle_single_line(body)
    return Order("taobao", shop, str(tid), tid, at, changed, body, kind=body["type"], status=status)


def ordinary_status(dice: Random, case: str | None) -> str:
    """Give the status of an order that is no special case: mostly paid and waiting."""
    if case is not None or dice.random() < 0.85:
        return "WAIT_SELLER_SEND_GOODS"
    return dice.choice(
        ["WAIT_BUYER_PAY", "WAIT_BUYER_CONFIRM_GOODS", "TRADE_FINISHED", "TRADE_CLOSED_BY_TAOBAO"]
    )


def make_lines(tid: int, dice: Random, case: str | None, status: str) -> list[dict[str, Any]]:
    """Make the lines of a trade; the first has the trade's own id, as the platform likes it."""
    count = {
        "lines": 3,
        "refund open": 2,
        "all refunding": 2,
        "partly shipped": 2,
        "gift": 1,
        "unmapped": 2,
    }.get(case or "", dice.choice([1, 1, 1, 2, 2, 3]))
    goods = dice.sample(GOODS, count)
    if case == "unmapped":
        goods[-1] = people.UNKNOWN
    lines = [make_line(tid, k, good, dice.choice([1, 1, 1, 2, 3]), status) for k, good in enumerate(goods)]
    if case == "gift":
        gift = make_line(tid, len(lines), GOODS[2], 1, status) | {"price": "0.00", "is_free_gift": True}
        lines.append(gift | {"total_fee": "0.00"})
    refund = {
        "refund open": "WAIT_SELLER_AGREE",
        "all refunding": "WAIT_BUYER_RETURN_GOODS",
        "refunded": "SUCCESS",
        "refund withdrawn": "CLOSED",
    }.get(case or "")
    for line in lines[:1] if case == "refund open" else lines:
        if refund:
            line |= {"refund_status": refund, "refund_id": str(180_000_000_000 + int(line["oid"]) % 10**9)}
    return lines


def make_line(tid: int, index: int, good: Good, quantity: int, status: str) -> dict[str, Any]:
    """Make one line before discounts."""
    oid = tid + index * 1_000_000
    return {
        "oid": oid, "oid_str": str(oid), "title": good.title, "num_iid": 600_000_000_000 + good.item,
        "sku_id": good.sku_id, "outer_iid": good.sku.split("-")[0], "outer_sku_id": good.sku,
        "sku_properties_name": good.spec, "num": quantity, "price": yuan(good.cny),
        "total_fee": yuan(good.cny * quantity), "adjust_fee": "0.00", "refund_status": "NO_REFUND", "status": status,
        "pic_path": "https://img.example.invalid/item.jpg",
    }  # fmt: skip


def make_money(lines: list[dict[str, Any]], dice: Random, case: str | None) -> dict[str, Any]:
    """Give the amounts of a trade, and spread its discount over the lines so that the sums are exact."""
    total = sum(fen(line["total_fee"]) for line in lines)
    discount = dice.choice([0, 0, 500, 1000]) if total > 4000 else 0
    adjust = -100 if case == "adjusted" else 0
    postage = dice.choice([0, 0, 500, 800])
    left, payment = discount, total + postage - discount + adjust
    for index, line in enumerate(lines):
        gross = fen(line["total_fee"])
        share = left if index == len(lines) - 1 else min(left, discount * gross // total)
        share = min(share, gross)
        left -= share
        own = adjust if index == 0 else 0
        net = yuan(gross - share + own)
        line |= {
            "payment": net,
            "divide_order_fee": net,
            "part_mjz_discount": yuan(share),
            "discount_fee": "0.00",
            "adjust_fee": yuan(own),
        }
    if left:
        first = next(line for line in lines if fen(line["payment"]) >= left)
        net = yuan(fen(first["payment"]) - left)
        first |= {
            "payment": net,
            "divide_order_fee": net,
            "part_mjz_discount": yuan(fen(first["part_mjz_discount"]) + left),
        }
    coupon = {
        "id": lines[0]["oid"],
        "promotion_name": "店铺优惠券",
        "discount_fee": yuan(discount),
        "promotion_id": "shopbonus-1_2",
    }
    return {
        "payment": yuan(payment), "total_fee": yuan(total), "post_fee": yuan(postage), "discount_fee": yuan(discount),
        "adjust_fee": yuan(adjust), "received_payment": "0.00", "promotion_details": [coupon] if discount else [],
    }  # fmt: skip


def settle_single_line(body: dict[str, Any]) -> None:
    """The platform's trap: in a trade of one line the line's payment is the trade's, postage included."""
    if len(body["orders"]) == 1:
        body["orders"][0]["payment"] = body["payment"]


def make_recipient(person: Person, tid: int, seed: int, *, revision: int) -> dict[str, Any]:
    """Give the masked recipient, its OAID (another text in every trade), and what the platform keeps to itself."""
    place = person.place
    return {
        "receiver_name": person.name[0] + "**", "receiver_country": "", "receiver_state": place.province,
        "receiver_city": place.city, "receiver_district": place.district, "receiver_town": place.town,
        "receiver_address": "样**路**号***", "receiver_zip": place.postcode,
        "receiver_mobile": "*******" + person.mobile[-4:], "receiver_phone": "",
        "oaid": "1" + digest("oaid", seed, tid, revision) + "==",
        "_person": [person.name, person.mobile, person.street, place.code], "_group": digest(person.key),
        "_revision": revision,
    }  # fmt: skip


def recipient(body: dict[str, Any]) -> Person:
    """Give the plain recipient of a trade, as only the platform knows it."""
    name, mobile, street, code = body["_person"]
    place = people.Place(
        body["receiver_state"],
        body["receiver_city"],
        body["receiver_district"],
        body["receiver_town"],
        body["receiver_zip"],
        code,
        "",
    )
    return Person(name, mobile, place, street)


def make_remarks(dice: Random, case: str | None) -> dict[str, Any]:
    """Give buyer note, seller memo and flag."""
    note = NOTE_OF.get(case or "")
    if note is None:
        note = dice.choice(people.NOTES + people.WISHES) if case is None and dice.random() < 0.25 else ""
    memo = dice.choice(people.MEMOS) if case == "memo" or (case is None and dice.random() < 0.08) else ""
    return {
        "has_buyer_message": bool(note),
        "buyer_message": note or None,
        "seller_memo": memo,
        "seller_flag": dice.randint(1, 5) if memo else 0,
    }


def make_presale(case: str | None, body: dict[str, Any]) -> dict[str, Any]:
    """Give the fields of a presale in two payments."""
    if case == "presale deposit":
        return {"step_trade_status": "FRONT_PAID_FINAL_NOPAID", "step_paid_fee": "10.00", "new_presell": True}
    if case == "presale paid":
        return {
            "step_trade_status": "FRONT_PAID_FINAL_PAID",
            "step_paid_fee": body["payment"],
            "new_presell": True,
        }
    return {}


def mark_shipped(
    body: dict[str, Any], lines: list[dict[str, Any]], company: str, number: str, at: float
) -> None:
    """Write a shipment of `lines` into the trade, and what follows for the trade's own status."""
    for line in lines:
        line |= {
            "status": "WAIT_BUYER_CONFIRM_GOODS",
            "logistics_company": company,
            "invoice_no": number,
            "consign_time": beijing(at),
        }
    waiting = [line for line in body["orders"] if line["status"] == "WAIT_SELLER_SEND_GOODS"]
    waiting = [line for line in waiting if line["refund_status"] != "SUCCESS"]
    if body["status"] == "TRADE_FINISHED":
        for line in lines:
            line["status"] = "TRADE_FINISHED"
    else:
        body["status"] = "SELLER_CONSIGNED_PART" if waiting else "WAIT_BUYER_CONFIRM_GOODS"
    body["is_part_consign"] = bool(waiting) or body["is_part_consign"]
    body["consign_time"] = beijing(at)


def held(body: dict[str, Any]) -> bool:
    """Say whether a trade that waits to be shipped must wait on."""
    return any(body.get(name) == value for hold in HOLD_OF.values() for name, value in hold.items())


def touch(order: Order, changes: Mapping[str, Any], seed: int, now: float) -> None:
    """Change a trade as a buyer or seller would. Raises: ValueError for a change nobody can make."""
    body = order.body
    for what, value in changes.items():
        if what == "refund" and value:
            free = [line for line in body["orders"] if line["refund_status"] in ("NO_REFUND", "CLOSED")]
            if not free:
                raise ValueError("every line of this trade has a refund already")
            for line in free[:1]:
                asked = "WAIT_SELLER_AGREE" if value is True else str(value)
                line |= {"refund_status": asked, "refund_id": str(line["oid"])[-12:]}
        elif what == "refund":
            for line in body["orders"]:
                line["refund_status"] = (
                    "CLOSED" if line["refund_status"] in OPEN_REFUNDS else line["refund_status"]
                )
        elif what == "status":
            body["status"] = order.status = str(value)
            for line in body["orders"]:
                line["status"] = str(value)
        elif what == "address":
            person = invent_person(Random(f"{seed}|{order.ref}|{body['_revision']}"))
            body |= make_recipient(person, body["tid"], seed, revision=body["_revision"] + 1)
            body |= {"lm": "1", "ti_modify_address_time": beijing(now)}
        elif what in ("memo", "stir"):
            body["seller_memo"] = str(value)
        elif what == "note":
            body |= {"buyer_message": str(value) or None, "has_buyer_message": bool(value)}
        else:
            raise ValueError(f"a trade has no change {what!r}: refund, status, address, memo, note, stir")
    body["modified"] = beijing(max(now, order.modified))
