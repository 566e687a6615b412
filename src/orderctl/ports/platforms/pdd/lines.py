"""The lines of Pinduoduo's orders, in our words: goods, and gifts that travel with them.

The platform numbers no lines. An order has one goods and at most one gift, as a rule, and these are lines `1` and
`2`, by the API as by the export; where there are more, the SKU tells them apart, whatever order they come in.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from orderctl.model.mapper import count, given, line, payload, texts, to_ship, with_amounts

ITEM = pl.Struct(
    texts("goods_id goods_name goods_spec goods_count goods_price sku_id outer_id outer_goods_id")
)
OPEN = ("wait_pay", "wait_ship")
WITH_ORDER, BY_ITSELF = "gift", "gift apart"


def read_lines(frame: pl.DataFrame) -> pl.DataFrame:
    """Give a row per line, goods before gifts, with what the line must know of its order.

    `frame` has `row`, `payload`, `status`, `refund`, `gone`, `is_service`, `gift_kind` and the amounts of the order.
    """
    about = ("row", "status", "refund", "gone", "is_service", "total_minor", "postage_minor", "adjust_minor")
    kinds = {"item_list": pl.lit("goods"), "gift_list": pl.col("gift_kind")}
    parts = [
        frame.select(*about, source=payload(name), part=kind).explode("source").drop_nulls("source")
        for name, kind in kinds.items()
    ]
    found = pl.concat(parts).unnest("source").sort("row", maintain_order=True)
    found = with_amounts(found, {"unit": pl.col("goods_price")})
    return found.with_columns(
        is_goods=pl.col("part") == "goods",
        pieces_read=count(pl.col("goods_count")),
    ).with_columns(
        quantity=pl.col("pieces_read").fill_null(0),
        of_its_kind=pl.len().over("row", "is_goods"),
        most=pl.len().over("row", "is_goods").max().over("row"),
        place=pl.int_range(1, pl.len() + 1).over("row").cast(pl.String),
        code=pl.coalesce(given(pl.col("sku_id")), given(pl.col("goods_id"))),
    )


def _ref() -> pl.Expr:
    """Name a line: by its place where it is the only one of its kind, else by its SKU, unless two have the same."""
    told = (pl.col("code").n_unique() == pl.len()).over("row") & pl.col("code").is_not_null().all().over(
        "row"
    )
    return pl.when((pl.col("most") > 1) & told).then("code").otherwise("place")


def _paid() -> pl.Expr:
    """What was paid for a line: of an order of one goods all but postage and services, else unknown; gifts are free."""
    alone = pl.col("total_minor") - pl.col("postage_minor").fill_null(0) - pl.col("adjust_minor")
    only = pl.col("is_goods") & (pl.col("of_its_kind") == 1)
    return pl.when(~pl.col("is_goods")).then(0).when(only).then(alone)


def gather_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """Give a row per order: its `lines` in our words, and the findings over them."""
    none = pl.lit(0, dtype=pl.Int64)
    apart = pl.col("part") == BY_ITSELF
    refunded = pl.when(pl.col("refund") == "refunded").then("quantity").otherwise(none)
    shipped = pl.when("gone").then("quantity").otherwise(none)
    goes = pl.col("status").is_in(OPEN) & ~apart & ~pl.col("is_service")
    parent = pl.when(pl.col("is_goods").first().over("row")).then(_ref().first().over("row"))
    ours = line(
        line_ref=_ref(),
        platform_sku=given(pl.col("sku_id")),
        item_ref=given(pl.col("goods_id")),
        merchant_code=pl.coalesce(given(pl.col("outer_id")), given(pl.col("outer_goods_id"))),
        title=given(pl.col("goods_name")),
        spec=given(pl.col("goods_spec")),
        quantity=pl.col("quantity"),
        quantity_refunded=refunded,
        quantity_shipped=shipped,
        quantity_to_ship=to_ship(pl.col("quantity"), refunded, shipped, goes),
        unit_price_minor=pl.when("is_goods").then("unit"),
        paid_minor=_paid(),
        refund=pl.col("refund"),
        kind=pl.when("is_service")
        .then(pl.lit("service"))
        .when("is_goods")
        .then(pl.lit("goods"))
        .otherwise(pl.lit("gift")),
        parent_line_ref=pl.when(~pl.col("is_goods")).then(pl.col("parent")),
    )
    rows = lines.with_columns(parent=parent).select(
        "row",
        ours.alias("line"),
        bad_quantity=pl.col("pieces_read").is_null(),
        bad_unit_price_minor=given(pl.col("goods_price")).is_not_null() & pl.col("unit").is_null(),
    )
    return rows.group_by("row", maintain_order=True).agg(
        lines=pl.col("line"), **_any("bad_quantity", "bad_unit_price_minor")
    )


def _any(*names: str) -> Mapping[str, pl.Expr]:
    return {name: pl.col(name).any() for name in names}
