"""Raw records of many formats with every kind of damage among them, and what should become of each line.

What a line should become is told by how it was made: the recorded orders of each format (reviewed goldens) say what
a good one reads as, the list of damages which of them nobody can read. Nothing of the reader is asked.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tests.ports.platforms.golden import HERE, sources

FORMATS = (
    *("taobao/trade", "taobao/trade-simplified", "shopify/graphql", "pdd/order", "douyin/order"),
    *("jd/order", "kuaishou/order", "amazon/order"),
)
NOW = "2026-11-24T00:00:00Z"
ORDER = (
    "status",
    "placed_at",
    "paid_at",
    "currency",
    "total_minor",
    "received_minor",
    "buyer_note",
    "seller_note",
)
LINE = ("line_ref", "title", "quantity", "unit_price_minor", "paid_minor")
DIGITS = 7
DEEP = "[" * 5_000 + "]" * 5_000
LONG = 50 << 20

GOOD, BAD, NOTHING, SOME_ORDER = "good", "bad", "nothing", "some order"
"""Fates of a line: an order just as recorded; a reject; neither (blank); an order of which only the id is known."""


@dataclass(frozen=True)
class Template:
    """A recorded order: its line as our own writer has it, cut at its reference, and what it reads as, cut alike."""

    form: str
    ref: str
    line: tuple[str, ...]
    expected: tuple[str, ...]

    def made(self, number: int) -> tuple[str, str]:
        """Give the line of order `number` and the JSON text of what it reads as."""
        ref = self.ref[:-DIGITS] + f"{number:0{DIGITS}d}"
        return ref.join(self.line), ref.join(self.expected)


@dataclass(frozen=True)
class Line:
    """One line without its end: what became of it, and for a good one what it should read as (JSON text)."""

    text: bytes
    fate: str
    kind: str = ""
    expected: str = ""
    end: bytes = b"\n"


def compact(value: Any) -> str:
    """Write JSON as our own writer does."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def shown(order: dict[str, Any]) -> dict[str, Any]:
    """Give what `normalize` leaves as the mapper told it."""
    lines = [{name: line[name] for name in LINE} for line in order["lines"]]
    return {"order_id": order["order_id"], **{name: order[name] for name in ORDER}, "lines": lines}


def templates() -> list[Template]:
    """Give all recorded orders of FORMATS whose reference can be counted up."""
    found = []
    for form in FORMATS:
        platform, _, name = form.partition("/")
        golden = (HERE / platform / f"expected-{name}.jsonl").read_text("utf-8").splitlines()
        for row, text in zip(sources()[form]().iter_rows(named=True), golden, strict=True):
            order = json.loads(text)
            ref = order["platform_ref"]
            if not ref[-DIGITS:].isdigit() or ref != row["platform_ref"]:
                continue
            head = {
                k: row[k]
                for k in ("platform", "shop", "platform_ref", "format", "observed_at", "updated_at", "source")
            }
            line = compact({"schema": "raw/1", **head, "payload": json.loads(row["payload"])})[:-1]
            facts = compact(json.loads(row["facts"])) if row["facts"] else "null"
            line += f',"parts":null,"facts":{facts}}}'
            found.append(Template(form, ref, tuple(line.split(ref)), tuple(compact(shown(order)).split(ref))))
    return found


Spoil = Callable[[str, random.Random], bytes]


def _payload(change: Callable[[dict[str, Any]], None]) -> Spoil:
    def spoil(good: str, dice: random.Random) -> bytes:
        record = json.loads(good)
        change(record["payload"])
        return compact(record).encode()

    return spoil


def _envelope(**changes: Any) -> Spoil:
    return lambda good, dice: compact({**json.loads(good), **changes}).encode()


def _lacks(key: str) -> Spoil:
    return lambda good, dice: compact({k: v for k, v in json.loads(good).items() if k != key}).encode()


def _inside(text: str) -> Spoil:
    """Put a field nobody knows at the front of the payload."""
    return lambda good, dice: good.replace('"payload":{', f'"payload":{{"nobody_knows":{text},', 1).encode(
        "utf-8", "surrogatepass"
    )


