"""The sections `transit`, `performance` and `limits`: what couriers promise, what was measured, and what they take a day.

The first two are lists written in the rules, or read from tables named there, one entry a row.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, model_validator

from orderctl.model.text import Text
from orderctl.model.yamlfile import Section, Wrong, reject
from orderctl.stages.rules.sections.reach import Day
from orderctl.stages.rules.sections.tariffs import Percent, Time

CHINESE = {
    "courier": "快递",
    "service": "快递产品",
    "warehouse": "仓库",
    "province": "省",
    "city": "市",
    "days": "天数",
    "from": "起始日期",
    "until": "截止日期",
    "on": "统计日期",
    "parcels": "件数",
    "exception_percent": "异常率",
}
WHERE = ("city", "province", "warehouse", "service")
"""What an entry may name, from what tells most about a journey to what tells least."""
Days = Annotated[Decimal, Field(ge=0, le=365, decimal_places=2)]
Weekday = Annotated[int, Field(ge=1, le=7)]


class _Journey(Section):
    """From where to where with whom; the entry that says most about a shipment holds."""

    file: str | None = Field(
        None, description="a CSV, XLSX or Parquet table with such entries, one a row; then nothing else"
    )
    courier: str | None = Field(None, min_length=1, description="the courier's code, such as YTO")
    service: str | None = Field(None, description="only this product of the courier")
    warehouse: str | None = Field(None, description="only from this warehouse")
    province: str | None = Field(None, description="only to this province, short or full")
    city: str | None = Field(None, description="only to this city, with or without 市")

    @model_validator(mode="after")
    def _alone(self) -> _Journey:
        if self.file is not None and self.model_fields_set != {"file"}:
            reject(Wrong(Text("a table stands alone: write other entries beside it"), loc=("file",)))
        if self.file is None and self.courier is None:
            reject(Wrong(Text("which courier?")))
        return self

    def where(self) -> dict[str, Any]:
        """Give what the entry names of a journey."""
        return {name: getattr(self, name) for name in ("courier", *WHERE)}


class Transit(_Journey):
    """What a courier promises."""

    days: Days | None = Field(None, description="days from being collected until delivery")
    from_: Day | None = Field(None, alias="from", description="first day, in `timezone`; else always")
    until: Day | None = Field(None, description="last day; else for ever")

    @model_validator(mode="after")
    def _ordered(self) -> Transit:
        if self.file is None and self.days is None:
            reject(Wrong(Text("how many days?")))
        if self.from_ is not None and self.until is not None and self.until < self.from_:
            reject(Wrong(Text("it ends before it begins"), loc=("until",)))
        return self

    def values(self) -> dict[str, Any]:
        """Give the entry as a row of the timetable."""
        return {**self.where(), "from": self.from_, "until": self.until, "days": self.days}


class Performance(_Journey):
    """What was measured of a courier."""

    on: Day | None = Field(None, description="the day it was measured; of several the last one holds")
    parcels: int | None = Field(None, ge=1, description="how many parcels were measured")
    days: Days | None = Field(None, description="days from being collected until delivery, on average")
    exception_percent: Percent | None = Field(
        None, description="the share of parcels that went wrong (lost, damaged, late, refused), in percent"
    )

    @model_validator(mode="after")
    def _measured(self) -> Performance:
        if self.file is not None:
            return self
        if self.on is None or self.parcels is None:
            reject(Wrong(Text("what was measured needs 'on', the day, and 'parcels', how many")))
        if self.days is None and self.exception_percent is None:
            reject(Wrong(Text("what was measured: 'days' or 'exception_percent'?")))
        return self

    def values(self) -> dict[str, Any]:
        """Give the entry as a row of the timetable; it holds from the day it was measured."""
        rate = {"exception": self.exception_percent, "parcels": self.parcels}
        return {**self.where(), "from": self.on, "days": self.days, **rate}


class Limit(Section):
    """What a courier takes a day, and until when; of several entries the one that names most holds."""

    courier: str = Field(min_length=1, description="the courier's code, such as YTO")
    account: str | None = Field(None, description="only this courier account")
    warehouse: str | None = Field(None, description="only from this warehouse")
    parcels: int | None = Field(
        None, ge=0, description="how many parcels it takes a day, over all that it names"
    )
    cut_off: Time | None = Field(
        None, description="what is routed from this time on (in `timezone`) is collected a day later"
    )
    closed: list[Weekday] = Field(
        default_factory=list, max_length=6, description="weekdays without collection, 1 Monday to 7 Sunday"
    )
    from_: Day | None = Field(None, alias="from", description="first day, in `timezone`; else always")
    until: Day | None = Field(None, description="last day; else for ever")
