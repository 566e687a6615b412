"""What people pinned, and who and why: it goes before the rules, and every routing finds it again."""

from __future__ import annotations

import polars as pl

from orderctl.model.errors import DataError
from orderctl.model.facts import Facts
from orderctl.model.text import Text

CARRIED = ("courier", "service", "account", "issuer")
ATTRIBUTES = ("warehouse", *CARRIED)
SAID = ("warehouse_pin_by", "warehouse_pin_why", "courier_pin_by", "courier_pin_why")
"""Who pinned a warehouse or a courier, and why."""
PINNED = pl.Schema({"row": pl.Int64(), **dict.fromkeys((*ATTRIBUTES, *SAID), pl.String())})
_PAYLOAD = pl.Struct(dict.fromkeys(ATTRIBUTES, pl.String()))


def pinned(shipments: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    """Give the pins of shipments (columns PINNED, `row` counts them), by their own ids or those of their orders.

    Of several pins the latest that names a warehouse decides that, and the latest that names a courier the courier with
    its service and accounts.

    Raises: DataError if the payload of a pin is no JSON object of texts.
    """
    pins = facts.decisions.filter(decision="pin")
    if pins.is_empty():
        return pl.DataFrame(schema=PINNED)
    try:
        payload = pl.col("payload").str.json_decode(_PAYLOAD).alias("pin")
        said = pins.select("subject", "at", payload, by="actor", why="reason").unnest("pin")
    except pl.exceptions.PolarsError as error:
        raise DataError(Text("a pin among the decisions is no JSON object of texts")) from error
    rows = shipments.select(pl.int_range(pl.len(), dtype=pl.Int64).alias("row"), "shipment_id", "orders")
    own = rows.select("row", subject="shipment_id")
    of_orders = rows.select("row", subject=pl.col("orders").list.eval(pl.element().struct.field("order_id")))
    subjects = pl.concat([of_orders.explode("subject", empty_as_null=True), own])
    found = subjects.join(said, on="subject", how="inner", maintain_order="left_right")
    return (
        found.sort("at", maintain_order=True, nulls_last=False)
        .group_by("row")
        .agg(_latest("warehouse", ("warehouse",)), _latest("courier", CARRIED))
        .unnest("warehouse", "courier")
        .select(PINNED.names())
    )


def _latest(name: str, together: tuple[str, ...]) -> pl.Expr:
    """Give the fields of the latest pin that names `name`."""
    whole = pl.struct(*together, pl.col("by").alias(f"{name}_pin_by"), pl.col("why").alias(f"{name}_pin_why"))
    return whole.filter(pl.col(name).is_not_null()).last().alias(name)


def said_of(chosen: pl.DataFrame, shipments: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    """Give SAID for each row of `chosen` (with `row`, warehouse_reason, courier_reason) whose choice is pinned."""
    pins = pinned(shipments, facts).select("row", *SAID)
    if pins.is_empty():
        return pl.DataFrame(
            {name: pl.repeat(None, chosen.height, dtype=pl.String, eager=True) for name in SAID}
        )
    found = chosen.select("row", "warehouse_reason", "courier_reason").join(
        pins, on="row", how="left", maintain_order="left"
    )
    return found.select(
        pl.when(pl.col(f"{name.partition('_')[0]}_reason") == "pinned").then(name).alias(name)
        for name in SAID
    )
