"""Makes orders as Pinduoduo keeps them, and changes them as buyers and sellers do.

The one invariant: `body` has the field names of the platform's answers, but for the recipient: keys that begin with
an underscore are the platform's own knowledge (the plain recipient) and never leave it. Amounts are yuan as numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any
from zlib import crc32

from orderctl.sandbox import people
from orderctl.sandbox.people import GOODS, Person, Place, invent_person
from orderctl.sandbox.store import Order
from orderctl.sandbox.texts import beijing, digest

DAY = 86_400
CASES = (
    "first", "same as first", "refund open", "no index", "under review", "ship hold", "deposit", "deposit paid",
    "shanghai", "xinjiang", "unmapped", "formula note", "emoji note", "control note", "gift", "gift apart", "memo",
    "shipped", "same as first", "dongguan", "wish no yto", "signed", "refunded", "refunded later", "changed price",
    "lottery", "presale", "sf", "surcharge", "booked", "picked up", "transit", "xiantao", "refund withdrawn",
    "exchange", "two parcels", "hidden", "group leader", "service",
)  # fmt: skip
PLACE_OF = {
    "shanghai": people.SHANGHAI, "xinjiang": people.XINJIANG, "dongguan": people.DONGGUAN, "xiantao": people.XIANTAO,
}  # fmt: skip
NOTE_OF = {
    "formula note": people.NASTY_NOTE, "emoji note": people.EMOJI_NOTE, "control note": people.HARMLESS_CONTROL_NOTE,
    "shanghai": "要顺丰，急用", "wish no yto": "不要发圆通！！上次丢件了", "xinjiang": "",
}  # fmt: skip
SHIPPED = ("shipped", "refunded later", "exchange", "two parcels")
TAGS_OF = {
    "sf": ("has_sf_express_service",), "surcharge": ("ship_additional_order",), "picked up": ("self_contained",),
    "transit": ("conso_order",), "ship hold": ("ship_hold",),
}  # fmt: skip
TAGS = (
    "no_trace_delivery", "free_sf", "self_contained", "delivery_one_day", "has_sf_express_service", "conso_order",
    "ship_additional_order", "same_city_distribution", "ship_hold",
)  # fmt: skip
FIELDS_OF: Mapping[str, Mapping[str, Any]] = {
    "refund open": {"refund_status": 2, "after_sales_status": 2},
    "refunded": {"refund_status": 4, "after_sales_status": 10},
    "refunded later": {"refund_status": 4, "after_sales_status": 10},
    "refund withdrawn": {"after_sales_status": 11},
    "exchange": {"after_sales_status": 14},
    "under review": {"risk_control_status": 1},
    "lottery": {"is_lucky_flag": 2},
    "transit": {"consolidate_info": {"consolidate_type": 1}},
    "gift apart": {"gift_order_status": 1},
    "surcharge": {"ship_additional_origin_order": "260101-000000000000001"},
}
RECIPIENT = (
    "receiver_name", "receiver_name_mask", "receiver_phone", "receiver_phone_mask", "receiver_address",
    "receiver_address_mask", "address", "address_mask",
)  # fmt: skip


def yuan(fen: int) -> float | int:
    """Write minor units as the number the platform sends: `36.7`, `25`."""
    return fen // 100 if fen % 100 == 0 else fen / 100


def ref_of(shop: str, number: int, at: int) -> str:
    """Give the number of the nth order: day, dash, fifteen digits; the last one is never above four."""
    own = crc32(shop.encode()) % 900 + 100
    return f"{beijing(at)[2:10].replace('-', '')}-{own}{number:011d}{number % 5}"


def make(
    shop: str, seed: int, number: int, dice: Random, *, at: int, case: str | None, person: Person | None
) -> Order:
    """Make one order; see the module for what `body` holds."""
    if person is None:
        source = Random(f"{seed}|{shop}|first") if case in ("first", "same as first") else dice
        person = invent_person(source, PLACE_OF.get(case or ""))
    at += 7  # the group is complete a moment after the order was placed
    shipped = case in SHIPPED or case == "signed" or (case is None and dice.random() < 0.1)
    changed = at + (200 if shipped else 23)  # an order that arrives is no later than now
    ref = ref_of(shop, number, at)
    body: dict[str, Any] = {
        "order_sn": ref, "created_time": beijing(at - 40), "pay_time": beijing(at - 31), "confirm_time": beijing(at),
        "updated_at": beijing(changed), "last_ship_time": beijing(at + 2 * DAY), "confirm_status": 1,
        "group_status": 1, "order_status": 1, "refund_status": 1, "after_sales_status": 0, "risk_control_status": 0,
        "is_lucky_flag": 1, "trade_type": 0, "is_pre_sale": 0, "pre_sale_time": "", "pay_type": dice.choice(
            ["WEIXIN", "ALIPAY", "QQ"]), "pay_no": f"XP{number:018d}", "inner_transaction_id": "", "free_sf": 0,
        "delivery_one_day": 0, "invoice_status": 0, "shipping_type": 0, "self_contained": 0, "step_order_info": None,
        "logistics_id": 0, "tracking_number": "", "shipping_time": "", "receive_time": "", "urge_shipping_time": "",
        "yyps_date": "", "yyps_time": "", "extra_delivery_list": [], "resend_delivery_list": [],
        "gift_delivery_list": [], "service_fee_detail": [],
    }  # fmt: skip
    body |= make_goods(dice, case)
    body |= make_remarks(dice, case)
    body |= make_region(person.place)
    body |= {
        "_person": to_person(person),
        "_group": digest(person.key),
        "_revision": 1,
        "_shop": shop,
        "_seed": seed,
    }
    body |= {"_index": case != "no index", "_hidden": case == "hidden"}
    body |= FIELDS_OF.get(case or "", {})
    body |= make_times(case, body, at)
    set_tags = TAGS_OF.get(case or "", ())
    body["order_tag_list"] = [{"name": name, "value": int(name in set_tags)} for name in TAGS]
    order = Order("pdd", shop, ref, int(ref.replace("-", "")[6:]), at, changed, body)
    if shipped:
        mark_shipped(order, 115, f"7310{number:010d}", at + 150)
    if case == "two parcels":
        body["extra_delivery_list"] = [{"logistics_id": 115, "tracking_number": f"7311{number:010d}"}]
    if case == "signed":
        body |= {"order_status": 3, "receive_time": beijing(at + 190)}
    body["updated_at"] = beijing(changed)
    order.modified = changed
    settle(order)
    return order


def make_goods(dice: Random, case: str | None) -> dict[str, Any]:
    """Give the one goods of an order, its gift, and the amounts, which add up."""
    good = people.UNKNOWN if case == "unmapped" else dice.choice(GOODS)
    count = dice.choice([1, 1, 1, 2, 3])
    item = {
        "goods_id": str(600_000_000_000 + good.item), "goods_name": good.title,
        "goods_img": "https://img.example.invalid/item.jpg", "goods_spec": ",".join(
            part.partition(":")[2] for part in good.spec.split(";")),
        "goods_count": count, "goods_price": yuan(good.cny), "sku_id": int(good.sku_id), "outer_id": good.sku,
        "outer_goods_id": good.sku.split("-")[0],
    }  # fmt: skip
    gift = {**item, "goods_id": "600000000900", "goods_name": "样例赠品", "goods_spec": "", "goods_count": 1}
    gift |= {"goods_price": 1, "sku_id": "4800000000900", "outer_id": "GIFT-1", "outer_goods_id": "GIFT"}
    total = good.cny * count
    changed = 100 if case == "changed price" else 0
    seller = dice.choice([0, 0, 100, 300])
    platform = dice.choice([0, 0, 200]) if total > 3_000 else 0
    leader = total - changed - seller - platform if case == "group leader" else 0
    postage = dice.choice([0, 0, 500])
    fees = [{"service_fee": 10, "service_name": "送货入户"}] if case == "service" else []
    pay = total - changed - seller - platform - leader + postage + 1_000 * len(fees)
    amounts = {
        "goods_amount": total - changed, "order_change_amount": changed, "seller_discount": seller,
        "platform_discount": platform, "capital_free_discount": leader, "postage": postage, "pay_amount": pay,
        "discount_amount": seller + platform + leader, "duo_duo_pay_reduction": 0,
    }  # fmt: skip
    return {
        "item_list": [item],
        "gift_list": [gift] if case in ("gift", "gift apart") else [],
        **{name: yuan(amount) for name, amount in amounts.items()},
        "service_fee_detail": fees,
        "gift_order_status": 2,
    }


def make_remarks(dice: Random, case: str | None) -> dict[str, Any]:
    """Give the notes of buyer and seller."""
    buyer = NOTE_OF.get(case or "")
    if buyer is None:
        buyer = dice.choice(people.NOTES + people.WISHES) if case is None and dice.random() < 0.25 else ""
    seller = dice.choice(people.MEMOS) if case == "memo" or (case is None and dice.random() < 0.08) else ""
    tag = dice.randint(1, 5) if seller else None
    return {
        "buyer_memo": buyer,
        "remark": seller,
        "remark_tag": tag,
        "remark_tag_name": "加急" if tag == 1 else "",
    }


def make_region(place: Place) -> dict[str, Any]:
    """Give the plain part of an address; the third level is called town."""
    city = place.city or place.district
    return {
        "country": "中国", "country_id": 0, "province": place.province, "province_id": crc32(place.province.encode()) % 40,
        "city": city, "city_id": crc32(city.encode()) % 900, "town": place.district or place.town,
        "town_id": crc32(place.town.encode()) % 9_000,
    }  # fmt: skip


def make_times(case: str | None, body: Mapping[str, Any], at: int) -> dict[str, Any]:
    """Give the fields of deposits, presales and booked deliveries."""
    if case in ("deposit", "deposit paid"):
        paid = 2 if case == "deposit paid" else 1
        step = {"advanced_paid_fee": 5, "step_discount_amount": 0, "step_trade_status": paid}
        step["step_paid_fee"] = body["pay_amount"] if paid == 2 else 5
        return {"trade_type": 1, "step_order_info": step}
    if case == "presale":
        return {"is_pre_sale": 1, "pre_sale_time": beijing(at + 9 * DAY), "last_ship_time": ""}
    if case == "booked":
        return {"shipping_type": 1, "yyps_date": beijing(at + 5 * DAY)[:10], "yyps_time": "09:00-12:00"}
    return {}


def to_person(person: Person) -> list[str]:
    """Give what the platform keeps to itself of a recipient."""
    place = person.place
    return [
        person.name, person.mobile, person.street, place.code,
        place.province, place.city, place.district, place.town, place.postcode,
    ]  # fmt: skip


def recipient(body: Mapping[str, Any]) -> Person:
    """Give the plain recipient of an order, as only the platform knows it."""
    name, mobile, street, code, province, city, district, town, postcode = body["_person"]
    return Person(name, mobile, Place(province, city, district, town, postcode, code, ""), street)


def _shut(order: Order, field: str, plain: str, sign: str) -> str:
    """Encrypt one text: another ciphertext in every order, the same index for the same text of one shop."""
    body = order.body
    cipher = "AgAAAAD" + digest("cipher", body["_seed"], order.ref, field, body["_revision"], plain) + "="
    index = digest("index", body["_seed"], order.shop, field, plain)[: 12 if field != "name" else 4]
    if not body["_index"]:
        return f"~{cipher}~2~" if sign == "~" else f"${cipher}$2$"
    return f"~{cipher}~{index}~2~~" if sign == "~" else f"${index}${cipher}$2$$"


def ciphers(order: Order) -> dict[str, str]:
    """Give the ciphertexts of an order, whether it shows them now or not."""
    person = recipient(order.body)
    local = person.place.town + person.street
    whole = person.place.province + person.place.city + person.place.district + local
    return {
        "receiver_name": _shut(order, "name", person.name, "~"),
        "receiver_phone": _shut(order, "phone", person.mobile, "$"),
        "receiver_address": _shut(order, "address", local, "~"),
        "address": _shut(order, "address", whole, "~"),
    }


def recipient_of(order: Order) -> dict[str, str]:
    """Give the recipient as the order shows it now: ciphertexts and masks, or nothing."""
    body = order.body
    waits = body["order_status"] == 1 and body["refund_status"] == 1 and not body["risk_control_status"]
    ids: dict[str, str] = {}
    if order.shop == "pdd-group" and waits:
        ids = {"open_address_id": digest("merge", body["_seed"], body["_group"]), "open_address_id_2": ""}
    if not waits:
        return dict.fromkeys((*RECIPIENT, "contact_mobile"), "")
    person, shut = recipient(body), ciphers(order)
    town = person.place.town
    region = person.place.province + person.place.city + person.place.district
    masks = {
        "receiver_name_mask": person.name[0] + "**",
        "receiver_phone_mask": f"{person.mobile[:3]}****{person.mobile[-4:]}",
        "receiver_address_mask": town + "**路**号",
        "address_mask": region + town + "**路**号",
    }
    if body["_hidden"]:
        phone = {"contact_mobile": shut["receiver_phone"]}
        return {**dict.fromkeys(RECIPIENT, ""), **phone, "receiver_phone_mask": masks["receiver_phone_mask"]}
    return {**shut, **masks, "contact_mobile": "", **ids}


def settle(order: Order) -> None:
    """Let the store find the order by what lists filter by."""
    body = order.body
    order.status, order.financial = str(body["order_status"]), str(body["refund_status"])
    order.kind, order.fulfilment = str(body["trade_type"]), str(body["is_lucky_flag"])


def wrote(order: Order, now: float) -> None:
    """Count the order as changed now."""
    order.body["updated_at"] = beijing(max(now, order.modified))
    settle(order)


def mark_shipped(order: Order, courier: int, number: str, now: float) -> None:
    """Write the first number into an order: it has left."""
    order.body |= {
        "order_status": max(2, order.body["order_status"]), "logistics_id": courier, "tracking_number": number,
        "shipping_time": beijing(now),
    }  # fmt: skip
    wrote(order, now)


def touch(order: Order, changes: Mapping[str, Any], seed: int, now: float) -> None:
    """Change an order as a buyer or seller would. Raises: ValueError for a change nobody can make."""
    body = order.body
    for what, value in changes.items():
        if what == "refund":
            if value is False:
                body |= {"refund_status": 1, "after_sales_status": 11}
            else:
                status = 2 if value is True else int(value)
                if status not in (1, 2, 3, 4):
                    raise ValueError(f"an order has no refund_status {value!r}")
                body |= {"refund_status": status, "after_sales_status": {2: 2, 3: 4, 4: 10}.get(status, 0)}
        elif what == "status":
            if str(value) not in ("1", "2", "3"):
                raise ValueError(f"an order has no order_status {value!r}")
            body["order_status"] = int(value)
        elif what == "address":
            person = invent_person(Random(f"{seed}|{order.ref}|{body['_revision']}"))
            body |= {"_person": to_person(person), "_group": digest(person.key)}
            body |= {"_revision": body["_revision"] + 1, **make_region(person.place)}
        elif what in ("memo", "stir"):
            body["remark"] = str(value)
        elif what == "note":
            body["buyer_memo"] = str(value)
        elif what == "review":
            body["risk_control_status"] = int(bool(value))
        else:
            raise ValueError(
                f"an order has no change {what!r}: refund, status, address, memo, note, stir, review"
            )
    wrote(order, now)
