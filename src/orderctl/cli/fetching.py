"""Fetching from all shops side by side, each failing alone, and from export files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import polars as pl

from orderctl.cli.mapping import orders_of
from orderctl.cli.session import Session
from orderctl.cli.shops import has_api, open_shop
from orderctl.model.errors import OrderctlError, UsageError
from orderctl.model.schema import RAW, conform, empty
from orderctl.model.text import Text
from orderctl.ports.ledger import Ledger
from orderctl.ports.platforms.port import By, Certificate, Page, Platform, shift

STREAM = "orders"
OPEN_DAYS = 30
_COLUMNS = pl.Schema({name: dtype for name, dtype in RAW.items() if name != "extra"})


@dataclass(frozen=True)
class Ask:
    """What to fetch: a look back (`since`, `until`, `by`), single orders, or what changed since the cursor."""

    since: str | None = None
    until: str | None = None
    by: By = "updated"
    orders: Sequence[str] = ()
    open: bool = False


@dataclass
class Fetched:
    """What came of one shop; `cursor` is to be saved when the records have been handed on."""

    shop: str
    frames: list[pl.DataFrame] = field(default_factory=list)
    cursor: str | None = None
    certificates: list[Certificate] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    warnings: list[Text] = field(default_factory=list)
    failure: OrderctlError | None = None

    def raw(self) -> pl.DataFrame:
        """Give the newest record of each order, in the order of change."""
        if not self.frames:
            return empty("raw/1")
        whole = conform(pl.concat(self.frames), "raw/1").with_row_index("_at")
        newest = whole.sort("updated_at", "_at", nulls_last=False).unique(
            ["shop", "platform_ref"], keep="last"
        )
        return newest.sort("updated_at", "platform_ref", nulls_last=True).drop("_at")


def api_shops(session: Session, named: Sequence[str]) -> list[str]:
    """Give the shops to ask: those named, or all that have an API. Raises: UsageError for an unknown name."""
    shops = session.config.shops
    if not named or list(named) == ["all"]:
        return [name for name, shop in shops.items() if has_api(shop)]
    for name in named:
        if name not in shops:
            known = ", ".join(shops) or "-"
            raise UsageError(
                Text("no shop {name} in the configuration (there are: {known})", name=name, known=known)
            )
    return [name for name in named if has_api(shops[name]) or not shops[name].files]


def fetch_shops(session: Session, ledger: Ledger, shops: Sequence[str], ask: Ask) -> list[Fetched]:
    """Ask every shop, side by side. What fails is told and counted; what came before the failure is kept."""
    with ThreadPoolExecutor(max(1, min(8, len(shops))), thread_name_prefix="shop") as pool:
        done = list(pool.map(lambda name: _one_shop(session, ledger, name, ask), shops))
    for found in done:
        _tell(session, found)
    return done


def save_cursors(session: Session, ledger: Ledger, done: Sequence[Fetched]) -> None:
    """Remember how far each shop was read; to be called when its records have been handed on."""
    for found in done:
        if found.cursor is not None:  # it stands only after a complete window, whatever failed later
            ledger.set_cursor(found.shop, STREAM, found.cursor, session.clock())


def _one_shop(session: Session, ledger: Ledger, name: str, ask: Ask) -> Fetched:
    found = Fetched(name)
    try:
        platform = open_shop(session, ledger, name)
        ledger.bind_shop(name, platform.name, platform.identify(), session.clock())
        for page in _pages(platform, ledger, session, name, ask):
            _keep(ledger, found, page)
        if found.frames or ask.open:
            stored = _still_open(session, ledger, platform, name)
            found.frames = [*([stored] if ask.open else []), *found.frames]
            _add_same_recipient(platform, ledger, found, stored)
    except OrderctlError as error:
        found.failure = error
    return found


def _pages(platform: Platform, ledger: Ledger, session: Session, name: str, ask: Ask) -> Iterator[Page]:
    if ask.orders:
        return platform.fetch_orders(ask.orders, now=session.now)
    cursor = ledger.cursor(name, STREAM)
    return platform.fetch(now=session.now, cursor=cursor, since=ask.since, until=ask.until, by=ask.by)


def _keep(ledger: Ledger, found: Fetched, page: Page) -> None:
    if page.records:
        frame = conform(pl.DataFrame(page.records, schema=_COLUMNS), "raw/1")
        ledger.save_versions(frame)
        found.frames.append(frame)
    found.cursor = page.cursor or found.cursor
    found.missing.extend(page.missing)
    found.warnings.extend(page.warnings)
    if page.certificate:
        found.certificates.append(page.certificate)


def _still_open(session: Session, ledger: Ledger, platform: Platform, name: str) -> pl.DataFrame:
    """Give the stored orders of late that may still have to be shipped: a new order may belong with one of them."""
    since = shift(session.now, -OPEN_DAYS * 86_400)
    stored = ledger.newest_versions(shop=f"{platform.name}:{name}", since=since)
    orders = orders_of(stored, session.book, session.facts_of(ledger), session.now)
    waiting = orders.filter(pl.col("status").is_in(["wait_pay", "wait_ship", "partly_shipped"]))
    return stored.join(waiting.select("shop", "platform_ref"), on=["shop", "platform_ref"], how="semi")


def _add_same_recipient(platform: Platform, ledger: Ledger, found: Fetched, stored: pl.DataFrame) -> None:
    raw = found.raw()
    others = stored.join(raw, on=["shop", "platform_ref"], how="anti")
    facts = platform.same_recipient(pl.concat([others, raw]).select(_COLUMNS.names()).to_dicts())
    if facts:
        told = pl.DataFrame({"platform_ref": list(facts), "told": list(facts.values())})
        raw = raw.join(told, on="platform_ref", how="left", maintain_order="left")
        raw = conform(raw.with_columns(facts=pl.coalesce("told", "facts")).drop("told"), "raw/1")
        ledger.save_versions(raw)
    found.frames = [raw]


def _tell(session: Session, found: Fetched) -> None:
    say = session.console.say
    if found.failure:
        session.tally.add(found.failure)
        say(
            "error",
            "shop.failed",
            Text("{shop}: {why}", shop=found.shop, why=found.failure.text),
            shop=found.shop,
        )
    for ref in found.missing:
        session.tally.blocked += 1
        say(
            "warning",
            "order.missing",
            Text("{shop}: there is no order {ref}", shop=found.shop, ref=ref),
            shop=found.shop,
        )
    for warning in dict.fromkeys(map(str, found.warnings)):
        say(
            "warning",
            "platform.warning",
            Text("{shop}: {why}", shop=found.shop, why=warning),
            shop=found.shop,
        )
    expected = sum(c.expected for c in found.certificates)
    got = sum(c.got for c in found.certificates)
    short = [c for c in found.certificates if not c.complete]
    for window in short:
        session.tally.temporary += 1
        text = Text(
            "{shop}: {since} to {until} has {expected} orders, {got} came: run the same command again",
            shop=found.shop, since=window.window.since, until=window.window.until, expected=window.expected, got=window.got,
        )  # fmt: skip
        say("warning", "window.incomplete", text, shop=found.shop, expected=window.expected, got=window.got)
    if found.certificates and not short:
        text = Text(
            "{shop}: {got} of {expected} orders in {windows} windows",
            shop=found.shop,
            got=got,
            expected=expected,
            windows=len(found.certificates),
        )
        say("info", "window.complete", text, shop=found.shop, expected=expected, got=got)
