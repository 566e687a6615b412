"""Shipments put together from orders and what is carried of them.

A shipment holds its orders whole: every line of an order is there, with the quantity this shipment carries of it
(0 where another shipment carries it, or nobody). So one part of a split order tells all of the order.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.problem import listed
from orderctl.model.schema import SHIPMENT, conform
from orderctl.stages.merging.decisions import Said

BOUND = ("warehouse", "courier", "service", "account", "issuer")
_PLACE = ["shipment_id", "order_id"]


def _inner(column: str) -> pl.Struct:
    dtype = SHIPMENT[column]
    assert isinstance(dtype, pl.List)
    assert isinstance(dtype.inner, pl.Struct)
    return dtype.inner


_ORDER = [part.name for part in _inner("orders").fields]
_LINE = [part.name for part in _inner("lines").fields]


def placements(orders: pl.DataFrame, lines: pl.DataFrame, carried: pl.DataFrame) -> pl.DataFrame:
    """Give a row per shipment and order with the order's columns, `why`, `part`, `parts` and its shares of money.

    The parts of an order share `total_minor` and `due_minor` by the value they carry, and together have all of it:
    `total_share` and `due_share`. The most urgent shipments come first (then the longest waiting, then by id), and in
    each its orders as they were placed.
    """
    worth = pl.coalesce("paid_minor", pl.col("unit_price_minor") * pl.col("ordered"), "ordered")
    prices = lines.select(*_PLACE[1:], "line_ref", "paid_minor", "unit_price_minor", ordered="quantity")
    valued = carried.join(prices, on=["order_id", "line_ref"], how="left")
    value = (worth.cast(pl.Int128) * pl.col("quantity")) // pl.col("ordered").clip(lower_bound=1)
    placed = valued.group_by(_PLACE).agg(pl.col("why").first(), value=value.clip(lower_bound=0).sum())
    placed = placed.sort("order_id", pl.col("why") != "committed", "shipment_id").with_columns(
        parts=pl.len().over("order_id").cast(pl.Int64),
        part=pl.int_range(1, pl.len() + 1).over("order_id"),
        whole=pl.col("value").sum().over("order_id"),
        upto=pl.col("value").cum_sum().over("order_id"),
    )
    placed = placed.join(orders.select("order_id", "ship_by", "placed_at"), on="order_id")
    urgent = [pl.col(name).min().over("shipment_id") for name in ("ship_by", "placed_at")]
    placed = placed.sort(*urgent, "shipment_id", "placed_at", "order_id", nulls_last=True)
    # sorted while it is narrow: the orders in whole are moved this one time
    placed = placed.drop("ship_by", "placed_at").join(
        orders, on="order_id", how="left", maintain_order="left"
    )
    split = pl.col("parts") > 1
    return placed.with_columns(
        _share("total_minor").alias("total_share"),
        _share("due_minor").alias("due_share"),
        part=pl.when(split).then("part"),
        parts=pl.when(split).then("parts"),
    )


def _share(amount: str) -> pl.Expr:
    """Give the part's share of an order's amount; shares are differences of rounded sums, so they add up."""
    whole = pl.col(amount).cast(pl.Int128)
    before = pl.col("upto") - pl.col("value")
    known = pl.max_horizontal("whole", pl.lit(1, dtype=pl.Int128))
    by_value = whole * pl.col("upto") // known - whole * before // known
    worthless = pl.when(pl.col("part") == 1).then(whole).otherwise(pl.when(whole.is_not_null()).then(0))
    share = (
        pl.when(pl.col("parts") == 1)
        .then(whole)
        .when(pl.col("whole") > 0)
        .then(by_value)
        .otherwise(worthless)
    )
    return share.cast(pl.Int64)


def assembled(
    placed: pl.DataFrame, lines: pl.DataFrame, carried: pl.DataFrame, facts: Facts, key: pl.Expr, said: Said
) -> pl.DataFrame:
    """Give `shipment/1` without problems, a row for every shipment in `placed`.

    What a commitment binds (warehouse, courier, service, account, issuer) is filled in.

    Args:
        placed: as `placements` gives it.
        lines: all lines of the orders, a row each.
        carried: what each shipment carries.
        facts: commitments.
        key: what `merge.key` tells of an order.
        said: which orders say where a parcel goes; otherwise it is its first one.
    """
    cod = pl.col("payment") == "cod"
    merged = pl.len() > 1
    goes_to = pl.col("recipient").first()
    if said.leads:
        led = pl.col("recipient").filter(pl.col("order_id").is_in(said.leads)).first()
        goes_to = pl.coalesce(led, goes_to)
    heads = placed.group_by("shipment_id", maintain_order=True).agg(
        goes_to,
        pl.col("currency").first(),
        pl.col("ship_by").min(),
        pl.col("tags").explode().drop_nulls().unique().sort(),
        orders=pl.struct(_ORDER),
        total_minor=pl.when(~pl.col("total_share").is_null().any()).then(pl.col("total_share").sum()),
        collect_minor=pl.when(cod.any()).then(pl.col("due_share").filter(cod).sum()),
        merge=pl.struct(
            how=pl.when(merged).then(pl.lit("merged")).otherwise(pl.lit("single")),
            key=key.first(),
            why=pl.col("why").first(),
        ),
    )
    return conform(
        heads.with_columns(purpose=pl.lit("sale"))
        .join(_contents(placed, lines, carried), on="shipment_id", how="left", maintain_order="left")
        .join(_bindings(facts), on="shipment_id", how="left", maintain_order="left"),
        "shipment/1",
    )


def _contents(placed: pl.DataFrame, lines: pl.DataFrame, carried: pl.DataFrame) -> pl.DataFrame:
    """Give `lines`, `weight_g` and the one parcel (`parcels`) of each shipment."""
    taken = carried.select(*_PLACE, "line_ref", taken="quantity")
    content = (
        placed.select(_PLACE)
        .join(lines, on="order_id", how="left", maintain_order="left_right")
        .join(taken, on=[*_PLACE, "line_ref"], how="left", maintain_order="left")
        .with_columns(quantity_ordered="quantity", quantity=pl.col("taken").fill_null(0))
    )
    goes = pl.col("quantity") > 0
    weights = (pl.col("unit_weight_g") * pl.col("quantity")).filter(goes)
    gathered = content.group_by("shipment_id", maintain_order=True).agg(
        lines=pl.struct(_LINE).filter(pl.col("line_ref").is_not_null()),
        packed=pl.struct("order_id", "line_ref", "quantity").filter(goes),
        weight_g=pl.when(goes.any() & ~weights.is_null().any()).then(weights.sum()),
    )
    parcel = pl.struct(parcel_no=pl.lit(1, dtype=pl.Int64), lines="packed", weight_g="weight_g")
    return gathered.with_columns(parcels=listed([parcel])).drop("packed")


def _bindings(facts: Facts) -> pl.DataFrame:
    return facts.commitments.group_by("shipment_id").agg(pl.col(BOUND).drop_nulls().sort().first())
