"""Everything known and decided about one order or shipment."""

from __future__ import annotations

import json
import sys

from orderctl.cli.session import Session
from orderctl.cli.shipments import read_rows
from orderctl.model.errors import DataError
from orderctl.model.text import Text
from orderctl.stages.explain import explain


def explain_one(session: Session, wanted: str, batch: str, rejects: str | None, *, as_json: bool) -> None:
    """Explain the shipment `wanted`, or those that carry the order `wanted` (its id or the platform's number).

    A waybill number names its shipment as well.
    """
    refused = session.rejects(rejects)
    rows = read_rows(session, batch, refused)
    found = [
        row
        for row in rows
        if wanted == row["shipment_id"]
        or any(wanted in (o["order_id"], o["platform_ref"]) for o in row["orders"])
        or any(wanted == parcel["number"] for parcel in row["parcels"])
    ]
    if not found:
        raise DataError(Text("{batch}: has no order or shipment {id}", batch=batch, id=wanted))
    facts = session.facts("history", "stock", "quota")
    for row in found:
        told = explain(row, session.book, facts, session.now)
        if as_json:
            sys.stdout.write(json.dumps(told.to_json(), ensure_ascii=False) + "\n")
        else:
            sys.stdout.write(told.render(session.console.locale) + "\n")
    session.finish_rejects(refused)
