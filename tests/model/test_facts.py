from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.model.errors import DataError
from orderctl.model.facts import COMMITMENTS, DECISIONS, Facts, parse_facts

TEXT = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


def rows(schema: pl.Schema) -> st.SearchStrategy[pl.DataFrame]:
    values = {
        name: st.integers(-(2**63), 2**63 - 1) if dtype == pl.Int64 else TEXT
        for name, dtype in schema.items()
    }
    return st.lists(st.fixed_dictionaries(values), max_size=4).map(
        lambda found: pl.DataFrame(found, schema=schema)
    )


FACTS = st.builds(
    Facts, rows(COMMITMENTS), rows(DECISIONS), st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=3),
    st.binary(max_size=8),
)  # fmt: skip


@given(facts=FACTS, shift=st.integers(0, 3))
def test_facts_are_the_same_after_a_file(facts: Facts, shift: int) -> None:
    again = parse_facts(facts.to_json(), "facts.json")
    assert again.to_json() == facts.to_json()
    assert again.hash == facts.hash
    assert again.commitments.sort(COMMITMENTS.names()).equals(facts.commitments.sort(COMMITMENTS.names()))
    assert again.decisions.schema == DECISIONS
    assert (again.shop_groups, again.key) == (facts.shop_groups, facts.key)
    turned = pl.concat([facts.commitments[shift:], facts.commitments[:shift]])
    assert Facts(turned, facts.decisions[::-1], facts.shop_groups, facts.key).hash == facts.hash


@given(facts=FACTS, other=FACTS)
def test_other_facts_have_another_hash(facts: Facts, other: Facts) -> None:
    assert (facts.hash == other.hash) == (facts.to_json() == other.to_json())


GOOD = json.loads(Facts().to_json())


@pytest.mark.parametrize(
    "text",
    ["", "x", "null", "[]", "1", "{}", '{"schema":"facts/2"}', "[" * 100_000,
     *[json.dumps({**GOOD, **bad}) for bad in (
         {"key": "zz"}, {"key": 1}, {"key": None}, {"shop_groups": "abc"}, {"shop_groups": [1]}, {"commitments": "x"},
         {"commitments": 1}, {"commitments": [1]}, {"commitments": {"a": 1}}, {"commitments": [{"quantity": "two"}]},
         {"commitments": [{"quantity": 2.7}]}, {"commitments": [{"quantity": 2**70}]}, {"commitments": [{"order_id": 5}]},
         {"decisions": None}, {"decisions": [[1]]},
     )]],
)  # fmt: skip
def test_what_are_no_facts_is_said(text: str) -> None:
    with pytest.raises(DataError, match=r"facts\.json: is no facts/1 file"):
        parse_facts(text, "facts.json")
