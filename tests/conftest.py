"""What every test stands on: the groups this machine can run, a home of its own, and no network.

A test marked with a group of `debian-packages.txt` needs that group's programs. Where one is missing the test is
skipped, its group is named at the end and the run fails, unless ORDERCTL_ALLOW_MISSING_TESTS=1: a test that did not
run is never taken for one that passed.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import settings

TABLE = Path(__file__).with_name("debian-packages.txt")
SYSTEM_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
ALLOWED = "ORDERCTL_ALLOW_MISSING_TESTS"
KEPT = {ALLOWED, "ORDERCTL_GOLDEN", "ORDERCTL_KILLS"}  # what the Makefile tells the tests

# Two busy cores make single examples slow; that is no failure of a law.
settings.register_profile("orderctl", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("orderctl")


class Need(NamedTuple):
    """A group of tests, a program it cannot do without, and the Debian package that brings it."""

    group: str
    program: str
    package: str


def parse_needs(text: str) -> list[Need]:
    """Read the table of groups; blank lines and lines starting with # are left out."""
    lines = (line.strip() for line in text.splitlines())
    return [Need(*line.split()) for line in lines if line and not line.startswith("#")]


class Groups:
    """Skips the groups whose programs are missing, counts what was skipped, and fails the run for it."""

    def __init__(self, needs: list[Need]) -> None:
        self.missing: dict[str, list[Need]] = {}
        for need in needs:
            if shutil.which(need.program, path=SYSTEM_PATH) is None:
                self.missing.setdefault(need.group, []).append(need)
        self.skipped: Counter[str] = Counter()

    def reason(self, group: str) -> str:
        lacking = ", ".join(
            f"{Path(need.program).name} (package {need.package})" for need in self.missing[group]
        )
        return f"group {group} needs {lacking}"

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for group in self.missing:
                if item.get_closest_marker(group):
                    item.add_marker(pytest.mark.skip(reason=self.reason(group)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and report.when == "setup":
            self.skipped.update(group for group in self.missing if group in report.keywords)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        ended_well = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        if self.skipped and ended_well and not os.environ.get(ALLOWED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if not self.skipped:
            return
        terminalreporter.section("tests that could not run here")
        for group, count in sorted(self.skipped.items()):
            terminalreporter.line(f"{count} x {self.reason(group)}")
        packages = sorted({need.package for group in self.skipped for need in self.missing[group]})
        terminalreporter.line(f"To run them: apt install {' '.join(packages)}")
        if not os.environ.get(ALLOWED):
            terminalreporter.line(
                f"Therefore this run fails; {ALLOWED}=1 (make test ALLOW_MISSING=1) lets it pass."
            )


def pytest_configure(config: pytest.Config) -> None:
    """Register the groups as markers, and the plugin that watches over them."""
    needs = parse_needs(TABLE.read_text(encoding="utf-8"))
    for group in dict.fromkeys(need.group for need in needs):
        programs = ", ".join(Path(need.program).name for need in needs if need.group == group)
        config.addinivalue_line("markers", f"{group}: needs {programs} (tests/{TABLE.name})")
    config.pluginmanager.register(Groups(needs), "orderctl-groups")


def _only_this_machine(event: str, args: tuple[Any, ...]) -> None:
    """Refuse connections that would leave this machine. Tests talk to servers they started themselves."""
    if event != "socket.connect" or not isinstance(args[1], tuple):
        return
    host = str(args[1][0])
    try:
        is_local = ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        is_local = host in ("localhost", "")
    if not is_local:
        raise RuntimeError(f"a test tried to reach {host}")


sys.addaudithook(_only_this_machine)


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the tests, and the commands they start, a home and a state of their own and one known language."""
    home = tmp_path_factory.mktemp("home")
    before = dict(os.environ)
    for name in before.keys() - KEPT:
        if name.startswith(("ORDERCTL_", "XDG_", "LC_")):
            del os.environ[name]
    os.environ.update(HOME=str(home), LANG="C.UTF-8", TZ="UTC", NO_COLOR="1")
    yield
    os.environ.clear()
    os.environ.update(before)
