"""When a hold ends: a time, some time after or before one of the order's own, when stock is there, or by a person's word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

ANCHORS = (
    "placed_at", "paid_at", "last_placed_at", "last_paid_at", "ship_by", "wish_ship_from", "wish_ship_by"
)  # fmt: skip
"""The times of a shipment that a hold may be counted from."""
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_COUNTED = re.compile(rf"(?:([0-9]{{1,5}}) (minute|hour|day)s? (after|before) )?({'|'.join(ANCHORS)})")


@dataclass(frozen=True)
class Ending:
    """One way a hold ends, as written.

    `at` is the wall clock of the rules' zone (kind "at"), unless it tells its own; `seconds` are counted from the fact
    `anchor` (kind "fact").
    """

    kind: Literal["person", "stock", "at", "fact"]
    at: datetime | None = None
    anchor: str | None = None
    seconds: int = 0


def parse_ending(text: str) -> Ending | None:
    """Read `person`, `stock`, `2026-12-05`, `2026-12-05 10:00`, `2 days before ship_by` or `ship_by`; None if it is none."""
    if text == "person":
        return Ending("person")
    if text == "stock":
        return Ending("stock")
    if found := _COUNTED.fullmatch(text):
        count, unit, side, anchor = found.groups()
        seconds = int(count) * _SECONDS[unit] if count else 0
        return Ending("fact", anchor=anchor, seconds=-seconds if side == "before" else seconds)
    try:
        return Ending("at", at=datetime.fromisoformat(text))
    except ValueError:
        return None
