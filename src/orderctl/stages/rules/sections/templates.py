"""The section `templates` of the rules: which label a shipment gets."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PlainValidator

from orderctl.model.yamlfile import Section
from orderctl.stages.conditions.parsing import parse_condition
from orderctl.stages.conditions.tree import Condition
from orderctl.stages.rules.groups import Group
from orderctl.stages.rules.sections.warehouses import CONDITION

WhenCarried = Annotated[Condition | None, PlainValidator(parse_condition("courier")), CONDITION]


class TemplateRule(Section):
    """One rule; the first that matches decides, unless the courier rule named a template."""

    name: str = Field(min_length=1, description="how the decision trail calls it")
    when: WhenCarried = Field(None, description="the condition; a rule without one always matches")
    use: str = Field(min_length=1, description="the label template, such as 76x130 or 100x150")


class TemplateGroup(Group):
    """Rules with a condition in common; what none of them takes is asked by the rules below."""

    when: WhenCarried = Field(None, description="what must hold besides the condition of each rule")
    rules: list[TemplateRule] = Field(min_length=1, description="rules, written as outside of a group")
