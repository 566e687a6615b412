"""Lines get our SKU, and what the catalogue knows of it. A SKU set by hand is replaced by the map only.

Every distinct article is looked up once, however many lines name it; entries of the map that ask for equal texts
are joined, so ten thousand of them cost what one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import polars as pl

from orderctl.model.errors import ConfigError
from orderctl.model.text import Text
from orderctl.stages.rules.sections.skus import CatalogueItem, Pattern, SkuMapping

CATALOGUE = pl.Schema(
    {
        "sku": pl.String(),
        "name": pl.String(),
        "weight_g": pl.Int64(),
        "location": pl.String(),
        "traits": pl.List(pl.String()),
        "hs_code": pl.String(),
        "origin": pl.String(),
        "customs_name": pl.String(),
    }
)
ARTICLE = ("platform", "shop", "merchant_code", "platform_sku", "item_ref", "spec", "title")


def catalogue_frame(items: Sequence[CatalogueItem]) -> pl.DataFrame:
    """Give the articles of the rules as a table with the columns CATALOGUE."""
    return pl.DataFrame([item.model_dump() for item in items], schema=CATALOGUE)


def parse_catalogue(table: pl.DataFrame, source: str) -> pl.DataFrame:
    """Read a table of texts (a CSV or XLSX file) as CATALOGUE; traits are separated by `|`, other columns ignored.

    Raises: ConfigError if there is no column `sku`, a SKU is missing or stands there twice, or a weight is no
        whole number of grams.
    """
    if "sku" not in table.columns:
        raise ConfigError(Text("{source}: has no column {column}", source=source, column="sku"))
    known = [name for name in CATALOGUE if name in table.columns]
    texts = table.select(pl.col(known).cast(pl.String).str.strip_chars()).with_columns(
        pl.when(pl.col(known) != "").then(pl.col(known))
    )
    texts = texts.with_columns(
        pl.lit(None, dtype=pl.String).alias(name) for name in CATALOGUE if name not in known
    )
    weight = pl.col("weight_g").cast(pl.Int64, strict=False)
    for value in texts.filter((weight.is_null() | (weight < 0)) & pl.col("weight_g").is_not_null())[
        "weight_g"
    ]:
        raise ConfigError(Text("{source}: {value} is no weight in whole grams", source=source, value=value))
    for sku in texts.filter(pl.col("sku").is_null() | pl.col("sku").is_duplicated())["sku"]:
        raise ConfigError(Text("{source}: the SKU {sku} is missing or there twice", source=source, sku=sku))
    traits = pl.col("traits").str.split("|").list.drop_nulls().fill_null([])
    return texts.with_columns(weight, traits).select(CATALOGUE.names())


def map_skus(
    lines: pl.DataFrame, entries: Sequence[SkuMapping], catalogue: pl.DataFrame, *, merchant_code_is_sku: bool
) -> pl.DataFrame:
    """Give `lines` (a row per line, with `platform` and `shop`) their SKU and what the catalogue says of it.

    Args:
        lines: has the columns ARTICLE and those of a line.
        entries: the first that matches an article wins.
        catalogue: columns CATALOGUE, each SKU once; what it leaves open stays as the platform told it.
        merchant_code_is_sku: also take a merchant code that the catalogue lists; any, if it lists nothing.
    """
    articles = lines.select(ARTICLE).unique()
    mapped = articles.with_columns(mapped=_first_entry(articles, entries))
    lines = lines.join(mapped, on=ARTICLE, how="left", nulls_equal=True, maintain_order="left")
    candidates = [pl.col("mapped"), pl.col("sku")]
    if merchant_code_is_sku:
        code = pl.col("merchant_code")
        listed = pl.lit(True) if catalogue.is_empty() else code.is_in(catalogue["sku"].to_list())
        candidates.append(pl.when(listed).then(code))
    lines = lines.with_columns(sku=pl.coalesce(candidates)).drop("mapped")
    ours = catalogue.select("sku", pl.exclude("sku").name.prefix("our_"))
    lines = lines.join(ours, on="sku", how="left", maintain_order="left")
    return lines.with_columns(
        title=pl.coalesce("title", "our_name"),
        unit_weight_g=pl.coalesce("our_weight_g", "unit_weight_g"),
        hs_code=pl.coalesce("our_hs_code", "hs_code"),
        origin=pl.coalesce("our_origin", "origin"),
        customs_name=pl.coalesce("our_customs_name", "customs_name"),
        goods_traits=pl.concat_list("goods_traits", pl.col("our_traits").fill_null([])).list.unique(
            maintain_order=True
        ),
    ).drop(pl.selectors.starts_with("our_"))


def _first_entry(articles: pl.DataFrame, entries: Sequence[SkuMapping]) -> pl.Series:
    """Give each article the SKU of the first entry that matches it, else null."""
    if not entries:
        return pl.Series(values=[None] * articles.height, dtype=pl.String)
    shapes: dict[tuple[str, ...], list[tuple[object, ...]]] = {}
    hits: list[pl.Expr] = []
    for number, entry in enumerate(entries):
        asked = {name: want for name in ARTICLE if (want := getattr(entry.match, name)) is not None}
        if any(isinstance(want, Pattern) for want in asked.values()):
            hits.append(pl.when(_looks_like(asked)).then(pl.lit(number, dtype=pl.Int64)))
        else:
            values = [[want] if isinstance(want, str) else want for want in asked.values()]
            shapes.setdefault(tuple(asked), []).extend((*each, number) for each in product(*values))
    found = articles
    for place, (shape, rows) in enumerate(shapes.items()):
        column = f"entry_{place}"
        table = pl.DataFrame(
            rows, schema=[*[(name, pl.String) for name in shape], (column, pl.Int64)], orient="row"
        )
        first = table.group_by(shape).agg(pl.col(column).min())
        found = found.join(first, on=shape, how="left", maintain_order="left")
        hits.append(pl.col(column))
    skus = pl.Series([entry.sku for entry in entries], dtype=pl.String)
    first_hit = found.select(pl.min_horizontal(hits).alias("number"))["number"]
    return skus.gather(first_hit.fill_null(0)).zip_with(
        first_hit.is_not_null(), pl.Series([None], dtype=pl.String)
    )


def _looks_like(asked: dict[str, str | list[str] | Pattern]) -> pl.Expr:
    tests = []
    for name, want in asked.items():
        if isinstance(want, Pattern):
            tests.append(pl.col(name).str.contains(want.pattern))
        else:
            tests.append(pl.col(name).is_in([want] if isinstance(want, str) else want))
    return pl.all_horizontal(tests)
