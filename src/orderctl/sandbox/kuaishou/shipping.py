"""The shipping methods of the Kuaishou stand-in, and the seller's notes.

The one invariant: no piece is shipped twice; whatever asks for it again is refused the platform's way and booked as
refused, but for the whole order with the same number, which the platform takes as said before.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

from orderctl.sandbox.kuaishou.calls import Call, Method, whole
from orderctl.sandbox.kuaishou.envelopes import DELIVERY_RULE, NOT_OURS, KsError, invalid
from orderctl.sandbox.kuaishou.lists import cursor_list, detail, refund_detail
from orderctl.sandbox.kuaishou.orders import FLAGS, OPEN_REFUNDS, SHIPPED, SIGNED, WAIT_SHIP, add_note, parcel
from orderctl.sandbox.store import Order

COMPANIES = {
    4: r"(SF\d{13}|\d{12})", 9: r"(7\d{13}|7\d{11})", 6: r"(YT\d{13}|\d{18})", 3: r"(77|88)\d{13}",
    11: r"(31|43|46)\d{13}", 109: r"JT\d{13}", 2: r"(\d{13}|E[A-Z]\d{9}CN)", 14: r"JD[A-Z0-9-]{11,18}",
    53: r"DPK\d{12,13}", 17: r"\d{10,12}", 8: r"9[89]\d{11}", 9999: r"[A-Za-z0-9-]{5,40}", 7: r"\d{12,15}",
    12: r"\d{12,15}", 97: r"\d{13}", 113: r"CN\d{13}", 136: r"JD[A-Z0-9-]{11,18}", 137: r"JD[A-Z0-9-]{11,18}",
    139: r"9\d{12}",
}  # fmt: skip
"""What the number of each courier looks like."""
REJECTED = "order operation reject"
NOTE_LENGTH = 200


def refuse(call: Call, order: Order | None, code: int, said: str) -> NoReturn:
    """Book the attempt as refused and say no."""
    book_refused(call, order.ref if order else None, code)
    raise KsError(code, said, booked=True)


def book_refused(call: Call, ref: str | None, code: int) -> None:
    """Enter into the books that something was asked for in vain; without `ref` for the order that was named."""
    named = (call.param.get(name) for name in ("orderId", "oid", "mainOrderId"))
    subject = ref or next((str(one) for one in named if isinstance(one, int | str)), "")
    number = call.param.get("expressNo")
    told = {"method": call.method, "code": code}
    shown = number if isinstance(number, str) else None
    call.store.book(call.now, "kuaishou", call.shop, "refused", subject, shown, told, dict(call.param))


def check_state(call: Call, order: Order) -> None:
    """Let pass an order that may leave. Raises: KsError."""
    base = order.body["orderBaseInfo"]
    if base["status"] != WAIT_SHIP or any(_is_open(refund) for refund in order.body["orderRefundList"]):
        refuse(call, order, NOT_OURS, REJECTED)
    if base["riskCode"] or base["orderRiskEventInfo"] or base["disableDeliveryReasonCode"]:
        refuse(call, order, DELIVERY_RULE, "订单命中风控规则，暂不允许发货")
    if base["coType"]:
        refuse(call, order, DELIVERY_RULE, "虚拟订单不支持物流发货")


def _is_open(refund: dict[str, Any]) -> bool:
    return refund["refundStatus"] in OPEN_REFUNDS and refund["handlingWay"] in (1, 10)


def check_number(call: Call, order: Order, company: object, number: object) -> tuple[int, str]:
    """Give company and number if they fit each other and the number belongs to this address. Raises: KsError."""
    code = whole(company, "expressCode")
    if not isinstance(number, str) or not number.strip():
        raise invalid("expressNo")
    if code not in COMPANIES:
        refuse(call, order, DELIVERY_RULE, "发货失败，快递公司不存在")
    if not re.fullmatch(COMPANIES[code], number, re.ASCII):
        refuse(call, order, DELIVERY_RULE, "发货失败，运单号和物流公司不匹配")
    address = order.body["orderDeliveryInfo"]["openAddressId"]
    if call.store.bearer(call.shop, number) not in (None, address):
        refuse(call, order, DELIVERY_RULE, "发货失败，同一个运单号对应收件地址超过1个")
    return code, number


def numbers(order: Order) -> list[str]:
    """Give the numbers of the order's own parcels."""
    return [one["expressNo"] for one in order.body["orderLogisticsInfo"]]


