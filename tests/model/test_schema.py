"""One source: models, polars schemas and JSON Schemas agree, and a change of the public contract shows in a diff."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from orderctl.model.records import MODELS, ShipmentOrder
from orderctl.model.schema import KEYS, SCHEMAS, breaches, conform, empty, fields, fit, json_schema, members
from tests.ports.batches.samples import record

HERE = Path(__file__).parent / "schemas"


@pytest.mark.parametrize("kind", MODELS)
def test_the_published_schema_is_the_reviewed_one(kind: str) -> None:
    """ORDERCTL_GOLDEN=write writes it anew; read the diff: a change of meaning is a new version of the kind."""
    path = HERE / f"{kind.replace('/', '-')}.json"
    found = json.dumps(json_schema(kind), ensure_ascii=False, indent=1) + "\n"
    if os.environ.get("ORDERCTL_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, "utf-8")
    assert path.read_text("utf-8") == found
    Draft202012Validator.check_schema(json.loads(found))


def types_of(schema: dict[str, Any], about: dict[str, Any]) -> Any:
    """Give the polars type a JSON Schema speaks of, found by walking the schema and not the models."""
    if "$ref" in about:
        about = schema["$defs"][about["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in about:
        (kept,) = [choice for choice in about["anyOf"] if choice.get("type") != "null"]
        return types_of(schema, kept)
    if about.get("type") == "array":
        return pl.List(types_of(schema, about["items"]))
    if about.get("type") == "object" and "properties" in about:
        return pl.Struct({name: types_of(schema, part) for name, part in about["properties"].items()})
    return {"string": pl.String(), "integer": pl.Int64(), "boolean": pl.Boolean(), "object": pl.String()}[
        about["type"]
    ]


@pytest.mark.parametrize("kind", MODELS)
def test_the_three_forms_agree(kind: str) -> None:
    published = json_schema(kind)
    walked = types_of(published, published)
    columns = SCHEMAS[kind]
    assert next(iter(columns)) == "schema"
    assert list(columns)[-1] == "extra"
    assert {f.name: _sorted(f.dtype) for f in walked.fields} == {
        name: _sorted(dtype) for name, dtype in columns.items() if name != "extra"
    }
    assert set(published["required"]) == {f.name for f in walked.fields}
    assert KEYS[kind] in columns


def _sorted(dtype: Any) -> Any:
    if isinstance(dtype, pl.List):
        return pl.List(_sorted(dtype.inner))
    if isinstance(dtype, pl.Struct):
        return pl.Struct(
            sorted((pl.Field(f.name, _sorted(f.dtype)) for f in dtype.fields), key=lambda f: f.name)
        )
    return dtype


def _models(model: type[BaseModel]) -> set[type[BaseModel]]:
    inner = [getattr(m.type, "__args__", [m.type])[0] for m in members(model)]
    return {model}.union(*(_models(t) for t in inner if isinstance(t, type) and issubclass(t, BaseModel)))


@pytest.mark.parametrize("model", sorted(set.union(*map(_models, MODELS.values())), key=lambda m: m.__name__))
def test_lists_are_never_null_and_names_are_written_as_published(model: type[BaseModel]) -> None:
    for member in members(model):
        assert not member.name.endswith("_")
        if isinstance(fields(model)[member.name], pl.List):
            assert not member.nullable, member.name


def test_an_order_in_a_shipment_keeps_its_unknown_keys() -> None:
    assert "extra" in fields(ShipmentOrder)


@pytest.mark.parametrize("kind", MODELS)
def test_conform_gives_what_the_kind_says_whatever_it_is_given(kind: str) -> None:
    schema = SCHEMAS[kind]
    assert conform(pl.DataFrame(), kind).equals(empty(kind))
    bare = conform(pl.DataFrame({KEYS[kind]: ["a", "b"], "unknown": [1, 2]}), kind)
    assert bare.schema == schema
    assert bare["schema"].to_list() == [kind] * 2
    for name, dtype in schema.items():
        if isinstance(dtype, pl.List):
            assert bare[name].to_list() == [[], []]
    assert conform(bare, kind).equals(bare)
    nulls = pl.DataFrame({name: [None] for name in schema}, schema=schema)
    assert not [
        name
        for name, dtype in schema.items()
        if isinstance(dtype, pl.List) and conform(nulls, kind)[name][0] is None
    ]


@pytest.mark.parametrize("kind", MODELS)
def test_every_null_where_none_may_be_is_a_breach(kind: str) -> None:
    """Null each leaf in turn: what the JSON Schema forbids is a breach (but lists, which are filled), the rest is none."""
    validator = Draft202012Validator(json_schema(kind))
    whole = _full(MODELS[kind]) | {"schema": kind, KEYS[kind]: "a"}
    count = 0
    for path in _paths(whole):
        spoiled = json.loads(json.dumps(whole))
        place: Any = spoiled
        for step in path[:-1]:
            place = place[step]
        was, place[path[-1]] = place[path[-1]], None
        texts = {
            k: json.dumps(v) if k in ("payload", "parts", "facts") and v is not None else v
            for k, v in spoiled.items()
        }
        frame = pl.DataFrame([texts], schema={**SCHEMAS[kind]})
        wrong = not validator.is_valid(spoiled)
        assert frame.select(breaches(kind)).item() == (wrong and not isinstance(was, list)), path
        count += wrong
    assert count > (5 if kind == "raw/1" else 30)


def _full(model: type[BaseModel]) -> dict[str, Any]:
    def value(kind: Any) -> Any:
        if hasattr(kind, "__args__") and kind.__origin__ is list:
            return [value(kind.__args__[0])]
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return _full(kind)
        return {str: "x", int: 1, bool: True}.get(kind, {})

    return {m.name: "2026-11-24T05:30:28Z" if m.is_instant else value(m.type) for m in members(model)}


def _paths(value: Any) -> list[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, inner in steps for path in [(key,), *((key, *rest) for rest in _paths(inner))]]


def test_the_samples_of_the_other_tests_are_records() -> None:
    for kind, model in MODELS.items():
        Draft202012Validator(json_schema(kind)).validate(record(kind, 1))
        model.model_validate(record(kind, 1))


@pytest.mark.parametrize(
    ("have", "want"),
    [
        (pl.Float64, pl.Int64), (pl.Boolean, pl.Int64), (pl.String, pl.Int64), (pl.Int64, pl.Boolean), (pl.Float64, pl.String),
        (pl.Boolean, pl.String), (pl.Datetime, pl.String), (pl.Binary, pl.String), (pl.Decimal(10, 2), pl.Int64),
        (pl.Int64, pl.List(pl.Int64)), (pl.List(pl.Float64), pl.List(pl.Int64)), (pl.Struct({"a": pl.Float64}), pl.Struct({"a": pl.Int64})),
        (pl.String, pl.Struct({"a": pl.String})),
    ],
)  # fmt: skip
def test_no_cast_loses_anything(have: Any, want: Any) -> None:
    frame = pl.DataFrame(schema={"x": have})
    with pytest.raises(pl.exceptions.PolarsError):
        frame.select(fit(pl.col("x"), frame.schema["x"], want if isinstance(want, pl.DataType) else want()))
