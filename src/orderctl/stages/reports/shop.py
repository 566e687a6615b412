"""By shop: what each sells, ships and costs."""

from __future__ import annotations

from orderctl.stages.reports.grouping import Report, by

REPORT = Report(
    "By shop", by("platform", "shop", share_of="orders"), ("platform", "shop"), charts=("orders",)
)
