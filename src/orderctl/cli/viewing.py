"""Choosing rows and columns of the unified list, and writing them in the form asked for."""

from __future__ import annotations

import difflib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from orderctl.cli.paging import show_paged
from orderctl.cli.reporting import form_of, with_bom
from orderctl.cli.session import Session
from orderctl.cli.tabling import is_terminal, write_tables
from orderctl.model.errors import UsageError
from orderctl.model.instant import parse_instant
from orderctl.model.money import exponents
from orderctl.model.table import Table
from orderctl.model.text import Locale, Text
from orderctl.ports import batches
from orderctl.ports.sheets import csv_bytes, write_bytes, xlsx_bytes
from orderctl.stages.reports.adding import FREIGHT, TOTAL, added_up
from orderctl.stages.reports.listing import (
    ALIASES,
    COMPUTED,
    DEFAULT,
    PERSONAL,
    PHONE_TAIL,
    SEARCHED,
    containing,
    flat,
    listed,
    masked,
)
from orderctl.stages.reports.words import decimal_text, headings_of, with_names

FORMATS = ("table", "csv", "xlsx", "jsonl", "parquet")
_ONE_TABLE = ("csv", "parquet")
_PHONE = range(PHONE_TAIL + 1, 14)


@dataclass(frozen=True)
class Choice:
    """What to show: columns (the default ones when there are none), which rows, in which order, how many.

    `group_by` holds groupings, each a table of its own; `total` adds the row over all.
    """

    columns: Sequence[str] = ()
    where: str | None = None
    find: Sequence[str] = ()
    sort: Sequence[str] = ()
    limit: int | None = None
    group_by: Sequence[Sequence[str]] = ()
    total: bool = False
    unmask: bool = False

    @property
    def counts(self) -> bool:
        """Whether rows are added up instead of listed."""
        return bool(self.group_by) or self.total


@dataclass(frozen=True)
class Target:
    """Where the list goes and how; `bom` None means: in CSV files, not on stdout."""

    output: str
    format: str | None
    bom: bool | None
    pager: bool = True


def show_list(session: Session, batch: str, choice: Choice, target: Target, rejects: str | None) -> None:
    """Read a batch and write the rows chosen."""
    form = form_of(target.output, target.format, FORMATS)
    if form in _ONE_TABLE and len(choice.group_by) > 1:
        raise UsageError(
            Text("{form} holds one table, not {count}", form=form, count=len(choice.group_by)),
            hint=Text("give --group-by once, with commas between the columns, or write .xlsx or .jsonl"),
        )
    refused = session.rejects(rejects)
    with batches.open_source(batch) as source:
        found = batches.read_whole(source, ["order/1", "shipment/1"], refused)
    locale = session.console.locale
    rows = chosen(listed(found.frame, found.kind, locale), choice, locale)
    frames = shown(rows, choice)
    data = _written(session, frames, choice, form, target)
    if not (form == "table" and target.pager and is_terminal(target.output) and show_paged(data)):
        write_bytes(data, target.output)
    session.finish_rejects(refused)
    session.console.summary(
        Text("{shown} of {rows} rows", shown=sum(f.height for f in frames), rows=found.frame.height),
        rows=found.frame.height,
        shown=sum(f.height for f in frames),
    )
    if rows.is_empty() and any(one.isdecimal() and len(one) in _PHONE for one in choice.find):
        text = Text(
            "phones are looked for by their last four digits; a whole number is compared with --where"
        )
        session.console.say("summary", "view.phones", text)


def chosen(rows: pl.DataFrame, choice: Choice, locale: Locale) -> pl.DataFrame:
    """Give the rows of a list that a choice asks for. Raises: UsageError if it names what is not there."""
    if choice.columns and choice.counts:
        raise UsageError(Text("--columns and --group-by do not go together"))
    kept = rows if choice.where is None else _where(rows, choice.where)
    for text in choice.find:
        names = dict.fromkeys([*SEARCHED, *(() if choice.counts else _names(choice))])
        cells = flat(_columns(kept, choice, list(names)), for_eyes=True)
        kept = containing(kept, with_names(cells, locale).select(pl.all().cast(pl.String)), text)
    return kept


def shown(rows: pl.DataFrame, choice: Choice) -> list[pl.DataFrame]:
    """Give the tables to show: the rows in the order, number and columns of the choice, or what they add up to."""
    if choice.counts:
        return [_added_up(rows, names, choice) for names in choice.group_by or [()]]
    rows = _sorted(rows, choice.sort)
    kept = rows if choice.limit is None else rows.head(choice.limit)
    return [_columns(kept, choice, _names(choice))]


def _names(choice: Choice) -> list[str]:
    """Give the columns asked for; `+NAME` adds to the default ones, an alias stands for several."""
    added = any(name.startswith("+") for name in choice.columns)
    asked = [name.removeprefix("+") for name in choice.columns]
    wanted = [one for name in asked for one in ALIASES.get(name, (name,))]
    return list(dict.fromkeys([*(DEFAULT if added or not wanted else ()), *wanted]))


