"""What lint says of a place in the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orderctl.model.text import Locale, Text

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Lint:
    """Something in the rules that cannot be meant, or that nothing uses."""

    place: str
    code: str
    severity: Severity
    text: Text

    def render(self, locale: Locale = "en") -> str:
        """Write the finding with its place, in `locale`."""
        return Text("{place}: {text}", place=self.place, text=self.text).render(locale)
