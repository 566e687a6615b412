"""Which of Taobao's open orders share a recipient: only the platform can say, and only for a hundred at a time.

Orders are first divided by what stays readable (province, city, district, town): different ones cannot share a
recipient. The rest is asked so that every two orders of a place meet in one question. An order that is alone in
its place is asked about too, so that "alone" is the platform's word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from orderctl.model.errors import Refused
from orderctl.model.identity import digest
from orderctl.ports.http import parse_json, write_json
from orderctl.ports.platforms.port import RawRow
from orderctl.ports.platforms.taobao.gateway import Gateway, listed

ASK = "taobao.top.oaid.merge"
LIMIT = 100

Sealed = tuple[str, str]
"""(tid, oaid)"""


def same_recipient(gateway: Gateway, records: Sequence[RawRow]) -> dict[str, str]:
    """Give `{"same_recipient": KEY}` as JSON text for every order with an answer; equal keys, same recipient.

    A key is made of one order of the group and its OAID. The platform changes the OAID with the address, so a key
    that was given out before an address changed never meets one from after it.
    """
    orders = sorted(_sealed(records))
    oaids = dict(order for _, order in orders)
    mates: dict[str, str] = {}

    def root(tid: str) -> str:
        while mates.setdefault(tid, tid) != tid:
            tid = mates[tid]
        return tid

    for question in _questions(orders):
        for group in _ask(gateway, question):
            for tid in group:
                low, high = sorted((root(group[0]), root(tid)))
                mates[high] = low
    keys = {tid: digest(root(tid), oaids[root(tid)])[:32] for tid in list(mates)}
    return {tid: write_json({"same_recipient": key}) for tid, key in keys.items()}


def _sealed(records: Sequence[RawRow]) -> Iterator[tuple[tuple[str, ...], Sealed]]:
    """Give the readable part of the address with (tid, oaid), for the orders that have an oaid."""
    for record in records:
        trade: dict[str, Any] = parse_json((record["payload"] or "{}").encode())
        if trade.get("oaid") and record["platform_ref"]:
            place = tuple(
                str(trade.get(f"receiver_{part}") or "") for part in ("state", "city", "district", "town")
            )
            yield place, (record["platform_ref"], str(trade["oaid"]))


def _questions(asked: Sequence[tuple[tuple[str, ...], Sealed]]) -> Iterator[list[Sealed]]:
    """Divide into questions of at most a hundred, so that all orders of one place meet pairwise."""
    places: dict[tuple[str, ...], list[Sealed]] = {}
    for place, order in asked:
        places.setdefault(place, []).append(order)
    waiting: list[Sealed] = []
    for orders in places.values():
        if len(orders) > LIMIT:
            half = LIMIT // 2
            blocks = [orders[k : k + half] for k in range(0, len(orders), half)]
            yield from (left + right for left, right in combinations(blocks, 2))
        else:
            if len(waiting) + len(orders) > LIMIT:
                yield waiting
                waiting = []
            waiting = waiting + orders
    if waiting:
        yield waiting


def _ask(gateway: Gateway, orders: Sequence[Sealed]) -> list[list[str]]:
    pairs = [{"oaid": oaid, "tid": int(tid) if tid.isdigit() else tid} for tid, oaid in orders]
    try:
        answer = gateway.call(ASK, {"merge_list": write_json(pairs)})
    except Refused:
        return []  # an address changed since it was read; unanswered orders are simply not joined this time
    known = {tid for tid, _ in orders}
    groups = [str(text).split(",") for text in listed(answer.get("tid_list"), "string")]
    return [kept for group in groups if (kept := [tid.strip() for tid in group if tid.strip() in known])]
