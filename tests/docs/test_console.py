"""What the pages show on a screen is what the program prints."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.docs.console import ROOT, Command, blocks, commands, matches, pages, rewritten, run

WRITE = os.environ.get("ORDERCTL_GOLDEN") == "write"


def needs_jq(page: Path) -> bool:
    return any("jq " in block.text for block in blocks(page.read_text("utf-8")) if block.runs)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(p, id=str(p.relative_to(ROOT)), marks=[pytest.mark.jq] if needs_jq(p) else [])
        for p in pages()
    ],
)
def test_page_shows_what_happens(page: Path, tmp_path: Path) -> None:
    text = page.read_text("utf-8")
    ran = run(text, tmp_path, "zh" if "zh-CN" in page.name else "en")
    bugs = [out for _, out in ran if re.search("Traceback|a bug: |程序缺陷", out)]
    assert bugs == []
    if WRITE:
        page.write_text(rewritten(text, ran), "utf-8")
    differing = [f"$ {c.line}\n{out}" for c, out in ran if not matches(c.printed, out)]
    assert WRITE or differing == []


def test_there_are_pages_to_run() -> None:
    names = {str(path.relative_to(ROOT)) for path in pages()}
    assert {"README.md", "README.zh-CN.md", "docs/tutorial.md", "docs/tutorial.zh-CN.md"} <= names


def test_make_demo_runs_what_the_pages_run() -> None:
    recipe = (ROOT / "Makefile").read_text("utf-8").split("\ndemo:")[1].split("\n\n")[0]
    assert recipe.splitlines()[-1] == "\t@$(BIN)/orderctl demo"


def test_a_block_is_read_and_written_back() -> None:
    page = "Try it:\n\n```console run\n$ echo a |\n  cat\na\n$ true\n$ echo b\nwrong\n```\n\nDone.\n"
    [block] = blocks(page)
    found = list(commands(block))
    assert found == [Command("echo a |\n  cat", "a\n"), Command("true", ""), Command("echo b", "wrong\n")]
    ran = list(zip(found, ["a\n", "", "b\n"], strict=True))
    assert rewritten(page, ran) == page.replace("wrong", "b")


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("one\n", "one\n", True),
        ("one\n", "one\ntwo\n", False),
        ("o…e\n", "orange\n", True),
        ("o…e\n", "or\nange\n", False),
        ("one\n…\nten\n", "one\ntwo\nthree\nten\n", True),
        ("one\n…\n", "two\nthree\n", False),
        ("", "", True),
        ("", "x\n", False),
    ],
)
def test_placeholders(expected: str, printed: str, same: bool) -> None:
    assert matches(expected, printed) is same


def test_a_page_is_one_shell_in_one_folder(tmp_path: Path) -> None:
    page = "```csv file=in/a.csv\nx,y\n```\n```console run\n$ export A=1\n$ cat in/a.csv; cd in\n```\n```console run\n$ echo $A; ls; false; echo $?\n```\n"
    assert [out for _, out in run(page, tmp_path, "en")] == ["", "x,y\n", "1\na.csv\n1\n"]
