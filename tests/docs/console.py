"""The pages whose console blocks are run, and how.

A block opened with "```console run" is run: each line that begins with "$ " is a command, the lines below it are all
that it prints, on stdout and stderr. A block with "file=NAME" is that file. One page is one shell in one empty folder,
from top to bottom. In what is printed, "…" stands for anything within a line, and alone on a line for any lines.
`make demo` is run as the command that its recipe ends with. Blocks without "run" need an account, a printer or cron.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "\x1e"
ALIASES = {"make demo": "orderctl demo --port 0"}


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what else stands on the opening line, its text, and where that text lies."""

    language: str
    words: tuple[str, ...]
    text: str
    start: int
    end: int

    @property
    def runs(self) -> bool:
        return self.language == "console" and "run" in self.words

    @property
    def file(self) -> str | None:
        return next((word.removeprefix("file=") for word in self.words if word.startswith("file=")), None)


@dataclass(frozen=True)
class Command:
    """A command line and what the page says it prints."""

    line: str
    printed: str


def pages() -> list[Path]:
    """Give the pages with something to run."""
    return [path for path in markdown() if any(block.runs for block in blocks(path.read_text("utf-8")))]


def markdown() -> list[Path]:
    """Give every page of the repository's own."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def blocks(text: str) -> list[Block]:
    """Give the fenced blocks of a page."""
    return [Block(m[1], tuple(m[2].split()), m[3], m.start(3), m.end(3)) for m in FENCE.finditer(text)]


def commands(block: Block) -> Iterator[Command]:
    """Give the commands of a console block; a line that ends in a backslash, a pipe or an open bracket goes on."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines(keepends=True)
        count = next(
            i for i, line in enumerate(lines, start=1) if not line.rstrip("\n").endswith(("\\", "|"))
        )
        yield Command("".join(lines[:count]).rstrip("\n"), "".join(lines[count:]))


def matches(expected: str, printed: str) -> bool:
    """Say whether `printed` is what the page says, where "…" may be anything."""
    pattern = ""
    for line in expected.splitlines():
        pattern += r"(?:.*\n)*?" if line == "…" else r"[^\n]*".join(map(re.escape, line.split("…"))) + r"\n"
    return re.fullmatch(pattern, printed) is not None


def run(page: str, folder: Path, language: str) -> list[tuple[Command, str]]:
    """Run a page in an empty folder; give each command with what it printed."""
    found: list[Command] = []
    script = ["set -o pipefail"]
    for block in blocks(page):
        if block.file:
            script.append(
                f"mkdir -p \"$(dirname '{block.file}')\"; cat > '{block.file}' <<'{MARK}'\n{block.text}{MARK}"
            )
        for command in commands(block) if block.runs else ():
            found.append(command)
            script.append(f"{ALIASES.get(command.line, command.line)}\nprintf '{MARK}'")
    shims = folder / "bin"
    shims.mkdir()
    (shims / "orderctl").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m orderctl "$@"\n')
    (shims / "orderctl").chmod(0o755)
    here = folder / "here"
    here.mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ORDERCTL_")} | {
        "PATH": f"{shims}{os.pathsep}{os.environ['PATH']}",
        "ORDERCTL_LANG": language,
        "COLUMNS": "100",
    }
    ran = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=here, env=environment, text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240,
    )  # fmt: skip
    printed = ran.stdout.split(MARK)
    assert len(printed) == len(found) + 1, f"the shell ended early:\n{ran.stdout}"
    return list(zip(found, printed, strict=False))


def rewritten(page: str, ran: list[tuple[Command, str]]) -> str:
    """Give the page with what was printed, where that is not what it says."""
    rest = iter(ran)
    pieces, at = [], 0
    for block in blocks(page):
        if not block.runs:
            continue
        text = ""
        for _ in commands(block):
            command, printed = next(rest)
            text += f"$ {command.line}\n{command.printed if matches(command.printed, printed) else printed}"
        pieces += [page[at : block.start], text]
        at = block.end
    return "".join([*pieces, page[at:]])
