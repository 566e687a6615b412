"""What the ledger and the configuration know that the stages may use."""

from __future__ import annotations

from orderctl.cli.config import Config
from orderctl.model.facts import COMMITMENTS, DECISIONS, Facts
from orderctl.ports.ledger import Ledger


def facts_of(config: Config, ledger: Ledger) -> Facts:
    """Give the facts of an open ledger and the configuration."""
    return Facts(
        commitments=ledger.commitments().select(COMMITMENTS.names()),
        decisions=ledger.decisions().select(DECISIONS.names()),
        shop_groups={name: shop.group for name, shop in config.shops.items() if shop.group},
        key=ledger.identity_key(),
    )
