"""The reading methods of the Pinduoduo stand-in, and the seller's note.

The one invariant: an order shows its recipient as ciphertexts while it waits to be shipped and nothing is in its
way, and as empty texts ever after; what begins with an underscore never leaves.
"""

from __future__ import annotations

from typing import Any

from orderctl.sandbox.pdd.calls import Call, PddError, wrong
from orderctl.sandbox.pdd.orders import RECIPIENT, recipient_of, wrote
from orderctl.sandbox.pdd.tokens import SHOPS
from orderctl.sandbox.store import Order
from orderctl.sandbox.texts import beijing

DAY = 86_400
MONTHS_3 = 90 * DAY
CHANGED_S = 1_800
PAGE_MAX = 100
ANY = 5
STATES = ("order_status", "refund_status", "page", "page_size", "trade_type", "use_has_next")


def server_time(call: Call) -> dict[str, Any]:
    """pdd.time.get."""
    call.known()
    return {"time": beijing(call.now)}


def mall(call: Call) -> dict[str, Any]:
    """pdd.mall.info.get."""
    call.known()
    owner, title = SHOPS[call.shop]
    return {"mall_id": int(owner), "mall_name": title, "mall_desc": "", "logo": "", "merchant_type": 1}


def shown(order: Order) -> dict[str, Any]:
    """Give an order as the seller's app may see it."""
    body = {name: value for name, value in order.body.items() if not name.startswith("_")}
    return body | recipient_of(order)


def confirmed(call: Call) -> dict[str, Any]:
    """pdd.order.list.get: by the time of confirmation, a day at a time."""
    return {"order_list": [shown(o) for o in _found(call, "confirm_at")], **_count(call, "confirm_at")}


def basic(call: Call) -> dict[str, Any]:
    """pdd.order.basic.list.get: the same without the buyer."""
    found = [shown(order) for order in _found(call, "confirm_at")]
    hidden = (*RECIPIENT, "buyer_memo", "open_address_id", "open_address_id_2", "contact_mobile")
    light = [{name: value for name, value in order.items() if name not in hidden} for order in found]
    return {"order_list": light, **_count(call, "confirm_at")}


def changed(call: Call) -> dict[str, Any]:
    """pdd.order.number.list.increment.get: by the time of change, half an hour at a time; whole orders."""
    return {"order_sn_list": [shown(o) for o in _found(call, "updated_at")], **_count(call, "updated_at")}


def _where(call: Call, kind: str) -> tuple[str, list[Any]]:
    """Read what a list is asked for as a condition on the store."""
    begin, end = call.number(f"start_{kind}"), call.number(f"end_{kind}")
    widest = DAY if kind == "confirm_at" else CHANGED_S
    if begin > end or end - begin > widest:
        raise wrong(f"end_{kind}", "时间跨度超过限制")
    if begin < call.now - MONTHS_3:
        raise wrong(f"start_{kind}", "仅支持查询近三个月的订单")
    column = "created" if kind == "confirm_at" else "modified"
    where, params = f"platform = 'pdd' AND shop = ? AND {column} BETWEEN ? AND ?", [call.shop, begin, end]
    status, refund = call.number("order_status"), call.number("refund_status", range(1, 6))
    if status not in (1, 2, 3, ANY):
        raise wrong("order_status", "取值范围错误")
    lucky = call.number("is_lucky_flag", range(3)) if kind == "updated_at" else 0
    # without a type one list holds all orders; what the other one then holds is not written down: the least
    trade = call.params.get("trade_type", "" if kind == "updated_at" else "0")
    if trade not in ("", "0", "1"):
        raise wrong("trade_type", "取值范围错误")
    conditions = [
        ("status", str(status), status != ANY),
        ("financial", str(refund), refund != ANY),
        ("fulfilment", str(lucky), lucky != 0),
        ("kind", trade, trade != ""),
    ]
    for name, value, asked in conditions:
        if asked:
            where, params = f"{where} AND {name} = ?", [*params, value]
    return where, params


def _found(call: Call, kind: str) -> list[Order]:
    lottery = ("is_lucky_flag",) if kind == "updated_at" else ()
    call.known(f"start_{kind}", f"end_{kind}", *lottery, *STATES)
    where, params = _where(call, kind)
    size = call.number("page_size", range(1, PAGE_MAX + 1), PAGE_MAX)
    page = call.number("page", range(1, 10**9), 1)
    if call.params.get("use_has_next", "") not in ("", "true", "false"):
        raise wrong("use_has_next")
    column = "created" if kind == "confirm_at" else "modified"
    tail = f"ORDER BY {column} DESC, number DESC LIMIT {size} OFFSET {(page - 1) * size}"
    return call.request.disturbed(call.store.select(where, params, tail))


def _count(call: Call, kind: str) -> dict[str, Any]:
    """Give the number of orders, or only whether there are more."""
    total = call.store.size(*_where(call, kind))
    if call.params.get("use_has_next") != "true":
        return {"total_count": total, "has_next": False}
    return {"has_next": call.number("page", None, 1) * call.number("page_size", None, PAGE_MAX) < total}


def information(call: Call) -> dict[str, Any]:
    """pdd.order.information.get."""
    call.known("order_sn")
    order = call.order(call.need("order_sn"))
    if order.created < call.now - MONTHS_3:
        raise wrong("order_sn", "仅支持查询近三个月的订单")
    return {"order_info": shown(order)}


def states(call: Call) -> dict[str, Any]:
    """pdd.order.status.get."""
    call.known("order_sns")
    refs = call.need("order_sns").split(",")
    found = [call.store.find("pdd", call.shop, ref) for ref in refs[:PAGE_MAX]]
    return {
        "order_status_list": [
            {
                "orderSn": order.ref,
                "order_status": order.body["order_status"],
                "refund_status": order.body["refund_status"],
            }
            for order in found
            if order is not None
        ]
    }


def note_update(call: Call) -> dict[str, Any]:
    """pdd.order.note.update: the seller's note, and its colour with the colour's name."""
    call.known("order_sn", "note", "tag", "tag_name")
    if bool(call.params.get("tag")) != bool(call.params.get("tag_name")):
        raise wrong("tag", "tag与tag_name必须同时传入")
    with call.store.transaction(keep=PddError):
        order = call.order(call.need("order_sn"))
        order.body["remark"] = call.need("note")
        if call.params.get("tag"):
            order.body["remark_tag"] = call.number("tag", range(1, 6))
            order.body["remark_tag_name"] = call.params["tag_name"][:3]
        wrote(order, call.now)
        call.store.save(order, call.now)
        call.book("memo", order.ref, None, {"note": order.body["remark"]})
    return {"success": True}
