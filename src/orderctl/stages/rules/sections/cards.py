"""The section `cards` of the rules: which words are printed on a card that lies in the parcel."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

from pydantic import Field, field_validator

from orderctl.model.text import Text
from orderctl.model.yamlfile import Section, Wrong, nearest, reject
from orderctl.stages.rules.sections.warehouses import WhenMerged

PLACEHOLDERS: Mapping[str, str] = {
    "wish": "the words a note asks for; one card for each order that asks",
    "name": "the recipient, where the platform shows the name",
    "orders": "the platform's numbers of the orders",
    "shop": "the shop, as named in the configuration",
    "gifts": "the gifts in the parcel",
}
MOST_CHARACTERS = 1_000


class CardRule(Section):
    """One card; every rule that matches gives one."""

    name: str = Field(min_length=1, description="how the decision trail calls it")
    when: WhenMerged = Field(None, description="the condition; a rule without one always matches")
    text: str = Field(
        min_length=1,
        max_length=MOST_CHARACTERS,
        description=f"the words, line by line; {', '.join('{' + name + '}' for name in PLACEHOLDERS)} are filled in",
    )

    @field_validator("text")
    @classmethod
    def _fillable(cls, value: str) -> str:
        try:
            fields = [
                (name, form, how) for _, name, form, how in Formatter().parse(value) if name is not None
            ]
        except ValueError:
            reject(Wrong(Text("a bracket is open; write {{{{ and }}}} for brackets as such")))
        for name, form, how in fields:
            if name not in PLACEHOLDERS or form or how:
                allowed = ", ".join(PLACEHOLDERS)
                text = Text("'{value}' is none of {allowed}", value=name, allowed=allowed)
                reject(Wrong(text, nearest(name, PLACEHOLDERS)))
        return value

    @property
    def parts(self) -> list[tuple[str, str | None]]:
        """Give the text as pairs of words and the placeholder that follows them, if one does."""
        return [(words, name) for words, name, _, _ in Formatter().parse(self.text)]
