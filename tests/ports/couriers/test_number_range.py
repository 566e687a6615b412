"""Local number ranges: the same key, the same number."""

from __future__ import annotations

import dataclasses

import pytest

from orderctl.model.errors import ConfigError
from orderctl.ports.couriers.number_range import NumberRange, check_range
from orderctl.ports.couriers.port import Account, Party, WaybillRequest
from tests.ports.http.rehearsal import NOW, http_over

REQUEST = WaybillRequest("S-1", "YTO", Party("样例", "1"), Party("样例", "1"), "样例商品")


def made(first: str = "YT001", last: str = "YT999") -> tuple[NumberRange, dict[str, str]]:
    given: dict[str, str] = {}

    def take(range_id: str, low: str, high: str, for_key: str) -> str:
        assert (range_id, low, high) == ("own", first, last)
        return given.setdefault(for_key, f"YT{len(given) + 1:03d}")

    http, _ = http_over(lambda _: pytest.fail("sent"))
    return NumberRange(
        Account("own", None, {"first": first, "last": last}), http=http, take_number=take
    ), given


def test_a_reference_keeps_its_number() -> None:
    issuer, given = made()
    first = issuer.buy(REQUEST)
    assert issuer.buy(REQUEST) == first == issuer.lookup(REQUEST, started_at=NOW, now=NOW)
    assert issuer.buy(dataclasses.replace(REQUEST, reference="S-2")).number != first.number
    assert first.label is None
    assert issuer.fetch_label(REQUEST, first) is None
    issuer.void(first, REQUEST)
    assert len(given) == 2


def test_every_parcel_has_its_own() -> None:
    issuer, _ = made()
    waybill = issuer.buy(dataclasses.replace(REQUEST, parcels=3))
    assert len({waybill.number, *waybill.children}) == 3
    assert issuer.buy(dataclasses.replace(REQUEST, parcels=3)) == waybill
    assert issuer.buy(REQUEST).number == waybill.number


@pytest.mark.parametrize(("first", "last"), [("1", "9"), ("YT001", "YT001"), ("A09", "A10")])
def test_ranges(first: str, last: str) -> None:
    check_range("own", first, last)


@pytest.mark.parametrize(
    ("first", "last"), [("9", "1"), ("A1", "B1"), ("1", "10"), ("YT0x", "YT1x"), ("Ａ１", "Ａ２")]
)
def test_no_ranges(first: str, last: str) -> None:
    with pytest.raises(ConfigError):
        check_range("own", first, last)


def test_missing_ends() -> None:
    http, _ = http_over(lambda _: pytest.fail("sent"))
    with pytest.raises(ConfigError):
        NumberRange(Account("own"), http=http, take_number=lambda *_: "")
