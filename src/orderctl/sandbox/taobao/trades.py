"""The reading methods of the Taobao stand-in, and the memo.

The one invariant: exactly the fields asked for come back, empty lists and missing values not at all.
"""

from __future__ import annotations

import json
from typing import Any

from orderctl.sandbox.store import Order
from orderctl.sandbox.taobao.calls import Call
from orderctl.sandbox.taobao.envelopes import TopError, invalid, missing
from orderctl.sandbox.taobao.tokens import DAY, SELLER_ID
from orderctl.sandbox.texts import beijing

MONTHS_3 = 90 * DAY
DEFAULT_TYPES = ("fixed", "auction", "guarantee_trade", "auto_delivery", "ec", "cod", "step")
"""What a list holds when no type is asked for; `guarantee_trade` covers fixed-price sales and auctions."""
STATUSES = frozenset({
    "TRADE_NO_CREATE_PAY", "WAIT_BUYER_PAY", "PAY_PENDING", "WAIT_PRE_AUTH_CONFIRM", "WAIT_SELLER_SEND_GOODS",
    "PAID_FORBID_CONSIGN", "SELLER_CONSIGNED_PART", "WAIT_BUYER_CONFIRM_GOODS", "TRADE_BUYER_SIGNED",
    "TRADE_FINISHED", "TRADE_CLOSED", "TRADE_CLOSED_BY_TAOBAO", "ALL_WAIT_PAY", "ALL_CLOSED",
})  # fmt: skip
DETAIL_ONLY = frozenset({"buyer_message", "delivery_time", "logistics_infos"})
OAID_NEEDS = frozenset({"receiver_name", "receiver_address", "created", "receiver_mobile", "receiver_phone"})
MEMO_BYTES = 1000
LAST_PAGE = 1_000_000
SELLER_NICK = "样例旗舰店"

Fields = dict[str, set[str] | None]


def read_fields(call: Call) -> Fields:
    """Read `fields`: a top-level name maps to its wanted sub-fields, or None for all of them."""
    wanted: Fields = {}
    for name in call.need("fields").split(","):
        top, _, below = name.strip().partition(".")
        chosen = wanted.setdefault(top, set())
        if not below:
            wanted[top] = None
        elif chosen is not None:
            chosen.add(below)
    return wanted


def project(order: Order, wanted: Fields, *, detail: bool, oaid: bool) -> dict[str, Any]:
    """Give a trade's wanted fields."""
    body, known = order.body, {}
    for name, value in body.items():
        absent = value is None or value == [] or (value == "" and name != "seller_memo" and order.number % 2)
        if name.startswith("_") or name not in wanted or absent or (name in DETAIL_ONLY and not detail):
            continue
        if name == "oaid" and not oaid:
            continue
        chosen = wanted[name]
        if isinstance(value, list) and chosen is not None:
            known[name] = [{k: v for k, v in item.items() if k in chosen} for item in value]
        else:
            known[name] = value
    return known


def sold(call: Call) -> dict[str, Any]:
    """taobao.trades.sold.get: by time of creation, newest first, last three months."""
    since, until = call.moment("start_created"), call.moment("end_created")
    if since is not None and since < call.now - MONTHS_3:
        raise invalid("start_created", "only the last 3 months can be read")
    window = (max(since or 0, int(call.now - MONTHS_3)), int(call.now + DAY) if until is None else until)
    return listed(call, "created", "start_created", window)


def increment(call: Call) -> dict[str, Any]:
    """taobao.trades.sold.increment.get: by time of modification, newest first, at most one day at once."""
    since, until = call.moment("start_modified"), call.moment("end_modified")
    if since is None or until is None:
        raise missing("start_modified" if since is None else "end_modified")
    if until - since > DAY:
        raise invalid("end_modified", "the span must not exceed one day")
    if since < call.now - MONTHS_3:
        raise invalid("start_modified", "only the last 3 months can be read")
    return listed(call, "modified", "start_modified", (since, until))


