"""The freight of one shipment, written parcel by parcel and line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from orderctl.model.money import exponent_of, written
from orderctl.model.text import Text
from orderctl.stages.route import parcels_of
from orderctl.stages.rules.choose import parcel_prices
from orderctl.stages.rules.facts_table import Moment
from orderctl.stages.rules.freight_book import MONEY, PERCENT
from orderctl.stages.rules.parse import RuleBook


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
    grams = Decimal(parcel[name]) / Decimal(parcel["divisor"])
    return f"{(grams / 1000).quantize(Decimal('0.000001')).normalize():f}"


def _parcel_price(number: int, p: Mapping[str, Any]) -> Iterator[Text]:
    yield Text(
        "parcel {number}: weighs {actual} kg, volumetric {vol} kg, billed {billed} kg",
        number=number, actual=_kg(p, "actual"), vol=_kg(p, "vol"), billed=_kg(p, "billed"),
    )  # fmt: skip
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
            percent=f"{percent.normalize():f}",
            amount=_money(fee * percent / 100),
        )
    fuel = Decimal(p["fuel"]) / MONEY
    if fuel:
        yield Text(
            "fuel {percent} %: +{amount}", percent=f"{fuel.normalize():f}", amount=_money(fee * fuel / 100)
        )
    if p["surcharge"]:
        yield Text("label, far place, season: +{amount}", amount=_money(Decimal(p["surcharge"]) / MONEY))
    if p["insurance"]:
        yield Text("insurance: +{amount}", amount=_money(Decimal(p["insurance"]) / MONEY / PERCENT))
    if percent and p["on_total"]:
        yield Text("discount {percent} % on the total", percent=f"{percent.normalize():f}")
    total = written(p["freight_minor"], p["currency_of_tariff"])
    coin = Decimal(p["coin"]) / MONEY
    yield Text("total, rounded half up to {coin}: {amount}", coin=f"{coin.normalize():f}", amount=total)


def _money(amount: Decimal) -> str:
    digits = max(exponent_of("CNY"), min(6, -int(amount.normalize().as_tuple().exponent)))
    return f"{amount:.{digits}f}"
