"""The freight of one shipment, written parcel by parcel and line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from orderctl.model.money import exponent_of, written
from orderctl.model.text import Text
from orderctl.stages.choosing.estimate import parcel_prices
from orderctl.stages.conditions.facts import Moment
from orderctl.stages.freight.book import MONEY, PERCENT
from orderctl.stages.freight.pricing import ADDED
from orderctl.stages.route import parcels_of
from orderctl.stages.rules.book import RuleBook


def price_lines(
    chosen: pl.DataFrame, facts: pl.DataFrame, frame: pl.DataFrame, book: RuleBook, moment: Moment
) -> Iterator[Text]:
    """Write the price of every parcel line by line, from the very columns it was computed with."""
    rows = chosen.select("row", "warehouse", "courier", "service", "tariff_id").filter(
        pl.col("courier").is_not_null()
    )
    _, priced = parcel_prices(rows, facts, parcels_of(frame), book, moment)
    for number, parcel in enumerate(priced.to_dicts(), start=1):
        yield from _parcel_price(number, parcel)


def _kg(parcel: Mapping[str, Any], name: str) -> str:
    return _plain(Decimal(parcel[name]) / Decimal(parcel["divisor"]) / 1000)


def _parcel_price(number: int, p: Mapping[str, Any]) -> Iterator[Text]:
    yield Text(
        "parcel {number}: weighs {actual} kg, volumetric {vol} kg, billed {billed} kg",
        number=number, actual=_kg(p, "actual"), vol=_kg(p, "vol"), billed=_kg(p, "billed"),
    )  # fmt: skip
    yield from _weight_notes(p)
    if p["fee"] is None:
        yield Text("zone {zone} has no price for this weight", zone=p["zone_id"])
        return
    fee = Decimal(p["fee"]) / p["over"] / MONEY
    yield Text(
        "zone {zone}: {amount} {currency}",
        zone=p["zone_id"],
        amount=_money(fee),
        currency=p["currency_of_tariff"],
    )
    percent = Decimal(p["discount"]) / MONEY
    if percent and not p["on_total"]:
        yield Text(
            "discount {percent} %: -{amount}",
            percent=_plain(percent),
            amount=_money(fee * percent / 100),
        )
    yield from _surcharges(p, fee)
    if percent and p["on_total"]:
        yield Text("discount {percent} % on the total", percent=_plain(percent))
    if p["sum"] > p["before_least"]:
        yield Text("least charge: {amount}", amount=_money(Decimal(p["min_charge"]) / MONEY))
    total = written(p["freight_minor"], p["currency_of_tariff"])
    coin = Decimal(p["coin"]) / MONEY
    yield Text("total, rounded half up to {coin}: {amount}", coin=f"{coin.normalize():f}", amount=total)


def _weight_notes(p: Mapping[str, Any]) -> Iterator[Text]:
    """Say where the billed weight is not simply the greater weight, rounded."""
    if p["vol"] > p["actual"] and p["heavier"] == p["actual"]:
        yield Text("not bulky enough: the volumetric weight does not count")
    least = p["min_g"] * p["divisor"]
    if least > p["heavier"]:
        yield Text("billed at least {least} kg", least=_kg({**p, "least": least}, "least"))
    weight = max(least, p["heavier"])
    if p["raw"] < weight:
        yield Text(
            "{grams} g over the step are forgiven", grams=_plain(Decimal(weight - p["raw"]) / p["divisor"])
        )
    if p["rounding"] != "none" and p["q"] != p["round_g"] * p["divisor"]:
        yield Text("rounded to {step} kg, as it is heavier than {over} kg", step=_kg(p, "q"), over=_band(p))


def _band(p: Mapping[str, Any]) -> str:
    """Give the limit above which the step for heavier parcels applied to this one."""
    limits = [
        v for k, v in p.items() if k.startswith("band_") and not k.startswith("band_round_") and v is not None
    ]
    weight = max(p["min_g"] * p["divisor"], p["heavier"])
    return _plain(Decimal(max(v for v in limits if v * p["divisor"] < weight)) / 1000)


def _surcharges(p: Mapping[str, Any], fee: Decimal) -> Iterator[Text]:
    fuel = Decimal(p["fuel"]) / MONEY
    if fuel:
        yield Text("fuel {percent} %: +{amount}", percent=_plain(fuel), amount=_money(fee * fuel / 100))
    named = {name: _money(Decimal(p[name]) / MONEY) for name in ADDED if p[name]}
    if "label" in named:
        yield Text("label: +{amount}", amount=named["label"])
    if "remote" in named:
        yield Text("far place: +{amount}", amount=named["remote"])
    if "peak" in named:
        yield Text("season: +{amount}", amount=named["peak"])
    if "oversize" in named:
        yield Text("long or heavy: +{amount}", amount=named["oversize"])
    if p["insurance"]:
        yield Text("insurance: +{amount}", amount=_money(Decimal(p["insurance"]) / MONEY / PERCENT))
    if p["cod"]:
        yield Text("cash on delivery: +{amount}", amount=_money(Decimal(p["cod"]) / MONEY / PERCENT))
    if p["foreign"]:
        yield Text(
            "insured value and cash on delivery are in {currency} and left out: the tariff is in {other}",
            currency=p["currency"] or "?",
            other=p["currency_of_tariff"],
        )


def _plain(number: Decimal) -> str:
    return f"{number.quantize(Decimal('0.000001')).normalize():f}"


def _money(amount: Decimal) -> str:
    digits = max(exponent_of("CNY"), min(6, -int(amount.normalize().as_tuple().exponent)))
    return f"{amount:.{digits}f}"