def _columns(rows: pl.DataFrame, choice: Choice, names: Sequence[str]) -> pl.DataFrame:
    for name in names:
        _showable(rows, name, "--columns", choice)
    if "total" in rows.columns:
        rows = rows.with_columns(
            total=decimal_text(pl.col("total_minor"), exponents(pl.col("currency"))),
            freight=decimal_text(pl.col("freight_minor"), exponents(pl.col("freight_currency"))),
            weight_kg=decimal_text(pl.col("weight_g"), pl.lit(3)),
        )
    kept = rows.select(names)
    return kept if choice.unmask else masked(kept)


def _showable(rows: pl.DataFrame, name: str, option: str, choice: Choice) -> None:
    _known(rows, name, option)
    if name in PERSONAL and not choice.unmask:
        raise UsageError(
            Text("{option} {name}: shows people as they are", option=option, name=name),
            hint=Text("add --unmask if that is meant"),
        )


def _added_up(rows: pl.DataFrame, names: Sequence[str], choice: Choice) -> pl.DataFrame:
    for name in names:
        _showable(rows, name, "--group-by", choice)
        if rows.schema[name].is_nested():
            raise UsageError(Text("--group-by {name}: holds lists, not single values", name=name))
    found = _sorted(added_up(rows, names), choice.sort)
    if choice.limit is not None:
        found = found.head(choice.limit)
    if not choice.unmask:
        found = masked(found)
    if choice.total and names:
        found = pl.concat([found, added_up(rows, ())], how="diagonal")
    return found


def _known(rows: pl.DataFrame, name: str, option: str) -> str:
    if name in rows.columns:
        return name
    listing = "id" in rows.columns
    computed = [*COMPUTED, *ALIASES] if listing else []
    known = [*computed, *(c for c in rows.columns if c not in ("schema", *COMPUTED))]
    guess = next(iter(difflib.get_close_matches(name, known, n=1)), None)
    hint = (
        Text("did you mean {guess}?", guess=guess)
        if guess
        else Text("there are: {names}", names=", ".join(known))
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


def _written(
    session: Session, frames: Sequence[pl.DataFrame], choice: Choice, form: str, target: Target
) -> bytes:
    locale = session.console.locale
    if form == "parquet":
        sink = io.BytesIO()
        frames[0].write_parquet(sink, compression="zstd")
        return sink.getvalue()
    if form == "jsonl":
        lines = [line for frame in frames for line in _json_lines(frame)]
        return "".join(line + "\n" for line in lines).encode()
    tables = list(_tables(frames, choice, form, locale))
    if form == "csv":
        return csv_bytes(tables[0], bom=with_bom(target.output, target.bom))
    if form == "xlsx":
        return xlsx_bytes(tables, created=parse_instant(session.now))
    return write_tables(tables, to_terminal=is_terminal(target.output), titles=len(tables) > 1)


def _json_lines(frame: pl.DataFrame) -> list[str]:
    lines: list[str] = frame.select(pl.struct(pl.all()).struct.json_encode()).to_series().to_list()
    return lines


def _tables(frames: Sequence[pl.DataFrame], choice: Choice, form: str, locale: Locale) -> Iterator[Table]:
    """Give the frames as tables for people; the row over all says so where it has nothing else to say."""
    groupings = choice.group_by or [()]
    for frame, names in zip(frames, groupings, strict=True):
        cells = flat(frame, for_eyes=form != "csv")
        if form == "table":
            cells = with_names(cells, locale)
        if choice.total and names and form != "csv":
            is_last = pl.int_range(pl.len()) == pl.len() - 1
            words = pl.when(is_last).then(pl.lit(Text("all").render(locale)))
            cells = cells.with_columns(words.otherwise(pl.col(names[0]).cast(pl.String)).alias(names[0]))
        headings = headings_of(cells, locale) | _money_headings(cells, locale)
        title = Text("By {names}", names=", ".join(headings.get(n, n) for n in names)) if names else _TITLE
        decimals = frozenset(name for name in cells.columns if _is_decimal(name))
        yield Table("view", title.render(locale), cells, headings, decimals)


_TITLE = Text("Order list")


def _is_decimal(name: str) -> bool:
    money = name.startswith((TOTAL, FREIGHT)) and name.rpartition("_")[2].isupper()
    return money or name in ("total", "freight", "weight_kg")


def _money_headings(frame: pl.DataFrame, locale: Locale) -> dict[str, str]:
    """Give the headings of the sums of each currency: `Total CNY`."""
    words = {TOTAL: Text("Total").render(locale), FREIGHT: Text("Freight").render(locale)}
    return {
        name: f"{words[start]} {name.removeprefix(start)}"
        for name in frame.columns
        for start in words
        if name.startswith(start) and _is_decimal(name)
    }
