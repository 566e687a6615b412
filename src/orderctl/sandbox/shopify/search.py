"""The filter text of Shopify's `query:` argument, turned into a SQL condition.

The one invariant: a filter that is misspelt or cannot be read is ignored, never refused; only a warning remembers it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

TOKEN = re.compile(
    r"""\s*(?:(?P<paren>[()])|(?P<minus>-(?=[A-Za-z(]))|(?P<word>AND|OR|NOT)\b
    |(?P<field>[A-Za-z_][A-Za-z0-9_.]*):(?P<op><=|>=|<|>)?(?P<value>'[^']*'|"[^"]*"|[^\s()]*)
    |(?P<text>'[^']*'|"[^"]*"|[^\s()]+))""",
    re.VERBOSE,
)
TIMES = {"created_at": "created", "updated_at": "modified", "processed_at": "created - 1"}
FINANCIAL = (
    "paid",
    "pending",
    "authorized",
    "partially_paid",
    "partially_refunded",
    "refunded",
    "voided",
    "expired",
)
WORDS: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "status": (
        "status",
        {
            "open": ("open",), "closed": ("closed",), "cancelled": ("cancelled",), "not_closed": ("open", "cancelled"),
        },
    ),
    "financial_status": ("financial", {word: (word,) for word in FINANCIAL}),
    "fulfillment_status": (
        "fulfilment",
        {
            "unshipped": ("unfulfilled",), "shipped": ("fulfilled",), "fulfilled": ("fulfilled",),
            "partial": ("partially_fulfilled",), "scheduled": ("scheduled",), "on_hold": ("on_hold",),
            "unfulfilled": ("unfulfilled", "partially_fulfilled", "on_hold", "scheduled", "in_progress"),
            "request_declined": ("request_declined",),
        },
    ),
}  # fmt: skip
"""Which values of which column a filter's words stand for."""


@dataclass
class Search:
    """A SQL condition with its values, and what was ignored."""

    zone: str
    values: list[object] = field(default_factory=list)
    warnings: list[dict[str, str]] = field(default_factory=list)

    def ignore(self, name: str, why: str) -> None:
        """Remember that a filter had no effect."""
        self.warnings.append({"field": name, "message": why, "code": "invalid_field"})


def to_sql(text: str | None, zone: str) -> tuple[str, list[object], list[dict[str, str]]]:
    """Give the condition, its values and the warnings for a filter text in a shop's time zone."""
    search = Search(zone)
    tokens = [match for match in TOKEN.finditer(text or "") if match.group().strip()]
    condition, _ = either(tokens, 0, search)
    return condition or "1", search.values, search.warnings


def either(tokens: list[re.Match[str]], at: int, search: Search) -> tuple[str | None, int]:
    """Read terms joined by OR, up to a closing bracket or the end."""
    parts = []
    while True:
        part, at = both(tokens, at, search)
        if part:
            parts.append(part)
        if at < len(tokens) and tokens[at]["word"] == "OR":
            at += 1
            continue
        return (f"({' OR '.join(parts)})" if parts else None), at


def both(tokens: list[re.Match[str]], at: int, search: Search) -> tuple[str | None, int]:
    """Read terms side by side, which mean AND; an ignored one counts for nothing."""
    parts, negated = [], False
    while at < len(tokens) and tokens[at]["paren"] != ")" and tokens[at]["word"] != "OR":
        token = tokens[at]
        at += 1
        if token["word"] == "AND":
            continue
        if token["minus"] or token["word"] == "NOT":
            negated = not negated
            continue
        if token["paren"]:
            part, at = either(tokens, at, search)
            at += 1
        else:
            part = term(token, search)
        if part:
            parts.append(f"NOT {part}" if negated else part)
        negated = False
    return (f"({' AND '.join(parts)})" if parts else None), at


def term(token: re.Match[str], search: Search) -> str | None:
    """Give the condition of one term."""
    if token["field"] is None:
        search.values.append(f"%{token['text'].strip(chr(39) + chr(34))}%")
        return "name LIKE ?"
    name, op, raw = token["field"].lower(), token["op"] or "=", token["value"]
    quoted = raw[:1] in "'\"" and len(raw) > 1
    values = [raw[1:-1]] if quoted else raw.split(",")
    if name in TIMES:
        return time_term(name, op, values[0], search, quoted=quoted)
    if name in WORDS and WORDS[name][1].keys() >= set(values):
        column, meaning = WORDS[name]
        return among(column, [one for value in values for one in meaning[value]], search)
    if name == "name":
        return among("name", [*values, *("#" + value for value in values)], search)
    if name == "test" and values[0] in ("true", "false"):
        return f"test = {int(values[0] == 'true')}"
    if name == "id" and all(re.fullmatch(r"[0-9]{1,18}", value) for value in values):
        return among("number", [int(value) for value in values], search, op)
    search.ignore(name, f"Invalid search field or value for '{name}'.")
    return None


def among(column: str, values: list[str] | list[int], search: Search, op: str = "=") -> str:
    """Give the condition that a column has one of some values, or lies on one side of the first."""
    if op != "=":
        search.values.append(values[0])
        return f"{column} {op} ?"
    search.values += values
    return f"{column} IN ({', '.join('?' * len(values))})"


def time_term(name: str, op: str, text: str, search: Search, *, quoted: bool) -> str | None:
    """Give the condition of a time; without quotes the colons of a time break the grammar."""
    if ":" in text and not quoted:
        search.ignore(name, "A time must stand in quotes.")
        return None
    try:
        moment = datetime.fromisoformat(text)
        at = int((moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(search.zone))).timestamp())
    except (ValueError, OverflowError):
        search.ignore(name, f"Input '{text}' is not a date or time.")
        return None
    column = TIMES[name]
    if op == "=" and len(text) == 10:
        search.values += [at, at + 86_400]
        return f"({column} >= ? AND {column} < ?)"
    search.values.append(at)
    return f"{column} {op} ?"
