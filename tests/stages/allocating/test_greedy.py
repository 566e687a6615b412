from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from orderctl.stages.allocating.greedy import greedy
from orderctl.stages.allocating.puzzle import PLENTY, Asked, Group, Offer, Part, Puzzle
from tests.stages.allocating.puzzles import puzzles

FEW = settings(max_examples=60, deadline=None)


@FEW
@given(puzzles())
def test_no_plan_takes_more_than_there_is_or_forgets_a_piece(puzzle: Puzzle) -> None:
    plan, _ = greedy(puzzle)
    assert puzzle.broken(plan) is None


@FEW
@given(puzzles())
def test_with_ample_stock_every_shipment_leaves_whole_from_its_best_warehouse(puzzle: Puzzle) -> None:
    ample = replace(puzzle, free=[PLENTY] * len(puzzle.free), rooms=[PLENTY] * len(puzzle.rooms))
    plan, lacked = greedy(ample)
    assert all(served == (Part(0, None),) for served in plan)
    assert not lacked


@FEW
@given(puzzles())
def test_what_waits_says_what_it_lacks_at_each_of_its_warehouses(puzzle: Puzzle) -> None:
    plan, lacked = greedy(puzzle)
    for number, served in enumerate(plan):
        if not served:
            assert {at for at, _ in lacked[number]} == set(range(len(puzzle.orders[number].offers)))


@FEW
@given(puzzles())
def test_who_comes_later_changes_nothing_for_those_before(puzzle: Puzzle) -> None:
    plan, _ = greedy(puzzle)
    shorter, _ = greedy(replace(puzzle, orders=puzzle.orders[:-1]))
    assert plan[:-1] == shorter


def test_a_plan_that_takes_too_much_or_tears_too_far_is_found() -> None:
    one = Asked(((0, 1), (1, 1)), (Offer(0, 5, 3, (1, 1)), Offer(1, 5, 3, (1, 1))), (Group(((0, 1),), False), Group(((1, 1),), True)))  # fmt: skip
    puzzle = Puzzle(2, [1, 1, 1, 1], [1, 1], [one])
    assert puzzle.broken([()]) is None
    assert puzzle.broken([(Part(0, None),)]) is None
    assert puzzle.broken([(Part(0, (0,)), Part(1, (1,)))]) == "0: a parcel of gifts"
    assert puzzle.broken([(Part(0, (0,)), Part(1, ()))]) == "0: not every group once"
    assert puzzle.broken([(Part(0, (0,)), Part(0, (1,)))]) == "0: two parcels from one warehouse"
    assert Puzzle(2, [1, 0, 1, 1], [1, 1], [one]).broken([(Part(0, None),)]) == "more than there is"
    assert Puzzle(2, [1, 1, 1, 1], [0, 1], [one]).broken([(Part(0, None),)]) == "more than there is"


def test_the_fewest_parcels_and_of_these_the_cheapest() -> None:
    goods = tuple(Group(((sku, 1),), False) for sku in range(3))
    offers = (Offer(0, 9, 3, (2, 2, 2)), Offer(1, 9, 3, (2, 2, 2)), Offer(2, 12, 6, (2, 2, 2)))
    one = Asked(((0, 1), (1, 1), (2, 1)), offers, goods)
    # each SKU: who has it       0: A B C       1: A B C       2: A B C
    puzzle = Puzzle(3, [1, 1, 0, 0, 1, 1, 0, 0, 1], [9, 9, 9], [one])
    plan, _ = greedy(puzzle)
    assert {part.offer for part in plan[0]} == {0, 1}


def test_more_stock_may_serve_fewer_when_an_earlier_shipment_takes_it_all() -> None:
    """Who comes first is served first, even if two others could have been: said in docs/stock.md."""
    big = Asked(((0, 1), (1, 2)), (Offer(0, 1, 1, ()),), (), 30)
    small = Asked(((1, 1),), (Offer(0, 1, 1, ()),), (), 10)
    orders = [big, small, small]
    less, _ = greedy(Puzzle(2, [0, 2], [9], orders))
    more, _ = greedy(Puzzle(2, [1, 2], [9], orders))
    assert [bool(served) for served in less] == [False, True, True]
    assert [bool(served) for served in more] == [True, False, False]
