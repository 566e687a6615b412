"""orderctl sandbox"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orderctl.cli.session import Session

PortOpt = Annotated[int, typer.Option("--port", help="Port on the loopback interface; 0 takes a free one.")]
SeedOpt = Annotated[int, typer.Option("--seed", help="Seed of the invented orders.")]
OrdersOpt = Annotated[int, typer.Option("--orders", help="How many orders to invent.")]
FaultsOpt = Annotated[int | None, typer.Option("--faults", metavar="SEED", help="Play faults, by this seed.")]
BooksOpt = Annotated[
    Path, typer.Option("--books", metavar="DIR", help="Where the sandbox keeps its orders and books.")
]


def run(
    session: Session,
    books: BooksOpt = Path("sandbox"),
    port: PortOpt = 8600,
    seed: SeedOpt = 1,
    orders: OrdersOpt = 40,
    faults: FaultsOpt = None,
) -> None:
    """Serve stand-ins of Taobao, Shopify and a courier on this machine, as strict and as nasty as the originals."""
    from orderctl.cli.sandboxing import serve_sandbox

    serve_sandbox(session, books, port=port, seed=seed, orders=orders, faults=faults)
