"""Which statements of a stand-in read a whole table: fine with ten orders, not with a hundred thousand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from orderctl.sandbox import Sandbox


@contextmanager
def scans(sandbox: Sandbox) -> Iterator[list[str]]:
    """Give the statements run inside that scan `orders` or sort rows beside the index."""
    asked: list[str] = []
    found: list[str] = []
    database = sandbox.store._db
    database.set_trace_callback(asked.append)
    try:
        yield found
    finally:
        database.set_trace_callback(None)
    for statement in dict.fromkeys(asked):
        if not statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE")):
            continue
        plan = [str(row[-1]) for row in database.execute(f"EXPLAIN QUERY PLAN {statement}")]
        if any(step.startswith("SCAN orders") or "TEMP B-TREE" in step for step in plan):
            found.append(f"{statement}: {plan}")
