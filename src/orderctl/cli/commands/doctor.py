"""orderctl doctor"""

from __future__ import annotations

from orderctl.cli.session import Session


def run(session: Session) -> None:
    """Check configuration, rules, ledger, shops, issuers and devices, and say of each what is missing."""
    from orderctl.cli.doctor import examine

    examine(session)
