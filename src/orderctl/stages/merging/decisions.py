"""What people decided about joining: who never shares a parcel, and which orders always do.

`never_merge` on an order or a buyer (`buyer:PLATFORM:SHOP:REF`) keeps it apart from all others; with a payload
`{"with": [ORDER, ...]}` only from these. `always_merge` on an order, `{"with": [ORDER, ...]}`, sends these with it, to its own
recipient. Of two decisions that contradict each other `never_merge` counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from orderctl.model.errors import DataError
from orderctl.model.text import Text

NEVER, ALWAYS = "never_merge", "always_merge"
_PINS = pl.Schema({"order_id": pl.String(), "pin": pl.String(), "rank": pl.Int64()})


@dataclass(frozen=True)
class Said:
    """People's decisions in the form in which groups are made.

    `alone` and `buyers` share a parcel with nobody, the pairs in `apart` not with each other; `together` are sets of
    orders, the first of which says where the parcel goes.
    """

    alone: frozenset[str] = frozenset()
    buyers: frozenset[str] = frozenset()
    apart: frozenset[frozenset[str]] = frozenset()
    together: tuple[tuple[str, ...], ...] = field(default=())

    @cached_property
    def never(self) -> pl.Expr:
        """True for orders that share a parcel with nobody."""
        buyer = pl.concat_str(pl.lit("buyer"), "platform", "shop", "buyer_ref", separator=":")
        return pl.col("order_id").is_in(sorted(self.alone)) | buyer.is_in(sorted(self.buyers)).fill_null(
            False
        )

    @cached_property
    def leads(self) -> list[str]:
        """The orders whose recipient gets the parcel they are in."""
        return [orders[0] for orders in self.together]

    @cached_property
    def pins(self) -> pl.DataFrame:
        """`order_id`, `pin` (one name for orders that go together), `rank` (0 for the one that leads)."""
        rows = [(one, orders[0], at) for orders in self.together for at, one in enumerate(orders)]
        return pl.DataFrame(rows, schema=_PINS, orient="row")

    @cached_property
    def pairs(self) -> pl.DataFrame:
        """`order_id`, `other`: the pairs in `apart`, both ways round."""
        rows = sorted(
            way
            for pair in self.apart
            for one, other in [sorted(pair)]
            for way in [(one, other), (other, one)]
        )
        return pl.DataFrame(rows, schema={"order_id": pl.String, "other": pl.String}, orient="row")


def read_decisions(decisions: pl.DataFrame) -> Said:
    """Read what people decided of joining. Raises: DataError for a payload that names no orders."""
    alone, buyers, apart = set(), set(), set()
    links: list[tuple[str, list[str]]] = []
    mine = decisions.filter(pl.col("decision").is_in([NEVER, ALWAYS]))
    for subject, decision, payload in (
        mine.select("subject", "decision", "payload").sort(pl.all()).iter_rows()
    ):
        others = _named(subject, decision, payload)
        if decision == ALWAYS:
            links.append((subject, others))
        elif others:
            apart |= {frozenset({subject, other}) for other in others if other != subject}
        elif subject.startswith("buyer:"):
            buyers.add(subject)
        else:
            alone.add(subject)
    return Said(frozenset(alone), frozenset(buyers), frozenset(apart), _joined(links))


def _named(subject: str, decision: str, payload: str | None) -> list[str]:
    """Give the orders a payload names; none without one, which only `never_merge` may be."""
    try:
        said: Any = json.loads(payload) if payload else {"with": []}
    except ValueError:
        said = None
    others: Any = said.get("with") if isinstance(said, dict) else None
    named = isinstance(others, list) and all(isinstance(one, str) for one in others)
    if not named or (not others and (payload or decision == ALWAYS)):
        raise DataError(
            Text(
                'the decision {decision} of {subject} names no orders: its payload is {{"with": [...]}}',
                decision=decision,
                subject=subject,
            )
        )
    return [*others]


def _joined(links: list[tuple[str, list[str]]]) -> tuple[tuple[str, ...], ...]:
    """Put sets that share an order together; the order that no other one takes along comes first."""
    home: dict[str, set[str]] = {}
    for subject, others in links:
        whole = {subject, *others}.union(*(home.get(one, set()) for one in [subject, *others]))
        home.update(dict.fromkeys(whole, whole))
    taken = {one for _, others in links for one in others}
    sets = {id(whole): whole for whole in home.values()}.values()
    return tuple(sorted(tuple(sorted(whole, key=lambda one: (one in taken, one))) for whole in sets))


def plan_decisions(
    decisions: pl.DataFrame, orders: Iterable[str], *, together: bool
) -> dict[tuple[str, str], dict[str, list[str]] | None]:
    """Plan what must be decided so that `orders` go together (the first leads), or each apart from the others.

    Returns: (subject, decision) -> payload, null where the decision is to be withdrawn; only what changes. What was said of
        other orders stays; what says the contrary of these is taken back.
    """
    orders = list(dict.fromkeys(orders))
    mine = decisions.filter(pl.col("decision").is_in([NEVER, ALWAYS]))
    was = {
        (subject, decision): _named(subject, decision, payload)
        for subject, decision, payload in mine.select("subject", "decision", "payload").iter_rows()
    }
    will: dict[tuple[str, str], list[str] | None] = {}
    contrary = NEVER if together else ALWAYS
    for (subject, decision), others in was.items():
        if subject in orders and decision == contrary and (not others or set(others) & set(orders)):
            will[subject, decision] = [one for one in others if one not in orders] or None
    for one, others in [(orders[0], orders[1:])] if together else _each_apart(orders):
        key = (one, ALWAYS if together else NEVER)
        before = was.get(key)
        if before == []:  # already apart from everybody
            continue
        if set(others) - set(before or []):
            will[key] = sorted({*others, *(before or [])})
    return {key: {"with": others} if others else None for key, others in will.items()}


def _each_apart(orders: list[str]) -> list[tuple[str, list[str]]]:
    ordered = sorted(orders)
    return [(one, ordered[at + 1 :]) for at, one in enumerate(ordered[:-1])]
