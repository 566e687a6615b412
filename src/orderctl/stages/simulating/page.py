"""A simulation as one HTML page that stands alone, drawn like a report: the same look, no script, no request.

Invariant: the page holds figures, ids, codes and names of rules, never a person's name, phone or address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from zoneinfo import ZoneInfo

import jinja2
import polars as pl

from orderctl.model.instant import parse_instant
from orderctl.model.money import written
from orderctl.model.text import Locale, Text, visible
from orderctl.stages.reports.charts import TOP, Bar, Chart
from orderctl.stages.reports.page import MOST_ROWS, Section, cell, grouped_digits
from orderctl.stages.reports.words import name_of
from orderctl.stages.simulating.tables import affected, freight
from orderctl.stages.simulating.words import to_table


@dataclass(frozen=True)
class Simulated:
    """What the page is about: the two rules by the names of their files, the zone of days, the sums, and the time span."""

    old: str
    new: str
    zone: str
    sums: pl.DataFrame
    first: str | None
    last: str | None


def render_page(
    base: str, template: str, what: Simulated, made: Mapping[str, pl.DataFrame], *, locale: Locale, now: str
) -> str:
    """Give the page.

    Args:
        base: text of the Jinja2 template of reports, which `template` extends.
        made: the tables by name, in the order of the page.
        locale: the reader's language.
        now: the instant (RFC 3339, UTC) the page is as of.
    """
    engine = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )

    def say(english: str, **values: object) -> str:
        return Text(english, **values).render(locale)

    def local(moment: str) -> str:
        return f"{parse_instant(moment).astimezone(ZoneInfo(what.zone)):%Y-%m-%d %H:%M}"

    page = engine.from_string(template).render(
        base=engine.from_string(base),
        say=say,
        locale="zh-CN" if locale == "zh" else "en",
        moment=f"{local(now)} {what.zone}",
        old=visible(what.old),
        new=visible(what.new),
        days=(local(what.first)[:10], local(what.last)[:10]) if what.first and what.last else None,
        any=bool(what.sums.height),
        tiles=list(_tiles(what.sums, locale)),
        sections=[_section(name, frame, locale) for name, frame in made.items()],
    )
    return page + "\n"


def _tiles(sums: pl.DataFrame, locale: Locale) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Give the figures on top: heading, then figures with their units."""
    couriers = pl.struct("courier_old", "service_old") != pl.struct(
        courier_old="courier_new", service_old="service_new"
    )
    counts = {
        "Shipments": int(sums["shipments"].sum()),
        "Affected": affected(sums),
        "Another courier": int(sums.filter(couriers)["shipments"].sum()),
        "Priced on one side only": int(
            sums.filter(pl.col("priced_old") != pl.col("priced_new"))["shipments"].sum()
        ),
    }
    for name, count in counts.items():
        yield Text(name).render(locale), [(f"{count:,}", "")]
    money = freight(sums).to_dicts()
    now = [(_money(row["freight_new_minor"], row["currency"]), row["currency"]) for row in money]
    yield Text("Freight after").render(locale), now or [("–", "")]
    changes = [
        (_money(row["difference_minor"], row["currency"], signed=True), f"{row['currency']} {_percent(row)}")
        for row in money
    ]
    yield Text("Difference").render(locale), changes or [("–", "")]


def _money(amount: int, currency: str, *, signed: bool = False) -> str:
    text = grouped_digits(written(amount, currency))
    return f"+{text}" if signed and amount > 0 else text


def _percent(row: Mapping[str, int | None]) -> str:
    share = row["share_permille"]
    return "" if share is None else f"({'+' if share > 0 else ''}{share / 10:.1f} %)"


def _section(name: str, frame: pl.DataFrame, locale: Locale) -> Section:
    table = to_table(name, frame.head(MOST_ROWS), locale, for_eyes=True)
    columns = [
        [cell(value, is_number=table.is_number(c)) for value in table.frame[c].to_list()]
        for c in table.frame.columns
    ]
    rows = [list(cells) for cells in zip(*columns, strict=True)]
    draw = {"couriers": _mix, "warehouses": _mix, "rules": _changes}.get(name)
    return Section(table, list(draw(frame, locale)) if draw else [], rows, max(0, frame.height - MOST_ROWS))


def _mix(frame: pl.DataFrame, locale: Locale) -> Iterator[Chart]:
    """Draw shipments before beside shipments after, in one order and to one scale."""
    keys = [key for key in ("courier", "service", "warehouse") if key in frame.columns]
    counts = ["shipments_old", "shipments_new"]
    summed = frame.group_by(keys, maintain_order=True).agg(pl.col(counts).sum())
    most = max([*summed["shipments_old"].to_list(), *summed["shipments_new"].to_list()], default=0)
    if not most or frame[keys[0]].count() == 0:
        return
    for side, heading in (("old", "Shipments before"), ("new", "Shipments after")):
        rows = [
            (_label(row, keys, locale), int(row[f"shipments_{side}"])) for row in summed.iter_rows(named=True)
        ]
        yield Chart(Text(heading).render(locale), _bars(rows, most, locale, "{:,}".format))


def _label(row: Mapping[str, str | None], keys: Sequence[str], locale: Locale) -> str:
    said = [name_of(key, str(row[key]), locale) for key in keys if row[key] is not None]
    return visible(" · ".join(said)) or Text("none").render(locale)


def _changes(frame: pl.DataFrame, locale: Locale) -> Iterator[Chart]:
    """Draw what became dearer beside what became cheaper, by rule, each currency by itself and to one scale."""
    moved = frame.filter(pl.col("difference_minor") != 0)
    for (currency,), part in moved.group_by("currency", maintain_order=True):
        most = max(abs(amount) for amount in part["difference_minor"].to_list())
        say = partial(_money, currency=str(currency))
        for heading, sign in (("Dearer ({currency})", 1), ("Cheaper ({currency})", -1)):
            kept = part.filter(pl.col("difference_minor").sign() == sign)
            rows = [(_pair(row), abs(row["difference_minor"])) for row in kept.iter_rows(named=True)]
            if rows:
                yield Chart(Text(heading, currency=currency).render(locale), _bars(rows, most, locale, say))


def _pair(row: Mapping[str, str | None]) -> str:
    old, new = row["rule_old"] or "–", row["rule_new"] or "–"
    if old != new:
        return visible(f"{old} → {new}")
    return visible(old)


def _bars(
    rows: list[tuple[str, int]], most: int, locale: Locale, say: Callable[[int], str]
) -> tuple[Bar, ...]:
    """Give the bars of the first rows; all others together are the last."""
    others = sum(amount for _, amount in rows[TOP:])
    bars = [Bar(label, say(amount), round(amount * 100 / most, 1)) for label, amount in rows[:TOP]]
    if len(rows) > TOP:
        label = Text("{count} others", count=len(rows) - TOP).render(locale)
        bars.append(Bar(label, say(others), min(100.0, round(others * 100 / most, 1)), is_rest=True))
    return tuple(bars)
