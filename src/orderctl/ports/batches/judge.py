"""What is wrong with one record, and what it holds that its schema does not know: line by line, for the odd ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import polars as pl

from orderctl.model.schema import KEYS, SCHEMAS
from orderctl.ports.batches.decode import TOO_DEEP, explain, once, record_checker

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True)
class Verdict:
    """Why a line is no record (`reason`), else its unknown top-level keys as JSON text and a count of nested ones."""

    reason: str | None = None
    extra: str | None = None
    nested: int = 0


def judge(text: str, kind: str) -> Verdict:
    """Look at one line of `kind` as a whole."""
    if reason := explain(text, record_checker(kind)):
        return Verdict(reason)
    try:
        found = json.loads(text, object_pairs_hook=once, parse_int=str, parse_float=str)
    except ValueError as error:
        return Verdict(str(error))
    except RecursionError:
        return Verdict(TOO_DEEP)
    if reason := stranger(found["schema"], kind):
        return Verdict(reason)
    if not found[KEYS[kind]]:
        return Verdict(f"{KEYS[kind]} is empty")
    known = SCHEMAS[kind]
    top = unknown_keys(text.encode(), frozenset(known) - {"extra"})
    nested = sum(_count(value, known[key]) for key, value in found.items() if key in known and key != "extra")
    return Verdict(None, top, nested)


def stranger(schema: str, kind: str) -> str | None:
    """Say that a record is of another kind than its batch."""
    return None if schema == kind else f"its schema is {schema[:40]}, this batch holds {kind}"


def unknown_keys(line: bytes, known: frozenset[str]) -> str | None:
    """Give the keys of an object that are not `known`, with their values as they were written, as JSON text."""
    kept = [
        f"{json.dumps(key, ensure_ascii=False)}:{bytes(value).decode()}"
        for key, value in _object.decode(line).items()
        if key not in known
    ]
    return "{" + ",".join(kept) + "}" if kept else None


def _count(value: Any, dtype: Any) -> int:
    if isinstance(value, Mapping) and isinstance(dtype, pl.Struct):
        known = {f.name: f.dtype for f in dtype.fields}
        return sum(_count(v, known[k]) if k in known else 1 for k, v in value.items())
    if isinstance(value, list) and isinstance(dtype, pl.List):
        return sum(_count(v, dtype.inner) for v in value)
    return 0
