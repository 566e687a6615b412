"""An order desk to test with: a sandbox, a folder with configuration and rules, a clock, and real processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdfium2
import yaml
import zxingcpp

import orderctl
from orderctl.sandbox import Sandbox
from orderctl.stages.merging.gift_lines import is_our_gift

ROOT = Path(__file__).parents[2]
ASSETS = Path(orderctl.__file__).parent / "assets"
START = 1_795_000_000.0  # 2026-11-18T11:06:40Z
KEY = "b3JkZXJjdGwgdGVzdHMga2V5IG9mIG5vYm9keS4uLi4="  # 32 bytes that guard nothing
STEPS = ("fetch", "normalize", "merge", "route", "print", "ship")
FILES = dict(zip(STEPS, ("raw", "orders", "shipments", "routed", "printed", "shipped"), strict=True))
QUARTER = 900.0
FINE = (0, 3)
ORDERCTL = f'orderctl() {{ "{sys.executable}" -m orderctl "$@"; }}\n'


class Clock:
    """The hour at the desk and in the sandbox alike; it moves when told to."""

    def __init__(self, at: float = START) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at

    def __str__(self) -> str:
        return datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Ran:
    """How a process ended and what it said."""

    code: int
    out: bytes
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The JSON lines on its stdout."""
        return [json.loads(line) for line in self.out.splitlines()]

    def one_message(self) -> str:
        """The only line on stderr, which is no traceback and no bug."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("orderctl"), self.err
        assert "a bug" not in lines[0], self.err
        return lines[0]


class Desk:
    """One seller: `folder` has configuration, rules, state and outputs; `sandbox` is the outside world."""

    def __init__(self, folder: Path, *, orders: int = 20, seed: int = 3, clock: Clock | None = None) -> None:
        self.folder = folder
        self.clock = clock or Clock()
        folder.mkdir(parents=True, exist_ok=True)
        self.sandbox = Sandbox(
            folder / "sandbox", orders=orders, seed=seed, fonts=ASSETS / "fonts", now=self.clock
        )
        self.url = self.sandbox.start()
        self.configure()
        shutil.copyfile(ASSETS / "rules.example.yaml", folder / "rules.yaml")

    def configure(self, **changes: Any) -> None:
        """Write the demo's configuration for this sandbox, without shops fed from files; `changes` replace top keys."""
        text = (ASSETS / "demo" / "orderctl.yaml").read_text("utf-8").replace("SANDBOX", self.url)
        found = yaml.safe_load(text)
        found["shops"] = {name: shop for name, shop in found["shops"].items() if not shop.get("files")}
        found.update(changes)
        (self.folder / "orderctl.yaml").write_text(yaml.safe_dump(found, allow_unicode=True), "utf-8")

    def close(self) -> None:
        self.sandbox.stop()

    def path(self, name: str) -> Path:
        return self.folder / name

    @property
    def environment(self) -> dict[str, str]:
        # streams are buffered as they are for people, whatever the tests themselves run with
        return {
            **{name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
            "ORDERCTL_STATE": "state",
            "ORDERCTL_CONFIG": "orderctl.yaml",
            "ORDERCTL_KEY": KEY,
            "ORDERCTL_NOW": str(self.clock),
        }

    def start(
        self, *words: str, env: dict[str, str | None] | None = None, **how: Any
    ) -> subprocess.Popen[bytes]:
        """Start a command in a process group of its own."""
        return self._start([sys.executable, "-m", "orderctl", *words], env, **how)

    def _start(
        self, command: Sequence[str], env: dict[str, str | None] | None, **how: Any
    ) -> subprocess.Popen[bytes]:
        merged = {k: v for k, v in {**self.environment, **(env or {})}.items() if v is not None}
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            command, env=merged, start_new_session=True, **{"cwd": self.folder, **streams, **how}
        )

    def run(
        self, *words: str, stdin: bytes | None = None, env: dict[str, str | None] | None = None, **how: Any
    ) -> Ran:
        """Run a command to its end."""
        if stdin is not None:
            how["stdin"] = subprocess.PIPE
        return _ended(self.start(*words, env=env, **how), stdin)

    def shell(self, script: str, env: dict[str, str | None] | None = None, **how: Any) -> Ran:
        """Run a line of bash with pipefail; `orderctl` is the program under test."""
        return _ended(self.script(script, env, **how), None)

    def script(
        self, script: str, env: dict[str, str | None] | None = None, **how: Any
    ) -> subprocess.Popen[bytes]:
        """Start a line of bash in a process group of its own."""
        return self._start(["bash", "-o", "pipefail", "-c", ORDERCTL + script], env, **how)

    def step(self, name: str, *more: str) -> Ran:
        """Run one step of the pipe from its file to its file."""
        before = STEPS.index(name) - 1
        source = [f"{FILES[STEPS[before]]}.jsonl"] if before >= 0 else []
        return self.run(name, *source, *more, "-o", f"{FILES[name]}.jsonl")

    def steps(self, first: str, last: str, **more: Sequence[str]) -> None:
        """Run several steps by files; each must end well, but for orders that are stopped."""
        for name in STEPS[STEPS.index(first) : STEPS.index(last) + 1]:
            ran = self.step(name, *(more.get(name) or (() if name != "print" else LABELS)))
            assert ran.code in FINE, f"{name}: {ran.code}\n{ran.err}"

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The records of one of the desk's files."""
        return [json.loads(line) for line in self.path(name).read_bytes().splitlines()]

    def pages(self) -> list[str]:
        """The waybill number on each page of each label file, decoded from the picture of the page."""
        return [
            number for file in sorted(self.path("out").glob("labels*.pdf")) for number in numbers_on(file)
        ]


LABELS = ("--device", "file:out/labels.pdf")


def _ended(process: subprocess.Popen[bytes], stdin: bytes | None) -> Ran:
    try:
        out, err = process.communicate(stdin, timeout=240)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return Ran(process.returncode, out or b"", (err or b"").decode())


def numbers_on(file: Path) -> list[str]:
    """Read the linear barcodes of every page: exactly one number a page."""
    found = []
    document = pypdfium2.PdfDocument(file)
    for page in document:
        picture = page.render(scale=203 / 72, grayscale=True).to_pil()
        codes = {
            c.text for c in zxingcpp.read_barcodes(picture) if c.format == zxingcpp.BarcodeFormat.Code128
        }
        assert len(codes) == 1, f"{file}: {codes}"
        found += codes
        page.close()
    document.close()
    return found


@contextmanager
def opened(folder: Path, **how: Any) -> Iterator[Desk]:
    desk = Desk(folder, **how)
    try:
        yield desk
    finally:
        desk.close()


def shipped_lines(books: Sequence[dict[str, Any]]) -> Counter[tuple[str, str, str]]:
    """Count the pieces the platforms were told of: by shop, order and line."""
    told: Counter[tuple[str, str, str]] = Counter()
    for entry in books:
        if entry["kind"] == "ship":
            for line in entry["detail"]["lines"]:
                ref = str(line["line"]).rsplit("/", 1)[-1]
                told[entry["shop"], str(entry["subject"]), ref] += line["quantity"]
    return told


def lines_to_tell(rows: Iterable[dict[str, Any]]) -> Counter[tuple[str, str, str]]:
    """Count the pieces in shipments that platforms are to be told of: by shop, order and line. Our gifts are not."""
    expected: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        for line in row["lines"]:
            if not is_our_gift(line):
                _, shop, ref = line["order_id"].split(":")
                expected[shop, ref, line["line_ref"]] += line["quantity"]
    return expected
