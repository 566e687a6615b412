"""Shipping at the JD stand-in, behind both gateways.

The one invariant: a piece leaves at most once; whatever asks for it again is refused in words and booked as refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from orderctl.sandbox.jd.orders import CANCELLED, DONE, LOCKED, SHIPPED, TO_SHIP, leave, set_state, tell_parts
from orderctl.sandbox.jd.refusals import Refusal
from orderctl.sandbox.store import Order, Store
from orderctl.sandbox.texts import beijing

COURIERS = {
    "467": ("SF", "顺丰速运", r"(SF\d{13}|\d{12})"),
    "1499": ("ZTO", "中通快递", r"(73|75|76|78)\d{12}"),
    "463": ("YTO", "圆通速递", r"(YT\d{13}|\d{18})"),
    "470": ("STO", "申通快递", r"(77|88)\d{13}"),
    "1327": ("YUNDA", "韵达快递", r"(31|43|46)\d{13}"),
    "465": ("EMS", "EMS", r"(\d{13}|E[A-Z]\d{9}CN)"),
    "2170": ("POST", "邮政快递包裹", r"(98|99)\d{11}"),
    "3046": ("DBKD", "德邦快递", r"DPK\d{12,13}"),
    "2087": ("JD", "京东快递", r"JD[A-Z0-9-]{11,18}"),
    "773574": ("JTSD", "极兔速递", r"JT\d{13}"),
    "1274": ("SELF", "厂家自送", r".{1,50}"),
}
OWN_DELIVERY = "1274"
"""Its numbers are not kept."""


@dataclass(frozen=True)
class Parcel:
    """One parcel of a dispatch; `goods` (line uuid to pieces) where they are named, `shipment` where one is corrected."""

    courier: str
    number: str
    goods: Mapping[str, int] = field(default_factory=dict)
    shipment: str = ""


@dataclass(frozen=True)
class Asked:
    """Who asks for what, for the books; `now` is epoch seconds."""

    store: Store
    now: float
    shop: str
    ref: str
    request: Any

    def refuse(self, words: str, number: str | None) -> NoReturn:
        """Book the attempt as refused and say no."""
        self.store.book(
            self.now, "jd", self.shop, "refused", self.ref, number, {"words": words}, self.request
        )
        raise Refusal(words)

    def book(self, kind: str, order: Order, parcels: Sequence[Parcel], detail: dict[str, Any]) -> None:
        """Save the changed order and enter the effect into the books."""
        order.status = order.body["orderState"]
        order.body["modified"] = beijing(max(self.now, order.modified))
        self.store.save(order, self.now)
        for parcel in parcels:
            if parcel.courier != OWN_DELIVERY:
                self.store.take_number(self.shop, parcel.number, order.body["_group"])
        numbers = [parcel.number for parcel in parcels]
        told = {"company": parcels[0].courier, "numbers": numbers, **detail}
        self.store.book(self.now, "jd", self.shop, kind, order.ref, numbers[0], told, self.request)


def find(asked: Asked, number: str) -> Order:
    """Give the order. Raises: Refusal if there is none."""
    order = asked.store.find("jd", asked.shop, asked.ref)
    if order is None:
        asked.refuse("订单不存在", number)
    return order


def check_parcels(asked: Asked, order: Order, parcels: Sequence[Parcel]) -> None:
    """Refuse couriers nobody enabled and numbers that are none or belong to somebody else."""
    for parcel in parcels:
        if parcel.courier not in COURIERS:
            asked.refuse("物流公司不存在或未启用", parcel.number)
        if not re.fullmatch(COURIERS[parcel.courier][2], parcel.number, re.ASCII):
            asked.refuse("运单号不符合规则", parcel.number)
        if asked.store.bearer(asked.shop, parcel.number) not in (None, order.body["_group"]):
            asked.refuse("运单号已被其他订单使用", parcel.number)
    if len({parcel.number for parcel in parcels}) != len(parcels):
        asked.refuse("运单号重复", parcels[0].number)


def check_open(asked: Asked, order: Order, number: str) -> None:
    """Refuse an order that is in no state to leave."""
    state = order.body["orderState"]
    if state in (SHIPPED, DONE):
        asked.refuse("订单状态不正确，订单已出库", number)
    words = {
        LOCKED: "订单已锁定，不能出库",
        CANCELLED: "订单已取消",
        "POP_ORDER_PAUSE": "订单已暂停",
        "PAUSE": "订单已暂停",
    }
    if state in words:
        asked.refuse(words[state], number)
    if state not in (TO_SHIP, "WAIT_SELLER_DELIVERY"):
        asked.refuse("订单状态不正确", number)
    if order.body["storeOrder"]:
        asked.refuse("京仓订单不能由商家出库", number)


def ship(asked: Asked, parcels: Sequence[Parcel]) -> None:
    """Let an order leave: as a whole where no goods are named, else the goods named."""
    with asked.store.transaction(keep=Refusal):
        order = find(asked, parcels[0].number)
        check_open(asked, order, parcels[0].number)
        check_parcels(asked, order, parcels)
        named = [parcel for parcel in parcels if parcel.goods]
        if named or order.body["_parts"]:
            _ship_goods(asked, order, parcels, named)
        else:
            _ship_whole(asked, order, parcels)


def _ship_whole(asked: Asked, order: Order, parcels: Sequence[Parcel]) -> None:
    body = order.body
    set_state(body, SHIPPED)
    groups: dict[str, list[str]] = {}
    for parcel in parcels:
        groups.setdefault(parcel.courier, []).append(parcel.number)
    waybill = "|".join(",".join(numbers) for numbers in groups.values())
    body |= {
        "logisticsId": "|".join(groups),
        "waybill": "" if OWN_DELIVERY in groups else waybill,
        "outBoundDate": beijing(asked.now),
    }
    body["_left"] = {item["_uuid"]: int(item["itemTotal"]) for item in body["itemInfoList"]}
    asked.book("ship", order, parcels, {"lines": units(order, body["_left"])})


def _ship_goods(asked: Asked, order: Order, parcels: Sequence[Parcel], named: Sequence[Parcel]) -> None:
    body, number = order.body, parcels[0].number
    if len(named) != len(parcels):
        asked.refuse("订单状态不正确，已部分出库，拆单出库必须指定商品", number)
    items = {item["_uuid"]: item for item in body["itemInfoList"]}
    for parcel in parcels:
        for uuid, pieces in parcel.goods.items():
            if uuid not in items:
                asked.refuse("商品不属于该订单", number)
            if body["_left"].get(uuid, 0) + pieces > int(items[uuid]["itemTotal"]) or pieces < 1:
                asked.refuse("订单状态不正确，商品已出库", number)
        goods = [(items[uuid], pieces) for uuid, pieces in parcel.goods.items()]
        leave(body, goods, parcel.courier, parcel.number, asked.now)
    total: dict[str, int] = {}
    for parcel in parcels:
        for uuid, pieces in parcel.goods.items():
            total[uuid] = total.get(uuid, 0) + pieces
    asked.book("ship", order, parcels, {"lines": units(order, total)})


def amend(asked: Asked, parcels: Sequence[Parcel]) -> None:
    """Tell other numbers: of the parts named, or all of an order that left as a whole."""
    with asked.store.transaction(keep=Refusal):
        order = find(asked, parcels[0].number)
        body = order.body
        before = numbers_of(body)
        if not before:
            asked.refuse("订单状态不正确，订单尚未出库", parcels[0].number)
        check_parcels(asked, order, parcels)
        if any(parcel.shipment for parcel in parcels):
            _amend_parts(asked, order, parcels)
        elif body["_parts"]:
            asked.refuse("拆单出库的订单必须指定shipmentId", parcels[0].number)
        else:
            groups: dict[str, list[str]] = {}
            for parcel in parcels:
                groups.setdefault(parcel.courier, []).append(parcel.number)
            body |= {
                "logisticsId": "|".join(groups),
                "waybill": "|".join(",".join(g) for g in groups.values()),
            }
        if numbers_of(body) == before:
            asked.refuse("运单号没有变化", parcels[0].number)
        fresh = [parcel for parcel in parcels if parcel.number not in before] or list(parcels)
        asked.book(
            "amend",
            order,
            fresh,
            {"before": before, "now": numbers_of(body), "lines": units(order, body["_left"])},
        )


def _amend_parts(asked: Asked, order: Order, parcels: Sequence[Parcel]) -> None:
    parts = {str(part["shipmentId"]): part for part in order.body["_parts"]}
    for parcel in parcels:
        part = parts.get(parcel.shipment)
        if part is None:
            asked.refuse("shipmentId不存在", parcel.number)
        part |= {"logisticsId": parcel.courier, "waybillCode": parcel.number}
    tell_parts(order.body)
    if order.body["waybill"]:
        order.body["waybill"] = ",".join(part["waybillCode"] for part in order.body["_parts"])


def numbers_of(body: Mapping[str, Any]) -> list[str]:
    """Give the numbers of an order."""
    told = [body["waybill"].replace("|", ","), *(part["waybillCode"] for part in body["_parts"])]
    return list(dict.fromkeys(number for text in told for number in text.split(",") if number))


def units(order: Order, pieces: Mapping[str, int]) -> list[dict[str, Any]]:
    """Give what left, for the books."""
    items = {item["_uuid"]: item for item in order.body["itemInfoList"]}
    return [
        {"line": items[uuid]["_line"], "quantity": count, "sku": items[uuid]["outerSkuId"]}
        for uuid, count in pieces.items()
        if count
    ]
