"""The map from articles of the platforms to our SKUs, made once and looked up as joins.

Entries that ask for equal texts are rows of tables, one for each set of columns they ask for, so a hundred thousand
of them cost what one does; those with patterns are tried one by one on every distinct article. Of all entries that
match, the narrowest scope wins (shop, then platform, then all), then the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import polars as pl

from orderctl.stages.rules.sections.skus import Cut, Pattern, SkuMapping

SCOPE = ("platform", "shop")
TEXTS = ("merchant_code", "platform_sku", "item_ref", "spec", "title")
ARTICLE = (*SCOPE, *TEXTS)
PATTERNS = tuple(f"{name}_pattern" for name in TEXTS)
ENTRIES = pl.Schema(
    {
        **dict.fromkeys((*ARTICLE, *PATTERNS), pl.String()),
        "sku": pl.String(),
        "pieces": pl.Int64(),
    }
)
FOUND = pl.Schema({"mapped": pl.String(), "mapped_pieces": pl.Int64()})


def entries_frame(entries: Sequence[SkuMapping]) -> pl.DataFrame:
    """Give entries of the rules as a table with the columns ENTRIES: a row for every combination of listed texts."""
    rows: list[tuple[str | int | None, ...]] = []
    for entry in entries:
        asked = {name: getattr(entry.match, name) for name in ARTICLE}
        plain = [
            want if isinstance(want, list) else [None if isinstance(want, Pattern) else want]
            for want in asked.values()
        ]
        patterns = [want.pattern if isinstance(want, Pattern) else None for want in asked.values()][
            len(SCOPE) :
        ]
        rows.extend((*values, *patterns, entry.sku, entry.pieces) for values in product(*plain))
    return pl.DataFrame(rows, schema=ENTRIES, orient="row")


@dataclass(frozen=True)
class SkuMap:
    """A map ready to look articles up in.

    `exact` are tables of the columns they ask for and `entry`, each combination once; `patterned` the rows that hold
    patterns, with `entry`; `answers` has a row per entry, the one that wins first.
    """

    answers: pl.DataFrame
    exact: tuple[pl.DataFrame, ...]
    patterned: pl.DataFrame

    @classmethod
    def of(cls, tables: Sequence[pl.DataFrame]) -> SkuMap:
        """Make a map of tables with the columns ENTRIES, an earlier table before a later one."""
        entries = pl.concat([pl.DataFrame(schema=ENTRIES), *(t.select(ENTRIES.names()) for t in tables)])
        narrow = pl.col("shop").is_not_null() * 2 + pl.col("platform").is_not_null()
        ranked = entries.sort(narrow, descending=True, maintain_order=True).with_row_index("entry")
        ranked = ranked.with_columns(pl.col("entry").cast(pl.Int64))
        by_pattern = pl.any_horizontal(pl.col(PATTERNS).is_not_null())
        exact = []
        asked = pl.concat_str([pl.col(n).is_not_null().cast(pl.Int8) for n in ARTICLE]).alias("asked")
        for part in ranked.filter(~by_pattern).with_columns(asked).partition_by("asked"):
            shape = [name for name, bit in zip(ARTICLE, part["asked"][0], strict=True) if bit == "1"]
            exact.append(part.group_by(shape).agg(pl.col("entry").min()))
        return cls(
            ranked.select("sku", "pieces"), tuple(exact), ranked.filter(by_pattern).drop("sku", "pieces")
        )

    def look_up(self, articles: pl.DataFrame) -> pl.DataFrame:
        """Give a row per article (columns ARTICLE, in their order) with the columns FOUND, null where none matches."""
        if self.answers.is_empty():
            return pl.DataFrame(schema=FOUND).clear(articles.height)
        found, hits = articles, []
        for place, table in enumerate(self.exact):
            shape, column = table.columns[:-1], f"entry_{place}"
            found = found.join(table.rename({"entry": column}), on=shape, how="left", maintain_order="left")
            hits.append(pl.col(column))
        hits += [
            pl.when(_looks_like(row)).then(pl.lit(row["entry"], dtype=pl.Int64))
            for row in self.patterned.iter_rows(named=True)
        ]
        first = found.select(entry=pl.min_horizontal(hits))
        answers = self.answers.with_row_index("entry").with_columns(pl.col("entry").cast(pl.Int64))
        answered = first.join(answers, on="entry", how="left", maintain_order="left")
        return answered.select(mapped="sku", mapped_pieces="pieces")


def _looks_like(row: dict[str, str | int | None]) -> pl.Expr:
    tests = [pl.col(name) == pl.lit(row[name]) for name in ARTICLE if row[name] is not None]
    tests += [
        pl.col(name).str.contains(str(row[f"{name}_pattern"]))
        for name in TEXTS
        if row[f"{name}_pattern"] is not None
    ]
    return pl.all_horizontal(tests)


def cut_texts(articles: pl.DataFrame, cuts: Sequence[Cut]) -> pl.DataFrame:
    """Give `articles` without blanks around their texts and without what `cuts` cut out.

    A text of which nothing would be left stays whole.
    """
    articles = articles.with_columns(pl.col(TEXTS).str.strip_chars())
    for cut in cuts:
        text = pl.col(cut.field)
        shorter = text.str.replace_all(cut.pattern, "").str.strip_chars()
        scope = [pl.col(name) == wanted for name in SCOPE if (wanted := getattr(cut, name)) is not None]
        applies = pl.all_horizontal([*scope, shorter != ""])
        articles = articles.with_columns(pl.when(applies).then(shorter).otherwise(text).alias(cut.field))
    return articles
