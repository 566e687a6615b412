"""The shipping methods of the Douyin stand-in, and the memo.

The one invariant: no piece of a line is shipped twice; whatever asks for it again is refused the platform's way and
booked, and what is refused for one line is refused for the whole call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn

from orderctl.sandbox.douyin import orders
from orderctl.sandbox.douyin.calls import Call, DoudianError, Method, failed, invalid, missing
from orderctl.sandbox.store import Order

COMPANIES = (
    (12, "shunfeng", "顺丰速运", r"SF\d{13}|\d{12}"),
    (15, "zhongtong", "中通快递", r"(73|75|76|78)\d{12}"),
    (7, "yuantong", "圆通快递", r"YT\d{13}|\d{18}"),
    (9, "shentong", "申通快递", r"(77|88)\d{13}"),
    (8, "yunda", "韵达快递", r"(31|43|46)\d{13}"),
    (1216, "jtexpress", "极兔速递", r"JT\d{13}"),
    (17, "ems", "EMS", r"\d{13}|E[A-Z]\d{9}CN"),
    (20, "jd", "京东快递", r"JD[A-Z0-9-]{11,18}"),
    (29, "debangkuaidi", "德邦快递", r"DPK\d{12,13}"),
    (21, "youzhengguonei", "邮政快递包裹", r"(98|99)\d{11}"),
)
PATTERNS = {code: re.compile(pattern, re.ASCII) for _, code, _, pattern in COMPANIES}
FORBIDDEN = {
    orders.UNPAID: failed(60_137, "订单未支付，禁止发货"),
    orders.DEPOSIT: failed(60_137, "订单未支付，禁止发货"),
    orders.REVIEW: failed(60_109, "订单正在风控审核中"),
    orders.CANCELLED: failed(60_021, "订单已取消，禁止发货"),
    orders.REFUNDED: failed(60_068, "该订单已售前退款成功，不能发货"),
    orders.SHIPPED: failed(60_110, "订单已发货，不允许再次执行发货"),
    orders.FINISHED: failed(60_113, "订单已完结，禁止发货"),
    orders.REFUNDED_LATER: failed(60_113, "订单已完结，禁止发货"),
    39: failed(60_113, "订单已完结，禁止发货"),
}
REMARK_MAX = 60
Quantities = dict[str, int]


def refuse(call: Call, ref: str, number: str | None, error: DoudianError) -> NoReturn:
    """Book the attempt as refused and say no."""
    call.book("refused", ref, number, {"sub_code": error.sub_code})
    raise error


def find(call: Call, ref: str, number: str | None) -> Order:
    """Give one order of the shop."""
    order = call.store.find("douyin", call.shop, ref)
    if order is None:
        refuse(call, ref, number, failed(60_033, "订单不存在，请仔细检查后重试"))
    return order


def check_number(call: Call, order: Order, company: object, number: object) -> tuple[str, str]:
    """Give company and number if they fit each other and no parcel of another recipient bears the number."""
    if not company or not isinstance(company, str):
        refuse(call, order.ref, None, failed(60_011, "物流公司编码不允许为空"))
    if company not in PATTERNS:
        refuse(call, order.ref, None, failed(60_018, "暂不支持该物流公司"))
    if not isinstance(number, str) or not PATTERNS[company].fullmatch(number):
        refuse(call, order.ref, str(number), invalid(60_017, "物流单号不符合规则"))
    if call.store.bearer(call.shop, number) not in (None, order.body["_group"]):
        refuse(call, order.ref, number, failed(70_022, "运单已被其他订单使用"))
    return company, number


def check_state(call: Call, order: Order, lines: list[dict[str, Any]], number: str | None) -> None:
    """Refuse what the state of order and lines forbids."""
    error = FORBIDDEN.get(order.body["order_status"])
    if error is not None:
        refuse(call, order.ref, number, error)
    if any(orders.is_elsewhere(line) for line in lines):
        refuse(call, order.ref, number, failed(60_116, "平台仓订单，不支持商家发货"))
    asking = [line for line in lines if line["after_sale_info"]["after_sale_status"] in orders.ASKED]
    if asking and str(call.params.get("is_refund_reject", "")).lower() != "true":
        refuse(call, order.ref, number, failed(60_040, "发货订单中有退款申请需要处理"))
    for line in asking:
        line["after_sale_info"] |= {"after_sale_status": 27, "refund_status": 4}
    if any(line["need_serial_number"] for line in lines) and not call.params.get("serial_number_list"):
        refuse(call, order.ref, number, failed(60_056, "补贴商品发货时需要上传商品序列号"))


def logistics_add(call: Call) -> dict[str, Any]:
    """order.logisticsAdd: the whole order in one parcel."""
    ref, number = call.text("order_id", invalid(50_049, "订单号不能为空")), call.text("logistics_code")
    with call.store.transaction(keep=DoudianError):
        order = find(call, ref, number)
        if order.body["logistics_info"] and order.body["order_status"] == orders.PARTLY:
            refuse(call, ref, number, failed(60_110, "订单已发货，不允许再次执行发货"))
        lines = [line for line in order.body["sku_order_list"] if not orders.is_back(line)]
        check_state(call, order, lines, number)
        company, number = check_number(call, order, call.params.get("company_code"), number)
        pack(call, order, number, company, {line["order_id"]: line["item_num"] for line in lines})
        call.store.save(order, call.now)
    return {}


def pack(call: Call, order: Order, number: str, company: str, quantities: Quantities) -> str:
    """Ship quantities by line in one parcel, into the books; give the parcel's id."""
    pack_id = orders.add_pack(order, number, company, quantities, call.now)
    call.store.take_number(call.shop, number, order.body["_group"])
    skus = {line["order_id"]: line["code"] for line in order.body["sku_order_list"]}
    units = [{"line": ref, "quantity": n, "sku": skus[ref]} for ref, n in quantities.items()]
    call.book("ship", order.ref, number, {"company": company, "pack": pack_id, "lines": units})
    return pack_id


