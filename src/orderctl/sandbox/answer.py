"""What goes in and out of a stand-in: one HTTP request, one HTTP answer, as plain values.

The one invariant: a stand-in never touches a socket, so every answer can be made, broken or thrown away by faults.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar
from urllib.parse import parse_qsl

Row = TypeVar("Row")


@dataclass(frozen=True)
class Request:
    """One received request; header names are lower-case, `base_url` is how the client reached the server.

    `client` is the address it came from. `disturb` tells a page of rows to come with repeated ("duplicate") or reordered ("shuffle") ones.
    """

    verb: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base_url: str
    disturb: str | None = None
    client: str = "127.0.0.1"

    def form(self) -> dict[str, str]:
        """Give the parameters of the query string and of a form body together; the body wins."""
        params = dict(self.query)
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            text = self.body.decode("utf-8", errors="replace")
            params.update(parse_qsl(text, keep_blank_values=True, encoding="utf-8"))
        return params

    def disturbed(self, rows: list[Row]) -> list[Row]:
        """Repeat or reorder the rows of a page, when the fault in force says so."""
        if self.disturb == "duplicate":
            return rows[:2] + rows + rows[-1:]
        if self.disturb == "shuffle":
            return Random(len(rows)).sample(rows, len(rows))
        return rows


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, complete."""

    status: int
    body: bytes
    media_type: str = "application/json;charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Give `value` as a JSON answer; big integers stay integers, Chinese stays readable."""
    body = json.dumps(value, ensure_ascii=False).encode(
        "utf-8", "replace"
    )  # what was asked may hold no character
    return Answer(status, body, headers=dict(headers or {}))


def as_text(text: str, status: int = 200, media_type: str = "text/html;charset=utf-8") -> Answer:
    """Give a page of text."""
    return Answer(status, text.encode("utf-8", "replace"), media_type)
