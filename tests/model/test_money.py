from __future__ import annotations

import re
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderctl.model.money import EXPONENTS, exponent_of, exponents, minor, written

CURRENCIES = ["CNY", "USD", "JPY", "KWD", "XXX"]
LOOK = ("{}", "￥{}", "¥{}", "{}元", "$ {}", " {} ", "\t{}", "{}€", "\xa0{}")


def read(text: str | None, currency: str | None = "CNY") -> int | None:
    frame = pl.DataFrame(
        {"text": [text], "currency": [currency]}, schema={"text": pl.String, "currency": pl.String}
    )
    by_column = frame.select(minor(pl.col("text"), pl.col("currency"))).item()
    if currency:
        assert by_column == frame.select(minor(pl.col("text"), currency)).item()
    return by_column


@given(
    amount=st.decimals(-(10**12), 10**12, places=5),
    places=st.integers(0, 5),
    currency=st.sampled_from(CURRENCIES),
    look=st.sampled_from(LOOK),
    grouped=st.booleans(),
)
def test_amounts_are_exact(amount: Decimal, places: int, currency: str, look: str, grouped: bool) -> None:
    value = amount.quantize(Decimal(1).scaleb(-places))
    text = look.format(f"{value:,f}" if grouped else f"{value:f}")
    exact = value.scaleb(exponent_of(currency))
    assert read(text, currency) == (int(exact) if exact == exact.to_integral_value() else None)


@given(amount=st.integers(-(10**17), 10**17), currency=st.sampled_from([*CURRENCIES, None]))
def test_what_is_written_is_read_back(amount: int, currency: str | None) -> None:
    assert Decimal(written(amount, currency)).scaleb(exponent_of(currency)) == amount
    if abs(amount) < 10**15:
        assert read(written(amount, currency), currency) == amount


@settings(max_examples=500)
@given(text=st.text(alphabet="0123456789.,-+ ￥元$eE１٣x\n", max_size=12))
def test_only_what_is_surely_an_amount_is_read(text: str) -> None:
    """Whatever is read is what a careful reader makes of the same text, mark and sign apart."""
    found = read(text)
    if found is None:
        return
    plain = re.fullmatch(
        r"[\s￥元$]*([-+]?)[\s￥元$]*([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(\.[0-9]+)?[\s￥元$]*", text
    )
    assert plain is not None, text
    sign, whole, decimals = plain.groups()
    exact = Decimal(f"{sign}{whole.replace(',', '')}{decimals or ''}").scaleb(2)
    assert found == exact


@pytest.mark.parametrize(
    "text",
    [None, "", " ", "12,50", "1,2,3", "1234,567", "12,3456", ",123", "1.234,50", "1 2", "12元5", "1$元2", "1.￥5", "1e3", ".5", "5.", "--1",
     "12-", "(12)", "12.345", "１２", "٣", "12.5x", "Inf", "NaN", "0x1F", "1" * 16, "一百"],
)  # fmt: skip
def test_what_is_no_amount_is_null(text: str | None) -> None:
    assert read(text) is None


def test_the_floats_that_lie_do_not() -> None:
    assert [read(x) for x in ("0.29", "1.15", "4.35", "19.99", "1.005")] == [29, 115, 435, 1999, None]


def test_exponents_as_a_column() -> None:
    codes = [*EXPONENTS, "CNY", "nonsense", None]
    frame = pl.DataFrame({"code": codes})
    assert frame.select(exponents(pl.col("code"))).to_series().to_list() == [
        exponent_of(code) for code in codes
    ]
