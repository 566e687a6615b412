"""One plain record of each kind, to be spoiled."""

from __future__ import annotations

from typing import Any

from orderctl.model.records import MODELS
from orderctl.model.schema import KEYS, members
from tests.ports.batches.strategies import compact


def _plain(model: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for member in members(model):
        if member.nullable:
            found[member.name] = None
        elif hasattr(member.type, "model_fields"):
            found[member.name] = _plain(member.type)
        elif member.is_instant:
            found[member.name] = "2026-11-24T05:30:28Z"
        else:
            found[member.name] = {str: "样例", int: 1, bool: False, dict: {}}.get(member.type, [])
    return found


def record(kind: str, number: int, **changes: Any) -> dict[str, Any]:
    """Give record `number` of `kind` with nothing in it that need not be."""
    found = _plain(MODELS[kind]) | {"schema": kind, KEYS[kind]: f"p:s:{number}"}
    if kind == "raw/1":
        found["payload"] = {"id": number}
        found["format"] = "sample/one"
    return found | changes


def line(kind: str, number: int, **changes: Any) -> str:
    return compact(record(kind, number, **changes))
