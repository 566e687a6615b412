"""What no file of this repository may hold: addresses of package registries, paths of one machine, private words."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Written in halves, so that this file passes its own test.
REGISTRIES = [
    "py" + "pi.org", "pypi.python" + ".org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com",
    "yarn" + "pkg.com", "deb.debian" + ".org", "security.debian" + ".org", "archive.ubuntu" + ".com",
    "proxy.golang" + ".org", "crates" + ".io", "conda" + ".anaconda.org", "--index" + "-url", "--extra-index" + "-url",
    "--find" + "-links",
]  # fmt: skip
MACHINE_PATHS = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/tm" + "p/", "/opt/" + "pypi"]
DATA = {".ttf", ".otf", ".png", ".pdf", ".xlsx", ".parquet", ".arrow", ".gz", ".zst", ".escpos", ".jpg"}


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


@pytest.mark.parametrize("forbidden", [REGISTRIES, MACHINE_PATHS], ids=["registries", "machine-paths"])
def test_no_file_holds(forbidden: list[str]) -> None:
    pattern = re.compile("|".join(re.escape(word) for word in forbidden).encode())
    found = [
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in tracked_files()
        for match in [pattern.search(path.read_bytes())]
        if match
    ]
    assert found == []


def test_pins_hold_no_address_and_every_pin_has_hashes() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        assert "://" not in text, name
        pins = re.findall(
            r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)",
            text,
            re.MULTILINE,
        )
        unpinned = [line for line in text.splitlines() if line and line[0] not in "# " and "==" not in line]
        assert unpinned == []
        assert len(pins) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE)), name


def test_text_files_are_utf8_with_plain_line_ends() -> None:
    """Fixtures may be GBK or have Windows line ends: that is what they are for."""
    for path in tracked_files():
        if (
            path.suffix in DATA
            or {"fixtures", "golden"} & set(path.parts)
            or path.suffix in {".csv", ".jsonl"}
        ):
            continue
        content = path.read_bytes()
        content.decode("utf-8")
        assert b"\r" not in content, path


def test_scripts_can_be_run() -> None:
    for path in [*ROOT.glob("scripts/*.sh"), ROOT / ".ci" / "run"]:
        assert path.stat().st_mode & 0o100, path
        subprocess.run(["bash", "-n", str(path)], check=True)
