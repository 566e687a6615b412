"""What the ledger and the configuration know that the stages may use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl

from orderctl.cli.config import Config, StockConfig
from orderctl.model.errors import ConfigError
from orderctl.model.facts import COMMITMENTS, DECISIONS, SEEN, STOCK, Facts
from orderctl.model.instant import parse_instant, write_instant
from orderctl.model.text import Text
from orderctl.ports.ledger import Ledger
from orderctl.ports.platforms import NAMES, manifest
from orderctl.ports.tables.database import read_database
from orderctl.ports.tables.numbered import read_numbered
from orderctl.stages.allocating.stock import CHINESE, parse_stock, reserved_of
from orderctl.stages.choosing.choose import needed
from orderctl.stages.conditions.facts import HISTORY
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.sections.audit import AuditSection
from orderctl.stages.rules.sections.timetable import Limit

Also = Literal["audit", "history", "stock", "quota"]
"""What not every command needs: see `gathered`."""
SEEN_DAYS = 31
"""How far back orders of one person are counted: a month of history can be audited at its end."""


def facts_of(
    config: Config, ledger: Ledger, audit: AuditSection | None = None, now: str | None = None
) -> Facts:
    """Give the facts of an open ledger and the configuration; for an `audit` at `now`, with what it asks for."""
    return Facts(
        commitments=ledger.commitments().select(COMMITMENTS.names()),
        decisions=ledger.decisions().select(DECISIONS.names()),
        shop_groups={name: shop.group for name, shop in config.shops.items() if shop.group},
        key=ledger.identity_key(),
        seen=pl.DataFrame(schema=SEEN) if audit is None or now is None else _seen(ledger, audit, now),
    )


def gathered(
    config: Config, base: Path, ledger: Ledger, book: Callable[[], RuleBook], now: str, also: Sequence[Also]
) -> Facts:
    """Give the facts of an open ledger and the configuration, with those of `also`; only these need the rules."""
    found = facts_of(config, ledger, book().rules.audit if "audit" in also else None, now)
    if "history" in also:
        found = with_history(found, book(), ledger)
    if "stock" in also:
        found = with_stock(found, config, base, ledger)
    if "quota" in also:
        rules = book().rules
        found = with_quota(found, rules.limits, ledger, now, rules.timezone)
    return found


def with_history(facts: Facts, book: RuleBook, ledger: Ledger) -> Facts:
    """Give `facts` with what buyers ordered before, where the rules ask for it."""
    asked = needed(book) | book.gifts.facts | book.cards.facts
    return replace(facts, history=ledger.history()) if asked & set(HISTORY) else facts


def with_quota(facts: Facts, limits: Sequence[Limit], ledger: Ledger, now: str, zone: str) -> Facts:
    """Give `facts` with the parcels that got their numbers on the day of `now` in `zone`, where `limits` count them."""
    if all(limit.parcels is None for limit in limits):
        return facts
    local = parse_instant(now).astimezone(ZoneInfo(zone))
    day = datetime.combine(local.date(), time(), ZoneInfo(zone))
    until = datetime.combine(local.date() + timedelta(days=1), time(), ZoneInfo(zone))
    return replace(facts, quota_used=ledger.bought(write_instant(day), write_instant(until)))


def with_stock(facts: Facts, config: Config, base: Path, ledger: Ledger) -> Facts:
    """Give `facts` with what lies in the warehouses and what is bound of it, where the configuration names a stock."""
    if not config.stock:
        return facts
    read = [_stock(source, at, base, config.time_zone) for at, source in enumerate(config.stock)]
    bound = pl.concat([ledger.commitments(purpose=purpose) for purpose in _SENT])
    return replace(
        facts,
        stock=pl.concat([STOCK.to_frame(), *read]),
        reserved=reserved_of(bound),
        partial=_partial(config),
    )


_SENT = ("sale", "resend", "exchange")


def _stock(source: StockConfig, at: int, base: Path, zone: str) -> pl.DataFrame:
    """Read one source; a file without times counts as counted when it was written."""
    where = f"stock {at + 1}"
    if (source.file is None) == (source.database is None):
        raise ConfigError(Text("{where}: name either a file or a database", where=where))
    if source.database is not None:
        path = base / source.database
        table, name = read_database(path, source.table), f"{path}: {source.table}"
        if not {"counted_at", CHINESE["counted_at"]} & set(table.columns):
            raise ConfigError(
                Text("{source}: has no column {column}", source=name, column="counted_at"),
                hint=Text("without it nobody knows which waybills it has seen; a view can add it"),
            )
        return parse_stock(table, name, zone)
    path = base / str(source.file)
    table = read_numbered(str(path))
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return parse_stock(table, str(path), zone, write_instant(written))


def _partial(config: Config) -> frozenset[str]:
    """Give the shops whose platforms take an order in parts."""
    return frozenset(
        name
        for name, shop in config.shops.items()
        if shop.platform in NAMES and (manifest(shop.platform).PARTIAL or shop.settings.get("parts") == "sp")
    )


def _seen(ledger: Ledger, audit: AuditSection, now: str) -> pl.DataFrame:
    if not audit.asks_ledger:
        return pl.DataFrame(schema=SEEN)
    many = audit.many_orders
    hours = many.hours if many else 0
    since = write_instant(parse_instant(now) - timedelta(days=SEEN_DAYS, hours=hours))
    return ledger.seen(
        since, now, of_buyer=many.of_buyer if many else None, of_recipient=many.of_recipient if many else None
    )
