"""Gifts of shipments, computed after joining: from orders, rules and what the ledger says was given.

What is committed is never judged again: it keeps exactly the gifts it has, and why. Everything else gets its gifts
anew in every run. What was given is read from the commitments and from the trail kept with them, so counters are
nothing but another reading of what has a waybill: a waybill that is voided gives its gifts back.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.identity import SEPARATOR, keyed, keyed_column
from orderctl.model.problem import has_severity
from orderctl.model.records import Step
from orderctl.model.schema import PARAMS as PARAM_LIST
from orderctl.model.schema import SHIPMENT, fields
from orderctl.stages.committed import trails
from orderctl.stages.conditions.facts import Moment, facts_frame
from orderctl.stages.history import with_history
from orderctl.stages.merging.gift_counts import KEYS, USED
from orderctl.stages.merging.gift_lines import OURS, RULE, SKU, line_ref, with_gift_lines
from orderctl.stages.merging.gift_rules import HAD, PARAMS, GiftRules, Known, judge_gifts
from orderctl.stages.merging.keys import SHOP_KEYS

GIFT, CARD = "gift", "card"
_STEP = pl.Struct(fields(Step))
_SPENT = pl.Schema({"shipment_id": pl.String(), "rule": pl.String(), "times": pl.Int64(), "customers": pl.List(pl.String())})  # fmt: skip


def with_gifts(shipments: pl.DataFrame, gifts: GiftRules, facts: Facts, now: str) -> pl.DataFrame:
    """Give `shipments` (sales, whole, without gifts) with their gifts as lines, and `decision` saying why.

    Args:
        gifts: the rules, the articles that gifts are, and the stock.
        facts: its commitments tell what was given, to whom; its key hashes customers.
        now: the instant that rules are judged at.
    """
    kept = _committed(facts)
    told = _trail(facts)
    held = with_gift_lines(
        shipments, kept.join(_orders(shipments), on=["shipment_id", "order_id"]), gifts.articles
    )
    steps = told.group_by("shipment_id", maintain_order=True).agg(decision="step")
    if gifts.rules:
        gifted = told.filter(pl.col("step").struct.field("step") == GIFT)
        given, found = _given(free(held, facts), gifts, kept, gifted, facts, now)
        held = with_gift_lines(held, given, gifts.articles)
        steps = pl.concat([steps, found])
    joined = held.drop("decision").join(steps, on="shipment_id", how="left", maintain_order="left")
    filled = joined.with_columns(pl.col("decision").fill_null(pl.lit([], dtype=SHIPMENT["decision"])))
    return filled.select(shipments.columns)


def free(shipments: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    """Give those of `shipments` that send anything and of which nothing is committed."""
    bound = facts.commitments.select("shipment_id").unique()
    open_ = shipments.join(bound, on="shipment_id", how="anti")
    return open_.filter(pl.col("parcels").list.first().struct.field("lines").list.len() > 0)


def has_gifts(facts: Facts) -> bool:
    """Say whether gifts are committed at all."""
    return bool(facts.commitments["line_ref"].str.starts_with(OURS).any())


def _committed(facts: Facts) -> pl.DataFrame:
    """Give the gifts that are committed: `shipment_id order_id line_ref quantity rule sku`."""
    ours = facts.commitments.filter(pl.col("line_ref").str.starts_with(OURS) & (pl.col("quantity") > 0))
    summed = ours.group_by("shipment_id", "order_id", "line_ref").agg(pl.col("quantity").sum())
    return summed.with_columns(
        rule=pl.col("line_ref").str.extract(RULE), sku=pl.col("line_ref").str.extract(SKU)
    )


def _trail(facts: Facts) -> pl.DataFrame:
    """Give the steps of gifts and cards of what is committed, as they were then: `shipment_id step`."""
    decided = trails(facts).select("shipment_id", step=pl.col("trail").struct.field("decision"))
    each = decided.explode("step").filter(pl.col("step").struct.field("step").is_in([GIFT, CARD]))
    return each.cast({"step": _STEP})


def _orders(shipments: pl.DataFrame) -> pl.DataFrame:
    each = shipments.select("shipment_id", pl.col("orders").list.eval(pl.element().struct.field("order_id")))
    return each.explode("orders").rename({"orders": "order_id"})


def _given(
    free: pl.DataFrame, gifts: GiftRules, kept: pl.DataFrame, told: pl.DataFrame, facts: Facts, now: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give (gifts of `free` as lines to pack, steps): (columns GIVEN, `shipment_id decision`)."""
    ordered = _in_turn(free)
    moment = Moment(now, gifts.zone)
    table = facts_frame(with_history(ordered, facts, gifts.facts), gifts.facts, moment)
    if any(rule.choose == "random" for rule in gifts.rules):
        table = table.with_columns(lot=_lots(ordered, facts.key))
    rows = ordered.select("shipment_id", row=pl.int_range(pl.len(), dtype=pl.Int64))
    orders = _orders(ordered).join(rows, on="shipment_id", maintain_order="left")
    had = orders.join(kept.select("order_id", "rule", shipment="shipment_id"), on="order_id")
    had = had.sort("shipment").unique(["row", "rule"], keep="first").select(HAD.names())
    known = Known(_customers(ordered, facts.key), had, _spent(kept, told))
    pieces, steps = judge_gifts(table, gifts, known)
    names = pl.DataFrame({"rule": [rule.name for rule in gifts.rules]}).with_columns(
        number=pl.int_range(pl.len(), dtype=pl.Int64)
    )
    given = pieces.join(names, on="number").join(rows, on="row")
    lines = given.select(
        "shipment_id",
        "sku",
        "quantity",
        order_id=pl.lit(None, dtype=pl.String),
        line_ref=line_ref(pl.col("rule"), pl.col("sku")),
    )
    return lines, decisions(steps.join(names, on="number").join(rows, on="row"), GIFT, PARAMS)


