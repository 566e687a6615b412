"""Parquet and Arrow from other hands: what fits without loss is read, what does not is said, never guessed."""

from __future__ import annotations

import io
import json
import random
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from orderctl.model.errors import DataError
from orderctl.model.schema import SCHEMAS
from orderctl.ports.batches import Rejects, open_source, read_blocks
from orderctl.ports.batches.write import lines_of
from tests.ports.batches.conftest import Cut, Shelf
from tests.ports.batches.samples import line

FORMS = ["batch.parquet", "batch.arrow", "batch.feather"]


def orders(shelf: Shelf, count: int = 5) -> pl.DataFrame:
    shelf.put("plain.jsonl", [line("order/1", n) for n in range(count)])
    return shelf.read("plain.jsonl", "order/1")


def put(shelf: Shelf, frame: pl.DataFrame, form: str) -> None:
    """Write any frame, as another program would."""
    sink = io.BytesIO()
    if form.endswith("parquet"):
        frame.write_parquet(sink)
    elif form.endswith("arrow"):
        frame.write_ipc_stream(sink)
    else:
        frame.write_ipc(sink)
    shelf.put(form, sink.getvalue())


@pytest.mark.parametrize("form", FORMS)
def test_bad_rows_cost_themselves(shelf: Shelf, form: str) -> None:
    frame = orders(shelf, 9)
    spoils: dict[int, dict[str, Any]] = {
        1: {"order_id": None}, 2: {"order_id": ""}, 3: {"status": None}, 4: {"schema": "shipment/1"},
        5: {"schema": None}, 6: {"paid_at": "yesterday"}, 7: {"recipient": None},
    }  # fmt: skip
    for row, changes in spoils.items():
        here = pl.int_range(pl.len()) == row
        frame = frame.with_columns(
            pl.when(here).then(pl.lit(v)).otherwise(pl.col(k)).alias(k) for k, v in changes.items()
        )
    put(shelf, frame, form)
    found = shelf.read(form, "order/1", "shipment/1")
    assert found["order_id"].to_list() == ["p:s:0", "p:s:8"]
    rejected = [json.loads(x) for x in shelf.path("rejects.jsonl").read_text("utf-8").splitlines()]
    assert [r["line"] for r in rejected] == [2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("goods_minor", [2.7]),
        ("goods_minor", [2.0]),
        ("goods_minor", [True]),
        ("goods_minor", ["12"]),
        ("order_id", [1.0]),
        ("buyer_note", [datetime(2026, 11, 24, tzinfo=UTC)]),
        ("buyer_note", [True]),
        ("buyer_note", [b"\xff"]),
        ("paid_at", [datetime(2026, 11, 24, tzinfo=UTC)]),
        ("refund_open", [1]),
        ("tags", ["a"]),
        ("tags", [[1.5]]),
        ("recipient", ["x"]),
        ("lines", [[{"quantity": 1.5}]]),
        ("strange", [b"bytes"]),
    ],
)
def test_a_column_of_a_type_that_would_lose_something_is_refused(
    shelf: Shelf, form: str, column: str, values: list[Any]
) -> None:
    put(shelf, orders(shelf, 1).with_columns(pl.Series(column, values)), form)
    with pytest.raises(DataError, match="does not fit order/1"):
        shelf.read(form, "order/1")


@pytest.mark.parametrize("form", FORMS)
def test_an_integer_too_big_for_us_is_refused(shelf: Shelf, form: str) -> None:
    frame = orders(shelf, 1).with_columns(goods_minor=pl.Series([2**64 - 1], dtype=pl.UInt64))
    put(shelf, frame, form)
    with pytest.raises(DataError, match="does not fit"):
        shelf.read(form, "order/1")


@pytest.mark.parametrize("form", FORMS)
def test_types_that_mean_the_same_are_read(shelf: Shelf, form: str) -> None:
    plain = orders(shelf, 2)
    frame = plain.with_columns(
        pl.col("schema", "status").cast(pl.Categorical),
        pl.col("total_minor").cast(pl.Int32),
        pl.Series("platform_ref", [2500000000000683245, 7]),
    ).drop("tags", "holds", "ship_by", "extra")
    put(shelf, frame.select(reversed(frame.columns)), form)
    found = shelf.read(form, "order/1")
    assert found.equals(plain.with_columns(pl.Series("platform_ref", ["2500000000000683245", "7"])))


