"""Names that are computed: keyed recipient hashes, shipment ids, content hashes.

All are SHA-256 over canonical text, so they are the same on every machine, version and thread count. Hashes of
what identifies a person are keyed (HMAC): who has a batch but not the key cannot try out phone numbers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable

import polars as pl

SEPARATOR = "\x1f"


def digest(*parts: object) -> str:
    """Give the hex SHA-256 of `parts` as canonical text; a missing part differs from an empty one."""
    text = SEPARATOR.join("\x00" if p is None else str(p) for p in parts)
    return hashlib.sha256(text.encode()).hexdigest()


def short_id(prefix: str, *parts: object) -> str:
    """Give `prefix` and 16 base32 characters (80 bits) of the digest of `parts`: readable, and safe to file by."""
    raw = bytes.fromhex(digest(*parts))[:10]
    return prefix + base64.b32encode(raw).decode("ascii")


def keyed(key: bytes, text: str) -> str:
    """Give the first 32 hex characters (128 bits) of HMAC-SHA256 over `text`."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]


def keyed_column(text: pl.Expr, key: bytes) -> pl.Expr:
    """Hash a text column with `keyed`; null stays null. polars has no SHA-256, so this is one pass of hashlib."""

    def hashed(values: pl.Series) -> pl.Series:
        return pl.Series(values.name, [None if v is None else keyed(key, v) for v in values], dtype=pl.String)

    return text.map_batches(hashed, return_dtype=pl.String)


def short_id_column(text: pl.Expr, prefix: str) -> pl.Expr:
    """Give `short_id(prefix, text)` of a text column; null stays null."""

    def named(values: pl.Series) -> pl.Series:
        there = values.drop_nulls()
        raw = b"".join(hashlib.sha256(text.encode()).digest()[:10] for text in there)
        signs = base64.b32encode(raw).decode("ascii")  # 16 for each: 80 bits leave nothing over
        each = iter([prefix + signs[at : at + 16] for at in range(0, len(signs), 16)])
        return pl.Series(
            values.name, [next(each) if known else None for known in values.is_not_null()], dtype=pl.String
        )

    return text.map_batches(named, return_dtype=pl.String)


def fingerprint(key: bytes, meaning: Iterable[object]) -> str:
    """Give the keyed hash of what an effect means: whom, which lines, which service; never ciphertext or print data."""
    return keyed(key, SEPARATOR.join("\x00" if m is None else str(m) for m in meaning))
