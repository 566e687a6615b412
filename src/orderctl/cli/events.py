"""Push messages of platforms, caught into a file by any web server: verified, and turned into the orders they name.

A message is believed only as far as its signature goes, and only for which order it speaks of: the order itself is
read anew from the platform. Each line of the file is `{"shop": ..., "headers": {...}, "body": "..."}`; where the body
is no text, `body_base64` has its bytes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orderctl.cli.session import Session
from orderctl.cli.shops import open_shop
from orderctl.model.errors import DataError, Refused
from orderctl.model.text import Text
from orderctl.ports import batches
from orderctl.ports.ledger import Ledger
from orderctl.ports.platforms.port import Platform


def read_events(
    session: Session, ledger: Ledger, path: Path, rejects: batches.Rejects
) -> dict[str, list[str]]:
    """Give the orders that the messages in a file (`-` is stdin) speak of, by shop in the configuration's order.

    What cannot be read or is not signed by its platform goes to the rejects. Raises: InputMissing; DataError if no
    line is a message at all; ConfigError if a shop's settings are incomplete.
    """
    platforms: dict[str, Platform] = {}
    found: dict[str, dict[str, None]] = {}
    lines = messages = 0
    with batches.open_source(str(path)) as source:
        for lines, text in _lines(source):
            try:
                shop, headers, body = _message(text)
                messages += 1
                if shop not in session.config.shops:
                    raise ValueError(f"no shop {shop} in the configuration")
                if shop not in platforms:
                    platforms[shop] = open_shop(session, ledger, shop)
                found.setdefault(shop, {}).update(dict.fromkeys(platforms[shop].event_orders(headers, body)))
            except (Refused, ValueError) as error:
                rejects.add(source=source.name, line=lines, reason=str(error), text=text)
    if lines and not messages:
        raise DataError(
            Text("{path}: none of its {count} lines is a message", path=path, count=lines),
            hint=Text('each line is a JSON object with "shop", "headers" and "body"'),
        )
    return {name: list(found[name]) for name in session.config.shops if found.get(name)}


def _lines(source: batches.Source) -> Iterator[tuple[int, str]]:
    """Give the lines that are not empty, numbered from one."""
    for number, line in enumerate(source.stream, 1):
        text = line.decode("utf-8", "replace").strip()
        if text:
            yield number, text


def _message(text: str) -> tuple[str, dict[str, str], bytes]:
    """Read a line: shop, headers (names in lower case) and the body's bytes. Raises: ValueError."""
    found: Any = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    shop, headers = found.get("shop"), found.get("headers")
    if not isinstance(shop, str) or not isinstance(headers, dict):
        raise ValueError('"shop" or "headers" is missing')
    if isinstance(found.get("body"), str):
        body = found["body"].encode()
    elif isinstance(found.get("body_base64"), str):
        body = base64.b64decode(found["body_base64"], validate=True)
    else:
        raise ValueError('"body" or "body_base64" is missing')
    return shop, {str(name).lower(): str(value) for name, value in headers.items()}, body
