"""`python -m tests.notes.score [-v]`: precision and recall of the example rules over the corpus of notes."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from orderctl.model.schema import ORDER
from orderctl.stages.normalizing.notes import read_notes
from orderctl.stages.rules.parse import parse

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus.yaml"
PLACED = "2026-11-24T05:00:00Z"


def corpus() -> list[tuple[str, str, Counter[str]]]:
    """Give (source, note, wishes) of every entry."""
    entries = yaml.safe_load(CORPUS.read_text("utf-8"))
    found = []
    for note, *wishes in entries:
        source = "seller_note" if note.startswith("S:") else "buyer_note"
        found.append((source, note.removeprefix("S:"), Counter(str(w) for w in wishes if w)))
    return found


def told(wish: dict[str, Any]) -> str:
    """Write a wish as the corpus does."""
    return " ".join(part for part in ("not" if wish["avoid"] else None, wish["kind"], wish["value"]) if part)


def reading() -> list[tuple[str, Counter[str], Counter[str]]]:
    """Give (note, expected, found) of every entry, read with the example rules."""
    book = parse((ROOT / "rules.example.yaml").read_text("utf-8"))
    entries = corpus()
    rows = [
        {"buyer_note": None, "seller_note": None, "placed_at": PLACED, "wishes": [], "tags": [], source: note}
        for source, note, _ in entries
    ]
    schema = {name: ORDER[name] for name in ("buyer_note", "seller_note", "placed_at", "wishes", "tags")}
    wishes = read_notes(pl.DataFrame(rows, schema), book.notes)["wishes"].to_list()
    return [
        (note, expected, Counter(told(wish) for wish in found))
        for (_, note, expected), found in zip(entries, wishes, strict=True)
    ]


def score() -> tuple[float, float, list[str]]:
    """Give precision, recall, and a line for each note that is read otherwise than expected."""
    right = missed = wrong = 0
    lines = []
    for note, expected, found in reading():
        right += (expected & found).total()
        missed += (expected - found).total()
        wrong += (found - expected).total()
        if expected != found:
            lines.append(f"{note!r}: lacks {sorted(expected - found)}, has {sorted(found - expected)}")
    return right / (right + wrong), right / (right + missed), lines


if __name__ == "__main__":
    precision, recall, lines = score()
    print(
        f"{len(corpus())} notes: precision {precision:.3f}, recall {recall:.3f}; {len(lines)} read otherwise than expected"
    )
    if "-v" in sys.argv[1:]:
        print("\n".join(lines))
