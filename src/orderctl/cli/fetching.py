"""Fetching from all shops side by side, each failing alone.

Every page is kept in the ledger as it comes, with how to go on after it; what is handed on is read from there. So a
fetch may die at any instant, nothing of it is ever in memory as a whole, and what could not be written comes again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain

import polars as pl

from orderctl.cli.recipients import ask_recipients, look
from orderctl.cli.session import Session
from orderctl.cli.shops import has_api, open_shop
from orderctl.model.errors import OrderctlError, Temporary, UsageError
from orderctl.model.text import Text
from orderctl.ports.ledger import Ledger
from orderctl.ports.platforms.port import By, Certificate, Page, Platform, shift

STREAM = "orders"
OPEN_DAYS = 30
CHUNK = 5_000
"""Orders in memory at a time."""


@dataclass(frozen=True)
class Ask:
    """What to fetch: a look back (`since`, `until`, `by`), single orders by shop, or what changed since the cursor."""

    since: str | None = None
    until: str | None = None
    by: By = "updated"
    orders: Mapping[str, Sequence[str]] | None = None
    open: bool = False

    @property
    def is_stream(self) -> bool:
        """Tell whether this goes on from the cursor. A look back leaves that, and what is due, as it is."""
        return self.since is None and self.until is None and self.by == "updated" and self.orders is None


@dataclass
class Fetched:
    """How it went with one shop; `platform_shop` is platform:shop, once it was opened."""

    shop: str
    platform_shop: str | None = None
    certificates: list[Certificate] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    warnings: dict[str, Text] = field(default_factory=dict)
    failure: OrderctlError | None = None


@dataclass
class Handed:
    """Counts what is handed on."""

    orders: int = 0
    shops: set[str] = field(default_factory=set)

    def count(self, *sources: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Give the frames of `sources`, counted."""
        for frame in chain.from_iterable(sources):
            self.orders += frame.height
            self.shops.update(frame["shop"].unique())
            yield frame


def api_shops(session: Session, named: Sequence[str]) -> list[str]:
    """Give the shops to ask: those named, or all that have an API. Raises: UsageError for an unknown name."""
    shops = session.config.shops
    for name in named:
        if name not in shops and name != "all":
            known = ", ".join(shops) or "-"
            raise UsageError(
                Text("no shop {name} in the configuration (there are: {known})", name=name, known=known)
            )
    if not named or "all" in named:
        return [name for name, shop in shops.items() if has_api(shop)]
    return [name for name in shops if name in named and (has_api(shops[name]) or not shops[name].files)]


def fetch_shops(session: Session, ledger: Ledger, shops: Sequence[str], ask: Ask) -> list[Fetched]:
    """Ask every shop, side by side. What fails is told and counted; what came before the failure is kept."""
    with ThreadPoolExecutor(max(1, min(8, len(shops))), thread_name_prefix="shop") as pool:
        done = list(pool.map(lambda name: _one_shop(session, ledger, name, ask), shops))
    for found in done:
        _tell(session, found)
    return done


def hand_on(ledger: Ledger, done: Sequence[Fetched], ask: Ask) -> Iterator[pl.DataFrame]:
    """Give what is to be handed on, shop by shop, oldest change first; `Ledger.settle_handout` when it has arrived."""
    shops = [found.platform_shop for found in done if found.platform_shop]
    yield from ledger.handout(shops, stream=ask.is_stream, rows=CHUNK)


def _one_shop(session: Session, ledger: Ledger, name: str, ask: Ask) -> Fetched:
    found = Fetched(name)
    try:
        if ask.is_stream and not ledger.take_turn(name):
            raise Temporary(
                Text("another fetch is at it just now"), hint=Text("run the same command again"), code="busy"
            )
        platform = open_shop(session, ledger, name)
        found.platform_shop = f"{platform.name}:{name}"
        ledger.bind_shop(name, platform.name, platform.identify(), session.clock())
        for page in _pages(platform, ledger, session, name, ask):
            _keep(ledger, found, page, ask, session.clock())
        since = shift(session.now, -OPEN_DAYS * 86_400)
        look(ledger, found.platform_shop)
        ask_recipients(ledger, platform, found.platform_shop, since)
        if ask.open:
            ledger.want_open(found.platform_shop, since)
    except OrderctlError as error:
        found.failure = error
    return found


def _pages(platform: Platform, ledger: Ledger, session: Session, name: str, ask: Ask) -> Iterator[Page]:
    if ask.orders is not None:
        return platform.fetch_orders(ask.orders.get(name, ()), now=session.now)
    cursor = ledger.cursor(name, STREAM)
    return platform.fetch(now=session.now, cursor=cursor, since=ask.since, until=ask.until, by=ask.by)


def _keep(ledger: Ledger, found: Fetched, page: Page, ask: Ask, now: str) -> None:
    stream = (found.shop, STREAM) if ask.is_stream else None
    if page.records or page.cursor:
        ledger.save_page(page.records, now, stream=stream, cursor=page.cursor)
    found.missing.extend(page.missing)
    found.warnings.update((str(warning), warning) for warning in page.warnings)
    if page.certificate:
        found.certificates.append(page.certificate)


def _tell(session: Session, found: Fetched) -> None:
    say = session.console.say
    shop = found.shop
    if found.failure:
        session.tally.add(found.failure)
        say("error", "shop.failed", Text("{shop}: {why}", shop=shop, why=found.failure.text), shop=shop)
    for ref in found.missing:
        session.tally.blocked += 1
        say(
            "warning", "order.missing", Text("{shop}: there is no order {ref}", shop=shop, ref=ref), shop=shop
        )
    for warning in found.warnings.values():
        say("warning", "platform.warning", Text("{shop}: {why}", shop=shop, why=warning), shop=shop)
    short = [c for c in found.certificates if not c.complete]
    for window in short:
        session.tally.temporary += 1
        text = Text(
            "{shop}: {since} to {until} has {expected} orders, {got} came: run the same command again",
            shop=shop, since=window.window.since, until=window.window.until, expected=window.expected, got=window.got,
        )  # fmt: skip
        say("warning", "window.incomplete", text, shop=shop, expected=window.expected, got=window.got)
    if found.certificates and not short:
        _certify(session, shop, found.certificates)


def _certify(session: Session, shop: str, certificates: Sequence[Certificate]) -> None:
    """Tell how complete it was: by the platform's own count, or, where it has none, that the end mark was reached."""
    counts = [c.expected for c in certificates if c.expected is not None]
    got = sum(c.got for c in certificates)
    if len(counts) == len(certificates):
        expected = sum(counts)
        text = Text(
            "{shop}: {got} of {expected} orders in {windows} windows",
            shop=shop,
            got=got,
            expected=expected,
            windows=len(counts),
        )
        session.console.say("info", "window.complete", text, shop=shop, expected=expected, got=got)
        return
    text = Text(
        "{shop}: {got} orders in {windows} windows, read to the end mark",
        shop=shop,
        got=got,
        windows=len(certificates),
    )
    session.console.say("info", "window.complete", text, shop=shop, expected=None, got=got)
