"""Reading a batch block by block, in bounded memory, whatever its shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl

from orderctl.model.schema import SCHEMAS, breaches, conform, empty
from orderctl.ports.batches.columns import read_columns
from orderctl.ports.batches.decode import decode, record_checker
from orderctl.ports.batches.judge import judge
from orderctl.ports.batches.lines import Lines
from orderctl.ports.batches.payloads import raw_frame, typed_lines, typed_rows
from orderctl.ports.batches.rejects import Rejects
from orderctl.ports.batches.source import Source

__all__ = ["Block", "read_blocks", "read_raw_blocks", "read_whole", "typed_rows"]
ROWS = 16_000
"""How many raw records are mapped at a time, unless a block holds more."""


@dataclass
class Block:
    """Some rows of a batch: `frame` of `kind`; `unknown` counts nested keys the schema does not know."""

    kind: str
    frame: pl.DataFrame
    unknown: int = 0


@cache
def _row_type(kind: str) -> pl.Struct:
    return pl.Struct({name: dtype for name, dtype in SCHEMAS[kind].items() if name != "extra"})


def read_whole(source: Source, accept: Sequence[str], rejects: Rejects) -> Block:
    """Read all rows; an empty source gives an empty batch of the first kind accepted.

    Raises: DataError if the source holds no record of an accepted kind.
    """
    blocks = list(read_blocks(source, accept, rejects))
    if not blocks:
        return Block(accept[0], empty(accept[0]))
    frame = pl.concat([b.frame for b in blocks], how="vertical")
    return Block(blocks[0].kind, frame, sum(b.unknown for b in blocks))


def read_blocks(source: Source, accept: Sequence[str], rejects: Rejects) -> Iterator[Block]:
    """Read a batch of one of the kinds in `accept`, some rows at a time, in order."""
    if source.shape == "jsonl":
        lines = Lines(source, accept, rejects)
        for found in lines.blocks():
            kind = lines.kind or accept[0]
            block = (
                Block(kind, raw_frame(lines, found)) if kind == "raw/1" else _own_block(lines, kind, found)
            )
            if block.frame.height:
                yield block
    elif source.shape != "empty":
        for kind, frame in read_columns(source, accept, rejects):
            yield Block(kind, frame.drop("at"))


def _own_block(lines: Lines, kind: str, block: pl.DataFrame) -> Block:
    """Decode lines of `order/1` or `shipment/1`.

    A row whose canonical JSON is not byte for byte its line (foreign writers, unknown keys, wrong types) or that
    breaks the contract is looked at once more, by itself.
    """
    found, numbers = block["line"], block["at"]
    done = decode(found, _row_type(kind), record_checker(kind))
    frame, bad, unknown = done.frame, done.bad, 0
    canonical = frame.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    broken = frame.select(breaches(kind)).to_series()
    extra: dict[int, str | None] = {}
    drop: set[int] = set()
    for row in ((canonical != found.gather(done.positions)) | broken).arg_true().to_list():
        verdict = judge(found[done.positions[row]], kind)
        reason = verdict.reason or (f"does not fit {kind}" if broken[row] else None)
        if reason:
            bad[done.positions[row]] = reason
            drop.add(row)
            continue
        unknown += verdict.nested
        extra[row] = verdict.extra
    for position, reason in sorted(bad.items()):
        lines.reject(numbers[position], reason, found[position])
    frame = frame.with_columns(extra=pl.Series([extra.get(i) for i in range(frame.height)], dtype=pl.String))
    if drop:
        frame = frame[[i for i in range(frame.height) if i not in drop]]
    return Block(kind, conform(frame, kind), unknown)


def read_raw_blocks(
    source: Source, dtypes: Mapping[str, pl.Struct], rejects: Rejects, also: Sequence[str] = ()
) -> Iterator[dict[str, pl.DataFrame]]:
    """Read raw records with their payloads decoded: for every block, format to frame.

    `dtypes` gives the payload's type by format. Frames have the envelope's columns, `payload` as a struct, `parts`
    and `facts` as JSON text, `extra`, and `row` (Int64), the place of the record in the block. Records of a format
    that `dtypes` does not have are rejected. A source of one of the kinds `also` gives frames of that kind, under its name.
    """
    yield from _gathered(_raw_blocks(source, dtypes, rejects, also))


def _raw_blocks(
    source: Source, dtypes: Mapping[str, pl.Struct], rejects: Rejects, also: Sequence[str]
) -> Iterator[dict[str, pl.DataFrame]]:
    accept = ["raw/1", *also]
    if source.shape == "jsonl":
        lines = Lines(source, accept, rejects)
        for found in lines.blocks():
            if lines.kind and lines.kind in also:
                yield {lines.kind: _own_block(lines, lines.kind, found).frame}
            else:
                yield typed_lines(lines, found, dtypes)
    elif source.shape != "empty":
        for kind, frame in read_columns(source, accept, rejects):
            if kind in also:
                yield {kind: frame.drop("at")}
            else:
                yield typed_rows(frame.drop("at"), dtypes, rejects, source.name, frame["at"])


def _gathered(blocks: Iterator[dict[str, pl.DataFrame]]) -> Iterator[dict[str, pl.DataFrame]]:
    """Join blocks of raw records until they are worth a pass: each step behind costs the same for one row as for many."""
    waiting: dict[str, list[pl.DataFrame]] = {}
    rows = first = 0
    for block in blocks:
        last = first
        for name, frame in block.items():
            rows += frame.height
            if "row" in frame.columns and frame.height:
                last = max(last, first + 1 + int(frame["row"][-1]))
            numbered = frame.with_columns(pl.col("^row$") + first)
            waiting.setdefault(name, []).append(numbered)
        first = last
        if rows >= ROWS:
            whole, waiting, rows, first = waiting, {}, 0, 0
            yield {name: pl.concat(whole.pop(name)) for name in list(whole)}
    if waiting:
        yield {name: pl.concat(parts) for name, parts in waiting.items()}
