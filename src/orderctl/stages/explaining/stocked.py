"""Why a warehouse was proposed, where stock was dealt out over a whole batch.

One shipment alone cannot tell what the others took, so this is read from its trail, not decided again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from orderctl.model.facts import DECISIONS, Facts
from orderctl.model.text import Text

REASONS = {
    "allocated": Text("the cheapest that has everything"),
    "split": Text("a part of it, for no one has everything"),
    "out_of_stock": Text("not enough in stock"),
    "no_room": Text("full for today"),
}
_PROBLEMS = ("out_of_stock", "warehouse_full")


def proposal(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Give the step in the trail of `row` that proposed its warehouse from stock; None where none did."""
    for step in row["decision"] or ():
        if step["step"] == "warehouse" and (step["reason"] in REASONS or _params(step).get("candidates")):
            return step if step["reason"] not in ("pinned", "committed") else None
    return None


def _params(step: Mapping[str, Any]) -> dict[str, str | None]:
    return {p["name"]: p["value"] for p in step["params"]}


def as_proposed(facts: Facts, row: Mapping[str, Any]) -> Facts:
    """Give `facts` by which the warehouse of `row` is the one that was proposed; what a person pinned goes before it."""
    step = proposal(row)
    if step is None:
        return facts
    payload = json.dumps({"warehouse": step["outcome"]}, ensure_ascii=False)
    mine = [(row["shipment_id"], "pin", payload, None, None, "")]
    decisions = pl.concat([pl.DataFrame(mine, schema=DECISIONS, orient="row"), facts.decisions])
    return replace(facts, decisions=decisions)


def as_decided(found: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Give `found` (as `choose` decided by `as_proposed`) with the reason for the warehouse that the trail tells."""
    step = proposal(row)
    if step is None or found["warehouse_reason"] != "pinned" or found["warehouse"] != step["outcome"]:
        return dict(found)
    return {**found, "warehouse_reason": step["reason"]}


def stock_told(row: Mapping[str, Any]) -> tuple[Text, ...]:
    """Say which warehouses were asked, what each would cost and what lacked."""
    told: list[Text] = []
    for step in row["decision"] or ():
        said = _params(step)
        if step["step"] == "split":
            told.append(
                Text(
                    "part {part} of {parts} of {shipment}",
                    part=said.get("part"), parts=said.get("parts"), shipment=step["outcome"],
                )
            )  # fmt: skip
        elif step["step"] == "warehouse":
            told += [
                Text("{candidate}", candidate=one)
                for one in (said.get("candidates") or "").split("; ")
                if one
            ]
    return tuple(told)


def with_waits(problems: list[dict[str, Any]], row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give `problems` with what the batch told of stock."""
    known = {problem["code"] for problem in problems}
    own = [p for p in row["problems"] or () if p["code"] in _PROBLEMS and p["code"] not in known]
    return [*problems, *own] if proposal(row) is not None else problems
