"""The section `allocation` of the rules: what counts when stock is dealt out to shipments."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from orderctl.model.yamlfile import Section

Money = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=4)]
Parcels = Annotated[int, Field(ge=0)]


class AllocationSection(Section):
    """How warehouses are weighed against each other; without a stock in the configuration none of it counts."""

    split_cost: Money = Field(
        Decimal(0),
        description="what every further parcel of a split costs beside its freight, in its currency",
    )
    day_cost: Money = Field(
        Decimal(0),
        description="what a day until delivery costs beside the freight, where `transit` or `performance` tell the days",
    )
    capacity: dict[str, Parcels] = Field(
        default_factory=dict, description="warehouse to the most parcels it sends off in a day"
    )
    not_counted: list[str] = Field(
        default_factory=list,
        description="warehouses that are taken to have everything, such as a supplier who sends for you",
    )
