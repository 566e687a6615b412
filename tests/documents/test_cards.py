"""Cards: the words as they were written, as large as they fit, and never read as template code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pypdfium2
import pytest

from orderctl.model.errors import ConfigError, DataError
from orderctl.stages.documents import Label, find_unprintable_cards, render_cards
from tests.documents.test_slips_and_lists import text_of


def card(text: str) -> dict[str, Any]:
    return {"rule": "r", "text": text, "order_id": None}


def heights(pdf: bytes) -> list[float]:
    """Give the height of the tallest character on each page, in points."""
    document = pypdfium2.PdfDocument(pdf)
    found = []
    for page in document:
        text = page.get_textpage()
        boxes = [text.get_charbox(n) for n in range(text.count_chars())]
        found.append(max((top - bottom for _, bottom, _, top in boxes), default=0.0))
    document.close()
    return found


def test_each_card_has_a_page_and_parcels_without_one_have_none(make: Callable[..., Label]) -> None:
    labels = [
        make(
            "SF0000000000001",
            cards=[card("祝你生日快乐！\n\n样例寄件人\n"), card("Happy housewarming")],
            sequence=7,
        ),
        make("SF0000000000002", cards=[]),
        make("SF0000000000003", cards=[card("新年好")]),
    ]
    document = render_cards(labels)
    pages = text_of(document.content)
    assert document.pages == 3
    assert [
        words in page
        for words, page in zip(
            ("祝你生日快乐！样例寄件人", "Happyhousewarming", "新年好"), pages, strict=True
        )
    ] == [True] * 3
    assert ["7s-SF0000000000001" in page for page in pages] == [True, True, False]
    assert labels[0]["cards"][0] == ["祝你生日快乐！", "", "样例寄件人"]
    assert render_cards(labels).sha256 == document.sha256


def test_words_are_data_and_what_steers_is_gone(make: Callable[..., Label]) -> None:
    hostile = '#panic("x") #eval("1") *粗* $x^2$ \\ @a <b> \u202e倒\u0007 {name} ' + "[]" * 3
    (page,) = text_of(render_cards([make(cards=[card(hostile)])]).content)
    assert '#panic("x")#eval("1")*粗*$x^2$\\@a<b>倒{name}[][][]' in page


def test_long_words_are_smaller_and_go_on_when_they_must(make: Callable[..., Label]) -> None:
    short, long, endless = (make(cards=[card("祝福" * n)]) for n in (3, 150, 2000))
    one, two = (heights(render_cards([label]).content) for label in (short, long))
    assert len(one) == len(two) == 1
    assert one[0] > 2 * two[0] > 4
    document = render_cards([endless])
    assert document.pages > 1
    assert "".join(text_of(document.content)).count("祝") == 2000


def test_a_card_of_letters_nobody_can_print_is_named_and_a_sign_is_shown(make: Callable[..., Label]) -> None:
    spoiled = make(cards=[card("好"), card("สวัสดี")])
    assert [(row, field) for row, field, _ in find_unprintable_cards([make(), spoiled])] == [(1, "cards.1")]
    with pytest.raises(DataError, match="s-SF0000000000001"):
        render_cards([spoiled])
    (page,) = text_of(render_cards([make(cards=[card("爱你 🫶🏻")])]).content)
    assert "爱你〓" in page


def test_nothing_to_print_and_a_wrong_template_are_said(make: Callable[..., Label]) -> None:
    with pytest.raises(DataError):
        render_cards([make()])
    with pytest.raises(ConfigError, match=r"own.typ:1"):
        render_cards(
            [make(cards=[card("x")])],
            template="#let card(d, words, width, height) = d.nothing",
            source="own.typ",
        )
    own = "#let card(d, words, width, height) = [Mine: #d.lines.first()]"
    (page,) = text_of(render_cards([make(cards=[card("x")])], template=own).content)
    assert "Mine:x" in page
