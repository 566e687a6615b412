"""The section `couriers` of the rules: who carries a shipment, on which account, and who gives the number."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator

from orderctl.model.yamlfile import Section
from orderctl.stages.rules.condition_parser import parse_condition
from orderctl.stages.rules.conditions import Condition
from orderctl.stages.rules.sections.warehouses import CONDITION

WhenPlaced = Annotated[Condition | None, PlainValidator(parse_condition("warehouse")), CONDITION]


class CourierUse(Section):
    """What a courier rule decides."""

    courier: str = Field(min_length=1, description="the courier's code, such as YTO")
    service: str | None = Field(None, description="the courier's product")
    account: str | None = Field(None, description="the courier account, as named in the configuration")
    issuer: str | None = Field(
        None, description="who gives the waybill number, as named in the configuration"
    )
    template: str | None = Field(None, description="the label template; else the section templates decides")
    tariff: str | None = Field(None, description="the tariff to estimate with; else the first one that fits")


def _named(value: Any) -> Any:
    return {"courier": value} if isinstance(value, str) else value


NamedUse = Annotated[CourierUse, BeforeValidator(_named)]


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class CourierRule(Section):
    """One rule; the first that matches decides."""

    name: str = Field(min_length=1, description="how the decision trail calls it")
    when: WhenPlaced = Field(None, description="the condition; a rule without one always matches")
    use: NamedUse = Field(description="the courier, alone or with more fields")
    otherwise: Annotated[list[NamedUse], BeforeValidator(_listed)] = Field(
        default_factory=list,
        description="couriers to take, in this order, where those before them do not deliver (`not_served`)",
    )

    @property
    def chain(self) -> list[CourierUse]:
        """Give the couriers in the order they are asked."""
        return [self.use, *self.otherwise]
