"""The shipping methods of the Taobao stand-in.

The one invariant: a line is shipped at most once; whatever asks for it again is refused the platform's way and booked
as refused.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

from orderctl.sandbox.store import Order
from orderctl.sandbox.taobao.calls import Call, Method, read_time
from orderctl.sandbox.taobao.envelopes import TopError
from orderctl.sandbox.taobao.orders import OPEN_REFUNDS, held, mark_shipped
from orderctl.sandbox.taobao.tokens import create_token, refresh_token
from orderctl.sandbox.taobao.trades import (
    fullinfo,
    increment,
    meaning,
    memo_update,
    oaid_merge,
    read_fields,
    seller,
    server_time,
    sold,
)
from orderctl.sandbox.texts import beijing

OFFLINE = "isv.logistics-offline-service-error:"
RESEND = "isv.logistics-update-company-or-mailno-error:"
RESEND_SECONDS = 50 * 86_400
DONE = (
    "WAIT_BUYER_CONFIRM_GOODS",
    "TRADE_BUYER_SIGNED",
    "TRADE_FINISHED",
    "TRADE_CLOSED",
    "TRADE_CLOSED_BY_TAOBAO",
)

COMPANIES = (
    (505, "SF", "顺丰速运", r"^(SF\d{13}|\d{12})$"),
    (500, "ZTO", "中通快递", r"^(73|75|76|78)\d{12}$"),
    (101, "YTO", "圆通速递", r"^(YT\d{13}|\d{18})$"),
    (100, "STO", "申通快递", r"^(77|88)\d{13}$"),
    (102, "YUNDA", "韵达快递", r"^(31|43|46)\d{13}$"),
    (2, "EMS", "EMS", r"^(\d{13}|E[A-Z]\d{9}CN)$"),
    (3, "EYB", "EMS经济快递", r"^\d{13}$"),
    (200734, "POSTB", "邮政快递包裹", r"^(98|99)\d{11}$"),
    (107, "DBKD", "德邦快递", r"^DPK\d{12,13}$"),
    (1259, "LE04284890", "京东快递", r"^JD[A-Z0-9-]{11,18}$"),
    (1204, "JTSD", "极兔速递", r"^JT\d{13}$"),
    (1216, "HTKY", "极兔速递(原百世)", r"^(JT|A|B)?\d{12,14}$"),
)
PATTERNS = {code: re.compile(pattern, re.ASCII) for _, code, _, pattern in COMPANIES}


def refuse(call: Call, order: Order | None, sub_code: str, sub_msg: str) -> NoReturn:
    """Book the attempt as refused and say no."""
    subject = order.ref if order else call.params.get("tid", "")
    call.store.book(
        call.now,
        "taobao",
        call.shop,
        "refused",
        subject,
        call.params.get("out_sid"),
        {"method": call.params["method"], "sub_code": sub_code},
        meaning(call),
    )
    raise TopError(15, "Remote service error", sub_code, sub_msg)


def companies(call: Call) -> dict[str, Any]:
    """taobao.logistics.companies.get: the couriers, with the pattern of their numbers."""
    wanted = read_fields(call)
    rows = [
        {"id": number, "code": code, "name": name, "reg_mail_no": pattern}
        for number, code, name, pattern in COMPANIES
    ]
    return {"logistics_companies": [{k: v for k, v in row.items() if k in wanted} for row in rows]}


def check_number(call: Call, order: Order, family: str) -> tuple[str, str]:
    """Give company and number if they fit each other and the number belongs to this recipient."""
    company, number = call.need("company_code"), call.need("out_sid")
    if company not in PATTERNS:
        refuse(call, order, family + "B57", "物流公司不存在")
    if not PATTERNS[company].match(number):
        refuse(call, order, family + "B60", "运单号不符合规则或已经被使用")
    if call.store.bearer(call.shop, number) not in (None, order.body["_group"]):
        refuse(call, order, family + "F04", "运单号已被其他收件人的订单使用")
    return company, number


def chosen_lines(call: Call, order: Order) -> list[dict[str, Any]]:
    """Give the lines a call speaks of: all that are not closed, or those of `sub_tid` when it splits."""
    lines: list[dict[str, Any]] = [
        line for line in order.body["orders"] if line["refund_status"] != "SUCCESS"
    ]
    split = call.params.get("is_split", "0")
    if split not in ("", "0", "1") or (split == "1") != bool(call.params.get("sub_tid")):
        refuse(call, order, OFFLINE + "P38", "拆单发货参数错误：is_split与sub_tid必须同时使用")
    if split != "1":
        return lines
    asked = call.params["sub_tid"].split(",")
    known = {str(line["oid"]): line for line in lines}
    if any(oid not in known for oid in asked) or len(set(asked)) != len(asked):
        refuse(call, order, OFFLINE + "P25", "子订单不存在或已关闭")
    return [known[oid] for oid in asked]


def offline_send(call: Call) -> dict[str, Any]:
    """taobao.logistics.offline.send: tell the number of a shipment by the seller's own courier."""
    tid = str(call.number("tid"))
    call.need("out_sid")
    call.need("company_code")
    with call.store.transaction(keep=TopError):
        order = call.store.find("taobao", call.shop, tid)
        if order is None:
            refuse(call, None, OFFLINE + "B01", "交易订单不存在")
        status = order.body["status"]
        if status in DONE:
            refuse(call, order, OFFLINE + "B04", "订单已经发货或已经关闭")
        lines = chosen_lines(call, order)
        if status not in ("WAIT_SELLER_SEND_GOODS", "SELLER_CONSIGNED_PART") or held(order.body):
            refuse(call, order, OFFLINE + "B02", "订单状态不允许发货")
        if call.params.get("is_split") != "1":
            lines = [line for line in lines if line["status"] not in DONE]
        if any(line["status"] in DONE for line in lines):
            refuse(call, order, OFFLINE + "B04", "子订单已经发货")
        if any(line["refund_status"] in OPEN_REFUNDS for line in lines):
            refuse(call, order, OFFLINE + "B02", "订单存在退款申请，不允许发货")
        company, number = check_number(call, order, OFFLINE)
        mark_shipped(order.body, lines, company, number, call.now)
        call.store.take_number(call.shop, number, order.body["_group"])
        write(call, order, "ship", number, lines, {"company": company})
    return {"shipping": {"is_success": True}}


