"""Raw records: the fast way and the slow way read the same, and nothing around a payload is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderctl.ports.batches import Rejects, open_source, read_raw_blocks
from orderctl.ports.batches.read import typed_rows
from orderctl.ports.batches.write import lines_of
from tests.ports.batches.conftest import Shelf
from tests.ports.batches.samples import line, record
from tests.ports.batches.strategies import TEXTS, VALUES, compact, records, spaced

ONE = pl.Struct({"id": pl.String(), "note": pl.String(), "rows": pl.List(pl.Struct({"n": pl.String()}))})
TWO = pl.Struct({"other": pl.Struct({"a": pl.String()})})
DTYPES = {"sample/one": ONE, "sample/two": TWO}
LEAF = st.one_of(
    st.none(), TEXTS, st.integers(-(10**25), 10**25), st.sampled_from([1.5, 0.01, 100.0]), st.booleans()
)
PAYLOAD = st.fixed_dictionaries(
    {},
    optional={
        "id": LEAF,
        "note": LEAF,
        "rows": st.one_of(
            st.none(), st.lists(st.fixed_dictionaries({}, optional={"n": LEAF, "x": VALUES}), max_size=3)
        ),
        "other": st.one_of(st.none(), st.fixed_dictionaries({"a": LEAF})),
        "parts": VALUES,
        "facts": VALUES,
        "extra": VALUES,
    },
)
RAW = st.builds(
    lambda raw, payload, form: {**raw, "payload": payload, "format": form},
    records("raw/1"),
    PAYLOAD,
    st.sampled_from(["sample/one", "sample/two"]),
)
Typed = dict[str, pl.DataFrame]


def read(shelf: Shelf, name: str, block: int = 1 << 20) -> Typed:
    """Read raw records typed, all blocks put together; rows by their reference."""
    shelf.path("rejects.jsonl").unlink(missing_ok=True)
    shelf.rejects = Rejects(shelf.path("rejects.jsonl"))
    found: dict[str, list[pl.DataFrame]] = {}
    with open_source(str(shelf.path(name)), block=block) as source:
        for frames in read_raw_blocks(source, DTYPES, shelf.rejects):
            for form, frame in frames.items():
                assert frame["row"].is_sorted()
                found.setdefault(form, []).append(frame.drop("row"))
    return {form: pl.concat(frames) for form, frames in sorted(found.items())}


def same(one: Typed, other: Typed) -> bool:
    return one.keys() == other.keys() and all(one[form].equals(other[form]) for form in one)


@settings(max_examples=60)
@given(raws=st.lists(RAW, min_size=1, max_size=5))
def test_fast_and_slow_read_the_same(shelf: Shelf, raws: list[dict[str, Any]]) -> None:
    shelf.put("fast.jsonl", [compact(r) for r in raws])
    shelf.put("slow.jsonl", [compact(_known_last(r)) for r in raws])
    shelf.put("spaced.jsonl", [spaced(r) for r in raws])
    fast = read(shelf, "fast.jsonl")
    assert shelf.rejects.count == 0, shelf.rejects.first
    assert sum(frame.height for frame in fast.values()) == len(raws)
    assert same(fast, read(shelf, "slow.jsonl"))
    assert same(fast, read(shelf, "fast.jsonl", block=100))
    frame = shelf.read("fast.jsonl", "raw/1")
    held = {form: f.drop("row") for form, f in typed_rows(frame, DTYPES, Rejects(None)).items()}
    assert same(fast, held)
    for form in ("raw.parquet", "raw.arrow"):
        shelf.write([frame], form, "raw/1")
        assert same(fast, read(shelf, form))
    for form, other in read(shelf, "spaced.jsonl").items():  # here the texts keep the spaces
        texts = ["parts", "facts", "extra"]
        assert other.drop(texts).equals(fast[form].drop(texts))
        for name in texts:
            assert [x and json.loads(x) for x in other[name]] == [
                x and json.loads(x) for x in fast[form][name]
            ]


@settings(max_examples=30)
@given(raws=st.lists(RAW, min_size=1, max_size=5))
def test_what_is_read_is_what_was_written(shelf: Shelf, raws: list[dict[str, Any]]) -> None:
    shelf.put("raw.jsonl", [compact(r) for r in raws])
    frame = shelf.read("raw.jsonl", "raw/1")
    assert lines_of(frame, "raw/1").to_list() == [compact(r) for r in map(_known_first, raws)]


def _known_first(raw: dict[str, Any]) -> dict[str, Any]:
    known = record("raw/1", 0)
    return {k: raw[k] for k in known} | {k: v for k, v in raw.items() if k not in known}


def _known_last(raw: dict[str, Any]) -> dict[str, Any]:
    known = record("raw/1", 0)
    return {k: v for k, v in raw.items() if k not in known} | {k: raw[k] for k in reversed(known)}


TRICKS: dict[str, Callable[[str], str]] = {
    "a key between": lambda good: good.replace(',"parts":null', ',"trick":{"a":1},"parts":null'),
    "parts twice": lambda good: good.replace(',"parts":null', ',"parts":{"a":1},"parts":null'),
    "payload twice": lambda good: good.replace(',"parts":null', ',"payload":{"id":"9"},"parts":null'),
    "key twice in the payload": lambda good: good.replace('{"id":0}', '{"id":0,"id":0}'),
    "key twice deep in the payload": lambda good: good.replace('{"id":0}', '{"id":0,"x":[{"y":1,"y":2}]}'),
    "key twice in parts": lambda good: good.replace('"parts":null', '"parts":{"a":{"b":1,"b":1}}'),
    "key twice in facts": lambda good: good.replace('"facts":null}', '"facts":{"a":1,"a":1}}'),
    "facts before": lambda good: good.replace(
        ',"parts":null', ',"facts":{"same_recipient":"x"},"parts":null'
    ),
    "key in parts": lambda good: good.replace('"parts":null', '"parts":{"a":1},"b":{"c":2}'),
    "key in facts": lambda good: good.replace('"facts":null}', '"facts":{"a":1},"b":{"c":2}}'),
    "key behind": lambda good: good[:-1] + ',"b":{"c":2}}',
    "key in front": lambda good: '{"b":{"c":2},' + good[1:],
    "no parts": lambda good: good.replace(',"parts":null', ""),
    "tab in the source": lambda good: good.replace('"source":null', '"source":"a\tb"'),
    "escape in the source": lambda good: good.replace('"source":null', '"source":"a\\u002d\\n\\"b"'),
    "bad escape in the source": lambda good: good.replace('"source":null', '"source":"a\\q"'),
    "escape in the format": lambda good: good.replace("sample/one", "sample\\/one"),
    "escape in the reference": lambda good: good.replace("p:s:0", "p:s\\u003a0"),
    "escaped key": lambda good: good.replace('"payload"', '"p\\u0061yload"'),
    "payload like an end": lambda good: good.replace(
        '{"id":0}', '{"id":"},\\"parts\\":null,\\"facts\\":null}"}'
    ),
    "payload ends alike": lambda good: good.replace(
        '{"id":0}', '{"id":0,"x":{"y":1,"parts":null,"facts":null}}'
    ),
    "an array behind": lambda good: good.replace('{"id":0}', '{"id":0}]'),
    "a bracket more": lambda good: good.replace('{"id":0}', '{"id":0}}'),
    "open facts": lambda good: good.replace('"facts":null}', '"facts":{"a":{}'),
    "facts": lambda good: good.replace('"facts":null}', '"facts":{"same_recipient":"x}\\"{"}}'),
    "long facts": lambda good: good.replace(
        '"facts":null}', '"facts":{"same_recipient":"' + "样" * 400 + '"}}'
    ),
    "parts": lambda good: good.replace(
        '"parts":null', '"parts":{"detail":{"facts":{"x":null}},"parts":[{}]}'
    ),
    "lone surrogate in facts": lambda good: good.replace('"facts":null}', '"facts":{"a":"\\udc00"}}'),
    "shape": lambda good: good.replace('{"id":0}', '{"id":{"no":"text"}}'),
    "no such format": lambda good: good.replace("sample/one", "sample/none"),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_no_trick_of_writing_makes_a_difference(shelf: Shelf, trick: str) -> None:
    """The same line between plain ones (fast) and with a space in it (slow) gives the same rows or the same reject."""
    bad = TRICKS[trick](line("raw/1", 0))
    assert bad != line("raw/1", 0)
    told = []
    for text in (bad, bad.replace('{"', '{ "', 1)):
        shelf.put("trick.jsonl", [line("raw/1", 1), text, line("raw/1", 2)])
        told.append((read(shelf, "trick.jsonl"), [x["line"] for x in _rejects(shelf)]))
        try:
            whole = json.loads(text)
        except ValueError:
            assert told[-1][1] == [2]
            continue
        if told[-1][1]:
            continue
        row = told[-1][0]["sample/one"].row(1, named=True)
        more = {k: v for k, v in whole.items() if k not in record("raw/1", 0)}
        assert (row["extra"] and json.loads(row["extra"])) == (more or None)
        for name in ("parts", "facts"):
            assert (row[name] and json.loads(row[name])) == whole.get(name)
        assert row["payload"]["id"] == str(whole["payload"]["id"])
    assert same(told[0][0], told[1][0])
    assert told[0][1] == told[1][1]


def test_a_key_twice_is_named_unless_a_person_may_have_written_it(shelf: Shelf) -> None:
    """Readers disagree on which one counts, so neither does; one more line with the same keys in a list is none of that."""
    payloads = ['{"id":0,"rows":[{"n":1,"n":2}]}', '{"样例":1,"样例":1}', '{"rows":[{"n":1},{"n":1}]}']
    for head in ("{", "{ "):
        lines = [line("raw/1", n).replace(f'{{"id":{n}}}', text) for n, text in enumerate(payloads)]
        shelf.put("twice.jsonl", [head + text[1:] for text in lines])
        assert read(shelf, "twice.jsonl")["sample/one"]["platform_ref"].to_list() == ["p:s:2"]
        assert [(r["line"], r["reason"]) for r in _rejects(shelf)] == [
            (1, "has the key n twice"),
            (2, "has a key twice"),
        ]


def _rejects(shelf: Shelf) -> list[dict[str, Any]]:
    path = shelf.path("rejects.jsonl")
    return [json.loads(x) for x in path.read_text("utf-8").splitlines()] if path.exists() else []


def test_formats_nobody_reads_are_rejected_with_their_lines(shelf: Shelf) -> None:
    raws = [line("raw/1", n, format="sample/none" if n % 3 == 0 else "sample/one") for n in range(6)]
    shelf.put("raw.jsonl", raws)
    for block in (10, 1 << 20):
        assert read(shelf, "raw.jsonl", block)["sample/one"].height == 4
        assert [(r["line"], r["reason"]) for r in _rejects(shelf)] == [
            (1, "no mapper reads the format sample/none"),
            (4, "no mapper reads the format sample/none"),
        ]


@pytest.mark.parametrize("form", ["raw.parquet", "raw.arrow"])
def test_bad_rows_among_columns(shelf: Shelf, form: str) -> None:
    shelf.put("raw.jsonl", [line("raw/1", n) for n in range(8)])
    frame = shelf.read("raw.jsonl", "raw/1")
    spoils = {
        1: ("payload", None),
        2: ("payload", "[1]"),
        3: ("payload", '{"a":'),
        4: ("facts", "x"),
        5: ("extra", "[]"),
        6: ("payload", '{"a":[{"tid":1,"tid":1}]}'),
    }
    for row, (name, value) in spoils.items():
        here = pl.int_range(pl.len()) == row
        frame = frame.with_columns(pl.when(here).then(pl.lit(value)).otherwise(pl.col(name)).alias(name))
    shelf.write([frame], form, "raw/1")
    found = read(shelf, form)["sample/one"]
    assert found["platform_ref"].to_list() == ["p:s:0", "p:s:7"]
    assert [r["line"] for r in _rejects(shelf)] == [2, 3, 4, 5, 6, 7]
    assert _rejects(shelf)[-1]["reason"] == "payload: has the key tid twice"


def test_a_pretty_payload_among_columns_stays_one_line(shelf: Shelf) -> None:
    shelf.put("raw.jsonl", [line("raw/1", 1)])
    frame = shelf.read("raw.jsonl", "raw/1").with_columns(
        payload=pl.lit(json.dumps({"id": "a\nb"}, indent=2)), extra=pl.lit('{\r\n"x":1}')
    )
    shelf.write([frame], "raw.parquet", "raw/1")
    again = shelf.read("raw.parquet", "raw/1")
    (text,) = shelf.write([again], "again.jsonl", "raw/1").decode().splitlines()
    assert json.loads(text)["payload"] == {"id": "a\nb"}
    assert json.loads(text)["x"] == 1