def _behind(text: str) -> Spoil:
    """Put a field nobody knows behind the record's own."""
    return lambda good, dice: (good[:-1] + f',"nobody_knows":{text}}}').encode("utf-8", "surrogatepass")


def _bytes(bad: bytes) -> Spoil:
    return lambda good, dice: _inside('"@@@"')(good, dice).replace(b"@@@", bad, 1)


def _cut(good: str, dice: random.Random) -> bytes:
    line = good.encode()
    return line[: dice.randrange(1, len(line))]


def _rid_of_quotes(good: str, dice: random.Random) -> bytes:
    """Write the order's reference as a number, beyond 2^53 where it has that many digits."""
    ref = json.loads(good)["platform_ref"]
    head, payload = good.split('"payload":', 1)
    return (
        head
        + '"payload":'
        + (payload.replace(f'"{ref}"', ref) if ref.isdigit() and ref[0] != "0" else payload)
    ).encode()


def _reordered(good: str, dice: random.Random) -> bytes:
    return json.dumps(dict(reversed(json.loads(good).items())), ensure_ascii=dice.random() < 0.5).encode()


# where each format has a text, a list of objects and an object, by path in its payload
PLACES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "taobao/trade": (("buyer_nick",), ("orders", "order"), ("orders",)),
    "taobao/trade-simplified": (("buyer_nick",), ("orders",), ("logistics_agreement",)),
    "shopify/graphql": (("displayFulfillmentStatus",), ("lineItems", "nodes"), ("shippingAddress",)),
    "pdd/order": (("remark",), ("item_list",), ()),
    "douyin/order": (("buyer_words",), ("sku_order_list",), ("mask_post_addr",)),
    "jd/order": (("orderRemark",), ("itemInfoList",), ("consigneeInfo",)),
    "kuaishou/order": (("orderBaseInfo", "remark"), ("orderRefundList",), ("orderAddress",)),
    "amazon/order": (("salesChannel", "channelName"), ("orderItems",), ("recipient",)),
}
TEXT, LIST, OBJECT = 0, 1, 2


def _typed(position: int, value: Any) -> Spoil:
    """Put a value of another type where the format has a text, a list or an object."""

    def spoil(good: str, dice: random.Random) -> bytes:
        record = json.loads(good)
        path = PLACES[record["format"]][position] or PLACES[record["format"]][LIST]
        if position == OBJECT and path == PLACES[record["format"]][LIST] and value == []:
            return b"[]"
        there = record["payload"]
        for name in path[:-1]:
            there[name] = there.get(name) or {}
            there = there[name]
        there[path[-1]] = value
        return compact(record).encode()

    return spoil


