"""Loading the facts of a run, or the frozen ones of another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orderctl.model.facts import COMMITMENTS, DECISIONS, Facts, parse_facts

if TYPE_CHECKING:
    from orderctl.cli.session import Session
    from orderctl.ports.ledger import Ledger


def load_facts(session: Session) -> Facts:
    """Give the facts: `--facts FILE` as frozen, else what ledger and configuration say now."""
    from orderctl.cli.config import read_text

    if session.facts_path:
        return parse_facts(read_text(Path(session.facts_path)), session.facts_path)
    with session.ledger() as ledger:
        return facts_of(session, ledger)


def facts_of(session: Session, ledger: Ledger) -> Facts:
    """Give the facts of an open ledger and the configuration."""
    return Facts(
        commitments=ledger.commitments().select(COMMITMENTS.names()),
        decisions=ledger.decisions().select(DECISIONS.names()),
        shop_groups={name: shop.group for name, shop in session.config.shops.items() if shop.group},
        key=ledger.identity_key(),
    )
