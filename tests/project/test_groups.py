"""A group of tests that cannot run here is named and fails the run, unless that is allowed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
TABLE = Path(__file__).parents[1] / "debian-packages.txt"

SAMPLE = """
import pytest

def test_plain(): pass

@pytest.mark.absent
def test_one(): raise AssertionError("must not run")

@pytest.mark.absent
def test_two(): raise AssertionError("must not run")

@pytest.mark.present
def test_present(): pass
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A tiny project with our conftest, one group whose program is missing and one whose program is there."""
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "debian-packages.txt").write_text(
        "# comment\nabsent no-such-program some-package\npresent sh dash\n"
    )
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    return tmp_path


def run(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("ORDERCTL_", "PYTEST_", "COV_", "COVERAGE_"))
    }
    command = [sys.executable, "-m", "pytest", "--strict-markers", "--rootdir", str(project), *arguments]
    return subprocess.run(
        command, cwd=project, env={**kept, **environment}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("workers", ["0", "2"])
def test_missing_group_fails_the_run_and_is_named(project: Path, workers: str) -> None:
    result = run(project, "-n", workers)
    assert result.returncode == 1
    assert "2 x group absent needs no-such-program (package some-package)" in result.stdout
    assert "apt install some-package" in result.stdout
    assert "2 passed, 2 skipped" in result.stdout
    assert "dash" not in result.stdout


def test_missing_group_may_be_allowed(project: Path) -> None:
    result = run(project, ORDERCTL_ALLOW_MISSING_TESTS="1")
    assert result.returncode == 0
    assert "2 x group absent needs no-such-program (package some-package)" in result.stdout


def test_group_that_was_not_asked_for_is_no_fault(project: Path) -> None:
    result = run(project, "-m", "not absent")
    assert result.returncode == 0
    assert "could not run" not in result.stdout


def test_only_missing_tests_is_a_failure_too(project: Path) -> None:
    assert run(project, "-m", "absent").returncode == 1


def test_real_failure_stays_one_when_missing_is_allowed(project: Path) -> None:
    (project / "test_wrong.py").write_text("def test_wrong(): assert False\n")
    assert run(project, ORDERCTL_ALLOW_MISSING_TESTS="1").returncode == 1


def test_marks_in_use_are_groups_or_registered(request: pytest.FixtureRequest) -> None:
    """A typing error in a mark would let a test run where it cannot."""
    registered = {line.partition(":")[0].partition("(")[0] for line in request.config.getini("markers")}
    groups = {line.split()[0] for line in TABLE.read_text().splitlines() if line and not line.startswith("#")}
    assert groups <= registered


def test_no_test_chooses_by_itself_to_skip_for_a_missing_program() -> None:
    """`skipif(which(...))` and `importorskip` would hide what did not run; groups name it."""
    hiding = re.compile(r"skipif\(.*which|importorskip")
    guilty = [
        str(path.relative_to(CONFTEST.parent))
        for path in CONFTEST.parent.rglob("*.py")
        if path != Path(__file__) and hiding.search(path.read_text(encoding="utf-8"))
    ]
    assert guilty == []


def test_tests_cannot_leave_this_machine() -> None:
    import socket

    with socket.socket() as outside, pytest.raises(RuntimeError, match=r"192\.0\.2\.1"):
        outside.connect(("192.0.2.1", 9))
