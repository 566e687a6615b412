"""Seeded faults: which call goes wrong, and how.

The one invariant: the same request meets at most two failing faults in a row, so a client that retries three times
always gets through.

A plan is None (no faults), a seed (a default mix), or a list of entries `[on, nth, fault]` or
`{"on", "nth", "fault", "seconds"}`: the nth call (from 1; a list of numbers is possible) whose operation or path
matches the shell pattern `on` meets `fault`. `{"seed", "rate", "plan", "seconds"}` joins both.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

BEFORE = ("429", "throttled", "temporary", "5xx", "cut")
"""Nothing took effect: refused for now, or the connection was cut before any answer."""
AFTER = ("cut_body", "garbage", "after_cut", "after_silence", "after_5xx")
"""The effect took place, and the client cannot know: broken or missing answers."""
HARMLESS = ("slow", "duplicate", "shuffle")
"""The answer is valid: late, or with repeated or reordered rows in a page."""
KINDS = BEFORE + AFTER + HARMLESS

IN_A_ROW = 2
SECONDS = {"slow": 0.3, "after_silence": 1.5}

Plan = int | Sequence[Any] | Mapping[str, Any] | None


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong; `seconds` says how long a slow or silent one takes."""

    kind: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Entry:
    """One line of a precise plan."""

    on: str
    nth: frozenset[int]
    fault: Fault


def parse_entry(entry: Any) -> Entry:
    """Read one line of a precise plan. Raises: ValueError for an unknown fault or a misshapen line."""
    if isinstance(entry, Mapping):
        on, nth, kind, seconds = entry["on"], entry["nth"], entry["fault"], entry.get("seconds")
    else:
        on, nth, kind = entry
        seconds = None
    if kind not in KINDS:
        raise ValueError(f"unknown fault {kind!r}, known: {', '.join(KINDS)}")
    calls = [nth] if isinstance(nth, int) else nth
    return Entry(
        on, frozenset(calls), Fault(kind, SECONDS.get(kind, 0.0) if seconds is None else float(seconds))
    )


class Faults:
    """The faults in force; thread safe."""

    def __init__(self, plan: Plan = None) -> None:
        self._lock = threading.Lock()
        self.set(plan)

    def set(self, plan: Plan) -> None:
        """Put `plan` into force; all counts begin anew. Raises: ValueError for a plan that says nothing known."""
        seed, rate, seconds, lines = None, 0.25, None, []
        if isinstance(plan, Mapping):
            seed, rate, lines = plan.get("seed"), float(plan.get("rate", rate)), plan.get("plan", [])
            seconds = plan.get("seconds")
        elif isinstance(plan, Sequence):
            lines = list(plan)
        else:
            seed = plan
        entries = [parse_entry(line) for line in lines]
        with self._lock:
            self._seed, self._rate, self._seconds, self._entries = seed, rate, seconds, entries
            self._calls: Counter[str] = Counter()
            self._matched: Counter[int] = Counter()
            self._in_a_row: Counter[tuple[str, str]] = Counter()

    def draw(self, operation: str, path: str, subject: str, *, pages: bool) -> Fault | None:
        """Say what goes wrong with this call; `pages` tells that the answer is a page of rows."""
        with self._lock:
            self._calls[operation] += 1
            fault = self._planned(operation, path) or self._mixed(operation, pages=pages)
            key = (operation, subject)
            if fault is None or fault.kind in HARMLESS:
                self._in_a_row.pop(key, None)
                return fault
            if self._in_a_row[key] >= IN_A_ROW:
                self._in_a_row.pop(key)
                return None
            self._in_a_row[key] += 1
            return fault

    def _planned(self, operation: str, path: str) -> Fault | None:
        found = None
        for index, entry in enumerate(self._entries):
            if fnmatchcase(operation, entry.on) or fnmatchcase(path, entry.on):
                self._matched[index] += 1
                if found is None and self._matched[index] in entry.nth:
                    found = entry.fault
        return found

    def _mixed(self, operation: str, *, pages: bool) -> Fault | None:
        if self._seed is None:
            return None
        dice = random.Random(f"{self._seed}|{operation}|{self._calls[operation]}")
        if dice.random() >= self._rate:
            return None
        kind = dice.choice(KINDS if pages else BEFORE + AFTER + ("slow",))
        seconds = SECONDS.get(kind, 0.0)
        return Fault(kind, seconds if self._seconds is None else min(seconds, float(self._seconds)))
