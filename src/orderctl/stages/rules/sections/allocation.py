"""The section `allocation` of the rules: what counts when stock is dealt out to shipments."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from orderctl.model.yamlfile import Section

Parcels = Annotated[int, Field(ge=0)]


class AllocationSection(Section):
    """How warehouses are weighed against each other; without a stock in the configuration none of it counts."""

    split_cost: Decimal = Field(
        Decimal(0),
        ge=0,
        max_digits=12,
        decimal_places=4,
        description="what every further parcel of a split costs beside its freight, in the shipment's currency",
    )
    capacity: dict[str, Parcels] = Field(
        default_factory=dict, description="warehouse to the most parcels it sends off in a day"
    )
    not_counted: list[str] = Field(
        default_factory=list,
        description="warehouses that are taken to have everything, such as a supplier who sends for you",
    )
