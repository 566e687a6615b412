"""The section `warehouses` of the rules: from where a shipment leaves."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
    field_validator,
)

from orderctl.model.text import Text
from orderctl.model.yamlfile import Section, Wrong, reject
from orderctl.stages.conditions.parsing import parse_condition
from orderctl.stages.conditions.tree import Condition
from orderctl.stages.rules.groups import Group

CONDITION = WithJsonSchema(
    {"type": "object", "description": "a condition; see the table of facts and operators"}
)
WhenMerged = Annotated[Condition | None, PlainValidator(parse_condition("merge")), CONDITION]
Named = Annotated[str, StringConstraints(min_length=1)]


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class WarehouseRule(Section):
    """One rule; the first that matches decides."""

    name: str = Field(min_length=1, description="how the decision trail calls it")
    when: WhenMerged = Field(None, description="the condition; a rule without one always matches")
    candidates: Annotated[list[Named], BeforeValidator(_listed)] = Field(
        alias="use",
        min_length=1,
        description="the warehouse, as named in the configuration; or several, of which stock and freight choose "
        "one where a stock is configured, else it is the first",
    )
    split: bool = Field(
        False, description="whether several of them may each send a part, where none has everything"
    )

    @field_validator("candidates")
    @classmethod
    def _once(cls, value: list[str]) -> list[str]:
        for at, name in enumerate(value):
            if name in value[:at]:
                reject(Wrong(Text("'{name}' is there twice", name=name), loc=(at,)))
        return value

    @property
    def use(self) -> str:
        """Give the warehouse that is taken where no stock is known."""
        return self.candidates[0]


class WarehouseGroup(Group):
    """Rules with a condition in common; what none of them takes is asked by the rules below."""

    when: WhenMerged = Field(None, description="what must hold besides the condition of each rule")
    rules: list[WarehouseRule] = Field(min_length=1, description="rules, written as outside of a group")
