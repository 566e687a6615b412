"""One shipment becomes several parcels from several warehouses, and parts that nobody began become one again.

Law: what was split is put together again field for field, so routing a routed batch gives the same; and taking the parts
apart yields the orders the shipment was made of, each line's pieces in exactly one part.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.identity import SEPARATOR, short_id_column
from orderctl.model.problem import listed
from orderctl.model.schema import SHIPMENT
from orderctl.stages.merging.gift_lines import OURS

STEP = "split"
MARK = pl.Schema({"split_of": pl.String(), "split_part": pl.Int64(), "split_parts": pl.Int64()})
_PARCELS = SHIPMENT["parcels"]
assert isinstance(_PARCELS, pl.List)
assert isinstance(_PARCELS.inner, pl.Struct)
_PARCEL = _PARCELS.inner
_PLACE = ["row", "part"]


def split(shipments: pl.DataFrame, parts: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    """Give `shipments` (with `row`) with the parts of those that are split in their places, and columns MARK.

    Args:
        parts: columns `allocate.PARTS`, a row for every line of each shipment that is split.
        facts: whose commitments are part of the names, as they are when `merge` names what is left of an order.
    """
    whole = shipments.with_columns(pl.lit(None, dtype=t).alias(n) for n, t in MARK.items())
    if parts.is_empty():
        return whole
    torn = shipments.join(parts, on="row", how="semi")
    lines = _lines(torn, parts)
    named = _named(lines, facts)
    lines = lines.join(named, on=_PLACE, maintain_order="left")
    own = named.join(torn.drop("shipment_id", "orders", "lines", "weight_g", "parcels"), on="row")
    made = (
        own.join(_orders(torn, lines), on=_PLACE)
        .join(_contents(lines, *_PLACE), on=_PLACE)
        .join(torn.select("row", split_of="shipment_id"), on="row")
        .sort(_PLACE)
        .with_columns(
            _shared("total_minor"),
            split_part=pl.col("part") + 1,
            split_parts=pl.len().over("row").cast(pl.Int64),
            cards=pl.when(pl.col("part") == 0).then("cards").otherwise(pl.lit([], dtype=SHIPMENT["cards"])),
        )
    )
    rest = whole.join(parts, on="row", how="anti")
    both = pl.concat([rest.with_columns(part=pl.lit(0, dtype=pl.Int64)), made.select(*rest.columns, "part")])
    return both.sort(_PLACE).drop("part")


def _lines(torn: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    """Give [row, part, order_id, at, line, quantity, ours, value, weight]: in every part all lines of its orders.

    `quantity` is 0 where another part carries the line. A gift of ours is in one part only, with its first order.
    """
    numbered = torn.select("row", line="lines").explode("line", empty_as_null=False, keep_nulls=False)
    line = pl.col("line").struct
    every = numbered.with_columns(
        at=pl.int_range(pl.len()).over("row"),
        order_id=line.field("order_id"),
        line_ref=line.field("line_ref"),
        carried=line.field("quantity"),
        ours=line.field("line_ref").str.starts_with(OURS) & (line.field("kind") == "gift").fill_null(False),
    )
    home = every.join(parts, on=["row", "order_id", "line_ref"], how="left").rename({"part": "home"})
    orders = home.filter(~pl.col("ours") & pl.col("home").is_not_null())
    orders = orders.group_by("row", "order_id", "home").agg(first=pl.col("at").min()).rename({"home": "part"})
    common = home.filter(~pl.col("ours")).join(orders.drop("first"), on=["row", "order_id"])
    heads = orders.sort("first").unique(_PLACE, keep="first").select(*_PLACE, head="order_id")
    gifts = home.filter("ours").drop_nulls("home").with_columns(part="home").join(heads, on=_PLACE)
    gifts = gifts.with_columns(order_id="head").drop("head")
    found = pl.concat([common, gifts.select(common.columns)]).sort(*_PLACE, "at")
    here = pl.when(pl.col("home") == pl.col("part")).then("carried").otherwise(0).fill_null(0)
    ordered = line.field("quantity_ordered").clip(lower_bound=1)
    worth = pl.coalesce(line.field("paid_minor"), line.field("unit_price_minor") * ordered, ordered)
    return found.with_columns(quantity=here).select(
        *_PLACE,
        "order_id",
        "line_ref",
        "ours",
        "quantity",
        line=line.with_fields(order_id=pl.col("order_id"), quantity=pl.col("quantity")),
        value=worth.cast(pl.Int128) * pl.col("quantity") // ordered,
        weight=line.field("unit_weight_g") * pl.col("quantity"),
    )


def _named(lines: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    """Give [row, part, shipment_id], each part named by what it carries, as `merge` names what is left of an order."""
    line = ["order_id", "line_ref"]
    bound = facts.commitments.group_by(line).agg(committed=pl.col("quantity").sum())
    text = pl.concat_str(
        *line,
        "quantity",
        pl.when(pl.col("committed") > 0).then(pl.concat_str(pl.lit("committed "), "committed")),
        separator=SEPARATOR,
        ignore_nulls=True,
    )
    goes = lines.filter((pl.col("quantity") > 0) & ~pl.col("ours")).join(bound, on=line, how="left")
    texts = goes.group_by(_PLACE).agg(text=text.sort())
    return texts.select(*_PLACE, shipment_id=short_id_column(pl.col("text").list.join("\n"), "S"))


def _orders(torn: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Give [row, part, orders]: those a part carries something of, numbered where several parts do."""
    numbered = torn.select("row", order="orders").explode("order", empty_as_null=False, keep_nulls=False)
    order = pl.col("order").struct
    heads = numbered.with_columns(at=pl.int_range(pl.len()).over("row"), order_id=order.field("order_id"))
    here = lines.filter(~pl.col("ours")).select(*_PLACE, "order_id", "shipment_id").unique()
    found = heads.join(here, on=["row", "order_id"]).sort("row", "order_id", "shipment_id")
    count = pl.len().over("row", "order_id").cast(pl.Int64)
    rank = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("row", "order_id")
    marked = order.with_fields(
        part=pl.when(count > 1).then(rank).otherwise(order.field("part")),
        parts=pl.when(count > 1).then(count).otherwise(order.field("parts")),
    )
    ordered = found.with_columns(orders=marked).sort(*_PLACE, "at")
    return ordered.group_by(_PLACE, maintain_order=True).agg(pl.col("orders"))


