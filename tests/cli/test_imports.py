"""Help, version and completion answer before anything heavy is imported. Modules are counted, not milliseconds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from orderctl.cli.table import COMMANDS
from tests.cli.desk import ROOT

HEAVY = {
    "polars",
    "httpx",
    "pydantic",
    "yaml",
    "escpos",
    "typst",
    "pypdfium2",
    "cryptography",
    "sqlite3",
    "jinja2",
    "rich",
    "typer",
}
WORK = {"polars", "httpx", "escpos", "typst", "pypdfium2", "yaml", "cryptography", "sqlite3", "jinja2"}
LOOK = """
import json, sys
from orderctl.cli.main import run
try: code = run(sys.argv[1:])
except SystemExit as ended: code = ended.code
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]), file=sys.stderr)
"""
CHINESE = re.compile("[\u4e00-\u9fff]")


def asked(*words: str, lang: str = "en") -> tuple[int, set[str], str]:
    """Run in a fresh interpreter; give exit code, imported top modules and stdout."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("COV_", "COVERAGE_"))}
    done = subprocess.run(
        [sys.executable, "-c", LOOK, *words],
        capture_output=True, text=True, check=True, env={**environment, "ORDERCTL_LANG": lang}, cwd=ROOT,
    )  # fmt: skip
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code, set(modules), done.stdout


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(
    "words",
    ["--help", "-h", "help", "", "--version", "completion bash", "--complete f", "--complete print --d"],
)
def test_what_needs_no_work_imports_nothing_heavy(words: str, lang: str) -> None:
    code, modules, out = asked(*words.split(), lang=lang)
    assert code == 0
    assert modules & HEAVY == set()
    assert out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_in_both_languages(command: str) -> None:
    for lang in ("en", "zh"):
        code, modules, out = asked(command, "--help", lang=lang)
        assert code == 0
        assert modules & WORK == set()
        described = [line for line in out.splitlines() if line.strip() and not line.startswith("Usage")]
        assert bool(CHINESE.search("".join(described))) == (lang == "zh"), out


def test_completion_offers_commands_and_their_options() -> None:
    assert set(asked("--complete", "")[2].split()) == set(COMMANDS)
    assert asked("--complete", "nor")[2].split() == ["normalize"]
    offered = asked("--complete", "print", "--")[2].split()
    assert {"--device", "--dry-run", "--offline", "--reprint", "--now", "--lang"} <= set(offered)
    assert asked("--complete", "nothing", "")[2] == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_complete_programs(shell: str) -> None:
    script = asked("completion", shell)[2]
    assert "orderctl --complete" in script
    if shell == "bash":
        assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0
