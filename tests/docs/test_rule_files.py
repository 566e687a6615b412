"""The rules files of two sellers: they read, nothing in them is doubtful, and every rule is shown by an example."""

from __future__ import annotations

import pytest

from orderctl.stages.checking.examples import untested
from orderctl.stages.checking.lint import lint, run_tests
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.parse import parse
from tests.docs.console import ROOT, blocks

FILES = ("clothes.yaml", "fruit.yaml")


@pytest.fixture(scope="module", params=FILES)
def book(request: pytest.FixtureRequest) -> RuleBook:
    path = ROOT / "docs" / "rules" / request.param
    return parse(path.read_text("utf-8"), path.name)


def test_nothing_in_it_is_doubtful(book: RuleBook) -> None:
    assert [str(one.text) for one in lint(book, "2026-11-24T00:00:00Z")] == []


def test_its_examples_hold_and_show_every_rule(book: RuleBook) -> None:
    results = run_tests(book)
    assert [str(result.text) for result in results if not result.passed] == []
    assert untested(book, results) == []


def test_it_is_as_large_as_a_shop_needs(book: RuleBook) -> None:
    rules = book.rules
    sections = (rules.tags, rules.warehouses, rules.couriers, rules.templates, rules.holds, rules.gifts)
    assert sum(map(len, sections)) + len(rules.not_served) + len(rules.notices) + len(rules.cards) >= 60


def test_what_the_page_shows_stands_in_the_files() -> None:
    files = "\n".join((ROOT / "docs" / "rules" / name).read_text("utf-8") for name in FILES)
    shown = [
        b.text for b in blocks((ROOT / "docs" / "rule-files.md").read_text("utf-8")) if b.language == "yaml"
    ]
    assert len(shown) >= 5
    assert [text for text in shown if text not in files] == []
