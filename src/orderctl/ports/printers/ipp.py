"""The Internet Printing Protocol as bytes: requests to write, answers to read. No I/O.

Only the value types printers use are known by name; any other value is kept as bytes. Source: RFC 8010 (encoding),
RFC 8011 (operations, states), PWG 5101.1 (media names).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

Value = int | bool | str | bytes | tuple[int, int] | Mapping[str, "Attribute"] | None
Found = dict[str, list[object]]


class Tag(IntEnum):
    """Delimiters and value types."""

    OPERATION = 0x01
    JOB = 0x02
    END = 0x03
    PRINTER = 0x04
    INTEGER = 0x21
    BOOLEAN = 0x22
    ENUM = 0x23
    RANGE = 0x33
    COLLECTION = 0x34
    TEXT_LANGUAGE = 0x35
    NAME_LANGUAGE = 0x36
    END_COLLECTION = 0x37
    TEXT = 0x41
    NAME = 0x42
    KEYWORD = 0x44
    URI = 0x45
    CHARSET = 0x47
    LANGUAGE = 0x48
    MIME = 0x49
    MEMBER = 0x4A


class Operation(IntEnum):
    """What is asked of a printer."""

    PRINT_JOB = 0x0002
    GET_JOB_ATTRIBUTES = 0x0009
    GET_JOBS = 0x000A
    GET_PRINTER_ATTRIBUTES = 0x000B


class JobState(IntEnum):
    """Where a job is; the last three are its end."""

    PENDING = 3
    HELD = 4
    PROCESSING = 5
    STOPPED = 6
    CANCELED = 7
    ABORTED = 8
    COMPLETED = 9


PRINTER_STOPPED = 5
NOT_FOUND = 0x0406
NOT_ACCEPTING = 0x0506
TOLERANCE_MM = 0.5
_OUT_OF_BAND = range(0x10, 0x20)
_TEXTS = range(0x41, 0x50)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)(mm|in)$")


@dataclass(frozen=True)
class Attribute:
    """One or more values of one type."""

    tag: Tag
    values: Sequence[Value]


@dataclass(frozen=True)
class Answer:
    """A printer's answer: status code and attribute groups in order."""

    status: int
    groups: Sequence[tuple[int, Found]]

    def of(self, tag: Tag) -> list[Found]:
        """Give all groups of one kind."""
        return [found for kind, found in self.groups if kind == tag]


def one(tag: Tag, *values: Value) -> Attribute:
    """Make an attribute."""
    return Attribute(tag, values)


def encode(
    operation: Operation,
    request_id: int,
    groups: Sequence[tuple[Tag, Mapping[str, Attribute]]],
    data: bytes = b"",
) -> bytes:
    """Give the bytes of a request; `data` is the document."""
    out = [struct.pack(">BBHI", 2, 0, operation, request_id)]
    for delimiter, attributes in groups:
        out.append(bytes([delimiter]))
        out += [_attribute(name, attribute) for name, attribute in attributes.items()]
    return b"".join([*out, bytes([Tag.END]), data])


def parse_answer(content: bytes) -> Answer:
    """Read an answer. Raises ValueError when it is cut or no IPP."""
    try:
        _, status, _ = struct.unpack_from(">HHI", content)
        return Answer(status, _groups(content, 8))
    except (struct.error, IndexError, UnicodeDecodeError, RecursionError):
        raise ValueError("the answer is no complete IPP message") from None


def parse_media(name: str) -> tuple[float, float] | None:
    """Give width and height in mm of a self-describing media name: om_label-76x130_76x130mm, na_index-4x6_4x6in."""
    found = _SIZE.search(name)
    if found is None:
        return None
    unit = 25.4 if found.group(3) == "in" else 1.0
    return float(found.group(1)) * unit, float(found.group(2)) * unit