def goods_deliver(call: Call) -> dict[str, Any]:
    """open.seller.order.goods.deliver: the whole article, without gifts."""
    call.known("orderId expressNo expressCode returnAddressId serialNumberList imeiList qualityParam")
    oid = call.number("orderId")
    with call.store.transaction(keep=KsError):
        order = call.order(oid)
        base, item = order.body["orderBaseInfo"], order.body["orderItemInfo"]
        if base["status"] in (SHIPPED, SIGNED) and call.param.get("expressNo") in numbers(order):
            write(call, order, "repeated", call.text("expressNo"), [])
            return {}
        check_state(call, order)
        delivery = order.body["orderDeliveryInfo"]
        if delivery["deliveryNum"]:
            refuse(call, order, NOT_OURS, REJECTED)
        company, number = check_number(
            call, order, call.param.get("expressCode"), call.param.get("expressNo")
        )
        delivery["deliveryNum"] = item["num"]
        units = [unit(int(order.ref), item, item["num"])]
        fill(order, parcel(order.body, company, number, call.now), units)
        base["status"] = SHIPPED
        write(call, order, "ship", number, units, company=company)
    return {}


def split_deliver(call: Call) -> dict[str, Any]:
    """open.order.goods.split.deliver: parcels with parts of the quantity, gifts among them."""
    call.known("mainOrderId deliveryItemInfoList deliveryStatus")
    oid = call.number("mainOrderId")
    with call.store.transaction(keep=KsError):
        order = call.order(oid)
        if order.ref != str(oid):
            raise invalid("mainOrderId")
        parcels, told = read_split(call)
        if any(one == oid for _, _, goods in parcels for one, _ in goods):
            check_state(call, order)
        elif any(_is_open(refund) for refund in order.body["orderRefundList"]):
            refuse(call, order, NOT_OURS, REJECTED)
        if not order.body["orderBaseInfo"]["enableSplitDeliveryOrder"]:
            refuse(call, order, DELIVERY_RULE, "该订单不支持拆分发货")
        done = []
        for company, number, goods in parcels:
            code, checked = check_number(call, order, company, number)
            units = [take(call, order, one, quantity) for one, quantity in goods]
            enter(order, code, checked, units, call.now)
            done.append((code, checked, units))
        settle(order, told, call.now)
        for code, checked, units in done:  # nothing is written before everything is in order
            write(call, order, "ship", checked, units, company=code)
    return {}


def read_split(call: Call) -> tuple[list[tuple[object, object, list[tuple[int, int]]]], dict[int, int]]:
    """Read what goes in which parcel, and what is said of each article afterwards. Raises: KsError."""
    try:
        parcels = [
            (
                one["expressCode"],
                one["expressNo"],
                [
                    (whole(goods["oid"], "oid"), whole(goods["deliveryNum"], "deliveryNum"))
                    for goods in one["deliveryGoodsInfoList"]
                ],
            )
            for one in call.param["deliveryItemInfoList"]
        ]
        told = {
            whole(one["oid"], "oid"): whole(
                one["confirmDeliveryStatus"], "confirmDeliveryStatus", low=0, high=1
            )
            for one in call.param["deliveryStatus"]
        }
    except (KeyError, TypeError, AttributeError):
        raise invalid("deliveryItemInfoList") from None
    named = {oid for _, _, goods in parcels for oid, _ in goods}
    if not parcels or not all(goods for _, _, goods in parcels) or named != set(told):
        raise invalid("deliveryStatus")
    return parcels, told


