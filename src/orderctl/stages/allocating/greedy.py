"""Stock dealt out in one pass: each shipment whole from the best warehouse that has everything, else in fewest parcels."""

from __future__ import annotations

from itertools import combinations

from orderctl.stages.allocating.puzzle import Asked, Need, Part, Puzzle, Served, needs_of

Lacks = list[tuple[int, list[Need]]]
"""What warehouses lack: the number of the offer, and the pieces of each SKU that are missing there."""


class Left:
    """What is left while stock is dealt out."""

    def __init__(self, puzzle: Puzzle) -> None:
        self.skus, self.free, self.rooms = puzzle.skus, puzzle.free[:], puzzle.rooms[:]

    def take(self, asked: Asked, served: Served) -> None:
        """Take what is in some parcels."""
        for part in served:
            warehouse = asked.offers[part.offer].warehouse
            self.rooms[warehouse] -= 1
            for sku, pieces in needs_of(asked, part):
                self.free[warehouse * self.skus + sku] -= pieces

    def lacks(self, asked: Asked, served: Served) -> Lacks:
        """Give what lacks where it was asked: in warehouses before the one that serves all, else in every one.

        A warehouse that is full for today lacks no piece.
        """
        upto = served[0].offer if len(served) == 1 else len(asked.offers)
        return [
            (at, missing)
            for at, offer in enumerate(asked.offers[:upto])
            if (missing := self._missing(asked.needs, offer.warehouse)) or self.rooms[offer.warehouse] < 1
        ]

    def _missing(self, needs: tuple[Need, ...], warehouse: int) -> list[Need]:
        first = warehouse * self.skus
        return [
            (sku, pieces - self.free[first + sku]) for sku, pieces in needs if self.free[first + sku] < pieces
        ]

    def whole(self, asked: Asked) -> Served:
        """Give the one parcel with everything, from the best warehouse that has it."""
        free = self.free
        for at, offer in enumerate(asked.offers):
            first = offer.warehouse * self.skus
            if self.rooms[offer.warehouse] < 1:
                continue
            for sku, pieces in asked.needs:
                if free[first + sku] < pieces:
                    break
            else:
                return (Part(at, None),)
        return ()

    def split(self, asked: Asked) -> Served:
        """Give the fewest parcels that hold everything; of equally many the cheapest ones."""
        open_ = [at for at, offer in enumerate(asked.offers) if self.rooms[offer.warehouse] > 0]
        having = [
            [at for at in open_ if not self._missing(g.needs, asked.offers[at].warehouse)]
            for g in asked.groups
        ]
        if not all(having):
            return ()
        for count in range(2, len(open_) + 1):
            found = [
                served
                for chosen in combinations(open_, count)
                if all(set(chosen) & set(some) for some in having) and (served := self._dealt(asked, chosen))
            ]
            if found:
                return min(found, key=lambda served: self._cost(asked, served))
        return ()

    def _cost(self, asked: Asked, served: Served) -> int:
        return sum(
            asked.offers[p.offer].base + sum(asked.offers[p.offer].shares[g] for g in p.groups or ())
            for p in served
        )

    def _dealt(self, asked: Asked, chosen: tuple[int, ...]) -> Served:
        """Put every group in a parcel from one of the warehouses `chosen`, none of which may stay without goods."""
        taken: dict[int, int] = {}
        home: list[int | None] = [None] * len(asked.groups)
        goods = [g for g, group in enumerate(asked.groups) if not group.gift]
        gifts = [g for g, group in enumerate(asked.groups) if group.gift]
        for g in (*goods, *gifts):
            for at in sorted(chosen, key=lambda one: asked.offers[one].shares[g]):
                first = asked.offers[at].warehouse * self.skus
                cells = [(first + sku, pieces) for sku, pieces in asked.groups[g].needs]
                if all(self.free[cell] - taken.get(cell, 0) >= pieces for cell, pieces in cells):
                    home[g] = at
                    for cell, pieces in cells:
                        taken[cell] = taken.get(cell, 0) + pieces
                    break
            else:
                return ()
        if {home[g] for g in goods} != set(chosen):
            return ()
        return tuple(Part(at, tuple(g for g, there in enumerate(home) if there == at)) for at in chosen)


def greedy(puzzle: Puzzle) -> tuple[list[Served], dict[int, Lacks]]:
    """Deal the stock out in the order of the shipments.

    Returns: the parcels of each, and for those that did not get all from their best warehouse (by number) what lacked
        where when it was their turn.
    """
    left, plan, lacked = Left(puzzle), list[Served](), dict[int, Lacks]()
    for number, asked in enumerate(puzzle.orders):
        served = left.whole(asked)
        if not served or served[0].offer:
            if not served and asked.groups:
                served = left.split(asked)
            lacked[number] = left.lacks(asked, served)
        left.take(asked, served)
        plan.append(served)
    return plan, lacked
