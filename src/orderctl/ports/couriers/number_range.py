"""Numbers from a range the courier handed out on paper or in a file: nobody is asked, our own label is printed.

The one invariant: the ledger keeps who got which number, so a reference always gets the same one again.

Settings: `first` and `last` (texts of equal length; what differs are digits at the end).
"""

from __future__ import annotations

from typing import ClassVar

from orderctl.model.errors import ConfigError
from orderctl.model.text import Text
from orderctl.ports.couriers.port import (
    Account,
    Capabilities,
    SuppliedLabel,
    TakeNumber,
    Waybill,
    WaybillRequest,
)
from orderctl.ports.http import Http


class NumberRange:
    """One range of numbers."""

    name: ClassVar[str] = "number_range"
    capabilities = Capabilities(supplies_label=False, seals=frozenset(), void=True, repeat_within_s=None)
    settling_s: ClassVar[int] = 0

    def __init__(self, account: Account, *, http: Http, take_number: TakeNumber) -> None:  # noqa: ARG002
        self._account = account
        self._take = take_number
        self._first, self._last = account.setting("first"), account.setting("last")
        check_range(account.id, self._first, self._last)

    def buy(self, request: WaybillRequest) -> Waybill:
        keys = [request.reference, *(f"{request.reference}#{k}" for k in range(2, request.parcels + 1))]
        number, *children = (self._take(self._account.id, self._first, self._last, key) for key in keys)
        return Waybill(number, children=tuple(children))

    def lookup(self, request: WaybillRequest, *, started_at: str, now: str) -> Waybill | None:  # noqa: ARG002
        return self.buy(request)

    def fetch_label(self, request: WaybillRequest, waybill: Waybill) -> SuppliedLabel | None:  # noqa: ARG002
        return None

    def void(self, waybill: Waybill, request: WaybillRequest) -> None:
        """Nothing: nobody but us knows of the number, and it is never given out again."""


def check_range(issuer: str, first: str, last: str) -> None:
    """Raises: ConfigError unless both ends have one length, a common beginning, and digits after it, in order."""
    differing = [k for k, (low, high) in enumerate(zip(first, last, strict=False)) if low != high]
    begin = differing[0] if differing else len(first)
    digits = all(tail == "" or (tail.isascii() and tail.isdigit()) for tail in (first[begin:], last[begin:]))
    if len(first) != len(last) or not digits or first > last:
        raise ConfigError(Text("issuer {issuer}: 'first' and 'last' are no range of numbers", issuer=issuer))
