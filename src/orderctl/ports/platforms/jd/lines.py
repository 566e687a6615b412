"""The lines of JD's orders, in our words, from whichever source.

The classic gateway and the export do not number lines, so a line is named by its SKU; where the SKU stands again (a
gift of what was bought) the dearest is the first. The SP-API's lines are named alike, so that a shop may change over.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.mapper import given, line, payload, to_ship, with_amounts
from orderctl.ports.platforms.jd.states import CANCELLED, LOCKED, OPEN, RETURNED

OF_ORDER = (
    *("row", "status", "total_minor", "postage_minor", "discount_seller_minor", "discount_platform_minor"),
    *("all_gone", "all_back", "all_asked"),
)
"""What a line must know of its order; the last three: everything left, was refunded, is asked back."""


def items_of(frame: pl.DataFrame, items: str, price: str) -> pl.DataFrame:
    """Give a row per line: OF_ORDER, the fields of the source, and `unit` read of its field `price`.

    `frame` has `status theirs paid_at` and the amounts; `items` is the field of its payload that lists the lines.
    """
    theirs, listed = pl.col("theirs"), payload(items)
    named = frame.filter(listed.list.len() > 0).with_columns(
        all_gone=pl.col("status").is_in(["shipped", "completed"]) | theirs.is_in(RETURNED).fill_null(False),
        all_back=(theirs == CANCELLED).fill_null(False) & pl.col("paid_at").is_not_null(),
        all_asked=(theirs == LOCKED).fill_null(False),
    )
    found = named.select(*OF_ORDER, source=listed).explode("source").unnest("source")
    return with_amounts(found, {"unit": pl.col(price)})


def gather_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """Give a row per order: its `lines`, and the findings over them.

    `lines` has OF_ORDER and for each line `sku item merchant_code title spec`, `price_text` with `unit` read of it,
    `pieces` (null where unreadable), `gift`, `refund`, `left` (pieces that left, where told) and `off` (its own
    discounts, where told).
    """
    unit, quantity = pl.col("unit"), pl.col("pieces").fill_null(0)
    again = unit.fill_null(-1).rank("ordinal", descending=True).over("row", "sku").cast(pl.String)
    place = pl.int_range(1, pl.len() + 1).over("row").cast(pl.String)
    named = (
        pl.when(pl.col("sku").is_null())
        .then(place)
        .when(again == "1")
        .then("sku")
        .otherwise(pl.concat_str("sku", again, separator="-"))
    )
    refund = pl.when("all_back").then(pl.lit("refunded")).when(
        pl.col("all_asked") & (pl.col("refund") == "none")
    ).then(pl.lit("requested")).otherwise("refund")  # fmt: skip
    free = (unit == 0) & (unit > 0).any().over("row")
    found = lines.with_columns(
        line_ref=named, quantity=quantity, refund=refund, gift=pl.col("gift") | free.fill_null(False)
    )
    refunded = pl.when(pl.col("refund") == "refunded").then("quantity").otherwise(0)
    shipped = (
        pl.when("all_gone")
        .then("quantity")
        .otherwise(pl.min_horizontal(pl.col("left").fill_null(0), "quantity"))
    )
    ours = line(
        line_ref=pl.col("line_ref"),
        platform_sku=pl.col("sku"),
        item_ref=given(pl.col("item")),
        merchant_code=given(pl.col("merchant_code")),
        title=given(pl.col("title")),
        spec=given(pl.col("spec")),
        quantity=pl.col("quantity"),
        quantity_refunded=refunded,
        quantity_shipped=shipped,
        quantity_to_ship=to_ship(pl.col("quantity"), refunded, shipped, pl.col("status").is_in(OPEN)),
        unit_price_minor=unit,
        paid_minor=_paid(),
        refund=pl.col("refund"),
        kind=pl.when("gift").then(pl.lit("gift")).otherwise(pl.lit("goods")),
    )
    rows = found.select(
        "row",
        ours.alias("line"),
        asks=pl.col("refund") == "requested",
        bad_quantity=pl.col("pieces").is_null(),
        bad_unit=given(pl.col("price_text")).is_not_null() & unit.is_null(),
    )
    return rows.group_by("row", maintain_order=True).agg(
        lines=pl.col("line"),
        line_asks=pl.col("asks").any(),
        bad_quantity=pl.col("bad_quantity").any(),
        bad_unit=pl.col("bad_unit").any(),
    )


def _paid() -> pl.Expr:
    """Give what was paid for a line, where all shares of the order are known and add up."""
    due = pl.col("total_minor") - pl.col("postage_minor")
    gross = pl.col("unit") * pl.col("pieces")
    discounts = pl.col("discount_seller_minor") + pl.col("discount_platform_minor")
    paid = (
        pl.when(pl.len().over("row") == 1)
        .then(due)
        .when(discounts == 0)
        .then(gross)
        .otherwise(gross - pl.col("off"))
    )
    known = ~paid.is_null().any().over("row") & (paid.sum().over("row") == due)
    return pl.when(known).then(paid)
