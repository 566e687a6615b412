"""The rules as one value: what `rules.yaml` says, the tables it names, and where each rule stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl
import yaml
from pydantic import Field, field_validator, model_validator

from orderctl.model.text import Text
from orderctl.model.yamlfile import (
    Section,
    Wrong,
    child,
    locate,
    reject,
)
from orderctl.stages.choosing.reach import ENTRIES
from orderctl.stages.freight.book import PriceBook
from orderctl.stages.merging.cards import CardRules
from orderctl.stages.merging.gift_rules import GiftRules
from orderctl.stages.normalize import NormalizeRules
from orderctl.stages.normalizing.notes import NoteReader
from orderctl.stages.rules.groups import Grouped, written_at
from orderctl.stages.rules.sections.allocation import AllocationSection
from orderctl.stages.rules.sections.audit import AuditSection
from orderctl.stages.rules.sections.cards import CardRule
from orderctl.stages.rules.sections.couriers import CourierGroup, CourierRule
from orderctl.stages.rules.sections.gifts import GiftRule, without_twins
from orderctl.stages.rules.sections.golden import GoldenCase
from orderctl.stages.rules.sections.holds import HoldGroup, HoldRule
from orderctl.stages.rules.sections.merge import MergeSection
from orderctl.stages.rules.sections.notes import NotesSection
from orderctl.stages.rules.sections.reach import Notice, NotServed
from orderctl.stages.rules.sections.skus import SkusSection
from orderctl.stages.rules.sections.tags import TagGroup, TagRule
from orderctl.stages.rules.sections.tariffs import Tariff
from orderctl.stages.rules.sections.templates import TemplateGroup, TemplateRule
from orderctl.stages.rules.sections.tests import Case
from orderctl.stages.rules.sections.timetable import Limit, Performance, Transit
from orderctl.stages.rules.sections.warehouses import WarehouseGroup, WarehouseRule
from orderctl.stages.rules.sections.waves import Path, WavesSection
from orderctl.stages.rules.times import TIMES
from orderctl.stages.waves.bins import BINS, Shelves, shelves_of

ZONE = "Asia/Shanghai"
GROUPED = ("tags", "warehouses", "couriers", "templates", "holds")
"""The sections in which groups of rules may stand."""


class Rules(Section):
    """How to decide: the whole of `rules.yaml`."""

    timezone: str = Field(ZONE, description="zone (IANA name) in which hours, weekdays and dates are told")
    skus: SkusSection = Field(default_factory=SkusSection, description="which of our SKUs a line is")
    notes: NotesSection = Field(
        default_factory=NotesSection, description="what notes ask for: wishes and tags"
    )
    audit: AuditSection = Field(default_factory=AuditSection, description="how strictly orders are looked at")
    merge: MergeSection = Field(default_factory=MergeSection, description="which orders travel in one parcel")
    gifts: list[GiftRule] = Field(
        default_factory=list,
        description="what is packed beside what was ordered; every rule that matches gives",
    )
    stock: str | None = Field(
        None, description="the name of a CSV, XLSX or Parquet file with sku and available, for `stock_floor`"
    )
    cards: list[CardRule] = Field(
        default_factory=list,
        description="what is written on cards in the parcel; every rule that matches counts",
    )
    tags: Annotated[list[TagRule], Grouped(TagGroup)] = Field(
        default_factory=list,
        description="what routing calls a shipment before it decides; every rule that matches adds its tags",
    )
    warehouses: Annotated[list[WarehouseRule], Grouped(WarehouseGroup)] = Field(
        default_factory=list, description="from where; the first rule that matches decides"
    )
    allocation: AllocationSection = Field(
        default_factory=AllocationSection, description="what counts when stock is dealt out"
    )
    couriers: Annotated[list[CourierRule], Grouped(CourierGroup)] = Field(
        default_factory=list, description="with whom; the first rule that matches decides"
    )
    not_served: list[NotServed] = Field(
        default_factory=list,
        description="where and what a courier does not take, which no rule can override",
    )
    notices: list[Notice] = Field(
        default_factory=list,
        description="what is announced of couriers, for `explain` to show and `rank` to count",
    )
    transit: list[Transit] = Field(
        default_factory=list, description="how many days couriers promise; `rank` may count them"
    )
    performance: list[Performance] = Field(
        default_factory=list,
        description="how long couriers took and how often something went wrong, as measured",
    )
    limits: list[Limit] = Field(
        default_factory=list, description="how many parcels a courier takes a day, and until when"
    )
    tariffs: list[Tariff] = Field(default_factory=list, description="price lists, for the freight estimate")
    templates: Annotated[list[TemplateRule], Grouped(TemplateGroup)] = Field(
        default_factory=list, description="which label; the first rule that matches decides"
    )
    holds: Annotated[list[HoldRule], Grouped(HoldGroup)] = Field(
        default_factory=list, description="what waits; the first rule that matches says why"
    )
    waves: WavesSection | None = Field(
        None, description="which shipments are picked in one walk, and in what order"
    )
    tests: list[Case] = Field(default_factory=list, description="examples, checked by `orderctl rules test`")
    golden: list[GoldenCase] = Field(
        default_factory=list,
        description="whole batches with what must be chosen, checked by `orderctl rules test`",
    )

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if not is_zone(value):
            reject(Wrong(Text("there is no time zone '{zone}'", zone=value)))
        return value

    @field_validator("gifts")
    @classmethod
    def _gifts(cls, value: list[GiftRule]) -> list[GiftRule]:
        return without_twins(value)

    @model_validator(mode="after")
    def _stocked(self) -> Rules:
        for at, rule in enumerate(self.gifts):
            if rule.stock_floor is not None and self.stock is None:
                text = Text("there is no stock to look at: name its table as 'stock'")
                reject(Wrong(text, None, ("gifts", at, "stock_floor")))
        return self

    @model_validator(mode="after")
    def _weighable(self) -> Rules:
        timed = [*self.transit, *self.performance]
        needs = {
            "price": self.tariffs,
            "day": timed,
            "exception": self.performance,
            "penalty": self.notices,
            "late": self.limits,
        }
        for at, rule in enumerate(self.couriers):
            for name, tables in needs.items():
                if rule.rank is not None and getattr(rule.rank, name) and not tables:
                    text = Text(
                        "there is nothing to weigh '{name}' by: write {table}",
                        name=name,
                        table=_WEIGHED_BY[name],
                    )
                    reject(Wrong(text, None, ("couriers", at, "rank", name)))
        return self


_WEIGHED_BY = {
    "price": "tariffs",
    "day": "transit",
    "exception": "performance",
    "penalty": "notices",
    "late": "limits",
}


@dataclass(frozen=True)
class Tables:
    """The tables that rules name, as read: each a frame in the form its place asks for."""

    catalogue: pl.DataFrame | None = None
    bundles: pl.DataFrame | None = None
    maps: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    stock: Mapping[str, int] = field(default_factory=dict)
    costs: pl.DataFrame | None = None
    blacklist: pl.DataFrame | None = None
    not_served: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ENTRIES))
    notices: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ENTRIES))
    transit: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TIMES))
    performance: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TIMES))
    bins: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=BINS))


@dataclass(frozen=True, eq=False)
class RuleBook:
    """The rules as read, the tables they name, and the nodes that know where each of them stands."""

    rules: Rules
    source: str = "rules.yaml"
    tables: Tables = field(default_factory=Tables)
    node: yaml.Node | None = None

    def place(self, *loc: str | int) -> str:
        """Give `source:line:column` of what stands at `loc`, such as ("couriers", 3): rules are counted as if no group were."""
        line, column = locate(self.node, self._written(loc))
        return f"{self.source}:{line}:{column}"

    def _written(self, loc: Sequence[str | int]) -> Sequence[str | int]:
        if len(loc) < 2 or loc[0] not in GROUPED or not isinstance(loc[1], int):
            return loc
        at = self._grouped[str(loc[0])]
        return (loc[0], *(at[loc[1]] if loc[1] < len(at) else (loc[1],)), *loc[2:])

    @cached_property
    def _grouped(self) -> dict[str, list[tuple[str | int, ...]]]:
        return {section: written_at(child(self.node, section)) for section in GROUPED}

    @cached_property
    def normalize(self) -> NormalizeRules:
        """Give what `normalize` follows."""
        named = self.tables
        return NormalizeRules(
            self.rules.skus,
            self.rules.audit,
            catalogue=named.catalogue,
            bundles=named.bundles,
            maps=named.maps,
            notes=self.notes,
            costs=named.costs,
            blacklist=named.blacklist,
        )

    @cached_property
    def notes(self) -> NoteReader:
        """Give what reads notes."""
        return NoteReader(self.rules.notes, self.rules.timezone)

    @property
    def merge(self) -> MergeSection:
        """Give what `merge` follows."""
        return self.rules.merge

    @cached_property
    def gifts(self) -> GiftRules:
        """Give what `merge` gives beside what was ordered."""
        return GiftRules(self.rules.gifts, self.normalize.articles(), self.tables.stock, self.rules.timezone)

    @property
    def cards(self) -> CardRules:
        """Give what `merge` writes on cards."""
        return CardRules(self.rules.cards, self.rules.timezone)

    @property
    def kept_gifts(self) -> GiftRules:
        """Give what is needed to show the gifts that are committed, and nothing that gives new ones."""
        return GiftRules((), self.normalize.articles())

    @cached_property
    def prices(self) -> PriceBook:
        """Give the tariffs in the form freight is computed with."""
        return PriceBook(self.rules.tariffs)

    @property
    def is_of_the_whole(self) -> bool:
        """Say whether routing must see the whole batch at once: what one shipment gets depends on the others."""
        return self.rules.waves is not None or any(x.parcels is not None for x in self.rules.limits)

    def shelves(self, stock: pl.DataFrame | None = None) -> Shelves:
        """Give where articles lie, `stock` (columns STOCK of the facts) considered, and how a picker walks."""
        path = Path() if self.rules.waves is None else self.rules.waves.path
        return shelves_of(self.tables.bins, stock, self.normalize.articles(), path)


def is_zone(value: object) -> bool:
    """Say whether `value` is the IANA name of a time zone."""
    try:
        ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
