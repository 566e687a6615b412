"""The section `couriers` of the rules: who carries a shipment, on which account, and who gives the number."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, model_validator

from orderctl.model.text import Text
from orderctl.model.yamlfile import Section, Wrong, reject
from orderctl.stages.conditions.parsing import parse_condition
from orderctl.stages.conditions.tree import Condition
from orderctl.stages.rules.groups import Group
from orderctl.stages.rules.sections.tariffs import Money, Percent
from orderctl.stages.rules.sections.timetable import Days
from orderctl.stages.rules.sections.warehouses import CONDITION

WhenPlaced = Annotated[Condition | None, PlainValidator(parse_condition("warehouse")), CONDITION]
Times = Annotated[Decimal, Field(ge=0, le=1000, decimal_places=4)]


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


class Rank(Section):
    """What makes one courier better than another, as money: the smallest sum wins, of equal ones the first written."""

    price: Times = Field(Decimal(1), description="how often the estimated freight counts; 0: not at all")
    day: Money = Field(Decimal(0), description="what a day until delivery costs (`transit`, `performance`)")
    late: Money = Field(
        Decimal(0),
        description="what it costs when it is collected only after the promise (`limits`, `ship_by`)",
    )
    exception: Money = Field(
        Decimal(0),
        description="what a parcel that goes wrong costs, times the share of those (`performance`)",
    )
    penalty: Money = Field(Decimal(0), description="what a point of `penalty` costs (`notices`)")
    wish: Money = Field(Decimal(0), description="taken off for a courier that a note asks for")
    avoid: Money = Field(Decimal(0), description="added for a courier that a note asks to avoid")
    currency: str = Field(
        "CNY", min_length=3, max_length=3, description="of all these amounts and of the freight"
    )
    enough_parcels: int = Field(30, ge=1, description="from so many measured parcels on `performance` counts")
    unknown_days: Days | None = Field(None, description="days counted where nothing tells them")
    unknown_exception_percent: Percent | None = Field(
        None, description="the same for the share of exceptions"
    )


def _named(value: Any) -> Any:
    return {"courier": value} if isinstance(value, str) else value


NamedUse = Annotated[CourierUse, BeforeValidator(_named)]


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class CourierRule(Section):
    """One rule; the first that matches decides."""

    name: str = Field(min_length=1, description="how the decision trail calls it")
    when: WhenPlaced = Field(None, description="the condition; a rule without one always matches")
    candidates: Annotated[list[NamedUse], BeforeValidator(_listed)] = Field(
        alias="use",
        min_length=1,
        description="the courier, alone or with more fields; or several, of which `rank` takes the best",
    )
    rank: Rank | None = Field(None, description="what makes one of several couriers better than another")
    otherwise: Annotated[list[NamedUse], BeforeValidator(_listed)] = Field(
        default_factory=list,
        description="couriers to take, in this order, where those before them do not deliver (`not_served`) "
        "or have no room left today (`limits`)",
    )

    @model_validator(mode="after")
    def _ranked(self) -> CourierRule:
        if len(self.candidates) > 1 and self.rank is None:
            reject(
                Wrong(Text("several couriers need 'rank': what makes one better than another"), loc=("use",))
            )
        return self

    @property
    def use(self) -> CourierUse:
        """Give the courier written first."""
        return self.candidates[0]

    @property
    def chain(self) -> list[CourierUse]:
        """Give the couriers in the order they are written."""
        return [*self.candidates, *self.otherwise]


class CourierGroup(Group):
    """Rules with a condition in common; what none of them takes is asked by the rules below."""

    when: WhenPlaced = Field(None, description="what must hold besides the condition of each rule")
    rules: list[CourierRule] = Field(min_length=1, description="rules, written as outside of a group")
