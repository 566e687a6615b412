"""Reports: one file is one report, `shipment/1` -> table. They are pure: same batch and zone, same table.

To add one: write its file with a `REPORT`, add one line to `REPORTS`, and the Chinese of its title and of new columns
to `model/zh/reports.py`.
"""

from __future__ import annotations

import difflib
from importlib import import_module

from orderctl.model.errors import UsageError
from orderctl.model.text import Text
from orderctl.stages.reports.grouping import Report
from orderctl.stages.reports.material import Material

__all__ = ["OVERVIEW", "PAGE", "REPORTS", "Material", "Report", "find"]

_HERE = "orderctl.stages.reports."
REPORTS: dict[str, str] = {
    "totals": _HERE + "totals:REPORT",
    "state": _HERE + "state:REPORT",
    "platform": _HERE + "platform:REPORT",
    "shop": _HERE + "shop:REPORT",
    "courier": _HERE + "courier:REPORT",
    "warehouse": _HERE + "warehouse:REPORT",
    "province": _HERE + "province:REPORT",
    "product": _HERE + "product:REPORT",
    "day": _HERE + "day:REPORT",
    "problems": _HERE + "problems:REPORT",
    "orders": _HERE + "orders:REPORT",
    "shipments": _HERE + "shipments:REPORT",
}
OVERVIEW = ("totals", "platform", "courier", "province", "product")
PAGE = (
    "totals",
    "state",
    "day",
    "platform",
    "shop",
    "courier",
    "warehouse",
    "province",
    "product",
    "problems",
)
_OTHER_NAMES = {
    "order": "orders",
    "shipment": "shipments",
    "sku": "product",
    "problem": "problems",
    "total": "totals",
}


def find(name: str) -> tuple[str, Report]:
    """Give the report called `name`, and its one true name. Raises: UsageError if there is none."""
    true = _OTHER_NAMES.get(name, name)
    if true not in REPORTS:
        guess = next(iter(difflib.get_close_matches(name, REPORTS, n=1)), None)
        hint = (
            Text("did you mean {guess}?", guess=guess)
            if guess
            else Text("there are: {names}", names=", ".join(REPORTS))
        )
        raise UsageError(Text("--by {name}: no such report", name=name), hint=hint)
    module, attribute = REPORTS[true].split(":")
    found: Report = getattr(import_module(module), attribute)
    return true, found
