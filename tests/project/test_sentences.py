"""Everything the program says to people, it can say in Chinese."""

import string

from orderctl.model.text import sentences
from tests.project.sentences import helps, texts


def slots(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_every_sentence_has_its_chinese() -> None:
    known = sentences("zh")
    bare = [
        f"{where}: {t}"
        for where, t in [*texts(), *helps()]
        if any(c.isalpha() for c in strip(t)) and t not in known
    ]
    assert not bare, "\n".join(sorted(set(bare)))


def test_a_translation_has_the_same_slots() -> None:
    wrong = [english for english, chinese in sentences("zh").items() if slots(english) != slots(chinese)]
    assert not wrong, "\n".join(wrong)


def strip(template: str) -> str:
    return "".join(literal for literal, _, _, _ in string.Formatter().parse(template))
