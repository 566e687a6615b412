"""One `waybill.buy` for each shipment that has an issuer, and its number back into the shipment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orderctl.model.effect import Effect
from orderctl.stages.plans.rows import Row, bound, claims, meaning

KIND = "waybill.buy"


def plan_waybills(rows: Iterable[Row], *, key: bytes, revisions: Mapping[str, int]) -> list[Effect]:
    """Give the effects that buy the numbers of `rows`; `revisions` has the current one of subjects reissued."""
    return [
        Effect(
            kind=KIND,
            subject=row["shipment_id"],
            purpose=row["purpose"],
            revision=revisions.get(row["shipment_id"], 1),
            fingerprint=meaning(row, key),
            claims=claims(row),
            shipment_id=row["shipment_id"],
            attributes=bound(row),
        )
        for row in rows
    ]


def fold_waybill(row: Row, result: Mapping[str, Any]) -> None:
    """Put the recorded result of a purchase into the parcels of its shipment."""
    for parcel, bought in zip(row["parcels"], result["parcels"], strict=False):
        for name in ("number", "sort_code", "package_centre", "qr", "label"):
            parcel[name] = bought.get(name)
