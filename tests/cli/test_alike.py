"""Many refusals of one kind: people see a few and how many more there are, machines see each."""

from __future__ import annotations

import json

import pytest

from orderctl.cli.console import ALIKE, Console
from orderctl.model.text import Text


def told(console: Console, capsys: pytest.CaptureFixture[str]) -> list[str]:
    for n in range(ALIKE + 4):
        console.warn_alike("waybill.buy: full", "effect.failed", Text("{who}: it is full", who=f"S{n}"))
    console.warn_alike("waybill.buy: odd", "effect.failed", Text("S9: it is odd"))
    console.summary(Text("done"))
    console.rest()
    captured = capsys.readouterr()
    assert not captured.out
    return captured.err.splitlines()


def test_people_see_a_few_and_how_many_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(Console("orderctl print"), capsys) == [
        *(f"orderctl print: S{n}: it is full" for n in range(ALIKE)),
        "orderctl print: S9: it is odd",
        "orderctl print: 4 more like this: waybill.buy: full",
        "orderctl print: done",
    ]


def test_a_run_that_breaks_off_tells_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console("orderctl print", "zh")
    for _ in range(ALIKE + 1):
        console.warn_alike("a", "effect.failed", Text("x"))
    console.rest()
    assert capsys.readouterr().err.splitlines()[-1] == "orderctl print: 另有 1 条与此相同：a"


def test_who_asks_for_more_sees_each(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(Console("orderctl print", verbose=1), capsys)
    assert len(lines) == ALIKE + 6
    rows = [json.loads(line) for line in told(Console("orderctl print", json=True), capsys)]
    assert [r["event"] for r in rows] == ["effect.failed"] * (ALIKE + 5) + ["run.done"]
