from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings

from orderctl.stages.allocating.exact import Exact, lower_bound
from orderctl.stages.allocating.greedy import greedy
from orderctl.stages.allocating.puzzle import Asked, Offer, Part, Puzzle, Served
from tests.stages.allocating.puzzles import puzzles

FEW = settings(max_examples=40, deadline=None)


def every_choice(asked: Asked) -> list[Served]:
    """Give all ways to serve a shipment, waiting among them."""
    ways: list[Served] = [(), *((Part(at, None),) for at in range(len(asked.offers)))]
    for homes in product(range(len(asked.offers)), repeat=len(asked.groups)):
        if len(set(homes)) > 1:
            ways.append(
                tuple(Part(at, tuple(g for g, h in enumerate(homes) if h == at)) for at in sorted(set(homes)))
            )
    return ways


@FEW
@given(puzzles())
def test_the_exact_plan_is_what_trying_everything_finds(puzzle: Puzzle) -> None:
    small = replace(puzzle, orders=puzzle.orders[:3])
    plans = (list(plan) for plan in product(*(every_choice(asked) for asked in small.orders)))
    best = min(small.cost(plan) for plan in plans if small.broken(plan) is None)
    assert small.cost(Exact()(small)[0]) == best


@FEW
@given(puzzles())
def test_never_dearer_than_greedy_and_never_cheaper_than_the_bound(puzzle: Puzzle) -> None:
    solver = Exact(batch=3)
    plan, _ = solver(puzzle)
    assert puzzle.broken(plan) is None
    report = solver.report
    assert report is not None
    assert puzzle.cost(greedy(puzzle)[0]) == report.greedy >= report.cost == puzzle.cost(plan) >= report.bound
    assert report.bound == min(lower_bound(puzzle), report.cost)


@FEW
@given(puzzles())
def test_more_stock_never_makes_waiting_weigh_more(puzzle: Puzzle) -> None:
    """Waiting weighs so much here that it decides; each counts by its turn."""
    more = replace(puzzle, free=[n + 1 for n in puzzle.free])

    def waits(one: Puzzle) -> int:
        plan, _ = Exact()(one)
        return sum(asked.wait for asked, served in zip(one.orders, plan, strict=True) if not served)

    assert waits(more) <= waits(puzzle)


def test_one_that_could_go_elsewhere_makes_room() -> None:
    first = Asked(((0, 1),), (Offer(0, 5, 5, ()), Offer(1, 6, 6, ())), (), 100)
    second = Asked(((0, 1),), (Offer(0, 5, 5, ()),), (), 90)
    puzzle = Puzzle(1, [1, 1], [9, 9], [first, second])
    assert [bool(served) for served in greedy(puzzle)[0]] == [True, False]
    solver = Exact()
    assert solver(puzzle)[0] == [(Part(1, None),), (Part(0, None),)]
    assert solver.report is not None
    assert (solver.report.cost, solver.report.greedy) == (11, 95)
    assert solver.report.gap == pytest.approx(0)


def test_the_solver_writes_nothing_where_the_batch_goes(capfd: pytest.CaptureFixture[str]) -> None:
    one = Asked(((0, 1),), (Offer(0, 5, 5, ()),), (), 100)
    Exact()(Puzzle(1, [1], [1], [one, one]))
    assert capfd.readouterr() == ("", "")


def test_nothing_asked_costs_nothing() -> None:
    solver = Exact()
    assert solver(Puzzle(0, [], [], []))[0] == []
