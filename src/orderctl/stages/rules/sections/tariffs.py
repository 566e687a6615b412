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
Time = Annotated[str, Field(pattern=r"^(?:[01]\d|2[0-3]):[0-5]\d$")]
Centimetres = Annotated[Decimal, Field(gt=0, le=1_000, decimal_places=1)]
_DISTRICTS = "full names, alone or after their city: `伊宁县` or `杭州/淳安县`"


def _day(value: str | None) -> str | None:
    try:
        date.fromisoformat(value or "0001-01-01")
    except ValueError:
        reject(Wrong(Text("there is no such day: {value}", value=value)))
    return value


def _in_order(first: str | None, last: str | None, name: str) -> None:
    if first is not None and last is not None and last < first:
        reject(Wrong(Text("the last day is before the first"), loc=(name,)))


class Bracket(Section):
    """One rung of a ladder: up to this weight, included, this price."""

    upto_kg: Kg = Field(description="highest billed weight of the rung")
    price: Money = Field(description="price of the whole parcel")


class Over(Section):
    """What is heavier than the last bracket: its price and steps from there, or first and step of its own."""

    first_weight_kg: Kg | None = Field(
        None, description="counted from this weight, not from the last bracket"
    )
    first_price: Money | None = Field(None, description="price of that weight")
    step_kg: Step = Field(Decimal(1), description="size of a step")
    step_price: Money = Field(description="price of a step")
    step_mode: Literal["step", "linear"] = Field(
        "step", description="step: started steps count whole; linear: in proportion"
    )

    @model_validator(mode="after")
    def _both(self) -> Over:
        if (self.first_weight_kg is None) != (self.first_price is None):
            reject(Wrong(Text("first_weight_kg and first_price go together")))
        return self


class Zone(Section):
    """Where one price applies: by country, province, city or district, the most specific place winning."""

    id: str = Field(min_length=1, description="name of the zone")
    countries: list[str] = Field(default_factory=list, description="ISO 3166-1 alpha-2; `*` is every country")
    provinces: list[str] = Field(default_factory=list, description="short or full names")
    cities: list[str] = Field(
        default_factory=list, description="short or full names; a city beats its province"
    )
    districts: list[str] = Field(default_factory=list, description=f"{_DISTRICTS}; a district beats its city")
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
        if not (self.countries or self.provinces or self.cities or self.districts):
            reject(Wrong(Text("a zone needs countries, provinces, cities or districts")))
        if weights and self.over and (self.over.first_weight_kg or 0) > weights[-1]:
            text = Text("the first weight above the ladder cannot be more than its last bracket")
            reject(Wrong(text, loc=("over", "first_weight_kg")))
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
    districts: list[str] = Field(default_factory=list, description=_DISTRICTS)
    fixed: Money = Field(Decimal(0), description="per parcel")
    per_kg: Money = Field(Decimal(0), description="per started kilogram of billed weight")

    @model_validator(mode="after")
    def _somewhere(self) -> Remote:
        if not (self.provinces or self.cities or self.districts):
            reject(Wrong(Text("a surcharge for far places needs provinces, cities or districts")))
        return self


class Peak(Section):
    """A surcharge for a season, by the day the courier is to collect: everywhere, or in the places it names."""

    from_: Day = Field(alias="from", description="first day")
    to: Day = Field(description="last day")
    zones: list[str] = Field(default_factory=list, description="only in these zones of the tariff, by id")
    provinces: list[str] = Field(default_factory=list, description="only there; short or full names")
    cities: list[str] = Field(default_factory=list, description="only there; short or full names")
    districts: list[str] = Field(default_factory=list, description=f"only there; {_DISTRICTS}")
    fixed: Money = Field(Decimal(0), description="per parcel")
    per_kg: Money = Field(Decimal(0), description="per started kilogram of billed weight")

    _is_day = field_validator("from_", "to")(_day)

    @model_validator(mode="after")
    def _rises(self) -> Peak:
        _in_order(self.from_, self.to, "to")
        return self

    @property
    def everywhere(self) -> bool:
        """Say whether it names no place."""
        return not (self.zones or self.provinces or self.cities or self.districts)


class Fuel(Section):
    """The fuel surcharge of some days, as couriers announce it month by month."""

    from_: Day = Field(alias="from", description="first day of collection it is for")
    to: Day | None = Field(None, description="last day; else it counts until the next entry")
    percent: Percent = Field(description="of the undiscounted price of the zone")

    _is_day = field_validator("from_", "to")(_day)

    @model_validator(mode="after")
    def _rises(self) -> Fuel:
        _in_order(self.from_, self.to, "to")
        return self


class Oversize(Section):
    """A surcharge for long or heavy parcels; every parcel is looked at by itself, by what it really weighs."""

    over_cm: Centimetres | None = Field(None, description="the longest side is longer than this")
    upto_cm: Centimetres | None = Field(None, description="and at most this")
    over_kg: Kg | None = Field(None, description="the actual weight is more than this")
    upto_kg: Kg | None = Field(None, description="and at most this")
    fixed: Money = Field(Decimal(0), description="per parcel")
    per_kg: Money = Field(Decimal(0), description="per started kilogram of actual weight")

    @model_validator(mode="after")
    def _limits(self) -> Oversize:
        if self.over_cm is None and self.over_kg is None:
            reject(Wrong(Text("a surcharge for long or heavy parcels needs over_cm or over_kg")))
        for over, upto, name in (
            (self.over_cm, self.upto_cm, "upto_cm"),
            (self.over_kg, self.upto_kg, "upto_kg"),
        ):
            if upto is not None and (over is None or upto <= over):
                reject(
                    Wrong(
                        Text("{upto} needs a smaller {over}", upto=name, over=name.replace("upto", "over")),
                        loc=(name,),
                    )
                )
        return self


