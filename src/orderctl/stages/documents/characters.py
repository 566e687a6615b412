"""Which characters the shipped fonts can print, and what a document does about the others.

A font without a character prints an empty box or nothing, in silence. The invariant: a letter, digit or Chinese
character of a name, an address or a code is never lost; its order is named before anything is printed. Symbols
nobody delivers by (emoji in a note) become the printers' usual sign for a missing character, `〓`.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from functools import cache
from pathlib import Path

from orderctl.assets import FONTS

SUBSTITUTE = "〓"


def clean(text: str | None) -> str:
    """Give `text` as one printable line: composed (NFC), control and direction characters gone, spaces single."""
    composed = unicodedata.normalize("NFC", text or "")
    spaced = "".join(" " if c.isspace() else c for c in composed if c.isspace() or not _invisible(c))
    return " ".join(spaced.split())


def missing_characters(text: str, fonts: Path = FONTS) -> set[str]:
    """Give the characters of `text` the fonts in `fonts` cannot print.

    `fonts` is a folder with `characters.txt`, lines of `first-last` code points in hexadecimal.
    """
    firsts, lasts = _spans(fonts)
    return {c for c in set(text) if ord(c) > lasts[bisect_right(firsts, ord(c)) - 1]}


def irreplaceable(text: str, fonts: Path = FONTS) -> set[str]:
    """Give the missing characters of `text` that carry meaning: letters, marks, digits, Chinese characters."""
    return {c for c in missing_characters(text, fonts) if unicodedata.category(c)[0] in "LMN"}


def printable(text: str, fonts: Path = FONTS) -> str:
    """Give `text` with every character the fonts lack replaced by `〓` (a run of them by one)."""
    lacking = missing_characters(text, fonts)
    if not lacking:
        return text
    shown = "".join(SUBSTITUTE if c in lacking else c for c in text)
    while SUBSTITUTE * 2 in shown:
        shown = shown.replace(SUBSTITUTE * 2, SUBSTITUTE)
    return shown


def _invisible(character: str) -> bool:
    """Tell control, format, private, unassigned characters and the selectors that follow an emoji."""
    return (
        unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Cn") or "\ufe00" <= character <= "\ufe0f"
    )


@cache
def _spans(fonts: Path) -> tuple[list[int], list[int]]:
    lines = (fonts / "characters.txt").read_text(encoding="ascii").split()
    pairs = [tuple(int(point, 16) for point in line.split("-")) for line in lines]
    return [-1, *(first for first, _ in pairs)], [-1, *(last for _, last in pairs)]
