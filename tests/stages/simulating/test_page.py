"""The page of a simulation: looked at in a browser, in both languages, wide and narrow, by day and night."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from orderctl.model.text import Locale
from orderctl.stages.rules.parse import parse
from orderctl.stages.simulating.comparing import summed
from orderctl.stages.simulating.page import Simulated, render_page
from orderctl.stages.simulating.tables import listed, tables_of
from tests.stages.reports.chromium import Browser, chromium
from tests.stages.reports.test_browser import LUMINANCE, OVERFLOWS
from tests.stages.simulating.test_simulating import NEW, OLD, compared, sent

ASSETS = files("orderctl.assets")


def page(locale: Locale = "en", new: str = NEW) -> str:
    found = compared(sent(300), parse(OLD), parse(new))
    sums = summed(found)
    what = Simulated(
        "old<b>.yaml", "rules.yaml", "Asia/Shanghai", sums, "2026-10-23T00:00:00Z", "2026-11-06T00:00:00Z"
    )
    base, own = (ASSETS.joinpath(n).read_text("utf-8") for n in ("report.html.j2", "simulation.html.j2"))
    made = tables_of(sums, listed(found))
    return render_page(base, own, what, made, locale=locale, now="2026-11-24T00:00:00Z")


def test_names_of_files_and_rules_have_no_power() -> None:
    text = page(new=NEW.replace("{name: rest,", "{name: '<img src=x>',"))
    assert "old<b>" not in text
    assert "<img" not in text
    assert "old&lt;b&gt;.yaml" in text
    assert "&lt;img src=x&gt;" in text


def test_what_is_drawn_are_the_figures_of_the_tables() -> None:
    text = page()
    for title in ("Dearer (CNY)", "Cheaper (CNY)", "Shipments before", "Shipments after"):
        assert f"<h3>{title}" in text
    assert "NaN" not in text


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.mark.browser
@pytest.mark.parametrize("locale", ["en", "zh"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_can_be_read_and_asks_for_nothing(
    browser: Browser, tmp_path: Path, locale: Locale, width: int
) -> None:
    path = tmp_path / "page.html"
    path.write_text(page(locale), encoding="utf-8")
    for dark in (False, True):
        browser.show(path, width=width, dark=dark)
        assert browser.ask("document.documentElement.scrollWidth") <= width
        assert browser.ask(OVERFLOWS) == []
        assert browser.ask(LUMINANCE) == []
    assert all(asked.startswith(("file:", "data:")) for asked in browser.requested())
    assert browser.complaints() == []
