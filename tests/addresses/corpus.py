"""The corpus of hard addresses: what is given, what should come out, and how well it does.

`corpus.csv`: `kind`, `levels` (province|city|district as a platform gives them, or nothing), `given` (the text, which
goes into the street), `name` and `phone` of the recipient; then the expected levels, `street`, `then_phone`
(`number-extension`, where it changes) and `findings` (codes, `-` where the case is not about them). Streets and people
are invented, regions are real.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from orderctl.model.facts import Facts
from orderctl.stages.normalize import NormalizeRules, normalize
from orderctl.stages.rules.sections.audit import AuditSection
from tests.stages.samples import order, orders

CORPUS = Path(__file__).parent / "corpus.csv"
LEVELS = ("province", "city", "district", "town")
FIELDS = (*LEVELS, "street")
NOW = "2026-11-24T00:00:00Z"


def cases() -> pl.DataFrame:
    """Give the corpus, empty cells null."""
    return pl.read_csv(CORPUS, infer_schema=False)


def second() -> pl.DataFrame:
    """Give the second set, written when the rules were done (docs/addresses.md tells its first reading); levels only."""
    rows = pl.read_csv(CORPUS.with_name("second.csv"), infer_schema=False)
    blank = [pl.lit(None, dtype=pl.String).alias(name) for name in ("levels", "phone", "town", "street")]
    return rows.with_columns(*blank, name=pl.lit("测试甲"))


def batch(rows: pl.DataFrame) -> pl.DataFrame:
    """Give the cases as orders, as a mapper would hand them over."""
    made = []
    for at, row in enumerate(rows.iter_rows(named=True)):
        levels = (row["levels"] or "||").split("|")
        recipient = dict(zip(LEVELS[:3], [level or None for level in levels], strict=True))
        recipient |= {"street": row["given"], "name": row["name"], "phone": row["phone"]}
        made.append(order(str(at), recipient=recipient))
    return orders(*made)


def outcome(batch: pl.DataFrame) -> pl.DataFrame:
    """Give what `normalize` makes of a batch; what an address lacks is the audit's business and not looked for."""
    reading_only = NormalizeRules(audit=AuditSection(off=["address_incomplete"]))
    return normalize(batch, reading_only, Facts(key=b"key"), NOW)


class Miss(NamedTuple):
    """One cell that came out otherwise."""

    kind: str
    given: str
    field: str
    expected: str | None
    found: str | None


def codes(row: dict[str, object]) -> str:
    """Name the findings about the address of an order."""
    problems: list[dict[str, str]] = row["problems"]  # type: ignore[assignment]
    about = {
        p["code"] for p in problems if p["code"].startswith("address_") or p["code"].endswith("_in_address")
    }
    return " ".join(sorted(about))


def misses(rows: pl.DataFrame, found: pl.DataFrame) -> Iterator[Miss]:
    """Compare every cell of the cases with what was found."""
    for want, row in zip(rows.to_dicts(), found.to_dicts(), strict=True):
        got = row["recipient"]
        for field in FIELDS:
            if got[field] != want[field]:
                yield Miss(want["kind"], want["given"], field, want[field], got[field])
        dialled = "-".join(part for part in (got["phone"], got["phone_ext"]) if part)
        if want["then_phone"] and dialled != want["then_phone"]:
            yield Miss(want["kind"], want["given"], "phone", want["then_phone"], dialled)
        if want["findings"] != "-" and codes(row) != (want["findings"] or ""):
            yield Miss(want["kind"], want["given"], "findings", want["findings"], codes(row))


class Score(NamedTuple):
    """How many values of a field were given, wanted, and right."""

    given: int
    wanted: int
    right: int

    @property
    def precision(self) -> float:
        """Of what was given, the share that is right."""
        return self.right / self.given if self.given else 1.0

    @property
    def recall(self) -> float:
        """Of what was wanted, the share that was given rightly."""
        return self.right / self.wanted if self.wanted else 1.0


def scores(rows: pl.DataFrame, found: pl.DataFrame, fields: tuple[str, ...] = FIELDS) -> dict[str, Score]:
    """Give the score of each of `fields`."""
    recipient = found.select(pl.col("recipient").struct.unnest())
    told = {}
    for field in fields:
        got, want = recipient[field], rows[field]
        right = (got == want).fill_null(False)
        told[field] = Score(len(got) - got.null_count(), len(want) - want.null_count(), int(right.sum()))
    return told
