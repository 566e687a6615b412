"""Fresh before acting: what the platform (or the newest stored version) says of orders about to be acted on.

A row whose orders changed in what matters, or that cannot be asked about, is not acted on and says why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import polars as pl

from orderctl.cli.mapping import orders_of
from orderctl.cli.session import Session
from orderctl.cli.shops import has_api, open_shop
from orderctl.model.errors import OrderctlError
from orderctl.model.instant import parse_instant
from orderctl.model.schema import RAW, empty
from orderctl.model.text import Text
from orderctl.ports.ledger import Ledger
from orderctl.stages.plans.freshness import changes
from orderctl.stages.plans.rows import Row, note


def stale(
    session: Session,
    ledger: Ledger,
    rows: list[Row],
    *,
    seconds: int,
    stage: str,
    offline: bool,
    only: set[str] | None = None,
) -> set[str]:
    """Ask about the orders of `rows` that were read more than `seconds` ago; give the shipments not to act on.

    Those rows get a problem that says what changed, or that the platform could not be asked. `only` has the ids of the
    orders that matter: of a shipment that is half told, the told order has changed by our own doing.
    """
    if offline:
        if rows:
            ledger.note("act.offline", session.clock(), shipments=len(rows))
        return set()
    asked: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        for order in _asked(row, only):
            if _age_s(order, session.now) > seconds or not _asks(session, order["shop"]):
                asked[order["shop"]].append(order)
    newest: dict[str, dict[str, Any]] = {}
    unasked: dict[str, str] = {}
    for shop, orders in asked.items():
        try:
            newest.update(_newest(session, ledger, shop, orders))
        except OrderctlError as error:
            unasked[shop] = type(error).__name__.lower()
            session.console.say(
                "warning", "shop.unasked", Text("{shop}: {why}", shop=shop, why=error.text), shop=shop
            )
            session.tally.add(error)
    return {row["shipment_id"] for row in rows if not _still_good(session, row, newest, unasked, stage, only)}


def _asked(row: Row, only: set[str] | None) -> list[dict[str, Any]]:
    return [order for order in row["orders"] if only is None or order["order_id"] in only]


def _age_s(order: Mapping[str, Any], now: str) -> float:
    if not order["observed_at"]:
        return float("inf")
    return (parse_instant(now) - parse_instant(order["observed_at"])).total_seconds()


def _asks(session: Session, shop: str) -> bool:
    configured = session.config.shops.get(shop)
    return configured is not None and has_api(configured)


def _newest(
    session: Session, ledger: Ledger, shop: str, orders: list[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    if _asks(session, shop):
        platform = open_shop(session, ledger, shop)
        pages = platform.fetch_orders([o["platform_ref"] for o in orders], now=session.now)
        records = [record for page in pages for record in page.records]
        raw = pl.DataFrame(records, schema={k: v for k, v in RAW.items() if k != "extra"})
        raw = raw.with_columns(extra=pl.lit(None, dtype=pl.String))
        ledger.save_versions(raw)
    else:
        raw = ledger.newest_versions([o["order_id"] for o in orders])
    raw = raw if raw.height else empty("raw/1")
    found = orders_of(raw, session.book, session.facts_of(ledger), session.now)
    return {order["order_id"]: order for order in found.to_dicts()}


def _still_good(
    session: Session,
    row: Row,
    newest: Mapping[str, dict[str, Any]],
    unasked: Mapping[str, str],
    stage: str,
    only: set[str] | None,
) -> bool:
    for order in _asked(row, only):
        if order["shop"] in unasked:
            note(row, stage, "not_fresh", code=unasked[order["shop"]])
            return False
        current = newest.get(order["order_id"])
        found = changes(row, order, current) if current else []
        if found:
            note(row, stage, "changed_since", fields=", ".join(found))
            session.tally.blocked += 1
            return False
    return True
