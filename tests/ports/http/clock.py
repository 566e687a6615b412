"""A clock that nobody waits for, and an Http on it whose network is a function."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from orderctl.model.instant import write_instant
from orderctl.ports.http import Http

EPOCH = 1_795_000_000
NOW = write_instant(datetime.fromtimestamp(EPOCH, UTC))


class Clock:
    """Seconds that pass only by sleeping."""

    def __init__(self) -> None:
        self.at = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.at += seconds


def http_over(handler: Callable[[httpx.Request], httpx.Response], **options: Any) -> tuple[Http, Clock]:
    """Give an Http whose network is `handler`, and its clock."""
    clock = Clock()
    made = Http(NOW, transport=httpx.MockTransport(handler), monotonic=clock, sleep=clock.sleep, **options)
    return made, clock
