"""Which of JD's open orders share a recipient: only the platform can say, and only the SP-API is asked.

Orders are first divided by what stays readable (province, city, county, town): different ones cannot share a
recipient. The rest is asked so that every two orders of a place meet in one question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from orderctl.model.errors import Refused, Unauthorized
from orderctl.model.identity import digest
from orderctl.ports.http import parse_json, write_json
from orderctl.ports.platforms.jd.rest import Rest
from orderctl.ports.platforms.port import RawRow

ASK = "/sp-order/v0/merge-delivery-groups"
LIMIT = 50
WAITING = "WAIT_SELLER_STOCK_OUT"

Sealed = tuple[str, str]
"""(order id, oaid)"""


def same_recipient(rest: Rest, records: Sequence[RawRow]) -> dict[str, str]:
    """Give `{"same_recipient": KEY}` as JSON text for every waiting order with an answer; equal keys, same recipient.

    A key is made of one order of the group and its OAID, which changes with the address. An app that may not ask
    learns nothing: its orders are simply not joined.
    """
    orders = sorted(_sealed(records))
    oaids = dict(order for _, order in orders)
    mates: dict[str, str] = {}

    def root(ref: str) -> str:
        while mates.setdefault(ref, ref) != ref:
            ref = mates[ref]
        return ref

    for question in _questions(orders):
        try:
            groups = _ask(rest, question)
        except Unauthorized as failure:
            if failure.code not in ("permission", "cloud"):
                raise
            return {}
        for group in groups:
            for ref in group:
                low, high = sorted((root(group[0]), root(ref)))
                mates[high] = low
    keys = {ref: digest(root(ref), oaids[root(ref)])[:32] for ref in list(mates)}
    return {ref: write_json({"same_recipient": key}) for ref, key in keys.items()}


def _sealed(records: Sequence[RawRow]) -> Iterator[tuple[tuple[str, ...], Sealed]]:
    """Give the readable part of the address with (id, oaid), for the waiting orders that have an oaid."""
    for record in records:
        order: dict[str, Any] = parse_json((record["payload"] or "{}").encode())
        there = order.get("consigneeInfo")
        state = order.get("orderState") or order.get("orderStatus")
        ref = record["platform_ref"]
        if isinstance(there, dict) and there.get("oaid") and state == WAITING and ref:
            levels = ("province", "city", "county", "town")
            place = tuple(str(there.get(level) or there.get(f"{level}Name") or "") for level in levels)
            yield place, (ref, str(there["oaid"]))


def _questions(asked: Sequence[tuple[tuple[str, ...], Sealed]]) -> Iterator[list[Sealed]]:
    """Divide into questions of bounded size, so that all orders of one place meet pairwise."""
    places: dict[tuple[str, ...], list[Sealed]] = {}
    for place, order in asked:
        places.setdefault(place, []).append(order)
    waiting: list[Sealed] = []
    for orders in places.values():
        if len(orders) > LIMIT:
            half = LIMIT // 2
            blocks = [orders[k : k + half] for k in range(0, len(orders), half)]
            yield from (left + right for left, right in combinations(blocks, 2))
            continue
        if len(waiting) + len(orders) > LIMIT:
            yield waiting
            waiting = []
        waiting = waiting + orders
    if waiting:
        yield waiting


def _ask(rest: Rest, orders: Sequence[Sealed]) -> list[list[str]]:
    pairs = [{"orderId": int(ref) if ref.isdecimal() else ref, "oaid": oaid} for ref, oaid in orders]
    try:
        answer = rest.call("POST", ASK, body={"mergeDeliveryGroupList": pairs})
    except Refused:
        return []  # an order moved on since it was read; unanswered orders are simply not joined this time
    known = {ref for ref, _ in orders}
    data = answer.get("data")
    groups = (
        [g.get("mergeOrderIdList") or [] for g in data if isinstance(g, dict)]
        if isinstance(data, list)
        else []
    )
    return [kept for group in groups if (kept := [str(ref) for ref in group if str(ref) in known])]
