"""The world of the stand-ins: which shops there are, what orders they have, and how these change.

The one invariant: order number n of a shop depends on seed, shop and n alone (its times: also on when the world was
made), so adding orders later never changes the ones before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from orderctl.sandbox.people import Person
from orderctl.sandbox.standins import Shop, StandIn
from orderctl.sandbox.store import Order, Store

SPREAD_SECONDS = 3 * 86_400
"""The first orders were placed within this time before the world was made."""
SETTLED_SECONDS = 300
"""None of them was touched during this time, so a careful reader's first window holds them all."""


def divide(total: int, shops: Sequence[Shop]) -> list[tuple[Shop, int]]:
    """Divide `total` orders among the shops by their shares, exactly."""
    whole = sum(shop.share for shop in shops)
    counts = [total * shop.share // whole for shop in shops]
    for index in range(total - sum(counts)):
        counts[index % len(counts)] += 1
    return list(zip(shops, counts, strict=True))


class World:
    """The shops of one sandbox and their orders; `now` is always an argument, in epoch seconds."""

    def __init__(self, store: Store, standins: Mapping[str, StandIn], shops: Sequence[Shop]) -> None:
        self.store, self.standins = store, standins
        self.shops = {shop.name: shop for shop in shops}

    def begin(self, seed: int, total: int, now: int) -> None:
        """Fill an empty store; a store that has its world is left alone."""
        with self.store.transaction():
            if self.store.get("world") is not None:
                return
            for shop, count in divide(total, list(self.shops.values())):
                self.store.add(self._first_orders(shop, seed, count, now))
                self.store.put(f"orders.{shop.name}", count)
            self.store.put(
                "world", {"seed": seed, "orders": total, "made_at": now, "shops": list(self.shops)}
            )

    def _first_orders(self, shop: Shop, seed: int, count: int, now: int) -> Iterator[Order]:
        """Make the orders a shop begins with: the awkward cases first, then ordinary ones."""
        cases = self.standins[shop.platform].cases(shop)
        for index in range(count):
            behind = SETTLED_SECONDS + 600 + (SPREAD_SECONDS - 900) * (count - index) // count
            case = cases[index] if index < len(cases) else None
            yield self._make(shop, seed, index + 1, at=now - behind, case=case)

    def _make(
        self, shop: Shop, seed: int, number: int, *, at: int, case: str | None, like: Order | None = None
    ) -> Order:
        dice = Random(f"{seed}|{shop.name}|{number}")
        return self.standins[shop.platform].make(shop, seed, number, dice, at=at, case=case, like=like)

    def add_orders(self, count: int, now: int, *, like: str | None, shop: str | None) -> list[Order]:
        """Let `count` paid orders arrive now: for the recipient of order `like`, in one shop, or spread over all.

        Raises: ValueError for an unknown order or shop.
        """
        model = self.find(like) if like else None
        only = model.shop if model else shop
        if only is not None and only not in self.shops:
            raise ValueError(f"no shop {only!r}, known: {', '.join(self.shops)}")
        made = []
        with self.store.transaction():
            seed = self.seed()
            parts = [(self.shops[only], count)] if only else divide(count, list(self.shops.values()))
            for one, part in parts:
                for _ in range(part):
                    number = self.store.count(f"orders.{one.name}")
                    made.append(self._make(one, seed, number, at=now - 30, case="ready", like=model))
            self.store.add(made)
        return made

    def touch(self, ref: str, changes: Mapping[str, Any], now: float) -> None:
        """Change one order as its buyer or seller would. Raises: ValueError."""
        with self.store.transaction():
            order = self.find(ref)
            moved = self.standins[order.platform].touch(order, changes, self.seed(), now)
            self.store.save(order, now if moved else order.modified)

    def stir(self, shop: str, count: int, turn: int, now: float) -> None:
        """Let `count` orders of a shop change, whichever; `turn` decides which."""
        with self.store.transaction():
            platform, seed = self.shops[shop].platform, self.seed()
            dice = Random(f"{seed}|{shop}|churn|{turn}")
            whose = (platform, shop)
            bounds = self.store.rows(
                "SELECT (SELECT min(created) FROM orders WHERE platform = ? AND shop = ?), "
                "(SELECT max(created) FROM orders WHERE platform = ? AND shop = ?)",
                (*whose, *whose),
            )[0]
            for _ in range(count if bounds[0] is not None else 0):
                (order,) = self.store.select(
                    "platform = ? AND shop = ? AND created >= ?", (*whose, dice.randint(*bounds)),
                    "ORDER BY created, number LIMIT 1",
                )  # fmt: skip
                self.standins[platform].touch(order, {"stir": f"churn {turn}"}, seed, now)
                self.store.save(order, now)

    def events(self, shop: str | None, since: float) -> Iterator[dict[str, Any]]:
        """Give the messages about the orders changed since then, of one shop or of all, oldest change first.

        Each is a line of the file that `orderctl fetch --events` reads. Raises: ValueError for an unknown shop.
        """
        if shop is not None and shop not in self.shops:
            raise ValueError(f"no shop {shop!r}, known: {', '.join(self.shops)}")
        for one in self.shops.values() if shop is None else [self.shops[shop]]:
            changed = self.store.select(
                "platform = ? AND shop = ? AND modified >= ?", (one.platform, one.name, since),
                "ORDER BY modified, number",
            )  # fmt: skip
            for order in changed:
                event = self.standins[one.platform].event(order)
                if event is not None:
                    yield {"shop": one.name, **event}

    def unseal(self, ref: str, seal: str) -> Person | None:
        """Give the plain recipient behind an order's seal; None if the order is unknown or the seal is not its own."""
        order = self.store.find_anywhere(ref)
        return self.standins[order.platform].unseal(order, seal) if order else None

    def find(self, ref: str) -> Order:
        """Give an order by its reference, "SHOP:REFERENCE", or whatever ends in "/REFERENCE". Raises: ValueError."""
        *before, plain = re.split(r"[:/]", ref)
        shop = self.shops.get(before[0]) if before else None
        order = self.store.find(shop.platform, shop.name, plain) if shop else self.store.find_anywhere(plain)
        if order is None:
            raise ValueError(f"no order {ref!r}")
        return order

    def seed(self) -> int:
        """Give what decides the orders."""
        return int(self.store.get("world")["seed"])
