"""Starting the sandbox: the only place where the program meets its stand-ins."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderctl.assets import DEMO, FONTS
from orderctl.cli.session import Session
from orderctl.model.errors import CannotCreate, ConfigError, UsageError
from orderctl.model.text import Text

if TYPE_CHECKING:
    from orderctl.sandbox import Sandbox


def open_sandbox(books: Path, **options: Any) -> Sandbox:
    """Make the sandbox on its folder.

    Raises: ConfigError if its extra package is not installed; UsageError for an unknown shop; CannotCreate.
    """
    try:
        from orderctl.sandbox import Sandbox

        return Sandbox(books, fonts=FONTS, **options)
    except ImportError as error:
        raise ConfigError(
            Text("the sandbox needs an extra package: {name}", name=error.name),
            hint=Text("pip install orderctl[sandbox]"),
        ) from error
    except ValueError as error:
        raise UsageError(Text("sandbox: {why}", why=error)) from error
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
    session: Session,
    books: Path,
    *,
    shops: list[str] | None,
    port: int,
    seed: int,
    orders: int,
    faults: int | None,
    config_out: Path | None,
) -> None:
    """Serve until interrupted. Raises: UsageError if shops are asked for and the books have others."""
    import time

    with open_sandbox(books, shops=shops or ["all"], seed=seed, orders=orders, faults=faults) as sandbox:
        names = [shop.name for shop in sandbox.shops]
        missing = set(shops or ()) - {"all", *names, *(shop.platform for shop in sandbox.shops)}
        if missing:
            raise UsageError(
                Text("{books} has the shops {shops}, not {missing}", books=books, shops=", ".join(names),
                     missing=", ".join(sorted(missing))),
                hint=Text("give another --books"),
            )  # fmt: skip
        url = start(sandbox, port)
        if config_out is not None:
            write_config(config_out, sandbox.config(url))
        session.console.summary(
            Text("serving {shops} at {url}, books in {books}; Ctrl-C ends it",
                 shops=", ".join(names), url=url, books=books),
            url=url, shops=names,
        )  # fmt: skip
        while True:
            time.sleep(1)  # not forever: a signal that another thread was given does not wake this one


def write_config(path: Path, found: dict[str, Any]) -> None:
    """Write a configuration to begin with: the sandbox's shops and issuers, and the demo's everything else.

    Raises: CannotCreate.
    """
    import yaml

    whole = yaml.safe_load((DEMO / "orderctl.yaml").read_text("utf-8"))
    whole["shops"] = found["shops"]
    whole["issuers"].update(found["issuers"])
    text = yaml.safe_dump(whole, allow_unicode=True, sort_keys=False)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, "utf-8")
        beside.replace(path)
    except OSError as error:
        raise CannotCreate(Text("cannot create {path}: {why}", path=path, why=error.strerror)) from error
