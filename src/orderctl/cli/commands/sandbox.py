"""orderctl sandbox"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orderctl.cli.session import Session

ShopOpt = Annotated[
    list[str] | None,
    typer.Option("--shop", metavar="NAME", help="A shop or platform there shall be; by default all of them."),
]
PortOpt = Annotated[int, typer.Option("--port", help="Port on the loopback interface; 0 takes a free one.")]
SeedOpt = Annotated[int, typer.Option("--seed", help="Seed of the invented orders.")]
OrdersOpt = Annotated[int, typer.Option("--orders", help="How many orders to invent.")]
FaultsOpt = Annotated[int | None, typer.Option("--faults", metavar="SEED", help="Play faults, by this seed.")]
BooksOpt = Annotated[
    Path, typer.Option("--books", metavar="DIR", help="Where the sandbox keeps its orders and books.")
]
ConfigOutOpt = Annotated[
    Path | None,
    typer.Option(
        "--config-out", metavar="FILE", help="Write an orderctl.yaml with every shop of the sandbox."
    ),
]


def run(
    session: Session,
    books: BooksOpt = Path("sandbox"),
    shop: ShopOpt = None,
    port: PortOpt = 8600,
    seed: SeedOpt = 1,
    orders: OrdersOpt = 40,
    faults: FaultsOpt = None,
    config_out: ConfigOutOpt = None,
) -> None:
    """Serve stand-ins of the platforms and a courier on this machine, as strict and as nasty as the originals.

    Books that are there already are continued, with their shops and orders.
    """
    from orderctl.cli.sandboxing import serve_sandbox

    serve_sandbox(
        session, books, shops=shop, port=port, seed=seed, orders=orders, faults=faults, config_out=config_out
    )
