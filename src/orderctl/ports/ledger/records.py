"""What the ledger remembers besides acts and orders: cursors, shop bindings, and numbers of local ranges.

Invariants: a shop id means one shop of one platform for ever; a number is given to one key and never again to another.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Final

import polars as pl

from orderctl.model.errors import ConfigError, Refused
from orderctl.model.text import Text

NUMBER: Final = pl.Schema({name: pl.String() for name in ("range_id", "number", "for_key", "state", "at")})


def read_cursor(db: sqlite3.Connection, shop: str, stream: str) -> str | None:
    """Give how far `stream` of `shop` was read, None if never."""
    row = db.execute("SELECT value FROM cursor WHERE shop = ? AND stream = ?", (shop, stream)).fetchone()
    return None if row is None else str(row["value"])


def write_cursor(db: sqlite3.Connection, shop: str, stream: str, value: str, now: str) -> None:
    """Remember how far `stream` of `shop` was read."""
    db.execute(
        "INSERT INTO cursor VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, at = excluded.at",
        (shop, stream, value, now),
    )


def read_token_at(db: sqlite3.Connection, shop: str) -> str | None:
    """Give when the token of `shop` was kept, None if there is none."""
    row = db.execute("SELECT at FROM token WHERE shop = ?", (shop,)).fetchone()
    return None if row is None else str(row["at"])


def bind_shop(db: sqlite3.Connection, shop: str, platform: str, platform_shop_id: str, now: str) -> bool:
    """Bind our shop id to the platform's own at first use; True if it is new.

    Raises: ConfigError if the id is bound to another shop, or the shop to another id, under which its orders went.
    """
    bound = db.execute(
        "SELECT shop, platform, platform_shop_id FROM shop WHERE shop = ? OR (platform = ? AND platform_shop_id = ?)",
        (shop, platform, platform_shop_id),
    ).fetchone()
    if bound is None:
        db.execute("INSERT INTO shop VALUES (?, ?, ?, ?)", (shop, platform, platform_shop_id, now))
        return True
    if tuple(bound) != (shop, platform, platform_shop_id):
        raise ConfigError(
            Text(
                "shop {shop} is to be {platform} shop {theirs}, but {other} is bound to {other_platform} shop {other_theirs}",
                shop=shop,
                platform=platform,
                theirs=platform_shop_id,
                other=bound["shop"],
                other_platform=bound["platform"],
                other_theirs=bound["platform_shop_id"],
            ),
            hint=Text(
                "an id belongs to one shop for ever: give another shop another id, and a shop its old one"
            ),
        )
    return False


def take_number(db: sqlite3.Connection, range_id: str, first: str, last: str, for_key: str, now: str) -> str:
    """Give `for_key` its number of the range `first` to `last` (equal prefix, equal count of digits), the same each time.

    Raises: ConfigError if the two ends are no range; Refused if every number is given out.
    """
    known = db.execute(
        "SELECT number FROM number WHERE range_id = ? AND for_key = ?", (range_id, for_key)
    ).fetchone()
    if known is not None:
        return str(known["number"])
    start, end = (re.fullmatch(r"(.*?)([0-9]+)", text) for text in (first, last))
    if start is None or end is None or start[1] != end[1] or len(first) != len(last) or first > last:
        raise ConfigError(
            Text(
                "number range {range}: {first} to {last} is no range", range=range_id, first=first, last=last
            )
        )
    low, high, width = int(start[2]), int(end[2]), len(start[2])
    newest = db.execute(
        "SELECT max(serial) FROM number WHERE range_id = ? AND serial BETWEEN ? AND ?", (range_id, low, high)
    ).fetchone()[0]
    serial = low if newest is None else newest + 1
    if serial > high:
        raise Refused(
            Text("number range {range} is used up: {last} was its last number", range=range_id, last=last),
            hint=Text("ask the courier for a new range and enter it in orderctl.yaml"),
            code="range_used_up",
        )
    number = f"{start[1]}{serial:0{width}}"
    db.execute(
        "INSERT INTO number VALUES (?, ?, ?, ?, 'reserved', ?)", (range_id, serial, number, for_key, now)
    )
    return number


def read_numbers(db: sqlite3.Connection, range_id: str | None) -> pl.DataFrame:
    """Give the numbers given out so far (columns NUMBER), `state` being reserved, used or void, in their order."""
    rows = db.execute(
        "SELECT range_id, number, for_key, state, at FROM number WHERE ?1 IS NULL OR range_id = ?1 "
        "ORDER BY range_id, serial",
        (range_id,),
    )
    return pl.DataFrame([tuple(r) for r in rows], schema=NUMBER, orient="row")
