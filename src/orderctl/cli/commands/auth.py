"""orderctl auth login | refresh"""

from __future__ import annotations

from typing import Annotated

import typer

from orderctl.cli.session import Session

ShopArg = Annotated[str, typer.Argument(metavar="SHOP", help="A shop of the configuration.")]
CodeOpt = Annotated[
    str | None, typer.Option("--code", help="The code the platform gave; asked for without it.")
]
RedirectOpt = Annotated[
    str,
    typer.Option("--redirect", metavar="URL", help="The callback address registered for the application."),
]


def login(
    session: Session, shop: ShopArg, code: CodeOpt = None, redirect: RedirectOpt = "urn:ietf:wg:oauth:2.0:oob"
) -> None:
    """Allow orderctl into a shop: shows the address to open, takes the code, keeps the token encrypted."""
    from orderctl.cli.authorizing import log_in

    log_in(session, shop, code, redirect)


def refresh(session: Session, shop: ShopArg) -> None:
    """Renew the token of a shop."""
    from orderctl.cli.authorizing import renew

    renew(session, shop)


HELP = "Let orderctl into a shop."
SUBCOMMANDS = {"login": login, "refresh": refresh}
