"""Random puzzles, small enough to be looked through."""

from __future__ import annotations

from hypothesis import strategies as st

from orderctl.stages.allocating.puzzle import Asked, Group, Offer, Puzzle

SKUS, HOUSES = 4, 3


@st.composite
def groups(draw: st.DrawFn) -> Group:
    skus = draw(st.lists(st.integers(0, SKUS - 1), min_size=1, max_size=2, unique=True))
    return Group(tuple((sku, draw(st.integers(1, 2))) for sku in sorted(skus)), draw(st.integers(0, 5)) == 0)


@st.composite
def asked(draw: st.DrawFn, turn: int) -> Asked:
    parts = draw(st.lists(groups(), min_size=1, max_size=3))
    needs: dict[int, int] = {}
    for group in parts:
        for sku, pieces in group.needs:
            needs[sku] = needs.get(sku, 0) + pieces
    houses = draw(st.lists(st.integers(0, HOUSES - 1), min_size=1, max_size=HOUSES, unique=True))
    offers = []
    for house in houses:
        shares = tuple(draw(st.integers(0, 9)) for _ in parts)
        base = draw(st.integers(1, 20))
        offers.append(Offer(house, base + sum(shares), base, shares))
    offers.sort(key=lambda one: (one.cost, one.warehouse))
    may = sum(not g.gift for g in parts) > 1 and draw(st.booleans())
    split = tuple(parts) if may else ()
    offers = [o if may else o._replace(base=o.cost, shares=()) for o in offers]
    return Asked(tuple(sorted(needs.items())), tuple(offers), split, 100_000 - 1000 * turn)


@st.composite
def puzzles(draw: st.DrawFn) -> Puzzle:
    count = draw(st.integers(1, 7))
    free = draw(st.lists(st.integers(0, 5), min_size=SKUS * HOUSES, max_size=SKUS * HOUSES))
    rooms = draw(st.lists(st.integers(0, 6), min_size=HOUSES, max_size=HOUSES))
    orders = [draw(asked(turn)) for turn in range(count)]
    return Puzzle(SKUS, free, rooms, orders, draw(st.integers(0, 5)))
