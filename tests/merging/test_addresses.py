"""How addresses are compared when they are not equal."""

from __future__ import annotations

import polars as pl
import pytest

from orderctl.stages.merging.addresses import address_text, numbers
from tests.stages.samples import order, orders


def compared(street: str | None) -> tuple[str | None, str | None]:
    frame = orders(order("1", recipient={"street": street})).select(text=address_text())
    [row] = frame.with_columns(numbers=numbers(pl.col("text"))).rows()
    return row


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("样例路3栋2单元401室", "样例路3-2-401"),
        ("样例路三栋二单元四〇一室", "样例路3幢2单元401房"),
        ("样例路十二号", "样例路12号"),
        ("样例路二十号", "样例路20号"),
        ("样例路二十一号", "样例路２１号"),
        ("西湖区样例路1号", "样例路1号"),
        ("1 Sample Street, Apartment 5", "1 Sample St Apt 5"),
        ("A座1203", "a 座 1203"),
    ],
)
def test_written_otherwise_and_compared_alike(one: str, other: str) -> None:
    assert compared(one) == compared(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("样例路401室", "样例路402室"),
        ("A座1203", "B座1203"),
        ("3栋2单元", "2栋3单元"),
        ("12A", "12B"),
        ("样例路1号", "样例路"),
    ],
)
def test_other_numbers_are_another_place(one: str, other: str) -> None:
    assert compared(one)[1] != compared(other)[1]


@pytest.mark.parametrize("street", [None, "。。"])
def test_nothing_is_compared_where_nothing_is_written(street: str | None) -> None:
    assert compared(street)[0] is None
