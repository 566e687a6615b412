"""Reading Taobao's orders completely, although its lists shift while they are read.

Pages are sorted newest change first, so an order that changes during the reading leaves the window and pulls all
older ones one place forward. Pages are therefore walked from the last to the first: what moves is then met twice,
never missed. The platform's own count before and after says whether a pass was undisturbed; if not it is repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from orderctl.model.errors import Refused, Temporary
from orderctl.ports.http import unreadable, write_json
from orderctl.ports.platforms.port import (
    By,
    Certificate,
    Page,
    RawRow,
    Window,
    cut_windows,
    history_s,
    plan_fetch,
    raw_row,
    seconds_between,
    shift,
    write_cursor,
)
from orderctl.ports.platforms.taobao.gateway import Gateway, beijing, instant_of, listed

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
PASSES = 3
DETAILS_A_PAGE = 20


def fetch(
    gateway: Gateway, *, now: str, cursor: str | None, since: str | None, until: str | None, by: By
) -> Iterator[Page]:
    """Read windows of at most a day; see `Platform.fetch`."""
    plan = plan_fetch(
        now=now,
        cursor=cursor,
        since=since,
        until=until,
        by=by,
        overlap_s=OVERLAP_S,
        lag_s=LAG_S,
        back_s=history_s(gateway.shop, BACK_DAYS),
    )
    for window in cut_windows(plan.since, plan.until, DAY_S):
        yield from _window(gateway, window, by=by, now=now, moves=plan.moves)


def _window(gateway: Gateway, window: Window, *, by: By, now: str, moves: bool) -> Iterator[Page]:
    seen: dict[str, str] = {}
    expected = 0
    for _ in range(PASSES):
        total, first = _list(gateway, window, by, 1, count=True)
        span = seconds_between(window.since, window.until)
        if total > SPLIT_ABOVE and span > SHORTEST_S and not seen:
            middle = shift(window.since, span // 2)
            for half in (Window(window.since, middle), Window(middle, window.until)):
                yield from _window(gateway, half, by=by, now=now, moves=moves)
            return
        met: set[str] = set()
        pages = -(-total // PAGE_SIZE)
        for number in range(pages, 0, -1):
            trades = first if pages == 1 else _list(gateway, window, by, number, count=False)[1]
            met.update(_tid(trade) for trade in trades)
            fresh = [t for t in trades if _newer(t, seen)]
            if fresh:
                yield Page([_record(gateway, trade, by=by, now=now) for trade in fresh])
        expected = total if pages < 2 else _list(gateway, window, by, 1, count=True, size=1)[0]
        if len(met) == total == expected:
            break
    cursor = write_cursor(window.until) if moves else None
    yield Page([], cursor=cursor, certificate=Certificate(window, expected, len(seen)))


def _list(
    gateway: Gateway, window: Window, by: By, number: int, *, count: bool, size: int = PAGE_SIZE
) -> tuple[int, list[dict[str, Any]]]:
    """Read one page; the total of the window comes only when counting."""
    kind, method = ("modified", INCREMENT) if by == "updated" else ("created", CREATED)
    params = {
        f"start_{kind}": beijing(window.since),
        f"end_{kind}": beijing(window.until),
        "fields": FIELDS if size > 1 else "tid",
        "page_no": str(number),
        "page_size": str(size),
        "use_has_next": "false" if count else "true",
        "type": gateway.shop.settings.get("types", ""),
    }
    answer = gateway.call(method, params)
    trades = [t for t in listed(answer.get("trades"), "trade") if isinstance(t, dict) and t.get("tid")]
    total = str(answer.get("total_results") or 0)
    if not total.isdecimal():
        failure = unreadable(method)
        raise Temporary(failure.text, code=failure.code)
    return int(total), trades


def _tid(trade: dict[str, Any]) -> str:
    return str(trade.get("tid_str") or trade["tid"])


def _newer(trade: dict[str, Any], seen: dict[str, str]) -> bool:
    """Note the trade, and say whether this state of it was not met before."""
    tid, modified = _tid(trade), str(trade.get("modified") or "")
    if tid in seen and seen[tid] >= modified:
        return False
    seen[tid] = modified
    return True


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
    """Read trades one by one (the platform has no call for several), in pages of twenty."""
    for begin in range(0, len(refs), DETAILS_A_PAGE):
        records: list[RawRow] = []
        missing: list[str] = []
        for ref in refs[begin : begin + DETAILS_A_PAGE]:
            try:
                trade = _detail(gateway, ref)
            except Refused as refusal:
                if refusal.code != "order_not_found":
                    raise
                trade = {}
            if trade.get("tid"):
                records.append(_row(gateway, trade, source=DETAIL, now=now))
            else:
                missing.append(ref)
        yield Page(records, missing=tuple(missing))


def read_lines(gateway: Gateway, tid: str) -> tuple[str, list[dict[str, Any]]]:
    """Give the status of a trade and its lines as they stand now."""
    trade = gateway.call(DETAIL, {"tid": tid, "fields": "tid,status,modified,orders"}).get("trade") or {}
    return str(trade.get("status") or ""), listed(trade.get("orders"), "order")
