"""The polars and JSON forms of the records, derived from `model/records.py` so that there is one source.

Frames hold exactly these columns in this order, and a last one, `extra`: the unknown top-level keys of a record
as JSON text (null when there are none). Free-form objects (`payload`) are JSON text in frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import polars as pl
from pydantic import BaseModel

from orderctl.model.records import (
    INSTANT,
    MODELS,
    Instant,
    Line,
    Order,
    Param,
    Problem,
    Raw,
    Recipient,
    Record,
    Shipment,
)

if TYPE_CHECKING:
    from polars._typing import PolarsDataType

_SCALARS: dict[type, pl.DataType] = {str: pl.String(), int: pl.Int64(), bool: pl.Boolean()}


def _dtype(kind: Any) -> pl.DataType:
    origin = get_origin(kind)
    if origin is list:
        return pl.List(_dtype(get_args(kind)[0]))
    if origin is Literal or origin is dict:
        return pl.String()
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return pl.Struct(fields(kind))
    return _SCALARS[kind]


@dataclass(frozen=True)
class Member:
    """One field of a model: its published name, its type without "or null", and what a value must be."""

    name: str
    type: Any
    nullable: bool
    is_instant: bool


@cache
def members(model: type[BaseModel]) -> tuple[Member, ...]:
    """Give the fields of `model`, `schema` first."""
    hints = get_type_hints(model, include_extras=True)
    found = []
    for name, about in model.model_fields.items():
        choices = get_args(hints[name]) if get_origin(hints[name]) in (Union, UnionType) else (hints[name],)
        kept = next(choice for choice in choices if choice is not type(None))
        bare = get_args(kept)[0] if get_origin(kept) is Annotated else kept
        found.append(Member(about.alias or name, bare, type(None) in choices, kept == Instant))
    return tuple(sorted(found, key=lambda member: member.name != "schema"))


def fields(model: type[BaseModel]) -> dict[str, pl.DataType]:
    """Give the polars type of every field of `model`, by published name."""
    return {member.name: _dtype(member.type) for member in members(model)}


def _frame(model: type[Record]) -> pl.Schema:
    return pl.Schema({**fields(model), "extra": pl.String()})


RAW = _frame(Raw)
ORDER = _frame(Order)
SHIPMENT = _frame(Shipment)
SCHEMAS: dict[str, pl.Schema] = {"raw/1": RAW, "order/1": ORDER, "shipment/1": SHIPMENT}
KEYS = {"raw/1": "platform_ref", "order/1": "order_id", "shipment/1": "shipment_id"}

LINE = pl.Struct(fields(Line))
RECIPIENT = pl.Struct(fields(Recipient))
PROBLEM = pl.Struct(fields(Problem))
PARAMS = pl.List(pl.Struct(fields(Param)))
EMPTY_TEXTS = pl.lit([], dtype=pl.List(pl.String))


def empty(kind: str) -> pl.DataFrame:
    """Give a batch of `kind` without rows."""
    return pl.DataFrame(schema=SCHEMAS[kind])


def _null(dtype: PolarsDataType) -> pl.Expr:
    return pl.lit([], dtype=dtype) if isinstance(dtype, pl.List) else pl.lit(None, dtype=dtype)


def _holds_lists(dtype: PolarsDataType) -> bool:
    return isinstance(dtype, pl.List) or (
        isinstance(dtype, pl.Struct) and any(_holds_lists(f.dtype) for f in dtype.fields)
    )


def _has_null_lists(values: pl.Series) -> bool:
    """Tell whether a list is null anywhere in `values` but inside a null struct."""
    if isinstance(values.dtype, pl.Struct):
        whole = values.drop_nulls()
        inner = [whole.struct.field(f.name) for f in values.dtype.fields if _holds_lists(f.dtype)]
        return any(_has_null_lists(part) for part in inner)
    if not isinstance(values.dtype, pl.List):
        return False
    if values.null_count():
        return True
    return _holds_lists(values.dtype.inner) and _has_null_lists(values.explode(empty_as_null=False))


def _lossless(have: PolarsDataType, want: PolarsDataType) -> bool:
    """Tell whether every value of `have` is the same value as `want`, or the cast fails."""
    if isinstance(want, pl.String):
        return have.is_integer() or have in (pl.Categorical, pl.Enum)
    return isinstance(want, pl.Int64) and have.is_integer()


def fit(value: pl.Expr, have: PolarsDataType | None, want: PolarsDataType) -> pl.Expr:
    """Give `value` of type `have` as `want`: missing struct fields become null, missing lists empty.

    Raises: polars.exceptions.SchemaError if the types do not fit without loss.
    """
    if have is None or have == pl.Null:
        return _null(want)
    if have == want and not _holds_lists(want):
        return value
    if isinstance(want, pl.Struct) and isinstance(have, pl.Struct):
        known = {f.name: f.dtype for f in have.fields}
        parts = [
            fit(value.struct.field(f.name), known.get(f.name), f.dtype).alias(f.name)
            if f.name in known
            else _null(f.dtype).alias(f.name)
            for f in want.fields
        ]
        return pl.when(value.is_not_null()).then(pl.struct(parts))
    if isinstance(want, pl.List) and isinstance(have, pl.List):
        same = have.inner == want.inner and not _holds_lists(want.inner)
        inner = value if same else value.list.eval(fit(pl.element(), have.inner, want.inner))
        return inner.fill_null(_null(want))
    if not _lossless(have, want):
        raise pl.exceptions.SchemaError(f"{have} where {want} is expected")
    return value.cast(want)


def conform(frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Give `frame` exactly the columns of `kind`, in order: missing ones null or empty, others dropped.

    Raises: polars.exceptions.PolarsError if a present column does not fit without loss.
    """
    if not frame.width:
        return empty(kind)
    have, schema = frame.schema, SCHEMAS[kind]

    def column(name: str, dtype: pl.DataType) -> pl.Expr:
        if name == "schema":
            return pl.lit(kind)
        if have.get(name) == dtype and not _has_null_lists(frame[name]):
            return pl.col(name)
        return fit(pl.col(name), have.get(name), dtype).cast(dtype)

    return frame.select(column(name, dtype).alias(name) for name, dtype in schema.items())


