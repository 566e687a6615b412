"""Which gift rules a shipment meets, what each gives, and why the others give nothing.

The rules are taken in their order; each is dealt out over all rows before the next. What an earlier rule took from
the stock or won in a group is gone for the later ones. Rows come in the order of dealing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from orderctl.stages.conditions.compiled import facts_needed, line_sum, missing_facts, predicate
from orderctl.stages.merging.gift_counts import KEYS, USED, Left, deal
from orderctl.stages.normalizing.skus import CATALOGUE
from orderctl.stages.rules.sections.gifts import GiftRule

PARAMS = ("times", "wanted", "customer", "by", "shipment", "facts", "count", "each", "from", "until")
STEPS = pl.Schema(
    {"row": pl.Int64(), "number": pl.Int64(), "outcome": pl.String(), "reason": pl.String(), **dict.fromkeys(PARAMS, pl.String())}
)  # fmt: skip
"""What became of a rule (its number) on a row: what it gives, or the reason why not; `rule` is the reason to give."""
PIECES = pl.Schema({"row": pl.Int64(), "number": pl.Int64(), "sku": pl.String(), "quantity": pl.Int64()})
HAD = pl.Schema({"row": pl.Int64(), "rule": pl.String(), "shipment": pl.String()})
_DATES = {
    "now": ("now", "now", "now", "now"),
    "placed_at": ("placed_at", "placed_at", "last_placed_at", "placed_at"),
    "paid_at": ("paid_at", "placed_at", "last_paid_at", "last_placed_at"),
}
"""Facts that tell the first and the last instant to compare with dates, each with the one that stands in for it."""


@dataclass(frozen=True)
class GiftRules:
    """The gift rules, what is known of articles (columns CATALOGUE), and the stock by SKU where a table was named."""

    rules: Sequence[GiftRule] = ()
    articles: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CATALOGUE))
    stock: Mapping[str, int] = field(default_factory=dict)
    zone: str = "Asia/Shanghai"

    @property
    def facts(self) -> set[str]:
        """Give the names of the facts that must be in a facts frame to judge the rules."""
        found = facts_needed(rule.when for rule in self.rules)
        for rule in self.rules:
            if rule.per is not None:
                found.add("total_minor" if rule.per.of == "total_minor" else "lines")
            if rule.from_ or rule.until:
                found |= {*_DATES[rule.dated_by]}
        return found


@dataclass(frozen=True)
class Known:
    """What is known of the rows: customers (KEYS), what their orders had before (HAD), and what rules gave in all.

    `spent` has by rule how many times it gave, and the customers it gave to (USED).
    """

    keys: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=KEYS))
    had: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=HAD))
    spent: Mapping[str, tuple[int, pl.DataFrame]] = field(default_factory=dict)


def judge_gifts(table: pl.DataFrame, gifts: GiftRules, known: Known) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give (pieces, steps) of all rules on all rows: columns PIECES and STEPS.

    Args:
        table: a facts frame with `gifts.facts`, `row` in the order of dealing, and `lot` where a rule draws lots.
    """
    judged = (
        table.lazy()
        .select("row", *(e for n, rule in enumerate(gifts.rules) for e in _judgement(n, rule)))
        .collect()
    )
    lots = table.select("row", "lot") if "lot" in table.columns else table.select("row", lot=pl.lit(0))
    stock, won = dict(gifts.stock), dict[str, pl.DataFrame]()
    pieces, steps = [pl.DataFrame(schema=PIECES)], [pl.DataFrame(schema=STEPS)]
    for number, rule in enumerate(gifts.rules):
        met = judged.select("row", met=f"met {number}", times=f"times {number}", date=f"date {number}")
        met = met.filter(pl.col("met").fill_null(True))
        if met.is_empty():
            continue
        found = _with_reasons(met, rule, known.had, won.get(rule.group or ""))
        found = _with_lacks(found, table, rule)
        steps.append(_steps(found.filter(pl.col("reason").is_not_null()).drop("times"), number))
        wanted = found.filter(pl.col("reason").is_null()).select("row", "times")
        wanted = wanted.join(lots, on="row", maintain_order="left")
        spent, used = known.spent.get(rule.name, (0, pl.DataFrame(schema=USED)))
        floor = rule.stock_floor
        left = Left(
            None if rule.quota is None else rule.quota - spent,
            {} if floor is None else {one.sku: stock.get(one.sku, 0) - floor for one in rule.give},
            used,
        )
        dealt = deal(wanted, rule, left, known.keys)
        steps.append(_steps(_told(dealt, rule, known.keys), number))
        each = [
            dealt.select(
                "row",
                number=pl.lit(number, dtype=pl.Int64),
                sku=pl.lit(one.sku),
                quantity=pl.col(f"pieces_{n}"),
            ).filter(pl.col("quantity") > 0)
            for n, one in enumerate(rule.give)
        ]
        pieces += each
        for one, some in zip(rule.give, each, strict=True):
            stock[one.sku] = stock.get(one.sku, 0) - int(some["quantity"].sum())
        if rule.group is not None:
            winners = dealt.filter(pl.col("given") > 0).select("row", winner=pl.lit(rule.name))
            won[rule.group] = pl.concat([won[rule.group], winners]) if rule.group in won else winners
    return pl.concat(pieces), pl.concat(steps)


