"""The section `waves` of the rules: which shipments are picked in one walk, how many, and in what order."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from orderctl.model.text import Text
from orderctl.model.yamlfile import Section, Wrong, reject
from orderctl.stages.rules.sections.templates import WhenCarried

Kind = Literal["single_sku", "same_goods", "single_line", "multi_line", "any"]
By = Literal["zone", "courier", "cutoff", "size"]
PLACE = ("zone", "aisle", "bay", "level")
"""The parts of a bin's code, from far to near."""
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
MOST = 1_000_000


class Bin(Section):
    """Where an article lies in one warehouse, or in all of them."""

    sku: str = Field(min_length=1, description="our SKU")
    warehouse: str | None = Field(None, description="the warehouse; none: every one")
    location: str = Field(min_length=1, description="the code of the bin, such as A-03-12")
    zone: str | None = Field(None, description="its zone, where the code does not tell it")
    aisle: str | None = Field(None, description="its aisle, likewise")
    bay: str | None = Field(None, description="its place in the aisle, likewise")
    level: str | None = Field(None, description="its shelf, likewise")


class Path(Section):
    """How a picker walks."""

    shape: Literal["s", "straight"] = Field(
        "s", description="s: every other aisle is walked backwards; straight: all in the same direction"
    )
    code: str | None = Field(
        None,
        description="a regular expression with the groups `zone`, `aisle`, `bay`, `level`, for codes written otherwise",
    )

    @field_validator("code")
    @classmethod
    def _groups(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            groups = re.compile(value).groupindex
        except re.error as error:
            reject(Wrong(Text("not a regular expression: {reason}", reason=error.msg)))
        if not groups or not set(groups) <= set(PLACE):
            reject(Wrong(Text("name its groups {names}", names=", ".join(f"(?P<{n}>...)" for n in PLACE))))
        return value


class Capacity(Section):
    """How much a wave may hold; a shipment that is more by itself is a wave of its own."""

    shipments: int | None = Field(None, ge=1, le=MOST, description="shipments")
    lines: int | None = Field(None, ge=1, le=MOST, description="different articles, added up over shipments")
    pieces: int | None = Field(None, ge=1, le=MOST, description="pieces")


class Wall(Section):
    """A sorting wall: a slot for each shipment, so a wave has no more of them than slots."""

    rows: int = Field(ge=1, le=26, description="rows, from the top")
    columns: int = Field(ge=1, le=99, description="columns, from the left")
    names: Literal["number", "grid"] = Field(
        "number", description="number: 1, 2, 3, ... row by row; grid: A1, A2, ..., B1, ..."
    )

    @property
    def slots(self) -> int:
        """Give the number of slots."""
        return self.rows * self.columns

    def slot(self, number: int) -> str:
        """Give the name of a slot, counted from 0, row by row."""
        if self.names == "number":
            return str(number + 1)
        return f"{chr(ord('A') + number // self.columns)}{number % self.columns + 1}"


class SizeClass(Section):
    """A class of parcels; the first that matches counts."""

    name: str = Field(min_length=1, description="how it is called")
    when: WhenCarried = Field(None, description="the condition; a class without one takes the rest")


class WaveRule(Section):
    """One rule; a shipment goes by the first that takes it."""

    name: str = Field(min_length=1, description="how the decision trail calls it")
    when: WhenCarried = Field(None, description="the condition; a rule without one takes every shipment")
    kind: Kind = Field(
        "any",
        description="single_sku: its only article, in one lot with others of that article; same_goods: in one lot with"
        " others of exactly the same articles and quantities; single_line: one article; multi_line: several; any",
    )
    at_least: int = Field(
        1,
        ge=1,
        le=MOST,
        description="so many shipments, or the rule does not take them: in a lot, else in a group",
    )
    by: list[By] = Field(
        default_factory=list,
        description="what must be equal in a wave besides the warehouse: zone (of its bins), courier, cutoff, size",
    )
    capacity: Capacity = Field(default_factory=Capacity, description="how much a wave may hold")
    wall: Wall | None = Field(None, description="the sorting wall that its shipments are sorted into")
    fill: Literal["path", "promise"] = Field(
        "path",
        description="what fills the first wave: path: what lies near each other; promise: what is promised first",
    )

    @property
    def most(self) -> int | None:
        """Give the most shipments in a wave."""
        given = [n for n in (self.capacity.shipments, self.wall and self.wall.slots) if n]
        return min(given, default=None)


class WavesSection(Section):
    """How shipments are grouped into waves and ordered for picking."""

    bins: str | list[Bin] = Field(
        default_factory=list,
        description="where articles lie: a list, or a CSV, XLSX or Parquet file; else `location` of stock, or of the catalogue",
    )
    path: Path = Field(default_factory=Path, description="how a picker walks")
    cutoffs: dict[str, str] = Field(
        default_factory=dict, description="courier to the time of day it fetches parcels, such as `17:30`"
    )
    sizes: list[SizeClass] = Field(default_factory=list, description="classes of parcels, for `by: [size]`")
    rules: Annotated[list[WaveRule], Field(min_length=1)] = Field(
        description="rules in order; what none takes goes in waves of its own"
    )

    @field_validator("cutoffs")
    @classmethod
    def _times(cls, value: dict[str, str]) -> dict[str, str]:
        wrong = [
            Wrong(Text("expected a time of day, such as 17:30"), loc=(courier,))
            for courier, time in value.items()
            if not _CLOCK.fullmatch(time)
        ]
        if wrong:
            reject(*wrong)
        return value

    @model_validator(mode="after")
    def _named(self) -> WavesSection:
        names: set[str] = set()
        for at, rule in enumerate(self.rules):
            if rule.name in names:
                reject(
                    Wrong(Text("two rules are called '{name}'", name=rule.name), loc=("rules", at, "name"))
                )
            names.add(rule.name)
            for part, there in (("cutoff", self.cutoffs), ("size", self.sizes)):
                if part in rule.by and not there:
                    text = Text("there are no {section} to go by", section=f"waves.{part}s")
                    reject(Wrong(text, loc=("rules", at, "by")))
        return self

    @property
    def minutes(self) -> dict[str, int]:
        """Give the cut-off of every courier in minutes since midnight."""
        told = {courier: time.split(":") for courier, time in self.cutoffs.items()}
        return {courier: int(hour) * 60 + int(minute) for courier, (hour, minute) in told.items()}
