"""One check of the audit as data, and how many checks are made in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from orderctl.model.money import exponents
from orderctl.model.problem import KINDS, problem
from orderctl.stages.rules.sections.audit import AuditSection

STAGE = "normalize"


@dataclass(frozen=True)
class Finding:
    """A problem code, where it is found, the field it is about, and its parameters.

    `since` names a column of instants: who forced it before that instant has not seen what is there now.
    """

    code: str
    where: pl.Expr
    about: str | None = None
    params: Mapping[str, pl.Expr] = field(default_factory=dict)
    since: str | None = None


def found(judged: pl.DataFrame, section: AuditSection, findings: Sequence[Finding]) -> list[pl.DataFrame]:
    """Give a frame (`row`, `problem`) for every finding that is somewhere in `judged`, in the order of `findings`.

    All conditions are judged at once; what a problem says is built only where there is one. The severity is that of the
    rules, `info` where a person forced it (`forced` has the codes, `forced_at` the instant).
    """
    masks = judged.select(one.where.fill_null(False).alias(one.code) for one in findings)
    return [_built(judged.filter(masks[one.code]), section, one) for one in findings if masks[one.code].any()]


def _built(rows: pl.DataFrame, section: AuditSection, finding: Finding) -> pl.DataFrame:
    code = finding.code
    kind = KINDS[code]
    passed = pl.lit(kind.forceable) & pl.col("forced").list.contains(code).fill_null(False)
    if finding.since:
        passed &= pl.col("forced_at") >= pl.col(finding.since)
    shown = pl.when(passed).then(pl.lit("info")).otherwise(pl.lit(section.severity.get(code, kind.severity)))
    built = problem(code, stage=STAGE, field=finding.about, **finding.params)
    return rows.select("row", problem=built, shown=shown).select(
        "row", pl.col("problem").struct.with_fields(pl.col("shown").alias("severity"))
    )


def amount(minor: pl.Expr) -> pl.Expr:
    """Write minor units of the order's currency as decimal text."""
    exponent = exponents(pl.col("currency"))
    digits = minor.abs().cast(pl.String).str.zfill(exponent + 1)
    whole = digits.str.head(digits.str.len_bytes().cast(pl.Int64) - exponent)
    fraction = pl.when(exponent > 0).then(pl.lit(".") + digits.str.tail(exponent)).otherwise(pl.lit(""))
    return pl.when(minor < 0).then(pl.lit("-")).otherwise(pl.lit("")) + whole + fraction
