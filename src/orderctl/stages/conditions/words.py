"""Words of many rules found in one pass over a text, however many rules ask for words.

The answer is that of `compiled.compared` for each test; only the cost differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from orderctl.stages.conditions.facts import FACTS
from orderctl.stages.conditions.tree import Atom, Comparison

FROM = 8
"""With fewer tests of one fact each looks for its own words."""


def asked_together(atoms: Iterable[Atom]) -> dict[str, list[Comparison]]:
    """Give the tests that can be answered together, by the fact they look at."""
    found: dict[str, list[Comparison]] = {}
    for atom in dict.fromkeys(atoms):
        if isinstance(atom, Comparison) and atom.op in ("any", "none") and _of_words(atom):
            found.setdefault(atom.fact, []).append(atom)
    return {fact: tests for fact, tests in found.items() if len(tests) >= FROM}


def _of_words(test: Comparison) -> bool:
    return FACTS[test.fact].kind in ("text", "texts") and all(
        isinstance(v, str) and v != "" for v in test.values
    )


def answered(facts: pl.DataFrame, fact: str, tests: Mapping[str, Comparison]) -> list[pl.Series]:
    """Give a boolean column for each of `tests` (name to test of `fact`), null where it is unknown.

    Args:
        facts: a facts frame with `fact`, a text or a list of texts.
    """
    at = pl.int_range(pl.len(), dtype=pl.UInt32).alias("at")
    texts = facts.select(at, text=fact)
    several = isinstance(texts.schema["text"], pl.List)
    if several:
        texts = texts.explode("text", empty_as_null=False, keep_nulls=False)
    unknown = texts.filter(pl.col("text").is_null())["at"].unique()
    words = [(str(word).lower(), n) for n, test in enumerate(tests.values()) for word in test.values]
    hits = _hits(
        texts.drop_nulls(), pl.DataFrame(words, schema={"word": pl.String, "test": pl.UInt32}, orient="row")
    )
    blank = pl.Series([False]).new_from_index(0, facts.height).scatter(unknown, None)
    found = {int(n): part["at"] for (n,), part in hits.partition_by("test", as_dict=True).items()}
    columns = []
    for n, (name, test) in enumerate(tests.items()):
        column = blank.clone().scatter(found[n], True) if n in found else blank
        columns.append((~column if test.op == "none" else column).alias(name))
    return columns


def _hits(texts: pl.DataFrame, words: pl.DataFrame) -> pl.DataFrame:
    """Give [at, test], each once, for the tests of which a word stands in a text."""
    all_words: list[str] = words["word"].unique(maintain_order=True).to_list()
    said = texts.select(
        "at", word=pl.col("text").str.to_lowercase().str.extract_many(all_words, overlapping=True)
    )
    said = said.explode("word", empty_as_null=False, keep_nulls=False)
    return said.join(words, on="word").select("at", "test").unique()
