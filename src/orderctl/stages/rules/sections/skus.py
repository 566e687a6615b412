"""The section `skus` of the rules: which of our SKUs a line of a platform is, and what is known of it."""

from __future__ import annotations

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class _Section(BaseModel):
    """What both YAML files ask of every node: no unknown keys; numbers may stand for texts."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class CatalogueItem(_Section):
    """One of our own articles."""

    sku: str = Field(description="our code", min_length=1)
    name: str | None = Field(None, description="what it is called on lists, when the platform gives no title")
    weight_g: int | None = Field(None, ge=0, description="weight of one piece in grams, with its wrapping")
    location: str | None = Field(None, description="where it lies, for the pick list")
    traits: list[str] = Field(
        default_factory=list, description="what couriers must know: liquid, battery, ..."
    )
    hs_code: str | None = Field(None, description="customs tariff number")
    origin: str | None = Field(
        None, pattern="^[A-Z]{2}$", description="country of origin, ISO 3166-1 alpha-2"
    )
    customs_name: str | None = Field(None, description="description for the customs declaration")


class Pattern(_Section):
    """A regular expression that must be found somewhere in the text."""

    pattern: str = Field(description="regular expression without look-around, as in RE2")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            pl.select(pl.lit("").str.contains(value))
        except pl.exceptions.ComputeError as error:
            raise ValueError(f"{value} is no regular expression (look-around is not supported)") from error
        return value


Wanted = str | list[str] | Pattern


class SkuMatch(_Section):
    """What a line must look like; every key that is given must match. Texts are compared letter by letter."""

    platform: str | list[str] | None = Field(None, description="only lines of these platforms")
    shop: str | list[str] | None = Field(None, description="only lines of these shops")
    merchant_code: Wanted | None = Field(None, description="the code the seller typed at the platform")
    platform_sku: Wanted | None = Field(None, description="the platform's id of the variant")
    item_ref: Wanted | None = Field(None, description="the platform's id of the item")
    spec: Wanted | None = Field(None, description="the variant in words, as the platform shows it")
    title: Wanted | None = Field(None, description="the title of the item")

    @model_validator(mode="after")
    def _says_something(self) -> SkuMatch:
        asked = ("merchant_code", "platform_sku", "item_ref", "spec", "title")
        if all(getattr(self, name) is None for name in asked):
            raise ValueError(f"names none of {', '.join(asked)}")
        return self


class SkuMapping(_Section):
    """Lines that look like `match` are `sku`."""

    match: SkuMatch = Field(description="what a line must look like")
    sku: str = Field(min_length=1, description="our code")


class SkusSection(_Section):
    """Which of our SKUs a line is: the first entry of `map` that matches, else its merchant code."""

    catalogue: list[CatalogueItem] | str = Field(
        default_factory=list, description="our articles, or the name of a CSV, XLSX or Parquet file of them"
    )
    map: list[SkuMapping] = Field(default_factory=list, description="the first entry that matches wins")
    merchant_code_is_sku: bool = Field(
        True,
        description="a merchant code is our SKU when the catalogue lists it, or when there is no catalogue",
    )

    @field_validator("catalogue")
    @classmethod
    def _once(cls, value: list[CatalogueItem] | str) -> list[CatalogueItem] | str:
        seen: set[str] = set()
        for item in value if isinstance(value, list) else []:
            if item.sku in seen:
                raise ValueError(f"{item.sku} stands here twice")
            seen.add(item.sku)
        return value
