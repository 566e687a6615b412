"""The totals of a batch, one row for each currency."""

from __future__ import annotations

from orderctl.stages.reports.grouping import Report, by

REPORT = Report("Totals", by(share_of="orders"))
