"""A wheel holds all that the program reads at run time: who installs it has no checkout beside it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(ROOT)], check=True, cwd=folder)
    [path] = folder.glob("orderctl-*.whl")
    return zipfile.ZipFile(path)


def test_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    there = set(wheel.namelist())
    source = ROOT / "src"
    wanted = {
        str(path.relative_to(source))
        for path in (source / "orderctl").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted - there == set()


def test_wheel_holds_templates_and_examples_as_they_are_at_the_top(wheel: zipfile.ZipFile) -> None:
    top = [*ROOT.glob("*.example.yaml"), *(p for p in (ROOT / "templates").rglob("*") if p.is_file())]
    assert len(top) > 2
    for path in top:
        assert wheel.read(f"orderctl/assets/{path.relative_to(ROOT)}") == path.read_bytes()


def test_program_finds_the_same_files_in_a_checkout(wheel: zipfile.ZipFile) -> None:
    """Run from a checkout, `orderctl.assets` looks as it does in a wheel."""
    assets = ROOT / "src" / "orderctl" / "assets"
    for name in wheel.namelist():
        if name.startswith("orderctl/assets/"):
            assert (assets / name.removeprefix("orderctl/assets/")).read_bytes() == wheel.read(name)


def test_wheel_has_the_command_the_licence_and_a_font(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    [entry_points] = [name for name in names if name.endswith("entry_points.txt")]
    assert b"orderctl = orderctl.cli.main:main" in wheel.read(entry_points)
    assert any(name.endswith("/LICENSE") for name in names)
    assert any(name.startswith("orderctl/assets/fonts/") and name.endswith(".ttf") for name in names)
    assert not any("tests/" in name or "__pycache__" in name for name in names)