def consign_resend(call: Call) -> dict[str, Any]:
    """taobao.logistics.consign.resend: replace the number of what is shipped already."""
    tid = str(call.number("tid"))
    call.need("out_sid")
    call.need("company_code")
    with call.store.transaction(keep=TopError):
        order = call.store.find("taobao", call.shop, tid)
        if order is None:
            refuse(call, None, OFFLINE + "B01", "交易订单不存在")
        lines = chosen_lines(call, order)
        if call.params.get("is_split") != "1":
            lines = [line for line in lines if line.get("invoice_no")]
        if not lines or any(not line.get("invoice_no") for line in lines):
            refuse(call, order, RESEND + "CD19", "订单尚未发货，不能修改运单号")
        company, number = check_number(call, order, RESEND)
        if all((line["logistics_company"], line["invoice_no"]) == (company, number) for line in lines):
            refuse(call, order, RESEND + "P07", "运单号没有变化")
        if any(read_time("consign_time", line["consign_time"]) < call.now - RESEND_SECONDS for line in lines):
            refuse(call, order, RESEND + "P08", "发货超过50天，不能修改运单号")
        before = sorted({line["invoice_no"] for line in lines})
        for line in lines:
            line |= {"logistics_company": company, "invoice_no": number}
        call.store.take_number(call.shop, number, order.body["_group"])
        write(call, order, "amend", number, lines, {"company": company, "before": before})
    return {"shipping": {"is_success": True}}


def write(
    call: Call, order: Order, kind: str, number: str, lines: list[dict[str, Any]], detail: dict[str, Any]
) -> None:
    """Save the changed trade and enter the effect into the books."""
    order.status = order.body["status"]
    order.body["modified"] = beijing(max(call.now, order.modified))
    call.store.save(order, call.now)
    units = [
        {"line": str(line["oid"]), "quantity": line["num"], "sku": line["outer_sku_id"]} for line in lines
    ]
    call.store.book(
        call.now, "taobao", call.shop, kind, order.ref, number, {**detail, "lines": units}, meaning(call)
    )


METHODS = {
    "taobao.user.seller.get": Method(seller),
    "taobao.time.get": Method(server_time, session=False),
    "taobao.trades.sold.get": Method(sold),
    "taobao.trades.sold.increment.get": Method(increment),
    "taobao.trade.fullinfo.get": Method(fullinfo),
    "taobao.trade.memo.update": Method(memo_update, writes=True),
    "taobao.top.oaid.merge": Method(oaid_merge),
    "taobao.top.auth.token.create": Method(create_token, session=False),
    "taobao.top.auth.token.refresh": Method(refresh_token, session=False),
    "taobao.logistics.companies.get": Method(companies, session=False),
    "taobao.logistics.offline.send": Method(offline_send, writes=True),
    "taobao.logistics.consign.resend": Method(consign_resend, writes=True),
}
