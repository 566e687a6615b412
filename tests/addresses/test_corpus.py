"""The corpus of hard addresses: how well they are read, and that reading them again changes nothing."""

from __future__ import annotations

import polars as pl

from orderctl.stages.normalizing.cleaning import clean
from tests.addresses.corpus import LEVELS, batch, cases, misses, outcome, scores, second

KNOWN_MISSES = {"江苏省苏州市昆山市昆山花桥镇样例路1号"}
"""Why each of them is missed stands in docs/addresses.md."""


def test_there_are_enough_cases_of_every_kind() -> None:
    rows = cases()
    assert rows.height >= 300
    assert rows["given"].null_count() == 0
    assert not rows.select("levels", "given", "name", "phone").is_duplicated().any()
    assert rows["kind"].n_unique() >= 20


def test_precision_and_recall() -> None:
    rows = cases()
    found = scores(rows, outcome(batch(rows)))
    assert {field: score for field, score in found.items() if score.precision < 0.995} == {}
    assert {field: score for field, score in found.items() if score.recall < 0.995} == {}


def test_the_second_set_is_read_nearly_as_well() -> None:
    """These were written when the rules were done, so they tell more of addresses to come."""
    rows = second()
    found = scores(rows, outcome(batch(rows)), LEVELS[:3])
    assert rows.height >= 100
    assert {field: score for field, score in found.items() if score.precision < 0.98} == {}
    assert {field: score for field, score in found.items() if score.recall < 0.92} == {}


def test_only_the_known_ones_are_missed() -> None:
    rows = cases()
    missed = list(misses(rows, outcome(batch(rows))))
    assert {miss.given for miss in missed} == KNOWN_MISSES, missed


def test_normalizing_twice_is_once() -> None:
    once = outcome(batch(cases()))
    twice = outcome(once)
    assert once.equals(twice)


def test_the_order_of_rows_does_not_matter() -> None:
    rows = cases()
    ordered = outcome(batch(rows)).select("order_id", "recipient", "problems")
    mixed = outcome(batch(rows).sample(fraction=1, shuffle=True, seed=7))
    assert mixed.select("order_id", "recipient", "problems").sort("order_id").equals(ordered.sort("order_id"))


def test_the_address_as_given_is_kept_where_its_words_changed() -> None:
    rows = cases()
    found = outcome(batch(rows)).select(pl.col("recipient").struct.unnest())
    words = pl.concat_str(*LEVELS, "street", ignore_nulls=True)
    both = found.select("original", now=words.str.replace_all(" ", "")).hstack(rows.select("given", "levels"))
    written = clean(pl.col("given")).str.replace_all(" ", "")
    changed = both.filter(pl.col("levels").is_null() & (pl.col("now") != written))
    assert changed.height > 300
    assert changed["original"].equals(changed["given"].alias("original"))
    same = both.filter(pl.col("levels").is_null() & (pl.col("now") == written))
    assert same["original"].null_count() == same.height
