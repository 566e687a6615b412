"""By province (and country): where the parcels go, and what that costs."""

from __future__ import annotations

from orderctl.stages.reports.grouping import Report, by

REPORT = Report(
    "By province",
    by("country", "province", share_of="shipments"),
    ("country", "province"),
    charts=("shipments", "freight_minor"),
)
