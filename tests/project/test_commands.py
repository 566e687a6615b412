"""The Makefile lists its targets, and what is missing on a fresh machine is said in one line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PUBLIC = {
    "help",
    "demo",
    "test",
    "check",
    "coverage",
    "fix",
    "golden",
    "docs",
    "bench",
    "kill",
    "rehearse",
    "tell",
    "damage",
    "freight",
    "ranking",
    "pins",
    "clean",
}


def test_make_alone_lists_every_target() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {line.split()[1] for line in shown.stdout.splitlines()} == PUBLIC
    assert all(re.fullmatch(r"make \w+ +\S.{10,}", line) for line in shown.stdout.splitlines())


def test_ci_runs_what_the_readme_tells_people_to_run() -> None:
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "make test"
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A machine with a few basic programs and no Python."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "bootstrap.sh", tmp_path / "scripts")
    for program in ("bash", "dirname"):
        (tmp_path / "bin" / program).symlink_to(shutil.which(program) or program)
    return tmp_path


def add_python(machine: Path, name: str, *, recent: bool, venv: bool) -> None:
    """Put a Python into the machine's path that only answers the questions the script asks."""
    script = machine / "bin" / name
    script.write_text(
        "#!/bin/bash\n"
        'case "$2" in\n'
        f"  *version_info*) exit {0 if recent else 1} ;;\n"
        f"  *ensurepip*) exit {0 if venv else 1} ;;\n"
        f"esac\necho 'Python 3.{12 if recent else 9}.1'\n"
    )
    script.chmod(0o755)


def bootstrap(machine: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "scripts/bootstrap.sh", ".venv", "requirements.txt"],
        cwd=machine, env={"PATH": str(machine / "bin"), "LANG": os.environ.get("LANG", "C")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pythons", "advice"),
    [
        ([], "apt install python3 python3-venv"),
        ([("python3", False, True)], "apt install python3.11 python3.11-venv"),
        ([("python3", True, False)], "apt install python3-venv"),
        ([("python3.12", True, False), ("python3", False, True)], "apt install python3.12-venv"),
    ],
    ids=["no python", "too old", "no venv module", "newer one without venv module"],
)
def test_missing_python_is_one_clear_line(
    fresh: Path, pythons: list[tuple[str, bool, bool]], advice: str
) -> None:
    for name, recent, venv in pythons:
        add_python(fresh, name, recent=recent, venv=venv)
    result = bootstrap(fresh)
    assert result.returncode == 1
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("orderctl: ")
    assert line.endswith(advice)


def test_complete_python_is_chosen_over_a_newer_incomplete_one(fresh: Path) -> None:
    add_python(fresh, "python3.13", recent=True, venv=False)
    add_python(fresh, "python3.11", recent=True, venv=True)
    assert "apt install" not in bootstrap(fresh).stderr


@pytest.fixture
def debian(fresh: Path) -> Path:
    """A machine whose apt-get writes down what it is asked, and knows no package called `nowhere`."""
    shutil.copy(ROOT / "scripts" / "test-packages.sh", fresh / "scripts")
    (fresh / "tests").mkdir()
    (fresh / "tests" / "debian-packages.txt").write_text(
        "# group program package\n\nshell bash bash\nfar no-such-1 nowhere\nfar no-such-2 somewhere\n"
    )
    apt = fresh / "bin" / "apt-get"
    apt.write_text('#!/bin/bash\necho "${@: -1}" >> asked\n[ "${@: -1}" != nowhere ]\n')
    apt.chmod(0o755)
    return fresh


def install_packages(machine: Path, *, user_id: int) -> subprocess.CompletedProcess[str]:
    identity = machine / "bin" / "id"
    identity.write_text(f"#!/bin/bash\necho {user_id}\n")
    identity.chmod(0o755)
    return subprocess.run(
        ["bash", "scripts/test-packages.sh"],
        cwd=machine, env={"PATH": str(machine / "bin")}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_root_gets_the_missing_packages_one_by_one(debian: Path) -> None:
    result = install_packages(debian, user_id=0)
    assert result.returncode == 0, result.stderr
    assert (debian / "asked").read_text().split() == ["update", "nowhere", "somewhere"]
    assert "nowhere could not be installed" in result.stderr


def test_others_are_told_what_to_install(debian: Path) -> None:
    result = install_packages(debian, user_id=1000)
    assert result.returncode == 0
    assert "apt install nowhere somewhere" in result.stderr
    assert not (debian / "asked").exists()
