"""What tests and rehearsals may do to the world behind the stand-ins' back.

The one invariant: a control call either does all it asks for, or nothing and says why.
"""

from __future__ import annotations

from typing import Any

from orderctl.sandbox import shopify_changes, taobao_orders, world
from orderctl.sandbox.faults import Faults
from orderctl.sandbox.shopify import ShopifyGate
from orderctl.sandbox.store import Order, Store


class Control:
    """The controls of one sandbox; `now` is always an argument, in epoch seconds."""

    def __init__(self, store: Store, faults: Faults, shopify: ShopifyGate) -> None:
        self._store, self._faults, self._shopify = store, faults, shopify

    def apply(self, wish: dict[str, Any], now: float) -> dict[str, Any]:
        """Do what a control request says and tell what came of it. Raises: ValueError for what it cannot mean."""
        done: dict[str, Any] = {}
        known = {
            "add_orders",
            "same_recipient_as",
            "shop",
            "touch",
            "set",
            "faults",
            "expire_tokens",
            "quota",
            "access",
            "bucket",
        }
        if unknown := wish.keys() - known:
            raise ValueError(f"unknown control: {', '.join(sorted(unknown))}")
        with self._store.transaction():
            if "add_orders" in wish:
                made = self.add_orders(
                    int(wish["add_orders"]), now, wish.get("same_recipient_as"), wish.get("shop")
                )
                done["orders"] = [
                    {"platform": one.platform, "shop": one.shop, "ref": one.ref} for one in made
                ]
            if "touch" in wish:
                self.touch(str(wish["touch"]), dict(wish.get("set") or {}), now)
                done["touched"] = wish["touch"]
            if wish.get("expire_tokens"):
                self._store.write("UPDATE tokens SET expires = ? WHERE kind = 'access'", (now - 1,))
            if "quota" in wish:
                self.limit(wish["quota"])
            if "access" in wish:
                access = dict(wish["access"])
                self._store.put(f"shopify.access.{access.pop('shop')}", access)
        if "bucket" in wish:
            self.refill(**wish["bucket"])
        if "faults" in wish:
            self._faults.set(wish["faults"])
        return done

    def add_orders(
        self, count: int, now: float, same_recipient_as: str | None, shop: str | None
    ) -> list[Order]:
        """Let paid orders arrive now. Raises: ValueError for an unknown order or shop."""
        like = self._find(same_recipient_as) if same_recipient_as else None
        if shop is not None and shop not in world.BY_NAME:
            raise ValueError(f"no shop {shop!r}, known: {', '.join(world.BY_NAME)}")
        return world.add_orders(self._store, count, int(now), like=like, shop=shop)

    def touch(self, ref: str, changes: dict[str, Any], now: float) -> None:
        """Change one order as its buyer or seller would. Raises: ValueError."""
        order = self._find(ref)
        change = taobao_orders.touch if order.platform == "taobao" else shopify_changes.touch
        change(order, changes, self._store.get("world")["seed"], now)
        self._store.save(order, now)

    def limit(self, quota: Any) -> None:
        """Set how many Taobao calls are left today, or `{"taobao": n, "kuaidi100": n}`; null lifts a limit."""
        limits = quota if isinstance(quota, dict) else {"taobao": quota}
        names = {"taobao": "taobao.quota", "kuaidi100": "kuaidi100.balance"}
        for name, left in limits.items():
            if name not in names or not (left is None or type(left) is int):
                raise ValueError(f"no quota {left!r} for {name!r}")
            self._store.put(names[name], left)

    def refill(self, shop: str, maximum: float, restore_rate: float) -> None:
        """Give a Shopify shop another bucket of query costs, full."""
        bucket = self._shopify.buckets[shop]
        with bucket.lock:
            bucket.maximum, bucket.restore_rate, bucket.level = maximum, restore_rate, -1.0

    def _find(self, ref: str) -> Order:
        plain = ref.removeprefix("gid://shopify/Order/").rsplit(":", 1)[-1]
        order = self._store.find_anywhere(plain)
        if order is None:
            raise ValueError(f"no order {ref!r}")
        return order
