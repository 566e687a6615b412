"""The section `golden` of the rules: whole batches with the table of what must be chosen for each shipment."""

from __future__ import annotations

from pydantic import Field, field_validator

from orderctl.model.instant import parse_instant
from orderctl.model.text import Text
from orderctl.model.yamlfile import Section, Wrong, reject

SINCE = ("paid", "placed", "printed")


class GoldenCase(Section):
    """One batch that must be routed as its table says."""

    name: str = Field(min_length=1, description="what it shows")
    batch: str = Field(min_length=1, description="file of orders or shipments, beside the rules file")
    expected: str = Field(
        min_length=1,
        description="CSV, XLSX or Parquet file with shipment_id and the columns to compare; an empty cell expects nothing",
    )
    at: str = Field(
        "paid",
        description="the time each shipment is judged at: paid, placed, printed, or one instant for all",
    )

    @field_validator("at")
    @classmethod
    def _time(cls, value: str) -> str:
        if value not in SINCE:
            try:
                parse_instant(value)
            except ValueError:
                known = ", ".join(SINCE)
                reject(
                    Wrong(
                        Text("give one of {known}, or an instant such as 2026-11-24T05:30:28Z", known=known)
                    )
                )
        return value
