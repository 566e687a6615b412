"""What stands in an answer, whoever gave it: JSON with every digit, and the headers that speak about the call itself.

The one invariant: what the other side writes is never trusted to be well-formed; a header that cannot be read is a
header that is not there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def parse_json(content: bytes) -> dict[str, Any]:
    """Read an answer that is one JSON object; every number keeps its digits (no float is ever made).

    Platforms do let raw control characters of buyers' notes through; they are read as what they are.
    Raises: ValueError if it is no JSON object.
    """
    try:
        found = _decoder.decode(content)
    except msgspec.DecodeError:
        found = json.JSONDecoder(strict=False, parse_float=Decimal).decode(content.decode("utf-8"))
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return found


def write_json(value: object) -> str:
    """Write JSON as compact text in real UTF-8, numbers with the digits they were read with."""
    return _encoder.encode(value).decode("utf-8")


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Read `Retry-After` as seconds. A date in it is compared with the answer's own `Date`, not with our clock."""
    told = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        delay = parsedate_to_datetime(told) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return max(0.0, delay.total_seconds())


def told_rate(headers: Mapping[str, str], name: str) -> float | None:
    """Read the rate an answer tells in the header `name`, calls a second; None if it tells none."""
    try:
        return float(headers.get(name, "")) if name else None
    except ValueError:
        return None


def told_date(headers: Mapping[str, str]) -> datetime | None:
    """Read the `Date` of an answer; None if it has none that can be read."""
    try:
        return parsedate_to_datetime(headers.get("date", "")).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


_REQUEST_IDS = ("x-amzn-requestid", "x-request-id", "x-tt-logid", "request-id", "x-trace-id")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,80}")


def told_request_id(headers: Mapping[str, str]) -> str:
    """Give the name the other side has for the request, which its support asks for; empty if it tells none."""
    found = next((headers[name] for name in _REQUEST_IDS if name in headers), "")
    return found if _REQUEST_ID.fullmatch(found) else ""
