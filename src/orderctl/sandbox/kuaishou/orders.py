"""Makes orders as Kuaishou keeps them, and changes them as buyers and sellers do.

The one invariant: the record under `body` has the blocks of the detail call; keys that begin with an underscore are
the platform's own knowledge (the plain recipient, refunds) and never leave it. One order is one article.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from orderctl.sandbox import people
from orderctl.sandbox.kuaishou.tokens import SELLER
from orderctl.sandbox.people import GOODS, Good, Person, Place, invent_person
from orderctl.sandbox.store import Order
from orderctl.sandbox.texts import digest

CASES = (
    "first", "same as first", "quantity", "gift", "refund open", "unpaid", "refund refused", "refunded in part",
    "risk", "forbidden", "virtual", "presale", "deposit", "shipped", "signed", "finished", "closed", "refunded",
    "exchange", "partly shipped", "same as first", "two gifts", "part that costs", "not divisible", "shanghai",
    "xinjiang", "dongguan", "unmapped", "formula note", "emoji note", "control note", "memo", "flag only",
    "commission", "platform discount", "unknown",
)  # fmt: skip
PLACE_OF = {"shanghai": people.SHANGHAI, "xinjiang": people.XINJIANG, "dongguan": people.DONGGUAN}
NOTE_OF = {
    "formula note": people.NASTY_NOTE, "emoji note": people.EMOJI_NOTE, "control note": people.HARMLESS_CONTROL_NOTE,
    "shanghai": "要顺丰，急用",
}  # fmt: skip
STATUS_OF = {
    "unpaid": 10, "deposit": 10, "shipped": 40, "signed": 50, "finished": 70, "closed": 80, "refunded": 80,
    "refund refused": 40, "exchange": 50, "unknown": 0,
}  # fmt: skip
REFUND_OF = {
    "refund open": (10, 10), "refund refused": (12, 1), "refunded in part": (60, 10), "refunded": (60, 10),
    "exchange": (30, 3),
}  # fmt: skip
"""State and way (`handlingWay`) of the latest request."""
WAIT_PAY, WAIT_SHIP, SHIPPED, SIGNED, FINISHED, CLOSED = 10, 30, 40, 50, 70, 80
OPEN_REFUNDS = frozenset({10, 11, 20, 21, 22, 30, 40, 45, 50})
GIFT = Good("GIFT-CUP", "量杯", "赠品", "Measuring cup", "Gift", 0, 0, 91)
FLAGS = ("red", "yellow", "green", "blue", "purple")
APART = 100
"""How far the numbers of two orders lie apart: those of gifts lie between."""


def oid_of(number: int) -> int:
    """Give the number of the nth order."""
    return 2_632_410_000_000_000 + number * APART


def make(
    shop: str, title: str, seed: int, number: int, dice: Random, *, at: int, case: str | None, person: Person | None
) -> Order:  # fmt: skip
    """Make one order; see the module for what `body` holds."""
    if person is None:
        source = Random(f"{seed}|{shop}|first") if case in ("first", "same as first") else dice
        person = invent_person(source, PLACE_OF.get(case or ""))
    oid, status = oid_of(number), _status(case, dice)
    paid = status != WAIT_PAY and case != "closed"
    quantity = 3 if case in ("quantity", "partly shipped") else dice.choice([1, 1, 1, 2])
    good = people.UNKNOWN if case == "unmapped" else dice.choice(GOODS)
    body: dict[str, Any] = {
        "orderBaseInfo": _base(oid, status, seed, person, title, at=at, paid=paid, dice=dice),
        "orderItemInfo": _item(oid, good, quantity),
        "orderRefundList": [], "subOrderInfo": [], "orderLogisticsInfo": [],
        "orderNote": {"orderNoteInfo": []},
        "orderDeliveryInfo": {
            "splitDeliveryOrder": False, "mergeDeliveryType": 0, "deliveryNum": 0, "packageNum": 0,
            "totalPackageNum": 0, "maxPackageNum": 5, "enableAppendPackage": False, "deliveryStatus": 0,
        },
        "orderCpsInfo": {"distributorId": 0, "distributorName": "", "activityUserId": 0},
        "orderPaymentStepInfos": [],
        "_refunds": {},
    }  # fmt: skip
    _set_money(body, dice, case)
    set_recipient(body, person, seed, revision=1)
    _set_case(body, number, at, case, dice)
    base = body["orderBaseInfo"]
    if status in (SHIPPED, SIGNED, FINISHED):
        parcel(body, 9, f"7300{number:010d}", at + 120)
        body["orderDeliveryInfo"]["deliveryNum"] = quantity
    changed = at + (200 if status in (SHIPPED, SIGNED, FINISHED) else 30)
    base["updateTime"] = changed * 1000
    return Order(
        "kuaishou", shop, str(oid), number, at, changed, body, kind=str(base["cpsType"]), status=str(status),
        parts=tuple(str(sub["subOrderBaseInfo"]["oid"]) for sub in body["subOrderInfo"]),
    )  # fmt: skip


def _status(case: str | None, dice: Random) -> int:
    """Give the state: what the case says, else mostly paid and waiting."""
    if case is not None:
        return STATUS_OF.get(case, WAIT_SHIP)
    return WAIT_SHIP if dice.random() < 0.85 else dice.choice([WAIT_PAY, SHIPPED, SIGNED, FINISHED])


def _base(
    oid: int, status: int, seed: int, person: Person, title: str, *, at: int, paid: bool, dice: Random
) -> dict[str, Any]:  # fmt: skip
    promise = (at + 2 * 86_400) * 1000 if paid else 0
    note = dice.choice(people.NOTES + people.WISHES) if dice.random() < 0.2 else ""
    return {
        "oid": oid, "status": status, "payTime": (at + 12) * 1000 if paid else 0, "createTime": at * 1000,
        "updateTime": at * 1000, "sendTime": (at + 120) * 1000 if status in (SHIPPED, SIGNED, FINISHED) else 0,
        "recvTime": (at + 180) * 1000 if status in (SIGNED, FINISHED) else 0, "refundTime": 0,
        "buyerOpenId": "buyer" + digest(seed, person.key)[:16], "buyerNick": "样**例", "buyerImage": "",
        "sellerOpenId": SELLER, "sellerNick": title, "allowanceExpressFee": 0, "payChannelDiscount": 0,
        "governmentDiscount": 0, "tradeInPayAfterPromoAmount": 0, "remark": note, "preSale": 0,
        "theDayOfDeliverGoodsTime": 2, "promiseTimeStampOfDelivery": promise,
        "validPromiseShipmentTimeStamp": promise, "sellerDelayPromiseTimeStamp": 0, "activityType": 1,
        "allActivityType": [1], "cpsType": 1, "coType": 0, "payType": dice.choice([1, 2]), "payChannel": "WECHAT",
        "channel": "", "riskCode": 0, "disableDeliveryReasonCode": [], "orderRiskEventInfo": [], "orderLabels": [],
        "multiplePiecesNo": 0, "enableSplitDeliveryOrder": True, "priorityDelivery": False, "remindShipmentSign": 0,
        "remindShipmentTime": 0, "commentStatus": 0, "carrierType": 1, "shopNewBuyer": False,
        "orderlSellerRoleInfo": {"roleId": 1000001, "roleName": title, "roleType": 1},
        "orderTaxInfo": {"sellerBearAmount": 0, "taxAmount": 0},
    }  # fmt: skip


def _item(oid: int, good: Good, quantity: int, price: int | None = None) -> dict[str, Any]:
    unit = good.cny if price is None else price
    return {
        "orderItemId": oid, "itemId": 21_000_000_000_000 + good.item, "relItemId": 0,
        "skuId": 21_000_000_000_000 + good.item * 10 + 1, "relSkuId": 0, "skuNick": good.sku, "goodsCode": "",
        "skuDesc": good.spec, "itemTitle": good.title, "itemPicUrl": "https://img.example.invalid/item.jpg",
        "itemLinkUrl": f"https://item.example.invalid/{good.item}", "num": quantity, "originalPrice": unit,
        "price": unit, "discountFee": 0, "itemType": 1, "warehouseCode": "",
    }  # fmt: skip


def sub_order(oid: int, good: Good, at: int, price: int = 0) -> dict[str, Any]:
    """Make a gift, or a part that is sent along."""
    return {
        "subOrderBaseInfo": {"oid": oid, "status": WAIT_SHIP, "sendTime": 0, "updateTime": at * 1000, "recvTime": 0},
        "subOrderItemInfo": _item(oid, good, 1, price), "subOrderDeliveryInfo": {"deliveryNum": 0},
        "subOrderLogisticsInfo": [], "subOrderType": 1,
    }  # fmt: skip


def _set_money(body: dict[str, Any], dice: Random, case: str | None) -> None:
    """Put the amounts in: a discount is the merchant's, but for one case in which the platform bears a part."""
    item, base = body["orderItemInfo"], body["orderBaseInfo"]
    goods = item["price"] * item["num"]
    discount = dice.choice([0, 0, 300, 500]) if goods > 2000 else 0
    borne = 100 if case == "platform discount" else 0
    base |= {
        "totalFee": goods - discount, "discountFee": discount + borne, "expressFee": dice.choice([0, 0, 0, 600])
    }  # fmt: skip
    item["discountFee"] = discount + borne


