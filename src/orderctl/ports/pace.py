"""A smooth rate limit, shared by all threads of a run."""

from __future__ import annotations

import threading

SLOWEST_INTERVAL_S = 10.0


class Pace:
    """A smooth rate limit: every caller gets the next free moment, so no second ever sees a burst.

    Being told to slow down doubles the interval; every accepted call shortens it by a twentieth, back to the
    interval it began with. Times are seconds of one monotonic clock. Safe to share between threads.
    """

    def __init__(self, per_second: float) -> None:
        self._shortest = 1 / per_second
        self._interval = self._shortest
        self._next = 0.0
        self._lock = threading.Lock()

    def book(self, now: float, end: float) -> float | None:
        """Give the moment the caller may begin, or None (and book nothing) when that is after `end`."""
        with self._lock:
            at = max(now, self._next)
            if at > end:
                return None
            self._next = at + self._interval
            return at

    def hold(self, until: float) -> None:
        """Let nobody begin before `until`."""
        with self._lock:
            self._next = max(self._next, until)

    def slower(self) -> None:
        """Take note that the other side felt pressed."""
        with self._lock:
            self._interval = min(self._interval * 2, max(SLOWEST_INTERVAL_S, self._shortest))

    def faster(self) -> None:
        """Take note of an accepted call."""
        with self._lock:
            self._interval = max(self._interval * 0.95, self._shortest)

    @property
    def interval(self) -> float:
        """Give the seconds between two calls, as of now."""
        return self._interval