def listed(call: Call, column: str, name: str, window: tuple[int, int]) -> dict[str, Any]:
    """Give one page of trades."""
    if window[0] > window[1]:
        raise invalid(name, "the start lies after the end")
    wanted = read_fields(call)
    page, size = call.number("page_no", 1), call.number("page_size", 40)
    if not 1 <= page <= LAST_PAGE:
        raise invalid("page_no", "pages are counted from 1")
    if not 1 <= size <= 100:
        raise invalid("page_size", "1 to 100")
    types = call.params.get("type", "").split(",") if call.params.get("type") else list(DEFAULT_TYPES)
    if "guarantee_trade" in types:
        types += ["fixed", "auction"]
    where = f"platform = 'taobao' AND shop = ? AND {column} BETWEEN ? AND ? AND kind IN ({', '.join('?' * len(types))})"
    params: list[Any] = [call.shop, *window, *types]
    if status := call.params.get("status"):
        if status not in STATUSES:
            raise invalid("status", "one known status")
        group = {
            "ALL_WAIT_PAY": ["WAIT_BUYER_PAY", "TRADE_NO_CREATE_PAY"],
            "ALL_CLOSED": ["TRADE_CLOSED", "TRADE_CLOSED_BY_TAOBAO"],
        }.get(status, [status])
        where += f" AND status IN ({', '.join('?' * len(group))})"
        params += group
    offset, more = (page - 1) * size, call.params.get("use_has_next") == "true"
    rows = call.store.select(
        where, [*params, size + more, offset], f"ORDER BY {column} DESC, number DESC LIMIT ? OFFSET ?"
    )
    oaid = set(wanted) >= OAID_NEEDS
    trades = [
        project(order, wanted, detail=False, oaid=oaid) for order in call.request.disturbed(rows[:size])
    ]
    answer: dict[str, Any] = {"trades": trades} if trades else {}
    if more:
        return {"has_next": len(rows) > size, **answer}
    return {"total_results": call.store.size(where, params), **answer}


def fullinfo(call: Call) -> dict[str, Any]:
    """taobao.trade.fullinfo.get: one trade with what lists leave out."""
    wanted = read_fields(call)
    order = find(call, str(call.number("tid")))
    oaid = set(wanted) >= OAID_NEEDS
    if call.params.get("include_oaid") == "true":
        wanted["oaid"], oaid = None, True
    order.body["logistics_infos"] = [
        {"trade_id": order.body["tid"], "sub_trade_id": line["oid"], "need_consign_num": line["num"],
         "consign_type": "SC", "promise_outbound_time": order.body["delivery_time"]}
        for line in order.body["orders"] if line["status"] == "WAIT_SELLER_SEND_GOODS"
    ]  # fmt: skip
    return {"trade": project(order, wanted, detail=True, oaid=oaid)}


def find(call: Call, tid: str) -> Order:
    """Give one trade of the calling shop. Raises: TopError if there is none."""
    order = call.store.find("taobao", call.shop, tid)
    if order is None:
        raise TopError(15, "Remote service error", "isv.trade-not-exist", "交易订单不存在")
    return order


def oaid_merge(call: Call) -> dict[str, Any]:
    """taobao.top.oaid.merge: which of the given trades go to the same recipient."""
    try:
        pairs = json.loads(call.need("merge_list"))
        asked = [(str(pair["tid"]), str(pair["oaid"])) for pair in pairs]
    except (ValueError, TypeError, KeyError):
        raise invalid("merge_list", "a JSON list of {oaid, tid}") from None
    if not 1 <= len(asked) <= 100:
        raise invalid("merge_list", "1 to 100 pairs")
    groups: dict[str, list[str]] = {}
    for tid, oaid in asked:
        order = find(call, tid)
        if order.body["oaid"] != oaid:
            raise TopError(15, "Remote service error", "isv.oaid-not-match", "OAID与订单不匹配，请刷新订单")
        tids = groups.setdefault(order.body["_group"], [])
        if tid not in tids:
            tids.append(tid)
    return {"tid_list": [",".join(tids) for tids in groups.values()]}


def memo_update(call: Call) -> dict[str, Any]:
    """taobao.trade.memo.update: set the seller's memo and flag."""
    tid, memo = str(call.number("tid")), call.params.get("memo", "")
    if len(memo.encode()) > MEMO_BYTES:
        raise invalid("memo", "at most 1000 bytes")
    flag = call.number("flag", 0)
    if flag > 5:
        raise invalid("flag", "0 to 5")
    with call.store.transaction():
        order = find(call, tid)
        before = order.body["seller_memo"]
        if memo or call.params.get("reset") == "true":
            order.body["seller_memo"] = memo
        if call.params.get("flag"):
            order.body["seller_flag"] = flag
        order.body["modified"] = beijing(max(call.now, order.modified))
        call.store.save(order, call.now)
        call.store.book(
            call.now,
            "taobao",
            call.shop,
            "memo",
            tid,
            None,
            {"memo": order.body["seller_memo"], "flag": order.body["seller_flag"], "before": before},
            meaning(call),
        )
    return {"trade": {"tid": order.body["tid"], "modified": order.body["modified"]}}


def seller(call: Call) -> dict[str, Any]:
    """taobao.user.seller.get: whose session it is."""
    known = {"user_id": int(SELLER_ID), "nick": SELLER_NICK, "type": "B", "status": "normal"}
    wanted = read_fields(call)
    return {"user": {name: value for name, value in known.items() if name in wanted}}


def server_time(call: Call) -> dict[str, Any]:
    """taobao.time.get: the platform's clock."""
    return {"time": beijing(call.now)}


def meaning(call: Call) -> dict[str, str]:
    """Give a call's own arguments, for the books."""
    common = {"app_key", "session", "timestamp", "format", "v", "sign", "sign_method", "simplify"}
    return {name: value for name, value in call.params.items() if name not in common}