def set_recipient(body: dict[str, Any], person: Person, seed: int, *, revision: int) -> None:
    """Put the recipient in: plain regions, ciphertexts that differ in every order, the id of the address."""
    place, oid = person.place, body["orderBaseInfo"]["oid"]
    cipher = {part: digest(part, seed, oid, revision) + "==" for part in ("Consignee", "Mobile", "Address")}
    body["orderAddress"] = {
        "provinceCode": 0, "province": place.province, "cityCode": 0, "city": place.city, "districtCode": 0,
        "district": place.district, "townCode": 0, "town": place.town, "consignee": None, "mobile": None,
        "address": None, "desensitiseConsignee": person.name[0] + "**",
        "desensitiseMobile": person.mobile[:3] + "****" + person.mobile[-4:], "desensitiseAddress": "****",
        **{f"encrypted{part}": text for part, text in cipher.items()},
    }  # fmt: skip
    body["orderDeliveryInfo"]["openAddressId"] = "addr" + digest(seed, person.key)[:20]
    body["_person"] = [person.name, person.mobile, person.street, place.postcode, place.code, place.iso]
    body["_revision"] = revision


def recipient(body: Mapping[str, Any]) -> Person:
    """Give the plain recipient of an order, as only the platform knows it."""
    name, mobile, street, postcode, code, iso = body["_person"]
    province, city, district, town = (
        body["orderAddress"][n] for n in ("province", "city", "district", "town")
    )
    return Person(name, mobile, Place(province, city, district, town, postcode, code, iso), street)


