from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.model.errors import DataError
from orderctl.model.text import Text, sentences, visible

STEERING = "\x00\x07\x08\t\n\r\x1b\x7f\x85\x9b\xad\u061c\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202e\u2060\u2066\u2069\ufeff\U000e0001"


@pytest.mark.parametrize("character", STEERING)
def test_what_steers_a_terminal_is_escaped(character: str) -> None:
    shown = visible(f"a{character}b")
    assert character not in shown
    assert shown.startswith("a\\")
    assert shown.isascii()


@given(text=st.text())
def test_no_control_or_format_character_gets_through(text: str) -> None:
    shown = visible(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")]
    assert "\n" not in shown
    shown.encode()
    assert visible(shown) == shown


@pytest.mark.parametrize(
    "text", ["浙江省 杭州市", "样例路1号\u30003楼", "12\xa0kg", "😀", "e\u0301", "全角：，。", "\\n"]
)
def test_what_people_write_stays(text: str) -> None:
    assert visible(text) == text


def test_values_of_a_sentence_cannot_steer_either() -> None:
    text = Text("{path}: {why}", path="a\x1b[2Jb", why=Text("no {thing}", thing="x\u202ey"))
    assert str(text) == "a\\x1b[2Jb: no x\\u202ey"
    assert str(DataError(text, hint=text).render()).count("\x1b") == 0


def test_braces_in_values_are_values() -> None:
    assert str(Text("{a} {b}", a="{b}", b="{a.__class__}")) == "{b} {a.__class__}"


def test_a_sentence_without_translation_stays_english() -> None:
    assert Text("nobody translated {this}", this=1).render("zh") == "nobody translated 1"
    assert Text("{path}: {why}", path="p", why="w").render("zh") == "p：w"
    assert sentences("en") == {}