def _judgement(number: int, rule: GiftRule) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Give whether a rule matches, how many times it would give, and what its dates say (not_yet, over, unknown_fact)."""
    times = pl.lit(1, dtype=pl.Int64)
    if rule.per is not None:
        per = rule.per
        counted = pl.col("total_minor") if per.of == "total_minor" else line_sum(per.of, per.where)
        times = (counted // per.each).clip(0, per.at_most)
    date = pl.lit(None, dtype=pl.String)
    if rule.from_ or rule.until:
        first, first_else, last, last_else = _DATES[rule.dated_by]
        early, late = pl.coalesce(first, first_else), pl.coalesce(last, last_else, first, first_else)
        date = pl.when(early.is_null()).then(pl.lit("unknown_fact"))
        if rule.from_:
            date = date.when(late < rule.from_).then(pl.lit("not_yet"))
        if rule.until:
            date = date.when(early > rule.until).then(pl.lit("over"))
        date = date.otherwise(None)
    met = predicate(rule.when).alias(f"met {number}")
    return met, times.alias(f"times {number}"), date.alias(f"date {number}")


def _with_reasons(
    met: pl.DataFrame, rule: GiftRule, had: pl.DataFrame, won: pl.DataFrame | None
) -> pl.DataFrame:
    """Give `met` with the `reason` why a rule gives nothing before anything is dealt, and who it was."""
    before = had.filter(pl.col("rule") == rule.name).select("row", "shipment")
    found = met.join(before, on="row", how="left", maintain_order="left")
    if won is None:
        found = found.with_columns(winner=pl.lit(None, dtype=pl.String))
    else:
        found = found.join(won, on="row", how="left", maintain_order="left")
    unknown = pl.col("met").is_null()
    dated = pl.col("date").is_in(["not_yet", "over"])
    reason = (
        pl.when(unknown & dated).then(pl.lit("nothing"))  # it would not give, whatever the fact is
        .when(dated).then("date")
        .when(unknown | pl.col("times").is_null() | pl.col("date").is_not_null()).then(pl.lit("unknown_fact"))
        .when(pl.col("times") == 0).then(pl.lit("too_few"))
        .when(pl.col("shipment").is_not_null()).then(pl.lit("given_before"))
        .when(pl.col("winner").is_not_null()).then(pl.lit("group_won_by"))
    )  # fmt: skip
    return found.with_columns(reason=reason).filter(
        pl.col("reason").is_null() | (pl.col("reason") != "nothing")
    )


def _with_lacks(found: pl.DataFrame, table: pl.DataFrame, rule: GiftRule) -> pl.DataFrame:
    """Give `found` with the `facts` that kept `rule` from being judged."""
    doubted = found.filter(pl.col("reason") == "unknown_fact").select("row", "met", "times", "date")
    facts = doubted.join(table, on="row", maintain_order="left").select(
        "row",
        facts=pl.concat_str(
            pl.when(pl.col("met").is_null()).then(missing_facts(rule.when)),
            pl.when(pl.col("times").is_null()).then(pl.lit(rule.per.of if rule.per else "")),
            pl.when(pl.col("date").is_not_null()).then(pl.lit(rule.dated_by)),
            separator=", ",
            ignore_nulls=True,
        ),
    )
    named = found.join(facts, on="row", how="left", maintain_order="left")
    why = pl.col("reason")
    return named.with_columns(
        pl.when(why == "given_before").then("shipment").alias("shipment"),
        pl.when(why == "group_won_by").then("winner").alias("by"),
        pl.when(why == "not_yet").then(pl.lit(rule.from_)).alias("from"),
        pl.when(why == "over").then(pl.lit(rule.until)).alias("until"),
        pl.when(why == "too_few").then(pl.lit(rule.per.of if rule.per else None)).alias("count"),
        pl.when(why == "too_few").then(pl.lit(str(rule.per.each) if rule.per else None)).alias("each"),
    )


def _told(dealt: pl.DataFrame, rule: GiftRule, keys: pl.DataFrame) -> pl.DataFrame:
    """Give what dealing came to as steps: what was given and to whom, or what fell short."""
    customers = (
        keys.join(dealt.select("row"), on="row", how="semi")
        .sort("row", "customer")
        .group_by("row")
        .agg(customer=pl.col("customer").str.join(" "))
    )
    texts = [
        pl.when(pl.col(f"pieces_{n}") > 0).then(
            pl.concat_str(pl.lit(f"{one.sku} x"), pl.col(f"pieces_{n}").cast(pl.String))
        )
        for n, one in enumerate(rule.give)
    ]
    gives = pl.col("given") > 0
    partly = pl.col("short").is_not_null()
    return dealt.join(customers, on="row", how="left", maintain_order="left").select(
        "row",
        outcome=pl.when(gives).then(pl.concat_str(texts, separator=", ", ignore_nulls=True)),
        reason=pl.when(gives).then(pl.lit("rule")).otherwise("short"),
        times=pl.when(gives).then(pl.col("given").cast(pl.String)),
        wanted=pl.when(gives & partly).then(pl.col("times").cast(pl.String)),
        by=pl.when(gives).then("short"),
        customer=pl.when(gives).then("customer"),
    )


def _steps(found: pl.DataFrame, number: int) -> pl.DataFrame:
    have = found.with_columns(number=pl.lit(number, dtype=pl.Int64))
    return have.select(
        (pl.col(name) if name in have.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in STEPS.items()
    )
