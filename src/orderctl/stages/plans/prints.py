"""One `document.print` for each parcel and document, and the print back into the shipment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from orderctl.model.effect import Effect
from orderctl.model.identity import fingerprint
from orderctl.stages.plans.rows import Row, claims
from orderctl.stages.waves.path import natural_key

KIND = "document.print"
DOCUMENTS = ("label", "packing-slip", "picklist", "card", "receipt")


class InWave(NamedTuple):
    """Where a shipment stands in its wave: its place, how many the wave has, and its slot of the sorting wall."""

    sequence: int
    total: int
    position: str


def in_wave(row: Mapping[str, Any]) -> InWave | None:
    """Say where a shipment stands in its wave; None if `route` gave it none."""
    if row["wave"] is None or row["sequence"] is None:
        return None
    steps = [step for step in row["decision"] if step["step"] == "wave"]
    told = {p["name"]: p["value"] for step in steps for p in step["params"]}
    return InWave(row["sequence"], int(told.get("of") or row["sequence"]), told.get("position") or "")


def walk_order(rows: Sequence[Row]) -> list[Row]:
    """Give `rows` as they are to be printed: wave by wave, each in its sequence, then those without a wave as they stand."""
    of_waves = [row for row in rows if in_wave(row)]
    of_waves.sort(key=lambda row: (natural_key(row["wave"]), row["sequence"]))
    return [*of_waves, *(row for row in rows if not in_wave(row))]


class Sheet(NamedTuple):
    """A document of one parcel, waiting to be printed by `effect`."""

    row: Row
    parcel_index: int
    document: str
    effect: Effect


def subject_of(row: Mapping[str, Any], parcel: Mapping[str, Any], document: str) -> str:
    """Name what is printed: shipment, parcel, document, and of a label its number.

    So the label of another number is another label, not a copy of the first.
    """
    name = f"{row['shipment_id']}/{parcel['parcel_no']}/{document}"
    return f"{name}/{parcel['number']}" if document == "label" else name


def plan_prints(
    rows: Iterable[Row], document: str, *, key: bytes, revisions: Mapping[str, int]
) -> list[Sheet]:
    """Give the sheets of one document in the order of `rows`: labels for every parcel, the others for the first.

    A card is printed only where there is one.
    """
    return [
        Sheet(row, index, document, _effect(row, parcel, document, key=key, revisions=revisions))
        for row in rows
        for index, parcel in enumerate(row["parcels"])
        if (parcel["number"] if document == "label" else index == 0) and (document != "card" or row["cards"])
    ]


def _effect(row: Row, parcel: Row, document: str, *, key: bytes, revisions: Mapping[str, int]) -> Effect:
    subject = subject_of(row, parcel, document)
    lines = [f"{c.order_id}#{c.line_ref}x{c.quantity}" for c in claims(row)]
    words = [card["text"] for card in row["cards"]] if document == "card" else []
    return Effect(
        kind=KIND,
        subject=subject,
        purpose=row["purpose"],
        revision=revisions.get(subject, 1),
        fingerprint=fingerprint(key, [*sorted(lines), *words]),
        shipment_id=row["shipment_id"],
    )


def fold_print(row: Row, parcel_no: int, document: str, revision: int, result: Mapping[str, Any]) -> None:
    """Put one finished print into its shipment, in the place of an earlier record of the same print."""
    kept = [
        p
        for p in row["printed"]
        if (p["document"], p["parcel_no"], p["revision"]) != (document, parcel_no, revision)
    ]
    done = {
        "document": document,
        "parcel_no": parcel_no,
        "copy": 1,
        "revision": revision,
        "device": result["device"],
        "at": result["at"],
        "confirmed": result["confirmed"],
    }
    if document == "label" and parcel_no == 1 and in_wave(row) is None:
        row["sequence"] = result.get("page", row["sequence"])
    row["printed"] = sorted([*kept, done], key=lambda p: (p["document"], p["parcel_no"], p["revision"]))
