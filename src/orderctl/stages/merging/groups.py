"""Which lines go in which shipment.

What is committed keeps its shipment; of the rest, orders of one recipient are grouped, and each group is named by
what it carries. The outcome depends on the set of orders and the facts, never on the order of rows.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.identity import SEPARATOR, short_id_column
from orderctl.stages.merging.decisions import Said
from orderctl.stages.merging.exclusions import alone_because, alone_unless_pinned
from orderctl.stages.merging.keys import REASONS, key_parts, who
from orderctl.stages.merging.parcels import in_parcels
from orderctl.stages.merging.wishes import wishes_of
from orderctl.stages.rules.sections.merge import MergeSection

OPEN = ("wait_pay", "wait_ship", "partly_shipped")
GONE = ("shipped", "completed")
_TOGETHER = {"recipient": "same_recipient", "buyer_address": "same_buyer_address", "buyer": "same_buyer"}
_FIXED = ("territory", "currency", "payment")  # parts of the key that no pin overrides
_CARRIED = ("shipment_id", "order_id", "line_ref", "quantity", "why")


def commitments_here(lines: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    """Give the commitments of the orders in `lines`, summed: `shipment_id order_id line_ref quantity`, and `known`.

    `known` is false where the order no longer has the line.
    """
    line = ["order_id", "line_ref"]
    summed = facts.commitments.group_by("shipment_id", *line).agg(pl.col("quantity").sum())
    here = summed.filter(pl.col("quantity") > 0).join(
        lines.select("order_id").unique(), on="order_id", how="semi"
    )
    refs = lines.select(*line, known=pl.lit(True))
    return here.join(refs, on=line, how="left").with_columns(pl.col("known").fill_null(False))


def orders_beyond(lines: pl.DataFrame, committed: pl.DataFrame) -> pl.DataFrame:
    """Give the `order_id` of orders of which more is committed, and not shipped yet, than may be shipped.

    Of a line that the order no longer has nothing may be shipped, unless all of the order has left.
    """
    total = committed.group_by("order_id", "line_ref").agg(pl.col("quantity").sum().alias("committed"))
    may = (
        pl.when(pl.col("status") != "closed")
        .then(pl.col("quantity") - pl.col("quantity_refunded"))
        .otherwise(0)
    )
    state = lines.select(
        "order_id", "line_ref", may=pl.max_horizontal(may, "quantity_shipped"), shipped="quantity_shipped"
    )
    found = total.join(state, on=["order_id", "line_ref"], how="left")
    beyond = (pl.col("committed") > pl.col("may")) & (pl.col("shipped") < pl.col("committed"))
    left = lines.select("order_id", "status").unique("order_id")
    found = found.join(left, on="order_id", how="left")
    return found.filter(beyond.fill_null(~pl.col("status").is_in(GONE))).select("order_id").unique()


def carried(
    orders: pl.DataFrame,
    lines: pl.DataFrame,
    committed: pl.DataFrame,
    rules: MergeSection,
    facts: Facts,
    said: Said,
    now: str,
) -> pl.DataFrame:
    """Give what each shipment carries of each order: `shipment_id order_id line_ref quantity why`.

    An order of which nothing goes anywhere has one row without a line (`line_ref`, `quantity` null). `why` says in
    one word how an order came to its shipment.

    Args:
        orders: `order/1`, each once.
        lines: all their lines, a row each: `order_id`, `status` and the columns of a line.
        committed: as `commitments_here` gives it.
        rules: key, scope, cap and window.
        facts: groups of shops.
        said: what people decided.
        now: the instant that ends holds.
    """
    kept = committed.filter("known").with_columns(why=pl.lit("committed")).select(_CARRIED)
    free = _free(lines, committed)
    goes, bound = free.select("order_id").unique(), kept.select("order_id").unique()
    idle = orders.select("order_id").join(goes, on="order_id", how="anti")
    idle = idle.join(bound, on="order_id", how="anti")
    in_parts = pl.concat(
        [bound.select("order_id"), lines.filter(pl.col("quantity_shipped") > 0).select("order_id")]
    ).unique()
    on_their_way = orders.filter(pl.col("order_id").is_in(bound["order_id"].implode()))
    printed = on_their_way.select(who=who(rules)).drop_nulls().unique()
    going = _keyed(orders, goes, in_parts, rules, facts, said, now)
    groups = pl.concat(
        [
            _grouped(going, printed, rules, said),
            idle.select("order_id", group=pl.concat_str(pl.lit("idle:"), "order_id"), why=pl.lit("nothing")),
        ]
    )
    content = groups.join(free, on="order_id", how="left").with_columns(
        text=pl.concat_str(
            "order_id",
            pl.col("line_ref").fill_null(""),
            pl.col("quantity").fill_null(0),
            # what is free beside commitments must not get the name of any of their shipments
            pl.when(pl.col("committed") > 0).then(pl.concat_str(pl.lit("committed "), "committed")),
            separator=SEPARATOR,
            ignore_nulls=True,
        )
    )
    named = content.group_by("group").agg(pl.col("text").sort())
    named = named.select("group", shipment_id=short_id_column(pl.col("text").list.join("\n"), "S"))
    return pl.concat([kept, content.join(named, on="group").select(_CARRIED)])


def _free(lines: pl.DataFrame, committed: pl.DataFrame) -> pl.DataFrame:
    """Give the quantities that are to be shipped and not committed: `order_id line_ref quantity committed`.

    What the platform calls shipped may be what is committed, so the larger of the two is taken off, not both.
    """
    total = committed.group_by("order_id", "line_ref").agg(pl.col("quantity").sum().alias("committed"))
    found = lines.join(total, on=["order_id", "line_ref"], how="left").with_columns(
        pl.col("committed").fill_null(0)
    )
    left = pl.min_horizontal(
        "quantity_to_ship", pl.col("quantity") - pl.col("quantity_refunded") - pl.col("committed")
    )
    return found.filter(pl.col("status").is_in(OPEN) & (left > 0)).select(
        "order_id", "line_ref", "committed", quantity=left
    )


def _keyed(
    orders: pl.DataFrame,
    goes: pl.DataFrame,
    in_parts: pl.DataFrame,
    rules: MergeSection,
    facts: Facts,
    said: Said,
    now: str,
) -> pl.DataFrame:
    """Give for each of `orders` that is in `goes` its `key`, the parts of it, and why it may not be joined or was not as it was pinned.

    Columns: `order_id placed_at who`, those of REASONS, `asks`, `refuses` (lists of wishes, null without any), `alone`,
    `pin` (null where none is obeyed), `key`.
    """
    parts = key_parts(rules, facts)
    wished = wishes_of(orders, rules)
    split = pl.col("order_id").is_in(in_parts["order_id"].implode())
    contradicts = pl.col("order_id").is_in(wished.filter("contradicts")["order_id"].implode())
    found = orders.select(
        "order_id",
        "placed_at",
        strict=alone_because(said.never, now),
        loose=alone_unless_pinned(rules, split=split, who=parts["who"], contradicts=contradicts),
        **parts,
    )
    found = found.join(goes, on="order_id", how="semi")  # few columns by now
    found = found.join(wished.drop("contradicts"), on="order_id", how="left")
    found = found.with_columns(pl.col("wishes").fill_null(""))
    alone = pl.coalesce("strict", "loose")
    own = pl.concat_str(pl.lit("alone:"), "order_id")
    joined = pl.concat_str("who", *REASONS, separator=SEPARATOR)
    found = found.with_columns(
        alone=alone,
        key=pl.when(alone.is_null()).then(joined).otherwise(own),
        pin=pl.lit(None, dtype=pl.String),
    )
    return found if said.pins.is_empty() else _pinned(found, said.pins)


def _pinned(found: pl.DataFrame, pins: pl.DataFrame) -> pl.DataFrame:
    """Give pinned orders the key of the first of their pin that may be joined, where nothing fixed is in the way."""
    able = found.filter(pl.col("strict").is_null()).join(pins, on="order_id")
    heads = able.sort("pin_right", "rank").unique("pin_right", keep="first", maintain_order=True)
    heads = heads.select("pin_right", *(pl.col(n).alias(f"{n}_head") for n in _FIXED), head_key="key")
    able = able.join(heads, on="pin_right").with_columns(
        fits=pl.all_horizontal(pl.col(n) == pl.col(f"{n}_head") for n in _FIXED),
    )
    fitting = able.filter("fits")
    several = fitting.filter(pl.len().over("pin_right") > 1)
    obeyed = several.select("order_id", obeyed="pin_right", head_key="head_key")
    refused = able.filter(~pl.col("fits")).select("order_id", refused=pl.lit("pin_forbidden"))
    return (
        found.join(obeyed, on="order_id", how="left", maintain_order="left")
        .join(refused, on="order_id", how="left", maintain_order="left")
        .with_columns(
            pin="obeyed",
            key=pl.coalesce("head_key", "key"),
            alone=pl.when(pl.col("obeyed").is_null()).then(pl.coalesce("alone", "refused")),
        )
        .drop("obeyed", "head_key", "refused")
    )


def _grouped(keyed: pl.DataFrame, printed: pl.DataFrame, rules: MergeSection, said: Said) -> pl.DataFrame:
    """Give each order its `group` and, in one word, `why`.

    Args:
        keyed: as `_keyed` gives it.
        printed: `who` of orders that are on their way to a parcel that is closed.
        rules: key, cap and window.
        said: what people decided.
    """
    placed = in_parcels(keyed, rules, said).with_columns(size=pl.len().over("group"))
    placed = placed.with_columns(pinned=pl.col("pin").is_not_null().any().over("group"))
    together = pl.when("pinned").then(pl.lit("pinned")).otherwise(pl.lit(_TOGETHER[rules.by]))
    apart = _apart(placed, printed)
    why = (
        pl.when(pl.col("size") > 1)
        .then(together)
        .otherwise(pl.coalesce("alone", "apart", pl.lit("no_other")))
    )
    return placed.join(apart, on="order_id", how="left").select("order_id", "group", why=why)


def _apart(placed: pl.DataFrame, printed: pl.DataFrame) -> pl.DataFrame:
    """Say of orders that travel alone though others have the same `who`, what keeps them apart: `order_id`, `apart`."""
    free = placed.filter(pl.col("alone").is_null())
    close = free.filter((pl.len().over("who") > 1) & (pl.col("size") == 1)).select("who").unique()
    fellows = free.join(close, on="who", how="semi")
    tests: list[pl.Expr] = []
    upto = ["who"]
    for part, reason in REASONS.items():
        upto.append(part)
        tests.append(pl.when(pl.len().over(upto) == 1).then(pl.lit(reason)))
    tests += [
        pl.when(pl.len().over("key", "session") == 1).then(pl.lit("outside_window")),
        pl.when(pl.col("barred")).then(pl.lit("never")),
        pl.when(pl.col("at_odds")).then(pl.lit(REASONS["wishes"])),
        pl.lit("parcel_full"),
    ]
    found = fellows.select("order_id", "size", apart=pl.coalesce(tests)).filter(pl.col("size") == 1)
    late = free.filter(pl.col("size") == 1).join(printed, on="who", how="semi")
    late = late.join(found, on="order_id", how="anti").select("order_id", apart=pl.lit("printed"))
    return pl.concat([found.select("order_id", "apart"), late])
