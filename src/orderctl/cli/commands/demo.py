"""orderctl demo"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orderctl.cli.session import Session

DirArg = Annotated[Path, typer.Argument(metavar="[DIR]", help="The folder to work in.")]
PortOpt = Annotated[
    int, typer.Option("--port", help="Port of the sandbox; a free one is taken when it is in use.")
]


def run(session: Session, folder: DirArg = Path("demo"), port: PortOpt = 8600) -> None:
    """Run the whole job once, from orders to a report, against stand-in platforms on this machine.

    Run it again: nothing is shipped or printed twice.
    """
    from orderctl.cli.demo import run_demo

    run_demo(session, folder, port)
