"""What people see: every case is a few command lines, and the words they end in, in English and Chinese.

A case is a folder: `cmd`, `inputs/`, and what came of it, each language by itself: `stdout.en`, `stderr.zh`, ...;
`code` is the exit code of each line. ORDERCTL_GOLDEN=write (make golden) writes them anew; read the diff like code.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.desk import opened

CASES = sorted(folder.parent.name for folder in Path(__file__).parent.glob("*/cmd"))
WRITE = os.environ.get("ORDERCTL_GOLDEN") == "write"
NAMES = (  # what differs from run to run, and how it is shown
    (re.compile(r"http://127\.0\.0\.1:\d{4,5}"), "SANDBOX"),
    (re.compile(r"(\d{8}T\d{6}Z-\w+)-[0-9a-f]{8}\b"), r"\1-RUN"),
    (re.compile(r"(\d{8}T\d{6}Z-\w+)-\d+\.jsonl"), r"\1-PID.jsonl"),
)


def shown(text: str, folder: Path) -> str:
    for pattern, name in NAMES:
        text = pattern.sub(name, text)
    return text.replace(str(folder), "FOLDER")


def script(lines: list[str]) -> str:
    """Run each line by itself, name it on both outputs, keep its exit code."""
    echo = "printf '%s\\n' {0} | tee /dev/stderr"
    parts = []
    for line in lines:
        quoted = "'$ " + line.replace("'", "'\\''") + "'"
        parts.append(f"{echo.format(quoted)}\n{line}\necho $? >> codes")
    return "\n".join(parts)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("case", CASES)
def test_golden(case: str, lang: str, tmp_path: Path) -> None:
    here = Path(__file__).parent / case
    with opened(tmp_path / "desk", orders=12) as desk:
        if (here / "inputs").is_dir():
            shutil.copytree(here / "inputs", desk.folder, dirs_exist_ok=True)
        lines = (here / "cmd").read_text("utf-8").splitlines()
        ran = desk.shell(script(lines), {"ORDERCTL_LANG": lang, "COLUMNS": "100", "LOGNAME": "tester"})
        codes = desk.path("codes").read_text().split()
        found = {
            f"stdout.{lang}": shown(ran.out.decode(), desk.folder),
            f"stderr.{lang}": shown(ran.err, desk.folder),
            "code": "".join(f"{code}  {line}\n" for code, line in zip(codes, lines, strict=True)),
        }
    assert "Traceback" not in ran.err
    for name, text in found.items():
        if WRITE:
            (here / name).write_text(text, "utf-8")
        assert text == (here / name).read_text("utf-8"), (
            f"{case}/{name}: after a change on purpose, make golden"
        )


def test_both_languages_say_something_of_their_own() -> None:
    for case in CASES:
        files = {
            f"{name}.{lang}": Path(__file__).parent / case / f"{name}.{lang}"
            for name in ("stdout", "stderr")
            for lang in ("en", "zh")
        }
        texts = {name: file.read_text("utf-8") for name, file in files.items()}
        assert texts["stderr.en"] + texts["stdout.en"] != texts["stderr.zh"] + texts["stdout.zh"], case
