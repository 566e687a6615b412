"""The sections `not_served` and `notices` of the rules: where and what a courier does not take, and what is announced.

Each is a list written in the rules, or read from tables named there, one entry a row.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from orderctl.model.text import Text
from orderctl.model.yamlfile import Section, Wrong, reject

CHINESE = {
    "courier": "快递",
    "service": "快递产品",
    "province": "省",
    "city": "市",
    "district": "区县",
    "town": "乡镇街道",
    "keyword": "关键词",
    "trait": "商品属性",
    "from": "起始日期",
    "until": "截止日期",
    "why": "原因",
    "penalty": "影响",
}
WHERE = ("province", "city", "district", "town", "keyword", "trait")


def _is_day(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        reject(Wrong(Text("expected a day, such as 2026-11-24")))


Day = Annotated[str, AfterValidator(_is_day)]


class Place(Section):
    """Where, of what goods and when; everything that is named must hold."""

    file: str | None = Field(
        None, description="a CSV, XLSX or Parquet table with such entries, one a row; then nothing else"
    )
    courier: str | None = Field(None, min_length=1, description="the courier's code, such as YTO")
    service: str | None = Field(None, description="only this product of the courier")
    province: str | None = Field(None, description="short or full")
    city: str | None = Field(None, description="with or without 市")
    district: str | None = Field(None, description="district or county, short or full")
    town: str | None = Field(None, description="town or subdistrict, short or full")
    keyword: str | None = Field(None, min_length=1, description="a word in the street")
    trait: str | None = Field(None, description="a goods trait of any line, such as liquid, battery, fragile")
    from_: Day | None = Field(None, alias="from", description="first day, in `timezone`; else always")
    until: Day | None = Field(None, description="last day; else for ever")
    why: str | None = Field(None, description="what people are told")

    @model_validator(mode="after")
    def _ordered(self) -> Place:
        if self.file is not None and self.model_fields_set != {"file"}:
            reject(Wrong(Text("a table stands alone: write other entries beside it"), loc=("file",)))
        if self.from_ is not None and self.until is not None and self.until < self.from_:
            reject(Wrong(Text("it ends before it begins"), loc=("until",)))
        return self

    def values(self) -> dict[str, Any]:
        """Give the fields by the names they are written by."""
        return self.model_dump(by_alias=True, exclude={"file"})


class NotServed(Place):
    """A place or goods that a courier does not take: no rule and no pin can override it."""

    @model_validator(mode="after")
    def _says_what(self) -> NotServed:
        if self.file is None and self.courier is None:
            reject(Wrong(Text("which courier?")))
        told = self.model_fields_set & {*WHERE, "service", "from_", "until"}
        if self.file is None and not told:
            reject(Wrong(Text("where, what or when? without it the courier would never be taken")))
        return self


class Notice(Place):
    """Something announced: shown by `explain`, it changes no choice."""

    penalty: int | None = Field(
        None, ge=0, description="how much worse the courier is then, in a measure of your own"
    )

    @model_validator(mode="after")
    def _says_something(self) -> Notice:
        if self.file is None and self.why is None and self.penalty is None:
            reject(Wrong(Text("a notice needs 'why' or 'penalty'")))
        return self
