"""Adding up the lines of a batch by one thing or another: the measures all reports share.

Amounts of two currencies are never added: `currency` (of the goods) and `freight_currency` are keys of every row.
Orders, shipments and parcels are counted where they occur, so one that holds two products counts for both; pieces,
value, freight and weight are divided exactly. A shipment that carries nothing (an order shipped long ago) is no
shipment here; its order counts as one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import polars as pl

from orderctl.stages.reports.material import Material

Measure = Literal["orders", "shipments", "parcels", "pieces", "goods_minor", "freight_minor"]
CURRENCIES = ("currency", "freight_currency")
_FLAGS = ("printed", "shipped", "waiting", "blocked")


@dataclass(frozen=True)
class Report:
    """One report: its title, how it is made, and which of its measures the page draws.

    `keys` are the columns a row is known by; `upright` draws columns side by side, for days, instead of bars.
    """

    title: str
    make: Callable[[Material], pl.DataFrame]
    keys: tuple[str, ...] = ()
    charts: tuple[Measure, ...] = ()
    upright: bool = False


def by(*keys: str, share_of: Measure, in_order: bool = False) -> Callable[[Material], pl.DataFrame]:
    """Give the report that groups by `keys`: the largest first by `share_of`, or `in_order` of the keys.

    Its columns: `keys`, currency, orders, shipments, parcels, pieces, goods_minor, freight_currency, freight_minor,
    unpriced (shipments whose freight is not known), weight_g, printed, shipped, waiting, blocked, share_permille.
    """
    return lambda batch: grouped(batch.lines, keys, share_of=share_of, in_order=in_order)


def grouped(
    lines: pl.DataFrame,
    keys: tuple[str, ...],
    *,
    share_of: Measure,
    in_order: bool = False,
    extra: tuple[pl.Expr, ...] = (),
) -> pl.DataFrame:
    """Add up `lines` by `keys` and currency; `extra` are further aggregations, placed after the keys."""
    known_by = [*keys, *CURRENCIES]
    once, sent = pl.col("_once"), pl.col("_once") & pl.col("carries")
    marked = lines.with_columns(_once=pl.struct(*known_by, "shipment_id").is_first_distinct())
    found = marked.group_by(known_by).agg(
        *extra,
        orders=pl.col("order_id").drop_nulls().n_unique().cast(pl.Int64),
        shipments=sent.sum().cast(pl.Int64),
        parcels=pl.col("parcels").filter(sent).sum(),
        pieces=pl.col("quantity").sum(),
        goods_minor=_sum("goods_minor"),
        freight_minor=_sum("freight_minor"),
        unpriced=pl.col("unpriced").filter(sent).sum().cast(pl.Int64),
        weight_g=_sum("weight_g"),
        **{flag: pl.col(flag).filter(once).sum().cast(pl.Int64) for flag in _FLAGS},
    )
    order = [pl.col(name) for name in keys] if in_order else [-pl.col(share_of), *(pl.col(k) for k in keys)]
    sorted_ = found.sort(*order, *CURRENCIES, nulls_last=True)
    return sorted_.with_columns(share_permille=share(pl.col(share_of))).select(
        *keys,
        *(expr.meta.output_name() for expr in extra),
        *("currency", "orders", "shipments", "parcels", "pieces", "goods_minor"),
        *("freight_currency", "freight_minor", "unpriced", "weight_g", *_FLAGS, "share_permille"),
    )


def _sum(name: str) -> pl.Expr:
    """Add up what is known; null where nothing is."""
    return pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name)


def share(measure: pl.Expr) -> pl.Expr:
    """Give each row's part of the whole column in thousandths, rounded half up; null where the whole is 0."""
    total = measure.sum()
    return pl.when(total > 0).then((measure * 2000 + total) // (total * 2)).cast(pl.Int64)