def read_contents(
    call: Call, order: Order, info: object, taken: Quantities, number: str | None
) -> Quantities:
    """Read what is in a parcel, and take it from what is left of the order; `taken` is of parcels before it."""
    lines = {line["order_id"]: line for line in order.body["sku_order_list"]}
    if not isinstance(info, list) or not info:
        refuse(call, order.ref, number, failed(60_036, "发货信息为空"))
    found: Quantities = {}
    for one in info:
        child, count = str(one.get("shipped_order_id") or ""), one.get("shipped_num")
        line = lines.get(child)
        if line is None:
            refuse(call, order.ref, number, failed(60_102, "商品单不存在"))
        left = line["item_num"] - orders.in_packs(order, child) - taken.get(child, 0)
        count = left if count is None else count
        if type(count) is not int or count < 1:
            refuse(call, order.ref, number, failed(60_080, "商品的发货数量不允许小于0"))
        if orders.is_back(line):
            refuse(call, order.ref, number, failed(60_068, "该订单已售前退款成功，不能发货"))
        if count > left:
            refuse(call, order.ref, number, failed(60_110, "商品单已发货"))
        found[child] = found.get(child, 0) + count
        taken[child] = taken.get(child, 0) + count
    return found


def once(call: Call, subject: str, number: str | None) -> Any:
    """Give the result of an earlier success under the same `request_id`; None if there is none."""
    done = call.store.get(f"douyin.request.{call.shop}.{call.text('request_id', missing(50_050))}")
    if done is not None:
        call.book("repeated", subject, number, {})
    return done


def remember(call: Call, result: Any) -> Any:
    """Keep a result under the call's `request_id`."""
    call.store.put(f"douyin.request.{call.shop}.{call.params['request_id']}", result)
    return result


def add_multi_pack(call: Call) -> dict[str, Any]:
    """order.logisticsAddMultiPack: one order in several parcels, or a part of it."""
    ref, packs = call.text("order_id", invalid(50_049, "订单号不能为空")), call.rows("pack_list")
    number = str(packs[0].get("logistics_code")) if packs else None
    with call.store.transaction(keep=DoudianError):
        if (done := once(call, ref, number)) is not None:
            return dict(done)
        order = find(call, ref, number)
        if not packs:
            refuse(call, ref, None, failed(60_036, "发货信息为空"))
        planned, taken = [], Quantities()
        for one in packs:
            contents = read_contents(call, order, one.get("shipped_order_info"), taken, number)
            planned.append(
                (check_number(call, order, one.get("company_code"), one.get("logistics_code")), contents)
            )
        check_state(
            call, order, [line for line in order.body["sku_order_list"] if line["order_id"] in taken], number
        )
        told = []
        for (company, sent), contents in planned:
            info = [{"shipped_order_id": child, "shipped_num": n} for child, n in contents.items()]
            pack_id = pack(call, order, sent, company, contents)
            told.append({"pack_id": pack_id, "logistics_code": sent, "shipped_order_info": info})
        call.store.save(order, call.now)
        return dict(remember(call, {"pack_list": told}))


