"""The classic gateway of the JD stand-in: one address, one JSON text of arguments, its own envelope.

The one invariant: exactly the fields asked for come back, and every value is text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orderctl.sandbox.answer import Request
from orderctl.sandbox.jd.orders import STATES, VENDER
from orderctl.sandbox.jd.refusals import GatewayError, Refusal, invalid
from orderctl.sandbox.jd.shipping import COURIERS, OWN_DELIVERY, Asked, Parcel, amend, ship
from orderctl.sandbox.store import Order, Store
from orderctl.sandbox.texts import GMT8, digest

DAY = 86_400
SPAN = 31 * DAY
BACK = {"created": 730 * DAY, "modified": 92 * DAY}
PAGES_MAX = 100
SIZE_MAX = 100
SHUT = ("fullname", "mobile", "telephone", "fullAddress")
_NAMES = (
    "orderId venderId orderType payType orderTotalPrice orderSellerPrice orderPayment freightPrice sellerDiscount"
    " balanceUsed orderState orderStateRemark deliveryType invoiceInfo invoiceEasyInfo invoiceCode vatInfo orderRemark"
    " venderRemark orderStartTime orderEndTime modified paymentConfirmTime consigneeInfo itemInfoList couponDetailList"
    " returnOrder pin open_id_buyer xid_buyer waybill logisticsId outBoundDate partialLogisticsInfoModel parentOrderId"
    " directParentOrderId orderSource storeOrder storeId idSopShipmenttype scDT orderMarkDesc orderExt popSignMap"
)
FIELDS = frozenset(_NAMES.split())
GOOD = {"success": True, "chineseErrCode": "成功", "englishErrCode": "success", "numberCode": 0}


@dataclass(frozen=True)
class Call:
    """One accepted call; `now` is epoch seconds."""

    store: Store
    now: float
    shop: str
    arguments: Mapping[str, Any]
    request: Request

    def text(self, name: str, *, needed: bool = True) -> str:
        """Give an argument as text. Raises: GatewayError."""
        value = self.arguments.get(name)
        if value is None or value == "":
            if needed:
                invalid(name, "不能为空")
            return ""
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            invalid(name, "类型错误")
        return str(value)

    def number(self, name: str, at_most: int) -> int:
        """Give an argument that is a whole number from 1."""
        text = self.text(name)
        if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= at_most:
            invalid(name, f"1-{at_most}")
        return int(text)

    def moment(self, name: str) -> int:
        """Give an argument that is Beijing time, as epoch seconds."""
        text = self.text(name)
        try:
            if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text, re.ASCII):
                raise ValueError(text)
            return int(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=GMT8).timestamp())
        except ValueError:
            invalid(name, "yyyy-MM-dd HH:mm:ss")

    def fields(self) -> set[str]:
        """Give the fields asked for; nothing listed, nothing returned."""
        wanted = {name.strip() for name in self.text("optional_fields").split(",")}
        if unknown := wanted - FIELDS:
            invalid("optional_fields", ",".join(sorted(unknown))[:80])
        return wanted

    def order_ref(self, name: str) -> str:
        """Give the number of an order."""
        text = self.text(name)
        if not re.fullmatch(r"[0-9]{1,20}", text):
            invalid(name)
        return text


def shown(order: Order, wanted: set[str], *, cipher: bool) -> dict[str, Any]:
    """Give an order's wanted fields, the recipient masked or as ciphertexts."""
    found = {name: value for name, value in order.body.items() if name in wanted}
    if "itemInfoList" in found:
        found["itemInfoList"] = [
            {name: value for name, value in item.items() if not name.startswith("_")}
            for item in found["itemInfoList"]
        ]
    if cipher and "consigneeInfo" in found:
        there = dict(found["consigneeInfo"])
        name, mobile, street = order.body["_person"]
        plain = dict(zip(SHUT, (name, mobile, mobile, there["fullAddress"][:-3] + street), strict=True))
        there |= {key: "AV" + digest("tde", value) + "==" for key, value in plain.items()} | {"oaid": ""}
        found["consigneeInfo"] = there
    return found


def search(call: Call, *, cipher: bool = False) -> dict[str, Any]:
    """jingdong.pop.order.search and .enSearch: one page by time of creation or of change."""
    column = "created" if call.text("dateType", needed=False) == "1" else "modified"
    since, until = call.moment("start_date"), call.moment("end_date")
    if since > until or until - since > SPAN:
        invalid("end_date", "时间跨度不能超过1个月")
    if since < call.now - BACK[column]:
        invalid("start_date", "时间过早")
    wanted, states = call.fields(), call.text("order_state")
    page, size = call.number("page", 10**6), call.number("page_size", SIZE_MAX)
    where, params = f"platform = 'jd' AND shop = ? AND {column} BETWEEN ? AND ?", [call.shop, since, until]
    if states != "ALL":
        names = states.split(",")
        if not set(names) <= STATES:
            invalid("order_state")
        where += f" AND status IN ({', '.join('?' * len(names))})"
        params += names
    turn = "DESC" if call.text("sortType", needed=False) == "1" else "ASC"
    rows = []
    if page <= PAGES_MAX:
        tail = f"ORDER BY {column} {turn}, number {turn} LIMIT ? OFFSET ?"
        rows = call.store.select(where, [*params, size, (page - 1) * size], tail)
    orders = [shown(order, wanted, cipher=cipher) for order in call.request.disturbed(rows)]
    return {
        "searchorderinfo_result": {
            "apiResult": GOOD, "orderTotal": call.store.size(where, params), "orderInfoList": orders,
        }
    }  # fmt: skip


