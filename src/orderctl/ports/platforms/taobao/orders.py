"""Reading Taobao's trades: lists by page number, details one by one.

A list entry leaves out the buyer's words and the promise of open orders; these are asked for trade by trade.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from orderctl.model.errors import Refused, Temporary
from orderctl.ports.http import unreadable, write_json
from orderctl.ports.platforms.port import By, Page, RawRow, Window, raw_row
from orderctl.ports.platforms.reading import Entry, Numbered, Reach, one_by_one, side_by_side
from orderctl.ports.platforms.taobao.gateway import Gateway, listed
from orderctl.ports.platforms.wallclock import beijing, instant_of

FORMAT = "taobao/trade"
INCREMENT = "taobao.trades.sold.increment.get"
CREATED = "taobao.trades.sold.get"
DETAIL = "taobao.trade.fullinfo.get"
FIELDS = (
    "tid,tid_str,type,status,created,modified,pay_time,end_time,consign_time,timeout_action_time,payment,total_fee,"
    "post_fee,discount_fee,adjust_fee,received_payment,credit_card_fee,coupon_fee,platform_subsidy_fee,"
    "step_trade_status,step_paid_fee,new_presell,send_time,est_con_time,delivery_time,collect_time,buyer_nick,"
    "buyer_open_uid,seller_nick,title,receiver_name,receiver_country,receiver_state,receiver_city,receiver_district,"
    "receiver_town,receiver_address,receiver_zip,receiver_mobile,receiver_phone,oaid,has_buyer_message,buyer_message,"
    "seller_memo,seller_flag,mark_desc,trade_from,shipping_type,is_part_consign,is_sh_ship,top_hold,team_buy_hold,"
    "share_group_hold,logistics_agreement,order_tax_fee,"
    "rx_audit_status,promotion_details,service_tags,orders"
)
DETAIL_FIELDS = FIELDS + ",logistics_infos"
OPEN = frozenset({"WAIT_SELLER_SEND_GOODS", "SELLER_CONSIGNED_PART", "PAID_FORBID_CONSIGN"})
DAY_S = 86_400
BACK_DAYS = 89  # the lists reach three months back
OVERLAP_S = 600
LAG_S = 120
PAGE_SIZE = 50
SPLIT_ABOVE = 1_000
SHORTEST_S = 120


class Sold(Numbered):
    """The lists of sold trades of one shop, newest change first; see `reading.Lister`."""

    reach = Reach(DAY_S, OVERLAP_S, LAG_S, BACK_DAYS, SPLIT_ABOVE, SHORTEST_S)
    size = PAGE_SIZE

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self._gateway = gateway

    def records(self, entries: Sequence[Entry], *, by: By, now: str) -> list[RawRow]:
        return side_by_side(lambda entry: _record(self._gateway, entry.body, by=by, now=now), entries)

    def listed(self, window: Window, by: By, number: int, *, count: bool) -> tuple[int, list[Entry]]:
        kind, method = ("modified", INCREMENT) if by == "updated" else ("created", CREATED)
        params = {
            f"start_{kind}": beijing(window.since),
            f"end_{kind}": beijing(window.until),
            "fields": FIELDS,
            "page_no": str(number),
            "page_size": str(PAGE_SIZE),
            "use_has_next": "false" if count else "true",
            "type": self._gateway.shop.settings.get("types", ""),
        }
        answer = self._gateway.call(method, params)
        trades = [t for t in listed(answer.get("trades"), "trade") if isinstance(t, dict) and t.get("tid")]
        total = str(answer.get("total_results") or 0)
        if not total.isdecimal():
            failure = unreadable(method)
            raise Temporary(failure.text, code=failure.code)
        return int(total), [Entry(_tid(t), str(t.get("modified") or ""), t) for t in trades]


def _tid(trade: dict[str, Any]) -> str:
    return str(trade.get("tid_str") or trade["tid"])


def _record(gateway: Gateway, trade: dict[str, Any], *, by: By, now: str) -> RawRow:
    source = INCREMENT if by == "updated" else CREATED
    if needs_detail(trade, gateway.shop.settings.get("details", "")):
        trade, source = trade | _detail(gateway, _tid(trade)), DETAIL
    return _row(gateway, trade, source=source, now=now)


def needs_detail(trade: dict[str, Any], details: str) -> bool:
    """Say whether a list entry leaves out what we need: the buyer's words, or the promise of an open order.

    `details="notes"` (a shop setting) saves the second kind of call, at the price of unknown promises.
    """
    if trade.get("has_buyer_message") and not trade.get("buyer_message"):
        return True
    return details != "notes" and trade.get("status") in OPEN and not trade.get("delivery_time")


def _row(gateway: Gateway, trade: dict[str, Any], *, source: str, now: str) -> RawRow:
    return raw_row(
        gateway.shop,
        ref=_tid(trade),
        form=FORMAT,
        now=now,
        updated_at=instant_of(trade.get("modified")),
        source=source,
        payload=write_json(trade),
    )


def _detail(gateway: Gateway, tid: str) -> dict[str, Any]:
    found = gateway.call(DETAIL, {"tid": tid, "fields": DETAIL_FIELDS, "include_oaid": "true"}).get("trade")
    return found if isinstance(found, dict) else {}


def fetch_orders(gateway: Gateway, refs: Sequence[str], *, now: str) -> Iterator[Page]:
    """Read trades one by one: the platform has no call for several."""

    def ask(ref: str) -> RawRow | None:
        try:
            trade = _detail(gateway, ref)
        except Refused as refusal:
            if refusal.code != "order_not_found":
                raise
            return None
        return _row(gateway, trade, source=DETAIL, now=now) if trade.get("tid") else None

    return one_by_one(ask, refs)


def read_lines(gateway: Gateway, tid: str) -> tuple[str, list[dict[str, Any]]]:
    """Give the status of a trade and its lines as they stand now."""
    trade = gateway.call(DETAIL, {"tid": tid, "fields": "tid,status,modified,orders"}).get("trade") or {}
    return str(trade.get("status") or ""), listed(trade.get("orders"), "order")
