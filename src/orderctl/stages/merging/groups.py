"""Which lines go in which shipment.

What is committed keeps its shipment; of the rest, orders of one recipient are grouped, and each group is named by
what it carries. The outcome depends on the set of orders and the facts, never on the order of rows.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.identity import SEPARATOR, short_id_column
from orderctl.model.problem import has_severity
from orderctl.stages.rules.sections.merge import MergeSection

OPEN = ("wait_pay", "wait_ship", "partly_shipped")
# A key of these kinds is only comparable among the orders of one shop.
SHOP_KEYS = ("address_id", "index", "asked")
# Their orders travel under waybills of the platform's own, so never with those of another platform.
OWN_WAYBILLS = ("douyin", "jd", "kuaishou", "pdd", "taobao", "tmall", "wechat_shop", "xiaohongshu")
WISHES_APART = ("courier", "service", "ship_on", "warehouse")
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
    """Give the `order_id` of orders of which more is committed, and not shipped yet, than may be shipped."""
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
    return found.filter(beyond.fill_null(True)).select("order_id").unique()


def carried(
    orders: pl.DataFrame,
    lines: pl.DataFrame,
    committed: pl.DataFrame,
    rules: MergeSection,
    facts: Facts,
    now: str,
) -> pl.DataFrame:
    """Give what each shipment carries of each order: `shipment_id order_id line_ref quantity why`.

    An order of which nothing goes anywhere has one row without a line (`line_ref`, `quantity` null). `why` says in
    one word how an order came to its shipment.

    Args:
        orders: `order/1`, each once.
        lines: all their lines, a row each: `order_id`, `status` and the columns of a line.
        committed: as `commitments_here` gives it.
        rules: scope, cap and window.
        facts: decisions and groups of shops.
        now: the instant that ends holds.
    """
    kept = committed.filter("known").with_columns(why=pl.lit("committed")).select(_CARRIED)
    free = _free(lines, committed)
    goes, bound = free.select("order_id").unique(), kept.select("order_id").unique()
    idle = orders.join(goes, on="order_id", how="anti").join(bound, on="order_id", how="anti")
    groups = pl.concat(
        [
            _grouped(orders.join(goes, on="order_id", how="semi"), rules, facts, now),
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


def _grouped(orders: pl.DataFrame, rules: MergeSection, facts: Facts, now: str) -> pl.DataFrame:
    """Give each of `orders` its `group` and, in one word, `why`."""
    never = facts.decisions.filter(pl.col("decision") == "never_merge")["subject"].to_list()
    alone = alone_because(pl.col("order_id").is_in(never), now)
    keyed = orders.select(
        "order_id",
        "placed_at",
        alone=alone,
        key=pl.when(alone.is_null())
        .then(_key(rules, facts))
        .otherwise(pl.concat_str(pl.lit("alone:"), "order_id")),
    ).sort("key", "placed_at", "order_id", nulls_last=True)
    hours = pl.col("placed_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False).dt.epoch("s") / 3600
    gap = (hours - hours.shift(1).over("key")).fill_null(0)
    late = gap > rules.window_hours if rules.window_hours else pl.lit(False)
    timed = keyed.with_columns(session=late.cum_sum().over("key"))
    place = pl.int_range(pl.len()).over("key", "session")
    placed = timed.with_columns(chunk=place // rules.max_orders)
    group = pl.concat_str("key", "session", "chunk", separator=SEPARATOR)
    sized = placed.select("order_id", "alone", group=group).with_columns(size=pl.len().over("group"))
    joined = pl.when(pl.col("size") > 1).then(pl.lit("same_recipient")).otherwise(pl.lit("no_other"))
    return sized.select("order_id", "group", why=pl.coalesce("alone", joined))


def alone_because(never: pl.Expr, now: str) -> pl.Expr:
    """Say in one word why an order may not be joined with any other; null where it may."""
    until = pl.element().struct.field("until")
    on_hold = pl.col("holds").list.eval(until.is_null() | (until > now)).list.any()
    no_key = pl.col("recipient").struct.field("match_key").is_null()
    reasons = {
        "blocked": has_severity("block"),
        "waiting": has_severity("wait"),
        "held": on_hold,
        "refund": pl.col("refund_open"),
        "cod": pl.col("payment") == "cod",
        "no_currency": pl.col("currency").is_null(),
        "never": never,
        "no_key": no_key,
    }
    return pl.coalesce(pl.when(where.fill_null(False)).then(pl.lit(why)) for why, where in reasons.items())


def scope_of(rules: MergeSection, facts: Facts) -> pl.Expr:
    """Name the circle of shops whose orders may be joined."""
    if rules.scope == "platform":
        return pl.concat_str(pl.lit("platform:"), "platform")
    shop = pl.concat_str(pl.lit("shop:"), "platform", pl.lit(":"), "shop")
    if rules.scope == "shop":
        return shop
    group = pl.col("shop").replace_strict(facts.shop_groups, default=None, return_dtype=pl.String)
    return pl.coalesce(pl.lit("group:") + group, shop) if facts.shop_groups else shop


def _key(rules: MergeSection, facts: Facts) -> pl.Expr:
    """Write all that must be equal for orders to travel in one parcel."""
    recipient = pl.col("recipient").struct
    in_shop = recipient.field("match_kind").is_in(SHOP_KEYS)
    own_shop = pl.when(in_shop).then(pl.concat_str("platform", "shop", separator=":"))
    home = own_shop.when(pl.col("platform").is_in(OWN_WAYBILLS)).then("platform").otherwise(pl.lit(""))
    wish = pl.element().struct
    asked = pl.when(wish.field("kind").is_in(WISHES_APART)).then(
        pl.concat_str(
            wish.field("kind"),
            wish.field("value"),
            wish.field("avoid").cast(pl.String),
            separator="=",
            ignore_nulls=True,
        )
    )
    wishes = pl.col("wishes").list.eval(asked).list.drop_nulls().list.unique().list.sort().list.join(",")
    parts = [recipient.field("match_kind"), recipient.field("match_key"), scope_of(rules, facts), home]
    parts += [pl.col("currency"), pl.col("payment"), wishes, *(pl.col(name) for name in rules.same)]
    return pl.concat_str([part.fill_null("\0") for part in parts], separator=SEPARATOR)