def _breaches(model: type[BaseModel], field: Callable[[str], pl.Expr]) -> list[pl.Expr]:
    """Give one test for each field of `model` that can be wrong though its type is right."""
    found: list[pl.Expr] = []
    for member in members(model):
        value, dtype = field(member.name), _dtype(member.type)
        if isinstance(dtype, pl.List):
            inner = get_args(member.type)[0]
            element = [pl.element().is_null()]
            if isinstance(dtype.inner, pl.Struct):
                element += _breaches(inner, pl.element().struct.field)
            found.append(value.list.eval(pl.any_horizontal(element)).list.any())
            continue
        if not member.nullable:
            found.append(value.is_null())
        if member.is_instant:
            found.append(~value.str.contains(INSTANT))
        if isinstance(dtype, pl.Struct):
            deep = pl.any_horizontal(_breaches(member.type, value.struct.field))
            found.append(value.is_not_null() & deep)
    return found


def breaches(kind: str) -> pl.Expr:
    """True for a row that has the types of `kind` and yet breaks its contract.

    Such are a null where a value must be, and an instant of another form. Lists may be null: `conform` fills them.
    """
    tests = pl.any_horizontal(_breaches(MODELS[kind], pl.col))
    return (tests.fill_null(False) | (pl.col("schema") != kind) | (pl.col(KEYS[kind]) == "")).fill_null(True)


def json_schema(kind: str) -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of a record of `kind`, for example `order/1`."""
    found = MODELS[kind].model_json_schema(by_alias=True, mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
