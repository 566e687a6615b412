from __future__ import annotations

import hashlib
import hmac
import re

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from orderctl.model.identity import digest, fingerprint, keyed, keyed_column, short_id, short_id_column

GOLDEN_ID = "SSMTO4VMCZY374XGM"
PLAIN = st.text(st.characters(exclude_categories=["Cc", "Cs"]))
PARTS = st.lists(st.one_of(st.none(), PLAIN, st.integers()), max_size=4)


@given(parts=PARTS, other=PARTS)
def test_other_parts_give_another_digest(parts: list[object], other: list[object]) -> None:
    same = [p if p is None else str(p) for p in parts] == [p if p is None else str(p) for p in other]
    assert (digest(*parts) == digest(*other)) == (
        same or (sorted([len(parts), len(other)]) == [0, 1] and [*parts, *other] == [""])
    )


def test_digests_are_the_same_on_every_machine() -> None:
    assert digest("订单", None, 1) == hashlib.sha256("订单\x1f\x00\x1f1".encode()).hexdigest()
    assert short_id("S", "taobao:a:1") == GOLDEN_ID
    assert keyed(b"k", "样例") == hmac.new(b"k", "样例".encode(), hashlib.sha256).hexdigest()[:32]


def test_missing_is_not_empty() -> None:
    assert len({digest(None), digest(""), digest("", ""), digest(None, ""), digest("", None)}) == 5


@given(texts=st.lists(st.none() | PLAIN, max_size=5), key=st.binary(min_size=1))
def test_columns_are_hashed_like_values(texts: list[str | None], key: bytes) -> None:
    frame = pl.DataFrame({"x": texts}, schema={"x": pl.String})
    hashed = frame.select(keyed_column(pl.col("x"), key), short_id_column(pl.col("x"), "S").alias("id"))
    assert hashed["x"].to_list() == [None if t is None else keyed(key, t) for t in texts]
    assert hashed["id"].to_list() == [None if t is None else short_id("S", t) for t in texts]
    assert hashed.schema == {"x": pl.String, "id": pl.String}


@given(text=PLAIN)
def test_short_ids_are_safe_in_any_file_name(text: str) -> None:
    assert re.fullmatch(r"S[A-Z2-7]{16}", short_id("S", text))


@given(meaning=PARTS, key=st.binary(min_size=1))
def test_fingerprints_are_keyed_and_depend_on_every_part(meaning: list[object], key: bytes) -> None:
    assert fingerprint(key, meaning) != fingerprint(key + b"x", meaning)
    assert fingerprint(key, meaning) != fingerprint(key, [*meaning, "x"])
    assert re.fullmatch(r"[0-9a-f]{32}", fingerprint(key, meaning))
