"""Choosing rows and columns of the unified list, and writing them in the form asked for."""

from __future__ import annotations

import difflib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from orderctl.cli.reporting import form_of, with_bom
from orderctl.cli.session import Session
from orderctl.cli.tabling import is_terminal, write_tables
from orderctl.model.errors import UsageError
from orderctl.model.instant import parse_instant
from orderctl.model.money import exponents
from orderctl.model.table import Table
from orderctl.model.text import Text
from orderctl.ports import batches
from orderctl.ports.sheets import csv_bytes, write_bytes, xlsx_bytes
from orderctl.stages.reports.listing import COMPUTED, DEFAULT, PERSONAL, flat, listed, masked
from orderctl.stages.reports.words import decimal_text, headings_of, with_names

FORMATS = ("table", "csv", "xlsx", "jsonl", "parquet")


@dataclass(frozen=True)
class Choice:
    """What to show: columns (the default ones when there are none), which rows, in which order, how many."""

    columns: Sequence[str] = ()
    where: str | None = None
    sort: Sequence[str] = ()
    limit: int | None = None
    group_by: Sequence[str] = ()
    unmask: bool = False


def show_list(
    session: Session,
    batch: str,
    choice: Choice,
    output: str,
    format: str | None,
    rejects: str | None,
    bom: bool | None,
) -> None:
    """Read a batch and write the rows chosen."""
    form = form_of(output, format, FORMATS)
    refused = session.rejects(rejects)
    with batches.open_source(batch) as source:
        found = batches.read_whole(source, ["order/1", "shipment/1"], refused)
    shown = chosen(listed(found.frame, found.kind, session.console.locale), choice)
    write_bytes(_written(session, shown, form, is_terminal(output), with_bom(output, bom)), output)
    session.finish_rejects(refused)
    session.console.summary(
        Text("{shown} of {rows} rows", shown=shown.height, rows=found.frame.height),
        rows=found.frame.height,
        shown=shown.height,
    )


def chosen(rows: pl.DataFrame, choice: Choice) -> pl.DataFrame:
    """Give the rows and columns of a choice, in its order. Raises: UsageError if it names what is not there."""
    if choice.columns and choice.group_by:
        raise UsageError(Text("--columns and --group-by do not go together"))
    kept = rows if choice.where is None else _where(rows, choice.where)
    if choice.group_by:
        kept = _counted(kept, choice.group_by)
    kept = _sorted(kept, choice.sort)
    if choice.limit is not None:
        kept = kept.head(choice.limit)
    names = [*choice.group_by, "rows", "pieces"] if choice.group_by else list(choice.columns or DEFAULT)
    for name in names:
        _known(kept, name, "--columns")
        if name in PERSONAL and not choice.unmask:
            raise UsageError(
                Text("--columns {name}: shows people as they are", name=name),
                hint=Text("add --unmask if that is meant"),
            )
    if "total" in kept.columns and "currency" in kept.columns and not choice.group_by:
        kept = kept.with_columns(total=decimal_text(pl.col("total_minor"), exponents(pl.col("currency"))))
    shown = kept.select(names)
    return shown if choice.unmask else masked(shown)


def _known(rows: pl.DataFrame, name: str, option: str) -> str:
    if name in rows.columns:
        return name
    guess = next(iter(difflib.get_close_matches(name, [*COMPUTED, *rows.columns], n=1)), None)
    known = [c for c in rows.columns if c not in ("schema", *COMPUTED)]
    hint = (
        Text("did you mean {guess}?", guess=guess)
        if guess
        else Text("there are: {names}", names=", ".join([*COMPUTED, *known]))
    )
    raise UsageError(Text("{option} {name}: no such column", option=option, name=name), hint=hint)


def _where(rows: pl.DataFrame, condition: str) -> pl.DataFrame:
    """Keep the rows for which an SQL condition is true; unknown is not true."""
    try:
        test = pl.sql_expr(condition)
        for name in test.meta.root_names():
            _known(rows, name, "--where")
        return rows.filter(test)
    except pl.exceptions.PolarsError as error:
        why = str(error).splitlines()[0].split(": [")[0]  # what follows would be values of the batch
        raise UsageError(
            Text("--where {condition}: {why}", condition=condition, why=why),
            hint=Text("an SQL condition over the columns, such as: platform = 'taobao' AND pieces > 1"),
        ) from error


def _counted(rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    for name in names:
        if rows.schema[_known(rows, name, "--group-by")].is_nested():
            raise UsageError(Text("--group-by {name}: holds lists, not single values", name=name))
    counted = rows.group_by(names).agg(rows=pl.len().cast(pl.Int64), pieces=pl.col("pieces").sum())
    return counted.sort(-pl.col("rows"), *names, nulls_last=True)


def _sorted(rows: pl.DataFrame, wanted: Sequence[str]) -> pl.DataFrame:
    """Sort by columns, each `NAME` or `NAME:desc`; rows without a value come last, equal ones stay in order."""
    keys = [(name, order) for name, _, order in (text.partition(":") for text in wanted)]
    for name, order in keys:
        if order not in ("", "asc", "desc") or rows.schema[_known(rows, name, "--sort")].is_nested():
            raise UsageError(
                Text("--sort {value}: give NAME or NAME:desc of a single value", value=f"{name}:{order}")
            )
    if not keys:
        return rows
    falling = [order == "desc" for _, order in keys]
    return rows.sort([name for name, _ in keys], descending=falling, nulls_last=True, maintain_order=True)


def _written(session: Session, shown: pl.DataFrame, form: str, to_terminal: bool, bom: bool) -> bytes:
    locale = session.console.locale
    if form == "parquet":
        sink = io.BytesIO()
        shown.write_parquet(sink, compression="zstd")
        return sink.getvalue()
    if form == "jsonl":
        lines = shown.select(pl.struct(pl.all()).struct.json_encode()).to_series().to_list()
        return "".join(line + "\n" for line in lines).encode()
    cells = flat(shown)
    if form == "table":
        cells = with_names(cells, locale)
    title = Text("Order list").render(locale)
    decimals = frozenset({"total"} & set(cells.columns))
    table = Table("view", title, cells, headings_of(cells, locale), decimals)
    if form == "csv":
        return csv_bytes(table, bom=bom)
    if form == "xlsx":
        return xlsx_bytes([table], created=parse_instant(session.now))
    return write_tables([table], to_terminal=to_terminal, titles=False)
