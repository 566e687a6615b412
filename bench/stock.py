"""Dealing stock out: what plans cost against each other, and how long they take. `python -m bench.stock` prints both.

One made-up day: so many orders of one to four lines, 5 warehouses, 2,000 SKUs of which 65 % of the cells are stocked, a fee for
each parcel by region and warehouse, a fee for each piece, and one for each piece that is not sent. Read the ratios.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from random import Random

from orderctl.stages.allocating.greedy import Left, greedy
from orderctl.stages.allocating.puzzle import PLENTY, Asked, Group, Offer, Part, Puzzle, Served

HOUSES, SKUS, REGIONS, STOCKED = 5, 2000, 8, 0.65
UNSENT = 3000
"""What a piece that is not sent costs, in minor units: three times the dearest parcel."""


@cache
def puzzle(orders: int = 10_000, share: float = 1.1, seed: int = 1) -> Puzzle:
    """Make a day of which `share` of the demand is in stock; every order may be split line by line."""
    chance = Random(seed)
    popular = [1 / (n + 10) for n in range(SKUS)]
    fees = [[chance.randint(300, 1000) for _ in range(HOUSES)] for _ in range(REGIONS)]
    per_piece = [chance.randint(20, 60) for _ in range(HOUSES)]
    demand = [0] * SKUS
    asked = []
    for _ in range(orders):
        count = chance.choices((1, 2, 3, 4), (45, 30, 15, 10))[0]
        lines = {
            sku: chance.choices((1, 2, 3), (80, 15, 5))[0]
            for sku in chance.choices(range(SKUS), popular, k=count)
        }
        for sku, pieces in lines.items():
            demand[sku] += pieces
        asked.append(_asked(tuple(lines.items()), fees[chance.randrange(REGIONS)], per_piece))
    free = [0] * (HOUSES * SKUS)
    for sku, pieces in enumerate(demand):
        homes = [h for h in range(HOUSES) if chance.random() < STOCKED] or [chance.randrange(HOUSES)]
        for n in range(round(pieces * share)):
            free[homes[n % len(homes)] * SKUS + sku] += 1
    return Puzzle(SKUS, free, [PLENTY] * HOUSES, asked)


def _asked(lines: tuple[tuple[int, int], ...], fees: list[int], per_piece: list[int]) -> Asked:
    offers = []
    for house in range(HOUSES):
        shares = tuple(per_piece[house] * pieces for _, pieces in lines)
        offers.append(Offer(house, fees[house] + sum(shares), fees[house], shares))
    offers.sort(key=lambda offer: offer.cost)
    groups = tuple(Group((line,), False) for line in lines) if len(lines) > 1 else ()
    return Asked(lines, tuple(offers), groups, UNSENT * sum(pieces for _, pieces in lines))


def by_greedy(day: Puzzle) -> list[Served]:
    """Ours: the whole order from the cheapest warehouse that has it, else in fewest parcels."""
    return greedy(day)[0]


def by_line(day: Puzzle) -> list[Served]:
    """Each line from the cheapest warehouse that has it, as many shops do; an order without all its lines waits."""
    left, plan = Left(day), list[Served]()
    for asked in day.orders:
        plan.append(_each_line(day, left, asked, {}))
        left.take(asked, plan[-1])
    return plan


def _each_line(day: Puzzle, left: Left, asked: Asked, wanted: dict[int, int]) -> Served:
    """Put each line in the warehouse `wanted` for it, else in the cheapest that has it."""
    home: dict[int, list[int]] = {}
    for g, (sku, pieces) in enumerate(asked.needs):
        has = [
            at
            for at, offer in enumerate(asked.offers)
            if left.free[offer.warehouse * day.skus + sku] >= pieces
        ]
        if not has:
            return ()
        likes = [at for at in has if asked.offers[at].warehouse == wanted.get(g)]
        home.setdefault((likes or has)[0], []).append(g)
    if len(home) == 1:
        return (Part(next(iter(home)), None),)
    return tuple(Part(at, tuple(some)) for at, some in sorted(home.items()))


def by_flow(day: Puzzle) -> list[Served]:
    """Min-cost flow by lines (OR-Tools), each line then whole where most of it flows from."""
    from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

    flow = SimpleMinCostFlow()
    lines = [(o, g, sku, n) for o, asked in enumerate(day.orders) for g, (sku, n) in enumerate(asked.needs)]
    cells, sink, nowhere = len(lines), len(lines) + len(day.free), len(lines) + len(day.free) + 1
    arcs: dict[int, tuple[int, int]] = {}
    for node, (o, g, sku, pieces) in enumerate(lines):
        asked = day.orders[o]
        flow.set_node_supply(node, pieces)
        for at, offer in enumerate(asked.offers):
            per_piece = (offer.cost - offer.base) // sum(n for _, n in asked.needs)
            cost = per_piece + offer.base // (len(asked.needs) * pieces)
            arc = flow.add_arc_with_capacity_and_unit_cost(
                node, cells + offer.warehouse * SKUS + sku, pieces, cost
            )
            arcs[arc] = (node, at)
        flow.add_arc_with_capacity_and_unit_cost(node, nowhere, pieces, UNSENT)
        del g
    for cell, pieces in enumerate(day.free):
        flow.add_arc_with_capacity_and_unit_cost(cells + cell, sink, pieces, 0)
    total = sum(n for *_, n in lines)
    flow.add_arc_with_capacity_and_unit_cost(nowhere, sink, total, 0)
    flow.set_node_supply(sink, -total)
    if flow.solve() != flow.OPTIMAL:
        raise SystemExit("no flow")
    most: dict[int, tuple[int, int]] = {}
    for arc, (node, at) in arcs.items():
        most[node] = max(most.get(node, (0, -1)), (flow.flow(arc), at))
    wanted: dict[int, dict[int, int]] = {}
    for node, (o, g, _, _) in enumerate(lines):
        if most[node][0]:
            wanted.setdefault(o, {})[g] = day.orders[o].offers[most[node][1]].warehouse
    left, plan = Left(day), list[Served]()
    for o, asked in enumerate(day.orders):
        plan.append(_each_line(day, left, asked, wanted.get(o, {})))
        left.take(asked, plan[-1])
    return plan


def by_exact(day: Puzzle) -> list[Served]:
    """Ours with --optimize: HiGHS in batches of 1,000."""
    from orderctl.stages.allocating.exact import Exact

    return Exact()(day)[0]


PLANS: dict[str, Callable[[Puzzle], list[Served]]] = {
    "greedy": by_greedy,
    "by line": by_line,
    "exact": by_exact,
}
if find_spec("ortools"):
    PLANS["flow"] = by_flow


def _orders(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def stock_greedy(path: Path) -> int:
    """A day dealt out greedily."""
    return len(by_greedy(puzzle(_orders(path))))


def stock_made(path: Path) -> int:
    """The day only made: what all cases share."""
    return len(puzzle(_orders(path)).orders)


def stock_lines(path: Path) -> int:
    """A day dealt out line by line."""
    return len(by_line(puzzle(_orders(path))))


def main() -> None:
    """Print cost, splits and time of every plan, against the greedy one."""
    from orderctl.stages.allocating.exact import lower_bound

    parser = argparse.ArgumentParser(prog="python -m bench.stock")
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=1)
    asked = parser.parse_args()
    for share in (1.1, 0.9):
        for seed in range(1, asked.seeds + 1):
            day = puzzle(asked.orders, share, seed)
            print(f"\n{asked.orders} orders, stock {share:.0%} of demand, seed {seed}")
            print(f"{'':10}{'cost':>8}{'splits':>8}{'waiting':>9}{'CPU s':>8}{'ratio':>8}")
            first: tuple[int, float] | None = None
            for name, plan_of in PLANS.items():
                runs = []
                for _ in range(1 if name in ("exact", "flow") else 3):
                    began = time.process_time()
                    plan = plan_of(replace(day))
                    runs.append(time.process_time() - began)
                if (wrong := day.broken(plan)) is not None:
                    raise SystemExit(f"{name}: {wrong}")
                cost, took = day.cost(plan), sorted(runs)[len(runs) // 2]
                first = first or (cost, took)
                splits, waiting = sum(len(s) > 1 for s in plan), sum(not s for s in plan)
                print(
                    f"{name:10}{cost / first[0]:>8.3f}{splits:>8}{waiting:>9}{took:>8.2f}{took / first[1]:>8.1f}",
                    flush=True,
                )
            began = time.process_time()
            bound = lower_bound(day)
            assert first is not None
            print(
                f"{'LP bound':10}{bound / first[0]:>8.3f}{'':17}{time.process_time() - began:>8.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
