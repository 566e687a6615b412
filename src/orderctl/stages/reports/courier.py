"""By courier: how many parcels each carries, and for how much."""

from __future__ import annotations

from orderctl.stages.reports.grouping import Report, by

REPORT = Report(
    "By courier", by("courier", share_of="shipments"), ("courier",), charts=("shipments", "freight_minor")
)
