"""Texts in one width, without what nobody sees."""

from __future__ import annotations

import polars as pl


def clean(text: pl.Expr) -> pl.Expr:
    """Give `text` in one width (NFKC), without invisible characters, blanks collapsed; null when nothing is left."""
    seen = text.str.normalize("NFKC").str.replace_all(r"\p{Cf}", "").str.replace_all(r"[\s\p{Cc}]+", " ")
    seen = seen.str.strip_chars()
    return pl.when(seen != "").then(seen)