_S = '"\\ud83d"'
DAMAGES: dict[str, tuple[str, Spoil]] = {
    # a line that is no record
    "cut": (BAD, _cut),
    "cut and joined to another": (BAD, lambda good, dice: _cut(good, dice) + good.encode()),
    "html": (BAD, lambda good, dice: b"<html><body>502 Bad Gateway</body></html>"),
    "two on a line": (BAD, lambda good, dice: (good + good).encode()),
    "rubbish behind": (BAD, lambda good, dice: (good + " x").encode()),
    "a bracket more": (BAD, lambda good, dice: (good + "}").encode()),
    "comma at the end": (BAD, lambda good, dice: (good[:-1] + ",}").encode()),
    "no comma": (BAD, lambda good, dice: good.replace(',"format"', '"format"', 1).encode()),
    "single quotes": (BAD, lambda good, dice: good.replace('"', "'").encode()),
    "null": (BAD, lambda good, dice: b"null"),
    "number": (BAD, lambda good, dice: b"17"),
    "empty object": (BAD, lambda good, dice: b"{}"),
    "array around": (BAD, lambda good, dice: f"[{good}]".encode()),
    # what no text of JSON holds
    "lone surrogate in the payload": (BAD, _inside(_S)),
    "lone surrogate behind": (BAD, _behind('"\\uDE00x"')),
    "lone surrogate in a key": (BAD, lambda good, dice: good.replace('"payload":{', '"payload":{"\\ud83d":1,', 1).encode()),
    "surrogates the wrong way round": (BAD, _inside('"\\ude00\\ud83d"')),
    "surrogate bytes": (BAD, _bytes(b"\xed\xa0\xbd")),
    "bytes that are no UTF-8": (BAD, _bytes(b"\xff\xfe")),
    "GBK": (BAD, _bytes("样例".encode("gbk"))),
    "overlong UTF-8": (BAD, _bytes(b"\xc0\xaf")),
    "a character cut": (BAD, _bytes("样".encode()[:2])),
    "NUL byte": (BAD, _bytes(b"\x00")),
    "control byte": (BAD, _bytes(b"\x01")),
    "tab in a text": (BAD, _bytes(b"a\tb")),
    "escape nobody knows": (BAD, _bytes(b"\\q")),
    "escape cut short": (BAD, _bytes(b"\\u00")),
    "byte order mark before": (BAD, lambda good, dice: ("\ufeff" + good).encode()),
    "NUL bytes instead": (BAD, lambda good, dice: bytes(500)),
    "NaN": (BAD, _inside("NaN")),
    "infinity": (BAD, _inside("-Infinity")),
    "plus": (BAD, _inside("+1")),
    "zero before": (BAD, _inside("007")),
    "hexadecimal": (BAD, _inside("0x10")),
    "nested too deep in the payload": (BAD, _inside(DEEP)),
    "nested too deep": (BAD, _behind(DEEP)),
    # a record of something else, or without what makes it one
    "key twice": (BAD, lambda good, dice: (good[:-1] + ',"shop":"other"}').encode()),
    "payload twice": (BAD, lambda good, dice: (good[:-1] + ',"payload":{}}').encode()),
    "unknown key twice": (BAD, lambda good, dice: (good[:-1] + ',"x":1,"x":2}').encode()),
    "key twice in the payload": (BAD, _inside('1,"nobody_knows":2')),
    "key twice deep in the payload": (BAD, _inside('[{"a":{"b":1,"c":2,"b":1}}]')),
    "key twice, one escaped": (BAD, _inside('{"ab":1,"a\\u0062":1}')),
    "key twice behind a huge integer": (BAD, _inside("2" * 5000 + ',"nobody_knows":2')),
    "key twice in an unknown field": (BAD, _behind('{"b":{"c":1,"c":null}}')),
    **{f"without {key}": (BAD, _lacks(key)) for key in ("schema", "platform", "shop", "platform_ref", "format", "observed_at", "payload")},
    "unknown schema": (BAD, _envelope(schema="raw/99")),
    "schema of another kind": (BAD, _envelope(schema="order/1")),
    "schema a number": (BAD, _envelope(schema=1)),
    "unknown format": (BAD, _envelope(format="nobody/knows")),
    "format a list": (BAD, _envelope(format=["taobao/trade"])),
    "reference empty": (BAD, _envelope(platform_ref="")),
    "reference a number": (BAD, _envelope(platform_ref=2500000000000683245)),
    "shop null": (BAD, _envelope(shop=None)),
    "platform an object": (BAD, _envelope(platform={})),
    "observed some day": (BAD, _envelope(observed_at="yesterday")),
    "observed in another form": (BAD, _envelope(observed_at="2026-11-24 00:00:00")),
    "payload null": (BAD, _envelope(payload=None)),
    "payload a text": (BAD, _envelope(payload="{}")),
    "payload a list": (BAD, _envelope(payload=[])),
    "payload a number": (BAD, _envelope(payload=1)),
    "facts a text": (BAD, _envelope(facts="x")),
    "parts a list": (BAD, _envelope(parts=[])),
    # a type the format does not have, in each class of positions
    "object for text": (BAD, _typed(TEXT, {"a": 1})),
    "list for text": (BAD, _typed(TEXT, ["a"])),
    "text for list": (BAD, _typed(LIST, "a")),
    "number for list": (BAD, _typed(LIST, 1)),
    "object for list": (BAD, _typed(LIST, {"a": {}})),
    "texts for objects": (BAD, _typed(LIST, ["a"])),
    "lists for objects": (BAD, _typed(LIST, [[1]])),
    "text for object": (BAD, _typed(OBJECT, "a")),
    "number for object": (BAD, _typed(OBJECT, 1.5)),
    "list for object": (BAD, _typed(OBJECT, [])),
    # odd but right: these cost nothing
    "number for text": (SOME_ORDER, _typed(TEXT, 17)),
    "bool for text": (SOME_ORDER, _typed(TEXT, True)),
    "null for text": (SOME_ORDER, _typed(TEXT, None)),
    "null for list": (SOME_ORDER, _typed(LIST, None)),
    "empty list": (SOME_ORDER, _typed(LIST, [])),
    "reference as a number in the payload": (GOOD, _rid_of_quotes),
    "other order of keys, spaces, escapes": (GOOD, _reordered),
    "unknown field": (GOOD, _behind('{"a":[1,{"b":null}]}')),
    "unknown field in the payload": (GOOD, _inside('{"a":[1,{"b":null}]}')),
    "pair of surrogates": (GOOD, _inside('"\\ud83d\\ude00"')),
    "escaped NUL and escapes": (GOOD, _inside('"\\u0000\\n\\/\\b"')),
    "characters of every width": (GOOD, _inside('"é样😀\u2028\u0085\ufeff"')),
    "text like a surrogate": (GOOD, _inside('"\\\\ud83d"')),
    "number too large": (GOOD, _inside("1e999")),
    "minus zero": (GOOD, _inside("[-0,-0.0,0e0,1E-999]")),
    "huge integer": (GOOD, _inside("2" * 40)),
    "huge integer behind": (GOOD, _behind("9" * 40)),
    "beyond 64 bits": (GOOD, _inside("[18446744073709551616,-9223372036854775809]")),
    "long line": (GOOD, _behind('"' + "样例" * 50_000 + '"')),
    "spaces around": (GOOD, lambda good, dice: f"  {good} \t ".encode()),
    "blank": (NOTHING, lambda good, dice: b"   \t"),
    "empty": (NOTHING, lambda good, dice: b""),
}  # fmt: skip


