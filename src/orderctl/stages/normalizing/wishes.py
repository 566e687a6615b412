"""What the wishes of an order come to: which of them count, and which contradict each other."""

from __future__ import annotations

import polars as pl

SOURCES = ("buyer_note", "seller_note")
EXCLUSIVE = ("courier", "service", "warehouse", "ship_on", "ship_by", "ship_from")
"""Kinds of which a parcel can have one only: another side that asks for another one contradicts."""


def conflicts(wishes: pl.DataFrame) -> pl.DataFrame:
    """Give (`row`, `conflict`) where two sides ask for different things, or one is both asked for and refused."""
    wish = pl.col("wish").struct
    several = wishes.filter(pl.col("row").is_duplicated())
    each = several.select("row", *(wish.field(name) for name in ("kind", "value", "avoid", "source")))
    asked = each.filter(~pl.col("avoid") & pl.col("kind").is_in(EXCLUSIVE) & pl.col("value").is_not_null())
    by_side = asked.group_by("row", "kind", "source", maintain_order=True).agg(
        values=pl.col("value").unique().sort()
    )
    apart = by_side.join(by_side, on=["row", "kind"], suffix="_other").filter(
        (pl.col("source") < pl.col("source_other"))
        & (pl.col("values").list.set_intersection("values_other").list.len() == 0)
    )
    values = [pl.col(name).list.join(" ") for name in ("values", "values_other")]
    same = each.join(each.filter("avoid"), on=["row", "kind", "value"], nulls_equal=True, suffix="_other")
    texts = [
        apart.select(
            "row",
            text=pl.format("{} {} ({}), {} ({})", "kind", values[0], "source", values[1], "source_other"),
        ),
        same.filter(~pl.col("avoid")).select(
            "row",
            text=pl.format(
                "{} {} ({}), not ({})", "kind", pl.col("value").fill_null(""), "source", "source_other"
            ),
        ),
    ]
    return pl.concat(texts).group_by("row").agg(conflict=pl.col("text").unique().sort().str.join("; "))


def standing(kind: str, *, avoid: bool) -> pl.Expr:
    """Give the values of the wishes of `kind` that count, inside `list.eval` over the wishes of an order.

    The seller's word wins: what the seller asks for or refuses replaces what others asked for.
    """
    wish = pl.element().struct
    about = (wish.field("kind") == kind) & wish.field("value").is_not_null()
    sellers = about & (wish.field("source") == "seller_note")
    refused = wish.field("avoid").fill_null(False)
    mine, other = (refused, ~refused) if avoid else (~refused, refused)
    values = wish.field("value")
    contradicted = values.is_in(values.filter(sellers & other).implode())
    counts = about & mine & ((wish.field("source") == "seller_note") | ~contradicted)
    if not avoid and kind in EXCLUSIVE:
        counts &= (wish.field("source") == "seller_note") | ~(sellers & mine).any()
    return values.filter(counts)
