"""The section `tags` of the rules: words that routing puts on a shipment before it decides, for its rules to ask for."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from orderctl.model.yamlfile import Section
from orderctl.stages.rules.groups import Group
from orderctl.stages.rules.sections.warehouses import WhenMerged


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class TagRule(Section):
    """One rule; every one that matches adds its tags, in order, and those below see them."""

    name: str = Field(min_length=1, description="how the decision trail calls it")
    when: WhenMerged = Field(None, description="the condition; a rule without one always matches")
    add: Annotated[list[Annotated[str, Field(min_length=1)]], BeforeValidator(_listed)] = Field(
        min_length=1, description="the tag, or a list of them"
    )
    stop: bool = Field(
        False, description="true: where it matches, the tag rules below are not asked; else they are"
    )


class TagGroup(Group):
    """Rules with a condition in common; what none of them takes is asked by the rules below."""

    when: WhenMerged = Field(None, description="what must hold besides the condition of each rule")
    rules: list[TagRule] = Field(min_length=1, description="rules, written as outside of a group")
