"""Every sentence of the ledger has its Chinese one, with the same slots."""

from __future__ import annotations

import ast
from pathlib import Path
from string import Formatter

import orderctl.ports.ledger
from orderctl.model.zh.ledger import SENTENCES
from orderctl.ports.ledger.pending import _CONFLICTS
from orderctl.ports.ledger.verify import _CHECKS


def templates() -> set[str]:
    """Everything a `Text` of the package is made of."""
    found = {sentence for pair in _CONFLICTS.values() for sentence in pair} | {
        sentence for sentence, _ in _CHECKS
    }
    for file in Path(orderctl.ports.ledger.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Text":
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return found


def slots(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def test_every_sentence_has_its_chinese_one_and_none_is_left_over() -> None:
    assert templates() == SENTENCES.keys()


def test_slots_are_the_same_in_both_languages() -> None:
    assert {k for k, v in SENTENCES.items() if slots(k) != slots(v)} == set()
