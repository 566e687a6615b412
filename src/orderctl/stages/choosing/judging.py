"""Rules of a section judged in order: which fired for each row, and which could not be judged because a fact is missing."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from orderctl.stages.conditions.compiled import missing_facts
from orderctl.stages.conditions.match import first_match
from orderctl.stages.conditions.tree import Condition
from orderctl.stages.rules.sections.couriers import CourierRule
from orderctl.stages.rules.sections.holds import HoldRule
from orderctl.stages.rules.sections.templates import TemplateRule
from orderctl.stages.rules.sections.warehouses import WarehouseRule

Rule = WarehouseRule | CourierRule | TemplateRule | HoldRule


def judge(facts: pl.DataFrame, rules: Sequence[Rule], step: str) -> pl.DataFrame:
    """Give [row, step_fired, step_rule, step_doubt, step_lacks] for every row of `facts`."""
    conditions = [rule.when for rule in rules]
    names = [rule.name for rule in rules]
    found = first_match(facts, conditions)
    found = found.join(lacks(facts, found, conditions), on="row", how="left", maintain_order="left")
    return found.select(
        "row",
        pl.col("fired").alias(f"{step}_fired"),
        named(names, "fired").alias(f"{step}_rule"),
        named(names, "doubted").alias(f"{step}_doubt"),
        pl.col("lacks").alias(f"{step}_lacks"),
    )


def named(values: Sequence[str | None], number: str) -> pl.Expr:
    """Give the value each number stands for."""
    return pl.col(number).replace_strict(dict(enumerate(values)), default=None, return_dtype=pl.String)


def lacks(facts: pl.DataFrame, found: pl.DataFrame, conditions: Sequence[Condition | None]) -> pl.DataFrame:
    """Give [row, lacks]: the facts that kept the rule `doubted` from being judged; few rows have such, so each rule looks at its own."""
    doubtful = found.filter(pl.col("doubted").is_not_null()).select("row", "doubted")
    empty = pl.DataFrame(schema={"row": pl.Int64(), "lacks": pl.String()})
    parts = [
        part.select("row").join(facts, on="row").select("row", lacks=missing_facts(conditions[int(number)]))
        for (number,), part in doubtful.partition_by("doubted", as_dict=True).items()
    ]
    return pl.concat([empty, *parts])


def free(facts: pl.DataFrame, rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Leave those of `facts` that nothing is chosen for in `column` of `rows` (in the same order)."""
    return facts.filter(rows[column].is_null())
