"""Tables that people keep in a spreadsheet, read as the map of articles or as bundles: every mistake with its place.

A row of a map asks for all the texts it has; rows without a SKU are not done yet and are left out. Headings may be
English or Chinese, columns with other headings are for people.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from orderctl.model.errors import ConfigError
from orderctl.model.text import Text
from orderctl.model.yamlfile import Finding, config_error
from orderctl.stages.normalizing.skus_map import ARTICLE, ENTRIES, PATTERNS, TEXTS
from orderctl.stages.normalizing.skus_parts import gathered
from orderctl.stages.rules.sections.skus import (
    MOST_PIECES,
    MOST_SHARE,
    BundlePart,
    bundle_mistake,
    compiles,
)

LINE = "_line"
CHINESE = {
    "platform": "平台",
    "shop": "店铺",
    "merchant_code": "商家编码",
    "platform_sku": "平台SKU",
    "item_ref": "商品ID",
    "spec": "规格",
    "title": "标题",
    "merchant_code_pattern": "商家编码规则",
    "platform_sku_pattern": "平台SKU规则",
    "item_ref_pattern": "商品ID规则",
    "spec_pattern": "规格规则",
    "title_pattern": "标题规则",
    "sku": "我方SKU",
    "choose": "选用候选",
    "pieces": "件数",
    "part": "组件SKU",
    "share": "价格份额",
    "available": "可用库存",
    "about": "商品",
    "name": "名称",
    "pack": "疑似装数",
    "orders": "订单数",
    "units": "待发数量",
    **{f"candidate_{n}": f"候选{n}" for n in (1, 2, 3)},
    **{f"name_{n}": f"候选{n}名称" for n in (1, 2, 3)},
    **{f"score_{n}": f"候选{n}得分" for n in (1, 2, 3)},
    "where": "所在店铺",
    "example": "订单示例",
}
CANDIDATES = 3
MOST_IN_STOCK = 1_000_000_000
_SHOWN_AT_MOST = 20
_SHORTENED = r"^[0-9](?:\.[0-9]+)?[Ee]\+[0-9]+$"
_QUOTED = r"^'([=+\-@\t\r0-9])"


class _Reading:
    """One table with canonical headings, and the mistakes found in it so far."""

    def __init__(self, table: pl.DataFrame, source: str) -> None:
        english = {chinese: name for name, chinese in CHINESE.items()} | {"SKU": "sku"}
        names = [name for name in table.columns if name != LINE]
        self.source, self.findings = source, list[Finding]()
        self.column = {english.get(name.strip(), name.strip()): at for at, name in enumerate(names, 1)}
        self.heading = dict(zip(self.column, names, strict=True))
        lines = table[LINE] if LINE in table.columns else pl.Series(LINE, range(2, table.height + 2))
        texts = table.select(names).rename(dict(zip(names, self.column, strict=True)))
        texts = texts.select(pl.all().cast(pl.String).str.strip_chars().str.replace(_QUOTED, "$1"))
        self.rows = texts.select(pl.when(pl.all() != "").then(pl.all()).name.keep()).with_columns(
            lines.cast(pl.Int64).alias(LINE)
        )

    def need(self, *names: str) -> None:
        for name in names:
            if name not in self.column:
                raise ConfigError(Text("{source}: has no column {column}", source=self.source, column=name))

    def with_all(self, names: Sequence[str]) -> pl.DataFrame:
        missing = [pl.lit(None, dtype=pl.String).alias(n) for n in names if n not in self.column]
        return self.rows.with_columns(missing)

    def refuse(self, wrong: pl.DataFrame, name: str, template: str) -> None:
        """Note a mistake in column `name` of every row of `wrong`; `{value}` is what stands there."""
        for row in wrong.head(_SHOWN_AT_MOST).iter_rows(named=True):
            shown = {"name": self.heading.get(name, name), "value": row.get(name), "other": row.get("other")}
            asked = {key: value for key, value in shown.items() if "{" + key + "}" in template}
            self.findings.append(Finding(row[LINE], self.column.get(name, 1), Text(template, **asked)))

    def take_choices(self) -> None:
        """Put the candidate whose number a person wrote into `choose` in the place of the SKU."""
        if "choose" not in self.column:
            return
        number = pl.col("choose").str.replace(r"\.0+$", "").str.replace_many(list("１２３"), list("123"))
        there = [n for n in range(1, CANDIDATES + 1) if f"candidate_{n}" in self.column]
        chosen = pl.coalesce(
            pl.lit(None, dtype=pl.String), *(pl.when(number == str(n)).then(f"candidate_{n}") for n in there)
        )
        rows = self.rows.with_columns(chosen=chosen, other="sku")
        none = pl.col("choose").is_not_null() & pl.col("chosen").is_null()
        self.refuse(rows.filter(none), "choose", "{name}: {value} is the number of no candidate of this row")
        both = rows.filter(pl.col("chosen") != pl.col("sku"))
        self.refuse(both, "choose", "{name}: candidate {value} is chosen, but {other} is typed as the SKU")
        self.rows = rows.with_columns(sku=pl.coalesce("sku", "chosen")).drop("chosen", "other")

    def need_whole_list(self) -> None:
        """Refuse a list of ours whose rows would match more than was asked, since a column was taken out."""
        if "about" not in self.column:
            return
        if "spec" not in self.column:
            raise ConfigError(
                Text("{source}: has no column {column}", source=self.source, column="spec"),
                hint=Text("without it a row would hold for every variant of its item: put the column back"),
            )
        rows = self.with_all(ENTRIES.names()).filter(pl.col("sku").is_not_null())
        told = [name for name in (*TEXTS, *PATTERNS) if name != "spec"]
        only = pl.col("spec").is_not_null() & pl.all_horizontal(pl.col(told).is_null())
        self.refuse(
            rows.filter(only), "spec", "{value}: of which item? put the columns item_ref and title back"
        )

    def number(self, rows: pl.DataFrame, name: str, least: int, most: int) -> pl.DataFrame:
        value = pl.col(name).str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)
        bad = pl.col(name).is_not_null() & (value.is_null() | (value < least) | (value > most))
        self.refuse(rows.filter(bad), name, "{name}: {value} is no whole number that makes sense here")
        return rows.with_columns(value.alias(name))

    def close(self) -> None:
        if self.findings:
            raise config_error(self.source, self.findings)


def parse_map(table: pl.DataFrame, source: str) -> pl.DataFrame:
    """Read a table of texts as ENTRIES, with the column LINE that says where each row stands.

    The order of its rows means nothing: what asks for a variant comes before what asks for a merchant code, that
    before an item with its spec, that before words, and patterns last.

    Raises: ConfigError naming line and column of every mistake: nothing to match, a number of pieces that is none,
        a pattern that is none, digits a spreadsheet has lost, two rows for one article that say different things.
    """
    reading = _Reading(table, source)
    reading.need("sku")
    if not {*TEXTS, *PATTERNS} & set(reading.column):
        raise ConfigError(
            Text("{source}: has none of the columns {columns}", source=source, columns=", ".join(TEXTS))
        )
    reading.take_choices()
    reading.need_whole_list()
    rows = reading.with_all(ENTRIES.names()).filter(pl.col("sku").is_not_null())
    asked = [*TEXTS, *PATTERNS]
    nothing = rows.filter(pl.all_horizontal(pl.col(asked).is_null()))
    reading.refuse(nothing, "sku", "the row says nothing of what {value} looks like")
    rows = reading.number(rows, "pieces", 1, MOST_PIECES).with_columns(pl.col("pieces").fill_null(1))
    for name in ("merchant_code", "platform_sku", "item_ref", "sku"):
        lost = rows.filter(pl.col(name).str.contains(_SHORTENED))
        reading.refuse(lost, name, "{name}: {value} has lost its digits in a spreadsheet; keep it as text")
    for name in PATTERNS:
        wrong = [v for v in rows[name].drop_nulls().unique().to_list() if not compiles(v)]
        reading.refuse(
            rows.filter(pl.col(name).is_in(wrong)), name, "{name}: {value} is no regular expression"
        )
    _refuse_contradictions(reading, rows)
    reading.close()
    patterned = pl.any_horizontal(pl.col(PATTERNS).is_not_null())
    surer = (
        pl.when(patterned).then(5)
        .when(pl.col("platform_sku").is_not_null()).then(0)
        .when(pl.col("merchant_code").is_not_null()).then(1)
        .when(pl.col("item_ref").is_not_null() & pl.col("spec").is_not_null()).then(2)
        .when(pl.col("item_ref").is_not_null()).then(3)
        .otherwise(4)
    )  # fmt: skip
    return rows.sort(surer, maintain_order=True).select(*ENTRIES.names(), LINE)


def parse_list(table: pl.DataFrame, source: str) -> pl.DataFrame:
    """Give the rows of a list as a person left it: all columns as text, under their English names, `sku` where known.

    Raises: ConfigError as `parse_map` does.
    """
    parse_map(table, source)
    reading = _Reading(table, source)
    reading.take_choices()
    return reading.with_all((*ARTICLE, "pieces")).drop(LINE)


def _refuse_contradictions(reading: _Reading, rows: pl.DataFrame) -> None:
    key = [*ARTICLE, *PATTERNS]
    seen = rows.with_columns(
        other=pl.col(LINE).first().over(key),
        said=pl.struct("sku", "pieces").first().over(key),
    )
    differ = seen.filter(pl.struct("sku", "pieces") != pl.col("said"))
    reading.refuse(differ, "sku", "{value}: line {other} says otherwise of the same article")


def parse_bundles(table: pl.DataFrame, source: str) -> pl.DataFrame:
    """Read a table of texts (`sku, part, pieces, share`; a row per part) as BUNDLES.

    Raises: ConfigError naming line and column of every mistake.
    """
    reading = _Reading(table, source)
    reading.need("sku", "part")
    rows = reading.with_all(("sku", "part", "pieces", "share"))
    for name in ("sku", "part"):
        reading.refuse(rows.filter(pl.col(name).is_null()), name, "{name} is missing")
    rows = reading.number(rows, "pieces", 1, MOST_PIECES).with_columns(pl.col("pieces").fill_null(1))
    rows = reading.number(rows, "share", 0, MOST_SHARE)
    reading.close()
    for bundle in rows.partition_by("sku", maintain_order=True):
        parts = [
            BundlePart(sku=part, pieces=pieces, share=share)
            for part, pieces, share in bundle.select("part", "pieces", "share").iter_rows()
        ]
        if mistake := bundle_mistake(parts):
            text = Text("{value}: {other}", value=bundle["sku"][0], other=mistake)
            reading.findings.append(Finding(bundle[LINE][0], reading.column["sku"], text))
    reading.close()
    return gathered(rows.select("sku", "part", "pieces", "share"))


def parse_stock(table: pl.DataFrame, source: str) -> dict[str, int]:
    """Read a table of texts (`sku, available`) as pieces by SKU; rows of one SKU (warehouses, shelves) are added up.

    Raises: ConfigError naming line and column of every mistake.
    """
    reading = _Reading(table, source)
    reading.need("sku", "available")
    rows = reading.with_all(("sku", "available"))
    for name in ("sku", "available"):
        reading.refuse(rows.filter(pl.col(name).is_null()), name, "{name} is missing")
    rows = reading.number(rows, "available", -MOST_IN_STOCK, MOST_IN_STOCK)
    reading.close()
    return dict(rows.group_by("sku").agg(pl.col("available").sum()).sort("sku").iter_rows())


def nested(bundles: pl.DataFrame) -> Iterator[str]:
    """Give the parts of bundles (columns BUNDLES) that are bundles themselves, which nobody could send."""
    inside = bundles.select(pl.col("parts").explode().struct.field("part")).to_series()
    yield from inside.filter(inside.is_in(bundles["sku"].implode())).unique().sort()
