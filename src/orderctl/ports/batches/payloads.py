"""Raw records: an envelope of ours around a payload that is the platform's.

Lines as our own writer makes them are cut into envelope, payload and the rest, and decoded as vectors; that each piece
is one whole JSON document proves the cut. Every other line is opened by itself. Both ways give the same values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec
import polars as pl

from orderctl.model.schema import SCHEMAS
from orderctl.ports.batches.decode import (
    INSTANT_TEXT,
    TOO_DEEP,
    decode,
    lone_surrogates,
    object_fault,
    payload_checker,
    repeated,
)
from orderctl.ports.batches.judge import stranger, unknown_keys
from orderctl.ports.batches.lines import Lines
from orderctl.ports.batches.rejects import Rejects

_ENVELOPE = ["schema", "platform", "shop", "platform_ref", "format", "observed_at", "updated_at", "source"]
_COLUMNS = [*_ENVELOPE, "payload", "parts", "facts", "extra"]
_ENVELOPE_TYPE = pl.Struct(dict.fromkeys(_ENVELOPE, pl.String()))
_TEXT = r'"(?:[^"\\]|\\.)*"'
_WHEN = r'"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"'
_FORMAT = r'"format":"([^"\\]*)","observed_at"'
_HEAD = (
    rf'^(\{{"schema":"raw/1","platform":{_TEXT},"shop":{_TEXT},"platform_ref":"[^"\\]+","format":"[^"\\]*",'
    rf'"observed_at":{_WHEN},"updated_at":(?:null|{_WHEN}),"source":(?:null|{_TEXT}),"payload":)\{{'
)
_TAIL = r',"parts":(null|\{.*\}),"facts":(null|\{.*\})\}$'
_TAIL_WITHIN = 300  # characters; more has to be opened line by line


class _Envelope(msgspec.Struct):
    schema: str
    platform: str
    shop: str
    platform_ref: Annotated[str, msgspec.Meta(min_length=1)]
    format: str
    observed_at: INSTANT_TEXT
    payload: msgspec.Raw
    updated_at: INSTANT_TEXT | None = None
    source: str | None = None
    parts: msgspec.Raw = msgspec.Raw(b"null")
    facts: msgspec.Raw = msgspec.Raw(b"null")


_ENVELOPE_KEYS = frozenset(f.name for f in msgspec.structs.fields(_Envelope))
_envelope = msgspec.json.Decoder(_Envelope)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _opened(text: str) -> dict[str, str | None]:
    """Read the envelope of one line, with the payload as its JSON text. Raises: ValueError saying what is wrong."""
    line = text.encode()
    try:
        found = _envelope.decode(line)
        keys = _object.decode(line)
    except RecursionError as error:
        raise ValueError(TOO_DEEP) from error
    if reason := repeated(line) or stranger(found.schema, "raw/1"):
        raise ValueError(reason)
    row: dict[str, str | None] = {name: getattr(found, name) for name in _ENVELOPE}
    for name in ("payload", "parts", "facts"):
        value = bytes(getattr(found, name))
        if not value.startswith(b"{") and (name == "payload" or value != b"null"):
            raise ValueError(f"{name} is not an object")
        row[name] = None if value == b"null" else value.decode()
    row["extra"] = unknown_keys(line, _ENVELOPE_KEYS) if keys.keys() - _ENVELOPE_KEYS else None
    return row


def _opened_rows(block: pl.DataFrame, rows: Iterable[int], bad: dict[int, str]) -> pl.DataFrame:
    """Open the lines at the places `rows` of a block one by one; what is wrong with the others goes to `bad`."""
    found: list[dict[str, Any]] = []
    for row in rows:
        try:
            found.append({"row": row, **_opened(block["line"][row])})
        except ValueError as error:
            bad[row] = str(error)
    return pl.DataFrame(found, schema={"row": pl.Int64, **SCHEMAS["raw/1"]})


def raw_frame(lines: Lines, block: pl.DataFrame) -> pl.DataFrame:
    """Read a block of lines as a raw/1 frame, payloads as JSON text."""
    bad: dict[int, str] = {}
    found = _opened_rows(block, range(block.height), bad)
    _reject(lines, block, bad)
    return found.drop("row")


def _reject(lines: Lines, block: pl.DataFrame, bad: Mapping[int, str]) -> None:
    for row, reason in sorted(bad.items()):
        lines.reject(block["at"][row], reason, block["line"][row])


def typed_lines(
    lines: Lines, block: pl.DataFrame, dtypes: Mapping[str, pl.Struct]
) -> dict[str, pl.DataFrame]:
    """Read a block of lines with payloads decoded: format to frame; see `read_raw_blocks`."""
    bad: dict[int, str] = {}
    out = _cut_lines(block, dtypes)
    done = pl.concat([pl.Series("row", dtype=pl.Int64), *(frame["row"] for frame in out.values())])
    rest = pl.int_range(block.height, dtype=pl.Int64, eager=True)
    opened = _opened_rows(block, rest.filter(~rest.is_in(done.implode())), bad)
    for name, frame in _typed(opened, dtypes, bad).items():
        out[name] = pl.concat([out[name], frame]).sort("row") if name in out else frame
    _reject(lines, block, bad)
    return out


def _cut_lines(block: pl.DataFrame, dtypes: Mapping[str, pl.Struct]) -> dict[str, pl.DataFrame]:
    """Decode the lines that have the form our own writer gives them, and nothing wrong."""
    line, head, tail = pl.col("line"), pl.col("head"), pl.col("tail")
    size = line.str.len_bytes() - head.str.len_bytes() - tail.str.len_bytes()
    cut = (
        block.select(
            pl.int_range(pl.len(), dtype=pl.Int64).alias("row"), line, line.str.extract(_HEAD).alias("head")
        )
        .filter(head.is_not_null())
        .with_columns(line.str.tail(_TAIL_WITHIN).str.extract(_TAIL, 0).alias("tail"))
        .filter(tail.is_not_null())
        .select(
            "row",
            head.str.extract(_FORMAT).alias("format"),
            head + "null}",
            tail.str.extract(_TAIL, 1).replace("null", None).alias("parts"),
            tail.str.extract(_TAIL, 2).replace("null", None).alias("facts"),
            line.cast(pl.Binary).bin.slice(head.str.len_bytes(), size).cast(pl.String).alias("payload"),
        )
        .filter(pl.col("format").is_in(list(dtypes)), _whole("parts"), _whole("facts"))
    )
    out: dict[str, pl.DataFrame] = {}
    for (name,), part in cut.partition_by("format", as_dict=True, maintain_order=True).items():
        envelopes = decode(part["head"], _ENVELOPE_TYPE, payload_checker(_ENVELOPE_TYPE))
        ours = envelopes.of(part.select("row", "parts", "facts", "payload"))
        dtype = dtypes[str(name)]
        payloads = decode(ours["payload"], dtype, payload_checker(dtype), foreign=True)
        kept = payloads.of(ours.hstack(envelopes.frame))
        typed = kept.with_columns(payloads.frame.to_struct("payload"), extra=pl.lit(None, dtype=pl.String))
        out[str(name)] = typed.select("row", *_COLUMNS)
    return out


def _whole(column: str) -> pl.Expr:
    """True where a text is null or one whole JSON object."""
    return pl.col(column).map_elements(object_fault, return_dtype=pl.String).is_null()


def typed_rows(
    raw: pl.DataFrame,
    dtypes: Mapping[str, pl.Struct],
    rejects: Rejects,
    name: str = "memory",
    numbers: pl.Series | None = None,
) -> dict[str, pl.DataFrame]:
    """Decode the payloads of a raw/1 frame; see `read_raw_blocks`. `numbers` are the rows' places in the source."""
    bad = lone_surrogates(raw["payload"])
    rows = raw.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    out = _typed(rows.filter(~pl.col("row").is_in(list(bad))) if bad else rows, dtypes, bad)
    for row, reason in sorted(bad.items()):
        line = None if numbers is None else numbers[row]
        rejects.add(source=name, line=line, reason=reason, text=raw["payload"][row])
    return out


def _typed(
    rows: pl.DataFrame, dtypes: Mapping[str, pl.Struct], bad: dict[int, str]
) -> dict[str, pl.DataFrame]:
    out: dict[str, pl.DataFrame] = {}
    for (name,), part in rows.partition_by("format", as_dict=True, maintain_order=True).items():
        dtype = dtypes.get(str(name))
        if dtype is None:
            bad |= dict.fromkeys(part["row"], f"no mapper reads the format {str(name)[:40]}")
            continue
        done = decode(part["payload"], dtype, payload_checker(dtype))
        bad |= {part["row"][position]: reason for position, reason in done.bad.items()}
        kept = done.of(part).with_columns(done.frame.to_struct("payload"))
        out[str(name)] = kept.select("row", *_COLUMNS)
    return out
