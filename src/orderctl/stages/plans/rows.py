"""What all plans ask of a shipment row, and how they leave a problem on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from orderctl.model.effect import Claim
from orderctl.model.identity import fingerprint
from orderctl.model.problem import finding
from orderctl.stages.committed import write_trail

Row = dict[str, Any]
Standing = Literal["ready", "blocked", "waiting", "empty"]
ACTIONS = ("print", "ship")
_BOUND = ("courier", "service", "account", "issuer", "warehouse")
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


def standing(row: Mapping[str, Any]) -> Standing:
    """Say whether a row may be acted on, judged by the problems of the stages before the actions."""
    found = {p["severity"] for p in row["problems"] if p["stage"] not in ACTIONS}
    if "block" in found:
        return "blocked"
    if "wait" in found:
        return "waiting"
    return "ready" if any(carried(row)) else "empty"


def carried(row: Mapping[str, Any]) -> Iterable[Row]:
    """Give the lines of which this shipment carries something."""
    return (line for line in row["lines"] if line["quantity"])


def claims(row: Mapping[str, Any], order_id: str | None = None) -> tuple[Claim, ...]:
    """Give the line quantities this shipment sends on their way, of one order or of all."""
    return tuple(
        Claim(
            order_id=line["order_id"],
            line_ref=line["line_ref"],
            quantity=line["quantity"],
            available=(line["quantity_ordered"] or line["quantity"]) - (line["quantity_refunded"] or 0),
        )
        for line in carried(row)
        if order_id in (None, line["order_id"])
    )


def meaning(row: Mapping[str, Any], key: bytes) -> str:
    """Give the fingerprint of a dispatch: to whom, which lines, by which courier and service.

    A sealed recipient is known by the platform's own reference, which changes with the address; the ciphertext,
    which changes without reason, is no part of it.
    """
    to = row["recipient"]
    sealed = to["sealed"]
    whom = [sealed["scheme"], sealed["ref"]] if sealed else [*(to[k] for k in _PLACE), *to["address_lines"]]
    what = [
        f"{c.order_id}#{c.line_ref}x{c.quantity}"
        for c in sorted(claims(row), key=lambda c: (c.order_id, c.line_ref))
    ]
    return fingerprint(key, [*whom, "|", *what, "|", row["courier"], row["service"]])


def bound(row: Mapping[str, Any]) -> dict[str, str | None]:
    """Give what a shipment is bound to when it begins to act, and why."""
    return {**{name: row[name] for name in _BOUND}, "trail": write_trail(row)}


def clear(row: Row, stage: str) -> None:
    """Remove the problems a stage left on a row before."""
    row["problems"] = [p for p in row["problems"] if p["stage"] != stage]


def note(row: Row, stage: str, code: str, /, **params: str | None) -> None:
    """Leave a problem on a row."""
    row["problems"].append(finding(code, stage=stage, **params))