def sub_of(order: Order, oid: int) -> dict[str, Any] | None:
    """Give the gift with this number; None if it is none of the order's."""
    found = [sub for sub in order.body["subOrderInfo"] if sub["subOrderBaseInfo"]["oid"] == oid]
    return found[0] if found else None


def take(call: Call, order: Order, oid: int, quantity: int) -> dict[str, Any]:
    """Take so many pieces off what is left of an article or a gift. Raises: KsError if there are not so many."""
    sub = sub_of(order, oid)
    if sub is None and order.ref != str(oid):
        refuse(call, order, NOT_OURS, REJECTED)
    item = sub["subOrderItemInfo"] if sub else order.body["orderItemInfo"]
    delivery = sub["subOrderDeliveryInfo"] if sub else order.body["orderDeliveryInfo"]
    if delivery["deliveryNum"] + quantity > item["num"]:
        refuse(call, order, NOT_OURS, REJECTED)
    delivery["deliveryNum"] += quantity
    return unit(oid, item, quantity)


def enter(order: Order, company: int, number: str, units: list[dict[str, Any]], at: float) -> None:
    """Enter a parcel where its goods belong: at the order, or at a gift that travels alone or along."""
    for one in units:
        oid = int(one["line"])
        sub = sub_of(order, oid)
        if sub is None:
            logistics_id = parcel(order.body, company, number, at)
        else:
            logistics = sub["subOrderLogisticsInfo"]
            logistics_id = oid % 10**12 * 10 + len(logistics)
            logistics.append({"logisticsId": logistics_id, "expressNo": number, "expressCode": company})
            sub["subOrderBaseInfo"]["sendTime"] = int(at) * 1000
        fill(order, logistics_id, [one])


def fill(order: Order, logistics_id: int, units: list[dict[str, Any]]) -> None:
    """Remember what is in a parcel, which the platform shows to nobody."""
    order.body.setdefault("_contents", {})[str(logistics_id)] = units


def contents(order: Order, oid: int, logistics_id: int) -> list[dict[str, Any]]:
    """Give what is in a parcel; of parcels from before, all that left of the article."""
    known: list[dict[str, Any]] | None = order.body.get("_contents", {}).get(str(logistics_id))
    sub = sub_of(order, oid)
    item = sub["subOrderItemInfo"] if sub else order.body["orderItemInfo"]
    delivery = sub["subOrderDeliveryInfo"] if sub else order.body["orderDeliveryInfo"]
    return known or [unit(oid, item, delivery["deliveryNum"])]


def settle(order: Order, told: dict[int, int], at: float) -> None:
    """Let articles of which nothing is left count as shipped. Raises: KsError if something else was said of them."""
    order.body["orderDeliveryInfo"]["splitDeliveryOrder"] = True
    for oid, done in told.items():
        sub = sub_of(order, oid)
        item = sub["subOrderItemInfo"] if sub else order.body["orderItemInfo"]
        delivery = sub["subOrderDeliveryInfo"] if sub else order.body["orderDeliveryInfo"]
        base = sub["subOrderBaseInfo"] if sub else order.body["orderBaseInfo"]
        if (delivery["deliveryNum"] == item["num"]) != bool(done):
            raise invalid("confirmDeliveryStatus")
        if done:
            base["status"] = SHIPPED
        base["updateTime"] = int(at) * 1000


