"""Making reports and writing them in the form asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files

import polars as pl

from orderctl.cli.session import Session
from orderctl.cli.shipments import read_frame
from orderctl.cli.tabling import is_terminal, write_tables
from orderctl.model.errors import UsageError
from orderctl.model.instant import parse_instant
from orderctl.model.text import Text
from orderctl.ports.sheets import csv_bytes, write_bytes, xlsx_bytes
from orderctl.stages.reports import OVERVIEW, PAGE, Material, Report, find
from orderctl.stages.reports.page import render_page
from orderctl.stages.reports.words import to_table

FORMATS = ("table", "csv", "xlsx", "jsonl", "html")


@dataclass(frozen=True)
class Made:
    """A report that was made: its name, what it is, and its rows as figures."""

    name: str
    report: Report
    frame: pl.DataFrame


@dataclass(frozen=True)
class Wanted:
    """What is reported on, where it goes and how; `bom` None means: in CSV files, not on stdout."""

    material: Material
    output: str
    bom: bool | None


def make_reports(
    session: Session,
    batch: str,
    names: Sequence[str],
    output: str,
    format: str | None,
    rejects: str | None,
    bom: bool | None,
) -> None:
    """Read a batch and write the reports called `names`, an overview when there are none."""
    form = form_of(output, format, FORMATS)
    chosen = dict(find(name) for name in names or (PAGE if form in ("xlsx", "html") else OVERVIEW))
    if form == "csv" and len(chosen) > 1:
        raise UsageError(
            Text("CSV holds one report, not {count}", count=len(chosen)),
            hint=Text("name one with --by, or write .xlsx, .html or .jsonl"),
        )
    refused = session.rejects(rejects)
    material = Material(read_frame(session, batch, refused), session.config.time_zone)
    made = [Made(name, report, report.make(material)) for name, report in chosen.items()]
    write_bytes(_WRITERS[form](session, made, Wanted(material, output, bom)), output)
    session.finish_rejects(refused)
    text = Text("{shipments} rows, {reports} reports", shipments=material.shipments.height, reports=len(made))
    session.console.summary(text, rows=material.shipments.height, reports=len(made))


def form_of(output: str, asked: str | None, known: Sequence[str]) -> str:
    """Choose the form: the one asked for, else by the ending of the file's name, else a table. Raises: UsageError."""
    ending = output.rpartition(".")[2].lower()
    found = asked or (ending if ending in known else "table")
    if found not in known:
        raise UsageError(Text("--format {value}: give one of {known}", value=found, known=", ".join(known)))
    return found


def with_bom(output: str, asked: bool | None) -> bool:
    """Decide on the byte order mark of a CSV: as asked, else for files, which are opened in Excel."""
    return output != "-" if asked is None else asked


def _as_table(session: Session, made: Sequence[Made], wanted: Wanted) -> bytes:
    locale = session.console.locale
    tables = [to_table(m.name, m.report.title, m.frame, locale, for_eyes=True) for m in made]
    return write_tables(tables, to_terminal=is_terminal(wanted.output))


def _as_csv(session: Session, made: Sequence[Made], wanted: Wanted) -> bytes:
    (only,) = made
    table = to_table(only.name, only.report.title, only.frame, session.console.locale)
    return csv_bytes(table, bom=with_bom(wanted.output, wanted.bom))


def _as_xlsx(session: Session, made: Sequence[Made], _: Wanted) -> bytes:
    tables = [to_table(m.name, m.report.title, m.frame, session.console.locale) for m in made]
    return xlsx_bytes(tables, created=parse_instant(session.now))


def _as_jsonl(_: Session, made: Sequence[Made], __: Wanted) -> bytes:
    rows = ({"report": m.name, **row} for m in made for row in m.frame.iter_rows(named=True))
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows).encode()


def _as_html(session: Session, made: Sequence[Made], wanted: Wanted) -> bytes:
    template = files("orderctl.assets").joinpath("report.html.j2").read_text(encoding="utf-8")
    parts = [(m.name, m.report, m.frame) for m in made]
    page = render_page(template, wanted.material, parts, locale=session.console.locale, now=session.now)
    return page.encode()


_WRITERS: dict[str, Callable[[Session, Sequence[Made], Wanted], bytes]] = {
    "table": _as_table,
    "csv": _as_csv,
    "xlsx": _as_xlsx,
    "jsonl": _as_jsonl,
    "html": _as_html,
}
