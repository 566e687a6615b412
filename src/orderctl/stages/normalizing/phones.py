"""Phone numbers: the number, and the extension the courier must dial after it.

One invariant: an extension is never lost, wherever it was written: at the number, the name or the street. Numbers of
the mainland are read as columns; those of other countries by the plans of `phonenumbers`, each different one once.
(It takes 17000000000-1234 for one long number, so it is no use for virtual numbers of the mainland.)
"""

from __future__ import annotations

import polars as pl

from orderctl.stages.normalizing.cleaning import clean

_NUMBER = r"(1[3-9]\d{9}|[48]00-?\d{3}-?\d{4}|0\d{2,3}-?\d{7,8})"
_EXTENDED = rf"(?i)^{_NUMBER}(?:\s*(?:转|ext\.?|x)\s*|[-,;#/\s]+|\s*\[)(\d{{1,6}})\]?$"
_BRACKET = r"\s*\[(\d{2,6})\]$"


def extensions(found: pl.DataFrame) -> pl.DataFrame:
    """Part the extension of a Chinese number from it, wherever it was written: at the phone, name or street."""
    chinese = (pl.col("privacy") == "plain") & pl.col("country").fill_null("CN").is_in(
        ["CN", "HK", "MO", "TW"]
    )
    phone = pl.col("phone").str.replace(r"^(?:\+|00)?\s*86[-\s]*(1[3-9]\d{9})", "${1}")
    spaced = phone.str.replace_all(r"[\s-]", "")
    phone = (
        pl.when(spaced.str.contains(r"^(?:86|\+86)?1[3-9]\d{9}$"))
        .then(spaced.str.slice(-11))
        .otherwise(phone)
    )
    found = found.with_columns(phone=pl.when(chinese).then(phone).otherwise(pl.col("phone")))
    written = pl.when(chinese).then(pl.col("phone").str.extract(_EXTENDED, 2))
    found = found.with_columns(
        phone=pl.when(written.is_not_null())
        .then(pl.col("phone").str.extract(_EXTENDED, 1))
        .otherwise("phone"),
        phone_ext=pl.coalesce(written, "phone_ext"),
    )
    in_name = pl.when(chinese).then(pl.col("name").str.extract(_BRACKET, 1))
    found = found.with_columns(phone_ext=pl.coalesce("phone_ext", in_name))
    return found.with_columns(
        pl.when(chinese & (pl.col(name).str.extract(_BRACKET, 1) == pl.col("phone_ext")))
        .then(clean(pl.col(name).str.replace(_BRACKET, "")))
        .otherwise(pl.col(name))
        .alias(name)
        for name in ("name", "street")
    )


def one_form_abroad(found: pl.DataFrame) -> pl.DataFrame:
    """Write valid numbers of other countries as E.164 (`+12125550123`), the extension apart; others stay as written."""
    abroad = (pl.col("privacy") == "plain") & (pl.col("country") != "CN") & pl.col("phone").is_not_null()
    given = found.filter(abroad.fill_null(False)).select("country", "phone").unique(maintain_order=True)
    if given.is_empty():
        return found
    read = [_read(country, phone) for country, phone in given.iter_rows()]
    answers = given.with_columns(
        pl.DataFrame(read, schema=["e164", "ext"], orient="row", infer_schema_length=None)
    )
    answers = answers.cast({"e164": pl.String, "ext": pl.String}).with_columns(privacy=pl.lit("plain"))
    both = found.join(answers, on=["country", "phone", "privacy"], how="left", maintain_order="left")
    valid = pl.col("e164").is_not_null()
    return both.with_columns(
        phone=pl.when(valid).then("e164").otherwise("phone"), phone_ext=pl.coalesce("phone_ext", "ext")
    ).drop("e164", "ext")


def _read(country: str, phone: str) -> tuple[str | None, str | None]:
    """Give a number as E.164 and its extension; nothing for what is no number of the country's plan."""
    import phonenumbers

    try:
        number = phonenumbers.parse(phone, country)
    except phonenumbers.NumberParseException:
        return None, None
    if not phonenumbers.is_valid_number(number):
        return None, None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), number.extension or None