def _in_turn(free: pl.DataFrame) -> pl.DataFrame:
    """Order shipments as gifts are dealt out: what may leave before what waits for something, then by promise and id."""
    waits = has_severity("block") | has_severity("wait")
    each = free.select("shipment_id", pl.col("orders")).explode("orders").unnest("orders")
    waiting = each.filter(waits | (pl.col("status") == "wait_pay")).select("shipment_id").unique()
    marked = free.join(waiting.with_columns(waits=pl.lit(1)), on="shipment_id", how="left")
    return marked.sort(pl.col("waits").fill_null(0), "ship_by", "shipment_id", nulls_last=True).drop("waits")


def _lots(ordered: pl.DataFrame, key: bytes) -> pl.Series:
    """Draw a number for each shipment, by the orders in it: the same one in every run."""
    orders = ordered.select(
        pl.col("orders").list.eval(pl.element().struct.field("order_id")).list.sort().list.join(SEPARATOR)
    ).to_series()
    return pl.Series("lot", [int(keyed(key, f"gift lot {text}")[:12], 16) for text in orders], dtype=pl.Int64)


def _customers(ordered: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """Give the customers of each row: its buyers and its recipient, hashed (columns KEYS).

    An order of which neither is told is a customer of its own.
    """
    each = (
        ordered.select("orders", row=pl.int_range(pl.len(), dtype=pl.Int64))
        .explode("orders")
        .unnest("orders")
    )
    recipient = pl.col("recipient").struct
    kind = recipient.field("match_kind")
    home = pl.when(kind.is_in(SHOP_KEYS)).then(pl.concat_str("platform", "shop", separator=SEPARATOR))
    buyer = pl.concat_str(pl.lit("buyer"), "platform", "shop", "buyer_ref", separator=SEPARATOR)
    proven = recipient.field("match_key").is_not_null() & (kind != "none")
    to = pl.when(proven).then(
        pl.concat_str(
            pl.lit("to"), home.fill_null(""), kind, recipient.field("match_key"), separator=SEPARATOR
        )
    )
    alone = pl.when(buyer.is_null() & to.is_null()).then(
        pl.concat_str(pl.lit("order"), "order_id", separator=SEPARATOR)
    )
    texts = pl.concat([each.select("row", text=text) for text in (buyer, to, alone)]).drop_nulls().unique()
    hashed = texts.sort("row", "text").with_columns(customer=pl.lit("h:") + keyed_column(pl.col("text"), key))
    return hashed.select(KEYS.names())


def _spent(kept: pl.DataFrame, told: pl.DataFrame) -> dict[str, tuple[int, pl.DataFrame]]:
    """Give by rule how many times it gave what is committed, and to which customers (columns USED).

    A gift whose trail is lost counts once, for nobody.
    """
    step = pl.col("step").struct
    trail = told.filter(step.field("reason") == "rule").select(
        "shipment_id",
        rule=step.field("rule"),
        times=_param("times").cast(pl.Int64),
        customers=_param("customer").str.split(" "),
    )
    once = kept.select("shipment_id", "rule").unique().join(trail, on=["shipment_id", "rule"], how="left")
    counted = once.with_columns(pl.col("times").fill_null(1))
    totals = dict(counted.group_by("rule").agg(pl.col("times").sum()).iter_rows())
    each = counted.explode("customers").drop_nulls("customers")
    used = each.group_by("rule", customer="customers").agg(used=pl.col("times").sum())
    return {
        rule: (times, used.filter(pl.col("rule") == rule).select(USED.names()))
        for rule, times in totals.items()
    }


def _param(name: str) -> pl.Expr:
    params = pl.col("step").struct.field("params")
    one = pl.element().struct
    return params.list.eval(one.field("value").filter(one.field("name") == name)).list.first()


def decisions(steps: pl.DataFrame, step: str, names: Sequence[str]) -> pl.DataFrame:
    """Give the list of steps of each shipment, in the order of the rules: `shipment_id decision`.

    Args:
        steps: `shipment_id number rule outcome reason`, and of `names` what became of a rule on a shipment.
        step: what the steps are called.
        names: columns of `steps` that are told as parameters, where they are not null.
    """
    place = ["shipment_id", "number"]
    long = pl.concat(
        steps.filter(pl.col(name).is_not_null()).select(
            *place, param=pl.struct(name=pl.lit(name), value=name)
        )
        for name in names
    )
    params = long.group_by(place, maintain_order=True).agg(params="param")
    whole = steps.join(params, on=place, how="left").sort(place)
    one = pl.struct(
        pl.lit(step).alias("step"),
        "rule",
        "outcome",
        "reason",
        pl.col("params").fill_null(pl.lit([], dtype=PARAM_LIST)),
    ).cast(_STEP)
    return whole.group_by("shipment_id", maintain_order=True).agg(decision=one)
