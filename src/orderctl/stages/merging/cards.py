"""Cards of shipments: words by rule, filled in once, and kept from the purchase of the waybill on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.records import Card
from orderctl.model.schema import SHIPMENT, fields
from orderctl.stages.conditions.compiled import facts_needed, missing_facts, predicate
from orderctl.stages.conditions.facts import Moment, facts_frame
from orderctl.stages.history import with_history
from orderctl.stages.merging.gift_lines import OURS, without_gifts
from orderctl.stages.merging.gifts import CARD, decisions, free
from orderctl.stages.normalizing.wishes import standing
from orderctl.stages.rules.sections.cards import CardRule

_CARD = pl.Struct(fields(Card))
_WORDS = pl.Schema({"row": pl.Int64(), "number": pl.Int64(), "order_id": pl.String(), "text": pl.String()})


@dataclass(frozen=True)
class CardRules:
    """The rules of cards, and the zone their dates are told in."""

    rules: Sequence[CardRule] = ()
    zone: str = "Asia/Shanghai"

    @property
    def facts(self) -> set[str]:
        """Give the names of the facts that must be in a facts frame to judge the rules."""
        return facts_needed(rule.when for rule in self.rules)


def with_cards(shipments: pl.DataFrame, cards: CardRules, facts: Facts, now: str) -> pl.DataFrame:
    """Give `shipments` with their `cards`, and a step in `decision` for each rule that gives some or cannot be judged.

    What is committed gets none here: it keeps those it has.
    """
    if not cards.rules:
        return shipments
    some = free(shipments, facts)
    known = with_history(without_gifts(some), facts, cards.facts)
    table = facts_frame(known, cards.facts, Moment(now, cards.zone))
    met = (
        table.lazy()
        .select("row", *(predicate(r.when).alias(str(n)) for n, r in enumerate(cards.rules)))
        .collect()
    )
    fillings = _fillings(some)
    wished = _wished(some)
    words, steps = [pl.DataFrame(schema=_WORDS)], []
    for number, rule in enumerate(cards.rules):
        given, lacking = _filled(met.filter(pl.col(str(number))).select("row"), rule, fillings, wished)
        words.append(
            given.select("row", "order_id", "text", number=pl.lit(number, pl.Int64)).select(_WORDS.names())
        )
        doubted = (
            met.filter(pl.col(str(number)).is_null())
            .select("row")
            .join(table, on="row", maintain_order="left")
        )
        lacks = pl.concat([lacking, doubted.select("row", facts=missing_facts(rule.when))])
        steps += [
            given.group_by("row").agg(outcome=pl.len().cast(pl.String)).with_columns(reason=pl.lit("rule"), facts=pl.lit(None, pl.String), number=pl.lit(number, pl.Int64)),
            lacks.with_columns(outcome=pl.lit(None, pl.String), reason=pl.lit("unknown_fact"), number=pl.lit(number, pl.Int64)).select("row", "outcome", "reason", "facts", "number"),
        ]  # fmt: skip
    names = pl.DataFrame({"rule": [rule.name for rule in cards.rules]}).with_row_index("number")
    names = names.cast({"number": pl.Int64})
    rows = some.select("shipment_id", row=pl.int_range(pl.len(), dtype=pl.Int64))
    card = pl.struct("rule", "text", "order_id").cast(_CARD)
    told = (
        pl.concat(words)
        .join(names, on="number")
        .join(rows, on="row")
        .sort("row", "number", "order_id", maintain_order=True)
    )
    gathered = told.group_by("shipment_id", maintain_order=True).agg(given=card)
    trail = decisions(pl.concat(steps).join(names, on="number").join(rows, on="row"), CARD, ("facts",))
    joined = shipments.join(gathered, on="shipment_id", how="left", maintain_order="left").join(
        trail.rename({"decision": "more"}), on="shipment_id", how="left", maintain_order="left"
    )
    nothing = pl.lit([], dtype=SHIPMENT["decision"])
    return joined.with_columns(
        cards=pl.coalesce("given", "cards"),
        decision=pl.when(pl.col("more").is_null())
        .then("decision")
        .otherwise(pl.concat_list("decision", pl.col("more").fill_null(nothing))),
    ).select(shipments.columns)


def _fillings(some: pl.DataFrame) -> pl.DataFrame:
    """Give what placeholders stand for, but `wish`: `row name orders shop gifts`; null where it is not known."""
    recipient = pl.col("recipient").struct
    order, line = pl.element().struct, pl.element().struct
    ours = line.field("line_ref").str.starts_with(OURS) & (line.field("kind") == "gift")
    named = pl.concat_str(line.field("title"), pl.lit(" ×"), line.field("quantity").cast(pl.String))
    gifts = pl.col("lines").list.eval(pl.when(ours).then(named)).list.drop_nulls().list.join(", ")
    return some.select(
        row=pl.int_range(pl.len(), dtype=pl.Int64),
        name=pl.when(recipient.field("privacy") == "plain").then(recipient.field("name")),
        orders=pl.col("orders").list.eval(order.field("platform_ref")).list.join(", "),
        shop=pl.col("orders").list.first().struct.field("shop"),
        gifts=pl.when(gifts != "").then(gifts),
    )


def _wished(some: pl.DataFrame) -> pl.DataFrame:
    """Give the words for cards that orders ask for: `row order_id wish`, in the order of orders."""
    each = some.select("orders", row=pl.int_range(pl.len(), dtype=pl.Int64)).explode("orders")
    order = pl.col("orders").struct
    asked = each.select("row", order_id=order.field("order_id"), wish=order.field("wishes"))
    words = asked.with_columns(pl.col("wish").list.eval(standing("card", avoid=False)))
    return words.filter(pl.col("wish").list.len() > 0).explode("wish").unique(maintain_order=True)


def _filled(
    met: pl.DataFrame, rule: CardRule, fillings: pl.DataFrame, wished: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give (`row order_id text`, `row facts`): the words of `rule` on rows that meet it, and what others lack to be filled."""
    asked = [name for _, name in rule.parts if name is not None]
    rows = met.join(fillings, on="row", maintain_order="left")
    if "wish" in asked:
        rows = rows.join(wished, on="row", maintain_order="left_right")
    else:
        rows = rows.with_columns(order_id=pl.lit(None, dtype=pl.String))
    texts: list[pl.Expr] = []
    for words, name in rule.parts:
        texts += [pl.lit(words)] + ([] if name is None else [pl.col(name)])
    lacks = [pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in dict.fromkeys(asked)]
    filled = rows.select(
        "row",
        "order_id",
        text=pl.concat_str(texts),
        facts=pl.concat_str(lacks, separator=", ", ignore_nulls=True) if lacks else pl.lit(""),
    )
    given = filled.filter(pl.col("text").is_not_null()).drop("facts")
    return given, filled.filter(pl.col("text").is_null()).select("row", "facts").unique(
        "row", maintain_order=True
    )
