"""The files that rules name, read into the forms their places ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import polars as pl
import yaml
from pydantic import Field, field_validator

from orderctl.model.text import Text
from orderctl.model.yamlfile import (
    Finding,
    Section,
    Wrong,
    config_error,
    load_validated,
    locate,
    nearest,
    reject,
)
from orderctl.stages.choosing.reach import reach_frame
from orderctl.stages.normalizing.audit_known import parse_blacklist
from orderctl.stages.normalizing.costs import parse_costs
from orderctl.stages.normalizing.skus import parse_catalogue
from orderctl.stages.normalizing.skus_map import entries_frame
from orderctl.stages.normalizing.skus_tables import parse_bundles, parse_map, parse_stock
from orderctl.stages.rules.book import Rules, Tables
from orderctl.stages.rules.listed import read_listed
from orderctl.stages.rules.sections.reach import CHINESE
from orderctl.stages.rules.sections.skus import SkuMapping
from orderctl.stages.rules.sections.tariffs import Tariff
from orderctl.stages.rules.sections.tariffs_sheet import parse_sheet
from orderctl.stages.rules.sections.timetable import CHINESE as TIMES_CHINESE
from orderctl.stages.rules.sections.waves import WavesSection
from orderctl.stages.rules.times import times_frame
from orderctl.stages.waves.bins import bins_frame, parse_bins


class MapFile(Section):
    """A file of its own for entries of `skus.map`, written like there."""

    map: list[SkuMapping] = Field(description="entries with match and sku")

    @field_validator("map")
    @classmethod
    def _no_files(cls, value: list[SkuMapping]) -> list[SkuMapping]:
        for at, entry in enumerate(value):
            if entry.file is not None:
                reject(Wrong(Text("a file of entries names no further files"), loc=(at, "file")))
        return value


@dataclass(frozen=True)
class Files:
    """Reads the files that the rules of `source` name."""

    source: str
    node: yaml.Node | None
    tables: Callable[[str], pl.DataFrame] | None
    texts: Callable[[str], str] | None

    def place(self, *loc: str | int) -> str:
        """Give `source:line:column` of what stands at `loc`."""
        line, column = locate(self.node, loc)
        return f"{self.source}:{line}:{column}"

    def refuse(self, text: Text, *loc: str | int) -> NoReturn:
        """Raise ConfigError with `text` and the place `loc`."""
        raise config_error(self.source, [Finding(*locate(self.node, loc), text)])

    def table(self, name: str, *loc: str | int) -> pl.DataFrame:
        """Read the table `name`, which is named at `loc`. Raises: ConfigError if tables cannot be read here."""
        if self.tables is None:
            self.refuse(Text("the table {name} cannot be read here", name=name), *loc)
        return self.tables(name)

    def entries(self, name: str, *loc: str | int) -> pl.DataFrame:
        """Read a file of entries of `skus.map`. Raises: ConfigError."""
        if not name.lower().endswith((".yaml", ".yml")):
            return parse_map(self.table(name, *loc), name)
        if self.texts is None:
            self.refuse(Text("the table {name} cannot be read here", name=name), *loc)
        return entries_frame(load_validated(self.texts(name), name, MapFile).map)

    def priced(self, tariff: Tariff, at: int) -> Tariff:
        """Give a tariff with the zones of the price sheet it names. Raises: ConfigError."""
        if tariff.prices is not None:
            sheet = parse_sheet(self.table(tariff.prices, "tariffs", at, "prices"), tariff.prices)
            tariff = tariff.model_copy(update={"zones": [*tariff.zones, *sheet]})
        known = dict.fromkeys(zone.id for zone in tariff.zones)
        findings = [
            Finding(
                *locate(self.node, ("tariffs", at, "surcharges", "peak", number, "zones", place)),
                Text("the tariff has no zone '{name}'", name=name),
                nearest(name, known),
            )
            for number, peak in enumerate(tariff.surcharges.peak)
            for place, name in enumerate(peak.zones)
            if name not in known
        ]
        if findings:
            raise config_error(self.source, findings)
        return tariff

    def bins(self, waves: WavesSection | None) -> pl.DataFrame:
        """Give the bins, those of a table among them. Raises: ConfigError."""
        listed = [] if waves is None else waves.bins
        if isinstance(listed, str):
            return parse_bins(self.table(listed, "waves", "bins"), listed)
        return bins_frame(listed)

    def read(self, rules: Rules) -> Tables:
        """Give all tables of `rules` but the prices."""
        skus, table, place = rules.skus, self.table, self.place
        listed = rules.audit.blacklist
        articles = table(skus.catalogue, "skus", "catalogue") if isinstance(skus.catalogue, str) else None
        bundles = table(skus.bundles, "skus", "bundles") if isinstance(skus.bundles, str) else None
        named = ((at, entry.file) for at, entry in enumerate(skus.entries) if entry.file)
        return Tables(
            catalogue=None if articles is None else parse_catalogue(articles, str(skus.catalogue)),
            bundles=None if bundles is None else parse_bundles(bundles, str(skus.bundles)),
            maps={name: self.entries(name, "skus", "map", at, "file") for at, name in named},
            stock={} if rules.stock is None else parse_stock(table(rules.stock, "stock"), rules.stock),
            costs=None if articles is None else parse_costs(articles, str(skus.catalogue)),
            blacklist=None
            if listed is None
            else parse_blacklist(table(listed, "audit", "blacklist"), listed),
            not_served=reach_frame(read_listed("not_served", rules.not_served, CHINESE, table, place)),
            notices=reach_frame(read_listed("notices", rules.notices, CHINESE, table, place)),
            transit=times_frame(read_listed("transit", rules.transit, TIMES_CHINESE, table, place)),
            performance=times_frame(
                read_listed("performance", rules.performance, TIMES_CHINESE, table, place)
            ),
            bins=self.bins(rules.waves),
        )
