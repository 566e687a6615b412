"""What platforms are told of shipments, what they are told instead, and both back into the shipment.

One `platform.ship` tells a platform of one order of a shipment, with the numbers of all its parcels. A number that was
wrong is corrected by one `platform.amend` each, on a person's command. The one invariant: a shipment means the same
before and after a correction, so neither the old batch nor one with the new number is in conflict with what was told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from orderctl.model.effect import Effect, Entry
from orderctl.model.identity import fingerprint
from orderctl.stages.merging.gift_lines import OURS
from orderctl.stages.plans.rows import Row, bound, claims

KIND = "platform.ship"
AMEND = "platform.amend"


class Telling(NamedTuple):
    """What one platform is to be told of one order: the numbers its lines travel under."""

    row: Row
    order: Row
    effect: Effect


class Correction(NamedTuple):
    """A number and courier a person put in the place of those that were told for one parcel of a telling."""

    parcel_no: int
    number: str
    courier: str
    before: str
    courier_before: str


def subject_of(order_id: str, shipment_id: str) -> str:
    """Name what is told: which order, of which shipment."""
    return f"{order_id}/{shipment_id}"


def plan_ships(
    rows: Iterable[Row],
    *,
    key: bytes,
    revisions: Mapping[str, int],
    corrections: Mapping[str, Sequence[Correction]],
) -> list[Telling]:
    """Give what the platforms are to be told of `rows`, order by order; rows without a number are not planned.

    `revisions` has the current one of subjects told anew, `corrections` what was corrected of a subject, in order.
    """
    found: list[Telling] = []
    for row in rows:
        numbers = [p["number"] for p in row["parcels"]]
        for order in row["orders"]:
            sent = claims(row, order["order_id"])
            told = [c for c in sent if not c.line_ref.startswith(OURS)]  # no platform knows of our gifts
            if not told or not all(numbers):
                continue
            subject = subject_of(order["order_id"], row["shipment_id"])
            what = sorted(f"{c.line_ref}x{c.quantity}" for c in told)
            courier, first = as_told(row["courier"], numbers, corrections.get(subject, ()))
            effect = Effect(
                kind=KIND,
                subject=subject,
                purpose=row["purpose"],
                revision=revisions.get(subject, 1),
                fingerprint=fingerprint(key, [courier, *first, "|", *what]),
                claims=sent,
                shipment_id=row["shipment_id"],
                attributes=bound(row),
            )
            found.append(Telling(row, order, effect))
    return found


def as_told(
    courier: str | None, numbers: Sequence[str], corrections: Sequence[Correction]
) -> tuple[str | None, list[str]]:
    """Give courier and numbers as they were first told, whether or not they are the corrected ones by now."""
    told = list(numbers)
    for fix in reversed(corrections):
        if told[fix.parcel_no - 1 : fix.parcel_no] == [fix.number] and courier in (
            fix.courier,
            fix.courier_before,
        ):
            told[fix.parcel_no - 1] = fix.before
            courier = fix.courier_before
    return courier, told


def amends_of(amends: Iterable[Entry], ship_revision: int) -> list[Mapping[str, Any]]:
    """Give the results of what was corrected of one telling, in order. Those of earlier revisions of it are history."""
    done = [e for e in amends if e.state == "done" and e.result is not None]
    done.sort(key=lambda e: (e.settled_at or "", e.revision))
    results: list[Mapping[str, Any]] = [e.result for e in done if e.result is not None]
    return [r for r in results if r.get("of", ship_revision) == ship_revision]


def corrections_of(amends: Iterable[Entry], ship_revision: int) -> list[Correction]:
    """Give the corrections of one telling, in order; one that a person settled says nothing of numbers."""
    return [
        Correction(*(result[name] for name in Correction._fields))
        for result in amends_of(amends, ship_revision)
        if "before" in result
    ]


def plan_amend(
    ship: Entry, *, parcel_no: int, number: str, courier: str, revision: int, key: bytes
) -> Effect:
    """Give the effect that tells a platform another number for a parcel of what it was told by `ship`."""
    meaning = [str(ship.revision), str(parcel_no), number, courier]
    return Effect(
        kind=AMEND,
        subject=amend_subject(ship.subject, parcel_no),
        purpose=ship.purpose,
        revision=revision,
        fingerprint=fingerprint(key, meaning),
        shipment_id=ship.shipment_id,
    )


def amend_subject(subject: str, parcel_no: int) -> str:
    """Name what is corrected: the number of the first parcel of a telling, or of a later one."""
    return subject if parcel_no == 1 else f"{subject}#{parcel_no}"


def told_subject(amended: str) -> str:
    """Give the subject of the telling that `amended`, a subject of a correction, belongs to."""
    head, mark, tail = amended.rpartition("#")
    return head if mark and tail.isdigit() else amended


def fold_ship(row: Row, order_id: str, result: Mapping[str, Any]) -> None:
    """Put what a platform was told into the shipment, parcel by parcel, in the place of earlier records of the order.

    `untold` in the result are the numbers, joined by commas, that the platform had no room for.
    """
    untold = set(str(result.get("untold") or "").split(","))
    told = [
        {
            "order_id": order_id,
            "parcel_no": parcel["parcel_no"],
            "at": result["at"],
            "state": "untold" if parcel["number"] in untold else "told",
            "detail": result.get("detail"),
        }
        for parcel in row["parcels"]
    ]
    kept = [s for s in row["shipped"] if s["order_id"] != order_id]
    row["shipped"] = sorted([*kept, *told], key=lambda s: (s["order_id"], s["parcel_no"]))


def fold_amend(row: Row, order_id: str, result: Mapping[str, Any]) -> None:
    """Put a correction into the shipment: the record of its parcel says the number the platform has now."""
    for told in row["shipped"]:
        if told["order_id"] == order_id and told["parcel_no"] == result.get("parcel_no", 1):
            told.update(at=result["at"], state="corrected", detail=result.get("number"))
