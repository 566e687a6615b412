"""The list of articles without a SKU, kept in one file that a person completes; and what another map would change.

What is completed in the file already is never touched: the list grows around it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
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
from orderctl.stages.normalizing.skus_tables import CANDIDATES, CHINESE, parse_list, parse_map
from orderctl.stages.normalizing.skus_unmapped import (
    all_changes,
    changes,
    to_complete,
    unmapped_articles,
    with_typed,
)
from orderctl.stages.rules.book import RuleBook

NAMED_AT_MOST = 10
FORMS = (".csv", ".xlsx")
_EMPTY = pl.Schema(dict.fromkeys((*ARTICLE, "sku", "pieces", "pack"), pl.String()))


@dataclass
class Unmapped:
    """The articles without a SKU that went by, and the file they are to be listed in.

    `listed` holds the rows of that file as a person left it. Raises: UsageError, ConfigError, DataError.
    """

    target: str
    listed: pl.DataFrame = field(init=False)
    seen: list[pl.DataFrame] = field(default_factory=list)
    orders: int = 0

    def __post_init__(self) -> None:
        if not self.target.lower().endswith(FORMS):
            raise UsageError(
                Text(
                    "--unmapped {path}: give a file that ends with {forms}",
                    path=self.target,
                    forms=" or ".join(FORMS),
                )
            )
        self.listed = pl.DataFrame(schema=_EMPTY)
        if Path(self.target).exists():
            self.listed = parse_list(read_numbered(self.target), self.target)

    def over(self, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Pass normalized orders on, keeping what of them is unmapped."""
        for frame in frames:
            found, waiting = unmapped_articles(frame)
            self.seen.append(found)
            self.orders += waiting
            yield frame

    def write(self, session: Session) -> None:
        """Write the file: first what is to be completed, then what is complete; tell how many, and what comes next."""
        known = session.book.normalize.known
        rows = with_typed(to_complete(self.seen, known), self.listed)
        done = self.listed.filter(pl.col("sku").is_not_null())
        numbers = [name for name, dtype in rows.schema.items() if dtype.is_integer()]
        cast = [pl.col(name).cast(pl.Int64, strict=False) for name in numbers if name in done.columns]
        whole = pl.concat([rows, done.with_columns(cast)], how="diagonal").select(rows.columns)
        locale = session.console.locale
        table = Table("unmapped", "SKU", whole, _headings(whole, locale))
        if self.target.lower().endswith(".csv"):
            data = csv_bytes(replace(table, frame=_shielded(whole)), bom=True)
        else:
            choices = known.catalogue.select("sku", "name")
            sheets = [
                table,
                Table("catalogue", Text("catalogue").render(locale), choices, _headings(choices, locale)),
            ]
            data = xlsx_bytes(sheets[: 1 if choices.is_empty() else 2], created=parse_instant(session.now))
        write_bytes(data, self.target)
        told = {
            "path": self.target, "count": rows.height, "orders": self.orders,
            "guessed": rows["candidate_1"].count(), "done": done.height,
        }  # fmt: skip
        text = Text(
            "{path}: {count} articles of {orders} orders have no SKU, {guessed} of them have candidates; {done} are complete",
            **told,
        )
        session.console.say("summary", "skus.unmapped", text, **told)
        self._say_what_is_next(session, whole, rows.height)
        if known.catalogue.is_empty() and known.merchant_code_is_sku:
            text = Text("there is no catalogue, so every merchant code counts as a SKU and is not listed")
            session.console.say("warning", "skus.no_catalogue", text)
        _warn_of_unlisted(session, known, _lines_of(self.target, whole))

    def _say_what_is_next(self, session: Session, whole: pl.DataFrame, waiting: int) -> None:
        heading = _headings(whole, session.console.locale)
        names = {name: heading.get(name, name) for name in ("sku", "choose", "pieces")}
        if waiting:
            text = Text(
                "next: fill in {sku}, or in {choose} the number of a candidate, and {pieces} of a pack; then run this again",
                **names,
            )
            session.console.say("summary", "skus.next", text)
        if waiting < whole.height and not _is_named(session.book, self.target):
            text = Text(
                "the rules do not name {path}: what is completed there counts once they say 'map: {path}' under skus",
                path=self.target,
            )
            session.console.say("warning", "skus.not_named", text, path=self.target)
        packs = whole.with_row_index("line", 2).filter(
            pl.col("sku").is_not_null() & pl.col("pack").is_not_null() & pl.col("pieces").is_null()
        )
        if packs.height:
            text = Text(
                "{path}: {count} complete rows look like packs and count as one piece, since {pieces} is empty: lines {lines}",
                path=self.target, count=packs.height, pieces=names["pieces"], lines=_few(packs["line"].to_list()),
            )  # fmt: skip
            session.console.say("warning", "skus.packs", text, lines=packs["line"].to_list())


