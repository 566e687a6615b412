"""Lines get our SKU, are taken apart where it is a bundle or a pack, and get what the catalogue knows of them.

What a person decided of a line or an article goes before everything. Every distinct article is looked up once,
however many lines name it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from orderctl.model.errors import ConfigError, DataError
from orderctl.model.text import Text
from orderctl.stages.normalizing.skus_map import ARTICLE, SkuMap, cut_texts
from orderctl.stages.normalizing.skus_parts import BUNDLES, exploded, is_made, unit_weights
from orderctl.stages.normalizing.skus_tables import LINE
from orderctl.stages.rules.sections.skus import MOST_PIECES, CatalogueItem, Cut

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
HEADINGS = {  # what people call the columns of a catalogue; a weight must say that it is in grams
    "sku": "sku", "我方sku": "sku", "商品编码": "sku", "商家编码": "sku", "货号": "sku",
    "名称": "name", "商品名称": "name", "品名": "name",
    "重量g": "weight_g", "重量(g)": "weight_g", "重量克": "weight_g", "重量(克)": "weight_g", "克重": "weight_g",
    "货位": "location", "库位": "location", "特性": "traits",
    "海关编码": "hs_code", "原产国": "origin", "报关品名": "customs_name",
}  # fmt: skip
DECISION = "sku"
_DECIDED = pl.Struct({"sku": pl.String(), "pieces": pl.Int64()})


@dataclass(frozen=True)
class Articles:
    """All that is known of articles: the map, the catalogue (columns CATALOGUE), bundles (columns BUNDLES)."""

    map: SkuMap = field(default_factory=lambda: SkuMap.of([]))
    catalogue: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CATALOGUE))
    bundles: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=BUNDLES))
    cuts: Sequence[Cut] = ()
    merchant_code_is_sku: bool = True


def catalogue_frame(items: Sequence[CatalogueItem]) -> pl.DataFrame:
    """Give the articles of the rules as a table with the columns CATALOGUE."""
    return pl.DataFrame([item.model_dump() for item in items], schema=CATALOGUE)


def parse_catalogue(table: pl.DataFrame, source: str) -> pl.DataFrame:
    """Read a table of texts (a CSV or XLSX file) as CATALOGUE; traits are separated by `|`, other columns ignored.

    Headings may be those of CATALOGUE in any case, or Chinese (HEADINGS).

    Raises: ConfigError if there is no column `sku`, a SKU is missing or stands there twice, or a weight is no
        whole number of grams.
    """
    table = _named_as_ours(table)
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
    lines = table[LINE] if LINE in table.columns else pl.int_range(2, table.height + 2, eager=True)
    wrong = texts.with_columns(lines.alias(LINE)).filter(
        pl.col("sku").is_null() | pl.col("sku").is_duplicated()
    )
    for sku, line in wrong.select("sku", LINE).iter_rows():
        place = f"{source}:{line}"
        raise ConfigError(
            Text("{source}: the SKU {sku} is missing or there twice", source=place, sku=sku or "-")
        )
    traits = pl.col("traits").str.split("|").list.drop_nulls().fill_null([])
    return texts.with_columns(weight, traits).select(CATALOGUE.names())


def _named_as_ours(table: pl.DataFrame) -> pl.DataFrame:
    """Give a table with the columns of CATALOGUE under their own names; the first of two that mean the same counts."""
    names: dict[str, str] = {}
    for name in table.columns:
        plain = name.strip().lower().translate(str.maketrans("（）", "()")).replace(" ", "")
        ours = HEADINGS.get(plain, plain if plain in CATALOGUE else name)
        if ours == name or ours not in {*table.columns, *names.values()}:
            names[name] = ours
    return table.rename(names)


def map_skus(lines: pl.DataFrame, known: Articles, decisions: pl.DataFrame) -> pl.DataFrame:
    """Give `lines` their SKU and what the catalogue says of it; bundles and packs become the lines of their parts.

    Args:
        lines: a row per line, with the columns ARTICLE, those of a line, `row` and `order_id`.
        known: what the catalogue leaves open stays as the platform told it.
        decisions: columns of `Facts.decisions`.

    Raises: DataError if a decision about a SKU has no payload that says which.
    """
    lines = exploded(resolved(lines, known, decisions), known.bundles)
    ours = known.catalogue.select("sku", pl.exclude("sku").name.prefix("our_"))
    lines = lines.join(ours, on="sku", how="left", maintain_order="left")
    is_part, mixed = pl.col("of_bundle").is_not_null(), pl.col("of_bundle").fill_null(1) > 1

    def unless_mixed(name: str) -> pl.Expr:
        return pl.coalesce(f"our_{name}", pl.when(~mixed).then(name)).alias(name)

    return lines.with_columns(
        *(unless_mixed(name) for name in ("hs_code", "origin", "customs_name")),
        title=pl.when(is_part)
        .then(pl.coalesce("our_name", "title"))
        .otherwise(pl.coalesce("title", "our_name")),
        unit_weight_g=unit_weights(pl.col("our_weight_g"), pl.col("unit_weight_g")),
        goods_traits=pl.concat_list("goods_traits", pl.col("our_traits").fill_null([])).list.unique(
            maintain_order=True
        ),
    ).drop(pl.selectors.starts_with("our_"), "of_bundle", "per_piece")


def unlisted(known: Articles) -> list[str]:
    """Give the SKUs that the map or bundles name and the catalogue does not know; none when there is no catalogue."""
    if known.catalogue.is_empty():
        return []
    parts = known.bundles.select(pl.col("parts").explode().struct.field("part")).to_series()
    named = pl.concat([known.map.answers["sku"], parts]).drop_nulls().unique().sort()
    listed = pl.concat([known.catalogue["sku"], known.bundles["sku"]])
    return named.filter(~named.is_in(listed.implode())).to_list()


def resolved(lines: pl.DataFrame, known: Articles, decisions: pl.DataFrame) -> pl.DataFrame:
    """Give `lines` with `sku`, null where nothing tells it, and `pieces`: how many of it one of the platform's is.

    A part that was made here has its SKU already and keeps it.
    """
    lines = lines.join(
        articles_resolved(lines, known), on=ARTICLE, how="left", nulls_equal=True, maintain_order="left"
    )
    lines = _decided(lines, decisions)
    made, decided, mapped = is_made(), pl.col("decided"), pl.col("mapped")
    return lines.with_columns(
        sku=pl.when(made).then("sku").otherwise(pl.coalesce(decided.struct.field("sku"), mapped, "sku", "coded")),
        pieces=pl.when(made).then(1)
        .when(decided.is_not_null()).then(decided.struct.field("pieces").fill_null(1))
        .when(mapped.is_not_null()).then("mapped_pieces")
        .otherwise(1),
    ).drop("decided", "mapped", "mapped_pieces", "coded")  # fmt: skip


def articles_resolved(lines: pl.DataFrame, known: Articles) -> pl.DataFrame:
    """Give every article of `lines` once, with `mapped` and `mapped_pieces` by the map, `coded` by its merchant code."""
    articles = lines.select(ARTICLE).unique(maintain_order=True)
    found = articles.hstack(known.map.look_up(articles))
    cut = cut_texts(articles, known.cuts)
    if not cut.equals(articles):
        again = known.map.look_up(cut)
        hit = pl.col("mapped").is_not_null()
        found = found.hstack(again.select(pl.all().name.suffix("_again"))).with_columns(
            *(pl.when(hit).then(name).otherwise(f"{name}_again").alias(name) for name in again.columns)
        )
    if not known.merchant_code_is_sku:
        return found.select(*ARTICLE, "mapped", "mapped_pieces", coded=pl.lit(None, dtype=pl.String))
    code, shorter = articles["merchant_code"], cut["merchant_code"]
    if known.catalogue.is_empty():
        coded = shorter
    else:
        listed = pl.concat([known.catalogue["sku"], known.bundles["sku"]]).implode()
        none = pl.Series([None], dtype=pl.String)
        coded = code.zip_with(code.is_in(listed), shorter.zip_with(shorter.is_in(listed), none))
    return found.select(*ARTICLE, "mapped", "mapped_pieces", coded=coded)


def _decided(lines: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """Add `decided` (`sku`, `pieces`): what people said of a line (`ORDER/LINE`), else of its article.

    An article is `PLATFORM:SHOP:` with its platform SKU, or else with its merchant code.
    """
    mine = decisions.filter(pl.col("decision") == DECISION)
    if mine.is_empty():
        return lines.with_columns(decided=pl.lit(None, dtype=_DECIDED))
    said = mine.select("subject", decided=_payloads(mine))
    subjects = {"line": pl.concat_str("order_id", pl.lit("/"), "line_ref")}
    for name in ("platform_sku", "merchant_code"):
        subjects[name] = pl.concat_str("platform", pl.lit(":"), "shop", pl.lit(":"), name)
    named = lines.select(**subjects)
    for subject in subjects:
        answers = said.rename({"subject": subject, "decided": f"of_{subject}"})
        named = named.join(answers, on=subject, how="left", maintain_order="left")
    found = named.select(decided=pl.coalesce(f"of_{subject}" for subject in subjects))
    return lines.with_columns(found["decided"])


def _payloads(decisions: pl.DataFrame) -> pl.Series:
    try:
        said = decisions["payload"].str.json_decode(_DECIDED)
    except pl.exceptions.PolarsError as error:
        raise DataError(Text(_NO_PAYLOAD, subject=decisions["subject"][0])) from error
    sku, pieces = said.struct.field("sku"), said.struct.field("pieces").fill_null(1)
    for subject in decisions["subject"].filter(sku.is_null() | (pieces < 1) | (pieces > MOST_PIECES)):
        raise DataError(Text(_NO_PAYLOAD, subject=subject))
    return said


_NO_PAYLOAD = 'the decision sku of {subject} needs a payload such as {{"sku": "A-1", "pieces": 1}}'
