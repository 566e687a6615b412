"""Makes the orders of the stand-ins: seeded, lifelike, and with every awkward case among the first of each shop.

The one invariant: order number n of a shop depends on seed, shop and n alone (its times: also on when the world was
made), so adding orders later never changes the ones before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from orderctl.sandbox import shopify_orders, taobao_orders
from orderctl.sandbox.store import Order, Store

SPREAD_SECONDS = 3 * 86_400
"""The first orders were placed within this time before the world was made."""
SETTLED_SECONDS = 300
"""None of them was touched during this time, so a careful reader's first window holds them all."""


@dataclass(frozen=True)
class Shop:
    """One shop of the sandbox; `share` is its part of the orders in percent."""

    platform: str
    name: str
    share: int
    currency: str = "CNY"
    zone: str = "Asia/Shanghai"
    title: str = ""


SHOPS = (
    Shop("taobao", "tb-demo", 45, title="样例旗舰店"),
    Shop("shopify", "sf-demo", 35, currency="USD", zone="America/New_York", title="Sample Goods"),
    Shop("shopify", "sf-cny", 20, title="样例生活馆"),
)
BY_NAME = {shop.name: shop for shop in SHOPS}


def shares(total: int) -> list[tuple[Shop, int]]:
    """Divide `total` orders among the shops, exactly."""
    counts = [total * shop.share // 100 for shop in SHOPS]
    for index in range(total - sum(counts)):
        counts[index % len(counts)] += 1
    return list(zip(SHOPS, counts, strict=True))


def make_order(
    shop: Shop, seed: int, number: int, *, at: int, case: str | None, like: Order | None = None
) -> Order:
    """Make order `number` (from 1) of a shop, placed at epoch second `at`; `case` names an awkward one."""
    dice = Random(f"{seed}|{shop.name}|{number}")
    if shop.platform == "taobao":
        person = taobao_orders.recipient(like.body) if like else None
        return taobao_orders.make(shop.name, shop.title, seed, number, dice, at=at, case=case, person=person)
    body = like.body if like else None
    return shopify_orders.make(shop.name, shop.currency, seed, number, dice, at=at, case=case, like=body)


def first_orders(shop: Shop, seed: int, count: int, now: int, late_s: int = 0) -> Iterator[Order]:
    """Make the orders a shop begins with: the awkward cases first, then ordinary ones.

    `late_s` is how long the background job that makes fulfilment orders is behind on one of them.
    """
    cases = taobao_orders.CASES if shop.platform == "taobao" else shopify_orders.CASES[shop.name]
    for index in range(count):
        behind = SETTLED_SECONDS + 600 + (SPREAD_SECONDS - 900) * (count - index) // count
        case = cases[index] if index < len(cases) else None
        order = make_order(shop, seed, index + 1, at=now - behind, case=case)
        if case == "no fulfilment order":
            for part in order.body["fulfillmentOrders"]:
                part["createdAt"] = shopify_orders.instant(now + late_s)
        yield order


def make_world(store: Store, seed: int, total: int, now: int, late_s: int = 0) -> None:
    """Fill an empty store; a store that has its world is left alone."""
    with store.transaction():
        if store.get("world") is not None:
            return
        for shop, count in shares(total):
            store.add(first_orders(shop, seed, count, now, late_s))
            store.put(f"orders.{shop.name}", count)
        store.put("world", {"seed": seed, "orders": total, "made_at": now})


def add_orders(
    store: Store, count: int, now: int, *, like: Order | None = None, shop: str | None = None
) -> list[Order]:
    """Let `count` paid orders arrive now: all for the recipient of `like`, or in one shop, or spread over the shops."""
    made = []
    with store.transaction():
        seed = store.get("world")["seed"]
        only = like.shop if like else shop
        for one, part in [(BY_NAME[only], count)] if only else shares(count):
            for _ in range(part):
                number = store.count(f"orders.{one.name}")
                order = make_order(one, seed, number, at=now - 30, case="ready", like=like)
                store.add([order])
                made.append(order)
    return made
