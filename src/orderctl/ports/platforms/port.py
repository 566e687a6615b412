"""What every platform connector offers, and the values it exchanges with the rest.

The one invariant: a connector never interprets an order beyond its id and its time of change; what the fields mean
is the mapper's business. Reading may be repeated freely; `ship` is told at most once and looked up after silence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar, Literal, Protocol

from orderctl.model.errors import ConfigError
from orderctl.model.instant import parse_instant, write_instant
from orderctl.model.text import Text
from orderctl.ports.http import Http

RawRow = dict[str, str | None]
"""One row of a raw/1 frame without `extra`: `payload`, `parts` and `facts` are JSON text."""

By = Literal["updated", "created"]


@dataclass(frozen=True)
class Shop:
    """One shop of the configuration; `settings` holds its connector's settings, secrets already resolved."""

    id: str
    platform: str
    base_url: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)

    def setting(self, name: str) -> str:
        """Give a setting that must be there. Raises: ConfigError if it is missing or empty."""
        value = self.settings.get(name)
        if not value:
            raise ConfigError(Text("shop {shop}: the setting '{name}' is missing", shop=self.id, name=name))
        return value


@dataclass(frozen=True)
class Window:
    """A span of time, both ends included; both are instants."""

    since: str
    until: str


@dataclass(frozen=True)
class Certificate:
    """How many orders the platform itself counts in a window, and how many different ones it gave us."""

    window: Window
    expected: int
    got: int

    @property
    def complete(self) -> bool:
        """Tell whether nothing is missing. Orders that changed meanwhile have left the window, so got may exceed."""
        return self.got >= self.expected


@dataclass(frozen=True)
class Page:
    """A piece of what was fetched.

    Store `records`; then, if `cursor` is given, save it: it stands only on the last page of a window, so whatever
    was interrupted before is read again. `missing` are orders that were asked for and do not exist.
    """

    records: list[RawRow]
    cursor: str | None = None
    certificate: Certificate | None = None
    missing: tuple[str, ...] = ()
    warnings: tuple[Text, ...] = ()


@dataclass(frozen=True)
class ShipLine:
    """So many of a line go with this parcel, `of` as many as are left to ship of it."""

    line_ref: str
    quantity: int
    of: int


@dataclass(frozen=True)
class ShipRequest:
    """Tell one platform that one order, or part of it, left with this number.

    `whole` says that nothing is left to ship of the order afterwards. `courier` is our code.
    """

    order_ref: str
    lines: tuple[ShipLine, ...]
    number: str
    courier: str
    whole: bool
    tracking_url: str | None = None


class Tokens(Protocol):
    """Where access tokens are kept, encrypted."""

    def token(self, shop: str) -> Mapping[str, str] | None:
        """Give the token of a shop, or None."""
        ...

    def save_token(self, shop: str, token: Mapping[str, str]) -> None:
        """Keep the token of a shop, replacing the one before."""
        ...


class Platform(Protocol):
    """One shop of one platform. Safe to use from one thread at a time; many shops run side by side."""

    name: ClassVar[str]
    ship_settling_s: ClassVar[int]
    """After silence, "not found" is proof only when so many seconds have passed."""

    def __init__(self, shop: Shop, http: Http, tokens: Tokens) -> None: ...

    def identify(self) -> str:
        """Give the platform's own id of the shop the credentials belong to."""
        ...

    def fetch(
        self,
        *,
        now: str,
        cursor: str | None = None,
        since: str | None = None,
        until: str | None = None,
        by: By = "updated",
    ) -> Iterator[Page]:
        """Read new and changed orders, window by window, oldest window first.

        Without `since` it goes on from `cursor`, a little before; without either it goes as far back as the
        platform allows. A look back (`until`, or by creation, or a `since` beside a cursor) moves no cursor.
        """
        ...

    def fetch_orders(self, refs: Sequence[str], *, now: str) -> Iterator[Page]:
        """Read the newest state of the orders named by `refs` (the platform's ids), in batches."""
        ...

    def same_recipient(self, records: Sequence[RawRow]) -> dict[str, str]:
        """Ask the platform which of these orders share a recipient: platform_ref to `facts` (JSON text).

        Empty where the platform shows recipients or offers no such question.
        """
        ...

    def ship(self, request: ShipRequest) -> dict[str, str | None]:
        """Tell the platform. Gives `state` (shipped), `number`, and what the platform calls the dispatch.

        Raises: Refused (code `shipped_elsewhere`: it left with another number), Temporary, Unauthorized,
        OutcomeUnknown (then ask `lookup_ship`).
        """
        ...

    def lookup_ship(self, request: ShipRequest) -> dict[str, str | None] | None:
        """Tell whether the platform already knows of this dispatch, with the result `ship` would have given."""
        ...

    def login_url(self, state: str, redirect: str) -> str:
        """Give the address where the seller allows us in. Raises: Refused if the shop logs in another way."""
        ...

    def exchange(self, code: str, redirect: str) -> None:
        """Trade the code of a login for a token and keep it."""
        ...

    def refresh(self) -> None:
        """Renew the kept token. Raises: Unauthorized if it cannot be renewed."""
        ...


