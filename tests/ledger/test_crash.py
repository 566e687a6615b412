"""A process dies at every single step in turn: run again, the output is what it would have been, and nothing is twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orderctl.model.effect import State
from tests.ledger.world import HOUR, Crash, Dispatch, Steps, World


def peopled(folder: Path) -> tuple[World, list[Dispatch]]:
    folder.mkdir()
    world = World(folder / "ledger.db")
    for recipient, quantity in [("甲", 1), ("甲", 2), ("乙", 1), ("丙", 3)]:
        world.order(recipient, quantity)
    with world.looking() as ledger:
        return world, world.plan(ledger, alone=False, stock=9)


def run(world: World, plan: list[Dispatch], steps: Steps) -> bytes:
    ledger = world.open(steps)
    try:
        rows = world.perform(ledger, plan)
    except Crash:
        ledger.die()
        raise
    ledger.close()
    return json.dumps(rows, ensure_ascii=False).encode()


def test_the_output_is_the_same_whatever_step_a_run_died_at(fast: Path) -> None:
    steps = Steps()
    world, plan = peopled(fast / "calm")
    expected = run(world, plan, steps)
    assert run(world, plan, Steps()) == expected
    assert b"null" not in expected
    assert steps.taken > 40
    for fatal in range(steps.taken):
        world, plan = peopled(fast / str(fatal))
        dying = Steps()
        dying.fatal = fatal
        with pytest.raises(Crash):
            run(world, plan, dying)
        world.check()
        assert_what_is_not_done_waits(world)
        world.later(HOUR)
        run(world, plan, Steps())  # the same command again: it may find prints only a person can settle
        world.look_at_paper()
        assert run(world, plan, Steps()) == expected, f"died at step {fatal}"
        world.check()
        with world.looking() as ledger:
            assert ledger.pending(world.now) == []


def test_a_run_that_dies_while_it_clears_up_after_a_death_changes_nothing_either(fast: Path) -> None:
    world, plan = peopled(fast / "calm")
    steps = Steps()
    expected = run(world, plan, steps)
    for fatal in range(0, steps.taken, 3):
        for again in range(0, 30, 4):
            world, plan = peopled(fast / f"{fatal}-{again}")
            for at in (fatal, again):
                dying = Steps()
                dying.fatal = at
                try:
                    run(world, plan, dying)
                except Crash:
                    world.later(HOUR)
            run(world, plan, Steps())
            world.look_at_paper()
            assert run(world, plan, Steps()) == expected, (fatal, again)
            world.check()


def assert_what_is_not_done_waits(world: World) -> None:
    with world.looking() as ledger:
        open_ones = {e.key for e in ledger.entries() if e.state in (State.STARTED, State.UNKNOWN)}
        waiting = ledger.pending(world.now)
        assert {p.key for p in waiting} == open_ones
        assert all(str(p.what) and str(p.next) for p in waiting)
