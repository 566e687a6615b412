"""The section `merge` of the rules: which orders of one recipient travel in one parcel."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class MergeSection(BaseModel):
    """Which orders of one recipient travel in one parcel."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)

    by: Literal["recipient", "buyer_address", "buyer"] = Field(
        "recipient",
        description="what must be equal: name, phone and address; or buyer and address; or buyer and district."
        " A sealed recipient must always be the same by the word of its platform",
    )
    scope: Literal["shop", "shop_group", "platform", "any"] = Field(
        "shop_group",
        description="join orders of one shop, of one group of shops (see the configuration), of one platform,"
        " or of all shops whose platforms allow it",
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
    wishes: Literal["follow", "same"] = Field(
        "follow",
        description="an order that asks for no courier, service or warehouse follows one that does, and only wishes at"
        " odds keep orders apart; or: wishes must be the same",
    )
    even: list[Literal["split", "presale"]] = Field(
        default_factory=list,
        description="join even the rest of an order that was split, or goods on pre-sale with goods in stock",
    )
    suggest: bool = Field(
        True, description="name shipments that may belong together and were not joined, each with its score"
    )
    suggest_from: float = Field(0.5, ge=0, le=1, description="suggest from this score on, between 0 and 1")
