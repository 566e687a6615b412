"""How addresses are compared beyond being equal: as text without ornaments, and by their numbers.

Numbers of buildings, units and rooms decide: two addresses with other numbers are never near each other, however
alike their words are (401 is not 402).
"""

from __future__ import annotations

import polars as pl

_NUMERALS = dict(zip("〇零一二两三四五六七八九", "001223456789", strict=True))
_BLANKS = ((r"(\p{Han})\s+", "${1}"), (r"\s+(\p{Han})", "${1}"))
_TENS = ((r"(\d)十(\d)", "${1}${2}"), (r"(\d)十", "${1}0"), (r"十(\d)", "1${1}"), ("十", "10"))
_UNITS = (
    (r"([0-9A-Z])(?:号楼|号院|幢|栋|座)", "${1}-"),
    (r"([0-9A-Z])(?:号房|室|房|户)", "${1}-"),
    (r"([0-9A-Z])(?:楼|层)", "${1}层"),
    (r"([0-9A-Z])单元", "${1}-"),
)
_WORDS = (
    (r"\b(?:STREET|STR)\b", "ST"),
    (r"\bROAD\b", "RD"),
    (r"\b(?:AVENUE|AVN)\b", "AVE"),
    (r"\b(?:BOULEVARD|BOUL)\b", "BLVD"),
    (r"\bDRIVE\b", "DR"),
    (r"\bLANE\b", "LN"),
    (r"\bCOURT\b", "CT"),
    (r"\bPLACE\b", "PL"),
    (r"\bSQUARE\b", "SQ"),
    (r"\bHIGHWAY\b", "HWY"),
    (r"\b(?:APARTMENT|UNIT|SUITE|STE)\b", "APT"),
)


def address_text() -> pl.Expr:
    """Give the street of a recipient as it is compared: null where it has none.

    Numerals become digits, words for building, unit and room one dash, and letters upper case; what the region says
    already, punctuation and blanks are left out.
    """
    recipient = pl.col("recipient").struct
    lines = recipient.field("address_lines").list.join(" ")
    text = pl.concat_str(recipient.field("street"), lines, separator=" ", ignore_nulls=True)
    text = text.str.normalize("NFKC").str.strip_chars()
    for level in ("province", "city", "district", "town"):
        text = text.str.strip_prefix(recipient.field(level).fill_null("")).str.strip_chars_start()
    text = text.str.to_uppercase().str.replace_many(_NUMERALS)
    for pattern, plain in (*_BLANKS, *_TENS, *_WORDS, *_UNITS):
        text = text.str.replace_all(pattern, plain)
    text = text.str.replace_all(r"(\d)[^\p{L}\p{N}]+(\d)", "${1}-${2}").str.replace_all(r"[^\p{L}\p{N}-]", "")
    return text.str.replace_all(r"-+", "-").str.strip_chars("-").replace("", None)


def numbers(text: pl.Expr) -> pl.Expr:
    """Give the numbers and lettered buildings of a compared address, in their order: what must be equal."""
    return text.str.extract_all(r"\d+[A-Z]?|[A-Z]-").list.join(" ")