def _shielded(rows: pl.DataFrame) -> pl.DataFrame:
    """Give texts that a spreadsheet would take out of a CSV as numbers or dates a leading `'`, taken away when read.

    Else it makes `4.3E+12` of an id, 12 of `0012` and a day in March of the size `3-4`.
    """
    texts = [
        n
        for n in (*ARTICLE, "sku", *(f"candidate_{at}" for at in range(1, CANDIDATES + 1)))
        if n in rows.columns
    ]
    return rows.with_columns(pl.col(texts).str.replace(r"^([0-9][0-9.,/:+eE -]*)$", "'$1"))


def say_how_to_map(session: Session, orders: int) -> None:
    """Tell that orders wait for a SKU, and the command that lists their articles."""
    text = Text(
        "{orders} orders have articles without a SKU: list them with orderctl normalize --unmapped skus.xlsx",
        orders=orders,
    )
    session.console.say("summary", "skus.waiting", text, orders=orders)


def _is_named(book: RuleBook, target: str) -> bool:
    """Tell whether the rules name the file `target` as a table of the map, wherever the rules themselves are."""
    return Path(target).name in {Path(name).name for name, _ in book.normalize.map_tables() if name}


def _lines_of(source: str, rows: pl.DataFrame) -> dict[str, str]:
    """Give, for each SKU of a table that is being written, the first place where it stands."""
    first = rows.with_row_index("line", 2).drop_nulls("sku").unique("sku", keep="first", maintain_order=True)
    return {sku: f"{source}:{line}" for sku, line in first.select("sku", "line").rows()}


def _warn_of_unlisted(session: Session, known: Articles, places: dict[str, str]) -> None:
    """Say which SKUs of the map nobody knows, where they stand and what was meant: most of them are typing mistakes."""
    names = unlisted(known)
    if not names:
        return
    listed = known.catalogue["sku"].to_list()
    folded = {sku.lower(): sku for sku in listed}
    told = []
    for name in names[:NAMED_AT_MOST]:
        near = difflib.get_close_matches(name.lower(), folded, n=1)
        place = f" ({places[name]})" if name in places else ""
        meant = f" -> {folded[near[0]]}?" if near else ""
        told.append(f"{name}{place}{meant}")
    shown = ", ".join(told) + (" ..." if len(names) > NAMED_AT_MOST else "")
    text = Text(
        "{count} SKUs are not in the catalogue: {skus}; correct them, or add them there (a set of several to skus.bundles)",
        count=len(names), skus=shown,
    )  # fmt: skip
    session.console.say("warning", "skus.unlisted", text, count=len(names), skus=names)


def _few(lines: Sequence[int]) -> str:
    return ", ".join(map(str, lines[:NAMED_AT_MOST])) + (" ..." if len(lines) > NAMED_AT_MOST else "")


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
    _warn_of_unlisted(session, after, {})
    counts = {kind: rows.filter(pl.col("change") == kind).height for kind in ("new", "other", "lost")}
    session.console.summary(
        Text("{new} articles get a SKU, {other} get another, {lost} lose theirs", **counts), **counts
    )
