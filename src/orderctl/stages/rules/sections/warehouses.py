"""The section `warehouses` of the rules: from where a shipment leaves."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from orderctl.model.yamlfile import Section
from orderctl.stages.rules.condition_parser import parse_condition
from orderctl.stages.rules.conditions import Condition

CONDITION = WithJsonSchema(
    {"type": "object", "description": "a condition; see the table of facts and operators"}
)
WhenMerged = Annotated[Condition | None, PlainValidator(parse_condition("merge")), CONDITION]


class WarehouseRule(Section):
    """One rule; the first that matches decides."""

    name: str = Field(min_length=1, description="how the decision trail calls it")
    when: WhenMerged = Field(None, description="the condition; a rule without one always matches")
    use: str = Field(min_length=1, description="the warehouse, as named in the configuration")
