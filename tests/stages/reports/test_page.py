"""The HTML page: the same bytes every time, nothing that buyers typed gets power, both languages whole."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib.resources import files

import polars as pl
import pytest

from orderctl.model.schema import empty
from orderctl.model.text import Locale, sentences
from orderctl.stages.reports import PAGE, Material, find
from orderctl.stages.reports.charts import TOP, charts_of
from orderctl.stages.reports.page import MOST_ROWS, grouped_digits, render_page
from tests.stages.reports.world import batch, head, sample, shipment, shipped_line
from tests.stages.samples import RECIPIENT

NOW = "2026-11-24T05:30:28Z"
TEMPLATE = files("orderctl.assets").joinpath("report.html.j2").read_text(encoding="utf-8")


def page(shipments: pl.DataFrame, locale: Locale = "en", names: tuple[str, ...] = PAGE) -> str:
    material = Material(shipments, "Asia/Shanghai")
    made = [(name, report, report.make(material)) for name, report in map(find, names)]
    return render_page(TEMPLATE, material, made, locale=locale, now=NOW)


def many(count: int, **line: object) -> pl.DataFrame:
    orders = [f"taobao:a:{n}" for n in range(count)]
    return batch(
        *(
            shipment(f"S{n:04}", [head(o)], [shipped_line(o, sku=f"P{n:04}", quantity=count - n, **line)])
            for n, o in enumerate(orders)
        )
    )


class Balanced(HTMLParser):
    """Checks that every element is closed where it was opened."""

    VOID = frozenset({"meta", "link", "rect"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.mark.parametrize("locale", ["en", "zh"])
@pytest.mark.parametrize(
    "shipments", [sample(), empty("shipment/1"), many(150)], ids=["sample", "empty", "many"]
)
def test_the_page_is_whole_and_the_same_every_time(shipments: pl.DataFrame, locale: Locale) -> None:
    text = page(shipments, locale)
    assert text == page(shipments.reverse(), locale)
    checked = Balanced()
    checked.feed(text)
    assert checked.open == []
    assert checked.seen.isdisjoint({"script", "img", "iframe", "form", "object", "embed"})


def test_the_page_says_its_language() -> None:
    assert '<html lang="en">' in page(sample())
    assert '<html lang="zh-CN">' in page(sample(), "zh")


def test_the_page_names_nothing_outside_itself() -> None:
    assert re.findall(r"(?:https?:)?//[a-z]|url\(|@import", page(sample())) == []


def test_the_chinese_page_has_no_english_left() -> None:
    text = re.sub(r"<style>.*?</style>", "", page(sample(), "zh"), flags=re.DOTALL)
    words = {w for w in re.findall(r">([^<>]+)<", text) if w.strip()}
    english = {k for k, v in sentences("zh").items() if k != v and not re.search(r"[{}]", k)}
    assert words & english == set()


def test_what_buyers_type_stays_text() -> None:
    evil = "<script>alert(1)</script>"
    order = "shopify:a:1"
    text = page(
        batch(
            shipment(
                "S1", [head(order)], [shipped_line(order, sku=None, merchant_code=evil, title='" onload="')]
            )
        )
    )
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert 'onload="' not in text


def test_control_characters_are_made_visible() -> None:
    order = "shopify:a:1"
    text = page(batch(shipment("S1", [head(order)], [shipped_line(order, sku="A\x1b[31m\u202eB")])))
    assert "\x1b" not in text.split("<table>", 1)[1]


def test_nobody_is_on_the_page() -> None:
    text = page(sample(), "zh")
    for personal in (RECIPIENT["name"], RECIPIENT["phone"], RECIPIENT["street"], "Test Person", "Testville"):
        assert personal not in text


def test_the_time_is_that_of_the_zone() -> None:
    assert "as of 2026-11-24 13:30 Asia/Shanghai" in page(sample())


def test_long_tables_are_cut_and_say_how_to_get_the_rest() -> None:
    text = page(many(MOST_ROWS + 7))
    assert "7 more rows; all of them: orderctl report --by product -o product.csv" in text


def test_small_bars_are_put_together_and_lose_nothing() -> None:
    _, report = find("product")
    frame = report.make(Material(many(30), "UTC"))
    pieces = charts_of(report, frame, "en")[0]
    assert len(pieces.bars) == TOP + 1
    assert pieces.bars[-1].is_rest
    assert sum(int(bar.value.replace(",", "")) for bar in pieces.bars) == frame["pieces"].sum()
    assert max(bar.percent for bar in pieces.bars) == 100


def test_days_without_orders_are_drawn_and_many_days_become_months() -> None:
    _, report = find("day")

    def drawn(*days: str) -> list[tuple[str, str]]:
        rows = [
            shipment(
                f"S{n}", [head(f"taobao:a:{n}", paid_at=f"{day}T03:00:00Z")], [shipped_line(f"taobao:a:{n}")]
            )
            for n, day in enumerate(days)
        ]
        (chart,) = charts_of(report, report.make(Material(batch(*rows), "Asia/Shanghai")), "en")
        return [(bar.label, bar.value) for bar in chart.bars]

    assert drawn("2026-11-01", "2026-11-03", "2026-11-03") == [("11-01", "1"), ("11-02", "0"), ("11-03", "2")]
    assert drawn("2026-01-01", "2026-01-02", "2026-03-30") == [
        ("2026-01", "2"),
        ("2026-02", "0"),
        ("2026-03", "1"),
    ]


def test_every_currency_of_freight_is_drawn_apart() -> None:
    _, report = find("courier")
    titles = [chart.title for chart in charts_of(report, report.make(Material(sample(), "UTC")), "en")]
    assert titles == ["Shipments", "Freight (CNY)", "Freight (JPY)"]


@pytest.mark.parametrize(
    ("given", "seen"), [("1234567.80", "1,234,567.80"), ("-1234", "-1,234"), ("0.05", "0.05")]
)
def test_digits_are_grouped(given: str, seen: str) -> None:
    assert grouped_digits(given) == seen
