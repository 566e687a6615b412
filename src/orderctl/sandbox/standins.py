"""Whom the sandbox stands in for. To add one: its folder, and its line in PLATFORMS or COURIERS.

The one invariant: nothing else in the sandbox knows a platform or a courier by name; everything goes through the
protocols below. A stand-in is written from the vendor's documents, never from our connector, and is as strict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Protocol

from orderctl.sandbox.answer import Answer, Request
from orderctl.sandbox.people import Person
from orderctl.sandbox.store import Order, Store

PLATFORMS = {
    "taobao": "orderctl.sandbox.taobao:Taobao",
    "shopify": "orderctl.sandbox.shopify:Shopify",
    "jd": "orderctl.sandbox.jd:Jd",
    "pdd": "orderctl.sandbox.pdd:Pdd",
    "douyin": "orderctl.sandbox.douyin:Douyin",
    "kuaishou": "orderctl.sandbox.kuaishou:Kuaishou",
    "amazon": "orderctl.sandbox.amazon:Amazon",
}
COURIERS = {
    "kuaidi100": "orderctl.sandbox.kuaidi100:Kuaidi100",
}
DEMO = ("taobao", "shopify")
"""Whose shops there are when nobody chooses: those of the demonstration."""


@dataclass(frozen=True)
class Shop:
    """One shop of the sandbox; `share` is its part of the orders, relative to the other chosen shops."""

    platform: str
    name: str
    share: int
    currency: str = "CNY"
    zone: str = "Asia/Shanghai"
    title: str = ""


class Gate(Protocol):
    """What the server, the faults and the controls must know of any stand-in, of a platform or of a courier.

    The class itself says four things. `name` is the key of the registry, the first part of its paths (`/NAME/...`),
    and what the books and the tokens call it. `lists` are the operations that read a page of orders: a churn of the
    world strikes after each. `pages` are those of them whose rows may come repeated or reordered, because the real
    platform does that: ask `request.disturbed(rows)` before writing them. `words` are the control words it takes
    (`POST /_control {"quota": ...}`): `quota` by all who count calls, and whatever else it needs.
    """

    name: ClassVar[str]
    lists: ClassVar[frozenset[str]]
    pages: ClassVar[frozenset[str]]
    words: ClassVar[frozenset[str]]

    def serves(self, path: str, /) -> bool:
        """Say whether a path (from "/") is one of its own; whatever else it is asked for is 404."""

    def operation(self, request: Request, /) -> tuple[str, str]:
        """Name the operation asked for, and its subject.

        The name is how plans of faults address it (the vendor's method name, else "NAME:something"). The subject is
        equal for a repetition of the same request: leave out clock, nonce and signature. Never raises, whatever came.
        """

    def refusal(self, kind: str, request: Request, /) -> Answer:
        """Say "429", "throttled" or "temporary" in this platform's words; nothing takes effect.

        "429" is the transport's word (where the platform has none: its throttling), "throttled" the platform's own
        envelope for too many calls, "temporary" its envelope for an inner failure that passes.
        """

    def answer(self, request: Request, /) -> Answer:
        """Do what is asked and answer; refuses what the platform refuses, in its order of checks, in its envelope.

        Never raises, whatever came. Effects happen inside one `store.transaction(keep=YourRefusal)`, together with
        their entry in the books.
        """

    def control(self, word: str, value: Any, now: float, /) -> None:
        """Obey one of `words`. Raises: ValueError (also TypeError, KeyError) for a value that means nothing.

        A caller addresses it with `{word: {"NAME": value}}` (value arrives), with `{word: {"shop": "a-shop", ...}}`
        (the whole object arrives) or with `{word: value}`, which goes to everybody who knows the word.
        """


class StandIn(Gate, Protocol):
    """The stand-in of a platform. It never touches a socket or a clock: `now()` gives epoch seconds.

    Orders live in the store: `ref`, `number` (what lists sort by after time), `created` and `modified` (epoch seconds)
    and `body` (the whole record in the vendor's own fields; keys that begin with "_" never leave) mean the same
    everywhere; `kind`, `status`, `financial`, `fulfilment`, `name`, `test` are columns each platform may use for what
    its lists filter by. `store.select` and `store.size` are fast over (platform, shop, created or modified, number);
    a page reads its rows with LIMIT, never all of them. Tokens live in the store too (`keep_token`, `token`; kinds
    "access", "refresh", "code"), where `expire_tokens` finds them; the first ones are kept by the constructor unless
    the store has them. Allowances count with `store.spend`, rates with `buckets.Bucket`.

    Every effect is booked with `store.book`: kind "ship" (a first number), "amend" (another one instead), "memo";
    "refused" for what was asked for and not done, "repeated" for what was done already and accepted again. Subject is
    the order's `ref`, `number` the waybill number; detail has `lines`, a list of `{"line", "quantity", "sku"}`, and
    whatever helps a judge. No unit is ever shipped twice.
    """

    shops: ClassVar[tuple[Shop, ...]]

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        """Take up the memory; keep the first tokens if it has none."""

    def path(self, shop: Shop, /) -> str:
        """Give the path of a shop's base_url: what follows the sandbox's own URL in orderctl.yaml."""

    def settings(self, shop: Shop, /) -> dict[str, str]:
        """Give a shop's `settings:` of orderctl.yaml, with invented credentials that this stand-in accepts."""

    def cases(self, shop: Shop, /) -> Sequence[str]:
        """Name the awkward cases; the shop's first orders are one of each, in this sequence."""

    def make(
        self, shop: Shop, seed: int, number: int, dice: Random, /,
        *, at: int, case: str | None, like: Order | None,
    ) -> Order:  # fmt: skip
        """Make the nth order (from 1) of a shop, placed at epoch second `at`; all chance comes from `dice`.

        `case` is one of `cases`, or "ready" (paid, nothing in its way), or None (ordinary, mostly ready). `like` is an
        order of the same shop whose recipient this one has too. `modified` lies at most 299 seconds after `at`.
        """

    def touch(self, order: Order, changes: Mapping[str, Any], seed: int, now: float, /) -> bool:
        """Change an order as its buyer or seller would, body and columns; the caller saves it.

        Known to every platform: `refund` (True: asked for; False: withdrawn; or the vendor's word), `status` (the
        vendor's word), `address` (True: another one), `memo`, `note` and `stir` (text). `stir` is the smallest change
        that the platform counts as a modification: churn uses it. Gives whether the platform counts what was done as
        one: then the record's own time of change moves to max(now, order.modified), else it stays. Raises: ValueError
        for a change nobody can make.
        """

    def unseal(self, order: Order, seal: str, /) -> Person | None:
        """Give the plain recipient behind a seal (OAID and the like) of this order, as a licensed courier learns it.

        None if the seal is not this order's, or the platform gives couriers no seal.
        """

    def event(self, order: Order, /) -> Mapping[str, Any] | None:
        """Give the push message about an order as it is now: `headers` (name to value) and `body` (text).

        Signed as the platform signs, with the secret that `settings` give; the same state gives the same bytes. The
        order is named by its `ref`. None if the platform pushes nothing by HTTP or queue.
        """


class Carrier(Gate, Protocol):
    """The stand-in of a courier, or of an aggregator of couriers. Couriers are there whatever shops are chosen."""

    def __init__(
        self, store: Store, now: Callable[[], float], /,
        *, folder: Path, fonts: Path | None, unseal: Callable[[str, str], Person | None],
    ) -> None:  # fmt: skip
        """Take up the memory.

        `folder` is for its pictures, `fonts` what these are drawn with (None: those of the system). `unseal` gives the
        plain recipient behind an order's platform reference and seal.
        """

    def issuer(self, url: str, /) -> dict[str, Any]:
        """Give its entry under `issuers:` of orderctl.yaml; `url` is the sandbox's own."""


def load(where: str) -> Any:
    """Give the class that a registry's line names."""
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


def known() -> list[str]:
    """Name the platforms there are stand-ins of."""
    return list(PLATFORMS)


def choose(names: Sequence[str] | None) -> dict[str, tuple[Shop, ...]]:
    """Give the shops that are meant, by platform: None means those of the demonstration.

    Args:
        names: Names of shops or of platforms (all shops of it), or "all".

    Raises: ValueError for a name nobody has.
    """
    wanted = set(DEMO if names is None else names)
    every = known()
    if "all" in wanted:
        wanted = set(every)
    found: dict[str, tuple[Shop, ...]] = {}
    seen: list[str] = []
    left = set(wanted)
    for platform in every:
        if platform not in left and left <= set(every):  # only those that are meant are loaded
            continue
        shops: tuple[Shop, ...] = load(PLATFORMS[platform]).shops
        chosen = tuple(shop for shop in shops if wanted & {platform, shop.name})
        left -= {platform, *(shop.name for shop in shops)}
        seen += [shop.name for shop in shops]
        if chosen:
            found[platform] = chosen
    if left:
        names_known = ", ".join((*every, *seen))
        raise ValueError(f"no shop {', '.join(sorted(left))}; known: {names_known}")
    return found