def _contents(lines: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Give lines, weight_g, parcels (the one) and value of each of `by`."""
    goes = pl.col("quantity") > 0
    weights = pl.col("weight").filter(goes)
    gathered = lines.group_by(by, maintain_order=True).agg(
        lines=pl.col("line"),
        packed=pl.struct("order_id", "line_ref", "quantity").filter(goes),
        weight_g=pl.when(goes.any() & ~weights.is_null().any()).then(weights.sum()),
        value=pl.col("value").sum(),
    )
    have = {"parcel_no": pl.lit(1), "lines": pl.col("packed"), "weight_g": pl.col("weight_g")}
    parcel = pl.struct(have.get(f.name, pl.lit(None)).cast(f.dtype).alias(f.name) for f in _PARCEL.fields)
    return gathered.with_columns(parcels=listed([parcel])).drop("packed")


def _shared(amount: str) -> pl.Expr:
    """Share an amount of the whole shipment out by value; shares are differences of rounded sums, so they add up."""
    whole = pl.col(amount).cast(pl.Int128)
    total = pl.col("value").sum().over("row").clip(lower_bound=1)
    upto = pl.col("value").cum_sum().over("row")
    share = whole * upto // total - whole * (upto - pl.col("value")) // total
    worthless = pl.when(pl.col("part") == 0).then(whole).otherwise(whole * 0)
    by_value = pl.when(pl.col("value").sum().over("row") > 0).then(share).otherwise(worthless)
    return by_value.cast(pl.Int64).alias(amount)


# ------------------------------------------------------------------------------------------ together again


def rejoined(shipments: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    """Give `shipments` with the parts of earlier proposals put together; of what has begun to act nothing is moved.

    Parts that are not all there stay as they are.
    """
    step = pl.element().struct
    mark = pl.col("decision").list.eval(pl.element().filter(step.field("step") == STEP)).list.first().struct
    said = mark.field("params").list.eval(step.field("value")).list
    marked = shipments.select(
        split_of=mark.field("outcome"),
        part=said.get(0, null_on_oob=True).cast(pl.Int64, strict=False),
        parts=said.get(1, null_on_oob=True).cast(pl.Int64, strict=False),
        begun=pl.col("shipment_id").is_in(facts.commitments["shipment_id"].implode()),
    ).with_columns(place=pl.int_range(pl.len(), dtype=pl.Int64))
    marked = marked.filter(pl.col("split_of").is_not_null())
    whole = (
        (pl.len().over("split_of") == pl.col("parts"))
        & (pl.col("part").n_unique().over("split_of") == pl.col("parts"))
        & ~pl.col("begun").any().over("split_of")
    )
    parts = marked.filter(whole)
    if parts.is_empty():
        return shipments
    parts = parts.with_columns(row=pl.col("place").min().over("split_of")).sort("row", "part")
    rows = shipments[parts["place"]].with_columns(parts["row"], parts["part"], parts["split_of"])
    orders = _orders_again(rows)
    made = (
        rows.unique("row", keep="first", maintain_order=True)
        .drop("orders", "lines", "weight_g", "parcels", "total_minor", "shipment_id")
        .rename({"split_of": "shipment_id"})
        .join(rows.group_by("row").agg(total_minor=_sum("total_minor")), on="row")
        .join(_contents(_lines_again(rows, orders), "row"), on="row")
        .join(orders.group_by("row", maintain_order=True).agg(orders=pl.col("order")), on="row")
    )
    numbered = shipments.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
    rest = numbered.filter(~pl.col("row").is_in(parts["place"].implode()))
    return pl.concat([rest, made.select(rest.columns).cast(rest.schema)]).sort("row").drop("row")


def _sum(amount: str) -> pl.Expr:
    return pl.when(pl.col(amount).is_not_null().all()).then(pl.col(amount).sum())


def _orders_again(rows: pl.DataFrame) -> pl.DataFrame:
    """Give [row, order_id, order], each order once, as they were placed."""
    every = rows.select("row", order="orders").explode("order", empty_as_null=False, keep_nulls=False)
    order = pl.col("order").struct
    every = every.with_columns(order_id=order.field("order_id"), placed=order.field("placed_at"))
    torn = pl.len().over("row", "order_id") > 1
    restored = order.with_fields(
        part=pl.when(~torn).then(order.field("part")), parts=pl.when(~torn).then(order.field("parts"))
    )
    once = every.with_columns(order=restored).unique(["row", "order_id"], keep="first", maintain_order=True)
    return once.sort("row", "placed", "order_id", nulls_last=True).select("row", "order_id", "order")


def _lines_again(rows: pl.DataFrame, orders: pl.DataFrame) -> pl.DataFrame:
    """Give [row, order_id, line_ref, quantity, line, value, weight]: each line once, with all its pieces; gifts last."""
    every = rows.select("row", line="lines").explode("line", empty_as_null=False, keep_nulls=False)
    line = pl.col("line").struct
    told = every.with_columns(
        at=pl.int_range(pl.len()),
        order_id=line.field("order_id"),
        line_ref=line.field("line_ref"),
        pieces=line.field("quantity"),
        ours=line.field("line_ref").str.starts_with(OURS) & (line.field("kind") == "gift").fill_null(False),
    )
    rank = orders.select("row", "order_id", rank=pl.int_range(pl.len()).over("row"))
    key = ["row", "order_id", "line_ref"]
    goods = told.filter(~pl.col("ours")).with_columns(quantity=pl.col("pieces").sum().over(key))
    goods = goods.unique(key, keep="first", maintain_order=True).join(rank, on=["row", "order_id"])
    goods = goods.sort("row", "rank", "at")
    first = goods.filter(pl.col("quantity") > 0).unique("row", keep="first", maintain_order=True)
    gifts = told.filter("ours").sort("row", "line_ref").join(first.select("row", head="order_id"), on="row")
    gifts = gifts.with_columns(order_id="head", quantity="pieces", rank=pl.lit(None, dtype=pl.Int64))
    both = pl.concat([goods, gifts.select(goods.columns).cast(goods.schema)])
    return both.sort("row", "ours", maintain_order=True).select(
        *key,
        "quantity",
        line=line.with_fields(order_id=pl.col("order_id"), quantity=pl.col("quantity")),
        value=pl.lit(0),
        weight=line.field("unit_weight_g") * pl.col("quantity"),
    )
