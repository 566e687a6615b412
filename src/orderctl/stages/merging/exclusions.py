"""Why an order may not be joined with any other, in one word."""

from __future__ import annotations

import polars as pl

from orderctl.model.problem import has_severity
from orderctl.stages.rules.sections.merge import MergeSection

FORBIDDING = (
    *("platform_label", "shipping_forbidden", "no_parcel"),
    *("fulfilled_by_platform", "partly_fulfilled_by_platform"),
)
"""Codes of holds by which a platform keeps the parcel to itself."""
_PRESALE = ("presale", "presale_failed")
# Amazon sells the label for these, one for each order.
_OWN_LABEL = {"amazon": ("prime", "ship-plus", "easy-ship")}


def alone_because(never: pl.Expr, now: str) -> pl.Expr:
    """Say in one word why an order may not be joined with any other; null where it may.

    No decision of a person joins these: what is missing is an answer, a payment or a promise to the platform.
    """
    about = hold = pl.element().struct
    waits = about.field("severity") == "wait"
    until = hold.field("until")
    active = until.is_null() | (until > now)

    def held(by: pl.Expr) -> pl.Expr:
        return pl.col("holds").list.eval(active & by).list.any()

    own_label = pl.any_horizontal(
        (pl.col("platform") == platform) & pl.col("tags").list.set_intersection(list(tags)).list.len().gt(0)
        for platform, tags in _OWN_LABEL.items()
    )
    return _first(
        {
            "never": never,
            "unpaid": pl.col("status") == "wait_pay",
            "refund": pl.col("refund_open"),
            "platform_forbids": held(hold.field("code").is_in(FORBIDDING)) | own_label,
            "presale": held(hold.field("code").is_in(_PRESALE)),
            "held": held(pl.lit(True)),
            "blocked": has_severity("block"),
            # whoever waits for a second order waits for being joined with it
            "waiting": pl.col("problems").list.eval(waits & (about.field("code") != "just_paid")).list.any(),
            "cod": pl.col("payment") == "cod",
            "no_currency": pl.col("currency").is_null(),
        }
    )


def alone_unless_pinned(
    rules: MergeSection, *, split: pl.Expr, who: pl.Expr, contradicts: pl.Expr
) -> pl.Expr:
    """Say in one word why an order is joined with no other unless a person pins it to one; null where it is not so."""
    no_buyer = pl.col("buyer_ref").is_null() if rules.by != "recipient" else pl.lit(False)
    return _first(
        {
            "wishes_conflict": contradicts,
            "split": pl.lit(False) if "split" in rules.even else split,
            "no_buyer": no_buyer,
            "no_key": who.is_null(),
        }
    )


def _first(reasons: dict[str, pl.Expr]) -> pl.Expr:
    return pl.coalesce(pl.when(where.fill_null(False)).then(pl.lit(why)) for why, where in reasons.items())
