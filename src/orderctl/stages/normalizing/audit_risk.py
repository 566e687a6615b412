"""The score of an order: what was found, added up and told.

Invariant: the score is exactly the sum of the weights it names, cut at 100; what a person let pass counts nothing.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.problem import KINDS, problem
from orderctl.stages.normalizing.audit_finding import STAGE
from orderctl.stages.rules.sections.audit import RISK, AuditSection

MOST = 100


def with_risk(orders: pl.DataFrame, section: AuditSection) -> pl.Series:
    """Give the column `problems` of `orders` (with `row`, `live` and `forced`), the score of each as its last problem.

    Of an order of which nothing is left to ship, or of which nothing counts, none is told.
    """
    asked = section.risk
    if asked is None:
        return orders["problems"]
    about = pl.col("problem").struct
    code = about.field("code")
    live = orders.filter(pl.col("live") & (pl.col("problems").list.len() > 0))
    each = live.select("row", "forced", problem="problems").explode("problem")
    weight = code.replace_strict(asked.weight, default=None, return_dtype=pl.Int64)
    passed = (
        about.field("forceable")
        & pl.col("forced").list.contains(code).fill_null(False)
        & (about.field("severity") == "info")
    )
    counted = each.select("row", code=code, weight=pl.when(~passed).then(weight)).drop_nulls("weight")
    counted = counted.unique(["row", "code"], maintain_order=True).sort(
        ["row", "weight", "code"], descending=[False, True, False]
    )
    if counted.is_empty():
        return orders["problems"]
    reason = pl.concat_str("code", pl.lit(" "), "weight")
    scores = counted.group_by("row", maintain_order=True).agg(
        score=pl.col("weight").sum().clip(upper_bound=MOST), reasons=reason.str.join(", ")
    )
    scored = scores.join(orders.select("row", "forced"), on="row", how="left", maintain_order="left")
    scored = scored.with_columns(risk=_problem(section))
    both = orders.select("row", "problems").join(
        scored.select("row", "risk"), on="row", how="left", maintain_order="left"
    )
    added = (
        pl.when(pl.col("risk").is_not_null()).then(pl.concat_list("problems", "risk")).otherwise("problems")
    )
    return both.select(problems=added)["problems"]


def _problem(section: AuditSection) -> pl.Expr:
    asked = section.risk
    assert asked is not None
    score = pl.col("score")
    severity = pl.when(score >= asked.review_from).then(pl.lit("warn")).otherwise(pl.lit("info"))
    if asked.block_from is not None:
        severity = pl.when(score >= asked.block_from).then(pl.lit("block")).otherwise(severity)
    assert KINDS[RISK].forceable
    forced = pl.col("forced").list.contains(RISK).fill_null(False)
    shown = pl.when(forced).then(pl.lit("info")).otherwise(severity)
    found = problem(RISK, stage=STAGE, score=score, reasons=pl.col("reasons"))
    return found.struct.with_fields(shown.alias("severity"))