def detail(call: Call, *, cipher: bool = False) -> dict[str, Any]:
    """jingdong.pop.order.get and .enGet: one order."""
    ref, wanted = call.order_ref("order_id"), call.fields()
    order = call.store.find("jd", call.shop, ref)
    if order is None:
        bad = {
            "success": False,
            "chineseErrCode": "订单不存在",
            "englishErrCode": "order not exist",
            "numberCode": 10,
        }
        return {"orderDetailInfo": {"apiResult": bad}}
    return {"orderDetailInfo": {"apiResult": GOOD, "orderInfo": shown(order, wanted, cipher=cipher)}}


def vender(call: Call) -> dict[str, Any]:
    """jingdong.seller.vender.info.get: whose token it is."""
    return {
        "vender_info_result": {
            "vender_id": VENDER, "shop_id": VENDER + 1, "shop_name": "样例专营店", "col_type": 0, "cate_main": 1,
        }
    }  # fmt: skip


def carriers(call: Call) -> dict[str, Any]:
    """jingdong.fce.alpha.getVenderCarrier: the couriers of the shop."""
    rows = [
        {"id": int(number), "providerCode": code, "name": name}
        for number, (code, name, _) in COURIERS.items()
    ]
    return {"StandardGenericResponse": {"success": True, "data": rows}}


def shipment(call: Call) -> dict[str, Any]:
    """jingdong.pop.order.shipment: an order leaves as a whole."""
    ref, couriers = call.order_ref("orderId"), call.text("logiCoprId").split("|")
    told = call.text("logiNo", needed=couriers != [OWN_DELIVERY])
    groups = (told or "0").split("|")
    asked = Asked(call.store, call.now, call.shop, ref, dict(call.arguments))
    try:
        if len(groups) != len(couriers):
            asked.refuse("运单号与物流公司数量不一致", told)
        parcels = [
            Parcel(courier, number)
            for courier, group in zip(couriers, groups, strict=True)
            for number in group.split(",")
        ]
        ship(asked, parcels)
    except Refusal as refusal:
        bad = {
            "success": False,
            "chineseErrCode": refusal.words,
            "englishErrCode": "refused",
            "errorCode": "10300",
        }
        return {"sopjosshipment_result": bad}
    good = {
        "success": True,
        "chineseErrCode": "SOP订单 订单出库成功",
        "englishErrCode": "success",
        "errorCode": "0",
    }
    return {"sopjosshipment_result": good}


def waybill_update(call: Call) -> dict[str, Any]:
    """360buy.order.sop.waybill.update: other numbers for an order that left."""
    ref, couriers = call.order_ref("order_id"), call.text("logistics_id").split("|")
    groups = call.text("waybill").split("|")
    asked = Asked(call.store, call.now, call.shop, ref, dict(call.arguments))
    try:
        if len(groups) != len(couriers):
            asked.refuse("运单号与物流公司数量不一致", groups[0])
        amend(
            asked,
            [
                Parcel(courier, n)
                for courier, group in zip(couriers, groups, strict=True)
                for n in group.split(",")
            ],
        )
    except Refusal as refusal:
        return {"result": {"success": False, "chineseErrCode": refusal.words, "errorCode": "10300"}}
    return {"vender_id": str(VENDER), "order_id": ref}


@dataclass(frozen=True)
class Method:
    """How one method is run, the arguments it knows, and whether it changes anything."""

    run: Callable[[Call], dict[str, Any]]
    known: frozenset[str]
    writes: bool = False


_LIST_NAMES = (
    "start_date end_date order_state optional_fields page page_size sortType dateType source_id realPin open_id_buyer"
    " xid_buyer"
)
_LIST = frozenset(_LIST_NAMES.split())
_DETAIL = frozenset({"order_id", "order_state", "optional_fields", "source_id"})
METHODS = {
    "jingdong.pop.order.search": Method(search, _LIST),
    "jingdong.pop.order.enSearch": Method(lambda call: search(call, cipher=True), _LIST),
    "jingdong.pop.order.get": Method(detail, _DETAIL),
    "jingdong.pop.order.enGet": Method(lambda call: detail(call, cipher=True), _DETAIL),
    "jingdong.seller.vender.info.get": Method(vender, frozenset({"ext_json_param"})),
    "jingdong.fce.alpha.getVenderCarrier": Method(carriers, frozenset()),
    "jingdong.pop.order.shipment": Method(
        shipment, frozenset({"orderId", "logiCoprId", "logiNo", "installId"}), writes=True
    ),
    "360buy.order.sop.waybill.update": Method(
        waybill_update, frozenset({"order_id", "logistics_id", "waybill", "trade_no"}), writes=True
    ),
}
NOT_GRANTED = frozenset({"jingdong.pop.order.notPayOrderInfo", "jingdong.pop.order.getmobilelist"})
"""Methods that exist but are not granted to this app."""


def arguments_of(text: str, method: Method) -> dict[str, Any]:
    """Read `360buy_param_json`. Raises: GatewayError if it is no JSON object, or has an argument nobody knows."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        raise GatewayError("63") from None
    if not isinstance(found, dict):
        raise GatewayError("63")
    container = found.get("paramOrderJSFQuery")
    if isinstance(container, dict) and len(found) == 1:
        found = container
    if unknown := found.keys() - method.known:
        invalid(",".join(sorted(unknown))[:80], "未知参数")
    return found


def wrapped(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Put a result into the envelope of its method; the misspelling is the platform's."""
    if name.startswith("360buy."):
        return {name.removeprefix("360buy.").replace(".", "_") + "_response": {"code": "0", **body}}
    return {name.replace(".", "_") + "_responce": {"code": "0", **body}}
