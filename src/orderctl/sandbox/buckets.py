"""A leaking bucket: how platforms count what a client may still ask for.

The one invariant: it never holds more than its maximum, and never gives what it does not hold.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass
class Bucket:
    """A leaking bucket of points; it is full in the beginning. Times are seconds, `restore_rate` is points a second."""

    maximum: float
    restore_rate: float
    level: float = -1.0
    at: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, points: float, now: float) -> bool:
        """Take points if they are there."""
        with self.lock:
            if self.level < 0:
                self.level, self.at = self.maximum, now
            self.level = min(self.maximum, self.level + max(now - self.at, 0) * self.restore_rate)
            self.at = now
            if points > self.level:
                return False
            self.level -= points
            return True

    def give_back(self, points: float) -> None:
        """Return what was not needed."""
        with self.lock:
            self.level = min(self.maximum, self.level + points)

    def refill(self, maximum: float, restore_rate: float) -> None:
        """Become another bucket, full."""
        with self.lock:
            self.maximum, self.restore_rate, self.level = maximum, restore_rate, -1.0
