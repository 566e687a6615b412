"""Makes orders as JD keeps them, and changes them as buyers and sellers do.

The one invariant: the record under `body` has the field names and texts of the classic gateway's detail call; keys that
begin with an underscore are the platform's own knowledge and never leave it as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from orderctl.sandbox import people
from orderctl.sandbox.people import GOODS, Good, Person, invent_person
from orderctl.sandbox.store import Order
from orderctl.sandbox.texts import beijing, digest, fen, yuan

VENDER = 10_000_001
FIRST_REF = 301_000_000_000
TO_SHIP, SHIPPED, DONE = "WAIT_SELLER_STOCK_OUT", "WAIT_GOODS_RECEIVE_CONFIRM", "FINISHED_L"
LOCKED, CANCELLED = "LOCKED", "TRADE_CANCELED"
CASES = (
    "lines", "same as first", "locked", "paused", "cod", "shanghai", "xinjiang", "unmapped", "formula note",
    "emoji note", "gift", "cancelled", "memo", "shipped", "same as first", "dongguan", "wish no yto", "partly shipped",
    "coupons of lines", "balance", "finished", "returned", "cross border", "own warehouse", "control note", "child",
    "xiantao", "voucher",
)  # fmt: skip
STATE_OF = {
    "locked": LOCKED, "paused": "POP_ORDER_PAUSE", "cancelled": CANCELLED, "shipped": SHIPPED, "finished": DONE,
    "returned": "DELIVERY_RETURN", "cross border": "WAIT_SELLER_DELIVERY", "voucher": "WAIT_SEND_CODE",
}  # fmt: skip
REMARK_OF = {
    TO_SHIP: "等待出库", SHIPPED: "等待确认收货", DONE: "完成", LOCKED: "(锁定)等待出库", CANCELLED: "(取消)等待出库",
    "POP_ORDER_PAUSE": "暂停", "DELIVERY_RETURN": "配送退货", "WAIT_SELLER_DELIVERY": "等待发货",
    "WAIT_SEND_CODE": "等待发码", "PAUSE": "暂停", "NOT_PAY": "等待付款",
}  # fmt: skip
STATES = frozenset(REMARK_OF)
PLACE_OF = {
    "shanghai": people.SHANGHAI, "xinjiang": people.XINJIANG, "dongguan": people.DONGGUAN, "xiantao": people.XIANTAO,
}  # fmt: skip
NOTE_OF = {
    "formula note": people.NASTY_NOTE, "emoji note": people.EMOJI_NOTE, "control note": people.HARMLESS_CONTROL_NOTE,
    "shanghai": "要顺丰，急用", "wish no yto": "不要发圆通！！上次丢件了",
}  # fmt: skip
SHORT = {
    "新疆维吾尔自治区": "新疆", "广西壮族自治区": "广西", "西藏自治区": "西藏", "内蒙古自治区": "内蒙古",
    "宁夏回族自治区": "宁夏",
}  # fmt: skip
CITIES = ("北京", "上海", "天津", "重庆")


def make(
    shop: str, seed: int, number: int, dice: Random, *, at: int, case: str | None, person: Person | None
) -> Order:
    """Make one order; see the module for what `body` holds."""
    if person is None:
        source = Random(f"{seed}|{shop}|first") if case in ("lines", "same as first") else dice
        person = invent_person(source, PLACE_OF.get(case or ""))
    ref = str(FIRST_REF + number * 7_919)
    state = STATE_OF.get(case or "") or ordinary_state(dice, case)
    items = make_items(ref, dice, case)
    body: dict[str, Any] = {
        "orderId": ref, "venderId": str(VENDER), "orderType": "22", "payType": "1-货到付款" if case == "cod" else "4-在线支付",
        "orderState": state, "orderStateRemark": REMARK_OF[state], "orderStartTime": beijing(at),
        "paymentConfirmTime": "0001-01-01 00:00:00" if case == "cod" else beijing(at + 28), "modified": beijing(at + 30),
        "orderEndTime": beijing(at + 200) if state == DONE else "", "deliveryType": dice.choice(["任意时间", "任意时间", "工作日"]),
        "invoiceInfo": "不需要开具发票", "invoiceEasyInfo": {"invoiceType": "3", "invoiceTitle": "个人", "invoiceContentId": "1"},
        "returnOrder": "0", "pin": "", "open_id_buyer": "o" + digest(seed, person.key)[:20],
        "xid_buyer": "o*AA" + digest("xid", seed, person.key)[:24],
        "parentOrderId": str(int(ref) - 1) if case == "child" else "0",
        "directParentOrderId": str(int(ref) - 1) if case == "child" else "0", "orderSource": "移动端订单",
        "storeOrder": "京仓订单" if case == "own warehouse" else "", "storeId": "0", "idSopShipmenttype": 68,
        "logisticsId": "", "waybill": "", "outBoundDate": "", "scDT": beijing(at + 2 * 86_400),
        "partialLogisticsInfoModel": [], "itemInfoList": items,
    }  # fmt: skip
    body |= make_money(ref, items, dice, case)
    body |= make_recipient(person, ref, seed, revision=1)
    body |= make_remarks(dice, case)
    body |= {
        "_placed": at,
        "_paid": None if case == "cod" else at + 28,
        "_left": {},
        "_parts": [],
        "_afs": {},
    }
    changed = at + 30
    if state in (SHIPPED, DONE, "DELIVERY_RETURN") or case == "partly shipped":
        changed = at + 200
        already_left(body, f"7310{number:010d}", changed, partly=case == "partly shipped")
    return Order("jd", shop, ref, int(ref), at, changed, body, status=state)


def ordinary_state(dice: Random, case: str | None) -> str:
    """Give the state of an order that is no special case: mostly paid and waiting."""
    if case is not None or dice.random() < 0.87:
        return TO_SHIP
    return dice.choice([SHIPPED, DONE, CANCELLED])


def make_items(ref: str, dice: Random, case: str | None) -> list[dict[str, Any]]:
    """Make the lines of an order; two may have one SKU."""
    count = {"lines": 3, "partly shipped": 2, "gift": 1, "unmapped": 2, "coupons of lines": 2}
    goods = dice.sample(GOODS, count.get(case or "", dice.choice([1, 1, 1, 2, 2, 3])))
    if case == "unmapped":
        goods[-1] = people.UNKNOWN
    items = [make_item(ref, k, good, dice.choice([1, 1, 1, 2, 3])) for k, good in enumerate(goods)]
    if case == "partly shipped":
        items[0]["itemTotal"] = "2"
    if case == "gift":
        gift = make_item(ref, len(items), goods[0], 1)
        items.append(gift | {"jdPrice": "0.00", "_gift_of": items[0]["_uuid"], "_line": f"{gift['skuId']}-2"})
    return items


def make_item(ref: str, index: int, good: Good, quantity: int) -> dict[str, Any]:
    """Make one line; the specification stands inside the name."""
    spec = " ".join(part.partition(":")[2] for part in good.spec.split(";"))
    return {
        "skuId": str(100_000_000_000 + good.item), "wareId": str(1_000_000_000 + good.item), "outerSkuId": good.sku,
        "skuName": f"{good.title} {spec}", "jdPrice": yuan(good.cny), "itemTotal": str(quantity), "giftPoint": "0",
        "productNo": good.sku.split("-")[0], "newStoreId": "0", "invoiceContentId": "1", "serviceName": "",
        "_uuid": digest("uuid", ref, index)[:16], "_spec": spec, "_line": str(100_000_000_000 + good.item),
    }  # fmt: skip


def make_money(ref: str, items: list[dict[str, Any]], dice: Random, case: str | None) -> dict[str, Any]:
    """Give the amounts of an order and the discounts one by one; the sums are exact."""
    goods = sum(fen(item["jdPrice"]) * int(item["itemTotal"]) for item in items)
    seller = dice.choice([0, 0, 500, 1000]) if goods > 4000 else 0
    platform = dice.choice([0, 0, 0, 300]) if goods > 4000 else 0
    freight = dice.choice([0, 0, 600, 800])
    coupons = []
    if case == "coupons of lines":
        seller, platform = 800, 200
        coupons = [(items[0]["skuId"], "30-单品促销优惠", 800), (items[1]["skuId"], "41-京东券优惠", 200)]
    else:
        coupons += [("", "100-店铺优惠", seller)] if seller else []
        coupons += [("", "41-京东券优惠", platform)] if platform else []
    pays = goods - seller - platform + freight
    balance = 500 if case == "balance" else 0
    return {
        "orderTotalPrice": yuan(goods), "orderSellerPrice": yuan(goods - seller), "sellerDiscount": yuan(seller),
        "freightPrice": yuan(freight), "orderPayment": yuan(pays - balance), "balanceUsed": yuan(balance),
        "couponDetailList": [
            {"orderId": ref, "skuId": sku, "couponType": kind, "couponPrice": yuan(price)} for sku, kind, price in coupons
        ],
    }  # fmt: skip


def make_recipient(person: Person, ref: str, seed: int, *, revision: int) -> dict[str, Any]:
    """Give the masked recipient, its OAID (another text in every order), and what the platform keeps to itself."""
    place = person.place
    province = SHORT.get(place.province, place.province.removesuffix("省"))
    levels = [province, place.city, place.district, place.town]
    if province in CITIES or not place.city:  # the district stands in the city's place
        levels = [province, place.district, place.town, ""]
    elif not place.district:
        levels = [province, place.city, place.town, ""]
    masked = person.mobile[:3] + "****" + person.mobile[-4:]
    return {
        "consigneeInfo": {
            "fullname": person.name[0] + "**", "mobile": masked, "telephone": masked, "province": levels[0],
            "provinceId": "15", "city": levels[1], "cityId": "1213", "county": levels[2], "countyId": "3039",
            "town": levels[3], "townId": "50001", "fullAddress": "".join(levels) + "***",
            "oaid": "oaid" + digest("oaid", seed, ref, revision)[:40],
        },
        "_person": [person.name, person.mobile, person.street],
        "_place": [place.province, place.city, place.district, place.town, place.postcode, place.code, place.iso],
        "_group": digest(person.key), "_revision": revision,
    }  # fmt: skip


def recipient(body: Mapping[str, Any]) -> Person:
    """Give the plain recipient of an order, as only the platform knows it."""
    name, mobile, street = body["_person"]
    return Person(name, mobile, people.Place(*body["_place"]), street)


def make_remarks(dice: Random, case: str | None) -> dict[str, Any]:
    """Give the buyer's note and the seller's remark with its flag."""
    note = NOTE_OF.get(case or "")
    if note is None:
        note = dice.choice(people.NOTES + people.WISHES) if case is None and dice.random() < 0.25 else ""
    memo = dice.choice(people.MEMOS) if case == "memo" or (case is None and dice.random() < 0.08) else ""
    return {"orderRemark": note, "venderRemark": memo, "_flag": dice.randint(1, 5) if memo else 0}


def already_left(body: dict[str, Any], number: str, at: int, *, partly: bool) -> None:
    """Write a shipment by another program into a new order: of all, or of one piece of the first line."""
    items = body["itemInfoList"]
    if partly:
        first = items[0]
        leave(body, [(first, 1)], "1499", number, at)
        return
    body |= {"logisticsId": "1499", "waybill": number, "outBoundDate": beijing(at), "modified": beijing(at)}
    body["_left"] = {item["_uuid"]: int(item["itemTotal"]) for item in items}


def leave(
    body: dict[str, Any], goods: list[tuple[dict[str, Any], int]], courier: str, number: str, at: float
) -> None:
    """Write a part of an order that left, and what follows for the order's state."""
    shipment = len(body["_parts"]) + 1
    body["_parts"].append(
        {
            "shipmentId": shipment, "logisticsId": courier, "waybillCode": number, "shipmentTime": int(at) * 1000,
            "skuList": [{"skuId": int(i["skuId"]), "skuUuid": i["_uuid"], "num": n} for i, n in goods],
        }
    )  # fmt: skip
    for item, pieces in goods:
        body["_left"][item["_uuid"]] = body["_left"].get(item["_uuid"], 0) + pieces
    tell_parts(body)
    if all(body["_left"].get(i["_uuid"], 0) >= int(i["itemTotal"]) for i in body["itemInfoList"]):
        numbers = [part["waybillCode"] for part in body["_parts"]]
        set_state(body, SHIPPED)
        body |= {"logisticsId": courier, "waybill": ",".join(numbers), "outBoundDate": beijing(at)}
    body["modified"] = beijing(at)


