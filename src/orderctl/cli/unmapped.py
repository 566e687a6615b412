"""The list of articles without a SKU, kept in one file that a person completes; and what another map would change.

What is completed in the file already is never touched: the list grows around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from orderctl.cli.mapping import mapped_blocks
from orderctl.cli.session import Session
from orderctl.cli.tabling import is_terminal, write_tables
from orderctl.model.errors import UsageError
from orderctl.model.instant import parse_instant
from orderctl.model.table import Table
from orderctl.model.text import Locale, Text
from orderctl.ports import batches
from orderctl.ports.sheets import csv_bytes, write_bytes, xlsx_bytes
from orderctl.ports.tables.numbered import read_numbered
from orderctl.stages.normalizing.skus import Articles, unlisted
from orderctl.stages.normalizing.skus_map import ARTICLE, SkuMap
from orderctl.stages.normalizing.skus_tables import CHINESE, parse_completed, parse_map
from orderctl.stages.normalizing.skus_unmapped import (
    all_changes,
    changes,
    to_complete,
    unmapped_articles,
    without,
)

NAMED_AT_MOST = 10
FORMS = (".csv", ".xlsx")


@dataclass
class Unmapped:
    """The articles without a SKU that went by, and the file they are to be listed in.

    `completed` holds the rows of that file that have a SKU already. Raises: UsageError, ConfigError, DataError.
    """

    target: str
    completed: pl.DataFrame = field(init=False)
    seen: list[pl.DataFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.target.lower().endswith(FORMS):
            raise UsageError(
                Text(
                    "--unmapped {path}: give a file that ends with {forms}",
                    path=self.target,
                    forms=" or ".join(FORMS),
                )
            )
        self.completed = pl.DataFrame(schema=dict.fromkeys(ARTICLE, pl.String()))
        if Path(self.target).exists():
            self.completed = parse_completed(read_numbered(self.target), self.target)

    def over(self, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Pass normalized orders on, keeping what of them is unmapped."""
        for frame in frames:
            self.seen.append(unmapped_articles(frame))
            yield frame

    def write(self, session: Session, known: Articles) -> None:
        """Write the file: first what is to be completed, then what is complete, and tell how many there are."""
        rows = without(to_complete(self.seen, known), self.completed)
        guessed = rows["candidate_1"].count()
        names = [*rows.columns, *(name for name in self.completed.columns if name not in rows.columns)]
        numbers = [name for name, dtype in rows.schema.items() if dtype.is_integer()]
        done = self.completed.with_columns(
            pl.col(name).cast(pl.Int64, strict=False) for name in numbers if name in self.completed.columns
        )
        whole = pl.concat([rows, done], how="diagonal").select(names)
        table = Table("unmapped", "SKU", whole, _headings(whole, session.console.locale))
        if self.target.lower().endswith(".csv"):
            data = csv_bytes(table, bom=True)
        else:
            data = xlsx_bytes([table], created=parse_instant(session.now))
        write_bytes(data, self.target)
        told = {"count": rows.height, "path": self.target, "guessed": guessed, "done": done.height}
        text = Text(
            "{path}: {count} articles without a SKU, {guessed} of them with a candidate; {done} are complete",
            **told,
        )
        session.console.say("summary", "skus.unmapped", text, **told)
        if known.catalogue.is_empty() and known.merchant_code_is_sku:
            text = Text("there is no catalogue, so every merchant code counts as a SKU and is not listed")
            session.console.say("warning", "skus.no_catalogue", text)
        _warn_of_unlisted(session, known)


def _warn_of_unlisted(session: Session, known: Articles) -> None:
    """Say which SKUs of the map nobody knows: most of them are typing mistakes."""
    if names := unlisted(known):
        shown = ", ".join(names[:NAMED_AT_MOST]) + (" ..." if len(names) > NAMED_AT_MOST else "")
        text = Text("{count} SKUs are not in the catalogue: {skus}", count=len(names), skus=shown)
        session.console.say("warning", "skus.unlisted", text, count=len(names), skus=names)


def _headings(frame: pl.DataFrame, locale: Locale) -> dict[str, str]:
    return {name: CHINESE.get(name, name) for name in frame.columns} if locale == "zh" else {}


def show_changes(session: Session, table: str, batch: str, rejects: str | None) -> None:
    """Print what the SKU table `table` would change for the raw records of `batch`, compared with the rules as they are.

    It takes the place of the table of the same file name that the rules name; if they name none, it goes first.
    """
    rules = session.book.normalize
    before = rules.known
    new = parse_map(read_numbered(table), table)
    tables = rules.map_tables()
    same = [name is not None and Path(name).name == Path(table).name for name, _ in tables]
    frames = [new if is_same else frame for is_same, (_, frame) in zip(same, tables, strict=True)]
    after = replace(before, map=SkuMap.of(frames if any(same) else [new, *frames]))
    decisions, refused = session.facts().decisions, session.rejects(rejects)
    with batches.open_source(batch) as source:
        found = [changes(orders, before, after, decisions) for orders in mapped_blocks(source, refused)]
    rows = all_changes(found)
    shown = Table("changes", "SKU", rows, _headings(rows, session.console.locale))
    write_bytes(write_tables([shown], to_terminal=is_terminal("-"), titles=False), "-")
    session.finish_rejects(refused)
    _warn_of_unlisted(session, after)
    counts = {kind: rows.filter(pl.col("change") == kind).height for kind in ("new", "other", "lost")}
    session.console.summary(
        Text("{new} articles get a SKU, {other} get another, {lost} lose theirs", **counts), **counts
    )