def add_refund(body: dict[str, Any], status: int, way: int, fee: int) -> None:
    """Let the buyer ask for money back; the list holds the latest request alone."""
    base = body["orderBaseInfo"]
    refund_id = base["oid"] + 50
    body["orderRefundList"] = [
        {"refundId": refund_id, "refundStatus": status, "handlingWay": way, "specialRefundType": 0, "refundReason": "样例"}
    ]  # fmt: skip
    body["_refunds"] = {
        str(refund_id): {
            "refundId": refund_id, "oid": base["oid"], "status": status, "handlingWay": way, "refundFee": fee,
            "endTime": 0,
        }
    }  # fmt: skip


def add_note(body: dict[str, Any], at: float, note: str, flag: str) -> None:
    """Append a note of the seller; none is ever taken away, and the list is in no order."""
    entry = {
        "createTime": int(at * 1000),
        "note": note,
        "flagTagCode": f"{flag}_flag_tag_order",
        "operatorName": "店员甲",
    }
    body["orderNote"]["orderNoteInfo"].insert(0, entry)


def parcel(body: dict[str, Any], company: int, number: str, at: float) -> int:
    """Enter a parcel of the order's own goods, and give its id."""
    delivery = body["orderDeliveryInfo"]
    delivery["packageNum"] += 1
    logistics_id = body["orderBaseInfo"]["oid"] % 10**12 * 10 + delivery["packageNum"]
    body["orderLogisticsInfo"].append(
        {"logisticsId": logistics_id, "expressNo": number, "expressCode": company}
    )
    body["orderBaseInfo"]["sendTime"] = int(at) * 1000
    return int(logistics_id)


