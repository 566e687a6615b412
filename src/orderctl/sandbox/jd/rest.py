"""The SP-API of the JD stand-in: one address each, JSON there and back, the parts of an order by `scopeSet`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orderctl.sandbox.answer import Request
from orderctl.sandbox.jd.jos import BACK, PAGES_MAX, SIZE_MAX, SPAN
from orderctl.sandbox.jd.orders import CANCELLED, STATES, VENDER
from orderctl.sandbox.jd.refusals import Refusal
from orderctl.sandbox.jd.shipping import COURIERS, Asked, Parcel, amend, ship
from orderctl.sandbox.store import Order, Store
from orderctl.sandbox.texts import beijing, fen

BASE = "/jd/rest/sp-order/v0"
NO_TIME = -62_135_798_400_000


class RestError(Exception):
    """A refusal: HTTP status, code and words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    @property
    def envelope(self) -> dict[str, Any]:
        """Give the envelope of errors."""
        return {
            "success": False, "data": None,
            "errorList": [{"code": self.code, "message": self.message, "details": ""}],
        }  # fmt: skip


def bad(message: str) -> RestError:
    """Say that an argument is missing or wrong."""
    return RestError(400, "10201001001", f"参数错误：{message}")


@dataclass(frozen=True)
class Call:
    """One accepted call; `now` is epoch seconds, `ref` the order in the address."""

    store: Store
    now: float
    shop: str
    ref: str
    request: Request

    def number(self, name: str, at_most: int) -> int:
        """Give a query parameter that is a whole number from 1."""
        text = self.request.query.get(name, "")
        if not re.fullmatch(r"[0-9]{1,15}", text) or not 1 <= int(text) <= at_most:
            raise bad(name)
        return int(text)

    def scope(self) -> set[str]:
        """Give the parts asked for."""
        return set(self.request.query.get("scopeSet", "").split(","))

    def body(self, name: str) -> dict[str, Any]:
        """Give the object under `name` of the body."""
        try:
            found = json.loads(self.request.body or b"null")
        except ValueError:
            raise bad("body") from None
        if not isinstance(found, dict) or set(found) != {name} or not isinstance(found[name], (dict, list)):
            raise bad(name)
        return found


