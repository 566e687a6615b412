"""The score of an order: what was found, added up and told.

Invariant: the score is exactly the sum of the weights it names, cut at 100; what a person let pass counts nothing.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.problem import problem
from orderctl.stages.normalizing.audit_finding import STAGE
from orderctl.stages.rules.sections.audit import RISK, AuditSection, Risk

MOST = 100


def with_risk(orders: pl.DataFrame, section: AuditSection) -> pl.Series:
    """Give the column `problems` of `orders` (with `row`, `live` and `forced`), the score of each as its last problem.

    Of an order of which nothing is left to ship, or of which nothing counts, none is told.
    """
    asked = section.risk
    if asked is None:
        return orders["problems"]
    given = orders.filter(pl.col("problems").list.len() > 0)
    each = given.select("row", "live", "forced", problem="problems").explode("problem")
    scores = _scores(each.filter("live"), asked)
    if scores.is_empty():
        return orders["problems"]
    told = scores.select("row", problem=_problem(asked))
    # as a table of problems: putting one more into each list costs twenty times as much
    every = pl.concat([each.select("row", "problem"), told]).group_by("row", maintain_order=True)
    both = orders.select("row").join(
        every.agg(problems="problem"), on="row", how="left", maintain_order="left"
    )
    return both.select(pl.col("problems").fill_null([]))["problems"]


def _scores(each: pl.DataFrame, asked: Risk) -> pl.DataFrame:
    """Give (`row`, `forced`, `score`, `reasons`) of the rows of `each` (`row`, `forced`, `problem`) where something counts."""
    about = pl.col("problem").struct
    code = about.field("code")
    passed = (
        about.field("forceable")
        & (about.field("severity") == "info")
        & pl.col("forced").list.contains(code).fill_null(False)
    )
    weight = code.replace_strict(asked.weight, default=None, return_dtype=pl.Int64)
    counted = each.select("row", "forced", code=code, weight=pl.when(~passed).then(weight))
    counted = counted.drop_nulls("weight").unique(["row", "code"], maintain_order=True)
    heaviest = counted.sort(["row", "weight", "code"], descending=[False, True, False])
    reason = pl.concat_str("code", pl.lit(" "), "weight")
    return heaviest.group_by("row", maintain_order=True).agg(
        pl.col("forced").first(),
        score=pl.col("weight").sum().clip(upper_bound=MOST),
        reasons=reason.str.join(", "),
    )


def _problem(asked: Risk) -> pl.Expr:
    score = pl.col("score")
    severity = pl.when(score >= asked.review_from).then(pl.lit("warn")).otherwise(pl.lit("info"))
    if asked.block_from is not None:
        severity = pl.when(score >= asked.block_from).then(pl.lit("block")).otherwise(severity)
    forced = pl.col("forced").list.contains(RISK).fill_null(False)
    shown = pl.when(forced).then(pl.lit("info")).otherwise(severity)
    found = problem(RISK, stage=STAGE, score=score, reasons=pl.col("reasons"))
    return found.struct.with_fields(shown.alias("severity"))
