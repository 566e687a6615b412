"""The corpus of merge groups: each case normalized and merged, and what came of it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from orderctl.model.facts import COMMITMENTS, DECISIONS, Facts
from orderctl.stages.merge import MergeRules, merge
from orderctl.stages.normalize import NormalizeRules, normalize
from tests.stages.samples import RECIPIENT, line, order, orders

NOW = "2026-11-24T00:00:00Z"
Pairs = frozenset[frozenset[str]]
_FILES = [
    yaml.safe_load((Path(__file__).parent / name).read_text("utf-8"))
    for name in ("corpus.yaml", "unseen.yaml")
]
PEOPLE: dict[str, Any] = _FILES[0]["people"] | _FILES[1]["people"]
TUNED: list[dict[str, Any]] = _FILES[0]["cases"]
UNSEEN: list[dict[str, Any]] = [c for c in _FILES[1]["cases"] if c["case"].startswith("unseen: ")]
LATE: list[dict[str, Any]] = [c for c in _FILES[1]["cases"] if c["case"].startswith("late: ")]
CASES = TUNED + UNSEEN + LATE
_WISHES = {
    "wish": ("option", False),
    "avoid": ("option", True),
    "buyer_wish": ("buyer_note", False),
    "seller_wish": ("seller_note", False),
}
_LINE = ("quantity", "quantity_shipped", "quantity_to_ship")


@dataclass(frozen=True)
class Outcome:
    """What merging made of a case: pairs in one parcel, pairs suggested, why and whereto by order, parcels."""

    joined: Pairs
    suggested: Pairs
    why: dict[str, str]
    to: dict[str, str]
    parcels: int


def expected(case: dict[str, Any]) -> tuple[Pairs, Pairs | None]:
    """Give the pairs that ought to be joined and to be suggested; null where nothing is said of suggestions."""
    joined = frozenset(pair for group in case.get("join", []) for pair in _pairs(map(str, group)))
    told = case.get("suggest", None if joined or case.get("why") else [])
    return joined, None if told is None else frozenset(frozenset(map(str, pair)) for pair in told)


def outcome(case: dict[str, Any]) -> Outcome:
    """Normalize and merge the orders of a case."""
    rows = [_order(str(ref), said or {}) for ref, said in case["orders"].items()]
    ids = {row["platform_ref"]: row["order_id"] for row in rows}
    facts = Facts(
        commitments=_committed(case, ids), decisions=_decisions(case, ids), shop_groups=case.get("groups", {})
    )
    given = orders(*rows)
    batch = normalize(given, NormalizeRules(), facts, NOW).with_columns(given["wishes"])  # read of no note
    found = merge(batch, MergeRules.model_validate(case.get("rules", {})), facts, NOW).to_dicts()
    members = {row["shipment_id"]: [one["platform_ref"] for one in row["orders"]] for row in found}
    near = frozenset(
        frozenset({members[row["shipment_id"]][0], members[other][0]})
        for row in found
        for other in row["merge"]["with"]
    )
    return Outcome(
        joined=frozenset(pair for group in members.values() for pair in _pairs(group)),
        suggested=near,
        why={ref: row["merge"]["why"] for row in found for ref in members[row["shipment_id"]]},
        to={ref: row["recipient"]["name"] for row in found for ref in members[row["shipment_id"]]},
        parcels=len(found),
    )


def _pairs(group: Any) -> Iterator[frozenset[str]]:
    return map(frozenset, itertools.combinations(group, 2))


def _order(ref: str, said: dict[str, Any]) -> dict[str, Any]:
    """Make `order/1` of what a case says of an order."""
    said = dict(said)
    recipient = dict(PEOPLE[said.pop("who", "甲")])
    platform, shop = said.pop("at", "shopify/main").split("/")
    day = said.pop("day", 1)
    made: dict[str, Any] = {"platform": platform, "shop": shop, "placed_at": f"2026-11-{day:02}T00:00:00Z"}
    made["wishes"] = [
        {"kind": kind, "value": value, "avoid": avoid, "source": source, "evidence": value}
        for name, (source, avoid) in _WISHES.items()
        for kind, value in (text.split("=") for text in said.pop(name, []))
    ]
    if hold := said.pop("hold", None):
        made["holds"] = [{"code": hold, "source": "person", "until": said.pop("ends", None), "why": None}]
    if "sealed" in said:
        proof = said.pop("sealed")
        seal = {"scheme": "s", "ref": f"sealed-{ref}", "blob": None}
        recipient |= {"name": "测*", "phone": None, "street": None, "privacy": "sealed", "sealed": seal}
        recipient |= {"match_key": proof, "match_kind": "asked" if proof else "none"}
    made["lines"] = [line(**{name: said.pop(name) for name in _LINE if name in said})]
    recipient |= {name: said.pop(name) for name in list(said) if name in RECIPIENT}
    return order(ref, recipient=recipient, **made, **said)


def _committed(case: dict[str, Any], ids: dict[str, str]) -> pl.DataFrame:
    rows = [
        {"shipment_id": shipment, "order_id": ids[str(ref)], "line_ref": "1", "quantity": quantity}
        for shipment, ref, quantity in case.get("committed", [])
    ]
    return pl.DataFrame(rows, schema=COMMITMENTS)


def _decisions(case: dict[str, Any], ids: dict[str, str]) -> pl.DataFrame:
    said: dict[tuple[str, str], list[str]] = {}
    for kind in ("never", "always"):
        for first, *others in case.get(kind, []):
            named = said.setdefault((ids.get(str(first), str(first)), f"{kind}_merge"), [])
            named += [ids[str(other)] for other in others]
    rows = [
        {"subject": subject, "decision": kind, "payload": json.dumps({"with": others}) if others else None}
        for (subject, kind), others in said.items()
    ]
    return pl.DataFrame(rows, schema=DECISIONS)