def tell_parts(body: dict[str, Any]) -> None:
    """Write the parts that left as the classic gateway shows them."""
    body["partialLogisticsInfoModel"] = [
        {
            "shipmentId": str(part["shipmentId"]), "logicId": part["logisticsId"], "waybillId": part["waybillCode"],
            "shipmentTime": part["shipmentTime"],
        }
        for part in body["_parts"]
    ]  # fmt: skip


def set_state(body: dict[str, Any], state: str) -> None:
    """Set the state and its Chinese words."""
    body |= {"orderState": state, "orderStateRemark": REMARK_OF[state]}


def touch(order: Order, changes: Mapping[str, Any], seed: int, now: float) -> None:
    """Change an order as a buyer or seller would. Raises: ValueError for a change nobody can make."""
    body = order.body
    for what, value in changes.items():
        if what == "refund":
            ask_back(body, value)
        elif what == "status":
            if value not in STATES:
                raise ValueError(f"there is no state {value!r}")
            set_state(body, str(value))
        elif what == "address":
            person = invent_person(Random(f"{seed}|{order.ref}|{body['_revision']}"))
            body |= make_recipient(person, order.ref, seed, revision=body["_revision"] + 1)
        elif what in ("memo", "stir"):
            body["venderRemark"] = str(value)
        elif what == "note":
            body["orderRemark"] = str(value)
        else:
            raise ValueError(f"an order has no change {what!r}: refund, status, address, memo, note, stir")
    order.status = body["orderState"]
    body["modified"] = beijing(max(now, order.modified))


def ask_back(body: dict[str, Any], value: Any) -> None:
    """Ask for a refund, withdraw it, or name the state it is in. Raises: ValueError where nothing can be asked."""
    state = body["orderState"]
    if value and value is not True:
        if value not in STATES:
            raise ValueError(f"there is no state {value!r}")
        set_state(body, str(value))
    elif value:
        if state in (TO_SHIP, "WAIT_SELLER_DELIVERY", "POP_ORDER_PAUSE"):
            body["_before"] = state
            set_state(body, LOCKED)
        elif state in (SHIPPED, DONE):
            body["_afs"][body["itemInfoList"][0]["_uuid"]] = "待审核"
        else:
            raise ValueError(f"in the state {state} nothing can be asked back")
    else:
        if state == LOCKED:
            set_state(body, body.pop("_before", TO_SHIP))
        body["_afs"] = dict.fromkeys(body["_afs"], "已取消")
