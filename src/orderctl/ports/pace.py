"""Rate limits: how soon the next call may begin, shared by the threads of a run and, where it matters, by all runs.

A limit is a token bucket kept as one number, the moment at which it will be full again. The one invariant: no more
calls begin than the other side's own bucket, as far as it was told to us, would let through.

Why no library: the well-kept one (pyrate-limiter) counts past calls in windows and says yes or no. What platforms do
to a caller (a new rate in a header, a 429 that tells the bucket is empty, "not before that moment") would all have to
be built around it, and its memory across processes is a database with one row per call.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import math
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

log = logging.getLogger("orderctl.http")

SLOWEST_INTERVAL_S = 10.0
KEPT_S = 60.0  # a bucket that fills up in less is full again before cron comes back
LONGEST_HOLD_S = 86_400.0
LONGEST_QUEUE_S = 300.0
RATES = (1 / 86_400, 1000.0)  # what is believed of an answer, calls a second


class Level(NamedTuple):
    """How a bucket stands: when it is full again, until when nobody may call, seconds between two calls."""

    full_at: float = 0.0
    held_until: float = 0.0
    interval: float = 0.0


class Shelf:
    """The levels of slow buckets in one small file, used by any number of runs at once.

    Names are hashed, for they hold app keys. A file that cannot be read counts as empty, and one that cannot be
    written costs memory between runs, nothing else: the other side still says 429.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def open(self, name: str, now: float) -> Iterator[list[Level]]:
        """Give what is known of `name`, as a list of at most one level; what stands in it at the end is kept."""
        key = hashlib.sha256(name.encode()).hexdigest()[:16]
        try:
            lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            log.warning("pace.unkept", extra={"event": "pace.unkept", "why": error.strerror})
            yield []
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = self._read()
            found = [known[key]] if key in known else []
            before = list(found)
            yield found
            if found != before:
                others = {k: v for k, v in known.items() if k != key and max(v.full_at, v.held_until) > now}
                self._write({**others, key: found[0]} if found else others)
        finally:
            os.close(lock)

    def _read(self) -> dict[str, Level]:
        try:
            kept = json.loads(self._path.read_bytes())
            levels = {key: Level(*(float(x) for x in level)) for key, level in kept.items()}
            return {k: v for k, v in levels.items() if all(map(math.isfinite, v)) and v.interval > 0}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _write(self, levels: Mapping[str, Level]) -> None:
        beside = self._path.with_suffix(f".{os.getpid()}")
        try:
            beside.write_text(json.dumps(levels, sort_keys=True))
            beside.replace(self._path)
        except OSError as error:
            log.warning("pace.unkept", extra={"event": "pace.unkept", "why": error.strerror})


class Pace:
    """One rate limit: `burst` calls at once from a full bucket, then `per_second`; with a burst of 1 evenly spaced.

    Being told to slow down doubles the interval; every accepted call shortens it by a twentieth, back to what it
    began with or was told. Times are seconds of one clock; with a `shelf` it must be the same clock in every run.
    """

    def __init__(
        self, per_second: float, burst: int = 1, *, shelf: Shelf | None = None, name: str = ""
    ) -> None:
        self._shortest = 1 / per_second
        self._burst = burst
        self._level = Level(interval=self._shortest)
        self._shelf = shelf
        self._name = name
        self._met = False
        self._lock = threading.Lock()

    def book(self, now: float, end: float) -> float:
        """Give the moment the caller may begin; nothing is booked when that is after `end`."""
        with self._current(now):
            full_at, held_until, interval = self._level
            at = max(now, held_until, full_at - (self._burst - 1) * interval)
            if at <= end:
                self._level = self._level._replace(full_at=max(at, full_at) + interval)
            return at

    def hold(self, until: float, now: float) -> None:
        """Let nobody begin before `until`, a day at the most."""
        with self._current(now, to_keep=until - now >= KEPT_S):
            until = min(until, now + LONGEST_HOLD_S)
            self._level = self._level._replace(held_until=max(self._level.held_until, until))

    def empty(self, now: float) -> None:
        """Take note that the other side calls the bucket empty: the next call waits for a fresh token."""
        with self._current(now):
            at = now + self._burst * self._level.interval
            self._level = self._level._replace(full_at=max(self._level.full_at, at))

    def learn(self, per_second: float | None, now: float) -> None:
        """Take over the rate the other side tells of itself; what cannot be one is ignored."""
        if per_second is None or not RATES[0] <= per_second <= RATES[1]:
            return
        with self._current(now):
            full_at, held_until, interval = self._level
            self._shortest = 1 / per_second
            missing = max(0.0, full_at - now) / interval  # tokens, whatever a token takes to come
            self._level = Level(now + missing * self._shortest, held_until, self._shortest)

    def slower(self) -> None:
        """Take note that the other side felt pressed."""
        with self._lock:
            slowest = max(SLOWEST_INTERVAL_S, self._shortest)
            self._level = self._level._replace(interval=min(self._level.interval * 2, slowest))

    def faster(self) -> None:
        """Take note of an accepted call."""
        with self._lock:
            self._level = self._level._replace(interval=max(self._level.interval * 0.95, self._shortest))

    @property
    def interval(self) -> float:
        """Give the seconds between two calls, as of now."""
        return self._level.interval

    @contextmanager
    def _current(self, now: float, *, to_keep: bool = False) -> Iterator[None]:
        """Work on the level all runs share, where it is one that must outlive a run, else on our own."""
        with self._lock:
            if self._shelf is None or (self._met and not to_keep and not self._outlives(now)):
                yield
                return
            with self._shelf.open(self._name, now) as kept:
                self._met = True
                if kept:
                    self._level = self._believed(kept[0], now)
                yield
                kept[:] = [self._level] if self._outlives(now) else []

    def _outlives(self, now: float) -> bool:
        return max(self._burst * self._level.interval, self._level.held_until - now) >= KEPT_S

    def _believed(self, kept: Level, now: float) -> Level:
        """Take over a kept level at our own rate. It is bounded: a clock set back must not lock a shop out for years."""
        interval = self._level.interval
        most = self._burst + LONGEST_QUEUE_S / interval
        missing = min(max(0.0, kept.full_at - now) / max(kept.interval, 1e-9), most)
        return Level(now + missing * interval, min(kept.held_until, now + LONGEST_HOLD_S), interval)
