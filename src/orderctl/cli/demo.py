"""The whole job once, on this machine: stand-in platforms, seven commands, and proof that a second run repeats nothing.

The commands run as processes of their own in the demo's folder, exactly as a person would type them there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orderctl.assets import DEMO, EXAMPLES
from orderctl.cli import exits
from orderctl.cli.sandboxing import open_sandbox, start
from orderctl.cli.scaffold import place
from orderctl.cli.session import Session
from orderctl.model.errors import CannotCreate, OutputFailed
from orderctl.model.instant import parse_instant
from orderctl.model.text import Text

if TYPE_CHECKING:
    from orderctl.sandbox import Sandbox

EXPORTS = {"taobao-orders.csv": "gb18030", "taobao-items.csv": "gb18030", "pdd-orders.csv": "utf-8-sig"}
WRITTEN = date(2026, 11, 24)
"""The day on which the exports were written, by their own dates."""


class Step(NamedTuple):
    """One command of the pipe, and the file it leaves."""

    words: str
    leaves: str

    @property
    def command(self) -> list[str]:
        """Give the words of the command line."""
        return self.words.split()


STEPS = (
    Step("fetch -o raw.jsonl", "raw.jsonl"),
    Step("normalize raw.jsonl -o orders.jsonl", "orders.jsonl"),
    Step("merge orders.jsonl -o shipments.jsonl", "shipments.jsonl"),
    Step("route shipments.jsonl -o routed.jsonl", "routed.jsonl"),
    Step("print routed.jsonl -o printed.jsonl", "printed.jsonl"),
    Step("ship printed.jsonl -o shipped.jsonl", "shipped.jsonl"),
    Step("report shipped.jsonl -o out/report.html", "out/report.html"),
)
PIPE = "orderctl fetch | orderctl normalize | orderctl merge | orderctl route | orderctl print | orderctl ship | orderctl report"


def run_demo(session: Session, folder: Path, port: int) -> None:
    """Run the seven commands in `folder`; print what ran, what happened and where things lie.

    Raises: CannotCreate, OutputFailed if a command ends with more than "except some orders".
    """
    again = (folder / "shipped.jsonl").exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotCreate(Text("cannot create {path}: {why}", path=folder, why=error.strerror)) from error
    with open_sandbox(folder / "sandbox", seed=7, orders=60) as sandbox:
        url = _start(sandbox, port)
        _write_files(folder, url, session.now)
        before = _effects(sandbox)
        ran = [_run(session, folder, step, again=again) for step in STEPS]
        after = _effects(sandbox)
        _tell(session, folder, ran, after - before, after, again=again)


def _start(sandbox: Sandbox, port: int) -> str:
    try:
        return start(sandbox, port)
    except CannotCreate:
        return start(sandbox, 0)


def _write_files(folder: Path, url: str, now: str) -> None:
    text = (DEMO / "orderctl.yaml").read_text("utf-8").replace("SANDBOX", url)
    (folder / "orderctl.yaml").write_text(text, "utf-8")
    place(folder / "rules.yaml", (EXAMPLES / "rules.example.yaml").read_text("utf-8"))
    (folder / "exports").mkdir(exist_ok=True)
    for name, encoding in EXPORTS.items():
        text = _moved((DEMO / name).read_text("utf-8"), parse_instant(now).date() - WRITTEN)
        place(folder / "exports" / name, text, encoding)


def _moved(text: str, days: timedelta) -> str:
    """Move all dates of `text`, so that what was exported is as fresh on any day as it was when it was written."""
    return re.sub(r"\b20\d\d-\d\d-\d\d\b", lambda m: (date.fromisoformat(m[0]) + days).isoformat(), text)


def _effects(sandbox: Sandbox) -> Counter[str]:
    return Counter(row["kind"] for row in sandbox.books())


def _run(session: Session, folder: Path, step: Step, *, again: bool) -> tuple[Step, int]:
    """Run one command in the demo's folder. Its messages go to stderr as they come."""
    if again and step.leaves == "raw.jsonl":
        return (
            step,
            exits.OK,
        )  # the same orders once more: that nothing happens twice is what the second run shows
    command = [sys.executable, "-m", "orderctl", *step.command]
    environment = {**os.environ, "ORDERCTL_STATE": "state", "ORDERCTL_CONFIG": "orderctl.yaml"}
    environment.pop("ORDERCTL_RULES", None)
    if session.lang:
        environment["ORDERCTL_LANG"] = session.lang
    code = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, check=False
    ).returncode
    if code not in (exits.OK, exits.SOME):
        raise OutputFailed(Text("orderctl {words} ended with {code}", words=step.words, code=code))
    return step, code


def _tell(
    session: Session,
    folder: Path,
    ran: list[tuple[Step, int]],
    new: Counter[str],
    whole: Counter[str],
    *,
    again: bool,
) -> None:
    locale = session.console.locale

    def say(text: Text) -> None:
        sys.stdout.write(text.render(locale) + "\n")

    say(Text("The seven commands, run in {folder}:", folder=folder))
    for step, code in ran:
        kept = again and step.leaves == "raw.jsonl"
        note = Text("kept from the first run") if kept else Text("exit code {code}", code=code)
        sys.stdout.write(f"  orderctl {step.words:<44} # {note.render(locale)}\n")
    if shutil.which("orderctl") is None:
        path = f'export PATH="{Path(sys.executable).parent}:$PATH"'
        say(Text("To type them yourself, first: {words}", words=path))
    say(
        Text(
            "The same as a pipe (in {folder}, with `orderctl sandbox --books sandbox` running):",
            folder=folder,
        )
    )
    sys.stdout.write(f"  set -o pipefail; {PIPE}\n")
    say(Text("What the stand-in platforms and couriers booked in this run: {new}", new=_counts(new, locale)))
    say(Text("What they have booked in all: {whole}", whole=_counts(whole, locale)))
    if again:
        say(
            Text(
                "Nothing was bought, printed or shipped a second time; printed.jsonl and shipped.jsonl are as they were."
            )
        )
    say(
        Text(
            "Exit code 3 is right here: some orders are meant to be stopped. See them with: orderctl report --by problems shipped.jsonl"
        )
    )
    say(Text("Look at: {files}", files=", ".join(str(folder / "out" / n) for n in _outputs(folder))))
    say(
        Text(
            "Why one courier and no other: cd {folder} && orderctl explain ORDER shipped.jsonl", folder=folder
        )
    )


def _counts(counts: Counter[str], locale: str) -> str:
    del locale
    return ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items())) or "0"


def _outputs(folder: Path) -> list[str]:
    return sorted(p.name for p in (folder / "out").glob("[!.]*")) if (folder / "out").is_dir() else []
