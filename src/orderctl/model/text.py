"""Sentences for people, in the reader's language.

A sentence is an English template plus parameters; the English template is also the key of its translation
(`model/zh/*.py`). The one invariant: parameters are shown with control characters made visible, so nothing a
buyer typed can steer a terminal or break a log line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from typing import Literal

Locale = Literal["en", "zh"]
_SPACES = "\u3000\xa0"  # wide and fixed: they stand in addresses and steer nothing


def visible(value: object) -> str:
    """Give `value` as one line of text in which every control, direction-changing or invisible character is escaped."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _SPACES else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


@dataclass(frozen=True, init=False)
class Text:
    """One sentence: an English template with `{name}` slots and the values for them."""

    template: str
    params: Mapping[str, object] = field(default_factory=dict)

    def __init__(self, template: str, /, **params: object) -> None:
        object.__setattr__(self, "template", template)
        object.__setattr__(self, "params", params)

    def render(self, locale: Locale = "en") -> str:
        """Write the sentence in `locale`; a sentence without a translation stays English."""
        template = sentences(locale).get(self.template, self.template)
        shown = {k: v.render(locale) if isinstance(v, Text) else visible(v) for k, v in self.params.items()}
        return template.format_map(shown)

    def __str__(self) -> str:
        return self.render("en")


_catalogue: dict[Locale, dict[str, str]] = {"en": {}}


def sentences(locale: Locale) -> Mapping[str, str]:
    """Give the translations of `locale`, English template to template, read once."""
    if locale not in _catalogue:
        package = import_module(f"orderctl.model.{locale}")
        known: dict[str, str] = {}
        for module in iter_modules(package.__path__, package.__name__ + "."):
            known.update(import_module(module.name).SENTENCES)
        _catalogue[locale] = known
    return _catalogue[locale]