@pytest.mark.parametrize("form", FORMS)
def test_null_lists_are_filled_at_every_depth(shelf: Shelf, form: str) -> None:
    shelf.put("plain.jsonl", [line("shipment/1", 1, lines=[], tags=[])])
    plain = shelf.read("plain.jsonl", "shipment/1")
    rows = plain.to_dicts()
    rows[0]["recipient"]["address_lines"] = None
    rows[0]["merge"]["with"] = rows[0]["tags"] = rows[0]["decision"] = None
    rows[0]["problems"] = [
        dict.fromkeys(("code", "severity", "stage", "message"), "x") | {"forceable": True, "params": None}
    ]
    rows[0]["parcels"] = [{"parcel_no": 1, "lines": None}]
    put(shelf, pl.DataFrame(rows, schema=SCHEMAS["shipment/1"]), form)
    found = shelf.read(form, "shipment/1").to_dicts()[0]
    assert (
        found["recipient"]["address_lines"]
        == found["merge"]["with"]
        == found["tags"]
        == found["decision"]
        == []
    )
    assert found["problems"][0]["params"] == found["parcels"][0]["lines"] == []


@pytest.mark.parametrize("form", FORMS)
def test_unknown_columns_join_the_extra_there_is(shelf: Shelf, form: str) -> None:
    frame = orders(shelf, 3).with_columns(
        pl.Series("extra", [None, '{"old":1}', "{}"]),
        pl.Series("x", [1, 2, 3]),
        pl.Series("名", [["a"], [], None]),
    )
    put(shelf, frame, form)
    found = shelf.read(form, "order/1")
    assert found["extra"].to_list() == [
        '{"x":1,"名":["a"]}', '{"old":1,"x":2,"名":[]}', '{"x":3,"名":null}',
    ]  # fmt: skip
    assert all(json.loads(x)["order_id"] for x in lines_of(found, "order/1"))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("left", [0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_told(shelf: Shelf, form: str, left: float) -> None:
    put(shelf, pl.concat([orders(shelf, 50)] * 4), form)
    content = shelf.path(form).read_bytes()
    shelf.put(form, content[: int(len(content) * left)])
    with pytest.raises(DataError, match=r"damaged|no column"):
        shelf.read(form)


@pytest.mark.parametrize("form", FORMS)
def test_other_kinds_and_no_kind(shelf: Shelf, form: str) -> None:
    put(shelf, orders(shelf), form)
    with pytest.raises(DataError, match="holds order/1, this command takes shipment/1"):
        shelf.read(form, "shipment/1")
    for frame in (pl.DataFrame({"a": [1]}), pl.DataFrame({"schema": [1]}), pl.DataFrame({"schema": [None]})):
        put(shelf, frame, form)
        with pytest.raises(DataError, match="no column schema"):
            shelf.read(form)
    put(shelf, pl.DataFrame({"schema": ["order/9"]}), form)
    with pytest.raises(DataError, match="unknown schema order/9"):
        shelf.read(form)


def test_an_arrow_stream_is_read_batch_by_batch(shelf: Shelf, cut: Cut) -> None:
    """The first rows are there before the last have been written, and no more is read than they need."""
    frame = pl.concat([orders(shelf, 100)] * 300)
    content = shelf.write([frame], "long.arrow", "order/1")
    with open_source(str(shelf.path("long.arrow"))) as source:
        blocks = read_blocks(source, ["order/1"], Rejects(None))
        first = next(blocks)
        with shelf.path("long.arrow").open("rb") as whole:
            assert whole.read() == content
        assert first.frame.height == 5000
        assert sum(block.frame.height for block in blocks) == 25_000


def test_columns_come_in_pieces(shelf: Shelf) -> None:
    frame = pl.concat([orders(shelf, 100)] * 500)
    shelf.write([frame], "long.parquet", "order/1")
    with open_source(str(shelf.path("long.parquet"))) as source:
        heights = [block.frame.height for block in read_blocks(source, ["order/1"], Rejects(None))]
    assert sum(heights) == 50_000
    assert max(heights) <= 20_000


@pytest.mark.parametrize("form", ["batch.arrow", "batch.parquet"])
def test_flipped_bytes_never_end_in_a_traceback(shelf: Shelf, form: str) -> None:
    shelf.write([orders(shelf, 20)], form, "order/1")
    content, dice = shelf.path(form).read_bytes(), random.Random(7)
    for _ in range(60):
        spoiled = bytearray(content)
        for _ in range(dice.randint(1, 4)):
            spoiled[dice.randrange(8, len(spoiled))] = dice.randrange(256)
        shelf.put("spoiled", bytes(spoiled))
        try:
            shelf.read("spoiled", "order/1")
        except DataError:
            continue
