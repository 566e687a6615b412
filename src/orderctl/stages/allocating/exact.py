"""Stock dealt out by the solver HiGHS: in batches to the optimum, never dearer than the greedy plan, with a bound for all.

The bound is what the plan would cost if shipments could be divided at will (the linear relaxation of the whole): no plan
whatever is cheaper. Nothing here depends on the clock: what ends a search is its number of nodes, so the plan is the
same on every machine. Every plan is checked against stock and demand before it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import highspy
import numpy as np

from orderctl.stages.allocating.greedy import Lacks, Left, greedy
from orderctl.stages.allocating.puzzle import Asked, Part, Puzzle, Served

BATCH = 1000
"""Shipments solved at once; twice as many take six times as long."""
NODES = 200
GAP = 1e-6


@dataclass(frozen=True)
class Report:
    """How good a plan is: what it costs, what the greedy one would have cost, and what none can be cheaper than.

    All in minor units, a shipment that waits counted as its `wait`; only those that want something scarce.
    """

    orders: int
    cost: int
    greedy: int
    bound: int

    @property
    def gap(self) -> float:
        """Give how much more than the bound it costs, in percent, at most."""
        return 100 * (self.cost - self.bound) / self.bound if self.bound else 0.0


@dataclass
class Exact:
    """A solver as `allocate` takes it, that keeps the `report` of its plan."""

    batch: int = BATCH
    report: Report | None = field(default=None, init=False)

    def __call__(self, puzzle: Puzzle) -> tuple[list[Served], dict[int, Lacks]]:
        """Give the plan; what lacked is told as it was at the turn of each shipment."""
        quick, quick_lacked = greedy(puzzle)
        plan, lacked = self._batches(puzzle)
        costs = puzzle.cost(plan), puzzle.cost(quick)
        bound = min(lower_bound(puzzle), *costs)
        self.report = Report(len(puzzle.orders), min(costs), costs[1], bound)
        return (plan, lacked) if costs[0] <= costs[1] else (quick, quick_lacked)

    def _batches(self, puzzle: Puzzle) -> tuple[list[Served], dict[int, Lacks]]:
        left, plan, lacked = Left(puzzle), list[Served](), dict[int, Lacks]()
        for start in range(0, len(puzzle.orders), self.batch):
            orders = puzzle.orders[start : start + self.batch]
            part = replace(puzzle, free=left.free, rooms=left.rooms, orders=orders)
            found = solved(part)
            if found is None or part.broken(found) is not None:
                found, _ = greedy(part)
            for number, (asked, served) in enumerate(zip(orders, found, strict=True), start):
                if not served or served[0].offer or len(served) > 1:
                    lacked[number] = left.lacks(asked, served)
                left.take(asked, served)
            plan += found
        return plan, lacked


def solved(puzzle: Puzzle) -> list[Served] | None:
    """Give the best plan, or None if none was found."""
    if not puzzle.orders:
        return []
    model = _Model(puzzle)
    solver = _solver(model.lp(whole=True))
    solver.run()
    if solver.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None
    return model.plan([value > 0.5 for value in solver.getSolution().col_value])


def lower_bound(puzzle: Puzzle) -> int:
    """Give what no plan is cheaper than, in whole minor units."""
    if not puzzle.orders:
        return 0
    solver = _solver(_Model(puzzle).lp(whole=False))
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return 0
    waits = sum(asked.wait for asked in puzzle.orders)
    found = waits + solver.getInfo().objective_function_value
    return int(
        np.ceil(found - 1e-3 - 1e-9 * waits)
    )  # costs are whole, so what is cheaper than that is cheaper than the bound


class _Quiet(highspy.Highs):
    """Says nothing: its greeting would stand in the batch on stdout."""

    def enableCallbacks(self) -> None:  # noqa: N802
        """Do as it does, once it has been told to be quiet."""
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call]


def _solver(lp: highspy.HighsLp) -> highspy.Highs:
    solver = _Quiet()  # type: ignore[no-untyped-call]
    options: dict[str, bool | int | float | str] = {
        "threads": 1,
        "parallel": "off",
        "random_seed": 1,
        "mip_rel_gap": GAP,
        "mip_max_nodes": NODES,
    }
    for name, value in options.items():
        solver.setOptionValue(name, value)
    solver.passModel(lp)
    return solver


class _Model:
    """The puzzle as a linear program over yes and no.

    A shipment has a column for each offer ("there is a parcel from there"); one that may be split has besides them one
    for "it is served" and one for each group and offer ("the group is in that parcel").
    """

    def __init__(self, puzzle: Puzzle) -> None:
        self.puzzle = puzzle
        self.costs: list[int] = []
        self.rows: list[tuple[list[int], list[float], float, float]] = []
        self.first: list[int] = []  # of each shipment
        self._stock: dict[int, list[tuple[int, int]]] = {}
        self._sent: dict[int, list[int]] = {}
        for asked in puzzle.orders:
            self.first.append(len(self.costs))
            (self._divisible if asked.groups else self._whole)(asked)
        self._limits()

    def _whole(self, asked: Asked) -> None:
        first = len(self.costs)
        for at, offer in enumerate(asked.offers):
            self.costs.append(offer.cost - asked.wait)
            self._sent.setdefault(offer.warehouse, []).append(first + at)
            for sku, pieces in asked.needs:
                self._stock.setdefault(offer.warehouse * self.puzzle.skus + sku, []).append(
                    (first + at, pieces)
                )
        self._row([first + at for at in range(len(asked.offers))], 1.0, 0.0, 1.0)

    def _divisible(self, asked: Asked) -> None:
        first, offers, groups = len(self.costs), asked.offers, asked.groups
        served = first + len(offers)
        self.costs += [offer.base + self.puzzle.split_cost for offer in offers]
        self.costs.append(-asked.wait - self.puzzle.split_cost)
        for at, offer in enumerate(offers):
            self._sent.setdefault(offer.warehouse, []).append(first + at)
            inside = []
            for g, group in enumerate(groups):
                column = self._column(first, len(offers), at, g, len(groups))
                self.costs.append(offer.shares[g])
                self.rows.append(([column, first + at], [1.0, -1.0], -np.inf, 0.0))
                inside += [] if group.gift else [column]
                for sku, pieces in group.needs:
                    self._stock.setdefault(offer.warehouse * self.puzzle.skus + sku, []).append(
                        (column, pieces)
                    )
            self.rows.append(([first + at, *inside], [1.0] + [-1.0] * len(inside), -np.inf, 0.0))
        for g in range(len(groups)):
            columns = [self._column(first, len(offers), at, g, len(groups)) for at in range(len(offers))]
            self.rows.append(([*columns, served], [1.0] * len(columns) + [-1.0], 0.0, 0.0))

    @staticmethod
    def _column(first: int, offers: int, at: int, group: int, groups: int) -> int:
        return first + offers + 1 + at * groups + group

    def _row(self, columns: list[int], value: float, lower: float, upper: float) -> None:
        self.rows.append((columns, [value] * len(columns), lower, upper))

    def _limits(self) -> None:
        """Add what there is, where more could be asked."""
        for cell, wants in self._stock.items():
            if sum(pieces for _, pieces in wants) > self.puzzle.free[cell]:
                columns, pieces = [c for c, _ in wants], [float(n) for _, n in wants]
                self.rows.append((columns, pieces, -np.inf, float(self.puzzle.free[cell])))
        for warehouse, columns in self._sent.items():
            if len(columns) > self.puzzle.rooms[warehouse]:
                self._row(columns, 1.0, -np.inf, float(self.puzzle.rooms[warehouse]))

    def lp(self, *, whole: bool) -> highspy.HighsLp:
        """Give the program, with all columns yes or no, or (the relaxation) anything between."""
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self.costs), len(self.rows)
        lp.col_cost_ = np.array(self.costs, dtype=float)
        lp.col_lower_, lp.col_upper_ = np.zeros(len(self.costs)), np.ones(len(self.costs))
        lp.row_lower_ = np.array([lower for _, _, lower, _ in self.rows], dtype=float)
        lp.row_upper_ = np.array([upper for _, _, _, upper in self.rows], dtype=float)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lengths = [len(columns) for columns, _, _, _ in self.rows]
        lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        lp.a_matrix_.index_ = np.array([c for columns, *_ in self.rows for c in columns], dtype=np.int32)
        lp.a_matrix_.value_ = np.array([v for _, values, _, _ in self.rows for v in values], dtype=float)
        if whole:
            lp.integrality_ = [highspy.HighsVarType.kInteger] * len(self.costs)
        return lp

    def plan(self, chosen: Sequence[bool]) -> list[Served]:
        """Read the plan out of the columns that are "yes"."""
        return [
            self._served(asked, first, chosen)
            for asked, first in zip(self.puzzle.orders, self.first, strict=True)
        ]

    def _served(self, asked: Asked, first: int, chosen: Sequence[bool]) -> Served:
        offers, groups = len(asked.offers), len(asked.groups)
        if not groups:
            return tuple(Part(at, None) for at in range(offers) if chosen[first + at])
        if not chosen[first + offers]:
            return ()
        inside = [
            (at, tuple(g for g in range(groups) if chosen[self._column(first, offers, at, g, groups)]))
            for at in range(offers)
        ]
        parts = tuple(Part(at, some) for at, some in inside if some)
        return (Part(parts[0].offer, None),) if len(parts) == 1 else parts
