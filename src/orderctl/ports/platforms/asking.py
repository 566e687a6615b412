"""Asking a platform which of many sealed orders share a recipient, a bounded number at a time.

Orders are first divided by what stays readable of the address: different places cannot share a recipient. The rest is
asked so that every two orders of a place meet in one question. An order that is alone in its place is asked about too,
so that "alone" is the platform's word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from orderctl.model.identity import digest
from orderctl.ports.http import write_json
from orderctl.ports.platforms.reading import side_by_side

Ask = Callable[[Sequence["Sealed"]], list[list[str]]]
"""Asks about some orders and gives groups of their ids; whoever stands in no group had no answer."""


@dataclass(frozen=True, order=True)
class Sealed:
    """An order with a sealed recipient: the readable part of its address, its id, and the seal (OAID)."""

    place: tuple[str, ...]
    ref: str
    seal: str


def same_recipient(orders: Iterable[Sealed], ask: Ask, *, limit: int) -> dict[str, str]:
    """Give `{"same_recipient": KEY}` as JSON text for every order with an answer; equal keys, same recipient.

    A key is made of one order of the group and its seal. Platforms change the seal with the address, so a key that
    was given out before an address changed never meets one from after it.

    Args:
        limit: how many orders a question may hold.
    """
    known = sorted(orders)
    seals = {order.ref: order.seal for order in known}
    mates: dict[str, str] = {}

    def root(ref: str) -> str:
        while mates.setdefault(ref, ref) != ref:
            ref = mates[ref]
        return ref

    every = list(questions(known, limit))
    for question, groups in zip(every, side_by_side(ask, every), strict=True):
        asked = {order.ref for order in question}
        for group in groups:
            told = [ref for ref in group if ref in asked]
            for ref in told:
                low, high = sorted((root(told[0]), root(ref)))
                mates[high] = low
    keys = {ref: digest(root(ref), seals[root(ref)])[:32] for ref in list(mates)}
    return {ref: write_json({"same_recipient": key}) for ref, key in keys.items()}


def questions(orders: Iterable[Sealed], limit: int) -> Iterator[list[Sealed]]:
    """Divide into questions of at most `limit`, so that all orders of one place meet pairwise."""
    places: dict[tuple[str, ...], list[Sealed]] = {}
    for order in orders:
        places.setdefault(order.place, []).append(order)
    waiting: list[Sealed] = []
    for there in places.values():
        if len(there) > limit:
            half = limit // 2
            blocks = [there[at : at + half] for at in range(0, len(there), half)]
            yield from (left + right for left, right in combinations(blocks, 2))
            continue
        if len(waiting) + len(there) > limit:
            yield waiting
            waiting = []
        waiting = waiting + there
    if waiting:
        yield waiting
