from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.model.instant import (
    BEIJING,
    FORMAT,
    LOCAL_FORMATS,
    from_epoch,
    from_local,
    from_offset,
    parse_instant,
    write_instant,
)
from orderctl.model.records import INSTANT

ZONES = [
    BEIJING,
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Monrovia",
]

LOCALS = st.datetimes().filter(lambda local: 1901 <= local.year < 2100)


def one(text: str | None, how: Callable[[pl.Expr], pl.Expr]) -> str | None:
    found = pl.DataFrame({"x": [text]}, schema={"x": pl.String}).select(how(pl.col("x"))).item()
    assert found is None or re.match(INSTANT, found)
    return found  # type: ignore[no-any-return]


def reference(local: datetime, zone: str) -> str | None:
    """The standard library's reading: the earlier of two, none in a gap."""
    aware = local.replace(tzinfo=ZoneInfo(zone), fold=0)
    if aware.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local:
        return None
    return write_instant(aware)


@given(local=LOCALS, zone=st.sampled_from(ZONES), form=st.sampled_from(LOCAL_FORMATS))
def test_local_times_are_what_the_standard_library_says(local: datetime, zone: str, form: str) -> None:
    text = local.strftime(form)
    meant = datetime.strptime(text, form)  # noqa: DTZ007 - it is local on purpose
    assert one(text, lambda x: from_local(x, zone)) == reference(meant, zone)


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2026-11-02 10:11:12", BEIJING, "2026-11-02T02:11:12Z"),
        ("\t2026-11-02 10:11:12 ", BEIJING, "2026-11-02T02:11:12Z"),
        ("'2026/11/02 10:11", BEIJING, "2026-11-02T02:11:00Z"),
        ("1988-04-17 02:30:00", BEIJING, None),  # the gap of China's summer time
        ("1988-04-17 03:00:00", BEIJING, "1988-04-16T18:00:00Z"),
        ("2026-03-08 02:30:00", "America/New_York", None),
        ("2026-11-01 01:30:00", "America/New_York", "2026-11-01T05:30:00Z"),  # the first of two
        ("0000-00-00 00:00:00", BEIJING, None),
        ("0001-01-01 00:00:00", BEIJING, None),  # in UTC that is the year before
        ("9999-12-31 23:59:59", "America/New_York", None),
        ("2026-02-30 00:00:00", BEIJING, None),
        ("2026-11-02 24:00:00", BEIJING, None),
        ("2026-11-02 10:11:12 x", BEIJING, None),
        ("２０２６-11-02 10:11:12", BEIJING, None),
        ("", BEIJING, None),
        (None, BEIJING, None),
    ],
)
def test_local_times_one_by_one(text: str | None, zone: str, instant: str | None) -> None:
    assert one(text, lambda x: from_local(x, zone)) == instant


OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(
    moment=st.datetimes(timezones=OFFSETS),
    form=st.sampled_from(["%z", "%:z", " %z", " %:z"]),
    fraction=st.booleans(),
)
def test_offsets_are_obeyed(moment: datetime, form: str, fraction: bool) -> None:
    text = moment.replace(tzinfo=None).isoformat(timespec="microseconds" if fraction else "seconds")
    offset = moment.strftime("%z")
    text += form.replace("%:z", f"{offset[:3]}:{offset[3:]}").replace("%z", offset)
    try:
        expected = write_instant(moment)
    except OverflowError:
        expected = None
    assert one(text, from_offset) == expected


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-24T05:30:28Z", "2026-11-24T05:30:28Z"),
        ("2026-11-24T05:30:28.999Z", "2026-11-24T05:30:28Z"),
        ("2026-11-24 05:30:28 UTC", "2026-11-24T05:30:28Z"),
        ("2026-11-24T05:30:28+08:00", "2026-11-23T21:30:28Z"),
        ("2026-11-24T05:30:28", None),
        ("2026-11-24", None),
        ("2026-11-24T05:30:28+99:00", None),
        ("9999-12-31T23:59:59-08:00", None),
        ("0001-01-01T00:00:00+08:00", None),
        ("", None),
        (None, None),
    ],
)
def test_offsets_one_by_one(text: str | None, instant: str | None) -> None:
    assert one(text, from_offset) == instant


@given(seconds=st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 253_402_300_805))
def test_epochs(seconds: int) -> None:
    inside = 1 <= seconds <= 253_402_300_799
    expected = write_instant(datetime.fromtimestamp(seconds, UTC)) if inside else None
    assert one(str(seconds), from_epoch) == expected
    assert pl.DataFrame({"x": [seconds]}).select(from_epoch(pl.col("x"))).item() == expected


@pytest.mark.parametrize("text", ["x", "1.5", "", None, "99999999999999999999", "1763962228000"])
def test_what_is_no_epoch_is_null(text: str | None) -> None:
    assert one(text, from_epoch) is None


@given(moment=st.datetimes(timezones=st.timezones()), other=st.datetimes(timezones=st.just(UTC)))
def test_the_order_of_texts_is_the_order_of_times(moment: datetime, other: datetime) -> None:
    try:
        text = write_instant(moment)
    except OverflowError:
        return
    assert re.match(INSTANT, text)
    assert parse_instant(text) == moment.astimezone(UTC).replace(microsecond=0)
    assert (text < write_instant(other)) == (parse_instant(text) < other.replace(microsecond=0))


@pytest.mark.parametrize(
    "text", ["2026-11-24", "2026-11-24T05:30:28", "2026-11-24T05:30:28+00:00", "soon", ""]
)
def test_only_our_own_form_is_parsed(text: str) -> None:
    with pytest.raises(ValueError, match="time data"):
        parse_instant(text)
    assert FORMAT.endswith("Z")
