"""The section `holds` of the rules: which routed shipments wait, and why."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from orderctl.model.text import Text
from orderctl.model.yamlfile import Section, Wrong, reject
from orderctl.stages.rules.groups import Group
from orderctl.stages.rules.sections.templates import WhenCarried
from orderctl.stages.rules.sections.until import Ending, parse_ending


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class HoldRule(Section):
    """One rule; the first that matches and has not ended makes the shipment wait, for as long as it matches."""

    name: str = Field(min_length=1, description="how the decision trail calls it")
    when: WhenCarried = Field(None, description="the condition; a rule without one always matches")
    why: str | None = Field(None, description="what to tell the person who asks; else the name")
    until: Annotated[list[str], BeforeValidator(_listed)] = Field(
        default_factory=list,
        description="what ends it, the first that comes of several: `2026-12-05`, `2026-12-05 10:00`, `ship_by`,"
        " `2 days before ship_by`, `3 hours after paid_at`, `stock` (a warehouse has all of it) or `person`",
    )
    lane: Literal["preorder"] | None = Field(
        None, description="preorder: it is told apart, as something that is not there yet and goes by itself"
    )

    @field_validator("until")
    @classmethod
    def _endings(cls, value: list[str]) -> list[str]:
        wrong = [
            Wrong(
                Text(
                    "'{value}' ends no hold: write a day, `2 days before ship_by`, stock or person",
                    value=text,
                ),
                loc=(at,),
            )
            for at, text in enumerate(value)
            if parse_ending(text) is None
        ]
        if wrong:
            reject(*wrong)
        return value

    @property
    def endings(self) -> list[Ending]:
        """Give what ends it."""
        return [ending for text in self.until if (ending := parse_ending(text)) is not None]


class HoldGroup(Group):
    """Rules with a condition in common; what none of them takes is asked by the rules below."""

    when: WhenCarried = Field(None, description="what must hold besides the condition of each rule")
    rules: list[HoldRule] = Field(min_length=1, description="rules, written as outside of a group")
