"""A record that cannot be read costs itself and no other: the right line, a reason, and every other row exact."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
import zstandard

from orderctl.model.errors import DataError
from orderctl.ports.batches import Rejects, open_source, read_raw_blocks
from orderctl.ports.batches.write import lines_of
from tests.ports.batches.conftest import Shelf
from tests.ports.batches.samples import line, record
from tests.ports.batches.strategies import compact

KINDS = ["raw/1", "order/1", "shipment/1"]
BLOCKS = [7, 300, 5000, 1 << 20]
DEEP = "[" * 10_000 + "]" * 10_000

BAD: dict[str, Callable[[str], bytes]] = {
    "cut": lambda good: good[: len(good) // 2].encode(),
    "html": lambda good: b"<html><body>502 Bad Gateway</body></html>",
    "two on a line": lambda good: (good + good).encode(),
    "no UTF-8": lambda good: good.encode().replace("样例".encode(), b"\xff\xfe", 1) + b"\xff",
    "GBK": lambda good: (good[:-1] + ',"x":"样例"}').encode("gbk"),
    "UTF-16": lambda good: good.encode("utf-16-le").replace(b"\n", b""),
    "null": lambda good: b"null",
    "array": lambda good: f"[{good}]".encode(),
    "number": lambda good: b"17",
    "text": lambda good: b'"order"',
    "empty object": lambda good: b"{}",
    "NaN": lambda good: (good[:-1] + ',"x":NaN}').encode(),
    "lone surrogate": lambda good: (good[:-1] + ',"x":"\\ud83d"}').encode(),
    "lone surrogate within": lambda good: good.replace('"样例"', '"\\uDE00"', 1).encode(),
    "bad escape": lambda good: (good[:-1] + ',"x":"\\q"}').encode(),
    "raw control character": lambda good: (good[:-1] + ',"x":"a\x01b"}').encode(),
    "NUL": lambda good: (good[:-1] + ',"x":"\x00"}').encode(),
    "key twice": lambda good: (good[:-1] + ',"schema":"shipment/1"}').encode(),
    "unknown key twice": lambda good: (good[:-1] + ',"x":1,"x":2}').encode(),
    "deep": lambda good: (good[:-1] + f',"x":{DEEP}}}').encode(),
    "unknown schema": lambda good: compact({**json.loads(good), "schema": "order/99"}).encode(),
    "other kind": lambda good: line("shipment/1" if "order/1" in good else "order/1", 1).encode(),
    "schema is a number": lambda good: compact({**json.loads(good), "schema": 1}).encode(),
    "no schema": lambda good: compact({k: v for k, v in json.loads(good).items() if k != "schema"}).encode(),
    "single quotes": lambda good: good.replace('"', "'").encode(),
    "comma at the end": lambda good: (good[:-1] + ",}").encode(),
    "byte order mark inside": lambda good: ("\ufeff" + good).encode(),
}
OWN: dict[str, dict[str, Any]] = {
    "two": {"goods_minor": "two"},
    "2.7": {"goods_minor": 2.7},
    "2.0": {"goods_minor": 2.0},
    "true": {"goods_minor": True},
    "beyond 63 bits": {"goods_minor": 2**63},
    "beyond 64 bits": {"total_minor": 10**30},
    "below": {"due_minor": -(2**63) - 1},
    "digits as text": {"goods_minor": "12"},
    "id as number": {"order_id": 2500000000000683245},
    "number where text is": {"buyer_note": 12},
    "bool where text is": {"buyer_note": True},
    "text where bool is": {"refund_open": "false"},
    "object where text is": {"buyer_note": {"a": 1}},
    "text where list is": {"tags": "a"},
    "object where list is": {"lines": {}},
    "list where object is": {"recipient": []},
    "null among texts": {"tags": [None]},
    "null among lines": {"lines": [None]},
    "no id": {"order_id": None},
    "empty id": {"order_id": ""},
    "no status": {"status": None},
    "no recipient": {"recipient": None},
    "recipient without privacy": {"recipient": {}},
    "line without quantity": {"lines": [{"line_ref": "1", "kind": "goods"}]},
    "local time": {"paid_at": "2026-11-24 05:30:28"},
    "offset": {"paid_at": "2026-11-24T05:30:28+08:00"},
    "fraction": {"paid_at": "2026-11-24T05:30:28.123Z"},
    "other digits": {"paid_at": "２０２６-11-24T05:30:28Z"},
    "line feed behind": {"paid_at": "2026-11-24T05:30:28Z\n"},
    "instant inside": {"holds": [{"code": "x", "source": "rule", "until": "soon", "why": None}]},
}
RAW: dict[str, dict[str, Any]] = {
    "payload null": {"payload": None},
    "payload text": {"payload": "{}"},
    "payload list": {"payload": []},
    "parts list": {"parts": []},
    "facts text": {"facts": "x"},
    "no reference": {"platform_ref": None},
    "empty reference": {"platform_ref": ""},
    "reference a number": {"platform_ref": 12},
    "no format": {"format": None},
    "observed never": {"observed_at": None},
    "observed some time": {"observed_at": "yesterday"},
    "changed some time": {"updated_at": "2026-11-24 05:30:28"},
}
CASES = [(k, name, spoil) for k in KINDS for name, spoil in BAD.items()]
CASES += [("order/1", name, _changed) for name, changes in OWN.items() for _changed in [changes]]  # type: ignore[misc]
CASES += [("raw/1", name, changes) for name, changes in RAW.items()]  # type: ignore[misc]


def spoiled(kind: str, spoil: Any) -> bytes:
    if callable(spoil):
        return spoil(line(kind, 0))
    return line(kind, 0, **spoil).encode()


@pytest.mark.parametrize(("kind", "name", "spoil"), CASES, ids=[f"{k}-{n}" for k, n, _ in CASES])
def test_only_the_bad_line_is_rejected(shelf: Shelf, kind: str, name: str, spoil: Any) -> None:
    good = [line(kind, n) for n in range(1, 6)]
    bad = spoiled(kind, spoil)
    content = [good[0], good[1], bad, good[2], b"", bad, good[3], good[4]]
    shelf.put("mixed.jsonl", b"\n".join(x if isinstance(x, bytes) else x.encode() for x in content))
    for block in BLOCKS:
        frame = shelf.read("mixed.jsonl", kind, block=block)
        assert lines_of(frame, kind).to_list() == good, block
        rejected = [json.loads(x) for x in shelf.path("rejects.jsonl").read_text("utf-8").splitlines()]
        assert [r["line"] for r in rejected] == [3, 6]
        for r in rejected:
            assert r["source"] == str(shelf.path("mixed.jsonl"))
            assert 5 < len(r["reason"]) < 200
            assert len(r["text"]) <= 2000
            assert "样例" not in r["reason"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_line_at_the_start_decides_nothing(shelf: Shelf, kind: str) -> None:
    lines = ["<html>", '{"schema":"order/99"}', '{"schema":5}', "", *(line(kind, n) for n in range(3))]
    shelf.put("late.jsonl", lines)
    for block in BLOCKS:
        frame = shelf.read("late.jsonl", kind, block=block)
        assert lines_of(frame, kind).to_list() == lines[4:]
        assert shelf.rejects.count == 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["mark", "crlf", "blank", "no end", "spaces", "escapes", "white", "huge"])
def test_odd_but_right_is_read(shelf: Shelf, kind: str, name: str) -> None:
    good = [line(kind, n, x="样例😀") for n in range(4)]
    text = {
        "mark": "\ufeff" + "\n".join(good),
        "crlf": "\r\n".join(good) + "\r\n",
        "blank": "\n\n  \n" + "\n\n\t\n\n".join(good) + "\n\n\n",
        "no end": "\n".join(good),
        "spaces": "\n".join(json.dumps(json.loads(x), ensure_ascii=False, indent=None) for x in good),
        "escapes": "\n".join(json.dumps(json.loads(x), separators=(",", ":")) for x in good),
        "huge": "\n".join(x[:-1] + ',"y":[1e999,-0,' + "9" * 50 + "]}" for x in good),
        "white": " " * 9000 + "\n" + "\n".join(f"  {x} \t" for x in good),
    }[name]
    shelf.put("odd.jsonl", text)
    for block in [3, *BLOCKS]:
        frame = shelf.read("odd.jsonl", kind, block=block)
        assert shelf.rejects.count == 0, shelf.rejects.first
        lines = [
            json.loads(x) for x in (text.removeprefix("\ufeff").splitlines() if name == "huge" else good)
        ]
        assert [json.loads(x) for x in lines_of(frame, kind)] == lines


def test_a_huge_line_is_a_line(shelf: Shelf) -> None:
    note = "样例" * (30 << 20 >> 3)
    lines = [line("order/1", 1), line("order/1", 2, buyer_note=note), line("order/1", 3), "x" * (10 << 20)]
    shelf.put("huge.jsonl", lines)
    frame = shelf.read("huge.jsonl", "order/1")
    assert frame["order_id"].to_list() == ["p:s:1", "p:s:2", "p:s:3"]
    assert frame["buyer_note"][1] == note
    assert shelf.rejects.count == 1


@pytest.mark.parametrize("kind", KINDS)
def test_one_bad_line_in_a_thousand(shelf: Shelf, kind: str) -> None:
    lines = [line(kind, n) for n in range(3000)]
    places = [17, 200, 201, 1399, 2999]
    bad = {place: list(BAD.values())[k](lines[place]) for k, place in enumerate(places)}
    shelf.put("many.jsonl", b"\n".join(bad.get(n, x.encode()) for n, x in enumerate(lines)))
    frame = shelf.read("many.jsonl", kind, block=100_000)
    assert lines_of(frame, kind).to_list() == [x for n, x in enumerate(lines) if n not in places]
    assert shelf.rejects.count == len(places)


PACKED = {"gz": gzip.compress, "zst": zstandard.ZstdCompressor(write_checksum=True).compress}


@pytest.mark.parametrize("form", PACKED)
@pytest.mark.parametrize("left", [0.01, 0.5, 0.99])
def test_a_compressed_file_cut_short_is_never_a_whole_one(shelf: Shelf, form: str, left: float) -> None:
    content = PACKED[form](("\n".join(line("order/1", n, x=str(hash(n))) for n in range(4000))).encode())
    shelf.put("cut", content[: int(len(content) * left)])
    for block in (50_000, 1 << 20):
        with pytest.raises(DataError, match="damaged"):
            shelf.read("cut", block=block)


@pytest.mark.parametrize("form", PACKED)
def test_a_damaged_compressed_file_is_told(shelf: Shelf, form: str) -> None:
    content = bytearray(PACKED[form](("\n".join(line("order/1", n) for n in range(5000))).encode()))
    for place in range(len(content) // 2, len(content) // 2 + 40):
        content[place] ^= 0xFF
    shelf.put("damaged", bytes(content))
    with pytest.raises(DataError, match="damaged"):
        shelf.read("damaged")


@pytest.mark.parametrize("form", PACKED)
def test_compressed_files_may_be_joined(shelf: Shelf, form: str) -> None:
    lines = [line("order/1", n) for n in range(3)]
    shelf.put("joined", b"".join(PACKED[form]((x + "\n").encode()) for x in lines))
    assert lines_of(shelf.read("joined"), "order/1").to_list() == lines


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"PK\x03\x04rest", "XLSX"),
        (line("order/1", 1).encode("utf-16"), "UTF-16"),
        (line("order/1", 1).encode("utf-16-le"), "UTF-16"),
        (line("order/1", 1).encode("utf-16-be"), "UTF-16"),
        (b"%PDF-1.7", "PDF"),
        (b"\x7fELF\x02\x01", "a program"),
        (b"abc\x00def", "binary"),
        (gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0), "compressed twice"),
        (gzip.compress(b"\x89PNG\r\n\x1a\n", mtime=0), "PNG"),
        (b"a,b,c\n1,2,3\n", "none of its 2 lines"),
        (b"<html>\n</html>\n", "none of its 2 lines"),
        (b'{"a":1}\n', "none of its 1 lines"),
        (b'{"schema":"order/2"}\n<html>\n', "unknown schema order/2"),
        (line("shipment/1", 1).encode(), "holds shipment/1, this command takes order/1"),
        (b"\x1f\x8b", "damaged"),
        (b"\xff\xff\xff\xff", "damaged"),
        (b"PAR1", "damaged"),
        (b"ARROW1\x00\x00", "damaged"),
    ],
)
def test_what_is_no_batch_is_said_to_be_none(shelf: Shelf, content: bytes, says: str) -> None:
    shelf.put("thing", content)
    with pytest.raises(DataError, match=says) as told:
        shelf.read("thing", "order/1", block=3)
    assert "样例" not in str(told.value)
    assert str(told.value) != told.value.text.render("zh")


@pytest.mark.parametrize(
    "content", [b"", b"\n\n\r\n  \t\n", b"\xef\xbb\xbf", b"\n" * 10_000, gzip.compress(b"", mtime=0)]
)
def test_nothing_is_an_empty_batch(shelf: Shelf, content: bytes) -> None:
    shelf.put("nothing", content)
    assert shelf.read("nothing", "order/1").height == 0
    with open_source(str(shelf.path("nothing"))) as source:
        assert not [b for b in read_raw_blocks(source, {}, Rejects(None)) if b]


def test_a_heap_of_nonsense_ends_early_and_in_little_memory(shelf: Shelf) -> None:
    shelf.put("heap", gzip.compress(b"nonsense and more of it\n" * (200 << 20 >> 4), 1))
    with pytest.raises(DataError, match="none of its"):
        shelf.read("heap", block=16 << 20)


def test_a_line_without_end_ends(shelf: Shelf) -> None:
    shelf.put("endless", gzip.compress(b"{" * (300 << 20), 1))
    with pytest.raises(DataError, match="none of its 1 lines"):
        shelf.read("endless", block=16 << 20)


@pytest.mark.parametrize("block", [300, 16 << 20])
def test_a_line_too_long_costs_itself(shelf: Shelf, block: int) -> None:
    good = [line("order/1", n) for n in range(6)]
    content = [*good[:3], "x" * (49 << 20), good[3], "{" + " " * (60 << 20), *good[4:]]
    shelf.put("long.jsonl", content)
    frame = shelf.read("long.jsonl", "order/1", block=block)
    assert lines_of(frame, "order/1").to_list() == good
    rejected = [json.loads(x) for x in shelf.path("rejects.jsonl").read_text("utf-8").splitlines()]
    assert [(r["line"], r["reason"]) for r in rejected] == [(n, "is longer than 32 MiB") for n in (4, 6)]
    assert [r["text"][:2] for r in rejected] == ["xx", "{ "]


@pytest.mark.parametrize("kind", KINDS)
def test_rejects_stand_in_the_order_of_their_lines(shelf: Shelf, kind: str) -> None:
    bad = list(BAD.values()) * 2
    shelf.put("bad.jsonl", b"\n".join([line(kind, 1).encode(), *(spoil(line(kind, 0)) for spoil in bad)]))
    shelf.read("bad.jsonl", kind)
    rejected = [json.loads(x)["line"] for x in shelf.path("rejects.jsonl").read_text("utf-8").splitlines()]
    assert rejected == sorted(rejected)
    assert len(rejected) > len(bad) - 3


@pytest.mark.parametrize("kind", ["order/1", "shipment/1"])
def test_missing_lists_are_filled_and_missing_keys_that_may_be_null_are_null(shelf: Shelf, kind: str) -> None:
    whole = record(kind, 1)
    bare = {k: v for k, v in whole.items() if v is not None and v != []}
    shelf.put(
        "bare.jsonl", [compact(bare), compact({**whole, **{k: None for k, v in whole.items() if v == []}})]
    )
    frame = shelf.read("bare.jsonl", kind)
    assert lines_of(frame, kind).to_list() == [compact(whole)] * 2


def test_a_reject_is_kept_for_its_owner_only_and_bounded(shelf: Shelf) -> None:
    path = shelf.path("deep/down/rejects.jsonl")
    rejects = Rejects(path)
    rejects.add(source="a", line=3, reason="r\x1b[31m", text="样" * 5000 + "\udce4")
    rejects.add(source="b", line=None, reason="s", text="\ud800")
    rows = [json.loads(x) for x in path.read_text("utf-8").splitlines()]
    assert [(r["source"], r["line"], len(r["text"])) for r in rows] == [("a", 3, 2000), ("b", None, 1)]
    assert path.stat().st_mode & 0o777 == 0o600
    assert rejects.first == "a:3: r\\x1b[31m"
    assert rejects.count == 2
