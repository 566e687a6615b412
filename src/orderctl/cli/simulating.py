"""`orderctl rules simulate`: past batches decided anew under two books of rules, block by block."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files

import polars as pl

from orderctl.cli.reporting import form_of, with_bom
from orderctl.cli.session import Session
from orderctl.cli.shipments import to_shipments
from orderctl.cli.tabling import is_terminal, write_tables
from orderctl.model.errors import UsageError
from orderctl.model.facts import Facts
from orderctl.model.instant import parse_instant, write_instant
from orderctl.model.text import Text
from orderctl.ports import batches
from orderctl.ports.sheets import csv_bytes, write_bytes, xlsx_bytes
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.sections.golden import SINCE
from orderctl.stages.simulating.comparing import added, side_by_side, summed
from orderctl.stages.simulating.dealing import SPLITS, splits
from orderctl.stages.simulating.page import Simulated, render_page
from orderctl.stages.simulating.replay import replay
from orderctl.stages.simulating.tables import NAMES, affected, listed, no_rows, tables_of
from orderctl.stages.simulating.times import routed_at
from orderctl.stages.simulating.words import to_table

FORMATS = ("table", "csv", "xlsx", "jsonl", "parquet", "html")
_ONE_TABLE = ("csv", "parquet")
_SHOWN = 20
"""How many affected shipments a table for reading shows, the greatest changes first."""
_PERHAPS = ("transit", "splits")
"""Tables that are left out where nothing tells them, unless they are asked for."""
_CARRIES = pl.col("lines").list.eval(pl.element().struct.field("quantity")).list.sum() > 0


@dataclass(frozen=True)
class Asked:
    """What is simulated: the batches, the old rules, whether pins count, and the time each shipment is judged at."""

    batches: Sequence[str]
    against: str
    pins: bool
    at: str


@dataclass(frozen=True)
class Target:
    """Where the answer goes and how; `bom` None means: in CSV files, not on stdout."""

    output: str
    format: str | None
    bom: bool | None
    by: Sequence[str]


@dataclass
class _Run:
    """A simulation on its way: what has been added up, who is affected, and what was left out.

    `dealt` are all shipments, kept where there is a stock to deal out to them.
    """

    session: Session
    since: str
    old: RuleBook
    new: RuleBook
    pins: Facts
    keep: bool
    sums: pl.DataFrame
    rows: list[pl.DataFrame]
    seen: pl.Series
    dealt: list[pl.DataFrame] | None
    repeated: int = 0
    empty: int = 0
    timeless: int = 0
    first: str | None = None
    last: str | None = None

    def take(self, shipments: pl.DataFrame) -> None:
        """Decide a block twice and add it up; a shipment that a later file had already is passed over."""
        fresh = self._fresh(shipments)
        if fresh.is_empty():
            return
        at = routed_at(fresh, self.since)
        self.timeless += at.null_count()
        at = at.fill_null(self.session.now)
        self.first = min(filter(None, (self.first, str(at.min()))))
        self.last = max(filter(None, (self.last, str(at.max()))))
        old, new = (replay(fresh, book, self.pins, at) for book in (self.old, self.new))
        compared = side_by_side(old, new, at)
        self.sums = added([self.sums, summed(compared)])
        if self.keep:
            self.rows.append(listed(compared))
        if self.dealt is not None:
            self.dealt.append(fresh)

    def splits(self) -> pl.DataFrame:
        """Deal the stock out to all shipments at once, at the time of the latest, under both rules."""
        if not self.dealt:
            return pl.DataFrame(schema=SPLITS)
        return splits(pl.concat(self.dealt), self.old, self.new, self.pins, self.last or self.session.now)

    def _fresh(self, shipments: pl.DataFrame) -> pl.DataFrame:
        carrying = shipments.filter(_CARRIES)
        self.empty += shipments.height - carrying.height
        # 64 bits a shipment: of a million, two share theirs once in thirty million runs
        marks = carrying["shipment_id"].hash(seed=7)
        fresh = carrying.filter(~marks.is_in(self.seen.implode()) & marks.is_first_distinct())
        self.repeated += carrying.height - fresh.height
        self.seen = pl.concat([self.seen, fresh["shipment_id"].hash(seed=7)])
        return fresh


def simulate(session: Session, asked: Asked, target: Target, rejects: str | None) -> None:
    """Decide past batches under the rules and under older ones, and write what that changes."""
    form = form_of(target.output, target.format, FORMATS)
    names = _names(target.by, form)
    at = _since(asked.at)
    facts = session.facts("history")
    if "splits" in target.by and facts.stock is None:
        hint = Text("give facts that hold one: --facts FILE")
        raise UsageError(Text("--by splits: there is no stock to deal out"), hint=hint)
    run = _Run(
        session=session,
        since=at,
        old=replace(session, rules_path=asked.against).book,
        new=session.book,
        pins=facts if asked.pins else replace(facts, decisions=Facts().decisions),
        keep="shipments" in names,
        sums=added([]),
        rows=[],
        seen=pl.Series(dtype=pl.UInt64),
        dealt=[] if facts.stock is not None and "splits" in names else None,
    )
    refused = session.rejects(rejects)
    for frame in _blocks(session, asked.batches, refused):
        run.take(frame)
    made = tables_of(run.sums, pl.concat([no_rows(), *run.rows]) if run.keep else None)
    made["splits"] = run.splits()
    told = {n: made[n] for n in names if n not in _PERHAPS or n in target.by or made[n].height}
    write_bytes(_written(run, told, form, target), target.output)
    session.finish_rejects(refused)
    _tell(run)


def _blocks(session: Session, paths: Sequence[str], refused: batches.Rejects) -> Iterator[pl.DataFrame]:
    """Give the shipments of all files, the last file first: what stands in several counts as it last was."""
    if paths.count("-") > 1:
        raise UsageError(Text("stdin can be read once only"))
    for path in reversed(paths):
        with batches.open_source(path) as source:
            for block in batches.read_blocks(source, ["shipment/1", "order/1"], refused):
                yield to_shipments(session, block, Facts())


def _names(asked: Sequence[str], form: str) -> tuple[str, ...]:
    """Give the tables wanted, in their order; a form that holds one takes the list of shipments by default."""
    for name in asked:
        if name not in NAMES:
            hint = Text("there are: {names}", names=", ".join(NAMES))
            raise UsageError(Text("--by {name}: no such report", name=name), hint=hint)
    chosen = tuple(name for name in NAMES if name in asked)
    if form in _ONE_TABLE and len(chosen) > 1:
        raise UsageError(
            Text("{form} holds one table, not {count}", form=form, count=len(chosen)),
            hint=Text("name one with --by, or write .xlsx, .html or .jsonl"),
        )
    return chosen or (("shipments",) if form in _ONE_TABLE else NAMES)


def _since(asked: str) -> str:
    if asked in SINCE:
        return asked
    try:
        return write_instant(parse_instant(asked))
    except ValueError as error:
        known = ", ".join(SINCE)
        raise UsageError(
            Text("--at {value}: give one of {known}, or an instant", value=asked, known=known)
        ) from error


def _written(run: _Run, made: dict[str, pl.DataFrame], form: str, target: Target) -> bytes:
    locale = run.session.console.locale
    if form == "parquet":
        (only,) = made.values()
        sink = io.BytesIO()
        only.write_parquet(sink, compression="zstd")
        return sink.getvalue()
    if form == "jsonl":
        rows = ({"table": name, **row} for name, frame in made.items() for row in frame.iter_rows(named=True))
        return "".join(
            json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows
        ).encode()
    if form == "html":
        return _page(run, made).encode()
    if form == "table":
        short = {name: frame.head(_SHOWN) if name == "shipments" else frame for name, frame in made.items()}
        tables = [to_table(name, frame, locale, for_eyes=True) for name, frame in short.items()]
        return write_tables(tables, to_terminal=is_terminal(target.output))
    tables = [to_table(name, frame, locale) for name, frame in made.items()]
    if form == "csv":
        return csv_bytes(tables[0], bom=with_bom(target.output, target.bom))
    return xlsx_bytes(tables, created=parse_instant(run.session.now))


def _page(run: _Run, made: dict[str, pl.DataFrame]) -> str:
    assets = files("orderctl.assets")
    base, own = (assets.joinpath(n).read_text("utf-8") for n in ("report.html.j2", "simulation.html.j2"))
    what = Simulated(
        old=run.old.source, new=run.new.source, zone=run.new.rules.timezone, sums=run.sums,
        first=run.first, last=run.last,
    )  # fmt: skip
    return render_page(base, own, what, made, locale=run.session.console.locale, now=run.session.now)


def _tell(run: _Run) -> None:
    console = run.session.console
    if run.repeated:
        text = Text("{count} shipments stand in several files and count once", count=run.repeated)
        console.say("summary", "simulate.repeated", text, count=run.repeated)
    if run.empty:
        text = Text("{count} shipments carry nothing and do not count", count=run.empty)
        console.say("info", "simulate.empty", text, count=run.empty)
    if run.timeless:
        text = Text("{count} shipments tell no time and were judged at {now}", count=run.timeless,
                    now=run.session.now)  # fmt: skip
        console.say("warning", "simulate.timeless", text, count=run.timeless)
    counts = {"shipments": int(run.sums["shipments"].sum()), "affected": affected(run.sums)}
    console.summary(Text("{shipments} shipments, {affected} affected", **counts), **counts)
