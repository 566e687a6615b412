"""`orderctl sandbox`: all platforms or some, and a configuration that works at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from orderctl.sandbox.standins import choose

COMMAND = [sys.executable, "-m", "orderctl", "sandbox", "--port", "0", "--orders", "20"]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "ORDERCTL_STATE": str(folder / "state"), "ORDERCTL_LANG": "en"}


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[str]:
    """Start the command; gives its one line when it serves."""
    process = subprocess.Popen(
        [*COMMAND, *words], cwd=folder, env=environment(folder), stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        yield process.stderr.readline()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 130


def refused(folder: Path, *words: str) -> tuple[int, str]:
    ran = subprocess.run(
        [*COMMAND, *words], cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    return ran.returncode, ran.stderr


def read(folder: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((folder / "orderctl.yaml").read_text("utf-8")))


def test_all_platforms_and_a_configuration_of_them(tmp_path: Path) -> None:
    with serving(tmp_path, "--config-out", "orderctl.yaml") as line:
        found = read(tmp_path)
        platforms = {shop["platform"] for shop in found["shops"].values()}
        assert platforms == set(choose(["all"]))
        assert all(name in line for name in found["shops"])
        url = next(word for word in line.split() if word.startswith("http://")).rstrip(",")
        served = yaml.safe_load(httpx.get(f"{url}/_config").text)
        assert served["shops"] == found["shops"]
        assert served["issuers"].items() <= found["issuers"].items()
        assert found["warehouses"]


def test_the_written_configuration_fetches(tmp_path: Path) -> None:
    with serving(tmp_path, "--config-out", "orderctl.yaml", "--shop", "sf-cny", "--shop", "taobao"):
        assert list(read(tmp_path)["shops"]) == ["tb-demo", "sf-cny"]
        command = [sys.executable, "-m", "orderctl", "fetch", "--shop", "all"]
        ran = subprocess.run(
            command, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=120, check=False
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        assert len(ran.stdout.splitlines()) == 20


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--shop", "nowhere"], "no shop nowhere; known: "),
        (
            ["--config-out", "missing/orderctl.yaml", "--shop", "taobao"],
            "cannot create missing/orderctl.yaml",
        ),
    ],
)
def test_what_cannot_be_is_said_in_one_line(tmp_path: Path, words: list[str], says: str) -> None:
    code, err = refused(tmp_path, *words)
    assert code in (2, 73)
    assert says in err
    assert "Traceback" not in err


def test_books_keep_their_shops(tmp_path: Path) -> None:
    with serving(tmp_path, "--shop", "sf-cny") as line:
        assert "sf-cny" in line
    with serving(tmp_path) as line:
        assert "sf-cny at " in line
    code, err = refused(tmp_path, "--shop", "sf-cny", "--shop", "tb-demo")
    assert code == 2
    assert "has the shops sf-cny, not tb-demo" in err
