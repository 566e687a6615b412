"""The section `merge` of the rules: which orders of one recipient travel in one parcel."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class MergeSection(BaseModel):
    """Which orders of one recipient travel in one parcel."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scope: Literal["shop", "shop_group", "platform"] = Field(
        "shop_group",
        description="join orders of one shop, of one group of shops (see the configuration), or of one platform",
    )
    max_orders: int = Field(6, ge=1, description="at most so many orders in one parcel; 1 joins nothing")
    window_hours: int | None = Field(
        None,
        ge=1,
        description="an order placed more than so many hours after the one before it travels alone",
    )
    same: list[Literal["buyer_ref", "seller_flag", "seller_note", "buyer_note"]] = Field(
        default_factory=list, description="what must also be equal, missing counting as a value"
    )
    suggest: bool = Field(
        True, description="name shipments with the same buyer or phone that were not joined"
    )