def logistics_append(call: Call) -> dict[str, Any]:
    """open.seller.order.goods.logistics.append: one more parcel of what was shipped."""
    call.known("oid expressCode expressNo")
    with call.store.transaction(keep=KsError):
        order = call.order(call.number("oid"))
        known = numbers(order)
        if call.param.get("expressNo") in known:
            write(call, order, "repeated", call.text("expressNo"), [])
            return {}
        if not known:
            refuse(call, order, NOT_OURS, REJECTED)
        if len(known) >= order.body["orderDeliveryInfo"]["maxPackageNum"]:
            refuse(call, order, DELIVERY_RULE, "包裹数量超过上限")
        company, number = check_number(
            call, order, call.param.get("expressCode"), call.param.get("expressNo")
        )
        units = [
            unit(int(order.ref), order.body["orderItemInfo"], 0)
        ]  # all of it left with the parcels before
        fill(order, parcel(order.body, company, number, call.now), units)
        write(call, order, "ship", number, units, company=company, appended=True)
    return {}


def logistics_update(call: Call) -> dict[str, Any]:
    """open.seller.order.logistics.update: another number for a parcel that was told."""
    call.known("orderId expressCode expressNo logisticsId")
    oid = call.number("orderId")
    with call.store.transaction(keep=KsError):
        order = call.order(oid)
        sub = sub_of(order, oid)
        parcels = sub["subOrderLogisticsInfo"] if sub else order.body["orderLogisticsInfo"]
        wanted = call.param.get("logisticsId")
        if not parcels:
            refuse(call, order, NOT_OURS, REJECTED)
        if wanted is None and len(parcels) > 1:
            raise invalid("logisticsId")
        found = [one for one in parcels if wanted is None or one["logisticsId"] == wanted]
        if not found:
            raise invalid("logisticsId")
        company, number = check_number(
            call, order, call.param.get("expressCode"), call.param.get("expressNo")
        )
        before = found[0]["expressNo"]
        found[0] |= {"expressNo": number, "expressCode": company}
        kind = "repeated" if before == number else "amend"
        units = contents(order, oid, found[0]["logisticsId"])
        write(call, order, kind, number, units, company=company, before=before)
    return {}


def note_add(call: Call) -> dict[str, Any]:
    """open.seller.order.note.add: one more note; none is ever taken away."""
    call.known("orderId note flag")
    flag = call.number("flag", low=0, high=len(FLAGS)) if "flag" in call.param else 0
    note = call.param.get("note", "")
    if not isinstance(note, str) or len(note) > NOTE_LENGTH:
        raise invalid("note")
    with call.store.transaction(keep=KsError):
        order = call.order(call.number("orderId"))
        add_note(order.body, call.now, note, ("grey", *FLAGS)[flag])
        write(call, order, "memo", None, [], memo=note, flag=flag)
    return {}


def unit(oid: int, item: dict[str, Any], quantity: int) -> dict[str, Any]:
    """Give so many pieces of an article as the books name them."""
    return {"line": str(oid), "quantity": quantity, "sku": item["skuNick"]}


def write(
    call: Call, order: Order, kind: str, number: str | None, units: list[dict[str, Any]], **detail: Any
) -> None:  # fmt: skip
    """Save the changed order and enter the effect into the books."""
    base = order.body["orderBaseInfo"]
    if kind != "repeated":
        base["updateTime"] = int(max(call.now, order.modified)) * 1000
        order.status = str(base["status"])
        if number:
            call.store.take_number(call.shop, number, order.body["orderDeliveryInfo"]["openAddressId"])
        call.store.save(order, call.now)
    told = {"lines": units, **detail}
    call.store.book(call.now, "kuaishou", call.shop, kind, order.ref, number, told, dict(call.param))


METHODS = {
    "open.order.cursor.list": Method(cursor_list),
    "open.order.detail": Method(detail),
    "open.seller.order.refund.detail": Method(refund_detail),
    "open.seller.order.goods.deliver": Method(goods_deliver, "POST"),
    "open.order.goods.split.deliver": Method(split_deliver, "POST"),
    "open.seller.order.goods.logistics.append": Method(logistics_append, "POST"),
    "open.seller.order.logistics.update": Method(logistics_update, "POST"),
    "open.seller.order.note.add": Method(note_add, "POST"),
}