def raw_row(
    shop: Shop, *, ref: str, form: str, now: str, updated_at: str | None, source: str, payload: str
) -> RawRow:
    """Give one row of a raw/1 frame; `payload` is JSON text."""
    return {
        "schema": "raw/1",
        "platform": shop.platform,
        "shop": shop.id,
        "platform_ref": ref,
        "format": form,
        "observed_at": now,
        "updated_at": updated_at,
        "source": source,
        "payload": payload,
        "parts": None,
        "facts": None,
    }


def shift(instant: str, seconds: float) -> str:
    """Give the instant so many seconds later."""
    return write_instant(parse_instant(instant) + timedelta(seconds=seconds))


def seconds_between(since: str, until: str) -> int:
    """Give the whole seconds from one instant to another."""
    return int((parse_instant(until) - parse_instant(since)).total_seconds())


def history_s(shop: Shop, at_most_days: int) -> int:
    """Give how many seconds back a first fetch reaches: the shop's `history_days`, at most what the platform shows."""
    asked = shop.settings.get("history_days") or str(at_most_days)
    if not asked.isdecimal():
        raise ConfigError(Text("shop {shop}: 'history_days' is no number of days", shop=shop.id))
    return min(int(asked), at_most_days) * 86_400


def cut_windows(since: str, until: str, span_s: int) -> Iterator[Window]:
    """Cut a span of time into windows of at most `span_s` seconds that share their ends; none if it is empty."""
    while since < until:
        end = min(shift(since, span_s), until)
        yield Window(since, end)
        since = end


@dataclass(frozen=True)
class Plan:
    """Which span to read, and whether reading it moves the cursor."""

    since: str
    until: str
    moves: bool


def plan_fetch(
    *,
    now: str,
    cursor: str | None,
    since: str | None,
    until: str | None,
    by: By,
    overlap_s: int,
    lag_s: int,
    back_s: int,
) -> Plan:
    """Say which span of time a fetch reads. Pure.

    It ends `lag_s` before now, since the newest orders may not be listed yet; it begins `overlap_s` before the
    cursor, at `since`, or `back_s` before now.
    """
    reached = parse_cursor(cursor)
    begin = since or (shift(reached, -overlap_s) if reached else shift(now, -back_s))
    end = min(until or now, shift(now, -lag_s))
    moves = by == "updated" and until is None and (since is None or reached is None)
    return Plan(begin, end, moves)


def write_cursor(until: str) -> str:
    """Give the cursor of a shop read up to `until`."""
    return json.dumps({"v": 1, "until": until}, separators=(",", ":"))


def parse_cursor(cursor: str | None) -> str | None:
    """Give the instant a cursor stands at; None for no cursor and for one of a form we do not know (read anew)."""
    try:
        found = json.loads(cursor or "null")
        until: str = found["until"]
        parse_instant(until)
        return until if found["v"] == 1 else None
    except (ValueError, KeyError, TypeError):
        return None
