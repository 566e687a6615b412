"""Counting rows by their worst problem while they stream through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from orderctl.model.problem import has_severity

_UNMAPPED = pl.col("problems").list.eval(pl.element().struct.field("code") == "sku_unmapped").list.any()


@dataclass
class Counted:
    """How many rows went by, how many of them wait or need a person, and how many lack a SKU."""

    rows: int = 0
    waiting: int = 0
    blocked: int = 0
    unmapped: int = 0

    def over(self, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Pass frames on, counting their rows."""
        for frame in frames:
            blocked, waiting = frame.select(
                has_severity("block").sum().alias("blocked"),
                (has_severity("wait") & ~has_severity("block")).sum().alias("waiting"),
            ).row(0)
            self.rows += frame.height
            self.blocked += int(blocked)
            if blocked:
                self.unmapped += int(frame.select(_UNMAPPED.sum()).item())
            self.waiting += int(waiting)
            yield frame

    def words(self) -> dict[str, int]:
        """Give the counts by name."""
        ready = self.rows - self.blocked - self.waiting
        return {"rows": self.rows, "ready": ready, "waiting": self.waiting, "blocked": self.blocked}
