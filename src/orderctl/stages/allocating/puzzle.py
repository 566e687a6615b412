"""Who may take what from where, as plain numbers: the form in which stock is dealt out, and plans are checked.

Dealing out is one ordered pass, since what one shipment takes the next cannot have; so here, and only here, shipments
are looked at one by one, in integers and lists. All that can be known of them beforehand comes out of columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

PLENTY = 1 << 60
"""More than anybody asks for: the stock of what is not counted, the room of a warehouse without a limit."""
Need = tuple[int, int]
"""A SKU by its number, and how many pieces of it."""


class Group(NamedTuple):
    """What of a shipment is never taken apart: a line, or all parts of a bundle. Gifts never travel alone."""

    needs: tuple[Need, ...]
    gift: bool


class Offer(NamedTuple):
    """A warehouse that may serve a shipment: what all of it costs from there, and each of its parcels.

    A parcel that is a part costs `base` and for each of its groups what `shares` says.
    """

    warehouse: int
    cost: int
    base: int
    shares: tuple[int, ...]


class Asked(NamedTuple):
    """One shipment: what it needs in all, who offers it (the best first), and its groups where it may be split.

    `wait` is what it counts, in the exact plan, if it is not served.
    """

    needs: tuple[Need, ...]
    offers: tuple[Offer, ...]
    groups: tuple[Group, ...] = ()
    wait: int = 0


class Part(NamedTuple):
    """One parcel: which of the shipment's offers serves it, and which of its groups are in it (None: all)."""

    offer: int
    groups: tuple[int, ...] | None


Served = tuple[Part, ...]
"""The parcels of a shipment; empty where it waits."""


@dataclass(frozen=True)
class Puzzle:
    """Shipments in the order in which they are served, and what there is: pieces by cell and parcels by warehouse.

    The cell of a SKU in a warehouse is `warehouse * skus + sku`.
    """

    skus: int
    free: list[int]
    rooms: list[int]
    orders: Sequence[Asked]
    split_cost: int = 0

    def cost(self, plan: Sequence[Served]) -> int:
        """Give what `plan` costs: freight, further parcels, and what those that wait count."""
        return sum(
            self.cost_of(asked, served) if served else asked.wait
            for asked, served in zip(self.orders, plan, strict=True)
        )

    def cost_of(self, asked: Asked, served: Served) -> int:
        """Give what the parcels of one shipment cost."""
        if len(served) == 1:
            return asked.offers[served[0].offer].cost
        return self.split_cost * (len(served) - 1) + sum(
            asked.offers[part.offer].base + sum(asked.offers[part.offer].shares[g] for g in part.groups or ())
            for part in served
        )

    def broken(self, plan: Sequence[Served]) -> str | None:
        """Say what is wrong with `plan`: a piece too many, a piece forgotten, a parcel of gifts; None if nothing is."""
        free, rooms = self.free[:], self.rooms[:]
        for number, (asked, served) in enumerate(zip(self.orders, plan, strict=True)):
            if len({part.offer for part in served}) < len(served):
                return f"{number}: two parcels from one warehouse"
            if len(served) > 1:
                sent = sorted(g for part in served for g in part.groups or ())
                if sent != list(range(len(asked.groups))):
                    return f"{number}: not every group once"
                if any(all(asked.groups[g].gift for g in part.groups or ()) for part in served):
                    return f"{number}: a parcel of gifts"
            for part in served:
                warehouse = asked.offers[part.offer].warehouse
                rooms[warehouse] -= 1
                for sku, pieces in needs_of(asked, part):
                    free[warehouse * self.skus + sku] -= pieces
        short = min(free, default=0) < 0 or min(rooms, default=0) < 0
        return "more than there is" if short else None


def needs_of(asked: Asked, part: Part) -> Iterator[Need]:
    """Give what is in a parcel."""
    if part.groups is None:
        yield from asked.needs
    else:
        for group in part.groups:
            yield from asked.groups[group].needs
