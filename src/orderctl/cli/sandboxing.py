"""Starting the sandbox: the only place where the program meets its stand-ins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderctl.assets import FONTS
from orderctl.cli.session import Session
from orderctl.model.errors import CannotCreate, ConfigError
from orderctl.model.text import Text

if TYPE_CHECKING:
    from orderctl.sandbox import Sandbox


def open_sandbox(books: Path, **options: Any) -> Sandbox:
    """Make the sandbox on its folder. Raises: ConfigError if its extra package is not installed; CannotCreate."""
    try:
        from orderctl.sandbox import Sandbox
    except ImportError as error:
        raise ConfigError(
            Text("the sandbox needs an extra package: {name}", name=error.name),
            hint=Text("pip install orderctl[sandbox]"),
        ) from error
    try:
        return Sandbox(books, fonts=FONTS, **options)
    except OSError as error:
        raise CannotCreate(Text("cannot create {path}: {why}", path=books, why=error.strerror)) from error


def start(sandbox: Sandbox, port: int) -> str:
    """Start serving and give the address. Raises: CannotCreate if the port is taken."""
    try:
        return sandbox.start(port)
    except OSError as error:
        raise CannotCreate(
            Text("port {port} cannot be used: {why}", port=port, why=error.strerror),
            hint=Text("give another --port, or 0"),
        ) from error


def serve_sandbox(
    session: Session, books: Path, *, port: int, seed: int, orders: int, faults: int | None
) -> None:
    """Serve until interrupted."""
    import threading

    with open_sandbox(books, seed=seed, orders=orders, faults=faults) as sandbox:
        url = start(sandbox, port)
        session.console.summary(
            Text("serving at {url}, books in {books}; Ctrl-C ends it", url=url, books=books), url=url
        )
        threading.Event().wait()
