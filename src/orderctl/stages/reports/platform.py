"""By platform: what each sells, ships and costs."""

from __future__ import annotations

from orderctl.stages.reports.grouping import Report, by

REPORT = Report(
    "By platform", by("platform", share_of="orders"), ("platform",), charts=("orders", "goods_minor")
)
