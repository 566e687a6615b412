"""Which of JD's open orders share a recipient: only the platform can say, and only the SP-API is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from orderctl.model.errors import Refused, Unauthorized
from orderctl.ports.http import parse_json
from orderctl.ports.platforms import asking
from orderctl.ports.platforms.asking import Sealed
from orderctl.ports.platforms.jd.rest import Rest
from orderctl.ports.platforms.port import RawRow

ASK = "/sp-order/v0/merge-delivery-groups"
LIMIT = 50
WAITING = "WAIT_SELLER_STOCK_OUT"


def same_recipient(rest: Rest, records: Sequence[RawRow]) -> dict[str, str]:
    """Ask about the waiting orders that have an OAID; see `Platform.same_recipient`.

    An app that may not ask learns nothing: its orders are simply not joined.
    """
    try:
        return asking.same_recipient(_sealed(records), lambda orders: _ask(rest, orders), limit=LIMIT)
    except Unauthorized as failure:
        if failure.code not in ("permission", "cloud"):
            raise
        return {}


def _sealed(records: Sequence[RawRow]) -> Iterator[Sealed]:
    for record in records:
        order: dict[str, Any] = parse_json((record["payload"] or "{}").encode())
        there = order.get("consigneeInfo")
        state = order.get("orderState") or order.get("orderStatus")
        ref = record["platform_ref"]
        if isinstance(there, dict) and there.get("oaid") and state == WAITING and ref:
            levels = ("province", "city", "county", "town")
            place = tuple(str(there.get(level) or there.get(f"{level}Name") or "") for level in levels)
            yield Sealed(place, ref, str(there["oaid"]))


def _ask(rest: Rest, orders: Sequence[Sealed]) -> list[list[str]]:
    pairs = [{"orderId": int(o.ref) if o.ref.isdecimal() else o.ref, "oaid": o.seal} for o in orders]
    try:
        data = rest.call("POST", ASK, body={"mergeDeliveryGroupList": pairs}).get("data")
    except Refused:
        return []  # an order moved on since it was read; unanswered orders are simply not joined this time
    groups = (
        [g.get("mergeOrderIdList") for g in data if isinstance(g, dict)] if isinstance(data, list) else []
    )
    return [[str(ref) for ref in group or []] for group in groups]
