"""What the page draws of a report: bars with their lengths in percent, so that the drawing itself has no arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from orderctl.model.money import written
from orderctl.model.text import Locale, Text, visible
from orderctl.stages.reports.grouping import Measure, Report
from orderctl.stages.reports.words import HEADINGS, name_of

TOP = 12
MOST_DAYS = 62
_CHARACTERS = 48
_CURRENCY_OF = {"goods_minor": "currency", "freight_minor": "freight_currency"}


@dataclass(frozen=True)
class Bar:
    """One bar: `percent` of the longest, 0 to 100, with one decimal; `detail` says more about the label.

    `is_rest`: all rows too small for a bar of their own, together.
    """

    label: str
    value: str
    percent: float
    detail: str = ""
    is_rest: bool = False


@dataclass(frozen=True)
class Chart:
    """One drawing: bars below each other, or side by side (`upright`)."""

    title: str
    bars: tuple[Bar, ...]
    upright: bool = False

    @property
    def peak(self) -> Bar:
        """Give the longest bar."""
        return max(self.bars, key=lambda bar: bar.percent)

    @property
    def has_room(self) -> bool:
        """Tell whether every upright bar may carry its figure, on a phone too."""
        return len(self.bars) * (1 + max(len(bar.value) for bar in self.bars)) <= _CHARACTERS


def charts_of(report: Report, frame: pl.DataFrame, locale: Locale) -> list[Chart]:
    """Give the drawings of a report; amounts get one for each currency. Without rows there are none."""
    return [chart for measure in report.charts for chart in _charts(report, frame, measure, locale)]


def _charts(report: Report, frame: pl.DataFrame, measure: Measure, locale: Locale) -> Iterator[Chart]:
    heading = Text(HEADINGS[measure.removesuffix("_minor")]).render(locale)
    if measure not in _CURRENCY_OF:
        yield from _drawn(report, frame, measure, heading, None, locale)
        return
    for (currency,), part in frame.group_by(_CURRENCY_OF[measure], maintain_order=True):
        title = f"{heading} ({currency})" if currency else heading
        yield from _drawn(report, part, measure, title, str(currency), locale)


def _drawn(
    report: Report, frame: pl.DataFrame, measure: Measure, title: str, currency: str | None, locale: Locale
) -> Iterator[Chart]:
    keys = list(report.keys)
    name = [pl.col("product").first()] if "product" in frame.columns else []
    summed = (
        frame.group_by(keys, maintain_order=True)
        .agg(pl.col(measure).sum(), *name)
        .filter(pl.col(measure) > 0)
    )
    if summed.is_empty():
        return
    rows = _days(summed, measure) if report.upright else _largest(summed, measure, keys, locale)
    most = max(amount for _, _, amount in rows)
    bars = tuple(
        Bar(
            label,
            _figure(amount, currency),
            round(amount * 100 / most, 1),
            detail,
            is_rest=place == TOP and not report.upright,
        )
        for place, (label, detail, amount) in enumerate(rows)
    )
    yield Chart(title, bars, report.upright)


def _figure(amount: int, currency: str | None) -> str:
    if currency is None:
        return f"{amount:,}"
    whole, point, decimals = written(amount, currency).partition(".")
    return f"{int(whole):,}{point}{decimals}"


def _largest(
    frame: pl.DataFrame, measure: str, keys: list[str], locale: Locale
) -> list[tuple[str, str, int]]:
    """Give label, detail and amount of the largest rows; all others together are the last."""
    rows = frame.sort(measure, descending=True, maintain_order=True).to_dicts()
    cut = TOP
    shown = [
        (label_of(row, keys, locale), visible(row.get("product") or ""), row[measure]) for row in rows[:cut]
    ]
    others = rows[cut:]
    if others:
        label = Text("{count} others", count=len(others)).render(locale)
        shown.append((label, "", sum(row[measure] for row in others)))
    return shown


def label_of(row: dict[str, Any], keys: list[str], locale: Locale) -> str:
    """Name a row by its keys: the home country goes without saying beside a province."""
    said = [(key, row[key]) for key in keys if row[key] is not None]
    if len(said) > 1:
        said = [pair for pair in said if pair != ("country", "CN")]
    parts = [name_of(key, value, locale) for key, value in said]
    return visible(" · ".join(parts)) or Text("not known").render(locale)


def _days(frame: pl.DataFrame, measure: str) -> list[tuple[str, str, int]]:
    """Give every day from the first to the last, also those without orders; months where there are many days."""
    known = frame.filter(pl.col("day").is_not_null())
    amounts: dict[str, int] = dict(zip(known["day"].to_list(), known[measure].to_list(), strict=True))
    if not amounts:
        return [("–", "", int(frame[measure].sum()))]
    first, last = date.fromisoformat(min(amounts)), date.fromisoformat(max(amounts))
    span = (last - first).days + 1
    days = [(first + timedelta(days=n)).isoformat() for n in range(span)]
    if span <= MOST_DAYS:
        return [(day[5:], day, amounts.get(day, 0)) for day in days]
    months = dict.fromkeys((day[:7] for day in days), 0)
    for day, amount in amounts.items():
        months[day[:7]] += amount
    return [(month, month, amount) for month, amount in months.items()]
