"""Version, dependencies and pins say the same thing everywhere."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import orderctl

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]

# Declared, yet imported by nobody here, with the reason.
NEEDED_WITHOUT_IMPORT = {
    "tzdata": "the standard library's zoneinfo reads it",
    "fastexcel": "polars reads XLSX through it",
    "xlsxwriter": "polars writes XLSX through it",
}


def declared(*extras: str) -> dict[str, Requirement]:
    lines = PROJECT["dependencies"] + [line for x in extras for line in PROJECT["optional-dependencies"][x]]
    return {canonicalize_name(r.name): r for r in map(Requirement, lines)}


def imported_modules() -> set[str]:
    """The third-party modules that src imports, at the top of a file or in a function."""
    modules: set[str] = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.partition(".")[0])
    return modules - set(sys.stdlib_module_names) - {"orderctl"}


def distributions_of(module: str) -> set[str]:
    """Those that bring a module: several share a namespace such as arro3; pydantic_core is pydantic's own half."""
    names = packages_distributions().get(module, [module])
    return {canonicalize_name(name).replace("pydantic-core", "pydantic") for name in names}


def test_installed_version_is_the_one_in_the_code() -> None:
    assert version("orderctl") == orderctl.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", orderctl.__version__)


def test_changelog_has_a_place_for_what_comes_and_no_version_twice() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert len(headings) == len(set(headings))


def test_every_dependency_is_used_and_every_use_is_declared() -> None:
    wanted = set(declared("sandbox", "keyring", "optimize", "serial", "usb"))
    brought = {module: distributions_of(module) for module in imported_modules()}
    assert {m for m, names in brought.items() if not names & wanted} == set(), (
        "imported, not in pyproject.toml"
    )
    used = set().union(*brought.values()) | set(NEEDED_WITHOUT_IMPORT)
    assert wanted - used == set(), "in pyproject.toml, imported nowhere"


def test_every_dependency_says_why_it_is_there() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for name, requirement in declared("sandbox", "keyring", "optimize", "serial", "usb", "dev").items():
        line = next(line for line in text.splitlines() if line.strip().startswith(f'"{requirement.name}'))
        assert "#" in line, name
        assert any(s.operator == ">=" for s in requirement.specifier), name


def test_pins_satisfy_what_is_declared() -> None:
    build = [Requirement(line) for line in PYPROJECT["build-system"]["requires"]]
    for file, extras in (
        ("requirements.txt", ["sandbox"]),
        ("requirements-dev.txt", ["sandbox", "keyring", "dev"]),
    ):
        pins = dict(
            re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)", (ROOT / file).read_text(), re.MULTILINE)
        )
        for requirement in [*declared(*extras).values(), *build]:
            pinned = pins.get(canonicalize_name(requirement.name))
            assert pinned, f"{requirement.name} is not in {file}: run make pins"
            assert requirement.specifier.contains(pinned), f"{requirement} but {file} has {pinned}"


def test_both_pin_files_agree() -> None:
    pins = {
        file: dict(
            re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)", (ROOT / file).read_text(), re.MULTILINE)
        )
        for file in ("requirements.txt", "requirements-dev.txt")
    }
    assert pins["requirements.txt"].items() <= pins["requirements-dev.txt"].items()
