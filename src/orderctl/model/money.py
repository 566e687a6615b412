"""Exact money: decimal text to integer minor units, as columns.

No float is ever involved. The exponents are those of ISO 4217 for the currencies that do not have two decimals.
"""

from __future__ import annotations

import polars as pl

EXPONENTS: dict[str, int] = {
    **dict.fromkeys(["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND"], 0),
    **dict.fromkeys(["VUV", "XAF", "XOF", "XPF"], 0),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}
DEFAULT_EXPONENT = 2
_AMOUNT = r"^([-+]?)([0-9]{1,15})(?:\.([0-9]+))?$"
# What may not be taken away: space or a currency's mark between digits, a comma that does not part groups of three.
_ILL = r"[0-9.,][\s￥¥元$€£]+[0-9.,]|,[0-9]{0,2}(?:[^0-9]|$)|,[0-9]{4}|[0-9]{4},|^[^0-9]*,|\.[0-9]*,"


def exponent_of(currency: str | None) -> int:
    """Give the number of decimals of `currency` (ISO 4217); 2 when it is not in the table."""
    return EXPONENTS.get(currency or "", DEFAULT_EXPONENT)


def exponents(currency: pl.Expr) -> pl.Expr:
    """Give the number of decimals of each currency code as a column."""
    return currency.replace_strict(EXPONENTS, default=DEFAULT_EXPONENT, return_dtype=pl.Int64)


def minor(amount: pl.Expr, currency: pl.Expr | str = "CNY") -> pl.Expr:
    """Read amounts as written (`12`, `12.5`, `1,234.50`, `￥12.00`, `12元`) as minor units of `currency`.

    Null where the text is empty, is no amount, or has more decimals than the currency (trailing zeros do not
    count). A comma parts groups of three digits and nothing else: `12,50` may be twelve and a half. Compare with
    the source text to tell "missing" from "bad".
    """
    code = pl.lit(currency) if isinstance(currency, str) else currency
    text = amount.str.replace_all(r"[\s,￥¥元$€£]", "")
    whole = text.str.extract(_AMOUNT, 2).cast(pl.Int64)
    decimals = text.str.extract(_AMOUNT, 3).fill_null("").str.strip_chars_end("0")
    exponent = exponents(code)
    fraction = (decimals + pl.lit("000")).str.slice(0, exponent).str.to_integer(strict=False).fill_null(0)
    size = whole * pl.lit(10, dtype=pl.Int64).pow(exponent) + fraction
    signed = pl.when(text.str.starts_with("-")).then(-size).otherwise(size)
    exact = (decimals.str.len_bytes() <= exponent) & ~amount.str.contains(_ILL)
    return pl.when(exact).then(signed).cast(pl.Int64)


def written(amount: int, currency: str | None) -> str:
    """Write minor units as decimal text with the currency's own number of decimals: 1234, CNY -> "12.34"."""
    exponent = exponent_of(currency)
    sign, digits = ("-" if amount < 0 else ""), str(abs(amount)).zfill(exponent + 1)
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"
