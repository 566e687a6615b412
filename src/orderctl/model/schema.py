"""The polars and JSON forms of the records, derived from `model/records.py` so that there is one source.

Frames hold exactly these columns in this order, and a last one, `extra`: the unknown top-level keys of a record
as JSON text (null when there are none). Free-form objects (`payload`) are JSON text in frames.
"""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import polars as pl
from pydantic import BaseModel

from orderctl.model.records import MODELS, Line, Order, Param, Problem, Raw, Recipient, Record, Shipment

if TYPE_CHECKING:
    from polars._typing import PolarsDataType

_SCALARS: dict[type, pl.DataType] = {str: pl.String(), int: pl.Int64(), bool: pl.Boolean()}


def _dtype(annotation: Any) -> pl.DataType:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _dtype(args[0])
    if origin in (Union, UnionType):
        return _dtype(next(a for a in args if a is not type(None)))
    if origin is list:
        return pl.List(_dtype(args[0]))
    if origin is Literal or origin is dict:
        return pl.String()
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return pl.Struct(fields(annotation))
    return _SCALARS[annotation]


def fields(model: type[BaseModel]) -> dict[str, pl.DataType]:
    """Give the polars type of every field of `model`, by published name."""
    found = {(f.alias or name): _dtype(f.annotation) for name, f in model.model_fields.items()}
    if "schema" in found:
        found = {"schema": found.pop("schema"), **found}
    if "order_id" in found and "lines" not in found and "part" in found:
        found["extra"] = pl.String()
    return found


def _frame(model: type[Record]) -> pl.Schema:
    return pl.Schema({**fields(model), "extra": pl.String()})


RAW = _frame(Raw)
ORDER = _frame(Order)
SHIPMENT = _frame(Shipment)
SCHEMAS: dict[str, pl.Schema] = {"raw/1": RAW, "order/1": ORDER, "shipment/1": SHIPMENT}

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


def fit(value: pl.Expr, have: PolarsDataType | None, want: PolarsDataType) -> pl.Expr:
    """Give `value` of type `have` as `want`: missing struct fields become null, missing lists empty."""
    if have is None or have == pl.Null:
        return _null(want)
    if have == want:
        return value.fill_null(_null(want)) if isinstance(want, pl.List) else value
    if isinstance(want, pl.Struct) and isinstance(have, pl.Struct):
        known = {f.name: f.dtype for f in have.fields}
        parts = [
            fit(value.struct.field(f.name), known[f.name], f.dtype).alias(f.name)
            if f.name in known
            else _null(f.dtype).alias(f.name)
            for f in want.fields
        ]
        return pl.when(value.is_not_null()).then(pl.struct(parts))
    if isinstance(want, pl.List) and isinstance(have, pl.List):
        inner = (
            value if have.inner == want.inner else value.list.eval(fit(pl.element(), have.inner, want.inner))
        )
        return inner.fill_null(_null(want))
    return value.cast(want)


def conform(frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Give `frame` exactly the columns of `kind`, in order: missing ones null or empty, others dropped.

    Raises: polars.exceptions.PolarsError if a present column cannot be cast, which is a bug of the caller.
    """
    schema = SCHEMAS[kind]
    exprs = [
        pl.lit(kind).alias(name)
        if name == "schema"
        else fit(pl.col(name), frame.schema.get(name), dtype).cast(dtype).alias(name)
        for name, dtype in schema.items()
    ]
    return frame.select(exprs) if frame.width else empty(kind)


def json_schema(kind: str) -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of a record of `kind`, for example `order/1`."""
    found = MODELS[kind].model_json_schema(by_alias=True, mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
