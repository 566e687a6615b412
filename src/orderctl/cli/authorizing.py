"""Letting orderctl into a shop, and telling how long that lasts; never what the tokens are."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping, Sequence

from orderctl.cli.callback import listens, parse_code, wait_for_code
from orderctl.cli.fetching import api_shops
from orderctl.cli.session import Session
from orderctl.cli.shops import open_shop
from orderctl.model.errors import Refused, Unauthorized, UsageError
from orderctl.model.text import Text
from orderctl.ports.ledger import Ledger
from orderctl.ports.platforms.port import Platform


def log_in(session: Session, shop: str, code: str | None, redirect: str, timeout_s: int) -> None:
    """Show the platform's address, take the code it gives, keep the token in place of the one before.

    Raises: UsageError if the shop logs in another way, with what to do instead.
    """
    with session.ledger() as ledger:
        platform = open_shop(session, ledger, shop)
        before = ledger.token(shop)
        if code is None:
            code = _ask(session, platform, redirect, timeout_s)
        platform.exchange(parse_code(code, None), redirect)
        ledger.bind_shop(shop, platform.name, platform.identify(), session.clock())
    text = (
        Text("{shop}: access is granted anew, the token before is replaced", shop=shop)
        if before
        else Text("{shop}: access is granted, the token is kept", shop=shop)
    )
    session.console.summary(text, shop=shop, anew=bool(before))


def _ask(session: Session, platform: Platform, redirect: str, timeout_s: int) -> str:
    state = secrets.token_urlsafe(16)
    try:
        url = platform.login_url(state, redirect)
    except Refused as refusal:
        if refusal.code != "no_login":
            raise
        raise UsageError(refusal.text, hint=refusal.hint) from None
    if listens(redirect):
        text = Text(
            "open {url} and allow access: the answer is awaited at {redirect}, or paste the address you are led to",
            url=url,
            redirect=redirect,
        )
        session.console.say("summary", "auth.open", text, url=url)
        return wait_for_code(redirect, state, timeout_s)
    text = Text("open {url} and allow access, then type the code, or the address you are led to", url=url)
    session.console.say("summary", "auth.open", text, url=url)
    return parse_code(sys.stdin.readline(), state)


def renew(session: Session, shop: str) -> None:
    """Renew the kept token without the seller. Raises: Unauthorized if only a new login helps."""
    with session.ledger() as ledger:
        platform = open_shop(session, ledger, shop)
        try:
            platform.refresh()
        except Unauthorized as failure:
            hint = failure.hint or Text("log in again: orderctl auth login {shop}", shop=shop)
            raise Unauthorized(failure.text, hint=hint, code=failure.code) from None
    session.console.summary(Text("{shop}: the token is renewed", shop=shop), shop=shop)


def show_status(session: Session, shops: Sequence[str]) -> None:
    """Print one line for each shop with an API: how long its token is good, and what ends that. Nothing is asked."""
    with session.ledger() as ledger:
        for name in api_shops(session, shops):
            text, over = status(ledger, open_shop(session, ledger, name), name, session.clock())
            session.tally.unauthorized += over
            sys.stdout.write(f"{name}: {text.render(session.console.locale)}\n")


def logs_in(platform: Platform) -> bool:
    """Say whether a seller lets us into this shop by a login; else its token is a setting, or made when needed."""
    try:
        platform.login_url("state", "http://127.0.0.1/")
    except Refused as refusal:
        return refusal.code != "no_login"
    return True


def status(ledger: Ledger, platform: Platform, shop: str, now: str) -> tuple[Text, bool]:
    """Say how the kept token of a shop stands, and whether only a new login helps."""
    kept = ledger.token(shop)
    if kept is None:
        if logs_in(platform):
            return Text("no token is kept: it is a setting, or orderctl auth login {shop}", shop=shop), False
        return Text("needs no login: its token is a setting, or made when needed"), False
    token = {name: str(value) for name, value in kept.items() if value is not None}
    saved = ledger.token_saved_at(shop) or "-"
    ends = token.get("expires_at")
    if ends is None:
        return Text(
            "a token is kept since {saved}; the platform does not say when it ends", saved=saved
        ), False
    if not logs_in(platform):
        return Text(
            "the token of {saved} is good until {ends}, then another is made", saved=saved, ends=ends
        ), False
    if is_renewable(token, now):
        last = token.get("refresh_expires_at", "-")
        return Text(
            "the token of {saved} is good until {ends}, and renewed without you until {last}",
            saved=saved, ends=ends, last=last,
        ), False  # fmt: skip
    if ends <= now:
        return Text("over since {ends}: orderctl auth login {shop}", ends=ends, shop=shop), True
    return Text(
        "the token of {saved} is good until {ends} and cannot be renewed: before that, orderctl auth login {shop}",
        saved=saved, ends=ends, shop=shop,
    ), False  # fmt: skip


def is_renewable(token: Mapping[str, str], now: str) -> bool:
    """Say whether a kept token can be renewed without the seller."""
    return bool(token.get("refresh_token")) and token.get("refresh_expires_at", "9999") > now
