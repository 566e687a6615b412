"""Every group of the corpus comes out as it ought to, or is marked as known."""

from __future__ import annotations

from typing import Any

import pytest

from tests.merging.cases import CASES, LATE, TUNED, UNSEEN, expected, outcome


def test_the_corpus_is_large_and_its_cases_have_names() -> None:
    names = [case["case"] for case in CASES]
    assert len(names) >= 100
    assert len(set(names)) == len(names)
    assert len(TUNED) + len(UNSEEN) + len(LATE) == len(CASES)
    assert not any("known" in case for case in TUNED + UNSEEN)


@pytest.mark.parametrize("case", [c for c in CASES if "known" not in c], ids=lambda case: case["case"])
def test_the_group_comes_out_as_it_ought_to(case: dict[str, Any]) -> None:
    found, (joined, suggested) = outcome(case), expected(case)
    assert found.joined == joined
    assert suggested is None or found.suggested == suggested
    for ref, why in case.get("why", {}).items():
        assert found.why[str(ref)] == why
    if "to" in case:
        assert {found.to[ref] for pair in joined for ref in pair} == {case["to"]}
    assert found.parcels == case.get("parcels", found.parcels)
