"""The example rules over the corpus of notes."""

from __future__ import annotations

from tests.notes.score import corpus, reading, score


def test_the_corpus_is_large_and_no_note_stands_in_it_twice() -> None:
    notes = [(source, note) for source, note, _ in corpus()]
    assert len(notes) >= 400
    assert sorted({pair for pair in notes if notes.count(pair) > 1}) == []


def test_what_is_read_is_meant_and_what_is_meant_is_read() -> None:
    precision, recall, lines = score()
    assert precision >= 0.995, lines
    assert recall >= 0.985, lines


def test_nothing_asked_for_is_read_as_refused_or_the_other_way_round() -> None:
    turned = [
        note
        for note, expected, found in reading()
        for wish in expected
        if (wish.removeprefix("not ") if wish.startswith("not ") else f"not {wish}") in found - expected
    ]
    assert turned == []
