"""The HTML page in a real browser: it asks for nothing, fits every width, and prints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stages.reports.chromium import Browser, chromium
from tests.stages.reports.test_page import many, page
from tests.stages.reports.world import sample

pytestmark = pytest.mark.browser

LUMINANCE = """
(() => { const light = text => { const [r, g, b] = text.match(/[0-9.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (!c.endsWith(', 0)')) return c; } return 'rgb(255,255,255)'; };
  return [...document.querySelectorAll('h1,h2,h3,small,p,li,dt,dd,th,td,footer')].filter(e => e.innerText.trim()).map(e => {
    const a = light(getComputedStyle(e).color), b = light(behind(e));
    return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.tagName + ' ' + e.className + ' ' + e.innerText.slice(0, 20)]; })
    .filter(([ratio]) => ratio < 4.5); })()
"""
OVERFLOWS = """
[...document.querySelectorAll('.tile p, .days p, .bars dt, .bars dd')].filter(e => {
  const range = document.createRange(); range.selectNodeContents(e);
  const text = getComputedStyle(e).overflow === 'hidden' ? e.getBoundingClientRect() : range.getBoundingClientRect();
  const room = e.closest('.tile, .charts > div').getBoundingClientRect();
  return text.right > room.right + 1; }).map(e => e.innerText)
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module", params=["en", "zh"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / f"{request.param}.html"
    path.write_text(page(sample(), request.param), encoding="utf-8")
    return path


def test_the_page_asks_for_nothing_but_itself(browser: Browser, written: Path) -> None:
    browser.show(written)
    assert browser.requested() == [written.as_uri()]
    assert browser.complaints() == []
    assert browser.ask("performance.getEntriesByType('resource').map(e => e.name)") == []


def test_the_check_for_requests_would_find_one(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "leaky.html"
    path.write_text('<link rel="stylesheet" href="http://127.0.0.1:9/x.css"><img src="//127.0.0.1:9/y.png">')
    browser.show(path)
    assert len(browser.requested()) > 1


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
def test_the_page_fits_the_width(browser: Browser, written: Path, width: int) -> None:
    browser.show(written, width=width)
    assert browser.ask("document.documentElement.scrollWidth") <= width
    assert browser.ask(OVERFLOWS) == []


@pytest.mark.parametrize("dark", [False, True])
def test_text_can_be_read_by_day_and_night(browser: Browser, written: Path, dark: bool) -> None:
    browser.show(written, dark=dark)
    assert browser.ask(LUMINANCE) == []
    ground = browser.ask("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(17, 21, 27)" if dark else "rgb(244, 245, 247)")


def test_bars_are_as_long_as_their_figures(browser: Browser, written: Path) -> None:
    browser.show(written)
    lengths = browser.ask(
        "[...document.querySelectorAll('#courier .charts > div:first-child rect:not(.track)')].map(r => r.getBoundingClientRect().width)"
    )
    figures = browser.ask(
        "[...document.querySelectorAll('#courier .charts > div:first-child dd:last-of-type, #courier .charts > div:first-child dd:nth-child(3n)')].map(e => Number(e.innerText))"
    )
    assert figures == [2, 1, 1, 1, 1]
    assert [round(length / lengths[0] * 2) for length in lengths] == figures


def test_many_rows_and_columns_fit_too(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "many.html"
    path.write_text(page(many(150, title="很长的商品名称" * 12), "zh"), encoding="utf-8")
    browser.show(path, width=390)
    assert browser.ask("document.documentElement.scrollWidth") <= 390
    assert browser.ask(OVERFLOWS) == []


def test_the_page_prints(browser: Browser, written: Path) -> None:
    browser.show(written, media="print")
    assert browser.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.pdf().startswith(b"%PDF")
