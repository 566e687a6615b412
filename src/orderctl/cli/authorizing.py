"""Letting orderctl into a shop."""

from __future__ import annotations

import secrets
import sys

from orderctl.cli.session import Session
from orderctl.cli.shops import open_shop
from orderctl.model.errors import UsageError
from orderctl.model.text import Text


def log_in(session: Session, shop: str, code: str | None, redirect: str) -> None:
    """Show the platform's address, take the code it gives, keep the token."""
    with session.ledger() as ledger:
        platform = open_shop(session, ledger, shop)
        if code is None:
            url = platform.login_url(secrets.token_urlsafe(16), redirect)
            session.console.say(
                "summary", "auth.open", Text("open {url} and allow access, then type the code", url=url)
            )
            code = sys.stdin.readline().strip()
        if not code:
            raise UsageError(Text("no code was given"))
        platform.exchange(code, redirect)
        ledger.bind_shop(shop, platform.name, platform.identify(), session.clock())
    session.console.summary(Text("{shop}: access is granted, the token is kept", shop=shop), shop=shop)


def renew(session: Session, shop: str) -> None:
    """Renew the kept token."""
    with session.ledger() as ledger:
        open_shop(session, ledger, shop).refresh()
    session.console.summary(Text("{shop}: the token is renewed", shop=shop), shop=shop)
