"""By warehouse: what leaves from where."""

from __future__ import annotations

from orderctl.stages.reports.grouping import Report, by

REPORT = Report("By warehouse", by("warehouse", share_of="shipments"), ("warehouse",), charts=("shipments",))
