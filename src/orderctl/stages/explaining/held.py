"""Why one shipment waits, until when, what ended the holds that are over, and how a person ends one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from orderctl.model.text import Text
from orderctl.stages.choosing.holding import ended_by
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.explaining.judged import Looked, StepExplained, look
from orderctl.stages.rules.book import RuleBook

_OVER = {
    "released": Text("a person has released it"),
    "stock": Text("all of it is in stock"),
    "time": Text("its time has come"),
}
_RELEASE = (
    """to end it: orderctl ledger decide {subject} release --payload '{{"hold": "{rule}"}}' --reason WHY"""
)


def hold_step(
    row: Mapping[str, Any], found: Mapping[str, Any], facts: pl.DataFrame, book: RuleBook, moment: Moment
) -> StepExplained:
    """Say what holds the shipment `row`.

    Args:
        found: what `choose` gave for it.
        facts: the facts frame of one row that it was decided by.
    """
    looked: list[Looked] = []
    for number, rule in enumerate(book.rules.holds):
        one = look(rule, book.place("holds", number), facts)
        over = ended_by(rule, facts, moment) if one.verdict == "match" else None
        looked.append(one if over is None else Looked(one.rule, one.place, "no", _OVER[over]))
        if looked[-1].verdict == "match":
            break
    told = tuple(_told(row, found))
    return StepExplained("hold", found["hold"], found["hold_reason"], tuple(looked), told=told)


def _told(row: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Text]:
    if found["hold"] is None:
        return
    if found["hold_until"] is not None:
        yield Text("until {until}", until=found["hold_until"])
    orders = [order["order_id"] for order in row["orders"]]
    subject = orders[0] if len(orders) == 1 else row["shipment_id"]
    yield Text(_RELEASE, subject=subject, rule=found["hold_rule"])
