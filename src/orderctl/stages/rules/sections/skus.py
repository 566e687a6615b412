"""The section `skus` of the rules: which of our SKUs a line of a platform is, of what it is made, what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from orderctl.model.money import exponent_of
from orderctl.model.text import Text
from orderctl.model.yamlfile import Wrong, reject

MOST_PIECES, MOST_SHARE = 100_000, 1_000_000
Cost = Annotated[Decimal, Field(ge=0, le=1_000_000_000, decimal_places=3)]


class _Section(BaseModel):
    """What both YAML files ask of every node: no unknown keys; numbers may stand for texts."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, coerce_numbers_to_str=True)


def _list_or_file(value: Any) -> str:
    return "file" if isinstance(value, str) else "list"


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
    cost: Cost | None = Field(None, description="what one piece costs you, for the audit")
    currency: str = Field("CNY", pattern="^[A-Z]{3}$", description="currency of the cost, ISO 4217")

    @model_validator(mode="after")
    def _exact(self) -> CatalogueItem:
        if self.cost is not None and self.cost != round(self.cost, exponent_of(self.currency)):
            text = Text("{amount} {currency} cannot be paid", amount=self.cost, currency=self.currency)
            reject(Wrong(text, loc=("cost",)))
        return self


def compiles(value: str) -> bool:
    """Tell whether `value` is a regular expression that can be searched for."""
    try:
        pl.select(pl.lit("").str.contains(value))
    except pl.exceptions.ComputeError:
        return False
    return True


def _compiled(value: str) -> str:
    if not compiles(value):
        reject(Wrong(Text("{value} is no regular expression (look-around is not supported)", value=value)))
    return value


class Pattern(_Section):
    """A regular expression that must be found somewhere in the text."""

    pattern: str = Field(description="regular expression without look-around, as in RE2")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        return _compiled(value)


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
            reject(Wrong(Text("names none of {names}", names=", ".join(asked))))
        return self


class SkuMapping(_Section):
    """Lines that look like `match` are `pieces` of `sku`; or, with `file` alone, a whole table of such entries."""

    match: SkuMatch | None = Field(None, description="what a line must look like")
    sku: str | None = Field(None, min_length=1, description="our code, or that of a bundle")
    pieces: int = Field(1, ge=1, le=MOST_PIECES, description="how many of ours one of theirs is")
    file: str | None = Field(None, description="a CSV, XLSX, Parquet or YAML file of entries, instead")

    @model_validator(mode="after")
    def _whole(self) -> SkuMapping:
        if self.file is not None:
            if self.model_fields_set != {"file"}:
                reject(Wrong(Text("an entry with a file has nothing else")))
        elif self.match is None or self.sku is None:
            reject(Wrong(Text("an entry has match and sku, or a file")))
        return self


class Cut(_Section):
    """What is cut out of a text when the article is unknown as it stands; it is then looked up once more."""

    field: Literal["merchant_code", "platform_sku", "item_ref", "spec", "title"] = Field(
        description="which text"
    )
    pattern: str = Field(description="regular expression without look-around; each find is cut out")
    platform: str | None = Field(None, description="only lines of this platform")
    shop: str | None = Field(None, description="only lines of this shop")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        return _compiled(value)


class BundlePart(_Section):
    """One article inside a bundle."""

    sku: str = Field(min_length=1, description="our code")
    pieces: int = Field(1, ge=1, le=MOST_PIECES, description="how many of it are in one bundle")
    share: int | None = Field(
        None, ge=0, le=MOST_SHARE, description="its part of the price, in proportion; pieces by default"
    )


def bundle_mistake(parts: Sequence[BundlePart]) -> Text | None:
    """Say what is wrong with the parts of one bundle, or give None."""
    codes = [part.sku for part in parts]
    shares = [part.share for part in parts]
    if len(set(codes)) < len(codes):
        return Text("a part stands there twice: give its pieces instead")
    if any(share is None for share in shares) and any(share is not None for share in shares):
        return Text("give every part a share, or none")
    if None not in shares and not sum(share or 0 for share in shares):
        return Text("the shares come to nothing")
    return None


class Bundle(_Section):
    """One of our SKUs that is sold as one and sent as several."""

    sku: str = Field(min_length=1, description="our code of the bundle")
    parts: list[BundlePart] = Field(min_length=1, description="what is in one bundle")

    @field_validator("parts")
    @classmethod
    def _sound(cls, value: list[BundlePart]) -> list[BundlePart]:
        if mistake := bundle_mistake(value):
            reject(Wrong(mistake))
        return value


class SkusSection(_Section):
    """Which of our SKUs a line is: what a person decided, else the map, else its merchant code."""

    catalogue: Annotated[
        Annotated[list[CatalogueItem], Tag("list")] | Annotated[str, Tag("file")],
        Discriminator(_list_or_file),
    ] = Field(
        default_factory=list, description="our articles, or the name of a CSV, XLSX or Parquet file of them"
    )
    map: Annotated[
        Annotated[list[SkuMapping], Tag("list")] | Annotated[str, Tag("file")], Discriminator(_list_or_file)
    ] = Field(
        default_factory=list,
        description="entries, or the name of a CSV, XLSX, Parquet or YAML file of them; of those that match, one for"
        " a shop goes before one for a platform, that before one for all, then the first wins",
    )
    cut: list[Cut] = Field(
        default_factory=list,
        description="what is cut out of texts before an unknown article is looked up again",
    )
    bundles: Annotated[
        Annotated[list[Bundle], Tag("list")] | Annotated[str, Tag("file")], Discriminator(_list_or_file)
    ] = Field(
        default_factory=list,
        description="SKUs that are sent as several others, or the name of a CSV, XLSX or Parquet file of them",
    )
    merchant_code_is_sku: bool = Field(
        True,
        description="a merchant code is our SKU when the catalogue or the bundles list it, or without a catalogue",
    )

    @field_validator("catalogue", "bundles")
    @classmethod
    def _once(
        cls, value: list[CatalogueItem] | list[Bundle] | str
    ) -> list[CatalogueItem] | list[Bundle] | str:
        seen: set[str] = set()
        for item in value if isinstance(value, list) else []:
            if item.sku in seen:
                reject(Wrong(Text("{sku} stands here twice", sku=item.sku)))
            seen.add(item.sku)
        return value

    @property
    def entries(self) -> list[SkuMapping]:
        """Give the map as a list; a file that stands alone is one entry."""
        return [SkuMapping(file=self.map)] if isinstance(self.map, str) else self.map