class Insurance(Section):
    """What insuring the declared value costs."""

    rate_percent: Percent = Field(description="of the declared value")
    min_fee: Money = Field(Decimal(0), description="at least")
    unit: Annotated[Money, Field(gt=0)] | None = Field(
        None, description="the declared value is rounded up to whole units of this"
    )


class CashOnDelivery(Section):
    """What collecting money at the door costs."""

    rate_percent: Percent = Field(description="of what is collected")
    min_fee: Money = Field(Decimal(0), description="at least")
    max_fee: Money | None = Field(None, description="at most")

    @model_validator(mode="after")
    def _limits(self) -> CashOnDelivery:
        if self.max_fee is not None and self.max_fee < self.min_fee:
            reject(Wrong(Text("max_fee is less than min_fee"), loc=("max_fee",)))
        return self


class Surcharges(Section):
    """What is added to the price of the zone."""

    label_fee: Money = Field(Decimal(0), description="per parcel")
    remote: list[Remote] = Field(default_factory=list, description="all that fit are added")
    peak: list[Peak] = Field(default_factory=list, description="all that fit are added")
    oversize: list[Oversize] = Field(default_factory=list, description="all that fit are added")
    insurance: Insurance | None = Field(None, description="when the shipment has an insured value")
    cod: CashOnDelivery | None = Field(None, description="when money is collected at the door")
    fuel_percent: Percent = Field(Decimal(0), description="of the undiscounted price of the zone")
    fuel: list[Fuel] = Field(
        default_factory=list, description="the same by days, the earlier first; on others fuel_percent counts"
    )

    @model_validator(mode="after")
    def _one_fuel_a_day(self) -> Surcharges:
        for at, (before, entry) in enumerate(zip(self.fuel, self.fuel[1:], strict=False), 1):
            if entry.from_ <= (before.to or before.from_):
                text = Text("{day} is in the entry above already", day=entry.from_)
                reject(Wrong(text, loc=("fuel", at, "from")))
        return self

    def fuel_on(self, day: str | None) -> Decimal:
        """Give the percentage for what is collected on `day`; `fuel_percent` while the day is not known."""
        found = next((f for f in reversed(self.fuel) if day is not None and f.from_ <= day), None)
        return self.fuel_percent if found is None or (found.to and found.to < str(day)) else found.percent


class RoundAbove(Section):
    """Another step to round to for what is heavier."""

    over_kg: Kg = Field(description="from more than this weight on")
    round_to_kg: Step = Field(description="step the weight is rounded to")


class Tariff(Section):
    """One price list."""

    id: str = Field(min_length=1, description="name of the tariff")
    courier: str = Field(min_length=1, description="the courier's code")
    service: str | None = Field(None, description="only this service; else every one")
    warehouse: str | None = Field(None, description="only from this warehouse; else from every one")
    valid_from: Day | None = Field(None, description="first day of collection it is for")
    valid_to: Day | None = Field(None, description="last day of collection it is for")
    collected_until: Time | None = Field(
        None, description="what is routed at this time or later is collected on the next day; `17:30`"
    )
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
    bubble_min_side_cm: Centimetres | None = Field(
        None, description="volumetric weight counts only from this longest side"
    )
    min_weight_kg: Kg = Field(Decimal(0), description="billed at least")
    tolerance_kg: Kg = Field(Decimal(0), description="so much over a step is forgiven")
    round_to_kg: Step = Field(Decimal(1), description="step the weight is rounded to")
    round_above: list[RoundAbove] = Field(
        default_factory=list, description="another step for heavier parcels, the lighter limit first"
    )
    rounding: Literal["up", "half_up", "none"] = Field("up", description="how the weight is rounded")
    zones: list[Zone] = Field(
        default_factory=list, description="the most specific place wins, then the first"
    )
    prices: str | None = Field(
        None, description="the name of a CSV, XLSX or Parquet file with further zones, a row for each"
    )
    surcharges: Surcharges = Field(default_factory=Surcharges, description="what is added")
    discount_percent: Percent = Field(Decimal(0), description="off the price")
    discount_on: Literal["zone", "total"] = Field(
        "zone", description="zone: before surcharges; total: after them"
    )
    min_charge: Money = Field(Decimal(0), description="the total is at least this")
    money_round_to: Annotated[Decimal, Field(gt=0, le=1_000, decimal_places=3)] | None = Field(
        None, description="the total is rounded to this, half up; else to the smallest coin"
    )

    _is_day = field_validator("valid_from", "valid_to")(_day)

    @model_validator(mode="after")
    def _whole(self) -> Tariff:
        if not self.zones and self.prices is None:
            reject(Wrong(Text("a tariff needs zones, or prices that name a table of them")))
        _in_order(self.valid_from, self.valid_to, "valid_to")
        limits = [band.over_kg for band in self.round_above]
        if limits != sorted(set(limits)):
            reject(Wrong(Text("over_kg must rise"), loc=("round_above",)))
        return self

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
