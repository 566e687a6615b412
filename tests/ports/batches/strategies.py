"""Any record the contract allows, made from the models themselves, and what foreign writers do to lines."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any, Literal, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel

from orderctl.model.instant import write_instant
from orderctl.model.records import MODELS
from orderctl.model.schema import KEYS, members

NASTY = '"\\/\b\t\n\r\x00\x1f\x7f\x85\xa0\u2028\u2029\u200b\u202e\ufeff\ufffd中文😀e\u0301 {}[],:'
CHARACTERS = st.one_of(st.sampled_from(NASTY), st.characters(exclude_categories=["Cs"]))
TEXTS = st.text(CHARACTERS, max_size=6)
INTEGERS = st.one_of(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1))
INSTANTS = st.datetimes(timezones=st.just(UTC)).map(write_instant)
NUMBERS = st.one_of(st.integers(-(10**30), 10**30), st.floats(allow_nan=False, allow_infinity=False))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=3)


def _value(kind: Any) -> st.SearchStrategy[Any]:
    origin = get_origin(kind)
    if origin is list:
        return st.lists(_value(get_args(kind)[0]), max_size=2)
    if origin is dict:
        return OBJECTS
    if origin is Literal:
        return st.just(get_args(kind)[0])
    if issubclass(kind, BaseModel):
        return filled(kind)
    return {str: TEXTS, int: INTEGERS, bool: st.booleans()}[kind]


def filled(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """Give objects of `model` as the published contract allows them."""
    parts = {}
    for member in members(model):
        value = INSTANTS if member.is_instant else _value(member.type)
        parts[member.name] = st.one_of(st.none(), value) if member.nullable else value
    return st.fixed_dictionaries(parts)


def records(kind: str, *, unknown: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """Give records of `kind`, with keys at the top that nobody knows."""
    model = MODELS[kind]
    known = {member.name for member in members(model)}
    whole = st.builds(
        lambda record, key: {**record, KEYS[kind]: key},
        filled(model),
        st.text(CHARACTERS, min_size=1, max_size=8),
    )
    if not unknown:
        return whole
    keys = TEXTS.filter(lambda key: key not in known) | st.just("extra")
    return st.builds(
        lambda record, more: {**record, **more}, whole, st.dictionaries(keys, VALUES, max_size=2)
    )


def compact(record: dict[str, Any]) -> str:
    """Write a record as one line without spaces, characters as they are."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def spaced(record: dict[str, Any]) -> str:
    """Write a record as other programs do: spaces, escapes, keys in another order."""
    return json.dumps(dict(reversed(record.items())), allow_nan=False)
