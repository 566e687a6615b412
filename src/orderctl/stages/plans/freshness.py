"""What changed between an order inside a shipment and its newest version, as far as it matters for acting. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orderctl.stages.merging.gift_lines import is_our_gift

_PLACE = (
    "name",
    "phone",
    "phone_ext",
    "country",
    "province",
    "city",
    "district",
    "town",
    "street",
    "postcode",
)


def _whom(recipient: Mapping[str, Any]) -> list[Any]:
    sealed = recipient["sealed"]
    return (
        [sealed["scheme"], sealed["ref"]]
        if sealed
        else [recipient[k] for k in _PLACE] + recipient["address_lines"]
    )


def changes(row: Mapping[str, Any], before: Mapping[str, Any], newest: Mapping[str, Any]) -> list[str]:
    """Name what forbids acting on `before`, an order of shipment `row`, now that `newest` is known; [] if nothing."""
    found = []
    if newest["refund_open"]:
        found.append("refund_open")
    if newest["holds"]:
        found.append("holds")
    if _whom(newest["recipient"]) != _whom(before["recipient"]):
        found.append("recipient")
    left = {line["line_ref"]: line["quantity_to_ship"] or 0 for line in newest["lines"]}
    if any(
        line["quantity"] > left.get(line["line_ref"], 0)
        for line in row["lines"]
        if line["order_id"] == before["order_id"] and line["quantity"] and not is_our_gift(line)
    ):
        found.append(newest["status"] if newest["status"] != before["status"] else "lines")
    return found
