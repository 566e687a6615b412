"""Bundles and packs: one line of the platform becomes the lines of what is really sent.

Invariants: what was paid is shared out to the last minor unit; quantities are whole multiples of the platform's; the
platform can still be told, since every part names the line it comes from. The reference of a part spells what it is
(`LINE:SKU*PIECES`), so a line that was made otherwise before can never pass for this one.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from orderctl.stages.merging.gift_lines import OURS
from orderctl.stages.rules.sections.skus import Bundle

PARTS = pl.List(
    pl.Struct({"part": pl.String(), "pieces": pl.Int64(), "after": pl.Int64(), "before": pl.Int64()})
)
BUNDLES = pl.Schema({"sku": pl.String(), "parts": PARTS, "whole": pl.Int64()})
_COUNTS = ("quantity", "quantity_refunded", "quantity_shipped", "quantity_to_ship")
_MONEY = ("paid_minor", "customs_value_minor")


def is_made() -> pl.Expr:
    """Tell which lines were made here, of a line of the platform: they have their SKU, and are not taken apart again."""
    spelt = pl.col("line_ref").str.contains(pl.concat_str(pl.lit(":"), "sku", pl.lit("*")), literal=True)
    return (pl.col("parent_line_ref").is_not_null() & spelt).fill_null(False)


def bundles_frame(bundles: Sequence[Bundle]) -> pl.DataFrame:
    """Give bundles of the rules as a table with the columns BUNDLES."""
    rows = [(b.sku, p.sku, p.pieces, p.share) for b in bundles for p in b.parts]
    columns = {"sku": pl.String(), "part": pl.String(), "pieces": pl.Int64(), "share": pl.Int64()}
    return gathered(pl.DataFrame(rows, schema=columns, orient="row"))


def gathered(rows: pl.DataFrame) -> pl.DataFrame:
    """Give a table of parts (`sku, part, pieces, share`) as BUNDLES: shares summed up to and before each part.

    A part without a share counts as many as its pieces.
    """
    share = pl.coalesce("share", "pieces")
    summed = rows.with_columns(after=share.cum_sum().over("sku")).with_columns(before=pl.col("after") - share)
    return summed.group_by("sku", maintain_order=True).agg(
        parts=pl.struct("part", "pieces", "after", "before"), whole=pl.col("after").last()
    ).select(BUNDLES.names())  # fmt: skip


def exploded(lines: pl.DataFrame, bundles: pl.DataFrame) -> pl.DataFrame:
    """Replace lines that are bundles or packs by the lines of their parts, in their place; take `pieces` away.

    Args:
        lines: a row per line of an order (`row` tells which), `pieces` says how many of `sku` one of it is.
        bundles: columns BUNDLES.

    Returns: the lines; those made here have `of_bundle` (how many parts) and `per_piece` (pieces in one of theirs),
        null elsewhere.
    """
    alone = pl.struct(part="sku", pieces=_int(1), after=_int(1), before=_int(0))
    whole = pl.col("kind").ne_missing(pl.lit("service")) & ~is_made()
    found = lines.with_row_index("at").join(bundles, on="sku", how="left", maintain_order="left")
    found = found.with_columns(
        parts=pl.when(whole & pl.col("parts").is_not_null()).then("parts")
        .when(whole & (pl.col("pieces") > 1)).then(pl.concat_list(alone)),
        whole=pl.col("whole").fill_null(1),
    )  # fmt: skip
    kept = [*(name for name in lines.columns if name != "pieces"), "of_bundle", "per_piece"]
    plain = found.filter(pl.col("parts").is_null()).with_columns(of_bundle=_int(None), per_piece=_int(None))
    made = found.filter(pl.col("parts").is_not_null())
    if made.is_empty():
        return plain.select(kept)
    parts = _parts_of(made).select("at", *kept)
    return pl.concat([plain.select("at", *kept), parts]).sort("at", maintain_order=True).drop("at")


def _int(value: int | None) -> pl.Expr:
    return pl.lit(value, dtype=pl.Int64)


def _parts_of(made: pl.DataFrame) -> pl.DataFrame:
    rows = made.with_columns(of_bundle=pl.col("parts").list.len().cast(pl.Int64)).explode("parts")
    part = pl.col("parts").struct
    per_piece = pl.col("pieces") * part.field("pieces")
    left, ordered = pl.col("quantity_to_ship"), pl.col("quantity")
    told = pl.when(left > 0).then(left).otherwise(ordered)
    first = pl.col(
        "parent_line_ref"
    ).is_null()  # what a platform has exploded itself keeps the parent it gave
    unit = _share_of(pl.col("unit_price_minor"))
    return rows.with_columns(
        *(pl.col(name) * per_piece for name in _COUNTS),
        *(_share_of(pl.col(name)).alias(name) for name in _MONEY),
        line_ref=pl.concat_str("line_ref", pl.lit(":"), part.field("part"), pl.lit("*"), per_piece),
        sku=part.field("part"),
        unit_price_minor=pl.when(unit % per_piece == 0).then(unit // per_piece),
        kind=pl.when(pl.col("kind") == "gift").then("kind").otherwise(pl.lit("bundle_part")),
        parent_line_ref=pl.when(first).then("line_ref").otherwise("parent_line_ref"),
        parent_quantity=pl.when(first).then(told).otherwise("parent_quantity"),
        spec=pl.lit(
            None, dtype=pl.String
        ),  # "2 pairs" beside a quantity that counts single ones would be packed twice
        per_piece=per_piece,
    )


def _share_of(amount: pl.Expr) -> pl.Expr:
    """Give each part its share of `amount`: the difference of rounded-down sums, so all of them are the whole."""
    part, whole = pl.col("parts").struct, pl.col("whole")
    each = amount // whole
    over = amount - each * whole  # less than the whole, so no product leaves 64 bits

    def up_to(sum_of_shares: pl.Expr) -> pl.Expr:
        return each * sum_of_shares + over * sum_of_shares // whole

    return up_to(part.field("after")) - up_to(part.field("before"))


def unit_weights(ours: pl.Expr, theirs: pl.Expr) -> pl.Expr:
    """Give the weight of one piece in grams: what the catalogue says, else what is left of the platform's weight.

    Args:
        ours: the weight of the catalogue, null where it is unknown.
        theirs: the platform's weight of one of its units, of a bundle the whole. What the known parts leave of it
            is spread over the pieces of the unknown ones, rounded up.
    """
    mine = pl.col("per_piece")
    known = (ours * mine).sum().over("row", "parent_line_ref")
    open_pieces = mine.filter(ours.is_null()).sum().over("row", "parent_line_ref")
    rest = theirs - known
    spread = pl.when((rest > 0) & (open_pieces > 0)).then((rest + open_pieces - 1) // open_pieces)
    return pl.coalesce(ours, pl.when(mine.is_null()).then(theirs).otherwise(spread))


def made_otherwise(lines: pl.DataFrame, commitments: pl.DataFrame) -> pl.DataFrame:
    """Give (`row`, `recut`, `renumbered`): orders that no longer have a line of theirs which is committed.

    `recut` names those that the map now makes into other lines, `renumbered` those of which nothing is left: the order
    was read in another way before, from a file without the platform's numbers of lines.

    Args:
        lines: `row`, `order_id`, `line_ref` and `parent_line_ref` of every line as it is now.
        commitments: columns of `Facts.commitments`.
    """
    here = commitments.join(lines.select("order_id"), on="order_id", how="semi")  # a few of a year's
    bound = here.select("order_id", committed="line_ref").unique()
    bound = bound.filter(~pl.col("committed").str.starts_with(OURS))
    if bound.is_empty():
        empty = {"row": lines.schema["row"], "recut": pl.String(), "renumbered": pl.String()}
        return pl.DataFrame(schema=empty)
    now = lines.select("order_id", committed="line_ref")
    gone = bound.join(now, on=["order_id", "committed"], how="anti")
    root = pl.coalesce("parent_line_ref", "line_ref")
    beside = gone.join(lines.select("row", "order_id", root=root).unique(), on="order_id")
    same_line = (pl.col("committed") == pl.col("root")) | pl.col("committed").str.starts_with(
        pl.col("root") + ":"
    )
    each = beside.group_by("row", "committed").agg(recut=same_line.any())
    named = pl.col("committed").sort().str.join(", ")
    texts = (
        each.group_by("row", "recut")
        .agg(named)
        .with_columns(
            renumbered=pl.when(~pl.col("recut")).then("committed"),
            recut=pl.when("recut").then("committed"),
        )
    )
    return texts.group_by("row").agg(pl.col("recut", "renumbered").drop_nulls().first())
