"""Where articles lie: the bins that the rules list or name a table of, else the shelves of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import polars as pl

from orderctl.model.text import Text
from orderctl.model.yamlfile import Finding, config_error
from orderctl.stages.rules.sections.waves import PLACE, Bin, Path
from orderctl.stages.waves.path import natural_key, read_codes, walked

LINE = "_line"
CHINESE = {
    "sku": "商品编码",
    "warehouse": "仓库",
    "location": "货位",
    "zone": "库区",
    "aisle": "巷道",
    "bay": "货架列",
    "level": "层",
}
BINS = pl.Schema(dict.fromkeys(CHINESE, pl.String()))


def parse_bins(table: pl.DataFrame, source: str) -> pl.DataFrame:
    """Read a table of bins (columns of texts, headings English or Chinese) as BINS; rows without a location are left out.

    Raises: ConfigError if a column is missing, or a row has a location and no SKU.
    """
    english = {chinese: name for name, chinese in CHINESE.items()} | {"我方SKU": "sku", "库位": "location"}
    names = {name: english.get(name.strip(), name.strip()) for name in table.columns if name != LINE}
    for wanted in ("sku", "location"):
        if wanted not in names.values():
            text = Text("{source}: has no column {column}", source=source, column=wanted)
            raise config_error(source, [Finding(1, 1, text)])
    lines = table[LINE].to_list() if LINE in table.columns else list(range(2, table.height + 2))
    texts = table.rename(names).select(
        (pl.col(name).cast(pl.String) if name in names.values() else pl.lit(None, dtype=pl.String))
        .str.strip_chars()
        .alias(name)
        for name in BINS
    )
    found = texts.select(pl.when(pl.all() != "").then(pl.all()).name.keep())
    lacking = [
        line
        for line, sku, location in zip(lines, found["sku"], found["location"], strict=True)
        if location is not None and sku is None
    ]
    if lacking:
        column = list(names.values()).index("sku") + 1
        raise config_error(
            source, [Finding(line, column, Text("'{field}' is missing", field="sku")) for line in lacking]
        )
    return found.filter(pl.col("location").is_not_null())


def bins_frame(listed: Sequence[Bin]) -> pl.DataFrame:
    """Give the bins of the rules as BINS."""
    return pl.DataFrame([one.model_dump() for one in listed], schema=BINS)


@dataclass(frozen=True, eq=False)
class Shelves:
    """Where articles lie in which warehouse, and how a picker walks.

    `known` has one bin for each warehouse and SKU at most (columns BINS), the one that counts first; null stands for
    every warehouse.
    """

    known: pl.DataFrame
    path: Path

    @cached_property
    def of(self) -> Callable[[str | None], dict[str, str]]:
        """Give what tells the shelf of every SKU that has one in a warehouse."""
        return cache(self._of)

    def _of(self, warehouse: str | None) -> dict[str, str]:
        skus = self.known.select("sku").unique().sort("sku")
        placed = self.placed(skus.with_columns(warehouse=pl.lit(warehouse, dtype=pl.String)))
        return dict(placed.filter(pl.col("location").is_not_null()).select("sku", "location").iter_rows())

    def stops(self, warehouse: str, locations: Iterable[str]) -> dict[str, int]:
        """Give the order in which one walk through a warehouse passes `locations`."""
        codes = read_codes(sorted(locations), self.path)
        own = self.known.filter(pl.col("warehouse").fill_null(warehouse) == warehouse)
        own = own.sort(pl.col("warehouse").is_null(), maintain_order=True).unique(
            "location", keep="first", maintain_order=True
        )
        told = codes.join(own, on="location", how="left", maintain_order="left", suffix="_own")
        placed = told.select("location", *(pl.coalesce(f"{name}_own", name).alias(name) for name in PLACE))
        return dict(walked(placed, self.path).select("location", "stop").iter_rows())

    def placed(self, goods: pl.DataFrame) -> pl.DataFrame:
        """Add where each of `goods` (columns warehouse, sku) lies: `location` and PLACE, null where that is not known.

        The bin of its own warehouse counts, else one of every warehouse.
        """
        own = self.known.filter(pl.col("warehouse").is_not_null())
        everywhere = self.known.filter(pl.col("warehouse").is_null()).drop("warehouse")
        both = goods.join(own, on=["warehouse", "sku"], how="left", maintain_order="left").join(
            everywhere, on="sku", how="left", maintain_order="left", suffix="_all"
        )
        here = pl.col("location").is_not_null()
        told = both.select(
            *goods.columns,
            *(pl.when(here).then(n).otherwise(f"{n}_all").alias(n) for n in ("location", *PLACE)),
        )
        codes = read_codes(told["location"].drop_nulls().unique().sort(), self.path)
        read = told.join(codes, on="location", how="left", maintain_order="left", suffix="_read")
        return read.select(*goods.columns, "location", *(pl.coalesce(n, f"{n}_read").alias(n) for n in PLACE))


def shelves_of(bins: pl.DataFrame, stock: pl.DataFrame | None, articles: pl.DataFrame, path: Path) -> Shelves:
    """Give where articles lie: by the rules' `bins`, else by the stock that names locations, else by the catalogue.

    Of several bins of a SKU in a warehouse the first in natural order counts; of stock one with pieces in it.
    """
    none = [pl.lit(None, dtype=pl.String).alias(name) for name in PLACE]
    shelves = articles.filter(pl.col("location").is_not_null()).select("sku", "location", *none)
    parts = [_first(bins)]
    if stock is not None:
        lying = stock.filter(pl.col("location").is_not_null()).with_columns(*none)
        full = pl.col("quantity") > 0
        parts += [_first(lying.filter(some).select(BINS.names())) for some in (full, ~full)]
    parts.append(shelves.with_columns(warehouse=pl.lit(None, dtype=pl.String)).select(BINS.names()))
    return Shelves(pl.concat(parts).unique(["warehouse", "sku"], keep="first", maintain_order=True), path)


def _first(bins: pl.DataFrame) -> pl.DataFrame:
    keys = {code: natural_key(code) for code in bins["location"].unique()}
    key = pl.col("location").replace_strict(keys, return_dtype=pl.String)
    return bins.sort(key, "location", maintain_order=True)