def offers_size(offered: list[str], width: float, height: float) -> bool:
    """Tell whether a size is among the named papers or within the smallest and largest custom one."""
    limits: dict[str, tuple[float, float]] = {}
    for name in offered:
        size = parse_media(name)
        if size is None:
            continue
        if name.startswith(("custom_min_", "custom_max_")):
            limits[name[:10]] = size
        elif same_size(size, (width, height)):
            return True
    if len(limits) < 2:
        return False
    low, high = limits["custom_min"], limits["custom_max"]
    return low[0] <= width <= high[0] and low[1] <= height <= high[1]


def same_size(size: tuple[float, float] | None, wanted: tuple[float, float]) -> bool:
    """Tell whether two sizes are the same paper."""
    return size is not None and all(abs(a - b) <= TOLERANCE_MM for a, b in zip(size, wanted, strict=True))


def _attribute(name: str, attribute: Attribute) -> bytes:
    out = []
    for place, value in enumerate(attribute.values):
        key = name.encode() if place == 0 else b""
        out.append(struct.pack(">BH", attribute.tag, len(key)) + key + _value(attribute.tag, value))
    return b"".join(out)


def _value(tag: Tag, value: Value) -> bytes:
    if isinstance(value, Mapping):
        members = [
            _field(Tag.MEMBER, name.encode()) + _attribute("", member) for name, member in value.items()
        ]
        return b"\0\0" + b"".join(members) + _field(Tag.END_COLLECTION, b"")
    if tag is Tag.BOOLEAN:
        raw = bytes([bool(value)])
    elif isinstance(value, int):
        raw = struct.pack(">i", value)
    elif isinstance(value, tuple):
        raw = struct.pack(">ii", *value)
    else:
        raw = value.encode() if isinstance(value, str) else value or b""
    return struct.pack(">H", len(raw)) + raw


def _field(tag: Tag, raw: bytes) -> bytes:
    return struct.pack(">BHH", tag, 0, len(raw)) + raw


def _groups(content: bytes, at: int) -> list[tuple[int, Found]]:
    groups: list[tuple[int, Found]] = []
    name = ""
    while content[at] != Tag.END:
        if content[at] < 0x10:
            groups.append((content[at], {}))
            at += 1
            continue
        tag, found, raw, at = _read(content, at)
        name = found or name
        value: object
        if tag == Tag.COLLECTION:
            value, at = _collection(content, at)
        else:
            value = _plain(tag, raw)
        groups[-1][1].setdefault(name, []).append(value)
    return groups


def _collection(content: bytes, at: int) -> tuple[Found, int]:
    members: Found = {}
    name = ""
    while True:
        tag, _, raw, at = _read(content, at)
        if tag == Tag.END_COLLECTION:
            return members, at
        if tag == Tag.MEMBER:
            name = raw.decode()
            continue
        value: object
        if tag == Tag.COLLECTION:
            value, at = _collection(content, at)
        else:
            value = _plain(tag, raw)
        members.setdefault(name, []).append(value)


def _read(content: bytes, at: int) -> tuple[int, str, bytes, int]:
    """Give tag, name and raw value of the field at `at`, and where the next begins."""
    tag, length = struct.unpack_from(">BH", content, at)
    at += 3
    name = content[at : at + length].decode()
    at += length
    (size,) = struct.unpack_from(">H", content, at)
    at += 2
    if at + size > len(content):
        raise IndexError(at)
    return tag, name, content[at : at + size], at + size


def _plain(tag: int, raw: bytes) -> object:
    if tag in _OUT_OF_BAND:
        return None
    if tag in (Tag.INTEGER, Tag.ENUM):
        return struct.unpack(">i", raw)[0]
    if tag == Tag.BOOLEAN:
        return raw != b"\0"
    if tag == Tag.RANGE:
        return struct.unpack(">ii", raw)
    if tag in (Tag.TEXT_LANGUAGE, Tag.NAME_LANGUAGE):  # two counted texts: the language, then what it says
        start = 2 + struct.unpack_from(">H", raw)[0]
        return raw[start + 2 :].decode("utf-8", "replace")
    return raw.decode("utf-8", "replace") if tag in _TEXTS else raw
