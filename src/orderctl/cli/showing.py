"""The configuration in effect, value by value."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

from orderctl.cli.config import is_secret
from orderctl.cli.session import Session
from orderctl.model.text import visible


def show_config(session: Session) -> None:
    """Print `name = value  (origin)` for every setting; a secret shows only how it is given."""
    config = session.config
    given = set(_names(config.model_dump(exclude_unset=True)))
    origin = str(session.config_file) if session.config_file else "-"
    _line(
        "config", str(session.config_file or "-"), _origin(session.config_path, "ORDERCTL_CONFIG", "search")
    )
    _line(
        "state",
        str(session.state),
        _origin(session.state_path, "ORDERCTL_STATE", origin if config.state else "default"),
    )
    for name, value in _leaves(config.model_dump()):
        if name != "state":
            _line(name, _shown(name, value), origin if name in given else "default")


def _origin(flag: str | None, variable: str, other: str) -> str:
    return "flag" if flag else variable if os.environ.get(variable) else other


def _line(name: str, value: str, origin: str) -> None:
    sys.stdout.write(f"{name} = {visible(value)}  ({origin})\n")


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _names(value: Any) -> Iterator[str]:
    return (name for name, _ in _leaves(value))


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if is_secret(name) and not str(value).startswith(("${", "file:", "keyring:")):
        return "*****"
    return str(value)
