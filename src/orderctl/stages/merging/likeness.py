"""How names, phones and addresses are compared that are not equal: nearly the same by few edits, or by what one leaves out.

What comes out is only ever shown to a person, so a slip of the pen counts here; what joins by itself has to be equal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import polars as pl
from rapidfuzz.distance import OSA, LCSseq, Levenshtein

from orderctl.assets import EXAMPLES

NEAR = 0.8
"""How alike two texts of an address must be, by edit distance over the longer one, to count as one."""
_LETTERS = 3  # so many letters an address needs to be found again inside a longer one
_TITLES = r"(先生|女士|小姐|太太|老师|同学)$"
_SIDES = frozenset("东西南北上下前后左右新老旧大小")
_HAN = r"\p{Han}"


@cache
def _characters() -> dict[str, str]:
    return dict(pl.read_csv(EXAMPLES / "traditional.csv", comment_prefix="#").iter_rows())


def simplified(text: pl.Expr) -> pl.Expr:
    """Give `text` with traditional characters made simplified."""
    table = _characters()
    return text.str.replace_many(list(table), list(table.values()))


def compared_name() -> pl.Expr:
    """Give the recipient's name as it is compared, null without one: no title behind it, Latin words in their order."""
    name = pl.col("recipient").struct.field("name").str.normalize("NFKC").str.to_uppercase()
    letters = name.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    words = letters.str.split(" ").list.sort().list.join(" ")
    whole = simplified(letters.str.replace_all(" ", "", literal=True)).str.replace(r"(.)" + _TITLES, "${1}")
    compared = pl.when(letters.str.contains(_HAN)).then(whole).otherwise(words)
    return pl.when(compared != "").then(compared)


def near_names(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """True where two compared names are not equal but one slip apart: a letter in three, one in five of a Latin name."""

    def near(a: str, b: str) -> bool:
        longer = max(len(a), len(b))
        slips = OSA.distance(a, b)
        latin = a.isascii() or b.isascii()
        return slips > 0 and (slips <= longer / 5 if latin else slips == 1 and longer >= 3)

    return _each(near, one, other, pl.Boolean())


def near_phones(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """True where two phones are not equal but one digit apart, or two changed round."""
    return _each(lambda a, b: len(a) > 6 and OSA.distance(a, b) == 1, one, other, pl.Boolean())


def likeness(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Give how alike two compared addresses are, from 0 to 1, by edit distance over the longer one.

    Where one only leaves something out that the other says (the estate, the quarter, a word for the courier), it is
    NEAR at least. East and west, upper and lower, old and new are no slips: 0. Null where one is missing.
    """

    def alike(a: str, b: str) -> float:
        found = Levenshtein.normalized_similarity(a, b)
        if found == 1:
            return 1.0
        if LCSseq.similarity(a, b) == min(len(a), len(b)):
            return max(found, NEAR if _letters(min(a, b, key=len)) >= _LETTERS else 0.0)
        return 0.0 if found >= NEAR and _turned(a, b) else found

    return _each(alike, one, other, pl.Float64())


def _letters(text: str) -> int:
    return sum(letter.isalpha() for letter in text)


def _turned(one: str, other: str) -> bool:
    return any(
        op.tag == "replace" and one[op.src_pos] in _SIDES and other[op.dest_pos] in _SIDES
        for op in Levenshtein.editops(one, other)
    )


def _each(
    found: Callable[[str, str], bool] | Callable[[str, str], float],
    one: pl.Expr,
    other: pl.Expr,
    dtype: pl.DataType,
) -> pl.Expr:
    def measured(pairs: pl.Series) -> pl.Series:
        both = zip(pairs.struct.field("one"), pairs.struct.field("other"), strict=True)
        return pl.Series(
            pairs.name, [None if a is None or b is None else found(a, b) for a, b in both], dtype=dtype
        )

    return pl.struct(one=one, other=other).map_batches(measured, return_dtype=dtype)
