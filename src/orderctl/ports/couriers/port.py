"""What everybody who gives waybill numbers offers, and the values exchanged.

The one invariant: `reference` is the same for the same parcel of the same shipment for ever, so a number can be
found again by it; a new reference is a new number and costs money.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from orderctl.model.errors import ConfigError
from orderctl.model.text import Text
from orderctl.ports.http import Http

TakeNumber = Callable[[str, str, str, str], str]
"""(range id, first, last, for key) -> a number; the same key gets the same number again."""


@dataclass(frozen=True)
class Account:
    """One issuer of the configuration; `settings` are the connector's, secrets already resolved."""

    id: str
    base_url: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)

    def setting(self, name: str) -> str:
        """Give a setting that must be there. Raises: ConfigError if it is missing or empty."""
        value = self.settings.get(name)
        if not value:
            raise ConfigError(
                Text("issuer {issuer}: the setting '{name}' is missing", issuer=self.id, name=name)
            )
        return value

    def for_courier(self, name: str, courier: str) -> str:
        """Give an optional setting, its value for one courier (`name.CODE`) before the general one."""
        return self.settings.get(f"{name}.{courier}") or self.settings.get(name) or ""


@dataclass(frozen=True)
class Party:
    """Who sends or gets a parcel; nothing of it is ever shown."""

    name: str = field(repr=False)
    phone: str = field(repr=False)
    province: str = field(default="", repr=False)
    city: str = field(default="", repr=False)
    district: str = field(default="", repr=False)
    street: str = field(default="", repr=False)
    company: str = field(default="", repr=False)


@dataclass(frozen=True)
class Seal:
    """A recipient only the platform can open: its seal and the platform's id of the order it belongs to."""

    ref: str = field(repr=False)
    order_ref: str


@dataclass(frozen=True)
class WaybillRequest:
    """Give a number for one parcel (with `parcels` - 1 children). Amounts are minor units of CNY.

    With a `seal`, `recipient` holds the masked texts as the platform gave them.
    """

    reference: str
    courier: str
    sender: Party
    recipient: Party
    goods: str
    service: str | None = None
    seal: Seal | None = None
    parcels: int = 1
    weight_g: int | None = None
    collect_minor: int | None = None
    insured_minor: int | None = None
    remark: str = field(default="", repr=False)
    width_mm: int = 76
    height_mm: int = 130


@dataclass(frozen=True)
class SuppliedLabel:
    """A label made by somebody else, to be printed unchanged at its size."""

    content: bytes = field(repr=False)
    media_type: str
    width_mm: int
    height_mm: int


@dataclass(frozen=True)
class Waybill:
    """A number and what is printed with it. `label` is None where ours is printed, or the picture must be read again."""

    number: str
    courier_ref: str | None = None
    children: tuple[str, ...] = ()
    sort_code: str | None = None
    package_centre: str | None = None
    qr: str | None = None
    label: SuppliedLabel | None = None
    label_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Capabilities:
    """What an issuer can do.

    `seals` are the schemes of sealed recipients it can have opened (`taobao/oaid`). Within `repeat_within_s` seconds a
    repeated `buy` gives the first number.
    """

    supplies_label: bool
    seals: frozenset[str]
    void: bool
    repeat_within_s: int | None


class Issuer(Protocol):
    """Gives waybill numbers."""

    name: ClassVar[str]
    capabilities: Capabilities
    settling_s: ClassVar[int]
    """After silence, "not found" is proof only when so many seconds have passed."""

    def __init__(self, account: Account, *, http: Http, take_number: TakeNumber) -> None: ...

    def buy(self, request: WaybillRequest) -> Waybill:
        """Give a number. Raises: Refused, Temporary, Unauthorized, OutcomeUnknown (then ask `lookup`)."""
        ...

    def lookup(self, request: WaybillRequest, *, started_at: str, now: str) -> Waybill | None:
        """Give the number an earlier `buy` of the same reference, begun at `started_at`, ended with; None if none.

        Where the issuer answers a repetition with the first number, this is a repetition, and never None.
        Raises: OutcomeUnknown if it can no longer be told.
        """
        ...

    def fetch_label(self, request: WaybillRequest, waybill: Waybill) -> SuppliedLabel | None:
        """Read the supplied label of a number again; None where the issuer supplies none."""
        ...

    def void(self, waybill: Waybill, request: WaybillRequest) -> None:
        """Give a number back unused. Raises: Refused if it is too late or impossible."""
        ...
