"""What the ledger and the configuration know that the stages may use."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from orderctl.cli.config import Config
from orderctl.model.facts import COMMITMENTS, DECISIONS, SEEN, Facts
from orderctl.model.instant import parse_instant, write_instant
from orderctl.ports.ledger import Ledger
from orderctl.stages.rules.sections.audit import AuditSection

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


def _seen(ledger: Ledger, audit: AuditSection, now: str) -> pl.DataFrame:
    if not audit.asks_ledger:
        return pl.DataFrame(schema=SEEN)
    many = audit.many_orders
    hours = many.hours if many else 0
    since = write_instant(parse_instant(now) - timedelta(days=SEEN_DAYS, hours=hours))
    return ledger.seen(
        since, now, of_buyer=many.of_buyer if many else None, of_recipient=many.of_recipient if many else None
    )
