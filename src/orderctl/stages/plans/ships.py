"""One `platform.ship` for each order of a shipment, and what the platform was told back into the shipment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from orderctl.model.effect import Effect
from orderctl.model.identity import fingerprint
from orderctl.stages.plans.rows import Row, bound, claims

KIND = "platform.ship"


class Telling(NamedTuple):
    """What one platform is to be told of one order: the number its lines travel under."""

    row: Row
    order: Row
    effect: Effect


def subject_of(order_id: str, shipment_id: str) -> str:
    """Name what is told: which order, of which shipment."""
    return f"{order_id}/{shipment_id}"


def plan_ships(rows: Iterable[Row], *, key: bytes, revisions: Mapping[str, int]) -> list[Telling]:
    """Give what the platforms are to be told of `rows`, order by order; rows without a number are not planned."""
    found: list[Telling] = []
    for row in rows:
        numbers = [p["number"] for p in row["parcels"]]
        for order in row["orders"]:
            sent = claims(row, order["order_id"])
            if not sent or not all(numbers):
                continue
            subject = subject_of(order["order_id"], row["shipment_id"])
            what = sorted(f"{c.line_ref}x{c.quantity}" for c in sent)
            effect = Effect(
                kind=KIND,
                subject=subject,
                purpose=row["purpose"],
                revision=revisions.get(subject, 1),
                fingerprint=fingerprint(key, [row["courier"], *numbers, "|", *what]),
                claims=sent,
                shipment_id=row["shipment_id"],
                attributes=bound(row),
            )
            found.append(Telling(row, order, effect))
    return found


def fold_ship(row: Row, order_id: str, result: Mapping[str, Any]) -> None:
    """Put what a platform was told into the shipment, in the place of an earlier record of the same order."""
    kept = [s for s in row["shipped"] if s["order_id"] != order_id]
    told = {
        "order_id": order_id,
        "parcel_no": 1,
        "at": result["at"],
        "state": "told",
        "detail": result.get("detail"),
    }
    row["shipped"] = sorted([*kept, told], key=lambda s: (s["order_id"], s["parcel_no"]))
