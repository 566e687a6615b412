"""What a shipment will cost, from the tariffs of the rules: exact integer columns, one pass over all parcels.

Nothing is ever rounded but what the tariff says, and the total once. Weights are whole multiples of 1/divisor gram,
so that a volumetric weight (mm³/divisor gram) is a whole number; amounts are whole multiples of 1/10000 of the
currency, carried over a common denominator as 128-bit integers until the total is rounded.

The order of calculation: volumetric weight, the greater of the two, minimum, tolerance, rounding, price of the zone,
discount, surcharges, one rounding of the total.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import polars as pl

from orderctl.model.money import exponent_of
from orderctl.stages.rules.facts_table import Moment, comparable
from orderctl.stages.rules.sections.tariffs import Peak, Remote, Tariff, Zone

WIDE = pl.Int128()
MONEY = 10_000  # amounts are counted in 1/10000 of the currency
PERCENT = 1_000_000  # percentages are counted in 1/10000 of a percent
_LEVELS = ("city", "province", "country")  # the more specific first
_RATE = "rate_"  # columns of the tariff are told from facts by this

PARCEL = pl.Schema(
    {
        "row": pl.Int64(),
        "weight_g": pl.Int64(),
        "length_mm": pl.Int64(),
        "width_mm": pl.Int64(),
        "height_mm": pl.Int64(),
    }
)


def _scaled(amount: Decimal, scale: int) -> int:
    return int(amount * scale)  # the sections allow no more decimals than the scale holds


def _grams(weight: Decimal) -> int:
    return int(weight * 1000)


@dataclass(frozen=True)
class PriceBook:
    """The tariffs as frames to join with: where each zone lies, what it costs, and the terms of each tariff."""

    tariffs: Sequence[Tariff]

    @cached_property
    def rungs(self) -> int:
        """Give the number of rungs of the longest ladder."""
        return max((len(z.ladder()) for t in self.tariffs for z in t.zones), default=1)

    @cached_property
    def chosen_by(self) -> pl.DataFrame:
        """Give [tariff, id, courier, service, warehouse], one row for each tariff."""
        rows = [(n, t.id, t.courier, t.service, t.warehouse) for n, t in enumerate(self.tariffs)]
        names = {
            "tariff": pl.Int32,
            "id": pl.String,
            "courier": pl.String,
            "service": pl.String,
            "warehouse": pl.String,
        }
        return pl.DataFrame(rows, schema=names, orient="row")

    def _places(self) -> Iterator[tuple[int, str, str, int]]:
        zone = 0
        for number, tariff in enumerate(self.tariffs):
            for z in tariff.zones:
                for level, names in zip(_LEVELS, (z.cities, z.provinces, z.countries), strict=True):
                    yield from ((number, level, name, zone) for name in names)
                zone += 1

    @cached_property
    def places(self) -> dict[str, pl.DataFrame]:
        """Give for each level [tariff, place, zone]: the first zone that names the place."""
        schema = {"tariff": pl.Int32, "level": pl.String, "place": pl.String, "zone": pl.Int32}
        found = pl.DataFrame(list(self._places()), schema=schema, orient="row")
        return {
            level: found.filter(level=level)
            .with_columns(place=place_key(pl.col("place"), level))
            .unique(["tariff", "place"], keep="first", maintain_order=True)
            .select("tariff", "place", pl.col("zone").alias(level))
            for level in _LEVELS
        }

    @cached_property
    def zones(self) -> pl.DataFrame:
        """Give the prices of every zone over all tariffs, one row each, numbered as in `places`."""
        rows = [self._zone_row(z) for t in self.tariffs for z in t.zones]
        return pl.DataFrame(rows, infer_schema_length=None).with_row_index("zone").cast({"zone": pl.Int32})

    def _zone_row(self, zone: Zone) -> dict[str, Any]:
        ladder, over = zone.ladder(), zone.beyond()
        rungs = [*ladder, *[None] * (self.rungs - len(ladder))]
        return {
            "zone_id": zone.id,
            **{f"upto_{k}": _grams(b.upto_kg) if b else None for k, b in enumerate(rungs)},
            **{f"price_{k}": _scaled(b.price, MONEY) if b else None for k, b in enumerate(rungs)},
            "last_g": _grams(ladder[-1].upto_kg),
            "last_price": _scaled(ladder[-1].price, MONEY),
            "step_g": _grams(over.step_kg) if over else None,
            "step_price": _scaled(over.step_price, MONEY) if over else None,
            "linear": over is not None and over.step_mode == "linear",
        }

    def terms(self, on: date | None) -> pl.DataFrame:
        """Give the terms of every tariff on a day, one row each."""
        return pl.DataFrame(
            [_terms(n, t, on) for n, t in enumerate(self.tariffs)], infer_schema_length=None
        ).cast({"tariff": pl.Int32})

    @cached_property
    def remote(self) -> dict[str, pl.DataFrame]:
        """Give for each level [tariff, place, entry, fixed, per_kg] of the surcharges for far places."""
        rows = [
            (number, level, name, entry, _scaled(r.fixed, MONEY), _scaled(r.per_kg, MONEY))
            for number, t in enumerate(self.tariffs)
            for entry, r in enumerate(t.surcharges.remote)
            for level, names in zip(_LEVELS, (r.cities, r.provinces, []), strict=True)
            for name in names
        ]
        schema = {
            "tariff": pl.Int32, "level": pl.String, "place": pl.String, "entry": pl.Int32, "fixed": pl.Int64, "per_kg": pl.Int64,
        }  # fmt: skip
        found = pl.DataFrame(rows, schema=schema, orient="row")
        return {
            level: found.filter(level=level)
            .with_columns(place=place_key(pl.col("place"), level))
            .drop("level")
            .unique()
            for level in _LEVELS
        }


def place_key(name: pl.Expr, level: str) -> pl.Expr:
    """Give the form in which places of `level` (city, province, country) are compared."""
    if level == "country":
        return name.str.to_uppercase()
    return comparable(name, "city" if level == "city" else "province")


def _terms(number: int, t: Tariff, on: date | None) -> dict[str, Any]:
    s = t.surcharges
    peaks = [p for p in s.peak if on is not None and p.from_ <= on.isoformat() <= p.to]
    exponent = exponent_of(t.currency)
    coin = t.money_round_to or Decimal(1).scaleb(-exponent)
    return {
        "tariff": number,
        "currency": t.currency,
        "whole": t.price_per == "shipment",
        "divisor": t.volumetric_divisor or 1,
        "no_volume": t.volumetric_divisor is None,
        "volume_step_g": _grams(t.volumetric_round_to_kg) if t.volumetric_round_to_kg else None,
        "ratio": _scaled(t.bubble_ratio, MONEY) if t.bubble_ratio else None,
        "side_mm": int(t.bubble_min_side_cm * 10) if t.bubble_min_side_cm else None,
        "min_g": _grams(t.min_weight_kg),
        "tolerance_g": _grams(t.tolerance_kg),
        "round_g": _grams(t.round_to_kg),
        "rounding": t.rounding,
        "label_fee": _scaled(s.label_fee, MONEY),
        "peak_fixed": _sum_of(peaks, "fixed"),
        "peak_per_kg": _sum_of(peaks, "per_kg"),
        "insurance_rate": _scaled(s.insurance.rate_percent, MONEY) if s.insurance else None,
        "insurance_min": _scaled(s.insurance.min_fee, MONEY) if s.insurance else 0,
        "insurance_unit": _scaled(s.insurance.unit, MONEY) if s.insurance and s.insurance.unit else 1,
        "fuel": _scaled(s.fuel_percent, MONEY),
        "discount": _scaled(t.discount_percent, MONEY),
        "on_total": t.discount_on == "total",
        "coin": _scaled(coin, MONEY),
        "minor": MONEY // 10**exponent,
    }


def _sum_of(surcharges: Iterable[Remote | Peak], name: str) -> int:
    return sum(_scaled(getattr(s, name), MONEY) for s in surcharges)


def ceil_div(value: pl.Expr, by: pl.Expr) -> pl.Expr:
    """Divide whole numbers that are not negative, rounding up."""
    return (value + by - 1) // by


def with_tariff(rows: pl.DataFrame, book: PriceBook, named: str = "tariff_id") -> pl.DataFrame:
    """Add `tariff`, the number of the tariff of each row: the one named, else the first that fits courier,
    service and warehouse; null when none does.

    Args:
        rows: a column `named` (text or null), and courier, service, warehouse.
    """  # noqa: D205
    keys = rows.select("courier", "service", "warehouse", named).unique()
    pairs = keys.join(book.chosen_by, how="cross", suffix="_of")
    is_named = pl.col(named) == pl.col("id")
    fits = (
        (pl.col("courier") == pl.col("courier_of"))
        & (pl.col("service_of").is_null() | (pl.col("service") == pl.col("service_of")).fill_null(False))
        & (
            pl.col("warehouse_of").is_null()
            | (pl.col("warehouse") == pl.col("warehouse_of")).fill_null(False)
        )
    )
    chosen = (
        pairs.filter(pl.when(pl.col(named).is_null()).then(fits).otherwise(is_named))
        .group_by("courier", "service", "warehouse", named)
        .agg(pl.col("tariff").min())
    )
    on = ["courier", "service", "warehouse", named]
    return rows.join(chosen, on=on, how="left", nulls_equal=True, maintain_order="left")


def with_zone(rows: pl.DataFrame, book: PriceBook) -> pl.DataFrame:
    """Add `zone`: where the tariff puts city, province or country, the most specific first; null when nowhere."""
    found = rows
    for level in _LEVELS:
        key = place_key(pl.col(level), level)
        found = found.with_columns(place=key).join(
            book.places[level], on=["tariff", "place"], how="left", maintain_order="left", suffix="_zone"
        )
    anywhere = book.places["country"].filter(place="*").select("tariff", pl.col("country").alias("anywhere"))
    found = found.join(anywhere, on="tariff", how="left", maintain_order="left")
    zone = pl.coalesce("city_zone", "province_zone", "country_zone", "anywhere")
    return found.with_columns(zone=zone).select(*rows.columns, "zone")


def with_remote(rows: pl.DataFrame, book: PriceBook) -> pl.DataFrame:
    """Add `remote_fixed` and `remote_per_kg`: the sum of the far-place surcharges that fit, each counted once."""
    hits = [
        rows.select("row", "tariff", place=place_key(pl.col(level), level))
        .join(book.remote[level], on=["tariff", "place"], how="inner")
        .select("row", "entry", "fixed", "per_kg")
        for level in _LEVELS
    ]
    sums = (
        pl.concat(hits)
        .unique(["row", "entry"])
        .group_by("row")
        .agg(remote_fixed=pl.col("fixed").sum(), remote_per_kg=pl.col("per_kg").sum())
    )
    filled = pl.col("remote_fixed", "remote_per_kg").fill_null(0)
    return rows.join(sums, on="row", how="left", maintain_order="left").with_columns(filled)


def _billed() -> list[list[pl.Expr]]:
    """Give the steps from weights to `billed`, in 1/divisor gram, as groups of columns to add one after another."""
    div = pl.col("divisor").cast(WIDE)
    volume = pl.when(~pl.col("no_volume")).then(pl.col("volume_mm3")).fill_null(0)
    step = pl.col("volume_step_g").cast(WIDE) * div
    stepped = pl.coalesce(ceil_div(pl.col("vol"), step) * step, pl.col("vol"))
    long_enough = (pl.col("longest_mm") >= pl.col("side_mm")).fill_null(pl.col("side_mm").is_null())
    bulky = (pl.col("vol") * MONEY > pl.col("actual") * pl.col("ratio")).fill_null(True)
    raw = pl.when(long_enough & bulky).then(pl.max_horizontal("actual", "vol")).otherwise(pl.col("actual"))
    q, tolerance = pl.col("round_g").cast(WIDE) * div, pl.col("tolerance_g").cast(WIDE) * div
    whole = pl.col("raw") // q
    forgiven = (pl.col("raw") - whole * q <= tolerance) & (whole >= 1)
    up, half = ceil_div(pl.col("raw"), q) * q, (2 * pl.col("raw") + q) // (2 * q) * q
    rounded = (
        pl.when(pl.col("rounding") == "up")
        .then(up)
        .when(pl.col("rounding") == "half_up")
        .then(half)
        .otherwise("raw")
    )
    return [
        [(pl.col("weight_g").fill_null(0).cast(WIDE) * div).alias("actual"), volume.cast(WIDE).alias("vol")],
        [stepped.alias("vol")],
        [pl.max_horizontal(raw, pl.col("min_g").cast(WIDE) * div).alias("raw")],
        [pl.when(forgiven).then(whole * q).otherwise("raw").alias("raw")],
        [rounded.alias("billed")],
    ]


def _zone_price(rungs: int) -> list[list[pl.Expr]]:
    """Give the steps from `billed` to `fee`, in 1/(10000 * `over`) of the currency."""
    div, billed = pl.col("divisor").cast(WIDE), pl.col("billed")
    over = pl.when(pl.col("linear")).then(pl.col("step_g").cast(WIDE) * div).otherwise(pl.lit(1, dtype=WIDE))
    excess = billed - pl.col("last_g").cast(WIDE) * div
    steps = (
        pl.when(pl.col("linear")).then(excess).otherwise(ceil_div(excess, pl.col("step_g").cast(WIDE) * div))
    )
    fixed = pl.coalesce(
        pl.when(billed <= pl.col(f"upto_{k}").cast(WIDE) * div).then(pl.col(f"price_{k}").cast(WIDE))
        for k in range(rungs)
    )
    above = pl.col("last_price").cast(WIDE) * pl.col("over") + steps * pl.col("step_price").cast(WIDE)
    return [[over.alias("over")], [pl.coalesce(fixed * pl.col("over"), above).alias("fee")]]


def _total() -> list[list[pl.Expr]]:
    """Give the steps from `fee` to `freight_minor`: surcharges, discount, and the one rounding."""
    started_kg = ceil_div(pl.col("billed"), pl.col("divisor").cast(WIDE) * 1000)
    fixed = pl.col("label_fee") + pl.col("remote_fixed") + pl.col("peak_fixed")
    surcharge = fixed.cast(WIDE) + started_kg * (pl.col("remote_per_kg") + pl.col("peak_per_kg")).cast(WIDE)
    unit = pl.col("insurance_unit").cast(WIDE)
    declared = ceil_div(pl.col("insured_minor").cast(WIDE) * pl.col("minor"), unit) * unit
    by_rate = declared * pl.col("insurance_rate").cast(WIDE)
    premium = pl.max_horizontal(by_rate, pl.col("insurance_min").cast(WIDE) * PERCENT)
    insured = (pl.col("insured_minor") > 0) & pl.col("insurance_rate").is_not_null()
    wide = pl.lit(PERCENT, dtype=WIDE)
    off = pl.col("discount").cast(WIDE)
    on_zone, on_total = (
        pl.when(~pl.col("on_total")).then(off).otherwise(0),
        pl.when(pl.col("on_total")).then(off).otherwise(0),
    )
    before = (
        pl.col("fee") * (wide - on_zone + pl.col("fuel").cast(WIDE))
        + pl.col("surcharge") * wide * pl.col("over")
        + pl.col("insurance") * pl.col("over")
    )
    below = wide * wide * pl.col("over") * pl.col("coin").cast(WIDE)
    coins = (2 * pl.col("sum") + below) // (2 * below)
    return [
        [
            surcharge.alias("surcharge"),
            pl.when(insured).then(premium).otherwise(0).cast(WIDE).alias("insurance"),
        ],
        [(before * (wide - on_total)).alias("sum")],
        [(coins * pl.col("coin") // pl.col("minor")).cast(pl.Int64).alias("freight_minor")],
    ]


def price_parcels(rows: pl.DataFrame, parcels: pl.DataFrame, book: PriceBook, moment: Moment) -> pl.DataFrame:
    """Price every parcel, keeping each step of the calculation as a column for whoever asks why.

    Args:
        rows: one a shipment: row, tariff, zone, currency, insured_minor, remote_fixed, remote_per_kg.
        parcels: columns PARCEL, in order, the mother first; only hers is insured.

    Returns: the parcels that have a zone, with `billed` (in 1/`divisor` gram), `fee`, `freight_minor` and the rest.
    """
    day = moment.local.date() if moment.local else None
    priced = rows.filter(pl.col("zone").is_not_null()).join(
        book.terms(day), on="tariff", how="left", suffix="_of_tariff"
    )
    priced = priced.join(book.zones, on="zone", how="left")
    same_currency = (pl.col("currency") == pl.col("currency_of_tariff")).fill_null(False)
    found = _summed(_measured(parcels).join(priced, on="row", how="inner", maintain_order="left"))
    mother = pl.col("row").is_first_distinct()
    found = found.with_columns(insured_minor=pl.when(mother & same_currency).then("insured_minor"))
    for group in [*_billed(), *_zone_price(book.rungs), *_total()]:
        found = found.with_columns(group)
    return found


def _measured(parcels: pl.DataFrame) -> pl.DataFrame:
    sides = [pl.col(n).cast(WIDE) for n in ("length_mm", "width_mm", "height_mm")]
    return parcels.select(
        "row", "weight_g", volume_mm3=sides[0] * sides[1] * sides[2], longest_mm=pl.max_horizontal(sides)
    )


def _summed(found: pl.DataFrame) -> pl.DataFrame:
    """Make one parcel of those whose tariff prices the shipment: weights and volumes added, the longest side kept."""
    whole = found.filter("whole")
    if not whole.height:
        return found
    added = {
        "weight_g": pl.col("weight_g").sum(),
        "volume_mm3": pl.col("volume_mm3").sum(),
        "longest_mm": pl.col("longest_mm").max(),
    }
    others = [pl.col(c).first() for c in found.columns if c not in (*added, "row")]
    joined = whole.group_by("row", maintain_order=True).agg(*others, **added).select(found.columns)
    return pl.concat([found.filter(~pl.col("whole")), joined]).sort("row", maintain_order=True)
