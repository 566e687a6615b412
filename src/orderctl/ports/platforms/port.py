"""What every platform connector offers, and the values it exchanges with the rest.

The one invariant: a connector never interprets an order beyond its id and its time of change; what the fields mean
is the mapper's business. Reading may be repeated freely; `ship` is told at most once and looked up after silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar, Literal, Protocol

from orderctl.model.errors import ConfigError, Refused
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
    """How many orders the platform itself counts in a window, and how many different ones it gave us.

    `expected` is None where a platform has no count: the window was then read to its end mark.
    """

    window: Window
    expected: int | None
    got: int

    @property
    def complete(self) -> bool:
        """Tell whether nothing is missing. Orders that changed meanwhile have left the window, so got may exceed."""
        return self.expected is None or self.got >= self.expected


@dataclass(frozen=True)
class Page:
    """A piece of what was fetched.

    Store `records` and `cursor`, if there is one, together: a fetch that begins at the cursor goes on after this
    page. `missing` are orders that were asked for and do not exist.
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

    `whole` says that nothing is left to ship of the order afterwards. `courier` is our code. `more` are the numbers
    of further parcels of the same dispatch; a platform that takes one number only is told the first.
    """

    order_ref: str
    lines: tuple[ShipLine, ...]
    number: str
    courier: str
    whole: bool
    tracking_url: str | None = None
    more: tuple[str, ...] = ()

    @property
    def numbers(self) -> tuple[str, ...]:
        """Give the numbers of all its parcels."""
        return (self.number, *self.more)


@dataclass(frozen=True)
class Standing:
    """How a shop stands with us.

    `expires_at` is when the token ends (None: never, or nobody knows); `missing` are scopes and grants the work needs
    and the shop has not given; `left` is what remains of quotas, by operation, where the platform tells.
    """

    shop_id: str
    expires_at: str | None = None
    missing: tuple[str, ...] = ()
    left: Mapping[str, int] = field(default_factory=dict)


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

    def standing(self) -> Standing:
        """Ask what the credentials are worth: the shop's id, and what is missing or runs out."""
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
        platform allows. A look back (`since`, `until` or by creation) gives pages without cursors.
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

        `untold`, where it is, names the numbers of `more` that the platform takes no note of, by commas.
        Telling again goes on where it was interrupted: what left already with our number is success.
        Raises: Refused (`shipped_elsewhere`: it left with another number; `refunding`, `bad_number`,
        `courier_unknown`, `order_not_found`, `not_shippable`, `partial_line`, `address_changed`, `held`), Temporary,
        Unauthorized, OutcomeUnknown (then ask `lookup_ship`).
        """
        ...

    def lookup_ship(self, request: ShipRequest) -> dict[str, str | None] | None:
        """Tell whether the platform already knows of this dispatch, with the result `ship` would have given."""
        ...

    def amend(self, request: ShipRequest, before: str) -> dict[str, str | None]:
        """Correct the number `before`, told earlier, to the request's; the result of `ship`, `state` being corrected.

        Raises: Refused (`no_amend` where the platform has no way), and what `ship` raises.
        """
        ...

    def lookup_amend(self, request: ShipRequest, before: str) -> dict[str, str | None] | None:
        """Tell whether the platform already has the corrected number, with the result `amend` would have given."""
        ...

    def event_orders(self, headers: Mapping[str, str], body: bytes) -> tuple[str, ...]:
        """Verify one push message (header names in lower case) and give the orders it speaks of.

        Raises: Refused (`signature`: the platform did not sign it; `no_events`: it pushes nothing; `unreadable`).
        """
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


def no_events(shop: Shop) -> Refused:
    """Say that the platform pushes no messages that could be read here."""
    return Refused(
        Text("shop {shop}: this platform sends no messages that could be read", shop=shop.id),
        hint=Text("fetch its orders by time"),
        code="no_events",
    )


def bad_signature(shop: Shop) -> Refused:
    """Say that a message was not signed by the platform, or with another secret."""
    return Refused(
        Text("shop {shop}: the platform did not sign this message", shop=shop.id),
        hint=Text("compare the secret in orderctl.yaml with the one of the platform's back office"),
        code="signature",
    )


def unreadable_event(shop: Shop) -> Refused:
    """Say that a message is signed but of a form we do not know."""
    return Refused(
        Text("shop {shop}: this message names no order in a way we know", shop=shop.id), code="unreadable"
    )
