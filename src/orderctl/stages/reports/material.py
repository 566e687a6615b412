"""What all reports are made of: one row for each line a shipment carries, with its exact share of money and weight.

Invariant: whatever the lines are grouped by, the sums of pieces, value, freight and weight are those of the batch.
A shipment without lines keeps one row for each of its orders, so that it is counted too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from orderctl.model.instant import FORMAT
from orderctl.model.problem import has_severity

_HEAD = (
    "order_id",
    "platform",
    "shop",
    "status",
    "placed_at",
    "paid_at",
    "ship_by",
    "currency",
    "total_minor",
)
_LINE = (
    *("order_id", "line_ref", "sku", "merchant_code", "platform_sku", "title", "spec"),
    *("quantity", "quantity_ordered", "paid_minor", "unit_price_minor", "unit_weight_g"),
)
_ID = ["shipment_id", "order_id", "line_ref"]


@dataclass(frozen=True)
class Material:
    """A batch `shipment/1` to report on; days are those of `zone` (an IANA name)."""

    shipments: pl.DataFrame
    zone: str

    @cached_property
    def states(self) -> pl.DataFrame:
        """Give one row for each shipment: where it goes and with whom, what it costs, and how far it has come."""
        recipient = pl.col("recipient").struct
        told = pl.col("shipped").list.eval(pl.element().struct.field("order_id")).list.n_unique()
        carried = pl.element().filter(pl.element().struct.field("quantity") > 0).struct.field("order_id")
        going = pl.col("lines").list.eval(carried).list.n_unique()
        labels = pl.col("printed").list.eval(pl.element().struct.field("document") == "label")
        blocked = has_severity("block")
        numbers = pl.col("parcels").list.eval(pl.element().struct.field("number")).list.drop_nulls()
        return self.shipments.select(
            "shipment_id",
            *("purpose", "courier", "service", "warehouse", "freight_minor", "freight_currency"),
            country=recipient.field("country"),
            province=recipient.field("province"),
            parcels=pl.col("parcels").list.len().cast(pl.Int64),
            numbers=numbers.list.join(" "),
            shipment_weight_g="weight_g",
            printed=labels.list.any(),
            carries=going > 0,
            shipped=(told > 0) & (told >= going),
            blocked=blocked,
            waiting=has_severity("wait") & ~blocked,
            unpriced=pl.col("freight_minor").is_null(),
            codes=_codes(),
        ).with_columns(state=_state())

    @cached_property
    def heads(self) -> pl.DataFrame:
        """Give one row for each order of each shipment, without its lines; `day` is the day it was paid, else placed."""
        head = pl.col("orders").struct
        rows = self.shipments.select("shipment_id", "orders").explode("orders")
        found = rows.select("shipment_id", *(head.field(name) for name in _HEAD))
        return found.with_columns(day=_day(pl.coalesce("paid_at", "placed_at"), self.zone))

    @cached_property
    def lines(self) -> pl.DataFrame:
        """Give one row for each line carried: its order, its shipment, `goods_minor freight_minor weight_g` of its own."""
        line = pl.col("lines").struct
        rows = (
            self.shipments.select("shipment_id", "lines")
            .filter(pl.col("lines").list.len() > 0)
            .explode("lines")
        )
        carried = rows.select("shipment_id", *(line.field(name) for name in _LINE))
        carried = carried.filter(pl.col("quantity") > 0)
        whole = self.heads.join(
            carried, on=["shipment_id", "order_id"], how="full", coalesce=True, nulls_equal=True
        )
        placed = whole.join(self.states, on="shipment_id", how="left").sort(
            _ID, nulls_last=True, maintain_order=True
        )
        placed = placed.with_columns(
            pl.col("quantity").fill_null(0),
            # a freight that is not known yet stands with the known ones of the same goods
            freight_currency=pl.coalesce(
                "freight_currency", pl.col("freight_currency").min().over("currency"), "currency"
            ),
        ).with_columns(goods_minor=_value(), basis=_basis())
        amounts = {"freight_minor": "freight_minor", "shipment_weight_g": "weight_g"}
        return apportioned(placed, amounts, basis="basis", over="shipment_id")


def apportioned(rows: pl.DataFrame, amounts: dict[str, str], *, basis: str, over: str) -> pl.DataFrame:
    """Divide whole amounts over the rows of one `over` by `basis` (>= 0), so that the parts add up to them exactly.

    Where all of a group's basis is 0, its rows share alike. `amounts` names columns that hold the amount of the whole
    group in each of its rows, and the columns that get the parts. The windows are of plain columns: of longer
    expressions polars would compute them group by group.
    """
    empty = pl.col("_total") == 0
    parts = (
        rows.with_columns(_total=pl.col(basis).sum().over(over))
        .with_columns(_part=pl.when(empty).then(1).otherwise(basis).cast(pl.Int128))
        .with_columns(_upto=pl.col("_part").cum_sum().over(over), _total=pl.col("_part").sum().over(over))
    )
    upto, before, total = pl.col("_upto"), pl.col("_upto") - pl.col("_part"), pl.col("_total")
    whole = {name: pl.col(amount).cast(pl.Int128) for amount, name in amounts.items()}
    found = {name: (w * upto // total - w * before // total).cast(pl.Int64) for name, w in whole.items()}
    return parts.with_columns(**found).drop("_total", "_part", "_upto")


def _basis() -> pl.Expr:
    """Divide by weight where the weight of every line is known, else by pieces."""
    grams = pl.col("unit_weight_g") * pl.col("quantity")
    known = ((grams > 0).fill_null(False) | (pl.col("quantity") == 0)).all().over("shipment_id")
    return pl.when(known).then(grams).otherwise("quantity").fill_null(0)


def _value() -> pl.Expr:
    """Give the value of the pieces sold: their part of what the line was paid, else the unit price.

    When a line goes in several shipments, the parts in this batch add up to the whole of the line. A resend or an
    exchange sells nothing.
    """
    sold = pl.when(pl.col("purpose") == "sale").then("quantity").otherwise(0).cast(pl.Int128)
    ordered = (
        pl.when(pl.col("quantity_ordered") > 0).then("quantity_ordered").otherwise("quantity").cast(pl.Int128)
    )
    upto = sold.cum_sum().over("order_id", "line_ref")
    paid = pl.col("paid_minor").cast(pl.Int128)
    part = pl.when(ordered > 0).then(paid * upto // ordered - paid * (upto - sold) // ordered)
    return pl.coalesce(part, pl.col("unit_price_minor") * sold).cast(pl.Int64)


def _day(instant: pl.Expr, zone: str) -> pl.Expr:
    moment = instant.str.to_datetime(FORMAT, strict=False, time_unit="ms").dt.replace_time_zone("UTC")
    return moment.dt.convert_time_zone(zone).dt.strftime("%Y-%m-%d")


def _codes() -> pl.Expr:
    """List the codes of what keeps a shipment, each once, sorted."""
    problem = pl.element()
    keeps = problem.struct.field("severity").is_in(["block", "wait"])
    found = pl.col("problems").list.eval(problem.filter(keeps).struct.field("code"))
    return found.list.unique().list.sort().list.join(" ")


def _state() -> pl.Expr:
    """Name the one place a shipment stands at."""
    return (
        pl.when("shipped")
        .then(pl.lit("shipped"))
        .when("blocked")
        .then(pl.lit("blocked"))
        .when("waiting")
        .then(pl.lit("waiting"))
        .when(~pl.col("carries"))
        .then(pl.lit("empty"))
        .when("printed")
        .then(pl.lit("printed"))
        .otherwise(pl.lit("ready"))
    )
