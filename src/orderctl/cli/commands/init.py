"""orderctl init"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orderctl.cli.session import Session

DirArg = Annotated[Path, typer.Argument(metavar="[DIR]", help="Where the files go.")]


def run(session: Session, folder: DirArg = Path()) -> None:
    """Write orderctl.yaml and rules.yaml to begin with, the document templates and the column maps; no file is overwritten."""
    from orderctl.cli.scaffold import scaffold

    scaffold(session, folder)
