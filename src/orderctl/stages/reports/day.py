"""By day: the day an order was paid, else placed, in the seller's time zone."""

from __future__ import annotations

from orderctl.stages.reports.grouping import Report, by

REPORT = Report(
    "By day", by("day", share_of="orders", in_order=True), ("day",), charts=("orders",), upright=True
)
