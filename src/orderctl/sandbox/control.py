"""What tests and rehearsals may do to the world behind the stand-ins' back.

The one invariant: a control call either does all it asks for, or nothing and says why.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from orderctl.sandbox.faults import Faults
from orderctl.sandbox.standins import Gate
from orderctl.sandbox.world import World

WORDS = frozenset({
    "add_orders", "same_recipient_as", "shop", "touch", "set", "faults", "expire_tokens", "churn",
})  # fmt: skip


class Control:
    """The controls of one sandbox; `now` is always an argument, in epoch seconds.

    | word | does |
    | --- | --- |
    | `add_orders: n` | n paid orders arrive, spread over the shops, or in `shop`, or for the recipient of `same_recipient_as` |
    | `touch: ref, set: {...}` | one order changes: refund, status, address, memo, note, stir |
    | `churn: {shop, per_call: n}` | from now on n orders of the shop change after each page read at its platform; 0 ends it |
    | `expire_tokens: true` | every access token expires; or those of a shop or platform by its name; or `{of, kinds}` |
    | `faults: plan` | a plan of faults comes into force |
    | `quota`, ... | whatever the stand-ins know: `{word: {NAME: value}}`, `{word: {shop: NAME, ...}}`, or `{word: value}` for all |
    """

    def __init__(self, world: World, faults: Faults, gates: Sequence[Gate]) -> None:
        self._world, self._faults, self._gates = world, faults, gates
        self._lock = threading.Lock()
        self._churn: dict[str, int] = {}
        self._turn = 0

    def apply(self, wish: dict[str, Any], now: float) -> dict[str, Any]:
        """Do what a control request says and tell what came of it. Raises: ValueError for what it cannot mean."""
        done: dict[str, Any] = {}
        words = [word for word in wish if word not in WORDS]
        known = {word for gate in self._gates for word in gate.words}
        if unknown := sorted(set(words) - known):
            raise ValueError(f"unknown control: {', '.join(unknown)}")
        world = self._world
        churn = self._churn_with(**wish["churn"]) if "churn" in wish else None
        Faults(wish.get("faults"))  # a plan that says nothing known is refused before anything happens
        with world.store.transaction():
            if "add_orders" in wish:
                made = world.add_orders(
                    int(wish["add_orders"]), int(now), like=wish.get("same_recipient_as"), shop=wish.get("shop")
                )  # fmt: skip
                done["orders"] = [
                    {"platform": one.platform, "shop": one.shop, "ref": one.ref} for one in made
                ]
            if "touch" in wish:
                world.touch(str(wish["touch"]), dict(wish.get("set") or {}), now)
                done["touched"] = wish["touch"]
            if wish.get("expire_tokens"):
                self._expire(wish["expire_tokens"], now)
            for word in words:
                self._pass_on(word, wish[word], now)
        if churn is not None:
            self._churn = churn
        if "faults" in wish:
            self._faults.set(wish["faults"])
        return done

    def stir(self, gate: Gate, now: float) -> None:
        """Let the orders change that a churn says, after a page was read at `gate`."""
        with self._lock:
            shops = {shop: count for shop, count in self._churn.items()
                     if self._world.shops[shop].platform == gate.name}  # fmt: skip
            self._turn += 1
            turn = self._turn
        for shop, count in shops.items():
            self._world.stir(shop, count, turn, now)

    def _churn_with(self, shop: str, per_call: int) -> dict[str, int]:
        if shop not in self._world.shops or type(per_call) is not int or per_call < 0:
            raise ValueError(f"no churn of {per_call!r} orders in shop {shop!r}")
        return {name: n for name, n in {**self._churn, shop: per_call}.items() if n}

    def _expire(self, which: Any, now: float) -> None:
        wish: dict[str, Any] = which if isinstance(which, dict) else {"of": None if which is True else which}
        of, kinds = wish.get("of"), [str(kind) for kind in wish.get("kinds", ["access"])]
        names = {*self._world.shops, *(gate.name for gate in self._gates)}
        if of is not None and of not in names:
            raise ValueError(f"no tokens of {of!r}, known: {', '.join(sorted(names))}")
        self._world.store.write(
            "UPDATE tokens SET expires = ? WHERE (? IS NULL OR ? IN (platform, shop)) "
            f"AND kind IN ({', '.join('?' * len(kinds))})",
            (now - 1, of, of, *kinds),
        )

    def _pass_on(self, word: str, value: Any, now: float) -> None:
        """Give a control word to the stand-ins that it addresses. Raises: ValueError."""
        knowing = {gate.name: gate for gate in self._gates if word in gate.words}
        if not isinstance(value, dict):
            for gate in knowing.values():
                gate.control(word, value, now)
            return
        parts = {self._platform_of(value["shop"]): value} if "shop" in value else value
        for name, part in parts.items():
            if name not in knowing:
                raise ValueError(f"no {word} of {name!r}, known: {', '.join(sorted(knowing))}")
            knowing[name].control(word, part, now)

    def _platform_of(self, shop: Any) -> str:
        if shop not in self._world.shops:
            raise ValueError(f"no shop {shop!r}, known: {', '.join(self._world.shops)}")
        return self._world.shops[shop].platform
