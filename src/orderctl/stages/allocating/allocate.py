"""Which warehouse sends each shipment, where stock is known: proposed for the whole batch at once.

The outcome depends on the set of shipments, rules and facts, never on the order of rows. Nothing is given twice: what
is proposed never exceeds what is free, and what the ledger holds as bound has been taken off before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.money import exponents
from orderctl.stages.allocating.demand import demands, in_turn, may_split
from orderctl.stages.allocating.greedy import Lacks, greedy
from orderctl.stages.allocating.offers import candidates, offered, ruled
from orderctl.stages.allocating.posing import Posed, posed
from orderctl.stages.allocating.puzzle import Puzzle, Served
from orderctl.stages.choosing.timetable import facts_for as journeys
from orderctl.stages.conditions.facts import Moment, facts_frame
from orderctl.stages.rules.book import RuleBook

Solver = Callable[[Puzzle], tuple[list[Served], dict[int, Lacks]]]
RULED = ("warehouse_rule", "warehouse_doubt", "warehouse_lacks")
TOLD = ("stock_candidates", "stock_missing", "stock_room")
"""What is told of the choice: each warehouse with its price and what lacked; what is missing; who is full for today."""
PLAN = pl.Schema(
    {"row": pl.Int64(), **dict.fromkeys(("warehouse", "warehouse_how", *RULED, *TOLD), pl.String())}
)
PARTS = pl.Schema({"row": pl.Int64(), "part": pl.Int64(), "warehouse": pl.String(), "order_id": pl.String(), "line_ref": pl.String()})  # fmt: skip


@dataclass(frozen=True)
class Allocation:
    """What is proposed: `plan` (columns PLAN, a row for each shipment that was asked about) and `parts` (columns PARTS).

    `parts` has a row for every line of each shipment that is to be split.
    """

    plan: pl.DataFrame
    parts: pl.DataFrame

    def plan_of(self, parted: pl.DataFrame) -> pl.DataFrame:
        """Give [row, proposed, proposed_how, ...RULED, ...TOLD] for each of `parted` (as `split` gives it), in its order.

        `row` counts them anew.
        """
        homes = self.parts.select("row", split_part=pl.col("part") + 1, home="warehouse").unique()
        joined = parted.select("row", "split_part").join(
            self.plan, on="row", how="left", maintain_order="left"
        )
        joined = joined.join(homes, on=["row", "split_part"], how="left", maintain_order="left")
        return joined.select(
            pl.int_range(pl.len(), dtype=pl.Int64).alias("row"),
            pl.coalesce("home", "warehouse").alias("proposed"),
            pl.col("warehouse_how").alias("proposed_how"),
            *RULED,
            *TOLD,
        )


def allocate(
    shipments: pl.DataFrame,
    table: pl.DataFrame,
    bound: pl.DataFrame,
    parcels: pl.DataFrame,
    book: RuleBook,
    facts: Facts,
    moment: Moment,
    solver: Solver = greedy,
) -> Allocation:
    """Propose a warehouse, or several, for each of `shipments`.

    Args:
        shipments: a batch `shipment/1` with `row`, counting from 0.
        table: their facts frame, as `choose` takes it.
        bound: columns BOUND; what is committed is left alone, a pinned warehouse is the only one of its row.
        parcels: columns PARCEL.
        solver: what deals the stock out.
    """
    committed = bound.filter(pl.col("warehouse_how") == "committed")
    going = shipments.filter(pl.col("purpose") != "return").join(committed, on="row", how="anti")
    by_rule = ruled(table, bound, book).join(going, on="row", how="semi")
    asked = candidates(by_rule, bound, book).join(going, on="row", how="semi", maintain_order="left")
    table = _timed(table, shipments, book, moment)
    offers = _ranked(offered(asked, table, bound, parcels, book, moment), book)
    idle = offers.group_by("row").agg(idle=(pl.col("hold").is_not_null() | ~pl.col("reached")).all())
    going = going.join(idle, on="row").select("idle", *shipments.columns)
    turns = in_turn(going, pl.col("idle"))
    lines = demands(going, facts)
    splits = offers.filter("split").join(going.filter(may_split()), on="row", how="semi")
    several = lines.filter(~pl.col("gift")).group_by("row").agg(pl.col("group").n_unique())
    splits = splits.join(several.filter(pl.col("group") > 1), on="row", how="semi", maintain_order="left")
    light = _lightest(splits, lines, table, bound, book, moment)
    puzzle = posed(turns, offers, lines, light, book.rules.allocation, facts, moment)
    plan, lacked = solver(puzzle.puzzle)
    wrong = puzzle.puzzle.broken(plan)
    if wrong is not None:
        raise AssertionError(f"no plan: {wrong}")
    return _told(puzzle, plan, lacked, by_rule, offers, lines, bound)


def _timed(table: pl.DataFrame, shipments: pl.DataFrame, book: RuleBook, moment: Moment) -> pl.DataFrame:
    """Give the facts frame with what days until delivery are told by, where these count."""
    if not book.rules.allocation.day_cost:
        return table
    more = journeys(book) - set(table.columns)
    return table.hstack(facts_frame(shipments.drop("row"), more, moment).drop("row"))


def _ranked(offers: pl.DataFrame, book: RuleBook) -> pl.DataFrame:
    """Give the offers of each row, the best first, numbered as `offer`; where a courier comes from none, all stay.

    The cheaper (freight, and days where these cost) is better, one without a price the worst; of equal ones the first
    of the rule.
    """
    currency = pl.col("freight_currency").drop_nulls().first().over("row")
    price = pl.when(pl.col("freight_currency") == currency).then("freight_minor")
    open_ = offers.filter(pl.col("reached") | ~pl.col("reached").any().over("row"))
    ranked = open_.with_columns(price=price, late=_late(book)).sort(
        pl.col("row"),
        pl.col("price").is_null(),
        pl.col("price") + pl.col("late"),
        pl.col("late"),
        pl.col("place"),
    )
    filled = pl.coalesce("price", pl.col("price").max().over("row"), pl.lit(0)) + pl.col("late")
    return ranked.with_columns(cost=filled, offer=pl.int_range(pl.len(), dtype=pl.Int64).over("row"))


def _late(book: RuleBook) -> pl.Expr:
    """Give what the days until delivery cost, in minor units; where one is not told, as many as the slowest of the row."""
    days = pl.coalesce("days", pl.col("days").max().over("row"), pl.lit(0))
    a_day = int(book.rules.allocation.day_cost * 10_000)
    minor = pl.lit(10, dtype=pl.Int64).pow(exponents(pl.col("freight_currency").fill_null("")))
    return (days * a_day * minor // 1_000_000).cast(pl.Int64)


def _lightest(
    splits: pl.DataFrame,
    lines: pl.DataFrame,
    table: pl.DataFrame,
    bound: pl.DataFrame,
    book: RuleBook,
    moment: Moment,
) -> pl.DataFrame:
    """Price the lightest part of each shipment that may be split: [row, warehouse, light_g, light_cost], null if unknown.

    Between that and the whole a part is taken to cost in proportion to its weight; what it really costs is found
    when the plan is made.
    """
    weights = lines.group_by("row", "group").agg(
        pl.col("weight_g").sum(), known=pl.col("weight_g").is_not_null().all()
    )
    light = weights.group_by("row").agg(light_g=pl.when(pl.col("known").all()).then(pl.col("weight_g").min()))
    unknown = splits.join(light.drop_nulls(), on="row", how="anti").select(
        "row", "warehouse", light_g=pl.lit(None, dtype=pl.Int64), light_cost=pl.lit(None, dtype=pl.Int64)
    )
    asked = splits.join(light.drop_nulls(), on="row", maintain_order="left")
    rows = asked.select("row", "light_g").unique(maintain_order=True)
    lighter = table.select("row").join(rows, on="row", how="left", maintain_order="left")
    if "weight_g" in table.columns:
        table = table.with_columns(pl.coalesce(lighter["light_g"], table["weight_g"]).alias("weight_g"))
    none = pl.lit(None, dtype=pl.Int64)
    boxes = rows.select("row", weight_g="light_g", length_mm=none, width_mm=none, height_mm=none)
    asked = asked.select("row", "place", "warehouse", "split", "light_g", "freight_currency")
    found = offered(asked.drop("light_g", "freight_currency"), table, bound, boxes, book, moment)
    same = found["freight_currency"] == asked["freight_currency"]
    priced = found.select("row", "warehouse").with_columns(
        asked["light_g"],
        found.select(pl.when(same & pl.col("reached")).then(pl.col("freight_minor") + _late(book)))
        .to_series()
        .alias("light_cost"),
    )
    return pl.concat([priced, unknown])


def _told(
    puzzle: Posed,
    plan: Sequence[Served],
    lacked: dict[int, Lacks],
    by_rule: pl.DataFrame,
    offers: pl.DataFrame,
    lines: pl.DataFrame,
    bound: pl.DataFrame,
) -> Allocation:
    """Write the plan as tables, with what is to be said of each choice."""
    served = pl.DataFrame(
        [
            (puzzle.rows[number], at, part.offer, group)
            for number, parcels in enumerate(plan)
            for at, part in enumerate(parcels)
            for group in (part.groups if part.groups is not None else (None,))
        ],
        schema={"row": pl.Int64(), "part": pl.Int64(), "offer": pl.Int64(), "group": pl.Int64()},
        orient="row",
    )
    names = offers.select("row", "offer", "warehouse")
    torn = served.filter(pl.col("group").is_not_null()).join(names, on=["row", "offer"])
    parts = torn.join(lines, on=["row", "group"]).select(PARTS.names()).sort(PARTS.names())
    lacks = _lacks(puzzle, lacked)
    first = served.unique("row", keep="first", maintain_order=True).select("row", taken="offer")
    waiting = pl.DataFrame(
        {"row": [puzzle.rows[n] for n, parcels in enumerate(plan) if not parcels]}, schema={"row": pl.Int64()}
    )
    short = lacks.join(waiting, on="row", how="semi")
    least = short.filter(pl.col("pieces") > 0).sort("row", "pieces", "offer").unique("row", keep="first")
    full = short.filter(pl.col("pieces") == 0).join(names, on=["row", "offer"]).sort("row", "offer")
    full = full.group_by("row", maintain_order=True).agg(stock_room=pl.col("warehouse").str.join(", "))
    least = least.join(full, on="row", how="anti").select("row", stock_missing="missing")
    chosen = (
        offers.select("row", place="offer", warehouse="warehouse", many=pl.len().over("row"))
        .join(first, on="row", how="left")
        .filter(pl.col("place") == pl.col("taken").fill_null(0))
        .join(least, on="row", how="left")
        .join(full, on="row", how="left")
        .join(_candidates(offers, lacks), on="row", how="left")
        .join(by_rule, on="row", how="left")
        .join(bound.select("row", how="warehouse_how"), on="row", how="left")
    )
    how = (
        pl.when(pl.col("how").is_not_null())
        .then("how")
        .when(pl.col("row").is_in(waiting["row"].implode()))
        .then(
            pl.when(pl.col("stock_room").is_null()).then(pl.lit("out_of_stock")).otherwise(pl.lit("no_room"))
        )
        .when(pl.col("row").is_in(torn["row"].implode()))
        .then(pl.lit("split"))
        .otherwise(pl.when(pl.col("many") > 1).then(pl.lit("allocated")).otherwise(pl.lit("rule")))
    )
    told = chosen.with_columns(warehouse_how=how).select(PLAN.names())
    return Allocation(told.sort("row"), parts)


def _lacks(puzzle: Posed, lacked: dict[int, Lacks]) -> pl.DataFrame:
    """Give [row, offer, pieces, missing]: how much is missing where, in words that need no language; 0 pieces: no room."""
    plain = [
        (
            puzzle.rows[number],
            offer,
            sum(n for _, n in some),
            ", ".join(f"{puzzle.skus[sku]} -{n}" for sku, n in some),
        )
        for number, wants in lacked.items()
        for offer, some in wants
    ]
    schema = {"row": pl.Int64(), "offer": pl.Int64(), "pieces": pl.Int64(), "missing": pl.String()}
    return pl.DataFrame(plain, schema=schema, orient="row")


def _candidates(offers: pl.DataFrame, lacks: pl.DataFrame) -> pl.DataFrame:
    """Give [row, stock_candidates] where there was a choice, or something lacked: each warehouse, its price, what lacked."""
    told = offers.join(lacks.drop("pieces"), on=["row", "offer"], how="left", maintain_order="left")
    told = told.filter((pl.len().over("row") > 1) | pl.col("missing").is_not_null().any().over("row"))
    lacking = pl.when(pl.col("missing") != "").then("missing")
    price = pl.concat_str(_written("freight_minor", "freight_currency"), "freight_currency", separator=" ")
    days = pl.format("{} d", pl.col("days") / 100)
    said = pl.concat_str(price, days, lacking, separator=", ", ignore_nulls=True)
    text = pl.when(said != "").then(pl.format("{}: {}", "warehouse", said)).otherwise("warehouse")
    listed = told.sort("row", "offer").with_columns(text=text)
    return listed.group_by("row", maintain_order=True).agg(stock_candidates=pl.col("text").str.join("; "))


def _written(amount: str, currency: str) -> pl.Expr:
    """Write minor units as decimal text with the currency's own number of decimals."""
    places = exponents(pl.col(currency))
    digits = pl.col(amount).cast(pl.String).str.zfill(places + 1)
    cut = digits.str.len_chars().cast(pl.Int64) - places
    decimals = pl.when(places > 0).then(pl.concat_str(pl.lit("."), digits.str.slice(cut)))
    return pl.concat_str(digits.str.slice(0, cut), decimals.fill_null(""))
