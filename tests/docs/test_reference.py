"""The generated pages say what the program says; `make docs` writes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderctl.cli.topics import COMMANDS, OPTIONS
from scripts import build_docs, build_table
from tests.docs.console import ROOT

PAGES = build_docs.pages()


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_page_is_fresh(path: Path) -> None:
    assert (ROOT / path).read_text("utf-8") == PAGES[path]


def test_no_page_is_left_over() -> None:
    assert {p.relative_to(ROOT) for p in (ROOT / build_docs.REFERENCE).glob("*.md")} == set(PAGES)


def test_table_of_commands_is_fresh() -> None:
    found = build_table.commands()
    assert {name: tuple(row) for name, row in COMMANDS.items()} == found
    assert build_table.options(list(found)) == OPTIONS


def test_every_option_has_its_sentence_in_both_languages() -> None:
    for page in ("commands.md", "commands.zh-CN.md"):
        lines = PAGES[build_docs.REFERENCE / page].splitlines()
        rows = [line for line in lines if line.startswith("| `")]
        assert len(rows) > 50
        assert [row for row in rows if not row.split(" | ")[1].strip()] == []
    chinese = PAGES[build_docs.REFERENCE / "commands.zh-CN.md"]
    assert [line for line in chinese.splitlines() if line.startswith("| `--") and line.isascii()] == []
