"""Reading a batch block by block, in bounded memory, whatever its shape."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import arro3.io
import msgspec
import polars as pl

from orderctl.model.errors import DataError
from orderctl.model.schema import SCHEMAS, conform, empty
from orderctl.model.text import Text
from orderctl.ports.batches.decode import Decoded, decode, explain, texts
from orderctl.ports.batches.rejects import Rejects
from orderctl.ports.batches.source import Source, line_blocks, seekable

PARQUET_ROWS = 20_000
_KEY = {"raw/1": "platform_ref", "order/1": "order_id", "shipment/1": "shipment_id"}
_MADE_BY = {"raw/1": "fetch", "order/1": "normalize", "shipment/1": "merge"}
_ENVELOPE = ["schema", "platform", "shop", "platform_ref", "format", "observed_at", "updated_at", "source"]
# What our own writer puts around a payload. A line of this form has no other keys, so it need not be looked at twice.
_TEXT = r'(?:null|"(?:[^"\\]|\\.)*")'
_OURS = (
    r'^\{"schema":"raw/1","platform":TEXT,"shop":TEXT,"platform_ref":TEXT,"format":"([^"\\]*)",'
    r'"observed_at":TEXT,"updated_at":TEXT,"source":TEXT,"payload":\{'
).replace("TEXT", _TEXT)
_OURS_END = '},"parts":null,"facts":null}'


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
    if source.shape == "empty":
        return
    if source.shape == "jsonl":
        yield from _read_lines(source, accept, rejects)
        return
    for frame in _frames(source):
        kind = _kind_of_frame(source, frame, accept)
        yield Block(kind, _conformed(source, frame, kind))


def _frames(source: Source) -> Iterator[pl.DataFrame]:
    try:
        if source.shape == "parquet":
            with seekable(source) as path:
                yield from pl.scan_parquet(path).collect_batches(chunk_size=PARQUET_ROWS, maintain_order=True)
        else:
            yield from _arrow_frames(source)
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise DataError(
            Text("{name}: is damaged: {why}", name=source.name, why=str(error).splitlines()[0])
        ) from error


def _arrow_frames(source: Source) -> Iterator[pl.DataFrame]:
    reader: Iterator[Any] | None = None
    while True:
        try:
            reader = reader or iter(arro3.io.read_ipc_stream(source.stream))
            batch = next(reader)
        except StopIteration:
            return
        except Exception as error:
            if type(error) is Exception:  # all that arro3 ever raises for a damaged stream
                raise ValueError(str(error)) from error
            raise
        yield pl.DataFrame(batch)


def _kind_of_frame(source: Source, frame: pl.DataFrame, accept: Sequence[str]) -> str:
    kinds = frame["schema"].unique().to_list() if "schema" in frame.columns else []
    if len(kinds) != 1 or not isinstance(kinds[0], str):
        raise DataError(Text("{name}: has no column schema that names one kind of record", name=source.name))
    return _accepted(source, kinds[0], accept)


def _accepted(source: Source, kind: str, accept: Sequence[str]) -> str:
    if kind in accept:
        return kind
    if kind not in SCHEMAS:
        raise DataError(
            Text("{name}: holds records of the unknown schema {kind}", name=source.name, kind=kind)
        )
    raise DataError(
        Text(
            "{name}: holds {kind}, this command takes {accept}",
            name=source.name,
            kind=kind,
            accept=" / ".join(accept),
        ),
        hint=Text("{accept} is made by: orderctl {command}", accept=accept[0], command=_MADE_BY[accept[0]]),
    )


def _conformed(source: Source, frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    unknown = [c for c in frame.columns if c not in SCHEMAS[kind]]
    if unknown:
        folded = pl.struct(unknown).struct.json_encode()
        frame = frame.with_columns(
            extra=pl.coalesce(pl.col("^extra$"), folded) if "extra" in frame.columns else folded
        )
    try:
        return conform(frame, kind)
    except pl.exceptions.PolarsError as error:
        raise DataError(
            Text(
                "{name}: does not fit {kind}: {why}",
                name=source.name,
                kind=kind,
                why=str(error).splitlines()[0],
            )
        ) from error


def _kind_of_line(text: str) -> str | None:
    try:
        found = msgspec.json.decode(text.encode(), type=dict[str, msgspec.Raw])
        kind = msgspec.json.decode(found["schema"])
    except (msgspec.DecodeError, KeyError, UnicodeEncodeError):
        return None
    return kind if isinstance(kind, str) else None


class _Lines:
    """The texts of a JSONL source with their line numbers; decides the kind by the first line that names one."""

    def __init__(self, source: Source, accept: Sequence[str], rejects: Rejects) -> None:
        self.source = source
        self.accept = accept
        self.rejects = rejects
        self.kind: str | None = None
        self.seen = 0

    def reject(self, line: int, reason: str, text: str) -> None:
        self.rejects.add(source=self.source.name, line=line, reason=reason, text=text)

    def blocks(self) -> Iterator[pl.DataFrame]:
        """Give the lines (`line`) with their numbers (`at`), block by block."""
        waiting: list[pl.DataFrame] = []
        for first, block in line_blocks(self.source):
            found, bad = texts(block)
            for at, line in bad.items():
                self.reject(first + at, "is not UTF-8", line.decode("utf-8", "backslashreplace"))
            self.seen += found.height + len(bad)
            found = found.with_columns(pl.col("at") + first)
            if self.kind is None:
                self.kind = self._decide(found)
            if self.kind is None:
                waiting.append(found)
                continue
            yield from waiting
            waiting.clear()
            yield found
        if self.kind is None and self.seen:
            raise DataError(
                Text("{name}: none of its {count} lines is a record", name=self.source.name, count=self.seen),
                hint=Text("each line of a batch is a JSON object with a key schema, such as order/1"),
            )

    def _decide(self, found: pl.DataFrame) -> str | None:
        kinds = (_kind_of_line(text) for text in found["line"])
        named = next((kind for kind in kinds if kind), None)
        return _accepted(self.source, named, self.accept) if named else None


def _read_lines(source: Source, accept: Sequence[str], rejects: Rejects) -> Iterator[Block]:
    lines = _Lines(source, accept, rejects)
    for found in lines.blocks():
        kind = lines.kind or accept[0]
        block = _raw_block(lines, found) if kind == "raw/1" else _own_block(lines, kind, found)
        if block.frame.height:
            yield block


def _own_block(lines: _Lines, kind: str, block: pl.DataFrame) -> Block:
    dtype, found, numbers = _row_type(kind), block["line"], block["at"]
    done = decode(found, dtype, strict=True)
    frame = done.frame
    line = found.gather(done.positions) if done.bad else found
    odd = (frame.select(pl.struct(pl.all()).struct.json_encode()).to_series() != line).arg_true().to_list()
    extra: dict[int, str] = {}
    drop: set[int] = set()
    unknown = 0
    for row in odd:
        text = found[done.positions[row]]
        if reason := explain(text.encode(), dtype, strict=True):
            done.bad[done.positions[row]] = reason
            drop.add(row)
            continue
        folded, nested = _unknown_keys(msgspec.json.decode(text.encode()), dtype)
        unknown += nested
        if folded:
            extra[row] = folded
    for row in (frame["schema"] != kind).fill_null(True).arg_true().to_list():
        if row not in drop:
            named = frame["schema"][row]
            reason = f"its schema is {named}, this batch holds {kind}" if named else "has no key schema"
            done.bad[done.positions[row]] = reason
            drop.add(row)
    missing = frame.select(pl.col(_KEY[kind]).is_null()).to_series().arg_true().to_list()
    for row in missing:
        done.bad.setdefault(done.positions[row], f"{_KEY[kind]} is missing")
        drop.add(row)
    for position, reason in sorted(done.bad.items()):
        lines.reject(numbers[position], reason, found[position])
    frame = frame.with_columns(extra=pl.Series([extra.get(i) for i in range(frame.height)], dtype=pl.String))
    if drop:
        frame = frame[[i for i in range(frame.height) if i not in drop]]
    return Block(kind, conform(frame, kind), unknown)


def _unknown_keys(found: Mapping[str, Any], dtype: pl.Struct) -> tuple[str | None, int]:
    known = {f.name: f.dtype for f in dtype.fields}
    top = {k: v for k, v in found.items() if k not in known}
    nested = sum(_count_unknown(v, known[k]) for k, v in found.items() if k in known)
    return (json.dumps(top, ensure_ascii=False, separators=(",", ":")) if top else None), nested


def _count_unknown(value: Any, dtype: Any) -> int:
    if isinstance(value, dict) and isinstance(dtype, pl.Struct):
        known = {f.name: f.dtype for f in dtype.fields}
        return sum(_count_unknown(v, known[k]) if k in known else 1 for k, v in value.items())
    if isinstance(value, list) and isinstance(dtype, pl.List):
        return sum(_count_unknown(v, dtype.inner) for v in value)
    return 0


# --- raw records: an envelope of ours around a payload that is the platform's


class _Envelope(msgspec.Struct):
    schema: str
    platform: str
    shop: str
    platform_ref: str
    format: str
    observed_at: str
    payload: msgspec.Raw
    updated_at: str | None = None
    source: str | None = None
    parts: msgspec.Raw = msgspec.Raw(b"null")
    facts: msgspec.Raw = msgspec.Raw(b"null")


_ENVELOPE_KEYS = {f.name for f in msgspec.structs.fields(_Envelope)}
_envelope = msgspec.json.Decoder(_Envelope)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _opened(text: str) -> dict[str, str | None]:
    """Read the envelope of one line, with the payload as its JSON text. Raises: msgspec.DecodeError."""
    line = text.encode()
    found = _envelope.decode(line)
    if found.schema != "raw/1":
        raise msgspec.ValidationError(f"its schema is {found.schema}, this batch holds raw/1")
    if not bytes(found.payload).startswith(b"{"):
        raise msgspec.ValidationError("payload is not an object")
    row: dict[str, str | None] = {name: getattr(found, name) for name in _ENVELOPE}
    row["payload"] = bytes(found.payload).decode()
    for name in ("parts", "facts"):
        value = bytes(getattr(found, name))
        row[name] = None if value == b"null" else value.decode()
    extra = {k: msgspec.json.decode(v) for k, v in _object.decode(line).items() if k not in _ENVELOPE_KEYS}
    row["extra"] = json.dumps(extra, ensure_ascii=False, separators=(",", ":")) if extra else None
    return row


def _raw_block(lines: _Lines, block: pl.DataFrame) -> Block:
    rows: list[dict[str, str | None]] = []
    for text, number in zip(block["line"], block["at"], strict=True):
        try:
            rows.append(_opened(text))
        except msgspec.DecodeError as error:
            lines.reject(number, str(error), text)
    return Block("raw/1", pl.DataFrame(rows, schema=SCHEMAS["raw/1"]))


def read_raw_blocks(
    source: Source, dtypes: Mapping[str, pl.Struct], rejects: Rejects
) -> Iterator[dict[str, pl.DataFrame]]:
    """Read raw records with their payloads decoded: for every block, format to frame.

    `dtypes` gives the payload's type by format. Frames have the envelope's columns, `payload` as a struct, `parts`
    and `facts` as JSON text, `extra`, and `row` (Int64), the place of the record in the block. Records of a format
    that `dtypes` does not have are rejected.
    """
    if source.shape == "empty":
        return
    if source.shape != "jsonl":
        for block in read_blocks(source, ["raw/1"], rejects):
            yield typed_rows(block.frame, dtypes, rejects, source.name)
        return
    lines = _Lines(source, ["raw/1"], rejects)
    for found in lines.blocks():
        yield _typed_lines(lines, found, dtypes)


def typed_rows(
    raw: pl.DataFrame, dtypes: Mapping[str, pl.Struct], rejects: Rejects, name: str = "memory"
) -> dict[str, pl.DataFrame]:
    """Decode the payloads of a raw/1 frame held in memory; see `read_raw_blocks`."""
    rows = raw.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    return _typed(name, rows, dtypes, rejects, None)


def _typed_lines(
    lines: _Lines, block: pl.DataFrame, dtypes: Mapping[str, pl.Struct]
) -> dict[str, pl.DataFrame]:
    ours = block.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"),
        pl.when(pl.col("line").str.ends_with(_OURS_END))
        .then(pl.col("line").str.extract(_OURS, 1))
        .alias("format"),
    )
    known = ours.filter(pl.col("format").is_in(list(dtypes)))
    out: dict[str, pl.DataFrame] = {}
    for (name,), part in known.partition_by("format", as_dict=True, maintain_order=True).items():
        out[str(name)] = _simple_part(lines, block, part["row"], dtypes[str(name)])
    slow: list[dict[str, Any]] = []
    for i in ours.join(known, on="row", how="anti", maintain_order="left")["row"]:
        text = block["line"][i]
        try:
            slow.append({"row": i, **_opened(text)})
        except msgspec.DecodeError as error:
            lines.reject(block["at"][i], str(error), text)
    if slow:
        rows = pl.DataFrame(slow, schema={"row": pl.Int64, **SCHEMAS["raw/1"]}, infer_schema_length=None)
        for name, frame in _typed(lines.source.name, rows, dtypes, lines.rejects, block["at"]).items():
            out[name] = pl.concat([out[name], frame]).sort("row") if name in out else frame
    return out


def _simple_part(lines: _Lines, block: pl.DataFrame, rows: pl.Series, payload: pl.Struct) -> pl.DataFrame:
    dtype = pl.Struct({**dict.fromkeys(_ENVELOPE, pl.String()), "payload": payload})
    found = block if len(rows) == block.height else block[rows]
    done: Decoded = decode(found["line"], dtype, strict=False)
    for position, reason in sorted(done.bad.items()):
        lines.reject(found["at"][position], reason, found["line"][position])
    nothing = pl.lit(None, dtype=pl.String)
    return done.frame.select(
        (rows.gather(done.positions) if done.bad else rows).alias("row"),
        *[pl.col(name) for name in _ENVELOPE],
        "payload",
        nothing.alias("parts"),
        nothing.alias("facts"),
        nothing.alias("extra"),
    )


def _typed(
    name: str,
    rows: pl.DataFrame,
    dtypes: Mapping[str, pl.Struct],
    rejects: Rejects,
    numbers: pl.Series | None,
) -> dict[str, pl.DataFrame]:
    out: dict[str, pl.DataFrame] = {}

    def reject(row: int, reason: str, text: str) -> None:
        rejects.add(source=name, line=None if numbers is None else numbers[row], reason=reason, text=text)

    for (form,), part in rows.partition_by("format", as_dict=True, maintain_order=True).items():
        payload = part["payload"]
        dtype = dtypes.get(str(form))
        if dtype is None:
            for row, text in zip(part["row"], payload, strict=True):
                reject(row, f"no mapper reads the format {form}", text)
            continue
        done = decode(payload, dtype, strict=False)
        for position, reason in sorted(done.bad.items()):
            reject(part["row"][position], reason, payload[position])
        columns = ["row", *_ENVELOPE, "payload", "parts", "facts", "extra"]
        kept = part[done.positions].with_columns(done.frame.to_struct("payload"))
        out[str(form)] = kept.select(columns)
    return out