def _set_case(body: dict[str, Any], number: int, at: int, case: str | None, dice: Random) -> None:
    """Make the awkward case."""
    base, oid = body["orderBaseInfo"], oid_of(number)
    if case in NOTE_OF:
        base["remark"] = NOTE_OF[case]
    if case in REFUND_OF:
        total = base["totalFee"] + base["expressFee"]
        add_refund(body, *REFUND_OF[case], fee=200 if case == "refunded in part" else total)
        base["refundTime"] = (at + 20) * 1000
    if case in ("gift", "two gifts", "part that costs"):
        body["subOrderInfo"] = [sub_order(oid + 1, GIFT, at, 500 if case == "part that costs" else 0)]
    if case == "two gifts":
        body["subOrderInfo"].append(sub_order(oid + 2, GOODS[2], at))
    if case == "partly shipped":
        parcel(body, 9, f"7300{number:010d}", at + 20)
        body["orderDeliveryInfo"] |= {"deliveryNum": 1, "splitDeliveryOrder": True}
    if case in ("presale", "deposit"):
        base |= {"preSale": 1, "validPromiseShipmentTimeStamp": (at + 15 * 86_400) * 1000}
        base |= {"promiseTimeStampOfDelivery": 0, "activityType": 3, "allActivityType": [3]}
    if case == "deposit":
        total = base["totalFee"] + base["expressFee"]
        body["orderPaymentStepInfos"] = [
            {"payStepNo": 1, "paymentFee": total // 5, "payTime": (at + 12) * 1000},
            {"payStepNo": 2, "paymentFee": total - total // 5, "payTime": 0},
        ]
    if case in ("memo", "flag only") or (case is None and dice.random() < 0.08):
        add_note(body, at + 20, "" if case == "flag only" else dice.choice(people.MEMOS), dice.choice(FLAGS))
    base |= {
        "risk": {"riskCode": 10001, "orderRiskEventInfo": [{"riskType": 1}]},
        "forbidden": {"disableDeliveryReasonCode": [1001]},
        "virtual": {"coType": 2},
        "not divisible": {"enableSplitDeliveryOrder": False},
        "commission": {"cpsType": 2},
    }.get(case or "", {})


def touch(order: Order, changes: Mapping[str, Any], seed: int, now: float) -> None:
    """Change an order as a buyer or seller would. Raises: ValueError for a change nobody can make."""
    body = order.body
    base = body["orderBaseInfo"]
    for what, value in changes.items():
        if what == "refund" and value is False:
            for refund in body["orderRefundList"]:
                refund["refundStatus"] = 70
        elif what == "refund":
            add_refund(body, 10 if value is True else int(value), 10, base["totalFee"] + base["expressFee"])
            base["refundTime"] = int(now * 1000)
        elif what == "status":
            base["status"] = int(value)
            order.status = str(int(value))
        elif what == "address":
            revision = body["_revision"] + 1
            set_recipient(
                body, invent_person(Random(f"{seed}|{order.ref}|{revision}")), seed, revision=revision
            )
        elif what in ("memo", "stir"):
            add_note(body, now, str(value), "grey")
        elif what == "note":
            base["remark"] = str(value)
        else:
            raise ValueError(f"an order has no change {what!r}: refund, status, address, memo, note, stir")
    base["updateTime"] = int(max(now, order.modified)) * 1000
