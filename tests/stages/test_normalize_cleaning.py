"""Texts that need no cleaning are told from the others without cleaning them."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from orderctl.stages.normalizing.cleaning import clean
from orderctl.stages.normalizing.recipients import UNCLEAN, UNCLEAN_LINES

TEXTS = st.text(
    st.sampled_from("aZ 9~|,.\t\n\u3000\u00a0\u200b\ufeff\x00\x1f样例路號①Ａ㎏ｱ豈é\U0001f382")
    | st.characters(codec="utf-8")
)


@given(st.lists(TEXTS, min_size=1, max_size=30))
def test_what_looks_clean_is_clean(texts: list[str]) -> None:
    found = pl.DataFrame({"text": texts}, schema={"text": pl.String}).with_columns(
        cleaned=clean(pl.col("text")), unclean=pl.col("text").str.contains(UNCLEAN)
    )
    assert found.filter(~pl.col("unclean") & pl.col("text").ne_missing(pl.col("cleaned"))).height == 0


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_lists_that_look_clean_are_clean(lines: list[str]) -> None:
    seen = pl.Series([lines], dtype=pl.List(pl.String)).to_frame("lines")
    cleaned = pl.col("lines").list.eval(clean(pl.element())).list.drop_nulls()
    unclean = pl.col("lines").list.join("|").str.contains(UNCLEAN_LINES)
    (same, flagged) = seen.select(cleaned == pl.col("lines"), unclean.alias("unclean")).row(0)
    assert same or flagged
