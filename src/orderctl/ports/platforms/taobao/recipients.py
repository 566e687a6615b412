"""Which of Taobao's open orders share a recipient: only the platform can say, and only for a hundred at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from orderctl.model.errors import Refused
from orderctl.ports.http import parse_json, write_json
from orderctl.ports.platforms import asking
from orderctl.ports.platforms.asking import Sealed
from orderctl.ports.platforms.port import RawRow
from orderctl.ports.platforms.taobao.gateway import Gateway, listed

ASK = "taobao.top.oaid.merge"
LIMIT = 100


def same_recipient(gateway: Gateway, records: Sequence[RawRow]) -> dict[str, str]:
    """Ask about the orders that have an OAID; see `Platform.same_recipient`."""
    return asking.same_recipient(_sealed(records), lambda orders: _ask(gateway, orders), limit=LIMIT)


def _sealed(records: Sequence[RawRow]) -> Iterator[Sealed]:
    for record in records:
        trade: dict[str, Any] = parse_json((record["payload"] or "{}").encode())
        if trade.get("oaid") and record["platform_ref"]:
            levels = ("state", "city", "district", "town")
            place = tuple(str(trade.get(f"receiver_{level}") or "") for level in levels)
            yield Sealed(place, record["platform_ref"], str(trade["oaid"]))


def _ask(gateway: Gateway, orders: Sequence[Sealed]) -> list[list[str]]:
    pairs = [{"oaid": o.seal, "tid": int(o.ref) if o.ref.isdigit() else o.ref} for o in orders]
    try:
        answer = gateway.call(ASK, {"merge_list": write_json(pairs)})
    except Refused:
        return []  # an address changed since it was read; unanswered orders are simply not joined this time
    return [
        [ref.strip() for ref in str(text).split(",")] for text in listed(answer.get("tid_list"), "string")
    ]
