"""Every benchmark runs and counts what it was given; what it takes is not looked at here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import routing
from bench.cases import GROUPS, case
from bench.data import records, write
from bench.reading import input_of

ROWS = 50
# Some count other things than the input's rows: how many for one row, and what is exempt.
TIMES = {"match": 4, "words": 20, "wishes": 20, "money": 20}
LESS = {"read_spoiled": ROWS - 1, "bare_python": 0, "help_text": 0}
CASES = [pytest.param(group, name, id=f"{group}-{name}") for group, names in GROUPS.items() for name in names]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / f"raw-{ROWS}.jsonl"
    write(path, ROWS)
    return path


def test_the_input_is_the_same_every_time(given: Path) -> None:
    assert given.read_text("utf-8").splitlines() == list(records(ROWS))


@pytest.mark.parametrize(("group", "name"), CASES)
def test_a_case_counts_its_rows(
    given: Path, group: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = case(name)(given)
    family = name.split("_", maxsplit=1)[0]
    if family == "routing":  # some orders share a shipment
        assert found == case("routing_floor")(given) > ROWS // 2
        return
    if family not in TIMES:
        assert found == LESS.get(name, ROWS)
        return
    assert 0 < found <= ROWS * TIMES[family]
    if name == "money_float":
        assert found < ROWS * TIMES[family]  # the trap has to snap
    else:
        others = {case(other)(given) for other in GROUPS[group] if other != "money_float"}
        assert others == {found}


@pytest.mark.parametrize("platform", ["taobao", "shopify"])
def test_the_peer_makes_the_rows_we_make(given: Path, platform: str) -> None:
    case(f"{platform}_map")(given)
    case(f"{platform}_dicts")(given)
    ours, theirs = (
        input_of(given, "raw" if platform == "taobao" else platform).with_suffix(ending).read_text("utf-8")
        for ending in (".mapped", ".dicts")
    )
    assert [json.loads(line) for line in ours.splitlines()] == [
        json.loads(line) for line in theirs.splitlines()
    ]


def test_each_case_says_what_it_is() -> None:
    for names in GROUPS.values():
        for name in names:
            assert (case(name).__doc__ or "").strip().endswith(".")


def test_the_peer_decides_as_we_do(given: Path) -> None:
    ours = [
        row
        for block in routing.routed(given, routing.RULES, tariffs=True)
        for row in block.iter_rows(named=True)
    ]
    theirs = list(routing.decided(given))
    assert [(row["courier"], row["freight_minor"]) for row in ours] == [row[:2] for row in theirs]
    assert len({row["courier"] for row in ours}) == 3
    fired = [[step["rule"] for step in row["decision"] if step["step"] == "courier"] for row in ours]
    assert fired == [[step["rule"] for step in trail if step["step"] == "courier"] for *_, trail in theirs]
