"""What lies where and is still free: tables of stock read, and what the ledger knows to be gone since they were counted.

Invariant: a piece that a waybill was bought for after the count is never free again, whatever the table says.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.errors import ConfigError
from orderctl.model.facts import RESERVED, STOCK, Facts
from orderctl.model.instant import from_local, from_offset
from orderctl.model.text import Text
from orderctl.model.yamlfile import Finding, config_error

LINE = "_line"
MOST = 1_000_000_000
CHINESE = {
    "warehouse": "仓库",
    "sku": "我方SKU",
    "quantity": "数量",
    "location": "库位",
    "counted_at": "盘点时间",
}
_SHOWN_AT_MOST = 20
_GIFT = r"^gift:[^:]*:(.+)$"
_BOUND = pl.List(pl.List(pl.String()))


def parse_stock(table: pl.DataFrame, source: str, zone: str, counted_at: str | None = None) -> pl.DataFrame:
    """Read a table of texts as rows of STOCK; headings may be English or Chinese, other columns are for people.

    Args:
        table: columns of texts, perhaps with LINE.
        zone: the time zone (IANA name) of times of the table that name none.
        counted_at: when the table was written, for rows that do not say themselves when they were counted.

    Raises: ConfigError naming every mistake as `source:line:column`.
    """
    english = {chinese: name for name, chinese in CHINESE.items()} | {"SKU": "sku"}
    names = {name: english.get(name.strip(), name.strip()) for name in table.columns if name != LINE}
    column = {name: at for at, name in enumerate(names.values(), 1)}
    for name in ("warehouse", "sku", "quantity"):
        if name not in column:
            raise ConfigError(Text("{source}: has no column {column}", source=source, column=name))
    lines = table[LINE] if LINE in table.columns else pl.int_range(2, table.height + 2, eager=True)
    texts = table.rename(names).select(
        *(pl.col(n).cast(pl.String).str.strip_chars() for n in CHINESE if n in column),
        *(pl.lit(None, dtype=pl.String).alias(n) for n in CHINESE if n not in column),
    )
    texts = texts.select(pl.when(pl.all() != "").then(pl.all()).name.keep())
    number = pl.col("quantity").str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)
    local = pl.col("counted_at").str.replace(r"\.\d+$", "").str.replace(r"^(\S{10})T", "${1} ")
    at = pl.coalesce(from_offset(pl.col("counted_at")), from_local(local, zone))
    read = texts.with_columns(lines.cast(pl.Int64).alias(LINE), number=number, at=at)
    wrong = {
        "warehouse": (pl.col("warehouse").is_null(), "{name} is missing"),
        "sku": (pl.col("sku").is_null(), "{name} is missing"),
        "quantity": (
            ~pl.col("number").is_between(-MOST, MOST).fill_null(False),
            "{name}: {value} is no whole number that makes sense here",
        ),
        "counted_at": (
            pl.col("counted_at").is_not_null() & pl.col("at").is_null(),
            "{name}: {value} is no time such as 2026-11-24 13:30",
        ),
    }
    findings = [
        Finding(row[LINE], column.get(name, 1), _said(template, name, row[name]))
        for name, (bad, template) in wrong.items()
        for row in read.filter(bad).head(_SHOWN_AT_MOST).iter_rows(named=True)
    ]
    if findings:
        raise config_error(source, findings)
    counted = pl.coalesce("at", pl.lit(counted_at, dtype=pl.String))
    return read.select("warehouse", "sku", "location", quantity="number", counted_at=counted).cast(STOCK)


def _said(template: str, name: str, value: str | None) -> Text:
    return (
        Text(template, name=name, value=value or "-") if "{value}" in template else Text(template, name=name)
    )


def reserved_of(commitments: pl.DataFrame) -> pl.DataFrame:
    """Give what shipments are bound to take (columns RESERVED).

    Args:
        commitments: as the ledger gives them, with `trail` and `first_at`. Which SKU a line is stands in the trail; a
            line of which it is not known cannot be taken off anywhere and is left out.
    """
    here = commitments.filter(pl.col("warehouse").is_not_null())
    trails = here.unique("shipment_id").select(
        "shipment_id", said=pl.col("trail").str.json_path_match("$.skus").str.json_decode(_BOUND)
    )
    said = trails.explode("said", empty_as_null=False, keep_nulls=False)
    skus = said.select(
        "shipment_id",
        *(pl.col("said").list.get(at).alias(name) for at, name in enumerate(("order_id", "line_ref", "sku"))),
    )
    found = here.join(skus, on=["shipment_id", "order_id", "line_ref"], how="left").with_columns(
        sku=pl.coalesce("sku", pl.col("line_ref").str.extract(_GIFT, 1))
    )
    known = found.filter(pl.col("sku").is_not_null())
    return known.select("shipment_id", "warehouse", "sku", "quantity", at="first_at").cast(RESERVED)


def free_stock(facts: Facts) -> pl.DataFrame:
    """Give [warehouse, sku, free]: what was counted less what was bound since; never less than none.

    Of several counts of one SKU in a warehouse (shelves) the oldest says from when on.
    """
    assert facts.stock is not None
    cells = facts.stock.group_by("warehouse", "sku").agg(
        pl.col("quantity").sum(),
        counted_at=pl.when(pl.col("counted_at").is_not_null().all()).then(pl.col("counted_at").min()),
    )
    taken = (
        facts.reserved.join(cells.select("warehouse", "sku", "counted_at"), on=["warehouse", "sku"])
        .filter((pl.col("at") >= pl.col("counted_at")).fill_null(True))
        .group_by("warehouse", "sku")
        .agg(taken=pl.col("quantity").sum())
    )
    left = pl.col("quantity") - pl.col("taken").fill_null(0)
    joined = cells.join(taken, on=["warehouse", "sku"], how="left")
    return joined.select("warehouse", "sku", free=left.clip(lower_bound=0)).sort("warehouse", "sku")
