"""orderctl auth login | refresh | status"""

from __future__ import annotations

from typing import Annotated

import typer

from orderctl.cli.session import Session

ShopArg = Annotated[str, typer.Argument(metavar="SHOP", help="A shop of the configuration.")]
ShopsArg = Annotated[
    list[str] | None, typer.Argument(metavar="[SHOP...]", help="Shops of the configuration; all by default.")
]
CodeOpt = Annotated[
    str | None,
    typer.Option(
        "--code", help="The code the platform gave, or the address it led to; asked for without it."
    ),
]
RedirectOpt = Annotated[
    str,
    typer.Option(
        "--redirect",
        metavar="URL",
        help="The callback address registered for the application; at http://127.0.0.1:PORT/... we listen.",
    ),
]
TimeoutOpt = Annotated[int, typer.Option("--timeout", metavar="SECONDS", help="How long to listen.")]


def login(
    session: Session,
    shop: ShopArg,
    code: CodeOpt = None,
    redirect: RedirectOpt = "urn:ietf:wg:oauth:2.0:oob",
    timeout: TimeoutOpt = 300,
) -> None:
    """Allow orderctl into a shop: shows the address to open, takes the code, keeps the token encrypted.

    A new login is needed once, and again when a token cannot be renewed any more; auth status tells when.
    """
    from orderctl.cli.authorizing import log_in

    log_in(session, shop, code, redirect, timeout)


def refresh(session: Session, shop: ShopArg) -> None:
    """Renew the token of a shop, without its seller."""
    from orderctl.cli.authorizing import renew

    renew(session, shop)


def status(session: Session, shops: ShopsArg = None) -> None:
    """Tell how long the token of each shop is good, and what then; no platform is asked."""
    from orderctl.cli.authorizing import show_status

    show_status(session, shops or [])


HELP = "Let orderctl into a shop."
SUBCOMMANDS = {"login": login, "refresh": refresh, "status": status}