def lines(size: int, *, seed: int = 1, every: int = 100) -> Iterator[Line]:
    """Give lines of `size` bytes in all, one in `every` of them damaged, all kinds of DAMAGES in turn.

    The first has a byte order mark; some lines end with CRLF; one that is longer than a line may be comes in the middle.
    """
    dice, known = random.Random(seed), templates()
    kinds, written, number, long = list(DAMAGES.items()), 0, 0, False
    turn = 0
    while written < size:
        number += 1
        text, expected = known[dice.randrange(len(known))].made(number)
        end = b"\r\n" if dice.random() < 0.02 else b"\n"
        if dice.randrange(every) == 0:
            kind, (fate, spoil) = kinds[turn % len(kinds)]
            turn += 1
            line = Line(spoil(text, dice), fate, kind, expected, end)
        elif not long and size > LONG * 3 and written > size // 2:
            long = True
            line = Line(b"{" + b"x" * LONG, BAD, "longer than a line may be", "", end)
        else:
            line = Line((b"\xef\xbb\xbf" if number == 1 else b"") + text.encode(), GOOD, "", expected, end)
        written += len(line.text) + len(line.end)
        yield line


def write(path: Path, size: int, *, seed: int = 1, every: int = 100) -> None:
    """Write the lines to a file."""
    with path.open("wb") as sink:
        sink.writelines(line.text + line.end for line in lines(size, seed=seed, every=every))


def read_orders(path: Path) -> Iterator[dict[str, Any]]:
    """Give orders of a file, read by a library of others."""
    with path.open("rb") as found:
        for line in found:
            yield orjson.loads(line)
