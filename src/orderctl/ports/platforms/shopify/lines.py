"""The lines of Shopify's orders, in our words; and what lines and orders share: money bags and global ids."""

from __future__ import annotations

import polars as pl

from orderctl.model.mapper import count, given, line, payload, texts, to_ship, with_amounts

BAG = pl.Struct({"shopMoney": pl.Struct(texts("amount"))})
PAIR = pl.Struct(texts("key value"))
LINE = pl.Struct(
    {
        **texts("id sku title variantTitle quantity currentQuantity unfulfilledQuantity requiresShipping"),
        "originalUnitPriceSet": BAG,
        "discountedTotalSet": BAG,
        "discountAllocations": pl.List(pl.Struct({"allocatedAmountSet": BAG})),
        "customAttributes": pl.List(PAIR),
        "variant": pl.Struct(texts("id")),
        "product": pl.Struct(texts("id")),
    }
)
_OPEN = ("wait_pay", "wait_ship", "partly_shipped")


def digits_of(gid: pl.Expr) -> pl.Expr:
    """Give the digits at the end of a global id: the form exports and older interfaces use."""
    return given(gid).str.extract(r"([0-9]+)$", 1)


def amount_of(bag: pl.Expr) -> pl.Expr:
    """Give the amount of a money bag in the currency of the shop."""
    return bag.struct.field("shopMoney").struct.field("amount")


def read_lines(frame: pl.DataFrame) -> pl.DataFrame:
    """Give a row per line, its texts read, with what it must know of its order."""
    named = frame.select("row", "currency", "status", node=payload("lineItems").struct.field("nodes"))
    found = named.filter(pl.col("node").list.len() > 0).explode("node").unnest("node")
    found = with_amounts(
        found,
        {
            "unit": amount_of(pl.col("originalUnitPriceSet")),
            "discounted": amount_of(pl.col("discountedTotalSet")),
        },
        pl.col("currency"),
    ).with_columns(
        ordered=count(pl.col("quantity")),
        kept=count(pl.col("currentQuantity")),
        left=count(pl.col("unfulfilledQuantity")),
        extra=pl.lit(None, dtype=pl.String),
    )
    found = _with_shares(found)
    if found.select(pl.col("customAttributes").list.len().max()).item():
        pair = pl.element().struct
        # names that begin with _ are meant to stay hidden
        shown = pl.when(~pair.field("key").str.starts_with("_")).then(
            pair.field("key") + ": " + pair.field("value")
        )
        found = found.with_columns(
            extra=pl.col("customAttributes").list.eval(shown).list.drop_nulls().list.join("; ")
        )
    return found.with_columns(quantity_=pl.col("ordered").fill_null(0))


def _with_shares(lines: pl.DataFrame) -> pl.DataFrame:
    """Add `shares`, all discounts a line has its part of; null where they are not told or one cannot be read."""
    lines, told = lines.with_row_index("at"), pl.col("discountAllocations")
    some = lines.filter(told.list.len() > 0).select("at", "currency", share=told).explode("share")
    bag = pl.col("share").struct.field("allocatedAmountSet")
    read = with_amounts(some, {"minor": amount_of(bag)}, pl.col("currency"))
    whole = pl.when(pl.col("minor").null_count() == 0).then(pl.col("minor").sum())
    found = lines.join(read.group_by("at").agg(shares=whole), on="at", how="left", maintain_order="left")
    return found.with_columns(shares=pl.when(told.list.len() == 0).then(0).otherwise("shares"))


def gather_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """Give a row per order: its `lines` in our words, and the sums over them.

    `discountedTotalSet` leaves out discounts on the whole order; the allocations have them all. Without those a
    line's payment is known only if the order has no other discount: that is judged later, by `line_discounts`.
    """
    ordered, kept, left = pl.col("quantity_"), pl.col("kept").fill_null(pl.col("quantity_")), pl.col("left")
    refunded = (ordered - kept).clip(lower_bound=0)
    shipped = (kept - left.fill_null(kept)).clip(lower_bound=0)
    service = (pl.col("requiresShipping") == "false").fill_null(False)
    variant = given(pl.col("variantTitle"))
    full = pl.col("unit") * pl.col("ordered")
    ours = line(
        line_ref=digits_of(pl.col("id")),
        platform_sku=digits_of(pl.col("variant").struct.field("id")),
        item_ref=digits_of(pl.col("product").struct.field("id")),
        merchant_code=given(pl.col("sku")),
        title=given(pl.col("title")),
        spec=given(
            pl.concat_str(
                pl.when(variant != "Default Title").then(variant),
                given(pl.col("extra")),
                separator="; ",
                ignore_nulls=True,
            )
        ),
        quantity=ordered,
        quantity_refunded=refunded,
        quantity_shipped=shipped,
        quantity_to_ship=to_ship(ordered, refunded, shipped, pl.col("status").is_in(_OPEN) & ~service),
        unit_price_minor=pl.col("unit"),
        paid_minor=pl.coalesce(full - pl.col("shares"), "discounted"),
        refund=pl.when((refunded > 0) & (refunded >= ordered)).then(pl.lit("refunded"))
        .when(refunded > 0).then(pl.lit("partly")).otherwise(pl.lit("none")),
        kind=pl.when(service).then(pl.lit("service")).otherwise(pl.lit("goods")),
    )  # fmt: skip
    bad = given(amount_of(pl.col("originalUnitPriceSet"))).is_not_null() & pl.col("unit").is_null()
    rows = lines.select(
        "row",
        ours.alias("line"),
        full=full,
        current=pl.col("unit") * kept,
        discount=full - pl.col("discounted"),
        told=(full - pl.col("shares")).is_not_null(),
        bad_quantity=pl.col("ordered").is_null(),
        bad_unit_price_minor=bad,
    )
    whole = {name: pl.col(name).null_count() == 0 for name in ("full", "current", "discount")}
    return rows.group_by("row", maintain_order=True).agg(
        lines=pl.col("line"),
        goods_all=pl.when(whole["full"]).then(pl.col("full").sum()),
        goods_kept=pl.when(whole["current"]).then(pl.col("current").sum()),
        line_discounts=pl.when(whole["discount"]).then(pl.col("discount").sum()),
        told=pl.col("told").all(),
        bad_quantity=pl.col("bad_quantity").any(),
        bad_unit_price_minor=pl.col("bad_unit_price_minor").any(),
    )
