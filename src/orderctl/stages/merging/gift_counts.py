"""How often a gift may be given: quota, customers and stock dealt out in one ordered pass, in columns.

What a row gets depends on what the rows before it got and on nothing else. So dealing is repeated, each time from what
the last time came to, until nothing changes: the first row is right at once, and whatever comes after rows that are
right is right the next time. That is the outcome of going row by row, whatever it began with.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import polars as pl

from orderctl.stages.rules.sections.gifts import GiftRule

KEYS = pl.Schema({"row": pl.Int64(), "customer": pl.String()})
USED = pl.Schema({"customer": pl.String(), "used": pl.Int64()})


@dataclass(frozen=True)
class Left:
    """What is left for one rule: `quota` times in all, `floor`s of pieces by SKU, and what customers had (USED)."""

    quota: int | None = None
    pieces: dict[str, int] = field(default_factory=dict)
    used: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=USED))


def deal(wanted: pl.DataFrame, rule: GiftRule, left: Left, keys: pl.DataFrame) -> pl.DataFrame:
    """Give `wanted` with what each row gets.

    Args:
        wanted: `row` in the order of dealing, `times` (how often it should get the gift), `lot` (its number for drawing).
        left: what may be given.
        keys: columns KEYS: the customers of each row; a row may have several.

    Returns: `row times` and `given` (times), `pieces_0`... for each of `rule.give`, and `short`: what fell short
        (quota_used_up, customer_cap, stock_floor), null where nothing did.
    """
    columns = [f"pieces_{n}" for n in range(len(rule.give))]
    found = wanted.sort("row").with_columns(
        pl.col("times").alias("given"),
        *((pl.col("times") * one.quantity).alias(name) for name, one in zip(columns, rule.give, strict=True)),
        short=pl.lit(None, dtype=pl.String),
    )
    if rule.per_customer is not None:
        keys = keys.join(found.select("row"), on="row", how="semi").sort("row")
        found = _once(found, rule, replace(left, quota=None), keys)  # a good beginning spares rounds
    while True:
        again = _once(found, rule, left, keys)
        if again.equals(found):
            return again.select("row", "times", "given", *columns, "short")
        found = again


def _before(column: str) -> pl.Expr:
    return pl.col(column).cum_sum() - pl.col(column)


def _once(found: pl.DataFrame, rule: GiftRule, left: Left, keys: pl.DataFrame) -> pl.DataFrame:
    """Deal once more, taking for granted what every row got the last time."""
    limits = [pl.col("times")]
    reasons = []
    frame = found
    if left.quota is not None:
        limits.append(left.quota - _before("given"))
        reasons.append((limits[-1], "quota_used_up"))
    if rule.per_customer is not None:
        frame = frame.join(
            _left_to_customers(found, rule.per_customer, left.used, keys),
            on="row",
            how="left",
            maintain_order="left",
        )
        limits.append(pl.col("left_to_customer").fill_null(rule.per_customer))
        reasons.append((limits[-1], "customer_cap"))
    may = pl.min_horizontal(limits).clip(lower_bound=0)
    short = pl.coalesce(
        pl.when(limit < pl.col("times")).then(pl.lit(code)) for limit, code in reasons
    ) if reasons else pl.lit(None, dtype=pl.String)  # fmt: skip
    frame = frame.with_columns(may=may, short=short)
    pieces = _all(rule, left) if rule.choose == "all" else _one(rule, left)
    frame = frame.with_columns(**pieces).with_columns(
        in_stock=_are(rule, pl.col("may")), whole=_are(rule, pl.col("times"))
    )
    if rule.only_if_complete:
        frame = frame.with_columns(pl.when("whole").then(n).otherwise(0).alias(n) for n in pieces)
    out_of_stock = pl.when(~pl.col("in_stock")).then(pl.lit("stock_floor"))
    return frame.select(
        "row",
        "times",
        "lot",
        pl.max_horizontal(
            (pl.col(name) + one.quantity - 1) // one.quantity
            for name, one in zip(pieces, rule.give, strict=True)
        ).alias("given"),
        *pieces,
        short=pl.coalesce(out_of_stock, "short"),
    )


def _are(rule: GiftRule, times: pl.Expr) -> pl.Expr:
    """True where the pieces are those of `times` times: of every article, or of one where one is chosen."""
    each = [pl.col(f"pieces_{n}") == times * one.quantity for n, one in enumerate(rule.give)]
    return pl.all_horizontal(each) if rule.choose == "all" else pl.any_horizontal(each)


def _left_to_customers(found: pl.DataFrame, cap: int, used: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """Give how many times each row may still get the gift, by the customer of it who has had it most: `row left_to_customer`."""
    each = keys.join(found.select("row", "given"), on="row", maintain_order="left")
    each = each.join(used, on="customer", how="left", maintain_order="left")
    had = pl.col("used").fill_null(0) + pl.col("given").cum_sum().over("customer") - pl.col("given")
    return each.select("row", had=had).group_by("row").agg(left_to_customer=cap - pl.col("had").max())


def _stock(sku: str, column: str, left: Left) -> pl.Expr | None:
    """Give how many pieces of `sku` the rows before leave; None where nobody counts them."""
    return left.pieces[sku] - _before(column) if sku in left.pieces else None


def _all(rule: GiftRule, left: Left) -> dict[str, pl.Expr]:
    """Give the pieces of every article, each as far as there is stock of it."""
    found = {}
    for number, one in enumerate(rule.give):
        name = f"pieces_{number}"
        asked = pl.col("may") * one.quantity
        stock = _stock(one.sku, name, left)
        found[name] = asked if stock is None else pl.min_horizontal(asked, stock.clip(lower_bound=0))
    return found


def _one(rule: GiftRule, left: Left) -> dict[str, pl.Expr]:
    """Give the pieces of the one article that is given: the first of which there is enough, beginning at the lot."""
    count = len(rule.give)
    enough = []
    for number, one in enumerate(rule.give):
        stock = _stock(one.sku, f"pieces_{number}", left)
        asked = pl.col("may") * one.quantity
        enough.append((asked > 0) & (pl.lit(True) if stock is None else stock >= asked))
    turn = pl.lit(None, dtype=pl.Int64)
    start = pl.col("lot") % count if rule.choose == "random" else pl.lit(0)
    for first in range(count if rule.choose == "random" else 1):
        order = [(first + step) % count for step in range(count)]
        found = pl.coalesce(pl.when(enough[n]).then(pl.lit(n, dtype=pl.Int64)) for n in order)
        turn = pl.when(start == first).then(found).otherwise(turn)
    return {
        f"pieces_{n}": pl.when(turn == n).then(pl.col("may") * one.quantity).otherwise(0)
        for n, one in enumerate(rule.give)
    }
