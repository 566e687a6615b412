"""What is read is what was written, in every form, whoever wrote it, however it was cut into blocks."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from orderctl.model.records import MODELS
from orderctl.model.schema import SCHEMAS, json_schema
from orderctl.ports.batches.write import lines_of
from tests.ports.batches.conftest import Cut, Shelf
from tests.ports.batches.samples import line
from tests.ports.batches.strategies import compact, records, spaced

KINDS = ["raw/1", "order/1", "shipment/1"]
FORMS = ["batch.jsonl", "batch.jsonl.gz", "batch.jsonl.zst", "batch.parquet", "batch.arrow"]
VALIDATORS = {kind: Draft202012Validator(json_schema(kind)) for kind in KINDS}


def read_lines(shelf: Shelf, kind: str, lines: list[str], block: int) -> pl.DataFrame:
    shelf.put("given.jsonl", lines)
    return shelf.read("given.jsonl", kind, block=block)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8)
@given(data=st.data())
def test_every_record_comes_back_as_it_was(shelf: Shelf, kind: str, data: st.DataObject) -> None:
    given_records: list[dict[str, Any]] = data.draw(st.lists(records(kind), min_size=1, max_size=4))
    write = data.draw(st.sampled_from([compact, spaced]))
    frame = read_lines(
        shelf, kind, [write(r) for r in given_records], data.draw(st.sampled_from([64, 1 << 20]))
    )
    assert shelf.rejects.count == 0, shelf.rejects.first
    assert frame.schema == SCHEMAS[kind]
    for form in FORMS:
        shelf.write([frame], form, kind)
        again = shelf.read(form, kind)
        assert again.equals(frame), form
        assert shelf.rejects.count == 0
    assert [json.loads(line) for line in lines_of(frame, kind)] == given_records
    for record in given_records:
        VALIDATORS[kind].validate(record)
        MODELS[kind].model_validate(record)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=5)
@given(data=st.data())
def test_the_bytes_do_not_tell_how_a_batch_was_read(
    shelf: Shelf, cut: Cut, kind: str, data: st.DataObject
) -> None:
    lines = [compact(r) for r in data.draw(st.lists(records(kind), min_size=3, max_size=6))]
    frame = read_lines(shelf, kind, lines, 1 << 20)
    for form in FORMS:
        whole = shelf.write([frame], form, kind)
        assert shelf.write(cut(frame, 1), form, kind) == whole, form
        assert shelf.write(cut(read_lines(shelf, kind, lines, 50), 2), form, kind) == whole, form
        assert shelf.write([shelf.read(form, kind)], form, kind) == whole, form


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMS)
def test_an_empty_batch_is_a_batch(shelf: Shelf, kind: str, form: str) -> None:
    shelf.write([], form, kind)
    again = shelf.read(form, kind)
    assert again.height == 0
    assert again.schema == SCHEMAS[kind]
    assert shelf.write([pl.DataFrame(schema=SCHEMAS[kind])], form, kind) == shelf.write([], form, kind)


@settings(max_examples=24)
@given(record=records("order/1"), key=st.sampled_from(["x", "名", "a.b"]))
def test_unknown_nested_keys_are_counted_and_cost_nothing_else(
    shelf: Shelf, record: dict[str, Any], key: str
) -> None:
    from orderctl.ports.batches import Rejects, open_source, read_blocks

    plain = read_lines(shelf, "order/1", [compact(record)], 1 << 20)
    record["recipient"][key] = {"deep": [1]}
    for item in record["lines"]:
        item[key] = None
    shelf.put("given.jsonl", [compact(record)])
    with open_source(str(shelf.path("given.jsonl"))) as source:
        (block,) = read_blocks(source, ["order/1"], Rejects(None))
    assert block.frame.equals(plain)
    assert block.unknown == 1 + len(record["lines"])


def test_the_bytes_do_not_tell_how_many_cores_there_were(shelf: Shelf) -> None:
    """More rows than one piece of any form holds, read in blocks of another size by every number of threads."""
    # a line with a key nobody knows is read by itself, the slow way
    odd = [{} if n % 100 else {"x": n} for n in range(21_000)]
    shelf.put("many.jsonl", [line("order/1", n, **more) for n, more in enumerate(odd)])
    told = []
    for threads, block in (("1", 1 << 20), ("2", 1 << 24), ("7", 3 << 19)):
        targets = [str(shelf.path(f"{threads}-{form}")) for form in FORMS]
        subprocess.run(
            [sys.executable, "-c", COPY, str(shelf.path("many.jsonl")), str(block), *targets],
            env={**os.environ, "POLARS_MAX_THREADS": threads}, check=True,
        )  # fmt: skip
        told.append(
            [hashlib.sha256(shelf.path(f"{threads}-{form}").read_bytes()).hexdigest() for form in FORMS]
        )
    assert told[0] == told[1] == told[2]


COPY = """
import sys
from orderctl.ports.batches import Rejects, format_of, open_source, read_blocks, write_batch
source, block, *targets = sys.argv[1:]
for target in targets:
    with open_source(source, block=int(block)) as given:
        frames = (b.frame for b in read_blocks(given, ["order/1"], Rejects(None)))
        write_batch(frames, target, kind="order/1", format=format_of(target, None))
"""
