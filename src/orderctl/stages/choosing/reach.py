"""What a courier does not take, and notices, as tables joined with shipments.

An entry holds for a shipment when all that it names holds and the day lies within it; what a shipment does not tell
(a sealed street, a missing district) can make no entry hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from orderctl.stages.conditions.facts import Moment, comparable
from orderctl.stages.conditions.places import ENDINGS, written_as
from orderctl.stages.rules.sections.reach import WHERE, Notice, NotServed

FACTS = ("province", "city", "district", "town", "street", "trait")
"""The facts a shipment is looked up by."""
ENTRIES = pl.Schema(
    {
        "place": pl.String(),
        **dict.fromkeys(("courier", "service", *WHERE, "from", "until", "why"), pl.String()),
        "penalty": pl.Int64(),
    }
)
HITS = pl.Schema({"row": pl.Int64(), **ENTRIES})


def reach_frame(rows: Iterable[tuple[str, NotServed | Notice]]) -> pl.DataFrame:
    """Give entries (with the place each stands at) as columns ENTRIES."""
    plain = [{"place": place, "penalty": None, **entry.values()} for place, entry in rows]
    return pl.DataFrame(plain, schema=ENTRIES)


def hits(facts: pl.DataFrame, entries: pl.DataFrame, moment: Moment) -> pl.DataFrame:
    """Give every entry that holds for a row of `facts` (columns row and FACTS), as columns HITS, in order."""
    today = _holding(entries.with_row_index("entry"), moment)
    found = [
        _joined(facts, part.select("entry", *named), named)
        for named, part in _by_what_they_name(today)
        if part.height and facts.height
    ]
    pairs = pl.concat([pl.DataFrame(schema={"row": pl.Int64(), "entry": pl.UInt32()}), *found])
    return (
        pairs.unique()
        .sort("row", "entry")
        .join(today, on="entry", maintain_order="left")
        .select(HITS.names())
    )


def _holding(entries: pl.DataFrame, moment: Moment) -> pl.DataFrame:
    """Leave the entries that hold on the day of `moment`; without a moment those that hold always."""
    if moment.local is None:
        return entries.filter(pl.col("from").is_null() & pl.col("until").is_null())
    day = moment.local.date().isoformat()
    begun = pl.col("from").is_null() | (pl.col("from") <= day)
    lasts = pl.col("until").is_null() | (pl.col("until") >= day)
    return entries.filter(begun & lasts)


def _by_what_they_name(entries: pl.DataFrame) -> Iterator[tuple[list[str], pl.DataFrame]]:
    """Part the entries by the columns they fill, so that each part is one join."""
    filled = pl.concat_str([pl.col(n).is_not_null().cast(pl.Int8) for n in WHERE])
    for part in entries.with_columns(filled=filled).partition_by("filled", maintain_order=True):
        yield [name for name in WHERE if part[name][0] is not None], part


def _joined(facts: pl.DataFrame, entries: pl.DataFrame, named: Sequence[str]) -> pl.DataFrame:
    """Give [row, entry] of every pair that agrees in all the columns `named`."""
    if not named:
        return facts.select("row").join(entries, how="cross")
    for name in named:
        entries = entries.with_columns(_one_form(pl.col(name), name))
        if name in ENDINGS:
            entries = _with_names(entries, name)
    rows = facts.select("row", *(_looked_up(name, entries).alias(name) for name in named))
    for name in ("keyword", "trait"):
        if name in named:
            rows = rows.explode(name, empty_as_null=True)
    return rows.join(entries, on=list(named)).select("row", "entry")


def _one_form(name: pl.Expr, column: str) -> pl.Expr:
    if column == "province":
        return comparable(name, "province")
    if column == "city":
        return comparable(name, "city")
    return name.str.to_lowercase() if column == "keyword" else name


def _with_names(entries: pl.DataFrame, name: str) -> pl.DataFrame:
    """Give each entry once for every way its district or town may be written."""
    written = pl.Series(name, [written_as(name, value) for value in entries[name]], dtype=pl.List(pl.String))
    return entries.with_columns(written).explode(name, empty_as_null=True)


def _looked_up(name: str, entries: pl.DataFrame) -> pl.Expr:
    if name == "keyword":
        words = entries["keyword"].unique().sort()
        return pl.col("street").str.to_lowercase().str.extract_many(words.to_list(), overlapping=True)
    return _one_form(pl.col(name), name)