def add_single_pack(call: Call) -> dict[str, Any]:
    """order.logisticsAddSinglePack: several orders in one parcel."""
    refs, info, number = (
        call.params.get("order_id_list"),
        call.rows("shipped_order_info"),
        call.text("logistics_code"),
    )
    if not isinstance(refs, list) or not refs:
        raise invalid(50_049, "订单号不能为空")
    with call.store.transaction(keep=DoudianError):
        if (done := once(call, str(refs[0]), number)) is not None:
            return dict(done)
        if len(set(map(str, refs))) != len(refs):
            refuse(call, str(refs[0]), number, invalid(None, "order_id_list names an order twice"))
        if len(refs) > 400:
            refuse(call, str(refs[0]), number, failed(60_032, "发货订单数最多支持400单"))
        planned = []
        for ref in map(str, refs):
            order = find(call, ref, number)
            mine = {line["order_id"] for line in order.body["sku_order_list"]}
            part = [one for one in info if str(one.get("shipped_order_id")) in mine]
            contents = read_contents(call, order, part, Quantities(), number)
            company, _ = check_number(call, order, call.params.get("company_code"), number)
            check_state(
                call, order, [x for x in order.body["sku_order_list"] if x["order_id"] in contents], number
            )
            planned.append((order, company, contents))
        if len({order.body["_group"] for order, *_ in planned}) > 1:
            refuse(call, str(refs[0]), number, failed(70_022, "运单已被其他订单使用，且收货人不一致"))
        pack_id = ""
        for order, company, contents in planned:
            pack_id = pack(call, order, number, company, contents)
            call.store.save(order, call.now)
        return dict(remember(call, {"pack_id": pack_id}))


def edit(call: Call) -> dict[str, Any]:
    """order.logisticsEdit: another number for an order of one parcel."""
    return change(call, "")


def edit_by_pack(call: Call) -> dict[str, Any]:
    """order.logisticsEditByPack: another number for one parcel."""
    return change(call, call.text("pack_id", missing()))


def change(call: Call, pack_id: str) -> dict[str, Any]:
    """Replace the number of a parcel; without an id, of the only one."""
    ref, number = call.text("order_id", invalid(50_049, "订单号不能为空")), call.text("logistics_code")
    with call.store.transaction(keep=DoudianError):
        order = find(call, ref, number)
        packs = order.body["logistics_info"]
        meant = [one for one in packs if one["delivery_id"] == pack_id] if pack_id else packs
        if len(meant) != 1:
            refuse(call, ref, number, failed(60_036, "发货信息为空"))
        company, number = check_number(call, order, call.params.get("company_code"), number)
        before = meant[0]["tracking_no"]
        units = [
            {"line": item["sku_order_id"], "quantity": item["product_count"], "sku": item["outer_sku_id"]}
            for item in meant[0]["product_info"]
        ]
        kind = "repeated" if (meant[0]["company"], before) == (company, number) else "amend"
        call.book(kind, ref, number, {"company": company, "before": [before], "lines": units})
        meant[0] |= {"tracking_no": number, "company": company, "company_name": company}
        call.store.take_number(call.shop, number, order.body["_group"])
        call.store.save(order, order.modified)
    return {}


def companies(call: Call) -> list[dict[str, Any]]:
    """order.logisticsCompanyList: the couriers."""
    return [{"id": number, "name": name, "code": code} for number, code, name, _ in COMPANIES]


def add_remark(call: Call) -> dict[str, Any]:
    """order.addOrderRemark: the seller's memo and flag; it does not count as a change of the order."""
    ref, remark = call.text("order_id", missing()), call.text("remark", missing())
    star = call.text("star")
    if len(remark) > REMARK_MAX or star not in ("", *"012345"):
        raise invalid(None, "remark or star")
    with call.store.transaction(keep=DoudianError):
        order = find(call, ref, None)
        before: Mapping[str, Any] = {"before": order.body["seller_words"]}
        order.body["seller_words"] = remark
        if call.text("is_add_star") == "true" and star:
            order.body["seller_remark_stars"] = int(star)
        call.book("memo", ref, None, {"memo": remark, "flag": star, **before})
        call.store.save(order, order.modified)
    return {}


_ONE = frozenset({"order_id", "company_code", "logistics_code"})
_MORE = frozenset(
    {"is_refund_reject", "serial_number_list", "address_id", "after_sale_address_id", "store_id"}
)
METHODS = {
    "order.logisticsAdd": Method(logistics_add, _ONE | _MORE),
    "order.logisticsAddMultiPack": Method(
        add_multi_pack, frozenset({"order_id", "request_id", "pack_list", "is_reject_refund"}) | _MORE
    ),
    "order.logisticsAddSinglePack": Method(
        add_single_pack, (_ONE - {"order_id"}) | _MORE | {"order_id_list", "shipped_order_info", "request_id"}
    ),
    "order.logisticsEdit": Method(edit, _ONE),
    "order.logisticsEditByPack": Method(edit_by_pack, _ONE | {"pack_id"}),
    "order.logisticsCompanyList": Method(companies, frozenset()),
    "order.addOrderRemark": Method(add_remark, frozenset({"order_id", "remark", "is_add_star", "star"})),
}
