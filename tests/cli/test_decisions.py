"""What people decide, as its help tells it."""

from __future__ import annotations

import pytest

from orderctl.cli.commands import ledger
from orderctl.cli.desk import DECISIONS
from orderctl.model.text import sentences


@pytest.mark.parametrize("decision", DECISIONS)
def test_the_help_of_decide_names_every_decision_and_what_it_says(decision: str) -> None:
    paragraphs = [" ".join(part.split()) for part in (ledger.decide.__doc__ or "").split("\n\n")]
    (told,) = [part for part in paragraphs if part.startswith(f"{decision}, of ")]
    assert ("{" in told) or not DECISIONS[decision]
    assert decision in sentences("zh")[told]
