"""The section `tariffs` of the rules: price lists of couriers, as data.

Amounts are exact decimals of the tariff's currency, weights kilograms down to the gram.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from orderctl.model.money import exponent_of
from orderctl.model.text import Text
from orderctl.model.yamlfile import Section, Wrong, reject

Kg = Annotated[Decimal, Field(ge=0, le=100_000, decimal_places=3)]
Step = Annotated[Decimal, Field(gt=0, le=1_000, decimal_places=3)]
Money = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=4)]
Percent = Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]


def _day(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        reject(Wrong(Text("there is no such day: {value}", value=value)))
    return value


class Bracket(Section):
    """One rung of a ladder: up to this weight, included, this price."""

    upto_kg: Kg = Field(description="highest billed weight of the rung")
    price: Money = Field(description="price of the whole parcel")


class Over(Section):
    """What every further step above the last bracket costs."""

    step_kg: Step = Field(Decimal(1), description="size of a step")
    step_price: Money = Field(description="price of a step")
    step_mode: Literal["step", "linear"] = Field(
        "step", description="step: started steps count whole; linear: in proportion"
    )


class Zone(Section):
    """Where one price applies: by country, province or city, the most specific place winning."""

    id: str = Field(min_length=1, description="name of the zone")
    countries: list[str] = Field(default_factory=list, description="ISO 3166-1 alpha-2; `*` is every country")
    provinces: list[str] = Field(default_factory=list, description="short or full names")
    cities: list[str] = Field(
        default_factory=list, description="short or full names; a city beats its province"
    )
    first_weight_kg: Kg | None = Field(None, description="first weight")
    first_price: Money | None = Field(None, description="price of the first weight")
    step_kg: Step = Field(Decimal(1), description="size of a further step")
    step_price: Money | None = Field(
        None, description="price of a further step; without it nothing heavier is taken"
    )
    step_mode: Literal["step", "linear"] = Field(
        "step", description="step: started steps count whole; linear: in proportion"
    )
    brackets: list[Bracket] = Field(default_factory=list, description="a ladder instead of first and step")
    over: Over | None = Field(None, description="above the ladder; without it nothing heavier is taken")

    @model_validator(mode="after")
    def _one_price(self) -> Zone:
        ladder, first = bool(self.brackets), self.first_weight_kg is not None
        if ladder == first or first != (self.first_price is not None):
            reject(Wrong(Text("a zone needs either first_weight_kg with first_price, or brackets")))
        weights = [b.upto_kg for b in self.brackets]
        if weights != sorted(set(weights)):
            reject(Wrong(Text("brackets must rise"), loc=("brackets",)))
        if not (self.countries or self.provinces or self.cities):
            reject(Wrong(Text("a zone needs countries, provinces or cities")))
        return self

    def ladder(self) -> list[Bracket]:
        """Give the prices up to the last fixed weight: the ladder, or the first weight alone."""
        if self.first_weight_kg is None or self.first_price is None:
            return self.brackets
        return [Bracket(upto_kg=self.first_weight_kg, price=self.first_price)]

    def beyond(self) -> Over | None:
        """Give what each further step costs, or None when nothing heavier is taken."""
        if self.brackets:
            return self.over
        if self.step_price is None:
            return None
        return Over(step_kg=self.step_kg, step_price=self.step_price, step_mode=self.step_mode)


class Remote(Section):
    """A surcharge for far places."""

    provinces: list[str] = Field(default_factory=list, description="short or full names")
    cities: list[str] = Field(default_factory=list, description="short or full names")
    fixed: Money = Field(Decimal(0), description="per parcel")
    per_kg: Money = Field(Decimal(0), description="per started kilogram of billed weight")


class Peak(Section):
    """A surcharge for a season, by the day of routing (the day the courier is to collect)."""

    from_: Day = Field(alias="from", description="first day")
    to: Day = Field(description="last day")
    fixed: Money = Field(Decimal(0), description="per parcel")
    per_kg: Money = Field(Decimal(0), description="per started kilogram of billed weight")

    _is_day = field_validator("from_", "to")(_day)


class Insurance(Section):
    """What insuring the declared value costs."""

    rate_percent: Percent = Field(description="of the declared value")
    min_fee: Money = Field(Decimal(0), description="at least")
    unit: Money | None = Field(None, description="the declared value is rounded up to whole units of this")


class Surcharges(Section):
    """What is added to the price of the zone."""

    label_fee: Money = Field(Decimal(0), description="per parcel")
    remote: list[Remote] = Field(default_factory=list, description="all that fit are added")
    peak: list[Peak] = Field(default_factory=list, description="all that fit are added")
    insurance: Insurance | None = Field(None, description="when the shipment has an insured value")
    fuel_percent: Percent = Field(Decimal(0), description="of the undiscounted price of the zone")


class Tariff(Section):
    """One price list."""

    id: str = Field(min_length=1, description="name of the tariff")
    courier: str = Field(min_length=1, description="the courier's code")
    service: str | None = Field(None, description="only this service; else every one")
    warehouse: str | None = Field(None, description="only from this warehouse; else from every one")
    currency: str = Field("CNY", pattern="^[A-Z]{3}$", description="ISO 4217")
    price_per: Literal["parcel", "shipment"] = Field(
        "parcel", description="shipment: parcels are priced on their sum"
    )
    volumetric_divisor: int | None = Field(
        None, ge=1, le=20_000, description="cubic centimetres to the kilogram"
    )
    volumetric_round_to_kg: Step | None = Field(
        None, description="the volumetric weight alone is rounded up to this first"
    )
    bubble_ratio: Annotated[Decimal, Field(gt=0, le=100, decimal_places=4)] | None = Field(
        None, description="volumetric weight counts only above this many times the actual one"
    )
    bubble_min_side_cm: Annotated[Decimal, Field(gt=0, le=1_000, decimal_places=1)] | None = Field(
        None, description="volumetric weight counts only from this longest side"
    )
    min_weight_kg: Kg = Field(Decimal(0), description="billed at least")
    tolerance_kg: Kg = Field(Decimal(0), description="so much over a step is forgiven")
    round_to_kg: Step = Field(Decimal(1), description="step the weight is rounded to")
    rounding: Literal["up", "half_up", "none"] = Field("up", description="how the weight is rounded")
    zones: list[Zone] = Field(min_length=1, description="the most specific place wins, then the first")
    surcharges: Surcharges = Field(default_factory=Surcharges, description="what is added")
    discount_percent: Percent = Field(Decimal(0), description="off the price")
    discount_on: Literal["zone", "total"] = Field(
        "zone", description="zone: before surcharges; total: after them"
    )
    money_round_to: Annotated[Decimal, Field(gt=0, le=1_000, decimal_places=3)] | None = Field(
        None, description="the total is rounded to this, half up; else to the smallest coin"
    )

    @model_validator(mode="after")
    def _coins(self) -> Tariff:
        coin = Decimal(1).scaleb(-exponent_of(self.currency))
        if self.money_round_to is not None and self.money_round_to % coin:
            reject(
                Wrong(
                    Text("{currency} has no coin as small as that", currency=self.currency),
                    loc=("money_round_to",),
                )
            )
        return self
