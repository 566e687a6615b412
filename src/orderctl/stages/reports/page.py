"""All reports as one HTML page that stands alone: no script, no request, the same bytes for the same input.

Invariant: the page holds figures, codes and product names, never a person's name, phone or address. Whatever a buyer
or a platform wrote is escaped by the template engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
import polars as pl

from orderctl.model.instant import parse_instant
from orderctl.model.money import exponents
from orderctl.model.table import Table
from orderctl.model.text import Locale, Text, visible
from orderctl.stages.reports import state
from orderctl.stages.reports.charts import Chart, charts_of
from orderctl.stages.reports.grouping import Report
from orderctl.stages.reports.material import Material
from orderctl.stages.reports.words import HEADINGS, decimal_text, name_of, to_table

MOST_ROWS = 100


@dataclass(frozen=True)
class State:
    """One piece of the strip of states: where it starts and how long it is, in percent."""

    code: str
    label: str
    count: int
    start: float
    percent: float


@dataclass(frozen=True)
class Section:
    """One report on the page: its drawings, and its table cut to `MOST_ROWS`."""

    table: Table
    charts: list[Chart]
    rows: list[list[tuple[str, str]]]
    more: int


def render_page(
    template: str,
    batch: Material,
    reports: Sequence[tuple[str, Report, pl.DataFrame]],
    *,
    locale: Locale,
    now: str,
) -> str:
    """Give the page.

    Args:
        template: text of the Jinja2 template.
        batch: what is reported on, for the figures on top.
        reports: name, report and rows, in the order of the page.
        locale: the reader's language.
        now: the instant (RFC 3339, UTC) the page is as of.
    """
    engine = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    days = batch.lines["day"].drop_nulls()

    def say(english: str, **values: object) -> str:
        return Text(english, **values).render(locale)

    page = engine.from_string(template).render(
        say=say,
        locale="zh-CN" if locale == "zh" else "en",
        moment=f"{parse_instant(now).astimezone(ZoneInfo(batch.zone)):%Y-%m-%d %H:%M} {batch.zone}",
        days=(days.min(), days.max()) if len(days) else None,
        tiles=list(_tiles(batch, locale)),
        states=_states(batch, locale),
        sections=[
            _section(name, report, frame, locale)
            for name, report, frame in reports
            if name != "state" and (name != "totals" or frame.height > 1)
        ],
    )
    return page + "\n"


def _tiles(batch: Material, locale: Locale) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Give the figures on top: heading, then figures with their units."""
    lines, sent = batch.lines, batch.states.filter("carries")
    counts = {
        "orders": lines["order_id"].n_unique() - int(lines["order_id"].has_nulls()),
        "shipments": sent["shipment_id"].n_unique(),
        "parcels": sent["parcels"].sum(),
        "pieces": lines["quantity"].sum(),
    }
    for name, count in counts.items():
        yield Text(HEADINGS[name]).render(locale), [(f"{count:,}", "")]
    for name, currency in (("goods", "currency"), ("freight", "freight_currency")):
        amounts = (
            lines.filter(pl.col(f"{name}_minor").is_not_null())
            .group_by(currency)
            .agg(pl.col(f"{name}_minor").sum())
        )
        written = amounts.sort(f"{name}_minor", currency, descending=[True, False]).select(
            decimal_text(pl.col(f"{name}_minor"), exponents(pl.col(currency))), currency
        )
        yield (
            Text(HEADINGS[name]).render(locale),
            [(grouped_digits(a), c or "") for a, c in written.iter_rows()] or [("–", "")],
        )


def _states(batch: Material, locale: Locale) -> list[State]:
    """Give the states with shipments in them, each with its part of the strip, from done to stuck."""
    rows = state.make(batch).filter(pl.col("shipments") > 0)
    total, start = int(rows["shipments"].sum()), 0
    found: list[State] = []
    for code, count in rows.select("state", "shipments").iter_rows():
        found.append(
            State(code, name_of("state", code, locale), count, start * 100 / total, count * 100 / total)
        )
        start += count
    return found


def _section(name: str, report: Report, frame: pl.DataFrame, locale: Locale) -> Section:
    table = to_table(name, report.title, frame.head(MOST_ROWS), locale, for_eyes=True)
    columns = [
        [cell(value, is_number=table.is_number(c)) for value in table.frame[c].to_list()]
        for c in table.frame.columns
    ]
    rows = [list(cells) for cells in zip(*columns, strict=True)]
    return Section(table, charts_of(report, frame, locale), rows, max(0, frame.height - MOST_ROWS))


def cell(value: Any, *, is_number: bool) -> tuple[str, str]:
    """Give a cell as its class and its text."""
    if value is None:
        return ("number none" if is_number else "none"), "–"
    if not is_number:
        return "", visible(value)
    text = grouped_digits(str(value))
    return ("number zero" if not text.strip("0.") else "number"), text


def grouped_digits(number: str) -> str:
    """Write decimal text with separators of thousands: 1234567.80 -> 1,234,567.80."""
    whole, point, decimals = number.partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}{point}{decimals}"