def orders(call: Call) -> dict[str, Any]:
    """GET /orders: one page by time of creation or of change."""
    query = call.request.query
    known = "startTime endTime page pageSize orderStatus orderType bizType sortBy sortOrder xidBuyer scopeSet venderId"
    if unknown := query.keys() - set(known.split()):
        raise bad(",".join(sorted(unknown))[:80])
    column = {"createdTime": "created", "modifiedTime": "modified"}.get(query.get("sortBy", ""))
    turn = query.get("sortOrder", "")
    if column is None or turn not in ("ASC", "DESC"):
        raise bad("sortBy, sortOrder")
    since, until = (call.number(name, 10**14) // 1000 for name in ("startTime", "endTime"))
    if since > until or until - since > SPAN or since < call.now - BACK[column]:
        raise bad("startTime, endTime")
    page, size = call.number("page", 10**6), call.number("pageSize", SIZE_MAX)
    where, params = f"platform = 'jd' AND shop = ? AND {column} BETWEEN ? AND ?", [call.shop, since, until]
    states = query.get("orderStatus", "")
    if states != "ALL":
        names = states.split(",")
        if not set(names) <= STATES:
            raise bad("orderStatus")
        where += f" AND status IN ({', '.join('?' * len(names))})"
        params += names
    tail = f"ORDER BY {column} {turn}, number {turn} LIMIT ? OFFSET ?"
    rows = call.store.select(where, [*params, size, (page - 1) * size], tail) if page <= PAGES_MAX else []
    total, scope = call.store.size(where, params), call.scope()
    return {
        "data": [shown(order, scope) for order in call.request.disturbed(rows)],
        "paginationData": {
            "totalItems": total, "totalPages": -(-total // size), "currentPage": page, "pageSize": size,
            "hasNextPage": page * size < total,
        },
    }  # fmt: skip


def find(call: Call) -> Order:
    """Give the order of the address. Raises: RestError if there is none."""
    order = call.store.find("jd", call.shop, call.ref)
    if order is None:
        raise RestError(404, "10201001018", "订单不存在")
    return order


def order(call: Call) -> dict[str, Any]:
    """GET /orders/{orderId}: one order."""
    return {"data": shown(find(call), call.scope())}


def parcels_of(call: Call) -> list[Parcel]:
    """Read `orderShipmentDTO`."""
    told = call.body("orderShipmentDTO")["orderShipmentDTO"]
    if not isinstance(told, dict) or str(told.get("orderId")) != call.ref:
        raise bad("orderId")
    packages = told.get("packageInfoList")
    if not isinstance(packages, list) or not packages:
        raise bad("packageInfoList")
    parcels = []
    for package in packages:
        if not isinstance(package, dict) or not package.get("companyId") or not package.get("waybillCode"):
            raise bad("packageInfoList")
        goods = package.get("outboundGoodsFacetDTOList") or []
        try:
            named = {str(one["skuUuid"]): int(one["skuNum"]) for one in goods}
        except (TypeError, KeyError, ValueError):
            raise bad("outboundGoodsFacetDTOList") from None
        shipment = str(package.get("shipmentId") or "")
        parcels.append(Parcel(str(package["companyId"]), str(package["waybillCode"]), named, shipment))
    return parcels


def _tell(call: Call, act: Callable[[Asked, list[Parcel]], None]) -> dict[str, Any]:
    parcels = parcels_of(call)
    try:
        act(Asked(call.store, call.now, call.shop, call.ref, json.loads(call.request.body)), parcels)
    except Refusal as refusal:
        raise RestError(200, "10202001001", refusal.words) from None
    return {"data": {"orderId": int(call.ref)}}


def shipments(call: Call) -> dict[str, Any]:
    """POST /orders/{orderId}/shipments: an order, or the goods named, leave."""
    return _tell(call, ship)


def corrections(call: Call) -> dict[str, Any]:
    """PUT /orders/{orderId}/shipments: other numbers."""
    return _tell(call, amend)


def groups(call: Call) -> dict[str, Any]:
    """POST /merge-delivery-groups: which of the given orders go to the same recipient."""
    pairs = call.body("mergeDeliveryGroupList")["mergeDeliveryGroupList"]
    if not isinstance(pairs, list) or not 1 <= len(pairs) <= 50:
        raise bad("mergeDeliveryGroupList")
    found: dict[str, list[int]] = {}
    for pair in pairs:
        ref = str(pair.get("orderId")) if isinstance(pair, dict) else ""
        known = call.store.find("jd", call.shop, ref)
        if known is None or known.body["consigneeInfo"]["oaid"] != pair.get("oaid"):
            raise RestError(200, "10211001001", "订单与oaid不匹配")
        if known.body["orderState"] == "WAIT_SELLER_STOCK_OUT":
            found.setdefault(known.body["_group"], []).append(int(ref))
    return {"data": [{"mergeOrderIdList": list(dict.fromkeys(refs))} for refs in found.values()]}


def carriers(call: Call) -> dict[str, Any]:
    """GET /carriers: the couriers of the shop."""
    rows = [
        {"id": int(number), "providerCode": code, "providerName": name, "providerType": 1, "operationType": 1}
        for number, (code, name, _) in COURIERS.items()
    ]
    return {"data": rows}


def remarks(call: Call) -> dict[str, Any]:
    """PUT /orders/{orderId}/vender-remarks: the seller's remark and flag."""
    told = call.body("orderVenderRemarkDTO")["orderVenderRemarkDTO"]
    if (
        not isinstance(told, dict)
        or str(told.get("orderId")) != call.ref
        or not isinstance(told.get("remark"), str)
    ):
        raise bad("orderVenderRemarkDTO")
    with call.store.transaction():
        known = find(call)
        changed = beijing(max(call.now, known.modified))
        known.body |= {"venderRemark": told["remark"], "_flag": told.get("flag") or 0, "modified": changed}
        call.store.save(known, call.now)
        call.store.book(call.now, "jd", call.shop, "memo", call.ref, None, {"memo": told["remark"]}, told)
    return {"data": {"orderId": int(call.ref)}}


def secrets(call: Call) -> dict[str, Any]:
    """GET /order-oaid-addresses: only from the platform's own cloud."""
    raise RestError(400, "99904030005", "请在云鼎内调用")


def number(text: str) -> float:
    """Write an amount as the SP-API does: yuan as a JSON number."""
    return fen(text) / 100


def shown(order: Order, scope: set[str]) -> dict[str, Any]:
    """Give an order in the shape of the SP-API: its own values, and the parts asked for."""
    body = order.body
    parent = int(body["parentOrderId"])
    head = {
        "orderId": int(order.ref), "parentOrderId": parent, "rootOrderId": parent or int(order.ref), "venderId": VENDER,
        "orderType": 22, "orderStatus": body["orderState"], "orderStatusDesc": body["orderStateRemark"],
        "createdTime": order.created * 1000, "modifiedTime": order.modified * 1000, "xidBuyer": body["xid_buyer"],
        "orderSource": "2",
    }  # fmt: skip
    there = body["consigneeInfo"]
    names = {"province": "provinceName", "city": "cityName", "county": "countyName", "town": "townName"}
    paid, pays = body["_paid"], (fen(body["orderPayment"]) + fen(body["balanceUsed"])) / 100
    parts: dict[str, Any] = {
        "buyerRemark": {"remark": body["orderRemark"]},
        "venderRemarkInfo": {"remark": body["venderRemark"], "flagId": body["_flag"]},
        "consigneeInfo": {
            "fullName": there["fullname"], "mobile": there["mobile"], "telephone": there["telephone"],
            **{theirs: there[ours] for ours, theirs in names.items()}, "fullAddress": there["fullAddress"],
            "oaid": there["oaid"],
        },
        "paymentInfo": {
            "paymentType": int(body["payType"].split("-")[0]), "paymentTypeDesc": body["payType"].split("-")[1],
            "paymentConfirmTime": paid * 1000 if paid else NO_TIME,
            "shouldPayAmount": pays, "actualPayAmount": pays,
            "freightFee": number(body["freightPrice"]), "payDiscountAmount": 0.0,
        },
        "sellerTradePriceInfo": {
            "totalOriginalPriceAmount": number(body["orderTotalPrice"]),
            "totalSellerDiscountAmount": number(body["sellerDiscount"]),
            "totalSellerReceivableAmount": number(body["orderSellerPrice"]),
        },
        "orderFlag": {
            "popOrder": True, "preSaleOrder": False, "partialShipment": bool(body["_parts"]),
            "globalOrder": body["orderState"] == "WAIT_SELLER_DELIVERY", "eclpOrder": bool(body["storeOrder"]),
        },
        "promiseCalendarInfo": {"promisePickTime": (body["_placed"] + 2 * 86_400) * 1000},
        "transportInfo": {
            "logisticsId": body["logisticsId"], "waybillCode": body["waybill"], "partialShipmentList": body["_parts"],
            "deliveryTypeDesc": body["deliveryType"],
        },
        "skuItemInfoList": [item_shown(order, item) for item in body["itemInfoList"]],
    }  # fmt: skip
    return head | {name: part for name, part in parts.items() if name in scope}


def item_shown(order: Order, item: Mapping[str, Any]) -> dict[str, Any]:
    """Give one line in the shape of the SP-API."""
    asked = order.body["_afs"].get(item["_uuid"])
    back = order.body["orderState"] == CANCELLED
    after = [{"afsOrderId": int(order.ref) * 10, "afsOrderStatusDesc": asked}] if asked else []
    return {
        "skuId": int(item["skuId"]), "skuUuid": item["_uuid"], "productId": int(item["wareId"]),
        "outerSkuId": item["outerSkuId"], "skuName": item["skuName"], "skuSpec": item["_spec"],
        "jdPrice": number(item["jdPrice"]), "num": int(item["itemTotal"]), "skuType": 2 if "_gift_of" in item else 0,
        "giftRefUuid": item.get("_gift_of", ""), "productNo": item["productNo"],
        "afsInfoList": [] if back else after,
    }  # fmt: skip


@dataclass(frozen=True)
class Route:
    """One address: its pattern (the order's number as group 1), what it runs, and whether it changes anything."""

    verb: str
    name: str
    run: Callable[[Call], dict[str, Any]]
    writes: bool = False

    @property
    def pattern(self) -> re.Pattern[str]:
        """Give the pattern of its paths."""
        return re.compile(re.escape(BASE + self.name).replace(r"\{orderId\}", "([0-9]{1,18})"), re.ASCII)


ROUTES = (
    Route("GET", "/orders", orders),
    Route("GET", "/orders/{orderId}", order),
    Route("POST", "/orders/{orderId}/shipments", shipments, writes=True),
    Route("PUT", "/orders/{orderId}/shipments", corrections, writes=True),
    Route("PUT", "/orders/{orderId}/vender-remarks", remarks, writes=True),
    Route("POST", "/merge-delivery-groups", groups),
    Route("GET", "/carriers", carriers),
    Route("GET", "/order-oaid-addresses", secrets),
)


def route(request: Request) -> tuple[Route | None, str]:
    """Give the address a request is for, and the order it names."""
    for one in ROUTES:
        found = one.pattern.fullmatch(request.path) if one.verb == request.verb else None
        if found:
            return one, found[1] if found.groups() else ""
    return None, ""
